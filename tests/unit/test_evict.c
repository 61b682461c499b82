/* tests/unit/test_evict.c - which keys go first under each policy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/keyspace/evict.h"

#define KEYS 2000

struct world {
	struct keyspace *ks;
	struct evict *e;
	unsigned gone;    /* how many went */
	unsigned old;     /* how many of those were of the first half */
	unsigned lasting; /* how many of those had no expiry */
};

static void gone(void *arg, struct db *db, struct bytes key, enum keyspace_gone why)
{
	struct world *w = arg;
	unsigned i = (unsigned)strtoul(key.p + 4, NULL, 10);
	assert_int_equal(why, KEYSPACE_EVICTED);
	assert_null(table_find(&db->keys, key, keyhash(key)));
	w->gone++;
	w->old += i < KEYS / 2;
	w->lasting += i % 4 == 3;
}

/* Keys 0 to KEYS-1, one second after the other; every fourth without an expiry, the others' expiries in order. */
static void world_init(struct world *w, bool lfu)
{
	char buf[32];
	*w = (struct world){.ks = keyspace_new(3)};
	w->e = evict_new(w->ks);
	w->ks->policy.lfu = lfu;
	w->ks->policy.lfu_decay_time = 0;
	w->ks->hooks = (struct keyspace_hooks){.arg = w, .gone = gone};
	for (unsigned i = 0; i < KEYS; i++) {
		keyspace_set_now(w->ks, 1700000000000 + i * 1000);
		struct bytes key = bytes_of(buf, (size_t)sprintf(buf, "key:%u:", i));
		struct db *db = &w->ks->dbs[i % 2];
		int64_t at = i % 4 == 3 ? -1 : 1800000000000 + i;
		keyspace_set_string_expire(db, key, keyhash(key), key, 0, at);
		/* Under LFU the second half is what is used. */
		for (int n = 0; lfu && i >= KEYS / 2 && n < 50; n++)
			keyspace_read(db, key, KEYSPACE_TOUCH);
	}
}

static void world_fini(struct world *w)
{
	keyspace_check(w->ks);
	evict_free(w->e);
	keyspace_free(w->ks);
}

static void evict(struct world *w, enum evict_policy policy, unsigned n)
{
	while (n--)
		assert_true(evict_one(w->e, policy, 5));
}

/* The policies that order take mostly the half that is older, less used or nearer to its end, as samples of five allow. */
static void order_is_mostly_kept(void **state)
{
	(void)state;
	static const enum evict_policy policies[] = {
		EVICT_ALLKEYS_LRU,  EVICT_ALLKEYS_LFU,  EVICT_VOLATILE_LRU,
		EVICT_VOLATILE_LFU, EVICT_VOLATILE_TTL,
	};
	for (size_t p = 0; p < sizeof(policies) / sizeof(*policies); p++) {
		bool all = policies[p] == EVICT_ALLKEYS_LRU || policies[p] == EVICT_ALLKEYS_LFU;
		struct world w;
		world_init(&w,
			   policies[p] == EVICT_ALLKEYS_LFU || policies[p] == EVICT_VOLATILE_LFU);
		evict(&w, policies[p], 500);
		assert_int_equal(w.gone, 500);
		assert_int_equal(w.ks->stats.evicted, 500);
		assert_true(w.old > 450);
		if (all)
			assert_true(w.lasting > 50);
		else
			assert_int_equal(w.lasting, 0);
		world_fini(&w);
	}
}

/* The random policies take from everywhere. */
static void random_takes_from_everywhere(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, false);
	evict(&w, EVICT_ALLKEYS_RANDOM, 500);
	assert_in_range(w.old, 180, 320);
	assert_in_range(w.lasting, 70, 180);
	world_fini(&w);
	world_init(&w, false);
	evict(&w, EVICT_VOLATILE_RANDOM, 500);
	assert_in_range(w.old, 180, 320);
	assert_int_equal(w.lasting, 0);
	world_fini(&w);
}

/* Every policy goes on to the last key that it may take, and then says that there is none. */
static void all_go_in_the_end(void **state)
{
	(void)state;
	for (int p = EVICT_ALLKEYS_LRU; p <= EVICT_VOLATILE_TTL; p++) {
		bool all = p <= EVICT_ALLKEYS_RANDOM;
		struct world w;
		world_init(&w, false);
		evict(&w, (enum evict_policy)p, all ? KEYS : KEYS * 3 / 4);
		assert_false(evict_one(w.e, (enum evict_policy)p, 5));
		assert_false(evict_one(w.e, EVICT_NOEVICTION, 5));
		assert_int_equal(w.lasting, all ? KEYS / 4 : 0);
		world_fini(&w);
	}
}

/* Candidates that were deleted, persisted, or whose database was swapped or flushed since are passed over. */
static void stale_candidates_are_passed_over(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, false);
	evict(&w, EVICT_VOLATILE_TTL, 50);
	keyspace_swap(&w.ks->dbs[0], &w.ks->dbs[2]);
	evict(&w, EVICT_VOLATILE_TTL, 50);
	keyspace_flush(&w.ks->dbs[1], KEYSPACE_FREE_NOW);
	evict(&w, EVICT_VOLATILE_LRU, 50);
	for (unsigned i = 0; i < KEYS; i++) {
		char buf[32];
		struct bytes key = bytes_of(buf, (size_t)sprintf(buf, "key:%u:", i));
		if (i % 8 != 2)
			keyspace_expire(&w.ks->dbs[2], key, -1);
	}
	size_t left = table_count(&w.ks->dbs[2].volatiles);
	assert_true(left > 0);
	evict(&w, EVICT_VOLATILE_LRU, (unsigned)left);
	assert_false(evict_one(w.e, EVICT_VOLATILE_LRU, 5));
	assert_int_equal(w.lasting, 0);
	world_fini(&w);
}

/* Names of policies are read in any case and written as Redis does. */
static void policies_have_names(void **state)
{
	(void)state;
	enum evict_policy p;
	for (int i = EVICT_NOEVICTION; i <= EVICT_VOLATILE_TTL; i++) {
		assert_true(
			evict_policy_parse(bytes_str(evict_policy_name((enum evict_policy)i)), &p));
		assert_int_equal(p, i);
	}
	assert_true(evict_policy_parse(BYTES("AllKeys-LRU"), &p));
	assert_int_equal(p, EVICT_ALLKEYS_LRU);
	assert_false(evict_policy_parse(BYTES("allkeys"), &p));
	assert_false(evict_policy_parse(BYTES(""), &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_mostly_kept),
		cmocka_unit_test(random_takes_from_everywhere),
		cmocka_unit_test(all_go_in_the_end),
		cmocka_unit_test(stale_candidates_are_passed_over),
		cmocka_unit_test(policies_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
