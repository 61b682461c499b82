/* resp/scripts/lib_struct.c - struct.pack, struct.unpack, struct.size: values as the bytes of a C structure.
 *
 * A format is a row of letters, each with an optional size or alignment:
 *   < > =      little, big, native endian       !n       alignment (0..n), natural without n
 *   x          a byte of padding                b B h H l L T     integers of C: signed, unsigned, size_t
 *   i[n] I[n]  integers of n bytes              f d      floats
 *   c[n]       n characters; c0: a string of the length that the number before it gave (unpack), of its own (pack)
 *   s          a string that ends in a zero byte
 */
#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "resp/scripts/internal.h"

#define INT_MAX_SIZE 32

struct format {
	lua_State *lua;
	const char *at;
	bool little;
	size_t align;
};

static bool host_is_little(void)
{
	const uint16_t one = 1;
	unsigned char first;

	memcpy(&first, &one, 1);
	return first;
}

static void format_init(struct format *f, lua_State *lua, const char *text)
{
	*f = (struct format){lua, text, host_is_little(), 1};
}

static size_t read_number(struct format *f, size_t otherwise)
{
	size_t n = 0;

	if (!isdigit((unsigned char)*f->at))
		return otherwise;
	while (isdigit((unsigned char)*f->at)) {
		size_t digit = (size_t)(*f->at++ - '0');
		if (n > (INT32_MAX - digit) / 10)
			luaL_error(f->lua, "integral size overflow");
		n = n * 10 + digit;
	}
	return n;
}

/* The size of what letter @c says. */
static size_t read_size(struct format *f, char c)
{
	size_t n;

	switch (c) {
	case 'B':
	case 'b':
	case 'x':
		return 1;
	case 'H':
	case 'h':
		return sizeof(short);
	case 'L':
	case 'l':
		return sizeof(long);
	case 'T':
		return sizeof(size_t);
	case 'f':
		return sizeof(float);
	case 'd':
		return sizeof(double);
	case 'c':
		return read_number(f, 1);
	case 'i':
	case 'I':
		n = read_number(f, sizeof(int));
		if (n > INT_MAX_SIZE)
			luaL_error(f->lua, "integral size %d is larger than limit of %d", (int)n,
				   INT_MAX_SIZE);
		return n;
	default:
		return 0;
	}
}

static size_t padding(const struct format *f, size_t size, char c, size_t at)
{
	size_t to = size > f->align ? f->align : size;

	if (size == 0 || c == 'c' || to <= 1)
		return 0;
	return (to - (at & (to - 1))) & (to - 1);
}

struct natural {
	char c;
	union {
		double d;
		void *p;
		long l;
		long long ll;
	} u;
};

/* A letter that is no value: how the following are laid out. */
static void control(struct format *f, char c)
{
	switch (c) {
	case ' ':
		return;
	case '>':
		f->little = false;
		return;
	case '<':
		f->little = true;
		return;
	case '=':
		f->little = host_is_little();
		return;
	case '!': {
		size_t n = read_number(f, offsetof(struct natural, u));
		if (n == 0 || (n & (n - 1)) != 0)
			luaL_error(f->lua, "alignment %d is not a power of 2", (int)n);
		f->align = n;
		return;
	}
	default: {
		const char *text = lua_pushfstring(f->lua, "invalid format option '%c'", c);
		luaL_argerror(f->lua, 1, text);
	}
	}
}

/* --- pack --- */

static void put_integer(luaL_Buffer *b, const struct format *f, double v, size_t size)
{
	unsigned char out[INT_MAX_SIZE];
	/* What 64 bits cannot hold is what this kind of machine makes of it, also where C leaves it open. */
	unsigned long long value = v >= 0x1p64    ? 0
				   : v >= 0       ? (unsigned long long)v
				   : v >= -0x1p63 ? (unsigned long long)(long long)v
						  : 1ull << 63;
	for (size_t i = 0; i < size; i++) {
		out[f->little ? i : size - 1 - i] = (unsigned char)value;
		value >>= 8;
	}
	luaL_addlstring(b, (const char *)out, size);
}

static void put_float(luaL_Buffer *b, const struct format *f, double v, size_t size)
{
	unsigned char out[sizeof(double)];
	float single = (float)v;

	memcpy(out, size == sizeof(single) ? (void *)&single : (void *)&v, size);
	for (size_t i = 0; f->little != host_is_little() && i < size / 2; i++) {
		unsigned char swap = out[i];
		out[i] = out[size - 1 - i];
		out[size - 1 - i] = swap;
	}
	luaL_addlstring(b, (const char *)out, size);
}

static size_t put_string(luaL_Buffer *b, lua_State *lua, int arg, char c, size_t size)
{
	size_t n;
	const char *s = luaL_checklstring(lua, arg, &n);

	if (size == 0)
		size = n;
	luaL_argcheck(lua, n >= size, arg + 1, "string too short");
	luaL_addlstring(b, s, size);
	if (c != 's')
		return size;
	luaL_addchar(b, '\0');
	return size + 1;
}

