/* Reading streams: XRANGE, XREVRANGE, XREAD. */
#include "resp/commands/streams/stream.h"
#include "store/base/mem.h"

/* --- replies --- */

void stream_reply_entry(struct call *c, struct stream_iter *it)
{
	struct bytes field, value;

	reply_array(c->reply, 2);
	stream_reply_id(c, it->e.id);
	reply_array(c->reply, it->e.nfields * 2);
	for (size_t i = 0; i < it->e.nfields; i++) {
		stream_iter_pair(it, &field, &value);
		reply_bulk(c->reply, field);
		reply_bulk(c->reply, value);
	}
}

size_t stream_reply_range(struct call *c, const struct stream *s, struct stream_id start,
			  struct stream_id end, uint64_t count, bool backwards)
{
	struct reply_later head = reply_later_begin(c->reply);
	struct stream_iter it;
	size_t n = 0;

	stream_iter_begin(&it, s, start, end, backwards);
	while ((!count || n < count) && !c->reply->overflow && stream_iter_next(&it)) {
		stream_reply_entry(c, &it);
		n++;
	}
	reply_later_end(c->reply, head, '*', n);
	return n;
}

/* --- XRANGE, XREVRANGE --- */

bool stream_interval_arg(struct call *c, struct bytes b, bool is_end, struct stream_id *id)
{
	bool out = b.n > 1 && b.p[0] == '(';

	if (out)
		b = bytes_of(b.p + 1, b.n - 1);
	if (!stream_id_parse(b, is_end ? UINT64_MAX : 0, out, id, NULL)) {
		stream_id_error(c);
		return false;
	}
	if (out && !(is_end ? stream_id_prev(id) : stream_id_next(id))) {
		reply_errorf(c->reply, "ERR invalid %s ID for the interval",
			     is_end ? "end" : "start");
		return false;
	}
	return true;
}

static void range(struct call *c, bool backwards)
{
	struct stream_id start, end;
	int64_t count = -1;
	uint64_t word;

	if (!stream_interval_arg(c, c->argv[backwards ? 3 : 2], false, &start) ||
	    !stream_interval_arg(c, c->argv[backwards ? 2 : 3], true, &end))
		return;
	for (int i = 4; i < c->argc; i += 2) {
		if (i + 1 == c->argc || !bytes_is(c->argv[i], "count")) {
			call_syntax_error(c);
			return;
		}
		if (!call_int(c, i + 1, &count))
			return;
		if (count < 0)
			count = 0;
	}
	if (!call_read(c, 1, VALUE_STREAM, &word))
		return;
	if (!word)
		reply_array(c->reply, 0);
	else if (count == 0)
		reply_null_array(c->reply);
	else
		stream_reply_range(c, entry_container(word), start, end,
				   count < 0 ? 0 : (uint64_t)count, backwards);
}

void stream_cmd_xrange(struct call *c)
{
	range(c, false);
}

void stream_cmd_xrevrange(struct call *c)
{
	range(c, true);
}

/* --- XREAD --- */

/* BLOCK's milliseconds. */
static bool read_wait(struct call *c, int i, struct stream_reading *r)
{
	int64_t ms, until;

	if (!call_int_or(c, i, &ms, "ERR timeout is not an integer or out of range"))
		return false;
	if (ms < 0) {
		reply_error(c->reply, "ERR timeout is negative");
		return false;
	}
	if (__builtin_add_overflow(ms, c->db->ks->now_ms, &until)) {
		reply_error(c->reply, "ERR timeout is out of range");
		return false;
	}
	r->how.timeout_ms = ms;
	r->waits = true;
	return true;
}

static bool read_streams(struct call *c, int i, bool grouped, struct stream_reading *r)
{
	r->first = i;
	r->n = (c->argc - i) / 2;
	if ((c->argc - i) % 2 == 0)
		return true;
	reply_errorf(c->reply,
		     "ERR Unbalanced '%s' list of streams: for each stream key an ID or '%c' must "
		     "be specified.",
		     c->cmd->name, grouped ? '>' : '$');
	return false;
}

static bool only_for_groups(struct call *c, const char *option)
{
	reply_errorf(c->reply,
		     "ERR The %s option is only supported by XREADGROUP. You called XREAD instead.",
		     option);
	return false;
}

