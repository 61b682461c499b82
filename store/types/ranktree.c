/* store/types/ranktree.c - the counted B+tree: what changes it. */
#include "store/types/ranktree.h"

#include "store/base/mem.h"
#include "store/types/ranktree_impl.h"

#define WINDOW 4 /* neighbours that share what they hold */

/* A run of equal hints longer than this is looked at: a better frame may tell its members apart. */
#define RUN_LONG 16

/* --- hints --- */

/* The scale that suits what the leaf holds: from its first key to the first of the next leaf. The leaves at the ends get room for
 * growth outwards. */
static void leaf_frame(const struct ranktree_leaf *leaf, uint64_t *base, uint8_t *shift)
{
	uint64_t lo = word_key64(leaf->words[0]);
	uint64_t hi;
	if (leaf->next) {
		hi = word_key64(leaf->next->words[0]);
	} else {
		hi = word_key64(leaf->words[leaf->n - 1]);
		uint64_t more = hi - lo;
		hi = UINT64_MAX - hi > more ? hi + more : UINT64_MAX;
	}
	if (!leaf->prev) {
		uint64_t more = hi - lo;
		lo = lo > more ? lo - more : 0;
	}
	uint64_t span = hi - lo;
	int bits = span ? 64 - __builtin_clzll(span) : 0;
	*base = lo;
	*shift = (uint8_t)(bits > 16 ? bits - 16 : 0);
}

static void leaf_reframe(struct ranktree_leaf *leaf)
{
	leaf_frame(leaf, &leaf->base, &leaf->shift);
	for (unsigned i = 0; i < leaf->n; i++) {
		const void *member = word_ptr(leaf->words[i]);
		leaf->words[i] = leaf_word(leaf, member, member_key(member));
	}
}

/* Hints [@lo, @hi) are all equal. Are they so for want of a better frame? */
static bool leaf_frame_poor(const struct ranktree_leaf *leaf, unsigned lo, unsigned hi)
{
	uint64_t first = word_key64(leaf->words[lo]);
	uint64_t last = word_key64(leaf->words[hi - 1]);
	if (first == last)
		return false;
	if (first < leaf->base || (last - leaf->base) >> leaf->shift > HINT_MAX)
		return true;
	uint64_t base;
	uint8_t shift;
	leaf_frame(leaf, &base, &shift);
	return shift < leaf->shift;
}

/* --- nodes --- */

static size_t leaf_size(unsigned cap)
{
	return sizeof(struct ranktree_leaf) + cap * sizeof(uint64_t);
}

static size_t inner_size(unsigned cap)
{
	return sizeof(struct inner) + cap * sizeof(struct branch);
}

static struct ranktree_leaf *leaf_new(unsigned cap)
{
	struct ranktree_leaf *leaf = mem_alloc(leaf_size(cap));
	memset(leaf, 0, sizeof(*leaf));
	leaf->cap = (uint16_t)cap;
	return leaf;
}

static struct inner *inner_new(unsigned cap)
{
	struct inner *node = mem_alloc(inner_size(cap));
	node->n = 0;
	node->cap = (uint16_t)cap;
	return node;
}

/* Put @leaf behind @prev (at the front when NULL) in the chain. */
static void leaf_link(struct ranktree *t, struct ranktree_leaf *leaf, struct ranktree_leaf *prev)
{
	leaf->prev = prev;
	leaf->next = prev ? prev->next : t->first;
	*(leaf->prev ? &leaf->prev->next : &t->first) = leaf;
	*(leaf->next ? &leaf->next->prev : &t->last) = leaf;
}

static void leaf_unlink(struct ranktree *t, struct ranktree_leaf *leaf)
{
	*(leaf->prev ? &leaf->prev->next : &t->first) = leaf->next;
	*(leaf->next ? &leaf->next->prev : &t->last) = leaf->prev;
}

/* Make @br describe a leaf or an inner node. */
static void branch_leaf(struct branch *br, struct ranktree_leaf *leaf)
{
	br->member = word_ptr(leaf->words[0]);
	br->key = member_key(br->member);
	br->child = leaf;
	br->count = leaf->n;
}

