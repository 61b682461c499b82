/* store/persist/rdb_packed.c - see rdb_packed.h. */
#include "store/persist/rdb_packed.h"

#include <math.h>

#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/persist/rdb_format.h"
#include "store/persist/ziplist.h"
#include "store/types/hash.h"
#include "store/types/intset.h"
#include "store/types/list.h"
#include "store/types/listpack.h"
#include "store/types/set.h"
#include "store/types/zset.h"

static void *refuse(struct rdb_in *in, unsigned char *data, const char *what)
{
	mem_free(data);
	rdb_in_fail(in, "%s", what);
	return NULL;
}

/* --- no element twice --- */

struct seen {
	uint32_t hash, at; /* @at: offset in the listpack; 0 for a free place */
};

/* Note the element at @p; false when an equal one was noted before. */
static bool note(struct seen *seen, size_t mask, unsigned char *lp, const unsigned char *p)
{
	char a[NUM_BUF], b[NUM_BUF];
	struct bytes s = listpack_get(p, a);
	uint32_t hash = (uint32_t)keyhash(s);
	size_t i = hash & mask;

	for (; seen[i].at; i = (i + 1) & mask)
		if (seen[i].hash == hash && bytes_eq(s, listpack_get(lp + seen[i].at, b)))
			return false;
	seen[i] = (struct seen){hash, (uint32_t)(p - lp)};
	return true;
}

#define SEEN_ON_STACK 512

/* Whether every @step-th element differs from all others. Without memory for the question: no. */
static bool is_unique(unsigned char *lp, size_t count, unsigned step)
{
	struct seen few[SEEN_ON_STACK], *seen = few;
	size_t size = 16;
	bool unique = true;

	while (size < 2 * (count / step))
		size *= 2;
	if (size > SEEN_ON_STACK)
		seen = mem_try(size * sizeof(*seen));
	if (!seen)
		return false;
	memset(seen, 0, size * sizeof(*seen));
	for (unsigned char *p = listpack_first(lp); p && unique; p = listpack_next(lp, p)) {
		unique = note(seen, size - 1, lp, p);
		for (unsigned i = 1; i < step; i++)
			p = listpack_next(lp, p);
	}
	if (seen != few)
		mem_free(seen);
	return unique;
}

/* --- listpacks --- */

struct hash *rdb_packed_hash(struct rdb_in *in, unsigned char *data, size_t n,
			     const struct type_limits *lim)
{
	if (!listpack_valid(data, n))
		return refuse(in, data, "a hash's listpack is malformed");
	size_t count = listpack_count(data);
	if (count % 2 || !is_unique(data, count, 2))
		return refuse(in, data, "a hash's listpack has a field twice or one without value");
	return hash_adopt(data, false, lim);
}

/* Whether each third element is an expiry, and whether they come in order. */
static bool expiries(unsigned char *lp, bool *in_order)
{
	int64_t last = 1, at;

	*in_order = true;
	for (unsigned char *p = listpack_seek(lp, 2); p; p = listpack_next(lp, p)) {
		if (!listpack_get_int(p, &at) || at < 0 || at > RDB_FIELD_EXPIRY_MAX)
			return false;
		if (at && (!last || at < last))
			*in_order = false;
		last = at;
		for (int i = 0; p && i < 2; i++)
			p = listpack_next(lp, p);
		if (!p)
			break;
	}
	return true;
}

/* Field by field, for a listpack that is not in order. */
static struct hash *in_order_of_time(unsigned char *lp, const struct type_limits *lim)
{
	struct hash *h = hash_new();
	char fbuf[NUM_BUF], vbuf[NUM_BUF];
	int64_t at;

	for (unsigned char *p = listpack_first(lp); p; p = listpack_next(lp, p)) {
		struct bytes field = listpack_get(p, fbuf);
		p = listpack_next(lp, p);
		hash_set(h, field, listpack_get(p, vbuf), lim);
		p = listpack_next(lp, p);
		if (listpack_get_int(p, &at) && at > 0)
			hash_expire(h, field, at);
	}
	mem_free(lp);
	return h;
}

struct hash *rdb_packed_times(struct rdb_in *in, unsigned char *data, size_t n,
			      const struct type_limits *lim)
{
	bool in_order;

	if (!listpack_valid(data, n))
		return refuse(in, data, "a hash's listpack is malformed");
	size_t count = listpack_count(data);
	if (count % 3 || !is_unique(data, count, 3))
		return refuse(in, data, "a hash's listpack has a field twice or not all of one");
	if (!expiries(data, &in_order))
		return refuse(in, data, "a field's expiry is none");
	return in_order ? hash_adopt(data, true, lim) : in_order_of_time(data, lim);
}

struct set *rdb_packed_set(struct rdb_in *in, unsigned char *data, size_t n,
			   const struct type_limits *lim)
{
	if (!listpack_valid(data, n))
		return refuse(in, data, "a set's listpack is malformed");
	if (!is_unique(data, listpack_count(data), 1))
		return refuse(in, data, "a set's listpack has a member twice");
	return set_adopt_listpack(data, lim);
}

struct set *rdb_packed_intset(struct rdb_in *in, unsigned char *data, size_t n,
			      const struct type_limits *lim)
{
	if (!intset_valid(data, n))
		return refuse(in, data, "an intset is malformed");
	return set_adopt_intset(data, lim);
}

