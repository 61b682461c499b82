#include "store/types/hll.h"

#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "store/base/rng.h"

#define DENSE         0
#define SPARSE        1
#define INDEX_BITS    14
#define RANK_BITS     (64 - INDEX_BITS)
#define DENSE_MASK    63
#define ZERO_MAX      64
#define VALUE_RUN_MAX 4
#define VALUE_MAX     32 /* what a sparse register can hold */
#define HASH_SEED     0xadc83b19u
#define CACHE_STALE   0x80

/* --- hashing --- */

/* MurmurHash64A, reading little-endian words on any machine. */
static uint64_t murmur(struct bytes b, uint64_t seed)
{
	const uint64_t m = UINT64_C(0xc6a4a7935bd1e995);
	uint64_t h = seed ^ (b.n * m), k;
	size_t left = b.n;
	const char *p = b.p;
	for (; left >= 8; left -= 8, p += 8) {
		memcpy(&k, p, 8);
		k = le64toh(k) * m;
		k ^= k >> 47;
		h = (h ^ k * m) * m;
	}
	if (left) {
		k = 0;
		memcpy(&k, p, left);
		h = (h ^ le64toh(k)) * m;
	}
	h ^= h >> 47;
	h *= m;
	return h ^ h >> 47;
}

/* An element's register, and its rank: the place of the first 1 in the rest of the hash. */
static unsigned place(struct bytes element, unsigned *rank)
{
	uint64_t hash = murmur(element, HASH_SEED);
	uint64_t rest = hash >> INDEX_BITS | UINT64_C(1) << RANK_BITS;
	*rank = (unsigned)__builtin_ctzll(rest) + 1;
	return (unsigned)(hash & (HLL_REGISTERS - 1));
}

/* --- the header --- */

bool hll_is(struct bytes s)
{
	if (s.n < HLL_HEADER || memcmp(s.p, "HYLL", 4) != 0)
		return false;
	return s.p[4] == DENSE ? s.n == HLL_DENSE_SIZE : s.p[4] == SPARSE;
}

bool hll_cached(struct bytes s, uint64_t *out)
{
	memcpy(out, s.p + 8, 8);
	*out = le64toh(*out);
	return !((unsigned char)s.p[15] & CACHE_STALE);
}

void hll_cache(unsigned char *p, uint64_t cardinality)
{
	cardinality = htole64(cardinality);
	memcpy(p + 8, &cardinality, 8);
}

void hll_cache_drop(unsigned char *p)
{
	p[15] |= CACHE_STALE;
}

/* --- dense registers --- */

static unsigned dense_get(const unsigned char *regs, unsigned index)
{
	unsigned bit = index * 6, byte = bit / 8, shift = bit & 7;
	unsigned v = regs[byte] >> shift;
	if (shift > 2)
		v |= (unsigned)regs[byte + 1] << (8 - shift);
	return v & DENSE_MASK;
}

static void dense_put(unsigned char *regs, unsigned index, unsigned value)
{
	unsigned bit = index * 6, byte = bit / 8, shift = bit & 7;
	regs[byte] = (unsigned char)((regs[byte] & ~(DENSE_MASK << shift)) | value << shift);
	if (shift > 2) {
		unsigned over = 8 - shift;
		regs[byte + 1] =
			(unsigned char)((regs[byte + 1] & ~(DENSE_MASK >> over)) | value >> over);
	}
}

