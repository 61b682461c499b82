#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/base/mem.h"
#include "store/types/stream.h"
#include "tests/unit/model.h"

#define PAIRS 5

struct entry {
	struct stream_id id;
	size_t n;
	struct bytes pairs[2 * PAIRS];
};

/* Entries in an array, oldest first. */
struct naive {
	struct entry *v;
	size_t n;
	struct stream_info info;
};

static void naive_drop(struct naive *m, size_t at)
{
	for (size_t i = 0; i < 2 * m->v[at].n; i++)
		free((void *)(uintptr_t)m->v[at].pairs[i].p);
	m->n--;
	memmove(m->v + at, m->v + at + 1, (m->n - at) * sizeof(*m->v));
	m->info.length--;
	m->info.first = m->n ? m->v[0].id : STREAM_ID_MIN;
}

static void naive_add(struct naive *m, struct stream_id id, const struct bytes *pairs, size_t n)
{
	m->v = realloc(m->v, (m->n + 1) * sizeof(*m->v));
	m->v[m->n].id = id;
	m->v[m->n].n = n;
	for (size_t i = 0; i < 2 * n; i++)
		m->v[m->n].pairs[i] = model_copy(pairs[i]);
	m->n++;
	m->info.length++;
	m->info.added++;
	m->info.last = id;
	m->info.first = m->v[0].id;
}

static void same_entry(struct stream_iter *it, const struct entry *e)
{
	struct bytes field, value;

	assert_int_equal(stream_id_cmp(it->e.id, e->id), 0);
	assert_int_equal(it->e.nfields, e->n);
	for (size_t i = 0; i < e->n; i++) {
		stream_iter_pair(it, &field, &value);
		assert_true(bytes_eq(field, e->pairs[2 * i]));
		assert_true(bytes_eq(value, e->pairs[2 * i + 1]));
	}
}

static bool within(struct stream_id id, struct stream_id start, struct stream_id end)
{
	return stream_id_cmp(id, start) >= 0 && stream_id_cmp(id, end) <= 0;
}

static void same_range(const struct stream *s, const struct naive *m, struct stream_id start,
		       struct stream_id end)
{
	struct stream_iter it;

	stream_iter_begin(&it, s, start, end, false);
	for (size_t i = 0; i < m->n; i++) {
		if (within(m->v[i].id, start, end)) {
			assert_true(stream_iter_next(&it));
			same_entry(&it, &m->v[i]);
		}
	}
	assert_false(stream_iter_next(&it));
	assert_false(stream_iter_next(&it));
	stream_iter_begin(&it, s, start, end, true);
	for (size_t i = m->n; i-- > 0;) {
		if (within(m->v[i].id, start, end)) {
			assert_true(stream_iter_next(&it));
			same_entry(&it, &m->v[i]);
		}
	}
	assert_false(stream_iter_next(&it));
}

static struct stream_id some_id(struct rng *rng, const struct naive *m)
{
	struct stream_id id = {rng_below(rng, 50), rng_below(rng, 5)};

	if (m->n && rng_below(rng, 8))
		id = m->v[rng_below(rng, m->n)].id;
	if (rng_below(rng, 4) == 0)
		stream_id_next(&id);
	if (rng_below(rng, 4) == 0)
		stream_id_prev(&id);
	return id;
}

static void same(struct rng *rng, const struct stream *s, const struct naive *m,
		 const struct type_limits *lim)
{
	stream_check(s, lim);
	assert_memory_equal(stream_info(s), &m->info, sizeof(m->info));
	same_range(s, m, some_id(rng, m), some_id(rng, m));
}

/* The same nodes one by one, as a snapshot carries them. */
static struct stream *carried(const struct stream *s)
{
	struct stream *copy = stream_new();
	struct stream_id master;

	for (size_t i = 0; i < stream_nodes(s); i++) {
		struct bytes b = stream_node(s, i, &master);
		assert_true(stream_adopt(copy, master, mem_dup(b.p, b.n), b.n));
	}
	assert_true(stream_set_info(copy, stream_info(s)));
	return copy;
}

static void add(struct rng *rng, struct stream *s, struct naive *m, const struct type_limits *lim)
{
	char bufs[2 * PAIRS][200];
	struct bytes pairs[2 * PAIRS];
	struct stream_id id = m->info.last;
	size_t n = rng_below(rng, 3) ? 2 : 1 + rng_below(rng, PAIRS);

	for (size_t i = 0; i < 2 * n; i++) {
		if (i % 2 == 0 && rng_below(rng, 5))
			pairs[i] = i ? BYTES("name") : BYTES("7");
		else
			pairs[i] = random_bytes(rng, bufs[i], rng_below(rng, 20) ? 20 : 200);
	}
	if (rng_below(rng, 2))
		id.ms += 1 + rng_below(rng, 70000), id.seq = rng_below(rng, 3);
	else
		stream_id_next(&id);
	assert_int_equal(stream_append(s, id, pairs, n, lim), STORE_OK);
	naive_add(m, id, pairs, n);
	assert_int_equal(stream_append(s, id, pairs, n, lim), STORE_ERANGE);
}

