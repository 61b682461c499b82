/* resp/scripts/engine.c - an interpreter: its memory, and how it is put together. */
#include <lua5.1/lualib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resp/log.h"
#include "resp/scripts/internal.h"
#include "resp/server.h"
#include "store/base/mem.h"

/* So many instructions of Lua pass between two calls of the hook. */
#define HOOK_EVERY 100000
/* What an interpreter that rests may hold without a look for garbage. */
#define KEPT_MAX ((size_t)64 << 20)

/* --- memory --- */

static size_t default_limit(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages > 0 && size > 0 ? (size_t)pages * (size_t)size / 4 : (size_t)1 << 30;
}

/* Growth beyond the limit is refused, which raises an error in the script; shrinking never fails. */
static void *allocate(void *arg, void *p, size_t old, size_t n)
{
	struct engine *e = arg;

	if (n == 0) {
		e->used -= old;
		mem_free(p);
		return NULL;
	}
	if (n > old && (e->used + (n - old) > e->limit))
		return NULL;
	void *fresh = p ? mem_retry(p, n) : mem_try(n);
	if (!fresh)
		return n <= old ? p : NULL;
	e->used += n - old;
	return fresh;
}

void engine_relieve(struct engine *e)
{
	if (e->used > e->limit / 4 || e->used > KEPT_MAX)
		lua_gc(e->lua, LUA_GCCOLLECT, 0);
}

/* --- code --- */

/* A blank first: what follows is then source, also when it begins as byte code does, which the interpreter would trust. */
struct chunk {
	struct bytes parts[2];
	unsigned at;
};

static const char *next_part(lua_State *lua, void *arg, size_t *n)
{
	struct chunk *c = arg;

	(void)lua;
	while (c->at < 2) {
		struct bytes part = c->parts[c->at++];
		*n = part.n;
		if (part.n)
			return part.p;
	}
	*n = 0;
	return NULL;
}

int engine_load(lua_State *lua, struct bytes code, const char *name)
{
	struct chunk c = {.parts = {BYTES(" "), code}};

	/* The parser makes a string of the name and lets the collector take it while it still needs it. */
	lua_pushstring(lua, name);
	int failed = lua_load(lua, next_part, &c, name);
	lua_remove(lua, -2);
	return failed;
}

void engine_bound(struct engine *e)
{
	size_t limit = (size_t)e->home->server->config.lua_memory_limit;

	e->limit = limit ? limit : default_limit();
	e->collect_above = e->limit / 2;
}

/* --- up and down --- */

/* What fails outside of every script fails for want of memory at start. */
static int on_panic(lua_State *lua)
{
	struct engine *e = engine_of(lua);

	log_line(&e->home->server->config.log, LOG_LEVEL_WARNING, "Lua: %s", lua_tostring(lua, -1));
	abort();
}

/* The error on the stack becomes a table, with the place where it was raised. */
static int note_place(lua_State *lua)
{
	lua_Debug ar;
	bool found = lua_getstack(lua, 1, &ar) && lua_getinfo(lua, "Sl", &ar);

	/* Raised by a function of C: its caller is meant. */
	if (found && ar.what[0] == 'C')
		found = lua_getstack(lua, 2, &ar) && lua_getinfo(lua, "Sl", &ar);
	lua_settop(lua, 1);
	if (!lua_istable(lua, 1)) {
		lua_getglobal(lua, "tostring");
		lua_pushvalue(lua, 1);
		lua_call(lua, 1, 1);
		lua_pushliteral(lua, "ERR ");
		lua_insert(lua, -2);
		lua_concat(lua, 2);
		lua_createtable(lua, 0, 3);
		lua_insert(lua, -2);
		lua_setfield(lua, -2, "err");
	}
	if (found) {
		lua_pushstring(lua, ar.source);
		lua_setfield(lua, -2, "source");
		lua_pushinteger(lua, ar.currentline);
		lua_setfield(lua, -2, "line");
	}
	return 1;
}

static void open_library(lua_State *lua, const char *name, lua_CFunction open)
{
	lua_pushcfunction(lua, open);
	lua_call(lua, 0, 1);
	lua_setglobal(lua, name);
}

void engine_init(struct engine *e, struct scripts *home, bool functions)
{
	*e = (struct engine){.home = home, .limit = SIZE_MAX, .collect_above = SIZE_MAX};
	lua_State *lua = e->lua = lua_newstate(allocate, e);
	if (!lua)
		abort();
	lua_atpanic(lua, on_panic);
	sandbox_open(lua);
	open_library(lua, "cjson", cjson_open);
	open_library(lua, "cmsgpack", cmsgpack_open);
	open_library(lua, "struct", struct_open);
	api_open(lua, functions);
	lua_setglobal(lua, "redis");
	lua_pushcfunction(lua, note_place);
	lua_pushvalue(lua, -1);
	e->on_error = luaL_ref(lua, LUA_REGISTRYINDEX);
	if (functions)
		lua_pop(lua, 1);
	else
		lua_setglobal(lua, "__redis__err__handler");
	lua_pushcfunction(lua, run_protected);
	e->trampoline = luaL_ref(lua, LUA_REGISTRYINDEX);
	sandbox_close(e);
	lua_getglobal(lua, "redis");
	e->api = luaL_ref(lua, LUA_REGISTRYINDEX);
	if (functions) {
		api_open_loading(lua);
		e->load_api = luaL_ref(lua, LUA_REGISTRYINDEX);
	}
	lua_settop(lua, 0);
	lua_gc(lua, LUA_GCCOLLECT, 0);
	lua_sethook(lua, run_hook, LUA_MASKCOUNT, HOOK_EVERY);
	engine_bound(e);
}

void engine_fini(struct engine *e)
{
	if (e->lua)
		lua_close(e->lua);
	e->lua = NULL;
}
