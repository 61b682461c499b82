#define _GNU_SOURCE
#include "store/base/keysort.h"

#include <stdlib.h>

#include "store/base/mem.h"

#define DIGIT  11
#define DIGITS ((64 + DIGIT - 1) / DIGIT)
#define MASK   (((uint64_t)1 << DIGIT) - 1)

/* Fewer than this are sorted by comparing. */
#define FEW 256

struct order {
	int (*compare)(const void *a, const void *b, void *arg);
	void *arg;
};

static int compare_keys(const void *a, const void *b, void *arg)
{
	const struct keysort_item *x = a, *y = b;
	const struct order *o = arg;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return o->compare(a, b, o->arg);
}

/* By one digit; @at counts how often each value of it stands there. */
static void deal(const struct keysort_item *from, struct keysort_item *to, size_t n, unsigned digit,
		 size_t *at)
{
	size_t sum = 0;

	for (size_t i = 0; i <= MASK; i++) {
		size_t count = at[i];
		at[i] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[at[from[i].key >> digit * DIGIT & MASK]++] = from[i];
}

/* From the lowest digit to the highest, leaving out those in which all agree. */
static struct keysort_item *by_digits(struct keysort_item *items, struct keysort_item *other,
				      size_t n)
{
	size_t(*counts)[1 << DIGIT] = mem_calloc(DIGITS * sizeof(*counts));

	for (size_t i = 0; i < n; i++)
		for (unsigned d = 0; d < DIGITS; d++)
			counts[d][items[i].key >> d * DIGIT & MASK]++;
	for (unsigned d = 0; d < DIGITS; d++) {
		if (counts[d][items[0].key >> d * DIGIT & MASK] == n)
			continue;
		deal(items, other, n, d, counts[d]);
		struct keysort_item *swap = items;
		items = other;
		other = swap;
	}
	mem_free(counts);
	return items;
}

struct keysort_item *keysort(struct keysort_item *items, struct keysort_item *other, size_t n,
			     int (*compare)(const void *a, const void *b, void *arg), void *arg)
{
	if (n < FEW) {
		struct order o = {compare, arg};
		if (n)
			qsort_r(items, n, sizeof(*items), compare_keys, &o);
		return items;
	}
	items = by_digits(items, other, n);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && items[end].key == items[i].key;)
			end++;
		if (end - i > 1)
			qsort_r(items + i, end - i, sizeof(*items), compare, arg);
	}
	return items;
}
