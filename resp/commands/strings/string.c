/* The string commands that bind, read and drop whole values. */
#include "resp/commands/strings/string.h"

#include "resp/commands/commands.h"
#include "resp/commands/keys/expiry.h"
#include "store/base/num.h"

/* Values below this are copied into the entry anyway: no use asking whether they came in a block of their own. */
#define STRING_ADOPT_MIN 4096

static const struct bytes word_set = {"SET", 3};

/* --- reading --- */

void string_reply(struct call *c, uint64_t word)
{
	switch (word_enc(word)) {
	case ENTRY_INLINE:
		reply_bulk(c->reply, varkey_get(entry_value(word)));
		return;
	case ENTRY_INT:
		reply_bulk_int(c->reply, entry_int(word));
		return;
	case ENTRY_BLOB:
		reply_blob(c->reply, entry_blob(word));
		return;
	}
}

/* GET's work: false when the key holds another type, which is replied. */
static bool get(struct call *c, uint64_t *word)
{
	if (!call_read(c, 1, VALUE_STRING, word))
		return false;
	if (*word)
		string_reply(c, *word);
	else
		reply_null(c->reply);
	return true;
}

static void cmd_get(struct call *c)
{
	uint64_t word;
	get(c, &word);
}

static void cmd_mget(struct call *c)
{
	reply_array(c->reply, (size_t)c->argc - 1);
	enum keyspace_lookup how =
		c->session->flags & SESSION_NO_TOUCH ? KEYSPACE_COUNT : KEYSPACE_TOUCH;
	for (int i = 1; i < c->argc; i++) {
		uint64_t word = keyspace_read(c->db, c->argv[i], how);
		if (word && word_type(word) == VALUE_STRING)
			string_reply(c, word);
		else
			reply_null(c->reply);
	}
}

/* --- SET --- */

enum set_option {
	SET_NX = 1 << 0,
	SET_XX = 1 << 1,
	SET_GET = 1 << 2,
	SET_KEEPTTL = 1 << 3,
	SET_EXPIRE = 1 << 4,
	SET_PERSIST = 1 << 5,
};

struct set_options {
	unsigned flags;
	enum expiry_unit unit;
	int expire_arg; /* argv index of the time */
};

/* Read the options from argv[@i] on; @allowed are those of this command. A syntax error is replied. */
static bool set_options_read(struct call *c, int i, unsigned allowed, struct set_options *o)
{
	for (; i < c->argc; i++) {
		struct bytes w = c->argv[i];
		enum expiry_unit unit;
		unsigned flag, against = SET_KEEPTTL | SET_EXPIRE | SET_PERSIST;
		if (bytes_is(w, "nx")) {
			flag = SET_NX;
			against = SET_XX;
		} else if (bytes_is(w, "xx")) {
			flag = SET_XX;
			against = SET_NX;
		} else if (bytes_is(w, "get")) {
			flag = SET_GET;
			against = 0;
		} else if (bytes_is(w, "keepttl")) {
			flag = SET_KEEPTTL;
			against &= ~(unsigned)SET_KEEPTTL;
		} else if (bytes_is(w, "persist")) {
			flag = SET_PERSIST;
			against &= ~(unsigned)SET_PERSIST;
		} else if (i + 1 < c->argc && expiry_unit_parse(w, &unit)) {
			flag = SET_EXPIRE;
			/* The same word may come again; the last one counts. */
			if (o->expire_arg && unit == o->unit)
				against &= ~(unsigned)SET_EXPIRE;
			o->unit = unit;
			o->expire_arg = ++i;
		} else {
			flag = 0;
		}
		if (!(flag & allowed) || (o->flags & against)) {
			call_syntax_error(c);
			return false;
		}
		o->flags |= flag;
	}
	return true;
}

