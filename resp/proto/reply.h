/* resp/proto/reply.h - replies being written: RESP2 or RESP3 bytes, with big blobs by reference.
 *
 * A struct reply is an output queue: a chain of byte buffers and borrowed blobs. Handlers append; the network
 * writes it with writev and consumes from the front; the mount parses it in memory. In one command the same calls produce RESP2 or RESP3
 * as r->proto says.
 *
 * While r->muted is set nothing is appended (CLIENT REPLY OFF and SKIP).
 */
#ifndef RESP_PROTO_REPLY_H
#define RESP_PROTO_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

#include "store/base/blob.h"
#include "store/base/bytes.h"

struct reply_node; /* a buffer or a blob reference, in reply.c */

/* Blobs from this size on leave by reference. */
#define REPLY_BLOB_MIN (16 * 1024)

struct reply {
	char *buf; /* the open tail buffer: bytes are appended here */
	size_t len, cap;
	struct reply_node *head, *tail; /* closed buffers and blobs in front of it */
	size_t queued;                  /* bytes in those nodes not yet consumed */
	size_t offset; /* consumed bytes of the first node (or of buf when there is none) */
	size_t nodes, nodes_mem; /* how many, and what they hold */
	uint64_t total;          /* bytes ever appended */
	uint64_t errors;         /* error replies ever made, muted ones too */
	/* the first word of the last error ("ERR", "WRONGTYPE"), for errorstats */
	char error_code[24];
	uint8_t proto; /* 2 or 3 */
	bool muted;
	bool overflow; /* passed limit: all was dropped, nothing more is kept, the owner closes */
	size_t limit;  /* bytes that may wait, 0 for no bound */
};

void reply_init(struct reply *r, int proto);
void reply_fini(struct reply *r);

/* Give the tail buffer back when all is consumed (idle clients hold none). */
void reply_shrink(struct reply *r);

/* Bytes waiting. */
size_t reply_pending(const struct reply *r);
/* Memory held: buffers and nodes, and referenced blobs (omem). */
size_t reply_mem(const struct reply *r);
/* Fill @iov with what waits from the front; returns entries used, and the bytes they cover in @bytes. */
int reply_iov(const struct reply *r, struct iovec *iov, int max, size_t *bytes);
/* Drop @n bytes from the front. */
void reply_consume(struct reply *r, size_t n);

/* Room for @n more bytes in the open tail, NULL when nothing may be written (muted, overflow). What was written there counts
 * from reply_advance() on. */
char *reply_reserve_slow(struct reply *r, size_t n);
static inline char *reply_reserve(struct reply *r, size_t n)
{
	if (__builtin_expect(r->cap - r->len < n || r->muted, 0))
		return reply_reserve_slow(r, n);
	return r->buf + r->len;
}
static inline void reply_advance(struct reply *r, size_t n)
{
	r->len += n;
	r->total += n;
}

/* --- what handlers call --- */

void reply_raw_slow(struct reply *r, const void *p, size_t n);
static inline void reply_raw(struct reply *r, const void *p, size_t n)
{
	if (__builtin_expect(r->cap - r->len <= n || r->muted, 0)) {
		reply_raw_slow(r, p, n);
		return;
	}
	memcpy(r->buf + r->len, p, n);
	reply_advance(r, n);
}

void reply_status_bytes(struct reply *r, struct bytes text);
static inline void reply_status(struct reply *r, const char *text) /* +OK */
{
	reply_status_bytes(r, bytes_str(text));
}
static inline void reply_ok(struct reply *r)
{
	reply_raw(r, "+OK\r\n", 5);
}

/* An error line. @text begins with its code ("ERR syntax error", "WRONGTYPE ..."), CR and LF become blanks. */
void reply_error(struct reply *r, const char *text);
void reply_errorf(struct reply *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void reply_int_slow(struct reply *r, int64_t v);
static inline void reply_int(struct reply *r, int64_t v)
{
	char *p;
	if ((uint64_t)v > 9 || (p = reply_reserve(r, 4)) == NULL) {
		reply_int_slow(r, v);
		return;
	}
	memcpy(p, ":0\r\n", 4);
	p[1] = (char)('0' + v);
	reply_advance(r, 4);
}
void reply_bulk_slow(struct reply *r, struct bytes b);
static inline void reply_bulk(struct reply *r, struct bytes b)
{
	char *p;
	if (b.n > 99 || (p = reply_reserve(r, b.n + 7)) == NULL) {
		reply_bulk_slow(r, b);
		return;
	}
	char *start = p;
	*p++ = '$';
	if (b.n > 9)
		*p++ = (char)('0' + b.n / 10);
	*p++ = (char)('0' + b.n % 10);
	*p++ = '\r';
	*p++ = '\n';
	memcpy(p, b.p ? b.p : "", b.n);
	p += b.n;
	*p++ = '\r';
	*p++ = '\n';
	reply_advance(r, (size_t)(p - start));
}
void reply_bulk_str(struct reply *r, const char *s);
void reply_bulk_int(struct reply *r, int64_t v);
void reply_bulkf(struct reply *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A bulk string of a blob: by reference when it is big, copied when small. Borrows no reference of the caller's. */
void reply_blob(struct reply *r, struct blob *b);

void reply_null(struct reply *r);       /* $-1, or _ */
void reply_null_array(struct reply *r); /* *-1, or _ */
void reply_array(struct reply *r, size_t n);
void reply_map(struct reply *r, size_t pairs); /* an array of twice as many in RESP2 */
void reply_set(struct reply *r, size_t n);
void reply_push(struct reply *r, size_t n);
void reply_attribute(struct reply *r, size_t pairs); /* RESP3 only: ask r->proto first */
void reply_double(struct reply *r, double v);        /* bulk string in RESP2, ,1.5 in RESP3 */
void reply_bool(struct reply *r, bool v);            /* :1 :0, or #t #f */
void reply_bignum(struct reply *r, struct bytes digits);
void reply_verbatim(struct reply *r, struct bytes text, const char ext[3]);

/* An array whose length is known only later: begin, append the elements, end with how many there were.
 * They nest. @kind is '*', '%' (@n pairs), '~' or '>'. The place is invalid after reply_consume, and marks taken inside are
 * invalid after the end: the header is put in front of the elements then. */
struct reply_later {
	uint64_t mark;
};
struct reply_later reply_later_begin(struct reply *r);
void reply_later_end(struct reply *r, struct reply_later l, char kind, size_t n);

/* Take back everything appended since @mark (r->total at that time); only within one command, before any consume. */
void reply_truncate(struct reply *r, uint64_t mark);

#endif
