/* store/keyspace/keyspace.h - sixteen (or so) databases of keys bound to values.
 *
 * It knows entries, expiry and access clocks; it knows no client, no command and no file. What must see changes
 * from outside (journal, watchers, the mount) sets the hooks. Engine thread only.
 *
 * Keys and values passed in are copied unless a function says it adopts them, and must not stand in an entry that the call
 * changes. Words and slots are borrowed until the next
 * call that changes the same database. Time is passed in: keyspace_set_now() once a turn of the loop.
 */
#ifndef STORE_KEYSPACE_KEYSPACE_H
#define STORE_KEYSPACE_KEYSPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/keyspace/entry.h"
#include "store/keyspace/rare.h"
#include "store/types/table.h"

struct keyspace;

/* A hash with fields that expire: when the first of them does. */
struct field_due {
	int64_t at;
	uint64_t word;
};

/* More than the highest value_type. */
#define KEYSPACE_TYPES 7

struct db {
	struct keyspace *ks;
	unsigned id;            /* as SELECT takes it; SWAPDB exchanges contents, not ids */
	struct table keys;      /* every entry */
	struct table volatiles; /* the words of those with an expiry, again */
	uint64_t by_type[16];   /* keys of each type */
	struct rare rare[KEYSPACE_TYPES]; /* and where they are, while there are few */
	int64_t avg_ttl;                  /* ms, as INFO keyspace estimates it */
	uint64_t expire_cursor;
	struct field_due
		*due; /* a heap, fields.c's own but for @ndue: how many such hashes there are */
	size_t ndue, due_room;
};

#define KEYSPACE_FIELDS_MAX 64

enum keyspace_gone {
	KEYSPACE_EXPIRED,
	KEYSPACE_EVICTED,
};

/* Told from outside once; any may be NULL. */
struct keyspace_hooks {
	void *arg;
	/* @key of @db has just been removed by time or by memory pressure; it is no longer there. @key is borrowed. */
	void (*gone)(void *arg, struct db *db, struct bytes key, enum keyspace_gone why);
	/* @key, which was absent, has just been bound (its value may still be filled). Must leave the keyspace alone. */
	void (*added)(void *arg, struct db *db, struct bytes key);
	/* A key with this hash appears, goes, becomes one of another type, or is to go at another time than before. What flush, swap and
	 * loading do is not told. Must leave the keyspace alone. */
	void (*named)(void *arg, struct db *db, uint64_t hash);
	/* A lookup that counts found no @key (KEYSPACE_SILENT: is not told). Must leave the keyspace alone. */
	void (*missed)(void *arg, struct db *db, struct bytes key);
	/* Removing a key that time or memory pressure removed took @usec. NULL: nobody looks at the clock. */
	void (*took)(void *arg, enum keyspace_gone why, uint64_t usec);
	/* Time has just removed @fields (up to KEYSPACE_FIELDS_MAX) from the hash @key; @key_gone: they were its last, and it went with them. All is borrowed.
	 * Must leave the keyspace alone. */
	void (*fields_gone)(void *arg, struct db *db, struct bytes key, unsigned n,
			    const struct bytes *fields, bool key_gone);
};

struct keyspace_stats {
	uint64_t hits, misses;     /* keyspace_hits, keyspace_misses */
	uint64_t expired, evicted; /* expired_keys, evicted_keys */
	uint64_t expired_fields;   /* expired_subkeys */
	uint64_t expired_time_cap_reached;
	double expired_stale_perc;
};

/* Numbers the owner sets from configuration. */
struct keyspace_policy {
	bool lfu;                /* access bits hold an LFU counter, else an LRU clock */
	uint8_t lfu_log_factor;  /* 10 */
	uint32_t lfu_decay_time; /* minutes, 1 */
	bool lazy_user_del, lazy_user_flush, lazy_server_del, lazy_expire, lazy_eviction;
};

struct keyspace {
	struct db *dbs;
	unsigned ndbs;
	int64_t now_ms;     /* since the epoch */
	uint32_t lru_clock; /* seconds, 24 bits; or minutes << 8 under LFU */
	bool expiry_frozen; /* keys past their time are hidden but not removed (loading, DEBUG SET-ACTIVE-EXPIRE 0 does not set it) */
	bool access_frozen; /* a child has the entries as they are: a look leaves access bits alone, which would copy a page each */
	bool replaying; /* keys past their time are as all others: what is replayed may let them live longer */
	struct keyspace_policy policy;
	struct keyspace_hooks hooks;
	struct keyspace_stats stats;
	struct rng rng;
	unsigned expire_db; /* where the next expiry cycle begins */
	unsigned expire_fields_db;
};

