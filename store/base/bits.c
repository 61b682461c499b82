#include "store/base/bits.h"

#include <endian.h>
#include <string.h>

static uint64_t load(const unsigned char *p)
{
	uint64_t w;
	memcpy(&w, p, sizeof(w));
	return w;
}

/* --- counting --- */

/* One body, compiled twice: the second time with the processor's own instruction. Four sums, since one alone waits for
 * itself. */
static inline __attribute__((always_inline)) uint64_t count_words(const unsigned char *p, size_t n)
{
	uint64_t a = 0, b = 0, c = 0, d = 0;
	for (; n >= 32; n -= 32, p += 32) {
		a += (unsigned)__builtin_popcountll(load(p));
		b += (unsigned)__builtin_popcountll(load(p + 8));
		c += (unsigned)__builtin_popcountll(load(p + 16));
		d += (unsigned)__builtin_popcountll(load(p + 24));
	}
	for (; n >= 8; n -= 8, p += 8)
		a += (unsigned)__builtin_popcountll(load(p));
	for (; n; n--, p++)
		a += (unsigned)__builtin_popcount(*p);
	return a + b + c + d;
}

#ifdef __x86_64__
__attribute__((target("popcnt"))) static uint64_t count_fast(const unsigned char *p, size_t n)
{
	return count_words(p, n);
}
#endif

uint64_t bits_count(const void *p, size_t n)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("popcnt"))
		return count_fast(p, n);
#endif
	return count_words(p, n);
}

/* The bits of a byte from @from (0-7) on, and those before @to (1-8). */
static unsigned from_bit(unsigned from)
{
	return 0xffu >> from;
}

static unsigned before_bit(unsigned to)
{
	return 0xff00u >> to & 0xff;
}

uint64_t bits_count_range(const void *p, uint64_t from, uint64_t to)
{
	const unsigned char *b = p;
	if (from >= to)
		return 0;
	uint64_t first = from / 8, last = (to - 1) / 8;
	unsigned head = from_bit(from % 8), tail = before_bit((unsigned)((to - 1) % 8) + 1);
	if (first == last)
		return (unsigned)__builtin_popcount(b[first] & head & tail);
	return (unsigned)__builtin_popcount(b[first] & head) +
	       bits_count(b + first + 1, last - first - 1) +
	       (unsigned)__builtin_popcount(b[last] & tail);
}

/* --- finding --- */

/* The place of the highest bit of a byte that is not 0. */
static unsigned highest(unsigned byte)
{
	return (unsigned)__builtin_clz(byte) - 24;
}

uint64_t bits_find(const void *p, uint64_t from, uint64_t to, bool bit)
{
	const unsigned char *b = p;
	if (from >= to)
		return to;
	unsigned flip = bit ? 0 : 0xff;
	uint64_t skip = bit ? 0 : UINT64_MAX;
	uint64_t at = from / 8, end = (to + 7) / 8;
	unsigned byte = (b[at] ^ flip) & from_bit(from % 8);
	if (!byte) {
		at++;
		while (end - at >= 8 && load(b + at) == skip)
			at += 8;
		while (at < end && !(b[at] ^ flip))
			at++;
		if (at == end)
			return to;
		byte = b[at] ^ flip;
	}
	uint64_t found = at * 8 + highest(byte & 0xff);
	return found < to ? found : to;
}

/* --- whole strings --- */

void bits_combine(enum bits_op op, void *dst, const void *src, size_t n)
{
	unsigned char *restrict d = dst;
	const unsigned char *restrict s = src;
	switch (op) {
	case BITS_AND:
		for (size_t i = 0; i < n; i++)
			d[i] &= s[i];
		return;
	case BITS_OR:
		for (size_t i = 0; i < n; i++)
			d[i] |= s[i];
		return;
	case BITS_XOR:
		for (size_t i = 0; i < n; i++)
			d[i] ^= s[i];
		return;
	}
}

void bits_complement(void *dst, const void *src, size_t n)
{
	unsigned char *restrict d = dst;
	const unsigned char *restrict s = src;
	for (size_t i = 0; i < n; i++)
		d[i] = (unsigned char)~s[i];
}

/* --- fields --- */

uint64_t bits_field(const void *p, size_t n, uint64_t at, unsigned bits)
{
	/* A field of 64 bits lies in nine bytes at most. */
	unsigned char window[9] = {0};
	uint64_t byte = at / 8;
	if (byte < n) {
		size_t there = n - byte;
		memcpy(window, (const unsigned char *)p + byte, there < 9 ? there : 9);
	}
	unsigned skip = at % 8;
	uint64_t v = be64toh(load(window)) << skip;
	if (skip)
		v |= (uint64_t)window[8] >> (8 - skip);
	return v >> (64 - bits);
}

void bits_field_put(void *p, uint64_t at, unsigned bits, uint64_t v)
{
	unsigned char *b = (unsigned char *)p + at / 8;
	unsigned spanned = ((unsigned)(at % 8) + bits + 7) / 8;
	unsigned below = spanned * 8 - (unsigned)(at % 8) - bits;
	unsigned __int128 mask = (((unsigned __int128)1 << bits) - 1) << below, window = 0;
	for (unsigned i = 0; i < spanned; i++)
		window = window << 8 | b[i];
	window = (window & ~mask) | ((unsigned __int128)v << below & mask);
	for (unsigned i = spanned; i-- > 0; window >>= 8)
		b[i] = (unsigned char)window;
}

bool bits_add_signed(int64_t v, int64_t by, unsigned bits, enum bits_overflow how, int64_t *out)
{
	__int128 sum = (__int128)v + by;
	int64_t max = (int64_t)(UINT64_MAX >> 1 >> (64 - bits)), min = -max - 1;
	*out = bits_sign((uint64_t)sum, bits);
	if (sum >= min && sum <= max)
		return false;
	if (how == BITS_SAT)
		*out = sum > max ? max : min;
	return true;
}

bool bits_add_unsigned(uint64_t v, int64_t by, unsigned bits, enum bits_overflow how, uint64_t *out)
{
	__int128 sum = (__int128)v + by;
	uint64_t max = UINT64_MAX >> (64 - bits);
	*out = (uint64_t)sum & max;
	if (sum >= 0 && sum <= (__int128)max)
		return false;
	if (how == BITS_SAT)
		*out = sum > (__int128)max ? max : 0;
	return true;
}
