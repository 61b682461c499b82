/* resp/commands/insight/debug.h - DEBUG's subcommands by file; debug.c has the table. */
#ifndef RESP_COMMANDS_DEBUG_H
#define RESP_COMMANDS_DEBUG_H

#include "resp/command.h"

/* debug_data.c: what looks into the data set or fills it. argv[1] is the subcommand, argc is checked. */
void debug_object(struct call *c);
void debug_htstats(struct call *c);
void debug_htstats_key(struct call *c);
void debug_populate(struct call *c);
void debug_digest(struct call *c);
void debug_digest_value(struct call *c);

/* memory.c */
extern const struct command memory_subcommands[];

#endif
