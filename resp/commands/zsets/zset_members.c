/* The sorted-set commands on single members: ZADD, ZINCRBY, ZREM, scores and ranks. */
#include <math.h>

#include "resp/commands/keys/scan.h"
#include "resp/commands/zsets/zset.h"
#include "store/base/num.h"

bool zset_read(struct call *c, int i, struct zset **z)
{
	uint64_t word;
	*z = NULL;
	if (!call_read(c, i, VALUE_ZSET, &word))
		return false;
	if (word)
		*z = entry_container(word);
	return true;
}

void zset_shortened(struct call *c, struct bytes key, uint64_t *slot, const char *event)
{
	bool empty = zset_count(entry_container(*slot)) == 0;
	if (empty)
		keyspace_delete_slot(c->db, slot, KEYSPACE_FREE_NOW);
	call_changed(c, key, NOTIFY_ZSET, event);
	if (empty)
		call_event(c, c->db, key, NOTIFY_GENERIC, "del");
}

/* --- ZADD and ZINCRBY --- */

enum add_option {
	ADD_NX = 1 << 0,
	ADD_XX = 1 << 1,
	ADD_GT = 1 << 2,
	ADD_LT = 1 << 3,
	ADD_CH = 1 << 4,
	ADD_INCR = 1 << 5,
};

struct adding {
	unsigned options;
	int first; /* argv index of the first score */
	int pairs;
	double first_score;
	int64_t added, updated;
	bool processed; /* the last pair did something, or would have had the score not been the same */
	double score; /* what the last pair's member has now */
};

static bool add_option(struct bytes word, unsigned *options)
{
	static const struct {
		const char *word;
		unsigned option;
	} words[] = {{"nx", ADD_NX}, {"xx", ADD_XX}, {"gt", ADD_GT},
		     {"lt", ADD_LT}, {"ch", ADD_CH}, {"incr", ADD_INCR}};
	if (word.n > 4)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (bytes_is(word, words[i].word)) {
			*options |= words[i].option;
			return true;
		}
	}
	return false;
}

/* Read options and find the pairs; false with the error replied. */
static bool add_parse(struct call *c, struct adding *a)
{
	int i = 2;
	while (i < c->argc && add_option(c->argv[i], &a->options))
		i++;
	unsigned o = a->options;
	const char *error = NULL;
	a->first = i;
	a->pairs = (c->argc - i) / 2;
	if ((c->argc - i) % 2 || a->pairs == 0)
		error = "ERR syntax error";
	else if ((o & ADD_NX) && (o & ADD_XX))
		error = "ERR XX and NX options at the same time are not compatible";
	else if (((o & ADD_NX) && (o & (ADD_GT | ADD_LT))) || ((o & ADD_GT) && (o & ADD_LT)))
		error = "ERR GT, LT, and/or NX options at the same time are not compatible";
	else if ((o & ADD_INCR) && a->pairs > 1)
		error = "ERR INCR option supports a single increment-element pair";
	if (error)
		reply_error(c->reply, error);
	return error == NULL;
}

/* One pair under the options that look at what is there. */
static enum store_err add_guarded(struct call *c, struct adding *a, struct zset *z,
				  struct bytes member, double score)
{
	double now;
	bool there = zset_score(z, member, &now), added, changed;
	a->processed = false;
	if (there ? (a->options & ADD_NX) : (a->options & ADD_XX))
		return STORE_OK;
	if (there && (a->options & ADD_INCR))
		score += now;
	if (isnan(score))
		return STORE_ENAN;
	if (there &&
	    (((a->options & ADD_GT) && score <= now) || ((a->options & ADD_LT) && score >= now)))
		return STORE_OK;
	enum store_err err = zset_add(z, member, score, zset_limits(c), &added, &changed);
	if (err != STORE_OK)
		return err;
	a->processed = true;
	a->score = score;
	a->added += added;
	a->updated += changed && !added;
	return STORE_OK;
}

static enum store_err add_pairs(struct call *c, struct adding *a, struct zset *z)
{
	enum store_err err = STORE_OK;
	bool added, changed;
	for (int i = a->first; err == STORE_OK && i < c->argc; i += 2) {
		double score = 0;
		if (a->pairs == 1)
			score = a->first_score;
		else
			num_parse_double(c->argv[i], &score);
		if (a->options & ~(unsigned)ADD_CH) {
			err = add_guarded(c, a, z, c->argv[i + 1], score);
			continue;
		}
		err = zset_add(z, c->argv[i + 1], score, zset_limits(c), &added, &changed);
		a->added += added;
		a->updated += changed && !added;
	}
	return err;
}

static void add_reply(struct call *c, const struct adding *a)
{
	if (!(a->options & ADD_INCR))
		reply_int(c->reply, a->options & ADD_CH ? a->added + a->updated : a->added);
	else if (a->processed)
		reply_double(c->reply, a->score);
	else
		reply_null(c->reply);
}

