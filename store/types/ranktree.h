/* store/types/ranktree.h - a counted B+tree: the order of a big sorted set.
 *
 * It orders members by (score, bytes) and knows each one's rank. Members belong to the owner, one allocation each:
 *
 *     score 8 | length and bytes as varkey_put writes them
 *
 * The tree holds pointers only and never frees a member. A member's score may be changed by ranktree_rescore alone while it
 * is in the tree.
 *
 * What it costs: leaves of 124 words. A word is the pointer with 16 bits of the score in front, scaled to the range
 * of its leaf, so that a search in a leaf reads the leaf and seldom a member. Inner nodes hold the first score of each child in
 * place, and its first member for ties. A full leaf gives to its neighbours before four become five, so random inserts
 * leave the leaves about nine tenths full: below 10 bytes a member with everything.
 *
 * All changing calls end the process when there is no memory for a node (see mem_alloc).
 */
#ifndef STORE_TYPES_RANKTREE_H
#define STORE_TYPES_RANKTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "store/base/bytes.h"
#include "store/base/keysort.h"
#include "store/types/table.h"

#define RANKTREE_LEAD 8 /* bytes in front of a member's key, for its table */

/* Words of a leaf and children of an inner node: 1 KiB and 2 KiB blocks. */
#define RANKTREE_LEAF_MAX  124
#define RANKTREE_INNER_MAX 63

struct ranktree_leaf;

/* Embed by value; the fields are ranktree.c's own but for @count. */
struct ranktree {
	void *root; /* a leaf when @height is 0, else an inner node; NULL when empty */
	struct ranktree_leaf *first, *last;
	uint64_t count;
	uint16_t leaf_max, inner_max;
	uint8_t height; /* inner levels */
};

/* Empty. Tests pass small maxima (at least 4) for deep trees; the owner passes the two constants. */
void ranktree_init(struct ranktree *t, unsigned leaf_max, unsigned inner_max);

/* Free the nodes, not the members; they need not exist any more. */
void ranktree_fini(struct ranktree *t);

static inline double ranktree_score(const void *member)
{
	double score;
	memcpy(&score, member, sizeof(score));
	return score;
}

static inline struct bytes ranktree_bytes(const void *member)
{
	return varkey_get((const unsigned char *)member + RANKTREE_LEAD);
}

/* Fill the tree, which is empty, with members that have keysort_double of their scores for keys, in order, all different. */
void ranktree_build(struct ranktree *t, const struct keysort_item *items, size_t n);

/* @member is not in the tree, and nothing equal to it; its score is a number. */
void ranktree_insert(struct ranktree *t, void *member);

/* @member, this very pointer, is in the tree. */
void ranktree_remove(struct ranktree *t, void *member);

/* Write @score (a number) into @member, which is in the tree, and move it to its new place. */
void ranktree_rescore(struct ranktree *t, void *member, double score);

/* How many members stand before @member, which is in the tree. */
uint64_t ranktree_rank(const struct ranktree *t, const void *member);

/* How many members have a score below @score; with @or_equal, below it or equal to it. */
uint64_t ranktree_below_score(const struct ranktree *t, double score, bool or_equal);

/* How many members are below @b in bytes (with @or_equal, or equal to it), for a tree whose scores are all equal; some
 * number up to the count in any other. */
uint64_t ranktree_below_bytes(const struct ranktree *t, struct bytes b, bool or_equal);

/* A place: good until the next change. */
struct ranktree_at {
	struct ranktree_leaf *leaf; /* NULL past either end */
	uint32_t pos;
};

/* The member of this rank; past the end when there is none. */
struct ranktree_at ranktree_seek(const struct ranktree *t, uint64_t rank);
/* The member at @at, NULL past the end. */
void *ranktree_member(struct ranktree_at at);
void ranktree_next(struct ranktree_at *at);
void ranktree_prev(struct ranktree_at *at);

/* Take out @count members from rank @first on (they exist). @gone is told of each after it left the tree, in order; it may
 * free the member. */
void ranktree_remove_ranks(struct ranktree *t, uint64_t first, uint64_t count,
			   void (*gone)(void *arg, void *member), void *arg);

/* Bytes of all nodes. */
size_t ranktree_mem(const struct ranktree *t);

/* Abort with a message when an invariant does not hold. */
void ranktree_check(const struct ranktree *t);

#endif
