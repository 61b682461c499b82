/* resp/scripts/lib_cmsgpack.c - MessagePack: cmsgpack.pack, unpack, unpack_one, unpack_limit.
 *
 * Numbers take the fewest bytes that hold them, a float of single precision where that loses nothing. A table whose keys are 1..n is an
 * array, any other a map; beyond 16 levels there is nil, as in Redis. What is unpacked is never believed about its size before its bytes
 * are there.
 */
#include <math.h>
#include <string.h>

#include "resp/scripts/internal.h"

#define NESTING_MAX 16
#define ROOM_MAX    4096 /* of a table, before its elements were seen */

/* --- packing --- */

/* The buffer may have pieces of its own on the stack, so values are named by what they are, not by where the top is: they are packed
 * into memory that lua_newuserdata gave. */
struct out {
	lua_State *lua;
	char *p;
	size_t n, cap;
	int slot; /* of the stack, where the memory is held */
};

static void put(struct out *o, const void *p, size_t n)
{
	if (o->cap - o->n < n) {
		size_t cap = (o->n + n) * 2;
		char *grown = lua_newuserdata(o->lua, cap);
		memcpy(grown, o->p, o->n);
		lua_replace(o->lua, o->slot);
		o->p = grown;
		o->cap = cap;
	}
	memcpy(o->p + o->n, p, n);
	o->n += n;
}

/* @code and @v's lowest @size bytes, the highest first. */
static void put_coded(struct out *o, unsigned char code, uint64_t v, unsigned size)
{
	unsigned char bytes[9] = {code};

	for (unsigned i = size; i; i--) {
		bytes[i] = (unsigned char)v;
		v >>= 8;
	}
	put(o, bytes, size + 1);
}

static void pack_string(struct out *o, const char *s, size_t n)
{
	if (n < 32)
		put_coded(o, (unsigned char)(0xa0 | n), 0, 0);
	else if (n <= 0xff)
		put_coded(o, 0xd9, n, 1);
	else if (n <= 0xffff)
		put_coded(o, 0xda, n, 2);
	else
		put_coded(o, 0xdb, n, 4);
	put(o, s, n);
}

static void pack_integer(struct out *o, int64_t v)
{
	uint64_t u = (uint64_t)v;

	if (v >= 0 && u <= 127)
		put_coded(o, (unsigned char)u, 0, 0);
	else if (v >= 0)
		u <= 0xff          ? put_coded(o, 0xcc, u, 1)
		: u <= 0xffff      ? put_coded(o, 0xcd, u, 2)
		: u <= 0xffffffffu ? put_coded(o, 0xce, u, 4)
				   : put_coded(o, 0xcf, u, 8);
	else if (v >= -32)
		put_coded(o, (unsigned char)v, 0, 0);
	else
		v >= INT8_MIN    ? put_coded(o, 0xd0, u, 1)
		: v >= INT16_MIN ? put_coded(o, 0xd1, u, 2)
		: v >= INT32_MIN ? put_coded(o, 0xd2, u, 4)
				 : put_coded(o, 0xd3, u, 8);
}

static void pack_number(struct out *o, double v)
{
	if (v >= -9223372036854775808.0 && v < 9223372036854775808.0 && v == floor(v)) {
		pack_integer(o, (int64_t)v);
		return;
	}
	float single = (float)v;
	if ((double)single == v) {
		uint32_t bits;
		memcpy(&bits, &single, sizeof(bits));
		put_coded(o, 0xca, bits, 4);
	} else {
		uint64_t bits;
		memcpy(&bits, &v, sizeof(bits));
		put_coded(o, 0xcb, bits, 8);
	}
}

static void pack_count(struct out *o, size_t n, unsigned char few, unsigned char u16)
{
	if (n <= 15)
		put_coded(o, (unsigned char)(few | n), 0, 0);
	else if (n <= 0xffff)
		put_coded(o, u16, n, 2);
	else
		put_coded(o, (unsigned char)(u16 + 1), n, 4);
}

static void pack_value(struct out *o, int level);

/* How many elements the table on the top has, if its keys are 1..n. */
static bool is_array(lua_State *lua, size_t *n)
{
	double max = 0, count = 0;

	for (lua_pushnil(lua); lua_next(lua, -2); lua_pop(lua, 1)) {
		double key = lua_tonumber(lua, -2);
		if (lua_type(lua, -2) != LUA_TNUMBER || key <= 0 || key != floor(key)) {
			lua_pop(lua, 2);
			return false;
		}
		max = key > max ? key : max;
		count++;
	}
	*n = (size_t)count;
	return max == count;
}

