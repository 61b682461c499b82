#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/base/mem.h"
#include "store/types/set.h"
#include "store/types/setops.h"
#include "tests/unit/model.h"

static const struct type_limits limits = TYPE_LIMITS_DEFAULT;
static const struct type_limits tight = {
	.set_max_intset_entries = 8, .set_max_listpack_entries = 6, .set_max_listpack_value = 16};

static void count_member(void *arg, struct bytes m)
{
	struct model *seen = arg;
	if (model_find(seen, m) == seen->n)
		model_insert(seen, seen->n, m);
}

static void same(struct set *s, const struct model *m, const struct type_limits *lim)
{
	set_check(s, lim);
	assert_int_equal(set_count(s), m->n);
	for (size_t i = 0; i < m->n; i++)
		assert_true(set_has(s, m->v[i]));
}

static void scan_sees_all(struct set *s, const struct model *m)
{
	struct model seen = {0};
	uint64_t cursor = 0;
	do
		cursor = set_scan(s, cursor, count_member, &seen);
	while (cursor);
	assert_int_equal(seen.n, m->n);
	model_free(&seen);
}

static void random_run(struct rng *rng, const struct type_limits *lim, int steps, unsigned most)
{
	struct model m = {0};
	struct set *s = NULL;
	char buf[300], rbuf[NUM_BUF];
	struct bytes got;

	for (int step = 0; step < steps; step++) {
		struct bytes b = random_bytes(rng, buf, sizeof(buf));
		if (m.n && rng_below(rng, 2)) /* one that is there */
			b = m.v[rng_below(rng, m.n)];
		if (!s)
			s = set_new(b, 1, lim);
		size_t at = model_find(&m, b);
		if (rng_below(rng, 100) < (m.n > most ? 30u : 65u)) {
			assert_true(set_add(s, b, lim) == (at == m.n));
			if (at == m.n)
				model_insert(&m, at, b);
		} else {
			assert_true(set_remove(s, b) == (at < m.n));
			if (at < m.n)
				model_delete(&m, at);
		}
		same(s, &m, lim);
		assert_true(set_random(s, rng, rbuf, &got) == (m.n > 0));
		assert_true(m.n == 0 || model_find(&m, got) < m.n);
		if (step % 64 == 0) {
			struct set *copy = set_dup(s);
			same(copy, &m, lim);
			scan_sees_all(copy, &m);
			assert_string_equal(set_encoding(copy), set_encoding(s));
			assert_true(set_mem(copy, 0) > 0);
			set_free(copy);
		}
		if (m.n == 0) {
			set_free(s);
			s = NULL;
		}
	}
	if (s)
		set_free(s);
	model_free(&m);
}

static void a_random_run_agrees_with_an_array(void **state)
{
	(void)state;
	struct rng rng;
	seed_run(&rng);
	random_run(&rng, &tight, 3000, 30);
	random_run(&rng, &limits, 1500, 200);
}

static struct set *of(const char *const *members, const struct type_limits *lim)
{
	struct set *s = set_new(bytes_str(members[0]), 1, lim);
	for (; *members; members++)
		set_add(s, bytes_str(*members), lim);
	return s;
}

static void encodings_change_where_redis_72_changes_them(void **state)
{
	(void)state;
	char buf[NUM_BUF], longer[65];
	struct set *s = of((const char *[]){"1", "2", NULL}, &limits);
	assert_string_equal(set_encoding(s), "intset");
	set_add(s, BYTES("a"), &limits);
	assert_string_equal(set_encoding(s), "listpack");
	for (int i = 0; i < 125; i++)
		set_add(s, bytes_of(buf, num_format_int(buf, i + 10)), &limits);
	assert_int_equal(set_count(s), 128);
	assert_string_equal(set_encoding(s), "listpack");
	set_add(s, BYTES("b"), &limits);
	assert_string_equal(set_encoding(s), "hashtable");
	set_free(s);

	memset(longer, 'x', sizeof(longer));
	s = of((const char *[]){"a", NULL}, &limits);
	set_add(s, bytes_of(longer, 64), &limits);
	assert_string_equal(set_encoding(s), "listpack");
	set_add(s, bytes_of(longer, 65), &limits);
	assert_string_equal(set_encoding(s), "hashtable");
	set_free(s);

	s = of((const char *[]){"1", NULL}, &limits);
	for (int i = 0; i < 512; i++)
		set_add(s, bytes_of(buf, num_format_int(buf, i)), &limits);
	assert_string_equal(set_encoding(s), "intset");
	set_add(s, BYTES("512"), &limits);
	assert_string_equal(set_encoding(s), "hashtable");
	set_free(s);

	s = set_new(BYTES("1"), 600, &limits);
	assert_string_equal(set_encoding(s), "hashtable");
	set_free(s);
}

/* --- algebra --- */

static void collect(void *arg, struct bytes m)
{
	struct model *to = arg;
	assert_int_equal(model_find(to, m), to->n);
	model_insert(to, to->n, m);
}

