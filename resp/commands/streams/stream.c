/* The stream commands: ids, XLEN, XDEL, XSETID and the table. */
#include "resp/commands/streams/stream.h"

#include <errno.h>
#include <stdlib.h>

#include "resp/commands/commands.h"
#include "store/base/mem.h"

/* --- ids --- */

/* Half of an id, a string. Redis falls back to strtoull, so blanks, a plus and leading zeros are let through. */
static bool parse_half(const char *text, uint64_t *out)
{
	int64_t v;
	char *end;

	if (num_parse_int(bytes_str(text), &v)) {
		*out = (uint64_t)v;
		return v >= 0;
	}
	errno = 0;
	unsigned long long u = strtoull(text, &end, 10);
	if (errno || *text == '\0' || *end != '\0')
		return false;
	*out = u;
	return true;
}

bool stream_id_parse(struct bytes b, uint64_t seq, bool strict, struct stream_id *id, bool *open)
{
	char buf[128];

	if (b.n >= sizeof(buf))
		return false;
	if (b.n)
		memcpy(buf, b.p, b.n);
	buf[b.n] = '\0';
	if (strcmp(buf, "-") == 0 || strcmp(buf, "+") == 0) {
		*id = buf[0] == '-' ? STREAM_ID_MIN : STREAM_ID_MAX;
		return !strict;
	}
	char *dash = strchr(buf, '-');
	if (dash)
		*dash = '\0';
	if (!parse_half(buf, &id->ms))
		return false;
	id->seq = seq;
	if (!dash)
		return true;
	if (open && strcmp(dash + 1, "*") == 0) {
		*open = true;
		id->seq = 0;
		return true;
	}
	return parse_half(dash + 1, &id->seq);
}

void stream_id_error(struct call *c)
{
	reply_error(c->reply, "ERR Invalid stream ID specified as stream command argument");
}

bool stream_id_arg(struct call *c, int i, struct stream_id *id)
{
	if (stream_id_parse(c->argv[i], 0, true, id, NULL))
		return true;
	stream_id_error(c);
	return false;
}

static size_t format_half(char *buf, uint64_t v)
{
	char digits[20];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while (v /= 10);
	for (size_t i = 0; i < n; i++)
		buf[i] = digits[n - 1 - i];
	return n;
}

struct bytes stream_id_text(struct stream_id id, char *buf)
{
	size_t n = format_half(buf, id.ms);

	buf[n++] = '-';
	return bytes_of(buf, n + format_half(buf + n, id.seq));
}

void stream_reply_id(struct call *c, struct stream_id id)
{
	char buf[STREAM_ID_BUF];

	reply_bulk(c->reply, stream_id_text(id, buf));
}

/* --- XLEN, XDEL, XSETID --- */

static void cmd_xlen(struct call *c)
{
	uint64_t word;

	if (call_read(c, 1, VALUE_STREAM, &word))
		reply_int(c->reply, word ? (int64_t)stream_info(entry_container(word))->length : 0);
}

static void cmd_xdel(struct call *c)
{
	size_t n = (size_t)c->argc - 2, i = 0;
	uint64_t *slot;

	if (!call_write(c, 1, VALUE_STREAM, &slot))
		return;
	if (!slot) {
		reply_int(c->reply, 0);
		return;
	}
	struct stream_id *ids = mem_try(n * sizeof(*ids));
	if (!ids) {
		call_error(c, STORE_ENOMEM);
		return;
	}
	while (i < n && stream_id_arg(c, (int)i + 2, &ids[i]))
		i++;
	if (i == n) {
		size_t deleted = stream_delete(entry_container(*slot), ids, n);
		reply_int(c->reply, (int64_t)deleted);
		if (deleted)
			call_changed(c, c->argv[1], NOTIFY_STREAM, "xdel");
	}
	mem_free(ids);
}

struct new_ids {
	struct stream_id last, max_deleted;
	int64_t added; /* -1: not said */
};

