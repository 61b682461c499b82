/* XINFO: what a stream is made of. */
#include "resp/commands/streams/stream.h"

/* The first or the last entry, null when there is none. */
static void reply_edge(struct call *c, const struct stream *s, bool last)
{
	struct stream_iter it;

	stream_iter_begin(&it, s, STREAM_ID_MIN, STREAM_ID_MAX, last);
	if (stream_iter_next(&it))
		stream_reply_entry(c, &it);
	else
		reply_null(c->reply);
}

static void reply_named_id(struct call *c, const char *name, struct stream_id id)
{
	reply_bulk_str(c->reply, name);
	stream_reply_id(c, id);
}

static void reply_named_int(struct call *c, const char *name, uint64_t v)
{
	reply_bulk_str(c->reply, name);
	reply_int(c->reply, (int64_t)v);
}

/* FULL [COUNT n]; the error is replied when false. */
static bool read_options(struct call *c, bool *full, int64_t *count)
{
	*full = c->argc > 3;
	*count = 10;
	if (!*full)
		return true;
	if ((c->argc != 4 && c->argc != 6) || !bytes_is(c->argv[3], "full") ||
	    (c->argc == 6 && !bytes_is(c->argv[4], "count"))) {
		call_subcommand_error(c);
		return false;
	}
	if (c->argc == 6 && !call_int(c, 5, count))
		return false;
	if (*count < 0)
		*count = 10;
	return true;
}

/* --- XINFO STREAM --- */

static void reply_read_and_lag(struct call *c, const struct stream_info *s,
			       const struct streamgroup *g)
{
	int64_t lag;

	reply_bulk_str(c->reply, "entries-read");
	if (g->read == STREAM_READ_UNKNOWN)
		reply_null(c->reply);
	else
		reply_int(c->reply, g->read);
	reply_bulk_str(c->reply, "lag");
	if (streamgroup_lag(g, s, &lag))
		reply_int(c->reply, lag);
	else
		reply_null(c->reply);
}

static uint64_t fewer(uint64_t n, uint64_t most)
{
	return most && most < n ? most : n;
}

/* Up to @count (0: all) entries that are pending; a consumer's own go without its name. */
static void reply_entries_pending(struct call *c, const struct streamgroup *g,
				  const struct streamconsumer *only, uint64_t count)
{
	const struct idmap *pending = only ? &only->pending : &g->pending;
	struct idmap_at at = idmap_seek(pending, STREAM_ID_MIN);
	uint64_t n = fewer(pending->count, count);
	struct stream_id id;

	reply_named_int(c, "pel-count", pending->count);
	reply_bulk_str(c->reply, "pending");
	reply_array(c->reply, n);
	for (; n; n--, idmap_next(pending, &at)) {
		const void *record = idmap_get(pending, &at, &id);
		const struct streampending *p = only ? streamgroup_pending(g, id) : record;
		reply_array(c->reply, only ? 3 : 4);
		stream_reply_id(c, id);
		if (!only)
			reply_bulk(c->reply, p->consumer->name);
		reply_int(c->reply, p->delivered_ms);
		reply_int(c->reply, (int64_t)p->count);
	}
}

static void reply_full_group(struct call *c, const struct stream_info *s,
			     const struct streamgroup *g, uint64_t count)
{
	reply_map(c->reply, 7);
	reply_bulk_str(c->reply, "name");
	reply_bulk(c->reply, g->name);
	reply_named_id(c, "last-delivered-id", g->last);
	reply_read_and_lag(c, s, g);
	reply_entries_pending(c, g, NULL, count);
	reply_bulk_str(c->reply, "consumers");
	reply_array(c->reply, g->consumers.n);
	for (size_t i = 0; i < g->consumers.n; i++) {
		const struct streamconsumer *consumer = streamgroup_consumer_at(g, i);
		reply_map(c->reply, 5);
		reply_bulk_str(c->reply, "name");
		reply_bulk(c->reply, consumer->name);
		reply_named_int(c, "seen-time", (uint64_t)consumer->seen_ms);
		reply_named_int(c, "active-time", (uint64_t)consumer->active_ms);
		reply_entries_pending(c, g, consumer, count);
	}
}

static void reply_full(struct call *c, struct stream *s, uint64_t count)
{
	const struct streamnames *groups = stream_groups(s);

	reply_bulk_str(c->reply, "entries");
	stream_reply_range(c, s, STREAM_ID_MIN, STREAM_ID_MAX, count, false);
	reply_bulk_str(c->reply, "groups");
	reply_array(c->reply, groups->n);
	for (size_t i = 0; i < groups->n; i++)
		reply_full_group(c, stream_info(s), streamgroup_at(groups, i), count);
}

