/* store/keyspace/evict.c - choosing the key that goes when memory is short: see evict.h. */
#include "store/keyspace/evict.h"

#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/keyspace/internal.h"

#define POOL        16
#define SAMPLES_MAX 64

/* The pool's order is by score, the best to go last. Keys are copies: a candidate may be gone when its turn comes. */
struct candidate {
	uint64_t score;
	unsigned db;
	char *key;
	size_t len;
};

struct evict {
	struct keyspace *ks;
	enum evict_policy policy; /* of the scores in the pool */
	unsigned n;
	unsigned next_db; /* for the random policies */
	struct candidate pool[POOL];
};

static const char *const names[] = {
	[EVICT_NOEVICTION] = "noeviction",           [EVICT_ALLKEYS_LRU] = "allkeys-lru",
	[EVICT_ALLKEYS_LFU] = "allkeys-lfu",         [EVICT_ALLKEYS_RANDOM] = "allkeys-random",
	[EVICT_VOLATILE_LRU] = "volatile-lru",       [EVICT_VOLATILE_LFU] = "volatile-lfu",
	[EVICT_VOLATILE_RANDOM] = "volatile-random", [EVICT_VOLATILE_TTL] = "volatile-ttl",
};

const char *evict_policy_name(enum evict_policy p)
{
	return names[p];
}

bool evict_policy_parse(struct bytes name, enum evict_policy *out)
{
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (bytes_is(name, names[i])) {
			*out = (enum evict_policy)i;
			return true;
		}
	return false;
}

static bool of_all_keys(enum evict_policy p)
{
	return p == EVICT_ALLKEYS_LRU || p == EVICT_ALLKEYS_LFU || p == EVICT_ALLKEYS_RANDOM;
}

struct evict *evict_new(struct keyspace *ks)
{
	struct evict *e = mem_calloc(sizeof(*e));
	e->ks = ks;
	return e;
}

static void pool_clear(struct evict *e)
{
	while (e->n)
		mem_free(e->pool[--e->n].key);
}

void evict_free(struct evict *e)
{
	if (!e)
		return;
	pool_clear(e);
	mem_free(e);
}

/* The higher, the sooner it goes. */
static uint64_t score_of(const struct keyspace *ks, enum evict_policy policy, uint64_t w)
{
	switch (policy) {
	case EVICT_ALLKEYS_LFU:
	case EVICT_VOLATILE_LFU:
		return 255u - keyspace_freq(ks, w);
	case EVICT_VOLATILE_TTL:
		return UINT64_MAX - (uint64_t)entry_expiry(w);
	case EVICT_ALLKEYS_LRU:
	case EVICT_VOLATILE_LRU:
	case EVICT_NOEVICTION:
	case EVICT_ALLKEYS_RANDOM:
	case EVICT_VOLATILE_RANDOM:
		break;
	}
	return keyspace_idle_seconds(ks, w);
}

static bool in_pool(const struct evict *e, unsigned db, struct bytes key)
{
	for (unsigned i = 0; i < e->n; i++)
		if (e->pool[i].db == db && bytes_eq(bytes_of(e->pool[i].key, e->pool[i].len), key))
			return true;
	return false;
}

/* Offer one key; a full pool lets its worst candidate go for a better one. */
static void pool_offer(struct evict *e, unsigned db, uint64_t score, struct bytes key)
{
	if (e->n == POOL && score <= e->pool[0].score)
		return;
	if (in_pool(e, db, key))
		return;
	unsigned at = e->n;
	while (at > 0 && e->pool[at - 1].score >= score)
		at--;
	if (e->n == POOL) {
		mem_free(e->pool[0].key);
		at--;
		memmove(e->pool, e->pool + 1, at * sizeof(*e->pool));
	} else {
		memmove(e->pool + at + 1, e->pool + at, (e->n - at) * sizeof(*e->pool));
		e->n++;
	}
	e->pool[at] = (struct candidate){score, db, mem_dup(key.p, key.n), key.n};
}

static void pool_fill(struct evict *e, struct db *db, struct table *from, unsigned samples)
{
	uint64_t words[SAMPLES_MAX];
	if (samples > SAMPLES_MAX)
		samples = SAMPLES_MAX;
	samples = table_sample(from, &e->ks->rng, words, samples);
	for (unsigned i = 0; i < samples; i++)
		__builtin_prefetch(word_ptr(words[i]));
	for (unsigned i = 0; i < samples; i++)
		pool_offer(e, db->id, score_of(e->ks, e->policy, words[i]), entry_key(words[i]));
}

static struct table *table_for(struct db *db, enum evict_policy policy)
{
	return of_all_keys(policy) ? &db->keys : &db->volatiles;
}

/* Remove @key unless it is gone by now, or no longer one of those that the policy may take. */
static bool remove_key(struct db *db, struct bytes key, enum evict_policy policy)
{
	uint64_t hash = keyhash(key);
	if (!table_find(table_for(db, policy), key, hash))
		return false;
	keyspace_remove_gone(db, table_find(&db->keys, key, hash), hash, KEYSPACE_EVICTED);
	return true;
}

/* Take candidates, the best first, until one is really there. */
static bool pool_take(struct evict *e)
{
	while (e->n) {
		struct candidate c = e->pool[--e->n];
		bool gone = remove_key(&e->ks->dbs[c.db], bytes_of(c.key, c.len), e->policy);
		mem_free(c.key);
		if (gone)
			return true;
	}
	return false;
}

static bool evict_random(struct evict *e, enum evict_policy policy)
{
	for (unsigned i = 0; i < e->ks->ndbs; i++) {
		struct db *db = &e->ks->dbs[e->next_db];
		e->next_db = (e->next_db + 1) % e->ks->ndbs;
		uint64_t w = table_random(table_for(db, policy), &e->ks->rng);
		if (w)
			return remove_key(db, entry_key(w), policy);
	}
	return false;
}

bool evict_one(struct evict *e, enum evict_policy policy, unsigned samples)
{
	if (policy == EVICT_NOEVICTION)
		return false;
	if (policy == EVICT_ALLKEYS_RANDOM || policy == EVICT_VOLATILE_RANDOM)
		return evict_random(e, policy);
	if (policy != e->policy)
		pool_clear(e); /* scores of another policy do not compare */
	e->policy = policy;
	for (;;) {
		bool any = false;
		for (unsigned i = 0; i < e->ks->ndbs; i++) {
			struct db *db = &e->ks->dbs[i];
			struct table *from = table_for(db, policy);
			if (!table_count(from))
				continue;
			any = true;
			pool_fill(e, db, from, samples ? samples : 1);
		}
		/* Candidates that are gone leave the pool, so that a full one cannot keep living keys out for ever. */
		if (!any || pool_take(e))
			return any;
	}
}
