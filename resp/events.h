/* resp/events.h - keyspace events: published as notify-keyspace-events asks.
 *
 * An event goes to the channel __keyspace@DB__:KEY with its name, and to __keyevent@DB__:NAME with the key. Nothing is composed
 * while nobody subscribes to anything, and an event of a class that is not asked for costs one test.
 */
#ifndef RESP_EVENTS_H
#define RESP_EVENTS_H

#include "resp/command.h"
#include "resp/server.h"

/* @cls is asked for: publish. */
void events_publish(struct server *s, const struct db *db, struct bytes key, const char *name);

/* @name, of class @cls, happened to @key of @db. */
static inline void events_tell(struct server *s, struct db *db, struct bytes key,
			       enum notify_class cls, const char *name)
{
	const struct event_sink *sink = s->events;
	if (sink)
		sink->event(sink->arg, db, key, cls, name);
	if (__builtin_expect((s->config.notify_events & cls) != 0, 0))
		events_publish(s, db, key, name);
}

/* Have the keyspace tell of misses and of new keys if the configuration asks for these events. */
void events_apply_config(struct server *s);

#endif