/* The stream at argv[2], or the error replied. */
static struct stream *subject(struct call *c)
{
	uint64_t word;

	if (!call_read(c, 2, VALUE_STREAM, &word))
		return NULL;
	if (!word)
		call_error(c, STORE_ENOENT);
	return word ? entry_container(word) : NULL;
}

static void info_stream(struct call *c)
{
	struct stream *s = subject(c);
	int64_t count;
	bool full;

	if (!s || !read_options(c, &full, &count))
		return;
	const struct stream_info *info = stream_info(s);
	reply_map(c->reply, full ? 9 : 10);
	reply_named_int(c, "length", info->length);
	reply_named_int(c, "radix-tree-keys", stream_nodes(s));
	reply_named_int(c, "radix-tree-nodes", stream_radix_nodes(s));
	reply_named_id(c, "last-generated-id", info->last);
	reply_named_id(c, "max-deleted-entry-id", info->max_deleted);
	reply_named_int(c, "entries-added", info->added);
	reply_named_id(c, "recorded-first-entry-id", info->first);
	if (full) {
		reply_full(c, s, (uint64_t)count);
		return;
	}
	reply_named_int(c, "groups", stream_groups(s)->n);
	reply_bulk_str(c->reply, "first-entry");
	reply_edge(c, s, false);
	reply_bulk_str(c->reply, "last-entry");
	reply_edge(c, s, true);
}

/* --- XINFO GROUPS, XINFO CONSUMERS --- */

static void info_groups(struct call *c)
{
	struct stream *s = subject(c);

	if (!s)
		return;
	const struct streamnames *groups = stream_groups(s);
	reply_array(c->reply, groups->n);
	for (size_t i = 0; i < groups->n; i++) {
		const struct streamgroup *g = streamgroup_at(groups, i);
		reply_map(c->reply, 6);
		reply_bulk_str(c->reply, "name");
		reply_bulk(c->reply, g->name);
		reply_named_int(c, "consumers", g->consumers.n);
		reply_named_int(c, "pending", g->pending.count);
		reply_named_id(c, "last-delivered-id", g->last);
		reply_read_and_lag(c, stream_info(s), g);
	}
}

static void info_consumers(struct call *c)
{
	struct stream *s = subject(c);
	struct streamgroup *g;

	if (!s)
		return;
	g = streamgroup_find(stream_groups(s), c->argv[3]);
	if (!g) {
		stream_no_group_for(c, c->argv[2], c->argv[3]);
		return;
	}
	reply_array(c->reply, g->consumers.n);
	for (size_t i = 0; i < g->consumers.n; i++) {
		const struct streamconsumer *consumer = streamgroup_consumer_at(g, i);
		reply_map(c->reply, 4);
		reply_bulk_str(c->reply, "name");
		reply_bulk(c->reply, consumer->name);
		reply_named_int(c, "pending", consumer->pending.count);
		reply_named_int(c, "idle", (uint64_t)stream_idle(c, consumer->seen_ms));
		reply_bulk_str(c->reply, "inactive");
		reply_int(c->reply,
			  consumer->active_ms == -1 ? -1 : stream_idle(c, consumer->active_ms));
	}
}

static void info_help(struct call *c)
{
	static const char *const lines[] = {"CONSUMERS <key> <groupname>",
					    "    Show consumers of <groupname>.",
					    "GROUPS <key>",
					    "    Show the stream consumer groups.",
					    "STREAM <key> [FULL [COUNT <count>]",
					    "    Show information about the stream.",
					    NULL};
	call_help(c, lines);
}

const struct command stream_info_subcommands[] = {
	{.name = "stream",
	 .run = info_stream,
	 .arity = -3,
	 .flags = CMD_READONLY,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 2, 0, 1)},
	 .summary = "Tell the length, the ids and the inner figures of a stream",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(N), N nodes of entries",
	 .syntax = "key [full-block: FULL [COUNT count]]"},
	{.name = "groups",
	 .run = info_groups,
	 .arity = 3,
	 .flags = CMD_READONLY,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 2, 0, 1)},
	 .summary = "List the consumer groups of a stream",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(N), N groups",
	 .syntax = "key"},
	{.name = "consumers",
	 .run = info_consumers,
	 .arity = 4,
	 .flags = CMD_READONLY,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 2, 0, 1)},
	 .summary = "List the consumers of a group",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(N), N consumers",
	 .syntax = "key groupname",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = "help",
	 .run = info_help,
	 .arity = 2,
	 .flags = CMD_LOADING | CMD_STALE,
	 .categories = CAT_STREAM,
	 .summary = "List the subcommands",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(1)"},
	{.name = NULL},
};
