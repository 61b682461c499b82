/* store/types/table_walk.c - scanning, iterating, sampling and checking a table: see table.h. */
#include <stdio.h>
#include <stdlib.h>

#include "store/base/keyhash.h"
#include "store/types/table.h"
#include "store/types/table_bucket.h"

/* --- scan ---
 *
 * The cursor counts in reversed bit order, from the top bit of the mask down (Redis's dictScan explains why: see
 * https://github.com/redis/redis/pull/579). What lies behind the cursor is then the same set of hashes in an array of
 * any size. While rehashing, the bucket of the smaller array and all buckets of the larger one into which it
 * divides are visited in one step. */

static uint64_t reverse_bits(uint64_t v)
{
	v = (v >> 1 & UINT64_C(0x5555555555555555)) | (v & UINT64_C(0x5555555555555555)) << 1;
	v = (v >> 2 & UINT64_C(0x3333333333333333)) | (v & UINT64_C(0x3333333333333333)) << 2;
	v = (v >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f)) | (v & UINT64_C(0x0f0f0f0f0f0f0f0f)) << 4;
	return __builtin_bswap64(v);
}

/* The cursor @steps buckets after @v in an array of this mask; more than one only where no wrap matters. */
static uint64_t cursor_next(uint64_t v, unsigned bits, uint64_t steps)
{
	if (bits == 0)
		return 0;
	uint64_t mask = (UINT64_C(1) << bits) - 1;
	return reverse_bits(reverse_bits(v & mask) + (steps << (64 - bits)));
}

/* Tell @fn of the bucket of @array that @v names. After a shrink that bucket begins before the cursor: what stands there in
 * front of it was told of by an earlier step, since an element's place in this order is its hash alone. */
static void emit(struct table *t, int array, uint64_t v, unsigned kinds,
		 void (*fn)(void *arg, uint64_t *slot), void *arg)
{
	uint64_t i = v & table_mask(t, array), from = v == i ? 0 : reverse_bits(v);
	if (i < table_first(t, array))
		return;
	for (struct bucket *b = table_array(t, array) + i; b; b = bucket_child(b))
		for (unsigned taken = bucket_taken(b); taken; taken &= taken - 1) {
			uint64_t *slot = &b->words[__builtin_ctz(taken)];
			if (!(kinds >> word_kind(*slot) & 1))
				continue;
			if (!from || table_position(keyhash(word_key(*slot, t->lead))) >= from)
				fn(arg, slot);
		}
}

/* Neighbours in cursor order are far apart in memory: fetch buckets some steps ahead, and then what they point to. */
#define SCAN_AHEAD         16
#define SCAN_AHEAD_ENTRIES 8

/* Always inline: taken for a function without effect, the call would be left out. */
static inline __attribute__((always_inline)) void prefetch_ahead(const struct table *t, uint64_t v,
								 unsigned kinds)
{
	unsigned bits = t->bits[0];
	const struct bucket *array = table_array(t, 0);
	__builtin_prefetch(array + (cursor_next(v, bits, SCAN_AHEAD) & table_mask(t, 0)));
	const struct bucket *b =
		array + (cursor_next(v, bits, SCAN_AHEAD_ENTRIES) & table_mask(t, 0));
	for (unsigned taken = bucket_taken(b); taken; taken &= taken - 1) {
		uint64_t w = b->words[__builtin_ctz(taken)];
		if (kinds >> word_kind(w) & 1)
			__builtin_prefetch(word_ptr(w));
	}
}

uint64_t table_position(uint64_t hash)
{
	return reverse_bits(hash);
}

uint64_t table_cursor_at(uint64_t position)
{
	return reverse_bits(position);
}

uint64_t table_scan(struct table *t, uint64_t v, unsigned kinds,
		    void (*fn)(void *arg, uint64_t *slot), void *arg)
{
	if (table_count(t) == 0)
		return 0;
	if (t->rehash_at < 0) {
		prefetch_ahead(t, v, kinds);
		emit(t, 0, v, kinds, fn, arg);
		return cursor_next(v, t->bits[0], 1);
	}
	int small = t->bits[1] < t->bits[0], large = !small;
	emit(t, small, v, kinds, fn, arg);
	do {
		emit(t, large, v, kinds, fn, arg);
		v = cursor_next(v, t->bits[large], 1);
	} while (v & (table_mask(t, small) ^ table_mask(t, large)));
	return v;
}

/* --- sampling --- */

/* The buckets that can hold words, numbered through: those of the old array that were not moved, then those of the new
 * one that were filled. */
struct live {
	uint64_t old_first, old_count, new_first_count, new_spread;
};

static struct live live_buckets(const struct table *t)
{
	struct live l = {.old_first = table_first(t, 0)};
	l.old_count = table_size(t, 0) - l.old_first;
	if (t->rehash_at > 0) {
		/* Old bucket i fills i, i + size, i + 2 size, ... of a larger array, i modulo its size of a smaller one. */
		uint64_t at = (uint64_t)t->rehash_at, size = table_size(t, 1);
		l.new_first_count = at < size ? at : size;
		l.new_spread = t->bits[1] > t->bits[0] ? size >> t->bits[0] : 1;
	}
	return l;
}

static struct bucket *live_at(const struct table *t, const struct live *l, uint64_t n)
{
	if (n < l->old_count)
		return table_array(t, 0) + l->old_first + n;
	n -= l->old_count;
	return table_array(t, 1) + n % l->new_first_count + (n / l->new_first_count << t->bits[0]);
}

static unsigned chain_count(const struct bucket *b)
{
	unsigned n = 0;
	for (; b; b = bucket_child(b))
		n += (unsigned)__builtin_popcount(bucket_taken(b));
	return n;
}