static bool in_all(struct model *sets, size_t n, struct bytes m)
{
	for (size_t i = 0; i < n; i++)
		if (model_find(&sets[i], m) == sets[i].n)
			return false;
	return true;
}

static bool in_others(struct model *sets, size_t n, struct bytes m)
{
	for (size_t i = 1; i < n; i++)
		if (model_find(&sets[i], m) < sets[i].n)
			return true;
	return false;
}

static void check_algebra(struct set **sets, struct model *models, size_t n)
{
	struct model got = {0}, all = {0};
	struct set *sorted[4], *u = set_union(sets, n, &limits);
	size_t expect = 0, differ = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < models[i].n; j++)
			count_member(&all, models[i].v[j]);
	same(u, &all, &limits);
	for (size_t i = 0; i < models[0].n; i++) {
		expect += in_all(models, n, models[0].v[i]);
		differ += !in_others(models, n, models[0].v[i]);
	}
	memcpy(sorted, sets, n * sizeof(*sets));
	assert_int_equal(set_inter(sorted, n, 0, collect, &got), expect);
	assert_int_equal(got.n, expect);
	for (size_t i = 0; i < got.n; i++)
		assert_true(in_all(models, n, got.v[i]));
	assert_int_equal(set_inter(sorted, n, 3, NULL, NULL), expect < 3 ? expect : 3);
	model_free(&got);
	assert_int_equal(set_diff(sets, n, collect, &got), differ);
	for (size_t i = 0; i < got.n; i++)
		assert_false(in_others(models, n, got.v[i]));
	model_free(&got);
	model_free(&all);
	set_free(u);
}

static void algebra_agrees_with_its_definition(void **state)
{
	(void)state;
	struct rng rng;

	seed_run(&rng);
	for (int round = 0; round < 300; round++) {
		struct set *sets[4];
		struct model models[4] = {0};
		size_t n = 1 + rng_below(&rng, 4);
		for (size_t i = 0; i < n; i++) {
			size_t size = 1 + rng_below(&rng, rng_below(&rng, 4) ? 40 : 300);
			bool words = rng_below(&rng, 2);
			sets[i] = NULL;
			for (size_t j = 0; j < size; j++) {
				char buf[32];
				int v = (int)rng_below(&rng, size + 20);
				struct bytes b = bytes_of(
					buf, (size_t)sprintf(
						     buf, words && v % 5 == 0 ? "w%d" : "%d", v));
				if (!sets[i])
					sets[i] = set_new(b, 1, &limits);
				if (set_add(sets[i], b, &limits))
					model_insert(&models[i], models[i].n, b);
			}
		}
		check_algebra(sets, models, n);
		for (size_t i = 0; i < n; i++) {
			set_free(sets[i]);
			model_free(&models[i]);
		}
	}
}

static void picks_reach_every_member_about_equally(void **state)
{
	(void)state;
	struct rng rng;
	char buf[32], rbuf[NUM_BUF];
	struct bytes got;
	unsigned hits[1000] = {0};
	struct set *s = set_new(BYTES("x"), 1000, &limits);

	seed_run(&rng);
	for (int i = 0; i < 1000; i++)
		set_add(s, bytes_of(buf, (size_t)sprintf(buf, "%d", i)), &limits);
	for (int i = 0; i < 200000; i++) {
		set_random(s, &rng, rbuf, &got);
		int64_t v;
		assert_true(num_parse_int(got, &v));
		hits[v]++;
	}
	for (int i = 0; i < 1000; i++)
		assert_in_range(hits[i], 60, 600);
	set_free(s);
}

static void a_sample_has_no_member_twice(void **state)
{
	(void)state;
	static const size_t sizes[] = {1, 5, 100, 128, 300, 3000};
	struct rng rng;
	char buf[32];

	seed_run(&rng);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) * 2; i++) {
		size_t size = sizes[i / 2],
		       n[] = {0, 1, size / 5, size / 2, size - 1, size, size + 5};
		struct set *s = NULL;
		for (size_t j = 0; j < size; j++) {
			struct bytes b =
				bytes_of(buf, (size_t)sprintf(buf, i % 2 ? "m%zu" : "%zu", j));
			if (!s)
				s = set_new(b, 1, &limits);
			set_add(s, b, &limits);
		}
		for (size_t j = 0; j < sizeof(n) / sizeof(n[0]); j++) {
			struct model seen = {0};
			set_sample(s, &rng, n[j], collect, &seen);
			assert_int_equal(seen.n, n[j] < size ? n[j] : size);
			for (size_t k = 0; k < seen.n; k++)
				assert_true(set_has(s, seen.v[k]));
			model_free(&seen);
		}
		set_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_random_run_agrees_with_an_array),
		cmocka_unit_test(encodings_change_where_redis_72_changes_them),
		cmocka_unit_test(algebra_agrees_with_its_definition),
		cmocka_unit_test(a_sample_has_no_member_twice),
		cmocka_unit_test(picks_reach_every_member_about_equally),
	};
	mem_thread_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