bool stream_read_words(struct call *c, bool grouped, struct stream_reading *r)
{
	*r = (struct stream_reading){.how = {.type = VALUE_STREAM, .gone_too = grouped}};
	for (int i = 1; i < c->argc; i++) {
		int more = c->argc - i - 1;
		if (more && bytes_is(c->argv[i], "block")) {
			if (c->session->flags & SESSION_SCRIPT) {
				reply_errorf(c->reply,
					     "ERR %.*s command is not allowed with BLOCK option "
					     "from scripts",
					     (int)c->argv[0].n, c->argv[0].p);
				return false;
			}
			if (!read_wait(c, ++i, r))
				return false;
		} else if (more && bytes_is(c->argv[i], "count")) {
			if (!call_int(c, ++i, &r->count))
				return false;
			if (r->count < 0)
				r->count = 0;
		} else if (more && bytes_is(c->argv[i], "streams")) {
			if (!read_streams(c, i + 1, grouped, r))
				return false;
			if (grouped && !r->group)
				reply_error(c->reply, "ERR Missing GROUP option for XREADGROUP");
			return !grouped || r->group;
		} else if (more > 1 && bytes_is(c->argv[i], "group")) {
			if (!grouped)
				return only_for_groups(c, "GROUP");
			r->group = &c->argv[i + 1];
			i += 2;
		} else if (bytes_is(c->argv[i], "noack")) {
			if (!grouped)
				return only_for_groups(c, "NOACK");
			r->noack = true;
		} else {
			break;
		}
	}
	call_syntax_error(c);
	return false;
}

/* The ids after which XREAD reads. */
struct after {
	struct stream_reading r;
	struct stream_id *ids;
};

/* The id after which the @i-th stream is read; the error is replied when false. */
static bool read_after(struct call *c, const struct after *a, int i)
{
	struct bytes id = c->argv[a->r.first + a->r.n + i];
	uint64_t word;

	if (!call_read(c, a->r.first + i, VALUE_STREAM, &word))
		return false;
	if (bytes_is(id, "$")) {
		a->ids[i] = STREAM_ID_MIN;
		if (word)
			a->ids[i] = stream_info(entry_container(word))->last;
		return true;
	}
	if (bytes_is(id, ">")) {
		reply_error(c->reply, "ERR The > ID can be specified only when calling XREADGROUP "
				      "using the GROUP <group> <consumer> option.");
		return false;
	}
	return stream_id_arg(c, a->r.first + a->r.n + i, &a->ids[i]);
}

/* Reply what there is; false, and nothing is replied, when there is nothing. */
static bool serve(struct call *c, const struct after *a)
{
	struct reply_later head = {0};
	struct stream_id top;
	uint64_t word;
	size_t found = 0;

	for (int i = 0; i < a->r.n; i++) {
		struct stream_id start = a->ids[i];
		word = keyspace_read(c->db, c->argv[a->r.first + i], KEYSPACE_TOUCH);
		struct stream *s = word ? entry_container(word) : NULL;
		if (!s || !stream_edge(s, true, &top) || stream_id_cmp(top, start) <= 0)
			continue;
		if (found++ == 0)
			head = reply_later_begin(c->reply);
		if (c->reply->proto == 2)
			reply_array(c->reply, 2);
		reply_bulk(c->reply, c->argv[a->r.first + i]);
		stream_id_next(&start);
		stream_reply_range(c, s, start, STREAM_ID_MAX, (uint64_t)a->r.count, false);
	}
	if (found)
		reply_later_end(c->reply, head, c->reply->proto == 2 ? '*' : '%', found);
	return found > 0;
}

/* The call's arguments with the ids that "$" stands for now, in one block. NULL without memory. */
static struct bytes *settled(struct call *c, const struct after *a)
{
	size_t argc = (size_t)c->argc, ids = (size_t)(a->r.first + a->r.n);
	struct bytes *argv = mem_try(argc * sizeof(*argv) + (size_t)a->r.n * STREAM_ID_BUF);

	if (!argv)
		return NULL;
	memcpy(argv, c->argv, argc * sizeof(*argv));
	char *buf = (char *)(argv + argc);
	for (int i = 0; i < a->r.n; i++, buf += STREAM_ID_BUF)
		argv[ids + (size_t)i] = stream_id_text(a->ids[i], buf);
	return argv;
}

static void wait(struct call *c, struct after *a)
{
	struct bytes *argv = settled(c, a);

	if (!argv) {
		call_error(c, STORE_ENOMEM);
		return;
	}
	a->r.how.first_key = a->r.first;
	a->r.how.nkeys = a->r.n;
	a->r.how.argv = argv;
	call_park(c, &a->r.how);
	mem_free(argv);
}

void stream_cmd_xread(struct call *c)
{
	struct after a;
	int i = 0;

	if (!stream_read_words(c, false, &a.r))
		return;
	a.ids = mem_try((size_t)a.r.n * sizeof(*a.ids));
	if (!a.ids) {
		call_error(c, STORE_ENOMEM);
		return;
	}
	while (i < a.r.n && read_after(c, &a, i))
		i++;
	if (i == a.r.n && !serve(c, &a)) {
		if (a.r.waits)
			wait(c, &a);
		else
			reply_null_array(c->reply);
	}
	mem_free(a.ids);
}
