#include "store/types/zset_build.h"

#include <stdlib.h>

#include "store/base/mem.h"
#include "store/types/listpack.h"
#include "store/types/zset_impl.h"

/* What is sorted: members with their scores as keys that compare as integers. */
#define DIGIT  11
#define DIGITS ((64 + DIGIT - 1) / DIGIT)
#define FEW    64 /* sorted without counting digits */

struct zset_build {
	struct zset_big *big; /* its tree is empty until the end */
};

struct zset_build *zset_build_begin(size_t expected)
{
	struct zset_build *b = mem_alloc(sizeof(*b));

	b->big = zset_big_new(expected);
	return b;
}

void zset_build_drop(struct zset_build *b)
{
	struct table_iter it;

	table_iter_begin(&it, &b->big->members);
	for (uint64_t *slot; (slot = table_iter_next(&it));)
		mem_free(word_ptr(*slot));
	table_iter_end(&it);
	table_fini(&b->big->members);
	mem_free(b->big);
	mem_free(b);
}

double *zset_build_at(struct zset_build *b, struct bytes member, uint64_t hash, bool *added)
{
	uint64_t *slot = table_find(&b->big->members, member, hash);

	*added = !slot;
	if (slot)
		return word_ptr(*slot);
	void *m = zset_member_new(member, 0);
	if (m)
		table_insert(&b->big->members, word_make(m, 0), hash);
	return m;
}

const struct table *zset_build_table(const struct zset_build *b)
{
	return &b->big->members;
}

size_t zset_build_count(const struct zset_build *b)
{
	return table_count(&b->big->members);
}

/* --- sorting --- */

static int compare(const void *a, const void *b)
{
	const struct ranktree_item *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return bytes_cmp(ranktree_bytes(x->member), ranktree_bytes(y->member));
}

static bool in_order(const struct ranktree_item *items, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (compare(&items[i - 1], &items[i]) > 0)
			return false;
	return true;
}

/* By the key alone, a digit after the other from the lowest; those in which all agree are left out. Answers which of the two holds
 * the result. */
static struct ranktree_item *sort_keys(struct ranktree_item *items, struct ranktree_item *other,
				       size_t n)
{
	static const uint64_t mask = (1 << DIGIT) - 1;
	size_t(*counts)[1 << DIGIT] = mem_calloc(DIGITS * sizeof(*counts));

	for (size_t i = 0; i < n; i++)
		for (unsigned d = 0; d < DIGITS; d++)
			counts[d][items[i].key >> d * DIGIT & mask]++;
	for (unsigned d = 0; d < DIGITS; d++) {
		size_t *at = counts[d], sum = 0;
		if (at[items[0].key >> d * DIGIT & mask] == n)
			continue;
		for (size_t i = 0; i <= mask; i++) {
			size_t count = at[i];
			at[i] = sum;
			sum += count;
		}
		for (size_t i = 0; i < n; i++)
			other[at[items[i].key >> d * DIGIT & mask]++] = items[i];
		struct ranktree_item *swap = items;
		items = other;
		other = swap;
	}
	mem_free(counts);
	return items;
}

/* Where scores are equal, bytes decide. */
static void sort_ties(struct ranktree_item *items, size_t n)
{
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && items[end].key == items[i].key;)
			end++;
		if (end - i > 1)
			qsort(items + i, end - i, sizeof(*items), compare);
	}
}

/* All members in order; @room is twice as long as they are many. */
static struct ranktree_item *sorted(struct zset_build *b, struct ranktree_item *room, size_t n)
{
	struct table_iter it;
	size_t i = 0;

	table_iter_begin(&it, &b->big->members);
	for (uint64_t *slot; (slot = table_iter_next(&it)); i++)
		room[i].member = word_ptr(*slot);
	table_iter_end(&it);
	for (i = 0; i < n; i++) {
		if (i + 16 < n)
			__builtin_prefetch(room[i + 16].member);
		room[i].key = ranktree_key(room[i].member);
	}
	if (n <= FEW) {
		qsort(room, n, sizeof(*room), compare);
		return room;
	}
	if (in_order(room, n))
		return room;
	room = sort_keys(room, room + n, n);
	sort_ties(room, n);
	return room;
}

/* --- the end --- */

/* A listpack of them, NULL when they do not fit one. */
static unsigned char *pack(const struct ranktree_item *items, size_t n,
			   const struct type_limits *lim)
{
	size_t total = 0;

	if (n > lim->zset_max_listpack_entries)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct bytes name = ranktree_bytes(items[i].member);
		total += name.n + 2 * NUM_BUF;
		if (name.n > lim->zset_max_listpack_value || total > LISTPACK_MAX)
			return NULL;
	}
	unsigned char *lp = listpack_new(total);
	for (size_t i = 0; i < n && lp; i++)
		lp = zset_lp_append(lp, ranktree_score(items[i].member),
				    ranktree_bytes(items[i].member));
	return lp;
}

struct zset *zset_build_end(struct zset_build *b, const struct type_limits *lim)
{
	size_t n = zset_build_count(b);
	struct ranktree_item *room = mem_try(2 * (n ? n : 1) * sizeof(*room));

	if (!room) {
		zset_build_drop(b);
		return NULL;
	}
	struct zset *z = mem_alloc(sizeof(*z));
	struct ranktree_item *items = sorted(b, room, n);
	unsigned char *lp = pack(items, n, lim);
	if (lp) {
		z->body = (uintptr_t)lp;
		zset_build_drop(b);
	} else {
		ranktree_build(&b->big->order, items, n);
		z->body = (uintptr_t)b->big | 1;
		mem_free(b);
	}
	mem_free(room);
	return z;
}
