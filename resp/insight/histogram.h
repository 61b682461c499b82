/* resp/insight/histogram.h - how often values of each size came: exact for small ones, within 0.8 % for large ones.
 *
 * Log-linear: each power of two is divided into 128 equal buckets. What is counted (ticks, nanoseconds) is the
 * caller's matter. Recording costs a few instructions and no memory; a histogram is 31 KB.
 */
#ifndef RESP_HISTOGRAM_H
#define RESP_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB_BITS 7
#define HISTOGRAM_MAX_BITS 37 /* larger values count as the largest */
#define HISTOGRAM_BUCKETS  ((HISTOGRAM_MAX_BITS - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
	uint64_t total;
	uint64_t counts[HISTOGRAM_BUCKETS];
};

/* Zeroed; freed by mem_free. */
struct histogram *histogram_new(void);

static inline unsigned histogram_bucket(uint64_t v)
{
	if (v >> HISTOGRAM_MAX_BITS)
		v = (UINT64_C(1) << HISTOGRAM_MAX_BITS) - 1;
	/* The bits below the leading one and the seven behind it do not matter. */
	unsigned shift = v >> (HISTOGRAM_SUB_BITS + 1)
				 ? 63 - HISTOGRAM_SUB_BITS - (unsigned)__builtin_clzll(v)
				 : 0;
	return (shift << HISTOGRAM_SUB_BITS) + (unsigned)(v >> shift);
}

static inline void histogram_record(struct histogram *h, uint64_t v)
{
	h->total++;
	h->counts[histogram_bucket(v)]++;
}

/* The smallest and the largest value that fall into a bucket. */
uint64_t histogram_lowest(unsigned bucket);
uint64_t histogram_highest(unsigned bucket);

/* Add to @to what @from has, each value multiplied by @factor, and fitted into @min to @max. */
void histogram_add_scaled(struct histogram *to, const struct histogram *from, double factor,
			  uint64_t min, uint64_t max);

/* The value that @percentile (0 to 100) of all do not exceed: the largest of its bucket; 0 when empty. */
uint64_t histogram_percentile(const struct histogram *h, double percentile);

/* How many values are no larger than the largest of @v's bucket. */
uint64_t histogram_up_to(const struct histogram *h, uint64_t v);

#endif
