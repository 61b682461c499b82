#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/base/mem.h"
#include "store/types/listpack.h"
#include "tests/unit/model.h"

static void same(unsigned char *lp, const struct model *m)
{
	char buf[NUM_BUF];
	size_t i = 0;

	assert_true(listpack_valid(lp, listpack_bytes(lp)));
	assert_int_equal(listpack_count(lp), m->n);
	for (unsigned char *p = listpack_first(lp); p; p = listpack_next(lp, p), i++) {
		assert_true(bytes_eq(listpack_get(p, buf), m->v[i]));
		assert_true(listpack_equal(p, m->v[i]));
	}
	assert_int_equal(i, m->n);
	for (unsigned char *p = listpack_last(lp); p; p = listpack_prev(lp, p))
		assert_true(bytes_eq(listpack_get(p, buf), m->v[--i]));
	assert_int_equal(i, 0);
}

static void the_bytes_are_those_of_redis(void **state)
{
	(void)state;
	/* DUMP of a list made with redis-server 7.0.15 */
	static const char *const elements[] = {"0",
					       "127",
					       "128",
					       "-1",
					       "4095",
					       "-4096",
					       "4096",
					       "32767",
					       "-32768",
					       "32768",
					       "8388607",
					       "-8388608",
					       "8388608",
					       "2147483647",
					       "-2147483648",
					       "2147483648",
					       "-9223372036854775808",
					       "",
					       "a",
					       "01",
					       "-0"};
	static const unsigned char expect[] =
		"\x65\x00\x00\x00\x15\x00\x00\x01\x7f\x01\xc0\x80\x02\xdf\xff\x02\xcf\xff\x02\xd0"
		"\x00\x02\xf1\x00\x10\x03\xf1\xff\x7f\x03\xf1\x00\x80\x03\xf2\x00\x80\x00\x04\xf2"
		"\xff\xff\x7f\x04\xf2\x00\x00\x80\x04\xf3\x00\x00\x80\x00\x05\xf3\xff\xff\xff\x7f"
		"\x05\xf3\x00\x00\x00\x80\x05\xf4\x00\x00\x00\x80\x00\x00\x00\x00\x09\xf4\x00\x00"
		"\x00\x00\x00\x00\x00\x80\x09\x80\x01\x81\x61\x02\x82\x30\x31\x03\x82\x2d\x30\x03"
		"\xff";
	unsigned char *lp = listpack_new(0);

	for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++)
		lp = listpack_append(lp, bytes_str(elements[i]));
	assert_int_equal(listpack_bytes(lp), sizeof(expect) - 1);
	assert_memory_equal(lp, expect, sizeof(expect) - 1);
	listpack_free(lp);
}

static void back_lengths_grow_where_redis_grows_them(void **state)
{
	(void)state;
	static char big[20000];
	unsigned char *lp = listpack_new(0);

	memset(big, 'q', sizeof(big));
	lp = listpack_append(lp, bytes_of(big, 16383 - 5));
	assert_memory_equal(lp + 6 + 16383, "\x00\xff\xff\xff", 4);
	lp = listpack_append(lp, bytes_of(big, 16382 - 5));
	assert_memory_equal(lp + listpack_bytes(lp) - 3, "\x7f\xfe\xff", 3);
	assert_true(listpack_valid(lp, listpack_bytes(lp)));
	assert_ptr_equal(listpack_prev(lp, listpack_last(lp)), listpack_first(lp));
	listpack_free(lp);
}