static uint64_t chain_at(const struct bucket *b, unsigned n)
{
	for (;; b = bucket_child(b))
		for (unsigned taken = bucket_taken(b); taken; taken &= taken - 1)
			if (n-- == 0)
				return b->words[__builtin_ctz(taken)];
}

/* A random bucket is kept with a probability in proportion to its words, so that each word has the same chance.
 * Hardly any chain has more words than this; those of longer ones come up a little less often. */
#define RANDOM_CHAIN 14
#define RANDOM_TRIES 2000

uint64_t table_random(struct table *t, struct rng *rng)
{
	if (table_count(t) == 0)
		return 0;
	struct live l = live_buckets(t);
	uint64_t size = l.old_count + l.new_first_count * l.new_spread;
	for (int tries = 0; tries < RANDOM_TRIES; tries++) {
		struct bucket *b = live_at(t, &l, rng_below(rng, size));
		unsigned n = chain_count(b);
		if (n == 0)
			continue;
		unsigned r = (unsigned)rng_below(rng, n > RANDOM_CHAIN ? n : RANDOM_CHAIN);
		if (r < n)
			return chain_at(b, r);
	}
	/* Nearly empty, with its shrink held up: whatever comes next. */
	uint64_t word = 0;
	table_sample(t, rng, &word, 1);
	return word;
}

unsigned table_sample(struct table *t, struct rng *rng, uint64_t *words, unsigned n)
{
	unsigned got = 0;
	if (table_count(t) == 0 || n == 0)
		return 0;
	struct live l = live_buckets(t);
	uint64_t size = l.old_count + l.new_first_count * l.new_spread;
	uint64_t at = rng_below(rng, size);
	for (uint64_t i = 0; i < size && got < n; i++) {
		if (++at >= size)
			at = 0;
		for (struct bucket *b = live_at(t, &l, at); b; b = bucket_child(b))
			for (unsigned taken = bucket_taken(b); taken && got < n; taken &= taken - 1)
				words[got++] = b->words[__builtin_ctz(taken)];
	}
	return got;
}

/* --- iteration --- */

void table_iter_begin(struct table_iter *it, struct table *t)
{
	*it = (struct table_iter){.t = t, .bucket = table_first(t, 0)};
	t->paused++;
}

uint64_t *table_iter_next(struct table_iter *it)
{
	struct table *t = it->t;
	for (;;) {
		struct bucket *b = it->at;
		if (!b) {
			while (it->array < 2 && it->bucket >= table_size(t, it->array)) {
				it->array++;
				it->bucket = 0;
			}
			if (it->array == 2)
				return NULL;
			b = table_array(t, it->array) + it->bucket;
			__builtin_prefetch(b + 4);
		}
		unsigned taken = bucket_taken(b) >> it->slot;
		if (taken) {
			unsigned s = it->slot + (unsigned)__builtin_ctz(taken);
			it->at = b;
			it->slot = (uint8_t)(s + 1);
			return &b->words[s];
		}
		it->slot = 0;
		it->at = bucket_child(b);
		if (!it->at)
			it->bucket++;
	}
}

void table_iter_end(struct table_iter *it)
{
	it->t->paused--;
}

/* --- figures and invariants --- */

size_t table_mem(const struct table *t)
{
	size_t n = 0;
	for (int a = 0; a < 2; a++)
		n += (table_size(t, a) - table_first(t, a) + t->children[a]) *
		     sizeof(struct bucket);
	if (t->coming)
		n += sizeof(struct bucket) << t->bits[1];
	return n;
}

void table_stats(struct table *t, struct table_stats *out)
{
	*out = (struct table_stats){{0}, {0}, {0}, {0}};
	for (int a = 0; a < 2; a++) {
		out->buckets[a] = table_size(t, a);
		out->children[a] = t->children[a];
		out->used[a] = t->used[a];
		for (uint64_t i = table_first(t, a); i < table_size(t, a); i++) {
			unsigned n = chain_count(table_array(t, a) + i);
			if (n > out->longest_chain[a])
				out->longest_chain[a] = n;
		}
	}
}

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "table: %s:%d: %s\n", __FILE__, __LINE__, #condition);     \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* Each word of the chain belongs there, under its hash's tag. Counts are added up. */
static void check_chain(struct table *t, int array, uint64_t i, uint64_t *words, uint64_t *children)
{
	uint64_t n = 0;
	for (struct bucket *b = table_array(t, array) + i; b; b = bucket_child(b)) {
		CHECK(!(b->meta & BUCKET_CHAIN) || !(b->meta & 1u << (BUCKET_SLOTS - 1)));
		for (unsigned taken = bucket_taken(b); taken; taken &= taken - 1) {
			unsigned s = (unsigned)__builtin_ctz(taken);
			uint64_t at, hash = keyhash(word_key(b->words[s], t->lead));
			CHECK(b->tags[s] == hash_tag(hash));
			CHECK(table_home(t, hash, &at) == array);
			CHECK(at == i);
			n++;
		}
		if (b->meta & BUCKET_CHAIN)
			++*children;
	}
	*words += n;
}

void table_check(struct table *t)
{
	CHECK(t->buckets[0] || (!t->buckets[1] && !table_count(t)));
	CHECK((t->rehash_at >= 0) == (t->buckets[1] != NULL));
	CHECK(t->rehash_at < (int64_t)table_size(t, 0));
	CHECK(!t->coming || t->rehash_at < 0);
	for (int a = 0; a < 2; a++) {
		uint64_t words = 0, children = 0;
		for (uint64_t i = table_first(t, a); i < table_size(t, a); i++)
			check_chain(t, a, i, &words, &children);
		CHECK(words == t->used[a]);
		CHECK(children == t->children[a]);
	}
}
