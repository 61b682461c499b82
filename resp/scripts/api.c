/* resp/scripts/api.c - the redis table of scripts, but for the calls (call.c). */
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "resp/log.h"
#include "resp/scripts/internal.h"
#include "resp/scripts/libraries.h"
#include "resp/server.h"

void api_error(lua_State *lua, const char *text)
{
	const char *code = "ERR", *message = text;
	size_t code_len = 3;

	if (text[0] == '-') {
		const char *blank = strchr(text, ' ');
		message = text + 1;
		if (blank) {
			code = text + 1;
			code_len = (size_t)(blank - code);
			message = blank + 1;
		}
	}
	size_t n = strlen(message);
	while (n && (message[n - 1] == '\r' || message[n - 1] == '\n'))
		n--;
	lua_createtable(lua, 0, 2);
	lua_pushlstring(lua, code, code_len);
	lua_pushliteral(lua, " ");
	lua_pushlstring(lua, message, n);
	lua_concat(lua, 3);
	lua_setfield(lua, -2, "err");
}

static int raise(lua_State *lua, const char *text)
{
	api_error(lua, text);
	return lua_error(lua);
}

static struct run *current(lua_State *lua)
{
	return engine_of(lua)->home->run;
}

/* The run, or an error that says that there is none. */
static struct run *need_run(lua_State *lua, const char *name)
{
	struct run *run = current(lua);
	char text[96];

	if (run)
		return run;
	snprintf(text, sizeof(text), "redis.%s can only be called inside a script invocation",
		 name);
	raise(lua, text);
	return NULL;
}

/* --- replies --- */

static bool is_one_string(lua_State *lua)
{
	if (lua_gettop(lua) == 1 && lua_type(lua, 1) == LUA_TSTRING)
		return true;
	api_error(lua, "wrong number or type of arguments");
	return false;
}

static int error_reply(lua_State *lua)
{
	if (!is_one_string(lua))
		return 1;
	if (lua_tostring(lua, 1)[0] != '-') {
		lua_pushliteral(lua, "-");
		lua_insert(lua, 1);
		lua_concat(lua, 2);
	}
	api_error(lua, lua_tostring(lua, 1));
	return 1;
}

static int status_reply(lua_State *lua)
{
	if (!is_one_string(lua))
		return 1;
	lua_createtable(lua, 0, 1);
	lua_insert(lua, 1);
	lua_setfield(lua, 1, "ok");
	return 1;
}

/* --- this and that --- */

