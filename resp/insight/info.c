#include "resp/insight/info.h"

#include <string.h>

#include "resp/dispatch.h"
#include "resp/insight/command_latency.h"
#include "resp/insight/info_figures.h"
#include "store/keyspace/keyspace.h"

enum info_section {
	INFO_SERVER = 1 << 0,
	INFO_CLIENTS = 1 << 1,
	INFO_MEMORY = 1 << 2,
	INFO_PERSISTENCE = 1 << 3,
	INFO_STATS = 1 << 4,
	INFO_REPLICATION = 1 << 5,
	INFO_CPU = 1 << 6,
	INFO_MODULES = 1 << 7,
	INFO_COMMANDSTATS = 1 << 8,
	INFO_ERRORSTATS = 1 << 9,
	INFO_LATENCYSTATS = 1 << 10,
	INFO_CLUSTER = 1 << 11,
	INFO_KEYSPACE = 1 << 12,
};
#define INFO_ALL     0x1fffu
#define INFO_DEFAULT (INFO_ALL & ~(unsigned)(INFO_COMMANDSTATS | INFO_LATENCYSTATS))

enum info_kind {
	INFO_TEXT,   /* the table's own words */
	INFO_STRING, /* const char * */
	INFO_CHARS,  /* char [] */
	INFO_U64,
	INFO_I64,
	INFO_RATIO,   /* %.2f */
	INFO_PERCENT, /* %.2f%% */
	INFO_WHOLE,   /* %.0f */
	INFO_CPU_SEC, /* %.6f */
	INFO_HUMAN,   /* "1.50M" */
};

struct info_field {
	enum info_section section;
	const char *name;
	enum info_kind kind;
	size_t at;
	const char *text;
};

#define AT(field) offsetof(struct info_figures, field)
#define F(sect, key, kind, field)                                                                  \
	{                                                                                          \
		INFO_##sect, key, INFO_##kind, AT(field), NULL                                     \
	}
#define TEXT(sect, key, words)                                                                     \
	{                                                                                          \
		INFO_##sect, key, INFO_TEXT, 0, words                                              \
	}
#define NONE(sect, key)                                                                            \
	{                                                                                          \
		INFO_##sect, key, INFO_U64, AT(zero), NULL                                         \
	}

