/* MEMORY. */
#include <limits.h>
#include <stdio.h>

#include "resp/commands/insight/debug.h"
#include "resp/commands/insight/text.h"
#include "resp/insight/info_figures.h"
#include "resp/server.h"
#include "store/base/mem.h"

static void memory_usage(struct call *c)
{
	int64_t samples = 5;
	for (int i = 3; i < c->argc; i += 2) {
		if (!bytes_is(c->argv[i], "samples") || i + 1 == c->argc) {
			call_syntax_error(c);
			return;
		}
		if (!call_int(c, i + 1, &samples))
			return;
		if (samples < 0) {
			call_syntax_error(c);
			return;
		}
	}
	uint64_t word = keyspace_read(c->db, c->argv[2], KEYSPACE_NOTOUCH);
	if (!word) {
		reply_null(c->reply);
		return;
	}
	unsigned n = samples > UINT_MAX ? UINT_MAX : (unsigned)samples;
	reply_int(c->reply, (int64_t)keyspace_entry_mem(word, n));
}

/* --- STATS --- */

static void pair_int(struct reply *r, const char *name, int64_t v)
{
	reply_bulk_str(r, name);
	reply_int(r, v);
}

static void pair_double(struct reply *r, const char *name, double v)
{
	reply_bulk_str(r, name);
	reply_double(r, v);
}

static size_t databases_in_use(const struct keyspace *ks)
{
	size_t n = 0;
	for (unsigned i = 0; i < ks->ndbs; i++)
		n += table_count(&ks->dbs[i].keys) != 0;
	return n;
}

static void reply_databases(struct reply *r, const struct keyspace *ks)
{
	for (unsigned i = 0; i < ks->ndbs; i++) {
		const struct db *db = &ks->dbs[i];
		if (!table_count(&db->keys))
			continue;
		char name[24];
		snprintf(name, sizeof(name), "db.%u", i);
		reply_bulk_str(r, name);
		reply_map(r, 3);
		pair_int(r, "overhead.hashtable.main", (int64_t)table_mem(&db->keys));
		pair_int(r, "overhead.hashtable.expires", (int64_t)table_mem(&db->volatiles));
		pair_int(r, "overhead.hashtable.slot-to-keys", 0);
	}
}

static uint64_t keys_of_all(const struct keyspace *ks)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < ks->ndbs; i++)
		n += table_count(&ks->dbs[i].keys);
	return n;
}

static void memory_stats(struct call *c)
{
	struct info_figures f;
	struct reply *r = c->reply;
	const struct keyspace *ks = c->server->keyspace;
	uint64_t keys = keys_of_all(ks);
	info_figures_take(c->server, &f);
	uint64_t net = f.used > f.startup ? f.used - f.startup : 0;
	reply_map(r, 27 + databases_in_use(ks));
	pair_int(r, "peak.allocated", (int64_t)f.peak);
	pair_int(r, "total.allocated", (int64_t)f.used);
	pair_int(r, "startup.allocated", (int64_t)f.startup);
	pair_int(r, "replication.backlog", 0);
	pair_int(r, "clients.slaves", 0);
	pair_int(r, "clients.normal", (int64_t)f.clients_mem);
	pair_int(r, "cluster.links", 0);
	pair_int(r, "aof.buffer", (int64_t)f.aof.buffer);
	pair_int(r, "lua.caches", 0);
	pair_int(r, "functions.caches", 0);
	reply_databases(r, ks);
	pair_int(r, "overhead.total", (int64_t)f.overhead);
	pair_int(r, "keys.count", (int64_t)keys);
	pair_int(r, "keys.bytes-per-key", keys ? (int64_t)(net / keys) : 0);
	pair_int(r, "dataset.bytes", (int64_t)f.dataset);
	pair_double(r, "dataset.percentage", f.dataset_perc);
	pair_double(r, "peak.percentage", f.peak_perc);
	pair_int(r, "allocator.allocated", (int64_t)f.heap.allocated);
	pair_int(r, "allocator.active", (int64_t)f.heap.active);
	pair_int(r, "allocator.resident", (int64_t)f.heap.resident);
	pair_double(r, "allocator-fragmentation.ratio", f.heap_frag_ratio);
	pair_int(r, "allocator-fragmentation.bytes", f.heap_frag_bytes);
	pair_double(r, "allocator-rss.ratio", f.heap_rss_ratio);
	pair_int(r, "allocator-rss.bytes", f.heap_rss_bytes);
	pair_double(r, "rss-overhead.ratio", f.rss_overhead_ratio);
	pair_int(r, "rss-overhead.bytes", f.rss_overhead_bytes);
	pair_double(r, "fragmentation", f.frag_ratio);
	pair_int(r, "fragmentation.bytes", f.frag_bytes);
}

/* --- DOCTOR --- */

#define TOO_LITTLE ((uint64_t)5 << 20)
#define MEGABYTES  ((int64_t)10 << 20)

