/* Keys as file names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/text/name.h"

static void assert_name(struct bytes key, const char *want)
{
	struct buf out = {0};

	name_encode(&out, key);
	assert_int_equal(out.n, strlen(want));
	assert_memory_equal(out.p, want, out.n);
	assert_int_equal(name_length(key), out.n);
	buf_free(&out);
}

static void a_plain_key_is_its_own_name(void **state)
{
	(void)state;
	assert_name(BYTES("user:1000 {x}"), "user:1000 {x}");
	assert_name(BYTES("caf\xc3\xa9 \xff\xfe"), "caf\xc3\xa9 \xff\xfe");
	assert_name(BYTES("a.b..c."), "a.b..c.");
}

static void only_what_a_name_cannot_hold_is_escaped(void **state)
{
	(void)state;
	assert_name(BYTES("a/b%c\n\x7f"), "a%2Fb%25c%0A%7F");
	assert_name(BYTES("."), "%2E");
	assert_name(BYTES(".."), "%2E.");
	assert_name(BYTES(".a.b"), "%2Ea.b");
	assert_name(BYTES(""), "%");
	assert_name(bytes_of("a\0b", 3), "a%00b");
}

static void assert_no_key(const char *name)
{
	char room[64];
	struct bytes key;

	assert_false(name_decode(bytes_str(name), room, &key));
}

static void any_other_spelling_resolves_to_nothing(void **state)
{
	(void)state;
	assert_no_key("");
	assert_no_key(".");
	assert_no_key("..");
	assert_no_key(".hidden");
	assert_no_key("%41");  /* needs no escape */
	assert_no_key("a%2f"); /* lower case */
	assert_no_key("a%2E"); /* a dot that is not in front */
	assert_no_key("50%");  /* cut short */
	assert_no_key("%2");
	assert_no_key("%%");
	assert_no_key("a\nb");
	assert_no_key("a/b");
}

static void every_byte_in_every_place_comes_back(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		for (int place = 0; place < 3; place++) {
			char raw[3] = {'x', 'x', 'x'}, room[16];
			struct buf out = {0};
			struct bytes key;

			raw[place] = (char)c;
			name_encode(&out, bytes_of(raw, 3));
			assert_true(name_decode(buf_view(&out), room, &key));
			assert_true(bytes_eq(key, bytes_of(raw, 3)));
			buf_free(&out);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_key_is_its_own_name),
		cmocka_unit_test(only_what_a_name_cannot_hold_is_escaped),
		cmocka_unit_test(any_other_spelling_resolves_to_nothing),
		cmocka_unit_test(every_byte_in_every_place_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