/* clang-format off */
static const struct info_field fields[] = {
	F(SERVER, "redis_version", STRING, redis_version),
	F(SERVER, "inodis_version", STRING, inodis_version),
	TEXT(SERVER, "redis_git_sha1", "00000000"),
	TEXT(SERVER, "redis_git_dirty", "0"),
	F(SERVER, "redis_build_id", CHARS, build_id),
	TEXT(SERVER, "redis_mode", "standalone"),
	F(SERVER, "os", CHARS, os),
	F(SERVER, "arch_bits", U64, arch_bits),
	TEXT(SERVER, "monotonic_clock", "POSIX clock_gettime"),
	TEXT(SERVER, "multiplexing_api", "epoll"),
	TEXT(SERVER, "atomicvar_api", "c11-builtin"),
	F(SERVER, "gcc_version", CHARS, gcc_version),
	F(SERVER, "process_id", U64, process_id),
	F(SERVER, "process_supervised", STRING, supervised),
	F(SERVER, "run_id", STRING, run_id),
	F(SERVER, "tcp_port", U64, tcp_port),
	F(SERVER, "server_time_usec", U64, server_time_usec),
	F(SERVER, "uptime_in_seconds", U64, uptime_seconds),
	F(SERVER, "uptime_in_days", U64, uptime_days),
	F(SERVER, "hz", U64, hz),
	F(SERVER, "configured_hz", U64, configured_hz),
	F(SERVER, "lru_clock", U64, lru_clock),
	F(SERVER, "executable", STRING, executable),
	F(SERVER, "config_file", STRING, config_file),
	NONE(SERVER, "io_threads_active"),

	F(CLIENTS, "connected_clients", U64, connected_clients),
	NONE(CLIENTS, "cluster_connections"),
	F(CLIENTS, "maxclients", U64, maxclients),
	F(CLIENTS, "client_recent_max_input_buffer", U64, max_input),
	F(CLIENTS, "client_recent_max_output_buffer", U64, max_output),
	F(CLIENTS, "blocked_clients", U64, blocked_clients),
	F(CLIENTS, "tracking_clients", U64, tracking.clients),
	F(CLIENTS, "clients_in_timeout_table", U64, clients_in_timeout),
	F(CLIENTS, "total_blocking_keys", U64, blocking_keys),
	F(CLIENTS, "total_blocking_keys_on_nokey", U64, blocking_keys_for_gone),
	F(CLIENTS, "paused_reason", STRING, paused_reason),
	F(CLIENTS, "paused_actions", STRING, paused_actions),
	F(CLIENTS, "paused_timeout_milliseconds", U64, paused_ms),

	F(MEMORY, "used_memory", U64, used),
	F(MEMORY, "used_memory_human", HUMAN, used),
	F(MEMORY, "used_memory_rss", U64, rss),
	F(MEMORY, "used_memory_rss_human", HUMAN, rss),
	F(MEMORY, "used_memory_peak", U64, peak),
	F(MEMORY, "used_memory_peak_human", HUMAN, peak),
	F(MEMORY, "used_memory_peak_perc", PERCENT, peak_perc),
	F(MEMORY, "used_memory_overhead", U64, overhead),
	F(MEMORY, "used_memory_startup", U64, startup),
	F(MEMORY, "used_memory_dataset", U64, dataset),
	F(MEMORY, "used_memory_dataset_perc", PERCENT, dataset_perc),
	F(MEMORY, "allocator_allocated", U64, heap.allocated),
	F(MEMORY, "allocator_active", U64, heap.active),
	F(MEMORY, "allocator_resident", U64, heap.resident),
	F(MEMORY, "total_system_memory", U64, total_system),
	F(MEMORY, "total_system_memory_human", HUMAN, total_system),
	F(MEMORY, "used_memory_lua", U64, scripts.eval_vm),
	F(MEMORY, "used_memory_vm_eval", U64, scripts.eval_vm),
	F(MEMORY, "used_memory_lua_human", HUMAN, scripts.eval_vm),
	F(MEMORY, "used_memory_scripts_eval", U64, scripts.cached_mem),
	F(MEMORY, "number_of_cached_scripts", U64, scripts.cached),
	F(MEMORY, "number_of_functions", U64, scripts.functions),
	F(MEMORY, "number_of_libraries", U64, scripts.libraries),
	F(MEMORY, "used_memory_vm_functions", U64, scripts.functions_vm),
	F(MEMORY, "used_memory_vm_total", U64, vm_total),
	F(MEMORY, "used_memory_vm_total_human", HUMAN, vm_total),
	F(MEMORY, "used_memory_functions", U64, scripts.functions_mem),
	F(MEMORY, "used_memory_scripts", U64, scripts_mem),
	F(MEMORY, "used_memory_scripts_human", HUMAN, scripts_mem),
	F(MEMORY, "maxmemory", U64, maxmemory),
	F(MEMORY, "maxmemory_human", HUMAN, maxmemory),
	F(MEMORY, "maxmemory_policy", STRING, policy),
	F(MEMORY, "allocator_frag_ratio", RATIO, heap_frag_ratio),
	F(MEMORY, "allocator_frag_bytes", I64, heap_frag_bytes),
	F(MEMORY, "allocator_rss_ratio", RATIO, heap_rss_ratio),
	F(MEMORY, "allocator_rss_bytes", I64, heap_rss_bytes),
	F(MEMORY, "rss_overhead_ratio", RATIO, rss_overhead_ratio),
	F(MEMORY, "rss_overhead_bytes", I64, rss_overhead_bytes),
	F(MEMORY, "mem_fragmentation_ratio", RATIO, frag_ratio),
	F(MEMORY, "mem_fragmentation_bytes", I64, frag_bytes),
	NONE(MEMORY, "mem_not_counted_for_evict"),
	NONE(MEMORY, "mem_replication_backlog"),
	NONE(MEMORY, "mem_total_replication_buffers"),
	NONE(MEMORY, "mem_clients_slaves"),
	F(MEMORY, "mem_clients_normal", U64, clients_mem),
	NONE(MEMORY, "mem_cluster_links"),
	F(MEMORY, "mem_aof_buffer", U64, aof.buffer),
	F(MEMORY, "mem_allocator", STRING, allocator),
	NONE(MEMORY, "active_defrag_running"),
	F(MEMORY, "lazyfree_pending_objects", U64, lazyfree_pending),
	F(MEMORY, "lazyfreed_objects", U64, lazyfreed),

	F(PERSISTENCE, "loading", U64, loading),
	NONE(PERSISTENCE, "async_loading"),
	F(PERSISTENCE, "current_cow_peak", U64, snap.cow_peak),
	F(PERSISTENCE, "current_cow_size", U64, snap.cow),
	F(PERSISTENCE, "current_cow_size_age", U64, snap.cow_age),
	F(PERSISTENCE, "current_fork_perc", RATIO, fork_perc),
	F(PERSISTENCE, "current_save_keys_processed", U64, snap.keys_done),
	F(PERSISTENCE, "current_save_keys_total", U64, snap.keys_total),
	F(PERSISTENCE, "rdb_changes_since_last_save", U64, changes),
	F(PERSISTENCE, "rdb_bgsave_in_progress", U64, bgsave_running),
	F(PERSISTENCE, "rdb_last_save_time", I64, snap.last_save),
	F(PERSISTENCE, "rdb_last_bgsave_status", STRING, bgsave_status),
	F(PERSISTENCE, "rdb_last_bgsave_time_sec", I64, snap.last_seconds),
	F(PERSISTENCE, "rdb_current_bgsave_time_sec", I64, snap.current_seconds),
	F(PERSISTENCE, "rdb_saves", U64, snap.saves),
	F(PERSISTENCE, "rdb_last_cow_size", U64, snap.last_cow),
	F(PERSISTENCE, "rdb_last_load_keys_expired", U64, snap.load_expired),
	F(PERSISTENCE, "rdb_last_load_keys_loaded", U64, snap.loaded),
	F(PERSISTENCE, "aof_enabled", U64, aof_enabled),
	F(PERSISTENCE, "aof_rewrite_in_progress", U64, aof_rewriting),
	F(PERSISTENCE, "aof_rewrite_scheduled", U64, aof_scheduled),
	F(PERSISTENCE, "aof_last_rewrite_time_sec", I64, aof.last_seconds),
	F(PERSISTENCE, "aof_current_rewrite_time_sec", I64, aof.current_seconds),
	F(PERSISTENCE, "aof_last_bgrewrite_status", STRING, aof_rewrite_status),
	F(PERSISTENCE, "aof_rewrites", U64, aof.rewrites),
	F(PERSISTENCE, "aof_rewrites_consecutive_failures", U64, aof.failures),
	F(PERSISTENCE, "aof_last_write_status", STRING, aof_status),
	F(PERSISTENCE, "aof_last_cow_size", U64, aof.last_cow),
	NONE(PERSISTENCE, "module_fork_in_progress"),
	NONE(PERSISTENCE, "module_fork_last_cow_size"),

	F(STATS, "total_connections_received", U64, connections),
	F(STATS, "total_commands_processed", U64, commands),
	F(STATS, "instantaneous_ops_per_sec", WHOLE, ops_per_sec),
	F(STATS, "total_net_input_bytes", U64, input_bytes),
	F(STATS, "total_net_output_bytes", U64, output_bytes),
	NONE(STATS, "total_net_repl_input_bytes"),
	NONE(STATS, "total_net_repl_output_bytes"),
	F(STATS, "instantaneous_input_kbps", RATIO, input_kbps),
	F(STATS, "instantaneous_output_kbps", RATIO, output_kbps),
	TEXT(STATS, "instantaneous_input_repl_kbps", "0.00"),
	TEXT(STATS, "instantaneous_output_repl_kbps", "0.00"),
	F(STATS, "rejected_connections", U64, rejected),
	NONE(STATS, "sync_full"),
	NONE(STATS, "sync_partial_ok"),
	NONE(STATS, "sync_partial_err"),
	F(STATS, "expired_keys", U64, expired),
	F(STATS, "expired_subkeys", U64, expired_fields),
	F(STATS, "expired_stale_perc", RATIO, expired_stale_perc),
	F(STATS, "expired_time_cap_reached_count", U64, expired_time_cap),
	F(STATS, "expire_cycle_cpu_milliseconds", U64, expire_cycle_ms),
	F(STATS, "evicted_keys", U64, evicted),
	F(STATS, "evicted_clients", U64, evicted_clients),
	F(STATS, "total_eviction_exceeded_time", U64, eviction_ms),
	F(STATS, "current_eviction_exceeded_time", U64, eviction_now_ms),
	F(STATS, "keyspace_hits", U64, hits),
	F(STATS, "keyspace_misses", U64, misses),
	F(STATS, "pubsub_channels", U64, pubsub_channels),
	F(STATS, "pubsub_patterns", U64, pubsub_patterns),
	F(STATS, "pubsubshard_channels", U64, pubsub_shards),
	F(STATS, "latest_fork_usec", U64, snap.fork_usec),
	F(STATS, "total_forks", U64, snap.forks),
	NONE(STATS, "migrate_cached_sockets"),
	NONE(STATS, "slave_expires_tracked_keys"),
	NONE(STATS, "active_defrag_hits"),
	NONE(STATS, "active_defrag_misses"),
	NONE(STATS, "active_defrag_key_hits"),
	NONE(STATS, "active_defrag_key_misses"),
	NONE(STATS, "total_active_defrag_time"),
	NONE(STATS, "current_active_defrag_time"),
	F(STATS, "tracking_total_keys", U64, tracking.keys),
	F(STATS, "tracking_total_items", U64, tracking.items),
	F(STATS, "tracking_total_prefixes", U64, tracking.prefixes),
	F(STATS, "unexpected_error_replies", U64, unexpected_errors),
	F(STATS, "total_error_replies", U64, errors),
	NONE(STATS, "dump_payload_sanitizations"),
	F(STATS, "total_reads_processed", U64, reads),
	F(STATS, "total_writes_processed", U64, writes),
	NONE(STATS, "io_threaded_reads_processed"),
	NONE(STATS, "io_threaded_writes_processed"),
	F(STATS, "reply_buffer_shrinks", U64, reply_shrinks),
	F(STATS, "reply_buffer_expands", U64, reply_expands),
	F(STATS, "client_query_buffer_limit_disconnections", U64, qbuf_disconnections),
	F(STATS, "client_output_buffer_limit_disconnections", U64, obuf_disconnections),
	F(STATS, "eventloop_cycles", U64, turns),
	F(STATS, "eventloop_duration_sum", U64, turns_usec),
	F(STATS, "eventloop_duration_cmd_sum", U64, commands_usec),
	F(STATS, "instantaneous_eventloop_cycles_per_sec", WHOLE, turns_per_sec),
	F(STATS, "instantaneous_eventloop_duration_usec", WHOLE, turn_usec),
	F(STATS, "inodis_busy_polls", U64, spins),
	F(STATS, "inodis_busy_poll_hits", U64, spin_hits),
	F(STATS, "acl_access_denied_auth", U64, acl_auth),
	F(STATS, "acl_access_denied_cmd", U64, acl_cmd),
	F(STATS, "acl_access_denied_key", U64, acl_key),
	F(STATS, "acl_access_denied_channel", U64, acl_channel),

	TEXT(REPLICATION, "role", "master"),
	NONE(REPLICATION, "connected_slaves"),
	TEXT(REPLICATION, "master_failover_state", "no-failover"),
	F(REPLICATION, "master_replid", STRING, replid),
	TEXT(REPLICATION, "master_replid2", "0000000000000000000000000000000000000000"),
	NONE(REPLICATION, "master_repl_offset"),
	TEXT(REPLICATION, "second_repl_offset", "-1"),
	NONE(REPLICATION, "repl_backlog_active"),
	F(REPLICATION, "repl_backlog_size", U64, backlog_size),
	NONE(REPLICATION, "repl_backlog_first_byte_offset"),
	NONE(REPLICATION, "repl_backlog_histlen"),

	F(CPU, "used_cpu_sys", CPU_SEC, cpu_sys),
	F(CPU, "used_cpu_user", CPU_SEC, cpu_user),
	F(CPU, "used_cpu_sys_children", CPU_SEC, cpu_sys_children),
	F(CPU, "used_cpu_user_children", CPU_SEC, cpu_user_children),
	F(CPU, "used_cpu_sys_main_thread", CPU_SEC, cpu_sys_main),
	F(CPU, "used_cpu_user_main_thread", CPU_SEC, cpu_user_main),

	NONE(CLUSTER, "cluster_enabled"),
};
/* clang-format on */