static void branch_inner(struct branch *br, struct inner *node)
{
	uint64_t count = 0;
	for (unsigned i = 0; i < node->n; i++)
		count += node->e[i].count;
	*br = (struct branch){node->e[0].key, node->e[0].member, node, count};
}

static void path_count(const struct ranktree *t, struct path *p, int64_t by)
{
	for (unsigned level = 0; level < t->height; level++)
		p->step[level].node->e[p->step[level].at].count += (uint64_t)by;
}

/* The first member of the node at @level of the path is @member now. */
static void path_first(struct path *p, unsigned level, const void *member)
{
	uint64_t key = member_key(member);
	while (level-- > 0) {
		unsigned at = p->step[level].at;
		p->step[level].node->e[at].key = key;
		p->step[level].node->e[at].member = member;
		if (at)
			break;
	}
}

/* --- spreading items over neighbours --- */

static void spread_leaves(struct ranktree *t, struct branch *br, unsigned k, unsigned want)
{
	uint64_t words[WINDOW * RANKTREE_LEAF_MAX];
	unsigned total = 0;
	for (unsigned i = 0; i < k; i++) {
		struct ranktree_leaf *leaf = br[i].child;
		memcpy(words + total, leaf->words, leaf->n * sizeof(uint64_t));
		total += leaf->n;
		if (i >= want) {
			leaf_unlink(t, leaf);
			mem_free(leaf);
		}
	}
	for (unsigned i = 0, done = 0; i < want; i++) {
		if (i >= k) {
			br[i].child = leaf_new(t->leaf_max);
			leaf_link(t, br[i].child, br[i - 1].child);
		}
		struct ranktree_leaf *leaf = br[i].child;
		unsigned n = (total - done) / (want - i);
		memcpy(leaf->words, words + done, n * sizeof(uint64_t));
		leaf->n = (uint16_t)n;
		done += n;
	}
	for (unsigned i = want; i-- > 0;) {
		leaf_reframe(br[i].child);
		branch_leaf(&br[i], br[i].child);
	}
}

static void spread_inner(struct ranktree *t, struct branch *br, unsigned k, unsigned want)
{
	struct branch items[WINDOW * RANKTREE_INNER_MAX];
	unsigned total = 0;
	for (unsigned i = 0; i < k; i++) {
		struct inner *node = br[i].child;
		memcpy(items + total, node->e, node->n * sizeof(struct branch));
		total += node->n;
		if (i >= want || node->cap < t->inner_max) {
			mem_free(node);
			br[i].child = NULL;
		}
	}
	for (unsigned i = 0, done = 0; i < want; i++) {
		if (i >= k || !br[i].child)
			br[i].child = inner_new(t->inner_max);
		struct inner *node = br[i].child;
		unsigned n = (total - done) / (want - i);
		memcpy(node->e, items + done, n * sizeof(struct branch));
		node->n = (uint16_t)n;
		done += n;
		branch_inner(&br[i], node);
	}
}

/* Spread what children [@lo, @lo + @k) of @parent hold evenly over @want children in their place. @want is at most one more or
 * less, and @parent has room. */
static void spread(struct ranktree *t, struct inner *parent, unsigned parent_level, unsigned lo,
		   unsigned k, unsigned want)
{
	struct branch *br = parent->e + lo;
	size_t behind = parent->n - lo - k;
	if (want > k)
		memmove(br + want, br + k, behind * sizeof(*br));
	if (parent_level + 1 == t->height)
		spread_leaves(t, br, k, want);
	else
		spread_inner(t, br, k, want);
	if (want < k)
		memmove(br + want, br + k, behind * sizeof(*br));
	parent->n = (uint16_t)(parent->n + want - k);
}

/* Up to WINDOW neighbours around child @at, and what they hold together. */
static unsigned window(const struct ranktree *t, const struct inner *parent, unsigned parent_level,
		       unsigned at, unsigned *lo, unsigned *total)
{
	unsigned k = parent->n < WINDOW ? parent->n : WINDOW;
	*lo = at ? at - 1 : 0;
	if (*lo + k > parent->n)
		*lo = parent->n - k;
	*total = 0;
	for (unsigned i = *lo; i < *lo + k; i++) {
		const struct branch *br = &parent->e[i];
		*total += parent_level + 1 == t->height ? (unsigned)br->count
							: ((struct inner *)br->child)->n;
	}
	return k;
}

