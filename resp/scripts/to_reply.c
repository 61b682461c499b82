/* resp/scripts/to_reply.c - what a script returned, as a reply. */
#include <string.h>

#include "resp/scripts/internal.h"

struct writer {
	lua_State *lua;
	struct reply *r;
	int proto;
	bool *told;
};

static void write_value(struct writer *w);

/* Field @name of the table on the top, raw, if it is of @type: left on the stack. */
static bool push_field(struct writer *w, const char *name, size_t n, int type)
{
	lua_pushlstring(w->lua, name, n);
	lua_rawget(w->lua, -2);
	if (lua_type(w->lua, -1) == type)
		return true;
	lua_pop(w->lua, 1);
	return false;
}
#define PUSH_FIELD(w, literal, type) push_field(w, literal, sizeof(literal) - 1, type)

static struct bytes top_bytes(struct writer *w)
{
	size_t n;
	const char *p = lua_tolstring(w->lua, -1, &n);

	return bytes_of(p, n);
}

static void write_error(struct writer *w)
{
	reply_error(w->r, lua_tostring(w->lua, -1));
	lua_pop(w->lua, 1);
	if (PUSH_FIELD(w, "ignore_error_stats_update", LUA_TBOOLEAN)) {
		*w->told = lua_toboolean(w->lua, -1);
		lua_pop(w->lua, 1);
	}
}

/* A line must not end before its end. */
static void write_line(struct writer *w, bool number)
{
	struct bytes s = top_bytes(w);

	if (memchr(s.p, '\r', s.n) || memchr(s.p, '\n', s.n)) {
		lua_State *lua = w->lua;
		char *copy = lua_newuserdata(lua, s.n);
		for (size_t i = 0; i < s.n; i++)
			copy[i] = s.p[i] == '\r' || s.p[i] == '\n' ? ' ' : s.p[i];
		lua_remove(lua, -2);
		s.p = copy;
	}
	if (number)
		reply_bignum(w->r, s);
	else
		reply_status_bytes(w->r, s);
	lua_pop(w->lua, 1);
}

static size_t count_pairs(lua_State *lua)
{
	size_t n = 0;

	for (lua_pushnil(lua); lua_next(lua, -2); lua_pop(lua, 1))
		n++;
	return n;
}

static void write_map(struct writer *w, bool set)
{
	lua_State *lua = w->lua;
	size_t n = count_pairs(lua);

	if (set)
		reply_set(w->r, n);
	else
		reply_map(w->r, n);
	for (lua_pushnil(lua); lua_next(lua, -2);) {
		if (set)
			lua_pop(lua, 1);
		else
			lua_insert(lua, -2); /* table, value, key */
		lua_pushvalue(lua, -1);
		write_value(w);
		if (!set) {
			lua_insert(lua, -2); /* table, key, value */
			write_value(w);
		}
	}
	lua_pop(lua, 1);
}

static bool write_verbatim(struct writer *w)
{
	if (!PUSH_FIELD(w, "verbatim_string", LUA_TTABLE))
		return false;
	if (PUSH_FIELD(w, "string", LUA_TSTRING)) {
		struct bytes text = top_bytes(w);
		char ext[3] = "txt";
		lua_pushliteral(w->lua, "format");
		lua_rawget(w->lua, -3);
		bool said = lua_type(w->lua, -1) == LUA_TSTRING;
		struct bytes format = said ? top_bytes(w) : BYTES("");
		for (size_t i = 0; said && i < sizeof(ext); i++)
			ext[i] = i < format.n ? format.p[i] : ' ';
		if (said)
			reply_verbatim(w->r, text, ext);
		lua_pop(w->lua, said ? 3 : 2);
		if (said)
			return true;
		return false;
	}
	lua_pop(w->lua, 1);
	return false;
}

/* The elements from 1 to the first that is nil. */
static void write_array(struct writer *w)
{
	lua_State *lua = w->lua;
	size_t n = 0;
	bool more = true;

	while (more) {
		lua_rawgeti(lua, -1, (int)n + 1);
		more = !lua_isnil(lua, -1);
		n += more;
		lua_pop(lua, 1);
	}
	reply_array(w->r, n);
	for (size_t i = 1; i <= n; i++) {
		lua_rawgeti(lua, -1, (int)i);
		write_value(w);
	}
}

/* The table's special field says what it is: {err = ...}, {ok = ...}, {double = ...}; else it is an array. */
static void write_table(struct writer *w)
{
	if (PUSH_FIELD(w, "err", LUA_TSTRING)) {
		write_error(w);
	} else if (PUSH_FIELD(w, "ok", LUA_TSTRING)) {
		write_line(w, false);
	} else if (PUSH_FIELD(w, "double", LUA_TNUMBER)) {
		reply_double(w->r, lua_tonumber(w->lua, -1));
		lua_pop(w->lua, 1);
	} else if (PUSH_FIELD(w, "map", LUA_TTABLE)) {
		write_map(w, false);
	} else if (PUSH_FIELD(w, "set", LUA_TTABLE)) {
		write_map(w, true);
	} else if (PUSH_FIELD(w, "big_number", LUA_TSTRING)) {
		write_line(w, true);
	} else if (!write_verbatim(w)) {
		write_array(w);
	}
	lua_pop(w->lua, 1);
}

/* C's rule for what does not fit is none; the processor's is this one, which Redis's replies show. */
static int64_t to_integer(lua_Number v)
{
	return v >= -9223372036854775808.0 && v < 9223372036854775808.0 ? (int64_t)v : INT64_MIN;
}

/* The value on the top, which is taken away. */
static void write_value(struct writer *w)
{
	lua_State *lua = w->lua;

	if (!lua_checkstack(lua, 5)) {
		reply_error(w->r, "ERR reached lua stack limit");
		lua_pop(lua, 1);
		return;
	}
	switch (lua_type(lua, -1)) {
	case LUA_TSTRING:
		reply_bulk(w->r, top_bytes(w));
		lua_pop(lua, 1);
		return;
	case LUA_TBOOLEAN:
		if (w->proto > 2)
			reply_bool(w->r, lua_toboolean(lua, -1));
		else if (lua_toboolean(lua, -1))
			reply_int(w->r, 1);
		else
			reply_null(w->r);
		lua_pop(lua, 1);
		return;
	case LUA_TNUMBER:
		reply_int(w->r, to_integer(lua_tonumber(lua, -1)));
		lua_pop(lua, 1);
		return;
	case LUA_TTABLE:
		write_table(w);
		return;
	default:
		reply_null(w->r);
		lua_pop(lua, 1);
	}
}

void lua_to_reply(lua_State *lua, struct reply *r, int proto, bool *told)
{
	struct writer w = {lua, r, proto, told};

	write_value(&w);
}