/* --- values --- */

/* A size as people read it: Redis's units of 1024, two decimals. */
static void write_human(FILE *out, uint64_t n)
{
	static const char units[] = "BKMGTPE";
	if (n < 1024) {
		fprintf(out, "%lluB", (unsigned long long)n);
		return;
	}
	double v = (double)n;
	int u = 0;
	while (v >= 1024 && u < 6) {
		v /= 1024;
		u++;
	}
	fprintf(out, "%.2f%c", v, units[u]);
}

static void write_value(FILE *out, const struct info_field *field, const struct info_figures *f)
{
	const char *p = (const char *)f + field->at;
	switch (field->kind) {
	case INFO_TEXT:
		fputs(field->text, out);
		return;
	case INFO_STRING:
		fputs(*(const char *const *)p, out);
		return;
	case INFO_CHARS:
		fputs(p, out);
		return;
	case INFO_U64:
		fprintf(out, "%llu", (unsigned long long)*(const uint64_t *)p);
		return;
	case INFO_I64:
		fprintf(out, "%lld", (long long)*(const int64_t *)p);
		return;
	case INFO_RATIO:
		fprintf(out, "%.2f", *(const double *)p);
		return;
	case INFO_PERCENT:
		fprintf(out, "%.2f%%", *(const double *)p);
		return;
	case INFO_WHOLE:
		fprintf(out, "%.0f", *(const double *)p);
		return;
	case INFO_CPU_SEC:
		fprintf(out, "%.6f", *(const double *)p);
		return;
	case INFO_HUMAN:
		write_human(out, *(const uint64_t *)p);
		return;
	}
}

