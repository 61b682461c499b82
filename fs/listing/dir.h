/* fs/listing/dir.h - a directory being read: a cursor over the keyspace or a container.
 *
 * A scan tells of every name that stays once and of none twice (store/types/table.h), so nothing has to be remembered of what was
 * sent. Names are looked for in slices of less than a millisecond, with clients served in between; while a process looks at what
 * it got the next names are made ready.
 */
#ifndef FS_LISTING_DIR_H
#define FS_LISTING_DIR_H

#include "fs/task.h"

struct dir;

struct dir *dir_open(struct mount *m, struct inode *i);
void dir_close(struct dir *d);

/* Answer READDIR: t->off, t->size. Frees @t. */
void dir_read(struct dir *d, struct task *t);

#endif
