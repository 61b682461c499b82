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

/* Where to mount, each directory once; the array and its strings from mem.h. */
struct config_mounts {
	struct config_mount {
		char *dir;
		char *options; /* what stood behind -o, "" for nothing */
	} * v;
	size_t n;
};

struct config_strings { /* a list of words, each and the array from mem.h */
	char **v;
	size_t n;
};

struct config_obuf_limit {
	size_t hard, soft;
	int64_t soft_seconds; /* any that is not below 0 */
};

/* Whether it has been above the soft limit for too long, after @ms. */
static inline bool config_obuf_too_long(const struct config_obuf_limit *limit, int64_t ms)
{
	return limit->soft_seconds <= INT64_MAX / 1000 && ms > limit->soft_seconds * 1000;
}

enum { OBUF_NORMAL, OBUF_REPLICA, OBUF_PUBSUB, OBUF_CLASSES };

/* notify_events: enum notify_class (resp/command.h) and these. */
#define NOTIFY_KEYSPACE (1u << 16) /* K */
#define NOTIFY_KEYEVENT (1u << 17) /* E */
#define NOTIFY_MODULE   (1u << 18) /* d */

/* Parse "AKE" and its like; false for an unknown letter. Format in Redis's canonical order; @buf of 20 bytes. */
bool notify_parse(struct bytes s, unsigned *out);
void notify_format(unsigned events, char *buf);

enum config_oom { OOM_NO, OOM_RELATIVE, OOM_ABSOLUTE };
enum config_supervised { SUPERVISED_NO, SUPERVISED_AUTO, SUPERVISED_SYSTEMD, SUPERVISED_UPSTART };

/* What tls-* says; resp/net/tls_context.c makes it a context. */
enum config_tls_auth { TLS_AUTH_NO, TLS_AUTH_YES, TLS_AUTH_OPTIONAL };

struct config_tls {
	int port; /* 0: none */
	enum config_tls_auth auth_clients;
	char *cert_file, *key_file, *key_file_pass;
	char *client_cert_file, *client_key_file, *client_key_file_pass;
	char *dh_params_file, *ca_cert_file, *ca_cert_dir;
	char *protocols, *ciphers, *ciphersuites;
	bool prefer_server_ciphers, session_caching;
	int session_cache_size, session_cache_timeout; /* seconds */
};

/* Strings are owned, never NULL ("" when unset). */
struct config {
	/* network */
	struct config_strings bind;              /* "* -::*" by default */
	int port;                                /* 6379; 0: no TCP */
	int tcp_backlog, tcp_keepalive, timeout; /* seconds */
	char *unixsocket;
	int unixsocketperm; /* octal, 0: as umask has it */
	bool protected_mode;
	unsigned maxclients; /* fitted to the descriptors that the process may have */
	int64_t proto_max_bulk_len;
	int64_t client_query_buffer_limit;
	struct config_obuf_limit obuf[OBUF_CLASSES];
	int64_t maxmemory_clients; /* bytes, below 0 percents of maxmemory */
	char *requirepass;
	char *aclfile;          /* "" for none */
	int acl_pubsub_default; /* a new user may use all channels */
	int64_t acllog_max_len;
	struct config_strings users;   /* "user" lines: name and rules, quoted */
	struct config_strings renames; /* rename-command: old name, new name, in pairs */
	char *bind_source_addr;
	unsigned socket_mark_id; /* 0: none */
	struct config_tls tls;
	/* process */
	bool daemonize;
	char *pidfile, *dir, *config_file; /* config_file absolute, "" for none */
	struct log log;                    /* level, path, syslog */
	char *syslog_ident;
	int syslog_facility; /* syslog(3)'s */
	int hz;
	bool dynamic_hz;
	int databases;
	int busy_poll_usec; /* 50 */
	bool always_show_logo, set_proc_title;
	char *proc_title_template, *locale_collate;
	enum config_supervised supervised;
	bool crash_log_enabled, crash_memcheck_enabled, use_exit_on_panic;
	int oom_score_adj; /* enum config_oom */
	bool jemalloc_bg_thread;
	/* memory */
	uint64_t maxmemory, lua_memory_limit;
	int64_t busy_reply_threshold;
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
	bool latency_tracking;
	int watchdog_period;             /* milliseconds, 0: none */
	int64_t tracking_table_max_keys; /* 0: no bound */
	unsigned notify_events;          /* enum notify_class bits and K, E */
	/* yes: both; local: the second; no: neither */
	bool enable_debug_command, enable_debug_command_local;
	bool enable_module_command, enable_module_command_local;
	bool enable_protected_configs, enable_protected_configs_local;
	/* persistence */
	char *dbfilename;
	bool rdbcompression, rdbchecksum, rdb_save_incremental_fsync, stop_writes_on_bgsave_error;
	int64_t repl_backlog_size;
	int min_replicas_to_write, min_replicas_max_lag; /* seconds; 0: nobody is asked for */
	int rdb_key_save_delay, key_load_delay;          /* microseconds a key, for tests */
	int64_t loading_interval; /* bytes of a snapshot between two looks at the clients */
	bool appendonly, no_appendfsync_on_rewrite, aof_load_truncated, aof_use_rdb_preamble,
		aof_timestamp_enabled, aof_disable_auto_gc;
	char *appendfilename, *appenddirname;
	int appendfsync; /* enum aof_fsync (resp/persist/aof/aof.h) */
	int auto_aof_rewrite_percentage;
	int64_t auto_aof_rewrite_min_size;
	int shutdown_on_sigint, shutdown_on_sigterm; /* enum shutdown_flag (server.h) */
	/* the mounts */
	struct config_mounts mounts; /* --mount DIR [-o OPTIONS], any number of them */
	bool end_with_mount;         /* the server ends when the last one is taken away */
	char *rdb;                   /* the file to look into, nothing else; "" for a server */
	char *mount_options;         /* for all of them, -o style list */
	char *mount_user; /* the ACL user that they are where their options name none, "" for the default user */
	/* values of directives whose feature comes later, and what CONFIG REWRITE has to remember */
	struct config_rest *rest;
};

/* Fill with defaults. */
void config_init(struct config *cfg);
void config_fini(struct config *cfg);

/* Read the command line (argv[1..]) and the file it names: "inodis [file.conf] [-] [--option value ...]". On a bad line prints
 * Redis's "*** FATAL CONFIG FILE ERROR ***" block to stderr and answers -1 (a file that cannot be opened is logged instead).
 * Changes the working directory where a line says dir. -v/--version, -h/--help, --test-memory are main.c's. */
int config_load(struct config *cfg, int argc, char **argv);

/* With `rdb`: leave nothing that would open a port, write a file or drop keys. False with a sentence on stderr where there is no mount to
 * look through. Without it nothing is done. */
bool config_look_only(struct config *cfg);

/* Raise the limit of open files to what maxclients needs; where the kernel refuses, lower maxclients and log it as Redis does. */
void config_fit_maxclients(struct config *cfg);

/* CONFIG GET / SET / REWRITE of the server's configuration; they write the reply. @n of SET counts names and values. */
void config_reply_get(struct server *s, struct reply *r, const struct bytes *patterns, size_t n);
void config_reply_set(struct server *s, struct reply *r, const struct bytes *pairs, size_t n);
void config_reply_rewrite(struct server *s, struct reply *r,
			  bool all); /* @all: what has its default too */

/* One directive's value as text, for fs/ and INFO; false when there is no such directive. Caller frees with mem_free. */
bool config_get_text(struct server *s, const char *name, char **out);

#endif
