/* resp/scripts/sandbox.c - which globals a script sees, and that it cannot change them.
 *
 * Lua 5.1 knows no read-only table. A sealed one is therefore an empty table whose metatable reads from the real one and
 * refuses to write; what would see through that (next, pairs, rawget, rawset, table.insert ...) is wrapped. The real table stands in
 * the metatable under an address that no script can name.
 */
#include <limits.h>
#include <lua5.1/lualib.h>
#include <stdio.h>
#include <string.h>

#include "resp/scripts/internal.h"

/* Needs what internal.h includes. */
#include <lua5.1/lua-bitop.h>

/* In one pattern: no more than there is stack for, many more than anybody writes. */
#define REPEATS_MAX 10000

static const char seal_key = 0;

static void *key_of_seal(void)
{
	return (void *)(uintptr_t)&seal_key;
}

/* --- seals --- */

static int refuse_change(lua_State *lua)
{
	return luaL_error(lua, "Attempt to modify a readonly table");
}

/* Without a place in front: as a function of C raises it. */
static int refuse_change_plainly(lua_State *lua)
{
	lua_pushliteral(lua, "Attempt to modify a readonly table");
	return lua_error(lua);
}

void sandbox_seal(lua_State *lua)
{
	lua_newtable(lua);          /* real, seal */
	lua_createtable(lua, 0, 3); /* real, seal, meta */
	lua_pushvalue(lua, -3);
	lua_setfield(lua, -2, "__index");
	lua_pushcfunction(lua, refuse_change);
	lua_setfield(lua, -2, "__newindex");
	lua_pushlightuserdata(lua, key_of_seal());
	lua_pushvalue(lua, -4);
	lua_rawset(lua, -3);
	lua_setmetatable(lua, -2);
	lua_remove(lua, -2);
}

/* Whether argument @i is sealed; then the real table is on the stack. */
static bool push_real(lua_State *lua, int i)
{
	if (!lua_istable(lua, i) || !lua_getmetatable(lua, i))
		return false;
	lua_pushlightuserdata(lua, key_of_seal());
	lua_rawget(lua, -2);
	lua_remove(lua, -2);
	if (lua_istable(lua, -1))
		return true;
	lua_pop(lua, 1);
	return false;
}

static void see_through(lua_State *lua, int i)
{
	if (push_real(lua, i))
		lua_replace(lua, i);
}

static void refuse_sealed(lua_State *lua, int i)
{
	if (push_real(lua, i))
		refuse_change_plainly(lua);
}

/* --- what would see through --- */

static int wrapped_next(lua_State *lua)
{
	luaL_checktype(lua, 1, LUA_TTABLE);
	see_through(lua, 1);
	lua_settop(lua, 2);
	return lua_next(lua, 1) ? 2 : (lua_pushnil(lua), 1);
}

static int wrapped_pairs(lua_State *lua)
{
	luaL_checktype(lua, 1, LUA_TTABLE);
	see_through(lua, 1);
	lua_pushvalue(lua, lua_upvalueindex(1));
	lua_pushvalue(lua, 1);
	lua_pushnil(lua);
	return 3;
}

static int wrapped_rawget(lua_State *lua)
{
	luaL_checktype(lua, 1, LUA_TTABLE);
	luaL_checkany(lua, 2);
	lua_settop(lua, 2);
	see_through(lua, 1);
	lua_rawget(lua, 1);
	return 1;
}

static int wrapped_rawset(lua_State *lua)
{
	luaL_checktype(lua, 1, LUA_TTABLE);
	luaL_checkany(lua, 2);
	luaL_checkany(lua, 3);
	lua_settop(lua, 3);
	refuse_sealed(lua, 1);
	lua_rawset(lua, 1);
	return 1;
}