/* Four registers are three bytes. */
static uint32_t dense_four(const unsigned char *regs, unsigned index)
{
	const unsigned char *p = regs + index / 4 * 3;
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

/* --- sparse runs --- */

bool hll_run_next(struct bytes s, size_t *at, struct hll_run *run)
{
	size_t i = *at ? *at : HLL_HEADER;
	if (i >= s.n)
		return false;
	unsigned byte = (unsigned char)s.p[i++];
	*run = (struct hll_run){.length = (byte & 63) + 1};
	if (byte & 0x80) {
		run->length = (byte & 3) + 1;
		run->value = (byte >> 2 & 31) + 1;
	} else if (byte & 0x40) {
		if (i == s.n)
			return false;
		run->wide = true;
		run->length = ((byte & 63) << 8 | (unsigned char)s.p[i++]) + 1;
	}
	*at = i;
	return true;
}

static unsigned char *put_zeros(unsigned char *p, unsigned length)
{
	if (length > ZERO_MAX) {
		*p++ = (unsigned char)((length - 1) >> 8 | 0x40);
		*p++ = (unsigned char)(length - 1);
	} else if (length) {
		*p++ = (unsigned char)(length - 1);
	}
	return p;
}

static unsigned char *put_value(unsigned char *p, unsigned value, unsigned length)
{
	if (length)
		*p++ = (unsigned char)(0x80 | (value - 1) << 2 | (length - 1));
	return p;
}

static struct bytes bytes_of_hll(const struct hll *h)
{
	return bytes_of(h->p, h->n);
}

bool hll_densify(struct hll *h)
{
	unsigned char regs[HLL_DENSE_SIZE - HLL_HEADER] = {0};
	struct hll_run run;
	size_t at = 0;
	unsigned index = 0;
	if (hll_is_dense(bytes_of_hll(h)))
		return true;
	while (hll_run_next(bytes_of_hll(h), &at, &run)) {
		if (index + run.length > HLL_REGISTERS)
			return false;
		for (unsigned i = 0; run.value && i < run.length; i++)
			dense_put(regs, index + i, run.value);
		index += run.length;
	}
	if (index != HLL_REGISTERS)
		return false;
	memcpy(h->p + HLL_HEADER, regs, sizeof(regs));
	h->p[4] = DENSE;
	h->n = HLL_DENSE_SIZE;
	return true;
}

static enum hll_change dense_raise(struct hll *h, unsigned index, unsigned value)
{
	unsigned char *regs = h->p + HLL_HEADER;
	if (dense_get(regs, index) >= value)
		return HLL_SAME;
	dense_put(regs, index, value);
	hll_cache_drop(h->p);
	return HLL_CHANGED;
}

static enum hll_change raise_dense_now(struct hll *h, unsigned index, unsigned value)
{
	return hll_densify(h) ? dense_raise(h, index, value) : HLL_CORRUPT;
}

/* Runs of one value that stand side by side become one where it holds them; as Redis does it, over the five runs from @at
 * on only. */
static void merge_runs(struct hll *h, size_t at)
{
	int tries = 5;
	while (at < h->n && tries--) {
		unsigned char a = h->p[at], b = at + 1 < h->n ? h->p[at + 1] : 0;
		if (!(a & 0x80)) {
			at += a & 0x40 ? 2 : 1;
			continue;
		}
		unsigned together = (a & 3) + (b & 3) + 2;
		if (!(b & 0x80) || (a & 0x7c) != (b & 0x7c) || together > VALUE_RUN_MAX) {
			at++;
			continue;
		}
		h->p[at + 1] = (unsigned char)((a & 0xfc) | (together - 1));
		memmove(h->p + at, h->p + at + 1, h->n - at - 1);
		h->n--;
	}
}

/* Split @run, the bytes [@from, @to), around one register that is @value now, with @before registers in front of it. False when
 * that would be too long for a sparse one. */
static bool split_run(struct hll *h, size_t from, size_t to, struct hll_run run, unsigned before,
		      unsigned value)
{
	unsigned char seq[5], *end = seq;
	unsigned after = run.length - before - 1;
	end = run.value ? put_value(end, run.value, before) : put_zeros(end, before);
	end = put_value(end, value, 1);
	end = run.value ? put_value(end, run.value, after) : put_zeros(end, after);
	size_t n = (size_t)(end - seq), old = to - from;
	if (n > old && (h->n + n - old > h->sparse_max || h->n + n - old > h->room))
		return false;
	memmove(h->p + from + n, h->p + to, h->n - to);
	memcpy(h->p + from, seq, n);
	h->n += n - old;
	return true;
}

static enum hll_change sparse_raise(struct hll *h, unsigned index, unsigned value)
{
	if (value > VALUE_MAX)
		return raise_dense_now(h, index, value);
	struct hll_run run;
	size_t from = 0, to = HLL_HEADER, before_from = HLL_HEADER;
	unsigned first = 0;
	for (;; first += run.length) {
		before_from = from ? from : HLL_HEADER;
		from = to;
		if (!hll_run_next(bytes_of_hll(h), &to, &run))
			return HLL_CORRUPT;
		if (index < first + run.length)
			break;
	}
	if (run.value >= value)
		return HLL_SAME;
	if (run.length == 1 && !run.wide)
		put_value(h->p + from, value, 1);
	else if (!split_run(h, from, to, run, index - first, value))
		return raise_dense_now(h, index, value);
	merge_runs(h, before_from);
	hll_cache_drop(h->p);
	return HLL_CHANGED;
}

/* --- changes --- */

void hll_init(struct hll *h)
{
	memset(h->p, 0, HLL_HEADER);
	memcpy(h->p, "HYLL", 4);
	h->p[4] = SPARSE;
	h->n = (size_t)(put_zeros(h->p + HLL_HEADER, HLL_REGISTERS) - h->p);
}

enum hll_change hll_raise(struct hll *h, unsigned index, unsigned value)
{
	return hll_is_dense(bytes_of_hll(h)) ? dense_raise(h, index, value)
					     : sparse_raise(h, index, value);
}

enum hll_change hll_add(struct hll *h, struct bytes element)
{
	unsigned rank, index = place(element, &rank);
	return hll_raise(h, index, rank);
}

#define LANES(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Eight registers of six bits, from the lowest, as eight bytes: halves apart, then their halves, then theirs. */
static uint64_t spread_eight(uint64_t bits)
{
	bits = (bits & 0xffffff) | (bits & 0xffffff000000) << 8;
	bits = (bits & 0x00000fff00000fff) | (bits & 0x00fff00000fff000) << 4;
	return (bits & 0x003f003f003f003f) | (bits & 0x0fc00fc00fc00fc0) << 2;
}

/* The greater of each byte; all are below 128. */
static uint64_t max_eight(uint64_t a, uint64_t b)
{
	uint64_t not_less = ((a | LANES(0x80)) - b) & LANES(0x80);
	uint64_t take_a = (not_less >> 7) * 0xff;
	return (a & take_a) | (b & ~take_a);
}

static void merge_dense(unsigned char *max, const unsigned char *regs)
{
	for (unsigned i = 0; i < HLL_REGISTERS; i += 8) {
		uint64_t bits = 0, old;
		/* Behind the last six bytes there may be none. */
		memcpy(&bits, regs + i / 4 * 3, i + 8 < HLL_REGISTERS ? 8 : 6);
		memcpy(&old, max + i, 8);
		old = htole64(max_eight(le64toh(old), spread_eight(le64toh(bits))));
		memcpy(max + i, &old, 8);
	}
}

bool hll_merge(unsigned char *max, struct bytes s)
{
	if (hll_is_dense(s)) {
		merge_dense(max, (const unsigned char *)s.p + HLL_HEADER);
		return true;
	}
	struct hll_run run;
	size_t at = 0;
	unsigned index = 0;
	while (hll_run_next(s, &at, &run)) {
		if (index + run.length > HLL_REGISTERS)
			return false;
		for (unsigned i = index; run.value && i < index + run.length; i++)
			if (run.value > max[i])
				max[i] = (unsigned char)run.value;
		index += run.length;
	}
	return index == HLL_REGISTERS;
}

/* --- counting: Ertl's estimator, from how many registers have each value --- */

static double sigma(double x)
{
	if (x == 1)
		return INFINITY;
	double weight = 1, sum = x, before;
	do {
		x *= x;
		before = sum;
		sum += x * weight;
		weight += weight;
	} while (sum != before);
	return sum;
}

static double tau(double x)
{
	if (x == 0 || x == 1)
		return 0;
	double weight = 1, sum = 1 - x, before;
	do {
		x = sqrt(x);
		before = sum;
		weight *= 0.5;
		sum -= (1 - x) * (1 - x) * weight;
	} while (sum != before);
	return sum / 3;
}

static uint64_t estimate(const unsigned *histogram)
{
	static const double alpha = 0.721347520444481703680;
	const double m = HLL_REGISTERS;
	double z = m * tau((m - histogram[RANK_BITS + 1]) / m);
	for (int j = RANK_BITS; j >= 1; j--)
		z = (z + histogram[j]) * 0.5;
	z += m * sigma(histogram[0] / m);
	/* Registers that no hash can make: all beyond the highest rank. What Redis answers on this kind of machine. */
	if (z == 0)
		return UINT64_C(1) << 63;
	return (uint64_t)llround(alpha * m * m / z);
}

static void histogram_dense(unsigned *histogram, const unsigned char *regs)
{
	/* Neighbours are often equal, and a counter that has just been written is slow to read: four sets of them. */
	unsigned h[4][64] = {0};
	for (unsigned i = 0; i < HLL_REGISTERS; i += 4) {
		uint32_t four = dense_four(regs, i);
		h[0][four & 63]++;
		h[1][four >> 6 & 63]++;
		h[2][four >> 12 & 63]++;
		h[3][four >> 18]++;
	}
	for (unsigned i = 0; i < 64; i++)
		histogram[i] = h[0][i] + h[1][i] + h[2][i] + h[3][i];
}

bool hll_count(struct bytes s, uint64_t *out)
{
	unsigned histogram[64] = {0}, index = 0;
	if (hll_is_dense(s)) {
		histogram_dense(histogram, (const unsigned char *)s.p + HLL_HEADER);
	} else {
		struct hll_run run;
		for (size_t at = 0; hll_run_next(s, &at, &run); index += run.length) {
			if (index + run.length > HLL_REGISTERS)
				return false;
			histogram[run.value] += run.length;
		}
		if (index != HLL_REGISTERS)
			return false;
	}
	*out = estimate(histogram);
	return true;
}

uint64_t hll_count_registers(const unsigned char *max)
{
	/* Neighbours are often equal: counts of their own do not wait for each other. */
	unsigned h[4][256] = {{0}};
	for (unsigned i = 0; i < HLL_REGISTERS; i += 4)
		for (unsigned k = 0; k < 4; k++)
			h[k][max[i + k]]++;
	for (unsigned v = 0; v < 256; v++)
		h[0][v] += h[1][v] + h[2][v] + h[3][v];
	return estimate(h[0]);
}

/* --- PFSELFTEST --- */

/* Random registers read back, whatever their neighbours. */
static bool dense_registers_hold(struct rng *rng)
{
	static const unsigned rounds = 20;
	unsigned char regs[HLL_DENSE_SIZE - HLL_HEADER] = {0}, model[HLL_REGISTERS] = {0};
	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned i = 0; i < HLL_REGISTERS; i++) {
			model[i] = (unsigned char)rng_below(rng, 64);
			dense_put(regs, i, model[i]);
		}
		for (unsigned i = 0; i < HLL_REGISTERS; i++)
			if (dense_get(regs, i) != model[i])
				return false;
	}
	return true;
}

