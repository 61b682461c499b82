/* store/keyspace/keyspace.c - databases: looking up, binding, moving and removing keys. See keyspace.h. */
#include "store/keyspace/keyspace.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/base/bgfree.h"
#include "store/base/clock.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/keyspace/internal.h"

static void db_init(struct keyspace *ks, struct db *db, unsigned id)
{
	*db = (struct db){.ks = ks, .id = id};
	table_init(&db->keys, ENTRY_LEAD);
	table_init(&db->volatiles, ENTRY_LEAD);
	for (unsigned t = 0; t < KEYSPACE_TYPES; t++)
		rare_init(&db->rare[t], t == VALUE_STRING ? RARE_MAX_STRINGS : RARE_MAX);
}

struct keyspace *keyspace_new(unsigned ndbs)
{
	struct keyspace *ks = mem_calloc(sizeof(*ks));
	ks->dbs = mem_alloc(ndbs * sizeof(*ks->dbs));
	ks->ndbs = ndbs;
	for (unsigned i = 0; i < ndbs; i++)
		db_init(ks, &ks->dbs[i], i);
	ks->policy = (struct keyspace_policy){.lfu_log_factor = 10, .lfu_decay_time = 1};
	rng_seed(&ks->rng, keyhash(BYTES("keyspace")));
	return ks;
}

void keyspace_free(struct keyspace *ks)
{
	if (!ks)
		return;
	for (unsigned i = 0; i < ks->ndbs; i++)
		keyspace_flush(&ks->dbs[i], KEYSPACE_FREE_NOW);
	mem_free(ks->dbs);
	mem_free(ks);
}

void keyspace_no_memory(void)
{
	fprintf(stderr, "inodis: out of memory for a key\n");
	abort();
}

/* --- removing --- */

bool keyspace_is_expired(const struct keyspace *ks, uint64_t w)
{
	return w & WORD_EXPIRE && ks->now_ms > entry_expiry(w) && !ks->replaying;
}

/* A key of @type came, or went. */
static inline void count_key(struct db *db, enum value_type type, uint64_t hash)
{
	db->by_type[type]++;
	if (db->rare[type].known)
		rare_note(&db->rare[type], table_position(hash));
}

static inline void discount_key(struct db *db, enum value_type type, uint64_t hash)
{
	struct rare *r = &db->rare[type];
	if (r->known)
		rare_drop(r, table_position(hash));
	if (--db->by_type[type] == 0)
		r->known = RARE_ALL;
}

uint64_t keyspace_unlink(struct db *db, uint64_t *slot, uint64_t hash)
{
	uint64_t w = *slot;
	if (w & WORD_EXPIRE) {
		uint64_t *again = table_find(&db->volatiles, entry_key(w), hash);
		table_take(&db->volatiles, again, hash);
	}
	if (db->ndue && word_type(w) == VALUE_HASH)
		fields_forget(db, w);
	table_take(&db->keys, slot, hash);
	discount_key(db, word_type(w), hash);
	keyspace_named(db, hash);
	return w;
}

void keyspace_remove_gone(struct db *db, uint64_t *slot, uint64_t hash, enum keyspace_gone why)
{
	struct keyspace *ks = db->ks;
	bool expired = why == KEYSPACE_EXPIRED;
	int64_t began = ks->hooks.took ? clock_us() : 0;
	uint64_t w = keyspace_unlink(db, slot, hash);
	if (expired)
		ks->stats.expired++;
	else
		ks->stats.evicted++;
	if (ks->hooks.gone)
		ks->hooks.gone(ks->hooks.arg, db, entry_key(w), why);
	entry_free_whole(w, expired ? ks->policy.lazy_expire : ks->policy.lazy_eviction);
	if (began)
		ks->hooks.took(ks->hooks.arg, why, (uint64_t)(clock_us() - began));
}

bool keyspace_delete(struct db *db, struct bytes key, enum keyspace_free how)
{
	uint64_t hash = keyhash(key);
	uint64_t *slot = keyspace_find(db, key, hash, true);
	if (!slot)
		return false;
	entry_free_whole(keyspace_unlink(db, slot, hash), how == KEYSPACE_FREE_LAZY);
	return true;
}

void keyspace_delete_slot(struct db *db, uint64_t *slot, enum keyspace_free how)
{
	uint64_t hash = keyhash(entry_key(*slot));
	entry_free_whole(keyspace_unlink(db, slot, hash), how == KEYSPACE_FREE_LAZY);
}

