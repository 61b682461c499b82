#include "store/types/setops.h"

#include <stdlib.h>

#include "store/base/keyhash.h"
#include "store/types/intset.h"
#include "store/types/set_impl.h"

#define BATCH 16

struct batch {
	unsigned n;
	struct bytes member[BATCH];
	uint64_t hash[BATCH];
	char buf[BATCH][NUM_BUF];
};

/* --- batches --- */

static void batch_fill_table(struct batch *b, struct set_iter *it)
{
	uint64_t words[BATCH], *slot;

	while (b->n < BATCH && (slot = table_iter_next(&it->t))) {
		words[b->n] = *slot;
		__builtin_prefetch(word_ptr(words[b->n++]));
	}
	for (unsigned i = 0; i < b->n; i++)
		b->member[i] = word_key(words[i], 0);
}

/* The next members; false at the end. Integers are kept in the batch's own buffers. */
static bool batch_fill(struct batch *b, struct set_iter *it)
{
	b->n = 0;
	if (it->s->enc == SET_TABLE) {
		batch_fill_table(b, it);
	} else {
		struct bytes *m = b->member;
		while (b->n < BATCH && set_iter_next(it, &m[b->n])) {
			if (m[b->n].p == it->buf) {
				memcpy(b->buf[b->n], it->buf, m[b->n].n);
				m[b->n].p = b->buf[b->n];
			}
			b->n++;
		}
	}
	for (unsigned i = 0; i < b->n; i++)
		b->hash[i] = keyhash(b->member[i]);
	return b->n > 0;
}

/* Have what asking @s for the members in @mask will touch on its way. */
static void batch_prefetch(const struct batch *b, const struct set *s, unsigned mask)
{
	if (s->enc != SET_TABLE)
		return;
	for (unsigned m = mask; m; m &= m - 1)
		table_prefetch_bucket(s->t, b->hash[__builtin_ctz(m)]);
	for (unsigned m = mask; m; m &= m - 1)
		table_prefetch_entry(s->t, b->hash[__builtin_ctz(m)]);
}

/* Those of @mask that @s has. */
static unsigned batch_in(const struct batch *b, struct set *s, unsigned mask)
{
	unsigned found = 0;

	batch_prefetch(b, s, mask);
	for (unsigned m = mask; m; m &= m - 1) {
		unsigned i = (unsigned)__builtin_ctz(m);
		if (set_has_hashed(s, b->member[i], b->hash[i]))
			found |= 1u << i;
	}
	return found;
}

static unsigned batch_all(const struct batch *b)
{
	return (1u << b->n) - 1;
}

/* --- intersection --- */

static int by_size(const void *a, const void *b)
{
	size_t x = set_count(*(struct set *const *)a), y = set_count(*(struct set *const *)b);
	return (x > y) - (x < y);
}

/* Two intsets of about one size: a merge, whose steps are cheaper than searches. */
static size_t merge_ints(const unsigned char *a, const unsigned char *b, size_t limit,
			 set_member_fn *fn, void *arg)
{
	size_t na = intset_count(a), nb = intset_count(b), found = 0, i = 0, j = 0;
	char buf[NUM_BUF];

	while (i < na && j < nb) {
		int64_t x = intset_at(a, i), y = intset_at(b, j);
		i += x <= y;
		j += y <= x;
		if (x != y)
			continue;
		if (fn)
			fn(arg, bytes_of(buf, num_format_int(buf, x)));
		if (++found == limit)
			break;
	}
	return found;
}

/* All of @sets are intsets: no text is made but for the result. */
static size_t inter_ints(struct set **sets, size_t n, size_t limit, set_member_fn *fn, void *arg)
{
	size_t count = intset_count(sets[0]->is), found = 0, j;
	char buf[NUM_BUF];

	if (n == 2 && intset_count(sets[1]->is) / 8 <= count)
		return merge_ints(sets[0]->is, sets[1]->is, limit, fn, arg);
	for (size_t i = 0; i < count; i++) {
		int64_t v = intset_at(sets[0]->is, i);
		for (j = 1; j < n && intset_has(sets[j]->is, v); j++)
			;
		if (j < n)
			continue;
		if (fn)
			fn(arg, bytes_of(buf, num_format_int(buf, v)));
		if (++found == limit)
			break;
	}
	return found;
}