static void write_doctor(struct call *c, FILE *out)
{
	struct info_figures f;
	unsigned n = 0;
	info_figures_take(c->server, &f);
	if (f.used < TOO_LITTLE) {
		fputs("There is too little in memory to say anything about it.\n", out);
		return;
	}
	if ((double)f.peak > 1.5 * (double)f.used)
		fprintf(out,
			"%u. Peak: the server once used half as much again as now, or more. What "
			"the allocator kept of that is resident still: MEMORY PURGE has it give "
			"back what it can.\n",
			++n);
	if (f.heap_frag_ratio > 1.1 && f.heap_frag_bytes > MEGABYTES)
		fprintf(out,
			"%u. Fragmentation: %.2f times the memory in use lies in pages that are "
			"only partly filled. Loading the data anew (DEBUG RELOAD, a restart) packs "
			"it.\n",
			++n, f.heap_frag_ratio);
	if (f.heap_rss_ratio > 1.1 && f.heap_rss_bytes > MEGABYTES)
		fprintf(out,
			"%u. Allocator: it holds empty pages for later, MEMORY PURGE has it give "
			"them back.\n",
			++n);
	if (f.rss_overhead_ratio > 1.1 && f.rss_overhead_bytes > MEGABYTES)
		fprintf(out,
			"%u. Process: much is resident that the allocator does not know of, as "
			"stacks and libraries are.\n",
			++n);
	if (f.connected_clients && f.clients_mem / f.connected_clients > 200 * 1024)
		fprintf(out,
			"%u. Clients: their buffers take more than 200 KB each. Look at CLIENT "
			"LIST "
			"for those that do not read what they are sent.\n",
			++n);
	if (!n)
		fputs("All is well with the memory.\n", out);
}

static void memory_doctor(struct call *c)
{
	text_reply(c, write_doctor);
}

/* --- the allocator --- */

static void write_piece(void *arg, const char *text)
{
	fputs(text, arg);
}

static void write_report(struct call *c, FILE *out)
{
	(void)c;
	if (!mem_report(write_piece, out))
		fputs("Stats not supported for the current allocator", out);
}

static void memory_malloc_stats(struct call *c)
{
	text_reply(c, write_report);
}

static void memory_purge(struct call *c)
{
	if (mem_purge())
		reply_ok(c->reply);
	else
		reply_error(c->reply, "ERR Error purging dirty pages");
}

static void memory_help(struct call *c)
{
	static const char *const lines[] = {
		"DOCTOR",
		"    Return what is wrong with the memory, in words.",
		"MALLOC-STATS",
		"    Return what the allocator says of itself.",
		"PURGE",
		"    Have the allocator give back to the system what it keeps for later.",
		"STATS",
		"    Return the figures of the memory.",
		"USAGE <key> [SAMPLES <count>]",
		"    Return the bytes that <key> and its value take. Of a container <count> "
		"elements",
		"    are measured (5 by default, 0 for all).",
		NULL,
	};
	call_help(c, lines);
}

/* --- the table --- */

#define REPORT_TIPS                                                                                \
	(const char *const[])                                                                      \
	{                                                                                          \
		"nondeterministic_output", "request_policy:all_shards", "response_policy:special", \
			NULL                                                                       \
	}

const struct command memory_subcommands[] = {
	{.name = "doctor",
	 .run = memory_doctor,
	 .arity = 2,
	 .summary = "Say what is wrong with the memory",
	 .since = "4.0.0",
	 .group = "server",
	 .complexity = "O(1)",
	 .tips = REPORT_TIPS},
	{.name = "help",
	 .run = memory_help,
	 .arity = 2,
	 .flags = CMD_LOADING | CMD_STALE,
	 .summary = "List the subcommands",
	 .since = "4.0.0",
	 .group = "server",
	 .complexity = "O(1)"},
	{.name = "malloc-stats",
	 .run = memory_malloc_stats,
	 .arity = 2,
	 .summary = "Answer what the allocator says of itself",
	 .since = "4.0.0",
	 .group = "server",
	 .complexity = "Depends on what is allocated, may be slow",
	 .tips = REPORT_TIPS},
	{.name = "purge",
	 .run = memory_purge,
	 .arity = 2,
	 .summary = "Have the allocator give memory back to the system",
	 .since = "4.0.0",
	 .group = "server",
	 .complexity = "Depends on what is allocated, may be slow",
	 .tips = (const char *const[]){"request_policy:all_shards", "response_policy:all_succeeded",
				       NULL}},
	{.name = "stats",
	 .run = memory_stats,
	 .arity = 2,
	 .summary = "Answer the figures of the memory",
	 .since = "4.0.0",
	 .group = "server",
	 .complexity = "O(1)",
	 .tips = REPORT_TIPS},
	{.name = "usage",
	 .run = memory_usage,
	 .arity = -3,
	 .flags = CMD_READONLY,
	 .keys = {KEYS_AT(KEY_RO, 2, 0, 1)},
	 .summary = "Answer how much memory a key takes",
	 .since = "4.0.0",
	 .group = "server",
	 .complexity = "O(N), N the samples",
	 .syntax = "key [SAMPLES count]"},
	{.name = NULL},
};
