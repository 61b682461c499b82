/* fs/listing/dirents.h - names found in a directory, one behind the other as READDIR hands them over.
 *
 * Their offsets are 1, 2, ... in the order in which they stand; those that the kernel may still ask for are kept. Those that were not
 * handed over yet may be put in order: what is sorted afterwards (ls does) is then sorted sooner. Names come from keys and so from
 * clients: memory that is not to be had is remembered in buf.failed.
 */
#ifndef FS_LISTING_DIRENTS_H
#define FS_LISTING_DIRENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fs/text/buf.h"
#include "store/base/bytes.h"

struct dirents {
	struct buf buf;
	size_t at;      /* in buf, of the first name kept */
	size_t fresh;   /* of the first whose offset may still change */
	uint64_t first; /* names before that one */
	uint64_t count; /* all so far */
	uint64_t nfresh;
};

void dirents_fini(struct dirents *d);

/* Add @name, or the name that stands for @key. */
void dirents_add(struct dirents *d, struct bytes name, mode_t mode, uint64_t ino);
void dirents_add_key(struct dirents *d, struct bytes key, mode_t mode, uint64_t ino);

/* Bytes of the names kept: those that can be handed over, and all. */
static inline size_t dirents_ready(const struct dirents *d)
{
	return d->fresh - d->at;
}
static inline size_t dirents_bytes(const struct dirents *d)
{
	return d->buf.n - d->at;
}

/* The fresh ones have their offsets; _sort puts them in order before, roughly by name. */
static inline void dirents_settle(struct dirents *d)
{
	d->fresh = d->buf.n;
	d->nfresh = 0;
}
void dirents_sort(struct dirents *d);

/* Names up to offset @off are not asked for again, but for fresh ones. */
void dirents_forget(struct dirents *d, uint64_t off);

/* What @size bytes can take of the names kept that are not fresh, whole ones; one that does not fit at all is passed over. */
struct bytes dirents_take(const struct dirents *d, size_t size);

#endif
