#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/base/mem.h"
#include "store/types/list.h"
#include "tests/unit/model.h"

static const struct type_limits limits = TYPE_LIMITS_DEFAULT;

static void same(const struct list *l, const struct model *m, const struct type_limits *lim,
		 struct rng *rng)
{
	struct list_iter it;
	struct bytes b;
	char buf[NUM_BUF];
	size_t i = 0;

	list_check(l, lim);
	assert_int_equal(list_count(l), m->n);
	list_iter_begin(&it, l, 0, false);
	for (; list_iter_next(&it, &b); i++)
		assert_true(bytes_eq(b, m->v[i]));
	assert_int_equal(i, m->n);
	if (m->n == 0)
		return;
	size_t from = rng_below(rng, m->n);
	i = from;
	list_iter_begin(&it, l, from, true);
	for (; list_iter_next(&it, &b); i--)
		assert_true(bytes_eq(b, m->v[i]));
	assert_true(i == (size_t)-1);
	assert_true(list_get(l, (int64_t)from, buf, &b) && bytes_eq(b, m->v[from]));
	assert_true(list_get(l, (int64_t)from - (int64_t)m->n, buf, &b) && bytes_eq(b, m->v[from]));
	assert_false(list_get(l, (int64_t)m->n, buf, &b));
	assert_false(list_get(l, -(int64_t)m->n - 1, buf, &b));
}

static size_t model_remove(struct model *m, int64_t count, struct bytes value)
{
	struct bytes v = model_copy(value);
	size_t removed = 0, max = count ? (size_t)llabs(count) : SIZE_MAX;

	for (size_t k = 0, n = m->n, i = count < 0 ? n - 1 : 0; k < n && removed < max; k++) {
		if (bytes_eq(m->v[i], v)) {
			model_delete(m, i);
			removed++;
			i -= count < 0;
		} else {
			i += count < 0 ? (size_t)-1 : 1;
		}
	}
	free((void *)(uintptr_t)v.p);
	return removed;
}

static void expect_bytes(void *arg, struct bytes b)
{
	assert_true(bytes_eq(b, *(struct bytes *)arg));
}

static void step_of_run(struct rng *rng, struct list *l, struct model *m,
			const struct type_limits *lim, size_t most)
{
	char buf[20000];
	struct bytes s = random_bytes(rng, buf, rng_below(rng, 30) ? 90 : sizeof(buf));
	size_t at = m->n ? rng_below(rng, m->n) : 0, i, count;
	bool flag = rng_below(rng, 2);

	switch (rng_below(rng, m->n > most ? 14 : 10)) {
	case 0:
	case 1:
	case 2:
		list_push(l, flag, s, lim);
		model_insert(m, flag ? m->n : 0, s);
		break;
	case 3:
		if (m->n) {
			i = flag ? m->n - 1 : 0;
			assert_true(list_pop(l, flag, lim, expect_bytes, &m->v[i]));
			model_delete(m, i);
		} else {
			assert_false(list_pop(l, flag, lim, NULL, NULL));
		}
		break;
	case 4:
		assert_int_equal(list_set(l, (int64_t)at - (flag ? (int64_t)m->n : 0), s, lim),
				 m->n ? STORE_OK : STORE_ERANGE);
		if (m->n)
			model_replace(m, at, s);
		break;
	case 5:
	case 6:
		i = rng_below(rng, m->n + 1);
		assert_int_equal(list_insert_at(l, (int64_t)i, s, lim), STORE_OK);
		model_insert(m, i, s);
		assert_int_equal(list_insert_at(l, (int64_t)m->n + 1, s, lim), STORE_ERANGE);
		break;
	case 7:
		if (m->n) {
			struct bytes pivot = model_copy(m->v[at]);
			i = model_find(m, pivot);
			assert_true(list_insert(l, pivot, flag, s, lim));
			model_insert(m, i + flag, s);
			free((void *)(uintptr_t)pivot.p);
		}
		assert_false(list_insert(l, BYTES("no such element"), flag, s, lim));
		break;
	case 8:
		if (m->n && rng_below(rng, 4))
			s = m->v[at];
		int64_t c = (int64_t)rng_below(rng, 7) - 3;
		struct bytes v = model_copy(s);
		count = list_remove(l, c, v, lim);
		assert_int_equal(count, model_remove(m, c, v));
		free((void *)(uintptr_t)v.p);
		break;
	default:
		count = rng_below(rng, rng_below(rng, 5) ? 6 : 200);
		list_delete_range(l, at, count, lim);
		for (; count && at < m->n; count--)
			model_delete(m, at);
	}
}

