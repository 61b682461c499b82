#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/base/mem.h"
#include "store/types/stream.h"
#include "tests/unit/model.h"

/* --- ids in order --- */

struct pair {
	struct stream_id id;
	uint64_t value;
};

struct naive {
	struct pair *v;
	size_t n;
};

static size_t naive_place(const struct naive *m, struct stream_id id, bool *found)
{
	size_t i = 0;

	while (i < m->n && stream_id_cmp(m->v[i].id, id) < 0)
		i++;
	*found = i < m->n && stream_id_cmp(m->v[i].id, id) == 0;
	return i;
}

static void add(struct idmap *map, struct naive *m, struct stream_id id, uint64_t value)
{
	bool found, added;
	size_t i = naive_place(m, id, &found);
	uint64_t *record = idmap_add(map, id, &added);

	assert_true(added == !found);
	assert_true(*record == (found ? m->v[i].value : 0));
	*record = value;
	if (!found) {
		m->v = realloc(m->v, (m->n + 1) * sizeof(*m->v));
		memmove(m->v + i + 1, m->v + i, (m->n - i) * sizeof(*m->v));
		m->v[i].id = id;
		m->n++;
	}
	m->v[i].value = value;
}

static void drop(struct idmap *map, struct naive *m, struct stream_id id)
{
	bool found;
	size_t i = naive_place(m, id, &found);

	assert_true(idmap_remove(map, id) == found);
	if (!found)
		return;
	m->n--;
	memmove(m->v + i, m->v + i + 1, (m->n - i) * sizeof(*m->v));
}

static void same(const struct idmap *map, const struct naive *m, struct stream_id from)
{
	struct idmap_at at = idmap_seek(map, from);
	struct stream_id id;
	const uint64_t *record;
	bool found;
	size_t i = naive_place(m, from, &found);

	idmap_check(map);
	assert_int_equal(map->count, m->n);
	assert_true((idmap_find(map, from) != NULL) == found);
	for (; (record = idmap_get(map, &at, &id)); idmap_next(map, &at), i++) {
		assert_true(i < m->n && stream_id_cmp(id, m->v[i].id) == 0);
		assert_true(*record == m->v[i].value);
	}
	assert_int_equal(i, m->n);
	if (m->n) {
		assert_true(stream_id_cmp(idmap_first(map), m->v[0].id) == 0);
		assert_true(stream_id_cmp(idmap_last(map), m->v[m->n - 1].id) == 0);
	}
}

/* Ids among @range; @grows: mostly above all, and removed from the front. */
static void random_map(struct rng *rng, uint64_t range, bool grows)
{
	struct naive m = {0};
	struct idmap map, copy;
	uint64_t next = 1;

	idmap_init(&map, sizeof(uint64_t));
	for (int i = 0; i < 6000; i++) {
		struct stream_id id = {rng_below(rng, range), rng_below(rng, 2)};
		bool adds = i < 3000 ? rng_below(rng, 10) < 7 : rng_below(rng, 10) < 3;
		if (grows && rng_below(rng, 20))
			id = adds || !m.n ? (struct stream_id){++next, 0} : m.v[0].id;
		else if (!adds && m.n && rng_below(rng, 2))
			id = m.v[rng_below(rng, m.n)].id;
		if (adds)
			add(&map, &m, id, rng_next(rng));
		else
			drop(&map, &m, id);
		if (i % 8 == 0)
			same(&map, &m, id);
		if (i % 1500 == 0) {
			idmap_dup(&copy, &map);
			idmap_fini(&map);
			map = copy;
		}
	}
	while (m.n)
		drop(&map, &m, m.v[rng_below(rng, m.n)].id);
	same(&map, &m, STREAM_ID_MIN);
	assert_int_equal(idmap_mem(&map), 0);
	idmap_fini(&map);
	free(m.v);
}

static void ids_agree_with_a_sorted_array(void **state)
{
	(void)state;
	struct rng rng;

	seed_run(&rng);
	random_map(&rng, 40, false);
	random_map(&rng, 3000, false);
	random_map(&rng, 1000000, false);
	random_map(&rng, 10, true);
}

/* --- groups --- */

#define GROUPS    3
#define CONSUMERS 5
#define IDS       400

/* Whose each id is, in each group; 0 for nobody's. */
struct owners {
	unsigned char of[GROUPS][IDS];
	bool there[GROUPS], consumer[GROUPS][CONSUMERS];
};

static struct bytes name_of(size_t i)
{
	static const char *const names[] = {"b", "", "a\0z", "c", "bb"};

	return i == 2 ? bytes_of(names[2], 3) : bytes_str(names[i]);
}

static void same_owners(struct streamnames *groups, const struct owners *o)
{
	size_t there = 0;

	streamgroups_check(groups);
	for (size_t i = 0; i < GROUPS; i++) {
		struct streamgroup *g = streamgroup_find(groups, name_of(i));
		assert_true((g != NULL) == o->there[i]);
		there += g != NULL;
		for (size_t id = 0; g && id < IDS; id++) {
			struct streampending *p = streamgroup_pending(g, (struct stream_id){id, 1});
			assert_true((p != NULL) == (o->of[i][id] != 0));
			if (p)
				assert_true(
					bytes_eq(p->consumer->name, name_of(o->of[i][id] - 1u)));
		}
	}
	assert_int_equal(groups->n, there);
}