/* The error is replied when false. */
static bool read_new_ids(struct call *c, struct new_ids *new)
{
	*new = (struct new_ids){.added = -1};
	if (!stream_id_arg(c, 2, &new->last))
		return false;
	for (int i = 3; i < c->argc; i += 2) {
		bool more = i + 1 < c->argc;
		if (more && bytes_is(c->argv[i], "entriesadded")) {
			if (!call_int(c, i + 1, &new->added))
				return false;
			if (new->added < 0) {
				reply_error(c->reply, "ERR entries_added must be positive");
				return false;
			}
		} else if (more && bytes_is(c->argv[i], "maxdeletedid")) {
			if (!stream_id_arg(c, i + 1, &new->max_deleted))
				return false;
			if (stream_id_cmp(new->last, new->max_deleted) < 0) {
				reply_error(c->reply,
					    "ERR The ID specified in XSETID is smaller than the "
					    "provided max_deleted_entry_id");
				return false;
			}
		} else {
			call_syntax_error(c);
			return false;
		}
	}
	return true;
}

/* What speaks against @new, or NULL. */
static const char *contradiction(const struct stream *s, const struct new_ids *new)
{
	const struct stream_info *info = stream_info(s);
	struct stream_id top;

	if (stream_id_cmp(new->last, info->max_deleted) < 0)
		return "ERR The ID specified in XSETID is smaller than current "
		       "max_deleted_entry_id";
	if (!stream_edge(s, true, &top))
		return NULL;
	if (stream_id_cmp(new->last, top) < 0)
		return "ERR The ID specified in XSETID is smaller than the target stream top item";
	if (new->added != -1 && info->length > (uint64_t) new->added)
		return "ERR The entries_added specified in XSETID is smaller than the target "
		       "stream length";
	return NULL;
}

static void cmd_xsetid(struct call *c)
{
	struct new_ids new;
	uint64_t *slot;

	if (!read_new_ids(c, &new) || !call_write(c, 1, VALUE_STREAM, &slot))
		return;
	if (!slot) {
		call_error(c, STORE_ENOENT);
		return;
	}
	struct stream *s = entry_container(*slot);
	const char *error = contradiction(s, &new);
	if (error) {
		reply_error(c->reply, error);
		return;
	}
	stream_set_last(s, new.last);
	if (new.added != -1)
		stream_set_added(s, (uint64_t) new.added);
	if (new.max_deleted.ms || new.max_deleted.seq)
		stream_set_max_deleted(s, new.max_deleted);
	reply_ok(c->reply);
	call_changed(c, c->argv[1], NOTIFY_STREAM, "xsetid");
}

#define TRIM_SYNTAX                                                                                \
	"trim: <strategy: MAXLEN|MINID@6.2.0> [operator: equal==|approximately=~] threshold "      \
	"[(LIMIT count@6.2.0)]"

