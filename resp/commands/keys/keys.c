/* Commands on keys whatever their type, and the table of the family. */
#include "resp/commands/keys/keys.h"

#include "resp/commands/commands.h"
#include "resp/journal.h"
#include "resp/server.h"

static const char *const no_such_key = "ERR no such key";
static const char *const same_object = "ERR source and destination objects are the same";

static void delete_keys(struct call *c, enum keyspace_free how)
{
	int64_t n = 0;
	for (int i = 1; i < c->argc; i++) {
		if (!keyspace_delete(c->db, c->argv[i], how))
			continue;
		call_changed(c, c->argv[i], NOTIFY_GENERIC, "del");
		n++;
	}
	reply_int(c->reply, n);
}

static void cmd_del(struct call *c)
{
	delete_keys(c, c->db->ks->policy.lazy_user_del ? KEYSPACE_FREE_LAZY : KEYSPACE_FREE_NOW);
}

static void cmd_unlink(struct call *c)
{
	delete_keys(c, KEYSPACE_FREE_LAZY);
}

static void count_keys(struct call *c, enum keyspace_lookup how)
{
	int64_t n = 0;
	for (int i = 1; i < c->argc; i++)
		n += keyspace_read(c->db, c->argv[i], how) != 0;
	reply_int(c->reply, n);
}

static void cmd_exists(struct call *c)
{
	count_keys(c, KEYSPACE_COUNT);
}

static void cmd_touch(struct call *c)
{
	count_keys(c, KEYSPACE_TOUCH);
}

static void cmd_type(struct call *c)
{
	uint64_t word = keyspace_read(c->db, c->argv[1], KEYSPACE_COUNT);
	reply_status(c->reply, word ? value_type_name(word_type(word)) : "none");
}

/* Two keys changed, but Redis counts a key that moves as one change, and save points count with it. */
static void count_once(struct call *c)
{
	c->dirty--;
	c->server->stats.dirty--;
}

static void rename_key(struct call *c, bool only_new)
{
	struct bytes from = c->argv[1], to = c->argv[2];
	if (!keyspace_write(c->db, from)) {
		reply_error(c->reply, no_such_key);
		return;
	}
	bool same = bytes_eq(from, to);
	if (only_new && (same || keyspace_write(c->db, to))) {
		reply_int(c->reply, 0);
		return;
	}
	if (!same) {
		keyspace_move(c->db, from, c->db, to);
		call_changed(c, from, NOTIFY_GENERIC, "rename_from");
		call_changed(c, to, NOTIFY_GENERIC, "rename_to");
		count_once(c);
	}
	if (only_new)
		reply_int(c->reply, 1);
	else
		reply_ok(c->reply);
}

static void cmd_rename(struct call *c)
{
	rename_key(c, false);
}

static void cmd_renamenx(struct call *c)
{
	rename_key(c, true);
}

/* The database that argv[@i] numbers, or NULL with the error replied. */
static struct db *other_db(struct call *c, int i)
{
	int64_t id;
	if (!call_int_range(c, i, INT32_MIN, INT32_MAX, &id, NULL))
		return NULL;
	if (id >= 0 && id < c->db->ks->ndbs)
		return &c->db->ks->dbs[id];
	reply_error(c->reply, "ERR DB index is out of range");
	return NULL;
}

static void cmd_move(struct call *c)
{
	struct db *to = other_db(c, 2);
	if (!to)
		return;
	if (to == c->db) {
		reply_error(c->reply, same_object);
		return;
	}
	struct bytes key = c->argv[1];
	if (!keyspace_write(c->db, key) || keyspace_write(to, key)) {
		reply_int(c->reply, 0);
		return;
	}
	keyspace_move(c->db, key, to, key);
	call_changed(c, key, NOTIFY_GENERIC, "move_from");
	call_changed_db(c, to, key, NOTIFY_GENERIC, "move_to");
	count_once(c);
	reply_int(c->reply, 1);
}

/* What COPY would have replaced is gone, and there was no memory for the copy. */
static void copy_lost(struct call *c, struct db *to, struct bytes key)
{
	struct bytes words[2] = {BYTES("DEL"), key};
	call_no_journal(c);
	journal_append(c->server->journal, to->id, 2, words);
	call_changed_db(c, to, key, NOTIFY_GENERIC, "del");
}

