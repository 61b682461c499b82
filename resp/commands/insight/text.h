/* resp/commands/insight/text.h - replies that are text for people: written to a stream, sent as a verbatim string. */
#ifndef RESP_COMMANDS_TEXT_H
#define RESP_COMMANDS_TEXT_H

#include <stdio.h>

#include "resp/command.h"

/* Reply what @write writes. */
void text_reply(struct call *c, void (*write)(struct call *c, FILE *out));

#endif
