/* store/persist/ziplist.h - two byte formats of old RDB versions, read only: the ziplist (up to version 9) and the zipmap
 * (up to version 3).
 */
#ifndef STORE_PERSIST_ZIPLIST_H
#define STORE_PERSIST_ZIPLIST_H

#include <stdbool.h>

#include "store/base/bytes.h"
#include "store/base/num.h"

/* Whether @n bytes are one whole, well-formed ziplist (zipmap): everything the walk below reads was looked at. */
bool ziplist_valid(const unsigned char *zl, size_t n);
bool zipmap_valid(const unsigned char *zm, size_t n);

/* A walk over the elements; a zipmap's are its fields and values in turn. */
struct ziplist_iter {
	const unsigned char *p, *end; /* @end: the end mark */
	bool value;
	char buf[NUM_BUF];
};
void ziplist_begin(struct ziplist_iter *it, const unsigned char *zl, size_t n);
/* Bytes borrowed from the ziplist, or from @it for an integer. False at the end. */
bool ziplist_next(struct ziplist_iter *it, struct bytes *out);
void zipmap_begin(struct ziplist_iter *it, const unsigned char *zm, size_t n);
bool zipmap_next(struct ziplist_iter *it, struct bytes *out);

#endif
