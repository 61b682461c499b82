/* resp/sessions/pause.h - CLIENT PAUSE: commands that wait until a time has passed.
 *
 * While a server is paused, commands that could change data (or all) are not run: their sessions are held, in the order in which they
 * came, and go on when it ends. Until then no key expires or is evicted, so that the data stays as it is. A transaction that is
 * under way when it begins goes on to its end.
 *
 * server->pause is NULL while it is not paused.
 */
#ifndef RESP_PAUSE_H
#define RESP_PAUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resp/session.h"

struct pause;

/* Pause for @ms milliseconds from now. Of two pauses the longer time and the stricter kind hold. */
void pause_begin(struct server *server, int64_t ms, bool all);
/* Over now; does nothing when there is none. */
void pause_end(struct server *server);

/* What waits for the end of a pause; the owner keeps it where it is until then. */
struct pause_waiter {
	void (*go_on)(
		void *arg); /* called once, when it is over; maybe inside of the command that ends it */
	void *arg;
	struct pause *pause; /* pause.c's, like the links */
	struct pause_waiter *prev, *next;
};
/* Only while server->pause. */
void pause_wait(struct server *server, struct pause_waiter *w);
/* It does not wait any more; not after go_on. */
void pause_forget(struct pause_waiter *w);

/* Whether a command with these flags (enum command_flag) must wait; only while server->pause. */
bool pause_stops(const struct server *server, uint32_t flags);
/* The session's next command waits: have its front end keep it (SESSION_HELD). False when the front end cannot; the mount sees to that
 * before it asks for commands (fs/kernel/held.h). */
bool pause_hold(struct session *s);
/* @s goes: forget that it waits. */
void pause_leave(struct session *s);

struct pause_figures {
	bool on, all;
	int64_t ms_left;
	size_t waiting; /* sessions */
};
struct pause_figures pause_figures(const struct server *server);

#endif
