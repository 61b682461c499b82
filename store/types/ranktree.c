/* store/types/ranktree.c - the counted B+tree.
 *
 * Scores are compared as 64-bit keys that sort as the numbers do (-0 as 0). A branch of an inner node repeats the key and
 * the pointer of the first member below it exactly; whoever changes the first member of a node corrects the branches
 * above. There is no least number of items in a node but one: removal merges where four neighbours fit into three.
 */
#include "store/types/ranktree.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/base/mem.h"

#define DEPTH_MAX  24
#define WINDOW     4 /* neighbours that share what they hold */
#define HINT_SHIFT 48
#define HINT_MAX   UINT64_C(0xffff)

/* A run of equal hints longer than this is looked at: a better frame may tell its members apart. */
#define RUN_LONG 16

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

static uint64_t score_key(double score)
{
	uint64_t bits;
	if (score == 0)
		score = 0; /* -0 and 0 are one place */
	memcpy(&bits, &score, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static uint64_t member_key(const void *member)
{
	return score_key(ranktree_score(member));
}

static uint64_t word_key64(uint64_t word)
{
	return member_key(word_ptr(word));
}

static struct bound bound_of(const void *member)
{
	return (struct bound){BY_BOTH, true, member_key(member), ranktree_bytes(member), member};
}

/* Of two with the same key: does @member stand before @b? */
static bool tie_before(const struct bound *b, const void *member)
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

static bool word_before(const struct bound *b, uint64_t word)
{
	const void *member = word_ptr(word);
	return before(b, member_key(member), member);
}

/* --- hints --- */

static inline uint64_t leaf_hint(const struct ranktree_leaf *leaf, uint64_t key)
{
	if (key <= leaf->base)
		return 0;
	uint64_t d = (key - leaf->base) >> leaf->shift;
	return d < HINT_MAX ? d : HINT_MAX;
}

static uint64_t leaf_word(const struct ranktree_leaf *leaf, const void *member, uint64_t key)
{
	return word_make(member, leaf_hint(leaf, key) << HINT_SHIFT);
}

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

/* The words whose hint is that of @key: [*lo, *hi). */
static void leaf_run(const struct ranktree_leaf *leaf, uint64_t key, unsigned *lo, unsigned *hi)
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

/* How many words of @leaf stand before @b, when those in front of @lo do and those from @hi on do not. */
static unsigned run_place(const struct ranktree_leaf *leaf, const struct bound *b, unsigned lo,
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
		leaf_run(leaf, b->key, &lo, &hi);
	return run_place(leaf, b, lo, hi);
}

/* Where @member stands in the leaf that holds it. */
static unsigned leaf_index(const struct ranktree_leaf *leaf, const void *member, uint64_t key)
{
	unsigned lo, hi;
	leaf_run(leaf, key, &lo, &hi);
	while (lo < hi && word_ptr(leaf->words[lo]) != member)
		lo++;
	return lo;
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

static struct ranktree_leaf *descend(const struct ranktree *t, const struct bound *b,
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
	leaf_run(leaf, b->key, &lo, &hi);
	if (hi - lo > RUN_LONG && leaf_frame_poor(leaf, lo, hi)) {
		leaf_reframe(leaf);
		leaf_run(leaf, b->key, &lo, &hi);
	}
	unsigned pos = run_place(leaf, b, lo, hi);
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
		leaf = descend(t, &b, &p);
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
	struct ranktree_leaf *leaf = descend(t, &b, &p);
	remove_at(t, &p, leaf, leaf_index(leaf, member, b.key), 1);
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
	b.key = score_key(score);
	struct ranktree_leaf *leaf = descend(t, &old, &from);
	struct ranktree_leaf *target = descend(t, &b, &to);
	unsigned pos = leaf_index(leaf, member, old.key);
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

/* --- ranks and places --- */

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

uint64_t ranktree_rank(const struct ranktree *t, const void *member)
{
	struct bound b = bound_of(member);
	struct path p;
	struct ranktree_leaf *leaf = descend(t, &b, &p);
	return path_rank(t, &p) + leaf_index(leaf, member, b.key);
}

static uint64_t below(const struct ranktree *t, const struct bound *b)
{
	struct path p;
	if (!t->root)
		return 0;
	struct ranktree_leaf *leaf = descend(t, b, &p);
	unsigned pos = leaf_place(leaf, b);
	return path_rank(t, &p) + pos;
}

uint64_t ranktree_below_score(const struct ranktree *t, double score, bool or_equal)
{
	struct bound b = {.by = BY_SCORE, .or_equal = or_equal, .key = score_key(score)};
	return below(t, &b);
}

uint64_t ranktree_below_bytes(const struct ranktree *t, struct bytes bytes, bool or_equal)
{
	struct bound b = {.by = BY_BYTES, .or_equal = or_equal, .bytes = bytes};
	return below(t, &b);
}

static struct ranktree_leaf *descend_rank(const struct ranktree *t, uint64_t *rank, struct path *p)
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
	struct ranktree_leaf *leaf = descend_rank(t, &rank, &p);
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

void ranktree_remove_ranks(struct ranktree *t, uint64_t first, uint64_t count,
			   void (*gone)(void *arg, void *member), void *arg)
{
	while (count && first < t->count) {
		uint64_t words[RANKTREE_LEAF_MAX], pos = first;
		struct path p;
		struct ranktree_leaf *leaf = descend_rank(t, &pos, &p);
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
