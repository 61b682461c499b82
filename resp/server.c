/* resp/server.c - the server's life: registries up, the cron, registries down. */
#include "resp/server.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <syslog.h>
#include <time.h>

#include "resp/acl/acl.h"
#include "resp/changes.h"
#include "resp/command.h"
#include "resp/dispatch.h"
#include "resp/events.h"
#include "resp/insight/crash.h"
#include "resp/insight/latency.h"
#include "resp/insight/slowlog.h"
#include "resp/journal.h"
#include "resp/net/loop.h"
#include "resp/net/network.h"
#include "resp/net/peer.h"
#include "resp/persist/aof/aof.h"
#include "resp/persist/snapshot.h"
#include "resp/registry.h"
#include "resp/scripts/scripts.h"
#include "resp/sessions/blocking.h"
#include "resp/sessions/pause.h"
#include "resp/sessions/pubsub.h"
#include "resp/sessions/tracking/tracking.h"
#include "resp/sessions/watch.h"
#include "resp/ticks.h"
#include "store/base/bgfree.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"

/* dynamic-hz: one more doubling for each of these many clients a turn. */
#define CLIENTS_PER_TURN 200
#define HZ_MAX           500
#define SAMPLE_MS        100
#define REHASH_USEC      1000

/* --- keys that go by themselves --- */

/* What Redis journals for a key that time or memory pressure removed. */
static void journal_gone(struct server *s, struct db *db, struct bytes key, enum keyspace_gone why)
{
	bool lazy = why == KEYSPACE_EXPIRED ? s->config.lazyfree_lazy_expire
					    : s->config.lazyfree_lazy_eviction;
	struct bytes argv[] = {lazy ? BYTES("UNLINK") : BYTES("DEL"), key};

	journal_append(s->journal, db->id, 2, argv);
}

/* Tell all who look at @key that time or memory pressure changed it; @gone: it is no longer there. */
static void tell_lookers(struct server *s, struct db *db, struct bytes key, bool gone)
{
	uint64_t hash = keyhash(key);

	if (s->changes)
		changes_mark(s->changes, db->id, hash, s->keyspace->now_ms);
	if (s->watches)
		watch_touch(s, db, key, hash);
	if (s->awaited_keys && gone)
		blocking_signal(s->blocking, db, key, hash);
	if (s->tracking)
		tracking_changed(s, key, hash, true);
}

static void key_gone(void *arg, struct db *db, struct bytes key, enum keyspace_gone why)
{
	struct server *s = arg;
	bool expired = why == KEYSPACE_EXPIRED;

	if (journal_active(s->journal))
		journal_gone(s, db, key, why);
	tell_lookers(s, db, key, true);
	events_tell(s, db, key, expired ? NOTIFY_EXPIRED : NOTIFY_EVICTED,
		    expired ? "expired" : "evicted");
}

static void key_gone_took(void *arg, enum keyspace_gone why, uint64_t usec)
{
	latency_note(arg, why == KEYSPACE_EXPIRED ? "expire-del" : "eviction-del", usec);
}

/* Fields of a hash that time removed. Replayed, the last one takes the key with it. */
static void fields_gone(void *arg, struct db *db, struct bytes key, unsigned n,
			const struct bytes *fields, bool key_gone)
{
	struct server *s = arg;
	struct bytes argv[2 + KEYSPACE_FIELDS_MAX] = {BYTES("HDEL"), key};

	if (journal_active(s->journal)) {
		memcpy(argv + 2, fields, n * sizeof(*fields));
		journal_append(s->journal, db->id, (int)n + 2, argv);
	}
	tell_lookers(s, db, key, key_gone);
	events_tell(s, db, key, NOTIFY_HASH, "hexpired");
	if (key_gone)
		events_tell(s, db, key, NOTIFY_GENERIC, "del");
}

/* --- up and down --- */

void server_make_id(char *id)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char raw[20] = {0};

	if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw)) {
		uint64_t fallback = (uint64_t)ticks_wall_ms();
		memcpy(raw, &fallback, sizeof(fallback));
	}
	for (size_t i = 0; i < sizeof(raw); i++) {
		id[2 * i] = hex[raw[i] >> 4];
		id[2 * i + 1] = hex[raw[i] & 15];
	}
	id[2 * sizeof(raw)] = '\0';
}

void server_apply_config(struct server *s)
{
	const struct config *cfg = &s->config;
	enum evict_policy p = cfg->maxmemory_policy;

	s->keyspace->policy = (struct keyspace_policy){
		.lfu = p == EVICT_ALLKEYS_LFU || p == EVICT_VOLATILE_LFU,
		.lfu_log_factor = cfg->lfu_log_factor > 255 ? 255 : (uint8_t)cfg->lfu_log_factor,
		.lfu_decay_time = (uint32_t)cfg->lfu_decay_time,
		.lazy_user_del = cfg->lazyfree_lazy_user_del,
		.lazy_user_flush = cfg->lazyfree_lazy_user_flush,
		.lazy_server_del = cfg->lazyfree_lazy_server_del,
		.lazy_expire = cfg->lazyfree_lazy_expire,
		.lazy_eviction = cfg->lazyfree_lazy_eviction,
	};
	s->keyspace->hooks.took = cfg->latency_monitor_threshold > 0 ? key_gone_took : NULL;
	events_apply_config(s);
	loop_busy_poll(s->loop, (unsigned)cfg->busy_poll_usec);
}

