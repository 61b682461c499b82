/* Commands that write and read RDB: files, and values by DUMP and RESTORE. */
#include "resp/commands/server/persist.h"

#include "resp/commands/commands.h"
#include "resp/persist/aof/aof.h"
#include "resp/persist/snapshot.h"
#include "resp/server.h"
#include "store/base/keyhash.h"
#include "store/base/num.h"
#include "store/persist/rdb_load.h"
#include "store/persist/rdb_save.h"

/* --- files --- */

static void cmd_save(struct call *c)
{
	if (snapshot_running(c->server))
		reply_error(c->reply, "ERR Background save already in progress");
	else if (snapshot_save(c->server))
		reply_ok(c->reply);
	else
		reply_error(c->reply, "ERR");
}

static void cmd_bgsave(struct call *c)
{
	bool schedule = c->argc == 2 && bytes_is(c->argv[1], "schedule");

	if (c->argc > 1 && !schedule) {
		call_syntax_error(c);
		return;
	}
	if (snapshot_running(c->server)) {
		reply_error(c->reply, "ERR Background save already in progress");
	} else if (aof_rewrite_running(c->server) && !schedule) {
		reply_error(
			c->reply,
			"ERR Another child process is active (AOF?): can't BGSAVE right now. Use "
			"BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.");
	} else if (aof_rewrite_running(c->server)) {
		snapshot_schedule(c->server);
		reply_status(c->reply, "Background saving scheduled");
	} else if (snapshot_start(c->server)) {
		reply_status(c->reply, "Background saving started");
	} else {
		reply_error(c->reply, "ERR");
	}
}

static void cmd_bgrewriteaof(struct call *c)
{
	struct server *s = c->server;

	if (aof_rewrite_running(s)) {
		reply_error(c->reply,
			    "ERR Background append only file rewriting already in progress");
	} else if (snapshot_running(s)) {
		aof_rewrite_schedule(s);
		reply_status(c->reply, "Background append only file rewriting scheduled");
	} else if (aof_rewrite_start(s)) {
		reply_status(c->reply, "Background append only file rewriting started");
	} else {
		reply_error(c->reply,
			    "ERR Can't execute an AOF background rewriting. Please check the "
			    "server logs for more information.");
	}
}

static void cmd_lastsave(struct call *c)
{
	reply_int(c->reply, snapshot_last_save(c->server));
}

/* DEBUG RELOAD [MERGE] [NOFLUSH] [NOSAVE] */
void persist_debug_reload(struct call *c)
{
	bool save = true, flush = true, merge = false;

	for (int i = 2; i < c->argc; i++) {
		if (bytes_is(c->argv[i], "merge")) {
			merge = true;
		} else if (bytes_is(c->argv[i], "noflush")) {
			flush = false;
		} else if (bytes_is(c->argv[i], "nosave")) {
			save = false;
		} else {
			reply_error(c->reply, "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH "
					      "and NOSAVE options.");
			return;
		}
	}
	if (c->server->loading)
		reply_error(c->reply, "LOADING Redis is loading the dataset in memory");
	else if (snapshot_reload(c->server, save, flush, merge))
		reply_ok(c->reply);
	else
		reply_error(c->reply, "ERR Error trying to load the RDB dump, check server logs.");
}

/* --- DUMP --- */

static void cmd_dump(struct call *c)
{
	uint64_t word = keyspace_read(c->db, c->argv[1], KEYSPACE_TOUCH);
	struct rdb_out o;

	if (!word) {
		reply_null(c->reply);
		return;
	}
	rdb_out_init(&o, -1);
	o.compress = c->server->config.rdbcompression;
	rdb_dump(&o, word);
	if (o.error)
		call_error(c, STORE_ENOMEM);
	else
		reply_bulk(c->reply, bytes_of(o.buf, o.len));
	rdb_out_fini(&o);
}

/* --- RESTORE --- */

struct restore {
	int64_t ttl, idle, freq; /* idle and freq -1 when not given */
	bool replace, absolute;
};