/* All scores are looked at before anything changes. */
static bool scores_valid(struct call *c, struct adding *a)
{
	double score;
	if (!call_double(c, a->first, &a->first_score, NULL))
		return false;
	for (int i = a->first + 2; i < c->argc; i += 2)
		if (!call_double(c, i, &score, NULL))
			return false;
	return true;
}

static void add(struct call *c, struct adding *a)
{
	uint64_t *slot;
	if (!scores_valid(c, a) || !call_write(c, 1, VALUE_ZSET, &slot))
		return;
	if (!slot && (a->options & ADD_XX)) {
		add_reply(c, a);
		return;
	}
	struct zset *z = slot ? entry_container(*slot)
			      : zset_new(c->argv[a->first + 1].n, (size_t)a->pairs, zset_limits(c));
	enum store_err err = add_pairs(c, a, z);
	if (!slot && zset_count(z))
		keyspace_add(c->db, c->argv[1], VALUE_ZSET, z);
	else if (!slot)
		zset_free(z);
	if (a->added || a->updated)
		call_changed(c, c->argv[1], NOTIFY_ZSET, a->options & ADD_INCR ? "zincr" : "zadd");
	if (err == STORE_OK)
		add_reply(c, a);
	else
		call_error(c, err);
}

void zset_cmd_zadd(struct call *c)
{
	struct adding a = {0};
	if (add_parse(c, &a))
		add(c, &a);
}

void zset_cmd_zincrby(struct call *c)
{
	struct adding a = {.options = ADD_INCR, .first = 2, .pairs = 1};
	add(c, &a);
}

/* --- the others --- */

void zset_cmd_zrem(struct call *c)
{
	uint64_t *slot;
	int64_t removed = 0;
	if (!call_write(c, 1, VALUE_ZSET, &slot))
		return;
	if (slot) {
		struct zset *z = entry_container(*slot);
		for (int i = 2; i < c->argc && zset_count(z); i++)
			removed += zset_remove(z, c->argv[i]);
		if (removed)
			zset_shortened(c, c->argv[1], slot, "zrem");
	}
	reply_int(c->reply, removed);
}

static void reply_score(struct call *c, struct zset *z, struct bytes member)
{
	double score;
	if (z && zset_score(z, member, &score))
		reply_double(c->reply, score);
	else
		reply_null(c->reply);
}

void zset_cmd_zscore(struct call *c)
{
	struct zset *z;
	if (zset_read(c, 1, &z))
		reply_score(c, z, c->argv[2]);
}

void zset_cmd_zmscore(struct call *c)
{
	struct zset *z;
	if (!zset_read(c, 1, &z))
		return;
	reply_array(c->reply, (size_t)c->argc - 2);
	for (int i = 2; i < c->argc; i++)
		reply_score(c, z, c->argv[i]);
}

void zset_cmd_zcard(struct call *c)
{
	struct zset *z;
	if (zset_read(c, 1, &z))
		reply_int(c->reply, z ? (int64_t)zset_count(z) : 0);
}

static void reply_rank(struct call *c, bool backwards)
{
	struct zset *z;
	size_t rank;
	double score = 0;
	bool scored = c->argc > 3;
	if (c->argc > 4) {
		reply_errorf(c->reply, "ERR wrong number of arguments for '%s' command",
			     c->cmd->name);
		return;
	}
	if (scored && !bytes_is(c->argv[3], "withscore")) {
		call_syntax_error(c);
		return;
	}
	if (!zset_read(c, 1, &z))
		return;
	if (!z || !zset_rank(z, c->argv[2], &rank)) {
		if (scored)
			reply_null_array(c->reply);
		else
			reply_null(c->reply);
		return;
	}
	if (backwards)
		rank = zset_count(z) - 1 - rank;
	if (scored)
		reply_array(c->reply, 2);
	reply_int(c->reply, (int64_t)rank);
	if (scored) {
		zset_score(z, c->argv[2], &score);
		reply_double(c->reply, score);
	}
}

void zset_cmd_zrank(struct call *c)
{
	reply_rank(c, false);
}

void zset_cmd_zrevrank(struct call *c)
{
	reply_rank(c, true);
}

static void scanned(void *arg, struct bytes member, double score)
{
	struct scan *s = arg;
	char buf[NUM_BUF];
	if (!scan_wants(s, member))
		return;
	scan_add(s, member);
	scan_add(s, bytes_of(buf, num_format_double(buf, score)));
}

void zset_cmd_zscan(struct call *c)
{
	struct scan s;
	struct zset *z;
	if (!scan_cursor(c, 2, &s) || !zset_read(c, 1, &z))
		return;
	if (!z) {
		scan_reply_empty(c);
		return;
	}
	if (!scan_options(c, 3, SCAN_ZSET, &s))
		return;
	do
		s.cursor = zset_scan(z, s.cursor, scanned, &s);
	while (scan_more(&s));
	scan_reply(c, &s);
}