/* Bind argv[1] to argv[@i]; false with the error replied. */
static bool bind(struct call *c, int i, unsigned flags, int64_t expire_at)
{
	struct bytes val = c->argv[i];
	if (val.n >= STRING_ADOPT_MIN) {
		struct blob *blob = call_take_blob(c, i);
		if (blob) {
			keyspace_set_blob(c->db, c->argv[1], blob, flags);
			if (expire_at >= 0)
				keyspace_expire(c->db, c->argv[1], expire_at);
			return true;
		}
	}
	uint64_t hash = string_key_hash(c);
	enum store_err err =
		expire_at < 0 ? keyspace_set_string_hashed(c->db, c->argv[1], hash, val, flags)
			      : keyspace_set_string_expire(c->db, c->argv[1], hash, val, flags,
							   expire_at);
	if (!err)
		return true;
	call_error(c, err);
	return false;
}

/* "SET argv[1] argv[@i] PXAT @at_ms" for the journal: a time from now would drift. */
static void journal_set_at(struct call *c, int i, int64_t at_ms)
{
	char buf[NUM_BUF];
	struct bytes words[5] = {word_set, c->argv[1], c->argv[i], BYTES("PXAT"),
				 bytes_of(buf, num_format_int(buf, at_ms))};
	call_effect(c, 5, words);
}

/* SET with GET, as what it did: a replica has no use for the answer. */
static void journal_set_without_get(struct call *c, bool keepttl)
{
	struct bytes words[4] = {word_set, c->argv[1], c->argv[2], BYTES("KEEPTTL")};
	call_effect(c, keepttl ? 4 : 3, words);
}

static void set_with_options(struct call *c)
{
	struct set_options o = {0};
	if (!set_options_read(c, 3, SET_NX | SET_XX | SET_GET | SET_KEEPTTL | SET_EXPIRE, &o))
		return;
	int64_t at = -1;
	if ((o.flags & SET_EXPIRE) && !expiry_read(c, o.expire_arg, o.unit, true, &at))
		return;
	uint64_t mark = c->reply->total;
	uint64_t old;
	if ((o.flags & SET_GET) && !get(c, &old))
		return;
	if (o.flags & (SET_NX | SET_XX)) {
		bool found = o.flags & SET_GET ? old != 0
					       : keyspace_write_hashed(c->db, c->argv[1],
								       string_key_hash(c)) != NULL;
		if (found ? o.flags & SET_NX : o.flags & SET_XX) {
			if (!(o.flags & SET_GET))
				reply_null(c->reply);
			return;
		}
	}
	unsigned flags = (o.flags & SET_KEEPTTL ? KEYSPACE_SET_KEEPTTL : 0) |
			 (c->file_flags & CALL_FILE_NEWLINE ? KEYSPACE_SET_NEWLINE : 0);
	if (!bind(c, 2, flags, at)) {
		/* GET's answer stands in front of the error: one reply a command. */
		if (o.flags & SET_GET) {
			reply_truncate(c->reply, mark);
			call_error(c, STORE_ENOMEM);
		}
		return;
	}
	if (at >= 0)
		journal_set_at(c, 2, at);
	else if (o.flags & SET_GET)
		journal_set_without_get(c, o.flags & SET_KEEPTTL);
	call_changed(c, c->argv[1], NOTIFY_STRING, "set");
	if (at >= 0)
		call_event(c, c->db, c->argv[1], NOTIFY_GENERIC, "expire");
	if (!(o.flags & SET_GET))
		reply_ok(c->reply);
}

static void cmd_set(struct call *c)
{
	if (c->argc != 3) {
		set_with_options(c);
		return;
	}
	if (!bind(c, 2, c->file_flags & CALL_FILE_NEWLINE ? KEYSPACE_SET_NEWLINE : 0, -1))
		return;
	call_changed(c, c->argv[1], NOTIFY_STRING, "set");
	reply_ok(c->reply);
}

static void cmd_setnx(struct call *c)
{
	if (keyspace_write_hashed(c->db, c->argv[1], string_key_hash(c))) {
		reply_int(c->reply, 0);
		return;
	}
	if (!bind(c, 2, 0, -1))
		return;
	call_changed(c, c->argv[1], NOTIFY_STRING, "set");
	reply_int(c->reply, 1);
}

