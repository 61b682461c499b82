/* The hash commands on fields and on whole hashes. */
#include "resp/commands/hashes/hash.h"

#include "resp/commands/commands.h"
#include "resp/commands/keys/scan.h"
#include "store/base/num.h"

struct hash *hash_for_write(struct call *c, uint64_t *slot)
{
	if (slot)
		return entry_container(*slot);
	struct hash *h = hash_new();
	keyspace_add(c->db, c->argv[1], VALUE_HASH, h);
	return h;
}

bool hash_shed(struct call *c, uint64_t word, int first, int last, int every)
{
	int64_t next = hash_next_expiry(entry_container(word));

	if (next < 0 || next >= hash_now(c))
		return true;
	return keyspace_shed_fields(c->db, word, last - first + 1, c->argv + first, every);
}

bool hash_read(struct call *c, int first, int last, int every, uint64_t *word)
{
	if (!call_read(c, 1, VALUE_HASH, word))
		return false;
	if (__builtin_expect(c->db->ndue && *word, 0) && !hash_shed(c, *word, first, last, every))
		*word = 0;
	return true;
}

bool hash_write(struct call *c, int first, int last, int every, uint64_t **slot)
{
	if (!call_write(c, 1, VALUE_HASH, slot))
		return false;
	if (__builtin_expect(c->db->ndue && *slot, 0) && !hash_shed(c, **slot, first, last, every))
		*slot = NULL;
	return true;
}

void hash_shrunk(struct call *c, uint64_t *slot)
{
	if (hash_count(entry_container(*slot)) == 0) {
		keyspace_delete_slot(c->db, slot, KEYSPACE_FREE_NOW);
		call_event(c, c->db, c->argv[1], NOTIFY_GENERIC, "del");
	} else if (c->db->ndue) {
		hash_touched(c, slot);
	}
}

/* --- setting and removing --- */

/* Set the pairs from argv[2] on; false, with the error replied, when nothing was. @added is how many fields are new. */
static bool set_pairs(struct call *c, size_t *added)
{
	size_t longest = 0;
	uint64_t *slot;

	if (c->argc % 2 == 1) {
		reply_errorf(c->reply, "ERR wrong number of arguments for '%s' command",
			     c->cmd->name);
		return false;
	}
	if (!hash_write(c, 2, c->argc - 1, 2, &slot))
		return false;
	struct hash *h = hash_for_write(c, slot);
	for (int i = 2; i < c->argc; i++)
		longest = c->argv[i].n > longest ? c->argv[i].n : longest;
	hash_prepare(h, ((size_t)c->argc - 2) / 2, longest, hash_limits(c));
	*added = 0;
	for (int i = 2; i < c->argc; i += 2)
		*added += hash_set(h, c->argv[i], c->argv[i + 1], hash_limits(c));
	if (c->db->ndue && slot)
		hash_touched(c, slot);
	call_changed(c, c->argv[1], NOTIFY_HASH, "hset");
	return true;
}

static void cmd_hset(struct call *c)
{
	size_t added;

	if (set_pairs(c, &added))
		reply_int(c->reply, (int64_t)added);
}

static void cmd_hmset(struct call *c)
{
	size_t added;

	if (set_pairs(c, &added))
		reply_ok(c->reply);
}

static void cmd_hsetnx(struct call *c)
{
	uint64_t *slot;

	if (!hash_write(c, 2, 2, 1, &slot))
		return;
	struct hash *h = hash_for_write(c, slot);
	if (hash_has(h, c->argv[2])) {
		reply_int(c->reply, 0);
		return;
	}
	hash_set(h, c->argv[2], c->argv[3], hash_limits(c));
	reply_int(c->reply, 1);
	call_changed(c, c->argv[1], NOTIFY_HASH, "hset");
}

static void cmd_hdel(struct call *c)
{
	uint64_t *slot;
	size_t removed = 0;

	if (!call_write(c, 1, VALUE_HASH, &slot))
		return;
	struct hash *h = slot ? entry_container(*slot) : NULL;
	for (int i = 2; h && i < c->argc; i++)
		removed += hash_remove(h, c->argv[i]);
	reply_int(c->reply, (int64_t)removed);
	if (!removed)
		return;
	call_changed(c, c->argv[1], NOTIFY_HASH, "hdel");
	hash_shrunk(c, slot);
}

/* --- reading fields --- */

/* The value of @field of the hash of @word, which may be 0. */
static bool field_value(struct call *c, uint64_t word, struct bytes field, char *buf,
			struct bytes *value)
{
	return word && !hash_hides(c, entry_container(word), field) &&
	       hash_get(entry_container(word), field, buf, value);
}

