/* OBJECT: how a value is kept. */
#include "resp/commands/keys/keys.h"
#include "resp/server.h"

/* The word of argv[2]; an absent key is replied as null. */
static uint64_t subject(struct call *c)
{
	uint64_t word = keyspace_read(c->db, c->argv[2], KEYSPACE_SILENT);
	if (!word)
		reply_null(c->reply);
	return word;
}

static void object_encoding(struct call *c)
{
	uint64_t word = subject(c);
	if (word)
		reply_bulk_str(c->reply, entry_encoding(word));
}

/* Values are never shared between keys here. Of a small integer, which takes no memory beside its key, clients expect what Redis says of
 * the objects that it shares, unless each needs access bits of its own. */
static bool is_shared_by_redis(const struct call *c, uint64_t word)
{
	enum evict_policy p = c->server->config.maxmemory_policy;
	bool own_bits = p == EVICT_ALLKEYS_LRU || p == EVICT_ALLKEYS_LFU ||
			p == EVICT_VOLATILE_LRU || p == EVICT_VOLATILE_LFU;

	return word_type(word) == VALUE_STRING && word_enc(word) == ENTRY_INT &&
	       entry_int(word) >= 0 && entry_int(word) < 10000 &&
	       (!c->server->config.maxmemory || !own_bits);
}

static void object_refcount(struct call *c)
{
	uint64_t word = subject(c);

	if (word)
		reply_int(c->reply, is_shared_by_redis(c, word) ? INT32_MAX : 1);
}

static void object_idletime(struct call *c)
{
	uint64_t word = subject(c);
	if (!word)
		return;
	if (c->db->ks->policy.lfu)
		reply_error(
			c->reply,
			"ERR An LFU maxmemory policy is selected, idle time not tracked. Please "
			"note that when switching between policies at runtime LRU and LFU data "
			"will take some time to adjust.");
	else
		reply_int(c->reply, keyspace_idle_seconds(c->db->ks, word));
}

static void object_freq(struct call *c)
{
	uint64_t word = subject(c);
	if (!word)
		return;
	if (!c->db->ks->policy.lfu)
		reply_error(c->reply,
			    "ERR An LFU maxmemory policy is not selected, access frequency not "
			    "tracked. Please note that when switching between policies at runtime "
			    "LRU and LFU data will take some time to adjust.");
	else
		reply_int(c->reply, keyspace_freq(c->db->ks, word));
}

static void object_help(struct call *c)
{
	static const char *const lines[] = {
		"ENCODING <key>",
		"    Return how the value of <key> is kept in memory.",
		"FREQ <key>",
		"    Return the logarithmic access counter of <key>; needs an LFU policy.",
		"IDLETIME <key>",
		"    Return the seconds since <key> was last accessed; needs a policy without LFU.",
		"REFCOUNT <key>",
		"    Return how many references the value of <key> has.",
		NULL,
	};
	call_help(c, lines);
}

const struct command object_subcommands[] = {
	{.name = "encoding",
	 .run = object_encoding,
	 .arity = 3,
	 .flags = CMD_READONLY,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RO, 2, 0, 1)},
	 .summary = "Answer how a value is kept in memory",
	 .since = "2.2.3",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "key",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = "freq",
	 .run = object_freq,
	 .arity = 3,
	 .flags = CMD_READONLY,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RO, 2, 0, 1)},
	 .summary = "Answer the access counter of a key",
	 .since = "4.0.0",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "key",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = "help",
	 .run = object_help,
	 .arity = 2,
	 .flags = CMD_LOADING | CMD_STALE,
	 .categories = CAT_KEYSPACE,
	 .summary = "List the subcommands",
	 .since = "6.2.0",
	 .group = "generic",
	 .complexity = "O(1)"},
	{.name = "idletime",
	 .run = object_idletime,
	 .arity = 3,
	 .flags = CMD_READONLY,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RO, 2, 0, 1)},
	 .summary = "Answer how long a key was not accessed",
	 .since = "2.2.3",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "key",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = "refcount",
	 .run = object_refcount,
	 .arity = 3,
	 .flags = CMD_READONLY,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RO, 2, 0, 1)},
	 .summary = "Answer the reference count of a value",
	 .since = "2.2.3",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "key",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = NULL},
};