static bool restore_options(struct call *c, struct restore *r)
{
	*r = (struct restore){.idle = -1, .freq = -1};
	for (int i = 4; i < c->argc; i++) {
		bool more = i + 1 < c->argc;
		if (bytes_is(c->argv[i], "replace")) {
			r->replace = true;
		} else if (bytes_is(c->argv[i], "absttl")) {
			r->absolute = true;
		} else if (bytes_is(c->argv[i], "idletime") && more && r->freq < 0) {
			if (!call_int(c, ++i, &r->idle))
				return false;
			if (r->idle < 0) {
				reply_error(c->reply, "ERR Invalid IDLETIME value, must be >= 0");
				return false;
			}
		} else if (bytes_is(c->argv[i], "freq") && more && r->idle < 0) {
			if (!call_int(c, ++i, &r->freq))
				return false;
			if (r->freq < 0 || r->freq > 255) {
				reply_error(c->reply,
					    "ERR Invalid FREQ value, must be >= 0 and <= 255");
				return false;
			}
		} else {
			call_syntax_error(c);
			return false;
		}
	}
	return true;
}

static bool restore_ttl(struct call *c, struct restore *r)
{
	if (!call_int(c, 2, &r->ttl))
		return false;
	if (r->ttl < 0) {
		reply_error(c->reply, "ERR Invalid TTL value, must be >= 0");
		return false;
	}
	return true;
}

/* Its time is over before it is there: only what stood at the key goes. */
static void restore_gone(struct call *c, bool deleted)
{
	struct bytes argv[] = {c->server->config.lazyfree_lazy_server_del ? BYTES("UNLINK")
									  : BYTES("DEL"),
			       c->argv[1]};

	if (deleted) {
		call_effect(c, 2, argv);
		call_changed(c, c->argv[1], NOTIFY_GENERIC, "del");
	}
	reply_ok(c->reply);
}

/* The journal gets the moment of expiry, not a time from now. */
static void restore_journal(struct call *c, const struct restore *r, int64_t expire_at)
{
	char at[NUM_BUF], used[NUM_BUF];
	int64_t access = r->idle >= 0 ? r->idle : r->freq;
	struct bytes argv[8] = {c->argv[0], c->argv[1], {0}, c->argv[3], BYTES("ABSTTL")};
	int n = 5;

	if (!r->ttl || r->absolute)
		return;
	argv[2] = bytes_of(at, num_format_int(at, expire_at));
	if (r->replace)
		argv[n++] = BYTES("REPLACE");
	if (access >= 0) {
		argv[n++] = r->idle >= 0 ? BYTES("IDLETIME") : BYTES("FREQ");
		argv[n++] = bytes_of(used, num_format_int(used, access));
	}
	call_effect(c, n, argv);
}

static bool restore_bind(struct call *c, const struct restore *r, int64_t expire_at,
			 struct rdb_value *v)
{
	uint64_t hash = keyhash(c->argv[1]);

	if (rdb_value_bind(c->db, c->argv[1], hash, v, expire_at)) {
		call_error(c, STORE_ENOMEM);
		return false;
	}
	uint64_t word = *table_find(&c->db->keys, c->argv[1], hash);
	if (r->idle >= 0)
		keyspace_set_idle(c->db->ks, word, (uint64_t)r->idle);
	if (r->freq >= 0)
		keyspace_set_freq(c->db->ks, word, (uint8_t)r->freq);
	return true;
}

static void restore_value(struct call *c, struct restore *r, struct rdb_value *v)
{
	int64_t now = c->db->ks->now_ms, expire_at = r->ttl ? r->ttl : -1;
	bool past = false;

	/* A time beyond all numbers has come round to long ago: so it is in Redis. */
	if (r->ttl && !r->absolute)
		past = __builtin_add_overflow(r->ttl, now, &expire_at);
	bool lazy = c->server->config.lazyfree_lazy_server_del;
	bool deleted = r->replace && keyspace_delete(c->db, c->argv[1],
						     lazy ? KEYSPACE_FREE_LAZY : KEYSPACE_FREE_NOW);
	if (past || (r->ttl && expire_at < now && !c->server->loading)) {
		rdb_value_drop(v);
		restore_gone(c, deleted);
	} else if (restore_bind(c, r, expire_at, v)) {
		restore_journal(c, r, expire_at);
		call_changed(c, c->argv[1], NOTIFY_GENERIC, "restore");
		reply_ok(c->reply);
	}
}

