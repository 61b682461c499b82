#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/base/rng.h"
#include "store/types/hll.h"

struct fixture {
	struct hll hll;
	unsigned char room[HLL_SPARSE_MAX + 8];
};

static void fresh(struct fixture *f, size_t sparse_max)
{
	f->hll = (struct hll){.p = f->room, .room = sizeof(f->room), .sparse_max = sparse_max};
	hll_init(&f->hll);
}

static struct bytes bytes_in(const struct fixture *f)
{
	return bytes_of(f->hll.p, f->hll.n);
}

static struct rng seeded(void)
{
	uint64_t seed = (uint64_t)time(NULL);
	struct rng rng;
	printf("seed %llu\n", (unsigned long long)seed);
	rng_seed(&rng, seed);
	return rng;
}

/* Whatever the encoding is, the registers are the highest values they were raised to. */
static void registers_keep_the_highest(void **state)
{
	(void)state;
	struct rng rng = seeded();
	for (int round = 0; round < 60; round++) {
		struct fixture f;
		unsigned char model[HLL_REGISTERS] = {0}, found[HLL_REGISTERS];
		size_t sparse_max = (size_t[]){0, 30, 3000, SIZE_MAX / 2}[round % 4];
		unsigned spread = round % 3 ? HLL_REGISTERS : 200;
		fresh(&f, sparse_max);
		for (int i = 0; i < 3000; i++) {
			unsigned index = (unsigned)rng_below(&rng, spread);
			unsigned value = 1 + (unsigned)rng_below(&rng, round % 5 ? 32 : 51);
			enum hll_change did = hll_raise(&f.hll, index, value);
			assert_int_equal(did, value > model[index] ? HLL_CHANGED : HLL_SAME);
			if (value > model[index])
				model[index] = (unsigned char)value;
			assert_true(f.hll.n == HLL_DENSE_SIZE || f.hll.n <= sparse_max || i == 0);
		}
		memset(found, 0, sizeof(found));
		assert_true(hll_merge(found, bytes_in(&f)));
		assert_memory_equal(found, model, sizeof(model));
		uint64_t sparse, dense;
		assert_true(hll_count(bytes_in(&f), &sparse));
		assert_true(hll_densify(&f.hll));
		assert_true(hll_count(bytes_in(&f), &dense));
		assert_true(sparse == dense && dense == hll_count_registers(model));
	}
}

/* Runs of equal values are written as one. */
static void neighbours_share_a_run(void **state)
{
	(void)state;
	struct fixture f;
	struct hll_run run;
	size_t at = 0;
	fresh(&f, 3000);
	for (unsigned i = 100; i < 104; i++)
		assert_int_equal(hll_raise(&f.hll, i, 7), HLL_CHANGED);
	assert_int_equal(f.hll.n, HLL_HEADER + 5);
	assert_true(hll_run_next(bytes_in(&f), &at, &run) && run.length == 100 && run.wide);
	assert_true(hll_run_next(bytes_in(&f), &at, &run) && run.length == 4 && run.value == 7);
	assert_true(hll_run_next(bytes_in(&f), &at, &run) && run.length == HLL_REGISTERS - 104);
	assert_false(hll_run_next(bytes_in(&f), &at, &run));
}

/* The estimate is within four standard errors, and is the same each time. */
static void estimates_are_near(void **state)
{
	(void)state;
	struct fixture f;
	uint64_t n = 0, found;
	fresh(&f, 3000);
	for (uint64_t target = 1; target <= 1000000; target *= 10) {
		for (; n < target; n++)
			hll_add(&f.hll, bytes_of(&n, sizeof(n)));
		assert_true(hll_count(bytes_in(&f), &found));
		assert_true(fabs((double)found - (double)n) <= 1 + (double)n * 4 * 0.0081);
	}
}

/* The cached cardinality is kept until a register changes. */
static void changes_drop_the_cache(void **state)
{
	(void)state;
	struct fixture f;
	uint64_t n;
	fresh(&f, 3000);
	assert_true(hll_cached(bytes_in(&f), &n) && n == 0);
	assert_int_equal(hll_add(&f.hll, BYTES("a")), HLL_CHANGED);
	assert_false(hll_cached(bytes_in(&f), &n));
	hll_cache(f.hll.p, 1);
	assert_int_equal(hll_add(&f.hll, BYTES("a")), HLL_SAME);
	assert_true(hll_cached(bytes_in(&f), &n) && n == 1);
}

/* Bytes of any kind do no harm, and runs that do not add up are told apart. */
static void damage_is_found(void **state)
{
	(void)state;
	struct rng rng = seeded();
	assert_false(hll_is(BYTES("HYLL")));
	assert_false(hll_is(bytes_of("HYLL\0\0\0\0\0\0\0\0\0\0\0\0\0", 17)));
	assert_false(hll_is(bytes_of("HYLL\2\0\0\0\0\0\0\0\0\0\0\0\x7f\xff", 18)));
	for (int round = 0; round < 3000; round++) {
		struct fixture f;
		unsigned char max[HLL_REGISTERS] = {0};
		uint64_t n, total = 0;
		fresh(&f, 3000);
		f.hll.n = HLL_HEADER + rng_below(&rng, 400);
		for (size_t i = HLL_HEADER; i < f.hll.n; i++)
			f.room[i] = (unsigned char)rng_next(&rng);
		struct hll_run run;
		size_t at = 0;
		while (hll_run_next(bytes_in(&f), &at, &run))
			total += run.length;
		bool sound = total == HLL_REGISTERS;
		assert_int_equal(hll_count(bytes_in(&f), &n), sound);
		assert_int_equal(hll_merge(max, bytes_in(&f)), sound);
		for (int i = 0; i < 20; i++)
			hll_raise(&f.hll, (unsigned)rng_below(&rng, HLL_REGISTERS),
				  1 + (unsigned)rng_below(&rng, 40));
	}
}

/* PFSELFTEST finds nothing. */
static void the_self_test_passes(void **state)
{
	(void)state;
	assert_null(hll_self_test(rng_next(&(struct rng){{1, 2, 3, 4}})));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_keep_the_highest),
		cmocka_unit_test(neighbours_share_a_run),
		cmocka_unit_test(estimates_are_near),
		cmocka_unit_test(changes_drop_the_cache),
		cmocka_unit_test(damage_is_found),
		cmocka_unit_test(the_self_test_passes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
