/* fs/dir.h - a directory being read: a SCAN that remembers what it sent.
 *
 * Entries have the offsets 1, 2, ... in the order in which they were found; those that the kernel may still ask for again are
 * kept. A name is sent once in a listing, for as long as there are less than DIR_DEDUP of them.
 */
#ifndef FS_DIR_H
#define FS_DIR_H

#include "fs/task.h"

struct dir;

#define DIR_DEDUP (1u << 17)

struct dir *dir_open(struct inode *i);
void dir_close(struct dir *d);

/* Answer READDIR: t->off, t->size, t->handle. Frees @t. */
void dir_read(struct dir *d, struct task *t);

#endif
