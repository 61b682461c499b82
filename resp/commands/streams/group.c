/* Consumer groups: what their commands share, and XGROUP. */
#include "resp/commands/streams/stream.h"
#include "resp/journal.h"
#include "resp/sessions/blocking.h"
#include "store/base/keyhash.h"

/* --- looking up --- */

/* As much of a name as an error tells: Redis takes it for a C string. */
static int shown(struct bytes b)
{
	size_t n = b.n ? strnlen(b.p, b.n) : 0;

	return n < 4096 ? (int)n : 4096;
}

void stream_no_group(struct call *c, struct bytes key, struct bytes group)
{
	reply_errorf(c->reply, "NOGROUP No such key '%.*s' or consumer group '%.*s'", shown(key),
		     key.p, shown(group), group.p);
}

void stream_no_group_for(struct call *c, struct bytes key, struct bytes group)
{
	reply_errorf(c->reply, "NOGROUP No such consumer group '%.*s' for key name '%.*s'",
		     shown(group), group.p, shown(key), key.p);
}

bool stream_for_groups(struct call *c, int i, struct stream **s)
{
	uint64_t word, *slot;

	*s = NULL;
	if (!call_read(c, i, VALUE_STREAM, &word))
		return false;
	if (word && call_write(c, i, VALUE_STREAM, &slot) && slot)
		*s = entry_container(*slot);
	return true;
}

bool stream_group_args(struct call *c, struct stream **s, struct streamgroup **g)
{
	if (!stream_for_groups(c, 1, s))
		return false;
	*g = *s ? streamgroup_find(stream_groups(*s), c->argv[2]) : NULL;
	if (!*g)
		stream_no_group(c, c->argv[1], c->argv[2]);
	return *g != NULL;
}

struct streamconsumer *stream_consumer(struct call *c, struct bytes key, struct streamgroup *g,
				       struct bytes name, bool *made)
{
	struct streamconsumer *consumer = streamgroup_consumer(g, name);
	int64_t now = c->db->ks->now_ms;

	*made = !consumer;
	if (*made) {
		consumer = streamgroup_add_consumer(g, name, now);
		call_noted(c, key);
		call_event(c, c->db, key, NOTIFY_STREAM, "xgroup-createconsumer");
	}
	consumer->seen_ms = now;
	return consumer;
}

int64_t stream_idle(const struct call *c, int64_t ms)
{
	int64_t idle;

	if (__builtin_sub_overflow(c->db->ks->now_ms, ms, &idle))
		return INT64_MAX;
	return idle < 0 ? 0 : idle;
}

/* --- the journal --- */

static struct bytes int_text(char *buf, int64_t v)
{
	return bytes_of(buf, num_format_int(buf, v));
}

void stream_journal_claim(struct call *c, struct bytes key, const struct streamgroup *g,
			  struct stream_id id, const struct streampending *p)
{
	char id_buf[STREAM_ID_BUF], last_buf[STREAM_ID_BUF], time_buf[NUM_BUF], count_buf[NUM_BUF];

	if (!journal_active(c->server->journal))
		return;
	struct bytes words[] = {
		BYTES("XCLAIM"),
		key,
		g->name,
		p->consumer->name,
		BYTES("0"),
		stream_id_text(id, id_buf),
		BYTES("TIME"),
		int_text(time_buf, p->delivered_ms),
		BYTES("RETRYCOUNT"),
		int_text(count_buf, (int64_t)p->count),
		BYTES("FORCE"),
		BYTES("JUSTID"),
		BYTES("LASTID"),
		stream_id_text(g->last, last_buf),
	};
	call_effect(c, sizeof(words) / sizeof(*words), words);
}

void stream_journal_group(struct call *c, struct bytes key, const struct streamgroup *g)
{
	char id_buf[STREAM_ID_BUF], read_buf[NUM_BUF];
	struct bytes words[] = {
		BYTES("XGROUP"),
		BYTES("SETID"),
		key,
		g->name,
		stream_id_text(g->last, id_buf),
		BYTES("ENTRIESREAD"),
		int_text(read_buf, g->read),
	};

	call_effect(c, sizeof(words) / sizeof(*words), words);
}

