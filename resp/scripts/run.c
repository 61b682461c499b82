/* resp/scripts/run.c - a script on its way: begun, interrupted, ended. */
#include <stdio.h>
#include <string.h>

#include "resp/log.h"
#include "resp/net/busy.h"
#include "resp/registry.h"
#include "resp/scripts/internal.h"
#include "resp/server.h"
#include "resp/ticks.h"

/* The collector makes a step after so many scripts. */
#define STEP_EVERY 50
#define HOOK_EVERY 100000
/* A library may take so long to register its functions. */
#define LOAD_MAX_MS 500

/* --- may it run? --- */

#define BLOCKED                                                                                    \
	"currently unable to persist to disk. Writable scripts are blocked. Use 'no-writes' flag " \
	"for read only scripts."

/* Why a script that says what it does may not begin, as an error line; or NULL. */
static const char *flags_refusal(const struct run *run, char *buf, size_t n)
{
	const struct server *s = run->call->server;

	if (run->flags & SCRIPT_COMPAT)
		return NULL;
	if (!(run->flags & SCRIPT_NO_WRITES)) {
		const char *aof = s->refuse_writes ? strstr(s->refuse_writes, "AOF file: ") : NULL;
		if (aof) {
			snprintf(buf, n,
				 "MISCONF Redis is configured to persist data to AOF, but "
				 "it's " BLOCKED " AOF error: %s",
				 aof + strlen("AOF file: "));
			return buf;
		}
		if (s->refuse_writes && strncmp(s->refuse_writes, "MISCONF ", 8) != 0)
			return s->refuse_writes;
		if (s->refuse_writes)
			return "MISCONF Redis is configured to save RDB snapshots, but "
			       "it's " BLOCKED;
		if (run->read_only)
			return "ERR Can not execute a script with write flag using *_ro command.";
	}
	if (s->config.maxmemory && s->out_of_memory &&
	    !(run->flags & (SCRIPT_ALLOW_OOM | SCRIPT_NO_WRITES)))
		return "OOM allow-oom flag is not set on the script, can not run it when used "
		       "memory > 'maxmemory'";
	return NULL;
}

/* --- under the interpreter's protection --- */

static void push_strings(lua_State *lua, int n, const struct bytes *v)
{
	lua_createtable(lua, n, 0);
	for (int i = 0; i < n; i++) {
		lua_pushlstring(lua, v[i].p, v[i].n);
		lua_rawseti(lua, -2, i + 1);
	}
}

static struct bytes field(lua_State *lua, const char *name)
{
	size_t n = 0;
	const char *p = NULL;

	lua_pushstring(lua, name);
	lua_rawget(lua, -2);
	if (lua_isstring(lua, -1))
		p = lua_tolstring(lua, -1, &n);
	/* It stays where it is: the table holds it. */
	lua_pop(lua, 1);
	return bytes_of(p, n);
}

/* The error table on the top as a reply. */
static void reply_raised(struct run *run, lua_State *lua)
{
	struct reply *r = run->call->reply;

	if (!lua_istable(lua, -1)) {
		reply_errorf(r, "ERR Error running script %s, %.100s", run->name,
			     lua_isstring(lua, -1) ? lua_tostring(lua, -1) : "execution failure");
		return;
	}
	struct bytes err = field(lua, "err");
	struct bytes source = field(lua, "source"), line = field(lua, "line");
	lua_pushliteral(lua, "ignore_error_stats_update");
	lua_rawget(lua, -2);
	run->told = lua_toboolean(lua, -1);
	lua_pop(lua, 1);
	if (!err.p)
		err = BYTES("ERR unknown error");
	const char *at = err.p;
	if (source.p && line.p)
		lua_pushfstring(lua, "%s script: %s, on %s:%s.", at, run->name, source.p, line.p);
	else
		lua_pushlstring(lua, err.p, err.n);
	reply_error(r, lua_tostring(lua, -1));
	lua_pop(lua, 1);
}

