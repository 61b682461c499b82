#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/base/num.h"
#include "store/base/rng.h"

static const char *format(double v)
{
	static char buf[NUM_BUF + 1];
	size_t n = num_format_double(buf, v);
	assert_true(n <= NUM_BUF);
	buf[n] = '\0';
	return buf;
}

static void doubles_print_as_redis_72_prints_them(void **state)
{
	(void)state;
	static const struct {
		double v;
		const char *text;
	} cases[] = {
		{0, "0"},
		{-0.0, "-0"},
		{3, "3"},
		{-3, "-3"},
		{0.1, "0.1"},
		{-0.1, "-0.1"},
		{1.5, "1.5"},
		{3.3, "3.3"},
		{123456789.123, "123456789.123"},
		{1e17, "100000000000000000"},
		{1e18, "1000000000000000000"},
		{1e19, "1e+19"},
		{1.5e19, "1.5e+19"},
		{1e300, "1e+300"},
		{-1e300, "-1e+300"},
		{1e-5, "0.00001"},
		{1e-7, "1e-7"},
		{1.5e-7, "1.5e-7"},
		{1.5e-10, "1.5e-10"},
		{12345.678901234, "1.2345678901234e+4"},
		{1700000000.1234567, "1.7000000001234567e+9"},
		{0.1 + 0.2, "0.30000000000000004"},
		{5e-324, "5e-324"},
		{1.7976931348623157e308, "1.7976931348623157e+308"},
		{9007199254740992, "9007199254740992"},
		{9223372036854775807.0, "9223372036854776000"},
		{INFINITY, "inf"},
		{-INFINITY, "-inf"},
		{NAN, "nan"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(format(cases[i].v), cases[i].text);
}

static void every_double_reads_back_from_its_text(void **state)
{
	(void)state;
	struct rng rng;
	rng_seed(&rng, 20240101);
	for (int i = 0; i < 300000; i++) {
		uint64_t bits = rng_next(&rng);
		double v, back;
		memcpy(&v, &bits, sizeof(v));
		if (i % 3 == 1)
			v = (double)(int64_t)rng_below(&rng, 1000000000) / 1000;
		if (i % 3 == 2)
			v = rng_unit(&rng);
		if (isnan(v))
			continue;
		const char *text = format(v);
		assert_true(num_parse_double(bytes_str(text), &back));
		if (v != back)
			print_error("%.17g became %s\n", v, text);
		assert_true(v == back);
		assert_true(strtod(text, NULL) == v);
	}
}

static int digits_of(const char *text)
{
	int n = 0, zeros = 0;
	for (; *text && *text != 'e'; text++) {
		if (*text < '0' || *text > '9' || (*text == '0' && n == 0))
			continue;
		n++;
		zeros = *text == '0' ? zeros + 1 : 0;
	}
	return n - zeros;
}

static void no_shorter_text_would_read_back(void **state)
{
	(void)state;
	struct rng rng;
	char text[64], trial[64];
	rng_seed(&rng, 4711);
	for (int i = 0; i < 200000; i++) {
		double v = ldexp(rng_unit(&rng), (int)rng_below(&rng, 100) - 42);
		if (i % 8 == 0)
			v = ldexp(1, (int)rng_below(&rng, 90) - 40);
		if (i % 8 == 1)
			v = (double)rng_below(&rng, 1000000000) / 1000;
		if (v == floor(v)) /* integers are printed in full */
			continue;
		snprintf(text, sizeof(text), "%s", format(v));
		assert_true(strtod(text, NULL) == v);
		int n = digits_of(text);
		if (n == 1)
			continue;
		snprintf(trial, sizeof(trial), "%.*e", n - 2, v);
		if (strtod(trial, NULL) == v)
			print_error("%.17g became %s\n", v, text);
		assert_false(strtod(trial, NULL) == v);
		/* Nor is there a nearer one of that length, but where the interval is lopsided. */
		snprintf(trial, sizeof(trial), "%.*e", n - 1, v);
		double mine = strtod(text, NULL), theirs = strtod(trial, NULL);
		assert_true(mine == v && (theirs == v || i % 8 == 0));
		if (theirs == v) {
			snprintf(text, sizeof(text), "%.*Le", n - 1, strtold(text, NULL));
			assert_string_equal(text, trial);
		}
	}
}

static void integers_are_read_strictly(void **state)
{
	(void)state;
	static const char *const bad[] = {"",
					  "-",
					  "+1",
					  " 1",
					  "1 ",
					  "01",
					  "-0",
					  "-01",
					  "1.0",
					  "0x1",
					  "9223372036854775808",
					  "--1",
					  "1e3",
					  "a",
					  "1a",
					  "00",
					  "-9223372036854775809",
					  "99999999999999999999",
					  "999999999999999999999"};
	int64_t v = 77;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(num_parse_int(bytes_str(bad[i]), &v));
		assert_int_equal(v, 77);
	}
	assert_false(num_parse_int(bytes_of("1\0", 2), &v));
	assert_true(num_parse_int(BYTES("9223372036854775807"), &v) && v == INT64_MAX);
	assert_true(num_parse_int(BYTES("-9223372036854775808"), &v) && v == INT64_MIN);
	assert_true(num_parse_int(BYTES("0"), &v) && v == 0);
	assert_true(num_parse_int(BYTES("-10"), &v) && v == -10);
	uint64_t u;
	assert_true(num_parse_uint(BYTES("18446744073709551615"), &u) && u == UINT64_MAX);
	assert_false(num_parse_uint(BYTES("18446744073709551616"), &u));
	assert_false(num_parse_uint(BYTES("-1"), &u));
}

static void every_integer_reads_back_from_its_text(void **state)
{
	(void)state;
	struct rng rng;
	rng_seed(&rng, 7);
	for (int i = 0; i < 200000; i++) {
		int64_t v = (int64_t)rng_next(&rng) >> rng_below(&rng, 64), back;
		char buf[NUM_BUF], expect[32];
		size_t n = num_format_int(buf, v);
		snprintf(expect, sizeof(expect), "%lld", (long long)v);
		assert_int_equal(n, strlen(expect));
		assert_memory_equal(buf, expect, n);
		assert_true(num_parse_int(bytes_of(buf, n), &back));
		assert_true(back == v);
	}
	char buf[NUM_BUF];
	assert_int_equal(num_format_int(buf, INT64_MIN), 20);
	assert_memory_equal(buf, "-9223372036854775808", 20);
}

static void floats_are_read_as_redis_reads_them(void **state)
{
	(void)state;
	static const char *const bad[] = {"",       " 1",   "1 ",  "nan", "-nan",  "1e400",
					  "1e-400", "1e",   ".",   "-",   "1.1.1", "0x",
					  "abc",    "inf ", "--1", "1,5", "+",     "\t1"};
	static const struct {
		const char *text;
		double v;
	} good[] = {{"1", 1},
		    {"-1", -1},
		    {"+1", 1},
		    {"1.", 1},
		    {".5", .5},
		    {"-.5", -.5},
		    {"1e3", 1000},
		    {"0x10", 16},
		    {"inf", INFINITY},
		    {"-INF", -INFINITY},
		    {"+inf", INFINITY},
		    {"Infinity", INFINITY},
		    {"5e-324", 5e-324},
		    {"00012.50", 12.5},
		    {"-0", -0.0},
		    {"123456789012345678901234567890", 123456789012345678901234567890.0}};
	double v;
	long double l;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(num_parse_double(bytes_str(bad[i]), &v));
		if (strchr(bad[i], 'e') == NULL)
			assert_false(num_parse_ldouble(bytes_str(bad[i]), &l));
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(num_parse_double(bytes_str(good[i].text), &v));
		assert_true(v == good[i].v && signbit(v) == signbit(good[i].v));
		assert_true(num_parse_ldouble(bytes_str(good[i].text), &l));
	}
}

