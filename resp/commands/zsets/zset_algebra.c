/* Unions, intersections and differences of sorted sets and plain sets. */
#include <math.h>
#include <stdlib.h>

#include "resp/commands/zsets/zset.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/types/set.h"
#include "store/types/zset_build.h"

enum algebra { UNION, INTER, DIFF };
enum aggregate { AGGREGATE_SUM, AGGREGATE_MIN, AGGREGATE_MAX };

/* One input: a sorted set, a plain set whose members all score 1, or neither (no key). */
struct source {
	struct zset *zset;
	struct set *set;
	double weight;
	size_t count;
	int at; /* its place among the inputs */
};

struct operation {
	enum algebra op;
	enum aggregate aggregate;
	bool counting, storing, scores;
	size_t limit; /* of ZINTERCARD, 0 for none */
	struct source *src;
	int n;
	struct zset_build *build;
	size_t cardinality;
	enum store_err err;
};

/* --- the inputs, told apart by nothing but these --- */

struct source_iter {
	const struct source *src;
	struct zset_iter z;
	struct set_iter s;
};

static void source_begin(struct source_iter *it, const struct source *src)
{
	it->src = src;
	if (src->zset)
		zset_iter_begin(&it->z, src->zset, 0, false);
	else if (src->set)
		set_iter_begin(&it->s, src->set);
}

static bool source_next(struct source_iter *it, struct bytes *member, double *score)
{
	if (it->src->zset)
		return zset_iter_next(&it->z, member, score);
	*score = 1;
	return it->src->set && set_iter_next(&it->s, member);
}

static void source_end(struct source_iter *it)
{
	if (it->src->set)
		set_iter_end(&it->s);
}

static bool source_score(const struct source *src, struct bytes member, double *score)
{
	if (src->zset)
		return zset_score(src->zset, member, score);
	*score = 1;
	return src->set && set_has(src->set, member);
}

/* NULL for a small one. */
static struct table *source_table(const struct source *src)
{
	if (src->zset)
		return zset_table(src->zset);
	return src->set ? set_table(src->set) : NULL;
}

#define BATCH 16

/* Members that are looked up together, so that the waits for memory overlap. */
struct batch {
	unsigned n;
	struct bytes member[BATCH];
	double score[BATCH];
	uint64_t hash[BATCH];
};

/* --- arithmetic: what is not a number counts as 0 --- */

static double weighted(const struct source *src, double score)
{
	double v = src->weight * score;
	return isnan(v) ? 0 : v;
}

static double aggregated(enum aggregate how, double a, double b)
{
	double sum = a + b;
	switch (how) {
	case AGGREGATE_SUM:
		return isnan(sum) ? 0 : sum;
	case AGGREGATE_MIN:
		return b < a ? b : a;
	case AGGREGATE_MAX:
		return b > a ? b : a;
	}
	return a;
}

/* --- the three operations --- */

static void result_put(struct operation *o, struct bytes member, uint64_t hash, double score)
{
	bool added;
	double *to = zset_build_at(o->build, member, hash, &added);
	if (!to)
		o->err = STORE_ENOMEM;
	else if (added || o->op != UNION)
		*to = score;
	else
		*to = aggregated(o->aggregate, *to, score);
}

/* The next members of the walk, as many as stay where they are while it goes on: small shapes write some of theirs into the walker.
 * False at the end. */
static bool batch_next(struct source_iter *it, struct batch *b)
{
	unsigned most = source_table(it->src) ? BATCH : 1;
	b->n = 0;
	while (b->n < most && source_next(it, &b->member[b->n], &b->score[b->n])) {
		b->hash[b->n] = keyhash(b->member[b->n]);
		b->n++;
	}
	return b->n > 0;
}

/* Bring near what looking all of them up in @t will touch. */
static void batch_prefetch(const struct batch *b, const struct table *t)
{
	if (!t)
		return;
	for (unsigned i = 0; i < b->n; i++)
		table_prefetch_bucket(t, b->hash[i]);
	for (unsigned i = 0; i < b->n; i++)
		table_prefetch_entry(t, b->hash[i]);
}

