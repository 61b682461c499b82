/* tests/unit/test_reply.c - the output queue through its header, against plain strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resp/proto/reply.h"
#include "store/base/mem.h"
#include "store/base/rng.h"

/* All that waits, in one piece; freed by the caller. */
static char *text_of(const struct reply *r, size_t *n)
{
	*n = reply_pending(r);
	char *s = malloc(*n + 1);
	size_t at = 0, bytes;
	struct iovec iov[4096];
	int used = reply_iov(r, iov, 4096, &bytes);
	assert_int_equal(bytes, *n);
	for (int i = 0; i < used; i++) {
		memcpy(s + at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	assert_int_equal(at, *n);
	s[at] = '\0';
	return s;
}

static void expect(struct reply *r, const char *want)
{
	size_t n;
	char *s = text_of(r, &n);
	assert_string_equal(s, want);
	free(s);
	reply_consume(r, n);
	assert_int_equal(reply_pending(r), 0);
}

static void resp2_and_resp3_forms(void **state)
{
	(void)state;
	struct reply r;
	for (int proto = 2; proto <= 3; proto++) {
		reply_init(&r, proto);
		bool three = proto == 3;
		reply_ok(&r);
		reply_status(&r, "PONG");
		expect(&r, "+OK\r\n+PONG\r\n");
		reply_int(&r, 7);
		reply_int(&r, -7);
		reply_int(&r, INT64_MIN);
		expect(&r, ":7\r\n:-7\r\n:-9223372036854775808\r\n");
		reply_bulk(&r, BYTES("abc"));
		reply_bulk(&r, bytes_of(NULL, 0));
		reply_bulk_int(&r, -12);
		reply_bulkf(&r, "%s-%d", "x", 5);
		expect(&r, "$3\r\nabc\r\n$0\r\n\r\n$3\r\n-12\r\n$3\r\nx-5\r\n");
		reply_null(&r);
		reply_null_array(&r);
		expect(&r, three ? "_\r\n_\r\n" : "$-1\r\n*-1\r\n");
		reply_array(&r, 2);
		reply_map(&r, 2);
		reply_set(&r, 2);
		reply_push(&r, 2);
		expect(&r, three ? "*2\r\n%2\r\n~2\r\n>2\r\n" : "*2\r\n*4\r\n*2\r\n*2\r\n");
		reply_double(&r, 1.5);
		reply_bool(&r, true);
		reply_bignum(&r, BYTES("123"));
		reply_verbatim(&r, BYTES("hi"), "txt");
		expect(&r, three ? ",1.5\r\n#t\r\n(123\r\n=6\r\ntxt:hi\r\n"
				 : "$3\r\n1.5\r\n:1\r\n$3\r\n123\r\n$2\r\nhi\r\n");
		reply_fini(&r);
	}
}

static void an_error_is_one_line_and_counted(void **state)
{
	(void)state;
	struct reply r;
	reply_init(&r, 2);
	reply_error(&r, "WRONGTYPE no\r\nway");
	assert_string_equal(r.error_code, "WRONGTYPE");
	reply_errorf(&r, "ERR %d", 5);
	assert_string_equal(r.error_code, "ERR");
	assert_int_equal(r.errors, 2);
	expect(&r, "-WRONGTYPE no  way\r\n-ERR 5\r\n");
	reply_fini(&r);
}

static void a_muted_reply_stays_empty(void **state)
{
	(void)state;
	struct reply r;
	reply_init(&r, 2);
	r.muted = true;
	struct reply_later l = reply_later_begin(&r);
	reply_int(&r, 5);
	reply_bulk(&r, BYTES("x"));
	reply_error(&r, "ERR x");
	reply_later_end(&r, l, '*', 2);
	assert_int_equal(reply_pending(&r), 0);
	assert_int_equal(r.errors, 1);
	assert_int_equal(r.total, 0);
	reply_fini(&r);
}

static void big_blobs_leave_by_reference(void **state)
{
	(void)state;
	struct reply r;
	reply_init(&r, 2);
	struct blob *b = blob_new(100000);
	memset(b->data, 'x', 100000);
	b->len = 100000;
	reply_blob(&r, b);
	assert_int_equal(b->refs, 2);
	struct iovec iov[8];
	size_t bytes;
	assert_int_equal(reply_iov(&r, iov, 8, &bytes), 3);
	assert_ptr_equal(iov[1].iov_base, b->data);
	assert_int_equal(bytes, 100000 + 9 + 2);
	reply_consume(&r, bytes);
	assert_int_equal(b->refs, 1);
	blob_put(b);
	reply_fini(&r);
}

static void past_its_limit_a_reply_drops_everything(void **state)
{
	(void)state;
	struct reply r;
	reply_init(&r, 2);
	r.limit = 100000;
	for (int i = 0; i < 100000 && !r.overflow; i++)
		reply_bulk(&r, BYTES("0123456789"));
	assert_true(r.overflow);
	assert_int_equal(reply_mem(&r), 0);
	reply_ok(&r);
	assert_int_equal(reply_pending(&r), 0);
	reply_fini(&r);
}

/* A plain string to compare with. */
struct model {
	char *p;
	size_t n;
};

static void model_insert(struct model *m, size_t at, const char *p, size_t n)
{
	m->p = realloc(m->p, m->n + n + 1);
	memmove(m->p + at + n, m->p + at, m->n - at);
	memcpy(m->p + at, p, n);
	m->n += n;
}

static void same(const struct reply *r, const struct model *m)
{
	size_t n;
	char *s = text_of(r, &n);
	assert_int_equal(n, m->n);
	assert_memory_equal(s, m->p ? m->p : "", n);
	free(s);
}

static void append_random(struct rng *rng, struct reply *r, struct model *m)
{
	static char bytes[70000];
	char text[64];
	size_t n = rng_below(rng, 20) == 0 ? rng_below(rng, sizeof(bytes)) : rng_below(rng, 200);
	memset(bytes, 'a' + (int)rng_below(rng, 26), n);
	int len = snprintf(text, sizeof(text), "$%zu\r\n", n);
	model_insert(m, m->n, text, (size_t)len);
	model_insert(m, m->n, bytes, n);
	model_insert(m, m->n, "\r\n", 2);
	if (rng_below(rng, 3) == 0) {
		struct blob *b = blob_from(bytes_of(bytes, n));
		reply_blob(r, b);
		blob_put(b);
	} else {
		reply_bulk(r, bytes_of(bytes, n));
	}
}

/* An array of late length with some elements, perhaps arrays themselves. */
static void later_random(struct rng *rng, struct reply *r, struct model *m, int depth)
{
	struct reply_later l = reply_later_begin(r);
	size_t at = m->n, n = rng_below(rng, 12);
	for (size_t i = 0; i < n; i++) {
		if (depth < 4 && rng_below(rng, 4) == 0)
			later_random(rng, r, m, depth + 1);
		else
			append_random(rng, r, m);
	}
	char text[32];
	int len = snprintf(text, sizeof(text), "*%zu\r\n", n);
	model_insert(m, at, text, (size_t)len);
	reply_later_end(r, l, '*', n);
}

static void appends_laters_truncations_and_consumption_agree_with_a_string(void **state)
{
	(void)state;
	struct rng rng;
	uint64_t seed = 20240607;
	print_message("seed %llu\n", (unsigned long long)seed);
	rng_seed(&rng, seed);
	size_t before = mem_used();
	for (int round = 0; round < 60; round++) {
		struct reply r;
		struct model m = {0};
		reply_init(&r, 2);
		for (int step = 0; step < 40; step++) {
			uint64_t mark = r.total;
			size_t had = m.n;
			if (rng_below(&rng, 3))
				append_random(&rng, &r, &m);
			else
				later_random(&rng, &r, &m, 0);
			if (rng_below(&rng, 5) == 0) {
				reply_truncate(&r, mark);
				m.n = had;
			}
			same(&r, &m);
			if (rng_below(&rng, 2)) {
				size_t n = rng_below(&rng, m.n + 1);
				reply_consume(&r, n);
				memmove(m.p, m.p + n, m.n - n);
				m.n -= n;
				same(&r, &m);
			}
		}
		reply_consume(&r, m.n);
		reply_shrink(&r);
		assert_int_equal(reply_mem(&r), 0);
		reply_fini(&r);
		free(m.p);
	}
	assert_int_equal(mem_used(), before);
}

int main(void)
{
	mem_thread_register();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resp2_and_resp3_forms),
		cmocka_unit_test(an_error_is_one_line_and_counted),
		cmocka_unit_test(a_muted_reply_stays_empty),
		cmocka_unit_test(big_blobs_leave_by_reference),
		cmocka_unit_test(past_its_limit_a_reply_drops_everything),
		cmocka_unit_test(appends_laters_truncations_and_consumption_agree_with_a_string),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