static void pack_table(struct out *o, int level)
{
	lua_State *lua = o->lua;
	size_t n = 0;

	if (is_array(lua, &n)) {
		pack_count(o, n, 0x90, 0xdc);
		for (size_t i = 1; i <= n; i++) {
			lua_rawgeti(lua, -1, (int)i);
			pack_value(o, level + 1);
		}
		lua_pop(lua, 1);
		return;
	}
	n = 0;
	for (lua_pushnil(lua); lua_next(lua, -2); lua_pop(lua, 1))
		n++;
	pack_count(o, n, 0x80, 0xde);
	for (lua_pushnil(lua); lua_next(lua, -2);) {
		lua_pushvalue(lua, -2);
		pack_value(o, level + 1);
		pack_value(o, level + 1);
	}
	lua_pop(lua, 1);
}

/* The value on the top, which is taken away. */
static void pack_value(struct out *o, int level)
{
	lua_State *lua = o->lua;
	int type = lua_type(lua, -1);
	size_t n;

	luaL_checkstack(lua, 6, "in function cmsgpack.pack");
	if (type == LUA_TTABLE && level == NESTING_MAX)
		type = LUA_TNIL;
	switch (type) {
	case LUA_TSTRING: {
		const char *s = lua_tolstring(lua, -1, &n);
		pack_string(o, s, n);
		break;
	}
	case LUA_TBOOLEAN:
		put_coded(o, lua_toboolean(lua, -1) ? 0xc3 : 0xc2, 0, 0);
		break;
	case LUA_TNUMBER:
		pack_number(o, lua_tonumber(lua, -1));
		break;
	case LUA_TTABLE:
		pack_table(o, level);
		return;
	default:
		put_coded(o, 0xc0, 0, 0);
	}
	lua_pop(lua, 1);
}

static int pack(lua_State *lua)
{
	int args = lua_gettop(lua);

	if (args == 0)
		return luaL_argerror(lua, 0, "MessagePack pack needs input.");
	struct out o = {.lua = lua, .cap = 256, .slot = args + 1};
	o.p = lua_newuserdata(lua, o.cap);
	for (int i = 1; i <= args; i++) {
		lua_pushvalue(lua, i);
		pack_value(&o, 0);
	}
	lua_pushlstring(lua, o.p, o.n);
	return 1;
}

/* --- unpacking --- */

struct in {
	lua_State *lua;
	const unsigned char *p;
	size_t n;
	enum { IN_OK, IN_SHORT, IN_BAD } state;
};

static uint64_t take(struct in *in, unsigned size)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < size; i++)
		v = v << 8 | in->p[i];
	in->p += size;
	in->n -= size;
	return v;
}

/* A number of @size bytes behind the code. False when they are not there. */
static bool read_uint(struct in *in, unsigned size, uint64_t *v)
{
	if (in->n < size) {
		in->state = IN_SHORT;
		return false;
	}
	*v = take(in, size);
	return true;
}

static void unpack_string(struct in *in, uint64_t n)
{
	if (n > in->n) {
		in->state = IN_SHORT;
		return;
	}
	lua_pushlstring(in->lua, (const char *)in->p, (size_t)n);
	in->p += n;
	in->n -= (size_t)n;
}

static void unpack_value(struct in *in);

static int room_for(uint64_t n)
{
	return n < ROOM_MAX ? (int)n : ROOM_MAX;
}

static void unpack_array(struct in *in, uint64_t n)
{
	lua_createtable(in->lua, room_for(n), 0);
	for (uint64_t i = 1; i <= n; i++) {
		unpack_value(in);
		if (in->state != IN_OK)
			return;
		lua_rawseti(in->lua, -2, (int)i);
	}
}

static void unpack_map(struct in *in, uint64_t n)
{
	lua_createtable(in->lua, 0, room_for(n));
	while (n--) {
		unpack_value(in);
		if (in->state == IN_OK)
			unpack_value(in);
		if (in->state != IN_OK)
			return;
		if (lua_isnil(in->lua, -2) ||
		    (lua_type(in->lua, -2) == LUA_TNUMBER && isnan(lua_tonumber(in->lua, -2))))
			luaL_error(in->lua, "Bad data format in input.");
		lua_rawset(in->lua, -3);
	}
}

static void unpack_unsigned(struct in *in, unsigned size)
{
	uint64_t v;

	if (read_uint(in, size, &v))
		lua_pushnumber(in->lua, (lua_Number)v);
}

static void unpack_signed(struct in *in, unsigned size)
{
	uint64_t v;

	if (!read_uint(in, size, &v))
		return;
	unsigned shift = 64 - 8 * size;
	lua_pushnumber(in->lua, (lua_Number)((int64_t)(v << shift) >> shift));
}

static void unpack_float(struct in *in, unsigned size)
{
	uint64_t v;

	if (!read_uint(in, size, &v))
		return;
	if (size == 4) {
		uint32_t bits = (uint32_t)v;
		float single;
		memcpy(&single, &bits, sizeof(single));
		lua_pushnumber(in->lua, (lua_Number)single);
	} else {
		double d;
		memcpy(&d, &v, sizeof(d));
		lua_pushnumber(in->lua, d);
	}
}

