/* store/types/zset.c - a sorted set over its two shapes. Part of the contract in zset.h. */
#include "store/types/zset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/types/listpack.h"
#include "store/types/zset_impl.h"

static bool is_big(const struct zset *z)
{
	return z->body & 1;
}

static struct zset_big *big_of(const struct zset *z)
{
	return (struct zset_big *)(z->body & ~(uintptr_t)1);
}

static unsigned char *lp_of(const struct zset *z)
{
	return (unsigned char *)z->body;
}

static void set_lp(struct zset *z, unsigned char *lp)
{
	z->body = (uintptr_t)lp;
}

/* --- the listpack: member, score, member, score, in order --- */

static double lp_score(const unsigned char *p)
{
	char buf[NUM_BUF];
	int64_t i;
	double score = 0;
	if (listpack_get_int(p, &i))
		return (double)i;
	num_parse_double(listpack_get(p, buf), &score);
	return score;
}

/* The score that follows the member at @p, and the next member in @next. */
static double lp_pair(unsigned char *lp, unsigned char *p, unsigned char **next)
{
	p = listpack_next(lp, p);
	*next = listpack_next(lp, p);
	return lp_score(p);
}

static size_t lp_pairs(const unsigned char *lp)
{
	return listpack_count(lp) / 2;
}

/* The member element equal to @member, or NULL. */
static unsigned char *lp_find(unsigned char *lp, struct bytes member)
{
	unsigned char *p = listpack_first(lp);
	return p ? listpack_find(lp, p, member, 1) : NULL;
}

/* The first member that does not stand before (@score, @member); NULL when all do. */
static unsigned char *lp_place(unsigned char *lp, double score, struct bytes member)
{
	char buf[NUM_BUF];
	unsigned char *next;
	for (unsigned char *p = listpack_first(lp); p; p = next) {
		double s = lp_pair(lp, p, &next);
		if (s > score || (s == score && bytes_cmp(listpack_get(p, buf), member) >= 0))
			return p;
	}
	return NULL;
}

static bool lp_remove(struct zset *z, unsigned char *p)
{
	unsigned char *lp = listpack_delete(lp_of(z), p, &p);
	set_lp(z, listpack_delete(lp, p, NULL));
	return true;
}

/* False when the listpack cannot grow; it is as it was. -0 is kept as the integer 0, as Redis has it in this shape. */
static bool lp_insert(struct zset *z, double score, struct bytes member)
{
	char buf[NUM_BUF];
	struct bytes text = bytes_of(buf, num_format_double(buf, score == 0 ? 0 : score));
	unsigned char *lp = lp_of(z), *p = lp_place(lp, score, member), *at;
	if (p) {
		lp = listpack_insert(lp, p, false, member, &at);
	} else {
		lp = listpack_append(lp, member);
		at = lp ? listpack_last(lp) : NULL;
	}
	if (!lp)
		return false;
	set_lp(z, lp);
	lp = listpack_insert(lp, at, true, text, NULL);
	if (lp)
		set_lp(z, lp);
	else
		set_lp(z, listpack_delete(lp_of(z), at, NULL));
	return lp != NULL;
}

unsigned char *zset_lp_append(unsigned char *lp, double score, struct bytes member)
{
	char buf[NUM_BUF];
	unsigned char *named = listpack_append(lp, member);
	unsigned char *whole = NULL;
	if (named)
		whole = listpack_append(
			named, bytes_of(buf, num_format_double(buf, score == 0 ? 0 : score)));
	if (!whole)
		listpack_free(named ? named : lp);
	return whole;
}

/* Pairs in front that have a score below @score, or equal to it with @or_equal. */
static size_t lp_below_score(unsigned char *lp, double score, bool or_equal)
{
	size_t n = 0;
	unsigned char *next;
	for (unsigned char *p = listpack_first(lp); p; p = next, n++) {
		double s = lp_pair(lp, p, &next);
		if (s > score || (s == score && !or_equal))
			break;
	}
	return n;
}

