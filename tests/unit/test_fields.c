/* Databases of hashes whose fields expire: whatever is done to keys, each due field goes in its time, and is told of once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/base/num.h"
#include "store/keyspace/keyspace.h"
#include "store/types/hash.h"
#include "tests/unit/model.h"

#define DBS    3
#define KEYS   20
#define FIELDS 12

static const struct type_limits limits = TYPE_LIMITS_DEFAULT;
static const struct type_limits tight = {.hash_max_listpack_entries = 6,
					 .hash_max_listpack_value = 16};

struct world {
	struct keyspace *ks;
	struct rng rng;
	uint64_t fields_gone, keys_gone;
};

static void gone(void *arg, struct db *db, struct bytes key, unsigned n, const struct bytes *fields,
		 bool key_gone)
{
	struct world *w = arg;
	uint64_t *slot = table_find(&db->keys, key, keyhash(key));

	assert_true(n > 0 && n <= KEYSPACE_FIELDS_MAX);
	assert_true(key_gone == !slot);
	for (unsigned i = 0; slot && i < n; i++)
		assert_false(hash_has(entry_container(*slot), fields[i]));
	w->fields_gone += n;
	w->keys_gone += key_gone;
}

static struct bytes some_key(struct world *w, char *buf)
{
	return bytes_of(buf, (size_t)sprintf(buf, "key%u", (unsigned)rng_below(&w->rng, KEYS)));
}

static struct bytes some_field(struct world *w, char *buf)
{
	return bytes_of(buf, (size_t)sprintf(buf, "%u", (unsigned)rng_below(&w->rng, FIELDS)));
}

static struct db *some_db(struct world *w)
{
	return &w->ks->dbs[rng_below(&w->rng, DBS)];
}

/* All fields past their time. */
static uint64_t stale(struct world *w)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < DBS; i++) {
		struct table_iter it;
		table_iter_begin(&it, &w->ks->dbs[i].keys);
		for (uint64_t *slot; (slot = table_iter_next(&it));)
			if (word_type(*slot) == VALUE_HASH)
				n += hash_stale(entry_container(*slot), w->ks->now_ms);
		table_iter_end(&it);
	}
	return n;
}

static void change_field(struct world *w, struct db *db, struct bytes key)
{
	const struct type_limits *lim = rng_below(&w->rng, 2) ? &limits : &tight;
	uint64_t *slot = keyspace_write(db, key);
	char fbuf[32];
	struct bytes f = some_field(w, fbuf);

	if (slot && word_type(*slot) != VALUE_HASH)
		return;
	if (!slot)
		slot = keyspace_add(db, key, VALUE_HASH, hash_new());
	struct hash *h = entry_container(*slot);
	if (rng_below(&w->rng, 4) || !hash_has(h, f))
		hash_set(h, f, BYTES("value"), lim);
	if (rng_below(&w->rng, 3))
		hash_expire(h, f, w->ks->now_ms + (int64_t)rng_below(&w->rng, 300));
	else if (rng_below(&w->rng, 3) == 0)
		hash_expire(h, f, -1);
	else if (rng_below(&w->rng, 3) == 0)
		hash_remove(h, f);
	keyspace_fields_changed(db, *slot);
	if (hash_count(h) == 0)
		keyspace_delete_slot(db, slot, KEYSPACE_FREE_NOW);
}

static void shed(struct world *w, struct db *db, struct bytes key)
{
	uint64_t *slot = keyspace_write(db, key);
	char bufs[6][32];
	struct bytes f[6];

	if (!slot || word_type(*slot) != VALUE_HASH)
		return;
	for (int i = 0; i < 6; i++)
		f[i] = some_field(w, bufs[i]);
	uint64_t before = stale(w), told = w->fields_gone;
	bool there = keyspace_shed_fields(db, *slot, 6, f, 2);
	assert_true(there == (keyspace_write(db, key) != NULL));
	assert_int_equal(before - stale(w), w->fields_gone - told);
	for (int i = 0; there && i < 6; i += 2) {
		int64_t at = hash_expiry(entry_container(*keyspace_write(db, key)), f[i]);
		assert_true(at < 0 || at >= w->ks->now_ms);
	}
}

