#include "fs/metrics.h"

#include <stdio.h>

#include "fs/fs.h"
#include "fs/kinds/kinds.h"
#include "store/base/num.h"

enum metric_type { GAUGE, COUNTER };

/* A field of INFO that is one number, and its metric. */
struct metric {
	const char *field, *name;
	enum metric_type type;
	const char *help;
};

/* clang-format off */
static const struct metric metrics[] = {
	{"uptime_in_seconds", "uptime_in_seconds", GAUGE, "Seconds since the server started"},
	{"process_id", "process_id", GAUGE, "The server's process id"},
	{"connected_clients", "connected_clients", GAUGE, "Connected clients"},
	{"blocked_clients", "blocked_clients", GAUGE, "Clients whose command waits"},
	{"tracking_clients", "tracking_clients", GAUGE, "Clients that are told of changed keys"},
	{"clients_in_timeout_table", "clients_in_timeout_table", GAUGE, "Clients that wait for a limited time"},
	{"total_blocking_keys", "total_blocking_keys", GAUGE, "Keys for which clients wait"},
	{"maxclients", "max_clients", GAUGE, "The limit of connected clients"},
	{"client_recent_max_input_buffer", "client_recent_max_input_buffer_bytes", GAUGE, "The largest input buffer seen lately"},
	{"client_recent_max_output_buffer", "client_recent_max_output_buffer_bytes", GAUGE, "The largest output buffer seen lately"},

	{"used_memory", "memory_used_bytes", GAUGE, "Bytes allocated"},
	{"used_memory_rss", "memory_used_rss_bytes", GAUGE, "Bytes of physical memory"},
	{"used_memory_peak", "memory_used_peak_bytes", GAUGE, "The most bytes that were allocated"},
	{"used_memory_overhead", "memory_used_overhead_bytes", GAUGE, "Bytes allocated for what is not data"},
	{"used_memory_startup", "memory_used_startup_bytes", GAUGE, "Bytes allocated at start"},
	{"used_memory_dataset", "memory_used_dataset_bytes", GAUGE, "Bytes allocated for the data"},
	{"used_memory_lua", "memory_used_lua_bytes", GAUGE, "Bytes used by scripts' interpreters"},
	{"used_memory_scripts", "memory_used_scripts_bytes", GAUGE, "Bytes used by scripts"},
	{"number_of_cached_scripts", "number_of_cached_scripts", GAUGE, "Scripts kept"},
	{"number_of_functions", "number_of_functions", GAUGE, "Functions loaded"},
	{"number_of_libraries", "number_of_libraries", GAUGE, "Libraries loaded"},
	{"maxmemory", "memory_max_bytes", GAUGE, "The limit of memory, 0 for none"},
	{"total_system_memory", "total_system_memory_bytes", GAUGE, "Memory of the machine"},
	{"mem_fragmentation_ratio", "mem_fragmentation_ratio", GAUGE, "Physical memory to allocated bytes"},
	{"mem_fragmentation_bytes", "mem_fragmentation_bytes", GAUGE, "Physical memory less allocated bytes"},
	{"mem_clients_normal", "mem_clients_normal", GAUGE, "Bytes used by clients"},
	{"mem_clients_slaves", "mem_clients_slaves", GAUGE, "Bytes used by replicas' connections"},
	{"lazyfree_pending_objects", "lazyfree_pending_objects", GAUGE, "Values waiting to be freed"},

	{"loading", "loading_dump_file", GAUGE, "Whether data is being loaded"},
	{"rdb_changes_since_last_save", "rdb_changes_since_last_save", GAUGE, "Changes since the last snapshot"},
	{"rdb_bgsave_in_progress", "rdb_bgsave_in_progress", GAUGE, "Whether a snapshot is being written"},
	{"rdb_last_save_time", "rdb_last_save_timestamp_seconds", GAUGE, "When the last snapshot was written"},
	{"rdb_last_bgsave_status", "rdb_last_bgsave_status", GAUGE, "Whether the last snapshot was written well"},
	{"rdb_last_bgsave_time_sec", "rdb_last_bgsave_duration_sec", GAUGE, "How long the last snapshot took"},
	{"rdb_current_bgsave_time_sec", "rdb_current_bgsave_duration_sec", GAUGE, "How long the snapshot being written has taken"},
	{"rdb_last_cow_size", "rdb_last_cow_size_bytes", GAUGE, "Bytes copied while the last snapshot was written"},
	{"aof_enabled", "aof_enabled", GAUGE, "Whether there is an append-only log"},
	{"aof_rewrite_in_progress", "aof_rewrite_in_progress", GAUGE, "Whether the log is being rewritten"},
	{"aof_rewrite_scheduled", "aof_rewrite_scheduled", GAUGE, "Whether the log is to be rewritten"},
	{"aof_last_rewrite_time_sec", "aof_last_rewrite_duration_sec", GAUGE, "How long the log's last rewrite took"},
	{"aof_current_rewrite_time_sec", "aof_current_rewrite_duration_sec", GAUGE, "How long the log's rewrite has taken"},
	{"aof_last_bgrewrite_status", "aof_last_bgrewrite_status", GAUGE, "Whether the log's last rewrite went well"},
	{"aof_last_write_status", "aof_last_write_status", GAUGE, "Whether the last write to the log went well"},
	{"aof_last_cow_size", "aof_last_cow_size_bytes", GAUGE, "Bytes copied while the log was rewritten"},
	{"aof_current_size", "aof_current_size_bytes", GAUGE, "The log's size"},
	{"aof_base_size", "aof_base_size_bytes", GAUGE, "The log's size after its last rewrite"},
	{"aof_pending_rewrite", "aof_pending_rewrite", GAUGE, "Whether a rewrite waits for a snapshot to end"},
	{"aof_buffer_length", "aof_buffer_length", GAUGE, "Bytes of the log not written yet"},
	{"aof_pending_bio_fsync", "aof_pending_bio_fsync", GAUGE, "Syncs of the log that wait"},
	{"aof_delayed_fsync", "aof_delayed_fsync", GAUGE, "Syncs of the log that were late"},

	{"pubsub_channels", "pubsub_channels", GAUGE, "Channels with subscribers"},
	{"pubsub_patterns", "pubsub_patterns", GAUGE, "Patterns with subscribers"},
	{"pubsubshard_channels", "pubsubshard_channels", GAUGE, "Shard channels with subscribers"},
	{"connected_slaves", "connected_slaves", GAUGE, "Connected replicas"},
	{"master_repl_offset", "master_repl_offset", GAUGE, "The replication offset"},
	{"cluster_enabled", "cluster_enabled", GAUGE, "Whether it is a node of a cluster"},
	{"expired_stale_perc", "expired_stale_percentage", GAUGE, "Keys probably expired and not removed yet"},
	{"latest_fork_usec", "latest_fork_usec", GAUGE, "How long the last fork took"},
	{"instantaneous_ops_per_sec", "instantaneous_ops_per_sec", GAUGE, "Commands a second, lately"},

	{"total_connections_received", "connections_received_total", COUNTER, "Connections accepted"},
	{"total_commands_processed", "commands_processed_total", COUNTER, "Commands run"},
	{"rejected_connections", "rejected_connections_total", COUNTER, "Connections refused for maxclients"},
	{"total_net_input_bytes", "net_input_bytes_total", COUNTER, "Bytes received"},
	{"total_net_output_bytes", "net_output_bytes_total", COUNTER, "Bytes sent"},
	{"expired_keys", "expired_keys_total", COUNTER, "Keys removed when their time was over"},
	{"expired_time_cap_reached_count", "expired_time_cap_reached_total", COUNTER, "Times that looking for expired keys was cut short"},
	{"expire_cycle_cpu_milliseconds", "expire_cycle_cpu_time_ms_total", COUNTER, "Time spent looking for expired keys"},
	{"evicted_keys", "evicted_keys_total", COUNTER, "Keys removed for maxmemory"},
	{"evicted_clients", "evicted_clients_total", COUNTER, "Clients closed for maxmemory-clients"},
	{"total_eviction_exceeded_time", "eviction_exceeded_time_ms_total", COUNTER, "Time above maxmemory"},
	{"keyspace_hits", "keyspace_hits_total", COUNTER, "Lookups that found their key"},
	{"keyspace_misses", "keyspace_misses_total", COUNTER, "Lookups that found nothing"},
	{"used_cpu_sys", "cpu_sys_seconds_total", COUNTER, "Processor time in the kernel"},
	{"used_cpu_user", "cpu_user_seconds_total", COUNTER, "Processor time"},
	{"used_cpu_sys_children", "cpu_sys_children_seconds_total", COUNTER, "Processor time in the kernel of children"},
	{"used_cpu_user_children", "cpu_user_children_seconds_total", COUNTER, "Processor time of children"},
	{"used_cpu_sys_main_thread", "cpu_sys_main_thread_seconds_total", COUNTER, "Processor time in the kernel of the engine's thread"},
	{"used_cpu_user_main_thread", "cpu_user_main_thread_seconds_total", COUNTER, "Processor time of the engine's thread"},
	{"unexpected_error_replies", "unexpected_error_replies", COUNTER, "Errors replied to replicas and the log"},
	{"total_error_replies", "total_error_replies", COUNTER, "Errors replied"},
	{"total_reads_processed", "total_reads_processed", COUNTER, "Reads from sockets"},
	{"total_writes_processed", "total_writes_processed", COUNTER, "Writes to sockets"},
	{"acl_access_denied_auth", "acl_access_denied_auth_total", COUNTER, "Failed authentications"},
	{"acl_access_denied_cmd", "acl_access_denied_cmd_total", COUNTER, "Commands denied"},
	{"acl_access_denied_key", "acl_access_denied_key_total", COUNTER, "Keys denied"},
	{"acl_access_denied_channel", "acl_access_denied_channel_total", COUNTER, "Channels denied"},
};

