#define _GNU_SOURCE /* RUSAGE_THREAD */
#include "resp/insight/info_figures.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "resp/dispatch.h"
#include "resp/net/loop.h"
#include "resp/net/network.h"
#include "resp/registry.h"
#include "resp/server.h"
#include "resp/sessions/blocking.h"
#include "resp/sessions/pubsub.h"
#include "resp/supervise.h"
#include "store/base/bgfree.h"
#include "store/base/mem.h"

static void take_server(struct server *s, struct info_figures *f)
{
	struct utsname u;
	if (uname(&u) == 0)
		snprintf(f->os, sizeof(f->os), "%s %s %s", u.sysname, u.release, u.machine);
	snprintf(f->gcc_version, sizeof(f->gcc_version), "%d.%d.%d", __GNUC__, __GNUC_MINOR__,
		 __GNUC_PATCHLEVEL__);
	/* No clock goes into it: the same sources built by the same compiler are the same build. */
	uint64_t id = UINT64_C(14695981039346656037);
	for (const char *p = INODIS_VERSION " " __VERSION__; *p; p++)
		id = (id ^ (unsigned char)*p) * UINT64_C(1099511628211);
	snprintf(f->build_id, sizeof(f->build_id), "%llx", (unsigned long long)id);
	struct timeval now;
	gettimeofday(&now, NULL);
	int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
	f->redis_version = INODIS_REDIS_VERSION;
	f->inodis_version = INODIS_VERSION;
	f->supervised = supervise_name(supervise_mode(s->config.supervised));
	f->run_id = s->run_id;
	f->replid = s->replid;
	f->executable = s->executable ? s->executable : "";
	f->config_file = s->config.config_file;
	f->arch_bits = sizeof(long) * 8;
	f->process_id = (uint64_t)getpid();
	f->tcp_port = (uint64_t)(s->config.port ? s->config.port : s->config.tls.port);
	f->server_time_usec = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_usec;
	f->uptime_seconds = now_ms > s->start_ms ? (uint64_t)(now_ms - s->start_ms) / 1000 : 0;
	f->uptime_days = f->uptime_seconds / 86400;
	f->hz = (uint64_t)server_hz(s);
	f->configured_hz = (uint64_t)s->config.hz;
	f->lru_clock = s->keyspace->policy.lfu ? (uint64_t)now.tv_sec & 0xffffff
					       : s->keyspace->lru_clock & 0xffffff;
}

static void take_clients(struct server *s, struct info_figures *f)
{
	struct network_figures net = {0};
	if (s->network)
		network_figures(s->network, &net);
	f->connected_clients = net.clients;
	struct blocking_figures blocked = blocking_figures(s->blocking);
	f->tracking = tracking_figures(s);
	f->pause = pause_figures(s);
	f->paused_reason = f->pause.on ? "client_pause" : "none";
	f->paused_actions = !f->pause.on ? "none" : f->pause.all ? "all" : "write";
	f->paused_ms = (uint64_t)f->pause.ms_left;
	f->blocked_clients = blocked.clients + f->pause.waiting;
	f->clients_in_timeout = blocked.with_timeout;
	f->blocking_keys = blocked.keys;
	f->blocking_keys_for_gone = blocked.keys_for_gone;
	f->maxclients = (uint64_t)s->config.maxclients;
	f->max_input = net.max_input;
	f->max_output = net.max_output;
	f->monitors = s->monitors;
	f->clients_mem = net.mem_clients_normal;
}

static uint64_t tables_mem(const struct keyspace *ks)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < ks->ndbs; i++)
		n += table_mem(&ks->dbs[i].keys) + table_mem(&ks->dbs[i].volatiles);
	return n;
}

/* The allocator's waste in its pages, between its pages and the kernel's, and what the process has besides. */
static void take_heap(struct info_figures *f)
{
	const struct mem_figures *h = &f->heap;

	mem_figures(&f->heap);
	f->heap_frag_ratio = h->allocated ? (double)h->active / (double)h->allocated : 0;
	f->heap_frag_bytes = (int64_t)h->active - (int64_t)h->allocated;
	f->heap_rss_ratio = h->active ? (double)h->resident / (double)h->active : 0;
	f->heap_rss_bytes = (int64_t)h->resident - (int64_t)h->active;
	f->rss_overhead_ratio = h->resident ? (double)f->rss / (double)h->resident : 0;
	f->rss_overhead_bytes = (int64_t)f->rss - (int64_t)h->resident;
}

static void take_memory(struct server *s, struct info_figures *f)
{
	f->used = mem_used();
	f->peak = mem_peak();
	if (f->peak < f->used)
		f->peak = f->used;
	f->rss = mem_rss();
	f->startup = s->memory_startup;
	f->overhead = f->startup + f->clients_mem + tables_mem(s->keyspace);
	f->dataset = f->used > f->overhead ? f->used - f->overhead : 0;
	f->peak_perc = f->peak ? (double)f->used * 100 / (double)f->peak : 0;
	uint64_t net = f->used > f->startup ? f->used - f->startup : 1;
	f->dataset_perc = (double)f->dataset * 100 / (double)net;
	if (f->dataset_perc > 100)
		f->dataset_perc = 100;
	f->frag_ratio = f->used ? (double)f->rss / (double)f->used : 0;
	f->frag_bytes = (int64_t)f->rss - (int64_t)f->used;
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	f->total_system = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
	f->maxmemory = s->config.maxmemory;
	f->backlog_size = (uint64_t)s->config.repl_backlog_size;
	f->policy = evict_policy_name(s->config.maxmemory_policy);
	f->allocator = mem_allocator_name();
	scripts_figures(s->scripts, &f->scripts);
	f->vm_total = f->scripts.eval_vm + f->scripts.functions_vm;
	f->scripts_mem = f->scripts.cached_mem + f->scripts.functions_mem;
	f->lazyfree_pending = bgfree_pending();
	f->lazyfreed = bgfree_freed();
	take_heap(f);
}

