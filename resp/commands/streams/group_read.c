/* XREADGROUP: new entries for a consumer, which are pending at it then, or those that already are. */
#include "resp/commands/streams/stream.h"
#include "store/base/mem.h"

#define FEW 8

/* The id that ">" stands for. */
static bool is_new(struct stream_id id)
{
	return id.ms == UINT64_MAX && id.seq == UINT64_MAX;
}

static struct bytes key_of(const struct call *c, const struct stream_reading *r, int i)
{
	return c->argv[r->first + i];
}

/* Check the @i-th stream, its group and its id; the error is replied when false. */
static bool check_one(struct call *c, const struct stream_reading *r, int i, struct stream_id *id)
{
	struct bytes key = key_of(c, r, i), word = c->argv[r->first + r->n + i];
	struct stream *s;

	if (!stream_for_groups(c, r->first + i, &s))
		return false;
	if (!s || !streamgroup_find(stream_groups(s), *r->group)) {
		size_t n = key.n < 4096 ? key.n : 4096, m = r->group->n < 4096 ? r->group->n : 4096;
		reply_errorf(c->reply,
			     "NOGROUP No such key '%.*s' or consumer group '%.*s' in XREADGROUP "
			     "with GROUP option",
			     (int)n, key.p, (int)m, r->group->p);
		return false;
	}
	if (bytes_is(word, "$")) {
		reply_error(c->reply, "ERR The $ ID is meaningless in the context of XREADGROUP: "
				      "you want to read the history of this consumer by specifying "
				      "a proper ID, or use the > ID to get new messages. The $ ID "
				      "would just return an empty result set.");
		return false;
	}
	*id = STREAM_ID_MAX;
	return bytes_is(word, ">") || stream_id_arg(c, r->first + r->n + i, id);
}

/* One stream being read. */
struct delivery {
	struct stream *s;
	struct streamgroup *g;
	struct streamconsumer *consumer;
	struct bytes key;
	const struct stream_reading *r;
};

/* Entries behind what the group has read, as an array. Answers whether the journal heard of the consumer. */
static bool deliver_new(struct call *c, const struct delivery *d)
{
	struct reply_later head = reply_later_begin(c->reply);
	struct stream_id start = d->g->last;
	uint64_t n = 0, most = (uint64_t)d->r->count;
	bool advanced = false;
	struct stream_iter it;

	if (stream_id_next(&start))
		stream_iter_begin(&it, d->s, start, STREAM_ID_MAX, false);
	while ((!most || n < most) && !c->reply->overflow && stream_iter_next(&it)) {
		stream_reply_entry(c, &it);
		advanced |= streamgroup_advance(d->g, stream_info(d->s), it.e.id);
		n++;
		if (d->r->noack)
			continue;
		struct streampending *p = streamgroup_assign(d->g, it.e.id, d->consumer);
		p->delivered_ms = c->db->ks->now_ms;
		p->count = 1;
		d->consumer->active_ms = p->delivered_ms;
		stream_journal_claim(c, d->key, d->g, it.e.id, p);
	}
	reply_later_end(c->reply, head, '*', n);
	if (n)
		call_noted(c, d->key);
	if (advanced)
		stream_journal_group(c, d->key, d->g);
	return n && !d->r->noack;
}

/* What is pending at the consumer behind @after, as an array; null for the fields of what was deleted. */
static void deliver_again(struct call *c, const struct delivery *d, struct stream_id after)
{
	struct reply_later head = reply_later_begin(c->reply);
	struct idmap *pending = &d->consumer->pending;
	uint64_t n = 0, most = (uint64_t)d->r->count;
	struct stream_iter it;
	struct stream_id id;

	stream_id_next(&after);
	struct idmap_at at = idmap_seek(pending, after);
	for (; (!most || n < most) && idmap_get(pending, &at, &id); idmap_next(pending, &at), n++) {
		stream_iter_begin(&it, d->s, id, id, false);
		if (!stream_iter_next(&it)) {
			reply_array(c->reply, 2);
			stream_reply_id(c, id);
			reply_null_array(c->reply);
			continue;
		}
		stream_reply_entry(c, &it);
		/* The journal does not hear of it, as it does not in Redis: times and counts of deliveries are worth no record. */
		struct streampending *p = streamgroup_pending(d->g, id);
		p->delivered_ms = c->db->ks->now_ms;
		p->count++;
	}
	reply_later_end(c->reply, head, '*', n);
}

static bool has_new(const struct delivery *d)
{
	struct stream_id top;

	return stream_edge(d->s, true, &top) && stream_id_cmp(top, d->g->last) > 0;
}

/* Read the @i-th stream from @id on; false, and nothing is replied, when there is nothing new. */
static bool read_one(struct call *c, const struct stream_reading *r, int i, struct stream_id id,
		     struct reply_later *head, bool first)
{
	struct delivery d = {.r = r, .key = key_of(c, r, i)};
	bool made, told = false;

	if (!stream_for_groups(c, r->first + i, &d.s) || !d.s)
		return false;
	d.g = streamgroup_find(stream_groups(d.s), *r->group);
	d.consumer = stream_consumer(c, d.key, d.g, r->group[1], &made);
	bool found = !is_new(id) || has_new(&d);
	if (made && r->noack) {
		stream_journal_consumer(c, d.key, d.g, d.consumer);
		told = true;
	}
	if (found) {
		if (first)
			*head = reply_later_begin(c->reply);
		if (c->reply->proto == 2)
			reply_array(c->reply, 2);
		reply_bulk(c->reply, d.key);
		if (is_new(id))
			told |= deliver_new(c, &d);
		else
			deliver_again(c, &d, id);
	}
	if (made && !told)
		stream_journal_consumer(c, d.key, d.g, d.consumer);
	return found;
}

/* Reply what there is; false, and nothing is replied, when there is nothing. */
static bool serve(struct call *c, const struct stream_reading *r, const struct stream_id *ids)
{
	struct reply_later head = {0};
	size_t found = 0;

	for (int i = 0; i < r->n; i++)
		found += read_one(c, r, i, ids[i], &head, found == 0);
	if (found)
		reply_later_end(c->reply, head, c->reply->proto == 2 ? '*' : '%', found);
	return found > 0;
}

void stream_cmd_xreadgroup(struct call *c)
{
	struct stream_id few[FEW], *ids = few;
	struct stream_reading r;
	int i = 0;

	if (!stream_read_words(c, true, &r))
		return;
	/* What changes is told by its effects. */
	call_no_journal(c);
	if (r.n > FEW && !(ids = mem_try((size_t)r.n * sizeof(*ids)))) {
		call_error(c, STORE_ENOMEM);
		return;
	}
	while (i < r.n && check_one(c, &r, i, &ids[i]))
		i++;
	if (i == r.n && !serve(c, &r, ids)) {
		r.how.first_key = r.first;
		r.how.nkeys = r.n;
		if (r.waits)
			call_park(c, &r.how);
		else
			reply_null_array(c->reply);
	}
	if (ids != few)
		mem_free(ids);
}
