/* fs/scratch.h - files and directories whose names begin with a dot: kept in the mount's own bounded memory, never a key.
 *
 * Editors' swap files and rsync's temporary names live here, and whole trees below a scratch directory, whose names need no dot. One
 * belongs to an inode of NODE_SCRATCH, which it keeps. The place of what lies in a scratch directory has that directory's name in
 * front, with a slash between: no name holds one.
 */
#ifndef FS_SCRATCH_H
#define FS_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#include "fs/inodes/inode.h"
#include "fs/text/buf.h"

#define SCRATCH_FILES    4096
#define SCRATCH_PATH_MAX 4096
#define SCRATCH_BYTES    (64u * 1024 * 1024)

struct scratch {
	struct inode *inode;
	bool dir;
	struct buf data;
	int64_t time_ns;
	struct scratch *prev, *next;
};

struct scratches {
	struct scratch *list;
	size_t files, bytes;
};

/* Give @i an empty scratch file or directory. ENOSPC when there are too many. */
int scratch_new(struct scratches *s, struct inode *i, bool dir);
/* Take it away from its inode, whose reference is the caller's then. */
void scratch_free(struct scratches *s, struct scratch *f);
void scratches_fini(struct scratches *s);

/* ENOSPC when all scratch files together would pass SCRATCH_BYTES. */
int scratch_write(struct scratches *s, struct scratch *f, uint64_t off, struct bytes data);
int scratch_truncate(struct scratches *s, struct scratch *f, uint64_t size);

/* A scratch name came or went at @place: the time of the scratch directory that it lies in; false when that is none. */
bool scratch_touch(struct inodes *inodes, const struct place *place);

/* Whether @p, a scratch place, lies right in the directory @dir (of keys, of members, or a scratch one), and by which name. */
bool scratch_is_in(const struct place *p, const struct place *dir, struct bytes *name);
/* Whether anything does. */
bool scratch_any_in(const struct scratches *s, const struct place *dir);

/* The name of scratch @p below the directory of keys or members: its path. */
static inline struct bytes scratch_path(const struct place *p)
{
	return p->has_member ? p->member : p->key;
}

/* What lay in the directory @from lies in @to now. */
void scratch_move_below(struct scratches *s, struct inodes *inodes, const struct place *from,
			const struct place *to);

#endif
