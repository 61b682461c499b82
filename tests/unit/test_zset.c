/* The sorted set, small and big, against a sorted array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/types/zset.h"

#define MODEL_MAX 600

struct pair {
	char name[24];
	double score;
};

struct model {
	struct zset *z;
	struct type_limits lim;
	struct pair v[MODEL_MAX + 1]; /* in order */
	size_t n;
	struct rng rng;
};

static uint64_t seed;

static int pair_cmp(const struct pair *a, const struct pair *b)
{
	if (a->score != b->score)
		return a->score < b->score ? -1 : 1;
	return bytes_cmp(bytes_str(a->name), bytes_str(b->name));
}

static size_t model_find(const struct model *m, const char *name)
{
	size_t i = 0;
	while (i < m->n && strcmp(m->v[i].name, name) != 0)
		i++;
	return i;
}

static void model_cut(struct model *m, size_t at, size_t n)
{
	m->n -= n;
	memmove(m->v + at, m->v + at + n, (m->n - at) * sizeof(m->v[0]));
}

static void model_put(struct model *m, const struct pair *p)
{
	size_t at = model_find(m, p->name);
	if (at < m->n)
		model_cut(m, at, 1);
	for (at = 0; at < m->n && pair_cmp(&m->v[at], p) < 0;)
		at++;
	memmove(m->v + at + 1, m->v + at, (m->n - at) * sizeof(m->v[0]));
	m->v[at] = *p;
	m->n++;
}

/* Names that a listpack keeps as integers, short ones, ones with a common prefix. */
static struct pair some_pair(struct model *m)
{
	struct pair p;
	uint64_t r = rng_below(&m->rng, MODEL_MAX * 2);
	const char *const forms[] = {"%u", "%u.", "member:%06u"};
	snprintf(p.name, sizeof(p.name), forms[r % 3], (unsigned)r);
	switch (rng_below(&m->rng, 4)) {
	case 0:
		p.score = (double)rng_below(&m->rng, 10) - 5;
		break;
	case 1:
		p.score = rng_unit(&m->rng);
		break;
	case 2:
		p.score = rng_below(&m->rng, 2) ? INFINITY : -INFINITY;
		break;
	default:
		p.score = ldexp(rng_unit(&m->rng) - 0.5, (int)rng_below(&m->rng, 1000));
	}
	return p;
}

static void compare_walks(struct model *m)
{
	struct zset_iter it;
	struct bytes member;
	double score;
	assert_int_equal(zset_count(m->z), m->n);
	zset_iter_begin(&it, m->z, 0, false);
	for (size_t i = 0; i < m->n; i++) {
		assert_true(zset_iter_next(&it, &member, &score));
		assert_true(bytes_eq(member, bytes_str(m->v[i].name)));
		assert_true(score == m->v[i].score);
	}
	assert_false(zset_iter_next(&it, &member, &score));
	size_t from = m->n ? rng_below(&m->rng, m->n) : 0;
	zset_iter_begin(&it, m->z, from, true);
	for (size_t i = from + 1; m->n && i-- > 0;) {
		assert_true(zset_iter_next(&it, &member, &score));
		assert_true(bytes_eq(member, bytes_str(m->v[i].name)));
	}
	assert_false(zset_iter_next(&it, &member, &score));
}

static void compare_lookups(struct model *m)
{
	struct pair p = some_pair(m);
	size_t at = model_find(m, p.name), rank;
	double score;
	assert_int_equal(zset_score(m->z, bytes_str(p.name), &score), at < m->n);
	assert_int_equal(zset_rank(m->z, bytes_str(p.name), &rank), at < m->n);
	if (at < m->n) {
		assert_true(score == m->v[at].score);
		assert_int_equal(rank, at);
	}
}

static void compare_ranges(struct model *m)
{
	struct zset_score_range r = {some_pair(m).score, some_pair(m).score, rng_below(&m->rng, 2),
				     rng_below(&m->rng, 2)};
	size_t first, count, want = 0;
	zset_range_by_score(m->z, &r, &first, &count);
	for (size_t i = 0; i < m->n; i++) {
		double s = m->v[i].score;
		if ((r.min_open ? s > r.min : s >= r.min) &&
		    (r.max_open ? s < r.max : s <= r.max)) {
			assert_true(i >= first);
			want++;
		}
	}
	assert_int_equal(count, want);
}

