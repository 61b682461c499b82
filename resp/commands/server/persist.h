/* resp/commands/server/persist.h - what other families call of persist.c. */
#ifndef RESP_COMMANDS_PERSIST_H
#define RESP_COMMANDS_PERSIST_H

#include "resp/command.h"

/* DEBUG RELOAD; argv[1] is the subcommand. */
void persist_debug_reload(struct call *c);

#endif
