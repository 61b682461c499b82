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

/* Fields, the value of each, and when it expires: -1 for never. */
struct fields {
	struct model names, values;
	int64_t at[4096];
};

static void model_drop(struct fields *m, size_t i)
{
	model_delete(&m->names, i);
	model_delete(&m->values, i);
	memmove(m->at + i, m->at + i + 1, (m->names.n - i) * sizeof(*m->at));
}

static size_t model_stale(const struct fields *m, int64_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < m->names.n; i++)
		n += m->at[i] >= 0 && m->at[i] < now;
	return n;
}

struct order {
	const struct fields *m;
	int64_t last;
	size_t n;
};

static bool is_in_order(void *arg, struct bytes field, int64_t at)
{
	struct order *o = arg;

	assert_true(at >= o->last);
	assert_int_equal(o->m->at[model_find(&o->m->names, field)], at);
	o->last = at;
	o->n++;
	return true;
}

struct seen {
	const struct fields *m;
	int64_t now;
	size_t n;
};

static void is_live(void *arg, struct bytes field, struct bytes value)
{
	struct seen *s = arg;
	size_t i = model_find(&s->m->names, field);

	assert_true(i < s->m->names.n && bytes_eq(s->m->values.v[i], value));
	assert_true(s->m->at[i] < 0 || s->m->at[i] >= s->now);
	s->n++;
}

static void walks_are_same(struct hash *h, const struct fields *m, int64_t now)
{
	size_t live = m->names.n - model_stale(m, now);
	struct seen seen = {m, now, 0};
	struct hash_iter it;
	struct bytes f, v;
	uint64_t cursor = 0;

	hash_iter_begin_live(&it, h, now);
	while (hash_iter_next(&it, &f, &v)) {
		is_live(&seen, f, v);
		assert_int_equal(it.expiry, m->at[model_find(&m->names, f)]);
	}
	hash_iter_end(&it);
	assert_int_equal(seen.n, live);
	seen.n = 0;
	do
		cursor = hash_scan(h, cursor, now, is_live, &seen);
	while (cursor);
	assert_true(seen.n >= live);
}

static void picks_are_live(struct rng *rng, struct hash *h, const struct fields *m, int64_t now)
{
	size_t live = m->names.n - model_stale(m, now), n = rng_below(rng, live + 3);
	struct seen seen = {m, now, 0};
	char fbuf[NUM_BUF], vbuf[NUM_BUF];
	struct bytes f, v;

	hash_sample(h, now, rng, n, is_live, &seen);
	assert_int_equal(seen.n, n < live ? n : live);
	assert_true(hash_random(h, now, rng, fbuf, &f, vbuf, &v) == (live > 0));
	if (live)
		is_live(&seen, f, v);
}

static void same(struct rng *rng, struct hash *h, const struct fields *m,
		 const struct type_limits *lim, int64_t now)
{
	struct order order = {m, 0, 0};
	int64_t next = -1;
	char buf[NUM_BUF];
	struct bytes v;
	size_t timed = 0;

	hash_check(h, lim);
	assert_int_equal(hash_count(h), m->names.n);
	assert_int_equal(hash_stale(h, now), model_stale(m, now));
	for (size_t i = 0; i < m->names.n; i++) {
		assert_true(hash_get(h, m->names.v[i], buf, &v));
		assert_true(bytes_eq(v, m->values.v[i]));
		assert_int_equal(hash_expiry(h, m->names.v[i]), m->at[i]);
		timed += m->at[i] >= 0;
		if (m->at[i] >= 0 && (next < 0 || m->at[i] < next))
			next = m->at[i];
	}
	assert_int_equal(hash_next_expiry(h), next);
	assert_int_equal(hash_volatile(h), timed);
	hash_by_expiry(h, is_in_order, &order);
	assert_int_equal(order.n, timed);
	walks_are_same(h, m, now);
	picks_are_live(rng, h, m, now);
}

static void set(struct rng *rng, struct hash *h, struct fields *m, struct bytes f,
		const struct type_limits *lim)
{
	char vbuf[200];
	struct bytes v = random_bytes(rng, vbuf, rng_below(rng, 20) ? 64 : sizeof(vbuf));
	bool keep = rng_below(rng, 2);
	size_t i = model_find(&m->names, f);

	assert_true((keep ? hash_set_keep : hash_set)(h, f, v, lim) == (i == m->names.n));
	if (i == m->names.n) {
		model_insert(&m->names, i, f);
		model_insert(&m->values, i, v);
		m->at[i] = -1;
		return;
	}
	model_replace(&m->values, i, v);
	if (!keep)
		m->at[i] = -1;
}

