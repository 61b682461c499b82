/* Times that files were given: a table against a naive model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "resp/times.h"

static void the_table_holds_what_was_put_and_not_dropped(void **state)
{
	enum { IDS = 300 };
	int64_t model[IDS] = {0}, ns;
	unsigned seed = (unsigned)time(NULL);
	struct times t = {0};

	(void)state;
	printf("seed %u\n", seed);
	srand(seed);
	for (int step = 0; step < 200000; step++) {
		int i = rand() % IDS;
		/* many begin at the same few places, also at the end of the table */
		uint64_t id = (uint64_t)i << 20 | (uint64_t)(i % 7) | (i % 3 ? 0 : 0xffff0);
		if (step % 50000 == 49999) {
			times_clear(&t);
			for (int j = 0; j < IDS; j++)
				model[j] = 0;
		} else if (rand() % 2) {
			model[i] = step + 1;
			assert_true(times_put(&t, id, step + 1));
		} else {
			model[i] = 0;
			times_drop(&t, id);
		}
		i = rand() % IDS;
		id = (uint64_t)i << 20 | (uint64_t)(i % 7) | (i % 3 ? 0 : 0xffff0);
		assert_int_equal(times_get(&t, id, &ns), model[i] != 0);
		if (model[i])
			assert_int_equal(ns, model[i]);
	}
	times_clear(&t);
}

static void a_full_table_takes_no_more_and_goes_on(void **state)
{
	struct times t = {0};
	int64_t ns;
	size_t n = 0;

	(void)state;
	while (n < 2 * TIMES_MAX && times_put(&t, (n + 1) * UINT64_C(0x9e3779b97f4a7c15), 1))
		n++;
	assert_in_range(n, TIMES_MAX, 2 * TIMES_MAX - 1);
	times_drop(&t, UINT64_C(0x9e3779b97f4a7c15));
	assert_false(times_get(&t, UINT64_C(0x9e3779b97f4a7c15), &ns));
	assert_true(times_get(&t, 2 * UINT64_C(0x9e3779b97f4a7c15), &ns));
	assert_true(times_put(&t, UINT64_C(0x9e3779b97f4a7c15), 1));
	times_clear(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_holds_what_was_put_and_not_dropped),
		cmocka_unit_test(a_full_table_takes_no_more_and_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
