/* The set commands on members and on whole sets. */
#include "resp/commands/sets/set.h"

#include "resp/commands/commands.h"
#include "resp/commands/keys/scan.h"
#include "store/base/num.h"

/* --- shared --- */

void set_shortened(struct call *c, struct bytes key, uint64_t *slot, const char *event)
{
	call_changed(c, key, NOTIFY_SET, event);
	if (set_count(entry_container(*slot)) == 0) {
		keyspace_delete_slot(c->db, slot, KEYSPACE_FREE_NOW);
		call_event(c, c->db, key, NOTIFY_GENERIC, "del");
	}
}

/* --- members --- */

static void cmd_sadd(struct call *c)
{
	size_t given = (size_t)c->argc - 2, added = 0;
	uint64_t *slot;
	struct set *s;

	if (!call_write(c, 1, VALUE_SET, &slot))
		return;
	if (slot) {
		s = entry_container(*slot);
		set_prepare(s, given, set_limits(c));
	} else {
		s = set_new(c->argv[2], given, set_limits(c));
		keyspace_add(c->db, c->argv[1], VALUE_SET, s);
	}
	for (int i = 2; i < c->argc; i++)
		added += set_add(s, c->argv[i], set_limits(c));
	reply_int(c->reply, (int64_t)added);
	if (added)
		call_changed(c, c->argv[1], NOTIFY_SET, "sadd");
}

static void cmd_srem(struct call *c)
{
	uint64_t *slot;
	size_t removed = 0;

	if (!call_write(c, 1, VALUE_SET, &slot))
		return;
	if (slot)
		for (int i = 2; i < c->argc; i++)
			removed += set_remove(entry_container(*slot), c->argv[i]);
	reply_int(c->reply, (int64_t)removed);
	if (removed)
		set_shortened(c, c->argv[1], slot, "srem");
}

static bool is_member(uint64_t word, struct bytes member)
{
	return word && set_has(entry_container(word), member);
}

static void cmd_sismember(struct call *c)
{
	uint64_t word;

	if (call_read(c, 1, VALUE_SET, &word))
		reply_int(c->reply, is_member(word, c->argv[2]));
}

static void cmd_smismember(struct call *c)
{
	uint64_t word;

	if (!call_read(c, 1, VALUE_SET, &word))
		return;
	reply_array(c->reply, (size_t)c->argc - 2);
	for (int i = 2; i < c->argc; i++)
		reply_int(c->reply, is_member(word, c->argv[i]));
}

/* Put @member into the set of argv[2], and tell when it is new there. */
static void put_member(struct call *c, struct bytes member, uint64_t *slot)
{
	struct set *s;

	if (slot) {
		s = entry_container(*slot);
	} else {
		s = set_new(member, 1, set_limits(c));
		keyspace_add(c->db, c->argv[2], VALUE_SET, s);
	}
	if (set_add(s, member, set_limits(c)))
		call_changed(c, c->argv[2], NOTIFY_SET, "sadd");
}

static void cmd_smove(struct call *c)
{
	uint64_t *slot, *dest_slot;
	struct bytes member = c->argv[3];

	if (!(slot = keyspace_write(c->db, c->argv[1]))) {
		reply_int(c->reply, 0);
		return;
	}
	if (!call_write(c, 1, VALUE_SET, &slot) || !call_write(c, 2, VALUE_SET, &dest_slot))
		return;
	/* The second look may have removed an expired key, and moved the first slot. */
	slot = keyspace_write(c->db, c->argv[1]);
	struct set *s = entry_container(*slot);
	if (dest_slot && entry_container(*dest_slot) == s) {
		reply_int(c->reply, set_has(s, member));
		return;
	}
	if (!set_remove(s, member)) {
		reply_int(c->reply, 0);
		return;
	}
	set_shortened(c, c->argv[1], slot, "srem");
	put_member(c, member, keyspace_write(c->db, c->argv[2]));
	reply_int(c->reply, 1);
}

/* --- whole sets --- */

