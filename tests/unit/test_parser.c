/* tests/unit/test_parser.c - the protocol parser through its header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resp/proto/parser.h"
#include "store/base/mem.h"

/* What a run over a stream saw, as text: "[SET|k|v]" a command, "." an empty one, "!text" an error. */
struct seen {
	char text[4096];
	size_t n;
};

static void note(struct seen *s, const void *p, size_t n)
{
	assert_true(s->n + n < sizeof(s->text));
	memcpy(s->text + s->n, p, n);
	s->n += n;
	s->text[s->n] = '\0';
}

/* Parse what stands in @buf; returns how many bytes were used. False in *@open after an error. */
static size_t run(struct parser *p, const char *buf, size_t n, int cap, struct seen *s, bool *open)
{
	struct bytes room[64], *argv;
	size_t off = 0, used;
	int argc;
	for (;;) {
		switch (parser_next(p, buf + off, n - off, room, cap, &argc, &argv, &used)) {
		case PARSER_MORE:
			return off;
		case PARSER_ERROR:
			note(s, "!", 1);
			note(s, p->error, strlen(p->error));
			*open = false;
			return off;
		case PARSER_EMPTY:
			note(s, ".", 1);
			off += used;
			break;
		case PARSER_READY:
			note(s, "[", 1);
			for (int i = 0; i < argc; i++) {
				note(s, "|", i > 0);
				note(s, argv[i].p, argv[i].n);
			}
			note(s, "]", 1);
			off += used;
			break;
		}
	}
}

/* The same stream, @step bytes at a time, in a buffer that moves at each. */
static void feed(const char *in, size_t n, size_t step, int cap, bool authenticated, struct seen *s)
{
	struct parser p;
	parser_init(&p, 512 << 20);
	p.authenticated = authenticated;
	s->n = 0;
	s->text[0] = '\0';
	size_t start = 0;
	bool open = true;
	for (size_t end = step < n ? step : n; open; end = end + step < n ? end + step : n) {
		char *moved = malloc(end - start + 1);
		memcpy(moved, in + start, end - start);
		start += run(&p, moved, end - start, cap, s, &open);
		free(moved);
		if (end == n)
			break;
	}
	parser_fini(&p);
}

static void expect(const char *in, const char *want, bool authenticated)
{
	size_t n = strlen(in);
	struct seen s;
	for (int cap = 1; cap <= 64; cap += 21) {
		for (size_t step = 1; step <= n; step++) {
			feed(in, n, step, cap, authenticated, &s);
			assert_string_equal(s.text, want);
		}
	}
}

static void arrays_parse_whole_split_and_pipelined(void **state)
{
	(void)state;
	expect("*1\r\n$4\r\nPING\r\n", "[PING]", true);
	expect("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\nhello\r\nworld\r\n", "[SET|k|hello\r\nworld]",
	       true);
	expect("*2\r\n$3\r\nGET\r\n$0\r\n\r\n*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n",
	       "[GET|][PING][PING]", true);
	expect("*12\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n$1\r\ne\r\n$1\r\nf\r\n$"
	       "1\r\ng\r\n"
	       "$1\r\nh\r\n$1\r\ni\r\n$1\r\nj\r\n$1\r\nk\r\n$1\r\nl\r\n",
	       "[a|b|c|d|e|f|g|h|i|j|k|l]", true);
}

static void a_head_that_came_alone_leaves_nothing_behind(void **state)
{
	(void)state;
	struct parser p;
	struct seen s = {0};
	bool open = true;
	parser_init(&p, 512 << 20);
	p.authenticated = true;
	const char *head = "*1\r", *all = "*1\r\n$4\r\nPING\r\n\n*1\r\n$1\r\nX\r\n";
	assert_int_equal(run(&p, head, strlen(head), 32, &s, &open), 0);
	assert_int_equal(run(&p, all, strlen(all), 32, &s, &open), strlen(all));
	assert_string_equal(s.text, "[PING].[X]");
	assert_true(open);
	parser_fini(&p);
}

static void empty_arrays_and_lines_are_skipped(void **state)
{
	(void)state;
	expect("*0\r\n*-1\r\n\r\n\n*1\r\n$4\r\nPING\r\n", "....[PING]", true);
}

static void inline_lines_are_split_into_words(void **state)
{
	(void)state;
	expect("PING\r\n", "[PING]", true);
	expect("SET  k\tv \nGET k\r\n", "[SET|k|v][GET|k]", true);
	expect("SET k \"a b\\x41\\n\"\r\nSET k 'it\\'s' x\"y z\"\r\n",
	       "[SET|k|a bA\n][SET|k|it's|xy z]", true);
	expect("SET k \"\"\r\n   \r\nPING\r\n", "[SET|k|].[PING]", true);
}