static void long_doubles_print_without_exponent_and_trailing_zeros(void **state)
{
	(void)state;
	char buf[NUM_LDOUBLE_BUF];
	assert_int_equal(num_format_ldouble(buf, 3.0L), 1);
	assert_memory_equal(buf, "3", 1);
	assert_int_equal(num_format_ldouble(buf, 10.5L), 4);
	assert_memory_equal(buf, "10.5", 4);
	assert_int_equal(num_format_ldouble(buf, 100.0L), 3);
	assert_memory_equal(buf, "100", 3);
	assert_int_equal(num_format_ldouble(buf, -0.0L), 1);
	assert_memory_equal(buf, "0", 1);
	assert_true(num_format_ldouble(buf, -1.18973149535723176502e+4932L) < NUM_LDOUBLE_BUF);
}

static void memory_sizes_take_redis_units(void **state)
{
	(void)state;
	int64_t v;
	assert_true(num_parse_memory(BYTES("100"), &v) && v == 100);
	assert_true(num_parse_memory(BYTES("1k"), &v) && v == 1000);
	assert_true(num_parse_memory(BYTES("1KB"), &v) && v == 1024);
	assert_true(num_parse_memory(BYTES("2mb"), &v) && v == 2 * 1024 * 1024);
	assert_true(num_parse_memory(BYTES("3Gb"), &v) && v == INT64_C(3) << 30);
	assert_true(num_parse_memory(BYTES("7b"), &v) && v == 7);
	static const char *const bad[] = {
		"", "k", "-1", "1kk", "1 k", "1t", "9223372036854775807k", "99999999999999999999"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(num_parse_memory(bytes_str(bad[i]), &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles_print_as_redis_72_prints_them),
		cmocka_unit_test(every_double_reads_back_from_its_text),
		cmocka_unit_test(no_shorter_text_would_read_back),
		cmocka_unit_test(integers_are_read_strictly),
		cmocka_unit_test(every_integer_reads_back_from_its_text),
		cmocka_unit_test(floats_are_read_as_redis_reads_them),
		cmocka_unit_test(long_doubles_print_without_exponent_and_trailing_zeros),
		cmocka_unit_test(memory_sizes_take_redis_units),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