/* From the pair @from on: the first whose member is not below @b. */
static size_t lp_below_bytes(unsigned char *lp, size_t from, struct bytes b, bool or_equal)
{
	char buf[NUM_BUF];
	size_t n = from;
	unsigned char *next;
	for (unsigned char *p = listpack_seek(lp, (long)from * 2); p; p = next, n++) {
		int c = bytes_cmp(listpack_get(p, buf), b);
		if (c > 0 || (c == 0 && !or_equal))
			break;
		next = listpack_next(lp, listpack_next(lp, p));
	}
	return n;
}

/* --- table and tree --- */

void *zset_member_new(struct bytes name, double score)
{
	unsigned char *m = mem_try(RANKTREE_LEAD + varkey_size(name.n) + name.n);
	if (m) {
		memcpy(m, &score, sizeof(score));
		varkey_put(m + RANKTREE_LEAD, name);
	}
	return m;
}

struct zset_big *zset_big_new(size_t expected)
{
	struct zset_big *big = mem_alloc(sizeof(*big));
	table_init(&big->members, RANKTREE_LEAD);
	ranktree_init(&big->order, RANKTREE_LEAF_MAX, RANKTREE_INNER_MAX);
	if (expected)
		table_reserve(&big->members, expected);
	return big;
}

static void big_free(struct zset_big *big)
{
	struct ranktree_at at = ranktree_seek(&big->order, 0);
	void *m;
	while ((m = ranktree_member(at)) != NULL) {
		ranktree_next(&at);
		mem_free(m);
	}
	ranktree_fini(&big->order);
	table_fini(&big->members);
	mem_free(big);
}

static bool big_insert(struct zset_big *big, struct bytes name, uint64_t hash, double score)
{
	void *m = zset_member_new(name, score);
	if (!m)
		return false;
	table_insert(&big->members, word_make(m, 0), hash);
	ranktree_insert(&big->order, m);
	return true;
}

/* The member called @name, or NULL. */
static void *big_find(struct zset_big *big, struct bytes name)
{
	uint64_t *slot = table_find(&big->members, name, keyhash(name));
	return slot ? word_ptr(*slot) : NULL;
}

/* Drop a member that has left the tree. */
static void big_gone(void *arg, void *member)
{
	struct zset_big *big = arg;
	struct bytes name = ranktree_bytes(member);
	uint64_t hash = keyhash(name);
	table_take(&big->members, table_find(&big->members, name, hash), hash);
	mem_free(member);
}

/* Turn a listpack into the big shape. False when there is no memory; the set is as it was. */
static bool enlarge(struct zset *z)
{
	unsigned char *lp = lp_of(z), *next;
	struct zset_big *big = zset_big_new(lp_pairs(lp));
	for (unsigned char *p = listpack_first(lp); p; p = next) {
		char buf[NUM_BUF];
		struct bytes name = listpack_get(p, buf);
		double score = lp_pair(lp, p, &next);
		if (!big_insert(big, name, keyhash(name), score)) {
			big_free(big);
			return false;
		}
	}
	listpack_free(lp);
	z->body = (uintptr_t)big | 1;
	return true;
}

/* --- the set --- */

struct zset *zset_new(size_t first_len, size_t expected, const struct type_limits *lim)
{
	struct zset *z = mem_alloc(sizeof(*z));
	if (expected > lim->zset_max_listpack_entries || first_len > lim->zset_max_listpack_value ||
	    lim->zset_max_listpack_entries == 0)
		z->body = (uintptr_t)zset_big_new(0) | 1;
	else
		set_lp(z, listpack_new(0));
	return z;
}

void zset_free(struct zset *z)
{
	if (is_big(z))
		big_free(big_of(z));
	else
		listpack_free(lp_of(z));
	mem_free(z);
}

struct zset *zset_dup(struct zset *z)
{
	struct zset *copy = mem_alloc(sizeof(*copy));
	if (!is_big(z)) {
		set_lp(copy, listpack_dup(lp_of(z)));
		return copy;
	}
	struct zset_big *big = zset_big_new(zset_count(z));
	copy->body = (uintptr_t)big | 1;
	struct ranktree_at at = ranktree_seek(&big_of(z)->order, 0);
	for (void *m; (m = ranktree_member(at)) != NULL; ranktree_next(&at)) {
		struct bytes name = ranktree_bytes(m);
		if (!big_insert(big, name, keyhash(name), ranktree_score(m))) {
			zset_free(copy);
			return NULL;
		}
	}
	return copy;
}

