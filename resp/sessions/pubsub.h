/* resp/sessions/pubsub.h - who listens to what, and the delivery of messages.
 *
 * Channels, patterns and shard channels are three registries of names with their subscribers, in the order in which they came. A
 * message is composed once, whatever the number of subscribers and their protocols; a big payload reaches all of them by reference.
 *
 * A session with any subscription has SESSION_PUBSUB set: its output is limited as pubsub's. They are
 * sent as pushes are (resp/sessions/push.h).
 */
#ifndef RESP_PUBSUB_H
#define RESP_PUBSUB_H

#include <stdbool.h>
#include <stddef.h>

#include "resp/session.h"
#include "store/base/bytes.h"

struct blob;
struct pubsub;

enum pubsub_kind { PUBSUB_CHANNEL, PUBSUB_PATTERN, PUBSUB_SHARD, PUBSUB_KINDS };

struct pubsub *pubsub_new(void);
/* All sessions are closed by then. */
void pubsub_free(struct pubsub *p);

/* @name is copied. Nothing happens when @s has subscribed to it already. False when there is no memory for the name. */
bool pubsub_subscribe(struct session *s, enum pubsub_kind kind, struct bytes name);
/* Nothing happens when @s has not subscribed to it. */
void pubsub_unsubscribe(struct session *s, enum pubsub_kind kind, struct bytes name);
/* All of all kinds. */
void pubsub_leave(struct session *s);

/* How many of a kind @s has; the name of its oldest, borrowed until it is unsubscribed (there must be one). */
size_t pubsub_count(const struct session *s, enum pubsub_kind kind);
struct bytes pubsub_oldest(const struct session *s, enum pubsub_kind kind);
/* Call @fn for the name of each of a kind. */
void pubsub_session_each(const struct session *s, enum pubsub_kind kind,
			 void (*fn)(void *arg, struct bytes name), void *arg);
/* Memory of @s's subscriptions. */
size_t pubsub_mem(const struct session *s);

/* Deliver @message to the subscribers of @channel and, if @kind is PUBSUB_CHANNEL, of the patterns that match it. Returns how many
 * deliveries there were. @blob holds @message if it is big and counted already, or is NULL. */
size_t pubsub_publish(struct server *server, enum pubsub_kind kind, struct bytes channel,
		      struct bytes message, struct blob *blob);

/* --- what PUBSUB and INFO tell --- */

size_t pubsub_names(const struct pubsub *p, enum pubsub_kind kind);
size_t pubsub_subscribers(const struct pubsub *p, enum pubsub_kind kind, struct bytes name);
/* Call @fn for the name of each that has subscribers. */
void pubsub_each(const struct pubsub *p, enum pubsub_kind kind,
		 void (*fn)(void *arg, struct bytes name), void *arg);

#endif
