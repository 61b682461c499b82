/* resp/gate.h - commands that only some clients may run: DEBUG and MODULE, as enable-debug-command and enable-module-command
 * say (CMD_PROTECTED). */
#ifndef RESP_GATE_H
#define RESP_GATE_H

#include <stddef.h>

#include "resp/command.h"

#define GATE_REFUSAL 256

/* The error line into @buf of GATE_REFUSAL bytes when the session may not run @cmd of @parent (or NULL), else NULL. */
const char *gate_refusal(const struct session *s, const struct command *cmd,
			 const struct command *parent, char *buf);

#endif