static void random_run(struct rng *rng, int size, int steps, size_t most)
{
	struct type_limits lim = limits;
	struct list *l = list_new();
	struct model m = {0};

	lim.list_max_listpack_size = size;
	for (int step = 0; step < steps; step++) {
		step_of_run(rng, l, &m, &lim, most);
		same(l, &m, &lim, rng);
		if (step % 100 == 0) {
			struct list *copy = list_dup(l);
			same(copy, &m, &lim, rng);
			assert_string_equal(list_encoding(copy), list_encoding(l));
			assert_true(list_mem(copy, 0) > 0);
			list_free(copy);
		}
	}
	list_free(l);
	model_free(&m);
}

static void a_random_run_agrees_with_an_array(void **state)
{
	(void)state;
	struct rng rng;
	seed_run(&rng);
	random_run(&rng, 3, 4000, 60);
	random_run(&rng, 1, 1000, 30);
	random_run(&rng, 0, 1000, 30);
	random_run(&rng, -1, 4000, 300);
	random_run(&rng, -2, 2000, 500);
	random_run(&rng, -5, 2000, 500);
	random_run(&rng, 128, 2000, 300);
}

static void encodings_change_where_redis_72_changes_them(void **state)
{
	(void)state;
	struct type_limits lim = limits;
	struct list *l = list_new();
	static char big[8192];

	lim.list_max_listpack_size = 4;
	for (int i = 0; i < 4; i++)
		list_push(l, true, BYTES("a"), &lim);
	assert_string_equal(list_encoding(l), "listpack");
	list_push(l, true, BYTES("a"), &lim);
	assert_string_equal(list_encoding(l), "quicklist");
	list_pop(l, true, &lim, NULL, NULL);
	list_pop(l, true, &lim, NULL, NULL);
	assert_string_equal(list_encoding(l), "quicklist");
	list_pop(l, true, &lim, NULL, NULL);
	assert_string_equal(list_encoding(l), "listpack");
	list_free(l);

	l = list_new();
	memset(big, 'x', sizeof(big));
	list_push(l, true, BYTES("a"), &limits);
	list_push(l, true, bytes_of(big, 8000), &limits);
	assert_string_equal(list_encoding(l), "listpack");
	list_set(l, 1, bytes_of(big, 8192), &limits);
	assert_string_equal(list_encoding(l), "quicklist");
	list_check(l, &limits);
	list_set(l, 1, BYTES("b"), &limits);
	list_check(l, &limits);
	list_free(l);
}

static void both_ends_and_the_middle_of_a_long_list_are_right(void **state)
{
	(void)state;
	struct list *l = list_new();
	char buf[NUM_BUF], got[NUM_BUF];
	struct bytes b;

	for (int64_t i = 0; i < 100000; i++)
		list_push(l, true, bytes_of(buf, num_format_int(buf, i)), &limits);
	for (int64_t i = -1; i >= -100000; i--)
		list_push(l, false, bytes_of(buf, num_format_int(buf, i)), &limits);
	list_check(l, &limits);
	for (int64_t i = 0; i < 200000; i += 997) {
		assert_true(list_get(l, i, got, &b));
		assert_true(bytes_eq(b, bytes_of(buf, num_format_int(buf, i - 100000))));
	}
	list_delete_range(l, 10, 199980, &limits);
	assert_int_equal(list_count(l), 20);
	assert_string_equal(list_encoding(l), "listpack");
	list_check(l, &limits);
	list_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_random_run_agrees_with_an_array),
		cmocka_unit_test(encodings_change_where_redis_72_changes_them),
		cmocka_unit_test(both_ends_and_the_middle_of_a_long_list_are_right),
	};
	mem_thread_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
