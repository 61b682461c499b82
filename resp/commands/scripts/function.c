/* FUNCTION, FCALL, FCALL_RO. */
#include "resp/commands/commands.h"
#include "resp/scripts/scripts.h"
#include "resp/server.h"

static void cmd_fcall(struct call *c)
{
	scripts_fcall(c, false);
}

static void cmd_fcall_ro(struct call *c)
{
	scripts_fcall(c, true);
}

static void cmd_load(struct call *c)
{
	bool replace = false;
	int i = 2;

	for (; i < c->argc - 1; i++) {
		if (!bytes_is(c->argv[i], "replace")) {
			int n = c->argv[i].n < 128 ? (int)c->argv[i].n : 128;
			reply_errorf(c->reply, "ERR Unknown option given: %.*s", n, c->argv[i].p);
			return;
		}
		replace = true;
	}
	scripts_function_load(c, c->argv[i], replace);
}

static void cmd_flush(struct call *c)
{
	if (c->argc > 3) {
		call_subcommand_error(c);
		return;
	}
	if (c->argc == 3 && !bytes_is(c->argv[2], "async") && !bytes_is(c->argv[2], "sync")) {
		reply_error(c->reply, "ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
		return;
	}
	scripts_function_flush(c);
}

/* Line ends at its end are blanks too: this is one of the errors that Redis does not trim. */
static void unknown_argument(struct call *c, struct bytes word)
{
	char shown[128];
	size_t n = word.n < sizeof(shown) ? word.n : sizeof(shown);

	for (size_t i = 0; i < n; i++)
		shown[i] = word.p[i] == '\r' || word.p[i] == '\n' ? ' ' : word.p[i];
	reply_errorf(c->reply, "ERR Unknown argument %.*s", (int)n, shown);
}

static void cmd_list(struct call *c)
{
	const struct bytes *pattern = NULL;
	bool code = false;

	for (int i = 2; i < c->argc; i++) {
		if (!code && bytes_is(c->argv[i], "withcode")) {
			code = true;
		} else if (!pattern && bytes_is(c->argv[i], "libraryname")) {
			if (++i >= c->argc) {
				reply_error(c->reply, "ERR library name argument was not given");
				return;
			}
			pattern = &c->argv[i];
		} else {
			unknown_argument(c, c->argv[i]);
			return;
		}
	}
	scripts_function_list(c, pattern, code);
}

static void cmd_restore(struct call *c)
{
	bool flush = false, replace = false;

	if (c->argc > 4) {
		call_subcommand_error(c);
		return;
	}
	if (c->argc == 4) {
		flush = bytes_is(c->argv[3], "flush");
		replace = bytes_is(c->argv[3], "replace");
		if (!flush && !replace && !bytes_is(c->argv[3], "append")) {
			reply_error(c->reply, "ERR Wrong restore policy given, value should be "
					      "either FLUSH, APPEND or REPLACE.");
			return;
		}
	}
	scripts_function_restore(c, c->argv[2], flush, replace);
}

static void cmd_kill(struct call *c)
{
	scripts_kill(c, true);
}

static void cmd_help(struct call *c)
{
	static const char *const lines[] = {
		"LOAD [REPLACE] <FUNCTION CODE>",
		"    Create a new library with the given library name and code.",
		"DELETE <LIBRARY NAME>",
		"    Delete the given library.",
		"LIST [LIBRARYNAME PATTERN] [WITHCODE]",
		"    Return general information on all the libraries:",
		"    * Library name",
		"    * The engine used to run the Library",
		"    * Library description",
		"    * Functions list",
		"    * Library code (if WITHCODE is given)",
		"    It also possible to get only function that matches a pattern using "
		"LIBRARYNAME argument.",
		"STATS",
		"    Return information about the current function running:",
		"    * Function name",
		"    * Command used to run the function",
		"    * Duration in MS that the function is running",
		"    If no function is running, return nil",
		"    In addition, returns a list of available engines.",
		"KILL",
		"    Kill the current running function.",
		"FLUSH [ASYNC|SYNC]",
		"    Delete all the libraries.",
		"    When called without the optional mode argument, the behavior is determined by "
		"the",
		"    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
		"    * ASYNC: Asynchronously flush the libraries.",
		"    * SYNC: Synchronously flush the libraries.",
		"DUMP",
		"    Return a serialized payload representing the current libraries, can be "
		"restored using FUNCTION RESTORE command",
		"RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
		"    Restore the libraries represented by the given payload, it is possible to "
		"give "
		"a restore policy to",
		"    control how to handle existing libraries (default APPEND):",
		"    * FLUSH: delete all existing libraries.",
		"    * APPEND: appends the restored libraries to the existing libraries. On "
		"collision, abort.",
		"    * REPLACE: appends the restored libraries to the existing libraries, On "
		"collision, replace the old",
		"      libraries with the new libraries (notice that even on this option there is "
		"a "
		"chance of failure",
		"      in case of functions name collision with another library).",
		NULL,
	};

	call_help(c, lines);
}

/* --- the table --- */

/* clang-format off */
#define FCALL_FLAGS (CMD_NOSCRIPT | CMD_STALE | CMD_SKIP_MONITOR | CMD_NO_MANDATORY_KEYS | CMD_MOVABLEKEYS | CMD_SCRIPT)
#define KEYS_OF_CALL(key_flags) {{.flags = (key_flags), .begin = KEYS_BEGIN_INDEX, .index = 2, .find = KEYS_FIND_KEYNUM, .keynumidx = 0, .firstkey = 1, .keystep = 1}}

static const char *const every_shard[] = {"request_policy:all_shards", "response_policy:all_succeeded", NULL};
static const char *const one_shard[] = {"request_policy:all_shards", "response_policy:one_succeeded", NULL};
static const char *const any_order[] = {"nondeterministic_output_order", NULL};
static const char *const special[] = {"nondeterministic_output", "request_policy:all_shards", "response_policy:special", NULL};

static const struct command function_subcommands[] = {
	{.name = "delete", .run = scripts_function_delete, .arity = 3, .flags = CMD_WRITE | CMD_NOSCRIPT, .categories = CAT_SCRIPTING,
	 .summary = "Take away a library and its functions",
	 .since = "7.0.0", .group = "scripting", .complexity = "O(1)", .syntax = "library-name", .tips = every_shard},
	{.name = "dump", .run = scripts_function_dump, .arity = 2, .flags = CMD_NOSCRIPT, .categories = CAT_SCRIPTING,
	 .summary = "Answer all libraries as one payload",
	 .since = "7.0.0", .group = "scripting", .complexity = "O(N), N functions"},
	{.name = "flush", .run = cmd_flush, .arity = -2, .flags = CMD_WRITE | CMD_NOSCRIPT, .categories = CAT_SCRIPTING,
	 .summary = "Take away all libraries",
	 .since = "7.0.0", .group = "scripting", .complexity = "O(N), N functions", .syntax = "[async: ASYNC|SYNC]", .tips = every_shard},
	{.name = "help", .run = cmd_help, .arity = 2, .flags = CMD_LOADING | CMD_STALE, .categories = CAT_SCRIPTING,
	 .summary = "Tell the subcommands", .since = "7.0.0", .group = "scripting", .complexity = "O(1)"},
	{.name = "kill", .run = cmd_kill, .arity = 2, .flags = CMD_NOSCRIPT | CMD_ALLOW_BUSY, .categories = CAT_SCRIPTING,
	 .summary = "Stop the function that runs, if it wrote nothing yet",
	 .since = "7.0.0", .group = "scripting", .complexity = "O(1)", .tips = one_shard},
	{.name = "list", .run = cmd_list, .arity = -2, .flags = CMD_NOSCRIPT, .categories = CAT_SCRIPTING,
	 .summary = "Tell the libraries and their functions",
	 .since = "7.0.0", .group = "scripting", .complexity = "O(N), N functions", .syntax = "[LIBRARYNAME library-name-pattern] [WITHCODE]", .tips = any_order},
	{.name = "load", .run = cmd_load, .arity = -3, .flags = CMD_WRITE | CMD_DENYOOM | CMD_NOSCRIPT, .categories = CAT_SCRIPTING,
	 .summary = "Bring a library",
	 .since = "7.0.0", .group = "scripting", .complexity = "O(1)", .syntax = "[REPLACE] function-code", .tips = every_shard},
	{.name = "restore", .run = cmd_restore, .arity = -3, .flags = CMD_WRITE | CMD_DENYOOM | CMD_NOSCRIPT, .categories = CAT_SCRIPTING,
	 .summary = "Bring the libraries of a payload",
	 .since = "7.0.0", .group = "scripting", .complexity = "O(N), N functions of the payload", .syntax = "serialized-value [policy: FLUSH|APPEND|REPLACE]", .tips = every_shard},
	{.name = "stats", .run = scripts_function_stats, .arity = 2, .flags = CMD_NOSCRIPT | CMD_ALLOW_BUSY, .categories = CAT_SCRIPTING,
	 .summary = "Tell which function runs, and how many there are",
	 .since = "7.0.0", .group = "scripting", .complexity = "O(1)", .tips = special},
	{0},
};

const struct command function_commands[] = {
	{.name = "fcall", .run = cmd_fcall, .arity = -3, .flags = FCALL_FLAGS | CMD_MAY_REPLICATE, .categories = CAT_SCRIPTING,
	 .keys = KEYS_OF_CALL(KEY_RW | KEY_ACCESS | KEY_UPDATE),
	 .summary = "Run a function",
	 .since = "7.0.0", .group = "scripting", .complexity = "That of the function", .syntax = "function numkeys [key [key ...]] [arg [arg ...]]"},
	{.name = "fcall_ro", .run = cmd_fcall_ro, .arity = -3, .flags = FCALL_FLAGS | CMD_READONLY, .categories = CAT_SCRIPTING,
	 .keys = KEYS_OF_CALL(KEY_RO | KEY_ACCESS),
	 .summary = "Run a function that must not write",
	 .since = "7.0.0", .group = "scripting", .complexity = "That of the function", .syntax = "function numkeys [key [key ...]] [arg [arg ...]]"},
	{.name = "function", .arity = -2, .subcommands = function_subcommands,
	 .summary = "Libraries of functions", .since = "7.0.0", .group = "scripting", .complexity = "Depends on the subcommand"},
	{0},
};
/* clang-format on */
