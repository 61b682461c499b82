/* resp/scripts/call.c - redis.call: a command out of a script. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "resp/acl/acl.h"
#include "resp/dispatch.h"
#include "resp/journal.h"
#include "resp/registry.h"
#include "resp/scripts/internal.h"
#include "resp/server.h"
#include "store/base/mem.h"
#include "store/base/num.h"

#define FEW_ARGS 24

/* --- arguments --- */

/* A number as a command should have it: a whole one without point and exponent. It stands in the Lua string that takes its place. */
static void number_to_string(lua_State *lua, int i)
{
	double v = lua_tonumber(lua, i);
	char text[NUM_BUF];
	size_t n;

	if (v >= -9007199254740992.0 && v <= 9007199254740992.0 && v == (double)(int64_t)v &&
	    !(v == 0 && signbit(v)))
		n = num_format_int(text, (int64_t)v);
	else
		n = num_format_double(text, v);
	lua_pushlstring(lua, text, n);
	lua_replace(lua, i);
}

/* The arguments of the function that runs, borrowed from its stack, in @few or in memory of the interpreter's. NULL with an error as
 * a table on the stack. */
static struct bytes *take_arguments(lua_State *lua, int argc, struct bytes *few)
{
	struct bytes *argv = few;

	if (argc == 0) {
		api_error(lua, "Please specify at least one argument for this redis lib call");
		return NULL;
	}
	for (int i = 1; i <= argc; i++) {
		int type = lua_type(lua, i);
		if (type == LUA_TNUMBER)
			number_to_string(lua, i);
		else if (type != LUA_TSTRING) {
			api_error(lua,
				  "Lua redis lib command arguments must be strings or integers");
			return NULL;
		}
	}
	if (argc > FEW_ARGS)
		argv = lua_newuserdata(lua, (size_t)argc * sizeof(*argv));
	for (int i = 0; i < argc; i++)
		argv[i].p = lua_tolstring(lua, i + 1, &argv[i].n);
	return argv;
}

/* --- may it? --- */

static bool arity_fits(const struct command *cmd, int argc)
{
	return cmd->arity >= 0 ? argc == cmd->arity : argc >= -cmd->arity;
}

/* What stands against a write, as long as the script has not written yet: it could not be stopped in its middle. */
static const char *write_refusal(const struct run *run, const struct command *cmd)
{
	const struct server *server = run->engine->home->server;

	if (run->read_only && cmd->flags & (CMD_WRITE | CMD_MAY_REPLICATE))
		return "Write commands are not allowed from read-only scripts.";
	if (!(cmd->flags & CMD_WRITE) || run->wrote)
		return NULL;
	return server->refuse_writes;
}

/* What the caller's rights say, as an error line in @buf, or NULL. */
static const char *acl_says(const struct run *run, const struct registered *reg, int argc,
			    const struct bytes *argv, char *buf, size_t n)
{
	struct session *caller = run->call->session;
	int arg = 0;
	enum acl_verdict verdict = acl_check(caller->user, reg, argc, argv, &arg);

	if (!verdict)
		return NULL;
	acl_denied(caller, verdict, ACL_LUA, reg, argv, arg);
	size_t used = (size_t)snprintf(buf, n, "NOPERM ACL failure in script: ");
	acl_sentence(verdict, caller->user, reg, argv[arg], false, buf + used, n - used);
	return buf;
}

/* What DEBUG SET-DISABLE-DENY-SCRIPTS does not open: a script inside a script, and the state of a client, which it has none of. */
static bool needs_a_client(const struct command *cmd)
{
	static const char *const groups[] = {"scripting", "transactions", "connection", "pubsub"};

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (strcmp(cmd->group, groups[i]) == 0)
			return true;
	return strcmp(cmd->name, "monitor") == 0 || strcmp(cmd->name, "shutdown") == 0;
}

/* Why this command cannot run, or NULL. In Redis's order. */
static const char *refusal(const struct run *run, const struct registered *reg, int argc,
			   const struct bytes *argv, char *buf, size_t n)
{
	const struct scripts *home = run->engine->home;

	if (!reg)
		return "Unknown Redis command called from script";
	const struct command *cmd = reg->cmd;
	if (!arity_fits(cmd, argc) || (cmd->subcommands && !cmd->run))
		return "Wrong number of args calling Redis command from script";
	if (cmd->flags & CMD_NOSCRIPT &&
	    (!home->server->debug.allow_all_in_scripts || needs_a_client(cmd)))
		return "This Redis command is not allowed from script";
	const char *why = NULL;
	if (run->call->session->flags & SESSION_RESTRICTED)
		why = acl_says(run, reg, argc, argv, buf, n);
	if (!why)
		why = write_refusal(run, cmd);
	if (why)
		return why;
	if (home->server->config.maxmemory && home->server->out_of_memory && !run->allow_oom &&
	    !run->wrote && cmd->flags & CMD_DENYOOM)
		return "OOM command not allowed when used memory > 'maxmemory'.";
	return NULL;
}

/* An error line of the dispatcher begins with its code; those of ours that have none get it. */
static void push_refusal(lua_State *lua, const char *why)
{
	char text[512];
	bool code = strncmp(why, "OOM ", 4) == 0 || strncmp(why, "MISCONF ", 8) == 0 ||
		    strncmp(why, "NOPERM ", 7) == 0 || strncmp(why, "READONLY ", 9) == 0 ||
		    strncmp(why, "NOREPLICAS ", 11) == 0;

	snprintf(text, sizeof(text), "%s%s", code ? "-" : "", why);
	api_error(lua, text);
}