static void change_group(struct rng *rng, struct streamgroup *g, struct owners *o, size_t i)
{
	size_t k = rng_below(rng, CONSUMERS), n = rng_below(rng, IDS);
	struct streamconsumer *c = streamgroup_consumer(g, name_of(k));
	struct stream_id id = {n, 1};

	assert_true((c != NULL) == o->consumer[i][k]);
	if (!c) {
		c = streamgroup_add_consumer(g, name_of(k), 7);
		assert_null(streamgroup_add_consumer(g, name_of(k), 7));
		assert_int_equal(c->active_ms, -1);
		o->consumer[i][k] = true;
	} else if (rng_below(rng, 100) == 0) {
		streamgroup_remove_consumer(g, c);
		o->consumer[i][k] = false;
		for (n = 0; n < IDS; n++)
			if (o->of[i][n] == k + 1)
				o->of[i][n] = 0;
	} else if (rng_below(rng, 3)) {
		streamgroup_assign(g, id, c)->count++;
		o->of[i][n] = (unsigned char)(k + 1);
	} else {
		assert_true(streamgroup_acknowledge(g, id) == (o->of[i][n] != 0));
		o->of[i][n] = 0;
	}
}

static void groups_know_whose_each_entry_is(void **state)
{
	(void)state;
	struct rng rng;
	struct streamnames groups = {0}, copy;
	struct owners o = {0};

	seed_run(&rng);
	for (int i = 0; i < 60000; i++) {
		size_t k = rng_below(&rng, GROUPS);
		struct streamgroup *g = streamgroup_find(&groups, name_of(k));
		if (!g) {
			streamgroup_add(&groups, name_of(k), STREAM_ID_MIN, 0);
			assert_null(streamgroup_add(&groups, name_of(k), STREAM_ID_MIN, 0));
			o.there[k] = true;
		} else if (rng_below(&rng, 5000) == 0) {
			streamgroup_remove(&groups, g);
			o.there[k] = false;
			memset(o.of[k], 0, sizeof(o.of[k]));
			memset(o.consumer[k], 0, sizeof(o.consumer[k]));
		} else {
			change_group(&rng, g, &o, k);
		}
		if (i % 500)
			continue;
		same_owners(&groups, &o);
		streamgroups_dup(&copy, &groups);
		streamgroups_free(&groups);
		groups = copy;
		same_owners(&groups, &o);
	}
	streamgroups_free(&groups);
}

static void pending_entries_are_compact(void **state)
{
	(void)state;
	struct streamnames groups = {0};
	struct streamgroup *g = streamgroup_add(&groups, BYTES("g"), STREAM_ID_MIN, 0);
	struct streamconsumer *c = streamgroup_add_consumer(g, BYTES("c"), 0);

	for (uint64_t i = 1; i <= 100000; i++)
		streamgroup_assign(g, (struct stream_id){i, 0}, c);
	assert_true(streamgroups_mem(&groups) < 64 * 100000);
	/* Every tenth stays: the leaves that became sparse are merged. */
	for (uint64_t i = 1; i <= 100000; i++)
		if (i % 10)
			streamgroup_acknowledge(g, (struct stream_id){i, 0});
	assert_true(streamgroups_mem(&groups) < 160 * 10000);
	streamgroups_free(&groups);
}

static void lag_counts_what_can_be_counted(void **state)
{
	(void)state;
	struct stream_info s = {.length = 4, .added = 9, .first = {6, 0}, .last = {9, 0}};
	struct streamgroup g = {.read = STREAM_READ_UNKNOWN};
	int64_t lag;

	/* Before the first entry all that is there lies ahead; in the middle nobody knows how much. */
	assert_true(streamgroup_lag(&g, &s, &lag) && lag == 4);
	g.last = (struct stream_id){6, 0};
	assert_true(streamgroup_lag(&g, &s, &lag) && lag == 3);
	g.last = (struct stream_id){7, 0};
	assert_false(streamgroup_lag(&g, &s, &lag));
	g.read = 7;
	assert_true(streamgroup_lag(&g, &s, &lag) && lag == 2);
	/* A hole ahead, and one behind. */
	s.max_deleted = (struct stream_id){8, 0};
	assert_false(streamgroup_lag(&g, &s, &lag));
	s.max_deleted = (struct stream_id){6, 5};
	assert_true(streamgroup_lag(&g, &s, &lag) && lag == 2);
	g.last = s.last;
	g.read = STREAM_READ_UNKNOWN;
	assert_true(streamgroup_lag(&g, &s, &lag) && lag == 0);
	g.last.ms++;
	assert_false(streamgroup_lag(&g, &s, &lag));
	s.added = 0;
	assert_true(streamgroup_lag(&g, &s, &lag) && lag == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_agree_with_a_sorted_array),
		cmocka_unit_test(groups_know_whose_each_entry_is),
		cmocka_unit_test(pending_entries_are_compact),
		cmocka_unit_test(lag_counts_what_can_be_counted),
	};
	mem_thread_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