static void set_for(struct call *c, enum expiry_unit unit)
{
	int64_t at;
	if (!expiry_read(c, 2, unit, true, &at) || !bind(c, 3, 0, at))
		return;
	journal_set_at(c, 3, at);
	call_changed(c, c->argv[1], NOTIFY_STRING, "set");
	call_event(c, c->db, c->argv[1], NOTIFY_GENERIC, "expire");
	reply_ok(c->reply);
}

static void cmd_setex(struct call *c)
{
	set_for(c, EXPIRY_EX);
}

static void cmd_psetex(struct call *c)
{
	set_for(c, EXPIRY_PX);
}

static void cmd_getset(struct call *c)
{
	uint64_t old, mark = c->reply->total;
	if (!get(c, &old))
		return;
	if (!bind(c, 2, 0, -1)) {
		reply_truncate(c->reply, mark);
		call_error(c, STORE_ENOMEM);
		return;
	}
	struct bytes words[3] = {word_set, c->argv[1], c->argv[2]};
	call_effect(c, 3, words);
	call_changed(c, c->argv[1], NOTIFY_STRING, "set");
}

/* --- several keys --- */

static bool pairs_whole(struct call *c)
{
	if (c->argc % 2 == 1)
		return true;
	reply_errorf(c->reply, "ERR wrong number of arguments for '%s' command", c->cmd->name);
	return false;
}

/* Bind every pair; false, with the error replied, when one could not be (the ones before it stay, and are journalled). */
static bool set_pairs(struct call *c)
{
	for (int i = 1; i < c->argc; i += 2) {
		enum store_err err = keyspace_set_string(c->db, c->argv[i], c->argv[i + 1], 0);
		if (err) {
			if (i > 1)
				call_effect(c, i, c->argv);
			call_error(c, err);
			return false;
		}
		call_changed(c, c->argv[i], NOTIFY_STRING, "set");
	}
	return true;
}

static void cmd_mset(struct call *c)
{
	if (pairs_whole(c) && set_pairs(c))
		reply_ok(c->reply);
}

static void cmd_msetnx(struct call *c)
{
	if (!pairs_whole(c))
		return;
	for (int i = 1; i < c->argc; i += 2) {
		if (keyspace_write(c->db, c->argv[i])) {
			reply_int(c->reply, 0);
			return;
		}
	}
	if (set_pairs(c))
		reply_int(c->reply, 1);
}

/* --- read and change --- */

static void cmd_getdel(struct call *c)
{
	uint64_t word;
	if (!get(c, &word) || !word)
		return;
	keyspace_delete(c->db, c->argv[1],
			c->db->ks->policy.lazy_user_del ? KEYSPACE_FREE_LAZY : KEYSPACE_FREE_NOW);
	struct bytes words[2] = {BYTES("DEL"), c->argv[1]};
	call_effect(c, 2, words);
	call_changed(c, c->argv[1], NOTIFY_GENERIC, "del");
}

static void cmd_getex(struct call *c)
{
	struct set_options o = {0};
	uint64_t word;
	if (!set_options_read(c, 2, SET_EXPIRE | SET_PERSIST, &o) ||
	    !call_read(c, 1, VALUE_STRING, &word))
		return;
	if (!word) {
		reply_null(c->reply);
		return;
	}
	int64_t at = -1;
	if ((o.flags & SET_EXPIRE) && !expiry_read(c, o.expire_arg, o.unit, true, &at))
		return;
	string_reply(c, word);
	if (o.flags & SET_EXPIRE) {
		if (at <= c->db->ks->now_ms && (o.unit == EXPIRY_EXAT || o.unit == EXPIRY_PXAT)) {
			expiry_delete(c);
			return;
		}
		keyspace_expire(c->db, c->argv[1], at);
		expiry_journal(c, at);
		call_changed(c, c->argv[1], NOTIFY_GENERIC, "expire");
	} else if ((o.flags & SET_PERSIST) && entry_expiry(word) >= 0) {
		keyspace_expire(c->db, c->argv[1], -1);
		struct bytes words[2] = {BYTES("PERSIST"), c->argv[1]};
		call_effect(c, 2, words);
		call_changed(c, c->argv[1], NOTIFY_GENERIC, "persist");
	}
}