static void reply_field(struct call *c, uint64_t word, struct bytes field)
{
	char buf[NUM_BUF];
	struct bytes value;

	if (field_value(c, word, field, buf, &value))
		reply_bulk(c->reply, value);
	else
		reply_null(c->reply);
}

static void cmd_hget(struct call *c)
{
	uint64_t word;

	if (hash_read(c, 2, 2, 1, &word))
		reply_field(c, word, c->argv[2]);
}

static void cmd_hmget(struct call *c)
{
	uint64_t word;

	if (!hash_read(c, 2, c->argc - 1, 1, &word))
		return;
	reply_array(c->reply, (size_t)c->argc - 2);
	for (int i = 2; i < c->argc; i++)
		reply_field(c, word, c->argv[i]);
}

static void cmd_hexists(struct call *c)
{
	char buf[NUM_BUF];
	struct bytes value;
	uint64_t word;

	if (hash_read(c, 2, 2, 1, &word))
		reply_int(c->reply, field_value(c, word, c->argv[2], buf, &value));
}

static void cmd_hstrlen(struct call *c)
{
	char buf[NUM_BUF];
	struct bytes value;
	uint64_t word;

	if (hash_read(c, 2, 2, 1, &word))
		reply_int(c->reply,
			  field_value(c, word, c->argv[2], buf, &value) ? (int64_t)value.n : 0);
}

/* --- whole hashes --- */

/* Fields past their time count until they are removed, as in Redis. */
static void cmd_hlen(struct call *c)
{
	uint64_t word;

	if (call_read(c, 1, VALUE_HASH, &word))
		reply_int(c->reply, word ? (int64_t)hash_count(entry_container(word)) : 0);
}

static void reply_pairs(struct call *c, bool fields, bool values)
{
	struct hash_iter it;
	struct bytes field, value;
	uint64_t word;

	if (!call_read(c, 1, VALUE_HASH, &word))
		return;
	struct hash *h = word ? entry_container(word) : NULL;
	size_t n = h ? hash_count(h) - hash_stale(h, hash_now(c)) : 0;
	if (fields && values)
		reply_map(c->reply, n);
	else
		reply_array(c->reply, n);
	if (!h)
		return;
	hash_iter_begin_live(&it, h, hash_now(c));
	while (hash_iter_next(&it, &field, &value)) {
		if (fields)
			reply_bulk(c->reply, field);
		if (values)
			reply_bulk(c->reply, value);
	}
	hash_iter_end(&it);
}

static void cmd_hgetall(struct call *c)
{
	reply_pairs(c, true, true);
}

static void cmd_hkeys(struct call *c)
{
	reply_pairs(c, true, false);
}

static void cmd_hvals(struct call *c)
{
	reply_pairs(c, false, true);
}

static void scan_found(void *arg, struct bytes field, struct bytes value)
{
	struct scan *s = arg;

	if (!scan_wants(s, field))
		return;
	scan_add(s, field);
	if (!s->novalues)
		scan_add(s, value);
}

static void cmd_hscan(struct call *c)
{
	struct scan s;
	uint64_t word;

	if (!scan_cursor(c, 2, &s) || !call_read(c, 1, VALUE_HASH, &word))
		return;
	if (!word) {
		scan_reply_empty(c);
		return;
	}
	if (!scan_options(c, 3, SCAN_HASH, &s))
		return;
	do
		s.cursor = hash_scan(entry_container(word), s.cursor, hash_now(c), scan_found, &s);
	while (scan_more(&s));
	scan_reply(c, &s);
}

/* --- table --- */

