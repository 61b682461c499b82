/* resp/sessions/transaction.h - MULTI: the commands that a session queues, and their run as one.
 *
 * The dispatcher decides what is queued (resp/dispatch.c); here they are kept, with copies of their arguments, and run. A refused
 * command marks the session SESSION_DIRTY_EXEC, a changed key SESSION_DIRTY_CAS (resp/sessions/watch.h).
 */
#ifndef RESP_TRANSACTION_H
#define RESP_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resp/dispatch.h"
#include "resp/session.h"

/* MULTI; @s must not be in one. */
void transaction_begin(struct session *s);

/* Keep a copy of @item, whose command was found (a big argument by reference). False when there is no memory. */
bool transaction_queue(struct session *s, const struct dispatch_item *item);

/* Run what was queued, journalled as one unit, with an array of the replies; or reply why not. The transaction and the watches end. */
void transaction_exec(struct session *s);

/* Forget the queue and the watches; safe when there is nothing. */
void transaction_discard(struct session *s);

/* EXEC itself was refused with @error, an error line: discard and say so. */
void transaction_refuse_exec(struct session *s, const char *error);

/* Flags of all queued commands, or-ed. */
uint32_t transaction_flags(const struct session *s);
/* How many are queued, -1 outside of MULTI. */
int transaction_count(const struct session *s);
/* Bytes of the arguments, which count as unread input (multi-mem); memory of all, watches too. */
size_t transaction_input(const struct session *s);
size_t transaction_mem(const struct session *s);

#endif
