/* store/keyspace/expiry.c - removing keys whose time has come, and other work for idle moments. See keyspace.h.
 *
 * As in Redis, the cycle samples keys that have an expiry and goes on with a database for as long as many of its samples
 * are stale: what is left is then a small part, whatever the number of keys.
 */

#include "store/base/clock.h"
#include "store/base/keyhash.h"
#include "store/keyspace/internal.h"

/* One round looks at this many keys of a database, a quarter more for each step of effort; but at no more than
 * so many buckets for each. */
#define ROUND_KEYS    20
#define ROUND_MAX     (ROUND_KEYS + ROUND_KEYS / 4 * 9)
#define ROUND_BUCKETS 20

/* A database is left when at most this percentage of a round was stale, one less for each step of effort. */
#define STALE_ACCEPTED 10

/* A chain's words come together: some more than a round asks for may be gathered. */
struct gathered {
	unsigned n;
	uint64_t words[ROUND_MAX + 64];
};

static void gather(void *arg, uint64_t *slot)
{
	struct gathered *g = arg;
	if (g->n == sizeof(g->words) / sizeof(*g->words))
		return; /* seen again in a later turn */
	g->words[g->n++] = *slot;
	__builtin_prefetch(word_ptr(*slot));
}

struct round {
	unsigned seen, expired, fresh;
	int64_t ttl_avg; /* ms, of the fresh ones; no sum is kept, since two deadlines may be more than a number holds */
};

static void remove_stale(struct db *db, const struct gathered *g, struct round *r)
{
	for (unsigned i = 0; i < g->n; i++) {
		uint64_t w = g->words[i];
		int64_t ttl = entry_expiry(w) - db->ks->now_ms;
		r->seen++;
		if (ttl >= 0) {
			r->ttl_avg += (ttl - r->ttl_avg) / ++r->fresh;
			continue;
		}
		struct bytes key = entry_key(w);
		uint64_t hash = keyhash(key);
		keyspace_remove_gone(db, table_find(&db->keys, key, hash), hash, KEYSPACE_EXPIRED);
		r->expired++;
	}
}

/* A moving average over the rounds, as INFO prints it. */
static void note_ttl(struct db *db, const struct round *r)
{
	if (!r->fresh)
		return;
	db->avg_ttl = db->avg_ttl ? db->avg_ttl / 50 * 49 + r->ttl_avg / 50 : r->ttl_avg;
}

/* Look at about @keys keys of @db from its cursor on. */
static struct round run_round(struct db *db, unsigned keys)
{
	struct gathered g = {.n = 0};
	struct round r = {0, 0, 0, 0};
	for (unsigned buckets = 0; g.n < keys && buckets < keys * ROUND_BUCKETS; buckets++) {
		db->expire_cursor =
			table_scan(&db->volatiles, db->expire_cursor, WORD_ALL_KINDS, gather, &g);
		if (!db->expire_cursor)
			break; /* all seen: the next turn might repeat what is gathered */
	}
	remove_stale(db, &g, &r);
	note_ttl(db, &r);
	return r;
}

static bool is_late(void *arg)
{
	const int64_t *end = arg;
	return clock_us() >= *end;
}

bool keyspace_expire_cycle(struct keyspace *ks, unsigned budget_us, unsigned effort)
{
	int64_t begin = clock_us(), end = begin + budget_us, half = begin + budget_us / 2;
	unsigned step = effort > 10 ? 9 : effort ? effort - 1 : 0;
	unsigned keys = ROUND_KEYS + ROUND_KEYS / 4 * step, accepted = STALE_ACCEPTED - step;
	uint64_t seen = 0, expired = 0;
	bool late = false;
	if (ks->expiry_frozen)
		return false;
	/* Fields of hashes have half of the time, keys the rest, and what those leave the fields again. */
	bool fields_late = fields_expire_cycle(ks, is_late, &half);
	for (unsigned n = 0; n < ks->ndbs && !late; n++) {
		struct db *db = &ks->dbs[ks->expire_db];
		/* The next call goes on with the next database even if the time is spent on this one. */
		ks->expire_db = (ks->expire_db + 1) % ks->ndbs;
		if (!table_count(&db->volatiles))
			db->avg_ttl = 0;
		while (table_count(&db->volatiles)) {
			struct round r = run_round(db, keys);
			seen += r.seen;
			expired += r.expired;
			if (clock_us() >= end) {
				late = true;
				break;
			}
			if (r.seen && r.expired * 100 <= accepted * r.seen)
				break;
		}
	}
	if (fields_late && !late)
		late = fields_expire_cycle(ks, is_late, &end);
	ks->stats.expired_time_cap_reached += late;
	double stale = seen ? (double)expired / (double)seen : 0;
	ks->stats.expired_stale_perc = stale * 0.05 + ks->stats.expired_stale_perc * 0.95;
	return late;
}

bool keyspace_rehash_cycle(struct keyspace *ks, unsigned budget_us)
{
	int64_t end = 0;
	for (unsigned i = 0; i < ks->ndbs; i++) {
		struct table *tables[] = {&ks->dbs[i].keys, &ks->dbs[i].volatiles};
		for (unsigned k = 0; k < 2; k++)
			while (table_step(tables[k], 64)) {
				if (!end)
					end = clock_us() + budget_us;
				else if (clock_us() >= end)
					return true;
			}
	}
	return false;
}