static bool all_ints(struct set **sets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (sets[i]->enc != SET_INTSET)
			return false;
	return true;
}

size_t set_inter(struct set **sets, size_t n, size_t limit, set_member_fn *fn, void *arg)
{
	struct set_iter it;
	struct batch b;
	size_t found = 0;

	qsort(sets, n, sizeof(*sets), by_size);
	if (all_ints(sets, n))
		return inter_ints(sets, n, limit, fn, arg);
	set_iter_begin(&it, sets[0]);
	while (batch_fill(&b, &it)) {
		unsigned in = batch_all(&b);
		for (size_t j = 1; j < n && in; j++)
			if (sets[j] != sets[0])
				in = batch_in(&b, sets[j], in);
		for (; in; in &= in - 1) {
			if (fn)
				fn(arg, b.member[__builtin_ctz(in)]);
			if (++found == limit)
				goto done;
		}
	}
done:
	set_iter_end(&it);
	return found;
}

/* --- union --- */

struct set *set_new_result(const struct type_limits *lim)
{
	return set_new(BYTES("0"), 0, lim);
}

static void add_all(struct set *to, struct set *from, const struct type_limits *lim)
{
	struct set_iter it;
	struct batch b;

	set_iter_begin(&it, from);
	while (batch_fill(&b, &it)) {
		unsigned in = batch_in(&b, to, batch_all(&b));
		for (unsigned i = 0; i < b.n; i++)
			if (!(in & (1u << i)))
				set_add_new_hashed(to, b.member[i], b.hash[i], lim);
	}
	set_iter_end(&it);
}

/* The size of the largest table, when that is too much for a small encoding whatever its members are. */
static size_t expected_size(struct set **sets, size_t n, const struct type_limits *lim)
{
	size_t most = 0;

	for (size_t i = 0; i < n; i++)
		if (sets[i] && set_count(sets[i]) > most)
			most = set_count(sets[i]);
	return most > lim->set_max_listpack_entries && most > lim->set_max_intset_entries ? most
											  : 0;
}

struct set *set_union(struct set **sets, size_t n, const struct type_limits *lim)
{
	struct set *result = set_new_result(lim);
	size_t expected = expected_size(sets, n, lim);

	if (expected)
		set_prepare(result, expected, lim);
	for (size_t i = 0; i < n; i++)
		if (sets[i])
			add_all(result, sets[i], lim);
	return result;
}

/* --- difference --- */

/* Asking every other set costs |first| * (n - 1); where that is more than making one set of the others, that is done first. */
static struct set *merged_others(struct set **sets, size_t n)
{
	static const struct type_limits only_tables = {.list_max_listpack_size = -2};
	size_t first = set_count(sets[0]), others = 0, present = 0;

	for (size_t i = 1; i < n; i++)
		if (sets[i]) {
			others += set_count(sets[i]);
			present++;
		}
	if (present < 2 || first * (present - 1) <= 2 * others)
		return NULL;
	return set_union(sets + 1, n - 1, &only_tables);
}

static bool holds_first(struct set **sets, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (sets[i] == sets[0])
			return true;
	return false;
}

size_t set_diff(struct set **sets, size_t n, set_member_fn *fn, void *arg)
{
	struct set_iter it;
	struct batch b;
	size_t found = 0;

	if (holds_first(sets, n))
		return 0;
	struct set *merged = merged_others(sets, n);
	set_iter_begin(&it, sets[0]);
	while (batch_fill(&b, &it)) {
		unsigned out = batch_all(&b);
		if (merged)
			out &= ~batch_in(&b, merged, out);
		for (size_t j = 1; j < n && out && !merged; j++)
			if (sets[j])
				out &= ~batch_in(&b, sets[j], out);
		for (; out; out &= out - 1) {
			found++;
			if (fn)
				fn(arg, b.member[__builtin_ctz(out)]);
		}
	}
	set_iter_end(&it);
	if (merged)
		set_free(merged);
	return found;
}
