/* store/types/ranktree_build.c - the counted B+tree from members in order, level by level. */
#include "store/base/check.h"
#include "store/base/mem.h"
#include "store/types/ranktree_impl.h"

/* Nodes are left nine tenths full, as inserts leave them. */
static size_t nodes_for(size_t n, unsigned max)
{
	size_t fill = max - max / 10;

	return (n + fill - 1) / fill;
}

/* The scale that ranktree.c gives a leaf: from its first key to the first of the next one, with room outwards at both ends. */
static void frame(struct ranktree_leaf *leaf, const struct keysort_item *items, size_t from,
		  size_t end, size_t n)
{
	uint64_t lo = items[from].key, hi = items[end < n ? end : end - 1].key, more = hi - lo;

	if (end == n) {
		hi = UINT64_MAX - hi > more ? hi + more : UINT64_MAX;
		more = hi - lo;
	}
	if (from == 0)
		lo = lo > more ? lo - more : 0;
	int bits = hi > lo ? 64 - __builtin_clzll(hi - lo) : 0;
	leaf->base = lo;
	leaf->shift = (uint8_t)(bits > 16 ? bits - 16 : 0);
}

/* The leaves, and what a parent says of each. */
static void build_leaves(struct ranktree *t, const struct keysort_item *items, size_t n,
			 struct branch *out, size_t leaves)
{
	size_t from = 0;

	for (size_t i = 0; i < leaves; i++) {
		size_t end = from + (n - from) / (leaves - i);
		struct ranktree_leaf *leaf =
			mem_alloc(sizeof(*leaf) + t->leaf_max * sizeof(uint64_t));
		*leaf = (struct ranktree_leaf){
			.n = (uint16_t)(end - from), .cap = t->leaf_max, .prev = t->last};
		frame(leaf, items, from, end, n);
		for (size_t k = from; k < end; k++)
			leaf->words[k - from] = leaf_word(leaf, items[k].p, items[k].key);
		*(t->last ? &t->last->next : &t->first) = leaf;
		t->last = leaf;
		out[i] = (struct branch){items[from].key, items[from].p, leaf, end - from};
		from = end;
	}
}

/* The inner nodes above @n branches, in their place; answers how many. */
static size_t build_level(struct ranktree *t, struct branch *branches, size_t n)
{
	size_t nodes = nodes_for(n, t->inner_max), from = 0;

	for (size_t i = 0; i < nodes; i++) {
		size_t end = from + (n - from) / (nodes - i);
		struct inner *node =
			mem_alloc(sizeof(*node) + t->inner_max * sizeof(struct branch));
		struct branch up = branches[from];
		node->n = (uint16_t)(end - from);
		node->cap = t->inner_max;
		memcpy(node->e, branches + from, (end - from) * sizeof(struct branch));
		up.child = node;
		up.count = 0;
		for (size_t k = from; k < end; k++)
			up.count += branches[k].count;
		/* Never further on than what was read. */
		branches[i] = up;
		from = end;
	}
	return nodes;
}

void ranktree_build(struct ranktree *t, const struct keysort_item *items, size_t n)
{
	STORE_CHECK(!t->root);
	if (n == 0)
		return;
	size_t nodes = nodes_for(n, t->leaf_max);
	struct branch *branches = mem_alloc(nodes * sizeof(*branches));
	build_leaves(t, items, n, branches, nodes);
	while (nodes > 1) {
		nodes = build_level(t, branches, nodes);
		t->height++;
	}
	t->root = branches[0].child;
	t->count = n;
	mem_free(branches);
}
