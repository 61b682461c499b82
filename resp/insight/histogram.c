#include "resp/insight/histogram.h"

#include "store/base/mem.h"

struct histogram *histogram_new(void)
{
	return mem_calloc(sizeof(struct histogram));
}

uint64_t histogram_lowest(unsigned bucket)
{
	if (bucket < 2u << HISTOGRAM_SUB_BITS)
		return bucket;
	unsigned shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;
	return ((uint64_t)bucket - ((uint64_t)shift << HISTOGRAM_SUB_BITS)) << shift;
}

uint64_t histogram_highest(unsigned bucket)
{
	return histogram_lowest(bucket + 1) - 1;
}

void histogram_add_scaled(struct histogram *to, const struct histogram *from, double factor,
			  uint64_t min, uint64_t max)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (!from->counts[i])
			continue;
		double middle = (double)(histogram_lowest(i) / 2 + histogram_highest(i) / 2);
		double scaled = middle * factor;
		uint64_t v = scaled < (double)max ? (uint64_t)scaled : max;
		to->counts[histogram_bucket(v < min ? min : v)] += from->counts[i];
		to->total += from->counts[i];
	}
}

uint64_t histogram_percentile(const struct histogram *h, double percentile)
{
	double share = percentile < 100 ? percentile / 100 : 1;
	uint64_t rank = (uint64_t)(share * (double)h->total + 0.5), seen = 0;
	if (rank == 0)
		rank = 1;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->counts[i];
		if (seen >= rank)
			return histogram_highest(i);
	}
	return 0;
}

uint64_t histogram_up_to(const struct histogram *h, uint64_t v)
{
	uint64_t n = 0;
	for (unsigned i = 0; i <= histogram_bucket(v); i++)
		n += h->counts[i];
	return n;
}