/* --- sections that are lists --- */

static void write_listener(const struct server *s, const char *name, int port, FILE *out)
{
	if (!port)
		return;
	fputs(name, out);
	for (size_t i = 0; i < s->config.bind.n; i++)
		fprintf(out, ",bind=%s", s->config.bind.v[i]);
	fprintf(out, ",port=%d\r\n", port);
}

/* Each kind of listener with the addresses that it was told to have. */
static void write_listeners(const struct server *s, FILE *out)
{
	write_listener(s, "listener0:name=tcp", s->config.port, out);
	if (s->config.unixsocket[0])
		fprintf(out, "listener1:name=unix,bind=%s\r\n", s->config.unixsocket);
	write_listener(s, "listener2:name=tls", s->config.tls.port, out);
}

static void write_commandstat(FILE *out, const struct registry *r, const struct registered *c)
{
	if (!c->stats.calls && !c->stats.rejected && !c->stats.failed)
		return;
	uint64_t usec = registered_usec(r, c);
	double each = c->stats.calls ? (double)usec / (double)c->stats.calls : 0;
	fprintf(out,
		"cmdstat_%s:calls=%llu,usec=%llu,usec_per_call=%.2f,rejected_calls=%llu,"
		"failed_calls=%llu\r\n",
		c->fullname, (unsigned long long)c->stats.calls, (unsigned long long)usec, each,
		(unsigned long long)c->stats.rejected, (unsigned long long)c->stats.failed);
}