const struct command stream_commands[] = {
	{.name = "xadd",
	 .run = stream_cmd_xadd,
	 .arity = -5,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RW | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Append an entry to a stream, and trim it",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(1), and O(N) for N entries trimmed",
	 .syntax = "key [NOMKSTREAM@6.2.0] [" TRIM_SYNTAX
		   "] <id_or_auto: auto_id=*|id> field value [field value ...]",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = "xlen",
	 .run = cmd_xlen,
	 .arity = 2,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RO, 1, 0, 1)},
	 .summary = "Count the entries of a stream",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(1)",
	 .syntax = "key"},
	{.name = "xrange",
	 .run = stream_cmd_xrange,
	 .arity = -4,
	 .flags = CMD_READONLY,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Read the entries between two ids",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(N), N entries read",
	 .syntax = "key start:string end:string [COUNT count]"},
	{.name = "xrevrange",
	 .run = stream_cmd_xrevrange,
	 .arity = -4,
	 .flags = CMD_READONLY,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Read the entries between two ids, the newest first",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(N), N entries read",
	 .syntax = "key end:string start:string [COUNT count]"},
	{.name = "xdel",
	 .run = cmd_xdel,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RW | KEY_DELETE, 1, 0, 1)},
	 .summary = "Delete entries from a stream",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(N), N ids",
	 .syntax = "key id [id ...]"},
	{.name = "xtrim",
	 .run = stream_cmd_xtrim,
	 .arity = -4,
	 .flags = CMD_WRITE,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RW | KEY_DELETE, 1, 0, 1)},
	 .summary = "Delete the oldest entries of a stream",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(N), N entries deleted, whole nodes at once",
	 .syntax = "key (" TRIM_SYNTAX ")",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = "xsetid",
	 .run = cmd_xsetid,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RW | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Set the last id of a stream",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(1)",
	 .syntax = "key last-id [ENTRIESADDED entries_added:integer@7.0.0] [MAXDELETEDID "
		   "max_deleted_entry_id@7.0.0]"},
	{.name = "xread",
	 .run = stream_cmd_xread,
	 .arity = -4,
	 .flags = CMD_READONLY | CMD_BLOCKING | CMD_MOVABLEKEYS,
	 .categories = CAT_STREAM,
	 .keys = {{.flags = KEY_RO | KEY_ACCESS,
		   .begin = KEYS_BEGIN_KEYWORD,
		   .keyword = "STREAMS",
		   .index = 1,
		   .find = KEYS_FIND_RANGE,
		   .lastkey = -1,
		   .step = 1,
		   .limit = 2}},
	 .summary = "Read what several streams have after an id each, waiting for it if asked to",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(N), N entries read",
	 .syntax = "[COUNT count] [BLOCK milliseconds] (streams: STREAMS key [key ...] id [id "
		   "...])"},
	{.name = "xreadgroup",
	 .run = stream_cmd_xreadgroup,
	 .arity = -7,
	 .flags = CMD_WRITE | CMD_BLOCKING | CMD_MOVABLEKEYS,
	 .categories = CAT_STREAM,
	 .keys = {{.flags = KEY_RO | KEY_ACCESS,
		   .begin = KEYS_BEGIN_KEYWORD,
		   .keyword = "STREAMS",
		   .index = 4,
		   .find = KEYS_FIND_RANGE,
		   .lastkey = -1,
		   .step = 1,
		   .limit = 2}},
	 .summary = "Read for a consumer of a group what is new, waiting for it if asked to, or "
		    "what is pending at it",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(N log(M)), N entries read, M pending",
	 .syntax = "(GROUP group consumer) [COUNT count] [BLOCK milliseconds] [NOACK] (streams: "
		   "STREAMS key [key ...] id [id ...])"},
	{.name = "xack",
	 .run = stream_cmd_xack,
	 .arity = -4,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RW | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Acknowledge entries, which are pending no more",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(N log(M)), N ids, M entries pending",
	 .syntax = "key group id [id ...]"},
	{.name = "xpending",
	 .run = stream_cmd_xpending,
	 .arity = -3,
	 .flags = CMD_READONLY,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Tell what was delivered to a group and is not acknowledged",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(N), N entries looked at, or consumers in the short form",
	 .syntax = "key group [filters: [(IDLE min-idle-time:integer@6.2.0)] start:string "
		   "end:string count [consumer]]",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = "xclaim",
	 .run = stream_cmd_xclaim,
	 .arity = -6,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RW | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Give pending entries to another consumer",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(N log(M)), N ids, M entries pending",
	 .syntax = "key group consumer min-idle-time id [id ...] [IDLE ms:integer] [TIME "
		   "unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID id]",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = "xautoclaim",
	 .run = stream_cmd_xautoclaim,
	 .arity = -6,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RW | KEY_DELETE, 1, 0, 1)},
	 .summary = "Give a consumer what is pending for long, found from an id on",
	 .since = "6.2.0",
	 .group = "stream",
	 .complexity = "O(N log(M)), N entries looked at, M pending",
	 .syntax = "key group consumer min-idle-time start:string [COUNT count] [JUSTID]",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = "xgroup",
	 .arity = -2,
	 .subcommands = stream_group_subcommands,
	 .summary = "Consumer groups of streams",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "As the subcommand's"},
	{.name = "xinfo",
	 .arity = -2,
	 .subcommands = stream_info_subcommands,
	 .summary = "What streams are made of",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "As the subcommand's"},
	{.name = NULL},
};
