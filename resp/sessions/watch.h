/* resp/sessions/watch.h - WATCH: which sessions are to be told when a key changes.
 *
 * A session whose watched key changes is marked SESSION_DIRTY_CAS, and its watches end there: EXEC then runs nothing. A server
 * without watchers has no registry (server->watches is NULL), so that a change costs one test.
 *
 * A key that was past its time already when it was watched is absent to everybody: that it is removed is no change.
 */
#ifndef RESP_WATCH_H
#define RESP_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resp/session.h"
#include "store/base/bytes.h"
#include "store/keyspace/keyspace.h"

/* Watch @key of the session's database; the key is copied. Nothing happens when it is watched already. False when there is no
 * memory for it. */
bool watch_add(struct session *s, struct bytes key);

/* End all watches of @s. */
void watch_clear(struct session *s);

/* Whether a key that @s watches has passed its time since, be it removed or not. */
bool watch_expired(const struct session *s);

/* @key has changed. Call after the change, only while server->watches. */
void watch_touch(struct server *server, struct db *db, struct bytes key, uint64_t hash);

/* @db is about to lose its keys and, with @replacement, to get those of another database. Call before it happens. */
void watch_touch_all(struct server *server, struct db *db, struct db *replacement);

/* Memory of @s's watches, its share of the keys included. */
size_t watch_mem(const struct session *s);

#endif
