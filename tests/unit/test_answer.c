/* Replies read piece by piece, wherever the segments that hold them are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/backend/answer.h"
#include "fs/backend/errors.h"

/* Every kind once, nested. */
static const char REPLY[] = "+OK\r\n"
			    "-ERR no\r\n"
			    ":-12\r\n"
			    "$5\r\nhe\r\nl\r\n"
			    "$0\r\n\r\n"
			    "$-1\r\n"
			    "*-1\r\n"
			    "*2\r\n$1\r\na\r\n*1\r\n:7\r\n"
			    "%1\r\n+k\r\n,1.5\r\n"
			    "~1\r\n#t\r\n"
			    ">1\r\n_\r\n"
			    "(123\r\n"
			    "=7\r\ntxt:abc\r\n";

static void assert_piece(struct answers *a, enum answer_kind kind, int64_t n, const char *text)
{
	struct answer piece;

	assert_true(answers_next(a, &piece));
	assert_int_equal(piece.kind, kind);
	assert_int_equal(piece.n, n);
	if (text) {
		assert_int_equal(piece.text.n, strlen(text));
		assert_memory_equal(piece.text.p, text, piece.text.n);
	}
}

static void read_all(struct answers *a)
{
	struct answer piece;

	assert_piece(a, ANSWER_STATUS, 0, "OK");
	assert_piece(a, ANSWER_ERROR, 0, "ERR no");
	assert_piece(a, ANSWER_INT, -12, NULL);
	assert_piece(a, ANSWER_BULK, 0, "he\r\nl");
	assert_piece(a, ANSWER_BULK, 0, "");
	assert_piece(a, ANSWER_NULL, 0, NULL);
	assert_piece(a, ANSWER_NULL, -1, NULL);
	assert_true(answers_next(a, &piece));
	assert_int_equal(answer_elements(&piece), 2);
	assert_true(answers_skip(a, &piece));
	assert_piece(a, ANSWER_MAP, 1, NULL);
	assert_piece(a, ANSWER_STATUS, 0, "k");
	assert_piece(a, ANSWER_DOUBLE, 0, "1.5");
	assert_piece(a, ANSWER_SET, 1, NULL);
	assert_piece(a, ANSWER_BOOL, 1, NULL);
	assert_piece(a, ANSWER_PUSH, 1, NULL);
	assert_piece(a, ANSWER_NULL, 0, NULL);
	assert_piece(a, ANSWER_BIGNUM, 0, "123");
	assert_piece(a, ANSWER_VERBATIM, 0, "abc");
	assert_false(answers_next(a, &piece));
}

static void a_reply_reads_the_same_wherever_it_is_cut(void **state)
{
	size_t n = sizeof(REPLY) - 1;

	(void)state;
	for (size_t i = 0; i <= n; i++) {
		for (size_t k = i; k <= n; k += 3) {
			struct iovec iov[3] = {{(char *)(uintptr_t)REPLY, i},
					       {(char *)(uintptr_t)REPLY + i, k - i},
					       {(char *)(uintptr_t)REPLY + k, n - k}};
			struct answers a;
			answers_init(&a, iov, 3, NULL);
			read_all(&a);
			answers_fini(&a);
		}
	}
}

static void a_value_in_one_segment_is_not_copied(void **state)
{
	static const char head[] = "$3\r\n", body[] = "abc", tail[] = "\r\n";
	struct iovec iov[3] = {{(char *)(uintptr_t)head, 4},
			       {(char *)(uintptr_t)body, 3},
			       {(char *)(uintptr_t)tail, 2}};
	struct answers a;
	struct answer piece;

	(void)state;
	answers_init(&a, iov, 3, NULL);
	assert_true(answers_next(&a, &piece));
	assert_ptr_equal(piece.text.p, body);
	assert_false(piece.joined);
	answers_fini(&a);
}

static void what_is_no_reply_ends_the_reading(void **state)
{
	static const char *const bad[] = {"",         "+OK",     "?x\r\n",   "$x\r\n",
					  "$5\r\nab", "*-2\r\n", ":1e5\r\n", "=2\r\nab\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct iovec iov = {(char *)(uintptr_t)bad[i], strlen(bad[i])};
		struct answers a;
		struct answer piece;
		answers_init(&a, &iov, 1, NULL);
		assert_false(answers_next(&a, &piece));
		answers_fini(&a);
	}
}

static void an_errors_first_word_is_its_errno(void **state)
{
	(void)state;
	assert_int_equal(error_of_line(BYTES("WRONGTYPE Operation against a key")), ERROR_TYPE);
	assert_int_equal(error_of_line(BYTES("OOM command not allowed")), ENOSPC);
	assert_int_equal(error_of_line(BYTES("MISCONF Redis is configured")), ENOSPC);
	assert_int_equal(error_of_line(BYTES("READONLY You can't write")), EROFS);
	assert_int_equal(error_of_line(BYTES("NOPERM this user")), EACCES);
	assert_int_equal(error_of_line(BYTES("LOADING Redis is loading")), EBUSY);
	assert_int_equal(error_of_line(BYTES("ERR no such key")), ENOENT);
	assert_int_equal(error_of_line(BYTES("ERR string exceeds maximum allowed size (x)")),
			 EFBIG);
	assert_int_equal(error_of_line(BYTES("ERR unknown command 'x'")), EOPNOTSUPP);
	assert_int_equal(error_of_line(BYTES("ERR value is not a valid float")), EINVAL);
	assert_int_equal(error_of_line(BYTES("SOMETHING")), EINVAL);
	assert_int_equal(error_of_line(BYTES("")), EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_reads_the_same_wherever_it_is_cut),
		cmocka_unit_test(a_value_in_one_segment_is_not_copied),
		cmocka_unit_test(what_is_no_reply_ends_the_reading),
		cmocka_unit_test(an_errors_first_word_is_its_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
