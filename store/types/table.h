/* store/types/table.h - the hash table under the keyspace and under big hashes, sets and sorted sets.
 *
 * Buckets of 64 bytes, one cache line each: 7 one-byte tags, 7 words, and a byte that says which slots are taken
 * and whether the last word is a child bucket (an overflow chain). A word is a 48-bit pointer to an entry with 16 bits of
 * the owner's own in front, so that a scan can filter by them without touching the entry. The table grows and
 * shrinks by incremental rehash: two bucket arrays for a while, a few buckets moved at each change, never a stall.
 *
 * The table finds an entry's key by itself: at pointer + lead (+ 8 when WORD_EXPIRE is set) stands the key's length
 * as varkey_put writes it, then the key. Entries belong to the owner: the table never frees one.
 *
 * A slot (uint64_t *) is borrowed until the next insert, take, step or reserve of the same table.
 */
#ifndef STORE_TYPES_TABLE_H
#define STORE_TYPES_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/bytes.h"
#include "store/base/rng.h"

#define WORD_PTR_MASK UINT64_C(0x0000ffffffffffff)

/* The 16 bits in front: see store/keyspace/entry.h for the keyspace's use of them. WORD_EXPIRE alone means the same to
 * every table: 8 bytes stand between the lead and the key. */
#define WORD_EXPIRE (UINT64_C(1) << 55)

/* Four of them, a number that the owner gives its words, and that table_scan chooses by. */
#define WORD_KIND_SHIFT 48
#define WORD_ALL_KINDS  0xffffu

static inline unsigned word_kind(uint64_t w)
{
	return (unsigned)(w >> WORD_KIND_SHIFT) & 15;
}

static inline void *word_ptr(uint64_t w)
{
	return (void *)(uintptr_t)(w & WORD_PTR_MASK);
}

static inline uint64_t word_make(const void *p, uint64_t bits)
{
	return (uint64_t)(uintptr_t)p | bits;
}

/* A key's length before the key: one byte below 254; 254 and two bytes; 255 and four bytes, little endian. */
static inline size_t varkey_size(size_t n)
{
	return n < 254 ? 1 : n <= 0xffff ? 3 : 5;
}

/* Write length and bytes of @key at @at, return the byte after. */
static inline unsigned char *varkey_put(unsigned char *at, struct bytes key)
{
	if (key.n < 254) {
		*at++ = (unsigned char)key.n;
	} else if (key.n <= 0xffff) {
		uint16_t n = (uint16_t)key.n;
		*at++ = 254;
		memcpy(at, &n, 2);
		at += 2;
	} else {
		uint32_t n = (uint32_t)key.n;
		*at++ = 255;
		memcpy(at, &n, 4);
		at += 4;
	}
	if (key.n)
		memcpy(at, key.p, key.n);
	return at + key.n;
}

static inline struct bytes varkey_get(const unsigned char *at)
{
	if (at[0] < 254)
		return bytes_of(at + 1, at[0]);
	if (at[0] == 254) {
		uint16_t n;
		memcpy(&n, at + 1, 2);
		return bytes_of(at + 3, n);
	}
	uint32_t n;
	memcpy(&n, at + 1, 4);
	return bytes_of(at + 5, n);
}

struct table_buckets; /* one array of buckets, in table.c */

/* Embed by value; the fields are table.c's own. */
struct table {
	void *buckets[2];     /* [1] is the new array while rehashing */
	uint8_t bits[2];      /* log2 of the bucket count; 0 buckets when the pointer is NULL */
	uint8_t lead;         /* bytes in front of an entry's key */
	uint8_t paused;       /* >0: no rehash steps (an iterator is open) */
	uint32_t children[2]; /* overflow buckets */
	uint64_t used[2];     /* words in each array */
	int64_t rehash_at;    /* the next bucket of [0] to move, -1 when not rehashing */
	void *coming; /* a large array of bits[1] whose pages are being made present, or NULL */
};

void table_init(struct table *t, unsigned lead);

/* Free the bucket arrays, not the entries. */
void table_fini(struct table *t);

static inline uint64_t table_count(const struct table *t)
{
	return t->used[0] + t->used[1];
}

/* The key of the entry that @w points to, in a table of this lead. */
static inline struct bytes word_key(uint64_t w, unsigned lead)
{
	return varkey_get((const unsigned char *)word_ptr(w) + lead + ((w & WORD_EXPIRE) ? 8 : 0));
}

/* The slot that holds @key, or NULL. @hash is keyhash(@key). */
uint64_t *table_find(struct table *t, struct bytes key, uint64_t hash);

/* Add @word, whose key must be absent. Does a step of a running rehash, and starts one when full.
 * Returns its slot. Ends the process when there is no memory for a bucket. */
uint64_t *table_insert(struct table *t, uint64_t word, uint64_t hash);

/* Remove the word at @slot (of this table, just found under @hash) and return it. May start a shrink. */
uint64_t table_take(struct table *t, uint64_t *slot, uint64_t hash);

/* Bring the cache lines that table_find will touch nearer: first the bucket, later the entries whose tag fits. */
void table_prefetch_bucket(const struct table *t, uint64_t hash);
void table_prefetch_entry(const struct table *t, uint64_t hash);

/* Room for @n words without a rehash, as far as memory allows; a hint (loading, DEBUG POPULATE). */
/* For tests: tables are not resized, but when they get far too full. The whole process, true at start. */
void table_resizing(bool on);

void table_reserve(struct table *t, uint64_t n);

/* Move up to @n buckets of a running rehash; true while there is more to do. */
bool table_step(struct table *t, unsigned n);
bool table_rehashing(const struct table *t);

/* One step of SCAN: call @fn with each word of the bucket(s) that @cursor names whose kind is in @kinds (1 << word_kind), answer the
 * next cursor, 0 at the end. Every word that is in the table from the first call to the last is told of exactly once, whatever
 * resizes come between, and no key is ever told of twice. @fn may change the words' owners but not this table. Entries of other kinds
 * are not touched. */
uint64_t table_scan(struct table *t, uint64_t cursor, unsigned kinds,
		    void (*fn)(void *arg, uint64_t *slot), void *arg);

/* Scans go through the table in the order of table_position(hash). What a scan has told of when it answers @cursor is what stands below
 * table_position(@cursor), and the cursor that goes on from a position is table_cursor_at() of it. */
uint64_t table_position(uint64_t hash);
uint64_t table_cursor_at(uint64_t position);

/* A word chosen about uniformly; 0 from an empty table. */
uint64_t table_random(struct table *t, struct rng *rng);

/* Up to @n words from around a random place: cheap, not uniform, may repeat. Returns how many were written. */
unsigned table_sample(struct table *t, struct rng *rng, uint64_t *words, unsigned n);

/* Walk everything. Between begin and end the table does not rehash by itself; taking the slot just returned is allowed,
 * inserting is not. */
struct table_iter {
	struct table *t;
	uint64_t bucket;
	void *at;
	uint8_t array, slot;
};

void table_iter_begin(struct table_iter *it, struct table *t);
/* The next slot, or NULL at the end. */
uint64_t *table_iter_next(struct table_iter *it);
void table_iter_end(struct table_iter *it);

/* Bytes of the bucket arrays; buckets (with children) and the longest chain, for DEBUG HTSTATS and MEMORY. */
size_t table_mem(const struct table *t);
struct table_stats {
	uint64_t buckets[2], children[2], used[2], longest_chain[2];
};
void table_stats(struct table *t, struct table_stats *out);

/* Abort with a message when an invariant does not hold; tests call it. */
void table_check(struct table *t);

#endif
