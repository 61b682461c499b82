/* Unions, intersections and differences of sorted sets and plain sets. */
#include <math.h>
#include <stdlib.h>

#include "resp/commands/zsets/zset.h"
#include "store/base/mem.h"
#include "store/types/set.h"

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
	struct zset *result;
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

/* A result is kept big while it is filled: its members are looked up all the time. */
static void result_put(struct operation *o, struct bytes member, double score)
{
	static const struct type_limits big = {.zset_max_listpack_entries = 0};
	bool added, changed;
	o->err = zset_add(o->result, member, score, &big, &added, &changed);
}

static void unite(struct operation *o)
{
	struct source_iter it;
	struct bytes member;
	double score, before;
	for (int i = 0; i < o->n; i++) {
		source_begin(&it, &o->src[i]);
		while (o->err == STORE_OK && source_next(&it, &member, &score)) {
			score = weighted(&o->src[i], score);
			if (zset_score(o->result, member, &before))
				score = aggregated(o->aggregate, before, score);
			result_put(o, member, score);
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

/* Walk the smallest input, ask the others. */
static void intersect(struct operation *o)
{
	struct source_iter it;
	struct bytes member;
	double score;
	source_begin(&it, &o->src[0]);
	while (o->err == STORE_OK && source_next(&it, &member, &score)) {
		if (!in_all(o, member, &score))
			continue;
		o->cardinality++;
		if (!o->counting)
			result_put(o, member, score);
		else if (o->cardinality == o->limit)
			break;
	}
	source_end(&it);
}

static bool in_others(const struct operation *o, struct bytes member)
{
	double score;
	for (int i = 1; i < o->n; i++)
		if (source_score(&o->src[i], member, &score))
			return true;
	return false;
}

static void subtract(struct operation *o)
{
	struct source_iter it;
	struct bytes member;
	double score;
	source_begin(&it, &o->src[0]);
	while (o->err == STORE_OK && source_next(&it, &member, &score))
		if (!in_others(o, member))
			result_put(o, member, score);
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
	static const struct type_limits big = {.zset_max_listpack_entries = 0};
	if (!o->counting)
		o->result = zset_new(0, 1, &big);
	if (o->op != DIFF)
		qsort(o->src, (size_t)o->n, sizeof(*o->src), compare_sources);
	switch (o->op) {
	case UNION:
		unite(o);
		return;
	case INTER:
		intersect(o);
		return;
	case DIFF:
		subtract(o);
		return;
	}
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
	if (o->err != STORE_OK) {
		zset_free(o->result);
		call_error(c, o->err);
	} else if (o->counting) {
		reply_int(c->reply, (int64_t)o->cardinality);
	} else if (o->storing) {
		zset_compact(o->result, zset_limits(c));
		zset_store(c, c->argv[1], o->result, event);
	} else {
		zset_reply_ranks(c, o->result, 0, zset_count(o->result), false, o->scores);
		zset_free(o->result);
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
