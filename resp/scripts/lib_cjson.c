/* resp/scripts/lib_cjson.c - cjson: Debian's lua-cjson, with a guard in front.
 *
 * lua-cjson has a buffer of its own outside of the interpreter's memory, counts it in an int and ends the process where there is no more:
 * what would not fit the script's memory is refused before it begins.
 */
#include <limits.h>
#include <string.h>

#include "resp/scripts/internal.h"

/* Needs what internal.h includes. */
#include <lua5.1/lua-cjson.h>

#define DEPTH_MAX  1000
#define ITEM_BYTES 32                /* a number, and what stands around a value */
#define BIG        ((size_t)1 << 20) /* the buffer is given back behind so much */

/* No byte takes more than "\u0000" does. */
static size_t bound_of(lua_State *lua, int depth, size_t enough)
{
	size_t total = ITEM_BYTES;

	if (lua_type(lua, -1) == LUA_TSTRING)
		return total + 6 * lua_objlen(lua, -1);
	if (!lua_istable(lua, -1) || depth > DEPTH_MAX || !lua_checkstack(lua, 4))
		return total;
	for (lua_pushnil(lua); lua_next(lua, -2); lua_pop(lua, 1)) {
		if (lua_type(lua, -2) == LUA_TSTRING)
			total += 6 * lua_objlen(lua, -2);
		total += bound_of(lua, depth + 1, enough);
		if (total > enough) {
			lua_pop(lua, 2);
			break;
		}
	}
	return total;
}

static size_t left(lua_State *lua)
{
	const struct engine *e = engine_of(lua);
	size_t n = e->limit > e->used ? e->limit - e->used : 0;

	return n < INT_MAX / 4 ? n : INT_MAX / 4;
}

/* Call upvalue 1 with all arguments; errors name upvalue 2, and the place where the script called. */
static void forward(lua_State *lua)
{
	lua_pushvalue(lua, lua_upvalueindex(1));
	lua_insert(lua, 1);
	if (lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0) == 0)
		return;
	luaL_where(lua, 1);
	const char *text = lua_tostring(lua, -2);
	luaL_gsub(lua, text ? text : "?", "to '?'", lua_tostring(lua, lua_upvalueindex(2)));
	lua_concat(lua, 2);
	lua_error(lua);
}

/* Upvalue 3 is encode_keep_buffer. */
static int encode(lua_State *lua)
{
	size_t bound = 0, room = left(lua);

	if (lua_gettop(lua) == 1)
		bound = bound_of(lua, 0, room);
	if (bound > room)
		return luaL_error(lua, "not enough memory");
	forward(lua);
	if (bound < BIG)
		return lua_gettop(lua);
	lua_pushvalue(lua, lua_upvalueindex(3));
	lua_call(lua, 0, 1);
	if (!lua_toboolean(lua, -1))
		return 1;
	for (int keep = 0; keep < 2; keep++) {
		lua_pushvalue(lua, lua_upvalueindex(3));
		lua_pushboolean(lua, keep);
		lua_call(lua, 1, 0);
	}
	lua_pop(lua, 1);
	return 1;
}

static int decode(lua_State *lua)
{
	size_t n = 0;

	if (lua_isstring(lua, 1))
		lua_tolstring(lua, 1, &n);
	if (n > left(lua))
		return luaL_error(lua, "not enough memory");
	forward(lua);
	return lua_gettop(lua);
}

static void guard(lua_State *lua, const char *name, const char *text, lua_CFunction fn)
{
	lua_getfield(lua, -1, name);
	lua_pushstring(lua, text);
	lua_getfield(lua, -3, "encode_keep_buffer");
	lua_pushcclosure(lua, fn, 3);
	lua_setfield(lua, -2, name);
}

static int guarded_new(lua_State *lua);

static void guard_all(lua_State *lua)
{
	guard(lua, "encode", "to 'encode'", encode);
	guard(lua, "decode", "to 'decode'", decode);
	lua_getfield(lua, -1, "new");
	lua_pushcclosure(lua, guarded_new, 1);
	lua_setfield(lua, -2, "new");
}

static int guarded_new(lua_State *lua)
{
	lua_pushvalue(lua, lua_upvalueindex(1));
	lua_call(lua, 0, 1);
	guard_all(lua);
	return 1;
}

int cjson_open(lua_State *lua)
{
	lua_pushcfunction(lua, luaopen_cjson);
	lua_call(lua, 0, 1);
	guard_all(lua);
	return 1;
}
