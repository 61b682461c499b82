/* resp/config/table.c - every directive there is. CONFIG, redis.conf and the command line know no other list.
 *
 * Names, defaults, bounds and whether a value may change at run time are those of Redis 7.2; our own directives are
 * busy-poll-usec, lua-memory-limit, mount, mount-options,
 * mount-user and rdb.
 */
#include <ctype.h>
#include <limits.h>
#include <string.h>
#include <syslog.h>

#include "resp/config/directive.h"
#include "store/keyspace/evict.h"

#define FIELD(member)                                                                              \
	.offset = offsetof(struct config, member), .width = sizeof(((struct config *)0)->member)
#define MISSING(what) what " is not available in this version"

/* --- words --- */

static const struct directive_word loglevel_words[] = {
	{"debug", LOG_LEVEL_DEBUG},     {"verbose", LOG_LEVEL_VERBOSE},
	{"notice", LOG_LEVEL_NOTICE},   {"warning", LOG_LEVEL_WARNING},
	{"nothing", LOG_LEVEL_NOTHING}, {0},
};

static const struct directive_word policy_words[] = {
	{"volatile-lru", EVICT_VOLATILE_LRU},
	{"volatile-lfu", EVICT_VOLATILE_LFU},
	{"volatile-random", EVICT_VOLATILE_RANDOM},
	{"volatile-ttl", EVICT_VOLATILE_TTL},
	{"allkeys-lru", EVICT_ALLKEYS_LRU},
	{"allkeys-lfu", EVICT_ALLKEYS_LFU},
	{"allkeys-random", EVICT_ALLKEYS_RANDOM},
	{"noeviction", EVICT_NOEVICTION},
	{0},
};

