/* store/base/keyhash.c - SipHash-1-3: see keyhash.h. */
#include "store/base/keyhash.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static uint64_t seed0, seed1;

void keyhash_seed(const uint8_t seed[16])
{
	memcpy(&seed0, seed, 8);
	memcpy(&seed1, seed + 8, 8);
}

void keyhash_seed_random(void)
{
	uint8_t seed[16];
	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
		perror("inodis: getrandom");
		abort();
	}
	keyhash_seed(seed);
}

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static inline void sip_block(struct sip *s, uint64_t m)
{
	s->v3 ^= m;
	sip_round(s);
	s->v0 ^= m;
}

static inline struct sip sip_begin(void)
{
	return (struct sip){
		seed0 ^ UINT64_C(0x736f6d6570736575),
		seed1 ^ UINT64_C(0x646f72616e646f6d),
		seed0 ^ UINT64_C(0x6c7967656e657261),
		seed1 ^ UINT64_C(0x7465646279746573),
	};
}

static inline uint64_t sip_end(struct sip *s, uint64_t last)
{
	sip_block(s, last);
	s->v2 ^= 0xff;
	sip_round(s);
	sip_round(s);
	sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* The last 0 to 7 bytes, little endian, without reading past them. */
static inline uint64_t tail_bytes(const unsigned char *p, size_t n)
{
	if (n >= 4) {
		uint32_t lo, hi;
		memcpy(&lo, p, 4);
		memcpy(&hi, p + n - 4, 4);
		return lo | (uint64_t)hi << ((n - 4) * 8);
	}
	if (n == 0)
		return 0;
	return p[0] | (uint64_t)p[n / 2] << (n / 2 * 8) | (uint64_t)p[n - 1] << ((n - 1) * 8);
}

uint64_t keyhash(struct bytes key)
{
	struct sip s = sip_begin();
	const unsigned char *p = (const unsigned char *)key.p;
	size_t n = key.n;
	for (; n >= 8; p += 8, n -= 8) {
		uint64_t m;
		memcpy(&m, p, 8);
		sip_block(&s, m);
	}
	return sip_end(&s, tail_bytes(p, n) | (uint64_t)key.n << 56);
}

static inline uint64_t fold(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

uint64_t keyhash_nocase(struct bytes key)
{
	struct sip s = sip_begin();
	uint64_t m = 0;
	for (size_t i = 0; i < key.n; i++) {
		m |= fold((unsigned char)key.p[i]) << (i % 8 * 8);
		if (i % 8 == 7) {
			sip_block(&s, m);
			m = 0;
		}
	}
	return sip_end(&s, m | (uint64_t)key.n << 56);
}