size_t zset_count(const struct zset *z)
{
	return is_big(z) ? big_of(z)->order.count : lp_pairs(lp_of(z));
}

static enum store_err small_add(struct zset *z, struct bytes member, double score, bool *added,
				bool *changed)
{
	unsigned char *p = lp_find(lp_of(z), member);
	*added = p == NULL;
	*changed = false;
	if (p) {
		unsigned char *next;
		if (lp_pair(lp_of(z), p, &next) == score)
			return STORE_OK;
		lp_remove(z, p);
	}
	if (!lp_insert(z, score, member))
		return STORE_ENOMEM;
	*changed = true;
	return STORE_OK;
}

static enum store_err big_add(struct zset_big *big, struct bytes member, double score, bool *added,
			      bool *changed)
{
	uint64_t hash = keyhash(member);
	uint64_t *slot = table_find(&big->members, member, hash);
	*added = *changed = false;
	if (slot) {
		void *m = word_ptr(*slot);
		if (ranktree_score(m) == score)
			return STORE_OK;
		ranktree_rescore(&big->order, m, score);
	} else {
		if (!big_insert(big, member, hash, score))
			return STORE_ENOMEM;
		*added = true;
	}
	*changed = true;
	return STORE_OK;
}

/* Whether @member may be put into the listpack. */
static bool fits_small(const struct zset *z, struct bytes member, const struct type_limits *lim)
{
	const unsigned char *lp = lp_of(z);
	if (member.n > lim->zset_max_listpack_value ||
	    listpack_bytes(lp) + member.n + 2 * NUM_BUF > LISTPACK_MAX)
		return false;
	return lp_pairs(lp) < lim->zset_max_listpack_entries || lp_find(lp_of(z), member);
}

enum store_err zset_add(struct zset *z, struct bytes member, double score,
			const struct type_limits *lim, bool *added, bool *changed)
{
	*added = *changed = false;
	if (isnan(score))
		return STORE_ENAN;
	if (!is_big(z) && !fits_small(z, member, lim) && !enlarge(z))
		return STORE_ENOMEM;
	return is_big(z) ? big_add(big_of(z), member, score, added, changed)
			 : small_add(z, member, score, added, changed);
}

bool zset_score(struct zset *z, struct bytes member, double *score)
{
	if (is_big(z)) {
		void *m = big_find(big_of(z), member);
		if (m)
			*score = ranktree_score(m);
		return m != NULL;
	}
	unsigned char *p = lp_find(lp_of(z), member), *next;
	if (p)
		*score = lp_pair(lp_of(z), p, &next);
	return p != NULL;
}

bool zset_remove(struct zset *z, struct bytes member)
{
	if (!is_big(z)) {
		unsigned char *p = lp_find(lp_of(z), member);
		return p && lp_remove(z, p);
	}
	struct zset_big *big = big_of(z);
	uint64_t hash = keyhash(member);
	uint64_t *slot = table_find(&big->members, member, hash);
	if (!slot)
		return false;
	void *m = word_ptr(table_take(&big->members, slot, hash));
	ranktree_remove(&big->order, m);
	mem_free(m);
	return true;
}

bool zset_rank(struct zset *z, struct bytes member, size_t *rank)
{
	if (is_big(z)) {
		void *m = big_find(big_of(z), member);
		if (m)
			*rank = ranktree_rank(&big_of(z)->order, m);
		return m != NULL;
	}
	unsigned char *lp = lp_of(z), *next;
	size_t n = 0;
	for (unsigned char *p = listpack_first(lp); p; p = next, n++) {
		if (listpack_equal(p, member)) {
			*rank = n;
			return true;
		}
		next = listpack_next(lp, listpack_next(lp, p));
	}
	return false;
}

/* --- ranges --- */

static size_t below_score(struct zset *z, double score, bool or_equal)
{
	return is_big(z) ? ranktree_below_score(&big_of(z)->order, score, or_equal)
			 : lp_below_score(lp_of(z), score, or_equal);
}

