/* Elements as lines, and the newline rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/text/line.h"
#include "fs/text/rows.h"

static void assert_row(const struct bytes *cols, int n, const char *want)
{
	struct buf out = {0};
	struct bytes back[2];
	struct rows r;

	rows_put(&out, cols, n);
	assert_int_equal(out.n, strlen(want));
	assert_memory_equal(out.p, want, out.n);
	assert_int_equal(rows_size(cols, n), out.n);
	rows_init(&r, buf_view(&out), n, false);
	assert_int_equal(rows_next(&r, back), ROWS_ROW);
	for (int i = 0; i < n; i++)
		assert_true(bytes_eq(cols[i], back[i]));
	rows_fini(&r);
	buf_free(&out);
}

static void assert_line(struct bytes element, const char *want)
{
	assert_row(&element, 1, want);
}

static void an_element_is_shown_literally(void **state)
{
	(void)state;
	assert_line(BYTES("{\"a\": \"b\\n'c'\"}"), "{\"a\": \"b\\n'c'\"}\n");
	assert_line(BYTES("tab\there"), "tab\there\n");
	assert_line(BYTES("caf\xc3\xa9 \xff"), "caf\xc3\xa9 \xff\n");
	assert_line(BYTES(""), "\n");
	assert_line(BYTES("$"), "$\n");
	assert_line(BYTES("'$'"), "'$'\n");
}

static void what_a_line_cannot_hold_is_quoted_as_the_shell_does(void **state)
{
	(void)state;
	assert_line(BYTES("a\nb"), "$'a\\nb'\n");
	assert_line(bytes_of("\0\x01\x1b\x7f", 4), "$'\\000\\001\\E\\177'\n");
	assert_line(BYTES("$'x'"), "$'$\\'x\\''\n");
	assert_line(BYTES("it's\t\\\n"), "$'it\\'s\\t\\\\\\n'\n");
	struct bytes cols[2] = {BYTES("a\tb"), BYTES("c\td")};
	assert_row(cols, 2, "$'a\\tb'\t$'c\\td'\n");
}

static void the_shells_other_escapes_are_read_too(void **state)
{
	struct bytes col;
	struct rows r;

	(void)state;
	rows_init(&r, BYTES("$'\\x41\\u00e9\\U1F600\\cA\\?\\\"\\e\\101'\n"), 1, false);
	assert_int_equal(rows_next(&r, &col), ROWS_ROW);
	assert_true(bytes_eq(col, BYTES("A\xc3\xa9\xf0\x9f\x98\x80\x01?\"\033A")));
	rows_fini(&r);
}

static void a_last_line_without_newline_counts_when_asked(void **state)
{
	struct bytes col;
	struct rows r;

	(void)state;
	rows_init(&r, BYTES("one\ntwo"), 1, true);
	assert_int_equal(rows_next(&r, &col), ROWS_ROW);
	assert_int_equal(rows_next(&r, &col), ROWS_ROW);
	assert_true(bytes_eq(col, BYTES("two")));
	assert_int_equal(rows_next(&r, &col), ROWS_END);
	rows_init(&r, BYTES("one\ntwo"), 1, false);
	assert_int_equal(rows_next(&r, &col), ROWS_ROW);
	assert_int_equal(rows_next(&r, &col), ROWS_END);
	assert_int_equal(r.at, 4);
}

static void assert_bad(struct bytes text, int ncolumns)
{
	struct bytes cols[2];
	struct rows r;

	rows_init(&r, text, ncolumns, true);
	assert_int_equal(rows_next(&r, cols), ROWS_BAD);
	assert_int_equal(r.at, 0);
	rows_fini(&r);
}

static void a_bad_line_is_told(void **state)
{
	(void)state;
	assert_bad(BYTES("no tab\n"), 2);
	assert_bad(BYTES("$'a'b'\n"), 1);
	assert_bad(BYTES("$'\\q'\n"), 1);
	assert_bad(BYTES("$'\\'\n"), 1);
	assert_bad(BYTES("$'\\777'\n"), 1);
	assert_bad(BYTES("$'\\ud800'\n"), 1);
	assert_bad(BYTES("a\t$'\\xzz'\n"), 2);
}

static void a_column_that_only_begins_like_a_quote_is_itself(void **state)
{
	struct bytes col;
	struct rows r;

	(void)state;
	rows_init(&r, BYTES("$'a\n$'\n"), 1, false);
	assert_int_equal(rows_next(&r, &col), ROWS_ROW);
	assert_true(bytes_eq(col, BYTES("$'a")));
	assert_int_equal(rows_next(&r, &col), ROWS_ROW);
	assert_true(bytes_eq(col, BYTES("$'")));
	rows_fini(&r);
}

static bool is_line(struct bytes s)
{
	return line_is_text(&s, 1);
}

static void what_echo_writes_is_a_line(void **state)
{
	(void)state;
	assert_true(is_line(BYTES("5\n")));
	assert_true(is_line(BYTES("\n")));
	assert_true(is_line(BYTES("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\n")));
	assert_true(is_line(BYTES("\xc2\xa0\n")));
}

static void anything_else_is_not(void **state)
{
	(void)state;
	assert_false(is_line(BYTES("")));
	assert_false(is_line(BYTES("5")));
	assert_false(is_line(BYTES("a\nb\n")));
	assert_false(is_line(BYTES("a\n\n")));
	assert_false(is_line(BYTES("a\tb\n")));
	assert_false(is_line(BYTES("a\r\n")));
	assert_false(is_line(bytes_of("a\0\n", 3)));
	assert_false(is_line(BYTES("\x7f\n")));
	assert_false(is_line(BYTES("\xff\n")));
	assert_false(is_line(BYTES("\xc0\x80\n")));     /* overlong */
	assert_false(is_line(BYTES("\xed\xa0\x80\n"))); /* a surrogate */
	assert_false(is_line(BYTES("\xf4\x90\x80\x80\n")));
	assert_false(is_line(BYTES("\xc2\x85\n"))); /* NEL, a control character */
	assert_false(is_line(BYTES("\xe2\x82\n"))); /* cut short */
}