/* Fields of lists: "cmdstat_get:calls=1,usec=2", "db0:keys=1,expires=0". Lines that begin with @prefix, their item @part. */
static const struct labelled {
	const char *prefix, *part, *name, *label;
	enum metric_type type;
	double scale;
	bool prefix_too; /* the label's value is the whole name: "db0" */
	const char *help;
} lists[] = {
	{"cmdstat_", "calls", "commands_total", "cmd", COUNTER, 1, false, "Calls of each command"},
	{"cmdstat_", "usec", "commands_duration_seconds_total", "cmd", COUNTER, 1e-6, false, "Time spent in each command"},
	{"cmdstat_", "rejected_calls", "commands_rejected_calls_total", "cmd", COUNTER, 1, false, "Calls refused before they ran"},
	{"cmdstat_", "failed_calls", "commands_failed_calls_total", "cmd", COUNTER, 1, false, "Calls that were answered with an error"},
	{"errorstat_", "count", "errors_total", "err", COUNTER, 1, false, "Errors replied, by their first word"},
	{"db", "keys", "db_keys", "db", GAUGE, 1, true, "Keys of each database"},
	{"db", "expires", "db_keys_expiring", "db", GAUGE, 1, true, "Keys with a time to live"},
	{"db", "avg_ttl", "db_avg_ttl_seconds", "db", GAUGE, 1e-3, true, "Average time to live"},
};
/* clang-format on */

