#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/base/bits.h"
#include "store/base/rng.h"

/* --- the naive model: one bit at a time --- */

static bool bit_at(const unsigned char *p, uint64_t i)
{
	return p[i / 8] >> (7 - i % 8) & 1;
}

static void put_bit(unsigned char *p, uint64_t i, bool on)
{
	unsigned char mask = (unsigned char)(1u << (7 - i % 8));
	p[i / 8] = (unsigned char)(on ? p[i / 8] | mask : p[i / 8] & ~mask);
}

static struct rng fixture(void)
{
	uint64_t seed = (uint64_t)time(NULL);
	struct rng rng;
	printf("seed %llu\n", (unsigned long long)seed);
	rng_seed(&rng, seed);
	return rng;
}

/* Runs of equal bytes, so that finding has a way to go. */
static void fill(struct rng *rng, unsigned char *p, size_t n)
{
	static const unsigned char favourites[] = {0, 0, 0xff, 0xff, 1, 0x80, 0xfe, 0x7f};
	size_t i = 0;
	while (i < n) {
		size_t run = 1 + rng_below(rng, 40);
		unsigned char byte = favourites[rng_below(rng, sizeof(favourites))];
		while (run-- && i < n)
			p[i++] = byte;
	}
}

/* Counting and finding in any range agree with looking at each bit. */
static void ranges_agree_with_single_bits(void **state)
{
	(void)state;
	struct rng rng = fixture();
	for (int round = 0; round < 3000; round++) {
		unsigned char p[200];
		size_t n = 1 + rng_below(&rng, sizeof(p));
		fill(&rng, p, n);
		uint64_t from = rng_below(&rng, n * 8 + 1), to = rng_below(&rng, n * 8 + 1);
		uint64_t count = 0, first[2] = {to, to};
		for (uint64_t i = to; i-- > from;) {
			count += bit_at(p, i);
			first[bit_at(p, i)] = i;
		}
		assert_int_equal(bits_count_range(p, from, to), count);
		assert_int_equal(bits_find(p, from, to, false), first[0]);
		assert_int_equal(bits_find(p, from, to, true), first[1]);
		assert_int_equal(bits_count(p, n), bits_count_range(p, 0, n * 8));
	}
}

/* A field that was put reads back, and no bit around it changed. */
static void fields_touch_their_bits_only(void **state)
{
	(void)state;
	struct rng rng = fixture();
	for (int round = 0; round < 5000; round++) {
		unsigned char p[24], expected[24];
		unsigned bits = 1 + (unsigned)rng_below(&rng, 64);
		uint64_t at = rng_below(&rng, sizeof(p) * 8 - bits + 1), v = rng_next(&rng);
		fill(&rng, p, sizeof(p));
		memcpy(expected, p, sizeof(p));
		for (unsigned i = 0; i < bits; i++)
			put_bit(expected, at + i, v >> (bits - 1 - i) & 1);
		bits_field_put(p, at, bits, v);
		assert_memory_equal(p, expected, sizeof(p));
		assert_true(bits_field(p, sizeof(p), at, bits) == v << (64 - bits) >> (64 - bits));
	}
}

/* What a field reads past the end of the bytes is 0. */
static void past_the_end_is_zero(void **state)
{
	(void)state;
	unsigned char p[2] = {0xff, 0xff};
	assert_int_equal(bits_field(p, 2, 8, 16), 0xff00);
	assert_int_equal(bits_field(p, 2, 16, 64), 0);
	assert_int_equal(bits_field(p, 2, UINT64_C(1) << 40, 8), 0);
	assert_int_equal(bits_field(p, 0, 0, 3), 0);
}

struct sum {
	int64_t v, by;
	unsigned bits;
	bool over;
	int64_t wrapped, saturated;
};

/* Sums that do not fit wrap or stay at the bound they passed. */
static void sums_wrap_or_saturate(void **state)
{
	(void)state;
	static const struct sum with_sign[] = {
		{127, 1, 8, true, -128, 127},
		{-128, -1, 8, true, 127, -128},
		{100, 27, 8, false, 127, 127},
		{INT64_MAX, 1, 64, true, INT64_MIN, INT64_MAX},
		{INT64_MIN, -1, 64, true, INT64_MAX, INT64_MIN},
		{INT64_MIN, INT64_MAX, 64, false, -1, -1},
		{0, 1, 1, true, -1, 0},
		{300, 0, 8, true, 44, 127},
	};
	static const struct sum without[] = {
		{255, 1, 8, true, 0, 255},  {0, -1, 8, true, 255, 0},
		{1, -1, 8, false, 0, 0},    {0, INT64_MIN, 63, true, 0, 0},
		{-1, 0, 8, true, 255, 255}, {INT64_MAX, 1, 63, true, 0, INT64_MAX},
		{257, 0, 8, true, 1, 255},
	};
	for (size_t i = 0; i < sizeof(with_sign) / sizeof(with_sign[0]); i++) {
		const struct sum *s = &with_sign[i];
		int64_t out;
		assert_int_equal(bits_add_signed(s->v, s->by, s->bits, BITS_WRAP, &out), s->over);
		assert_true(out == s->wrapped);
		bits_add_signed(s->v, s->by, s->bits, BITS_SAT, &out);
		assert_true(out == s->saturated);
	}
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		const struct sum *s = &without[i];
		uint64_t out, v = (uint64_t)s->v;
		assert_int_equal(bits_add_unsigned(v, s->by, s->bits, BITS_WRAP, &out), s->over);
		assert_true(out == (uint64_t)s->wrapped);
		bits_add_unsigned(v, s->by, s->bits, BITS_SAT, &out);
		assert_true(out == (uint64_t)s->saturated);
	}
}

/* Strings combine byte by byte. */
static void strings_combine(void **state)
{
	(void)state;
	struct rng rng = fixture();
	unsigned char a[100], b[100], out[100];
	fill(&rng, a, sizeof(a));
	fill(&rng, b, sizeof(b));
	for (int op = BITS_AND; op <= BITS_XOR; op++) {
		memcpy(out, a, sizeof(a));
		bits_combine((enum bits_op)op, out, b, 99);
		for (int i = 0; i < 99; i++)
			assert_int_equal(out[i], op == BITS_AND  ? a[i] & b[i]
						 : op == BITS_OR ? a[i] | b[i]
								 : a[i] ^ b[i]);
		assert_int_equal(out[99], a[99]);
	}
	bits_complement(out, a, sizeof(a));
	for (int i = 0; i < 100; i++)
		assert_int_equal(out[i], 0xff ^ a[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_agree_with_single_bits),
		cmocka_unit_test(fields_touch_their_bits_only),
		cmocka_unit_test(past_the_end_is_zero),
		cmocka_unit_test(sums_wrap_or_saturate),
		cmocka_unit_test(strings_combine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