/* The contents of a database that nobody can reach any more. */
struct flushed {
	struct table keys, volatiles;
	struct field_due *due;
};

static void flushed_free(void *arg)
{
	struct flushed *f = arg;
	struct table_iter it;
	table_iter_begin(&it, &f->keys);
	for (uint64_t *slot; (slot = table_iter_next(&it));) {
		if (word_is_outside(*slot))
			value_free_elsewhere(*slot, entry_container(*slot));
		entry_free(*slot);
	}
	table_iter_end(&it);
	table_fini(&f->keys);
	table_fini(&f->volatiles);
	mem_free(f->due);
	mem_free(f);
}

uint64_t keyspace_flush(struct db *db, enum keyspace_free how)
{
	struct flushed *f = mem_alloc(sizeof(*f));
	*f = (struct flushed){db->keys, db->volatiles, db->due};
	uint64_t n = table_count(&db->keys);
	for (unsigned t = 0; t < KEYSPACE_TYPES; t++)
		rare_fini(&db->rare[t]);
	db_init(db->ks, db, db->id);
	if (how == KEYSPACE_FREE_LAZY) {
		bgfree_submit(flushed_free, f, n);
	} else {
		flushed_free(f);
		bgfree_poll();
	}
	return n;
}

/* --- looking up --- */

/* The rare way out of keyspace_find: the key at @slot is past its time. */
static void find_expired(struct db *db, uint64_t *slot, uint64_t hash, bool write)
{
	if (!db->ks->expiry_frozen)
		keyspace_remove_gone(db, slot, hash, KEYSPACE_EXPIRED);
	else if (write)
		entry_free_whole(keyspace_unlink(db, slot, hash), false);
}

uint64_t *keyspace_find(struct db *db, struct bytes key, uint64_t hash, bool write)
{
	uint64_t *slot = table_find(&db->keys, key, hash);
	if (!slot || !keyspace_is_expired(db->ks, *slot))
		return slot;
	find_expired(db, slot, hash, write);
	return NULL;
}

uint64_t keyspace_read_hashed(struct db *db, struct bytes key, uint64_t hash,
			      enum keyspace_lookup how)
{
	uint64_t *slot = keyspace_find(db, key, hash, false);
	if (how != KEYSPACE_NOTOUCH) {
		if (slot) {
			db->ks->stats.hits++;
			if (how == KEYSPACE_TOUCH && !db->ks->access_frozen)
				access_touch(db->ks, *slot);
		} else {
			db->ks->stats.misses++;
			if (db->ks->hooks.missed && how != KEYSPACE_SILENT)
				db->ks->hooks.missed(db->ks->hooks.arg, db, key);
		}
	}
	return slot ? *slot : 0;
}

uint64_t keyspace_read(struct db *db, struct bytes key, enum keyspace_lookup how)
{
	return keyspace_read_hashed(db, key, keyhash(key), how);
}

uint64_t *keyspace_write_hashed(struct db *db, struct bytes key, uint64_t hash)
{
	uint64_t *slot = keyspace_find(db, key, hash, true);
	if (slot && !db->ks->access_frozen)
		access_touch(db->ks, *slot);
	return slot;
}

uint64_t *keyspace_write(struct db *db, struct bytes key)
{
	return keyspace_write_hashed(db, key, keyhash(key));
}

/* --- binding --- */

bool keyspace_reshape(struct db *db, uint64_t *slot, uint64_t hash, uint64_t bits,
		      int64_t expire_at, size_t value_size, size_t keep)
{
	uint64_t old = *slot, *again = NULL;
	/* Found while the entry is still what both tables say it is. */
	if (old & WORD_EXPIRE)
		again = table_find(&db->volatiles, entry_key(old), hash);
	uint64_t w = entry_reshape(old, bits, expire_at, value_size, keep);
	if (!w)
		return false;
	/* Most new values have the size of the old one. Where nothing changes nothing is written: while a child saves, the first write to each
	 * page costs a fault and a copy of it. */
	if (w == old)
		return true;
	*slot = w;
	if (again && w & WORD_EXPIRE)
		*again = w;
	else if (again)
		table_take(&db->volatiles, again, hash);
	else if (w & WORD_EXPIRE)
		table_insert(&db->volatiles, w, hash);
	return true;
}

static void tell_added(struct db *db, struct bytes key)
{
	const struct keyspace_hooks *hooks = &db->ks->hooks;
	if (hooks->added)
		hooks->added(hooks->arg, db, key);
}