struct keyspace *keyspace_new(unsigned ndbs);
void keyspace_free(struct keyspace *ks);

/* The time, once a turn of the loop; what the freeing thread sent back is let go here too. */
void keyspace_set_now(struct keyspace *ks, int64_t now_ms);

/* --- looking up; a key past its expiry is removed first (hook, statistics) and counts as absent --- */

enum keyspace_lookup {
	KEYSPACE_TOUCH = 0,   /* refresh the access bits, count a hit or a miss */
	KEYSPACE_NOTOUCH = 1, /* neither (DEBUG, MEMORY, the mount's own looks) */
	KEYSPACE_COUNT =
		2, /* count, but leave the access bits (EXISTS, TTL, TYPE, CLIENT NO-TOUCH) */
	KEYSPACE_SILENT = 3, /* the same, and tell nobody of a miss (OBJECT) */
};

/* The word bound to @key, 0 when absent. For reading. */
uint64_t keyspace_read(struct db *db, struct bytes key, enum keyspace_lookup how);

/* The slot of @key for a change of its value or its entry, NULL when absent: the one way to a mutable value. */
uint64_t *keyspace_write(struct db *db, struct bytes key);

/* The same with the hash already known (a batch computes it once for prefetch and lookup). */
uint64_t keyspace_read_hashed(struct db *db, struct bytes key, uint64_t hash,
			      enum keyspace_lookup how);
uint64_t *keyspace_write_hashed(struct db *db, struct bytes key, uint64_t hash);

/* --- binding --- */

enum keyspace_set {
	KEYSPACE_SET_KEEPTTL = 1, /* else an expiry that was there is dropped */
	KEYSPACE_SET_NEWLINE = 2, /* set WORD_NEWLINE */
	KEYSPACE_SET_RAW = 4,     /* do not look for an integer; OBJECT ENCODING says raw */
	KEYSPACE_SET_TEXT = 8,    /* do not look for an integer */
};

/* Bind @key to a string, replacing whatever was there. @val that reads as an int64 is kept as one unless SET_RAW or SET_TEXT.
 * STORE_ENOMEM leaves the old binding. */
enum store_err keyspace_set_string(struct db *db, struct bytes key, struct bytes val,
				   unsigned flags);
enum store_err keyspace_set_string_hashed(struct db *db, struct bytes key, uint64_t hash,
					  struct bytes val, unsigned flags);

/* The same with @expire_at (ms since the epoch, -1 for none) bound in one step. */
enum store_err keyspace_set_string_expire(struct db *db, struct bytes key, uint64_t hash,
					  struct bytes val, unsigned flags, int64_t expire_at);

/* Adopt @val (one reference passes over). Small ones are copied inline and put. */
void keyspace_set_blob(struct db *db, struct bytes key, struct blob *val, unsigned flags);

/* Set the integer in place where it can; keeps expiry. Creates the key when absent. */
void keyspace_set_int(struct db *db, struct bytes key, int64_t v);
/* The same where keyspace_write_hashed() found @slot, or NULL. */
void keyspace_put_int(struct db *db, struct bytes key, uint64_t hash, uint64_t *slot, int64_t v);

/* Make the string at @key (created empty when absent) exactly @len bytes, keeping what it has and zeroing what is new, and
 * hand out its bytes for writing through @data, good until the next call. Keeps expiry, sets WORD_RAW, drops
 * WORD_NEWLINE. APPEND, SETRANGE, SETBIT come through here. Growth is amortized.
 * STORE_ETYPE, STORE_ENOMEM; the value is then as it was. */
enum store_err keyspace_string_resize(struct db *db, struct bytes key, size_t len, char **data);

/* Bind @key, which must be absent, to a container; adopts it. Returns the slot. */
uint64_t *keyspace_add(struct db *db, struct bytes key, enum value_type type, void *container);

/* The same with the hash known, and the expiry (-1 for none) bound in one step. */
uint64_t *keyspace_add_expire(struct db *db, struct bytes key, uint64_t hash, enum value_type type,
			      void *container, int64_t expire_at);

/* Bind @key to a container whatever was there (freed as lazy_server_del says); expiry dropped. Adopts @container. */
void keyspace_put(struct db *db, struct bytes key, enum value_type type, void *container);

/* Replace the container pointer of a slot (a container that moved). */
void keyspace_reseat(uint64_t *slot, void *container);

