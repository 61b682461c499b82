/* Sorted-set commands that take members off an end, and random ones. */
#include "resp/commands/picks.h"
#include "resp/commands/zset.h"
#include "store/base/num.h"

/* --- ZPOPMIN, ZPOPMAX, ZMPOP --- */

/* Reply @n members from an end of the set of @slot, then remove them. */
static void pop(struct call *c, struct bytes key, uint64_t *slot, size_t n, bool max, bool nested)
{
	struct zset *z = entry_container(*slot);
	size_t count = zset_count(z);
	struct zset_iter it;
	struct bytes member;
	double score;
	reply_array(c->reply, nested ? n : n * 2);
	zset_iter_begin(&it, z, max ? count - 1 : 0, max);
	for (size_t i = 0; i < n && zset_iter_next(&it, &member, &score); i++) {
		if (nested)
			reply_array(c->reply, 2);
		reply_bulk(c->reply, member);
		reply_double(c->reply, score);
	}
	zset_remove_ranks(z, max ? count - n : 0, n);
	zset_shortened(c, key, slot, max ? "zpopmax" : "zpopmin");
}

static size_t at_most(uint64_t *slot, int64_t count)
{
	size_t have = zset_count(entry_container(*slot));
	return (uint64_t)count < have ? (size_t)count : have;
}

static void pop_end(struct call *c, bool max)
{
	uint64_t *slot;
	int64_t count = 1;
	if (c->argc > 3) {
		call_syntax_error(c);
		return;
	}
	if (c->argc == 3 && !call_int_range(c, 2, 0, INT64_MAX, &count,
					    "ERR value is out of range, must be positive"))
		return;
	if (!call_write(c, 1, VALUE_ZSET, &slot))
		return;
	if (slot && count)
		pop(c, c->argv[1], slot, at_most(slot, count), max,
		    c->argc == 3 && c->reply->proto > 2);
	else
		reply_array(c->reply, 0);
}

void zset_cmd_zpopmin(struct call *c)
{
	pop_end(c, false);
}

void zset_cmd_zpopmax(struct call *c)
{
	pop_end(c, true);
}

static bool zmpop_parse(struct call *c, int64_t *keys, bool *max, int64_t *count)
{
	bool counted = false;
	if (!call_int_range(c, 1, 1, INT64_MAX, keys, "ERR numkeys should be greater than 0"))
		return false;
	if (*keys >= c->argc - 2) {
		call_syntax_error(c);
		return false;
	}
	int i = (int)*keys + 2;
	*count = 1;
	*max = bytes_is(c->argv[i], "max");
	if (!*max && !bytes_is(c->argv[i], "min")) {
		call_syntax_error(c);
		return false;
	}
	for (i++; i < c->argc; i += 2) {
		if (counted || i + 1 == c->argc || !bytes_is(c->argv[i], "count")) {
			call_syntax_error(c);
			return false;
		}
		counted = true;
		if (!call_int_range(c, i + 1, 1, INT64_MAX, count,
				    "ERR count should be greater than 0"))
			return false;
	}
	return true;
}

/* Pop from the first set that is there; for the journal that is a ZPOPMIN or ZPOPMAX of so many. */
void zset_cmd_zmpop(struct call *c)
{
	int64_t keys, count;
	bool max;
	if (!zmpop_parse(c, &keys, &max, &count))
		return;
	for (int i = 2; i < keys + 2; i++) {
		uint64_t *slot;
		if (!call_write(c, i, VALUE_ZSET, &slot))
			return;
		if (!slot)
			continue;
		char buf[NUM_BUF];
		size_t n = at_most(slot, count);
		struct bytes effect[3] = {max ? BYTES("ZPOPMAX") : BYTES("ZPOPMIN"), c->argv[i],
					  bytes_of(buf, num_format_int(buf, (int64_t)n))};
		reply_array(c->reply, 2);
		reply_bulk(c->reply, c->argv[i]);
		pop(c, c->argv[i], slot, n, max, true);
		call_effect(c, 3, effect);
		return;
	}
	reply_null_array(c->reply);
}

/* --- ZRANDMEMBER --- */

struct picked {
	struct call *c;
	bool scores;
};

static void reply_picked(void *arg, struct bytes member, double score)
{
	struct picked *p = arg;
	zset_reply_member(p->c, member, score, p->scores);
}

static void pick(struct call *c, struct zset *z, int64_t count, bool scores)
{
	struct rng *rng = &c->server->keyspace->rng;
	struct picked p = {c, scores};
	struct bytes member;
	char buf[NUM_BUF];
	double score;
	if (count > 0) {
		size_t n = (uint64_t)count < zset_count(z) ? (size_t)count : zset_count(z);
		zset_reply_begin(c, n, scores);
		zset_sample(z, rng, n, reply_picked, &p);
		return;
	}
	/* Below zero the same member may come again, and there may be more of them than members. */
	uint64_t mark = c->reply->total;
	zset_reply_begin(c, (size_t)-count, scores);
	while (count++ < 0 && picks_continue(c, mark) && zset_random(z, rng, buf, &member, &score))
		reply_picked(&p, member, score);
}

static void zrandmember_count(struct call *c)
{
	int64_t count;
	struct zset *z;
	if (!call_int_range(c, 2, -INT64_MAX, INT64_MAX, &count, NULL))
		return;
	if (c->argc > 4 || (c->argc == 4 && !bytes_is(c->argv[3], "withscores"))) {
		call_syntax_error(c);
		return;
	}
	if (c->argc == 4 && (count < -INT64_MAX / 2 || count > INT64_MAX / 2)) {
		reply_error(c->reply, "ERR value is out of range");
		return;
	}
	if (!zset_read(c, 1, &z))
		return;
	if (z && count)
		pick(c, z, count, c->argc == 4);
	else
		reply_array(c->reply, 0);
}

void zset_cmd_zrandmember(struct call *c)
{
	struct zset *z;
	struct bytes member;
	char buf[NUM_BUF];
	double score;
	if (c->argc > 2) {
		zrandmember_count(c);
		return;
	}
	if (!zset_read(c, 1, &z))
		return;
	if (z && zset_random(z, &c->server->keyspace->rng, buf, &member, &score))
		reply_bulk(c->reply, member);
	else
		reply_null(c->reply);
}
