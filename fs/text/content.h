/* fs/text/content.h - what a file holds when it is read: borrowed from a value where that is big, else its own bytes. */
#ifndef FS_TEXT_CONTENT_H
#define FS_TEXT_CONTENT_H

#include <stdbool.h>

#include "fs/backend/answer.h"
#include "fs/text/buf.h"

struct content {
	struct bytes bytes;
	bool newline;               /* one '\n' stands behind the bytes */
	struct buf own;             /* where bytes points, unless ... */
	struct answers_owner *kept; /* ... it points into a reply that is kept */
};

/* From this size on a value is kept in the reply that brought it; smaller ones are copied, and the reply goes. */
#define CONTENT_KEEP (32 * 1024)

static inline size_t content_size(const struct content *c)
{
	return c->bytes.n + c->newline;
}

static inline void content_free(struct content *c)
{
	buf_free(&c->own);
	if (c->kept)
		c->kept->release(c->kept);
	*c = (struct content){0};
}

/* Hold the text of @piece, just read from @a. False when there is no memory. */
static inline bool content_take(struct content *c, struct answers *a, const struct answer *piece)
{
	content_free(c);
	if (piece->text.n >= CONTENT_KEEP && !piece->joined && a->owner) {
		c->bytes = piece->text;
		c->kept = answers_keep(a);
		return true;
	}
	buf_bytes(&c->own, piece->text);
	c->bytes = buf_view(&c->own);
	return !c->own.failed;
}

/* Hold what was put together in @b, which is emptied. */
static inline void content_own(struct content *c, struct buf *b)
{
	content_free(c);
	c->own = *b;
	c->bytes = buf_view(&c->own);
	*b = (struct buf){0};
}

/* The pieces of [@off, @off + @n): at most two. */
static inline int content_range(const struct content *c, uint64_t off, size_t n,
				struct iovec iov[2])
{
	int used = 0;

	if (off < c->bytes.n && n) {
		size_t left = c->bytes.n - (size_t)off;
		iov[used].iov_base = (char *)(uintptr_t)c->bytes.p + off;
		iov[used].iov_len = left < n ? left : n;
		n -= iov[used++].iov_len;
		off = c->bytes.n;
	}
	if (c->newline && off == c->bytes.n && n) {
		iov[used].iov_base = (char *)(uintptr_t) "\n";
		iov[used++].iov_len = 1;
	}
	return used;
}

#endif
