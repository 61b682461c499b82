#include "store/types/zset_build.h"

#include "store/base/keysort.h"
#include "store/base/mem.h"
#include "store/types/listpack.h"
#include "store/types/zset_impl.h"

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

/* Where scores are equal, bytes decide. */
static int compare(const void *a, const void *b, void *arg)
{
	const struct keysort_item *x = a, *y = b;

	(void)arg;
	return bytes_cmp(ranktree_bytes(x->p), ranktree_bytes(y->p));
}

/* All members in order; @room is twice as long as they are many. */
static struct keysort_item *sorted(struct zset_build *b, struct keysort_item *room, size_t n)
{
	struct table_iter it;
	size_t i = 0;

	table_iter_begin(&it, &b->big->members);
	for (uint64_t *slot; (slot = table_iter_next(&it)); i++)
		room[i].p = word_ptr(*slot);
	table_iter_end(&it);
	for (i = 0; i < n; i++) {
		if (i + 16 < n)
			__builtin_prefetch(room[i + 16].p);
		room[i].key = keysort_double(ranktree_score(room[i].p));
	}
	return keysort(room, room + n, n, compare, NULL);
}

/* --- the end --- */

/* A listpack of them, NULL when they do not fit one. */
static unsigned char *pack(const struct keysort_item *items, size_t n,
			   const struct type_limits *lim)
{
	size_t total = 0;

	if (n > lim->zset_max_listpack_entries)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct bytes name = ranktree_bytes(items[i].p);
		total += name.n + 2 * NUM_BUF;
		if (name.n > lim->zset_max_listpack_value || total > LISTPACK_MAX)
			return NULL;
	}
	unsigned char *lp = listpack_new(total);
	for (size_t i = 0; i < n && lp; i++)
		lp = zset_lp_append(lp, ranktree_score(items[i].p), ranktree_bytes(items[i].p));
	return lp;
}

struct zset *zset_build_end(struct zset_build *b, const struct type_limits *lim)
{
	size_t n = zset_build_count(b);
	struct keysort_item *room = mem_try(2 * (n ? n : 1) * sizeof(*room));

	if (!room) {
		zset_build_drop(b);
		return NULL;
	}
	struct zset *z = mem_alloc(sizeof(*z));
	struct keysort_item *items = sorted(b, room, n);
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
