/* Sorted-set commands that take members off an end, and random ones. */
#include "resp/commands/keys/picks.h"
#include "resp/commands/zsets/zset.h"
#include "store/base/num.h"

/* --- ZPOPMIN, ZPOPMAX, ZMPOP --- */

enum pop_shape {
	POP_FLAT,   /* an array: member, score, member, ... */
	POP_NESTED, /* an array of pairs */
	POP_INNER,  /* members and scores alone, in an array that is begun */
};

/* Reply @n members from an end of the set of @slot, then remove them. */
static void pop(struct call *c, struct bytes key, uint64_t *slot, size_t n, bool max,
		enum pop_shape shape)
{
	struct zset *z = entry_container(*slot);
	size_t count = zset_count(z);
	struct zset_iter it;
	struct bytes member;
	double score;
	if (shape != POP_INNER)
		reply_array(c->reply, shape == POP_NESTED ? n : n * 2);
	zset_iter_begin(&it, z, max ? count - 1 : 0, max);
	for (size_t i = 0; i < n && zset_iter_next(&it, &member, &score); i++) {
		if (shape == POP_NESTED)
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
		    c->argc == 3 && c->reply->proto > 2 ? POP_NESTED : POP_FLAT);
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

bool zset_mpop_read(struct call *c, int at, struct zset_mpop *out)
{
	bool counted = false;
	int64_t keys;
	if (!call_int_range(c, at, 1, INT64_MAX, &keys, "ERR numkeys should be greater than 0"))
		return false;
	if (keys >= c->argc - at - 1) {
		call_syntax_error(c);
		return false;
	}
	int i = at + 1 + (int)keys;
	bool max = bytes_is(c->argv[i], "max");
	*out = (struct zset_mpop){at + 1, (int)keys, max, 1};
	if (!max && !bytes_is(c->argv[i], "min")) {
		call_syntax_error(c);
		return false;
	}
	for (i++; i < c->argc; i += 2) {
		if (counted || i + 1 == c->argc || !bytes_is(c->argv[i], "count")) {
			call_syntax_error(c);
			return false;
		}
		counted = true;
		if (!call_int_range(c, i + 1, 1, INT64_MAX, &out->count,
				    "ERR count should be greater than 0"))
			return false;
	}
	return true;
}

/* For the journal that is a ZPOPMIN or ZPOPMAX of so many. */
bool zset_mpop_take(struct call *c, int i, const struct zset_mpop *m, bool *failed)
{
	char buf[NUM_BUF];
	uint64_t *slot;
	*failed = !call_write(c, i, VALUE_ZSET, &slot);
	if (*failed || !slot)
		return false;
	size_t n = at_most(slot, m->count);
	struct bytes effect[3] = {m->max ? BYTES("ZPOPMAX") : BYTES("ZPOPMIN"), c->argv[i],
				  bytes_of(buf, num_format_int(buf, (int64_t)n))};
	reply_array(c->reply, 2);
	reply_bulk(c->reply, c->argv[i]);
	pop(c, c->argv[i], slot, n, m->max, POP_NESTED);
	call_effect(c, 3, effect);
	return true;
}

bool zset_pop_one(struct call *c, int i, bool max, bool *failed)
{
	uint64_t *slot;
	*failed = !call_write(c, i, VALUE_ZSET, &slot);
	if (*failed || !slot)
		return false;
	struct bytes effect[2] = {max ? BYTES("ZPOPMAX") : BYTES("ZPOPMIN"), c->argv[i]};
	reply_array(c->reply, 3);
	reply_bulk(c->reply, c->argv[i]);
	pop(c, c->argv[i], slot, 1, max, POP_INNER);
	call_effect(c, 2, effect);
	return true;
}

/* Pop from the first set that is there. */
void zset_cmd_zmpop(struct call *c)
{
	struct zset_mpop m;
	bool failed;
	if (!zset_mpop_read(c, 1, &m))
		return;
	for (int i = m.first_key; i < m.first_key + m.nkeys; i++)
		if (zset_mpop_take(c, i, &m, &failed) || failed)
			return;
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
