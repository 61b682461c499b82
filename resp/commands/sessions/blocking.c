/* The commands that wait for a list or a sorted set: BLPOP and its kin. What they take, they take by the code of the commands that do
 * not wait, and the journal reads those commands. */
#include "resp/commands/commands.h"
#include "resp/commands/lists/list.h"
#include "resp/commands/zsets/zset.h"

/* Whether to try argv[@i]: all in turn at first, then the one that is ready. */
static bool may_try(const struct call *c, int i)
{
	return !c->ready_key || c->ready_key == i;
}

/* --- lists --- */

static void reply_value(void *arg, struct bytes value)
{
	reply_bulk(arg, value);
}

static bool list_pop_one(struct call *c, int i, bool tail, bool *failed)
{
	uint64_t *slot;

	*failed = !call_write(c, i, VALUE_LIST, &slot);
	if (*failed || !slot)
		return false;
	struct bytes effect[2] = {tail ? BYTES("RPOP") : BYTES("LPOP"), c->argv[i]};
	reply_array(c->reply, 2);
	reply_bulk(c->reply, c->argv[i]);
	list_pop(entry_container(*slot), tail, list_limits(c), reply_value, c->reply);
	call_effect(c, 2, effect);
	list_shortened(c, c->argv[i], slot, tail ? "rpop" : "lpop");
	return true;
}

/* BLPOP, BRPOP, BZPOPMIN and BZPOPMAX: keys, then the time. */
static void pop_one(struct call *c, enum value_type type, bool end,
		    bool (*take)(struct call *c, int i, bool end, bool *failed))
{
	struct park how = {.first_key = 1, .nkeys = c->argc - 2, .type = type};
	bool failed;

	if (!call_timeout(c, c->argc - 1, &how.timeout_ms))
		return;
	for (int i = 1; i < c->argc - 1; i++)
		if (may_try(c, i) && (take(c, i, end, &failed) || failed))
			return;
	call_park(c, &how);
}

static void cmd_blpop(struct call *c)
{
	pop_one(c, VALUE_LIST, false, list_pop_one);
}

static void cmd_brpop(struct call *c)
{
	pop_one(c, VALUE_LIST, true, list_pop_one);
}

static void move(struct call *c, int timeout_arg, bool from_tail, bool to_tail, int effect_argc,
		 const struct bytes *effect)
{
	struct park how = {.first_key = 1, .nkeys = 1, .type = VALUE_LIST, .plain_null = true};

	if (call_timeout(c, timeout_arg, &how.timeout_ms) &&
	    list_move(c, from_tail, to_tail, effect_argc, effect) == LIST_ABSENT)
		call_park(c, &how);
}

static void cmd_blmove(struct call *c)
{
	struct bytes effect[5] = {BYTES("LMOVE"), c->argv[1], c->argv[2], c->argv[3], c->argv[4]};
	bool from_tail, to_tail;

	if (list_end_read(c, 3, &from_tail) && list_end_read(c, 4, &to_tail))
		move(c, 5, from_tail, to_tail, 5, effect);
}

static void cmd_brpoplpush(struct call *c)
{
	struct bytes effect[3] = {BYTES("RPOPLPUSH"), c->argv[1], c->argv[2]};

	move(c, 3, true, false, 3, effect);
}

static void cmd_blmpop(struct call *c)
{
	struct park how = {.type = VALUE_LIST};
	struct list_mpop m;
	bool failed;

	if (!list_mpop_read(c, 2, &m) || !call_timeout(c, 1, &how.timeout_ms))
		return;
	for (int i = m.first_key; i < m.first_key + m.nkeys; i++)
		if (may_try(c, i) && (list_mpop_take(c, i, &m, &failed) || failed))
			return;
	how.first_key = m.first_key;
	how.nkeys = m.nkeys;
	call_park(c, &how);
}

/* --- sorted sets --- */

static void cmd_bzpopmin(struct call *c)
{
	pop_one(c, VALUE_ZSET, false, zset_pop_one);
}

static void cmd_bzpopmax(struct call *c)
{
	pop_one(c, VALUE_ZSET, true, zset_pop_one);
}

static void cmd_bzmpop(struct call *c)
{
	struct park how = {.type = VALUE_ZSET};
	struct zset_mpop m;
	bool failed;

	if (!zset_mpop_read(c, 2, &m) || !call_timeout(c, 1, &how.timeout_ms))
		return;
	for (int i = m.first_key; i < m.first_key + m.nkeys; i++)
		if (may_try(c, i) && (zset_mpop_take(c, i, &m, &failed) || failed))
			return;
	how.first_key = m.first_key;
	how.nkeys = m.nkeys;
	call_park(c, &how);
}

/* --- table --- */

#define TAKES (KEY_RW | KEY_ACCESS | KEY_DELETE)
#define KEYS_BEHIND                                                                                \
	{                                                                                          \
		KEYS_AT(TAKES, 1, -2, 1)                                                           \
	}
