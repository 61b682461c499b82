/* SPOP and SRANDMEMBER. */
#include "resp/commands/keys/picks.h"
#include "resp/commands/sets/set.h"
#include "store/base/mem.h"
#include "store/base/num.h"

static struct rng *rng_of(struct call *c)
{
	return &c->server->keyspace->rng;
}

/* --- SPOP --- */

/* Members on their way out of a set. */
struct popped {
	struct bytes *members;
	size_t n;
	bool copies; /* members of a small encoding stand in a buffer, or move: they are copied */
};

#define POPPED_BATCH 1024

static void popped_add(void *arg, struct bytes member)
{
	struct popped *p = arg;
	p->members[p->n++] = p->copies ? bytes_of(mem_dup(member.p, member.n), member.n) : member;
}

/* Journal the removal, in commands of bounded length. */
static void journal_removed(struct call *c, const struct popped *p)
{
	struct bytes words[POPPED_BATCH + 2] = {BYTES("SREM"), c->argv[1]};

	for (size_t i = 0; i < p->n; i += POPPED_BATCH) {
		size_t n = p->n - i < POPPED_BATCH ? p->n - i : POPPED_BATCH;
		memcpy(words + 2, p->members + i, n * sizeof(*words));
		call_effect(c, (int)n + 2, words);
	}
}

static void pop_all(struct call *c, struct set *s, uint64_t *slot)
{
	struct set_iter it;
	struct bytes m;
	bool lazy = c->db->ks->policy.lazy_server_del;
	struct bytes words[2] = {lazy ? BYTES("UNLINK") : BYTES("DEL"), c->argv[1]};

	reply_set(c->reply, set_count(s));
	set_iter_begin(&it, s);
	while (set_iter_next(&it, &m))
		reply_bulk(c->reply, m);
	set_iter_end(&it);
	keyspace_delete_slot(c->db, slot, lazy ? KEYSPACE_FREE_LAZY : KEYSPACE_FREE_NOW);
	call_effect(c, 2, words);
	call_changed(c, c->argv[1], NOTIFY_SET, "spop");
	call_event(c, c->db, c->argv[1], NOTIFY_GENERIC, "del");
}

/* @count is less than there are. */
static void pop_some(struct call *c, struct set *s, uint64_t *slot, size_t count)
{
	struct popped p = {.members = mem_try(count * sizeof(*p.members)), .copies = !set_table(s)};

	if (!p.members) {
		call_error(c, STORE_ENOMEM);
		return;
	}
	set_sample(s, rng_of(c), count, popped_add, &p);
	journal_removed(c, &p);
	reply_set(c->reply, p.n);
	for (size_t i = 0; i < p.n; i++) {
		reply_bulk(c->reply, p.members[i]);
		set_remove(s, p.members[i]);
		if (p.copies)
			mem_free((void *)(uintptr_t)p.members[i].p);
	}
	mem_free(p.members);
	set_shortened(c, c->argv[1], slot, "spop");
}

static void spop_count(struct call *c)
{
	int64_t count;
	uint64_t *slot;

	if (!call_int_range(c, 2, 0, INT64_MAX, &count,
			    "ERR value is out of range, must be positive") ||
	    !call_write(c, 1, VALUE_SET, &slot))
		return;
	if (!slot || count == 0) {
		reply_set(c->reply, 0);
		return;
	}
	struct set *s = entry_container(*slot);
	if ((size_t)count >= set_count(s))
		pop_all(c, s, slot);
	else
		pop_some(c, s, slot, (size_t)count);
}

void set_cmd_spop(struct call *c)
{
	char buf[NUM_BUF];
	struct bytes m;
	uint64_t *slot;

	if (c->argc == 3) {
		spop_count(c);
		return;
	}
	if (c->argc > 3) {
		call_syntax_error(c);
		return;
	}
	if (!call_write(c, 1, VALUE_SET, &slot))
		return;
	if (!slot) {
		reply_null(c->reply);
		return;
	}
	struct set *s = entry_container(*slot);
	set_random(s, rng_of(c), buf, &m);
	/* The member may stand in the set itself: what needs its bytes comes before its removal. */
	struct bytes words[3] = {BYTES("SREM"), c->argv[1], m};
	call_effect(c, 3, words);
	reply_bulk(c->reply, m);
	set_remove(s, m);
	set_shortened(c, c->argv[1], slot, "spop");
}

/* --- SRANDMEMBER --- */

static void reply_picked(void *arg, struct bytes member)
{
	reply_bulk(arg, member);
}

static void srandmember_count(struct call *c)
{
	char buf[NUM_BUF];
	struct bytes m;
	uint64_t word;
	int64_t count;

	if (!call_int_range(c, 2, -INT64_MAX, INT64_MAX, &count, NULL) ||
	    !call_read(c, 1, VALUE_SET, &word))
		return;
	if (!word || count == 0) {
		reply_array(c->reply, 0);
		return;
	}
	struct set *s = entry_container(word);
	if (count > 0) {
		size_t n = (size_t)count < set_count(s) ? (size_t)count : set_count(s);
		reply_array(c->reply, n);
		set_sample(s, rng_of(c), n, reply_picked, c->reply);
		return;
	}
	/* Below zero the same member may come again, and there may be more than members. */
	if (!picks_allowed(c, (uint64_t)-count))
		return;
	uint64_t mark = c->reply->total;
	reply_array(c->reply, (size_t)-count);
	while (count++ < 0 && picks_continue(c, mark) && set_random(s, rng_of(c), buf, &m))
		reply_bulk(c->reply, m);
}

void set_cmd_srandmember(struct call *c)
{
	char buf[NUM_BUF];
	struct bytes m;
	uint64_t word;

	if (c->argc == 3) {
		srandmember_count(c);
		return;
	}
	if (c->argc > 3) {
		call_syntax_error(c);
		return;
	}
	if (!call_read(c, 1, VALUE_SET, &word))
		return;
	if (word && set_random(entry_container(word), rng_of(c), buf, &m))
		reply_bulk(c->reply, m);
	else
		reply_null(c->reply);
}
