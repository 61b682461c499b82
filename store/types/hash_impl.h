/* store/types/hash_impl.h - inside the hash: what hash.c and hash_times.c share; nobody else includes it.
 *
 * A plain hash is a listpack of pairs, or a table of pairs: field and value as varkey_put writes them, lead 0. Once a field got
 * an expiry the hash has a struct hash_times, and its forms become
 *
 *   listpack of triplets: field, value, expiry (0 for none), the earliest first, those without at the end, as Redis
 *                         keeps and stores them
 *   table of pairs        as before, but a pair with an expiry has WORD_EXPIRE and 8 bytes in front: the expiry, as a double,
 *                         which makes it a member of a ranktree. Of those two, a field with an expiry costs 18 bytes more.
 *
 * It stays so when the last expiry is dropped, until it is copied or loaded: OBJECT ENCODING says what Redis would.
 */
#ifndef STORE_TYPES_HASH_IMPL_H
#define STORE_TYPES_HASH_IMPL_H

#include "store/base/mem.h"
#include "store/types/hash.h"
#include "store/types/listpack.h"
#include "store/types/ranktree.h"

#define HASH_LISTPACK_BYTES_MAX ((size_t)1 << 30)

/* Small hashes are many, so their head is two words; a table is an allocation of its own, and so are the times. */
struct hash {
	uint64_t head; /* struct hash_times *, or no pointer; HASH_IS_TABLE */
	union {
		unsigned char *lp;
		struct table *t;
	};
};

#define HASH_IS_TABLE (UINT64_C(1) << 63)

struct hash_times {
	struct ranktree order; /* of a table: its pairs with an expiry */
	size_t place;          /* the owner's */
};

static inline bool hash_is_table(const struct hash *h)
{
	return h->head & HASH_IS_TABLE;
}

static inline struct hash_times *hash_times(const struct hash *h)
{
	return word_ptr(h->head);
}

/* --- pairs of a table --- */

/* All bytes of a pair; @lead is 8 for one with an expiry, else 0. */
static inline size_t pair_size(size_t lead, struct bytes field, struct bytes value)
{
	return lead + varkey_size(field.n) + field.n + varkey_size(value.n) + value.n;
}

static inline struct bytes pair_value(uint64_t w)
{
	struct bytes field = word_key(w, 0);
	return varkey_get((const unsigned char *)field.p + field.n);
}

static inline size_t pair_lead(uint64_t w)
{
	return w & WORD_EXPIRE ? 8 : 0;
}

/* -1 for none */
static inline int64_t pair_expiry(uint64_t w)
{
	return w & WORD_EXPIRE ? (int64_t)ranktree_score(word_ptr(w)) : -1;
}

/* The whole size class is asked for, so that pair_replace may use it. */
static inline uint64_t pair_new(struct bytes field, struct bytes value, int64_t expire_at)
{
	size_t lead = expire_at >= 0 ? 8 : 0;
	unsigned char *p = mem_alloc(mem_class(pair_size(lead, field, value)));
	double score = (double)expire_at;

	if (lead)
		memcpy(p, &score, sizeof(score));
	varkey_put(varkey_put(p + lead, field), value);
	return word_make(p, lead ? WORD_EXPIRE : 0);
}

static inline void pair_free(uint64_t w)
{
	mem_free_sized(word_ptr(w), pair_size(pair_lead(w), word_key(w, 0), pair_value(w)));
}

/* --- hash.c --- */

struct table *hash_table_make(size_t expected);
/* From a listpack of either form. */
void hash_to_table(struct hash *h, size_t expected);

/* --- hash_times.c: a hash that has them --- */

/* Numbers of listpack elements that a field takes. */
static inline unsigned hash_stride(const struct hash *h)
{
	return hash_times(h) ? 3 : 2;
}

struct hash_times *hash_times_new(void);
void hash_times_free(struct hash_times *times);
bool hash_times_set(struct hash *h, struct bytes field, struct bytes value, bool keep,
		    const struct type_limits *lim);
bool hash_times_remove(struct hash *h, struct bytes field);
/* Add a pair, whose field is absent, to the table. */
void hash_times_insert(struct hash *h, struct bytes field, struct bytes value, int64_t expire_at);
bool hash_times_next(struct hash_iter *it, struct bytes *field, struct bytes *value);
void hash_times_check(struct hash *h);

#endif
