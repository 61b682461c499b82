/* fs/scratch.h - files whose names begin with a dot: kept in the mount's own bounded memory, never a key.
 *
 * Editors' swap files and rsync's temporary names live here. A scratch file belongs to an inode of NODE_SCRATCH, which it keeps.
 */
#ifndef FS_SCRATCH_H
#define FS_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#include "fs/buf.h"
#include "fs/inode.h"

#define SCRATCH_FILES 1024
#define SCRATCH_BYTES (64u * 1024 * 1024)

struct scratch {
	struct inode *inode;
	struct buf data;
	int64_t time_ms;
	struct scratch *prev, *next;
};

struct scratches {
	struct scratch *list;
	size_t files, bytes;
};

/* Give @i an empty scratch file. ENOSPC when there are too many. */
int scratch_new(struct scratches *s, struct inode *i, int64_t now_ms);
/* Take it away from its inode, whose reference is the caller's then. */
void scratch_free(struct scratches *s, struct scratch *f);
void scratches_fini(struct scratches *s);

/* ENOSPC when all scratch files together would pass SCRATCH_BYTES. */
int scratch_write(struct scratches *s, struct scratch *f, uint64_t off, struct bytes data,
		  int64_t now_ms);
int scratch_truncate(struct scratches *s, struct scratch *f, uint64_t size, int64_t now_ms);

/* Whether one lies in the directory of members that @dir is. */
bool scratch_in(const struct scratches *s, const struct place *dir);

#endif