void server_init(struct server *s)
{
	s->config.log.role = 'M';
	if (s->config.log.syslog)
		openlog(s->config.syslog_ident, LOG_PID | LOG_NDELAY | LOG_NOWAIT,
			s->config.syslog_facility);
	config_fit_maxclients(&s->config);
	s->loop = loop_new();
	s->keyspace = keyspace_new((unsigned)s->config.databases);
	s->keyspace->hooks =
		(struct keyspace_hooks){.arg = s, .gone = key_gone, .fields_gone = fields_gone};
	keyspace_set_now(s->keyspace, ticks_wall_ms());
	s->evict = evict_new(s->keyspace);
	s->journal = journal_new();
	s->registry = registry_new();
	for (size_t i = 0; i + 1 < s->config.renames.n; i += 2)
		registry_rename(s->registry, bytes_str(s->config.renames.v[i]),
				bytes_str(s->config.renames.v[i + 1]));
	s->acl = acl_new(s->registry);
	acl_set_requirepass(s);
	s->slowlog = slowlog_new();
	s->latency = latency_new();
	s->snapshot = snapshot_new(s);
	s->aof = aof_new(s);
	s->pubsub = pubsub_new();
	s->blocking = blocking_new(s);
	s->scripts = scripts_new(s);
	s->active_expire = true;
	s->start_ms = s->keyspace->now_ms;
	server_make_id(s->run_id);
	server_make_id(s->replid);
	server_apply_config(s);
	s->memory_startup = mem_used();
}

void server_fini(struct server *s)
{
	if (s->cron.timer)
		loop_timer_remove(s->cron.timer);
	aof_free(s->aof);
	snapshot_free(s->snapshot);
	scripts_free(s->scripts);
	blocking_free(s->blocking);
	tracking_free(s->tracking);
	peers_free(s);
	pause_end(s);
	slowlog_free(s->slowlog);
	latency_free(s->latency);
	pubsub_free(s->pubsub);
	acl_free(s->acl);
	registry_free(s->registry);
	journal_free(s->journal);
	evict_free(s->evict);
	keyspace_free(s->keyspace);
	loop_free(s->loop);
	if (s->stopping)
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Redis is now ready to exit, bye bye...");
}

bool server_save_for_exit(struct server *s, unsigned flags)
{
	log_line(&s->config.log, LOG_LEVEL_NOTICE, "User requested shutdown...");
	if (!aof_before_exit(s, flags) || !snapshot_before_exit(s, flags)) {
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Errors trying to shut down the server. Check the logs for more "
			 "information.");
		return false;
	}
	if (s->aof && s->config.appendonly) {
		log_line(&s->config.log, LOG_LEVEL_NOTICE, "Calling fsync() on the AOF file.");
		aof_flush_whole(s);
	}
	return true;
}

bool server_shutdown(struct server *s, unsigned flags)
{
	if (s->stopping)
		return true;
	if (s->busy && !(flags & SHUTDOWN_NOSAVE)) {
		s->shutdown_waits = true;
		s->shutdown_flags = flags;
		scripts_end_idle(s->scripts);
		return true;
	}
	s->shutdown_waits = false;
	if (!server_save_for_exit(s, flags))
		return false;
	if (s->busy) {
		aof_drop_unit(s);
		network_run_no_more(s->network);
	}
	s->stopping = true;
	loop_stop(s->loop);
	return true;
}

/* --- the cron --- */

int server_hz(const struct server *s)
{
	int hz = s->config.hz;

	if (s->config.dynamic_hz)
		while (HASH_COUNT(s->sessions) / (unsigned)hz > CLIENTS_PER_TURN && hz < HZ_MAX)
			hz *= 2;
	return hz > HZ_MAX ? HZ_MAX : hz;
}

static double mean(const double *v)
{
	double sum = 0;

	for (unsigned i = 0; i < SERVER_SAMPLES; i++)
		sum += v[i];
	return sum / SERVER_SAMPLES;
}

/* Microseconds of a turn, over all samples. */
static double mean_turn(const struct server *s)
{
	uint64_t turns = 0, busy = 0;

	for (unsigned i = 0; i < SERVER_SAMPLES; i++) {
		turns += s->cron.sample.turn_count[i];
		busy += s->cron.sample.turn_busy[i];
	}
	return turns ? (double)ticks_usec(&s->registry->rate, busy) / (double)turns : 0;
}

