/* resp/commands/keys/picks.h - a bound for random picks with repetition.
 *
 * SRANDMEMBER, HRANDFIELD and ZRANDMEMBER with a count below zero make a reply of any length out of the smallest key. Redis
 * has no bound there and runs out of memory; here such a reply may have as many bytes as the longest bulk string.
 */
#ifndef RESP_COMMANDS_PICKS_H
#define RESP_COMMANDS_PICKS_H

#include "resp/command.h"

/* Whether @n picks may be begun at all: the error is replied when even the shortest would be too many. */
bool picks_allowed(struct call *c, uint64_t n);

/* Whether to reply one more pick, asked before each; @mark is reply->total from before the reply. False when nobody
 * reads it, or when it has become too long: then it is taken back and an error stands in its place. */
bool picks_continue(struct call *c, uint64_t mark);

#endif
