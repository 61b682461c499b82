/* resp/net/tls_context.c - see tls_context.h. */
#include "resp/net/tls_context.h"

#include <errno.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "resp/config.h"
#include "resp/log.h"

void tls_error_text(char *buf, size_t n)
{
	unsigned long e = ERR_get_error();
	ERR_error_string_n(e, buf, n);
	ERR_clear_error();
}

#define WARN(cfg, ...) log_line(&(cfg)->log, LOG_LEVEL_WARNING, __VA_ARGS__)

static bool failed(struct config *cfg, const char *what, const char *file)
{
	char why[256];
	tls_error_text(why, sizeof(why));
	WARN(cfg, "Failed to %s: %s%s%s", what, file ? file : "", file ? ": " : "", why);
	return false;
}

/* --- protocols --- */

static const struct {
	const char *name;
	uint64_t off;
} protocols[] = {
	{"TLSv1", SSL_OP_NO_TLSv1},
	{"TLSv1.1", SSL_OP_NO_TLSv1_1},
	{"TLSv1.2", SSL_OP_NO_TLSv1_2},
	{"TLSv1.3", SSL_OP_NO_TLSv1_3},
};
#define PROTOCOLS (sizeof(protocols) / sizeof(protocols[0]))

static bool protocol_off(const char *word, size_t n, uint64_t *off)
{
	for (size_t i = 0; i < PROTOCOLS; i++) {
		if (strlen(protocols[i].name) != n || strncasecmp(protocols[i].name, word, n) != 0)
			continue;
		*off &= ~protocols[i].off;
		return true;
	}
	return false;
}

/* Options that switch off what tls-protocols does not name; without it, what is older than 1.2. */
static bool read_protocols(struct config *cfg, uint64_t *off)
{
	const char *s = cfg->tls.protocols;
	*off = 0;
	for (size_t i = 0; i < PROTOCOLS; i++)
		*off |= protocols[i].off;
	if (!s[0])
		s = "TLSv1.2 TLSv1.3";
	while (*s) {
		size_t n = strcspn(s, " ");
		if (n && !protocol_off(s, n, off)) {
			WARN(cfg, "Invalid tls-protocols specified. Use a combination of 'TLSv1', "
				  "'TLSv1.1', 'TLSv1.2' and 'TLSv1.3'.");
			return false;
		}
		s += n + (s[n] == ' ');
	}
	return true;
}

/* --- files --- */

/* Without a pass phrase an encrypted key is an error: the default would ask for it at the terminal. */
static int pass_phrase(char *buf, int size, int writing, void *arg)
{
	const char *pass = arg;
	size_t n = strlen(pass);
	(void)writing;
	if (n == 0 || n > (size_t)size)
		return -1;
	memcpy(buf, pass, n);
	return (int)n;
}

static bool load_pair(struct config *cfg, SSL_CTX *ctx, const char *cert, const char *key,
		      char *pass)
{
	SSL_CTX_set_default_passwd_cb(ctx, pass_phrase);
	SSL_CTX_set_default_passwd_cb_userdata(ctx, pass);
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) <= 0)
		return failed(cfg, "load certificate", cert);
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) <= 0)
		return failed(cfg, "load private key", key);
	return true;
}

static bool load_trusted(struct config *cfg, SSL_CTX *ctx)
{
	const char *file = cfg->tls.ca_cert_file[0] ? cfg->tls.ca_cert_file : NULL;
	const char *dir = cfg->tls.ca_cert_dir[0] ? cfg->tls.ca_cert_dir : NULL;
	if (!file && !dir)
		return true;
	if (SSL_CTX_load_verify_locations(ctx, file, dir) <= 0)
		return failed(cfg, "configure CA certificate(s) file/directory", NULL);
	return true;
}

static bool load_dh(struct config *cfg, SSL_CTX *ctx)
{
	const char *path = cfg->tls.dh_params_file;
	if (!path[0]) {
		SSL_CTX_set_dh_auto(ctx, 1);
		return true;
	}
	FILE *f = fopen(path, "re");
	if (f == NULL) {
		WARN(cfg, "Failed to load %s: %s", path, strerror(errno));
		return false;
	}
	EVP_PKEY *dh = NULL;
	OSSL_DECODER_CTX *d = OSSL_DECODER_CTX_new_for_pkey(
		&dh, "PEM", NULL, "DH", OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS, NULL, NULL);
	int ok = d && OSSL_DECODER_from_fp(d, f);
	OSSL_DECODER_CTX_free(d);
	fclose(f);
	if (!ok || dh == NULL) {
		ERR_clear_error();
		EVP_PKEY_free(dh);
		WARN(cfg, "%s: failed to read DH params.", path);
		return false;
	}
	if (SSL_CTX_set0_tmp_dh_pkey(ctx, dh) <= 0) {
		EVP_PKEY_free(dh);
		return failed(cfg, "load DH params file", path);
	}
	return true;
}

