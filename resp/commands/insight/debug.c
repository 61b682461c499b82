/* DEBUG: what test suites ask of a server, and the table of the family. */
#include "resp/commands/insight/debug.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "resp/commands/commands.h"
#include "resp/commands/server/persist.h"
#include "resp/log.h"
#include "resp/server.h"
#include "store/base/glob.h"

static void debug_sleep(struct call *c)
{
	double s = 0;
	if (!call_double(c, 2, &s, NULL))
		return;
	if (s > 0) {
		/* A day is as long as anybody waits; the bound keeps the numbers in a time_t. */
		s = s > 86400 ? 86400 : s;
		struct timespec t = {(time_t)s, (long)((s - floor(s)) * 1e9)};
		nanosleep(&t, NULL);
	}
	reply_ok(c->reply);
}

static void debug_stringmatch_len(struct call *c)
{
	reply_int(c->reply, glob_match(c->argv[2], c->argv[3], false));
}

static void debug_error(struct call *c)
{
	struct bytes text = c->argv[2];
	reply_errorf(c->reply, "%.*s", text.n < 4096 ? (int)text.n : 4096, text.p);
}

static void debug_log(struct call *c)
{
	struct bytes text = c->argv[2];
	log_line(&c->server->config.log, LOG_LEVEL_WARNING, "DEBUG LOG: %.*s",
		 text.n < 4096 ? (int)text.n : 4096, text.p);
	reply_ok(c->reply);
}

/* --- PROTOCOL: one reply of each type --- */

static void protocol_string(struct reply *r)
{
	reply_bulk_str(r, "Hello World");
}

static void protocol_integer(struct reply *r)
{
	reply_int(r, 12345);
}

static void protocol_double(struct reply *r)
{
	reply_double(r, 3.141);
}

static void protocol_bignum(struct reply *r)
{
	reply_bignum(r, BYTES("1234567999999999999999999999999999999"));
}

static void protocol_array(struct reply *r)
{
	reply_array(r, 3);
	for (int i = 0; i < 3; i++)
		reply_int(r, i);
}

static void protocol_set(struct reply *r)
{
	reply_set(r, 3);
	for (int i = 0; i < 3; i++)
		reply_int(r, i);
}

static void protocol_map(struct reply *r)
{
	reply_map(r, 3);
	for (int i = 0; i < 3; i++) {
		reply_int(r, i);
		reply_bool(r, i == 1);
	}
}

static void protocol_attrib(struct reply *r)
{
	if (r->proto > 2) {
		reply_attribute(r, 1);
		reply_bulk_str(r, "key-popularity");
		reply_array(r, 2);
		reply_bulk_str(r, "key:123");
		reply_int(r, 90);
	}
	reply_bulk_str(r, "Some real reply following the attribute");
}

static void protocol_push(struct reply *r)
{
	if (r->proto < 3) {
		reply_error(r, "ERR RESP2 is not supported by this command");
		return;
	}
	reply_push(r, 2);
	reply_bulk_str(r, "server-cpu-usage");
	reply_int(r, 42);
	reply_bulk_str(r, "Some real reply following the push reply");
}

static void protocol_verbatim(struct reply *r)
{
	reply_verbatim(r, BYTES("This is a verbatim\nstring"), "txt");
}

static void protocol_true(struct reply *r)
{
	reply_bool(r, true);
}

static void protocol_false(struct reply *r)
{
	reply_bool(r, false);
}

static void debug_protocol(struct call *c)
{
	static const struct {
		const char *name;
		void (*write)(struct reply *r);
	} types[] = {
		{"string", protocol_string},
		{"integer", protocol_integer},
		{"double", protocol_double},
		{"bignum", protocol_bignum},
		{"null", reply_null},
		{"array", protocol_array},
		{"set", protocol_set},
		{"map", protocol_map},
		{"attrib", protocol_attrib},
		{"push", protocol_push},
		{"verbatim", protocol_verbatim},
		{"true", protocol_true},
		{"false", protocol_false},
	};
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (bytes_is(c->argv[2], types[i].name)) {
			types[i].write(c->reply);
			return;
		}
	}
	reply_error(
		c->reply,
		"ERR Wrong protocol type name. Please use one of the following: "
		"string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false");
}