static void write_commandstats(struct server *s, FILE *out)
{
	for (struct registered *c = registry_commands(s->registry); c; c = c->hh.next) {
		write_commandstat(out, s->registry, c);
		for (struct registered *sub = c->subs; sub; sub = sub->hh.next)
			write_commandstat(out, s->registry, sub);
	}
}

static void write_errorstats(struct server *s, FILE *out)
{
	for (struct error_stat *e = registry_errors(s->registry); e; e = e->hh.next)
		fprintf(out, "errorstat_%s:count=%llu\r\n", e->code, (unsigned long long)e->count);
}

static void write_keyspace(struct server *s, FILE *out)
{
	for (unsigned i = 0; i < s->keyspace->ndbs; i++) {
		const struct db *db = &s->keyspace->dbs[i];
		uint64_t keys = table_count(&db->keys);
		if (!keys)
			continue;
		fprintf(out, "db%u:keys=%llu,expires=%llu,avg_ttl=%lld", i,
			(unsigned long long)keys, (unsigned long long)table_count(&db->volatiles),
			(long long)db->avg_ttl);
		/* Redis has it from 7.4 on, in every line; without such hashes the line is 7.2's. */
		if (db->ndue)
			fprintf(out, ",subexpiry=%zu", db->ndue);
		fprintf(out, "\r\n");
	}
}

/* --- sections --- */

