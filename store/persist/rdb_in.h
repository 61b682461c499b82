/* store/persist/rdb_in.h - bytes of an RDB on their way in: from a file through a window, or from memory.
 *
 * Whatever the bytes claim, nothing is read past their end and nothing is allocated that the rest of them could not fill. The
 * first failure sticks, with its text and its offset in the file; calls answer false (NULL) from then on.
 */
#ifndef STORE_PERSIST_RDB_IN_H
#define STORE_PERSIST_RDB_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/blob.h"
#include "store/base/bytes.h"
#include "store/base/num.h"

struct rdb_in {
	int fd;                        /* -1: memory, all of it in the window */
	unsigned char *buf;            /* the window, owned when there is a descriptor */
	const unsigned char *at, *end; /* what of it is not consumed */
	uint64_t left;                 /* bytes behind the window */
	uint64_t end_offset;           /* where @end stands in the file */
	bool checksum;
	uint64_t crc; /* of everything before @crc_from */
	const unsigned char *crc_from;
	struct {
		unsigned char *p;
		size_t cap;
	} scratch[2];
	bool failed;
	uint64_t error_offset;
	char error[160];
};

/* A file of @size bytes from its start; the descriptor stays the caller's. Or @n bytes that stay where they are. */
void rdb_in_file(struct rdb_in *in, int fd, uint64_t size, bool checksum);
void rdb_in_memory(struct rdb_in *in, const void *p, size_t n);
void rdb_in_fini(struct rdb_in *in);

/* Where the next byte stands, and how many there are. */
static inline uint64_t rdb_in_offset(const struct rdb_in *in)
{
	return in->end_offset - (uint64_t)(in->end - in->at);
}
static inline uint64_t rdb_in_left(const struct rdb_in *in)
{
	return in->left + (uint64_t)(in->end - in->at);
}

/* Fail here, unless something failed before. Answers false. */
bool rdb_in_fail(struct rdb_in *in, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The checksum of all bytes consumed so far. */
uint64_t rdb_in_crc(struct rdb_in *in);

/* The next @n (at most RDB_IN_TAKE) bytes, borrowed until the next call; NULL when there are not so many. */
#define RDB_IN_TAKE ((size_t)65536)
const unsigned char *rdb_in_take_slow(struct rdb_in *in, size_t n);
static inline const unsigned char *rdb_in_take(struct rdb_in *in, size_t n)
{
	const unsigned char *p = in->at;
	if (__builtin_expect((size_t)(in->end - p) < n, 0))
		return rdb_in_take_slow(in, n);
	in->at += n;
	return p;
}
/* Copy or drop the next @n. */
bool rdb_in_read(struct rdb_in *in, void *dst, size_t n);
bool rdb_in_skip(struct rdb_in *in, uint64_t n);

/* A length, or with *@special set one of enum rdb_special. A plain one. One that counts elements of at least @each bytes. */
bool rdb_in_len(struct rdb_in *in, uint64_t *n, bool *special);
bool rdb_in_plain_len(struct rdb_in *in, uint64_t *n);
bool rdb_in_count(struct rdb_in *in, unsigned each, uint64_t *n);

/* A string in two steps: what it is and its length, then its bytes to wherever there is room for that many. */
struct rdb_string {
	enum { RDB_IN_RAW, RDB_IN_INT, RDB_IN_LZF } how;
	size_t n;      /* bytes it has when it is read */
	size_t packed; /* bytes it has in the file */
	char text[NUM_BUF];
};
bool rdb_in_head(struct rdb_in *in, struct rdb_string *s);
bool rdb_in_body(struct rdb_in *in, const struct rdb_string *s, void *dst);

/* A whole string: in scratch @slot (0 or 1) until that is used again; in a block from mem.h; as a blob. */
bool rdb_in_string(struct rdb_in *in, unsigned slot, struct bytes *out);
unsigned char *rdb_in_block(struct rdb_in *in, size_t *n);
struct blob *rdb_in_blob(struct rdb_in *in, const struct rdb_string *s);

/* Eight bytes as a double; a double as old versions wrote it, in text. NaN fails. */
bool rdb_in_double(struct rdb_in *in, double *v);
bool rdb_in_text_double(struct rdb_in *in, double *v);

#endif