static void cmd_copy(struct call *c)
{
	struct db *to = c->db;
	bool replace = false;
	for (int i = 3; i < c->argc; i++) {
		if (bytes_is(c->argv[i], "replace")) {
			replace = true;
		} else if (bytes_is(c->argv[i], "db") && i + 1 < c->argc) {
			to = other_db(c, ++i);
			if (!to)
				return;
		} else {
			call_syntax_error(c);
			return;
		}
	}
	struct bytes from = c->argv[1], key = c->argv[2];
	if (to == c->db && bytes_eq(from, key)) {
		reply_error(c->reply, same_object);
		return;
	}
	if (!keyspace_read(c->db, from, KEYSPACE_TOUCH)) {
		reply_int(c->reply, 0);
		return;
	}
	bool replaced = keyspace_write(to, key) != NULL;
	if (replaced) {
		if (!replace) {
			reply_int(c->reply, 0);
			return;
		}
		keyspace_delete(to, key,
				c->db->ks->policy.lazy_server_del ? KEYSPACE_FREE_LAZY
								  : KEYSPACE_FREE_NOW);
	}
	enum store_err err = keyspace_copy(c->db, from, to, key);
	if (err) {
		if (replaced)
			copy_lost(c, to, key);
		call_error(c, err);
		return;
	}
	call_changed_db(c, to, key, NOTIFY_GENERIC, "copy_to");
	reply_int(c->reply, 1);
}