/* --- reading INFO --- */

/* The next "name:value" line of @text from *@at on. */
static bool next_field(struct bytes text, size_t *at, struct bytes *name, struct bytes *value)
{
	while (*at < text.n) {
		const char *p = text.p + *at, *end = text.p + text.n;
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;
		*at = (size_t)(stop - text.p) + 1;
		if (stop > p && stop[-1] == '\r')
			stop--;
		const char *colon = memchr(p, ':', (size_t)(stop - p));
		if (!colon || *p == '#')
			continue;
		*name = bytes_of(p, (size_t)(colon - p));
		*value = bytes_of(colon + 1, (size_t)(stop - colon - 1));
		return true;
	}
	return false;
}

static bool find_field(struct bytes text, const char *want, struct bytes *value)
{
	struct bytes name;

	for (size_t at = 0; next_field(text, &at, &name, value);)
		if (bytes_eq(name, bytes_str(want)))
			return true;
	return false;
}

/* "part=value" of a list of them. */
static bool find_part(struct bytes list, const char *want, struct bytes *value)
{
	size_t n = strlen(want);

	for (const char *p = list.p, *end = list.p + list.n; p < end;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *stop = comma ? comma : end;
		if ((size_t)(stop - p) > n && !memcmp(p, want, n) && p[n] == '=') {
			*value = bytes_of(p + n + 1, (size_t)(stop - p) - n - 1);
			return true;
		}
		p = stop + 1;
	}
	return false;
}

/* A number as INFO writes it; "ok" is 1 and "err" 0. */
static bool number(struct bytes s, double *v)
{
	if (bytes_eq(s, BYTES("ok")) || bytes_eq(s, BYTES("err"))) {
		*v = s.n == 2;
		return true;
	}
	if (s.n && s.p[s.n - 1] == '%')
		s.n--;
	return num_parse_double(s, v);
}

/* --- writing --- */

static void put_head(struct buf *out, const char *name, enum metric_type type, const char *help)
{
	char text[384];
	int n = snprintf(text, sizeof(text), "# HELP redis_%s %s.\n# TYPE redis_%s %s\n", name,
			 help, name, type == GAUGE ? "gauge" : "counter");

	buf_put(out, text, (size_t)n);
}

