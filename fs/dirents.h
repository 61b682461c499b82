/* fs/dirents.h - names found in a directory, one behind the other as READDIR hands them over.
 *
 * Their offsets are 1, 2, ... in the order in which they were added; those that the kernel may still ask for are kept. Names come
 * from keys and so from clients: memory that is not to be had is remembered in buf.failed.
 */
#ifndef FS_DIRENTS_H
#define FS_DIRENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fs/buf.h"
#include "store/base/bytes.h"

struct dirents {
	struct buf buf;
	size_t at;      /* in buf, of the first name kept */
	uint64_t first; /* names before that one */
	uint64_t count; /* all so far */
};

void dirents_fini(struct dirents *d);

/* Add @name, or the name that stands for @key. */
void dirents_add(struct dirents *d, struct bytes name, mode_t mode, uint64_t ino);
void dirents_add_key(struct dirents *d, struct bytes key, mode_t mode, uint64_t ino);

/* Bytes from the first name kept on. */
static inline size_t dirents_bytes(const struct dirents *d)
{
	return d->buf.n - d->at;
}

/* Names up to offset @off are not asked for again. False when it is one of those that are gone already. */
bool dirents_forget(struct dirents *d, uint64_t off);

/* What @size bytes can take of the names kept, whole ones; one that does not fit at all is passed over. */
struct bytes dirents_take(const struct dirents *d, size_t size);

#endif