static size_t below_bytes(struct zset *z, size_t from, struct bytes b, bool or_equal)
{
	return is_big(z) ? ranktree_below_bytes(&big_of(z)->order, b, or_equal)
			 : lp_below_bytes(lp_of(z), from, b, or_equal);
}

void zset_range_by_score(struct zset *z, const struct zset_score_range *r, size_t *first,
			 size_t *count)
{
	*first = *count = 0;
	if (r->min > r->max || (r->min == r->max && (r->min_open || r->max_open)))
		return;
	*first = below_score(z, r->min, r->min_open);
	size_t end = below_score(z, r->max, !r->max_open);
	*count = end > *first ? end - *first : 0;
}

static bool lex_range_empty(const struct zset_lex_range *r)
{
	if (r->min_is_pos_inf || r->max_is_neg_inf)
		return true;
	if (r->min_is_neg_inf || r->max_is_pos_inf)
		return false;
	int c = bytes_cmp(r->min, r->max);
	return c > 0 || (c == 0 && (r->min_open || r->max_open));
}

/* Whether the last member reaches the range and the first does not pass it. Where scores differ, and a range by bytes means
 * little, this is the part of Redis's answer that is certain. */
static bool lex_range_met(struct zset *z, const struct zset_lex_range *r)
{
	struct zset_iter it;
	struct bytes member;
	double score;
	zset_iter_begin(&it, z, zset_count(z) - 1, false);
	if (!zset_iter_next(&it, &member, &score))
		return false;
	int c = r->min_is_neg_inf ? 1 : bytes_cmp(member, r->min);
	if (c < 0 || (c == 0 && r->min_open))
		return false;
	zset_iter_begin(&it, z, 0, false);
	zset_iter_next(&it, &member, &score);
	c = r->max_is_pos_inf ? -1 : bytes_cmp(member, r->max);
	return c < 0 || (c == 0 && !r->max_open);
}

void zset_range_by_lex(struct zset *z, const struct zset_lex_range *r, size_t *first, size_t *count)
{
	*first = *count = 0;
	if (lex_range_empty(r) || !lex_range_met(z, r))
		return;
	*first = r->min_is_neg_inf ? 0 : below_bytes(z, 0, r->min, r->min_open);
	size_t end =
		r->max_is_pos_inf ? zset_count(z) : below_bytes(z, *first, r->max, !r->max_open);
	*count = end > *first ? end - *first : 0;
}

size_t zset_remove_ranks(struct zset *z, size_t first, size_t count)
{
	size_t n = zset_count(z);
	if (first >= n)
		return 0;
	if (count > n - first)
		count = n - first;
	if (is_big(z))
		ranktree_remove_ranks(&big_of(z)->order, first, count, big_gone, big_of(z));
	else if (count)
		set_lp(z, listpack_delete_range(lp_of(z), (long)first * 2, count * 2));
	return count;
}

/* --- walking --- */

void zset_iter_begin(struct zset_iter *it, struct zset *z, size_t rank, bool backwards)
{
	it->z = z;
	it->backwards = backwards;
	it->leaf = NULL;
	it->pos = 0;
	it->at = NULL;
	if (is_big(z)) {
		struct ranktree_at at = ranktree_seek(&big_of(z)->order, rank);
		it->leaf = at.leaf;
		it->pos = at.pos;
		it->done = at.leaf == NULL;
	} else {
		it->at = rank < zset_count(z) ? listpack_seek(lp_of(z), (long)rank * 2) : NULL;
		it->done = it->at == NULL;
	}
}

static void iter_big(struct zset_iter *it, struct bytes *member, double *score)
{
	struct ranktree_at at = {it->leaf, it->pos};
	void *m = ranktree_member(at);
	*member = ranktree_bytes(m);
	*score = ranktree_score(m);
	if (it->backwards)
		ranktree_prev(&at);
	else
		ranktree_next(&at);
	it->leaf = at.leaf;
	it->pos = at.pos;
	it->done = at.leaf == NULL;
}