static void unite(struct operation *o)
{
	struct source_iter it;
	struct batch b;
	for (int i = 0; i < o->n; i++) {
		source_begin(&it, &o->src[i]);
		while (o->err == STORE_OK && batch_next(&it, &b)) {
			batch_prefetch(&b, zset_build_table(o->build));
			for (unsigned k = 0; k < b.n && o->err == STORE_OK; k++)
				result_put(o, b.member[k], b.hash[k],
					   weighted(&o->src[i], b.score[k]));
		}
		source_end(&it);
	}
}

/* Whether @member is in all inputs but the first; @score, its own in the first, gathers theirs. */
static bool in_all(const struct operation *o, struct bytes member, double *score)
{
	double other;
	*score = weighted(&o->src[0], *score);
	for (int i = 1; i < o->n; i++) {
		if (!source_score(&o->src[i], member, &other))
			return false;
		*score = aggregated(o->aggregate, *score, o->src[i].weight * other);
	}
	return true;
}

static bool in_none(const struct operation *o, struct bytes member)
{
	double score;
	for (int i = 1; i < o->n; i++)
		if (source_score(&o->src[i], member, &score))
			return false;
	return true;
}

/* Those of @b that are in the result; false when there are enough. */
static bool select_batch(struct operation *o, struct batch *b)
{
	if (o->n > 1)
		batch_prefetch(b, source_table(&o->src[1]));
	for (unsigned k = 0; k < b->n && o->err == STORE_OK; k++) {
		bool wanted = o->op == INTER ? in_all(o, b->member[k], &b->score[k])
					     : in_none(o, b->member[k]);
		if (!wanted)
			continue;
		o->cardinality++;
		if (!o->counting)
			result_put(o, b->member[k], b->hash[k], b->score[k]);
		else if (o->cardinality == o->limit)
			return false;
	}
	return o->err == STORE_OK;
}

/* An intersection or a difference: walk the first input, ask the others. */
static void select_members(struct operation *o)
{
	struct source_iter it;
	struct batch b;
	source_begin(&it, &o->src[0]);
	while (batch_next(&it, &b) && select_batch(o, &b))
		;
	source_end(&it);
}

static int compare_sources(const void *a, const void *b)
{
	const struct source *x = a, *y = b;
	if (x->count != y->count)
		return x->count < y->count ? -1 : 1;
	return x->at - y->at;
}

static void compute(struct operation *o)
{
	/* The smallest is walked. */
	if (o->op != DIFF)
		qsort(o->src, (size_t)o->n, sizeof(*o->src), compare_sources);
	/* The largest input, which is the last now, is all in the union. */
	if (!o->counting)
		o->build = zset_build_begin(o->op == UNION ? o->src[o->n - 1].count : 0);
	if (o->op == UNION)
		unite(o);
	else
		select_members(o);
}

/* --- arguments --- */

static bool find_source(struct call *c, int i, struct source *src)
{
	enum keyspace_lookup how =
		c->session->flags & SESSION_NO_TOUCH ? KEYSPACE_COUNT : KEYSPACE_TOUCH;
	uint64_t word = keyspace_read(c->db, c->argv[i], how);
	src->weight = 1;
	if (!word)
		return true;
	if (word_type(word) == VALUE_ZSET) {
		src->zset = entry_container(word);
		src->count = zset_count(src->zset);
	} else if (word_type(word) == VALUE_SET) {
		src->set = entry_container(word);
		src->count = set_count(src->set);
	} else {
		call_wrong_type(c);
		return false;
	}
	return true;
}

/* How many inputs argv[@i] says there are; 0 with the error replied. */
static int parse_numkeys(struct call *c, int i)
{
	int64_t n;
	if (!call_int(c, i, &n))
		return 0;
	if (n < 1) {
		reply_errorf(c->reply, "ERR at least 1 input key is needed for '%s' command",
			     c->cmd->name);
		return 0;
	}
	if (n > c->argc - i - 1) {
		call_syntax_error(c);
		return 0;
	}
	return (int)n;
}