static void step(struct model *m, unsigned grow)
{
	uint64_t what = rng_below(&m->rng, 100);
	struct pair p = some_pair(m);
	bool added, changed;
	size_t at = model_find(m, p.name);
	if (what < grow && (m->n < MODEL_MAX || at < m->n)) {
		bool same = at < m->n && m->v[at].score == p.score;
		assert_int_equal(
			zset_add(m->z, bytes_str(p.name), p.score, &m->lim, &added, &changed),
			STORE_OK);
		assert_int_equal(added, at == m->n);
		assert_int_equal(changed, !same);
		model_put(m, &p);
	} else if (what < 98) {
		assert_int_equal(zset_remove(m->z, bytes_str(p.name)), at < m->n);
		if (at < m->n)
			model_cut(m, at, 1);
	} else if (m->n) {
		size_t first = rng_below(&m->rng, m->n), n = rng_below(&m->rng, 20);
		size_t there = n < m->n - first ? n : m->n - first;
		assert_int_equal(zset_remove_ranks(m->z, first, n), there);
		model_cut(m, first, there);
	}
}

static void run_random(size_t entries, int steps)
{
	static struct model m;
	m = (struct model){.lim = TYPE_LIMITS_DEFAULT};
	m.lim.zset_max_listpack_entries = entries;
	rng_seed(&m.rng, seed + entries);
	m.z = zset_new(1, 1, &m.lim);
	for (int i = 0; i < steps; i++) {
		step(&m, i / (steps / 4) % 2 ? 30 : 80);
		zset_check(m.z, &m.lim);
		compare_lookups(&m);
		compare_ranges(&m);
		if (i % 8 == 0)
			compare_walks(&m);
		if (i % 512 == 511) {
			struct zset *copy = zset_dup(m.z);
			zset_free(m.z);
			m.z = copy;
			zset_compact(m.z, &m.lim);
		}
	}
	zset_free(m.z);
}

/* After every step a set, small, big or changing between the two, holds what a sorted array holds. */
static void test_zset_equals_sorted_array(void **state)
{
	(void)state;
	run_random(100000, 1500);
	run_random(0, 4000);
	run_random(128, 4000);
}

/* NaN is refused and changes nothing; -0 is the place of 0, and 0 itself in a listpack. */
static void test_odd_scores(void **state)
{
	(void)state;
	struct type_limits lim = TYPE_LIMITS_DEFAULT;
	for (size_t entries = 0; entries < 200; entries += 128) {
		bool added, changed;
		double score;
		size_t rank;
		lim.zset_max_listpack_entries = entries;
		struct zset *z = zset_new(1, 1, &lim);
		assert_int_equal(zset_add(z, BYTES("a"), NAN, &lim, &added, &changed), STORE_ENAN);
		assert_int_equal(zset_count(z), 0);
		zset_add(z, BYTES("b"), -0.0, &lim, &added, &changed);
		zset_add(z, BYTES("a"), 0.0, &lim, &added, &changed);
		zset_add(z, BYTES("c"), 0.0, &lim, &added, &changed);
		assert_true(zset_rank(z, BYTES("b"), &rank) && rank == 1);
		zset_add(z, BYTES("b"), 0.0, &lim, &added, &changed);
		assert_false(changed);
		assert_true(zset_score(z, BYTES("b"), &score) && !signbit(score) == (entries > 0));
		zset_check(z, &lim);
		zset_free(z);
	}
}