enum keyspace_free {
	KEYSPACE_FREE_NOW,  /* DEL with lazyfree-lazy-user-del no */
	KEYSPACE_FREE_LAZY, /* UNLINK: values that take long go to the background */
};

/* False when absent (or expired: then the gone hook ran). */
bool keyspace_delete(struct db *db, struct bytes key, enum keyspace_free how);

/* Delete what a slot (just looked up) points to: containers that became empty. */
void keyspace_delete_slot(struct db *db, uint64_t *slot, enum keyspace_free how);

/* Move the value of @from to @to (of the same or another db), replacing @to, expiry going along. @from must exist.
 * RENAME, MOVE. */
void keyspace_move(struct db *from_db, struct bytes from, struct db *to_db, struct bytes to);

/* A deep copy of @from's value at @to, which must be absent, expiry going along. STORE_ENOMEM. COPY. */
enum store_err keyspace_copy(struct db *from_db, struct bytes from, struct db *to_db,
			     struct bytes to);

/* Remove every key. Returns how many there were. */
uint64_t keyspace_flush(struct db *db, enum keyspace_free how);

/* Exchange the contents of two databases. */
void keyspace_swap(struct db *a, struct db *b);

/* --- expiry --- */

/* Set or, with -1, drop the expiry of @key. False when absent. A time in the past is kept: the caller deletes instead. */
bool keyspace_expire(struct db *db, struct bytes key, int64_t at_ms);

/* Remove expired keys for at most @budget_us microseconds, from all databases in turn, sampling only keys that
 * have an expiry. True when it ran out of time with more to do. */
bool keyspace_expire_cycle(struct keyspace *ks, unsigned budget_us, unsigned effort);

/* --- expiry of fields of hashes: fields.c --- */

/* The hash of @word was changed through hash.h, and its first expiry may be another one now. Called before anything else is done
 * with the database; but a hash without fields that expire, in a database where @ndue is 0, needs it not. */
void keyspace_fields_changed(struct db *db, uint64_t word);

/* The time by which fields are past theirs (one is, when its expiry is before it): what hash.h's calls ask for. */
int64_t keyspace_fields_now(const struct keyspace *ks);

/* Remove those of the fields fields[0], fields[every], ... below @n that are past their time, with hook and statistics. False when the
 * key went with them. Under expiry_frozen nothing is removed. */
bool keyspace_shed_fields(struct db *db, uint64_t word, int n, const struct bytes *fields,
			  int every);

/* --- walking --- */

/* One SCAN step over the database; only words whose type is in @types (bit 1 << type) reach @fn, without entries of others being
 * touched. One type alone with up to RARE_MAX / 2 keys takes a step a key, whatever else there is. What table_scan says of what is told of
 * holds. Expired keys are passed too: ask keyspace_is_expired. */
uint64_t keyspace_scan(struct db *db, uint64_t cursor, unsigned types,
		       void (*fn)(void *arg, uint64_t word), void *arg);
#define KEYSPACE_ALL_TYPES 0xffffu

bool keyspace_is_expired(const struct keyspace *ks, uint64_t word);

/* A key chosen at random that has not expired; 0 when there is none. Under expiry_frozen, where hardly any other is left, one that has. */
uint64_t keyspace_random(struct db *db);

/* Background work of at most @budget_us: rehash steps. True when there is more. */
bool keyspace_rehash_cycle(struct keyspace *ks, unsigned budget_us);

/* --- access bits --- */

/* Seconds since last access under LRU; the logarithmic counter, decayed to now, under LFU. */
uint32_t keyspace_idle_seconds(const struct keyspace *ks, uint64_t word);
uint8_t keyspace_freq(const struct keyspace *ks, uint64_t word);

/* Have a key look as if it was last used so many seconds ago, or with this counter: RESTORE, loading. What the policy does not keep is
 * left as it is. */
void keyspace_set_idle(struct keyspace *ks, uint64_t word, uint64_t seconds);
void keyspace_set_freq(struct keyspace *ks, uint64_t word, uint8_t counter);

/* Bytes that the key takes as MEMORY USAGE counts, sampling @samples elements of a container (0: all). */
size_t keyspace_entry_mem(uint64_t word, unsigned samples);

/* How much work freeing the value is, in allocations (1 for a string). */
size_t entry_free_effort(uint64_t word);

/* Check every invariant (counts, volatiles, tables); tests only. Aborts. */
void keyspace_check(struct keyspace *ks);

#endif