const struct command key_commands[] = {
	{.name = "del",
	 .run = cmd_del,
	 .arity = -2,
	 .flags = CMD_WRITE,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RM | KEY_DELETE, 1, -1, 1)},
	 .summary = "Delete keys",
	 .since = "1.0.0",
	 .group = "generic",
	 .complexity = "O(N), N keys, plus the elements of values that are no strings",
	 .syntax = "key [key ...]",
	 .tips = (const char *const[]){"request_policy:multi_shard", "response_policy:agg_sum",
				       NULL}},
	{.name = "unlink",
	 .run = cmd_unlink,
	 .arity = -2,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RM | KEY_DELETE, 1, -1, 1)},
	 .summary = "Delete keys, freeing big values in the background",
	 .since = "4.0.0",
	 .group = "generic",
	 .complexity = "O(1) a key; freeing is done in the background",
	 .syntax = "key [key ...]",
	 .tips = (const char *const[]){"request_policy:multi_shard", "response_policy:agg_sum",
				       NULL}},
	{.name = "exists",
	 .run = cmd_exists,
	 .arity = -2,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RO, 1, -1, 1)},
	 .summary = "Count the keys that exist",
	 .since = "1.0.0",
	 .group = "generic",
	 .complexity = "O(N), N keys",
	 .syntax = "key [key ...]",
	 .tips = (const char *const[]){"request_policy:multi_shard", "response_policy:agg_sum",
				       NULL}},
	{.name = "type",
	 .run = cmd_type,
	 .arity = 2,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RO, 1, 0, 1)},
	 .summary = "Answer the type of a key's value",
	 .since = "1.0.0",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "key"},
	{.name = "expire",
	 .run = keys_expire,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RW | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Have a key expire in so many seconds",
	 .since = "1.0.0",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "key seconds [condition@7.0.0: NX|XX|GT|LT]"},
	{.name = "pexpire",
	 .run = keys_pexpire,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RW | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Have a key expire in so many milliseconds",
	 .since = "2.6.0",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "key milliseconds [condition@7.0.0: NX|XX|GT|LT]"},
	{.name = "expireat",
	 .run = keys_expireat,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RW | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Have a key expire at a time in seconds",
	 .since = "1.2.0",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "key unix-time-seconds [condition@7.0.0: NX|XX|GT|LT]"},
	{.name = "pexpireat",
	 .run = keys_pexpireat,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RW | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Have a key expire at a time in milliseconds",
	 .since = "2.6.0",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "key unix-time-milliseconds [condition@7.0.0: NX|XX|GT|LT]"},
	{.name = "ttl",
	 .run = keys_ttl,
	 .arity = 2,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Answer the seconds a key has left",
	 .since = "1.0.0",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "key",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = "pttl",
	 .run = keys_pttl,
	 .arity = 2,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Answer the milliseconds a key has left",
	 .since = "2.6.0",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "key",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = "expiretime",
	 .run = keys_expiretime,
	 .arity = 2,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Answer when a key expires, in seconds",
	 .since = "7.0.0",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "key"},
	{.name = "pexpiretime",
	 .run = keys_pexpiretime,
	 .arity = 2,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Answer when a key expires, in milliseconds",
	 .since = "7.0.0",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "key"},
	{.name = "persist",
	 .run = keys_persist,
	 .arity = 2,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RW | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Drop the expiry of a key",
	 .since = "2.2.0",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "key"},
	{.name = "rename",
	 .run = cmd_rename,
	 .arity = 3,
	 .flags = CMD_WRITE,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_DELETE, 1, 0, 1),
		  KEYS_AT(KEY_OW | KEY_UPDATE, 2, 0, 1)},
	 .summary = "Rename a key, replacing what has the new name",
	 .since = "1.0.0",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "key newkey"},
	{.name = "renamenx",
	 .run = cmd_renamenx,
	 .arity = 3,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_DELETE, 1, 0, 1),
		  KEYS_AT(KEY_OW | KEY_INSERT, 2, 0, 1)},
	 .summary = "Rename a key unless the new name exists",
	 .since = "1.0.0",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "key newkey"},
	{.name = "copy",
	 .run = cmd_copy,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1), KEYS_AT(KEY_OW | KEY_UPDATE, 2, 0, 1)},
	 .summary = "Copy a value to another key",
	 .since = "6.2.0",
	 .group = "generic",
	 .complexity = "O(N), N the elements of the value; O(1) for strings",
	 .syntax = "source destination [DB destination-db:integer] [REPLACE]"},
	{.name = "move",
	 .run = cmd_move,
	 .arity = 3,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Move a key to another database",
	 .since = "1.0.0",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "key db"},
	{.name = "keys",
	 .run = keys_keys,
	 .arity = 2,
	 .flags = CMD_READONLY,
	 .categories = CAT_KEYSPACE | CAT_DANGEROUS,
	 .summary = "List the keys that match a pattern",
	 .since = "1.0.0",
	 .group = "generic",
	 .complexity = "O(N), N the keys of the database",
	 .syntax = "pattern",
	 .tips = (const char *const[]){"request_policy:all_shards", "nondeterministic_output_order",
				       NULL}},
	{.name = "scan",
	 .run = keys_scan,
	 .arity = -2,
	 .flags = CMD_READONLY,
	 .categories = CAT_KEYSPACE,
	 .summary = "List the keys step by step",
	 .since = "2.8.0",
	 .group = "generic",
	 .complexity = "O(1) a call, O(N) for a whole iteration",
	 .syntax = "cursor [MATCH pattern] [COUNT count] [TYPE type@6.0.0]",
	 .tips = (const char *const[]){"nondeterministic_output", "request_policy:special", NULL}},
	{.name = "randomkey",
	 .run = keys_randomkey,
	 .arity = 1,
	 .flags = CMD_READONLY,
	 .categories = CAT_KEYSPACE,
	 .summary = "Answer a key chosen at random",
	 .since = "1.0.0",
	 .group = "generic",
	 .complexity = "O(1)",
	 .tips = (const char *const[]){"request_policy:all_shards", "nondeterministic_output",
				       NULL}},
	{.name = "touch",
	 .run = cmd_touch,
	 .arity = -2,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RO, 1, -1, 1)},
	 .summary = "Refresh the access time of keys and count those that exist",
	 .since = "3.2.1",
	 .group = "generic",
	 .complexity = "O(N), N keys",
	 .syntax = "key [key ...]",
	 .tips = (const char *const[]){"request_policy:multi_shard", "response_policy:agg_sum",
				       NULL}},
	{.name = "object",
	 .arity = -2,
	 .subcommands = object_subcommands,
	 .summary = "Container of commands that look at how values are kept",
	 .since = "2.2.3",
	 .group = "generic",
	 .complexity = "Depends on the subcommand"},
	{.name = "dbsize",
	 .run = keys_dbsize,
	 .arity = 1,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_KEYSPACE,
	 .summary = "Answer how many keys the database has",
	 .since = "1.0.0",
	 .group = "server",
	 .complexity = "O(1)",
	 .tips = (const char *const[]){"request_policy:all_shards", "response_policy:agg_sum",
				       NULL}},
	{.name = "flushdb",
	 .run = keys_flushdb,
	 .arity = -1,
	 .flags = CMD_WRITE,
	 .categories = CAT_KEYSPACE | CAT_DANGEROUS,
	 .summary = "Delete all keys of the database",
	 .since = "1.0.0",
	 .group = "server",
	 .complexity = "O(N), N the keys of the database",
	 .syntax = "[async: ASYNC@4.0.0|SYNC@6.2.0]",
	 .tips = (const char *const[]){"request_policy:all_shards", "response_policy:all_succeeded",
				       NULL}},
	{.name = "flushall",
	 .run = keys_flushall,
	 .arity = -1,
	 .flags = CMD_WRITE,
	 .categories = CAT_KEYSPACE | CAT_DANGEROUS,
	 .summary = "Delete all keys of all databases",
	 .since = "1.0.0",
	 .group = "server",
	 .complexity = "O(N), N the keys of all databases",
	 .syntax = "[async: ASYNC@4.0.0|SYNC@6.2.0]",
	 .tips = (const char *const[]){"request_policy:all_shards", "response_policy:all_succeeded",
				       NULL}},
	{.name = "swapdb",
	 .run = keys_swapdb,
	 .arity = 3,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_KEYSPACE | CAT_DANGEROUS,
	 .summary = "Exchange the contents of two databases",
	 .since = "4.0.0",
	 .group = "server",
	 .complexity = "O(1)",
	 .syntax = "index1:integer index2:integer"},
	{.name = NULL},
};