const char *hll_self_test(uint64_t seed)
{
	unsigned char dense[HLL_DENSE_SIZE + 3], sparse[HLL_DENSE_SIZE + 3];
	struct hll d = {dense, 0, sizeof(dense), 3000}, s = {sparse, 0, sizeof(sparse), 3000};
	struct rng rng;
	rng_seed(&rng, seed);
	if (!dense_registers_hold(&rng))
		return "ERR TESTFAILED a dense register does not read back";
	hll_init(&d);
	hll_init(&s);
	hll_densify(&d);
	for (uint64_t n = 1, check = 1, base = rng_next(&rng); n <= 1000000; n++) {
		uint64_t element = base ^ n, a = 0, b = 0;
		hll_add(&d, bytes_of(&element, sizeof(element)));
		hll_add(&s, bytes_of(&element, sizeof(element)));
		if (n != check)
			continue;
		check *= 10;
		if (!hll_count(bytes_of_hll(&d), &a) || !hll_count(bytes_of_hll(&s), &b) || a != b)
			return "ERR TESTFAILED sparse and dense registers disagree";
		double off = fabs((double)a - (double)n);
		/* Six standard errors; the small ones may miss by one collision more. */
		if (off > (double)n * 6 * 1.04 / 128 + (n == 10))
			return "ERR TESTFAILED Too big error";
	}
	return NULL;
}