/* Point whoever holds the node at @level of the path to @moved. */
static void path_moved(struct ranktree *t, struct path *p, unsigned level, void *moved)
{
	if (level == 0)
		t->root = moved;
	else
		p->step[level - 1].node->e[p->step[level - 1].at].child = moved;
}

/* Enlarge a node that is below its greatest size (the first ones of a small tree). */
static bool leaf_enlarge(struct ranktree *t, struct path *p, struct ranktree_leaf *leaf)
{
	if (leaf->cap >= t->leaf_max)
		return false;
	unsigned cap = leaf->cap * 2u + 4;
	cap = cap < t->leaf_max ? cap : t->leaf_max;
	leaf = mem_realloc(leaf, leaf_size(cap));
	leaf->cap = (uint16_t)cap;
	*(leaf->prev ? &leaf->prev->next : &t->first) = leaf;
	*(leaf->next ? &leaf->next->prev : &t->last) = leaf;
	path_moved(t, p, t->height, leaf);
	return true;
}

static bool inner_enlarge(struct ranktree *t, struct path *p, unsigned level)
{
	struct inner *node = p->step[level].node;
	if (node->cap >= t->inner_max)
		return false;
	unsigned cap = node->cap * 2u + 1;
	cap = cap < t->inner_max ? cap : t->inner_max;
	node = mem_realloc(node, inner_size(cap));
	node->cap = (uint16_t)cap;
	p->step[level].node = node;
	path_moved(t, p, level, node);
	return true;
}

/* A new root over the old one. */
static void raise_root(struct ranktree *t)
{
	struct inner *root = inner_new(t->inner_max < 3 ? t->inner_max : 3);
	root->n = 1;
	if (t->height == 0)
		branch_leaf(&root->e[0], t->root);
	else
		branch_inner(&root->e[0], t->root);
	t->root = root;
	t->height++;
}

/* Make the full node at @level of the path less full, or make room above for that; the path is void afterwards, and more than
 * one call may be needed. */
static void make_room(struct ranktree *t, struct path *p, unsigned level)
{
	if (level < t->height && inner_enlarge(t, p, level))
		return;
	if (level == 0) {
		raise_root(t);
		return;
	}
	struct inner *parent = p->step[level - 1].node;
	unsigned lo, total;
	unsigned k = window(t, parent, level - 1, p->step[level - 1].at, &lo, &total);
	unsigned max = level == t->height ? t->leaf_max : t->inner_max;
	if (total + max / 8 + k <= k * max)
		spread(t, parent, level - 1, lo, k, k);
	else if (parent->n == parent->cap)
		make_room(t, p, level - 1);
	else
		spread(t, parent, level - 1, lo, k, k + 1);
}

/* --- insertion --- */

/* @member goes outside of all others, next to the full @leaf at an end of the tree: give it a leaf of its own, so that
 * inserts in order leave full leaves behind. False when there was no room above; descend again then. */
static bool insert_edge(struct ranktree *t, struct path *p, struct ranktree_leaf *leaf,
			void *member, bool front)
{
	if (t->height == 0) {
		raise_root(t);
		return false;
	}
	struct inner *parent = p->step[t->height - 1].node;
	if (parent->n == parent->cap) {
		make_room(t, p, t->height - 1);
		return false;
	}
	struct ranktree_leaf *edge = leaf_new(t->leaf_max);
	uint64_t key = member_key(member), span = HINT_MAX << leaf->shift;
	edge->shift = leaf->shift;
	edge->base = !front ? key : key > span ? key - span : 0;
	edge->n = 1;
	edge->words[0] = leaf_word(edge, member, key);
	leaf_link(t, edge, front ? NULL : leaf);

	path_count(t, p, 1);
	parent->e[p->step[t->height - 1].at].count--;
	unsigned at = front ? 0 : parent->n;
	memmove(parent->e + at + 1, parent->e + at, (parent->n - at) * sizeof(struct branch));
	parent->n++;
	branch_leaf(&parent->e[at], edge);
	if (front)
		path_first(p, t->height - 1, member);
	t->count++;
	return true;
}