static int wrapped_setmetatable(lua_State *lua)
{
	int type = lua_type(lua, 2);

	luaL_checktype(lua, 1, LUA_TTABLE);
	luaL_argcheck(lua, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table expected");
	if (luaL_getmetafield(lua, 1, "__metatable"))
		luaL_error(lua, "cannot change a protected metatable");
	refuse_sealed(lua, 1);
	/* Behind a seal there is no metatable to be read from. */
	see_through(lua, 2);
	lua_settop(lua, 2);
	lua_setmetatable(lua, 1);
	return 1;
}

/* Upvalue 1: from a table or the name of a type to what is said to be its metatable. */
static int wrapped_getmetatable(lua_State *lua)
{
	luaL_checkany(lua, 1);
	bool sealed = push_real(lua, 1);
	if (sealed || lua_type(lua, 1) == LUA_TSTRING) {
		if (sealed)
			lua_pushvalue(lua, 1);
		else
			lua_pushliteral(lua, "string");
		lua_rawget(lua, lua_upvalueindex(1));
		return 1;
	}
	if (!lua_getmetatable(lua, 1)) {
		lua_pushnil(lua);
		return 1;
	}
	luaL_getmetafield(lua, 1, "__metatable");
	return 1;
}

static int wrapped_insert(lua_State *lua)
{
	luaL_checktype(lua, 1, LUA_TTABLE);
	int args = lua_gettop(lua);
	refuse_sealed(lua, 1);
	int end = (int)lua_objlen(lua, 1) + 1, pos = end;
	if (args != 2 && args != 3)
		return luaL_error(lua, "wrong number of arguments to 'insert'");
	if (args == 3) {
		pos = luaL_checkint(lua, 2);
		if (pos > end)
			end = pos;
		for (int i = end; i > pos; i--) {
			lua_rawgeti(lua, 1, i - 1);
			lua_rawseti(lua, 1, i);
		}
	}
	lua_settop(lua, args);
	lua_rawseti(lua, 1, pos);
	return 0;
}

static int wrapped_foreach(lua_State *lua)
{
	luaL_checktype(lua, 1, LUA_TTABLE);
	luaL_checktype(lua, 2, LUA_TFUNCTION);
	see_through(lua, 1);
	for (lua_pushnil(lua); lua_next(lua, 1); lua_pop(lua, 2)) {
		lua_pushvalue(lua, 2);
		lua_pushvalue(lua, -3);
		lua_pushvalue(lua, -3);
		lua_call(lua, 2, 1);
		if (!lua_isnil(lua, -1))
			return 1;
	}
	return 0;
}

/* pcall gives errors that are tables by their text, as Redis does. */
static int wrapped_pcall(lua_State *lua)
{
	luaL_checkany(lua, 1);
	int failed = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0);
	if (failed && lua_istable(lua, -1)) {
		lua_pushliteral(lua, "err");
		lua_rawget(lua, -2);
		if (lua_isstring(lua, -1))
			lua_replace(lua, -2);
		else
			lua_pop(lua, 1);
	}
	lua_pushboolean(lua, !failed);
	lua_insert(lua, 1);
	return lua_gettop(lua);
}

/* The handler of an error that the hook raised runs where no hook can stop it: a script that is killed gets none. */
static int guarded_handler(lua_State *lua)
{
	const struct run *run = engine_of(lua)->home->run;

	if (run && run->killed)
		return 1;
	lua_pushvalue(lua, lua_upvalueindex(1));
	lua_insert(lua, 1);
	lua_call(lua, 1, 1);
	return 1;
}

static int wrapped_xpcall(lua_State *lua)
{
	luaL_checkany(lua, 2);
	lua_settop(lua, 2);
	lua_pushcclosure(lua, guarded_handler, 1);
	lua_insert(lua, 1);
	int failed = lua_pcall(lua, 0, LUA_MULTRET, 1);
	lua_pushboolean(lua, !failed);
	lua_replace(lua, 1);
	return lua_gettop(lua);
}

/* --- code from strings: never byte code --- */

static int loaded(lua_State *lua, int failed)
{
	if (!failed)
		return 1;
	lua_pushnil(lua);
	lua_insert(lua, -2);
	return 2;
}

static int safe_loadstring(lua_State *lua)
{
	size_t n;
	const char *s = luaL_checklstring(lua, 1, &n);

	return loaded(lua, engine_load(lua, bytes_of(s, n), luaL_optstring(lua, 2, s)));
}

struct pieces {
	bool begun;
};

static const char *next_piece(lua_State *lua, void *arg, size_t *n)
{
	struct pieces *p = arg;

	if (!p->begun) {
		p->begun = true;
		*n = 1;
		return " ";
	}
	luaL_checkstack(lua, 2, "too many nested functions");
	lua_pushvalue(lua, 1);
	lua_call(lua, 0, 1);
	if (lua_isnil(lua, -1)) {
		*n = 0;
		return NULL;
	}
	if (!lua_isstring(lua, -1))
		luaL_error(lua, "reader function must return a string");
	lua_replace(lua, 3); /* kept from the collector */
	return lua_tolstring(lua, 3, n);
}

static int safe_load(lua_State *lua)
{
	struct pieces p = {false};
	const char *name = luaL_optstring(lua, 2, "=(load)");

	luaL_checktype(lua, 1, LUA_TFUNCTION);
	lua_settop(lua, 3);
	lua_pushstring(lua, name); /* see engine_load() */
	return loaded(lua, lua_load(lua, next_piece, &p, name));
}

/* --- a generator of our own: the same numbers for the same script --- */

