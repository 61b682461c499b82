/* store/base/keyhash.h - the seeded hash of every table whose keys clients choose.
 *
 * SipHash-1-3 (Aumasson and Bernstein, https://www.aumasson.jp/siphash/), keyed with 128 random bits
 * drawn once when the process starts, so that nobody can choose keys that collide.
 */
#ifndef STORE_BASE_KEYHASH_H
#define STORE_BASE_KEYHASH_H

#include <stdint.h>

#include "store/base/bytes.h"

/* Set the seed, before any table exists. Tests pass a fixed one. */
void keyhash_seed(const uint8_t seed[16]);

/* Draw the seed from the kernel (getrandom). */
void keyhash_seed_random(void);

uint64_t keyhash(struct bytes key);

/* The same with ASCII letters folded, for registries of names. */
uint64_t keyhash_nocase(struct bytes key);

#endif