bool zset_iter_next(struct zset_iter *it, struct bytes *member, double *score)
{
	if (it->done)
		return false;
	if (is_big(it->z)) {
		iter_big(it, member, score);
		return true;
	}
	unsigned char *lp = lp_of(it->z), *next;
	*member = listpack_get(it->at, it->buf);
	*score = lp_pair(lp, it->at, &next);
	if (it->backwards) {
		next = listpack_prev(lp, it->at);
		next = next ? listpack_prev(lp, next) : NULL;
	}
	it->at = next;
	it->done = next == NULL;
	return true;
}

bool zset_random(struct zset *z, struct rng *rng, char *buf, struct bytes *member, double *score)
{
	struct zset_iter it;
	size_t n = zset_count(z);
	if (n == 0)
		return false;
	zset_iter_begin(&it, z, rng_below(rng, n), false);
	zset_iter_next(&it, member, score);
	if (member->p == it.buf) {
		memcpy(buf, it.buf, member->n);
		member->p = buf;
	}
	return true;
}

/* Knuth's selection sampling: one pass over everything, for samples that are a large part of it. */
static void sample_walk(struct zset *z, struct rng *rng, size_t n,
			void (*fn)(void *arg, struct bytes member, double score), void *arg)
{
	struct zset_iter it;
	struct bytes member;
	double score;
	size_t left = zset_count(z);
	zset_iter_begin(&it, z, 0, false);
	for (; n && zset_iter_next(&it, &member, &score); left--) {
		if (rng_below(rng, left) >= n)
			continue;
		fn(arg, member, score);
		n--;
	}
}

static int compare_ranks(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	return (x > y) - (x < y);
}

/* Draw @n different ranks below @count, in order; those drawn twice are drawn anew. */
static void draw_ranks(size_t *ranks, size_t n, size_t count, struct rng *rng)
{
	for (size_t have = 0; have < n;) {
		for (size_t i = have; i < n; i++)
			ranks[i] = rng_below(rng, count);
		qsort(ranks, n, sizeof(*ranks), compare_ranks);
		have = 1;
		for (size_t i = 1; i < n; i++)
			if (ranks[i] != ranks[have - 1])
				ranks[have++] = ranks[i];
	}
}

void zset_sample(struct zset *z, struct rng *rng, size_t n,
		 void (*fn)(void *arg, struct bytes member, double score), void *arg)
{
	size_t count = zset_count(z);
	if (!is_big(z) || n >= count / 16) {
		sample_walk(z, rng, n < count ? n : count, fn, arg);
		return;
	}
	size_t *ranks = n ? mem_alloc(n * sizeof(*ranks)) : NULL;
	draw_ranks(ranks, n, count, rng);
	for (size_t i = 0; i < n; i++) {
		void *m = ranktree_member(ranktree_seek(&big_of(z)->order, ranks[i]));
		fn(arg, ranktree_bytes(m), ranktree_score(m));
	}
	mem_free(ranks);
}

struct scan {
	void (*fn)(void *arg, struct bytes member, double score);
	void *arg;
};

static void scan_word(void *arg, uint64_t *slot)
{
	struct scan *s = arg;
	void *m = word_ptr(*slot);
	s->fn(s->arg, ranktree_bytes(m), ranktree_score(m));
}

uint64_t zset_scan(struct zset *z, uint64_t cursor,
		   void (*fn)(void *arg, struct bytes member, double score), void *arg)
{
	struct scan s = {fn, arg};
	if (is_big(z))
		return table_scan(&big_of(z)->members, cursor, WORD_ALL_KINDS, scan_word, &s);
	struct zset_iter it;
	struct bytes member;
	double score;
	zset_iter_begin(&it, z, 0, false);
	while (zset_iter_next(&it, &member, &score))
		fn(arg, member, score);
	return 0;
}

/* --- shape --- */

