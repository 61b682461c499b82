/* resp/sessions/tracking/tracking.h - CLIENT TRACKING: clients that cache what they read, and are told when it changes.
 *
 * In the default mode the keys that a session reads are remembered, and a change of one is told once to each who read it. In BCAST mode
 * nothing is remembered: every change of a key with one of the session's prefixes is told, once a turn of the loop. Keys have no database
 * here, as in Redis: a change in any database counts. What was read before tracking went off is forgotten, little by little.
 *
 * server->tracking is NULL until the first session tracks, and again when no trace of any is left: all of this costs one test
 * then.
 */
#ifndef RESP_TRACKING_H
#define RESP_TRACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resp/command.h"
#include "resp/session.h"
#include "store/base/bytes.h"

struct tracking;

enum tracking_option {
	TRACKING_BCAST = 1 << 0,
	TRACKING_OPTIN = 1 << 1,
	TRACKING_OPTOUT = 1 << 2,
	TRACKING_NOLOOP = 1 << 3,
	TRACKING_BROKEN = 1 << 4, /* the session to tell is gone; the module's own */
};

/* Begin to track, or change how: the former options and @redirect (a session's id, 0 for itself) are replaced, prefixes are added, the
 * empty one when there are none in BCAST mode. That the change makes sense is the caller's to see. False, and nothing has
 * changed, when there is no memory for a prefix. */
bool tracking_enable(struct session *s, uint64_t redirect, unsigned options,
		     const struct bytes *prefixes, size_t n);
void tracking_disable(struct session *s);

static inline bool tracking_is_on(const struct session *s)
{
	return s->tracker != NULL;
}
unsigned tracking_options(const struct session *s); /* 0 when off */
int64_t tracking_redirect(const struct session *s); /* -1 when off */
/* Its prefixes in the order of their bytes. */
size_t tracking_prefixes(const struct session *s);
struct bytes tracking_prefix(const struct session *s, size_t i);
/* Bytes that its tracking takes, the keys it read aside. */
size_t tracking_session_mem(const struct session *s);

/* --- while server->tracking --- */

/* A command ran: remember what it read. */
void tracking_ran(struct call *c);
/* @key changed, by the command that runs or (@gone) by time or memory pressure. @hash is its keyhash. */
void tracking_changed(struct server *server, struct bytes key, uint64_t hash, bool gone);
/* All keys of a database may have changed: everybody is to forget everything. */
void tracking_flushed(struct server *server);
/* Once a turn, before replies are sent: tell what was gathered, and see to the table's bound. */
void tracking_turn(struct server *server);

/* --- always --- */

void tracking_free(struct tracking *t); /* sessions are closed by then */

struct tracking_figures {
	size_t clients, keys, items, prefixes, mem;
};
struct tracking_figures tracking_figures(const struct server *server);

#endif
