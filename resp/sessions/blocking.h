/* resp/sessions/blocking.h - sessions whose command waits for a key.
 *
 * A command that finds nothing to take parks its session on the keys it named (call_park in resp/command.h), with a copy of its
 * arguments. A change of such a key makes it ready; when the command, transaction or unit that changed it is over, the
 * sessions that wait are resumed in the order in which they came: their command's handler runs again and replies, or parks once more,
 * which leaves it at its place in the queue.
 *
 * Nothing here knows sockets: a front end takes part by the ops park and unpark (resp/session.h).
 */
#ifndef RESP_BLOCKING_H
#define RESP_BLOCKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resp/command.h"
#include "resp/dispatch.h"
#include "store/base/bytes.h"

struct blocking;

struct blocking *blocking_new(struct server *server);
/* Sessions are closed by then. */
void blocking_free(struct blocking *b);

/* --- for what changes keys --- */

/* @key of @db changed, appeared or went. @hash is its keyhash. Needless while server->awaited_keys is 0. */
void blocking_signal(struct blocking *b, const struct db *db, struct bytes key, uint64_t hash);
/* All keys of @db may have changed (SWAPDB, FLUSHALL). */
void blocking_signal_db(struct blocking *b, const struct db *db);

/* --- for the dispatcher --- */

/* @item's command, which runs, waits as it told in @how. False, with nothing changed, when there is no memory. */
bool blocking_begin(struct blocking *b, const struct dispatch_item *item, const struct park *how);
/* The time that the waiting command of @s took so far, in the dispatcher's ticks. */
void blocking_took(struct session *s, uint64_t ticks);
/* Whether keys are ready, and resume those who wait for them; does nothing from inside itself. */
bool blocking_ready(const struct blocking *b);
void blocking_serve(struct blocking *b);

/* --- for the append-only log --- */

/* More of it is on the disk (server->synced): resume those who wait for that. */
void blocking_synced(struct blocking *b);

/* --- for the rest --- */

/* End the wait of @s as its time ends it, or with @error. False when it does not wait. */
bool blocking_end(struct session *s, const char *error);
/* @s goes, or is about to: forget its wait. */
void blocking_leave(struct session *s);
/* Bytes that its wait takes. */
size_t blocking_mem(const struct session *s);

struct blocking_figures {
	size_t clients, with_timeout; /* sessions that wait */
	size_t keys, keys_for_gone;   /* for which somebody waits; and for whose end too */
};
struct blocking_figures blocking_figures(const struct blocking *b);

#endif
