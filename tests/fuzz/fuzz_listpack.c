/* Any bytes as a listpack and as an intset: what is found valid can be walked from both ends, searched and changed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/types/intset.h"
#include "store/types/listpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(int ok)
{
	if (!ok)
		abort();
}

static unsigned char *copy_of(const uint8_t *data, size_t n)
{
	unsigned char *p = mem_alloc(n ? n : 1);
	memcpy(p, data, n);
	return p;
}

static void use_listpack(const uint8_t *data, size_t n)
{
	unsigned char *lp = copy_of(data, n), *tail;
	char buf[NUM_BUF];
	size_t there = 0, back = 0;

	if (!listpack_valid(lp, n)) {
		mem_free(lp);
		return;
	}
	for (unsigned char *p = listpack_first(lp); p; p = listpack_next(lp, p), there++)
		check(listpack_find(lp, p, listpack_get(p, buf), 0) != NULL ||
		      !listpack_equal(p, listpack_get(p, buf)));
	for (unsigned char *p = listpack_last(lp); p; p = listpack_prev(lp, p))
		back++;
	check(there == back && there == listpack_count(lp));
	unsigned char *middle = listpack_seek(lp, (long)(there / 2));
	if (middle) {
		lp = listpack_split(lp, middle, &tail);
		lp = listpack_merge(lp, tail);
		listpack_free(tail);
		check(listpack_bytes(lp) == n && memcmp(lp + 6, data + 6, n - 6) == 0);
		lp = listpack_delete_range(lp, 0, there);
	}
	lp = listpack_append(lp, BYTES("end"));
	check(listpack_valid(lp, listpack_bytes(lp)));
	listpack_free(lp);
}

static void use_intset(const uint8_t *data, size_t n)
{
	unsigned char *is = copy_of(data, n);
	bool flag;

	if (intset_valid(is, n)) {
		check(intset_bytes(is) == n);
		int64_t v = intset_at(is, intset_count(is) / 2);
		check(intset_has(is, v));
		is = intset_remove(is, v, &flag);
		check(flag && !intset_has(is, v));
		is = intset_add(is, INT64_MIN, &flag);
		check(intset_valid(is, intset_bytes(is)));
	}
	intset_free(is);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	use_listpack(data, n);
	use_intset(data, n);
	return 0;
}
