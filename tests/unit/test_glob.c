#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/base/glob.h"
#include "store/base/rng.h"

static bool match(const char *pattern, const char *s)
{
	return glob_match(bytes_str(pattern), bytes_str(s), false);
}

static void patterns_match_as_in_redis(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *s;
		bool match;
	} cases[] = {
		{"*", "", false},
		{"*", "abc", true},
		{"", "", true},
		{"", "a", false},
		{"a*", "abc", true},
		{"*c", "abc", true},
		{"a*c", "abc", true},
		{"a*c", "abd", false},
		{"a?c", "abc", true},
		{"?", "", false},
		{"h[ae]llo", "hello", true},
		{"h[ae]llo", "hillo", false},
		{"h[^e]llo", "hallo", true},
		{"h[^e]llo", "hello", false},
		{"h[a-c]llo", "hbllo", true},
		{"h[c-a]llo", "hbllo", true},
		{"h[a-c]llo", "hdllo", false},
		{"\\*", "*", true},
		{"\\*", "a", false},
		{"[\\]]", "]", true},
		{"[]", "a", false},
		{"[^]", "a", true},
		{"[a", "a", true},
		{"a\\", "a\\", true},
		{"**", "", false},
		{"a**", "a", true},
		{"**a**", "xxaxx", true},
		{"*a*b*c*", "1a2b3c4", true},
		{"*a*b*c*", "1a2c3b4", false},
		{"[a-", "a", true},
		{"[a-", "-", true},
		{"[", "a", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (match(cases[i].pattern, cases[i].s) != cases[i].match)
			print_error("%s on %s\n", cases[i].pattern, cases[i].s);
		assert_true(match(cases[i].pattern, cases[i].s) == cases[i].match);
	}
	assert_true(glob_match(BYTES("H[A-C]*"), BYTES("hbx"), true));
	assert_false(glob_match(BYTES("H[A-C]*"), BYTES("hbx"), false));
	assert_true(glob_is_all(BYTES("*")));
	assert_false(glob_is_all(BYTES("**")));
}

static void many_stars_cost_no_exponential_time(void **state)
{
	(void)state;
	char pattern[401], s[10001];
	for (int i = 0; i < 400; i++)
		pattern[i] = i % 2 ? 'a' : '*';
	pattern[399] = 'b';
	memset(s, 'a', sizeof(s));
	assert_false(glob_match(bytes_of(pattern, 400), bytes_of(s, 10000), false));
}

/* The plain recursive meaning, for short inputs. */
static bool naive(const char *p, const char *s)
{
	if (!*p)
		return !*s;
	if (*p == '*')
		return naive(p + 1, s) || (*s && naive(p, s + 1));
	return *s && (*p == '?' || *p == *s) && naive(p + 1, s + 1);
}

static void random_patterns_agree_with_the_recursive_meaning(void **state)
{
	(void)state;
	struct rng rng;
	rng_seed(&rng, 99);
	for (int i = 0; i < 200000; i++) {
		char p[8], s[9];
		size_t pn = rng_below(&rng, 8), sn = 1 + rng_below(&rng, 8);
		for (size_t j = 0; j < pn; j++)
			p[j] = "ab*?"[rng_below(&rng, 4)];
		for (size_t j = 0; j < sn; j++)
			s[j] = "ab"[rng_below(&rng, 2)];
		p[pn] = s[sn] = '\0';
		assert_true(match(p, s) == naive(p, s));
	}
}

static void the_generator_is_uniform_enough_and_bounded(void **state)
{
	(void)state;
	struct rng rng;
	unsigned hits[7] = {0};
	rng_seed(&rng, 0);
	for (int i = 0; i < 70000; i++)
		hits[rng_below(&rng, 7)]++;
	for (int i = 0; i < 7; i++)
		assert_in_range(hits[i], 9500, 10500);
	for (int i = 0; i < 1000; i++) {
		double u = rng_unit(&rng);
		assert_true(u >= 0 && u < 1);
		assert_true(rng_below(&rng, 1) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_as_in_redis),
		cmocka_unit_test(many_stars_cost_no_exponential_time),
		cmocka_unit_test(random_patterns_agree_with_the_recursive_meaning),
		cmocka_unit_test(the_generator_is_uniform_enough_and_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
