#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/base/mem.h"
#include "store/types/hash.h"
#include "tests/unit/model.h"

static const struct type_limits limits = TYPE_LIMITS_DEFAULT;
static const struct type_limits tight = {.hash_max_listpack_entries = 6,
					 .hash_max_listpack_value = 16};

/* Two models side by side: fields, and the value of each. */
struct pairs {
	struct model fields, values;
};

static void same(struct hash *h, const struct pairs *m, const struct type_limits *lim)
{
	char buf[NUM_BUF];
	struct bytes v;

	hash_check(h, lim);
	assert_int_equal(hash_count(h), m->fields.n);
	for (size_t i = 0; i < m->fields.n; i++) {
		assert_true(hash_get(h, m->fields.v[i], buf, &v));
		assert_true(bytes_eq(v, m->values.v[i]));
		assert_true(hash_has(h, m->fields.v[i]));
	}
}

static void count_field(void *arg, struct bytes field, struct bytes value)
{
	struct model *seen = arg;
	(void)value;
	if (model_find(seen, field) == seen->n)
		model_insert(seen, seen->n, field);
}

static void copy_is_same(struct hash *h, const struct pairs *m, const struct type_limits *lim)
{
	struct hash *copy = hash_dup(h);
	struct model seen = {0};
	uint64_t cursor = 0;

	same(copy, m, lim);
	assert_string_equal(hash_encoding(copy), hash_encoding(h));
	do
		cursor = hash_scan(copy, cursor, HASH_ANY_TIME, count_field, &seen);
	while (cursor);
	assert_int_equal(seen.n, m->fields.n);
	model_free(&seen);
	assert_true(hash_mem(copy, 5) > 0);
	hash_free(copy);
}

static void step_of_run(struct rng *rng, struct hash *h, struct pairs *m,
			const struct type_limits *lim, unsigned most)
{
	char fbuf[300], vbuf[5000];
	struct bytes f = random_bytes(rng, fbuf, rng_below(rng, 20) ? 16 : sizeof(fbuf));
	struct bytes v = random_bytes(rng, vbuf, rng_below(rng, 20) ? 64 : sizeof(vbuf));

	if (m->fields.n && rng_below(rng, 2))
		f = m->fields.v[rng_below(rng, m->fields.n)];
	size_t at = model_find(&m->fields, f);
	if (rng_below(rng, 100) < (m->fields.n > most ? 40u : 70u)) {
		assert_true(hash_set(h, f, v, lim) == (at == m->fields.n));
		if (at == m->fields.n) {
			model_insert(&m->fields, at, f);
			model_insert(&m->values, at, v);
		} else {
			model_replace(&m->values, at, v);
		}
	} else {
		assert_true(hash_remove(h, f) == (at < m->fields.n));
		if (at < m->fields.n) {
			model_delete(&m->fields, at);
			model_delete(&m->values, at);
		}
	}
}

static void random_run(struct rng *rng, const struct type_limits *lim, int steps, unsigned most)
{
	struct pairs m = {0};
	struct hash *h = hash_new();
	char fbuf[NUM_BUF], vbuf[NUM_BUF];
	struct bytes f, v;

	for (int step = 0; step < steps; step++) {
		step_of_run(rng, h, &m, lim, most);
		same(h, &m, lim);
		assert_true(hash_random(h, HASH_ANY_TIME, rng, fbuf, &f, vbuf, &v) ==
			    (m.fields.n > 0));
		if (m.fields.n) {
			size_t at = model_find(&m.fields, f);
			assert_true(at < m.fields.n && bytes_eq(m.values.v[at], v));
		}
		if (step % 64 == 0)
			copy_is_same(h, &m, lim);
		if (step % 500 == 499) {
			hash_free(h);
			h = hash_new();
			model_free(&m.fields);
			model_free(&m.values);
		}
	}
	hash_free(h);
	model_free(&m.fields);
	model_free(&m.values);
}

static void a_random_run_agrees_with_an_array(void **state)
{
	(void)state;
	struct rng rng;
	seed_run(&rng);
	random_run(&rng, &tight, 3000, 30);
	random_run(&rng, &limits, 2000, 200);
}

static void encodings_change_where_redis_changes_them(void **state)
{
	(void)state;
	char buf[NUM_BUF], longer[65];
	struct hash *h = hash_new();

	for (int i = 0; i < 128; i++)
		hash_set(h, bytes_of(buf, num_format_int(buf, i)), BYTES("v"), &limits);
	assert_string_equal(hash_encoding(h), "listpack");
	hash_set(h, BYTES("5"), BYTES("w"), &limits);
	assert_string_equal(hash_encoding(h), "listpack");
	hash_set(h, BYTES("128"), BYTES("v"), &limits);
	assert_string_equal(hash_encoding(h), "hashtable");
	hash_free(h);

	memset(longer, 'x', sizeof(longer));
	h = hash_new();
	hash_set(h, BYTES("a"), bytes_of(longer, 64), &limits);
	assert_string_equal(hash_encoding(h), "listpack");
	hash_set(h, BYTES("a"), bytes_of(longer, 65), &limits);
	assert_string_equal(hash_encoding(h), "hashtable");
	hash_free(h);

	h = hash_new();
	hash_prepare(h, 200, 3, &limits);
	assert_string_equal(hash_encoding(h), "hashtable");
	hash_free(h);
}

static void collect(void *arg, struct bytes field, struct bytes value)
{
	struct model *to = arg;
	assert_int_equal(model_find(to, field), to->n);
	assert_true(bytes_eq(field, value));
	model_insert(to, to->n, field);
}

static void a_sample_has_no_field_twice(void **state)
{
	(void)state;
	static const size_t sizes[] = {1, 5, 128, 129, 3000};
	struct rng rng;
	char buf[32];

	seed_run(&rng);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size = sizes[i], n[] = {0, 1, size / 5, size / 2, size - 1, size, size + 5};
		struct hash *h = hash_new();
		for (size_t j = 0; j < size; j++) {
			struct bytes b = bytes_of(buf, (size_t)sprintf(buf, "f%zu", j));
			hash_set(h, b, b, &limits);
		}
		for (size_t j = 0; j < sizeof(n) / sizeof(n[0]); j++) {
			struct model seen = {0};
			hash_sample(h, HASH_ANY_TIME, &rng, n[j], collect, &seen);
			assert_int_equal(seen.n, n[j] < size ? n[j] : size);
			model_free(&seen);
		}
		hash_free(h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_random_run_agrees_with_an_array),
		cmocka_unit_test(a_sample_has_no_field_twice),
		cmocka_unit_test(encodings_change_where_redis_changes_them),
	};
	mem_thread_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
