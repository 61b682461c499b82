/* store/base/keysort.h - many pointers in the order of their keys, by counting digits instead of comparing. */
#ifndef STORE_BASE_KEYSORT_H
#define STORE_BASE_KEYSORT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct keysort_item {
	uint64_t key;
	void *p;
};

/* A number that sorts as @v does; -0 as 0. */
static inline uint64_t keysort_double(double v)
{
	uint64_t bits;

	if (v == 0)
		v = 0;
	memcpy(&bits, &v, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/* Sort @items, with room for as many more at @other; where keys are equal, as @compare (qsort's, of two items) says. Answers which of the
 * two holds the result. */
struct keysort_item *keysort(struct keysort_item *items, struct keysort_item *other, size_t n,
			     int (*compare)(const void *a, const void *b, void *arg), void *arg);

#endif