static const struct directive_word facility_words[] = {
	{"user", LOG_USER},     {"local0", LOG_LOCAL0},
	{"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2},
	{"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},
	{"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6},
	{"local7", LOG_LOCAL7}, {0},
};

static const struct directive_word supervised_words[] = {
	{"upstart", SUPERVISED_UPSTART},
	{"systemd", SUPERVISED_SYSTEMD},
	{"auto", SUPERVISED_AUTO},
	{"no", SUPERVISED_NO},
	{0},
};

static const struct directive_word shutdown_words[] = {
	{"default", 0}, {"save", 1}, {"nosave", 2}, {"now", 4}, {"force", 8}, {0},
};

static const struct directive_word oom_words[] = {
	{"no", 0}, {"yes", 1}, {"relative", 1}, {"absolute", 2}, {0}};
static const struct directive_word pubsub_words[] = {{"allchannels", 1}, {"resetchannels", 0}, {0}};
static const struct directive_word sanitize_words[] = {{"no", 0}, {"yes", 1}, {"clients", 2}, {0}};
static const struct directive_word fsync_words[] = {{"everysec", 2}, {"always", 1}, {"no", 0}, {0}};
static const struct directive_word diskless_words[] = {
	{"disabled", 0}, {"on-empty-db", 1}, {"swapdb", 2}, {0}};
static const struct directive_word propagation_words[] = {
	{"ignore", 0}, {"panic", 1}, {"panic-on-replicas", 2}, {0}};
static const struct directive_word endpoint_words[] = {
	{"ip", 0}, {"hostname", 1}, {"unknown-endpoint", 2}, {0}};
static const struct directive_word tls_auth_words[] = {
	{"no", TLS_AUTH_NO}, {"yes", TLS_AUTH_YES}, {"optional", TLS_AUTH_OPTIONAL}, {0}};

/* --- checks --- */

static bool is_path(const char *s)
{
	return strchr(s, '/') != NULL;
}

static const char *check_dbfilename(const char *s)
{
	return is_path(s) ? "dbfilename can't be a path, just a filename" : NULL;
}

static const char *check_appendfilename(const char *s)
{
	if (!s[0])
		return "appendfilename can't be empty";
	return is_path(s) ? "appendfilename can't be a path, just a filename" : NULL;
}

static const char *check_appenddirname(const char *s)
{
	if (!s[0])
		return "appenddirname can't be empty";
	return is_path(s) ? "appenddirname can't be a path, just a dirname" : NULL;
}

static const char *check_hostname(const char *s)
{
	if (strlen(s) > 255)
		return "Hostnames must be less than 256 characters";
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '-' && *s != '.')
			return "Hostnames may only contain alphanumeric characters, hyphens or "
			       "dots";
	return NULL;
}

static bool is_title_variable(const char *s, size_t n)
{
	static const char *const names[] = {"title",    "listen-addr", "server-mode", "port",
					    "tls-port", "unixsocket",  "config-file"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == n && memcmp(names[i], s, n) == 0)
			return true;
	return false;
}

static const char *check_title_template(const char *s)
{
	static const char bad[] = "template format is invalid or contains unknown variables";

	bool says = false; /* something but the program's name, which may be empty */
	while (*s) {
		if (*s != '{') {
			says = says || *s != ' ';
			s++;
			continue;
		}
		size_t n = strcspn(++s, "}");
		if (!s[n] || !is_title_variable(s, n))
			return bad;
		says = says || strncmp(s, "title}", 6) != 0;
		s += n + 1;
	}
	return says ? NULL : bad;
}

static const char no_defrag[] =
	"Active defragmentation cannot be enabled: it requires a Redis server compiled with a "
	"modified Jemalloc like the one shipped by default with the Redis source distribution";

/* --- the table --- */

#define BOOL(n, d, ...)                                                                            \
	{                                                                                          \
		.name = n, .kind = DIRECTIVE_BOOL, .def = d, ##__VA_ARGS__                         \
	}
#define STRING(n, d, ...)                                                                          \
	{                                                                                          \
		.name = n, .kind = DIRECTIVE_STRING, .def = d, ##__VA_ARGS__                       \
	}
#define NUMBER(n, d, low, high, ...)                                                               \
	{                                                                                          \
		.name = n, .kind = DIRECTIVE_NUMBER, .def = d, .min = low, .max = high,            \
		##__VA_ARGS__                                                                      \
	}
#define ENUM(n, d, w, ...)                                                                         \
	{                                                                                          \
		.name = n, .kind = DIRECTIVE_ENUM, .def = d, .words = w, ##__VA_ARGS__             \
	}
#define SPECIAL(n, d, how, ...)                                                                    \
	{                                                                                          \
		.name = n, .kind = DIRECTIVE_SPECIAL, .def = d, .special = how, ##__VA_ARGS__      \
	}

const struct directive directive_table[] = {
	/* network */
	SPECIAL("bind", "* -::*", &special_bind, .flags = D_WORDS, .apply = apply_bind),
	NUMBER("port", "6379", 0, 65535, FIELD(port), .apply = apply_port),
	NUMBER("tcp-backlog", "511", 0, INT_MAX, .flags = D_IMMUTABLE, FIELD(tcp_backlog)),
	NUMBER("tcp-keepalive", "300", 0, INT_MAX, FIELD(tcp_keepalive)),
	NUMBER("timeout", "0", 0, INT_MAX, FIELD(timeout)),
	STRING("unixsocket", "", .flags = D_IMMUTABLE, FIELD(unixsocket)),
	NUMBER("unixsocketperm", "0", 0, 0777, .flags = D_IMMUTABLE | D_OCTAL,
	       FIELD(unixsocketperm)),
	BOOL("protected-mode", "yes", FIELD(protected_mode)),
	NUMBER("maxclients", "10000", 1, UINT_MAX, .flags = D_UNSIGNED, FIELD(maxclients),
	       .apply = apply_maxclients),
	NUMBER("proto-max-bulk-len", "512mb", 1024 * 1024, INT64_MAX, .flags = D_MEMORY,
	       FIELD(proto_max_bulk_len)),
	NUMBER("client-query-buffer-limit", "1gb", 1024 * 1024, INT64_MAX, .flags = D_MEMORY,
	       FIELD(client_query_buffer_limit)),
	SPECIAL("client-output-buffer-limit",
		"normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
		&special_obuf, .flags = D_WORDS),
	NUMBER("maxmemory-clients", "0", 0, INT64_MAX, .flags = D_MEMORY | D_PERCENT,
	       FIELD(maxmemory_clients), .apply = apply_maxmemory_clients),
	STRING("bind-source-addr", "", FIELD(bind_source_addr)),
	NUMBER("socket-mark-id", "0", 0, UINT_MAX, .flags = D_IMMUTABLE | D_UNSIGNED,
	       FIELD(socket_mark_id)),
	STRING("requirepass", "", FIELD(requirepass), .apply = apply_requirepass),
	/* the process */
	BOOL("daemonize", "no", .flags = D_IMMUTABLE, FIELD(daemonize)),
	ENUM("supervised", "no", supervised_words, .flags = D_IMMUTABLE, FIELD(supervised)),
	STRING("pidfile", "", .flags = D_IMMUTABLE, FIELD(pidfile)),
	SPECIAL("dir", "", &special_dir, .flags = D_PROTECTED),
	ENUM("loglevel", "notice", loglevel_words, FIELD(log.level)),
	STRING("logfile", "", .flags = D_IMMUTABLE, FIELD(log.path)),
	BOOL("syslog-enabled", "no", .flags = D_IMMUTABLE, FIELD(log.syslog)),
	STRING("syslog-ident", "redis", .flags = D_IMMUTABLE, FIELD(syslog_ident)),
	ENUM("syslog-facility", "local0", facility_words, .flags = D_IMMUTABLE,
	     FIELD(syslog_facility)),
	NUMBER("hz", "10", 0, INT_MAX, FIELD(hz), .apply = apply_hz),
	BOOL("dynamic-hz", "yes", FIELD(dynamic_hz)),
	NUMBER("databases", "16", 1, INT_MAX, .flags = D_IMMUTABLE, FIELD(databases)),
	BOOL("always-show-logo", "no", .flags = D_IMMUTABLE, FIELD(always_show_logo)),
	BOOL("set-proc-title", "yes", .flags = D_IMMUTABLE, FIELD(set_proc_title)),
	STRING("proc-title-template", "{title} {listen-addr} {server-mode}",
	       FIELD(proc_title_template), .check = check_title_template, .apply = apply_title),
	STRING("locale-collate", "", FIELD(locale_collate), .apply = apply_locale),
	BOOL("crash-log-enabled", "yes", FIELD(crash_log_enabled)),
	BOOL("crash-memcheck-enabled", "yes", FIELD(crash_memcheck_enabled)),
	BOOL("use-exit-on-panic", "no", .flags = D_HIDDEN, FIELD(use_exit_on_panic)),
	NUMBER("watchdog-period", "0", 0, INT_MAX, .flags = D_HIDDEN, FIELD(watchdog_period),
	       .apply = apply_watchdog),
	BOOL("disable-thp", "yes", .flags = D_IMMUTABLE),
	ENUM("oom-score-adj", "no", oom_words, FIELD(oom_score_adj), .apply = apply_oom),
	SPECIAL("oom-score-adj-values", "0 200 800", &special_oom_values, .flags = D_WORDS,
		.apply = apply_oom),
	ENUM("shutdown-on-sigint", "default", shutdown_words, .flags = D_WORDS | D_BITS,
	     FIELD(shutdown_on_sigint), .apply = apply_shutdown),
	ENUM("shutdown-on-sigterm", "default", shutdown_words, .flags = D_WORDS | D_BITS,
	     FIELD(shutdown_on_sigterm), .apply = apply_shutdown),
	NUMBER("shutdown-timeout", "10", 0, INT_MAX),
	NUMBER("io-threads", "1", 1, 128, .flags = D_IMMUTABLE),
	BOOL("io-threads-do-reads", "no", .flags = D_IMMUTABLE),
	STRING("server_cpulist", "", .flags = D_IMMUTABLE),
	STRING("bio_cpulist", "", .flags = D_IMMUTABLE),
	STRING("aof_rewrite_cpulist", "", .flags = D_IMMUTABLE),
	STRING("bgsave_cpulist", "", .flags = D_IMMUTABLE),
	STRING("ignore-warnings", ""),
	SPECIAL("enable-debug-command", "no", &special_allow, .flags = D_IMMUTABLE,
		FIELD(enable_debug_command)),
	SPECIAL("enable-protected-configs", "no", &special_allow, .flags = D_IMMUTABLE,
		FIELD(enable_protected_configs)),
	SPECIAL("enable-module-command", "no", &special_allow, .flags = D_IMMUTABLE,
		FIELD(enable_module_command)),
	NUMBER("busy-poll-usec", "50", 0, 1000000, FIELD(busy_poll_usec), .apply = apply_policy),
	/* memory */
	NUMBER("maxmemory", "0", 0, UINT64_MAX, .flags = D_MEMORY | D_UNSIGNED, FIELD(maxmemory),
	       .apply = apply_maxmemory),
	ENUM("maxmemory-policy", "noeviction", policy_words, FIELD(maxmemory_policy),
	     .apply = apply_policy),
	NUMBER("maxmemory-samples", "5", 1, INT_MAX, FIELD(maxmemory_samples)),
	NUMBER("maxmemory-eviction-tenacity", "10", 0, 100, FIELD(maxmemory_eviction_tenacity)),
	BOOL("lazyfree-lazy-eviction", "no", FIELD(lazyfree_lazy_eviction), .apply = apply_policy),
	BOOL("lazyfree-lazy-expire", "no", FIELD(lazyfree_lazy_expire), .apply = apply_policy),
	BOOL("lazyfree-lazy-server-del", "no", FIELD(lazyfree_lazy_server_del),
	     .apply = apply_policy),
	BOOL("lazyfree-lazy-user-del", "no", FIELD(lazyfree_lazy_user_del), .apply = apply_policy),
	BOOL("lazyfree-lazy-user-flush", "no", FIELD(lazyfree_lazy_user_flush),
	     .apply = apply_policy),
	NUMBER("lfu-log-factor", "10", 0, INT_MAX, FIELD(lfu_log_factor), .apply = apply_policy),
	NUMBER("lfu-decay-time", "1", 0, INT_MAX, FIELD(lfu_decay_time), .apply = apply_policy),
	NUMBER("active-expire-effort", "1", 1, 10, FIELD(active_expire_effort)),
	BOOL("activerehashing", "yes", FIELD(activerehashing)),
	BOOL("activedefrag", "no", .missing = no_defrag),
	NUMBER("active-defrag-cycle-max", "25", 1, 99),
	NUMBER("active-defrag-cycle-min", "1", 1, 99),
	NUMBER("active-defrag-ignore-bytes", "100mb", 1, INT64_MAX, .flags = D_MEMORY),
	NUMBER("active-defrag-max-scan-fields", "1000", 1, INT64_MAX),
	NUMBER("active-defrag-threshold-lower", "10", 0, 1000),
	NUMBER("active-defrag-threshold-upper", "100", 0, 1000),
	BOOL("jemalloc-bg-thread", "yes", FIELD(jemalloc_bg_thread), .apply = apply_bg_thread),
	/* encodings */
	NUMBER("hash-max-listpack-entries", "512", 0, INT64_MAX,
	       .alias = "hash-max-ziplist-entries", FIELD(limits.hash_max_listpack_entries)),
	NUMBER("hash-max-listpack-value", "64", 0, INT64_MAX, .alias = "hash-max-ziplist-value",
	       .flags = D_MEMORY, FIELD(limits.hash_max_listpack_value)),
	NUMBER("set-max-intset-entries", "512", 0, INT64_MAX, FIELD(limits.set_max_intset_entries)),
	NUMBER("set-max-listpack-entries", "128", 0, INT64_MAX,
	       FIELD(limits.set_max_listpack_entries)),
	NUMBER("set-max-listpack-value", "64", 0, INT64_MAX, FIELD(limits.set_max_listpack_value)),
	NUMBER("zset-max-listpack-entries", "128", 0, INT64_MAX,
	       .alias = "zset-max-ziplist-entries", FIELD(limits.zset_max_listpack_entries)),
	NUMBER("zset-max-listpack-value", "64", 0, INT64_MAX, .alias = "zset-max-ziplist-value",
	       .flags = D_MEMORY, FIELD(limits.zset_max_listpack_value)),
	NUMBER("list-max-listpack-size", "-2", INT_MIN, INT_MAX, .alias = "list-max-ziplist-size",
	       FIELD(limits.list_max_listpack_size)),
	NUMBER("list-compress-depth", "0", 0, INT_MAX, FIELD(limits.list_compress_depth)),
	NUMBER("hll-sparse-max-bytes", "3000", 0, INT64_MAX, .flags = D_MEMORY,
	       FIELD(limits.hll_sparse_max_bytes)),
	NUMBER("stream-node-max-bytes", "4096", 0, INT64_MAX, .flags = D_MEMORY,
	       FIELD(limits.stream_node_max_bytes)),
	NUMBER("stream-node-max-entries", "100", 0, INT64_MAX,
	       FIELD(limits.stream_node_max_entries)),
	/* seeing inside */
	NUMBER("slowlog-log-slower-than", "10000", -1, INT64_MAX, FIELD(slowlog_log_slower_than)),
	NUMBER("slowlog-max-len", "128", 0, INT64_MAX, FIELD(slowlog_max_len)),
	NUMBER("latency-monitor-threshold", "0", 0, INT64_MAX, FIELD(latency_monitor_threshold),
	       .apply = apply_policy),
	BOOL("latency-tracking", "yes", FIELD(latency_tracking)),
	SPECIAL("latency-tracking-info-percentiles", "50 99 99.9", &special_percentiles,
		.flags = D_WORDS),
	SPECIAL("notify-keyspace-events", "", &special_notify, .apply = apply_events),
	NUMBER("tracking-table-max-keys", "1000000", 0, INT64_MAX, FIELD(tracking_table_max_keys)),
	/* the mount */
	STRING("rdb", "", .flags = D_IMMUTABLE | D_OWN, FIELD(rdb)),
	SPECIAL("mount", "", &special_mount, .flags = D_IMMUTABLE | D_OWN | D_WORDS | D_VERBATIM),
	STRING("mount-options", "", .flags = D_IMMUTABLE | D_OWN, FIELD(mount_options)),
	STRING("mount-user", "", .flags = D_IMMUTABLE | D_OWN, FIELD(mount_user)),
	/* scripts and access lists */
	NUMBER("busy-reply-threshold", "5000", 0, INT64_MAX, .alias = "lua-time-limit",
	       FIELD(busy_reply_threshold)),
	NUMBER("lua-memory-limit", "0", 0, UINT64_MAX, .flags = D_MEMORY | D_UNSIGNED | D_OWN,
	       FIELD(lua_memory_limit), .apply = apply_scripts),
	BOOL("lua-enable-deprecated-api", "no", .flags = D_IMMUTABLE | D_HIDDEN),
	STRING("aclfile", "", .flags = D_IMMUTABLE, FIELD(aclfile)),
	NUMBER("acllog-max-len", "128", 0, INT64_MAX, FIELD(acllog_max_len), .apply = apply_acllog),
	ENUM("acl-pubsub-default", "resetchannels", pubsub_words, FIELD(acl_pubsub_default)),
	/* persistence */
	SPECIAL("save", "3600 1 300 100 60 10000", &special_save, .flags = D_WORDS,
		.apply = apply_saving),
	STRING("dbfilename", "dump.rdb", .flags = D_PROTECTED, .check = check_dbfilename,
	       FIELD(dbfilename)),
	BOOL("rdbcompression", "yes", FIELD(rdbcompression)),
	BOOL("rdbchecksum", "yes", .flags = D_IMMUTABLE, FIELD(rdbchecksum)),
	BOOL("rdb-del-sync-files", "no"),
	BOOL("rdb-save-incremental-fsync", "yes", FIELD(rdb_save_incremental_fsync)),
	NUMBER("rdb-key-save-delay", "0", INT_MIN, INT_MAX, .flags = D_HIDDEN,
	       FIELD(rdb_key_save_delay)),
	NUMBER("key-load-delay", "0", INT_MIN, INT_MAX, .flags = D_HIDDEN, FIELD(key_load_delay)),
	NUMBER("loading-process-events-interval-bytes", "2mb", 1024, INT64_MAX,
	       .flags = D_MEMORY | D_HIDDEN),
	ENUM("sanitize-dump-payload", "no", sanitize_words),
	BOOL("stop-writes-on-bgsave-error", "yes", FIELD(stop_writes_on_bgsave_error),
	     .apply = apply_saving),
	BOOL("appendonly", "no", .apply = apply_appendonly, FIELD(appendonly)),
	STRING("appendfilename", "appendonly.aof", .flags = D_IMMUTABLE,
	       .check = check_appendfilename, FIELD(appendfilename)),
	STRING("appenddirname", "appendonlydir", .flags = D_IMMUTABLE, .check = check_appenddirname,
	       FIELD(appenddirname)),
	ENUM("appendfsync", "everysec", fsync_words, FIELD(appendfsync)),
	BOOL("no-appendfsync-on-rewrite", "no", FIELD(no_appendfsync_on_rewrite)),
	NUMBER("auto-aof-rewrite-percentage", "100", 0, INT_MAX,
	       FIELD(auto_aof_rewrite_percentage)),
	NUMBER("auto-aof-rewrite-min-size", "64mb", 0, INT64_MAX, .flags = D_MEMORY,
	       FIELD(auto_aof_rewrite_min_size)),
	BOOL("aof-load-truncated", "yes", FIELD(aof_load_truncated)),
	BOOL("aof-use-rdb-preamble", "yes", FIELD(aof_use_rdb_preamble)),
	BOOL("aof-timestamp-enabled", "no", FIELD(aof_timestamp_enabled)),
	BOOL("aof-rewrite-incremental-fsync", "yes"),
	BOOL("aof-disable-auto-gc", "no", FIELD(aof_disable_auto_gc)),
	/* replication, to come */
	SPECIAL("replicaof", "", &special_replicaof, .alias = "slaveof",
		.flags = D_IMMUTABLE | D_WORDS, .missing = MISSING("replicaof")),
	STRING("masterauth", ""),
	STRING("masteruser", ""),
	BOOL("replica-serve-stale-data", "yes", .alias = "slave-serve-stale-data"),
	BOOL("replica-read-only", "yes", .alias = "slave-read-only"),
	BOOL("replica-ignore-maxmemory", "yes", .alias = "slave-ignore-maxmemory"),
	BOOL("replica-lazy-flush", "no", .alias = "slave-lazy-flush"),
	NUMBER("replica-priority", "100", 0, INT_MAX, .alias = "slave-priority"),
	STRING("replica-announce-ip", "", .alias = "slave-announce-ip"),
	NUMBER("replica-announce-port", "0", 0, 65535, .alias = "slave-announce-port"),
	BOOL("replica-announced", "yes"),
	BOOL("replica-ignore-disk-write-errors", "no"),
	NUMBER("repl-backlog-size", "1mb", 1, INT64_MAX, .flags = D_MEMORY, .apply = apply_backlog),
	NUMBER("repl-backlog-ttl", "3600", 0, INT64_MAX),
	BOOL("repl-disable-tcp-nodelay", "no"),
	ENUM("repl-diskless-load", "disabled", diskless_words),
	BOOL("repl-diskless-sync", "yes"),
	NUMBER("repl-diskless-sync-delay", "5", 0, INT_MAX),
	NUMBER("repl-diskless-sync-max-replicas", "0", 0, INT_MAX),
	NUMBER("repl-ping-replica-period", "10", 1, INT_MAX, .alias = "repl-ping-slave-period"),
	NUMBER("repl-timeout", "60", 1, INT_MAX),
	NUMBER("min-replicas-to-write", "0", 0, INT_MAX, .alias = "min-slaves-to-write",
	       .missing = MISSING("min-replicas-to-write")),
	NUMBER("min-replicas-max-lag", "10", 0, INT_MAX, .alias = "min-slaves-max-lag"),
	ENUM("propagation-error-behavior", "ignore", propagation_words),
	/* cluster, to come */
	BOOL("cluster-enabled", "no", .flags = D_IMMUTABLE, .missing = MISSING("cluster-enabled")),
	STRING("cluster-config-file", "nodes.conf", .flags = D_IMMUTABLE),
	NUMBER("cluster-port", "0", 0, 65535, .flags = D_IMMUTABLE),
	NUMBER("cluster-node-timeout", "15000", 0, INT64_MAX),
	NUMBER("cluster-migration-barrier", "1", 0, INT_MAX),
	NUMBER("cluster-replica-validity-factor", "10", 0, INT_MAX,
	       .alias = "cluster-slave-validity-factor"),
	BOOL("cluster-replica-no-failover", "no", .alias = "cluster-slave-no-failover"),
	BOOL("cluster-require-full-coverage", "yes"),
	BOOL("cluster-allow-reads-when-down", "no"),
	BOOL("cluster-allow-pubsubshard-when-down", "yes"),
	BOOL("cluster-allow-replica-migration", "yes"),
	STRING("cluster-announce-ip", ""),
	STRING("cluster-announce-hostname", "", .check = check_hostname),
	STRING("cluster-announce-human-nodename", ""),
	NUMBER("cluster-announce-port", "0", 0, 65535),
	NUMBER("cluster-announce-tls-port", "0", 0, 65535),
	NUMBER("cluster-announce-bus-port", "0", 0, 65535),
	NUMBER("cluster-link-sendbuf-limit", "0", 0, UINT64_MAX, .flags = D_MEMORY | D_UNSIGNED),
	ENUM("cluster-preferred-endpoint-type", "ip", endpoint_words),
	/* TLS; what it is for between servers is to come */
	NUMBER("tls-port", "0", 0, 65535, FIELD(tls.port), .apply = apply_tls_port),
	BOOL("tls-cluster", "no", .missing = MISSING("tls-cluster")),
	BOOL("tls-replication", "no", .missing = MISSING("tls-replication")),
	ENUM("tls-auth-clients", "yes", tls_auth_words, FIELD(tls.auth_clients),
	     .apply = apply_tls),
	STRING("tls-cert-file", "", FIELD(tls.cert_file), .apply = apply_tls),
	STRING("tls-key-file", "", FIELD(tls.key_file), .apply = apply_tls),
	STRING("tls-key-file-pass", "", FIELD(tls.key_file_pass), .apply = apply_tls),
	STRING("tls-client-cert-file", "", FIELD(tls.client_cert_file), .apply = apply_tls),
	STRING("tls-client-key-file", "", FIELD(tls.client_key_file), .apply = apply_tls),
	STRING("tls-client-key-file-pass", "", FIELD(tls.client_key_file_pass), .apply = apply_tls),
	STRING("tls-dh-params-file", "", FIELD(tls.dh_params_file), .apply = apply_tls),
	STRING("tls-ca-cert-file", "", FIELD(tls.ca_cert_file), .apply = apply_tls),
	STRING("tls-ca-cert-dir", "", FIELD(tls.ca_cert_dir), .apply = apply_tls),
	STRING("tls-protocols", "", FIELD(tls.protocols), .apply = apply_tls),
	STRING("tls-ciphers", "", FIELD(tls.ciphers), .apply = apply_tls),
	STRING("tls-ciphersuites", "", FIELD(tls.ciphersuites), .apply = apply_tls),
	BOOL("tls-prefer-server-ciphers", "no", FIELD(tls.prefer_server_ciphers),
	     .apply = apply_tls),
	BOOL("tls-session-caching", "yes", FIELD(tls.session_caching), .apply = apply_tls),
	NUMBER("tls-session-cache-size", "20480", 0, INT_MAX, FIELD(tls.session_cache_size),
	       .apply = apply_tls),
	NUMBER("tls-session-cache-timeout", "300", 0, INT_MAX, FIELD(tls.session_cache_timeout),
	       .apply = apply_tls),
	{0},
};