static int seeded_random(lua_State *lua)
{
	struct engine *e = engine_of(lua);
	double r = rng_unit(&e->rng);
	int lower = 1, upper;

	switch (lua_gettop(lua)) {
	case 0:
		lua_pushnumber(lua, r);
		return 1;
	case 1:
		upper = luaL_checkint(lua, 1);
		luaL_argcheck(lua, upper >= 1, 1, "interval is empty");
		break;
	case 2:
		lower = luaL_checkint(lua, 1);
		upper = luaL_checkint(lua, 2);
		luaL_argcheck(lua, lower <= upper, 2, "interval is empty");
		break;
	default:
		return luaL_error(lua, "wrong number of arguments");
	}
	double width = (double)upper - (double)lower + 1;
	double below = (double)(int64_t)(r * width);
	lua_pushnumber(lua, below + (double)lower);
	return 1;
}

static int seeded_randomseed(lua_State *lua)
{
	rng_seed(&engine_of(lua)->rng, (uint64_t)(int64_t)luaL_checkint(lua, 1));
	return 0;
}

/* --- in place of those that a number leads out of their memory --- */

/* Argument @i as the libraries' own bit functions take it: a number's lowest 32 bits, rounded. */
static uint32_t bits_arg(lua_State *lua, int i)
{
	double v = luaL_checknumber(lua, i) + 0x1.8p52;
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return (uint32_t)bits;
}

/* A count below 0 asks for capitals. The library's own negates the least one, and writes that many in front of its buffer. */
static int safe_tohex(lua_State *lua)
{
	uint32_t bits = bits_arg(lua, 1), n = lua_isnone(lua, 2) ? 8 : bits_arg(lua, 2);
	bool capitals = n >> 31;
	char text[8 + 1];

	if (capitals)
		n = 0 - n;
	if (n > 8)
		n = 8;
	snprintf(text, sizeof(text), capitals ? "%08X" : "%08x", bits);
	lua_pushlstring(lua, text + 8 - n, n);
	return 1;
}

/* The library's own counts in an int, and what a compiler makes of it takes more than there is room for. */
static int safe_unpack(lua_State *lua)
{
	luaL_checktype(lua, 1, LUA_TTABLE);
	int from = luaL_optint(lua, 2, 1);
	int to = luaL_opt(lua, luaL_checkint, 3, (int)lua_objlen(lua, 1));
	int64_t n = (int64_t)to - from + 1;

	if (n <= 0)
		return 0;
	if (n > INT_MAX || !lua_checkstack(lua, (int)n))
		return luaL_error(lua, "too many results to unpack");
	for (int i = 0; i < n; i++)
		lua_rawgeti(lua, 1, from + i);
	return (int)n;
}

/* Each of these may be a step deeper in C where the library matches. */
static size_t count_repeats(const char *pattern, size_t n)
{
	size_t repeats = 0;

	for (const char *at = pattern; at < pattern + n; at++)
		repeats += *at == '?' || *at == '*' || *at == '+' || *at == '-';
	return repeats;
}

/* A function of the library, which takes the stack as it is, behind a look at its pattern. Upvalues: that function, and whether its fourth
 * argument says that the pattern is none. */
