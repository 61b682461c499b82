/* The counted B+tree against a sorted array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store/base/mem.h"
#include "store/base/num.h"
#include "store/base/rng.h"
#include "store/types/ranktree.h"

#define MODEL_MAX 3000

struct model {
	struct ranktree t;
	void *v[MODEL_MAX]; /* in order */
	size_t n;
	uint64_t serial;
	struct rng rng;
};

static uint64_t seed;

static void *member_new(double score, struct bytes name)
{
	unsigned char *m = mem_alloc(RANKTREE_LEAD + varkey_size(name.n) + name.n);
	memcpy(m, &score, sizeof(score));
	varkey_put(m + RANKTREE_LEAD, name);
	return m;
}

static bool member_less(double score, struct bytes name, const void *b)
{
	double other = ranktree_score(b);
	if (score != other)
		return score < other;
	return bytes_cmp(name, ranktree_bytes(b)) < 0;
}

static size_t model_place(const struct model *m, double score, struct bytes name)
{
	size_t lo = 0, hi = m->n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (member_less(score, name, m->v[mid]))
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static void model_insert(struct model *m, void *member)
{
	size_t at = model_place(m, ranktree_score(member), ranktree_bytes(member));
	memmove(m->v + at + 1, m->v + at, (m->n - at) * sizeof(void *));
	m->v[at] = member;
	m->n++;
}

static void model_cut(struct model *m, size_t at, size_t n)
{
	m->n -= n;
	memmove(m->v + at, m->v + at + n, (m->n - at) * sizeof(void *));
}

static void model_compare(struct model *m)
{
	ranktree_check(&m->t);
	assert_int_equal(m->t.count, m->n);
	struct ranktree_at at = ranktree_seek(&m->t, 0);
	for (size_t i = 0; i < m->n; i++) {
		assert_ptr_equal(ranktree_member(at), m->v[i]);
		ranktree_next(&at);
	}
	assert_null(ranktree_member(at));
	for (int i = 0; m->n && i < 4; i++) {
		size_t r = rng_below(&m->rng, m->n);
		assert_int_equal(ranktree_rank(&m->t, m->v[r]), r);
		at = ranktree_seek(&m->t, r);
		assert_ptr_equal(ranktree_member(at), m->v[r]);
		ranktree_prev(&at);
		assert_ptr_equal(ranktree_member(at), r ? m->v[r - 1] : NULL);
	}
}

/* Kinds of scores: spread, few values (ties), rising, falling, extremes. */
static double some_score(struct model *m, int kind)
{
	static const double edge[] = {0.0, -0.0, 1, -1, 5e-324, -5e-324, 1.7e308, -1.7e308};
	switch (kind) {
	case 0:
		return rng_unit(&m->rng) * 1e6 - 5e5;
	case 1:
		return (double)rng_below(&m->rng, 3);
	case 2:
		return (double)m->serial;
	case 3:
		return -(double)m->serial;
	case 4:
		return rng_below(&m->rng, 9) ? ldexp(rng_unit(&m->rng) - 0.5,
						     (int)rng_below(&m->rng, 2000) - 1000)
					     : (rng_below(&m->rng, 2) ? INFINITY : -INFINITY);
	case 5:
		return edge[rng_below(&m->rng, 8)];
	default:
		return (double)m->serial + (double)rng_below(&m->rng, 200);
	}
}

static void gone(void *arg, void *member)
{
	struct model *m = arg;
	m->serial++;
	mem_free(member);
}

static void check_bounds(struct model *m, double score)
{
	for (int eq = 0; eq < 2; eq++) {
		size_t want = 0;
		while (want < m->n && (ranktree_score(m->v[want]) < score ||
				       (eq && ranktree_score(m->v[want]) == score)))
			want++;
		assert_int_equal(ranktree_below_score(&m->t, score, eq), want);
	}
}

static void one_step(struct model *m, int kind, unsigned grow)
{
	char buf[NUM_BUF];
	uint64_t what = rng_below(&m->rng, 100);
	m->serial++;
	if (m->n < MODEL_MAX && (m->n == 0 || what < grow)) {
		size_t len = num_format_int(buf, (int64_t)(m->serial * 7919 % 100003));
		buf[len++] = '.';
		len += num_format_int(buf + len, (int64_t)m->serial);
		void *member = member_new(some_score(m, kind), bytes_of(buf, len));
		model_insert(m, member);
		ranktree_insert(&m->t, member);
	} else if (what < 80) {
		size_t at = rng_below(&m->rng, m->n);
		void *member = m->v[at];
		double score =
			rng_below(&m->rng, 3) ? some_score(m, kind) : ranktree_score(member) + 1e-9;
		double was = ranktree_score(member);
		model_cut(m, at, 1);
		memcpy(member, &score, sizeof(score));
		model_insert(m, member);
		memcpy(member, &was, sizeof(was));
		ranktree_rescore(&m->t, member, score);
	} else if (what < 99) {
		size_t at = rng_below(&m->rng, m->n);
		void *member = m->v[at];
		model_cut(m, at, 1);
		ranktree_remove(&m->t, member);
		mem_free(member);
	} else {
		size_t first = rng_below(&m->rng, m->n);
		size_t n = rng_below(&m->rng, m->n - first < 300 ? m->n - first + 1 : 300);
		model_cut(m, first, n);
		ranktree_remove_ranks(&m->t, first, n, gone, m);
	}
	if (rng_below(&m->rng, 16) == 0)
		check_bounds(m, some_score(m, kind));
}

static void run_random(unsigned leaf_max, unsigned inner_max, int kind, int steps)
{
	static struct model m;
	m = (struct model){.n = 0};
	rng_seed(&m.rng, seed + (uint64_t)kind);
	ranktree_init(&m.t, leaf_max, inner_max);
	for (int i = 0; i < steps; i++) {
		one_step(&m, kind, i / (steps / 4) % 2 ? 25 : 70);
		if (m.n < 300 || i % 16 == 0)
			model_compare(&m);
		else
			assert_int_equal(m.t.count, m.n);
	}
	model_compare(&m);
	ranktree_fini(&m.t);
	for (size_t i = 0; i < m.n; i++)
		mem_free(m.v[i]);
}

/* After every step the tree holds what a sorted array holds, in its order and with its ranks, for deep and flat trees and
 * for scores of every distribution. */
static void test_tree_equals_sorted_array(void **state)
{
	(void)state;
	for (int kind = 0; kind < 7; kind++) {
		run_random(4, 4, kind, 2500);
		run_random(9, 5, kind, 2500);
		run_random(RANKTREE_LEAF_MAX, RANKTREE_INNER_MAX, kind, 6000);
	}
}

/* With equal scores the bounds by bytes count the members below. */
static void test_bounds_by_bytes(void **state)
{
	(void)state;
	struct ranktree t;
	void *v[500];
	char buf[16];
	ranktree_init(&t, 8, 4);
	for (int i = 0; i < 500; i++) {
		snprintf(buf, sizeof(buf), "%04d", i * 2);
		v[i] = member_new(1, bytes_str(buf));
	}
	for (int i = 0; i < 500; i++)
		ranktree_insert(&t, v[(i * 77) % 500]);
	ranktree_check(&t);
	for (int i = 0; i < 1000; i++) {
		snprintf(buf, sizeof(buf), "%04d", i);
		assert_int_equal(ranktree_below_bytes(&t, bytes_str(buf), false), (i + 1) / 2);
		assert_int_equal(ranktree_below_bytes(&t, bytes_str(buf), true), i / 2 + 1);
	}
	ranktree_fini(&t);
	for (int i = 0; i < 500; i++)
		mem_free(v[i]);
}

/* Members that come in order, rising or falling, leave full leaves behind. */
static void test_ordered_inserts_fill_leaves(void **state)
{
	(void)state;
	for (int down = 0; down < 2; down++) {
		struct ranktree t;
		static void *v[20000];
		ranktree_init(&t, RANKTREE_LEAF_MAX, RANKTREE_INNER_MAX);
		for (int i = 0; i < 20000; i++) {
			v[i] = member_new(down ? -i : i, BYTES("m"));
			ranktree_insert(&t, v[i]);
		}
		ranktree_check(&t);
		assert_true(ranktree_mem(&t) < 20000 * 9);
		ranktree_fini(&t);
		for (int i = 0; i < 20000; i++)
			mem_free(v[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree_equals_sorted_array),
		cmocka_unit_test(test_bounds_by_bytes),
		cmocka_unit_test(test_ordered_inserts_fill_leaves),
	};
	const char *given = getenv("INODIS_SEED");
	seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
	printf("seed %llu\n", (unsigned long long)seed);
	mem_thread_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
