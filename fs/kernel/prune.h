/* fs/kernel/prune.h - having the kernel forget names, so that those it has looked up do not fill memory, its own and ours.
 *
 * A kernel that has memory left forgets nothing: `find` over ten million names leaves ten million inodes here. With more known than
 * CACHE_NAMES those that have been known longest are asked back (FUSE_NOTIFY_PRUNE, Linux 6.18), as many as came, at the end of the turn in
 * which they came. What is in use the kernel keeps. Before 6.18 there is no message for it that takes no lock, so nothing is done: also a
 * name that was given for no time at all is kept until the kernel wants its memory.
 */
#ifndef FS_KERNEL_PRUNE_H
#define FS_KERNEL_PRUNE_H

struct mount;

/* At the end of a turn. */
void prune_turn(struct mount *m);

#endif
