/* fs/inodes/orphan.h - what an open file holds after its name is gone.
 *
 * A key's bytes go with the command that removes or replaces it. Who has the file open goes on with what it held then, as on any file
 * system: the bytes are copied before the command runs and belong to the inode until its last handle is closed. They lie in
 * the memory for scratch files and count as such; when that is full (or the value longer than it) there is nothing more to be read.
 */
#ifndef FS_INODES_ORPHAN_H
#define FS_INODES_ORPHAN_H

#include "fs/task.h"

/* Whether @i is an open file that loses something with its name. */
bool orphan_wanted(const struct inode *i);

/* Copy what @i holds (what its last writer stages, else the key's) into the task, then go on with @step, always without error. t->at and
 * t->content are as before. */
void orphan_load(struct task *t, struct inode *i, task_step step);

/* The command has run and the inode lost its name: what was loaded is its own now. Nothing when nothing was loaded. */
void orphan_settle(struct task *t);

#endif
