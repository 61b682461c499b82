/* resp/scripts/scripts.h - Lua: scripts by their SHA1 (EVAL and its kin) and libraries of functions (FCALL).
 *
 * Two interpreters, one for scripts and one for functions, so that neither sees what the other has. Both are sandboxes: what they can reach of
 * the outside is the redis table, whose calls go through the dispatcher as the session of the caller. Their memory is counted
 * and bounded (lua-memory-limit). What a script writes is journalled as the effects of its calls, in one unit.
 *
 * A script that takes longer than busy-reply-threshold lets other clients be answered: with BUSY, but for the commands that
 * are flagged CMD_ALLOW_BUSY. The mount waits until the script is over (resp/net/busy.c).
 */
#ifndef RESP_SCRIPTS_H
#define RESP_SCRIPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resp/command.h"

struct scripts;
struct server;

struct scripts *scripts_new(struct server *s);
void scripts_free(struct scripts *s);

/* Follow lua-memory-limit. */
void scripts_apply_config(struct scripts *s);

/* --- scripts --- */

/* EVAL, EVALSHA and their read-only forms: run argv[1] (a script, or its SHA1 where @by_sha) with the keys and arguments that follow, and
 * reply. */
void scripts_eval(struct call *c, bool by_sha, bool read_only);

/* SCRIPT LOAD: replies the SHA1, or why @body does not compile. */
void scripts_load(struct call *c, struct bytes body);
bool scripts_exists(struct scripts *s, struct bytes sha);
/* Forget all scripts, and begin with a new interpreter. */
void scripts_flush(struct scripts *s);

/* --- functions --- */

/* FCALL and FCALL_RO: run function argv[1]. */
void scripts_fcall(struct call *c, bool read_only);
/* FUNCTION's subcommands; each replies, and counts its change. */
void scripts_function_load(struct call *c, struct bytes code, bool replace);
void scripts_function_delete(struct call *c);
void scripts_function_flush(struct call *c);
void scripts_function_list(struct call *c, const struct bytes *pattern, bool with_code);
void scripts_function_stats(struct call *c);
void scripts_function_dump(struct call *c);
void scripts_function_restore(struct call *c, struct bytes payload, bool flush, bool replace);

struct rdb_out;
/* The libraries as records of an RDB. */
void scripts_write_functions(struct scripts *s, struct rdb_out *o);
void scripts_each_library(struct scripts *s, void (*fn)(void *arg, struct bytes code), void *arg);
/* A library out of an RDB; false with an error line in @why. */
bool scripts_read_function(struct scripts *s, struct bytes code, bool replace, char *why,
			   size_t room);
/* Forget all libraries, and begin with a new interpreter. */
void functions_clear(struct scripts *s);

/* The flags by which the dispatcher is to refuse this call of EVAL, EVALSHA or FCALL: enum command_flag, those of the command but for what the
 * script's own flags say. */
uint32_t scripts_command_flags(struct scripts *s, const struct command *cmd, int argc,
			       const struct bytes *argv);

/* --- the one that runs --- */

/* SCRIPT KILL (@function false) or FUNCTION KILL; replies. */
void scripts_kill(struct call *c, bool function);
/* End the one that runs as SCRIPT KILL does, unless it has written. */
void scripts_end_idle(struct scripts *s);
bool scripts_running(const struct scripts *s);

/* --- INFO --- */

struct scripts_figures {
	uint64_t eval_vm, functions_vm; /* bytes that the interpreters hold */
	uint64_t cached, cached_mem;    /* scripts, and what they cost beside the interpreter */
	uint64_t functions, libraries, functions_mem;
	uint64_t evicted;
};
void scripts_figures(const struct scripts *s, struct scripts_figures *out);

#endif