#define KEYS_COUNTED                                                                               \
	{                                                                                          \
		{                                                                                  \
			.flags = TAKES, .begin = KEYS_BEGIN_INDEX, .index = 2,                     \
			.find = KEYS_FIND_KEYNUM, .keynumidx = 0, .firstkey = 1, .keystep = 1      \
		}                                                                                  \
	}

const struct command blocking_commands[] = {
	{.name = "blpop",
	 .run = cmd_blpop,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_NOSCRIPT | CMD_BLOCKING,
	 .categories = CAT_LIST,
	 .keys = KEYS_BEHIND,
	 .summary = "Take the first element of a list, waiting for one if need be",
	 .since = "2.0.0",
	 .group = "list",
	 .complexity = "O(N), N keys",
	 .syntax = "key [key ...] timeout"},
	{.name = "brpop",
	 .run = cmd_brpop,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_NOSCRIPT | CMD_BLOCKING,
	 .categories = CAT_LIST,
	 .keys = KEYS_BEHIND,
	 .summary = "Take the last element of a list, waiting for one if need be",
	 .since = "2.0.0",
	 .group = "list",
	 .complexity = "O(N), N keys",
	 .syntax = "key [key ...] timeout"},
	{.name = "blmove",
	 .run = cmd_blmove,
	 .arity = 6,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_NOSCRIPT | CMD_BLOCKING,
	 .categories = CAT_LIST,
	 .keys = {KEYS_AT(TAKES, 1, 0, 1), KEYS_AT(KEY_RW | KEY_INSERT, 2, 0, 1)},
	 .summary = "Take an element from one end of a list, waiting for one if need be, and put "
		    "it at "
		    "an end of another",
	 .since = "6.2.0",
	 .group = "list",
	 .complexity = "O(1)",
	 .syntax = "source destination <wherefrom: LEFT|RIGHT> <whereto: LEFT|RIGHT> timeout"},
	{.name = "brpoplpush",
	 .run = cmd_brpoplpush,
	 .arity = 4,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_NOSCRIPT | CMD_BLOCKING,
	 .categories = CAT_LIST,
	 .keys = {KEYS_AT(TAKES, 1, 0, 1), KEYS_AT(KEY_RW | KEY_INSERT, 2, 0, 1)},
	 .summary = "Take the last element of a list, waiting for one if need be, and put it in "
		    "front of "
		    "another",
	 .since = "2.2.0",
	 .group = "list",
	 .deprecated_since = "6.2.0",
	 .replaced_by = "`BLMOVE` with the `RIGHT` and `LEFT` arguments",
	 .complexity = "O(1)",
	 .syntax = "source destination timeout"},
	{.name = "blmpop",
	 .run = cmd_blmpop,
	 .arity = -5,
	 .flags = CMD_WRITE | CMD_BLOCKING | CMD_MOVABLEKEYS,
	 .categories = CAT_LIST,
	 .keys = KEYS_COUNTED,
	 .summary =
		 "Take elements from the first of several lists that has some, waiting if need be",
	 .since = "7.0.0",
	 .group = "list",
	 .complexity = "O(N+M), N keys and M elements taken",
	 .syntax = "timeout numkeys key [key ...] <where: LEFT|RIGHT> [COUNT count]"},
	{.name = "bzpopmin",
	 .run = cmd_bzpopmin,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_NOSCRIPT | CMD_BLOCKING | CMD_FAST,
	 .categories = CAT_SORTEDSET,
	 .keys = KEYS_BEHIND,
	 .summary = "Take the member with the lowest score, waiting for one if need be",
	 .since = "5.0.0",
	 .group = "sorted-set",
	 .complexity = "O(log(N)), N members",
	 .syntax = "key [key ...] timeout"},
	{.name = "bzpopmax",
	 .run = cmd_bzpopmax,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_NOSCRIPT | CMD_BLOCKING | CMD_FAST,
	 .categories = CAT_SORTEDSET,
	 .keys = KEYS_BEHIND,
	 .summary = "Take the member with the highest score, waiting for one if need be",
	 .since = "5.0.0",
	 .group = "sorted-set",
	 .complexity = "O(log(N)), N members",
	 .syntax = "key [key ...] timeout"},
	{.name = "bzmpop",
	 .run = cmd_bzmpop,
	 .arity = -5,
	 .flags = CMD_WRITE | CMD_BLOCKING | CMD_MOVABLEKEYS,
	 .categories = CAT_SORTEDSET,
	 .keys = KEYS_COUNTED,
	 .summary = "Take members from the first of several sorted sets that has some, waiting if "
		    "need be",
	 .since = "7.0.0",
	 .group = "sorted-set",
	 .complexity = "O(K) + O(M*log(N)), K keys, N members of the set and M taken",
	 .syntax = "timeout numkeys key [key ...] <where: MIN|MAX> [COUNT count]"},
	{.name = NULL},
};
