/* resp/scripts/libraries.h - libraries of functions: FUNCTION LOAD brings them, FCALL runs them, the RDB keeps them. */
#ifndef RESP_SCRIPTS_LIBRARIES_H
#define RESP_SCRIPTS_LIBRARIES_H

#include <lua5.1/lua.h>
#include <uthash.h>

#include "resp/scripts/scripts.h"
#include "store/base/bytes.h"

struct library;

struct function {
	char *name, *folded,
		*description; /* owned; folded: in lower case, by which it is found; no description is NULL */
	int ref;              /* registry reference */
	uint32_t flags; /* enum script_flag */
	struct library *library;
	struct function *next; /* of its library */
	UT_hash_handle hh;
};

struct library {
	char *name;
	struct bytes code; /* owned */
	struct function *functions;
	size_t count;
	UT_hash_handle hh;
};

/* A set of libraries that fit together: names of libraries and of functions are unique in it. */
struct libraries {
	struct library *libraries;
	struct function *functions;
};

/* Compile @code and have it register its functions. NULL with an error line in @why. It is in no set yet. */
struct library *library_load(struct scripts *s, struct bytes code, bool replace,
			     const struct libraries *among, char *why, size_t room);
void library_free(struct scripts *s, struct library *l);

/* Put @l in. False, and nothing is changed, when a name is taken: an error line in @why. With @replace a library of the same name goes. */
bool libraries_add(struct scripts *s, struct libraries *set, struct library *l, bool replace,
		   char *why, size_t room);
void libraries_remove(struct scripts *s, struct libraries *set, struct library *l);
void libraries_clear(struct scripts *s, struct libraries *set);
struct library *libraries_find(const struct libraries *set, struct bytes name);

/* redis.register_function. */
int library_register(lua_State *lua);

#endif
