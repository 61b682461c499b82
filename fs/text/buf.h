/* fs/text/buf.h - bytes that grow: names, lines and replies being put together.
 *
 * Sizes come from values and so from clients: memory that is not to be had is remembered in @failed, nothing is appended
 * any more, and whoever finishes the buffer answers ENOMEM.
 */
#ifndef FS_TEXT_BUF_H
#define FS_TEXT_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "store/base/bytes.h"
#include "store/base/mem.h"

struct buf {
	char *p;
	size_t n, cap;
	bool failed;
};

static inline void buf_free(struct buf *b)
{
	mem_free(b->p);
	*b = (struct buf){0};
}

/* Room for @n bytes more; where they go, or NULL. */
static inline char *buf_room(struct buf *b, size_t n)
{
	if (b->failed)
		return NULL;
	if (n > b->cap - b->n) {
		size_t cap = b->cap ? b->cap : 64;
		while (cap - b->n < n)
			cap *= 2;
		char *p = mem_retry(b->p, cap);
		if (!p) {
			b->failed = true;
			return NULL;
		}
		b->p = p;
		b->cap = cap;
	}
	return b->p + b->n;
}

static inline void buf_put(struct buf *b, const void *p, size_t n)
{
	char *at = n ? buf_room(b, n) : NULL;
	if (at) {
		memcpy(at, p, n);
		b->n += n;
	}
}

static inline void buf_bytes(struct buf *b, struct bytes s)
{
	buf_put(b, s.p, s.n);
}

static inline void buf_char(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

static inline struct bytes buf_view(const struct buf *b)
{
	return bytes_of(b->p, b->n);
}

#endif