/* --- the command --- */

static void debug_help(struct call *c);

static const struct {
	const char *name;
	int min, max; /* arguments, all words counted */
	void (*run)(struct call *c);
	const char *usage, *what;
} subcommands[] = {
	{"aof-flush-sleep", 3, 3, debug_aof_flush_sleep, "AOF-FLUSH-SLEEP <microsec>",
	 "Wait for so long before each write of the append-only log."},
	{"assert", 2, 2, debug_assert, "ASSERT", "End the process as a failed assertion does."},
	{"change-repl-id", 2, 2, debug_change_repl_id, "CHANGE-REPL-ID",
	 "Draw a new replication ID."},
	{"config-rewrite-force-all", 2, 2, debug_config_rewrite_all, "CONFIG-REWRITE-FORCE-ALL",
	 "CONFIG REWRITE of every directive, those that have their default too."},
	{"crash-and-recover", 2, 3, debug_crash_and_recover, "CRASH-AND-RECOVER [<milliseconds>]",
	 "Start anew after so long without saving anything."},
	{"dict-resizing", 3, 3, debug_dict_resizing, "DICT-RESIZING <0|1>",
	 "Keep the hash tables at their size, or let them grow and shrink."},
	{"digest", 2, 2, debug_digest, "DIGEST", "Return a fingerprint of the whole data set."},
	{"digest-value", 2, INT16_MAX, debug_digest_value, "DIGEST-VALUE <key> [<key> ...]",
	 "Return a fingerprint of each key's value."},
	{"error", 3, 3, debug_error, "ERROR <string>", "Reply with <string> as an error."},
	{"help", 2, 2, debug_help, NULL, NULL},
	{"htstats", 3, 4, debug_htstats, "HTSTATS <dbid> [full]",
	 "Return the state of a database's hash tables."},
	{"htstats-key", 3, 4, debug_htstats_key, "HTSTATS-KEY <key> [full]",
	 "Return the state of the hash table that a value is kept in."},
	{"leak", 3, 3, debug_leak, "LEAK <string>", "Lose as much memory as <string> takes."},
	{"listpack", 3, 3, debug_listpack, "LISTPACK <key>",
	 "Print the listpack of a value to the standard output."},
	{"loadaof", 2, 2, debug_loadaof, "LOADAOF",
	 "Empty the databases and build them again from the append-only log."},
	{"log", 3, 3, debug_log, "LOG <message>", "Write <message> to the log."},
	{"mallctl", 3, 4, debug_mallctl, "MALLCTL <key> [<val>]",
	 "Return one of the allocator's numbers, and set it."},
	{"mallctl-str", 3, 3, debug_mallctl_str, "MALLCTL-STR <key>",
	 "Return one of the allocator's strings."},
	{"object", 3, 4, debug_object, "OBJECT <key> [fast]", "Return how a key's value is kept."},
	{"oom", 2, 2, debug_oom, "OOM", "End the process as one that gets no memory does."},
	{"panic", 2, 2, debug_panic, "PANIC", "End the process as an impossible state does."},
	{"pause-cron", 3, 3, debug_pause_cron, "PAUSE-CRON <0|1>", "Stop the periodic work."},
	{"populate", 3, 5, debug_populate, "POPULATE <count> [<prefix>] [<size>]",
	 "Bind <prefix>:0 and so on, \"key\" by default, to strings of <size> bytes."},
	{"protocol", 3, 3, debug_protocol, "PROTOCOL <type>",
	 "Reply with a value of a type: string, integer, double, bignum, null, array, ..."},
	{"quicklist", 3, 4, debug_quicklist, "QUICKLIST <key> [<0|1>]",
	 "Print the nodes of a list to the standard output, with 1 their elements too."},
	{"quicklist-packed-threshold", 3, 3, debug_packed_threshold,
	 "QUICKLIST-PACKED-THRESHOLD <size>",
	 "Elements of lists from this size on stand by themselves; 0 for the usual."},
	{"reload", 2, 5, persist_debug_reload, "RELOAD [MERGE] [NOFLUSH] [NOSAVE]",
	 "Save, empty the databases and load again, leaving out what is said."},
	{"replybuffer", 4, 4, debug_replybuffer,
	 "REPLYBUFFER <PEAK-RESET-TIME <NEVER|RESET|time>|RESIZING <0|1>>",
	 "Set when an idle client's reply buffer is given back, or whether it is at all."},
	{"restart", 2, 3, debug_restart, "RESTART [<milliseconds>]",
	 "Save and start anew after so long."},
	{"sdslen", 3, 3, debug_sdslen, "SDSLEN <key>",
	 "Return how much memory a key and its string take."},
	{"segfault", 2, 2, debug_segfault, "SEGFAULT", "End the process by SIGSEGV."},
	{"set-active-expire", 3, 3, debug_set_active_expire, "SET-ACTIVE-EXPIRE <0|1>",
	 "Switch the removal of expired keys that nobody asks for."},
	{"set-disable-deny-scripts", 3, 3, debug_set_disable_deny_scripts,
	 "SET-DISABLE-DENY-SCRIPTS <0|1>", "Let scripts call every command."},
	{"set-skip-checksum-validation", 3, 3, debug_set_skip_checksum,
	 "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
	 "Take RDB files and RESTORE's payloads whatever their checksum is."},
	{"sleep", 3, 3, debug_sleep, "SLEEP <seconds>",
	 "Do nothing for so long, decimals allowed."},
	{"stringmatch-len", 4, 4, debug_stringmatch_len, "STRINGMATCH-LEN <pattern> <string>",
	 "Return whether <pattern> matches <string>."},
	{"stringmatch-test", 2, 2, debug_stringmatch_test, "STRINGMATCH-TEST",
	 "Match random strings with random patterns."},
	{"structsize", 2, 2, debug_structsize, "STRUCTSIZE", "Return the sizes of structures."},
};
#define NSUBCOMMANDS (sizeof(subcommands) / sizeof(*subcommands))

