/* resp/scripts/libraries.c - see libraries.h. */
#define uthash_malloc(n)  mem_alloc(n)
#define uthash_free(p, n) mem_free(p)
#include "resp/scripts/libraries.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "resp/proto/parser.h"
#include "resp/scripts/internal.h"
#include "resp/server.h"
#include "resp/ticks.h"
#include "store/base/mem.h"

/* --- libraries --- */

static void function_free(struct scripts *s, struct function *f)
{
	luaL_unref(s->functions.lua, LUA_REGISTRYINDEX, f->ref);
	mem_free(f->name);
	mem_free(f->folded);
	mem_free(f->description);
	mem_free(f);
}

void library_free(struct scripts *s, struct library *l)
{
	while (l->functions) {
		struct function *f = l->functions;
		l->functions = f->next;
		function_free(s, f);
	}
	mem_free(l->name);
	mem_free((void *)(uintptr_t)l->code.p);
	mem_free(l);
}

struct library *libraries_find(const struct libraries *set, struct bytes name)
{
	struct library *found;

	HASH_FIND(hh, set->libraries, name.p, name.n, found);
	return found;
}

void libraries_remove(struct scripts *s, struct libraries *set, struct library *l)
{
	for (struct function *f = l->functions; f; f = f->next)
		HASH_DEL(set->functions, f);
	HASH_DEL(set->libraries, l);
	library_free(s, l);
}

void libraries_clear(struct scripts *s, struct libraries *set)
{
	struct library *l, *next;

	HASH_ITER (hh, set->libraries, l, next)
		libraries_remove(s, set, l);
}

bool libraries_add(struct scripts *s, struct libraries *set, struct library *l, bool replace,
		   char *why, size_t room)
{
	struct library *old = libraries_find(set, bytes_str(l->name));

	if (old && !replace) {
		snprintf(why, room, "ERR Library %s already exists", l->name);
		return false;
	}
	for (const struct function *f = l->functions; f; f = f->next) {
		struct function *taken;
		HASH_FIND_STR(set->functions, f->folded, taken);
		if (!taken || taken->library == old)
			continue;
		snprintf(why, room, "ERR Function %s already exists", f->name);
		return false;
	}
	if (old)
		libraries_remove(s, set, old);
	HASH_ADD_KEYPTR(hh, set->libraries, l->name, strlen(l->name), l);
	for (struct function *f = l->functions; f; f = f->next)
		HASH_ADD_KEYPTR(hh, set->functions, f->folded, strlen(f->folded), f);
	return true;
}

/* --- names --- */

static bool is_name(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!isalnum((unsigned char)name.p[i]) && name.p[i] != '_')
			return false;
	return name.n > 0;
}

static char *copy_text(struct bytes s)
{
	char *text = mem_alloc(s.n + 1);

	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return text;
}

static int shown(struct bytes b)
{
	return b.n < 128 ? (int)b.n : 128;
}

static void fold(char *text)
{
	for (; *text; text++)
		*text = (char)tolower((unsigned char)*text);
}

/* "#!lua name=mylib": the name into @name, owned. */
static bool read_words(int n, const struct bytes *words, char **name, char *why, size_t room)
{
	for (int i = 1; i < n; i++) {
		struct bytes w = words[i];
		if (w.n < 5 || memcmp(w.p, "name=", 5) != 0) {
			snprintf(why, room, "ERR Invalid metadata value given: %.*s", shown(w),
				 w.p);
			return false;
		}
		if (*name) {
			snprintf(why, room,
				 "ERR Invalid metadata value, name argument was given "
				 "multiple times");
			return false;
		}
		*name = copy_text(bytes_of(w.p + 5, w.n - 5));
	}
	if (!*name) {
		snprintf(why, room, "ERR Library name was not given");
		return false;
	}
	if (!is_name(bytes_str(*name))) {
		snprintf(why, room,
			 "ERR Library names can only contain letters, numbers, or "
			 "underscores(_) and must be at least one character long");
		return false;
	}
	struct bytes engine = bytes_of(words[0].p + 2, words[0].n - 2);
	if (!bytes_is(engine, "lua")) {
		snprintf(why, room, "ERR Engine '%.*s' not found", shown(engine), engine.p);
		return false;
	}
	return true;
}