/* The limits of the configuration choose the shape, and compacting goes back. */
static void test_shapes(void **state)
{
	(void)state;
	struct type_limits lim = TYPE_LIMITS_DEFAULT;
	bool added, changed;
	struct zset *z = zset_new(64, 1, &lim);
	assert_string_equal(zset_encoding(z), "listpack");
	for (int i = 0; i < 128; i++) {
		char name[16];
		int n = snprintf(name, sizeof(name), "m%d", i);
		zset_add(z, bytes_of(name, (size_t)n), i, &lim, &added, &changed);
	}
	zset_add(z, BYTES("m5"), 9, &lim, &added, &changed);
	assert_string_equal(zset_encoding(z), "listpack");
	zset_add(z, BYTES("one more"), 9, &lim, &added, &changed);
	assert_string_equal(zset_encoding(z), "skiplist");
	zset_compact(z, &lim);
	assert_string_equal(zset_encoding(z), "skiplist");
	zset_remove(z, BYTES("m7"));
	zset_compact(z, &lim);
	assert_string_equal(zset_encoding(z), "listpack");
	zset_check(z, &lim);
	zset_free(z);
	z = zset_new(65, 1, &lim);
	assert_string_equal(zset_encoding(z), "skiplist");
	zset_free(z);
}

/* By bytes, with equal scores, a range is what lies between its ends. */
static void test_lex_ranges(void **state)
{
	(void)state;
	struct type_limits lim = TYPE_LIMITS_DEFAULT;
	for (size_t entries = 0; entries < 200; entries += 128) {
		bool added, changed;
		size_t first, count;
		lim.zset_max_listpack_entries = entries;
		struct zset *z = zset_new(1, 1, &lim);
		for (char c = 'a'; c <= 'z'; c++)
			zset_add(z, bytes_of(&c, 1), 7, &lim, &added, &changed);
		struct zset_lex_range r = {.min = BYTES("c"), .max = BYTES("f")};
		zset_range_by_lex(z, &r, &first, &count);
		assert_true(first == 2 && count == 4);
		r.min_open = r.max_open = true;
		zset_range_by_lex(z, &r, &first, &count);
		assert_true(first == 3 && count == 2);
		r.min_is_neg_inf = true;
		zset_range_by_lex(z, &r, &first, &count);
		assert_true(first == 0 && count == 5);
		r.max_is_pos_inf = true;
		zset_range_by_lex(z, &r, &first, &count);
		assert_true(first == 0 && count == 26);
		r.min_is_pos_inf = true;
		zset_range_by_lex(z, &r, &first, &count);
		assert_int_equal(count, 0);
		r = (struct zset_lex_range){.min = BYTES("x"), .max = BYTES("b")};
		zset_range_by_lex(z, &r, &first, &count);
		assert_int_equal(count, 0);
		zset_free(z);
	}
}

static void mark_seen(void *arg, struct bytes member, double score)
{
	unsigned char *seen = arg;
	(void)score;
	seen[atoi(member.p + 1)]++;
}

/* A scan hands out every member, and a random one is a member. */
static void test_scan_and_random(void **state)
{
	(void)state;
	struct type_limits lim = TYPE_LIMITS_DEFAULT;
	struct rng rng;
	rng_seed(&rng, seed);
	for (int n = 100; n <= 5000; n *= 50) {
		unsigned char seen[5000] = {0};
		bool added, changed;
		struct zset *z = zset_new(1, 1, &lim);
		for (int i = 0; i < n; i++) {
			char name[16];
			int len = snprintf(name, sizeof(name), "m%d", i);
			/* A blank ends the number for atoi. */
			name[len] = ' ';
			zset_add(z, bytes_of(name, (size_t)len + 1), i % 17, &lim, &added,
				 &changed);
		}
		uint64_t cursor = 0;
		do {
			cursor = zset_scan(z, cursor, mark_seen, seen);
		} while (cursor);
		for (int i = 0; i < n; i++)
			assert_true(seen[i] > 0);
		for (int i = 0; i < 100; i++) {
			char buf[NUM_BUF];
			struct bytes member;
			double score, again;
			assert_true(zset_random(z, &rng, buf, &member, &score));
			assert_true(zset_score(z, member, &again) && again == score);
		}
		assert_true(zset_mem(z, 5) > 0 && zset_mem(z, 0) > 0);
		zset_free(z);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zset_equals_sorted_array),
		cmocka_unit_test(test_odd_scores),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_lex_ranges),
		cmocka_unit_test(test_scan_and_random),
	};
	const char *given = getenv("INODIS_SEED");
	seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
	printf("seed %llu\n", (unsigned long long)seed);
	mem_thread_register();
	keyhash_seed((const uint8_t *)"0123456789abcdef");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
