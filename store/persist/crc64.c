/* store/persist/crc64.c - eight bytes a step, by a table for each of them; 64 where the processor multiplies polynomials.
 *
 * Multiplying: Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction" (Intel, 2009). 128 bits of the message
 * stand for what they leave further on: each half times the power of x by which it is moved, modulo the polynomial.
 */
#include "store/persist/crc64.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define POLYNOMIAL UINT64_C(0x95ac9329ac4bc9b5) /* 0xad93d23594c935a9, bits reversed */

/* Filled once, from nothing but the polynomial. */
static uint64_t table[8][256];
static pthread_once_t filled = PTHREAD_ONCE_INIT;

#if defined(__x86_64__)
#include <immintrin.h>

/* Powers by which the halves of 128 bits move over 16 and over 64 bytes. */
static uint64_t near_powers[2], far_powers[2];
static bool multiplies;

/* x to the @n modulo the polynomial, its highest power in the lowest bit. */
static uint64_t power(unsigned n)
{
	uint64_t v = UINT64_C(1) << 63;

	while (n--)
		v = v >> 1 ^ (v & 1 ? POLYNOMIAL : 0);
	return v;
}

static void fill_powers(void)
{
	multiplies = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse2");
	/* A product of two reversed numbers is one place short: hence the 1. */
	near_powers[0] = power(128 + 64 - 1);
	near_powers[1] = power(128 - 1);
	far_powers[0] = power(512 + 64 - 1);
	far_powers[1] = power(512 - 1);
}

__attribute__((target("pclmul,sse2"))) static inline __m128i move_over(__m128i v, __m128i powers,
								       __m128i next)
{
	__m128i low = _mm_clmulepi64_si128(v, powers, 0x00);
	__m128i high = _mm_clmulepi64_si128(v, powers, 0x11);

	return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/* Of @n bytes, at least 64 and a multiple of 16, leave the 16 in @out that have the same checksum, begun from 0. */
__attribute__((target("pclmul,sse2"))) static void fold(uint64_t crc, const unsigned char *at,
							size_t n, unsigned char out[16])
{
	__m128i far = _mm_loadu_si128((const __m128i *)far_powers);
	__m128i near = _mm_loadu_si128((const __m128i *)near_powers);
	__m128i v[4];

	for (int i = 0; i < 4; i++)
		v[i] = _mm_loadu_si128((const __m128i *)at + i);
	v[0] = _mm_xor_si128(v[0], _mm_cvtsi64_si128((long long)crc));
	for (at += 64, n -= 64; n >= 64; at += 64, n -= 64)
		for (int i = 0; i < 4; i++)
			v[i] = move_over(v[i], far, _mm_loadu_si128((const __m128i *)at + i));
	for (int i = 1; i < 4; i++)
		v[0] = move_over(v[0], near, v[i]);
	for (; n >= 16; at += 16, n -= 16)
		v[0] = move_over(v[0], near, _mm_loadu_si128((const __m128i *)at));
	_mm_storeu_si128((__m128i *)out, v[0]);
}
#endif

static void fill(void)
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t crc = i;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		table[0][i] = crc;
	}
	for (unsigned i = 0; i < 256; i++)
		for (unsigned k = 1; k < 8; k++)
			table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 255];
#if defined(__x86_64__)
	fill_powers();
#endif
}

static uint64_t by_table(uint64_t crc, const unsigned char *at, size_t n)
{
	for (; n >= 8; at += 8, n -= 8) {
		uint64_t v;
		memcpy(&v, at, 8);
		v ^= crc;
		crc = table[7][v & 255] ^ table[6][v >> 8 & 255] ^ table[5][v >> 16 & 255] ^
		      table[4][v >> 24 & 255] ^ table[3][v >> 32 & 255] ^ table[2][v >> 40 & 255] ^
		      table[1][v >> 48 & 255] ^ table[0][v >> 56];
	}
	for (; n; at++, n--)
		crc = crc >> 8 ^ table[0][(crc ^ *at) & 255];
	return crc;
}

uint64_t crc64(uint64_t crc, const void *p, size_t n)
{
	const unsigned char *at = p;

	pthread_once(&filled, fill);
#if defined(__x86_64__)
	if (multiplies && n >= 64) {
		unsigned char left[16];
		size_t whole = n & ~(size_t)15;
		fold(crc, at, whole, left);
		crc = by_table(0, left, sizeof(left));
		at += whole;
		n -= whole;
	}
#endif
	return by_table(crc, at, n);
}
