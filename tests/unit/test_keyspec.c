/* Key specifications: positions of keys in a call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resp/dispatch.h"

static int keys_of(const struct command *cmd, int argc, const char *const *words, int *positions)
{
	struct bytes argv[16];
	for (int i = 0; i < argc; i++)
		argv[i] = bytes_str(words[i]);
	return command_keys(cmd, argc, argv, positions, NULL, 16);
}

static void a_range_to_the_end_takes_every_step(void **state)
{
	(void)state;
	const struct command mset = {.keys = {{.flags = KEY_OW,
					       .begin = KEYS_BEGIN_INDEX,
					       .index = 1,
					       .find = KEYS_FIND_RANGE,
					       .lastkey = -1,
					       .step = 2}}};
	int at[16];
	assert_int_equal(keys_of(&mset, 5, (const char *[]){"mset", "a", "1", "b", "2"}, at), 2);
	assert_int_equal(at[0], 1);
	assert_int_equal(at[1], 3);
}

static void a_key_number_is_followed_and_checked(void **state)
{
	(void)state;
	const struct command zunion = {.keys = {{.flags = KEY_RO,
						 .begin = KEYS_BEGIN_INDEX,
						 .index = 1,
						 .find = KEYS_FIND_KEYNUM,
						 .keynumidx = 0,
						 .firstkey = 1,
						 .keystep = 1}}};
	int at[16];
	assert_int_equal(keys_of(&zunion, 4, (const char *[]){"zunion", "2", "a", "b"}, at), 2);
	assert_int_equal(at[1], 3);
	assert_int_equal(keys_of(&zunion, 4, (const char *[]){"zunion", "3", "a", "b"}, at), -1);
	assert_int_equal(keys_of(&zunion, 4, (const char *[]){"zunion", "-1", "a", "b"}, at), -1);
	assert_int_equal(
		keys_of(&zunion, 4, (const char *[]){"zunion", "99999999999", "a", "b"}, at), -1);
	assert_int_equal(keys_of(&zunion, 4, (const char *[]){"zunion", "x", "a", "b"}, at), -1);
}

static void a_keyword_is_found_in_any_case_or_nothing_is(void **state)
{
	(void)state;
	const struct command sort = {.keys = {{.flags = KEY_RO,
					       .begin = KEYS_BEGIN_INDEX,
					       .index = 1,
					       .find = KEYS_FIND_RANGE},
					      {.flags = KEY_OW,
					       .begin = KEYS_BEGIN_KEYWORD,
					       .index = 2,
					       .keyword = "STORE",
					       .find = KEYS_FIND_RANGE}}};
	int at[16];
	assert_int_equal(keys_of(&sort, 4, (const char *[]){"sort", "a", "sToRe", "b"}, at), 2);
	assert_int_equal(at[1], 3);
	assert_int_equal(keys_of(&sort, 2, (const char *[]){"sort", "a"}, at), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_to_the_end_takes_every_step),
		cmocka_unit_test(a_key_number_is_followed_and_checked),
		cmocka_unit_test(a_keyword_is_found_in_any_case_or_nothing_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
