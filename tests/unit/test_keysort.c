#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "store/base/keysort.h"
#include "store/base/mem.h"
#include "tests/unit/model.h"

#define MOST 5000

static int by_place(const void *a, const void *b, void *arg)
{
	const struct keysort_item *x = a, *y = b;

	assert_non_null(arg);
	return (x->p > y->p) - (x->p < y->p);
}

static void items_come_in_order_of_key_and_then_as_is_compared(void **state)
{
	(void)state;
	static struct keysort_item items[2 * MOST];
	static char places[MOST];
	static const size_t sizes[] = {0, 1, 2, 255, 256, 257, 1000, MOST};
	struct rng rng;

	seed_run(&rng);
	for (int kind = 0; kind < 5; kind++) {
		for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
			size_t n = sizes[k];
			for (size_t i = 0; i < n; i++) {
				uint64_t key = rng_next(&rng);
				items[i].key = kind == 0   ? 7
					       : kind == 1 ? key % 5
					       : kind == 2 ? key << 40
					       : kind == 3 ? i
							   : key;
				items[i].p = &places[n - 1 - i];
			}
			struct keysort_item *v = keysort(items, items + n, n, by_place, places);
			for (size_t i = 1; i < n; i++)
				assert_true(v[i - 1].key < v[i].key ||
					    (v[i - 1].key == v[i].key && v[i - 1].p < v[i].p));
		}
	}
}

static void doubles_keep_their_order_as_keys(void **state)
{
	(void)state;
	static const double v[] = {-INFINITY, -1e300, -1, -5e-324, 0,
				   5e-324,    0.5,    1,  1e300,   INFINITY};

	for (size_t i = 1; i < sizeof(v) / sizeof(*v); i++)
		assert_true(keysort_double(v[i - 1]) < keysort_double(v[i]));
	assert_true(keysort_double(-0.0) == keysort_double(0.0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_in_order_of_key_and_then_as_is_compared),
		cmocka_unit_test(doubles_keep_their_order_as_keys),
	};
	mem_thread_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