static const struct {
	enum info_section bit;
	const char *name, *title;
	void (*list)(struct server *s, FILE *out); /* NULL: by the fields */
} sections[] = {
	{INFO_SERVER, "server", "Server", NULL},
	{INFO_CLIENTS, "clients", "Clients", NULL},
	{INFO_MEMORY, "memory", "Memory", NULL},
	{INFO_PERSISTENCE, "persistence", "Persistence", NULL},
	{INFO_STATS, "stats", "Stats", NULL},
	{INFO_REPLICATION, "replication", "Replication", NULL},
	{INFO_CPU, "cpu", "CPU", NULL},
	{INFO_MODULES, "modules", "Modules", NULL},
	{INFO_COMMANDSTATS, "commandstats", "Commandstats", write_commandstats},
	{INFO_ERRORSTATS, "errorstats", "Errorstats", write_errorstats},
	{INFO_LATENCYSTATS, "latencystats", "Latencystats", command_latency_info},
	{INFO_CLUSTER, "cluster", "Cluster", NULL},
	{INFO_KEYSPACE, "keyspace", "Keyspace", write_keyspace},
};
#define NSECTIONS (sizeof(sections) / sizeof(*sections))

static unsigned wanted(const struct bytes *names, size_t n)
{
	unsigned bits = n ? 0 : INFO_DEFAULT;
	for (size_t i = 0; i < n; i++) {
		if (bytes_is(names[i], "default"))
			bits |= INFO_DEFAULT;
		else if (bytes_is(names[i], "all") || bytes_is(names[i], "everything"))
			bits |= INFO_ALL;
		for (size_t j = 0; j < NSECTIONS; j++)
			if (bytes_is(names[i], sections[j].name))
				bits |= sections[j].bit;
	}
	return bits;
}

static void write_fields(enum info_section section, const struct info_figures *f, FILE *out)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (fields[i].section != section)
			continue;
		fprintf(out, "%s:", fields[i].name);
		write_value(out, &fields[i], f);
		fputs("\r\n", out);
	}
}

/* What Redis adds while it loads. */
static void write_aof(const struct info_figures *f, FILE *out)
{
	fprintf(out,
		"aof_current_size:%llu\r\naof_base_size:%llu\r\naof_pending_rewrite:%d\r\n"
		"aof_buffer_length:%llu\r\naof_pending_bio_fsync:%llu\r\n"
		"aof_delayed_fsync:%llu\r\n",
		(unsigned long long)f->aof.size, (unsigned long long)f->aof.base_size,
		f->aof.scheduled, (unsigned long long)f->aof.buffer,
		(unsigned long long)f->aof.pending_fsync, (unsigned long long)f->aof.delayed_fsync);
}

static void write_loading(const struct info_figures *f, FILE *out)
{
	const struct snapshot_figures *n = &f->snap;
	double perc = n->load_total ? (double)n->load_done * 100 / (double)n->load_total : 0;

	fprintf(out,
		"loading_start_time:%lld\r\nloading_total_bytes:%llu\r\n"
		"loading_rdb_used_mem:%llu\r\nloading_loaded_bytes:%llu\r\n"
		"loading_loaded_perc:%.2f\r\nloading_eta_seconds:%llu\r\n",
		(long long)n->load_start, (unsigned long long)n->load_total,
		(unsigned long long)n->load_used_mem, (unsigned long long)n->load_done, perc,
		(unsigned long long)n->load_eta);
}

void info_write(struct server *s, const struct bytes *names, size_t n, FILE *out)
{
	struct info_figures f;
	unsigned bits = wanted(names, n);
	bool first = true;
	info_figures_take(s, &f);
	for (size_t i = 0; i < NSECTIONS; i++) {
		if (!(bits & sections[i].bit))
			continue;
		fprintf(out, "%s# %s\r\n", first ? "" : "\r\n", sections[i].title);
		first = false;
		if (sections[i].list)
			sections[i].list(s, out);
		else
			write_fields(sections[i].bit, &f, out);
		if (sections[i].bit == INFO_SERVER)
			write_listeners(s, out);
		if (sections[i].bit == INFO_REPLICATION && s->config.min_replicas_to_write &&
		    s->config.min_replicas_max_lag)
			fputs("min_slaves_good_slaves:0\r\n", out);
		if (sections[i].bit == INFO_PERSISTENCE && f.aof.on)
			write_aof(&f, out);
		if (sections[i].bit == INFO_PERSISTENCE && f.loading)
			write_loading(&f, out);
	}
}