static void unpack_sized(struct in *in, unsigned size, void (*fn)(struct in *in, uint64_t n))
{
	uint64_t n;

	if (read_uint(in, size, &n))
		fn(in, n);
}

/* A code that stands for what follows it. */
static void unpack_coded(struct in *in, unsigned char code)
{
	switch (code) {
	case 0xc0:
		lua_pushnil(in->lua);
		return;
	case 0xc2:
	case 0xc3:
		lua_pushboolean(in->lua, code == 0xc3);
		return;
	case 0xca:
	case 0xcb:
		unpack_float(in, code == 0xca ? 4 : 8);
		return;
	case 0xcc:
	case 0xcd:
	case 0xce:
	case 0xcf:
		unpack_unsigned(in, 1u << (code - 0xcc));
		return;
	case 0xd0:
	case 0xd1:
	case 0xd2:
	case 0xd3:
		unpack_signed(in, 1u << (code - 0xd0));
		return;
	case 0xd9:
	case 0xda:
	case 0xdb:
		unpack_sized(in, 1u << (code - 0xd9), unpack_string);
		return;
	case 0xdc:
	case 0xdd:
		unpack_sized(in, code == 0xdc ? 2 : 4, unpack_array);
		return;
	case 0xde:
	case 0xdf:
		unpack_sized(in, code == 0xde ? 2 : 4, unpack_map);
		return;
	default:
		in->state = IN_BAD;
	}
}

/* Puts it on the stack when the state stays IN_OK. */
static void unpack_value(struct in *in)
{
	luaL_checkstack(in->lua, 4,
			"too many return values at once; use unpack_one or "
			"unpack_limit instead.");
	if (in->n == 0) {
		in->state = IN_SHORT;
		return;
	}
	unsigned char code = *in->p++;
	in->n--;
	if (code < 0x80)
		lua_pushnumber(in->lua, code);
	else if (code >= 0xe0)
		lua_pushnumber(in->lua, (int8_t)code);
	else if (code < 0x90)
		unpack_map(in, code & 15);
	else if (code < 0xa0)
		unpack_array(in, code & 15);
	else if (code < 0xc0)
		unpack_string(in, code & 31);
	else
		unpack_coded(in, code);
}

/* Up to @limit values (0: all) from @offset; with a limit the place to go on at comes first, -1 at the end. */
static int unpack_some(lua_State *lua, lua_Integer limit, lua_Integer offset)
{
	size_t len;
	const char *s = luaL_checklstring(lua, 1, &len);
	int values = 0;
	bool all = limit == 0 && offset == 0;

	if (offset < 0 || limit < 0)
		return luaL_error(lua,
				  "Invalid request to unpack with offset of %d and limit of %d.",
				  (int)offset, (int)len);
	if ((size_t)offset > len)
		return luaL_error(lua, "Start offset %d greater than input length %d.", (int)offset,
				  (int)len);
	if (all)
		limit = INT32_MAX;
	struct in in = {lua, (const unsigned char *)s + offset, len - (size_t)offset, IN_OK};
	for (; in.n && values < limit; values++) {
		unpack_value(&in);
		if (in.state == IN_SHORT)
			return luaL_error(lua, "Missing bytes in input.");
		if (in.state == IN_BAD)
			return luaL_error(lua, "Bad data format in input.");
	}
	if (all)
		return values;
	luaL_checkstack(lua, 1, "too many results");
	lua_pushinteger(lua, in.n ? (lua_Integer)(len - in.n) : -1);
	lua_insert(lua, 2);
	return values + 1;
}

static int unpack(lua_State *lua)
{
	luaL_checkstring(lua, 1);
	lua_settop(lua, 1);
	return unpack_some(lua, 0, 0);
}

static int unpack_one(lua_State *lua)
{
	lua_Integer offset = luaL_optinteger(lua, 2, 0);

	lua_settop(lua, 1);
	return unpack_some(lua, 1, offset);
}

static int unpack_limit(lua_State *lua)
{
	lua_Integer limit = luaL_checkinteger(lua, 2);
	lua_Integer offset = luaL_optinteger(lua, 3, 0);

	lua_settop(lua, 1);
	return unpack_some(lua, limit, offset);
}

int cmsgpack_open(lua_State *lua)
{
	static const luaL_Reg functions[] = {{"pack", pack},
					     {"unpack", unpack},
					     {"unpack_one", unpack_one},
					     {"unpack_limit", unpack_limit},
					     {NULL, NULL}};
	static const char *const texts[][2] = {
		{"_NAME", "cmsgpack"},
		{"_VERSION", "lua-cmsgpack 0.4.0"},
		{"_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo"},
		{"_DESCRIPTION", "MessagePack C implementation for Lua"},
	};

	lua_newtable(lua);
	luaL_register(lua, NULL, functions);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		lua_pushstring(lua, texts[i][1]);
		lua_setfield(lua, -2, texts[i][0]);
	}
	return 1;
}