static bool read_head(struct bytes code, char **name, size_t *skip, char *why, size_t room)
{
	struct bytes *words = NULL;

	if (code.n < 2 || memcmp(code.p, "#!", 2) != 0) {
		snprintf(why, room, "ERR Missing library metadata");
		return false;
	}
	const char *end = memchr(code.p, '\n', code.n);
	*skip = end ? (size_t)(end - code.p) : 0;
	int n = end ? line_split(bytes_of(code.p, *skip), &words) : 0;
	if (n <= 0) {
		snprintf(why, room, "ERR Invalid library metadata");
		return false;
	}
	bool ok = read_words(n, words, name, why, room);
	mem_free(words);
	return ok;
}

/* --- registering --- */

static int refuse(lua_State *lua, const char *text)
{
	api_error(lua, text);
	return lua_error(lua);
}

/* The flags in the table on the top. */
static uint32_t read_flags(lua_State *lua)
{
	uint32_t flags = 0;

	for (int i = 1;; i++) {
		size_t n;
		lua_rawgeti(lua, -1, i);
		if (lua_isnil(lua, -1)) {
			lua_pop(lua, 1);
			return flags;
		}
		const char *s =
			lua_type(lua, -1) == LUA_TSTRING ? lua_tolstring(lua, -1, &n) : NULL;
		uint32_t flag = s ? script_flag_find(bytes_of(s, n)) : 0;
		if (!flag)
			refuse(lua, "unknown flag given");
		flags |= flag;
		lua_pop(lua, 1);
	}
}

struct given {
	const char *name, *description;
	bool callback;
	uint32_t flags;
};

/* One named argument: its key and value are on the top. The callback goes to slot 2. */
static void read_named(lua_State *lua, struct given *g)
{
	if (lua_type(lua, -2) == LUA_TNUMBER)
		refuse(lua, "unknown argument given to redis.register_function");
	if (lua_type(lua, -2) != LUA_TSTRING)
		refuse(lua, "named argument key given to redis.register_function is not a string");
	const char *key = lua_tostring(lua, -2);
	if (strcmp(key, "function_name") == 0) {
		if (!lua_isstring(lua, -1))
			refuse(lua, "function_name argument given to redis.register_function must "
				    "be a string");
		g->name = lua_tostring(lua, -1);
	} else if (strcmp(key, "description") == 0) {
		if (!lua_isstring(lua, -1))
			refuse(lua, "description argument given to redis.register_function must "
				    "be a string");
		g->description = lua_tostring(lua, -1);
	} else if (strcmp(key, "callback") == 0) {
		if (!lua_isfunction(lua, -1))
			refuse(lua, "callback argument given to redis.register_function must be a "
				    "function");
		lua_pushvalue(lua, -1);
		lua_replace(lua, 2);
		g->callback = true;
	} else if (strcmp(key, "flags") == 0) {
		if (!lua_istable(lua, -1))
			refuse(lua, "flags argument to redis.register_function must be a table "
				    "representing function flags");
		g->flags = read_flags(lua);
	} else {
		refuse(lua, "unknown argument given to redis.register_function");
	}
}

static void read_table(lua_State *lua, struct given *g)
{
	if (!lua_istable(lua, 1))
		refuse(lua, "calling redis.register_function with a single argument is only "
			    "applicable to Lua table (representing named arguments).");
	lua_settop(lua, 1);
	lua_pushnil(lua); /* slot 2 */
	for (lua_pushnil(lua); lua_next(lua, 1); lua_pop(lua, 1))
		read_named(lua, g);
	if (!g->name)
		refuse(lua, "redis.register_function must get a function name argument");
	if (!g->callback)
		refuse(lua, "redis.register_function must get a callback argument");
}