void stream_journal_consumer(struct call *c, struct bytes key, const struct streamgroup *g,
			     const struct streamconsumer *consumer)
{
	struct bytes words[] = {BYTES("XGROUP"), BYTES("CREATECONSUMER"), key, g->name,
				consumer->name};

	call_effect(c, sizeof(words) / sizeof(*words), words);
}

/* --- XGROUP --- */

struct options {
	bool make_stream;
	int64_t read;
};

/* What follows the id; the error is replied when false. */
static bool read_options(struct call *c, bool create, struct options *o)
{
	*o = (struct options){.read = STREAM_READ_UNKNOWN};
	for (int i = 5; i < c->argc; i++) {
		if (create && bytes_is(c->argv[i], "mkstream")) {
			o->make_stream = true;
		} else if (i + 1 < c->argc && bytes_is(c->argv[i], "entriesread")) {
			if (!call_int(c, ++i, &o->read))
				return false;
			if (o->read < 0 && o->read != STREAM_READ_UNKNOWN) {
				reply_error(c->reply,
					    "ERR value for ENTRIESREAD must be positive or -1");
				return false;
			}
		} else {
			call_subcommand_error(c);
			return false;
		}
	}
	return true;
}

/* The stream at argv[2]; NULL when absent and @may_lack, else that is an error. */
static bool find_stream(struct call *c, bool may_lack, struct stream **s)
{
	uint64_t *slot;

	if (!call_write(c, 2, VALUE_STREAM, &slot))
		return false;
	*s = slot ? entry_container(*slot) : NULL;
	if (*s || may_lack)
		return true;
	reply_error(c->reply, "ERR The XGROUP subcommand requires the key to exist. Note that for "
			      "CREATE you may want to use the MKSTREAM option to create an empty "
			      "stream automatically.");
	return false;
}

static bool find_group(struct call *c, struct stream **s, struct streamgroup **g)
{
	if (!find_stream(c, false, s))
		return false;
	*g = streamgroup_find(stream_groups(*s), c->argv[3]);
	if (!*g)
		stream_no_group_for(c, c->argv[2], c->argv[3]);
	return *g != NULL;
}

static void noted(struct call *c, const char *event)
{
	call_noted(c, c->argv[2]);
	call_event(c, c->db, c->argv[2], NOTIFY_STREAM, event);
}

static void group_create(struct call *c)
{
	struct stream_id last = STREAM_ID_MIN;
	struct options o;
	struct stream *s;

	if (!read_options(c, true, &o) || !find_stream(c, o.make_stream, &s))
		return;
	if (c->argc > 8) {
		call_subcommand_error(c);
		return;
	}
	if (!bytes_is(c->argv[4], "$")) {
		if (!stream_id_arg(c, 4, &last))
			return;
	} else if (s) {
		last = stream_info(s)->last;
	}
	if (s && streamgroup_find(stream_groups(s), c->argv[3])) {
		reply_error(c->reply, "BUSYGROUP Consumer Group name already exists");
		return;
	}
	bool fresh = !s;
	if (fresh) {
		s = stream_new();
		keyspace_add(c->db, c->argv[2], VALUE_STREAM, s);
	}
	streamgroup_add(stream_groups(s), c->argv[3], last, o.read);
	reply_ok(c->reply);
	if (fresh)
		call_changed(c, c->argv[2], NOTIFY_STREAM, "xgroup-create");
	else
		noted(c, "xgroup-create");
}

static void group_setid(struct call *c)
{
	struct streamgroup *g;
	struct stream_id last;
	struct options o;
	struct stream *s;

	if (!read_options(c, false, &o) || !find_group(c, &s, &g))
		return;
	if (c->argc != 5 && c->argc != 7) {
		call_subcommand_error(c);
		return;
	}
	if (bytes_is(c->argv[4], "$")) {
		last = stream_info(s)->last;
	} else if (!stream_id_parse(c->argv[4], 0, false, &last, NULL)) {
		stream_id_error(c);
		return;
	}
	g->last = last;
	g->read = o.read;
	reply_ok(c->reply);
	noted(c, "xgroup-setid");
}

