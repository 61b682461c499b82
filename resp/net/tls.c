/* resp/net/tls.c - see tls.h. */
#include "resp/net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "resp/net/tls_context.h"
#include "store/base/mem.h"

/* The largest record's content. Small pieces of output are put together up to this. */
#define RECORD_MAX 16384
/* A reader on the same machine keeps up with us for as long as there is something to send; others wait meanwhile. */
#define SEND_MAX (1024 * 1024)

struct tls {
	SSL *ssl;
	enum tls_state state;
	bool more;
	bool blocked[2];
	size_t mem;
	char *error; /* NULL until something failed */
};

struct tls *tls_new(struct ssl_ctx_st *ctx, int fd)
{
	size_t before = mem_used();
	struct tls *t = mem_calloc(sizeof(*t));
	ERR_clear_error();
	t->ssl = SSL_new(ctx);
	if (t->ssl == NULL || !SSL_set_fd(t->ssl, fd)) {
		tls_free(t);
		return NULL;
	}
	SSL_set_accept_state(t->ssl);
	t->mem = mem_used() - before;
	return t;
}

void tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	ERR_clear_error();
	if (t->ssl && t->state == TLS_OPEN)
		SSL_shutdown(t->ssl);
	SSL_free(t->ssl);
	mem_free(t->error);
	mem_free(t);
}

enum tls_state tls_state(const struct tls *t)
{
	return t->state;
}

const char *tls_error(const struct tls *t)
{
	return t->error ? t->error : "";
}

bool tls_has_more(const struct tls *t)
{
	return t->more;
}

bool tls_blocked(const struct tls *t, enum tls_direction which)
{
	return t->blocked[which];
}

size_t tls_mem(const struct tls *t)
{
	return t->mem;
}

/* Remember why it is over; @saved is the call's errno. */
static void fail(struct tls *t, int saved)
{
	char why[256];
	if (ERR_peek_error())
		tls_error_text(why, sizeof(why));
	else
		snprintf(why, sizeof(why), "%s", saved ? strerror(saved) : "unexpected eof");
	mem_free(t->error);
	t->error = mem_dup(why, strlen(why) + 1);
	t->state = TLS_FAILED;
}

/* What a call of OpenSSL that answered @rc means: 0 is the peer's end, -1 with errno as a socket's. @waits is told when the call
 * needs the direction that is not its own. */
static ssize_t outcome(struct tls *t, int rc, enum tls_direction which)
{
	int saved = errno;
	switch (SSL_get_error(t->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		t->blocked[which] = which == TLS_WRITING;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_WANT_WRITE:
		t->blocked[which] = which == TLS_READING;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SSL:
		/* Without a good-bye, as many clients end: RESP needs none to know a command's end. */
		if (t->state == TLS_OPEN &&
		    ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
			ERR_clear_error();
			t->state = TLS_FAILED;
			return 0;
		}
		saved = EPROTO;
		break;
	default:
		break;
	}
	fail(t, saved);
	errno = saved ? saved : ECONNRESET;
	return -1;
}

enum tls_state tls_handshake(struct tls *t)
{
	size_t before = mem_used();
	ERR_clear_error();
	t->blocked[TLS_READING] = t->blocked[TLS_WRITING] = false;
	errno = 0;
	int rc = SSL_do_handshake(t->ssl);
	if (rc == 1)
		t->state = TLS_OPEN;
	else
		outcome(t, rc, TLS_READING);
	size_t after = mem_used();
	if (after > before)
		t->mem += after - before;
	else
		t->mem -= before - after < t->mem ? before - after : t->mem;
	t->more = SSL_has_pending(t->ssl);
	return t->state;
}

/* --- receiving --- */

/* Fill @room as far as what came goes. How many bytes, or outcome()'s word if there were none. */
static ssize_t receive(struct tls *t, char *p, size_t room)
{
	size_t got = 0, n;
	t->more = false;
	while (got < room) {
		errno = 0;
		if (!SSL_read_ex(t->ssl, p + got, room - got, &n)) {
			ssize_t end = outcome(t, 0, TLS_READING);
			if (got == 0)
				return end;
			/* An end that came behind data is said next time; the socket may not tell of it again. */
			t->more = end == 0 || errno != EAGAIN;
			return (ssize_t)got;
		}
		got += n;
		/* What waits in OpenSSL is part of a record, or records: only another read can tell. */
		if (!SSL_has_pending(t->ssl))
			return (ssize_t)got;
	}
	t->more = true;
	return (ssize_t)got;
}

ssize_t tls_recv(struct tls *t, const struct iovec *iov, int n)
{
	ssize_t total = 0;
	t->blocked[TLS_READING] = false;
	if (t->state != TLS_OPEN) {
		t->more = false;
		errno = EPROTO;
		return t->error ? -1 : 0;
	}
	ERR_clear_error();
	for (int i = 0; i < n; i++) {
		ssize_t got = receive(t, iov[i].iov_base, iov[i].iov_len);
		if (got <= 0 && total == 0)
			return got;
		if (got <= 0) {
			t->more = got == 0 || errno != EAGAIN;
			return total;
		}
		total += got;
		if ((size_t)got < iov[i].iov_len || !t->more)
			return total;
	}
	return total;
}

/* --- sending --- */

struct cursor {
	const struct iovec *iov;
	int n;
	size_t off; /* into the first */
};

static void forward(struct cursor *c, size_t n)
{
	c->off += n;
	while (c->n && c->off >= c->iov->iov_len) {
		c->off -= c->iov->iov_len;
		c->iov++;
		c->n--;
	}
}

/* The next record's content: in place when one piece fills it, else put together in @buf. */
static const char *record(const struct cursor *c, char *buf, size_t *len)
{
	size_t first = c->iov->iov_len - c->off;
	if (first >= RECORD_MAX || c->n == 1) {
		*len = first < RECORD_MAX ? first : RECORD_MAX;
		return (char *)c->iov->iov_base + c->off;
	}
	size_t used = 0, off = c->off;
	for (int i = 0; i < c->n && used < RECORD_MAX; i++, off = 0) {
		size_t n = c->iov[i].iov_len - off;
		if (n > RECORD_MAX - used)
			n = RECORD_MAX - used;
		memcpy(buf + used, (char *)c->iov[i].iov_base + off, n);
		used += n;
	}
	*len = used;
	return buf;
}

ssize_t tls_send(struct tls *t, const struct iovec *iov, int n)
{
	char buf[RECORD_MAX];
	struct cursor c = {iov, n, 0};
	size_t total = 0, len, sent;
	t->blocked[TLS_WRITING] = false;
	if (t->state != TLS_OPEN) {
		errno = EPIPE;
		return -1;
	}
	ERR_clear_error();
	forward(&c, 0);
	while (c.n && total < SEND_MAX) {
		const char *p = record(&c, buf, &len);
		errno = 0;
		if (!SSL_write_ex(t->ssl, p, len, &sent)) {
			ssize_t end = outcome(t, 0, TLS_WRITING);
			if (end == 0)
				errno = EPIPE;
			/* An error is said again by the next call. */
			return total ? (ssize_t)total : -1;
		}
		total += sent;
		forward(&c, sent);
	}
	return (ssize_t)total;
}