static uint64_t *bind_new(struct db *db, struct bytes key, uint64_t hash, uint64_t bits,
			  int64_t expire_at, size_t value_size)
{
	uint64_t w = entry_new(key, bits, expire_at, value_size);
	if (!w)
		return NULL;
	entry_set_lru(w, access_fresh(db->ks));
	if (w & WORD_EXPIRE)
		table_insert(&db->volatiles, w, hash);
	count_key(db, word_type(w), hash);
	uint64_t *slot = table_insert(&db->keys, w, hash);
	keyspace_named(db, hash);
	tell_added(db, key);
	return slot;
}

uint64_t *keyspace_bind(struct db *db, struct bytes key, uint64_t hash, uint64_t *slot,
			uint64_t bits, int64_t expire_at, size_t value_size)
{
	if (!slot)
		return bind_new(db, key, hash, bits, expire_at, value_size);
	uint64_t old = *slot;
	void *value = word_is_outside(old) ? entry_container(old) : NULL;
	bits |= old & WORD_NAME_FLAGS;
	if (db->ndue && word_type(old) == VALUE_HASH)
		fields_forget(db, old);
	if (!keyspace_reshape(db, slot, hash, bits, expire_at, value_size, 0))
		return NULL;
	if (word_type(old) != word_type(bits)) {
		discount_key(db, word_type(old), hash);
		count_key(db, word_type(bits), hash);
	}
	if (word_type(old) != word_type(bits) || expire_at >= 0)
		keyspace_named(db, hash);
	if (value)
		value_free(old, value, db->ks->policy.lazy_server_del);
	access_touch(db->ks, *slot);
	return slot;
}

static uint64_t *bind_container(struct db *db, struct bytes key, uint64_t hash, uint64_t *slot,
				enum value_type type, void *container)
{
	slot = keyspace_bind(db, key, hash, slot, bits_of(type, 0), -1, sizeof(container));
	if (!slot)
		keyspace_no_memory();
	keyspace_reseat(slot, container);
	return slot;
}

uint64_t *keyspace_add(struct db *db, struct bytes key, enum value_type type, void *container)
{
	return bind_container(db, key, keyhash(key), NULL, type, container);
}

uint64_t *keyspace_add_expire(struct db *db, struct bytes key, uint64_t hash, enum value_type type,
			      void *container, int64_t expire_at)
{
	uint64_t *slot =
		keyspace_bind(db, key, hash, NULL, bits_of(type, 0), expire_at, sizeof(container));
	if (!slot)
		keyspace_no_memory();
	keyspace_reseat(slot, container);
	if (type == VALUE_HASH)
		fields_follow(db, *slot);
	return slot;
}

void keyspace_put(struct db *db, struct bytes key, enum value_type type, void *container)
{
	uint64_t hash = keyhash(key);
	uint64_t *slot = keyspace_find(db, key, hash, true);
	slot = bind_container(db, key, hash, slot, type, container);
	if (type == VALUE_HASH)
		fields_follow(db, *slot);
}

void keyspace_reseat(uint64_t *slot, void *container)
{
	memcpy(entry_value(*slot), &container, sizeof(container));
}

bool keyspace_expire(struct db *db, struct bytes key, int64_t at_ms)
{
	uint64_t hash = keyhash(key);
	uint64_t *slot = keyspace_find(db, key, hash, true);
	if (!slot)
		return false;
	if (at_ms < 0 && !(*slot & WORD_EXPIRE))
		return true;
	size_t size = entry_value_size(*slot);
	if (!keyspace_reshape(db, slot, hash, word_bits(*slot), at_ms, size, size))
		keyspace_no_memory();
	if (at_ms >= 0)
		keyspace_named(db, hash);
	if (db->ndue && word_type(*slot) == VALUE_HASH)
		fields_follow(db, *slot);
	return true;
}

/* --- moving and copying --- */

void keyspace_move(struct db *from_db, struct bytes from, struct db *to_db, struct bytes to)
{
	uint64_t from_hash = keyhash(from), to_hash = keyhash(to);
	uint64_t *slot = keyspace_find(from_db, from, from_hash, true);
	if (!slot || (from_db == to_db && bytes_eq(from, to)))
		return;
	uint64_t w = keyspace_unlink(from_db, slot, from_hash);
	size_t size = entry_value_size(w);
	slot = keyspace_find(to_db, to, to_hash, true);
	/* What was there goes: the key that comes is a new one. */
	if (slot)
		tell_added(to_db, to);
	slot = keyspace_bind(to_db, to, to_hash, slot, word_bits(w) & ~WORD_NAME_FLAGS,
			     entry_expiry(w), size);
	if (!slot)
		keyspace_no_memory();
	memcpy(entry_value(*slot), entry_value(w), size);
	entry_set_lru(*slot, entry_lru(w));
	if (word_type(w) == VALUE_HASH)
		fields_follow(to_db, *slot);
	entry_free(w);
}

