/* Finding members, places and ranks in the counted B+tree. Part of ranktree.h. */
#include "store/types/ranktree_impl.h"

/* The first of @n words that is not below @limit: from where an even spread would have it, by doubling steps, then by
 * halves. */
static unsigned words_lower(const uint64_t *words, unsigned n, uint64_t limit)
{
	unsigned at = (unsigned)(((limit >> HINT_SHIFT) * n) >> 16);
	unsigned lo, hi, step = 1;
	if (at < n && words[at] < limit) {
		lo = at + 1;
		for (hi = lo; hi < n && words[hi] < limit; step *= 2) {
			lo = hi + 1;
			hi += step;
		}
		if (hi > n)
			hi = n;
	} else {
		hi = at;
		for (lo = at; lo > 0 && words[lo - 1] >= limit; step *= 2) {
			hi = lo - 1;
			lo = hi > step ? hi - step : 0;
		}
	}
	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		if (words[mid] < limit)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void ranktree_leaf_run(const struct ranktree_leaf *leaf, uint64_t key, unsigned *lo, unsigned *hi)
{
	uint64_t hint = leaf_hint(leaf, key);
	*lo = words_lower(leaf->words, leaf->n, hint << HINT_SHIFT);
	unsigned end = *lo;
	while (end < leaf->n && end - *lo < 4 && leaf->words[end] >> HINT_SHIFT == hint)
		end++;
	if (end - *lo == 4)
		end = hint == HINT_MAX
			      ? leaf->n
			      : words_lower(leaf->words, leaf->n, (hint + 1) << HINT_SHIFT);
	*hi = end;
}

unsigned ranktree_run_place(const struct ranktree_leaf *leaf, const struct bound *b, unsigned lo,
			    unsigned hi)
{
	/* Appending and prepending are common: look at the ends of a long run first. */
	if (hi - lo > 2 && word_before(b, leaf->words[hi - 1]))
		return hi;
	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		if (word_before(b, leaf->words[mid]))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static unsigned leaf_place(const struct ranktree_leaf *leaf, const struct bound *b)
{
	unsigned lo = 0, hi = leaf->n;
	if (b->by != BY_BYTES)
		ranktree_leaf_run(leaf, b->key, &lo, &hi);
	return ranktree_run_place(leaf, b, lo, hi);
}

unsigned ranktree_leaf_index(const struct ranktree_leaf *leaf, const void *member, uint64_t key)
{
	unsigned lo, hi;
	ranktree_leaf_run(leaf, key, &lo, &hi);
	while (lo < hi && word_ptr(leaf->words[lo]) != member)
		lo++;
	return lo;
}

/* The child whose members @b falls among. */
static unsigned inner_pick(const struct inner *node, const struct bound *b)
{
	unsigned lo = 0, len = node->n;
	while (len > 1) {
		unsigned half = len / 2;
		const struct branch *br = &node->e[lo + half];
		bool below = br->key < b->key;
		if (__builtin_expect(br->key == b->key || b->by == BY_BYTES, 0))
			below = tie_before(b, br->member);
		lo += below ? half : 0; /* no branch to guess wrong */
		len -= half;
	}
	return lo;
}

/* Ask for the line of @child's words where an even spread would have @key. */
static void prefetch_place(const struct inner *node, unsigned at, uint64_t key)
{
	const struct branch *br = &node->e[at];
	const struct ranktree_leaf *leaf = br->child;
	__builtin_prefetch(leaf);
	if (at + 1 == node->n || key <= br->key)
		return;
	double span = (double)(br[1].key - br->key) + 1;
	double part = (double)(key - br->key) / span;
	__builtin_prefetch(&leaf->words[(unsigned)(part * (double)br->count) & 127]);
}

struct ranktree_leaf *ranktree_descend(const struct ranktree *t, const struct bound *b,
				       struct path *p)
{
	void *node = t->root;
	for (unsigned level = 0; level < t->height; level++) {
		struct inner *in = node;
		unsigned at = inner_pick(in, b);
		p->step[level].node = in;
		p->step[level].at = at;
		node = in->e[at].child;
		if (level + 1 == t->height)
			prefetch_place(in, at, b->key);
	}
	return node;
}

/* Members in front of the leaf that @p leads to. */
static uint64_t path_rank(const struct ranktree *t, const struct path *p)
{
	uint64_t rank = 0;
	for (unsigned level = 0; level < t->height; level++)
		for (unsigned i = 0; i < p->step[level].at; i++)
			rank += p->step[level].node->e[i].count;
	return rank;
}

uint64_t ranktree_rank(const struct ranktree *t, const void *member)
{
	struct bound b = bound_of(member);
	struct path p;
	struct ranktree_leaf *leaf = ranktree_descend(t, &b, &p);
	return path_rank(t, &p) + ranktree_leaf_index(leaf, member, b.key);
}

static uint64_t below(const struct ranktree *t, const struct bound *b)
{
	struct path p;
	if (!t->root)
		return 0;
	struct ranktree_leaf *leaf = ranktree_descend(t, b, &p);
	unsigned pos = leaf_place(leaf, b);
	return path_rank(t, &p) + pos;
}

uint64_t ranktree_below_score(const struct ranktree *t, double score, bool or_equal)
{
	struct bound b = {.by = BY_SCORE, .or_equal = or_equal, .key = keysort_double(score)};
	return below(t, &b);
}

uint64_t ranktree_below_bytes(const struct ranktree *t, struct bytes bytes, bool or_equal)
{
	struct bound b = {.by = BY_BYTES, .or_equal = or_equal, .bytes = bytes};
	return below(t, &b);
}

struct ranktree_leaf *ranktree_descend_rank(const struct ranktree *t, uint64_t *rank,
					    struct path *p)
{
	void *node = t->root;
	for (unsigned level = 0; level < t->height; level++) {
		struct inner *in = node;
		unsigned at = 0;
		while (at + 1u < in->n && *rank >= in->e[at].count)
			*rank -= in->e[at++].count;
		p->step[level].node = in;
		p->step[level].at = at;
		node = in->e[at].child;
	}
	return node;
}

struct ranktree_at ranktree_seek(const struct ranktree *t, uint64_t rank)
{
	struct path p;
	if (rank >= t->count)
		return (struct ranktree_at){NULL, 0};
	struct ranktree_leaf *leaf = ranktree_descend_rank(t, &rank, &p);
	return (struct ranktree_at){leaf, (uint32_t)rank};
}

void *ranktree_member(struct ranktree_at at)
{
	return at.leaf ? word_ptr(at.leaf->words[at.pos]) : NULL;
}

void ranktree_next(struct ranktree_at *at)
{
	if (++at->pos >= at->leaf->n) {
		at->leaf = at->leaf->next;
		at->pos = 0;
	}
	if (at->leaf && at->pos + 4 < at->leaf->n)
		__builtin_prefetch(word_ptr(at->leaf->words[at->pos + 4]));
}

void ranktree_prev(struct ranktree_at *at)
{
	if (at->pos-- == 0) {
		at->leaf = at->leaf->prev;
		at->pos = at->leaf ? at->leaf->n - 1u : 0;
	}
	if (at->leaf && at->pos >= 4)
		__builtin_prefetch(word_ptr(at->leaf->words[at->pos - 4]));
}
