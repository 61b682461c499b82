/* store/keyspace/rare.h - where the keys of a type stand, while it has few.
 *
 * A scan for one type passes over every bucket, which takes long where ten million keys are of other types. So the places of
 * the first RARE_MAX keys of each type are noted, in the order of scans (table_position), and a scan goes from one to the
 * next. A type with more is scanned as all are: then nothing is noted, and nothing is paid for.
 *
 * Noted are the upper 32 bits of positions, four bytes each, in an array that is sorted but has gaps: a place follows from its
 * value. Nothing points to an entry, so only keys that come, go or change their type concern it.
 */
#ifndef STORE_KEYSPACE_RARE_H
#define STORE_KEYSPACE_RARE_H

#include <stdbool.h>
#include <stdint.h>

/* Strings are what most keys are: they are to pay for it least. */
#define RARE_MAX         16384
#define RARE_MAX_STRINGS 1024

#define RARE_ALL UINT64_MAX

struct rare {
	uint64_t
		known; /* every key of the type below this position is noted, none from there on; RARE_ALL for all of them, 0 for none */
	uint32_t *at;  /* UINT32_MAX is free */
	uint32_t n, max;
	uint8_t bits;
};

/* Of a type without keys. */
void rare_init(struct rare *r, uint32_t max);
void rare_fini(struct rare *r);

void rare_note(struct rare *r, uint64_t position);
void rare_drop(struct rare *r, uint64_t position);

/* The position at which a scan that stands at @position has to go on: RARE_ALL when no key of the type is left. */
uint64_t rare_next(const struct rare *r, uint64_t position);

/* A scan goes over everything from r->known on: it may note what it finds, and say how far it came. */
static inline bool rare_may_learn(const struct rare *r, uint64_t position, uint64_t keys)
{
	return r->known == position && keys <= r->max / 2;
}

/* Abort when an invariant does not hold; for tests. */
void rare_check(const struct rare *r);

#endif