static void insert_first(struct ranktree *t, void *member)
{
	struct ranktree_leaf *leaf = leaf_new(t->leaf_max < 12 ? t->leaf_max : 12);
	leaf->n = 1;
	leaf->words[0] = word_make(member, 0);
	leaf->base = member_key(member);
	leaf_link(t, leaf, NULL);
	t->root = leaf;
	t->count = 1;
}

/* Put @member, whose bound is @b, into @leaf, which has room and which @p leads to. */
static void insert_at(struct ranktree *t, struct path *p, struct ranktree_leaf *leaf,
		      const struct bound *b, void *member)
{
	unsigned lo, hi;
	ranktree_leaf_run(leaf, b->key, &lo, &hi);
	if (hi - lo > RUN_LONG && leaf_frame_poor(leaf, lo, hi)) {
		leaf_reframe(leaf);
		ranktree_leaf_run(leaf, b->key, &lo, &hi);
	}
	unsigned pos = ranktree_run_place(leaf, b, lo, hi);
	memmove(leaf->words + pos + 1, leaf->words + pos, (leaf->n - pos) * sizeof(uint64_t));
	leaf->words[pos] = leaf_word(leaf, member, b->key);
	leaf->n++;
	t->count++;
	path_count(t, p, 1);
	if (pos == 0)
		path_first(p, t->height, member);
}

void ranktree_insert(struct ranktree *t, void *member)
{
	struct bound b = bound_of(member);
	struct ranktree_leaf *leaf;
	struct path p;
	if (!t->root) {
		insert_first(t, member);
		return;
	}
	for (;;) {
		leaf = ranktree_descend(t, &b, &p);
		if (leaf->n < leaf->cap)
			break;
		if (leaf_enlarge(t, &p, leaf))
			continue;
		bool back = !leaf->next && word_before(&b, leaf->words[leaf->n - 1]);
		bool front = !back && !leaf->prev && !word_before(&b, leaf->words[0]);
		if (!back && !front)
			make_room(t, &p, t->height);
		else if (insert_edge(t, &p, leaf, member, front))
			return;
	}
	insert_at(t, &p, leaf, &b, member);
}

/* --- removal --- */

static void lower_root(struct ranktree *t)
{
	while (t->height && ((struct inner *)t->root)->n == 1) {
		struct inner *root = t->root;
		t->root = root->e[0].child;
		t->height--;
		mem_free(root);
	}
}

/* The node at @level of the path has lost items: merge neighbours into one fewer where that leaves
 * room, then see to the level above. True when nodes changed. */
static bool merge(struct ranktree *t, struct path *p, unsigned level)
{
	bool merged = false;
	for (; level > 0; level--) {
		struct inner *parent = p->step[level - 1].node;
		unsigned lo, total, max = level == t->height ? t->leaf_max : t->inner_max;
		unsigned k = window(t, parent, level - 1, p->step[level - 1].at, &lo, &total);
		if (k < 2 || total > (k - 1) * (max - max / 16))
			break;
		spread(t, parent, level - 1, lo, k, k - 1);
		merged = true;
		if (parent->n > t->inner_max / 2)
			break;
	}
	lower_root(t);
	return merged;
}

/* The node at @level of the path is empty: take it out, and what becomes empty above it. */
static void drop(struct ranktree *t, struct path *p, unsigned level)
{
	for (; level > 0; level--) {
		struct inner *parent = p->step[level - 1].node;
		unsigned at = p->step[level - 1].at;
		mem_free(parent->e[at].child);
		parent->n--;
		memmove(parent->e + at, parent->e + at + 1,
			(parent->n - at) * sizeof(struct branch));
		if (parent->n == 0)
			continue;
		if (at == 0)
			path_first(p, level - 1, parent->e[0].member);
		if (parent->n <= t->inner_max / 2)
			merge(t, p, level - 1);
		lower_root(t);
		return;
	}
	mem_free(t->root);
	t->root = NULL;
	t->height = 0;
}

/* Take @n words out of @leaf, which @p leads to. True when nodes were merged or freed: paths are void then. */
static bool remove_at(struct ranktree *t, struct path *p, struct ranktree_leaf *leaf, unsigned pos,
		      unsigned n)
{
	leaf->n = (uint16_t)(leaf->n - n);
	memmove(leaf->words + pos, leaf->words + pos + n, (leaf->n - pos) * sizeof(uint64_t));
	t->count -= n;
	path_count(t, p, -(int64_t)n);
	if (leaf->n == 0) {
		leaf_unlink(t, leaf);
		drop(t, p, t->height);
		return true;
	}
	if (pos == 0)
		path_first(p, t->height, word_ptr(leaf->words[0]));
	return leaf->n <= t->leaf_max * 5 / 8 && merge(t, p, t->height);
}

