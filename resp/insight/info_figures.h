/* resp/insight/info_figures.h - the figures of one INFO call: taken by info_figures.c, printed by info.c. */
#ifndef RESP_INFO_FIGURES_H
#define RESP_INFO_FIGURES_H

#include <stdint.h>
#include <sys/utsname.h>

#include "resp/persist/aof/aof.h"
#include "resp/persist/snapshot.h"
#include "resp/scripts/scripts.h"
#include "resp/sessions/pause.h"
#include "resp/sessions/tracking/tracking.h"
#include "store/base/mem.h"

struct server;

struct info_figures {
	/* server */
	char os[3 * sizeof(((struct utsname *)0)->nodename)];
	char gcc_version[32], build_id[17];
	const char *redis_version, *inodis_version, *run_id, *replid, *executable, *config_file,
		*supervised;
	uint64_t arch_bits, process_id, tcp_port, server_time_usec, uptime_seconds, uptime_days, hz,
		configured_hz, lru_clock;
	/* clients */
	uint64_t connected_clients, maxclients, max_input, max_output, monitors;
	struct tracking_figures tracking;
	struct pause_figures pause;
	const char *paused_reason, *paused_actions;
	uint64_t paused_ms;
	uint64_t blocked_clients, clients_in_timeout, blocking_keys, blocking_keys_for_gone;
	/* memory */
	uint64_t used, rss, peak, overhead, startup, dataset, total_system, maxmemory, clients_mem;
	struct mem_figures heap;
	double heap_frag_ratio, heap_rss_ratio, rss_overhead_ratio;
	int64_t heap_frag_bytes, heap_rss_bytes, rss_overhead_bytes;
	struct scripts_figures scripts;
	uint64_t vm_total, scripts_mem;
	uint64_t lazyfree_pending, lazyfreed;
	int64_t frag_bytes;
	double peak_perc, dataset_perc, frag_ratio;
	const char *policy, *allocator;
	/* persistence */
	uint64_t loading, changes;
	struct snapshot_figures snap;
	struct aof_figures aof;
	uint64_t aof_enabled, aof_rewriting, aof_scheduled;
	const char *aof_status, *aof_rewrite_status;
	const char *bgsave_status;
	uint64_t bgsave_running;
	double fork_perc;
	/* stats */
	uint64_t connections, commands, input_bytes, output_bytes, rejected, expired,
		expired_fields, expired_time_cap, evicted, evicted_clients, eviction_ms,
		expire_cycle_ms, hits, misses, pubsub_channels, pubsub_patterns, pubsub_shards,
		unexpected_errors, errors, reads, writes, qbuf_disconnections, obuf_disconnections,
		acl_auth, acl_cmd, acl_key, acl_channel, turns, spins, spin_hits, eviction_now_ms,
		turns_usec, commands_usec, reply_shrinks, reply_expands;
	double turns_per_sec, turn_usec;
	double ops_per_sec, input_kbps, output_kbps, expired_stale_perc;
	/* cpu */
	double cpu_sys, cpu_user, cpu_sys_children, cpu_user_children, cpu_sys_main, cpu_user_main;
	/* replication */
	uint64_t backlog_size;
	/* what has no part in this server yet, and is so */
	uint64_t zero;
};

void info_figures_take(struct server *s, struct info_figures *f);

#endif
