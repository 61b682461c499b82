/* The counted B+tree measured and checked. Part of ranktree.h. */
#include <stdio.h>
#include <stdlib.h>

#include "store/base/mem.h"
#include "store/types/ranktree_impl.h"

static size_t node_mem(const void *node, unsigned height)
{
	size_t total = mem_size(node);
	if (height) {
		const struct inner *in = node;
		for (unsigned i = 0; i < in->n; i++)
			total += node_mem(in->e[i].child, height - 1);
	}
	return total;
}

size_t ranktree_mem(const struct ranktree *t)
{
	return t->root ? node_mem(t->root, t->height) : 0;
}

/* --- the invariants --- */

#define MUST(cond)                                                                                 \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "ranktree_check: %s (%s:%d)\n", #cond, __FILE__,           \
				__LINE__);                                                         \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct check {
	const struct ranktree *t;
	const struct ranktree_leaf *last; /* the leaf seen before */
	const void *member;               /* the member seen before */
};

static void check_leaf(struct check *c, const struct ranktree_leaf *leaf)
{
	MUST(leaf->n > 0 && leaf->n <= leaf->cap && leaf->cap <= c->t->leaf_max);
	MUST(leaf->prev == c->last);
	MUST(c->last ? c->last->next == leaf : c->t->first == leaf);
	for (unsigned i = 0; i < leaf->n; i++) {
		const void *m = word_ptr(leaf->words[i]);
		uint64_t key = member_key(m);
		MUST(leaf->words[i] == leaf_word(leaf, m, key));
		if (c->member) {
			struct bound b = bound_of(m);
			b.or_equal = false;
			MUST(before(&b, member_key(c->member), c->member));
		}
		c->member = m;
	}
	c->last = leaf;
}

static uint64_t check_node(struct check *c, void *node, unsigned height)
{
	if (height == 0) {
		check_leaf(c, node);
		return ((struct ranktree_leaf *)node)->n;
	}
	const struct inner *in = node;
	uint64_t total = 0;
	MUST(in->n > 0 && in->n <= in->cap && in->cap <= c->t->inner_max);
	for (unsigned i = 0; i < in->n; i++) {
		void *first = in->e[i].child;
		for (unsigned h = height - 1; h > 0; h--)
			first = ((struct inner *)first)->e[0].child;
		const void *m = word_ptr(((struct ranktree_leaf *)first)->words[0]);
		MUST(in->e[i].member == m);
		MUST(in->e[i].key == member_key(m));
		uint64_t n = check_node(c, in->e[i].child, height - 1);
		MUST(n == in->e[i].count);
		total += n;
	}
	return total;
}

void ranktree_check(const struct ranktree *t)
{
	struct check c = {.t = t};
	if (!t->root) {
		MUST(t->count == 0 && t->height == 0 && !t->first && !t->last);
		return;
	}
	MUST(t->height < DEPTH_MAX);
	MUST(t->height == 0 || ((struct inner *)t->root)->n > 1);
	MUST(check_node(&c, t->root, t->height) == t->count);
	MUST(t->last == c.last && !c.last->next);
}
