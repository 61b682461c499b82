/* store/types/table_bucket.h - a bucket from the inside; only for table.c and table_walk.c.
 *
 *     tags 7 | meta 1 | words 7 x 8
 *
 * A tag is the top byte of the key's hash, the low bits choose the bucket. Bits 0-6 of meta tell which slots are
 * taken. With bit 7 the last word points to a child, and bit 6 is 0: tag matches there never count. Between changes
 * a chain has no empty child and no hole before its last bucket, but for what was taken while an iterator was open.
 *
 * While a table rehashes, the words of one bucket of the old array are all in one place: in the new array when its
 * index is below rehash_at, else in the old one. A lookup therefore visits one chain only, and the old array below
 * rehash_at must not be touched: its pages may be gone.
 */
#ifndef STORE_TYPES_TABLE_BUCKET_H
#define STORE_TYPES_TABLE_BUCKET_H

#include <emmintrin.h>

#include "store/types/table.h"

#define BUCKET_SLOTS 7
#define BUCKET_CHAIN 0x80u
#define BUCKET_ALL   0x7fu

struct bucket {
	uint8_t tags[BUCKET_SLOTS];
	uint8_t meta;
	uint64_t words[BUCKET_SLOTS];
};

_Static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");

static inline struct bucket *bucket_child(const struct bucket *b)
{
	return b->meta & BUCKET_CHAIN ? (struct bucket *)(uintptr_t)b->words[BUCKET_SLOTS - 1]
				      : NULL;
}

/* A bit for every slot that holds a word. */
static inline unsigned bucket_taken(const struct bucket *b)
{
	return b->meta & BUCKET_ALL;
}

static inline unsigned bucket_free(const struct bucket *b)
{
	return ~(unsigned)b->meta & (b->meta & BUCKET_CHAIN ? BUCKET_ALL >> 1 : BUCKET_ALL);
}

/* A bit for every taken slot with this tag. */
static inline unsigned bucket_match(const struct bucket *b, uint8_t tag)
{
	__m128i tags = _mm_loadl_epi64((const __m128i *)(const void *)b);
	__m128i same = _mm_cmpeq_epi8(tags, _mm_set1_epi8((char)tag));
	return (unsigned)_mm_movemask_epi8(same) & bucket_taken(b);
}

static inline uint8_t hash_tag(uint64_t hash)
{
	return (uint8_t)(hash >> 56);
}

static inline struct bucket *table_array(const struct table *t, int array)
{
	return t->buckets[array];
}

static inline uint64_t table_size(const struct table *t, int array)
{
	return t->buckets[array] ? UINT64_C(1) << t->bits[array] : 0;
}

static inline uint64_t table_mask(const struct table *t, int array)
{
	return (UINT64_C(1) << t->bits[array]) - 1;
}

/* The first bucket of @array that may be touched. */
static inline uint64_t table_first(const struct table *t, int array)
{
	return array == 0 && t->rehash_at > 0 ? (uint64_t)t->rehash_at : 0;
}

/* The array and index of the bucket to which @hash belongs now. */
static inline int table_home(const struct table *t, uint64_t hash, uint64_t *index)
{
	uint64_t i = hash & table_mask(t, 0);
	int array = (int64_t)i < t->rehash_at;
	*index = array ? hash & table_mask(t, 1) : i;
	return array;
}

#endif
