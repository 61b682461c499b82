/* tests/unit/model.h - the naive container that the real ones are compared with: an array of owned strings.
 *
 * Header only; a test file includes it once, after cmocka.h.
 */
#ifndef TESTS_UNIT_MODEL_H
#define TESTS_UNIT_MODEL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/base/bytes.h"
#include "store/base/rng.h"

struct model {
	struct bytes *v;
	size_t n;
};

static inline struct bytes model_copy(struct bytes b)
{
	char *p = malloc(b.n + 1);
	if (b.n)
		memcpy(p, b.p, b.n);
	return bytes_of(p, b.n);
}

static inline void model_insert(struct model *m, size_t at, struct bytes b)
{
	m->v = realloc(m->v, (m->n + 1) * sizeof(*m->v));
	memmove(m->v + at + 1, m->v + at, (m->n - at) * sizeof(*m->v));
	m->v[at] = model_copy(b);
	m->n++;
}

static inline void model_delete(struct model *m, size_t at)
{
	free((void *)(uintptr_t)m->v[at].p);
	m->n--;
	memmove(m->v + at, m->v + at + 1, (m->n - at) * sizeof(*m->v));
}

static inline void model_replace(struct model *m, size_t at, struct bytes b)
{
	struct bytes old = m->v[at];
	m->v[at] = model_copy(b);
	free((void *)(uintptr_t)old.p);
}

/* m->n when absent */
static inline size_t model_find(const struct model *m, struct bytes b)
{
	size_t i = 0;
	while (i < m->n && !bytes_eq(m->v[i], b))
		i++;
	return i;
}

static inline void model_free(struct model *m)
{
	while (m->n)
		model_delete(m, m->n - 1);
	free(m->v);
	m->v = NULL;
}

/* The seed of a randomized run: SEED of the environment, else the clock; printed, so that a failure can be repeated. */
static inline void seed_run(struct rng *rng)
{
	const char *text = getenv("SEED");
	uint64_t seed = text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
	printf("seed %llu\n", (unsigned long long)seed);
	rng_seed(rng, seed);
}

/* A string of a kind that containers treat differently: small and big integers, near-integers, short, at the
 * thresholds, long. @buf holds @max bytes, at least 64. */
static inline struct bytes random_bytes(struct rng *rng, char *buf, size_t max)
{
	size_t n;

	switch (rng_below(rng, 8)) {
	case 0:
		return bytes_of(buf, (size_t)sprintf(buf, "%d", (int)rng_below(rng, 300) - 50));
	case 1:
		return bytes_of(buf,
				(size_t)sprintf(buf, "%lld",
						(long long)rng_next(rng) >> rng_below(rng, 64)));
	case 2:
		return bytes_of(buf, (size_t)sprintf(buf, "0%d", (int)rng_below(rng, 10)));
	case 3:
		n = 60 + rng_below(rng, 10);
		break;
	case 4:
		n = rng_below(rng, max + 1);
		break;
	default:
		n = rng_below(rng, 12);
	}
	n = n < max ? n : max;
	for (size_t i = 0; i < n; i++)
		buf[i] = (char)('a' + rng_below(rng, 3));
	return bytes_of(buf, n);
}

#endif