int library_register(lua_State *lua)
{
	struct library *l = engine_of(lua)->home->loading;
	struct given g = {NULL, NULL, false, 0};
	int argc = lua_gettop(lua);

	if (!l)
		return refuse(lua, "redis.register_function can only be called on FUNCTION LOAD "
				   "command");
	if (argc < 1 || argc > 2)
		return refuse(lua, "wrong number of arguments to redis.register_function");
	if (argc == 1) {
		read_table(lua, &g);
	} else {
		if (!lua_isstring(lua, 1))
			return refuse(lua, "first argument to redis.register_function must be a "
					   "string");
		if (!lua_isfunction(lua, 2))
			return refuse(lua, "second argument to redis.register_function must be a "
					   "function");
		g.name = lua_tostring(lua, 1);
	}
	if (!is_name(bytes_str(g.name)))
		return refuse(lua, "Library names can only contain letters, numbers, or "
				   "underscores(_) and must be at least one character long");
	for (const struct function *f = l->functions; f; f = f->next)
		if (strcmp(f->name, g.name) == 0)
			return refuse(lua, "Function already exists in the library");
	lua_pushvalue(lua, 2);
	int ref = luaL_ref(lua, LUA_REGISTRYINDEX);
	struct function *f = mem_calloc(sizeof(*f));
	f->name = copy_text(bytes_str(g.name));
	f->folded = copy_text(bytes_str(g.name));
	fold(f->folded);
	f->description = g.description ? copy_text(bytes_str(g.description)) : NULL;
	f->ref = ref;
	f->flags = g.flags;
	f->library = l;
	f->next = l->functions;
	l->functions = f;
	l->count++;
	return 0;
}

/* --- loading --- */

struct loading {
	struct engine *engine;
	struct bytes code;
	char *why;
	size_t room;
	bool ok;
};

static void say(struct loading *l, lua_State *lua, const char *what)
{
	const char *text = NULL;

	if (lua_istable(lua, -1)) {
		lua_pushliteral(lua, "err");
		lua_rawget(lua, -2);
	}
	text = lua_tostring(lua, -1);
	snprintf(l->why, l->room, "ERR %s: %.200s", what, text ? text : "unknown error");
}

static int protected_load(lua_State *lua)
{
	struct loading *l = lua_touserdata(lua, 1);

	lua_rawgeti(lua, LUA_REGISTRYINDEX, l->engine->on_error);
	if (engine_load(lua, l->code, "@user_function") != 0) {
		say(l, lua, "Error compiling function");
		return 0;
	}
	/* The redis table that there is while loading. */
	lua_rawgeti(lua, LUA_REGISTRYINDEX, l->engine->globals);
	lua_rawgeti(lua, LUA_REGISTRYINDEX, l->engine->load_api);
	lua_setfield(lua, -2, "redis");
	lua_pop(lua, 1);
	l->ok = lua_pcall(lua, 0, 0, 2) == 0;
	if (!l->ok)
		say(l, lua, "Error registering functions");
	return 0;
}

static int restore_api(lua_State *lua)
{
	struct engine *e = engine_of(lua);

	lua_rawgeti(lua, LUA_REGISTRYINDEX, e->globals);
	lua_rawgeti(lua, LUA_REGISTRYINDEX, e->api);
	lua_setfield(lua, -2, "redis");
	return 0;
}

static bool run_code(struct scripts *s, struct library *l, struct bytes code, char *why,
		     size_t room)
{
	struct engine *e = &s->functions;
	struct loading loading = {e, code, why, room, false};

	s->loading = l;
	s->loading_since_ns = ticks_ns();
	if (lua_cpcall(e->lua, protected_load, &loading) != 0) {
		loading.ok = false;
		snprintf(why, room, "ERR Error registering functions: not enough memory");
	}
	s->loading = NULL;
	lua_settop(e->lua, 0);
	lua_cpcall(e->lua, restore_api, NULL);
	lua_settop(e->lua, 0);
	engine_relieve(e);
	return loading.ok;
}

struct library *library_load(struct scripts *s, struct bytes code, bool replace,
			     const struct libraries *among, char *why, size_t room)
{
	char *name = NULL;
	size_t skip;

	if (!read_head(code, &name, &skip, why, room)) {
		mem_free(name);
		return NULL;
	}
	if (among && !replace && libraries_find(among, bytes_str(name))) {
		snprintf(why, room, "ERR Library '%s' already exists", name);
		mem_free(name);
		return NULL;
	}
	struct library *l = mem_calloc(sizeof(*l));
	l->name = name;
	l->code = bytes_of(mem_dup(code.p, code.n), code.n);
	bool ok = run_code(s, l, bytes_of(code.p + skip, code.n - skip), why, room);
	if (ok && !l->functions) {
		snprintf(why, room, "ERR No functions registered");
		ok = false;
	}
	if (ok)
		return l;
	library_free(s, l);
	return NULL;
}