const struct command hash_commands[] = {
	{.name = "hset",
	 .run = cmd_hset,
	 .arity = -4,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_HASH,
	 .keys = {KEYS_AT(KEY_RW | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Set fields of a hash",
	 .since = "2.0.0",
	 .group = "hash",
	 .complexity = "O(N), N fields given",
	 .syntax = "key field value [field value ...]"},
	{.name = "hsetnx",
	 .run = cmd_hsetnx,
	 .arity = 4,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_HASH,
	 .keys = {KEYS_AT(KEY_RW | KEY_INSERT, 1, 0, 1)},
	 .summary = "Set a field of a hash unless it is there",
	 .since = "2.0.0",
	 .group = "hash",
	 .complexity = "O(1)",
	 .syntax = "key field value"},
	{.name = "hmset",
	 .run = cmd_hmset,
	 .arity = -4,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_HASH,
	 .keys = {KEYS_AT(KEY_RW | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Set fields of a hash",
	 .since = "2.0.0",
	 .group = "hash",
	 .deprecated_since = "4.0.0",
	 .replaced_by = "`HSET` with multiple field-value pairs",
	 .complexity = "O(N), N fields given",
	 .syntax = "key field value [field value ...]"},
	{.name = "hget",
	 .run = cmd_hget,
	 .arity = 3,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_HASH,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Read a field of a hash",
	 .since = "2.0.0",
	 .group = "hash",
	 .complexity = "O(1)",
	 .syntax = "key field"},
	{.name = "hmget",
	 .run = cmd_hmget,
	 .arity = -3,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_HASH,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Read several fields of a hash",
	 .since = "2.0.0",
	 .group = "hash",
	 .complexity = "O(N), N fields asked for",
	 .syntax = "key field [field ...]"},
	{.name = "hgetall",
	 .run = cmd_hgetall,
	 .arity = 2,
	 .flags = CMD_READONLY,
	 .categories = CAT_HASH,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "List the fields and values of a hash",
	 .since = "2.0.0",
	 .group = "hash",
	 .complexity = "O(N), N the size of the hash",
	 .syntax = "key",
	 .tips = (const char *const[]){"nondeterministic_output_order", NULL}},
	{.name = "hdel",
	 .run = cmd_hdel,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_HASH,
	 .keys = {KEYS_AT(KEY_RW | KEY_DELETE, 1, 0, 1)},
	 .summary = "Remove fields from a hash",
	 .since = "2.0.0",
	 .group = "hash",
	 .complexity = "O(N), N fields given",
	 .syntax = "key field [field ...]"},
	{.name = "hlen",
	 .run = cmd_hlen,
	 .arity = 2,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_HASH,
	 .keys = {KEYS_AT(KEY_RO, 1, 0, 1)},
	 .summary = "Tell how many fields a hash has",
	 .since = "2.0.0",
	 .group = "hash",
	 .complexity = "O(1)",
	 .syntax = "key"},
	{.name = "hexists",
	 .run = cmd_hexists,
	 .arity = 3,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_HASH,
	 .keys = {KEYS_AT(KEY_RO, 1, 0, 1)},
	 .summary = "Ask whether a hash has a field",
	 .since = "2.0.0",
	 .group = "hash",
	 .complexity = "O(1)",
	 .syntax = "key field"},
	{.name = "hkeys",
	 .run = cmd_hkeys,
	 .arity = 2,
	 .flags = CMD_READONLY,
	 .categories = CAT_HASH,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "List the fields of a hash",
	 .since = "2.0.0",
	 .group = "hash",
	 .complexity = "O(N), N the size of the hash",
	 .syntax = "key",
	 .tips = (const char *const[]){"nondeterministic_output_order", NULL}},
	{.name = "hvals",
	 .run = cmd_hvals,
	 .arity = 2,
	 .flags = CMD_READONLY,
	 .categories = CAT_HASH,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "List the values of a hash",
	 .since = "2.0.0",
	 .group = "hash",
	 .complexity = "O(N), N the size of the hash",
	 .syntax = "key",
	 .tips = (const char *const[]){"nondeterministic_output_order", NULL}},
	{.name = "hstrlen",
	 .run = cmd_hstrlen,
	 .arity = 3,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_HASH,
	 .keys = {KEYS_AT(KEY_RO, 1, 0, 1)},
	 .summary = "Tell how long the value of a field is",
	 .since = "3.2.0",
	 .group = "hash",
	 .complexity = "O(1)",
	 .syntax = "key field"},
	{.name = "hincrby",
	 .run = hash_cmd_hincrby,
	 .arity = 4,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_HASH,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Add to the integer in a field",
	 .since = "2.0.0",
	 .group = "hash",
	 .complexity = "O(1)",
	 .syntax = "key field increment"},
	{.name = "hincrbyfloat",
	 .run = hash_cmd_hincrbyfloat,
	 .arity = 4,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_HASH,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Add to the number in a field",
	 .since = "2.6.0",
	 .group = "hash",
	 .complexity = "O(1)",
	 .syntax = "key field increment:double"},
	{.name = "hrandfield",
	 .run = hash_cmd_hrandfield,
	 .arity = -2,
	 .flags = CMD_READONLY,
	 .categories = CAT_HASH,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Pick random fields of a hash",
	 .since = "6.2.0",
	 .group = "hash",
	 .complexity = "O(N), N fields picked",
	 .syntax = "key [options: count [WITHVALUES]]",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = "hscan",
	 .run = cmd_hscan,
	 .arity = -3,
	 .flags = CMD_READONLY,
	 .categories = CAT_HASH,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "List the fields and values of a hash step by step",
	 .since = "2.8.0",
	 .group = "hash",
	 .complexity = "O(1) a call, O(N) for a whole iteration",
	 .syntax = "key cursor [MATCH pattern] [COUNT count] [NOVALUES@7.4.0]",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = NULL},
};
