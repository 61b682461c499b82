#include "resp/insight/monitor.h"

#include <stdio.h>
#include <sys/time.h>

#include "resp/insight/redact.h"
#include "resp/server.h"

/* A line is composed in pieces: an argument may be as long as a value. */
struct feed {
	struct server *server;
	size_t n;
	char piece[4096];
};

/* Append @n bytes to every monitor. The list of sessions is walked from its young end, where monitors are, until all are found. */
static void flush(struct feed *f)
{
	unsigned left = f->server->monitors;
	if (!f->server->sessions || !f->n)
		return;
	UT_hash_table *tbl = f->server->sessions->hh.tbl;
	struct session *s = ELMT_FROM_HH(tbl, tbl->tail);
	for (; s && left; s = s->hh.prev) {
		if (!(s->flags & SESSION_MONITOR))
			continue;
		left--;
		reply_raw(s->reply, f->piece, f->n);
		if (s->ops->wake)
			s->ops->wake(s);
	}
	f->n = 0;
}

static void put(struct feed *f, const char *p, size_t n)
{
	if (f->n + n > sizeof(f->piece))
		flush(f);
	memcpy(f->piece + f->n, p, n);
	f->n += n;
}

/* One byte as a quoted string of redis-cli has it. */
static void put_quoted(struct feed *f, unsigned char b)
{
	static const char plain[] = "\n\r\t\a\b\\\"", letters[] = "nrtab\\\"";
	char out[8];
	const char *at = b ? strchr(plain, b) : NULL;
	if (at) {
		out[0] = '\\';
		out[1] = letters[at - plain];
		put(f, out, 2);
	} else if (b >= 0x20 && b < 0x7f) {
		put(f, (const char *)&b, 1);
	} else {
		put(f, out, (size_t)snprintf(out, sizeof(out), "\\x%02x", b));
	}
}

void monitor_feed(const struct session *s, unsigned db, int argc, const struct bytes *argv)
{
	struct feed f = {.server = s->server};
	struct timeval tv;
	gettimeofday(&tv, NULL);
	char peer[128], head[224];
	if (s->flags & SESSION_UNIX && !(s->flags & SESSION_INTERNAL))
		snprintf(peer, sizeof(peer), "unix:%s", s->server->config.unixsocket);
	else
		s->ops->peer(s, peer, sizeof(peer));
	int n = snprintf(head, sizeof(head), "+%ld.%06ld [%u %s]", (long)tv.tv_sec,
			 (long)tv.tv_usec, db, peer);
	put(&f, head, (size_t)n);
	for (int i = 0; i < argc; i++) {
		struct bytes arg = redact_argument(argv, i);
		put(&f, " \"", 2);
		for (size_t b = 0; b < arg.n; b++)
			put_quoted(&f, (unsigned char)arg.p[b]);
		put(&f, "\"", 1);
	}
	put(&f, "\r\n", 2);
	flush(&f);
}