static void errors_have_redis_texts(void **state)
{
	(void)state;
	expect("PING\r\nSET \"k\r\nPING\r\n", "[PING]!Protocol error: unbalanced quotes in request",
	       true);
	expect("SET \"k\"x\r\n", "!Protocol error: unbalanced quotes in request", true);
	expect("*x\r\n", "!Protocol error: invalid multibulk length", true);
	expect("*2147483648\r\n", "!Protocol error: invalid multibulk length", true);
	expect("*+1\r\n", "!Protocol error: invalid multibulk length", true);
	expect("*01\r\n", "!Protocol error: invalid multibulk length", true);
	expect("*1\r\nx3\r\n", "!Protocol error: expected '$', got 'x'", true);
	expect("*1\r\n$-1\r\n", "!Protocol error: invalid bulk length", true);
	expect("*1\r\n$03\r\n", "!Protocol error: invalid bulk length", true);
	expect("*1\r\n$536870913\r\n", "!Protocol error: invalid bulk length", true);
	expect("*1\r\n$99999999999999999999\r\n", "!Protocol error: invalid bulk length", true);
}

static void limits_bind_before_authentication(void **state)
{
	(void)state;
	expect("*11\r\n", "!Protocol error: unauthenticated multibulk length", false);
	expect("*1\r\n$16385\r\n", "!Protocol error: unauthenticated bulk length", false);
	expect("*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n", "[AUTH|x]", false);
}

static void a_line_without_end_is_refused_at_64_kib(void **state)
{
	(void)state;
	static const struct {
		const char *head, *error;
	} cases[] = {
		{"G", "Protocol error: too big inline request"},
		{"*1", "Protocol error: too big mbulk count string"},
		{"*1\r\n$1", "Protocol error: too big bulk count string"},
	};
	size_t n = PARSER_INLINE_MAX + 100;
	char *buf = malloc(n);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		memset(buf, '1', n);
		memcpy(buf, cases[i].head, strlen(cases[i].head));
		struct parser p;
		parser_init(&p, 512 << 20);
		p.authenticated = true;
		struct bytes room[8], *argv;
		int argc;
		size_t used, at = 0;
		enum parser_state st = PARSER_MORE;
		while (st == PARSER_MORE && at < n)
			st = parser_next(&p, buf, ++at, room, 8, &argc, &argv, &used);
		assert_int_equal(st, PARSER_ERROR);
		assert_string_equal(p.error, cases[i].error);
		assert_true(at <= PARSER_INLINE_MAX + 16);
		parser_fini(&p);
	}
	free(buf);
}

static void an_announced_array_costs_nothing(void **state)
{
	(void)state;
	size_t before = mem_used();
	struct parser p;
	parser_init(&p, 512 << 20);
	p.authenticated = true;
	struct bytes room[8], *argv;
	int argc;
	size_t used;
	const char *in = "*2147483647\r\n$536870912\r\n";
	assert_int_equal(parser_next(&p, in, strlen(in), room, 8, &argc, &argv, &used),
			 PARSER_MORE);
	assert_true(mem_used() - before < 1024);
	assert_int_equal(parser_missing(&p, strlen(in)), 536870912 + 2);
	parser_fini(&p);
	assert_int_equal(mem_used(), before);
}

static void a_bulk_may_stand_outside_the_buffer(void **state)
{
	(void)state;
	struct parser p;
	parser_init(&p, 512 << 20);
	p.authenticated = true;
	struct bytes room[8], *argv;
	int argc;
	size_t used;
	char buf[128] = "*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhe";
	assert_int_equal(parser_next(&p, buf, strlen(buf), room, 8, &argc, &argv, &used),
			 PARSER_MORE);
	assert_int_equal(p.bulk, 5);
	buf[p.pos] = '\0';
	parser_outside(&p, "hello");
	strcat(buf, "$2\r\nNX\r\n*1\r\n");
	assert_int_equal(parser_next(&p, buf, strlen(buf), room, 8, &argc, &argv, &used),
			 PARSER_READY);
	assert_int_equal(argc, 4);
	assert_true(bytes_eq(argv[2], BYTES("hello")));
	assert_true(bytes_eq(argv[3], BYTES("NX")));
	assert_string_equal(buf + used, "*1\r\n");
	parser_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrays_parse_whole_split_and_pipelined),
		cmocka_unit_test(a_head_that_came_alone_leaves_nothing_behind),
		cmocka_unit_test(empty_arrays_and_lines_are_skipped),
		cmocka_unit_test(inline_lines_are_split_into_words),
		cmocka_unit_test(errors_have_redis_texts),
		cmocka_unit_test(limits_bind_before_authentication),
		cmocka_unit_test(a_line_without_end_is_refused_at_64_kib),
		cmocka_unit_test(an_announced_array_costs_nothing),
		cmocka_unit_test(a_bulk_may_stand_outside_the_buffer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