static void a_random_run_agrees_with_an_array(void **state)
{
	(void)state;
	struct rng rng;
	struct model m = {0};
	unsigned char *lp = listpack_new(0), *p, *q;
	char buf[6000];

	seed_run(&rng);
	for (int step = 0; step < 5000; step++) {
		struct bytes s = random_bytes(&rng, buf, rng_below(&rng, 50) ? 80 : sizeof(buf));
		size_t at = m.n ? rng_below(&rng, m.n) : 0, count;
		p = m.n ? listpack_seek(lp, rng_below(&rng, 2) ? (long)at : (long)at - (long)m.n)
			: NULL;
		assert_true(m.n == 0 || p);
		switch (rng_below(&rng, m.n > 200 ? 12 : 8)) {
		case 0:
		case 1:
			lp = listpack_append(lp, s);
			model_insert(&m, m.n, s);
			break;
		case 2:
			lp = listpack_prepend(lp, s);
			model_insert(&m, 0, s);
			break;
		case 3:
			if (p) {
				bool after = rng_below(&rng, 2);
				lp = listpack_insert(lp, p, after, s, &q);
				assert_true(listpack_equal(q, s));
				model_insert(&m, at + after, s);
			}
			break;
		case 4:
			if (p) {
				lp = listpack_replace(lp, &p, s);
				assert_true(listpack_equal(p, s));
				model_replace(&m, at, s);
			}
			break;
		case 5:
			p = listpack_find(lp, listpack_first(lp), s, 0);
			at = model_find(&m, s);
			assert_true(at == m.n ? !p : p == listpack_seek(lp, (long)at));
			break;
		case 6:
			if (p) {
				unsigned char *tail;
				lp = listpack_split(lp, p, &tail);
				assert_non_null(lp);
				assert_int_equal(listpack_count(lp), at);
				assert_true(listpack_valid(lp, listpack_bytes(lp)));
				assert_true(listpack_valid(tail, listpack_bytes(tail)));
				lp = listpack_merge(lp, tail);
				listpack_free(tail);
			}
			break;
		case 7:
			if (p) {
				lp = listpack_delete(lp, p, &q);
				model_delete(&m, at);
				assert_true(at == m.n
						    ? !q
						    : bytes_eq(listpack_get(q, (char[NUM_BUF]){0}),
							       m.v[at]));
			}
			break;
		default:
			count = rng_below(&rng, 40);
			lp = listpack_delete_range(lp, (long)at, count);
			for (; count && at < m.n; count--)
				model_delete(&m, at);
		}
		same(lp, &m);
	}
	assert_null(listpack_seek(lp, (long)m.n));
	assert_null(listpack_seek(lp, -(long)m.n - 1));
	listpack_free(lp);
	model_free(&m);
}

static void more_elements_than_the_header_counts_still_work(void **state)
{
	(void)state;
	unsigned char *lp = listpack_new(0);
	char buf[NUM_BUF];
	int64_t v;

	for (int i = 0; i < 70000; i++)
		lp = listpack_append(lp, bytes_of(buf, num_format_int(buf, i)));
	assert_int_equal(listpack_count(lp), 70000);
	assert_true(listpack_get_int(listpack_seek(lp, 69999), &v) && v == 69999);
	assert_true(listpack_get_int(listpack_seek(lp, -70000), &v) && v == 0);
	assert_null(listpack_seek(lp, 70000));
	assert_true(listpack_valid(lp, listpack_bytes(lp)));
	lp = listpack_delete_range(lp, 10, 69000);
	assert_int_equal(listpack_count(lp), 1000);
	listpack_free(lp);
}

static void no_damaged_bytes_make_a_valid_listpack_unreadable(void **state)
{
	(void)state;
	struct rng rng;
	char buf[300];

	seed_run(&rng);
	for (int round = 0; round < 3000; round++) {
		unsigned char *lp = listpack_new(0);
		for (size_t n = rng_below(&rng, 8); n; n--)
			lp = listpack_append(lp, random_bytes(&rng, buf, sizeof(buf)));
		size_t n = listpack_bytes(lp);
		for (int flips = 0; flips < 20; flips++) {
			/* Of exact size, so that the sanitizer sees a read past the end. */
			unsigned char *copy = malloc(n);
			memcpy(copy, lp, n);
			copy[rng_below(&rng, n)] = (unsigned char)rng_next(&rng);
			if (rng_below(&rng, 2))
				copy[rng_below(&rng, n)] ^= 1u << rng_below(&rng, 8);
			if (listpack_valid(copy, n)) {
				char text[NUM_BUF];
				size_t there = 0, back = 0;
				for (unsigned char *p = listpack_first(copy); p;
				     p = listpack_next(copy, p))
					there += listpack_get(p, text).n + 1;
				for (unsigned char *p = listpack_last(copy); p;
				     p = listpack_prev(copy, p))
					back += listpack_get(p, text).n + 1;
				assert_int_equal(there, back);
			}
			size_t cut = rng_below(&rng, n);
			unsigned char *half = malloc(cut ? cut : 1);
			memcpy(half, lp, cut);
			assert_false(listpack_valid(half, cut));
			free(half);
			free(copy);
		}
		listpack_free(lp);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bytes_are_those_of_redis),
		cmocka_unit_test(back_lengths_grow_where_redis_grows_them),
		cmocka_unit_test(a_random_run_agrees_with_an_array),
		cmocka_unit_test(more_elements_than_the_header_counts_still_work),
		cmocka_unit_test(no_damaged_bytes_make_a_valid_listpack_unreadable),
	};
	mem_thread_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