void ranktree_remove(struct ranktree *t, void *member)
{
	struct bound b = bound_of(member);
	struct path p;
	struct ranktree_leaf *leaf = ranktree_descend(t, &b, &p);
	remove_at(t, &p, leaf, ranktree_leaf_index(leaf, member, b.key), 1);
}

/* Whether @b, which is what the member at @pos is to become, still falls between that member's neighbours. */
static bool place_kept(const struct ranktree_leaf *leaf, unsigned pos, const struct bound *b)
{
	uint64_t hint = leaf_hint(leaf, b->key);
	if (pos > 0) {
		uint64_t left = leaf->words[pos - 1];
		if (left >> HINT_SHIFT > hint ||
		    (left >> HINT_SHIFT == hint && !word_before(b, left)))
			return false;
	} else if (leaf->prev && !word_before(b, leaf->prev->words[leaf->prev->n - 1])) {
		return false;
	}
	if (pos + 1u < leaf->n) {
		uint64_t right = leaf->words[pos + 1];
		return right >> HINT_SHIFT > hint ||
		       (right >> HINT_SHIFT == hint && !word_before(b, right));
	}
	return !leaf->next || !word_before(b, leaf->next->words[0]);
}

/* Both ways down are gone before either leaf is read, so that memory is waited for once. */
void ranktree_rescore(struct ranktree *t, void *member, double score)
{
	struct bound old = bound_of(member), b = old;
	struct path from, to;
	b.key = keysort_double(score);
	struct ranktree_leaf *leaf = ranktree_descend(t, &old, &from);
	struct ranktree_leaf *target = ranktree_descend(t, &b, &to);
	unsigned pos = ranktree_leaf_index(leaf, member, old.key);
	if (place_kept(leaf, pos, &b)) {
		memcpy(member, &score, sizeof(score));
		leaf->words[pos] = leaf_word(leaf, member, b.key);
		if (pos == 0)
			path_first(&from, t->height, member);
		return;
	}
	bool moved = remove_at(t, &from, leaf, pos, 1);
	memcpy(member, &score, sizeof(score));
	if (moved || target->n == target->cap)
		ranktree_insert(t, member);
	else
		insert_at(t, &to, target, &b, member);
}

/* --- the whole --- */

void ranktree_init(struct ranktree *t, unsigned leaf_max, unsigned inner_max)
{
	memset(t, 0, sizeof(*t));
	t->leaf_max = (uint16_t)(leaf_max < RANKTREE_LEAF_MAX ? leaf_max : RANKTREE_LEAF_MAX);
	t->inner_max = (uint16_t)(inner_max < RANKTREE_INNER_MAX ? inner_max : RANKTREE_INNER_MAX);
}

static void node_free(void *node, unsigned height)
{
	if (height) {
		struct inner *in = node;
		for (unsigned i = 0; i < in->n; i++)
			node_free(in->e[i].child, height - 1);
	}
	mem_free(node);
}

void ranktree_fini(struct ranktree *t)
{
	if (t->root)
		node_free(t->root, t->height);
	ranktree_init(t, t->leaf_max, t->inner_max);
}

void ranktree_remove_ranks(struct ranktree *t, uint64_t first, uint64_t count,
			   void (*gone)(void *arg, void *member), void *arg)
{
	while (count && first < t->count) {
		uint64_t words[RANKTREE_LEAF_MAX], pos = first;
		struct path p;
		struct ranktree_leaf *leaf = ranktree_descend_rank(t, &pos, &p);
		unsigned n = leaf->n - (unsigned)pos;
		if (n > count)
			n = (unsigned)count;
		memcpy(words, leaf->words + pos, n * sizeof(uint64_t));
		remove_at(t, &p, leaf, (unsigned)pos, n);
		for (unsigned i = 0; i < n; i++)
			gone(arg, word_ptr(words[i]));
		count -= n;
	}
}
