/* store/keyspace/rare.c - a sorted array with gaps: see rare.h.
 *
 * It is a hash table with linear probing whose hash is the value's upper bits and whose runs are sorted, which sorts the whole. Behind
 * the last home stand some more slots instead of a way round; the very last one is always free.
 */
#include "store/keyspace/rare.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"

#define FREE     UINT32_MAX
#define BITS_MIN 4
#define BITS_MAX 20
#define TAIL     16

static size_t length(unsigned bits)
{
	return ((size_t)1 << bits) + TAIL;
}

static uint32_t value_of(uint64_t position)
{
	uint32_t v = (uint32_t)(position >> 32);

	return v == FREE ? FREE - 1 : v;
}

static size_t home(const struct rare *r, uint32_t v)
{
	return v >> (32 - r->bits);
}

void rare_init(struct rare *r, uint32_t max)
{
	*r = (struct rare){.known = RARE_ALL, .max = max};
}

void rare_fini(struct rare *r)
{
	mem_free(r->at);
	r->at = NULL;
	r->n = 0;
	r->bits = 0;
}

/* There are too many of them. */
static void give_up(struct rare *r)
{
	rare_fini(r);
	r->known = 0;
}

/* False when the run that it belongs to has no room. */
static bool put(struct rare *r, uint32_t v)
{
	size_t i = home(r, v), end;

	while (r->at[i] != FREE && r->at[i] <= v)
		i++;
	for (end = i; r->at[end] != FREE; end++)
		;
	if (end + 1 == length(r->bits))
		return false;
	memmove(r->at + i + 1, r->at + i, (end - i) * sizeof(*r->at));
	r->at[i] = v;
	return true;
}

static bool refill(struct rare *r, const uint32_t *old, size_t n)
{
	memset(r->at, 0xff, length(r->bits) * sizeof(*r->at));
	for (size_t i = 0; i < n; i++)
		if (old[i] != FREE && !put(r, old[i]))
			return false;
	return true;
}

static bool grow(struct rare *r)
{
	uint32_t *old = r->at;
	size_t n = old ? length(r->bits) : 0;
	bool ok = false;

	r->bits = old ? r->bits : BITS_MIN - 1;
	while (!ok && ++r->bits <= BITS_MAX) {
		r->at = mem_try(length(r->bits) * sizeof(*r->at));
		ok = r->at && refill(r, old, n);
		if (!ok)
			mem_free(r->at);
	}
	if (!ok)
		r->at = NULL;
	mem_free(old);
	return ok;
}

void rare_note(struct rare *r, uint64_t position)
{
	if (r->known != RARE_ALL && position >= r->known)
		return;
	bool room = r->at && r->n * 2 < (1u << r->bits);
	while (r->n < r->max && (room || grow(r))) {
		if (put(r, value_of(position))) {
			r->n++;
			return;
		}
		room = false;
	}
	give_up(r);
}

void rare_drop(struct rare *r, uint64_t position)
{
	uint32_t v = value_of(position);

	if (!r->at || (r->known != RARE_ALL && position >= r->known))
		return;
	size_t i = home(r, v);
	while (r->at[i] != FREE && r->at[i] < v)
		i++;
	if (r->at[i] != v)
		return;
	for (; r->at[i + 1] != FREE && home(r, r->at[i + 1]) <= i; i++)
		r->at[i] = r->at[i + 1];
	r->at[i] = FREE;
	r->n--;
}

uint64_t rare_next(const struct rare *r, uint64_t position)
{
	uint32_t v = value_of(position);

	if (r->known != RARE_ALL && position >= r->known)
		return position;
	if (r->at) {
		for (size_t i = home(r, v), n = length(r->bits); i < n; i++) {
			uint64_t found = (uint64_t)r->at[i] << 32;
			if (r->at[i] != FREE && r->at[i] >= v)
				return found > position ? found : position;
		}
	}
	return r->known;
}

void rare_check(const struct rare *r)
{
	uint32_t n = 0, last = 0;

	for (size_t i = 0; r->at && i < length(r->bits); i++) {
		uint32_t v = r->at[i];
		if (v == FREE)
			continue;
		bool reached = true; /* from its home, without a gap */
		for (size_t k = home(r, v); k < i; k++)
			reached = reached && r->at[k] != FREE;
		if (v < last || home(r, v) > i || !reached)
			abort();
		last = v;
		n++;
	}
	if (n != r->n || (r->at && r->at[length(r->bits) - 1] != FREE))
		abort();
}
