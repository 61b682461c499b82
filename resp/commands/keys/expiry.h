/* resp/commands/keys/expiry.h - expiry times as commands spell them: seconds or milliseconds, from now or since the epoch. */
#ifndef RESP_COMMANDS_EXPIRY_H
#define RESP_COMMANDS_EXPIRY_H

#include <stdbool.h>
#include <stdint.h>

#include "resp/command.h"

enum expiry_unit {
	EXPIRY_EX,   /* seconds from now */
	EXPIRY_PX,   /* milliseconds from now */
	EXPIRY_EXAT, /* seconds since the epoch */
	EXPIRY_PXAT, /* milliseconds since the epoch */
};

/* "EX", "px", ... in any case; false for another word. */
bool expiry_unit_parse(struct bytes word, enum expiry_unit *out);

/* argv[@i] as milliseconds since the epoch. What does not fit an int64, and with @positive what is not above 0, is replied
 * as "invalid expire time in 'x' command"; what is no number as such. False then. */
bool expiry_read(struct call *c, int i, enum expiry_unit unit, bool positive, int64_t *at_ms);

/* Journal "PEXPIREAT argv[1] @at_ms" in place of the call. */
void expiry_journal(struct call *c, int64_t at_ms);

/* Delete argv[1], which exists and whose new expiry lies in the past, and journal it as DEL or UNLINK. */
void expiry_delete(struct call *c);

#endif