/* All of a run that may fail for want of memory. The run is the argument. */
int run_protected(lua_State *lua)
{
	struct run *run = lua_touserdata(lua, 1);
	struct engine *e = run->engine;
	int args = 0;

	lua_rawgeti(lua, LUA_REGISTRYINDEX, e->on_error);
	if (run->is_eval) {
		lua_rawgeti(lua, LUA_REGISTRYINDEX, e->globals);
		push_strings(lua, run->nkeys, run->keys);
		lua_setfield(lua, -2, "KEYS");
		push_strings(lua, run->nargs, run->args);
		lua_setfield(lua, -2, "ARGV");
		lua_pop(lua, 1);
		lua_rawgeti(lua, LUA_REGISTRYINDEX, run->function);
	} else {
		lua_rawgeti(lua, LUA_REGISTRYINDEX, run->function);
		push_strings(lua, run->nkeys, run->keys);
		push_strings(lua, run->nargs, run->args);
		args = 2;
	}
	if (lua_pcall(lua, args, 1, 2) != 0)
		reply_raised(run, lua);
	else
		lua_to_reply(lua, run->call->reply, run->proto, &run->told);
	return 0;
}

/* --- the session of its calls --- */

static void no_close(struct session *s, bool now)
{
	(void)s;
	(void)now;
}

static void no_wake(struct session *s)
{
	(void)s;
}

static void peer(const struct session *s, char *buf, size_t n)
{
	(void)s;
	snprintf(buf, n, "lua");
}

static const struct session_ops script_session_ops = {
	.close = no_close, .wake = no_wake, .peer = peer, .local = peer};

static void begin(struct run *run)
{
	struct scripts *home = run->engine->home;
	const struct session *caller = run->call->session;
	struct session *s = &home->session;

	s->server = home->server;
	s->reply = &home->reply;
	s->ops = &script_session_ops;
	s->id = caller->id;
	s->db = caller->db;
	s->user = caller->user;
	s->flags = SESSION_INTERNAL | SESSION_SCRIPT | SESSION_AUTHENTICATED |
		   SESSION_DENY_BLOCKING | (caller->flags & SESSION_NO_TOUCH);
	s->hold = s->written = 0;
	run->proto = 2;
	run->targets = RUN_TARGET_AOF | RUN_TARGET_REPLICAS;
	run->began_ns = ticks_ns();
	rng_seed(&run->engine->rng, 0);
	home->run = run;
}

static void end(struct run *run)
{
	struct engine *e = run->engine;
	struct scripts *home = e->home;
	struct session *caller = run->call->session;

	home->run = NULL;
	if (caller->hold < home->session.hold)
		caller->hold = home->session.hold;
	if (caller->written < home->session.written)
		caller->written = home->session.written;
	if (run->told)
		home->server->registry->told_errors++;
	if (run->busy)
		busy_end(home->server);
	if (run->killed)
		lua_sethook(e->lua, run_hook, LUA_MASKCOUNT, HOOK_EVERY);
	if (++e->calls < STEP_EVERY)
		return;
	e->calls = 0;
	lua_gc(e->lua, LUA_GCRESTART, 0);
	lua_gc(e->lua, LUA_GCSTEP, STEP_EVERY);
}

void run_script(struct run *run)
{
	struct engine *e = run->engine;
	struct reply *r = run->call->reply;
	char buf[256];
	const char *why = flags_refusal(run, buf, sizeof(buf));

	if (why) {
		reply_error(r, why);
		return;
	}
	run->read_only |= !(run->flags & SCRIPT_COMPAT) && run->flags & SCRIPT_NO_WRITES;
	run->allow_oom = !(run->flags & SCRIPT_COMPAT) && run->flags & SCRIPT_ALLOW_OOM;
	uint64_t mark = r->total;
	begin(run);
	lua_rawgeti(e->lua, LUA_REGISTRYINDEX, e->trampoline);
	lua_pushlightuserdata(e->lua, run);
	int failed = lua_pcall(e->lua, 1, 0, 0);
	if (failed) {
		/* For want of memory, and perhaps in the middle of the reply. */
		reply_truncate(r, mark);
		reply_errorf(r, "ERR Error running script %s, %.100s (see lua-memory-limit)",
			     run->name,
			     lua_isstring(e->lua, -1) ? lua_tostring(e->lua, -1) : "failure");
	}
	lua_settop(e->lua, 0);
	engine_relieve(e);
	end(run);
}

