/* resp/events.c - see events.h. */
#include "resp/events.h"

#include <stdio.h>

#include "resp/sessions/pubsub.h"
#include "store/base/mem.h"

/* Publish @message to @prefix followed by @suffix. Without memory for a huge key's channel the event is lost, as it is to a
 * subscriber that is not there. */
static void publish(struct server *s, const char *prefix, struct bytes suffix, struct bytes message)
{
	char small[256];
	size_t head = strlen(prefix), n = head + suffix.n;
	char *channel = n <= sizeof(small) ? small : mem_try(n);
	if (!channel)
		return;
	memcpy(channel, prefix, head);
	if (suffix.n)
		memcpy(channel + head, suffix.p, suffix.n);
	pubsub_publish(s, PUBSUB_CHANNEL, bytes_of(channel, n), message, NULL);
	if (channel != small)
		mem_free(channel);
}

void events_publish(struct server *s, const struct db *db, struct bytes key, const char *name)
{
	char prefix[40];
	if (!pubsub_names(s->pubsub, PUBSUB_CHANNEL) && !pubsub_names(s->pubsub, PUBSUB_PATTERN))
		return;
	if (s->config.notify_events & NOTIFY_KEYSPACE) {
		snprintf(prefix, sizeof(prefix), "__keyspace@%u__:", db->id);
		publish(s, prefix, key, bytes_str(name));
	}
	if (s->config.notify_events & NOTIFY_KEYEVENT) {
		snprintf(prefix, sizeof(prefix), "__keyevent@%u__:", db->id);
		publish(s, prefix, bytes_str(name), key);
	}
}

static void key_missed(void *arg, struct db *db, struct bytes key)
{
	struct server *s = arg;
	events_publish(s, db, key, "keymiss");
}

static void key_added(void *arg, struct db *db, struct bytes key)
{
	struct server *s = arg;
	if (!s->loading)
		events_publish(s, db, key, "new");
}

void events_apply_config(struct server *s)
{
	struct keyspace_hooks *hooks = &s->keyspace->hooks;
	hooks->missed = s->config.notify_events & NOTIFY_KEY_MISS ? key_missed : NULL;
	hooks->added = s->config.notify_events & NOTIFY_NEW ? key_added : NULL;
}
