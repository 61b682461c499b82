/* EVAL EVALSHA, their read-only forms, and SCRIPT. */
#include "resp/commands/commands.h"
#include "resp/scripts/scripts.h"
#include "resp/server.h"

static void cmd_eval(struct call *c)
{
	scripts_eval(c, false, false);
}

static void cmd_eval_ro(struct call *c)
{
	scripts_eval(c, false, true);
}

static void cmd_evalsha(struct call *c)
{
	scripts_eval(c, true, false);
}

static void cmd_evalsha_ro(struct call *c)
{
	scripts_eval(c, true, true);
}

static void cmd_script_load(struct call *c)
{
	scripts_load(c, c->argv[2]);
}

static void cmd_script_exists(struct call *c)
{
	reply_array(c->reply, (size_t)c->argc - 2);
	for (int i = 2; i < c->argc; i++)
		reply_int(c->reply, scripts_exists(c->server->scripts, c->argv[i]));
}

/* Where the words stand, the cost does not: the interpreter goes as a whole. */
static void cmd_script_flush(struct call *c)
{
	if (c->argc > 3 ||
	    (c->argc == 3 && !bytes_is(c->argv[2], "async") && !bytes_is(c->argv[2], "sync"))) {
		reply_error(c->reply, "ERR SCRIPT FLUSH only support SYNC|ASYNC option");
		return;
	}
	scripts_flush(c->server->scripts);
	reply_ok(c->reply);
}

static void cmd_script_kill(struct call *c)
{
	scripts_kill(c, false);
}

static void cmd_script_debug(struct call *c)
{
	if (reply_pending(c->reply))
		reply_error(c->reply, "ERR SCRIPT DEBUG must be called outside a pipeline");
	else if (bytes_is(c->argv[2], "no"))
		reply_ok(c->reply);
	else if (bytes_is(c->argv[2], "yes") || bytes_is(c->argv[2], "sync"))
		reply_error(c->reply, "ERR the Lua debugger is not available in this server");
	else
		reply_error(c->reply, "ERR Use SCRIPT DEBUG YES/SYNC/NO");
}

static void cmd_script_help(struct call *c)
{
	static const char *const lines[] = {
		"DEBUG (YES|SYNC|NO)",
		"    Set the debug mode for subsequent scripts executed.",
		"EXISTS <sha1> [<sha1> ...]",
		"    Return information about the existence of the scripts in the script cache.",
		"FLUSH [ASYNC|SYNC]",
		"    Flush the Lua scripts cache. Very dangerous on replicas.",
		"    When called without the optional mode argument, the behavior is determined by "
		"the",
		"    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
		"    * ASYNC: Asynchronously flush the scripts cache.",
		"    * SYNC: Synchronously flush the scripts cache.",
		"KILL",
		"    Kill the currently executing Lua script.",
		"LOAD <script>",
		"    Load a script into the scripts cache without executing it.",
		NULL,
	};

	call_help(c, lines);
}

/* --- the table --- */

/* clang-format off */
#define EVAL_FLAGS (CMD_NOSCRIPT | CMD_STALE | CMD_SKIP_MONITOR | CMD_NO_MANDATORY_KEYS | CMD_MOVABLEKEYS | CMD_MAY_REPLICATE | CMD_SCRIPT)
#define EVAL_RO_FLAGS (CMD_READONLY | CMD_NOSCRIPT | CMD_STALE | CMD_SKIP_MONITOR | CMD_NO_MANDATORY_KEYS | CMD_MOVABLEKEYS | CMD_SCRIPT)
#define KEYS_OF_SCRIPT(key_flags) {{.flags = (key_flags), .begin = KEYS_BEGIN_INDEX, .index = 2, .find = KEYS_FIND_KEYNUM, .keynumidx = 0, .firstkey = 1, .keystep = 1}}

static const char *const all_nodes[] = {"request_policy:all_nodes", "response_policy:all_succeeded", NULL};
static const char *const one_shard[] = {"request_policy:all_shards", "response_policy:one_succeeded", NULL};
static const char *const and_shards[] = {"request_policy:all_shards", "response_policy:agg_logical_and", NULL};