/* --- interrupted --- */

static void collect(struct engine *e)
{
	lua_gc(e->lua, LUA_GCCOLLECT, 0);
	size_t next = e->used + (e->limit - e->used) / 2;
	e->collect_above = next > e->limit / 2 ? next : e->limit / 2;
}

static void say_slow(const struct run *run, uint64_t ms)
{
	log_line(&run->call->server->config.log, LOG_LEVEL_WARNING,
		 "Slow script detected: still in execution after %llu milliseconds. You can try "
		 "killing the script using the %s command. Script name is: %s.",
		 (unsigned long long)ms, run->is_eval ? "SCRIPT KILL" : "FUNCTION KILL", run->name);
}

#define BUSY_WITH(kill)                                                                            \
	"BUSY Redis is busy running a script. You can only call " kill " or SHUTDOWN NOSAVE."

/* Let others be answered if it takes too long. */
static void give_way(struct run *run)
{
	struct server *s = run->call->server;
	uint64_t ms = (ticks_ns() - run->began_ns) / 1000000;

	if (s->loading || s->config.busy_reply_threshold == 0 ||
	    ms < (uint64_t)s->config.busy_reply_threshold)
		return;
	if (!run->busy) {
		run->busy = true;
		say_slow(run, ms);
		busy_begin(s, run->call->session,
			   run->is_eval ? BUSY_WITH("SCRIPT KILL") : BUSY_WITH("FUNCTION KILL"));
	}
	busy_turn(s);
}

void run_hook(lua_State *lua, lua_Debug *ar)
{
	struct engine *e = engine_of(lua);
	struct run *run = e->home->run;

	(void)ar;
	if (e->used > e->collect_above)
		collect(e);
	if (!run && e->home->loading &&
	    ticks_ns() - e->home->loading_since_ns > LOAD_MAX_MS * UINT64_C(1000000)) {
		api_error(lua, "FUNCTION LOAD timeout");
		lua_error(lua);
	}
	if (!run || run->engine != e)
		return;
	if (!run->killed)
		give_way(run);
	if (!run->killed && !run->call->server->stopping)
		return;
	if (!run->call->server->stopping && !run->kill_logged)
		log_line(&run->call->server->config.log, LOG_LEVEL_NOTICE,
			 run->is_eval ? "Lua script killed by user with SCRIPT KILL."
				      : "Lua script killed by user with FUNCTION KILL.");
	run->killed = run->kill_logged = true;
	/* From now on at each instruction, here and where it was called from: no pcall holds it up. */
	lua_sethook(lua, run_hook, LUA_MASKCOUNT, 1);
	lua_sethook(e->lua, run_hook, LUA_MASKCOUNT, 1);
	api_error(lua, run->is_eval ? "Script killed by user with SCRIPT KILL."
				    : "Script killed by user with FUNCTION KILL.");
	lua_error(lua);
}

/* --- from outside --- */

void scripts_kill(struct call *c, bool function)
{
	struct run *run = c->server->scripts->run;

	if (!run)
		reply_error(c->reply, "NOTBUSY No scripts in execution right now.");
	else if (run->wrote)
		reply_error(c->reply,
			    "UNKILLABLE Sorry the script already executed write commands against "
			    "the dataset. You can either wait the script termination or kill the "
			    "server in a hard way using the SHUTDOWN NOSAVE command.");
	else if (function == run->is_eval)
		reply_error(c->reply,
			    run->is_eval ? BUSY_WITH("SCRIPT KILL") : BUSY_WITH("FUNCTION KILL"));
	else {
		run->killed = true;
		reply_ok(c->reply);
	}
}

void scripts_end_idle(struct scripts *s)
{
	if (s->run && !s->run->wrote)
		s->run->killed = true;
}

bool scripts_running(const struct scripts *s)
{
	return s->run != NULL;
}
