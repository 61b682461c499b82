/* The sorted-set commands on ranges: ZRANGE and its elder kin, ZRANGESTORE, ZCOUNT, ZREMRANGEBY*. */
#include <math.h>
#include <stdlib.h>

#include "resp/commands/zsets/zset.h"

enum range_by { BY_ANY, BY_RANK, BY_SCORE, BY_LEX };
enum range_way { WAY_ANY, WAY_FORWARD, WAY_BACKWARD };

/* What a command asks for. BY_ANY and WAY_ANY let options choose. */
struct range {
	enum range_by by;
	enum range_way way;
	bool scores;
	int64_t offset, limit; /* below 0: no limit */
	int64_t start, stop;   /* BY_RANK */
	struct zset_score_range score;
	struct zset_lex_range lex;
};

/* --- the ends of a range --- */

/* A number with an optional ( in front, as strtod reads it: more than Redis takes elsewhere (blanks, the empty word as 0,
 * overflow as infinity). */
static bool parse_score(struct bytes s, double *out, bool *open)
{
	char buf[512], *end;
	*open = s.n > 0 && s.p[0] == '(';
	if (*open)
		s = bytes_of(s.p + 1, s.n - 1);
	if (s.n >= sizeof(buf))
		return false;
	memcpy(buf, s.p, s.n);
	buf[s.n] = '\0';
	*out = strtod(buf, &end);
	return *end == '\0' && !isnan(*out);
}

static bool parse_score_range(struct call *c, int min, int max, struct zset_score_range *r)
{
	if (parse_score(c->argv[min], &r->min, &r->min_open) &&
	    parse_score(c->argv[max], &r->max, &r->max_open))
		return true;
	reply_error(c->reply, "ERR min or max is not a float");
	return false;
}

/* "-", "+", "[member" or "(member". */
static bool parse_lex(struct bytes s, struct bytes *out, bool *open, bool *neg_inf, bool *pos_inf)
{
	if (s.n == 0)
		return false;
	*neg_inf = s.n == 1 && s.p[0] == '-';
	*pos_inf = s.n == 1 && s.p[0] == '+';
	*open = s.p[0] == '(';
	*out = bytes_of(s.p + 1, s.n - 1);
	return *neg_inf || *pos_inf || *open || s.p[0] == '[';
}

static bool parse_lex_range(struct call *c, int min, int max, struct zset_lex_range *r)
{
	if (parse_lex(c->argv[min], &r->min, &r->min_open, &r->min_is_neg_inf,
		      &r->min_is_pos_inf) &&
	    parse_lex(c->argv[max], &r->max, &r->max_open, &r->max_is_neg_inf, &r->max_is_pos_inf))
		return true;
	reply_error(c->reply, "ERR min or max not valid string range item");
	return false;
}

/* Read the two ends from argv[@at]; the higher one comes first when a range of values goes backwards. */
static bool parse_ends(struct call *c, int at, struct range *r)
{
	int min = at, max = at + 1;
	if (r->way == WAY_BACKWARD && r->by != BY_RANK) {
		min = at + 1;
		max = at;
	}
	switch (r->by) {
	case BY_SCORE:
		return parse_score_range(c, min, max, &r->score);
	case BY_LEX:
		return parse_lex_range(c, min, max, &r->lex);
	case BY_ANY:
	case BY_RANK:
		break;
	}
	return call_int(c, min, &r->start) && call_int(c, max, &r->stop);
}

/* --- from a range to ranks --- */

static void clamp_ranks(const struct range *r, size_t have, size_t *first, size_t *count)
{
	int64_t n = (int64_t)have;
	int64_t start = r->start < 0 ? r->start + n : r->start;
	int64_t stop = r->stop < 0 ? r->stop + n : r->stop;
	*first = *count = 0;
	start = start < 0 ? 0 : start;
	stop = stop < n ? stop : n - 1;
	if (start > stop || start >= n)
		return;
	*count = (size_t)(stop - start) + 1;
	*first = r->way == WAY_BACKWARD ? have - 1 - (size_t)stop : (size_t)start;
}

/* The ranks [*first, *first + *count) of @z that the range names, LIMIT applied from the end where the walk begins. */
static void resolve(const struct range *r, struct zset *z, size_t *first, size_t *count)
{
	if (r->by == BY_RANK) {
		clamp_ranks(r, zset_count(z), first, count);
		return;
	}
	if (r->by == BY_SCORE)
		zset_range_by_score(z, &r->score, first, count);
	else
		zset_range_by_lex(z, &r->lex, first, count);
	if (r->offset < 0 || (uint64_t)r->offset >= *count) {
		*count = 0;
		return;
	}
	size_t left = *count - (size_t)r->offset;
	size_t n = r->limit >= 0 && (uint64_t)r->limit < left ? (size_t)r->limit : left;
	*first += r->way == WAY_BACKWARD ? left - n : (size_t)r->offset;
	*count = n;
}

/* --- ZRANGE's family --- */

static bool parse_option(struct call *c, int *i, struct range *r, bool store)
{
	struct bytes w = c->argv[*i];
	if (!store && bytes_is(w, "withscores")) {
		r->scores = true;
	} else if (bytes_is(w, "limit") && c->argc - *i > 2) {
		if (!call_int(c, *i + 1, &r->offset) || !call_int(c, *i + 2, &r->limit))
			return false;
		*i += 2;
	} else if (r->way == WAY_ANY && bytes_is(w, "rev")) {
		r->way = WAY_BACKWARD;
	} else if (r->by == BY_ANY && bytes_is(w, "bylex")) {
		r->by = BY_LEX;
	} else if (r->by == BY_ANY && bytes_is(w, "byscore")) {
		r->by = BY_SCORE;
	} else {
		call_syntax_error(c);
		return false;
	}
	return true;
}

