/* store/base/blob.h - a counted block of bytes that a value, a reply and an open file can share.
 *
 * Big string values live in blobs, so that they leave the engine by writev and fuse_reply_iov without a copy,
 * and so that a reader keeps the value it began to read while a writer replaces it. A blob with one
 * reference may be changed in place; with more, blob_own() copies first.
 *
 * From BLOB_MAPPED on a blob is pages of its own: it grows and shrinks without a copy, what
 * was never written takes no memory, and its room behind len is zero. Whoever made that room dirty, or takes bytes off the end,
 * says so by blob_set_len.
 *
 * Only the engine thread gets and puts, so counting costs no locked instruction. The thread that frees flushed databases
 * uses blob_put_elsewhere; a big blob's memory itself may be freed there too.
 */
#ifndef STORE_BASE_BLOB_H
#define STORE_BASE_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "store/base/bytes.h"

#define BLOB_MAPPED ((size_t)8 << 20)

/* Made, grown and freed by blob.c alone: its memory begins before it. */
struct blob {
	uint32_t refs;
	size_t len;
	size_t cap;
	char data[];
};

/* One reference, @len 0, room for @cap bytes. blob_try answers NULL when there is no memory. */
struct blob *blob_new(size_t cap);
struct blob *blob_try(size_t cap);
struct blob *blob_from(struct bytes b);

struct blob *blob_get(struct blob *b);
/* Drop a reference; the last one frees (in the background when it is big). @b may be NULL. */
void blob_put(struct blob *b);

/* Drop the reference of a value that the engine gave away, from the thread of bgfree.h: the last one is freed here,
 * one of several goes back to the engine. */
void blob_put_elsewhere(struct blob *b);

/* A blob with the same bytes, one reference and room for @cap: @b itself where that can be, else a copy and
 * @b is put. NULL when there is no memory, and @b is as it was. */
struct blob *blob_own(struct blob *b, size_t cap);

/* The blob with one reference, perhaps moved, with room for @cap bytes, no less than it holds. NULL when there is no memory, and @b is as
 * it was. */
struct blob *blob_resize(struct blob *b, size_t cap);

/* So many bytes count, those past the old end being zero. There is room, and one reference. @dirty: so many behind the old
 * end may not be zero. */
void blob_set_len(struct blob *b, size_t len, size_t dirty);

/* The room to ask for when @cap is not enough for @need and more will follow: growing to any size copies a bounded number of bytes. */
size_t blob_room(size_t cap, size_t need);

/* The same blob, perhaps moved, without much room behind its bytes: before a buffer that grew becomes a value. As it was when others
 * hold it, too. */
struct blob *blob_trim(struct blob *b);

/* Bytes of memory it takes. */
size_t blob_mem(const struct blob *b);

static inline struct bytes blob_bytes(const struct blob *b)
{
	return bytes_of(b->data, b->len);
}

#endif
