/* resp/scripts/internal.h - what the files of resp/scripts/ share. */
#ifndef RESP_SCRIPTS_INTERNAL_H
#define RESP_SCRIPTS_INTERNAL_H

#include <lua5.1/lauxlib.h>
#include <lua5.1/lua.h>
#include <uthash.h>

#include "resp/proto/reply.h"
#include "resp/scripts/scripts.h"
#include "resp/session.h"
#include "store/base/rng.h"

/* What a script says of itself in its first line, a function when it is registered. */
enum script_flag {
	SCRIPT_NO_WRITES = 1 << 0,
	SCRIPT_ALLOW_OOM = 1 << 1,
	SCRIPT_ALLOW_STALE = 1 << 2,
	SCRIPT_NO_CLUSTER = 1 << 3,
	SCRIPT_CROSS_SLOT = 1 << 4,
	SCRIPT_COMPAT = 1 << 5, /* it says nothing: as before flags were invented */
};

/* By the names that scripts use; ends with a NULL. */
struct script_flag_name {
	const char *name;
	uint32_t flag;
};
extern const struct script_flag_name script_flag_names[];
/* The flag of this name, 0 for none. */
uint32_t script_flag_find(struct bytes name);

/* One interpreter. */
struct engine {
	struct scripts *home;
	lua_State *lua;
	size_t used, limit;   /* bytes */
	size_t collect_above; /* the hook collects garbage from here on */
	int globals;          /* registry references: the real global table, */
	int api, load_api;    /* the redis table, and that of FUNCTION LOAD, */
	int trampoline;       /* run.c's protected entry, */
	int on_error;         /* and the handler that notes where an error was raised */
	unsigned calls;       /* since the last step of the collector */
	struct rng rng;       /* math.random's */
};

/* A cached script. */
struct script {
	char sha[41];
	int function; /* registry reference */
	uint32_t flags;
	bool loaded;                /* by SCRIPT LOAD: stays until it is flushed */
	struct bytes body;          /* behind the struct */
	struct script *prev, *next; /* those of EVAL, the least recently used first */
	UT_hash_handle by_sha, by_body;
};

/* A call of a script or function, on its way. */
struct run {
	struct engine *engine;
	struct call *call; /* the caller's */
	const char *name;  /* the SHA1, or the function's */
	int function;      /* registry reference */
	bool is_eval;
	uint32_t flags; /* enum script_flag */
	bool read_only, allow_oom;
	int nkeys, nargs;
	const struct bytes *keys, *args;

	int proto;        /* of what calls answer to the script: redis.setresp */
	unsigned targets; /* redis.set_repl: enum run_target */
	bool wrote;       /* began a command that writes */
	bool killed, kill_logged, busy;
	bool told;         /* the error that is replied was counted when a call raised it */
	uint64_t began_ns; /* ticks_ns */
};

enum run_target { RUN_TARGET_AOF = 1, RUN_TARGET_REPLICAS = 2 };

struct scripts {
	struct server *server;
	struct engine eval, functions;
	struct script *by_sha, *by_body, *oldest;
	size_t cached_mem;
	uint64_t evicted;
	struct libraries *libraries;
	struct library *loading; /* that registers its functions now, or NULL */
	uint64_t loading_since_ns;

	struct session session; /* what calls run as: the caller, in all that matters */
	struct reply reply;     /* theirs */
	struct run *run;        /* the one that runs, or NULL */
};

/* --- engine.c --- */

/* An interpreter with the sandbox of scripts (redis.* included) or, with @functions, of functions. */
void engine_init(struct engine *e, struct scripts *home, bool functions);
void engine_fini(struct engine *e);
/* Between scripts: collect what a large one left behind. */
void engine_relieve(struct engine *e);
/* Follow the configuration. */
void engine_bound(struct engine *e);
static inline struct engine *engine_of(lua_State *lua)
{
	void *e;
	lua_getallocf(lua, &e);
	return e;
}
/* Compile @code, which is never taken for byte code; like lua_load. */
int engine_load(lua_State *lua, struct bytes code, const char *name);

/* --- sandbox.c --- */

/* Open the libraries, leave out what leads outside. */
void sandbox_open(lua_State *lua);
/* Replace the table on the stack's top by one that reads the same and refuses every change. */
void sandbox_seal(lua_State *lua);
/* Have the table on the top raise an error for a name that is not in it. */
void sandbox_strict(lua_State *lua);
/* Seal what is in the global table and it itself, and have it refuse unknown names. Its real table stays in the registry at
 * e->globals. */
void sandbox_close(struct engine *e);

/* --- api.c --- */

/* Put the redis table on the stack. */
void api_open(lua_State *lua, bool functions);
/* The same for the code of a library while it is loaded. */
void api_open_loading(lua_State *lua);
/* Put an error as a table on the stack; @text is an error line with or without its "-CODE". */
void api_error(lua_State *lua, const char *text);

/* --- call.c --- */

int call_command(lua_State *lua);           /* redis.call */
int call_command_protected(lua_State *lua); /* redis.pcall */
int call_acl_check(lua_State *lua);         /* redis.acl_check_cmd */

/* --- to_lua.c, to_reply.c --- */

/* Put the one reply that stands in @p on the stack. */
void reply_to_lua(lua_State *lua, const char *p, size_t n);
/* Reply the value on the stack's top, as a script returned it, and take it away. @proto is what the script asked its own replies in.
 * @told is set when it was an error that a call had raised. */
void lua_to_reply(lua_State *lua, struct reply *r, int proto, bool *told);

/* --- run.c --- */

/* Run it and reply. */
void run_script(struct run *run);
/* A C function of Lua, whose argument is the run: e->trampoline. */
int run_protected(lua_State *lua);
/* The hook of every interpreter. */
void run_hook(lua_State *lua, lua_Debug *ar);

/* --- functions.c --- */

/* The flags of this function, SCRIPT_COMPAT when there is none. */
uint32_t functions_flags(const struct scripts *s, struct bytes name);
void functions_figures(const struct scripts *s, struct scripts_figures *out);

/* --- shebang.c --- */

/* The flags of a script's first line, and how long that is. False with an error line in @why. */
bool shebang_read(struct bytes body, uint32_t *flags, size_t *skip, char *why, size_t room);

/* --- libraries of Lua --- */

int cmsgpack_open(lua_State *lua);
int struct_open(lua_State *lua);
int cjson_open(lua_State *lua);

#endif
