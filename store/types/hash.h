/* store/types/hash.h - fields bound to values: a listpack of pairs, or a table with field and value in one allocation.
 *
 * A container: it knows no key, no expiry of the key, no client. Passed in is copied; handed out is borrowed until the next
 * change (integers are formatted into the caller's buffer of NUM_BUF bytes).
 *
 * A field may have an expiry, which the hash keeps and orders but does not obey: fields past their time are there until somebody
 * removes them. Who is not to see them passes the time it is; HASH_ANY_TIME shows all. A hash that never had such a field pays
 * nothing for it.
 */
#ifndef STORE_TYPES_HASH_H
#define STORE_TYPES_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/bytes.h"
#include "store/base/num.h"
#include "store/base/rng.h"
#include "store/types/limits.h"
#include "store/types/table.h"

struct hash;

struct hash *hash_new(void);
void hash_free(struct hash *h);
struct hash *hash_dup(struct hash *h);

size_t hash_count(const struct hash *h);
/* Convert now if @fields more pairs or the longest of these strings will not fit a listpack: once before a run of hash_set. */
void hash_prepare(struct hash *h, size_t fields, size_t longest, const struct type_limits *lim);
/* True when the field is new. */
bool hash_set(struct hash *h, struct bytes field, struct bytes value,
	      const struct type_limits *lim);
bool hash_get(struct hash *h, struct bytes field, char *buf, struct bytes *value);
bool hash_has(struct hash *h, struct bytes field);
bool hash_remove(struct hash *h, struct bytes field);

/* A pair about uniformly at random; @fbuf, @vbuf of NUM_BUF bytes; @value may be NULL. False when there is none. */
bool hash_random(struct hash *h, int64_t now, struct rng *rng, char *fbuf, struct bytes *field,
		 char *vbuf, struct bytes *value);

/* Tell @fn @n different pairs (all, when there are no more), chosen uniformly. No change of the hash in between. */
void hash_sample(struct hash *h, int64_t now, struct rng *rng, size_t n,
		 void (*fn)(void *arg, struct bytes field, struct bytes value), void *arg);

uint64_t hash_scan(struct hash *h, uint64_t cursor, int64_t now,
		   void (*fn)(void *arg, struct bytes field, struct bytes value), void *arg);

struct hash_iter {
	struct hash *h;
	struct table_iter t;
	unsigned char *at;
	int64_t now;
	int64_t expiry; /* of the pair just handed out, -1 for none */
	char fbuf[NUM_BUF], vbuf[NUM_BUF];
};
/* All pairs, or those that are not past at @now. */
void hash_iter_begin(struct hash_iter *it, struct hash *h);
void hash_iter_begin_live(struct hash_iter *it, struct hash *h, int64_t now);
bool hash_iter_next(struct hash_iter *it, struct bytes *field, struct bytes *value);
void hash_iter_end(struct hash_iter *it);

/* --- fields with an expiry: store/types/hash_times.c --- */

#define HASH_ANY_TIME INT64_MIN
/* The latest expiry, in milliseconds since the epoch; the earliest is 1. It is Redis's. */
#define HASH_EXPIRY_MAX ((INT64_C(1) << 46) - 1)

/* The field's expiry, -1 when it has none, -2 when there is no such field. */
int64_t hash_expiry(struct hash *h, struct bytes field);
/* Set the expiry (1 to HASH_EXPIRY_MAX) of a field that is there, or drop it with -1. */
void hash_expire(struct hash *h, struct bytes field, int64_t at);
/* hash_set, but the expiry that the field has stays. (hash_set drops it.) */
bool hash_set_keep(struct hash *h, struct bytes field, struct bytes value,
		   const struct type_limits *lim);

/* The earliest expiry of a field, -1 when none has one. O(1) */
int64_t hash_next_expiry(const struct hash *h);
/* How many fields have an expiry; how many are past theirs: one before @now. O(log n) */
size_t hash_volatile(const struct hash *h);
size_t hash_stale(const struct hash *h, int64_t now);
/* Tell @fn of the fields with an expiry, the earliest first, until it answers false. No change of the hash in between. */
void hash_by_expiry(struct hash *h, bool (*fn)(void *arg, struct bytes field, int64_t expiry),
		    void *arg);

/* Remove the fields that are past their time. How many those were. */
size_t hash_remove_stale(struct hash *h, int64_t now);

/* A number that the owner of a hash with hash_has_times keeps there; 0 at first and in a copy. */
bool hash_has_times(const struct hash *h);
size_t hash_place(const struct hash *h);
void hash_set_place(struct hash *h, size_t place);

/* --- */

/* For snapshots: the listpack of a small one, borrowed, else NULL: of pairs, or (_times) of triplets, the expiry third, 0 for
 * none, in that order but those without at the end. And one around such a valid listpack whose fields all differ, adopted. */
const unsigned char *hash_listpack(const struct hash *h);
const unsigned char *hash_listpack_times(const struct hash *h);
struct hash *hash_adopt(unsigned char *lp, bool times, const struct type_limits *lim);

/* "listpack", "listpackex" or "hashtable" */
const char *hash_encoding(const struct hash *h);
size_t hash_mem(struct hash *h, unsigned samples);
size_t hash_effort(const struct hash *h);
struct table *hash_table(struct hash *h);
void hash_check(struct hash *h, const struct type_limits *lim);

#endif
