/* resp/sessions/watch.c - see watch.h.
 *
 * Each database that is watched has a hash of its watched keys; each key a list of watches, one a session at most; each session a
 * hash of its watches by key, so that watching one twice is found at once however many there are.
 */
#include "store/base/mem.h"
#define uthash_malloc(n)  mem_alloc(n)
#define uthash_free(p, n) mem_free(p)
#include "resp/sessions/watch.h"

#include <uthash.h>

#include "resp/server.h"
#include "store/base/keyhash.h"

struct watched_key {
	struct watch *first; /* never empty */
	unsigned db;
	UT_hash_handle hh; /* of the database's */
	size_t n;
	char name[];
};

struct watch {
	struct watched_key *key;
	struct session *session;
	struct watch *prev, *next; /* of the same key */
	bool expired;              /* was past its time when it was watched */
	UT_hash_handle hh;         /* of the session's, by key */
};

/* One hash of watched keys a database. */
struct watches {
	size_t keys;
	struct watched_key *dbs[];
};

static struct watched_key *find_key(const struct watches *w, unsigned db, struct bytes key,
				    uint64_t hash)
{
	struct watched_key *k;
	HASH_FIND_BYHASHVALUE(hh, w->dbs[db], key.p, key.n, (unsigned)hash, k);
	return k;
}

static uint64_t find_word(struct db *db, struct bytes key, uint64_t hash)
{
	uint64_t *slot = table_find(&db->keys, key, hash);
	return slot ? *slot : 0;
}

static bool is_expired(const struct db *db, uint64_t word)
{
	return word && keyspace_is_expired(db->ks, word);
}

/* --- adding --- */

static struct watched_key *add_key(struct watches *w, unsigned db, struct bytes key, uint64_t hash)
{
	struct watched_key *k = mem_try(sizeof(*k) + key.n);
	if (!k)
		return NULL;
	k->first = NULL;
	k->db = db;
	k->n = key.n;
	if (key.n)
		memcpy(k->name, key.p, key.n);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, w->dbs[db], k->name, k->n, (unsigned)hash, k);
	w->keys++;
	return k;
}

static struct watches *registry(struct server *server)
{
	if (!server->watches)
		server->watches = mem_calloc(sizeof(struct watches) +
					     server->keyspace->ndbs * sizeof(struct watched_key *));
	return server->watches;
}

bool watch_add(struct session *s, struct bytes key)
{
	uint64_t hash = keyhash(key);
	struct watches *w = registry(s->server);
	struct watched_key *k = find_key(w, s->db->id, key, hash);
	struct watch *watch = NULL;
	if (!k)
		k = add_key(w, s->db->id, key, hash);
	else
		HASH_FIND_PTR(s->watches, &k, watch);
	if (!k || watch)
		return k != NULL;
	watch = mem_calloc(sizeof(*watch));
	watch->key = k;
	watch->session = s;
	watch->expired = is_expired(s->db, find_word(s->db, key, hash));
	watch->next = k->first;
	if (k->first)
		k->first->prev = watch;
	k->first = watch;
	HASH_ADD_PTR(s->watches, key, watch);
	s->watched += key.n;
	return true;
}

/* --- ending --- */

static void drop_key(struct watches *w, struct watched_key *k)
{
	HASH_DEL(w->dbs[k->db], k);
	mem_free(k);
	w->keys--;
}

void watch_clear(struct session *s)
{
	struct watches *w = s->server->watches;
	struct watch *watch, *tmp;
	if (!s->watches)
		return;
	HASH_ITER (hh, s->watches, watch, tmp) {
		struct watched_key *k = watch->key;
		HASH_DEL(s->watches, watch);
		if (watch->next)
			watch->next->prev = watch->prev;
		if (watch->prev)
			watch->prev->next = watch->next;
		else
			k->first = watch->next;
		if (!k->first)
			drop_key(w, k);
		mem_free(watch);
	}
	s->watched = 0;
	if (w->keys)
		return;
	mem_free(w);
	s->server->watches = NULL;
}

/* --- being told --- */

static void mark(struct session *s)
{
	s->flags |= SESSION_DIRTY_CAS;
	watch_clear(s);
}

void watch_touch(struct server *server, struct db *db, struct bytes key, uint64_t hash)
{
	struct watched_key *k = find_key(server->watches, db->id, key, hash);
	if (!k)
		return;
	bool gone = find_word(db, key, hash) == 0;
	/* A session has one watch of the key: marking it takes only that one out of this list, and the key with the last one. */
	for (struct watch *watch = k->first, *next; watch; watch = next) {
		next = watch->next;
		if (watch->expired && gone)
			watch->expired = false;
		else if (!watch->expired)
			mark(watch->session);
	}
}

/* What becomes of a watch when the key's word @old is replaced by @word of another database (0 for none). True when the session
 * must know. */
static bool replaced(struct watch *watch, uint64_t old, uint64_t word, const struct db *from)
{
	bool expired = from && is_expired(from, word);
	if (watch->expired) {
		if (!word)
			watch->expired = false;
		return word && !expired;
	}
	if (!old && expired) {
		watch->expired = true;
		return false;
	}
	return true;
}

void watch_touch_all(struct server *server, struct db *db, struct db *replacement)
{
	struct watches *w = server->watches;
	if (!w)
		return;
	/* Watches end only afterwards: ending them would take keys from under the iteration. */
	for (struct watched_key *k = w->dbs[db->id]; k; k = k->hh.next) {
		struct bytes key = bytes_of(k->name, k->n);
		uint64_t hash = keyhash(key);
		uint64_t old = find_word(db, key, hash);
		uint64_t word = replacement ? find_word(replacement, key, hash) : 0;
		if (!old && !word)
			continue;
		for (struct watch *watch = k->first; watch; watch = watch->next)
			if (replaced(watch, old, word, replacement))
				watch->session->flags |= SESSION_DIRTY_CAS;
	}
}

bool watch_expired(const struct session *s)
{
	for (const struct watch *watch = s->watches; watch; watch = watch->hh.next) {
		struct db *db = &s->server->keyspace->dbs[watch->key->db];
		struct bytes key = bytes_of(watch->key->name, watch->key->n);
		if (!watch->expired && is_expired(db, find_word(db, key, keyhash(key))))
			return true;
	}
	return false;
}

size_t watch_mem(const struct session *s)
{
	size_t n = HASH_COUNT(s->watches);
	/* Each of the two hashes has a table with, by and large, a bucket an entry. */
	return n * (sizeof(struct watch) + sizeof(struct watched_key) +
		    2 * sizeof(UT_hash_bucket)) +
	       s->watched;
}
