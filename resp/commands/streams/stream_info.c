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

static void info_stream(struct call *c)
{
	uint64_t word;
	int64_t count;
	bool full;

	if (!call_read(c, 2, VALUE_STREAM, &word))
		return;
	if (!word) {
		call_error(c, STORE_ENOENT);
		return;
	}
	if (!read_options(c, &full, &count))
		return;
	const struct stream *s = entry_container(word);
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
		reply_bulk_str(c->reply, "entries");
		stream_reply_range(c, s, STREAM_ID_MIN, STREAM_ID_MAX, (uint64_t)count, false);
		reply_bulk_str(c->reply, "groups");
		reply_array(c->reply, 0);
		return;
	}
	reply_named_int(c, "groups", 0);
	reply_bulk_str(c->reply, "first-entry");
	reply_edge(c, s, false);
	reply_bulk_str(c->reply, "last-entry");
	reply_edge(c, s, true);
}

static void info_help(struct call *c)
{
	static const char *const lines[] = {"STREAM <key> [FULL [COUNT <count>]",
					    "    Show information about the stream.", NULL};
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
	 .syntax = "key [full: FULL [COUNT count]]"},
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
