/* fs/inodes/nodes.h - the numbers by which the kernel calls inodes: a slot and how often it was taken, so that finding one takes no hash.
 *
 * A number is handed out once and not again before the slots of its block were taken 2^32 times. One from outside is checked, never
 * followed: what was never given out, or is given back, is not found. Slots stand in blocks that never move, so that growing copies
 * nothing; what was given back last is taken first. A block that nobody is in any more is freed, but for one.
 */
#ifndef FS_INODES_NODES_H
#define FS_INODES_NODES_H

#include <stddef.h>
#include <stdint.h>

struct nodes_block;

struct nodes {
	uint64_t **
		blocks; /* a slot: where the owner's number stands, or what comes next among the block's free ones */
	struct nodes_block *about; /* each of them */
	uint32_t nblocks, cap;
	uint32_t standing; /* those that are not freed */
	uint32_t
		open; /* the first of those with free slots, and of those that are freed; 1 is the first block, 0 none */
	uint32_t freed;
	uint32_t spare; /* an empty one, if it still is */
	size_t count;
	uint64_t taken; /* how often numbers were given out */
};

/* Give the owner of @id the next number, into *@id, which stays where it is until nodes_remove. The first one ever is 1. */
void nodes_add(struct nodes *t, uint64_t *id);
void nodes_remove(struct nodes *t, uint64_t *id);

/* Where the owner has the number @id; NULL. */
uint64_t *nodes_find(const struct nodes *t, uint64_t id);

/* The next one from *@at on, which begins with 0; NULL behind the last. Others may come and go meanwhile. */
uint64_t *nodes_next(const struct nodes *t, uint32_t *at);

/* The owners are the caller's. */
void nodes_fini(struct nodes *t);

#endif