static void put_value(struct buf *out, double v)
{
	char text[64];
	int n = snprintf(text, sizeof(text), " %.17g\n", v);

	for (int digits = 1; digits < 17; digits++) { /* the shortest that reads back the same */
		double back;
		n = snprintf(text, sizeof(text), " %.*g\n", digits, v);
		if (num_parse_double(bytes_of(text + 1, (size_t)n - 2), &back) && back == v)
			break;
	}
	buf_put(out, text, (size_t)n);
}

/* {label="value"}, quoted as the format wants it. */
static void put_label(struct buf *out, const char *label, struct bytes value)
{
	buf_bytes(out, bytes_str(label));
	buf_bytes(out, BYTES("=\""));
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '\\' || value.p[i] == '"')
			buf_char(out, '\\');
		buf_char(out, value.p[i]);
	}
	buf_char(out, '"');
}

static void put_metric(struct buf *out, const char *name, double v)
{
	buf_bytes(out, BYTES("redis_"));
	buf_bytes(out, bytes_str(name));
	put_value(out, v);
}

static void put_number(struct buf *out, const char *name, enum metric_type type, const char *help,
		       double v)
{
	put_head(out, name, type, help);
	put_metric(out, name, v);
}

static bool in_list(struct bytes name, const struct labelled *l)
{
	size_t n = strlen(l->prefix);

	if (name.n <= n || memcmp(name.p, l->prefix, n) != 0)
		return false;
	return !l->prefix_too || (name.p[n] >= '0' && name.p[n] <= '9');
}

static void put_list(struct buf *out, const struct labelled *l, struct bytes info)
{
	struct bytes name, value, part;
	bool any = false;
	double v;

	for (size_t at = 0; next_field(info, &at, &name, &value);) {
		if (!in_list(name, l) || !find_part(value, l->part, &part) || !number(part, &v))
			continue;
		if (!any)
			put_head(out, l->name, l->type, l->help);
		any = true;
		size_t cut = l->prefix_too ? 0 : strlen(l->prefix);
		buf_bytes(out, BYTES("redis_"));
		buf_bytes(out, bytes_str(l->name));
		buf_char(out, '{');
		put_label(out, l->label, bytes_of(name.p + cut, name.n - cut));
		buf_char(out, '}');
		put_value(out, v * l->scale);
	}
}

/* redis_instance_info: what is text, as labels. */
static void put_instance(struct buf *out, struct bytes info)
{
	static const char *const labels[] = {
		"role",     "redis_version", "inodis_version",   "redis_mode",        "os",
		"tcp_port", "run_id",        "maxmemory_policy", "process_supervised"};
	struct bytes value;
	bool any = false;

	put_head(out, "instance_info", GAUGE, "What is known of the server");
	buf_bytes(out, BYTES("redis_instance_info{"));
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (!find_field(info, labels[i], &value))
			continue;
		if (any)
			buf_char(out, ',');
		any = true;
		put_label(out, labels[i], value);
	}
	buf_bytes(out, BYTES("} 1\n"));
}

static void put_info(struct buf *out, struct bytes info)
{
	struct bytes value;
	double v, now = 0, up = 0;

	put_number(out, "up", GAUGE, "Whether the server answers", 1);
	put_instance(out, info);
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		const struct metric *m = &metrics[i];
		if (find_field(info, m->field, &value) && number(value, &v))
			put_number(out, m->name, m->type, m->help, v);
	}
	if (find_field(info, "server_time_usec", &value) && number(value, &now) &&
	    find_field(info, "uptime_in_seconds", &value) && number(value, &up))
		put_number(out, "start_time_seconds", GAUGE, "When the server started",
			   (double)(int64_t)(now / 1e6) - up);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		put_list(out, &lists[i], info);
}

static void answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct answer piece;
	struct buf out = {0};
	int err = task_answer(a, &piece);

	if (!err)
		put_info(&out, piece.text);
	if (!err)
		err = task_answer(a, &piece);
	if (!err)
		put_number(&out, "slowlog_length", GAUGE, "Entries of the slow log",
			   (double)piece.n);
	if (!err && out.failed)
		err = ENOMEM;
	t->found_size = out.n;
	if (err)
		buf_free(&out);
	else
		content_own(&t->content, &out);
	task_end(t, err);
}

void metrics_load(struct task *t)
{
	struct bytes info[] = {BYTES("INFO"), BYTES("everything")};
	struct bytes slow[] = {BYTES("SLOWLOG"), BYTES("LEN")};
	struct backend_command cmds[] = {{.argc = 2, .argv = info}, {.argc = 2, .argv = slow}};

	task_submit(t, cmds, 2, answered);
}
