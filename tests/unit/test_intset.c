#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/types/intset.h"
#include "tests/unit/model.h"

static void the_bytes_are_those_of_redis(void **state)
{
	(void)state;
	unsigned char *is = intset_new();
	bool added;

	is = intset_add(is, 3, &added);
	assert_memory_equal(is, "\x02\0\0\0\x01\0\0\0\x03\0", 10);
	is = intset_add(is, -5, &added);
	is = intset_add(is, 70000, &added);
	assert_int_equal(intset_bytes(is), 20);
	/* DUMP of redis-server 7.0.15 */
	assert_memory_equal(is, "\x04\0\0\0\x03\0\0\0\xfb\xff\xff\xff\x03\0\0\0\x70\x11\x01\0", 20);
	intset_free(is);
}

static void a_random_run_agrees_with_an_array(void **state)
{
	(void)state;
	struct rng rng;
	bool flag;

	seed_run(&rng);
	for (int round = 0; round < 60; round++) {
		unsigned char *is = intset_new();
		int64_t v[600];
		size_t n = 0, i;
		for (int step = 0; step < 600; step++) {
			int64_t x = (int64_t)rng_next(&rng) >>
				    (round % 3 * 20 + 20 + rng_below(&rng, 4));
			if (step % 4 == 3 && n)
				x = v[rng_below(&rng, n)];
			for (i = 0; i < n && v[i] != x; i++)
				;
			assert_true(intset_has(is, x) == (i < n));
			if (rng_below(&rng, 3)) {
				is = intset_add(is, x, &flag);
				assert_true(flag == (i == n));
				if (i == n)
					v[n++] = x;
			} else {
				is = intset_remove(is, x, &flag);
				assert_true(flag == (i < n));
				if (i < n)
					v[i] = v[--n];
			}
			assert_int_equal(intset_count(is), n);
			assert_true(n == 0 || intset_valid(is, intset_bytes(is)));
		}
		intset_free(is);
	}
}

static void extremes_are_kept(void **state)
{
	(void)state;
	static const int64_t edges[] = {INT64_MIN,
					INT64_MAX,
					INT32_MIN,
					INT32_MAX,
					INT16_MIN,
					INT16_MAX,
					INT64_C(-2147483649),
					INT64_C(2147483648),
					-32769,
					32768,
					0};
	unsigned char *is = intset_new();
	bool added;
	for (size_t i = sizeof(edges) / sizeof(edges[0]); i-- > 0;) {
		is = intset_add(is, edges[i], &added);
		assert_true(added);
	}
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		assert_true(intset_has(is, edges[i]));
	assert_true(intset_at(is, 0) == INT64_MIN);
	assert_true(intset_at(is, 10) == INT64_MAX);
	intset_free(is);
}

static void damaged_bytes_are_refused(void **state)
{
	(void)state;
	assert_false(intset_valid((const unsigned char *)"\x02\0\0\0\0\0\0\0", 8));
	assert_false(intset_valid((const unsigned char *)"\x03\0\0\0\x01\0\0\0abc", 11));
	assert_false(intset_valid((const unsigned char *)"\x02\0\0\0\x02\0\0\0ab", 10));
	assert_false(intset_valid((const unsigned char *)"\x02\0\0\0\x02\0\0\0\x02\0\x01\0", 12));
	assert_false(intset_valid((const unsigned char *)"\x02\0\0\0\x02\0\0\0\x02\0\x02\0", 12));
	assert_false(intset_valid((const unsigned char *)"\x08\0\0\0\0\0\0\x20", 8));
	assert_false(intset_valid((const unsigned char *)"\x02\0\0", 3));
	assert_true(intset_valid((const unsigned char *)"\x02\0\0\0\x02\0\0\0\x01\0\x02\0", 12));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bytes_are_those_of_redis),
		cmocka_unit_test(a_random_run_agrees_with_an_array),
		cmocka_unit_test(extremes_are_kept),
		cmocka_unit_test(damaged_bytes_are_refused),
	};
	mem_thread_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