static bool parse_weights(struct call *c, int i, struct operation *o)
{
	for (int k = 0; k < o->n; k++)
		if (!call_double(c, i + k, &o->src[k].weight, "ERR weight value is not a float"))
			return false;
	return true;
}

static bool parse_aggregate(struct call *c, int i, struct operation *o)
{
	if (bytes_is(c->argv[i], "sum")) {
		o->aggregate = AGGREGATE_SUM;
	} else if (bytes_is(c->argv[i], "min")) {
		o->aggregate = AGGREGATE_MIN;
	} else if (bytes_is(c->argv[i], "max")) {
		o->aggregate = AGGREGATE_MAX;
	} else {
		call_syntax_error(c);
		return false;
	}
	return true;
}

static bool parse_limit(struct call *c, int i, struct operation *o)
{
	int64_t limit;
	if (!call_int_range(c, i, 0, INT64_MAX, &limit, "ERR LIMIT can't be negative"))
		return false;
	o->limit = (size_t)limit;
	return true;
}

/* Read the options from argv[@i] on; false with the error replied. */
static bool parse_options(struct call *c, int i, struct operation *o)
{
	bool scored = o->op != DIFF && !o->counting;
	for (; i < c->argc; i++) {
		struct bytes w = c->argv[i];
		int left = c->argc - i;
		if (scored && left > o->n && bytes_is(w, "weights")) {
			if (!parse_weights(c, i + 1, o))
				return false;
			i += o->n;
		} else if (scored && left > 1 && bytes_is(w, "aggregate")) {
			if (!parse_aggregate(c, ++i, o))
				return false;
		} else if (!o->storing && !o->counting && bytes_is(w, "withscores")) {
			o->scores = true;
		} else if (o->counting && left > 1 && bytes_is(w, "limit")) {
			if (!parse_limit(c, ++i, o))
				return false;
		} else {
			call_syntax_error(c);
			return false;
		}
	}
	return true;
}

/* --- answers --- */

static void answer(struct call *c, struct operation *o, const char *event)
{
	if (o->counting) {
		reply_int(c->reply, (int64_t)o->cardinality);
		return;
	}
	struct zset *z = NULL;
	if (o->err == STORE_OK)
		z = zset_build_end(o->build, zset_limits(c));
	else
		zset_build_drop(o->build);
	if (!z) {
		call_error(c, STORE_ENOMEM);
	} else if (o->storing) {
		zset_store(c, c->argv[1], z, event);
	} else {
		zset_reply_ranks(c, z, 0, zset_count(z), false, o->scores);
		zset_free(z);
	}
}

/* @event names what a storing command did; NULL for the others. */
static void algebra(struct call *c, enum algebra op, bool counting, const char *event)
{
	struct operation o = {.op = op, .counting = counting, .storing = event != NULL};
	int at = o.storing ? 2 : 1;
	o.n = parse_numkeys(c, at);
	if (o.n == 0)
		return;
	o.src = mem_calloc((size_t)o.n * sizeof(*o.src));
	bool ok = true;
	for (int i = 0; ok && i < o.n; i++) {
		o.src[i].at = i;
		ok = find_source(c, at + 1 + i, &o.src[i]);
	}
	if (ok && parse_options(c, at + 1 + o.n, &o)) {
		compute(&o);
		answer(c, &o, event);
	}
	mem_free(o.src);
}

void zset_cmd_zunion(struct call *c)
{
	algebra(c, UNION, false, NULL);
}

void zset_cmd_zinter(struct call *c)
{
	algebra(c, INTER, false, NULL);
}

void zset_cmd_zdiff(struct call *c)
{
	algebra(c, DIFF, false, NULL);
}

void zset_cmd_zintercard(struct call *c)
{
	algebra(c, INTER, true, NULL);
}

void zset_cmd_zunionstore(struct call *c)
{
	algebra(c, UNION, false, "zunionstore");
}

void zset_cmd_zinterstore(struct call *c)
{
	algebra(c, INTER, false, "zinterstore");
}

void zset_cmd_zdiffstore(struct call *c)
{
	algebra(c, DIFF, false, "zdiffstore");
}