/* With GET the key is read too. */
static uint32_t set_keyflags(int argc, const struct bytes *argv)
{
	for (int i = 3; i < argc; i++)
		if (bytes_is(argv[i], "get"))
			return KEY_RW | KEY_ACCESS | KEY_UPDATE;
	return KEY_OW | KEY_UPDATE;
}

/* --- the table --- */

const struct command string_commands[] = {
	{.name = "set",
	 .run = cmd_set,
	 .keyflags = set_keyflags,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE_FLAGS, 1, 0, 1)},
	 .summary = "Bind a key to a string, whatever it held; optionally only if it exists or "
		    "not, with an expiry, answering the old value",
	 .since = "1.0.0",
	 .group = "string",
	 .complexity = "O(1)",
	 .syntax = "key value [condition@2.6.12: NX|XX] [GET@6.2.0] [expiration: EX "
		   "seconds@2.6.12|PX milliseconds@2.6.12|EXAT unix-time-seconds@6.2.0|PXAT "
		   "unix-time-milliseconds@6.2.0|KEEPTTL@6.0.0]"},
	{.name = "get",
	 .run = cmd_get,
	 .arity = 2,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Answer the string a key holds",
	 .since = "1.0.0",
	 .group = "string",
	 .complexity = "O(1)",
	 .syntax = "key"},
	{.name = "getset",
	 .run = cmd_getset,
	 .arity = 3,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Bind a key to a new string and answer the old one",
	 .since = "1.0.0",
	 .group = "string",
	 .deprecated_since = "6.2.0",
	 .replaced_by = "`SET` with `GET`",
	 .complexity = "O(1)",
	 .syntax = "key value"},
	{.name = "getdel",
	 .run = cmd_getdel,
	 .arity = 2,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_DELETE, 1, 0, 1)},
	 .summary = "Answer a string and delete its key",
	 .since = "6.2.0",
	 .group = "string",
	 .complexity = "O(1)",
	 .syntax = "key"},
	{.name = "getex",
	 .run = cmd_getex,
	 .arity = -2,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Answer a string and change its key's expiry",
	 .since = "6.2.0",
	 .group = "string",
	 .complexity = "O(1)",
	 .syntax = "key [expiration: EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT "
		   "unix-time-milliseconds|PERSIST]"},
	{.name = "setnx",
	 .run = cmd_setnx,
	 .arity = 3,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_OW | KEY_INSERT, 1, 0, 1)},
	 .summary = "Bind a key to a string unless the key exists",
	 .since = "1.0.0",
	 .group = "string",
	 .complexity = "O(1)",
	 .syntax = "key value"},
	{.name = "setex",
	 .run = cmd_setex,
	 .arity = 4,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_OW | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Bind a key to a string for so many seconds",
	 .since = "2.0.0",
	 .group = "string",
	 .complexity = "O(1)",
	 .syntax = "key seconds value"},
	{.name = "psetex",
	 .run = cmd_psetex,
	 .arity = 4,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_OW | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Bind a key to a string for so many milliseconds",
	 .since = "2.6.0",
	 .group = "string",
	 .complexity = "O(1)",
	 .syntax = "key milliseconds value"},
	{.name = "mset",
	 .run = cmd_mset,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_OW | KEY_UPDATE, 1, -1, 2)},
	 .summary = "Bind several keys to strings in one step",
	 .since = "1.0.1",
	 .group = "string",
	 .complexity = "O(N), N keys",
	 .syntax = "key value [key value ...]",
	 .tips = (const char *const[]){"request_policy:multi_shard",
				       "response_policy:all_succeeded", NULL}},
	{.name = "msetnx",
	 .run = cmd_msetnx,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_OW | KEY_INSERT, 1, -1, 2)},
	 .summary = "Bind several keys to strings, all or none: none if one of them exists",
	 .since = "1.0.1",
	 .group = "string",
	 .complexity = "O(N), N keys",
	 .syntax = "key value [key value ...]",
	 .tips = (const char *const[]){"request_policy:multi_shard", "response_policy:agg_min",
				       NULL}},
	{.name = "mget",
	 .run = cmd_mget,
	 .arity = -2,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, -1, 1)},
	 .summary = "Answer the strings of several keys",
	 .since = "1.0.0",
	 .group = "string",
	 .complexity = "O(N), N keys",
	 .syntax = "key [key ...]",
	 .tips = (const char *const[]){"request_policy:multi_shard", NULL}},
	{.name = "append",
	 .run = string_append,
	 .arity = 3,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_RW | KEY_INSERT, 1, 0, 1)},
	 .summary = "Add bytes to the end of a string",
	 .since = "2.0.0",
	 .group = "string",
	 .complexity = "O(1) amortized for small additions",
	 .syntax = "key value"},
	{.name = "strlen",
	 .run = string_strlen,
	 .arity = 2,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_RO, 1, 0, 1)},
	 .summary = "Answer the length of a string in bytes",
	 .since = "2.2.0",
	 .group = "string",
	 .complexity = "O(1)",
	 .syntax = "key"},
	{.name = "setrange",
	 .run = string_setrange,
	 .arity = 4,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_RW | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Overwrite a part of a string, padding it with zero bytes where it is short",
	 .since = "2.2.0",
	 .group = "string",
	 .complexity = "O(M), M the length of the value",
	 .syntax = "key offset value"},
	{.name = "getrange",
	 .run = string_getrange,
	 .arity = 4,
	 .flags = CMD_READONLY,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Answer a part of a string",
	 .since = "2.4.0",
	 .group = "string",
	 .complexity = "O(N), N the length of the answer",
	 .syntax = "key start end"},
	{.name = "substr",
	 .run = string_getrange,
	 .arity = 4,
	 .flags = CMD_READONLY,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Answer a part of a string (the old name of GETRANGE)",
	 .since = "1.0.0",
	 .group = "string",
	 .deprecated_since = "2.0.0",
	 .replaced_by = "`GETRANGE`",
	 .complexity = "O(N), N the length of the answer",
	 .syntax = "key start end"},
	{.name = "incr",
	 .run = string_incr,
	 .arity = 2,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Add one to a number",
	 .since = "1.0.0",
	 .group = "string",
	 .complexity = "O(1)",
	 .syntax = "key"},
	{.name = "decr",
	 .run = string_decr,
	 .arity = 2,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Subtract one from a number",
	 .since = "1.0.0",
	 .group = "string",
	 .complexity = "O(1)",
	 .syntax = "key"},
	{.name = "incrby",
	 .run = string_incrby,
	 .arity = 3,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Add to an integer",
	 .since = "1.0.0",
	 .group = "string",
	 .complexity = "O(1)",
	 .syntax = "key increment"},
	{.name = "decrby",
	 .run = string_decrby,
	 .arity = 3,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Subtract from an integer",
	 .since = "1.0.0",
	 .group = "string",
	 .complexity = "O(1)",
	 .syntax = "key decrement"},
	{.name = "incrbyfloat",
	 .run = string_incrbyfloat,
	 .arity = 3,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Add to a floating-point number",
	 .since = "2.6.0",
	 .group = "string",
	 .complexity = "O(1)",
	 .syntax = "key increment:double"},
	{.name = "lcs",
	 .run = string_lcs,
	 .arity = -3,
	 .flags = CMD_READONLY,
	 .categories = CAT_STRING,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 1, 1)},
	 .summary = "Answer the longest common subsequence of two strings",
	 .since = "7.0.0",
	 .group = "string",
	 .complexity = "O(N*M), N and M the lengths of the strings",
	 .syntax = "key1:key key2:key [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]"},
	{.name = NULL},
};
