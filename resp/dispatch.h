/* resp/dispatch.h - the one door: every command of every front end goes through here.
 *
 * Arity, authentication, maxmemory, write refusal, statistics, slow log, MONITOR and the journal are dealt with in this place and
 * nowhere else.
 */
#ifndef RESP_DISPATCH_H
#define RESP_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <uthash.h>

#include "resp/command.h"
#include "resp/session.h"

/* Run one command; the reply is appended to s->reply. @file_flags is 0 but for the mount. */
void dispatch(struct session *s, int argc, const struct bytes *argv, uint32_t file_flags);

struct dispatch_item {
	struct session *session;
	int argc;
	const struct bytes *argv;
	struct blob *blob; /* argv[blob_arg] stands in it, or NULL; dispatch may take it */
	int blob_arg;
	bool big; /* its arguments may be of any size, and are not in the batch's arena */
	uint32_t file_flags;
	int ready_key; /* a parked command runs again for this one: blocking.c's, else 0 */
	enum {
		ITEM_DONE,
		ITEM_PARKED, /* its command waits now */
		ITEM_HELD,   /* not run: its session waits, or has commands that come before */
		ITEM_SERVED, /* ran while a script was busy in front of it */
	} state;
	struct registered *reg; /* dispatch_batch's own, like the next two */
	bool has_hash1;
	uint64_t hash1;
};

/* Look up all, prefetch the table lines and entries of their first keys, then run them in order. Those of sessions that are held
 * (SESSION_HELD) are left, and say so in @state, which is ITEM_DONE before. */
void dispatch_batch(struct server *server, struct dispatch_item *items, size_t n);

/* Run several commands of one session with nothing in between, journalled as one unit. The items' replies follow each other
 * in s->reply. Checks that can refuse (arity, rights, memory, read-only) are made for all before the first runs: on refusal only that
 * error is replied, once, and false is answered. */
bool dispatch_unit(struct session *s, struct dispatch_item *items, size_t n);

/* Run an item whose command was found and admitted before, inside another command that runs (EXEC). */
void dispatch_admitted(struct dispatch_item *item);
/* Run a command of a script, which was found and may run, as item->reg; its session has a reply of its own. */
void dispatch_inner(struct dispatch_item *item);
/* Run an item of a batch that waits for a busy script in front of it, out of its turn. */
void dispatch_overtaking(struct dispatch_item *item);
/* Run a parked command again, which was admitted when it came; @ticks is the time that it took so far, and then in all. */
void dispatch_resume(struct dispatch_item *item, uint64_t *ticks);
/* A parked command is over without having run again: its figures. @errors is s->reply->errors before it was answered. */
void dispatch_end(struct dispatch_item *item, uint64_t ticks, uint64_t errors);

/* A command of the registry, with its figures. Subcommands have their own, in @subs of their container. */
struct registered {
	const struct command *cmd;
	struct registered *parent;        /* NULL at the top */
	const struct command *parent_cmd; /* its cmd, or NULL */
	/* Nothing about the command itself asks for a look before it runs, but its arity. */
	bool plain;
	bool renamed; /* clients do not call it by its own name any more: rename-command */
	bool gone;    /* nor by another */
	struct registered *subs; /* uthash by name */
	struct command_stats stats;
	struct histogram *
		latency; /* of each call's ticks; NULL before the first: resp/insight/command_latency.h */
	uint64_t ticks; /* time spent, in the dispatcher's clock: see registered_usec */
	unsigned id;    /* from 0, without gaps: ACL's bit */
	int first_key;  /* argv index of the first key by the first specification, 0 for none */
	char *fullname; /* "client|list" */
	UT_hash_handle hh;
};

struct registry *registry_new(void);
void registry_free(struct registry *r);

/* All top-level commands: iterate with HASH_ITER / hh.next. */
struct registered *registry_commands(struct registry *r);
/* The command whose own name this is, in any case, or NULL. "client|list" names a subcommand. */
struct registered *registry_find(struct registry *r, struct bytes name);
struct registered *registry_find_sub(struct registered *parent, struct bytes name);
/* The same by the name that clients call it by. */
struct registered *registry_find_called(struct registry *r, struct bytes name);
/* What a client's argv calls: a container resolves to its subcommand; NULL when unknown. */
struct registered *registry_resolve(struct registry *r, int argc, const struct bytes *argv);
/* The same for ourselves (the mount, the log), who may also go by a command's own name. */
struct registered *registry_resolve_own(struct registry *r, int argc, const struct bytes *argv);
/* rename-command, before the first command; an empty @to takes it from clients. Answers what is wrong, or NULL. */
const char *registry_rename(struct registry *r, struct bytes from, struct bytes to);
/* How many commands COMMAND tells of. */
unsigned registry_count(struct registry *r);
uint64_t registered_usec(const struct registry *r, const struct registered *c);

/* INFO errorstats: error codes and how often each was replied. */
struct error_stat {
	char code[24];
	uint64_t count;
	UT_hash_handle hh;
};
struct error_stat *registry_errors(struct registry *r);
/* CONFIG RESETSTAT's part. */
void registry_reset_stats(struct registry *r);

/* Keys of a call by its key specifications: positions in argv. Returns how many, -1 when the arguments make no sense for it. */
int command_keys(const struct command *cmd, int argc, const struct bytes *argv, int *positions,
		 uint32_t *flags, int max);

#endif
