/* store/types/listpack.h - a sequence of strings and integers in one block of bytes.
 *
 * The byte format is Redis's listpack (https://github.com/antirez/listpack/blob/master/listpack.md), the one
 * RDB stores: u32 total bytes, u16 count (0xffff: unknown), elements (encoding, data, back length), 0xff.
 *
 * A listpack is one allocation from mem.h, owned by the caller; changing calls take and return it, since it may move.
 * They answer NULL when the result would pass LISTPACK_MAX or there is no memory, and the old one is then unchanged.
 * Bytes handed out are borrowed until the next change.
 */
#ifndef STORE_TYPES_LISTPACK_H
#define STORE_TYPES_LISTPACK_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/bytes.h"
#include "store/base/num.h"

#define LISTPACK_MAX (UINT32_C(1) << 30)

unsigned char *listpack_new(size_t capacity);
void listpack_free(unsigned char *lp);
unsigned char *listpack_dup(const unsigned char *lp);

size_t listpack_bytes(const unsigned char *lp);
size_t listpack_count(const unsigned char *lp);

/* Positions. NULL past either end. A negative index counts from the tail. */
unsigned char *listpack_first(unsigned char *lp);
unsigned char *listpack_last(unsigned char *lp);
unsigned char *listpack_next(unsigned char *lp, unsigned char *p);
unsigned char *listpack_prev(unsigned char *lp, unsigned char *p);
unsigned char *listpack_seek(unsigned char *lp, long index);

/* The element at @p: its bytes in place, or for an integer its text in @buf (NUM_BUF bytes). */
struct bytes listpack_get(const unsigned char *p, char *buf);
/* Whether it is stored as an integer, and which. */
bool listpack_get_int(const unsigned char *p, int64_t *out);
bool listpack_equal(const unsigned char *p, struct bytes s);

/* From @p on, comparing one element and leaving out @skip each time: the fields of a hash are found with skip 1. NULL if absent. */
unsigned char *listpack_find(unsigned char *lp, unsigned char *p, struct bytes s, unsigned skip);

/* An element that reads as an int64 is stored as one. @newp, where not NULL, receives the element's place. */
unsigned char *listpack_append(unsigned char *lp, struct bytes s);
unsigned char *listpack_prepend(unsigned char *lp, struct bytes s);
unsigned char *listpack_insert(unsigned char *lp, unsigned char *p, bool after, struct bytes s,
			       unsigned char **newp);
/* The same for what is a number already. */
unsigned char *listpack_append_int(unsigned char *lp, int64_t v);
/* @p is updated to the element's new place. */
unsigned char *listpack_replace_int(unsigned char *lp, unsigned char **p, int64_t v);
unsigned char *listpack_replace(unsigned char *lp, unsigned char **p, struct bytes s);
/* @newp receives what then stands in that place, NULL at the end. */
unsigned char *listpack_delete(unsigned char *lp, unsigned char *p, unsigned char **newp);
unsigned char *listpack_delete_range(unsigned char *lp, long index, size_t count);

/* Move the elements from @p on to a listpack of their own, @tail. NULL, nothing changed, when there is no memory. */
unsigned char *listpack_split(unsigned char *lp, unsigned char *p, unsigned char **tail);
/* Append a copy of all of @other's elements. */
unsigned char *listpack_merge(unsigned char *lp, const unsigned char *other);

/* Bytes an element of this content takes. */
size_t listpack_element_size(struct bytes s);

/* Whether @n bytes at @lp are one whole, well-formed listpack: every header, length and back length walked.
 * For bytes from a file or a client. */
bool listpack_valid(const unsigned char *lp, size_t n);

#endif
