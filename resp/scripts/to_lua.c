/* resp/scripts/to_lua.c - what a command replied, as a value of Lua. */
#include <stdlib.h>
#include <string.h>

#include "resp/scripts/internal.h"
#include "store/base/num.h"

/* Our own replies: well formed by construction. */
struct reader {
	lua_State *lua;
	const char *p;
};

static void read_value(struct reader *r);

/* The rest of the line, without its end. */
static struct bytes take_line(struct reader *r)
{
	const char *end = r->p;

	while (*end != '\r')
		end++;
	struct bytes line = bytes_of(r->p, (size_t)(end - r->p));
	r->p = end + 2;
	return line;
}

static int64_t take_number(struct reader *r)
{
	int64_t v = 0;
	bool negative = *r->p == '-';

	r->p += negative;
	uint64_t u = 0;
	while (*r->p != '\r')
		u = u * 10 + (uint64_t)(*r->p++ - '0');
	r->p += 2;
	v = (int64_t)(negative ? 0 - u : u);
	return v;
}

static void push_false(struct reader *r)
{
	lua_pushboolean(r->lua, 0);
}

/* A table with one field: {ok = "..."}. */
static void read_line_field(struct reader *r, const char *field)
{
	struct bytes line = take_line(r);

	lua_createtable(r->lua, 0, 1);
	lua_pushlstring(r->lua, line.p, line.n);
	lua_setfield(r->lua, -2, field);
}

static void read_bulk(struct reader *r)
{
	int64_t n = take_number(r);

	if (n < 0) {
		push_false(r);
		return;
	}
	lua_pushlstring(r->lua, r->p, (size_t)n);
	r->p += n + 2;
}

static int room_for(int64_t n)
{
	return n < 1 << 24 ? (int)n : 1 << 24;
}

static void read_array(struct reader *r)
{
	int64_t n = take_number(r);

	if (n < 0) {
		push_false(r);
		return;
	}
	lua_createtable(r->lua, room_for(n), 0);
	for (int64_t i = 1; i <= n; i++) {
		read_value(r);
		lua_rawseti(r->lua, -2, (int)i);
	}
}

/* {map = {...}}, {set = {member = true}} */
static void read_pairs(struct reader *r, const char *field, bool set)
{
	int64_t n = take_number(r);

	lua_createtable(r->lua, 0, 1);
	lua_createtable(r->lua, 0, room_for(n));
	for (int64_t i = 0; i < n; i++) {
		read_value(r);
		if (set)
			lua_pushboolean(r->lua, 1);
		else
			read_value(r);
		if (lua_isnil(r->lua, -2))
			lua_pop(r->lua, 2); /* no key of a table */
		else
			lua_rawset(r->lua, -3);
	}
	lua_setfield(r->lua, -2, field);
}

static void read_double(struct reader *r)
{
	struct bytes line = take_line(r);
	char text[64];
	size_t n = line.n < sizeof(text) ? line.n : sizeof(text) - 1;

	memcpy(text, line.p, n);
	text[n] = '\0';
	lua_createtable(r->lua, 0, 1);
	lua_pushnumber(r->lua, strtod(text, NULL));
	lua_setfield(r->lua, -2, "double");
}

static void read_verbatim(struct reader *r)
{
	int64_t n = take_number(r);

	lua_createtable(r->lua, 0, 1);
	lua_createtable(r->lua, 0, 2);
	lua_pushlstring(r->lua, r->p + 4, (size_t)n - 4);
	lua_setfield(r->lua, -2, "string");
	lua_pushlstring(r->lua, r->p, 3);
	lua_setfield(r->lua, -2, "format");
	lua_setfield(r->lua, -2, "verbatim_string");
	r->p += n + 2;
}

/* Attributes say something of the value behind them, which scripts are not told. */
static void read_attributed(struct reader *r)
{
	int64_t n = take_number(r);

	for (int64_t i = 0; i < 2 * n; i++) {
		read_value(r);
		lua_pop(r->lua, 1);
	}
	read_value(r);
}

static void read_value(struct reader *r)
{
	luaL_checkstack(r->lua, 6, "a reply of so many levels");
	switch (*r->p++) {
	case ':':
		lua_pushnumber(r->lua, (lua_Number)take_number(r));
		return;
	case '$':
		read_bulk(r);
		return;
	case '+':
		read_line_field(r, "ok");
		return;
	case '-':
		read_line_field(r, "err");
		return;
	case '*':
	case '>':
		read_array(r);
		return;
	case '%':
		read_pairs(r, "map", false);
		return;
	case '~':
		read_pairs(r, "set", true);
		return;
	case '_':
		r->p += 2;
		lua_pushnil(r->lua);
		return;
	case '#':
		lua_pushboolean(r->lua, *r->p == 't');
		r->p += 3;
		return;
	case ',':
		read_double(r);
		return;
	case '(':
		read_line_field(r, "big_number");
		return;
	case '=':
		read_verbatim(r);
		return;
	case '|':
		read_attributed(r);
		return;
	default:
		lua_pushnil(r->lua);
		return;
	}
}

void reply_to_lua(lua_State *lua, const char *p, size_t n)
{
	struct reader r = {lua, p};

	if (n)
		read_value(&r);
	else
		lua_pushboolean(lua, 0); /* a command that replied nothing */
}
