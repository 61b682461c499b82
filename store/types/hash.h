/* store/types/hash.h - fields bound to values: a listpack of pairs, or a table with field and value in one allocation.
 *
 * A container: it knows no key, no expiry of the key, no client. Passed in is copied; handed out is borrowed until the next
 * change (integers are formatted into the caller's buffer of NUM_BUF bytes). Later a field may have an expiry of its own:
 * the table's WORD_EXPIRE is kept free for it.
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

/* A pair about uniformly at random; @fbuf, @vbuf of NUM_BUF bytes; @value may be NULL. False when empty. */
bool hash_random(struct hash *h, struct rng *rng, char *fbuf, struct bytes *field, char *vbuf,
		 struct bytes *value);

/* Tell @fn @n different pairs (all, when there are no more), chosen uniformly. No change of the hash in between. */
void hash_sample(struct hash *h, struct rng *rng, size_t n,
		 void (*fn)(void *arg, struct bytes field, struct bytes value), void *arg);

uint64_t hash_scan(struct hash *h, uint64_t cursor,
		   void (*fn)(void *arg, struct bytes field, struct bytes value), void *arg);

struct hash_iter {
	struct hash *h;
	struct table_iter t;
	unsigned char *at;
	char fbuf[NUM_BUF], vbuf[NUM_BUF];
};
void hash_iter_begin(struct hash_iter *it, struct hash *h);
bool hash_iter_next(struct hash_iter *it, struct bytes *field, struct bytes *value);
void hash_iter_end(struct hash_iter *it);

/* For snapshots: the listpack of a small one, borrowed, else NULL; and one around a valid listpack of pairs whose fields all
 * differ, which is adopted. */
const unsigned char *hash_listpack(const struct hash *h);
struct hash *hash_adopt(unsigned char *lp, const struct type_limits *lim);

/* "listpack" or "hashtable" */
const char *hash_encoding(const struct hash *h);
size_t hash_mem(struct hash *h, unsigned samples);
size_t hash_effort(const struct hash *h);
struct table *hash_table(struct hash *h);
void hash_check(struct hash *h, const struct type_limits *lim);

#endif
