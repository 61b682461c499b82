/* resp/dispatch.h - the one door: every command of every front end goes through here.
 *
 * Arity, authentication, maxmemory, write refusal, statistics, slow log, MONITOR and the journal are dealt with in this place and
 * nowhere else.
 */
#ifndef RESP_DISPATCH_H
#define RESP_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>

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
	uint32_t file_flags;
	const struct command *cmd; /* dispatch_batch's own */
	uint64_t hash1;
};

/* Look up all, prefetch the table lines and entries of their first keys, then run them in order. */
void dispatch_batch(struct server *server, struct dispatch_item *items, size_t n);

/* Run several commands of one session with nothing in between, journalled as one unit. The items' replies follow each other
 * in s->reply. Checks that can refuse (arity, rights, memory, read-only) are made for all before the first runs: on refusal only that
 * error is replied, once, and false is answered. */
bool dispatch_unit(struct session *s, struct dispatch_item *items, size_t n);

/* The command of this name, or NULL; with @sub, argv[1] of a container command is resolved too: then *@sub is the
 * subcommand or NULL when unknown. */
const struct command *command_lookup(struct server *server, struct bytes name);
const struct command *command_lookup_sub(const struct command *parent, struct bytes name);

/* Keys of a call by its key specifications: positions in argv. Returns how many, -1 when the arguments make no sense for it. */
int command_keys(const struct command *cmd, int argc, const struct bytes *argv, int *positions,
		 uint32_t *flags, int max);

/* "string|set" style full name, "client|list", into @buf. */
size_t command_fullname(const struct command *parent, const struct command *cmd, char *buf,
			size_t n);

#endif
