/* Commands on whole databases. */
#include "resp/changes.h"
#include "resp/commands/keys/keys.h"
#include "resp/persist/snapshot.h"
#include "resp/server.h"
#include "resp/sessions/blocking.h"
#include "resp/sessions/tracking/tracking.h"
#include "resp/sessions/watch.h"
#include "store/base/num.h"

void keys_randomkey(struct call *c)
{
	uint64_t word = keyspace_random(c->db);
	if (word)
		reply_bulk(c->reply, entry_key(word));
	else
		reply_null(c->reply);
}

void keys_dbsize(struct call *c)
{
	reply_int(c->reply, (int64_t)table_count(&c->db->keys));
}

/* Any key may have changed. */
static void mark_all(struct call *c)
{
	struct server *s = c->server;
	if (s->changes)
		changes_mark_all(s->changes, s->keyspace->now_ms);
	if (s->tracking)
		tracking_flushed(s);
}

static bool flush_mode_read(struct call *c, enum keyspace_free *how)
{
	if (c->argc == 1) {
		*how = c->db->ks->policy.lazy_user_flush ? KEYSPACE_FREE_LAZY : KEYSPACE_FREE_NOW;
		return true;
	}
	if (c->argc == 2 && bytes_is(c->argv[1], "async")) {
		*how = KEYSPACE_FREE_LAZY;
		return true;
	}
	if (c->argc == 2 && bytes_is(c->argv[1], "sync")) {
		*how = KEYSPACE_FREE_NOW;
		return true;
	}
	call_syntax_error(c);
	return false;
}

static bool flush(struct call *c, unsigned first, unsigned end)
{
	enum keyspace_free how;
	if (!flush_mode_read(c, &how))
		return false;
	uint64_t gone = 0;
	for (unsigned i = first; i < end; i++) {
		watch_touch_all(c->server, &c->db->ks->dbs[i], NULL);
		gone += keyspace_flush(&c->db->ks->dbs[i], how);
		blocking_signal_db(c->server->blocking, &c->db->ks->dbs[i]);
	}
	mark_all(c);
	/* Journalled also when there was nothing: a replica may hold what the master has not. */
	call_effect(c, c->argc, c->argv);
	c->dirty += gone;
	c->server->stats.dirty += gone;
	reply_ok(c->reply);
	return true;
}

void keys_flushdb(struct call *c)
{
	flush(c, c->db->id, c->db->id + 1);
}

void keys_flushall(struct call *c)
{
	if (flush(c, 0, c->db->ks->ndbs))
		snapshot_flushed(c->server);
}

void keys_swapdb(struct call *c)
{
	int64_t a, b;
	if (!call_int_range(c, 1, INT32_MIN, INT32_MAX, &a, "ERR invalid first DB index") ||
	    !call_int_range(c, 2, INT32_MIN, INT32_MAX, &b, "ERR invalid second DB index"))
		return;
	struct keyspace *ks = c->db->ks;
	if (a < 0 || b < 0 || a >= ks->ndbs || b >= ks->ndbs) {
		reply_error(c->reply, "ERR DB index is out of range");
		return;
	}
	if (a != b) {
		watch_touch_all(c->server, &ks->dbs[a], &ks->dbs[b]);
		watch_touch_all(c->server, &ks->dbs[b], &ks->dbs[a]);
		keyspace_swap(&ks->dbs[a], &ks->dbs[b]);
		blocking_signal_db(c->server->blocking, &ks->dbs[a]);
		blocking_signal_db(c->server->blocking, &ks->dbs[b]);
	}
	mark_all(c);
	c->dirty++;
	c->server->stats.dirty++;
	reply_ok(c->reply);
}