static int match_bounded(lua_State *lua)
{
	bool plain = lua_toboolean(lua, lua_upvalueindex(2)) && lua_toboolean(lua, 4);

	if (!plain && lua_type(lua, 2) == LUA_TSTRING && lua_objlen(lua, 2) > REPEATS_MAX &&
	    count_repeats(lua_tostring(lua, 2), lua_objlen(lua, 2)) > REPEATS_MAX)
		return luaL_error(lua, "pattern too complex");
	return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

static void bound_patterns(lua_State *lua)
{
	static const char *const names[] = {"find", "match", "gmatch", "gfind", "gsub", NULL};

	lua_getglobal(lua, "string");
	for (const char *const *n = names; *n; n++) {
		lua_getfield(lua, -1, *n);
		if (lua_iscfunction(lua, -1)) {
			lua_pushboolean(lua, n == names);
			lua_pushcclosure(lua, match_bounded, 2);
			lua_setfield(lua, -2, *n);
		} else {
			lua_pop(lua, 1);
		}
	}
	lua_pop(lua, 1);
}

/* --- opening --- */

static void open(lua_State *lua, const char *name, lua_CFunction fn)
{
	lua_pushcfunction(lua, fn);
	lua_pushstring(lua, name);
	lua_call(lua, 1, 0);
}

static void set_function(lua_State *lua, const char *table, const char *name, lua_CFunction fn)
{
	if (table)
		lua_getglobal(lua, table);
	else
		lua_pushvalue(lua, LUA_GLOBALSINDEX);
	lua_pushcfunction(lua, fn);
	lua_setfield(lua, -2, name);
	lua_pop(lua, 1);
}

/* os is there for its clock alone. */
static void keep_clock(lua_State *lua)
{
	lua_getglobal(lua, "os");
	lua_getfield(lua, -1, "clock");
	lua_createtable(lua, 0, 1);
	lua_insert(lua, -2);
	lua_setfield(lua, -2, "clock");
	lua_setglobal(lua, "os");
	lua_pop(lua, 1);
}

static void leave_out(lua_State *lua)
{
	static const char *const names[] = {"dofile", "loadfile", "print",    "setfenv", "getfenv",
					    "module", "require",  "newproxy", "package", NULL};

	for (const char *const *n = names; *n; n++) {
		lua_pushnil(lua);
		lua_setglobal(lua, *n);
	}
}

void sandbox_open(lua_State *lua)
{
	open(lua, "", luaopen_base);
	open(lua, "table", luaopen_table);
	open(lua, "string", luaopen_string);
	open(lua, "math", luaopen_math);
	open(lua, "os", luaopen_os);
	open(lua, "bit", luaopen_bit);
	keep_clock(lua);
	leave_out(lua);
	set_function(lua, NULL, "next", wrapped_next);
	lua_getglobal(lua, "next");
	lua_pushcclosure(lua, wrapped_pairs, 1);
	lua_setglobal(lua, "pairs");
	set_function(lua, NULL, "rawget", wrapped_rawget);
	set_function(lua, NULL, "rawset", wrapped_rawset);
	set_function(lua, NULL, "setmetatable", wrapped_setmetatable);
	set_function(lua, NULL, "pcall", wrapped_pcall);
	set_function(lua, NULL, "xpcall", wrapped_xpcall);
	set_function(lua, NULL, "loadstring", safe_loadstring);
	set_function(lua, NULL, "load", safe_load);
	set_function(lua, NULL, "unpack", safe_unpack);
	set_function(lua, "bit", "tohex", safe_tohex);
	bound_patterns(lua);
	set_function(lua, "math", "random", seeded_random);
	set_function(lua, "math", "randomseed", seeded_randomseed);
	set_function(lua, "table", "insert", wrapped_insert);
	set_function(lua, "table", "foreach", wrapped_foreach);
	lua_settop(lua, 0);
}

/* --- closing --- */

static int unknown_global(lua_State *lua)
{
	const char *name = luaL_checkstring(lua, 2);

	return luaL_error(lua, "Script attempted to access nonexistent global variable '%s'", name);
}

void sandbox_strict(lua_State *lua)
{
	lua_createtable(lua, 0, 1);
	lua_pushcfunction(lua, unknown_global);
	lua_setfield(lua, -2, "__index");
	lua_setmetatable(lua, -2);
}

/* Seal every table of the global one, which is on the top. */
static void seal_libraries(lua_State *lua)
{
	lua_pushnil(lua);
	while (lua_next(lua, -2)) {
		if (lua_istable(lua, -1) && !lua_rawequal(lua, -1, -3)) {
			sandbox_seal(lua);
			lua_pushvalue(lua, -2);
			lua_insert(lua, -2);
			lua_rawset(lua, -4); /* an existing key: the walk goes on */
		} else {
			lua_pop(lua, 1);
		}
	}
}

void sandbox_close(struct engine *e)
{
	lua_State *lua = e->lua;

	lua_pushvalue(lua, LUA_GLOBALSINDEX);
	seal_libraries(lua);
	lua_newtable(lua); /* globals, shown: what getmetatable answers */
	lua_pushvalue(lua, -1);
	lua_pushcclosure(lua, wrapped_getmetatable, 1);
	lua_setfield(lua, -3, "getmetatable");
	lua_pushvalue(lua, -2);
	sandbox_seal(lua); /* globals, shown, _G */

	/* Strings: the table that they say they have. */
	lua_newtable(lua);
	lua_getfield(lua, -4, "string");
	lua_setfield(lua, -2, "__index");
	sandbox_seal(lua);
	lua_setfield(lua, -3, "string");

	lua_newtable(lua);
	lua_pushcfunction(lua, unknown_global);
	lua_setfield(lua, -2, "__index");
	lua_pushvalue(lua, -1);
	lua_setmetatable(lua, -5);
	sandbox_seal(lua); /* globals, shown, _G, its metatable as shown */
	lua_pushvalue(lua, -2);
	lua_insert(lua, -2);
	lua_rawset(lua, -4);

	lua_pushvalue(lua, -1);
	lua_setfield(lua, -4, "_G");
	lua_replace(lua, LUA_GLOBALSINDEX);
	lua_pop(lua, 1);
	e->globals = luaL_ref(lua, LUA_REGISTRYINDEX);
}