static void group_destroy(struct call *c)
{
	struct streamgroup *g;
	struct stream *s;

	if (!find_stream(c, false, &s))
		return;
	g = streamgroup_find(stream_groups(s), c->argv[3]);
	reply_int(c->reply, g != NULL);
	if (!g)
		return;
	streamgroup_remove(stream_groups(s), g);
	noted(c, "xgroup-destroy");
	/* Who waits to read for this group learns that it is gone. */
	if (c->server->awaited_keys)
		blocking_signal(c->server->blocking, c->db, c->argv[2], keyhash(c->argv[2]));
}

static void group_createconsumer(struct call *c)
{
	struct streamgroup *g;
	struct stream *s;
	bool made;

	if (!find_group(c, &s, &g))
		return;
	made = !streamgroup_consumer(g, c->argv[4]);
	if (made)
		stream_consumer(c, c->argv[2], g, c->argv[4], &made);
	reply_int(c->reply, made);
}

static void group_delconsumer(struct call *c)
{
	struct streamgroup *g;
	struct stream *s;

	if (!find_group(c, &s, &g))
		return;
	struct streamconsumer *consumer = streamgroup_consumer(g, c->argv[4]);
	reply_int(c->reply, consumer ? (int64_t)consumer->pending.count : 0);
	if (!consumer)
		return;
	streamgroup_remove_consumer(g, consumer);
	noted(c, "xgroup-delconsumer");
}

static void group_help(struct call *c)
{
	static const char *const lines[] = {
		"CREATE <key> <groupname> <id|$> [option]",
		"    Create a new consumer group. Options are:",
		"    * MKSTREAM",
		"      Create the empty stream if it does not exist.",
		"    * ENTRIESREAD entries_read",
		"      Set the group's entries_read counter (internal use).",
		"CREATECONSUMER <key> <groupname> <consumer>",
		"    Create a new consumer in the specified group.",
		"DELCONSUMER <key> <groupname> <consumer>",
		"    Remove the specified consumer.",
		"DESTROY <key> <groupname>",
		"    Remove the specified group.",
		"SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
		"    Set the current group ID and entries_read counter.",
		NULL};
	call_help(c, lines);
}

const struct command stream_group_subcommands[] = {
	{.name = "create",
	 .run = group_create,
	 .arity = -5,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RW | KEY_INSERT, 2, 0, 1)},
	 .summary = "Make a consumer group of a stream",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(1)",
	 .syntax = "key groupname <id: id|new_id=$> [MKSTREAM] [ENTRIESREAD "
		   "entries_read:integer]"},
	{.name = "setid",
	 .run = group_setid,
	 .arity = -5,
	 .flags = CMD_WRITE,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RW | KEY_UPDATE, 2, 0, 1)},
	 .summary = "Set up to where a consumer group has read",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(1)",
	 .syntax = "key groupname <id: id|new_id=$> [ENTRIESREAD entries_read:integer]"},
	{.name = "destroy",
	 .run = group_destroy,
	 .arity = 4,
	 .flags = CMD_WRITE,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RW | KEY_DELETE, 2, 0, 1)},
	 .summary = "Remove a consumer group with its consumers",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(N), N entries pending in the group",
	 .syntax = "key groupname"},
	{.name = "createconsumer",
	 .run = group_createconsumer,
	 .arity = 5,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RW | KEY_INSERT, 2, 0, 1)},
	 .summary = "Add a consumer to a group",
	 .since = "6.2.0",
	 .group = "stream",
	 .complexity = "O(1)",
	 .syntax = "key groupname consumername"},
	{.name = "delconsumer",
	 .run = group_delconsumer,
	 .arity = 5,
	 .flags = CMD_WRITE,
	 .categories = CAT_STREAM,
	 .keys = {KEYS_AT(KEY_RW | KEY_DELETE, 2, 0, 1)},
	 .summary = "Remove a consumer with what is pending at it",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(N), N entries pending at the consumer",
	 .syntax = "key groupname consumername"},
	{.name = "help",
	 .run = group_help,
	 .arity = 2,
	 .flags = CMD_LOADING | CMD_STALE,
	 .categories = CAT_STREAM,
	 .summary = "List the subcommands",
	 .since = "5.0.0",
	 .group = "stream",
	 .complexity = "O(1)"},
	{.name = NULL},
};