static int pack(lua_State *lua)
{
	luaL_Buffer b;
	struct format f;
	int arg = 2;
	size_t total = 0;

	format_init(&f, lua, luaL_checkstring(lua, 1));
	lua_pushnil(lua); /* between the arguments and what the buffer puts on the stack */
	luaL_buffinit(lua, &b);
	while (*f.at) {
		char c = *f.at++;
		size_t size = read_size(&f, c);
		size_t pad = padding(&f, size, c, total);
		total += pad;
		while (pad--)
			luaL_addchar(&b, '\0');
		if (c == 'x') {
			luaL_addchar(&b, '\0');
		} else if (strchr("bBhHlLTiI", c)) {
			put_integer(&b, &f, luaL_checknumber(lua, arg++), size);
		} else if (c == 'f' || c == 'd') {
			put_float(&b, &f, luaL_checknumber(lua, arg++), size);
		} else if (c == 'c' || c == 's') {
			size = put_string(&b, lua, arg++, c, size);
		} else {
			control(&f, c);
		}
		total += size;
	}
	luaL_pushresult(&b);
	return 1;
}

/* --- unpack --- */

static double get_integer(const struct format *f, const char *p, size_t size, bool is_signed)
{
	unsigned long long v = 0;

	for (size_t i = 0; i < size; i++) {
		size_t at = f->little ? size - 1 - i : i;
		v = v << 8 | (unsigned char)p[at];
	}
	if (!is_signed)
		return (double)v;
	if (size < sizeof(v)) {
		unsigned long long sign = 1ULL << (size * 8 - 1);
		v = size ? (v ^ sign) - sign : 0;
	}
	return (double)(long long)v;
}

static double get_float(const struct format *f, const char *p, size_t size)
{
	unsigned char in[sizeof(double)];
	float single;
	double v;

	memcpy(in, p, size);
	for (size_t i = 0; f->little != host_is_little() && i < size / 2; i++) {
		unsigned char swap = in[i];
		in[i] = in[size - 1 - i];
		in[size - 1 - i] = swap;
	}
	memcpy(size == sizeof(single) ? (void *)&single : (void *)&v, in, size);
	return size == sizeof(single) ? (double)single : v;
}

/* c0 takes its length from the value before it. */
static size_t length_from_stack(lua_State *lua, int values)
{
	if (values == 0 || !lua_isnumber(lua, -1))
		luaL_error(lua, "format 'c0' needs a previous size");
	double n = lua_tonumber(lua, -1);
	lua_pop(lua, 1);
	luaL_argcheck(lua, n >= 0 && n < 9e15, 1, "invalid size");
	return (size_t)n;
}

static int unpack(lua_State *lua)
{
	struct format f;
	size_t len;
	int values = 0;

	format_init(&f, lua, luaL_checkstring(lua, 1));
	const char *data = luaL_checklstring(lua, 2, &len);
	lua_Integer first = luaL_optinteger(lua, 3, 1);
	luaL_argcheck(lua, first > 0, 3, "offset must be 1 or greater");
	size_t pos = (size_t)first - 1;
	lua_settop(lua, 2);
	while (*f.at) {
		char c = *f.at++;
		size_t size = read_size(&f, c);
		pos += padding(&f, size, c, pos);
		luaL_argcheck(lua, size <= len && pos <= len - size, 2, "data string too short");
		luaL_checkstack(lua, 2, "too many results");
		if (c == 'x') {
			;
		} else if (strchr("bBhHlLTiI", c)) {
			bool is_signed = c == 'b' || c == 'h' || c == 'l' || c == 'i';
			lua_pushnumber(lua, get_integer(&f, data + pos, size, is_signed));
			values++;
		} else if (c == 'f' || c == 'd') {
			lua_pushnumber(lua, get_float(&f, data + pos, size));
			values++;
		} else if (c == 'c') {
			if (size == 0) {
				size = length_from_stack(lua, values);
				values--;
				luaL_argcheck(lua, size <= len && pos <= len - size, 2,
					      "data string too short");
			}
			lua_pushlstring(lua, data + pos, size);
			values++;
		} else if (c == 's') {
			const char *end = pos < len ? memchr(data + pos, '\0', len - pos) : NULL;
			if (!end)
				luaL_error(lua, "unfinished string in data");
			size = (size_t)(end - (data + pos)) + 1;
			lua_pushlstring(lua, data + pos, size - 1);
			values++;
		} else {
			control(&f, c);
		}
		pos += size;
	}
	lua_pushinteger(lua, (lua_Integer)pos + 1);
	return values + 1;
}

static int size_of(lua_State *lua)
{
	struct format f;
	size_t pos = 0;

	format_init(&f, lua, luaL_checkstring(lua, 1));
	while (*f.at) {
		char c = *f.at++;
		size_t size = read_size(&f, c);
		pos += padding(&f, size, c, pos);
		if (c == 's')
			luaL_argerror(lua, 1, "option 's' has no fixed size");
		if (c == 'c' && size == 0)
			luaL_argerror(lua, 1, "option 'c0' has no fixed size");
		if (!isalnum((unsigned char)c))
			control(&f, c);
		pos += size;
	}
	lua_pushinteger(lua, (lua_Integer)pos);
	return 1;
}

int struct_open(lua_State *lua)
{
	static const luaL_Reg functions[] = {
		{"pack", pack}, {"unpack", unpack}, {"size", size_of}, {NULL, NULL}};

	lua_newtable(lua);
	luaL_register(lua, NULL, functions);
	return 1;
}