/* The time of all commands; those inside others are counted in both. */
static uint64_t commands_usec(const struct server *s)
{
	uint64_t sum = 0;

	for (struct registered *c = registry_commands(s->registry); c; c = c->hh.next) {
		sum += registered_usec(s->registry, c);
		for (struct registered *sub = c->subs; sub; sub = sub->hh.next)
			sum += registered_usec(s->registry, sub);
	}
	return sum;
}

static void take_stats(struct server *s, struct info_figures *f)
{
	const struct server_stats *st = &s->stats;
	const struct keyspace_stats *ks = &s->keyspace->stats;
	struct loop_stats loop = {0};
	if (s->loop)
		loop_stats(s->loop, &loop);
	f->loading = s->loading;
	f->changes = st->dirty;
	snapshot_figures(s, &f->snap);
	aof_figures(s, &f->aof);
	f->aof_enabled = f->aof.on;
	f->aof_rewriting = f->aof.rewriting;
	f->aof_scheduled = f->aof.scheduled;
	f->aof_rewrite_status = f->aof.rewrite_ok ? "ok" : "err";
	f->aof_status = f->aof.write_ok ? "ok" : "err";
	f->bgsave_status = f->snap.last_ok ? "ok" : "err";
	f->bgsave_running = f->snap.running;
	if (f->snap.keys_total)
		f->fork_perc = (double)f->snap.keys_done * 100 / (double)f->snap.keys_total;
	f->connections = st->connections_received;
	f->commands = st->commands_processed;
	f->input_bytes = st->net_input_bytes;
	f->output_bytes = st->net_output_bytes;
	f->rejected = st->rejected_connections;
	f->expired = ks->expired;
	f->expired_fields = ks->expired_fields;
	f->expired_stale_perc = ks->expired_stale_perc;
	f->expired_time_cap = ks->expired_time_cap_reached;
	f->evicted = ks->evicted;
	f->evicted_clients = st->evicted_clients;
	int64_t above =
		st->exceeded_since_us ? (int64_t)(ticks_ns() / 1000) - st->exceeded_since_us : 0;
	f->eviction_now_ms = (uint64_t)above / 1000;
	f->eviction_ms = (st->eviction_us_total + (uint64_t)above) / 1000;
	f->expire_cycle_ms = st->expire_cycle_us / 1000;
	f->hits = ks->hits;
	f->misses = ks->misses;
	f->pubsub_channels = pubsub_names(s->pubsub, PUBSUB_CHANNEL);
	f->pubsub_patterns = pubsub_names(s->pubsub, PUBSUB_PATTERN);
	f->pubsub_shards = pubsub_names(s->pubsub, PUBSUB_SHARD);
	f->unexpected_errors = st->unexpected_error_replies;
	f->errors = st->total_error_replies;
	f->reads = st->reads_processed;
	f->writes = st->writes_processed;
	f->qbuf_disconnections = st->client_query_buffer_limit_disconnections;
	f->obuf_disconnections = st->client_output_buffer_limit_disconnections;
	f->acl_auth = st->acl_access_denied_auth;
	f->acl_cmd = st->acl_access_denied_cmd;
	f->acl_key = st->acl_access_denied_key;
	f->acl_channel = st->acl_access_denied_channel;
	f->ops_per_sec = st->ops_per_sec;
	f->input_kbps = st->input_kbps;
	f->output_kbps = st->output_kbps;
	f->turns = loop.turns;
	f->turns_usec = ticks_usec(&s->registry->rate, loop.busy_ticks);
	f->commands_usec = commands_usec(s);
	f->turns_per_sec = st->turns_per_sec;
	f->turn_usec = st->turn_usec;
	f->reply_shrinks = st->reply_shrinks;
	f->reply_expands = st->reply_expands;
	f->spins = loop.spins;
	f->spin_hits = loop.spin_hits;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void take_cpu(struct info_figures *f)
{
	struct rusage self, children, thread;
	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	getrusage(RUSAGE_THREAD, &thread);
	f->cpu_sys = seconds(self.ru_stime);
	f->cpu_user = seconds(self.ru_utime);
	f->cpu_sys_children = seconds(children.ru_stime);
	f->cpu_user_children = seconds(children.ru_utime);
	f->cpu_sys_main = seconds(thread.ru_stime);
	f->cpu_user_main = seconds(thread.ru_utime);
}

void info_figures_take(struct server *s, struct info_figures *f)
{
	memset(f, 0, sizeof(*f));
	take_server(s, f);
	take_clients(s, f);
	take_memory(s, f);
	take_stats(s, f);
	take_cpu(f);
}
