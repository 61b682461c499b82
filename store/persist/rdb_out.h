/* store/persist/rdb_out.h - bytes of an RDB on their way out: into a descriptor through a large buffer, or into memory.
 *
 * The first failure sticks: later calls do nothing, and rdb_out_flush() answers it. The descriptor stays the caller's.
 */
#ifndef STORE_PERSIST_RDB_OUT_H
#define STORE_PERSIST_RDB_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "store/base/bytes.h"

struct rdb_out {
	unsigned char *buf;
	size_t len, cap;
	int fd;           /* -1: everything stays in buf */
	int error;        /* errno of the first failure */
	bool compress;    /* LZF for strings that shrink */
	bool checksum;    /* keep @crc */
	bool sync_often;  /* have the kernel write along, so that the fsync at the end is short */
	uint64_t crc;     /* of what left the buffer */
	uint64_t written; /* bytes that left the buffer */
	uint64_t synced;
	unsigned char *lzf; /* room for a compressed string */
	size_t lzf_cap;
};

void rdb_out_init(struct rdb_out *o, int fd);
/* Frees the buffer; what was not flushed is lost. */
void rdb_out_fini(struct rdb_out *o);

/* Send all on. 0 or an errno. */
int rdb_out_flush(struct rdb_out *o);

/* Room for @n (at most RDB_OUT_ROOM) more bytes at buf + len. */
#define RDB_OUT_ROOM 256
void rdb_out_room(struct rdb_out *o, size_t n);

void rdb_out_bytes_slow(struct rdb_out *o, const void *p, size_t n);
static inline void rdb_out_bytes(struct rdb_out *o, const void *p, size_t n)
{
	if (__builtin_expect(o->cap - o->len < n, 0)) {
		rdb_out_bytes_slow(o, p, n);
		return;
	}
	if (n)
		memcpy(o->buf + o->len, p, n);
	o->len += n;
}

static inline void rdb_out_byte(struct rdb_out *o, unsigned char b)
{
	rdb_out_bytes(o, &b, 1);
}

/* A length; a string, as an integer or compressed where that is shorter; a string as it is. */
void rdb_out_len(struct rdb_out *o, uint64_t n);
void rdb_out_string(struct rdb_out *o, struct bytes s);
void rdb_out_string_int(struct rdb_out *o, int64_t v);
void rdb_out_double(struct rdb_out *o, double v);
/* An auxiliary field. */
void rdb_out_aux(struct rdb_out *o, const char *name, const char *value);

#endif
