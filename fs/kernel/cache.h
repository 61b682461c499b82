/* fs/kernel/cache.h - what the kernel may answer from its own memory, and taking it back before anybody could see that it is stale.
 *
 * Names, also those that are not there, and attributes are given to the kernel for a year, those of a key with an expiry for as
 * long as it lives. What was given is held here by key; resp/changes.h tells in which groups of keys something changed, before any
 * reply leaves. Then:
 *
 * - attributes are withdrawn one by one (FUSE_NOTIFY_INVAL_INODE without pages), once: nothing is held of them until they
 *   are asked for again. That costs the one who changes the key 2 us, so only the CACHE_ATTRS that were given last are left with
 *   the kernel: who gets another one pays for the oldest;
 * - a name that is no longer what the kernel thinks makes a new epoch (FUSE_NOTIFY_INC_EPOCH): all names are asked for again.
 *   A new value is no new name: of that only those want to hear who hold attributes, or names of members.
 *
 * Both take no lock that a request may hold, so the engine thread may send them. Not given away is what the mount alone
 * knows: scratch files, names that are no keys yet, files being written, whatever is no key.
 *
 * Without the epoch (before Linux 6.16), with -o nocache, and from a backend that does not tell of changes, only the names of the tree
 * are given. Each mount of a server has a kernel's memory of its own, and one of these. */
#ifndef FS_KERNEL_CACHE_H
#define FS_KERNEL_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inode;
struct inodes;
struct mount;
struct place;
struct task;

#define CACHE_YEAR (365 * 86400.0)

#define CACHE_MINOR 44 /* of the protocol that has the epoch */

#define CACHE_PRUNE_MINOR 45 /* that has FUSE_NOTIFY_PRUNE */

/* With more names known than that the oldest are asked back (fs/kernel/prune.h). Where the kernel cannot be asked, or with twice as many given
 * away, a new epoch begins: those that a change has to look through stay few. */
#define CACHE_NAMES 250000
#define CACHE_ATTRS 8192 /* attributes of keys that are left with the kernel */

#define CACHE_MISSING                                                                              \
	4096 /* names that are known not to be there, a power of 2; half of it is used */
#define CACHE_MISSED 256 /* remembered misses */
#define CACHE_LATE   16

struct cache {
	bool on;       /* the kernel has epochs */
	bool watching; /* and the backend tells of changes */
	uint32_t epoch;
	struct inode **
		heads; /* inodes of which something may be held, by the groups of their keys; the size is a power of 2 */
	unsigned heads_shift; /* of a group, to its head */
	size_t linked;        /* inodes there */
	size_t names;         /* given away in this epoch */
	struct inode *tree;   /* the tree's directories whose attributes are held */
	uint64_t *attrs; /* ids of the CACHE_ATTRS inodes whose attributes were given away last */
	unsigned attrs_next;
	uint64_t *missing; /* ids of keys, see cache_missing; open addressing by group, 0 is free */
	size_t nmissing;
	uint64_t missed[CACHE_MISSED]; /* names asked for in vain once: the second time is held */
	uint64_t late[CACHE_LATE];     /* inodes with attr_late */
	unsigned nlate;
	uint64_t attrs_taken, epochs; /* how often */

	/* prune.c */
	bool prunes;          /* the kernel can be told to forget */
	uint32_t prune_at;    /* which number is next */
	uint64_t prune_taken; /* numbers given out when it was looked at last */
	uint64_t pruned;
};

/* Begin, as soon as the kernel has said what it can; once. */
void cache_start(struct mount *m);
/* The kernel is not told anything any more. */
void cache_stop(struct mount *m);
void cache_fini(struct cache *c);

/* Seconds for which the kernel may keep what @t answers of t->inode, which is remembered. 0 for what changed since the task began. An entry
 * may be that of an edition: task_as. */
void cache_entry(struct task *t, double *name, double *attr);
double cache_attr(struct task *t);
/* The same of a name that is not there. Names that are about to be made are asked for once before: only the second time counts. */
double cache_missing(struct task *t);

/* Whether what @t found of t->inode may be kept at all: as for cache_entry. */
bool cache_may_keep(struct task *t);

/* The kernel is to ask for the attributes of @i again. */
void cache_take(struct mount *m, struct inode *i);
/* Have editions_keep hear of the next change of its key. */
void cache_watch(struct mount *m, struct inode *i);

/* Before OPEN is answered: attributes that were withdrawn before the kernel had the inode. */
void cache_late(struct mount *m, struct inode *i);
/* At the end of a turn: the same for others. */
void cache_turn(struct mount *m);

/* What the kernel asked for at inode->own is done, or failed. */
void cache_own_end(struct mount *m, struct inode *i, int err);
/* Before what lies in the directory @from moves along with it. */
void cache_move_below(struct mount *m, const struct place *from);
/* inode_move, and the kernel takes what it has along. */
void cache_move(struct mount *m, struct inode *i, const struct place *to);

/* @i is not what its place says any more: not to be looked for by its key. */
void cache_drop(struct inodes *t, struct inode *i);
/* The kernel has nothing of it any more. */
void cache_forget(struct inodes *t, struct inode *i);

#endif
