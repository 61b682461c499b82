/* resp/config/table.c - every directive there is. CONFIG, redis.conf and the command line know no other list.
 *
 * Names, defaults, bounds and whether a value may change at run time are those of Redis 7.2; our own directives are
 * busy-poll-usec, end-with-mount, lua-memory-limit, mount,
 * mount-options, mount-user and rdb.
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
	SPECIAL("bind", "* -::*", &special_bind, .flags = D_WORDS, .apply = apply_bind,
		.doc = "The addresses that are listened on; one that begins with a minus may be "
		       "missing on this machine."),
	NUMBER("port", "6379", 0, 65535, FIELD(port), .apply = apply_port,
	       .doc = "The TCP port for clients; 0 opens none."),
	NUMBER("tcp-backlog", "511", 0, INT_MAX, .flags = D_IMMUTABLE, FIELD(tcp_backlog),
	       .doc = "How many connections may wait to be accepted."),
	NUMBER("tcp-keepalive", "300", 0, INT_MAX, FIELD(tcp_keepalive),
	       .doc = "Seconds after which the kernel asks an idle connection whether its other "
		      "side is alive; 0 never asks."),
	NUMBER("timeout", "0", 0, INT_MAX, FIELD(timeout),
	       .doc = "Seconds after which an idle client is disconnected; 0 lets it stay."),
	STRING("unixsocket", "", .flags = D_IMMUTABLE, FIELD(unixsocket),
	       .doc = "The path of a socket for local clients."),
	NUMBER("unixsocketperm", "0", 0, 0777, .flags = D_IMMUTABLE | D_OCTAL,
	       FIELD(unixsocketperm),
	       .doc = "The permissions of that socket in octal; 0 leaves them to the umask."),
	BOOL("protected-mode", "yes", FIELD(protected_mode),
	     .doc = "Whether a server without a password answers only clients of the same "
		    "machine."),
	NUMBER("maxclients", "10000", 1, UINT_MAX, .flags = D_UNSIGNED, FIELD(maxclients),
	       .apply = apply_maxclients, .doc = "How many clients may be connected at once."),
	NUMBER("proto-max-bulk-len", "512mb", 1024 * 1024, INT64_MAX, .flags = D_MEMORY,
	       FIELD(proto_max_bulk_len),
	       .doc = "The longest single word that a client may send, which is also the largest "
		      "value."),
	NUMBER("client-query-buffer-limit", "1gb", 1024 * 1024, INT64_MAX, .flags = D_MEMORY,
	       FIELD(client_query_buffer_limit),
	       .doc = "How much a client may have sent of a command that is not complete yet "
		      "before it is cut off."),
	SPECIAL("client-output-buffer-limit",
		"normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
		&special_obuf, .flags = D_WORDS,
		.doc = "For each class of clients, the bytes of unread replies that cut a client "
		       "off at once, and those that do when they last for some seconds."),
	NUMBER("maxmemory-clients", "0", 0, INT64_MAX, .flags = D_MEMORY | D_PERCENT,
	       FIELD(maxmemory_clients), .apply = apply_maxmemory_clients,
	       .doc = "The memory that all clients' buffers may take together, in bytes or as a "
		      "percentage of maxmemory, before the largest are disconnected; 0 is no "
		      "limit."),
	STRING("bind-source-addr", "", FIELD(bind_source_addr),
	       .doc = "The address that connections from this server to others come from."),
	NUMBER("socket-mark-id", "0", 0, UINT_MAX, .flags = D_IMMUTABLE | D_UNSIGNED,
	       FIELD(socket_mark_id),
	       .doc = "The mark that the kernel puts on packets of the listening sockets and their "
		      "clients; 0 for none."),
	STRING("requirepass", "", FIELD(requirepass), .apply = apply_requirepass,
	       .doc = "The password of the default user; empty lets everybody in."),
	/* the process */
	BOOL("daemonize", "no", .flags = D_IMMUTABLE, FIELD(daemonize),
	     .doc = "Whether the server leaves the terminal and goes on in the background."),
	ENUM("supervised", "no", supervised_words, .flags = D_IMMUTABLE, FIELD(supervised),
	     .doc = "Which supervisor is told that the server is ready: systemd by notification, "
		    "upstart by a signal, auto looks for either."),
	STRING("pidfile", "", .flags = D_IMMUTABLE, FIELD(pidfile),
	       .doc = "The file that holds the process's number while it runs."),
	SPECIAL("dir", "", &special_dir, .flags = D_PROTECTED,
		.doc = "The working directory, which is where the snapshot and the log are."),
	ENUM("loglevel", "notice", loglevel_words, FIELD(log.level),
	     .doc = "How much is logged, from debug to nothing."),
	STRING("logfile", "", .flags = D_IMMUTABLE, FIELD(log.path),
	       .doc = "The file that is logged to; empty is standard output."),
	BOOL("syslog-enabled", "no", .flags = D_IMMUTABLE, FIELD(log.syslog),
	     .doc = "Whether lines go to the system's log as well."),
	STRING("syslog-ident", "redis", .flags = D_IMMUTABLE, FIELD(syslog_ident),
	       .doc = "The name under which they do."),
	ENUM("syslog-facility", "local0", facility_words, .flags = D_IMMUTABLE,
	     FIELD(syslog_facility), .doc = "The facility under which they do."),
	NUMBER("hz", "10", 0, INT_MAX, FIELD(hz), .apply = apply_hz,
	       .doc = "How many times a second the work in the background gets its turn."),
	BOOL("dynamic-hz", "yes", FIELD(dynamic_hz),
	     .doc = "Whether that is done more often while there are many clients."),
	NUMBER("databases", "16", 1, INT_MAX, .flags = D_IMMUTABLE, FIELD(databases),
	       .doc = "How many databases there are."),
	BOOL("always-show-logo", "no", .flags = D_IMMUTABLE, FIELD(always_show_logo),
	     .doc = "Whether the log begins with a picture."),
	BOOL("set-proc-title", "yes", .flags = D_IMMUTABLE, FIELD(set_proc_title),
	     .doc = "Whether the process's title tells what it is and where it listens."),
	STRING("proc-title-template", "{title} {listen-addr} {server-mode}",
	       FIELD(proc_title_template), .check = check_title_template, .apply = apply_title,
	       .doc = "How that title is put together."),
	STRING("locale-collate", "", FIELD(locale_collate), .apply = apply_locale,
	       .doc = "The locale by which SORT ALPHA compares; empty is that of the environment."),
	BOOL("crash-log-enabled", "yes", FIELD(crash_log_enabled),
	     .doc = "Whether a crash leaves a report in the log."),
	BOOL("crash-memcheck-enabled", "yes", FIELD(crash_memcheck_enabled),
	     .doc = "No effect here: memory is not tested after a crash."),
	BOOL("use-exit-on-panic", "no", .flags = D_HIDDEN, FIELD(use_exit_on_panic),
	     .doc = "Whether an impossible state ends the process with exit instead of abort."),
	NUMBER("watchdog-period", "0", 0, INT_MAX, .flags = D_HIDDEN, FIELD(watchdog_period),
	       .apply = apply_watchdog,
	       .doc = "Milliseconds after which a turn that takes longer leaves a stack trace in "
		      "the log; 0 for never."),
	BOOL("disable-thp", "yes", .flags = D_IMMUTABLE,
	     .doc = "No effect here: tables ask for huge pages where they pay, and a full heap is "
		    "moved into them without growing."),
	ENUM("oom-score-adj", "no", oom_words, FIELD(oom_score_adj), .apply = apply_oom,
	     .doc = "Whether the kernel is told how willingly to end this process when memory runs "
		    "out."),
	SPECIAL("oom-score-adj-values", "0 200 800", &special_oom_values, .flags = D_WORDS,
		.apply = apply_oom,
		.doc = "What it is told: for a server, a replica and a child that saves."),
	ENUM("shutdown-on-sigint", "default", shutdown_words, .flags = D_WORDS | D_BITS,
	     FIELD(shutdown_on_sigint), .apply = apply_shutdown,
	     .doc = "What SIGINT does about saving, and whether it waits or insists."),
	ENUM("shutdown-on-sigterm", "default", shutdown_words, .flags = D_WORDS | D_BITS,
	     FIELD(shutdown_on_sigterm), .apply = apply_shutdown,
	     .doc = "What SIGTERM does about saving, and whether it waits or insists."),
	NUMBER("shutdown-timeout", "10", 0, INT_MAX,
	       .doc = "No effect here: there are no replicas to wait for."),
	NUMBER("io-threads", "1", 1, 128, .flags = D_IMMUTABLE,
	       .doc = "No effect here: one thread owns the data and serves its clients."),
	BOOL("io-threads-do-reads", "no", .flags = D_IMMUTABLE,
	     .doc = "No effect here, as io-threads."),
	STRING("server_cpulist", "", .flags = D_IMMUTABLE,
	       .doc = "The processors that the server may run on."),
	STRING("bio_cpulist", "", .flags = D_IMMUTABLE,
	       .doc = "No effect here: the helper threads run wherever the kernel puts them."),
	STRING("aof_rewrite_cpulist", "", .flags = D_IMMUTABLE,
	       .doc = "The processors for the child that rewrites the log."),
	STRING("bgsave_cpulist", "", .flags = D_IMMUTABLE,
	       .doc = "The processors for the child that saves."),
	STRING("ignore-warnings", "",
	       .doc = "No effect here: nothing is checked at start that could be ignored."),
	SPECIAL("enable-debug-command", "no", &special_allow, .flags = D_IMMUTABLE,
		FIELD(enable_debug_command),
		.doc = "Whether DEBUG may be called: by anybody, by local clients or by nobody."),
	SPECIAL("enable-protected-configs", "no", &special_allow, .flags = D_IMMUTABLE,
		FIELD(enable_protected_configs),
		.doc = "Whether protected directives may be changed while the server runs: by "
		       "anybody, by local clients or by nobody."),
	SPECIAL("enable-module-command", "no", &special_allow, .flags = D_IMMUTABLE,
		FIELD(enable_module_command),
		.doc = "Whether MODULE may be called; there are no modules to load."),
	NUMBER("busy-poll-usec", "50", 0, 1000000, FIELD(busy_poll_usec), .apply = apply_policy,
	       .doc = "Microseconds for which the server stays awake after a request, while that "
		      "pays; 0 sleeps at once."),
	/* memory */
	NUMBER("maxmemory", "0", 0, UINT64_MAX, .flags = D_MEMORY | D_UNSIGNED, FIELD(maxmemory),
	       .apply = apply_maxmemory, .doc = "The memory that data may take; 0 is no limit."),
	ENUM("maxmemory-policy", "noeviction", policy_words, FIELD(maxmemory_policy),
	     .apply = apply_policy,
	     .doc = "What is done at that limit: which keys give way, or that writes are refused."),
	NUMBER("maxmemory-samples", "5", 1, INT_MAX, FIELD(maxmemory_samples),
	       .doc = "How many keys are looked at to find one that gives way."),
	NUMBER("maxmemory-eviction-tenacity", "10", 0, 100, FIELD(maxmemory_eviction_tenacity),
	       .doc = "How much of a turn evicting may take: 0 is little, 100 as long as it "
		      "needs."),
	BOOL("lazyfree-lazy-eviction", "no", FIELD(lazyfree_lazy_eviction), .apply = apply_policy,
	     .doc = "Whether evicted values are freed by a thread in the background."),
	BOOL("lazyfree-lazy-expire", "no", FIELD(lazyfree_lazy_expire), .apply = apply_policy,
	     .doc = "Whether expired values are."),
	BOOL("lazyfree-lazy-server-del", "no", FIELD(lazyfree_lazy_server_del),
	     .apply = apply_policy, .doc = "Whether values that a command replaces are."),
	BOOL("lazyfree-lazy-user-del", "no", FIELD(lazyfree_lazy_user_del), .apply = apply_policy,
	     .doc = "Whether DEL works as UNLINK does."),
	BOOL("lazyfree-lazy-user-flush", "no", FIELD(lazyfree_lazy_user_flush),
	     .apply = apply_policy,
	     .doc = "Whether FLUSHALL, FLUSHDB and SCRIPT FLUSH free in the background unless they "
		    "are told otherwise."),
	NUMBER("lfu-log-factor", "10", 0, INT_MAX, FIELD(lfu_log_factor), .apply = apply_policy,
	       .doc = "How slowly the counters of use grow: the higher, the more accesses they "
		      "tell apart."),
	NUMBER("lfu-decay-time", "1", 0, INT_MAX, FIELD(lfu_decay_time), .apply = apply_policy,
	       .doc = "Minutes after which a counter of use falls by one; 0 for never."),
	NUMBER("active-expire-effort", "1", 1, 10, FIELD(active_expire_effort),
	       .doc = "How much time is spent on finding keys that have expired."),
	BOOL("activerehashing", "yes", FIELD(activerehashing),
	     .doc = "Whether idle time is spent on growing and shrinking tables."),
	BOOL("activedefrag", "no", .missing = no_defrag,
	     .doc = "Memory is not defragmented while the server runs, so this cannot be switched "
		    "on."),
	NUMBER("active-defrag-cycle-max", "25", 1, 99, .doc = "No effect here, as activedefrag."),
	NUMBER("active-defrag-cycle-min", "1", 1, 99, .doc = "No effect here, as activedefrag."),
	NUMBER("active-defrag-ignore-bytes", "100mb", 1, INT64_MAX, .flags = D_MEMORY,
	       .doc = "No effect here, as activedefrag."),
	NUMBER("active-defrag-max-scan-fields", "1000", 1, INT64_MAX,
	       .doc = "No effect here, as activedefrag."),
	NUMBER("active-defrag-threshold-lower", "10", 0, 1000,
	       .doc = "No effect here, as activedefrag."),
	NUMBER("active-defrag-threshold-upper", "100", 0, 1000,
	       .doc = "No effect here, as activedefrag."),
	BOOL("jemalloc-bg-thread", "yes", FIELD(jemalloc_bg_thread), .apply = apply_bg_thread,
	     .doc = "Whether the allocator gives unused memory back from a thread of its own."),
	/* encodings */
	NUMBER("hash-max-listpack-entries", "512", 0, INT64_MAX,
	       .alias = "hash-max-ziplist-entries", FIELD(limits.hash_max_listpack_entries),
	       .doc = "Up to so many fields a hash is kept as one compact block."),
	NUMBER("hash-max-listpack-value", "64", 0, INT64_MAX, .alias = "hash-max-ziplist-value",
	       .flags = D_MEMORY, FIELD(limits.hash_max_listpack_value),
	       .doc = "And as long as no field or value is longer than this."),
	NUMBER("set-max-intset-entries", "512", 0, INT64_MAX, FIELD(limits.set_max_intset_entries),
	       .doc = "Up to so many members a set of integers is kept as a sorted array."),
	NUMBER("set-max-listpack-entries", "128", 0, INT64_MAX,
	       FIELD(limits.set_max_listpack_entries),
	       .doc = "Up to so many members a set is kept as one compact block."),
	NUMBER("set-max-listpack-value", "64", 0, INT64_MAX, FIELD(limits.set_max_listpack_value),
	       .doc = "And as long as no member is longer than this."),
	NUMBER("zset-max-listpack-entries", "128", 0, INT64_MAX,
	       .alias = "zset-max-ziplist-entries", FIELD(limits.zset_max_listpack_entries),
	       .doc = "Up to so many members a sorted set is kept as one compact block."),
	NUMBER("zset-max-listpack-value", "64", 0, INT64_MAX, .alias = "zset-max-ziplist-value",
	       .flags = D_MEMORY, FIELD(limits.zset_max_listpack_value),
	       .doc = "And as long as no member is longer than this."),
	NUMBER("list-max-listpack-size", "-2", INT_MIN, INT_MAX, .alias = "list-max-ziplist-size",
	       FIELD(limits.list_max_listpack_size),
	       .doc = "The size of a list's blocks: a number of elements, or, below zero, -1 to -5 "
		      "for 4 to 64 kilobytes."),
	NUMBER("list-compress-depth", "0", 0, INT_MAX, FIELD(limits.list_compress_depth),
	       .doc = "No effect here: the blocks of a list are never compressed."),
	NUMBER("hll-sparse-max-bytes", "3000", 0, INT64_MAX, .flags = D_MEMORY,
	       FIELD(limits.hll_sparse_max_bytes),
	       .doc = "Up to this size a HyperLogLog stays in its sparse form."),
	NUMBER("stream-node-max-bytes", "4096", 0, INT64_MAX, .flags = D_MEMORY,
	       FIELD(limits.stream_node_max_bytes),
	       .doc = "The size at which a stream begins a new block; 0 for none."),
	NUMBER("stream-node-max-entries", "100", 0, INT64_MAX,
	       FIELD(limits.stream_node_max_entries),
	       .doc = "The number of entries at which it does; 0 for none."),
	/* seeing inside */
	NUMBER("slowlog-log-slower-than", "10000", -1, INT64_MAX, FIELD(slowlog_log_slower_than),
	       .doc = "Microseconds from which a command is noted in the slow log; 0 notes all, -1 "
		      "none."),
	NUMBER("slowlog-max-len", "128", 0, INT64_MAX, FIELD(slowlog_max_len),
	       .doc = "How many commands the slow log keeps."),
	NUMBER("latency-monitor-threshold", "0", 0, INT64_MAX, FIELD(latency_monitor_threshold),
	       .apply = apply_policy,
	       .doc = "Milliseconds from which a delay is kept for LATENCY; 0 keeps none."),
	BOOL("latency-tracking", "yes", FIELD(latency_tracking),
	     .doc = "Whether there is a histogram of the time that each command takes."),
	SPECIAL("latency-tracking-info-percentiles", "50 99 99.9", &special_percentiles,
		.flags = D_WORDS, .doc = "Which percentiles of it INFO shows."),
	SPECIAL("notify-keyspace-events", "", &special_notify, .apply = apply_events,
		.doc = "Which changes of keys are published, by their letters; empty is none."),
	NUMBER("tracking-table-max-keys", "1000000", 0, INT64_MAX, FIELD(tracking_table_max_keys),
	       .doc = "How many keys are remembered for clients that cache; 0 is no limit."),
	/* the mount */
	STRING("rdb", "", .flags = D_IMMUTABLE | D_OWN, FIELD(rdb),
	       .doc = "The snapshot to look into: it is shown in the mounts and nothing else "
		      "happens, as inodis(1) tells."),
	SPECIAL("mount", "", &special_mount, .flags = D_IMMUTABLE | D_OWN | D_WORDS | D_VERBATIM,
		.doc = "Where to mount, with options behind -o that are this mount's own; each "
		       "line is another mount, and an empty one takes back those before."),
	STRING("mount-options", "", .flags = D_IMMUTABLE | D_OWN, FIELD(mount_options),
	       .doc = "Options of all mounts, as inodis-mount(5) has them; those behind -o come "
		      "after."),
	BOOL("end-with-mount", "no", .flags = D_OWN, FIELD(end_with_mount),
	     .doc = "Whether the server saves and ends when the last of its mounts is taken away, "
		    "as by umount(8); with rdb it always does."),
	STRING("mount-user", "", .flags = D_IMMUTABLE | D_OWN, FIELD(mount_user),
	       .doc = "The ACL user that mounts without user= are; empty is the default user."),
	/* scripts and access lists */
	NUMBER("busy-reply-threshold", "5000", 0, INT64_MAX, .alias = "lua-time-limit",
	       FIELD(busy_reply_threshold),
	       .doc = "Milliseconds after which a script that still runs makes the server answer "
		      "others with BUSY."),
	NUMBER("lua-memory-limit", "0", 0, UINT64_MAX, .flags = D_MEMORY | D_UNSIGNED | D_OWN,
	       FIELD(lua_memory_limit), .apply = apply_scripts,
	       .doc = "The memory that a script may take; 0 is no limit of its own."),
	BOOL("lua-enable-deprecated-api", "no", .flags = D_IMMUTABLE | D_HIDDEN,
	     .doc = "No effect here: scripts see what the sandbox has, and nothing that was taken "
		    "out of it."),
	STRING("aclfile", "", .flags = D_IMMUTABLE, FIELD(aclfile),
	       .doc = "The file of ACL users."),
	NUMBER("acllog-max-len", "128", 0, INT64_MAX, FIELD(acllog_max_len), .apply = apply_acllog,
	       .doc = "How many refusals ACL LOG keeps."),
	ENUM("acl-pubsub-default", "resetchannels", pubsub_words, FIELD(acl_pubsub_default),
	     .doc = "Whether a new user may use all channels or none."),
	/* persistence */
	SPECIAL("save", "3600 1 300 100 60 10000", &special_save, .flags = D_WORDS,
		.apply = apply_saving,
		.doc = "Pairs of seconds and changes: when so many changes are that old, a "
		       "snapshot is begun; empty for never."),
	STRING("dbfilename", "dump.rdb", .flags = D_PROTECTED, .check = check_dbfilename,
	       FIELD(dbfilename), .doc = "The name of the snapshot in dir."),
	BOOL("rdbcompression", "yes", FIELD(rdbcompression),
	     .doc = "Whether strings in snapshots are compressed."),
	BOOL("rdbchecksum", "yes", .flags = D_IMMUTABLE, FIELD(rdbchecksum),
	     .doc = "Whether snapshots carry a checksum, and are checked against it."),
	BOOL("rdb-del-sync-files", "no", .doc = "No effect here: there is no replication."),
	BOOL("rdb-save-incremental-fsync", "yes", FIELD(rdb_save_incremental_fsync),
	     .doc = "Whether a snapshot is brought to the disk while it is written, instead of all "
		    "at its end."),
	NUMBER("rdb-key-save-delay", "0", INT_MIN, INT_MAX, .flags = D_HIDDEN,
	       FIELD(rdb_key_save_delay),
	       .doc = "Microseconds to wait after each key that is saved, for tests."),
	NUMBER("key-load-delay", "0", INT_MIN, INT_MAX, .flags = D_HIDDEN, FIELD(key_load_delay),
	       .doc = "Microseconds to wait after each key that is loaded, for tests."),
	NUMBER("loading-process-events-interval-bytes", "2mb", 1024, INT64_MAX,
	       .flags = D_MEMORY | D_HIDDEN, FIELD(loading_interval),
	       .doc = "While a snapshot is loaded, clients are looked at at least once in so many "
		      "bytes of it."),
	ENUM("sanitize-dump-payload", "no", sanitize_words,
	     .doc = "No effect here: what is loaded or restored is always checked whole."),
	BOOL("stop-writes-on-bgsave-error", "yes", FIELD(stop_writes_on_bgsave_error),
	     .apply = apply_saving,
	     .doc = "Whether writes are refused after a snapshot that failed, until one succeeds."),
	BOOL("appendonly", "no", .apply = apply_appendonly, FIELD(appendonly),
	     .doc = "Whether every change is written to a log."),
	STRING("appendfilename", "appendonly.aof", .flags = D_IMMUTABLE,
	       .check = check_appendfilename, FIELD(appendfilename),
	       .doc = "How the files of the log begin."),
	STRING("appenddirname", "appendonlydir", .flags = D_IMMUTABLE, .check = check_appenddirname,
	       FIELD(appenddirname), .doc = "The directory in dir that they are in."),
	ENUM("appendfsync", "everysec", fsync_words, FIELD(appendfsync),
	     .doc = "When the log is brought to the disk: before each reply, once a second, or as "
		    "the kernel sees fit."),
	BOOL("no-appendfsync-on-rewrite", "no", FIELD(no_appendfsync_on_rewrite),
	     .doc = "Whether that waits while a child saves or rewrites."),
	NUMBER("auto-aof-rewrite-percentage", "100", 0, INT_MAX, FIELD(auto_aof_rewrite_percentage),
	       .doc = "By how much the log has to have grown since it was rewritten last for it to "
		      "be rewritten; 0 for never."),
	NUMBER("auto-aof-rewrite-min-size", "64mb", 0, INT64_MAX, .flags = D_MEMORY,
	       FIELD(auto_aof_rewrite_min_size), .doc = "The size below which it is not."),
	BOOL("aof-load-truncated", "yes", FIELD(aof_load_truncated),
	     .doc = "Whether a log that ends in the middle of a command is cut there and loaded."),
	BOOL("aof-use-rdb-preamble", "yes", FIELD(aof_use_rdb_preamble),
	     .doc = "Whether a rewritten log begins with a snapshot, which loads faster."),
	BOOL("aof-timestamp-enabled", "no", FIELD(aof_timestamp_enabled),
	     .doc = "Whether the log tells when each second's changes were made, so that it can be "
		    "cut at a time."),
	BOOL("aof-rewrite-incremental-fsync", "yes",
	     .doc = "Whether a log is brought to the disk while it is rewritten, instead of all at "
		    "its end."),
	BOOL("aof-disable-auto-gc", "no", FIELD(aof_disable_auto_gc),
	     .doc = "Whether files that the log no longer needs are left for somebody else to "
		    "remove."),
	/* replication, to come */
	SPECIAL("replicaof", "", &special_replicaof, .alias = "slaveof",
		.flags = D_IMMUTABLE | D_WORDS, .missing = MISSING("replicaof"),
		.doc = "Replication is not available, so the only value is none."),
	STRING("masterauth", "", .doc = "Kept and shown; there is no replication."),
	STRING("masteruser", "", .doc = "Kept and shown; there is no replication."),
	BOOL("replica-serve-stale-data", "yes", .alias = "slave-serve-stale-data",
	     .doc = "Kept and shown; there is no replication."),
	BOOL("replica-read-only", "yes", .alias = "slave-read-only",
	     .doc = "Kept and shown; there is no replication."),
	BOOL("replica-ignore-maxmemory", "yes", .alias = "slave-ignore-maxmemory",
	     .doc = "Kept and shown; there is no replication."),
	BOOL("replica-lazy-flush", "no", .alias = "slave-lazy-flush",
	     .doc = "Kept and shown; there is no replication."),
	NUMBER("replica-priority", "100", 0, INT_MAX, .alias = "slave-priority",
	       .doc = "Kept and shown; there is no replication."),
	STRING("replica-announce-ip", "", .alias = "slave-announce-ip",
	       .doc = "Kept and shown; there is no replication."),
	NUMBER("replica-announce-port", "0", 0, 65535, .alias = "slave-announce-port",
	       .doc = "Kept and shown; there is no replication."),
	BOOL("replica-announced", "yes", .doc = "Kept and shown; there is no replication."),
	BOOL("replica-ignore-disk-write-errors", "no",
	     .doc = "Kept and shown; there is no replication."),
	NUMBER("repl-backlog-size", "1mb", 1, INT64_MAX, .flags = D_MEMORY, .apply = apply_backlog,
	       FIELD(repl_backlog_size), .doc = "Kept and shown; there is no replication."),
	NUMBER("repl-backlog-ttl", "3600", 0, INT64_MAX,
	       .doc = "Kept and shown; there is no replication."),
	BOOL("repl-disable-tcp-nodelay", "no", .doc = "Kept and shown; there is no replication."),
	ENUM("repl-diskless-load", "disabled", diskless_words,
	     .doc = "Kept and shown; there is no replication."),
	BOOL("repl-diskless-sync", "yes", .doc = "Kept and shown; there is no replication."),
	NUMBER("repl-diskless-sync-delay", "5", 0, INT_MAX,
	       .doc = "Kept and shown; there is no replication."),
	NUMBER("repl-diskless-sync-max-replicas", "0", 0, INT_MAX,
	       .doc = "Kept and shown; there is no replication."),
	NUMBER("repl-ping-replica-period", "10", 1, INT_MAX, .alias = "repl-ping-slave-period",
	       .doc = "Kept and shown; there is no replication."),
	NUMBER("repl-timeout", "60", 1, INT_MAX, .doc = "Kept and shown; there is no replication."),
	NUMBER("min-replicas-to-write", "0", 0, INT_MAX, .alias = "min-slaves-to-write",
	       .apply = apply_saving, FIELD(min_replicas_to_write),
	       .doc = "With fewer replicas writes are refused; 0 asks for none. There is no "
		      "replication, so any other number refuses all."),
	NUMBER("min-replicas-max-lag", "10", 0, INT_MAX, .alias = "min-slaves-max-lag",
	       .apply = apply_saving, FIELD(min_replicas_max_lag),
	       .doc = "Seconds after which a replica that is not heard of does not count for "
		      "min-replicas-to-write; 0 switches that off."),
	ENUM("propagation-error-behavior", "ignore", propagation_words,
	     .doc = "Kept and shown; there is no replication."),
	/* cluster, to come */
	BOOL("cluster-enabled", "no", .flags = D_IMMUTABLE, .missing = MISSING("cluster-enabled"),
	     .doc = "There is no cluster, so this cannot be switched on."),
	STRING("cluster-config-file", "nodes.conf", .flags = D_IMMUTABLE,
	       .doc = "Kept and shown; there is no cluster."),
	NUMBER("cluster-port", "0", 0, 65535, .flags = D_IMMUTABLE,
	       .doc = "Kept and shown; there is no cluster."),
	NUMBER("cluster-node-timeout", "15000", 0, INT64_MAX,
	       .doc = "Kept and shown; there is no cluster."),
	NUMBER("cluster-migration-barrier", "1", 0, INT_MAX,
	       .doc = "Kept and shown; there is no cluster."),
	NUMBER("cluster-replica-validity-factor", "10", 0, INT_MAX,
	       .alias = "cluster-slave-validity-factor",
	       .doc = "Kept and shown; there is no cluster."),
	BOOL("cluster-replica-no-failover", "no", .alias = "cluster-slave-no-failover",
	     .doc = "Kept and shown; there is no cluster."),
	BOOL("cluster-require-full-coverage", "yes", .doc = "Kept and shown; there is no cluster."),
	BOOL("cluster-allow-reads-when-down", "no", .doc = "Kept and shown; there is no cluster."),
	BOOL("cluster-allow-pubsubshard-when-down", "yes",
	     .doc = "Kept and shown; there is no cluster."),
	BOOL("cluster-allow-replica-migration", "yes",
	     .doc = "Kept and shown; there is no cluster."),
	STRING("cluster-announce-ip", "", .doc = "Kept and shown; there is no cluster."),
	STRING("cluster-announce-hostname", "", .check = check_hostname,
	       .doc = "Kept and shown; there is no cluster."),
	STRING("cluster-announce-human-nodename", "",
	       .doc = "Kept and shown; there is no cluster."),
	NUMBER("cluster-announce-port", "0", 0, 65535,
	       .doc = "Kept and shown; there is no cluster."),
	NUMBER("cluster-announce-tls-port", "0", 0, 65535,
	       .doc = "Kept and shown; there is no cluster."),
	NUMBER("cluster-announce-bus-port", "0", 0, 65535,
	       .doc = "Kept and shown; there is no cluster."),
	NUMBER("cluster-link-sendbuf-limit", "0", 0, UINT64_MAX, .flags = D_MEMORY | D_UNSIGNED,
	       .doc = "Kept and shown; there is no cluster."),
	ENUM("cluster-preferred-endpoint-type", "ip", endpoint_words,
	     .doc = "Kept and shown; there is no cluster."),
	/* TLS; what it is for between servers is to come */
	NUMBER("tls-port", "0", 0, 65535, FIELD(tls.port), .apply = apply_tls_port,
	       .doc = "The port for clients that speak TLS; 0 opens none."),
	BOOL("tls-cluster", "no", .missing = MISSING("tls-cluster"),
	     .doc = "There is no cluster, so this cannot be switched on."),
	BOOL("tls-replication", "no", .missing = MISSING("tls-replication"),
	     .doc = "There is no replication, so this cannot be switched on."),
	ENUM("tls-auth-clients", "yes", tls_auth_words, FIELD(tls.auth_clients), .apply = apply_tls,
	     .doc = "Whether a client must show a certificate, may, or need not."),
	STRING("tls-cert-file", "", FIELD(tls.cert_file), .apply = apply_tls,
	       .doc = "The server's certificate."),
	STRING("tls-key-file", "", FIELD(tls.key_file), .apply = apply_tls,
	       .doc = "The key that belongs to it."),
	STRING("tls-key-file-pass", "", FIELD(tls.key_file_pass), .apply = apply_tls,
	       .doc = "The password of that key."),
	STRING("tls-client-cert-file", "", FIELD(tls.client_cert_file), .apply = apply_tls,
	       .doc = "The certificate for connections from this server to others; empty is the "
		      "server's."),
	STRING("tls-client-key-file", "", FIELD(tls.client_key_file), .apply = apply_tls,
	       .doc = "The key that belongs to it."),
	STRING("tls-client-key-file-pass", "", FIELD(tls.client_key_file_pass), .apply = apply_tls,
	       .doc = "The password of that key."),
	STRING("tls-dh-params-file", "", FIELD(tls.dh_params_file), .apply = apply_tls,
	       .doc = "Parameters for the key exchange of old clients."),
	STRING("tls-ca-cert-file", "", FIELD(tls.ca_cert_file), .apply = apply_tls,
	       .doc = "The certificates of the authorities that clients' certificates are checked "
		      "against."),
	STRING("tls-ca-cert-dir", "", FIELD(tls.ca_cert_dir), .apply = apply_tls,
	       .doc = "A directory of them."),
	STRING("tls-protocols", "", FIELD(tls.protocols), .apply = apply_tls,
	       .doc = "Which versions of TLS are spoken; empty is 1.2 and 1.3."),
	STRING("tls-ciphers", "", FIELD(tls.ciphers), .apply = apply_tls,
	       .doc = "Which ciphers are offered up to TLS 1.2."),
	STRING("tls-ciphersuites", "", FIELD(tls.ciphersuites), .apply = apply_tls,
	       .doc = "Which ciphers are offered in TLS 1.3."),
	BOOL("tls-prefer-server-ciphers", "no", FIELD(tls.prefer_server_ciphers),
	     .apply = apply_tls,
	     .doc = "Whether the server's order of ciphers goes before the client's."),
	BOOL("tls-session-caching", "yes", FIELD(tls.session_caching), .apply = apply_tls,
	     .doc = "Whether a client may take up an earlier session."),
	NUMBER("tls-session-cache-size", "20480", 0, INT_MAX, FIELD(tls.session_cache_size),
	       .apply = apply_tls, .doc = "How many sessions are kept for that; 0 is no limit."),
	NUMBER("tls-session-cache-timeout", "300", 0, INT_MAX, FIELD(tls.session_cache_timeout),
	       .apply = apply_tls, .doc = "Seconds for which they are."),
	{0},
};