static void cmd_restore(struct call *c)
{
	struct restore r;
	struct rdb_value v;
	struct rdb_in in;

	if (!restore_options(c, &r))
		return;
	if (!r.replace && keyspace_write(c->db, c->argv[1])) {
		reply_error(c->reply, "BUSYKEY Target key name already exists.");
		return;
	}
	if (!restore_ttl(c, &r))
		return;
	if (!rdb_payload_verify(c->argv[3], !c->server->debug.skip_checksum)) {
		reply_error(c->reply, "ERR DUMP payload version or checksum are wrong");
		return;
	}
	if (rdb_payload_read(&in, c->argv[3], &c->server->config.limits, &v))
		restore_value(c, &r, &v);
	else
		reply_error(c->reply, "ERR Bad data format");
	rdb_in_fini(&in);
}

/* --- the table --- */

const struct command persist_commands[] = {
	{.name = "save",
	 .run = cmd_save,
	 .arity = 1,
	 .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_NO_ASYNC_LOADING | CMD_NO_MULTI,
	 .summary = "Write the data set to disk and wait for it",
	 .since = "1.0.0",
	 .group = "server",
	 .complexity = "O(N), N the keys of all databases"},
	{.name = "bgsave",
	 .run = cmd_bgsave,
	 .arity = -1,
	 .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_NO_ASYNC_LOADING,
	 .summary = "Write the data set to disk in the background",
	 .since = "1.0.0",
	 .group = "server",
	 .complexity = "O(1)",
	 .syntax = "[SCHEDULE@3.2.2]"},
	{.name = "bgrewriteaof",
	 .run = cmd_bgrewriteaof,
	 .arity = 1,
	 .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_NO_ASYNC_LOADING,
	 .summary = "Write a new base of the append-only log in the background",
	 .since = "1.0.0",
	 .group = "server",
	 .complexity = "O(1)"},
	{.name = "lastsave",
	 .run = cmd_lastsave,
	 .arity = 1,
	 .flags = CMD_LOADING | CMD_STALE | CMD_FAST,
	 .categories = CAT_ADMIN | CAT_DANGEROUS,
	 .summary = "Answer when the data set was last written to disk",
	 .since = "1.0.0",
	 .group = "server",
	 .complexity = "O(1)",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = "dump",
	 .run = cmd_dump,
	 .arity = 2,
	 .flags = CMD_READONLY,
	 .categories = CAT_KEYSPACE,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Answer a key's value in the form that RESTORE takes",
	 .since = "2.6.0",
	 .group = "generic",
	 .complexity = "O(1) to find the key, O(N*M) to write N elements of M bytes",
	 .syntax = "key",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = "restore",
	 .run = cmd_restore,
	 .arity = -4,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_KEYSPACE | CAT_DANGEROUS,
	 .keys = {KEYS_AT(KEY_OW | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Bind a key to a value that DUMP answered",
	 .since = "2.6.0",
	 .group = "generic",
	 .complexity = "O(1) to bind the key, O(N*M) to read N elements of M bytes",
	 .syntax = "key ttl:integer serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] "
		   "[IDLETIME seconds:integer@5.0.0] [FREQ frequency:integer@5.0.0]"},
	{.name = "restore-asking",
	 .syscmd = true,
	 .run = cmd_restore,
	 .arity = -4,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_ASKING,
	 .categories = CAT_KEYSPACE | CAT_DANGEROUS,
	 .keys = {KEYS_AT(KEY_OW | KEY_UPDATE, 1, 0, 1)},
	 .summary = "RESTORE of a key that moves between nodes of a cluster",
	 .since = "3.0.0",
	 .group = "server",
	 .complexity = "O(1) to bind the key, O(N*M) to read N elements of M bytes",
	 .syntax = "key ttl:integer serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] "
		   "[IDLETIME seconds@5.0.0] [FREQ frequency:integer@5.0.0]"},
	{.name = NULL},
};
