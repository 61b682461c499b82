/* The server: what it tells when keys go by themselves, and how it follows the configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "resp/acl/acl.h"
#include "resp/command.h"
#include "resp/journal.h"
#include "resp/server.h"
#include "resp/session.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"

struct world {
	struct server server;
	char journal[256], events[256];
};

static void on_journal(void *arg, unsigned db, int argc, const struct bytes *argv)
{
	struct world *w = arg;
	size_t n = strlen(w->journal);

	n += (size_t)snprintf(w->journal + n, sizeof(w->journal) - n, "%u", db);
	for (int i = 0; i < argc; i++)
		n += (size_t)snprintf(w->journal + n, sizeof(w->journal) - n, " %.*s",
				      (int)argv[i].n, argv[i].p);
	snprintf(w->journal + n, sizeof(w->journal) - n, ";");
}

static void on_event(void *arg, struct db *db, struct bytes key, unsigned cls, const char *name)
{
	struct world *w = arg;
	size_t n = strlen(w->events);

	snprintf(w->events + n, sizeof(w->events) - n, "%u %.*s %s%s;", db->id, (int)key.n, key.p,
		 name, cls == NOTIFY_EXPIRED || cls == NOTIFY_EVICTED ? "" : " (class)");
}

static struct journal_consumer consumer = {.append = on_journal};
static struct event_sink sink = {.event = on_event};

static int set_up(void **state)
{
	struct world *w = mem_calloc(sizeof(*w));

	mem_thread_register();
	keyhash_seed_random();
	config_init(&w->server.config);
	w->server.config.log.level = LOG_LEVEL_NOTHING;
	server_init(&w->server);
	consumer.arg = sink.arg = w;
	journal_add_consumer(w->server.journal, &consumer);
	w->server.events = &sink;
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	journal_remove_consumer(w->server.journal, &consumer);
	server_fini(&w->server);
	config_fini(&w->server.config);
	mem_free(w);
	return 0;
}

static void set(struct world *w, unsigned db, const char *key, int64_t at)
{
	struct db *d = &w->server.keyspace->dbs[db];

	assert_int_equal(keyspace_set_string(d, bytes_str(key), BYTES("v"), 0), STORE_OK);
	if (at >= 0)
		assert_true(keyspace_expire(d, bytes_str(key), at));
}

static void config_set(struct world *w, const char *name, const char *value, const char *want)
{
	struct bytes pair[] = {bytes_str(name), bytes_str(value)};
	struct reply r;
	struct iovec iov[4];
	size_t n;

	reply_init(&r, 2);
	config_reply_set(&w->server, &r, pair, 2);
	assert_true(reply_iov(&r, iov, 4, &n) >= 1);
	assert_memory_equal(iov[0].iov_base, want, strlen(want));
	reply_fini(&r);
}

static void an_expired_key_is_journalled_as_a_deletion_and_told_as_expired(void **state)
{
	struct world *w = *state;
	struct keyspace *ks = w->server.keyspace;

	set(w, 3, "k", ks->now_ms + 10);
	keyspace_set_now(ks, ks->now_ms + 20);
	assert_int_equal(keyspace_read(&ks->dbs[3], BYTES("k"), KEYSPACE_TOUCH), 0);
	assert_string_equal(w->journal, "3 DEL k;");
	assert_string_equal(w->events, "3 k expired;");
}

static void a_lazily_expired_key_is_journalled_as_unlinked(void **state)
{
	struct world *w = *state;
	struct keyspace *ks = w->server.keyspace;

	config_set(w, "lazyfree-lazy-expire", "yes", "+OK");
	assert_true(ks->policy.lazy_expire);
	set(w, 0, "k", ks->now_ms + 10);
	keyspace_set_now(ks, ks->now_ms + 20);
	keyspace_expire_cycle(ks, 1000, 1);
	assert_string_equal(w->journal, "0 UNLINK k;");
}

static void an_evicted_key_is_journalled_and_told_as_evicted(void **state)
{
	struct world *w = *state;

	set(w, 0, "k", -1);
	assert_true(evict_one(w->server.evict, EVICT_ALLKEYS_RANDOM, 5));
	assert_string_equal(w->journal, "0 DEL k;");
	assert_string_equal(w->events, "0 k evicted;");
}

static void the_keyspace_follows_the_policy(void **state)
{
	struct world *w = *state;

	config_set(w, "maxmemory-policy", "volatile-lfu", "+OK");
	assert_true(w->server.keyspace->policy.lfu);
	config_set(w, "maxmemory-policy", "allkeys-lru", "+OK");
	assert_false(w->server.keyspace->policy.lfu);
	config_set(w, "lfu-decay-time", "7", "+OK");
	assert_int_equal(w->server.keyspace->policy.lfu_decay_time, 7);
}

static void who_waits_for_a_password_is_in_when_none_is_asked_for(void **state)
{
	struct world *w = *state;
	static const struct session_ops ops = {0};
	struct session s = {0};
	struct reply r;

	reply_init(&r, 2);
	config_set(w, "requirepass", "secret", "+OK");
	session_open(&s, &w->server, &r, &ops, 0);
	assert_true(acl_must_log_in(&s));
	config_set(w, "requirepass", "", "+OK");
	assert_false(acl_must_log_in(&s));
	config_set(w, "requirepass", "secret", "+OK");
	assert_true(acl_must_log_in(&s));
	session_close(&s);
	reply_fini(&r);
}

static void a_value_that_cannot_be_applied_is_taken_back(void **state)
{
	struct world *w = *state;

	config_set(w, "maxclients", "4294967295", "-ERR CONFIG SET failed (possibly related");
	assert_int_equal(w->server.config.maxclients, 10000);
}

static void resetstat_clears_the_counters_but_not_what_is_unsaved(void **state)
{
	struct world *w = *state;

	w->server.stats.commands_processed = 5;
	w->server.stats.dirty = 6;
	w->server.keyspace->stats.hits = 7;
	server_reset_stats(&w->server);
	assert_int_equal(w->server.stats.commands_processed, 0);
	assert_int_equal(w->server.keyspace->stats.hits, 0);
	assert_int_equal(w->server.stats.dirty, 6);
}

static void the_run_id_is_forty_hex_digits_and_new_each_time(void **state)
{
	struct world *w = *state;
	struct server other = {0};

	config_init(&other.config);
	other.config.log.level = LOG_LEVEL_NOTHING;
	server_init(&other);
	assert_int_equal(strspn(other.run_id, "0123456789abcdef"), 40);
	assert_int_equal(other.run_id[40], '\0');
	assert_string_not_equal(other.run_id, w->server.run_id);
	server_fini(&other);
	config_fini(&other.config);
}

#define LAW(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAW(an_expired_key_is_journalled_as_a_deletion_and_told_as_expired),
		LAW(a_lazily_expired_key_is_journalled_as_unlinked),
		LAW(an_evicted_key_is_journalled_and_told_as_evicted),
		LAW(the_keyspace_follows_the_policy),
		LAW(who_waits_for_a_password_is_in_when_none_is_asked_for),
		LAW(a_value_that_cannot_be_applied_is_taken_back),
		LAW(resetstat_clears_the_counters_but_not_what_is_unsaved),
		LAW(the_run_id_is_forty_hex_digits_and_new_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
