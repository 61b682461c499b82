/* store/types/hll.h - HyperLogLog: how many different elements were seen, within 0.81 %, in 12 KiB at most.
 *
 * The bytes are Redis's, so that the string a key holds means the same on both servers:
 *
 *     "HYLL" | encoding 1 | unused 3 | cardinality 8, its highest bit set when it is out of date | registers
 *
 * Dense registers are 16384 fields of 6 bits, the lowest bits first. Sparse ones are runs:
 *     00nnnnnn            n+1 registers of 0
 *     01nnnnnn nnnnnnnn   the same, up to 16384
 *     1vvvvvnn            n+1 registers of v+1
 *
 * A leaf: it works on bytes that the caller owns and allocates nothing. Any bytes that hll_is() takes are safe to pass; runs that do
 * not add up are found where they are walked over and answered as corrupt.
 */
#ifndef STORE_TYPES_HLL_H
#define STORE_TYPES_HLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/bytes.h"

#define HLL_REGISTERS  16384
#define HLL_HEADER     16
#define HLL_DENSE_SIZE (HLL_HEADER + HLL_REGISTERS * 6 / 8)
/* No sparse string that describes every register once is longer. */
#define HLL_SPARSE_MAX (HLL_HEADER + HLL_REGISTERS * 2)

/* Being changed: @n bytes at @p, which has room for at least HLL_DENSE_SIZE and for @n + 3. */
struct hll {
	unsigned char *p;
	size_t n, room;
	size_t sparse_max; /* hll-sparse-max-bytes */
};

enum hll_change {
	HLL_SAME,
	HLL_CHANGED,
	HLL_CORRUPT,
};

/* Whether @s has the header of a HyperLogLog, and the length if it is dense. */
bool hll_is(struct bytes s);
static inline bool hll_is_dense(struct bytes s)
{
	return s.p[4] == 0;
}

/* Empty, sparse. */
void hll_init(struct hll *h);

/* See an element. The cached cardinality is out of date after HLL_CHANGED. After HLL_CORRUPT nothing was changed. */
enum hll_change hll_add(struct hll *h, struct bytes element);

/* Raise register @index (below HLL_REGISTERS) to @value (1-63) if it is lower. */
enum hll_change hll_raise(struct hll *h, unsigned index, unsigned value);

/* Become dense; false when the runs do not add up, and then nothing was changed. */
bool hll_densify(struct hll *h);

/* Raise each of @max, HLL_REGISTERS of them, to what @s has there. False when corrupt; some are raised then. */
bool hll_merge(unsigned char *max, struct bytes s);

/* The cardinality that the registers tell, whatever is cached. False when corrupt. */
bool hll_count(struct bytes s, uint64_t *out);
uint64_t hll_count_registers(const unsigned char *max);

/* The cached cardinality; false when it is out of date. */
bool hll_cached(struct bytes s, uint64_t *out);
void hll_cache(unsigned char *p, uint64_t cardinality);
void hll_cache_drop(unsigned char *p);

/* Walk over the runs of a sparse one: @at 0 at first. False at the end, and where the bytes end inside of a run; @value is 0 for
 * both kinds of zeros, @wide tells the long one. */
struct hll_run {
	unsigned length, value;
	bool wide;
};
bool hll_run_next(struct bytes s, size_t *at, struct hll_run *run);

/* PFSELFTEST: NULL when all is well, else what is wrong. */
const char *hll_self_test(uint64_t seed);

#endif