/* A line of a stream has any number of columns. */
static void a_line_is_cut_at_each_of_its_tabs(void **state)
{
	const struct bytes cols[] = {BYTES("1-1"), BYTES(""), bytes_of("a\0\n\tb", 5), BYTES("$'x"),
				     BYTES("")};
	const struct bytes *words;
	struct buf out = {0};
	struct rows r;
	size_t n, size = 0;

	(void)state;
	for (int i = 0; i < 5; i++) {
		rows_put_column(&out, cols[i], i == 4 ? '\n' : '\t');
		size += rows_column_size(cols[i]);
	}
	assert_int_equal(size, out.n);
	buf_bytes(&out, BYTES("one\nunfinished"));
	rows_init(&r, buf_view(&out), 1, false);
	assert_int_equal(rows_next_words(&r, &words, &n), ROWS_ROW);
	assert_int_equal(n, 5);
	for (int i = 0; i < 5; i++)
		assert_true(bytes_eq(cols[i], words[i]));
	assert_int_equal(r.at, size);
	assert_int_equal(rows_next_words(&r, &words, &n), ROWS_ROW);
	assert_int_equal(n, 1);
	assert_int_equal(rows_next_words(&r, &words, &n), ROWS_END);
	rows_fini(&r);
	rows_init(&r, BYTES("a\t$'\\q'\n"), 1, false);
	assert_int_equal(rows_next_words(&r, &words, &n), ROWS_BAD);
	rows_fini(&r);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_element_is_shown_literally),
		cmocka_unit_test(what_a_line_cannot_hold_is_quoted_as_the_shell_does),
		cmocka_unit_test(the_shells_other_escapes_are_read_too),
		cmocka_unit_test(a_last_line_without_newline_counts_when_asked),
		cmocka_unit_test(a_bad_line_is_told),
		cmocka_unit_test(a_column_that_only_begins_like_a_quote_is_itself),
		cmocka_unit_test(what_echo_writes_is_a_line),
		cmocka_unit_test(anything_else_is_not),
		cmocka_unit_test(a_line_is_cut_at_each_of_its_tabs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