/* Score and member at @p, and what comes behind them. False when the score is no number. */
static bool scored(unsigned char *lp, unsigned char *p, double *score, unsigned char **next)
{
	char buf[NUM_BUF];
	int64_t v;
	unsigned char *s = listpack_next(lp, p);

	*next = listpack_next(lp, s);
	if (listpack_get_int(s, &v)) {
		*score = (double)v;
		return true;
	}
	return num_parse_double(listpack_get(s, buf), score) && !isnan(*score);
}

enum order { IN_ORDER, OUT_OF_ORDER, NO_NUMBER };

static enum order order_of(unsigned char *lp)
{
	double last = -(double)INFINITY, score;
	unsigned char *next, *before = NULL;
	char a[NUM_BUF], b[NUM_BUF];
	enum order order = IN_ORDER;

	for (unsigned char *p = listpack_first(lp); p; p = next) {
		if (!scored(lp, p, &score, &next))
			return NO_NUMBER;
		if (before &&
		    (score < last || (score == last &&
				      bytes_cmp(listpack_get(before, a), listpack_get(p, b)) >= 0)))
			order = OUT_OF_ORDER;
		last = score;
		before = p;
	}
	return order;
}

/* Member by member, for a listpack that is not in order. */
static struct zset *sorted(unsigned char *lp, const struct type_limits *lim)
{
	struct zset *z = zset_new(0, listpack_count(lp) / 2, lim);
	unsigned char *next;
	char buf[NUM_BUF];
	double score;
	bool added, changed;

	for (unsigned char *p = listpack_first(lp); p; p = next) {
		scored(lp, p, &score, &next);
		if (zset_add(z, listpack_get(p, buf), score, lim, &added, &changed)) {
			zset_free(z);
			z = NULL;
			break;
		}
	}
	mem_free(lp);
	return z;
}

struct zset *rdb_packed_zset(struct rdb_in *in, unsigned char *data, size_t n,
			     const struct type_limits *lim)
{
	if (!listpack_valid(data, n))
		return refuse(in, data, "a sorted set's listpack is malformed");
	size_t count = listpack_count(data);
	if (count % 2 || !is_unique(data, count, 2))
		return refuse(in, data, "a sorted set's listpack has a member twice or no score");
	enum order order = order_of(data);
	if (order == NO_NUMBER)
		return refuse(in, data, "a score is not a number");
	struct zset *z = order == IN_ORDER ? zset_adopt(data, lim) : sorted(data, lim);
	if (!z)
		rdb_in_fail(in, "no memory for a sorted set");
	return z;
}

bool rdb_packed_node(struct rdb_in *in, struct list *l, unsigned char *data, size_t n,
		     const struct type_limits *lim)
{
	if (!listpack_valid(data, n))
		return refuse(in, data, "a list's listpack is malformed") != NULL;
	list_adopt(l, data, n, false, lim);
	return true;
}

/* --- ziplists and zipmaps --- */

struct hash *rdb_packed_old_hash(struct rdb_in *in, unsigned char *data, size_t n, bool zipmap,
				 const struct type_limits *lim)
{
	struct ziplist_iter it, value_it;
	struct bytes field, value;
	bool (*next)(struct ziplist_iter *, struct bytes *) = zipmap ? zipmap_next : ziplist_next;

	if (zipmap ? !zipmap_valid(data, n) : !ziplist_valid(data, n))
		return refuse(in, data, "a hash's ziplist or zipmap is malformed");
	struct hash *h = hash_new();
	(zipmap ? zipmap_begin : ziplist_begin)(&it, data, n);
	while (next(&it, &field)) {
		/* A copy goes on to the value, so that a field that is an integer keeps its text. */
		value_it = it;
		if (!next(&value_it, &value) || !hash_set(h, field, value, lim)) {
			hash_free(h);
			return refuse(in, data, "a hash has a field twice or one without value");
		}
		it = value_it;
	}
	mem_free(data);
	return h;
}

struct zset *rdb_packed_old_zset(struct rdb_in *in, unsigned char *data, size_t n,
				 const struct type_limits *lim)
{
	struct ziplist_iter it, score_it;
	struct bytes member, text;
	double score;
	bool added, changed;

	if (!ziplist_valid(data, n))
		return refuse(in, data, "a sorted set's ziplist is malformed");
	struct zset *z = zset_new(0, 0, lim);
	ziplist_begin(&it, data, n);
	while (ziplist_next(&it, &member)) {
		score_it = it;
		if (!ziplist_next(&score_it, &text) || !num_parse_double(text, &score) ||
		    zset_add(z, member, score, lim, &added, &changed) || !added) {
			zset_free(z);
			return refuse(in, data, "a sorted set has a member twice or a bad score");
		}
		it = score_it;
	}
	mem_free(data);
	return z;
}

bool rdb_packed_old_node(struct rdb_in *in, struct list *l, unsigned char *data, size_t n,
			 const struct type_limits *lim)
{
	struct ziplist_iter it;
	struct bytes s;

	if (!ziplist_valid(data, n))
		return refuse(in, data, "a list's ziplist is malformed") != NULL;
	ziplist_begin(&it, data, n);
	while (ziplist_next(&it, &s))
		list_push(l, true, s, lim);
	mem_free(data);
	return true;
}