static void cmd_scard(struct call *c)
{
	uint64_t word;

	if (call_read(c, 1, VALUE_SET, &word))
		reply_int(c->reply, word ? (int64_t)set_count(entry_container(word)) : 0);
}

static void cmd_smembers(struct call *c)
{
	set_cmd_sinter(c);
}

static void scan_found(void *arg, struct bytes member)
{
	if (scan_wants(arg, member))
		scan_add(arg, member);
}

static void cmd_sscan(struct call *c)
{
	struct scan s;
	uint64_t word;

	if (!scan_cursor(c, 2, &s) || !call_read(c, 1, VALUE_SET, &word))
		return;
	if (!word) {
		scan_reply_empty(c);
		return;
	}
	if (!scan_options(c, 3, SCAN_SET, &s))
		return;
	do
		s.cursor = set_scan(entry_container(word), s.cursor, scan_found, &s);
	while (scan_more(&s));
	scan_reply(c, &s);
}

/* --- table --- */

const struct command set_commands[] = {
	{.name = "sadd",
	 .run = cmd_sadd,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_SET,
	 .keys = {KEYS_AT(KEY_RW | KEY_INSERT, 1, 0, 1)},
	 .summary = "Add members to a set",
	 .since = "1.0.0",
	 .group = "set",
	 .complexity = "O(N), N members given",
	 .syntax = "key member [member ...]"},
	{.name = "srem",
	 .run = cmd_srem,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_SET,
	 .keys = {KEYS_AT(KEY_RW | KEY_DELETE, 1, 0, 1)},
	 .summary = "Remove members from a set",
	 .since = "1.0.0",
	 .group = "set",
	 .complexity = "O(N), N members given",
	 .syntax = "key member [member ...]"},
	{.name = "sismember",
	 .run = cmd_sismember,
	 .arity = 3,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_SET,
	 .keys = {KEYS_AT(KEY_RO, 1, 0, 1)},
	 .summary = "Ask whether a set has a member",
	 .since = "1.0.0",
	 .group = "set",
	 .complexity = "O(1)",
	 .syntax = "key member"},
	{.name = "smismember",
	 .run = cmd_smismember,
	 .arity = -3,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_SET,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Ask for several members whether a set has them",
	 .since = "6.2.0",
	 .group = "set",
	 .complexity = "O(N), N members asked for",
	 .syntax = "key member [member ...]"},
	{.name = "smembers",
	 .run = cmd_smembers,
	 .arity = 2,
	 .flags = CMD_READONLY,
	 .categories = CAT_SET,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "List the members of a set",
	 .since = "1.0.0",
	 .group = "set",
	 .complexity = "O(N), N the size of the set",
	 .syntax = "key",
	 .tips = (const char *const[]){"nondeterministic_output_order", NULL}},
	{.name = "scard",
	 .run = cmd_scard,
	 .arity = 2,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_SET,
	 .keys = {KEYS_AT(KEY_RO, 1, 0, 1)},
	 .summary = "Tell how many members a set has",
	 .since = "1.0.0",
	 .group = "set",
	 .complexity = "O(1)",
	 .syntax = "key"},
	{.name = "spop",
	 .run = set_cmd_spop,
	 .arity = -2,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_SET,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_DELETE, 1, 0, 1)},
	 .summary = "Take random members out of a set",
	 .since = "1.0.0",
	 .group = "set",
	 .complexity = "O(N), N members taken",
	 .syntax = "key [count@3.2.0]",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = "srandmember",
	 .run = set_cmd_srandmember,
	 .arity = -2,
	 .flags = CMD_READONLY,
	 .categories = CAT_SET,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Pick random members of a set",
	 .since = "1.0.0",
	 .group = "set",
	 .complexity = "O(N), N members picked",
	 .syntax = "key [count@2.6.0]",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = "smove",
	 .run = cmd_smove,
	 .arity = 4,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_SET,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_DELETE, 1, 0, 1),
		  KEYS_AT(KEY_RW | KEY_INSERT, 2, 0, 1)},
	 .summary = "Move a member from one set to another",
	 .since = "1.0.0",
	 .group = "set",
	 .complexity = "O(1)",
	 .syntax = "source destination member"},
	{.name = "sinter",
	 .run = set_cmd_sinter,
	 .arity = -2,
	 .flags = CMD_READONLY,
	 .categories = CAT_SET,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, -1, 1)},
	 .summary = "List the members that all sets have",
	 .since = "1.0.0",
	 .group = "set",
	 .complexity = "O(N*M), N the size of the smallest set and M sets",
	 .syntax = "key [key ...]",
	 .tips = (const char *const[]){"nondeterministic_output_order", NULL}},
	{.name = "sinterstore",
	 .run = set_cmd_sinterstore,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_SET,
	 .keys = {KEYS_AT(KEY_RW | KEY_UPDATE, 1, 0, 1), KEYS_AT(KEY_RO | KEY_ACCESS, 2, -1, 1)},
	 .summary = "Store the members that all sets have",
	 .since = "1.0.0",
	 .group = "set",
	 .complexity = "O(N*M), N the size of the smallest set and M sets",
	 .syntax = "destination key [key ...]"},
	{.name = "sintercard",
	 .run = set_cmd_sintercard,
	 .arity = -3,
	 .flags = CMD_READONLY | CMD_MOVABLEKEYS,
	 .categories = CAT_SET,
	 .keys = {{.flags = KEY_RO | KEY_ACCESS,
		   .begin = KEYS_BEGIN_INDEX,
		   .index = 1,
		   .find = KEYS_FIND_KEYNUM,
		   .keynumidx = 0,
		   .firstkey = 1,
		   .keystep = 1}},
	 .summary = "Count the members that all sets have",
	 .since = "7.0.0",
	 .group = "set",
	 .complexity = "O(N*M), N the size of the smallest set and M sets",
	 .syntax = "numkeys key [key ...] [LIMIT limit]"},
	{.name = "sunion",
	 .run = set_cmd_sunion,
	 .arity = -2,
	 .flags = CMD_READONLY,
	 .categories = CAT_SET,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, -1, 1)},
	 .summary = "List the members of several sets",
	 .since = "1.0.0",
	 .group = "set",
	 .complexity = "O(N), N members in all sets",
	 .syntax = "key [key ...]",
	 .tips = (const char *const[]){"nondeterministic_output_order", NULL}},
	{.name = "sunionstore",
	 .run = set_cmd_sunionstore,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_SET,
	 .keys = {KEYS_AT(KEY_OW | KEY_UPDATE, 1, 0, 1), KEYS_AT(KEY_RO | KEY_ACCESS, 2, -1, 1)},
	 .summary = "Store the members of several sets",
	 .since = "1.0.0",
	 .group = "set",
	 .complexity = "O(N), N members in all sets",
	 .syntax = "destination key [key ...]"},
	{.name = "sdiff",
	 .run = set_cmd_sdiff,
	 .arity = -2,
	 .flags = CMD_READONLY,
	 .categories = CAT_SET,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, -1, 1)},
	 .summary = "List the members of the first set that no other has",
	 .since = "1.0.0",
	 .group = "set",
	 .complexity = "O(N), N members in all sets",
	 .syntax = "key [key ...]",
	 .tips = (const char *const[]){"nondeterministic_output_order", NULL}},
	{.name = "sdiffstore",
	 .run = set_cmd_sdiffstore,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_SET,
	 .keys = {KEYS_AT(KEY_OW | KEY_UPDATE, 1, 0, 1), KEYS_AT(KEY_RO | KEY_ACCESS, 2, -1, 1)},
	 .summary = "Store the members of the first set that no other has",
	 .since = "1.0.0",
	 .group = "set",
	 .complexity = "O(N), N members in all sets",
	 .syntax = "destination key [key ...]"},
	{.name = "sscan",
	 .run = cmd_sscan,
	 .arity = -3,
	 .flags = CMD_READONLY,
	 .categories = CAT_SET,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "List the members of a set step by step",
	 .since = "2.8.0",
	 .group = "set",
	 .complexity = "O(1) a call, O(N) for a whole iteration",
	 .syntax = "key cursor [MATCH pattern] [COUNT count]",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = NULL},
};
