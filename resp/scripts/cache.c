/* resp/scripts/cache.c - scripts by their SHA1, compiled once.
 *
 * What SCRIPT LOAD brought stays until SCRIPT FLUSH. What only EVAL brought is bounded: the least recently used go, since clients that put
 * their arguments into the source would fill the memory.
 */
#define uthash_malloc(n)  mem_alloc(n)
#define uthash_free(p, n) mem_free(p)
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "resp/insight/monitor.h"
#include "resp/scripts/internal.h"
#include "resp/scripts/libraries.h"
#include "resp/server.h"
#include "store/base/mem.h"
#include "store/base/num.h"

/* As many as EVAL may leave behind. */
#define EVAL_MAX 500

#define SHA_LEN 40

static void sha_of(struct bytes body, char *out)
{
	unsigned char digest[20];

	EVP_Q_digest(NULL, "SHA1", NULL, body.p, body.n, digest, NULL);
	for (int i = 0; i < 20; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* --- finding --- */

static struct script *find_sha(struct scripts *s, struct bytes sha)
{
	char lower[SHA_LEN];
	struct script *found;

	if (sha.n != SHA_LEN)
		return NULL;
	for (size_t i = 0; i < SHA_LEN; i++)
		lower[i] = sha.p[i] >= 'A' && sha.p[i] <= 'Z' ? (char)(sha.p[i] | 0x20) : sha.p[i];
	HASH_FIND(by_sha, s->by_sha, lower, SHA_LEN, found);
	return found;
}

static struct script *find_body(struct scripts *s, struct bytes body)
{
	struct script *found;

	HASH_FIND(by_body, s->by_body, body.p, body.n, found);
	return found;
}

bool scripts_exists(struct scripts *s, struct bytes sha)
{
	return find_sha(s, sha) != NULL;
}

/* --- keeping --- */

static void drop(struct scripts *s, struct script *script)
{
	HASH_DELETE(by_sha, s->by_sha, script);
	HASH_DELETE(by_body, s->by_body, script);
	if (!script->loaded)
		DL_DELETE(s->oldest, script);
	luaL_unref(s->eval.lua, LUA_REGISTRYINDEX, script->function);
	s->cached_mem -= mem_size(script);
	mem_free(script);
}

static void used(struct scripts *s, struct script *script)
{
	if (script->loaded || !script->next)
		return;
	DL_DELETE(s->oldest, script);
	DL_APPEND(s->oldest, script);
}

static void bound(struct scripts *s)
{
	struct script *each;
	int n;

	DL_COUNT(s->oldest, each, n);
	for (; n > EVAL_MAX; n--) {
		drop(s, s->oldest);
		s->evicted++;
	}
}

static void keep_for_good(struct scripts *s, struct script *script)
{
	if (script->loaded)
		return;
	DL_DELETE(s->oldest, script);
	script->loaded = true;
}

/* --- compiling --- */

struct compiling {
	struct bytes code;
	int function;
};

static int protected_compile(lua_State *lua)
{
	struct compiling *c = lua_touserdata(lua, 1);

	if (engine_load(lua, c->code, "@user_script") != 0)
		return lua_error(lua);
	c->function = luaL_ref(lua, LUA_REGISTRYINDEX);
	return 0;
}

/* A new script in the cache, or NULL with the error replied. */
static struct script *create(struct scripts *s, struct bytes body, struct reply *r)
{
	char why[256];
	uint32_t flags;
	size_t skip;

	if (!shebang_read(body, &flags, &skip, why, sizeof(why))) {
		reply_error(r, why);
		return NULL;
	}
	struct script *script = mem_try(sizeof(*script) + body.n);
	if (!script) {
		reply_error(r, "OOM command not allowed when used memory > 'maxmemory'.");
		return NULL;
	}
	struct compiling c = {.code = bytes_of(body.p + skip, body.n - skip)};
	lua_State *lua = s->eval.lua;
	if (lua_cpcall(lua, protected_compile, &c) != 0) {
		reply_errorf(r, "ERR Error compiling script (new function): %s",
			     lua_isstring(lua, -1) ? lua_tostring(lua, -1) : "?");
		lua_settop(lua, 0);
		engine_relieve(&s->eval);
		mem_free(script);
		return NULL;
	}
	*script = (struct script){.function = c.function, .flags = flags};
	sha_of(body, script->sha);
	memcpy(script + 1, body.p, body.n);
	script->body = bytes_of(script + 1, body.n);
	HASH_ADD(by_sha, s->by_sha, sha, SHA_LEN, script);
	HASH_ADD_KEYPTR(by_body, s->by_body, script->body.p, script->body.n, script);
	DL_APPEND(s->oldest, script);
	s->cached_mem += mem_size(script);
	bound(s);
	return script;
}

void scripts_load(struct call *c, struct bytes body)
{
	struct scripts *s = c->server->scripts;
	struct script *script = find_body(s, body);

	if (!script)
		script = create(s, body, c->reply);
	if (!script)
		return;
	keep_for_good(s, script);
	reply_bulk(c->reply, bytes_of(script->sha, SHA_LEN));
}

/* --- running --- */

static const char no_script[] = "NOSCRIPT No matching script. Please use EVAL.";

void scripts_eval(struct call *c, bool by_sha, bool read_only)
{
	struct scripts *s = c->server->scripts;
	int64_t nkeys;

	/* In front of what it does. */
	if (c->server->monitors)
		monitor_feed(c->session, c->db->id, c->argc, c->argv);
	if (by_sha && c->argv[1].n != SHA_LEN) {
		reply_error(c->reply, no_script);
		return;
	}
	if (!call_int(c, 2, &nkeys))
		return;
	if (nkeys > c->argc - 3) {
		reply_error(c->reply, "ERR Number of keys can't be greater than number of args");
		return;
	}
	if (nkeys < 0) {
		reply_error(c->reply, "ERR Number of keys can't be negative");
		return;
	}
	struct script *script = by_sha ? find_sha(s, c->argv[1]) : find_body(s, c->argv[1]);
	if (!script && by_sha) {
		reply_error(c->reply, no_script);
		return;
	}
	if (!script)
		script = create(s, c->argv[1], c->reply);
	if (!script)
		return;
	used(s, script);
	struct run run = {.engine = &s->eval,
			  .call = c,
			  .name = script->sha,
			  .function = script->function,
			  .is_eval = true,
			  .flags = script->flags,
			  .read_only = read_only,
			  .nkeys = (int)nkeys,
			  .keys = c->argv + 3,
			  .nargs = c->argc - 3 - (int)nkeys,
			  .args = c->argv + 3 + nkeys};
	run_script(&run);
}

/* --- life --- */

void scripts_flush(struct scripts *s)
{
	struct script *script, *next;

	HASH_ITER (by_sha, s->by_sha, script, next)
		drop(s, script);
	engine_fini(&s->eval);
	engine_init(&s->eval, s, false);
}

void scripts_apply_config(struct scripts *s)
{
	engine_bound(&s->eval);
	engine_bound(&s->functions);
}

struct scripts *scripts_new(struct server *server)
{
	struct scripts *s = mem_calloc(sizeof(*s));

	s->server = server;
	reply_init(&s->reply, 2);
	engine_init(&s->eval, s, false);
	engine_init(&s->functions, s, true);
	s->libraries = mem_calloc(sizeof(*s->libraries));
	return s;
}

void scripts_free(struct scripts *s)
{
	struct script *script, *next;

	if (!s)
		return;
	HASH_ITER (by_sha, s->by_sha, script, next)
		drop(s, script);
	libraries_clear(s, s->libraries);
	mem_free(s->libraries);
	engine_fini(&s->eval);
	engine_fini(&s->functions);
	reply_fini(&s->reply);
	mem_free(s);
}

/* --- for the dispatcher and for INFO --- */

/* What a script says of itself stands for what the command would be refused by. */
static uint32_t fit_flags(uint32_t command, uint32_t script)
{
	if (script & SCRIPT_COMPAT)
		return command;
	command &= ~(uint32_t)(CMD_STALE | CMD_DENYOOM | CMD_WRITE | CMD_MAY_REPLICATE);
	if (!(script & (SCRIPT_ALLOW_OOM | SCRIPT_NO_WRITES)))
		command |= CMD_DENYOOM;
	if (!(script & SCRIPT_NO_WRITES))
		command |= CMD_WRITE;
	if (script & SCRIPT_ALLOW_STALE)
		command |= CMD_STALE;
	return command;
}

uint32_t scripts_command_flags(struct scripts *s, const struct command *cmd, int argc,
			       const struct bytes *argv)
{
	char why[256];
	size_t skip;
	uint32_t flags = SCRIPT_COMPAT;

	if (argc < 2)
		return cmd->flags;
	if (cmd->name[0] == 'f') {
		flags = functions_flags(s, argv[1]);
	} else if (strncmp(cmd->name, "evalsha", 7) == 0) {
		const struct script *script = find_sha(s, argv[1]);
		flags = script ? script->flags : SCRIPT_COMPAT;
	} else if (!shebang_read(argv[1], &flags, &skip, why, sizeof(why))) {
		flags = SCRIPT_COMPAT;
	}
	return fit_flags(cmd->flags, flags);
}

void scripts_figures(const struct scripts *s, struct scripts_figures *out)
{
	*out = (struct scripts_figures){
		.eval_vm = s->eval.used,
		.functions_vm = s->functions.used,
		.cached = HASH_CNT(by_sha, s->by_sha),
		.cached_mem = s->cached_mem,
		.evicted = s->evicted,
	};
	functions_figures(s, out);
}
