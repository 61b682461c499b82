/* resp/sessions/push.h - what a session is sent besides replies: messages, invalidations.
 *
 * A push stands between two replies, never inside one: what a session's own running command brings to it waits until the command
 * has replied (push_flush). Pushes pass CLIENT REPLY OFF.
 */
#ifndef RESP_PUSH_H
#define RESP_PUSH_H

#include <stdbool.h>
#include <stddef.h>

#include "resp/session.h"

struct push {
	struct session *session;
	struct reply *out; /* append to this one, whose protocol is the session's */
	bool muted;
};

/* Begin a push to @s. False when the session is about to close and is told nothing more. */
bool push_begin(struct push *p, struct session *s);
/* It is whole: have it sent. */
void push_end(struct push *p);

/* Append what waited; the dispatcher calls it after the reply when SESSION_PUSHED is set. */
void push_flush(struct session *s);
/* Forget what waits. */
void push_drop(struct session *s);
/* Bytes that wait. */
size_t push_mem(const struct session *s);

#endif
