/* store/types/ranktree_impl.h - inside the counted B+tree: its nodes, and what its files share.
 *
 * Scores are compared as 64-bit keys that sort as the numbers do (-0 as 0). A branch of an inner node repeats the key and
 * the pointer of the first member below it exactly; whoever changes the first member of a node corrects the branches
 * above. There is no least number of items in a node but one: removal merges where four neighbours fit into three.
 */
#ifndef STORE_TYPES_RANKTREE_IMPL_H
#define STORE_TYPES_RANKTREE_IMPL_H

#include "store/types/ranktree.h"

#define DEPTH_MAX  24
#define HINT_SHIFT 48
#define HINT_MAX   UINT64_C(0xffff)

struct ranktree_leaf {
	uint16_t n, cap;
	uint8_t shift; /* a member's hint: (key - base) >> shift, kept within 16 bits */
	uint64_t base;
	struct ranktree_leaf *prev, *next;
	uint64_t words[];
};

struct branch {
	uint64_t key;       /* of the first member below */
	const void *member; /* that member */
	void *child;
	uint64_t count; /* members below */
};

struct inner {
	uint16_t n, cap;
	struct branch e[];
};

/* The way from the root to a leaf; step[height - 1] is the leaf's parent. */
struct path {
	struct {
		struct inner *node;
		unsigned at;
	} step[DEPTH_MAX];
};

/* A place between members. */
struct bound {
	enum { BY_SCORE, BY_BYTES, BY_BOTH } by;
	bool or_equal; /* behind what is equal */
	uint64_t key;
	struct bytes bytes;
	const void *self; /* the member that the bound stands for, or NULL */
};

static inline uint64_t member_key(const void *member)
{
	return keysort_double(ranktree_score(member));
}

static inline uint64_t word_key64(uint64_t word)
{
	return member_key(word_ptr(word));
}

static inline struct bound bound_of(const void *member)
{
	return (struct bound){BY_BOTH, true, member_key(member), ranktree_bytes(member), member};
}

/* Of two with the same key: does @member stand before @b? */
static inline bool tie_before(const struct bound *b, const void *member)
{
	if (b->by == BY_SCORE || member == b->self)
		return b->or_equal;
	int c = bytes_cmp(ranktree_bytes(member), b->bytes);
	return c < 0 || (c == 0 && b->or_equal);
}

static inline bool before(const struct bound *b, uint64_t key, const void *member)
{
	if (key != b->key && b->by != BY_BYTES)
		return key < b->key;
	return tie_before(b, member);
}

static inline bool word_before(const struct bound *b, uint64_t word)
{
	const void *member = word_ptr(word);
	return before(b, member_key(member), member);
}

static inline uint64_t leaf_hint(const struct ranktree_leaf *leaf, uint64_t key)
{
	if (key <= leaf->base)
		return 0;
	uint64_t d = (key - leaf->base) >> leaf->shift;
	return d < HINT_MAX ? d : HINT_MAX;
}

static inline uint64_t leaf_word(const struct ranktree_leaf *leaf, const void *member, uint64_t key)
{
	return word_make(member, leaf_hint(leaf, key) << HINT_SHIFT);
}

/* --- ranktree_search.c --- */

/* The words whose hint is that of @key: [*lo, *hi). */
void ranktree_leaf_run(const struct ranktree_leaf *leaf, uint64_t key, unsigned *lo, unsigned *hi);

/* How many words of @leaf stand before @b, when those in front of @lo do and those from @hi on do not. */
unsigned ranktree_run_place(const struct ranktree_leaf *leaf, const struct bound *b, unsigned lo,
			    unsigned hi);

/* Where @member stands in the leaf that holds it. */
unsigned ranktree_leaf_index(const struct ranktree_leaf *leaf, const void *member, uint64_t key);

/* The leaf where @b falls, and the way there. The tree is not empty. */
struct ranktree_leaf *ranktree_descend(const struct ranktree *t, const struct bound *b,
				       struct path *p);

/* The leaf that holds the member of this rank, which exists; *@rank becomes its place there. */
struct ranktree_leaf *ranktree_descend_rank(const struct ranktree *t, uint64_t *rank,
					    struct path *p);

#endif