static bool set_ciphers(struct config *cfg, SSL_CTX *ctx)
{
	const char *list = cfg->tls.ciphers, *suites = cfg->tls.ciphersuites;
	bool ok = true;
	if (list[0] && !SSL_CTX_set_cipher_list(ctx, list)) {
		WARN(cfg, "Failed to configure ciphers: %s", list);
		ok = false;
	} else if (suites[0] && !SSL_CTX_set_ciphersuites(ctx, suites)) {
		WARN(cfg, "Failed to configure ciphersuites: %s", suites);
		ok = false;
	}
	ERR_clear_error();
	return ok;
}

/* --- the whole --- */

/* What must be there before a file is opened. */
static bool complete(struct config *cfg)
{
	const struct config_tls *t = &cfg->tls;
	const char *why = NULL;
	if (!t->cert_file[0])
		why = "No tls-cert-file configured!";
	else if (!t->key_file[0])
		why = "No tls-key-file configured!";
	else if (t->auth_clients != TLS_AUTH_NO && !t->ca_cert_file[0] && !t->ca_cert_dir[0])
		why = "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when "
		      "tls-cluster, tls-replication or tls-auth-clients are enabled!";
	if (why)
		WARN(cfg, "%s", why);
	return why == NULL;
}

static int verify_mode(enum config_tls_auth auth)
{
	switch (auth) {
	case TLS_AUTH_NO:
		return SSL_VERIFY_NONE;
	case TLS_AUTH_YES:
		return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	case TLS_AUTH_OPTIONAL:
		return SSL_VERIFY_PEER;
	}
	return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

static void set_sessions(const struct config_tls *t, SSL_CTX *ctx)
{
	static const unsigned char id[] = "redis";
	if (!t->session_caching) {
		/* A ticket is a session that the client keeps for us. */
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(ctx, 0);
		return;
	}
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
	SSL_CTX_sess_set_cache_size(ctx, t->session_cache_size);
	SSL_CTX_set_timeout(ctx, t->session_cache_timeout);
	SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1);
}

static SSL_CTX *context_with(struct config *cfg, const char *cert, const char *key, char *pass,
			     uint64_t off)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	if (ctx == NULL) {
		failed(cfg, "make a TLS context", NULL);
		return NULL;
	}
	SSL_CTX_set_options(ctx, SSL_OP_NO_SSLv2 | SSL_OP_NO_SSLv3 | SSL_OP_NO_COMPRESSION |
					 SSL_OP_NO_RENEGOTIATION | off);
	/* Output may move between two tries, and goes as far as it goes. Idle connections hold no record buffers; what comes is read in
	 * one call, head and body. */
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ctx, 1);
	if (load_pair(cfg, ctx, cert, key, pass) && load_trusted(cfg, ctx) && set_ciphers(cfg, ctx))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

static bool client_files_are_good(struct config *cfg, uint64_t off)
{
	struct config_tls *t = &cfg->tls;
	if (!t->client_cert_file[0] || !t->client_key_file[0])
		return true;
	SSL_CTX *ctx = context_with(cfg, t->client_cert_file, t->client_key_file,
				    t->client_key_file_pass, off);
	SSL_CTX_free(ctx);
	return ctx != NULL;
}

struct ssl_ctx_st *tls_context_new(struct config *cfg)
{
	struct config_tls *t = &cfg->tls;
	uint64_t off;
	ERR_clear_error();
	if (!complete(cfg) || !read_protocols(cfg, &off))
		return NULL;
	SSL_CTX *ctx = context_with(cfg, t->cert_file, t->key_file, t->key_file_pass, off);
	if (ctx == NULL)
		return NULL;
	if (!load_dh(cfg, ctx) || !client_files_are_good(cfg, off)) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	if (t->prefer_server_ciphers)
		SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_verify(ctx, verify_mode(t->auth_clients), NULL);
	set_sessions(t, ctx);
	return ctx;
}

void tls_context_free(struct ssl_ctx_st *ctx)
{
	SSL_CTX_free(ctx);
}
