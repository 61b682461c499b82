/* SINTER, SUNION, SDIFF, their STORE forms, and SINTERCARD. */
#include "resp/commands/sets/set.h"
#include "store/base/mem.h"
#include "store/types/setops.h"

enum set_op { OP_INTER, OP_UNION, OP_DIFF };

/* The sets of the keys argv[@first..@first+@n), NULL where a key is absent; @missing counts those. NULL, with WRONGTYPE
 * replied, when a key holds something else. mem_free it. */
static struct set **read_sets(struct call *c, int first, size_t n, size_t *missing)
{
	struct set **sets = mem_alloc(n * sizeof(*sets));
	uint64_t word;

	*missing = 0;
	for (size_t i = 0; i < n; i++) {
		if (!call_read(c, first + (int)i, VALUE_SET, &word)) {
			mem_free(sets);
			return NULL;
		}
		sets[i] = word ? entry_container(word) : NULL;
		*missing += !word;
	}
	return sets;
}

static void reply_member(void *arg, struct bytes member)
{
	reply_bulk(arg, member);
}

static void reply_all(struct reply *r, struct set *s)
{
	struct set_iter it;
	struct bytes m;

	reply_set(r, set_count(s));
	set_iter_begin(&it, s);
	while (set_iter_next(&it, &m))
		reply_bulk(r, m);
	set_iter_end(&it);
}

/* --- replying --- */

static void reply_op(struct call *c, enum set_op op)
{
	size_t n = (size_t)c->argc - 1, missing, count;
	struct set **sets = read_sets(c, 1, n, &missing);

	if (!sets)
		return;
	bool empty = op == OP_INTER ? missing > 0 : op == OP_UNION ? missing == n : !sets[0];
	if (empty) {
		reply_set(c->reply, 0);
	} else if (n == 1) {
		reply_all(c->reply, sets[0]);
	} else if (op == OP_UNION) {
		struct set *all = set_union(sets, n, set_limits(c));
		reply_all(c->reply, all);
		set_free(all);
	} else {
		struct reply_later later = reply_later_begin(c->reply);
		count = op == OP_INTER ? set_inter(sets, n, 0, reply_member, c->reply)
				       : set_diff(sets, n, reply_member, c->reply);
		reply_later_end(c->reply, later, '~', count);
	}
	mem_free(sets);
}

void set_cmd_sinter(struct call *c)
{
	reply_op(c, OP_INTER);
}

void set_cmd_sunion(struct call *c)
{
	reply_op(c, OP_UNION);
}

void set_cmd_sdiff(struct call *c)
{
	reply_op(c, OP_DIFF);
}

/* --- storing --- */

struct filling {
	struct set *set;
	const struct type_limits *lim;
};

static void add_member(void *arg, struct bytes member)
{
	struct filling *f = arg;
	set_add(f->set, member, f->lim);
}

/* The result as a new set, which may be empty. */
static struct set *compute(struct call *c, enum set_op op, struct set **sets, size_t n,
			   size_t missing)
{
	struct filling f = {.lim = set_limits(c)};

	if (op == OP_UNION)
		return set_union(sets, n, f.lim);
	f.set = set_new_result(f.lim);
	if (op == OP_INTER && !missing)
		set_inter(sets, n, 0, add_member, &f);
	else if (op == OP_DIFF && sets[0])
		set_diff(sets, n, add_member, &f);
	return f.set;
}

static void store_op(struct call *c, enum set_op op, const char *event)
{
	struct bytes key = c->argv[1];
	size_t n = (size_t)c->argc - 2, missing;
	struct set **sets = read_sets(c, 2, n, &missing);

	if (!sets)
		return;
	struct set *result = compute(c, op, sets, n, missing);
	size_t count = set_count(result);
	mem_free(sets);
	if (count > 0) {
		keyspace_put(c->db, key, VALUE_SET, result);
		call_changed(c, key, NOTIFY_SET, event);
	} else {
		set_free(result);
		if (keyspace_delete(c->db, key, KEYSPACE_FREE_LAZY))
			call_changed(c, key, NOTIFY_GENERIC, "del");
	}
	reply_int(c->reply, (int64_t)count);
}

void set_cmd_sinterstore(struct call *c)
{
	store_op(c, OP_INTER, "sinterstore");
}

void set_cmd_sunionstore(struct call *c)
{
	store_op(c, OP_UNION, "sunionstore");
}

void set_cmd_sdiffstore(struct call *c)
{
	store_op(c, OP_DIFF, "sdiffstore");
}

/* --- counting --- */

void set_cmd_sintercard(struct call *c)
{
	int64_t n, limit = 0;
	size_t missing;

	if (!call_int_range(c, 1, 1, INT64_MAX, &n, "ERR numkeys should be greater than 0"))
		return;
	if (n > c->argc - 2) {
		reply_error(c->reply, "ERR Number of keys can't be greater than number of args");
		return;
	}
	for (int i = 2 + (int)n; i < c->argc; i += 2) {
		if (i + 1 >= c->argc || !bytes_is(c->argv[i], "limit")) {
			call_syntax_error(c);
			return;
		}
		if (!call_int_range(c, i + 1, 0, INT64_MAX, &limit, "ERR LIMIT can't be negative"))
			return;
	}
	struct set **sets = read_sets(c, 2, (size_t)n, &missing);
	if (!sets)
		return;
	size_t count = missing ? 0 : set_inter(sets, (size_t)n, (size_t)limit, NULL, NULL);
	reply_int(c->reply, (int64_t)count);
	mem_free(sets);
}
