/* HRANDFIELD. */
#include "resp/commands/hashes/hash.h"
#include "resp/commands/keys/picks.h"
#include "store/base/num.h"

/* How picked pairs go into the reply: fields alone, or with their values, in RESP3 as pairs. */
struct picks {
	struct reply *reply;
	bool values;
};

static void picks_begin(struct picks *p, size_t n)
{
	reply_array(p->reply, p->values && p->reply->proto == 2 ? n * 2 : n);
}

static void reply_pick(void *arg, struct bytes field, struct bytes value)
{
	struct picks *p = arg;

	if (p->values && p->reply->proto > 2)
		reply_array(p->reply, 2);
	reply_bulk(p->reply, field);
	if (p->values)
		reply_bulk(p->reply, value);
}

static void pick(struct call *c, struct hash *h, int64_t count, bool values)
{
	struct rng *rng = &c->server->keyspace->rng;
	int64_t now = hash_now(c);
	struct picks p = {c->reply, values};
	char fbuf[NUM_BUF], vbuf[NUM_BUF];
	struct bytes field, value = {0};

	if (count > 0) {
		size_t n = hash_count(h) - hash_stale(h, now);
		n = (size_t)count < n ? (size_t)count : n;
		picks_begin(&p, n);
		hash_sample(h, now, rng, n, reply_pick, &p);
		return;
	}
	if (hash_count(h) == hash_stale(h, now)) {
		reply_array(c->reply, 0);
		return;
	}
	/* Below zero the same field may come again, and there may be more than fields. */
	if (!picks_allowed(c, (uint64_t)-count))
		return;
	uint64_t mark = c->reply->total;
	picks_begin(&p, (size_t)-count);
	while (count++ < 0 && picks_continue(c, mark) &&
	       hash_random(h, now, rng, fbuf, &field, vbuf, values ? &value : NULL))
		reply_pick(&p, field, value);
}

static void hrandfield_count(struct call *c)
{
	int64_t count;
	uint64_t word;

	if (!call_int_range(c, 2, -INT64_MAX, INT64_MAX, &count, NULL))
		return;
	if (c->argc > 4 || (c->argc == 4 && !bytes_is(c->argv[3], "withvalues"))) {
		call_syntax_error(c);
		return;
	}
	if (c->argc == 4 && (count < -INT64_MAX / 2 || count > INT64_MAX / 2)) {
		reply_error(c->reply, "ERR value is out of range");
		return;
	}
	if (!call_read(c, 1, VALUE_HASH, &word))
		return;
	if (word && count != 0)
		pick(c, entry_container(word), count, c->argc == 4);
	else
		reply_array(c->reply, 0);
}

void hash_cmd_hrandfield(struct call *c)
{
	char buf[NUM_BUF];
	struct bytes field;
	uint64_t word;

	if (c->argc > 2) {
		hrandfield_count(c);
		return;
	}
	if (!call_read(c, 1, VALUE_HASH, &word))
		return;
	if (word && hash_random(entry_container(word), hash_now(c), &c->server->keyspace->rng, buf,
				&field, NULL, NULL))
		reply_bulk(c->reply, field);
	else
		reply_null(c->reply);
}
