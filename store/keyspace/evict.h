/* store/keyspace/evict.h - which key goes when memory is short: Redis's eight policies.
 *
 * Approximated LRU, LFU and TTL order by a pool of 16 candidates, filled from samples, as in Redis
 * (https://redis.io/docs/latest/develop/reference/eviction/).
 */
#ifndef STORE_KEYSPACE_EVICT_H
#define STORE_KEYSPACE_EVICT_H

#include "store/keyspace/keyspace.h"

enum evict_policy {
	EVICT_NOEVICTION,
	EVICT_ALLKEYS_LRU,
	EVICT_ALLKEYS_LFU,
	EVICT_ALLKEYS_RANDOM,
	EVICT_VOLATILE_LRU,
	EVICT_VOLATILE_LFU,
	EVICT_VOLATILE_RANDOM,
	EVICT_VOLATILE_TTL,
};

struct evict;

struct evict *evict_new(struct keyspace *ks);
void evict_free(struct evict *e);

/* Remove one key under @policy, sampling @samples keys (maxmemory-samples) a database. The gone hook tells which.
 * False when there is none to remove. */
bool evict_one(struct evict *e, enum evict_policy policy, unsigned samples);

/* "allkeys-lru" and so on, and back; false for an unknown word. */
const char *evict_policy_name(enum evict_policy p);
bool evict_policy_parse(struct bytes name, enum evict_policy *out);

#endif