/* --- running --- */

static void count_refusal(struct scripts *home, struct registered *reg, const char *code)
{
	struct registry *registry = home->server->registry;

	home->server->stats.total_error_replies++;
	registry_count_error(registry, code);
	if (reg)
		reg->stats.rejected++;
}

/* The one reply that waits in @r, in one piece. A long one that came in several is copied into the interpreter's memory. */
static struct bytes whole_reply(lua_State *lua, const struct reply *r)
{
	struct iovec iov[64];
	size_t n;

	if (!r->head)
		return bytes_of(r->buf + r->offset, r->len - r->offset);
	char *at = lua_newuserdata(lua, reply_pending(r));
	struct bytes whole = bytes_of(at, reply_pending(r));
	/* reply_iov shows the front alone: consume what was copied. */
	while (reply_pending(r)) {
		int used = reply_iov(r, iov, 64, &n);
		for (int i = 0; i < used; i++) {
			memcpy(at, iov[i].iov_base, iov[i].iov_len);
			at += iov[i].iov_len;
		}
		reply_consume((struct reply *)(uintptr_t)r, n);
	}
	return whole;
}

static void answer(lua_State *lua, struct scripts *home)
{
	struct bytes whole = whole_reply(lua, &home->reply);

	reply_to_lua(lua, whole.p, whole.n);
	if (whole.n && whole.p[0] == '-') {
		lua_pushboolean(lua, 1);
		lua_setfield(lua, -2, "ignore_error_stats_update");
	}
}

static void run_command(struct run *run, struct registered *reg, int argc, const struct bytes *argv)
{
	struct scripts *home = run->engine->home;
	struct journal *journal = home->server->journal;
	size_t total = 0;

	/* What an interrupted conversion left behind. */
	if (reply_pending(&home->reply))
		reply_consume(&home->reply, reply_pending(&home->reply));
	if (home->reply.cap > 65536)
		reply_shrink(&home->reply);
	for (int i = 0; i < argc; i++)
		total += argv[i].n;
	struct dispatch_item item = {.session = &home->session,
				     .argc = argc,
				     .argv = argv,
				     .big = total >= 1 << 20,
				     .reg = reg};
	home->reply.proto = (uint8_t)run->proto;
	if (reg->cmd->flags & CMD_WRITE)
		run->wrote = true;
	bool mute = !(run->targets & RUN_TARGET_AOF);
	if (mute)
		journal_mute(journal, true);
	dispatch_inner(&item);
	if (mute)
		journal_mute(journal, false);
}

static int fail(lua_State *lua, bool raise)
{
	return raise ? lua_error(lua) : 1;
}

static int call(lua_State *lua, bool raise)
{
	struct scripts *home = engine_of(lua)->home;
	struct run *run = home->run;
	struct bytes few[FEW_ARGS];
	int argc = lua_gettop(lua);

	if (!run) {
		api_error(lua, "redis.call/pcall can only be called inside a script invocation");
		return lua_error(lua);
	}
	struct bytes *argv = take_arguments(lua, argc, few);
	if (!argv)
		return fail(lua, raise);
	struct registered *reg = registry_resolve(home->server->registry, argc, argv);
	char buf[500];
	const char *why = refusal(run, reg, argc, argv, buf, sizeof(buf));
	if (why) {
		push_refusal(lua, why);
		lua_getfield(lua, -1, "err");
		char code[24];
		snprintf(code, sizeof(code), "%.*s", (int)strcspn(lua_tostring(lua, -1), " "),
			 lua_tostring(lua, -1));
		lua_pop(lua, 1);
		count_refusal(home, reg, code);
		lua_pushboolean(lua, 1);
		lua_setfield(lua, -2, "ignore_error_stats_update");
		return fail(lua, raise);
	}
	run_command(run, reg, argc, argv);
	answer(lua, home);
	if (raise && lua_istable(lua, -1)) {
		lua_pushliteral(lua, "err");
		lua_rawget(lua, -2);
		bool error = !lua_isnil(lua, -1);
		lua_pop(lua, 1);
		if (error)
			return lua_error(lua);
	}
	return 1;
}

int call_command(lua_State *lua)
{
	return call(lua, true);
}

int call_command_protected(lua_State *lua)
{
	return call(lua, false);
}

int call_acl_check(lua_State *lua)
{
	struct scripts *home = engine_of(lua)->home;
	struct bytes few[FEW_ARGS];
	int argc = lua_gettop(lua);

	if (!home->run) {
		api_error(lua, "redis.acl_check_cmd can only be called inside a script invocation");
		return lua_error(lua);
	}
	struct bytes *argv = take_arguments(lua, argc, few);
	if (!argv)
		return lua_error(lua);
	struct registered *reg = registry_resolve(home->server->registry, argc, argv);
	if (!reg) {
		api_error(lua, "Invalid command passed to redis.acl_check_cmd()");
		return lua_error(lua);
	}
	lua_pushboolean(lua, acl_check(home->run->call->session->user, reg, argc, argv, NULL) ==
				     ACL_ALLOWED);
	return 1;
}