/* Read options behind the ends at argv[@at], then the ends. False with the error replied. */
static bool parse_range(struct call *c, int at, struct range *r, bool store)
{
	r->limit = -1;
	for (int i = at + 2; i < c->argc; i++)
		if (!parse_option(c, &i, r, store))
			return false;
	if (r->way == WAY_ANY)
		r->way = WAY_FORWARD;
	if (r->by == BY_ANY)
		r->by = BY_RANK;
	if (r->by == BY_RANK && r->limit != -1) {
		reply_error(c->reply, "ERR syntax error, LIMIT is only supported in combination "
				      "with either BYSCORE or BYLEX");
		return false;
	}
	if (r->by == BY_LEX && r->scores) {
		reply_error(c->reply,
			    "ERR syntax error, WITHSCORES not supported in combination with BYLEX");
		return false;
	}
	return parse_ends(c, at, r);
}

static void range(struct call *c, enum range_by by, enum range_way way)
{
	struct range r = {.by = by, .way = way};
	struct zset *z;
	size_t first, count;
	if (!parse_range(c, 2, &r, false) || !zset_read(c, 1, &z))
		return;
	if (!z) {
		reply_array(c->reply, 0);
		return;
	}
	bool backwards = r.way == WAY_BACKWARD;
	resolve(&r, z, &first, &count);
	zset_reply_ranks(c, z, backwards && count ? first + count - 1 : first, count, backwards,
			 r.scores);
}

void zset_cmd_zrange(struct call *c)
{
	range(c, BY_ANY, WAY_ANY);
}

void zset_cmd_zrevrange(struct call *c)
{
	range(c, BY_RANK, WAY_BACKWARD);
}

void zset_cmd_zrangebyscore(struct call *c)
{
	range(c, BY_SCORE, WAY_FORWARD);
}

void zset_cmd_zrevrangebyscore(struct call *c)
{
	range(c, BY_SCORE, WAY_BACKWARD);
}

void zset_cmd_zrangebylex(struct call *c)
{
	range(c, BY_LEX, WAY_FORWARD);
}

void zset_cmd_zrevrangebylex(struct call *c)
{
	range(c, BY_LEX, WAY_BACKWARD);
}

static enum store_err copy_ranks(struct call *c, struct zset *to, struct zset *from, size_t first,
				 size_t count)
{
	enum store_err err = STORE_OK;
	struct zset_iter it;
	struct bytes member;
	double score;
	bool added, changed;
	zset_iter_begin(&it, from, first, false);
	while (count-- && err == STORE_OK && zset_iter_next(&it, &member, &score))
		err = zset_add(to, member, score, zset_limits(c), &added, &changed);
	return err;
}

void zset_cmd_zrangestore(struct call *c)
{
	struct range r = {.by = BY_ANY, .way = WAY_ANY};
	struct zset *z;
	size_t first = 0, count = 0;
	if (!parse_range(c, 3, &r, true) || !zset_read(c, 2, &z))
		return;
	if (z)
		resolve(&r, z, &first, &count);
	struct zset *result = zset_new(0, count, zset_limits(c));
	enum store_err err = z ? copy_ranks(c, result, z, first, count) : STORE_OK;
	if (err == STORE_OK) {
		zset_store(c, c->argv[1], result, "zrangestore");
	} else {
		zset_free(result);
		call_error(c, err);
	}
}

/* --- counting and removing --- */

static void count_range(struct call *c, enum range_by by)
{
	struct range r = {.by = by, .way = WAY_FORWARD, .limit = -1};
	struct zset *z;
	size_t first, count = 0;
	if (!parse_ends(c, 2, &r) || !zset_read(c, 1, &z))
		return;
	if (z)
		resolve(&r, z, &first, &count);
	reply_int(c->reply, (int64_t)count);
}

void zset_cmd_zcount(struct call *c)
{
	count_range(c, BY_SCORE);
}

void zset_cmd_zlexcount(struct call *c)
{
	count_range(c, BY_LEX);
}

static void remove_range(struct call *c, enum range_by by, const char *event)
{
	struct range r = {.by = by, .way = WAY_FORWARD, .limit = -1};
	uint64_t *slot;
	size_t first, count = 0;
	if (!parse_ends(c, 2, &r) || !call_write(c, 1, VALUE_ZSET, &slot))
		return;
	if (slot) {
		struct zset *z = entry_container(*slot);
		resolve(&r, z, &first, &count);
		zset_remove_ranks(z, first, count);
		if (count)
			zset_shortened(c, c->argv[1], slot, event);
	}
	reply_int(c->reply, (int64_t)count);
}

void zset_cmd_zremrangebyrank(struct call *c)
{
	remove_range(c, BY_RANK, "zremrangebyrank");
}

void zset_cmd_zremrangebyscore(struct call *c)
{
	remove_range(c, BY_SCORE, "zremrangebyscore");
}

void zset_cmd_zremrangebylex(struct call *c)
{
	remove_range(c, BY_LEX, "zremrangebylex");
}