static void debug_help(struct call *c)
{
	const char *lines[2 * NSUBCOMMANDS + 1];
	char indented[NSUBCOMMANDS][128];
	size_t n = 0;
	for (size_t i = 0; i < NSUBCOMMANDS; i++) {
		if (!subcommands[i].usage)
			continue;
		snprintf(indented[i], sizeof(indented[i]), "    %s", subcommands[i].what);
		lines[n++] = subcommands[i].usage;
		lines[n++] = indented[i];
	}
	lines[n] = NULL;
	call_help(c, lines);
}

static void cmd_debug(struct call *c)
{
	for (size_t i = 0; i < NSUBCOMMANDS; i++) {
		if (bytes_is(c->argv[1], subcommands[i].name) && c->argc >= subcommands[i].min &&
		    c->argc <= subcommands[i].max) {
			subcommands[i].run(c);
			return;
		}
	}
	call_subcommand_error(c);
}

const struct command debug_commands[] = {
	{.name = "debug",
	 .syscmd = true,
	 .run = cmd_debug,
	 .arity = -2,
	 .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE | CMD_PROTECTED,
	 .summary = "Container of what test suites ask of a server",
	 .since = "1.0.0",
	 .group = "server",
	 .complexity = "Depends on the subcommand"},
	{.name = "memory",
	 .arity = -2,
	 .subcommands = memory_subcommands,
	 .summary = "Container of commands on memory",
	 .since = "4.0.0",
	 .group = "server",
	 .complexity = "Depends on the subcommand"},
	{.name = NULL},
};
