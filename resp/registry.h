/* resp/registry.h - the registry's inside, shared by registry.c and dispatch.c. Others use dispatch.h. */
#ifndef RESP_REGISTRY_H
#define RESP_REGISTRY_H

#include "resp/dispatch.h"
#include "resp/ticks.h"

#define REGISTRY_MEMO_BITS 8

struct registry_memo {
	uint64_t word; /* the name as sent, which is short */
	size_t n;
	struct registered *reg;
};

struct registry {
	struct registered *commands;
	unsigned count;                 /* of commands and subcommands */
	struct registry_alias *aliases; /* uthash by name: renamed.c */
	struct error_stat *errors;
	struct ticks_rate rate;
	uint64_t told_errors, /* error replies that a script passes on: counted already */
		inner_errors; /* error replies of calls inside the one that runs: counted already */
	struct registry_memo memo[1 << REGISTRY_MEMO_BITS];
};

/* --- renamed.c --- */

struct registered *registry_find_alias(struct registry *r, struct bytes name);
void registry_free_aliases(struct registry *r);

void registry_count_error(struct registry *r, const char *code);

#endif