static void delete_some(struct rng *rng, struct stream *s, struct naive *m)
{
	struct stream_id ids[4];
	size_t n = 1 + rng_below(rng, 4), deleted = 0;

	for (size_t i = 0; i < n; i++)
		ids[i] = some_id(rng, m);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < m->n; k++) {
			if (stream_id_cmp(m->v[k].id, ids[i]) != 0)
				continue;
			if (stream_id_cmp(ids[i], m->info.max_deleted) > 0)
				m->info.max_deleted = ids[i];
			naive_drop(m, k);
			deleted++;
			break;
		}
	}
	assert_int_equal(stream_delete(s, ids, n), deleted);
}

static void trim(struct rng *rng, struct stream *s, struct naive *m)
{
	struct stream_trim t = {.by_id = rng_below(rng, 2), .approx = rng_below(rng, 2)};
	uint64_t n = 0, most;

	t.maxlen = m->n ? m->n - rng_below(rng, m->n < 30 ? m->n : 30) : 0;
	t.minid = m->n ? m->v[m->n - (size_t)t.maxlen].id : STREAM_ID_MIN;
	t.limit = t.approx ? rng_below(rng, 20) : 0;
	most = t.by_id ? 0 : m->n - t.maxlen;
	while (t.by_id && most < m->n && stream_id_cmp(m->v[most].id, t.minid) < 0)
		most++;
	n = stream_trim(s, &t);
	/* An exact one goes all the way, another no further. */
	assert_true(t.approx ? n <= most : n == most);
	assert_true(!t.limit || n <= t.limit);
	while (n--)
		naive_drop(m, 0);
}

static void random_run(struct rng *rng, const struct type_limits *lim, int steps)
{
	struct stream *s = stream_new();
	struct naive m = {0};

	for (int i = 0; i < steps; i++) {
		uint64_t what = rng_below(rng, 100);
		if (what < 60)
			add(rng, s, &m, lim);
		else if (what < 90)
			delete_some(rng, s, &m);
		else if (what < 94)
			trim(rng, s, &m);
		same(rng, s, &m, lim);
		if (i % 100 == 0) {
			struct stream *dup = stream_dup(s), *other = carried(s);
			stream_free(s);
			same_range(dup, &m, STREAM_ID_MIN, STREAM_ID_MAX);
			stream_free(dup);
			s = other;
			same(rng, s, &m, lim);
		}
	}
	stream_free(s);
	while (m.n)
		naive_drop(&m, m.n - 1);
	free(m.v);
}

static void a_random_run_agrees_with_an_array(void **state)
{
	(void)state;
	struct rng rng;
	struct type_limits lim = TYPE_LIMITS_DEFAULT;

	seed_run(&rng);
	random_run(&rng, &lim, 3000);
	lim.stream_node_max_entries = 3;
	random_run(&rng, &lim, 3000);
	lim.stream_node_max_entries = 0;
	lim.stream_node_max_bytes = 100;
	random_run(&rng, &lim, 2000);
	lim.stream_node_max_bytes = 0;
	random_run(&rng, &lim, 2000);
}

static void an_entry_below_a_tombstone_is_found(void **state)
{
	(void)state;
	struct type_limits lim = TYPE_LIMITS_DEFAULT;
	struct stream *s = stream_new();
	struct bytes pair[2] = {BYTES("f"), BYTES("v")};
	struct stream_id low = {1, 0}, mid = {5, 0}, high = {9, 0}, top;

	stream_append(s, low, pair, 1, &lim);
	stream_append(s, high, pair, 1, &lim);
	assert_int_equal(stream_delete(s, &high, 1), 1);
	/* What XSETID with a lower MAXDELETEDID may do. */
	stream_set_max_deleted(s, STREAM_ID_MIN);
	stream_set_last(s, low);
	assert_int_equal(stream_append(s, mid, pair, 1, &lim), STORE_OK);
	stream_check(s, &lim);
	assert_true(stream_edge(s, true, &top) && stream_id_cmp(top, mid) == 0);
	assert_int_equal(stream_delete(s, &mid, 1), 1);
	assert_int_equal(stream_info(s)->length, 1);
	stream_free(s);
}

static void damaged_nodes_are_refused(void **state)
{
	(void)state;
	struct rng rng;
	struct type_limits lim = TYPE_LIMITS_DEFAULT;
	struct stream *s = stream_new();
	struct naive m = {0};
	struct stream_id master;

	seed_run(&rng);
	for (int i = 0; i < 20; i++)
		add(&rng, s, &m, &lim);
	struct bytes b = stream_node(s, 0, &master);
	for (int i = 0; i < 20000; i++) {
		unsigned char *bad = mem_dup(b.p, b.n);
		struct stream *other = stream_new();
		struct stream_iter it;
		struct bytes f, v;
		bad[rng_below(&rng, b.n)] = (unsigned char)rng_next(&rng);
		if (stream_adopt(other, master, bad, b.n)) {
			stream_iter_begin(&it, other, STREAM_ID_MIN, STREAM_ID_MAX, i % 2);
			while (stream_iter_next(&it))
				for (size_t k = 0; k < it.e.nfields; k++)
					stream_iter_pair(&it, &f, &v);
		}
		stream_free(other);
	}
	stream_free(s);
	while (m.n)
		naive_drop(&m, m.n - 1);
	free(m.v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_random_run_agrees_with_an_array),
		cmocka_unit_test(an_entry_below_a_tombstone_is_found),
		cmocka_unit_test(damaged_nodes_are_refused),
	};
	mem_thread_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