static int sha1hex(lua_State *lua)
{
	unsigned char digest[20];
	char hex[41];
	size_t n;

	if (lua_gettop(lua) != 1)
		return raise(lua, "wrong number of arguments");
	const char *s = lua_tolstring(lua, 1, &n);
	EVP_Q_digest(NULL, "SHA1", NULL, s ? s : "", s ? n : 0, digest, NULL);
	for (int i = 0; i < 20; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	lua_pushlstring(lua, hex, 40);
	return 1;
}

/* Argument @i as a small number: Lua's are doubles, which may be too large for one, or none at all. */
static int small_number(lua_State *lua, int i)
{
	double v = lua_tonumber(lua, i);

	return v > INT_MIN && v < INT_MAX ? (int)v : INT_MIN;
}

static int log_text(lua_State *lua)
{
	int argc = lua_gettop(lua);

	if (argc < 2)
		return raise(lua, "redis.log() requires two arguments or more.");
	if (!lua_isnumber(lua, 1))
		return raise(lua, "First argument must be a number (log level).");
	int level = small_number(lua, 1);
	if (level < LOG_LEVEL_DEBUG || level > LOG_LEVEL_WARNING)
		return raise(lua, "Invalid debug level.");
	struct log *log = &engine_of(lua)->home->server->config.log;
	if (log->level > (enum log_level)level)
		return 0;
	luaL_Buffer text;
	luaL_buffinit(lua, &text);
	for (int i = 2; i <= argc; i++) {
		if (!lua_isstring(lua, i))
			continue;
		if (i > 2)
			luaL_addchar(&text, ' ');
		lua_pushvalue(lua, i);
		luaL_addvalue(&text);
	}
	luaL_pushresult(&text);
	log_line(log, (enum log_level)level, "%s", lua_tostring(lua, -1));
	return 0;
}

static int set_resp(lua_State *lua)
{
	struct run *run = need_run(lua, "setresp()");

	if (lua_gettop(lua) != 1)
		return raise(lua, "redis.setresp() requires one argument.");
	int proto = small_number(lua, 1);
	if (proto != 2 && proto != 3)
		return raise(lua, "RESP version must be 2 or 3.");
	run->proto = proto;
	return 0;
}

static int set_repl(lua_State *lua)
{
	struct run *run = need_run(lua, "set_repl()");

	/* Redis's words, which count the call itself. */
	if (lua_gettop(lua) != 1)
		return raise(lua, "redis.set_repl() requires two arguments.");
	int targets = small_number(lua, 1);
	if (targets & ~(RUN_TARGET_AOF | RUN_TARGET_REPLICAS))
		return raise(lua, "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, "
				  "REPL_ALL or REPL_NONE.");
	run->targets = (unsigned)targets;
	return 0;
}

/* Effects are what is journalled in any case. */
static int replicate_commands(lua_State *lua)
{
	lua_pushboolean(lua, 1);
	return 1;
}

/* There is no debugger to stop in or to talk to. */
static int breakpoint(lua_State *lua)
{
	lua_pushboolean(lua, 0);
	return 1;
}

static int debug(lua_State *lua)
{
	(void)lua;
	return 0;
}

/* --- the table --- */

static const luaL_Reg functions_of_both[] = {
	{"call", call_command},
	{"pcall", call_command_protected},
	{"acl_check_cmd", call_acl_check},
	{"error_reply", error_reply},
	{"status_reply", status_reply},
	{"sha1hex", sha1hex},
	{"log", log_text},
	{"setresp", set_resp},
	{"set_repl", set_repl},
	{NULL, NULL},
};

static const luaL_Reg functions_of_scripts[] = {
	{"replicate_commands", replicate_commands},
	{"breakpoint", breakpoint},
	{"debug", debug},
	{NULL, NULL},
};

static const struct {
	const char *name;
	int value;
} numbers[] = {
	{"LOG_DEBUG", LOG_LEVEL_DEBUG},
	{"LOG_VERBOSE", LOG_LEVEL_VERBOSE},
	{"LOG_NOTICE", LOG_LEVEL_NOTICE},
	{"LOG_WARNING", LOG_LEVEL_WARNING},
	{"REPL_NONE", 0},
	{"REPL_AOF", RUN_TARGET_AOF},
	{"REPL_SLAVE", RUN_TARGET_REPLICAS},
	{"REPL_REPLICA", RUN_TARGET_REPLICAS},
	{"REPL_ALL", RUN_TARGET_AOF | RUN_TARGET_REPLICAS},
	{"REDIS_VERSION_NUM", INODIS_REDIS_VERSION_NUM},
};

static void set_numbers(lua_State *lua)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		lua_pushinteger(lua, numbers[i].value);
		lua_setfield(lua, -2, numbers[i].name);
	}
	lua_pushliteral(lua, INODIS_REDIS_VERSION);
	lua_setfield(lua, -2, "REDIS_VERSION");
}

void api_open_loading(lua_State *lua)
{
	static const luaL_Reg functions[] = {
		{"register_function", library_register}, {"log", log_text}, {NULL, NULL}};

	lua_newtable(lua);
	luaL_register(lua, NULL, functions);
	set_numbers(lua);
	sandbox_strict(lua);
	sandbox_seal(lua);
}

void api_open(lua_State *lua, bool functions)
{
	lua_newtable(lua);
	luaL_register(lua, NULL, functions_of_both);
	if (!functions)
		luaL_register(lua, NULL, functions_of_scripts);
	set_numbers(lua);
}
