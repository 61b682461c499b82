/* XPENDING: what is not acknowledged yet. */
#include "resp/commands/streams/stream.h"

struct filter {
	int64_t idle, count;
	struct stream_id start, end;
	const struct bytes *consumer; /* NULL: all */
};

/* Everything behind the group; the error is replied when false. */
static bool read_filter(struct call *c, struct filter *f)
{
	int i = 3;

	*f = (struct filter){0};
	if (bytes_is(c->argv[3], "idle")) {
		if (!call_int(c, 4, &f->idle))
			return false;
		if (c->argc < 8) {
			call_syntax_error(c);
			return false;
		}
		i += 2;
	}
	if (!call_int(c, i + 2, &f->count))
		return false;
	if (i + 3 < c->argc)
		f->consumer = &c->argv[i + 3];
	return stream_interval_arg(c, c->argv[i], false, &f->start) &&
	       stream_interval_arg(c, c->argv[i + 1], true, &f->end);
}

static void reply_summary(struct call *c, const struct streamgroup *g)
{
	size_t n = 0;

	reply_array(c->reply, 4);
	reply_int(c->reply, (int64_t)g->pending.count);
	if (g->pending.count == 0) {
		reply_null(c->reply);
		reply_null(c->reply);
		reply_null_array(c->reply);
		return;
	}
	stream_reply_id(c, idmap_first(&g->pending));
	stream_reply_id(c, idmap_last(&g->pending));
	struct reply_later head = reply_later_begin(c->reply);
	for (size_t i = 0; i < g->consumers.n; i++) {
		const struct streamconsumer *consumer = streamgroup_consumer_at(g, i);
		if (consumer->pending.count == 0)
			continue;
		reply_array(c->reply, 2);
		reply_bulk(c->reply, consumer->name);
		reply_bulk_int(c->reply, (int64_t)consumer->pending.count);
		n++;
	}
	reply_later_end(c->reply, head, '*', n);
}

static void reply_entries(struct call *c, const struct streamgroup *g,
			  const struct streamconsumer *only, const struct filter *f)
{
	const struct idmap *pending = only ? &only->pending : &g->pending;
	struct idmap_at at = idmap_seek(pending, f->start);
	struct reply_later head = reply_later_begin(c->reply);
	struct stream_id id;
	const void *record;
	int64_t n = 0;

	for (; n < f->count && (record = idmap_get(pending, &at, &id)); idmap_next(pending, &at)) {
		if (stream_id_cmp(id, f->end) > 0)
			break;
		const struct streampending *p = only ? streamgroup_pending(g, id) : record;
		int64_t idle = stream_idle(c, p->delivered_ms);
		if (idle < f->idle)
			continue;
		reply_array(c->reply, 4);
		stream_reply_id(c, id);
		reply_bulk(c->reply, p->consumer->name);
		reply_int(c->reply, idle);
		reply_int(c->reply, (int64_t)p->count);
		n++;
	}
	reply_later_end(c->reply, head, '*', (size_t)n);
}

void stream_cmd_xpending(struct call *c)
{
	struct streamgroup *g = NULL;
	struct filter f;
	uint64_t word;

	if (c->argc != 3 && (c->argc < 6 || c->argc > 9)) {
		call_syntax_error(c);
		return;
	}
	if ((c->argc > 3 && !read_filter(c, &f)) || !call_read(c, 1, VALUE_STREAM, &word))
		return;
	if (word)
		g = streamgroup_find(stream_groups(entry_container(word)), c->argv[2]);
	if (!g) {
		stream_no_group(c, c->argv[1], c->argv[2]);
		return;
	}
	if (c->argc == 3) {
		reply_summary(c, g);
		return;
	}
	struct streamconsumer *only = f.consumer ? streamgroup_consumer(g, *f.consumer) : NULL;
	if (f.consumer && !only)
		reply_array(c->reply, 0);
	else
		reply_entries(c, g, only, &f);
}
