/* resp/config.h - configuration: one table of directives behind redis.conf, the command line and CONFIG.
 *
 * struct config holds the values, typed; config.c's table says for each directive its name, alias, type, default, bounds, whether it may
 * change at run time, and what to do when it does. CONFIG GET, SET, REWRITE and the file reader know only the table.
 */
#ifndef RESP_CONFIG_H
#define RESP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resp/log.h"
#include "resp/proto/reply.h"
#include "store/base/bytes.h"
#include "store/keyspace/evict.h"
#include "store/types/limits.h"

struct server;

struct config_strings { /* a list of words, each and the array from mem.h */
	char **v;
	size_t n;
};

struct config_obuf_limit {
	size_t hard, soft;
	int64_t soft_seconds;
};
enum { OBUF_NORMAL, OBUF_REPLICA, OBUF_PUBSUB, OBUF_CLASSES };

/* Strings are owned, never NULL ("" when unset). */
struct config {
	/* network */
	struct config_strings bind;              /* "* -::*" by default */
	int port;                                /* 6379; 0: no TCP */
	int tcp_backlog, tcp_keepalive, timeout; /* seconds */
	char *unixsocket;
	int unixsocketperm; /* octal, 0: as umask has it */
	bool protected_mode;
	int maxclients;
	int64_t proto_max_bulk_len;
	int64_t client_query_buffer_limit;
	struct config_obuf_limit obuf[OBUF_CLASSES];
	char *requirepass;
	char *bind_source_addr;
	char *socket_mark_id;
	/* process */
	bool daemonize;
	char *pidfile, *dir, *config_file; /* config_file absolute, "" for none */
	char *loglevel_unused;
	struct log log; /* level, path, syslog */
	char *syslog_ident, *syslog_facility;
	int hz;
	bool dynamic_hz;
	int databases;
	int busy_poll_usec; /* 50 */
	bool always_show_logo, set_proc_title;
	char *proc_title_template, *supervised, *locale_collate;
	bool crash_log_enabled, crash_memcheck_enabled;
	/* memory */
	uint64_t maxmemory;
	enum evict_policy maxmemory_policy;
	int maxmemory_samples, maxmemory_eviction_tenacity;
	bool lazyfree_lazy_eviction, lazyfree_lazy_expire, lazyfree_lazy_server_del,
		lazyfree_lazy_user_del, lazyfree_lazy_user_flush;
	int lfu_log_factor, lfu_decay_time;
	int active_expire_effort;
	bool activerehashing;
	struct type_limits limits;
	/* seeing inside */
	int64_t slowlog_log_slower_than, slowlog_max_len;
	int64_t latency_monitor_threshold;
	unsigned notify_events;                                /* enum notify_class bits and K, E */
	bool enable_debug_command_local, enable_debug_command; /* yes, local, no */
	bool enable_protected_configs;
	/* the mount */
	char *mount;         /* --mount DIR, "" for none */
	char *mount_options; /* -o style list */
	/* values kept for directives whose part comes later live in config.c's own list, not here */
	void *rest;
};

/* Fill with defaults. */
void config_init(struct config *cfg);
void config_fini(struct config *cfg);

/* Read the command line (argv[1..]) and the file it names: "inodis [file.conf] [-] [--option value ...]". On a bad line prints
 * Redis's "*** FATAL CONFIG FILE ERROR ***" block to stderr and answers -1. -v/--version, -h/--help, --test-memory are main.c's. */
int config_load(struct config *cfg, int argc, char **argv);

/* CONFIG GET / SET / REWRITE of the server's configuration; they write the reply. */
void config_reply_get(struct server *s, struct reply *r, const struct bytes *patterns, size_t n);
void config_reply_set(struct server *s, struct reply *r, const struct bytes *pairs, size_t n);
void config_reply_rewrite(struct server *s, struct reply *r);

/* One directive's value as text, for fs/ and INFO; false when there is no such directive. Caller frees with mem_free. */
bool config_get_text(struct server *s, const char *name, char **out);

#endif