static void step(struct world *w)
{
	struct db *db = some_db(w), *other = some_db(w);
	char a[32], b[32];
	struct bytes key = some_key(w, a), to = some_key(w, b);

	switch (rng_below(&w->rng, 16)) {
	case 0:
		keyspace_move(db, key, other, to);
		break;
	case 1:
		if (!keyspace_write(other, to))
			keyspace_copy(db, key, other, to);
		break;
	case 2:
		keyspace_delete(db, key, KEYSPACE_FREE_NOW);
		break;
	case 3:
		keyspace_set_string(db, key, BYTES("string"), 0);
		break;
	case 4:
		keyspace_expire(db, key, rng_below(&w->rng, 2) ? w->ks->now_ms + 200 : INT64_C(-1));
		break;
	case 5:
		if (rng_below(&w->rng, 30) == 0)
			keyspace_flush(db, KEYSPACE_FREE_NOW);
		else if (rng_below(&w->rng, 5) == 0)
			keyspace_swap(db, other);
		break;
	case 6:
		shed(w, db, key);
		break;
	default:
		change_field(w, db, key);
	}
}

static void every_due_field_goes_once_and_is_told_of(void **state)
{
	(void)state;
	struct world w = {.ks = keyspace_new(DBS)};

	seed_run(&w.rng);
	w.ks->hooks = (struct keyspace_hooks){.arg = &w, .fields_gone = gone};
	keyspace_set_now(w.ks, 1700000000000);
	for (int i = 0; i < 20000; i++) {
		step(&w);
		keyspace_check(w.ks);
		if (rng_below(&w.rng, 10) == 0)
			keyspace_set_now(w.ks, w.ks->now_ms + (int64_t)rng_below(&w.rng, 60));
		if (rng_below(&w.rng, 40) == 0) {
			keyspace_expire_cycle(w.ks, 1000000, 1);
			assert_int_equal(stale(&w), 0);
			keyspace_check(w.ks);
		}
		assert_int_equal(w.ks->stats.expired_fields, w.fields_gone);
	}
	assert_true(w.fields_gone > 100 && w.keys_gone > 10);
	keyspace_free(w.ks);
}

static void nothing_is_removed_while_expiry_is_frozen(void **state)
{
	(void)state;
	struct world w = {.ks = keyspace_new(1)};
	struct db *db = &w.ks->dbs[0];
	struct bytes f = BYTES("f");

	w.ks->hooks = (struct keyspace_hooks){.arg = &w, .fields_gone = gone};
	keyspace_set_now(w.ks, 1000);
	struct hash *h = hash_new();
	hash_set(h, f, f, &limits);
	hash_expire(h, f, 1010);
	keyspace_put(db, BYTES("k"), VALUE_HASH, h);
	assert_int_equal(db->ndue, 1);
	keyspace_set_now(w.ks, 1010);
	keyspace_expire_cycle(w.ks, 1000, 1);
	assert_int_equal(hash_count(h), 1); /* not before its last millisecond is over */
	keyspace_set_now(w.ks, 1011);
	w.ks->expiry_frozen = true;
	keyspace_expire_cycle(w.ks, 1000, 1);
	assert_true(keyspace_shed_fields(db, *keyspace_write(db, BYTES("k")), 1, &f, 1));
	assert_int_equal(hash_count(h), 1);
	w.ks->expiry_frozen = false;
	w.ks->replaying = true;
	assert_true(keyspace_shed_fields(db, *keyspace_write(db, BYTES("k")), 1, &f, 1));
	w.ks->replaying = false;
	keyspace_expire_cycle(w.ks, 1000, 1);
	assert_null(keyspace_write(db, BYTES("k")));
	assert_int_equal(db->ndue, 0);
	assert_int_equal(w.keys_gone, 1);
	keyspace_free(w.ks);
}

/* A cycle that runs out of time comes back to what is left. */
static void a_cycle_keeps_to_its_time(void **state)
{
	(void)state;
	struct world w = {.ks = keyspace_new(1)};
	struct hash *h = hash_new();
	char buf[32];

	w.ks->hooks = (struct keyspace_hooks){.arg = &w, .fields_gone = gone};
	keyspace_set_now(w.ks, 1000);
	for (int i = 0; i < 100000; i++) {
		struct bytes f = bytes_of(buf, num_format_int(buf, i));
		hash_set(h, f, f, &limits);
		hash_expire(h, f, 1001);
	}
	keyspace_put(&w.ks->dbs[0], BYTES("k"), VALUE_HASH, h);
	keyspace_set_now(w.ks, 2000);
	assert_true(keyspace_expire_cycle(w.ks, 2, 1));
	assert_true(w.fields_gone > 0 && w.fields_gone < 100000);
	while (keyspace_expire_cycle(w.ks, 1000, 1))
		;
	assert_int_equal(w.fields_gone, 100000);
	assert_int_equal(w.keys_gone, 1);
	keyspace_free(w.ks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_due_field_goes_once_and_is_told_of),
		cmocka_unit_test(nothing_is_removed_while_expiry_is_frozen),
		cmocka_unit_test(a_cycle_keeps_to_its_time),
	};
	mem_thread_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
