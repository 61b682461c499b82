/* resp/commands/server/command.h - COMMAND, in two files: command.c, and command_docs.c for DOCS. */
#ifndef RESP_COMMANDS_COMMAND_H
#define RESP_COMMANDS_COMMAND_H

#include "resp/command.h"

/* COMMAND DOCS [name ...] */
void command_docs(struct call *c);

#endif