static void take_sample(struct server *s, int64_t now_ms)
{
	struct server_stats *st = &s->stats;
	struct loop_stats loop;
	int64_t past = now_ms - s->cron.sample.at_ms;
	unsigned i = s->cron.sample.next;

	if (past >= 0 && past < SAMPLE_MS)
		return;
	loop_stats(s->loop, &loop);
	if (s->cron.sample.at_ms && past > 0) {
		double sec = (double)past / 1000;
		s->cron.sample.ops[i] =
			(double)(st->commands_processed - s->cron.sample.commands) / sec;
		s->cron.sample.in[i] =
			(double)(st->net_input_bytes - s->cron.sample.input) / sec / 1024;
		s->cron.sample.out[i] =
			(double)(st->net_output_bytes - s->cron.sample.output) / sec / 1024;
		uint64_t turns = loop.turns - s->cron.sample.turns;
		uint64_t busy = loop.busy_ticks - s->cron.sample.busy;
		s->cron.sample.turn_rate[i] = (double)turns / sec;
		s->cron.sample.turn_count[i] = turns;
		s->cron.sample.turn_busy[i] = busy;
		s->cron.sample.next = (i + 1) % SERVER_SAMPLES;
	}
	s->cron.sample.at_ms = now_ms;
	s->cron.sample.commands = st->commands_processed;
	s->cron.sample.input = st->net_input_bytes;
	s->cron.sample.turns = loop.turns;
	s->cron.sample.busy = loop.busy_ticks;
	s->cron.sample.output = st->net_output_bytes;
	st->ops_per_sec = mean(s->cron.sample.ops);
	st->turns_per_sec = mean(s->cron.sample.turn_rate);
	st->turn_usec = mean_turn(s);
	st->input_kbps = mean(s->cron.sample.in);
	st->output_kbps = mean(s->cron.sample.out);
}

static bool may_expire(const struct server *s)
{
	return s->active_expire && !s->loading && !s->keyspace->expiry_frozen;
}

static bool expire_cycle(struct server *s, unsigned budget, unsigned effort)
{
	uint64_t begin = ticks_now();
	bool more = keyspace_expire_cycle(s->keyspace, budget, effort);

	uint64_t usec = ticks_usec(&s->registry->rate, ticks_now() - begin);
	s->stats.expire_cycle_us += usec;
	latency_note(s, "expire-cycle", usec);
	return more;
}

/* Redis's slow cycle: a quarter of the time, more with active-expire-effort. */
static void expire_slow(struct server *s, int hz)
{
	unsigned effort = (unsigned)s->config.active_expire_effort;
	unsigned budget = (25 + 2 * (effort - 1)) * 10000 / (unsigned)hz;

	s->cron.expire_pending = may_expire(s) && expire_cycle(s, budget, effort);
}

/* Redis's fast cycle: short, before the loop waits, only while the slow one cannot keep up, and at most half of the time. */
static void expire_fast(struct server *s)
{
	unsigned effort = (unsigned)s->config.active_expire_effort;
	unsigned budget = 1000 + 250 * (effort - 1);
	int64_t now = loop_now_us(s->loop);

	if (!s->cron.expire_pending || !may_expire(s) ||
	    now < s->cron.fast_expire_us + 2 * (int64_t)budget)
		return;
	s->cron.fast_expire_us = now;
	s->cron.expire_pending = expire_cycle(s, budget, effort);
}

static int64_t cron(void *arg)
{
	struct server *s = arg;
	int hz = server_hz(s);
	int64_t now = loop_clock_ms(s->loop);

	if (s->debug.pause_cron)
		return 1000 / hz;
	watchdog_feed(s);
	if (s->shutdown_waits && !s->busy)
		server_shutdown(s, s->shutdown_flags);
	mem_used(); /* remembers the peak */
	take_sample(s, now);
	ticks_rate_refine(&s->registry->rate);
	expire_slow(s, hz);
	/* A page that is written while a child saves is a page more. */
	if (s->config.activerehashing && !snapshot_running(s))
		keyspace_rehash_cycle(s->keyspace, REHASH_USEC);
	if (s->network)
		network_cron(s->network, now);
	snapshot_cron(s, now);
	aof_cron(s, now);
	return 1000 / hz;
}

static void turn_begins(void *arg)
{
	struct server *s = arg;

	keyspace_set_now(s->keyspace, loop_clock_ms(s->loop));
}

static void turn_ends(void *arg)
{
	struct server *s = arg;

	expire_fast(s);
	/* Keys that went by themselves; what commands made ready was served behind them. */
	if (!blocking_ready(s->blocking) || s->running)
		return;
	blocking_serve(s->blocking);
	loop_again(s->loop);
}

void server_start(struct server *s)
{
	loop_after_wait(s->loop, turn_begins, s);
	loop_before_wait(s->loop, turn_ends, s);
	s->cron.timer = loop_timer_add(s->loop, 1, cron, s);
}

void server_reset_stats(struct server *s)
{
	s->stats = (struct server_stats){.dirty = s->stats.dirty};
	memset(&s->cron.sample, 0, sizeof(s->cron.sample));
	s->keyspace->stats = (struct keyspace_stats){0};
	registry_reset_stats(s->registry);
	bgfree_reset_stats();
}
