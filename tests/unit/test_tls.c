/* resp/net/tls.h over a socket pair, with a client of OpenSSL's on the other side. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "resp/net/tls.h"
#include "store/base/mem.h"

static void own_certificate(SSL_CTX *ctx)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const unsigned char *)"x", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_int_equal(SSL_CTX_use_certificate(ctx, x), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
	X509_free(x);
	EVP_PKEY_free(key);
}

struct ends {
	SSL_CTX *ours, *theirs;
	int fd[2];
	struct tls *tls;
	SSL *peer; /* blocks in nothing: both ends are non-blocking */
};

static void setup(struct ends *e)
{
	memset(e, 0, sizeof(*e));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, e->fd), 0);
	e->ours = SSL_CTX_new(TLS_method());
	e->theirs = SSL_CTX_new(TLS_method());
	own_certificate(e->ours);
	SSL_CTX_set_mode(e->ours, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(e->ours, 1);
	e->tls = tls_new(e->ours, e->fd[0]);
	e->peer = SSL_new(e->theirs);
	SSL_set_fd(e->peer, e->fd[1]);
	SSL_set_connect_state(e->peer);
}

static void greet(struct ends *e)
{
	for (int i = 0; i < 20 && tls_state(e->tls) == TLS_GREETING; i++) {
		SSL_do_handshake(e->peer);
		tls_handshake(e->tls);
	}
	assert_int_equal(tls_state(e->tls), TLS_OPEN);
	ERR_clear_error();
}

static void teardown(struct ends *e)
{
	tls_free(e->tls);
	SSL_free(e->peer);
	close(e->fd[0]);
	close(e->fd[1]);
	SSL_CTX_free(e->ours);
	SSL_CTX_free(e->theirs);
}

static ssize_t receive(struct ends *e, char *p, size_t n)
{
	struct iovec iov = {p, n};
	return tls_recv(e->tls, &iov, 1);
}

static void what_a_small_buffer_leaves_is_told_of(void **state)
{
	struct ends e;
	char buf[100];
	(void)state;
	setup(&e);
	greet(&e);
	assert_int_equal(receive(&e, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EAGAIN);
	/* Three records that arrive together. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(SSL_write(e.peer, "0123456789", 10), 10);
	assert_int_equal(receive(&e, buf, 7), 7);
	assert_true(tls_has_more(e.tls));
	struct iovec iov[2] = {{buf, 5}, {buf + 5, 90}};
	assert_int_equal(tls_recv(e.tls, iov, 2), 23);
	assert_memory_equal(buf, "78901234567890123456789", 23);
	assert_false(tls_has_more(e.tls));
	teardown(&e);
}

static void half_a_record_is_no_input_and_nothing_more(void **state)
{
	struct ends e;
	char buf[100], record[200];
	(void)state;
	setup(&e);
	greet(&e);
	/* Take the peer's record off its socket, and hand on half of it. */
	int own[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, own), 0);
	SSL_set_wfd(e.peer, own[0]);
	assert_int_equal(SSL_write(e.peer, "0123456789", 10), 10);
	ssize_t n = read(own[1], record, sizeof(record));
	assert_true(n > 10);
	assert_int_equal(write(e.fd[1], record, 9), 9);
	assert_int_equal(receive(&e, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EAGAIN);
	assert_false(tls_has_more(e.tls));
	assert_int_equal(write(e.fd[1], record + 9, (size_t)n - 9), n - 9);
	assert_int_equal(receive(&e, buf, sizeof(buf)), 10);
	close(own[0]);
	close(own[1]);
	teardown(&e);
}

static void an_end_behind_data_is_said_after_it(void **state)
{
	struct ends e;
	char buf[100];
	(void)state;
	setup(&e);
	greet(&e);
	assert_int_equal(SSL_write(e.peer, "last", 4), 4);
	SSL_shutdown(e.peer);
	assert_int_equal(receive(&e, buf, sizeof(buf)), 4);
	assert_true(tls_has_more(e.tls));
	assert_int_equal(receive(&e, buf, sizeof(buf)), 0);
	teardown(&e);

	/* The same without a good-bye. */
	setup(&e);
	greet(&e);
	assert_int_equal(SSL_write(e.peer, "last", 4), 4);
	shutdown(e.fd[1], SHUT_WR);
	assert_int_equal(receive(&e, buf, sizeof(buf)), 4);
	assert_int_equal(receive(&e, buf, sizeof(buf)), 0);
	teardown(&e);
}

static void a_full_socket_takes_the_rest_later_and_whole(void **state)
{
	enum { SIZE = 3 << 20 };
	struct ends e;
	char *out = mem_alloc(SIZE), *in = mem_alloc(SIZE);
	size_t sent = 0, got = 0;
	bool was_full = false;
	(void)state;
	for (size_t i = 0; i < SIZE; i++)
		out[i] = (char)(i * 31 >> 4);
	setup(&e);
	greet(&e);
	while (got < SIZE) {
		if (sent < SIZE) {
			/* A small piece in front of a big one, at another place each time. */
			size_t small = sent + 10 < SIZE ? 10 : SIZE - sent;
			struct iovec iov[2] = {{out + sent, small},
					       {out + sent + small, SIZE - sent - small}};
			ssize_t n = tls_send(e.tls, iov, 2);
			if (n < 0)
				assert_int_equal(errno, EAGAIN);
			was_full = was_full || (n < 1 << 20 && (size_t)(n + 1) < SIZE - sent);
			sent += n > 0 ? (size_t)n : 0;
		}
		int n = SSL_read(e.peer, in + got, (int)(SIZE - got));
		got += n > 0 ? (size_t)n : 0;
	}
	assert_true(was_full);
	assert_memory_equal(in, out, SIZE);
	teardown(&e);
	mem_free(out);
	mem_free(in);
}

static void no_greeting_is_a_failure_with_a_reason(void **state)
{
	struct ends e;
	(void)state;
	setup(&e);
	assert_int_equal(tls_handshake(e.tls), TLS_GREETING);
	assert_int_equal(write(e.fd[1], "PING\r\nPING\r\n", 12), 12);
	assert_int_equal(tls_handshake(e.tls), TLS_FAILED);
	assert_string_equal(tls_error(e.tls), "error:0A00010B:SSL routines::wrong version number");
	char buf[10];
	assert_int_equal(receive(&e, buf, sizeof(buf)), -1);
	struct iovec iov = {buf, 1};
	assert_int_equal(tls_send(e.tls, &iov, 1), -1);
	teardown(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_small_buffer_leaves_is_told_of),
		cmocka_unit_test(half_a_record_is_no_input_and_nothing_more),
		cmocka_unit_test(an_end_behind_data_is_said_after_it),
		cmocka_unit_test(a_full_socket_takes_the_rest_later_and_whole),
		cmocka_unit_test(no_greeting_is_a_failure_with_a_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