enum store_err keyspace_copy(struct db *from_db, struct bytes from, struct db *to_db,
			     struct bytes to)
{
	uint64_t *slot = keyspace_find(from_db, from, keyhash(from), false);
	if (!slot)
		return STORE_ENOENT;
	uint64_t w = *slot;
	size_t size = entry_value_size(w);
	slot = keyspace_bind(to_db, to, keyhash(to), NULL, word_bits(w) & ~WORD_NAME_FLAGS,
			     entry_expiry(w), size);
	if (!slot)
		return STORE_ENOMEM;
	memcpy(entry_value(*slot), entry_value(w), size);
	if (word_is_outside(w))
		keyspace_reseat(slot, value_dup(w, entry_container(w)));
	if (word_type(w) == VALUE_HASH)
		fields_follow(to_db, *slot);
	return STORE_OK;
}

void keyspace_swap(struct db *a, struct db *b)
{
	struct db old = *a;
	unsigned a_id = a->id, b_id = b->id;
	*a = *b;
	*b = old;
	a->id = a_id;
	b->id = b_id;
}

/* --- walking --- */

/* Under expiry_frozen expired keys stay, and may be all there is: then one of them it is, as in Redis. */
#define RANDOM_TRIES 100

uint64_t keyspace_random(struct db *db)
{
	for (int tries = 0;;) {
		uint64_t w = table_random(&db->keys, &db->ks->rng);
		if (!w || !keyspace_is_expired(db->ks, w))
			return w;
		if (db->ks->expiry_frozen) {
			if (++tries == RANDOM_TRIES)
				return w;
			continue;
		}
		struct bytes key = entry_key(w);
		keyspace_find(db, key, keyhash(key), false);
	}
}

/* --- invariants --- */

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "keyspace: %s:%d: %s\n", __FILE__, __LINE__, #condition);  \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* What is known of the type is true, and complete. */
static void check_rare(struct db *db, unsigned type)
{
	const struct rare *r = &db->rare[type];
	uint64_t n = 0;
	struct table_iter it;
	rare_check(r);
	table_iter_begin(&it, &db->keys);
	for (uint64_t *slot; (slot = table_iter_next(&it));) {
		uint64_t at = table_position(keyhash(entry_key(*slot)));
		if (word_type(*slot) != type || (r->known != RARE_ALL && at >= r->known))
			continue;
		CHECK(rare_next(r, at) == at);
		n++;
	}
	table_iter_end(&it);
	CHECK(n == r->n);
}

static void check_db(struct db *db)
{
	uint64_t by_type[16] = {0}, expires = 0;
	struct table_iter it;
	table_check(&db->keys);
	table_check(&db->volatiles);
	table_iter_begin(&it, &db->keys);
	for (uint64_t *slot; (slot = table_iter_next(&it));) {
		struct bytes key = entry_key(*slot);
		by_type[word_type(*slot)]++;
		CHECK(word_type(*slot) != VALUE_HASH || fields_indexed(db, *slot));
		CHECK(mem_size(word_ptr(*slot)) >= entry_size(*slot));
		uint64_t *again = table_find(&db->volatiles, key, keyhash(key));
		CHECK((again != NULL) == ((*slot & WORD_EXPIRE) != 0));
		if (!again)
			continue;
		/* Flags may differ: those of the word in keys count. */
		CHECK(word_ptr(*again) == word_ptr(*slot) && *again & WORD_EXPIRE);
		expires++;
	}
	table_iter_end(&it);
	CHECK(table_count(&db->volatiles) == expires);
	CHECK(fields_ok(db));
	for (unsigned t = 0; t < KEYSPACE_TYPES; t++)
		check_rare(db, t);
	for (int i = 0; i < 16; i++)
		CHECK(db->by_type[i] == by_type[i]);
}

void keyspace_check(struct keyspace *ks)
{
	for (unsigned i = 0; i < ks->ndbs; i++) {
		CHECK(ks->dbs[i].id == i && ks->dbs[i].ks == ks);
		check_db(&ks->dbs[i]);
	}
}