static const struct command script_subcommands[] = {
	{.name = "debug", .run = cmd_script_debug, .arity = 3, .flags = CMD_NOSCRIPT, .categories = CAT_SCRIPTING,
	 .summary = "Have the scripts that follow run in the debugger, or not",
	 .since = "3.2.0", .group = "scripting", .complexity = "O(1)", .syntax = "<mode: YES|SYNC|NO>"},
	{.name = "exists", .run = cmd_script_exists, .arity = -3, .flags = CMD_NOSCRIPT, .categories = CAT_SCRIPTING,
	 .summary = "Tell which scripts are cached",
	 .since = "2.6.0", .group = "scripting", .complexity = "O(N), N digests", .syntax = "sha1 [sha1 ...]", .tips = and_shards},
	{.name = "flush", .run = cmd_script_flush, .arity = -2, .flags = CMD_NOSCRIPT, .categories = CAT_SCRIPTING,
	 .summary = "Forget all cached scripts",
	 .since = "2.6.0", .group = "scripting", .complexity = "O(N), N cached scripts", .syntax = "[async@6.2.0: ASYNC|SYNC]", .tips = all_nodes},
	{.name = "help", .run = cmd_script_help, .arity = 2, .flags = CMD_LOADING | CMD_STALE, .categories = CAT_SCRIPTING,
	 .summary = "Tell the subcommands",
	 .since = "5.0.0", .group = "scripting", .complexity = "O(1)"},
	{.name = "kill", .run = cmd_script_kill, .arity = 2, .flags = CMD_NOSCRIPT | CMD_ALLOW_BUSY, .categories = CAT_SCRIPTING,
	 .summary = "Stop the script that runs, if it wrote nothing yet",
	 .since = "2.6.0", .group = "scripting", .complexity = "O(1)", .tips = one_shard},
	{.name = "load", .run = cmd_script_load, .arity = 3, .flags = CMD_NOSCRIPT | CMD_STALE, .categories = CAT_SCRIPTING,
	 .summary = "Cache a script and answer its SHA1",
	 .since = "2.6.0", .group = "scripting", .complexity = "O(N), N bytes of script", .syntax = "script", .tips = all_nodes},
	{0},
};

const struct command script_commands[] = {
	{.name = "eval", .run = cmd_eval, .arity = -3, .flags = EVAL_FLAGS, .categories = CAT_SCRIPTING,
	 .keys = KEYS_OF_SCRIPT(KEY_RW | KEY_ACCESS | KEY_UPDATE),
	 .summary = "Run a script in Lua",
	 .since = "2.6.0", .group = "scripting", .complexity = "That of the script", .syntax = "script numkeys [key [key ...]] [arg [arg ...]]"},
	{.name = "eval_ro", .run = cmd_eval_ro, .arity = -3, .flags = EVAL_RO_FLAGS, .categories = CAT_SCRIPTING,
	 .keys = KEYS_OF_SCRIPT(KEY_RO | KEY_ACCESS),
	 .summary = "Run a script in Lua that must not write",
	 .since = "7.0.0", .group = "scripting", .complexity = "That of the script", .syntax = "script numkeys [key [key ...]] [arg [arg ...]]"},
	{.name = "evalsha", .run = cmd_evalsha, .arity = -3, .flags = EVAL_FLAGS, .categories = CAT_SCRIPTING,
	 .keys = KEYS_OF_SCRIPT(KEY_RW | KEY_ACCESS | KEY_UPDATE),
	 .summary = "Run a cached script by its SHA1",
	 .since = "2.6.0", .group = "scripting", .complexity = "That of the script", .syntax = "sha1 numkeys [key [key ...]] [arg [arg ...]]"},
	{.name = "evalsha_ro", .run = cmd_evalsha_ro, .arity = -3, .flags = EVAL_RO_FLAGS, .categories = CAT_SCRIPTING,
	 .keys = KEYS_OF_SCRIPT(KEY_RO | KEY_ACCESS),
	 .summary = "Run a cached script, which must not write, by its SHA1",
	 .since = "7.0.0", .group = "scripting", .complexity = "That of the script", .syntax = "sha1 numkeys [key [key ...]] [arg [arg ...]]"},
	{.name = "script", .arity = -2, .subcommands = script_subcommands,
	 .summary = "Cached scripts", .since = "2.6.0", .group = "scripting", .complexity = "Depends on the subcommand"},
	{0},
};
/* clang-format on */