void zset_compact(struct zset *z, const struct type_limits *lim)
{
	if (!is_big(z) || zset_count(z) > lim->zset_max_listpack_entries)
		return;
	struct zset_big *big = big_of(z);
	struct ranktree_at at = ranktree_seek(&big->order, 0);
	size_t total = 0;
	for (void *m; (m = ranktree_member(at)) != NULL; ranktree_next(&at)) {
		struct bytes name = ranktree_bytes(m);
		total += name.n + 2 * NUM_BUF;
		if (name.n > lim->zset_max_listpack_value || total > LISTPACK_MAX)
			return;
	}
	struct zset small = {0};
	set_lp(&small, listpack_new(total));
	at = ranktree_seek(&big->order, 0);
	for (void *m; (m = ranktree_member(at)) != NULL; ranktree_next(&at)) {
		if (!lp_insert(&small, ranktree_score(m), ranktree_bytes(m))) {
			listpack_free(lp_of(&small));
			return;
		}
	}
	big_free(big);
	z->body = small.body;
}

const unsigned char *zset_listpack(const struct zset *z)
{
	return is_big(z) ? NULL : lp_of(z);
}

struct zset *zset_adopt(unsigned char *lp, const struct type_limits *lim)
{
	struct zset *z = mem_alloc(sizeof(*z));
	bool fits = lp_pairs(lp) <= lim->zset_max_listpack_entries;
	char buf[NUM_BUF];
	unsigned char *next;

	for (unsigned char *p = listpack_first(lp); p && fits; p = next) {
		fits = listpack_get(p, buf).n <= lim->zset_max_listpack_value;
		lp_pair(lp, p, &next);
	}
	set_lp(z, lp);
	if (fits || enlarge(z))
		return z;
	zset_free(z);
	return NULL;
}

const char *zset_encoding(const struct zset *z)
{
	return is_big(z) ? "skiplist" : "listpack";
}

size_t zset_mem(struct zset *z, unsigned samples)
{
	if (!is_big(z))
		return mem_size(z) + mem_size(lp_of(z));
	struct zset_big *big = big_of(z);
	struct ranktree_at at = ranktree_seek(&big->order, 0);
	size_t seen = 0, bytes = 0;
	for (void *m; (m = ranktree_member(at)) != NULL; ranktree_next(&at)) {
		if (samples && seen == samples)
			break;
		bytes += mem_size(m);
		seen++;
	}
	if (seen)
		bytes = (size_t)((double)bytes / (double)seen * (double)big->order.count);
	return mem_size(z) + mem_size(big) + table_mem(&big->members) + ranktree_mem(&big->order) +
	       bytes;
}

size_t zset_effort(const struct zset *z)
{
	return is_big(z) ? big_of(z)->order.count + 1 : 1;
}

struct table *zset_table(struct zset *z)
{
	return is_big(z) ? &big_of(z)->members : NULL;
}

/* --- the invariants --- */

#define MUST(cond)                                                                                 \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "zset_check: %s (%s:%d)\n", #cond, __FILE__, __LINE__);    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static void check_small(struct zset *z, const struct type_limits *lim)
{
	unsigned char *lp = lp_of(z), *next, *before = NULL;
	double last = 0;
	MUST(listpack_valid(lp, listpack_bytes(lp)));
	MUST(listpack_count(lp) % 2 == 0);
	MUST(lp_pairs(lp) <= lim->zset_max_listpack_entries);
	for (unsigned char *p = listpack_first(lp); p; p = next) {
		char a[NUM_BUF], b[NUM_BUF];
		struct bytes name = listpack_get(p, a);
		double score = lp_pair(lp, p, &next);
		MUST(!isnan(score));
		MUST(name.n <= lim->zset_max_listpack_value);
		MUST(lp_find(lp, name) == p);
		MUST(!before || last < score ||
		     (last == score && bytes_cmp(listpack_get(before, b), name) < 0));
		before = p;
		last = score;
	}
}

void zset_check(struct zset *z, const struct type_limits *lim)
{
	if (!is_big(z)) {
		check_small(z, lim);
		return;
	}
	struct zset_big *big = big_of(z);
	table_check(&big->members);
	ranktree_check(&big->order);
	MUST(table_count(&big->members) == big->order.count);
	struct ranktree_at at = ranktree_seek(&big->order, 0);
	for (void *m; (m = ranktree_member(at)) != NULL; ranktree_next(&at)) {
		MUST(big_find(big, ranktree_bytes(m)) == m);
		MUST(!isnan(ranktree_score(m)));
	}
}