static void step_of_run(struct rng *rng, struct hash *h, struct fields *m,
			const struct type_limits *lim, unsigned most)
{
	char fbuf[300];
	struct bytes f = random_bytes(rng, fbuf, rng_below(rng, 20) ? 16 : sizeof(fbuf));
	size_t n = m->names.n, i = n ? rng_below(rng, n) : 0;

	switch (rng_below(rng, n > most ? 10 : 8)) {
	case 0:
	case 1:
	case 2:
		set(rng, h, m, rng_below(rng, 2) && n ? m->names.v[i] : f, lim);
		break;
	case 3:
	case 4:
	case 5:
		if (n) {
			m->at[i] = 1 + (int64_t)rng_below(rng, rng_below(rng, 3) ? 300 : 1 << 20);
			hash_expire(h, m->names.v[i], m->at[i]);
		}
		break;
	case 6:
		if (n) {
			m->at[i] = -1;
			hash_expire(h, m->names.v[i], -1);
		}
		assert_int_equal(hash_expiry(h, BYTES("nosuchfield")), -2);
		break;
	default:
		if (n) {
			assert_true(hash_remove(h, m->names.v[i]));
			model_drop(m, i);
		}
		assert_false(hash_remove(h, BYTES("nosuchfield")));
	}
}

static void random_run(struct rng *rng, const struct type_limits *lim, int steps, unsigned most)
{
	struct fields *m = calloc(1, sizeof(*m));
	struct hash *h = hash_new();

	for (int step = 0; step < steps; step++) {
		step_of_run(rng, h, m, lim, most);
		same(rng, h, m, lim, (int64_t)rng_below(rng, 400));
		if (step % 64 == 0) {
			struct hash *copy = hash_dup(h);
			same(rng, copy, m, lim, (int64_t)rng_below(rng, 400));
			assert_true(hash_mem(copy, 5) > 0);
			hash_free(h);
			h = copy;
		}
		if (step % 700 == 699) {
			hash_free(h);
			h = hash_new();
			model_free(&m->names);
			model_free(&m->values);
		}
	}
	hash_free(h);
	model_free(&m->names);
	model_free(&m->values);
	free(m);
}

static void a_random_run_agrees_with_an_array(void **state)
{
	(void)state;
	struct rng rng;
	seed_run(&rng);
	random_run(&rng, &tight, 3000, 30);
	random_run(&rng, &limits, 2000, 200);
}

static void what_never_expires_costs_nothing(void **state)
{
	(void)state;
	struct hash *h = hash_new();

	hash_set(h, BYTES("a"), BYTES("b"), &limits);
	size_t before = hash_mem(h, 0);
	assert_false(hash_has_times(h));
	hash_expire(h, BYTES("a"), -1);
	assert_false(hash_has_times(h));
	assert_string_equal(hash_encoding(h), "listpack");
	hash_expire(h, BYTES("a"), 7);
	assert_true(hash_has_times(h));
	assert_true(hash_mem(h, 0) > before);
	assert_string_equal(hash_encoding(h), "listpackex");
	hash_free(h);
}

/* Bytes for each field of a big hash, printed for the reader of a run. */
static void a_field_with_an_expiry_costs_few_bytes_more(void **state)
{
	(void)state;
	size_t mem[2], n = 20000;

	for (int timed = 0; timed < 2; timed++) {
		struct hash *h = hash_new();
		char buf[32];
		for (size_t i = 0; i < n; i++) {
			struct bytes b = bytes_of(buf, (size_t)sprintf(buf, "field:%08zu", i));
			hash_set(h, b, b, &limits);
			if (timed)
				hash_expire(h, b, INT64_C(1800000000000) + (int64_t)(i * 7919 % n));
		}
		mem[timed] = hash_mem(h, 0);
		hash_free(h);
	}
	printf("%.1f bytes a field, %.1f with an expiry\n", (double)mem[0] / (double)n,
	       (double)mem[1] / (double)n);
	assert_true(mem[1] - mem[0] < 40 * n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_random_run_agrees_with_an_array),
		cmocka_unit_test(what_never_expires_costs_nothing),
		cmocka_unit_test(a_field_with_an_expiry_costs_few_bytes_more),
	};
	mem_thread_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
