/* XACK, XCLAIM and XAUTOCLAIM: what was delivered is done with, or is another's now. */
#include "resp/commands/streams/stream.h"
#include "store/base/mem.h"

/* argv[@from] and on as ids, strict: how many there are before the first word that is none. NULL without memory, which is replied. */
static struct stream_id *read_ids(struct call *c, int from, int *n)
{
	int most = c->argc - from;
	struct stream_id *ids = mem_try((size_t)most * sizeof(*ids));

	*n = 0;
	if (!ids)
		call_error(c, STORE_ENOMEM);
	while (ids && *n < most && stream_id_parse(c->argv[from + *n], 0, true, &ids[*n], NULL))
		(*n)++;
	return ids;
}

/* --- XACK --- */

void stream_cmd_xack(struct call *c)
{
	struct streamgroup *g = NULL;
	struct stream *s;
	int64_t done = 0;
	int n;

	if (!stream_for_groups(c, 1, &s))
		return;
	if (s)
		g = streamgroup_find(stream_groups(s), c->argv[2]);
	if (!g) {
		reply_int(c->reply, 0);
		return;
	}
	struct stream_id *ids = read_ids(c, 3, &n);
	if (!ids)
		return;
	if (n < c->argc - 3) {
		stream_id_error(c);
	} else {
		for (int i = 0; i < n; i++) {
			bool was = streamgroup_acknowledge(g, ids[i]);
			done += was;
			if (was)
				call_noted(c, c->argv[1]);
		}
		reply_int(c->reply, done);
	}
	mem_free(ids);
}

/* --- claiming --- */

struct claim {
	struct stream *s;
	struct streamgroup *g;
	struct streamconsumer *consumer;
	int64_t min_idle, delivered_ms,
		count; /* the count: -1 for what it is, and one more unless justid */
	bool force, justid, made;
	bool told; /* the journal heard of the group's last id and the consumer */
};

/* The entry is no more: nobody is to be given it. */
static void drop(struct call *c, struct claim *m, struct stream_id id,
		 const struct streampending *p)
{
	stream_journal_claim(c, c->argv[1], m->g, id, p);
	streamgroup_acknowledge(m->g, id);
	call_noted(c, c->argv[1]);
}

/* Give what is pending under @id to the claimer, or make it so. */
static void take(struct call *c, struct claim *m, struct stream_id id)
{
	struct streampending *p = streamgroup_pending(m->g, id);
	uint64_t count = p ? p->count : 1;

	p = streamgroup_assign(m->g, id, m->consumer);
	p->delivered_ms = m->delivered_ms;
	if (m->count >= 0)
		count = (uint64_t)m->count;
	else if (!m->justid)
		count++;
	p->count = count;
	m->consumer->active_ms = c->db->ks->now_ms;
	m->told = true;
	stream_journal_claim(c, c->argv[1], m->g, id, p);
	call_noted(c, c->argv[1]);
}

static void reply_taken(struct call *c, const struct claim *m, struct stream_id id)
{
	struct stream_iter it;

	if (m->justid) {
		stream_reply_id(c, id);
		return;
	}
	stream_iter_begin(&it, m->s, id, id, false);
	if (stream_iter_next(&it))
		stream_reply_entry(c, &it);
}

/* The consumer of argv[3] is the claimer. */
static void begin(struct call *c, struct claim *m)
{
	m->consumer = stream_consumer(c, c->argv[1], m->g, c->argv[3], &m->made);
	/* What changes is told by its effects. */
	call_no_journal(c);
}

static void end(struct call *c, const struct claim *m)
{
	if (m->made && !m->told)
		stream_journal_consumer(c, c->argv[1], m->g, m->consumer);
}

static bool min_idle_arg(struct call *c, const char *error, int64_t *ms)
{
	if (!call_int_or(c, 4, ms, error))
		return false;
	if (*ms < 0)
		*ms = 0;
	return true;
}

/* --- XCLAIM --- */

static bool unknown_option(struct call *c, struct bytes word)
{
	int n = word.n < 4096 ? (int)word.n : 4096;

	reply_errorf(c->reply, "ERR Unrecognized XCLAIM option '%.*s'", n, word.p);
	return false;
}

/* What follows the ids; the error is replied when false. */
static bool read_options(struct call *c, int i, struct claim *m, struct stream_id *last)
{
	int64_t now = c->db->ks->now_ms, at = -1;

	for (; i < c->argc; i++) {
		bool more = i + 1 < c->argc;
		struct bytes word = c->argv[i];
		if (bytes_is(word, "force")) {
			m->force = true;
		} else if (bytes_is(word, "justid")) {
			m->justid = true;
		} else if (more && bytes_is(word, "idle")) {
			if (!call_int_or(c, ++i, &at,
					 "ERR Invalid IDLE option argument for XCLAIM"))
				return false;
			if (__builtin_sub_overflow(now, at, &at))
				at = now;
		} else if (more && bytes_is(word, "time")) {
			if (!call_int_or(c, ++i, &at,
					 "ERR Invalid TIME option argument for XCLAIM"))
				return false;
		} else if (more && bytes_is(word, "retrycount")) {
			if (!call_int_or(c, ++i, &m->count,
					 "ERR Invalid RETRYCOUNT option argument for XCLAIM"))
				return false;
		} else if (more && bytes_is(word, "lastid")) {
			if (!stream_id_arg(c, ++i, last))
				return false;
		} else {
			return unknown_option(c, word);
		}
	}
	/* A client's clock may be wrong. */
	m->delivered_ms = at < 0 || at > now ? now : at;
	return true;
}

/* Claim @id and reply it; false when it is left where it is, or nowhere. */
static bool claim_one(struct call *c, struct claim *m, struct stream_id id)
{
	struct streampending *p = streamgroup_pending(m->g, id);

	if (!stream_has(m->s, id)) {
		if (p) {
			m->told |= p->consumer == m->consumer;
			drop(c, m, id, p);
		}
		return false;
	}
	if (!p && !m->force)
		return false;
	if (p && m->min_idle && stream_idle(c, p->delivered_ms) < m->min_idle)
		return false;
	take(c, m, id);
	reply_taken(c, m, id);
	return true;
}

static void claim_all(struct call *c, struct claim *m, const struct stream_id *ids, int n,
		      struct stream_id last)
{
	bool moved = stream_id_cmp(last, m->g->last) > 0;
	size_t taken = 0;

	if (moved)
		m->g->last = last;
	begin(c, m);
	uint64_t dirty = c->dirty;
	struct reply_later head = reply_later_begin(c->reply);
	for (int i = 0; i < n; i++)
		taken += claim_one(c, m, ids[i]);
	reply_later_end(c->reply, head, '*', taken);
	/* What was claimed or dropped told the journal of the last id too. */
	if (moved && c->dirty == dirty) {
		stream_journal_group(c, c->argv[1], m->g);
		call_noted(c, c->argv[1]);
	}
	end(c, m);
}

void stream_cmd_xclaim(struct call *c)
{
	struct claim m = {.count = -1};
	struct stream_id last = STREAM_ID_MIN;
	int n;

	if (!stream_group_args(c, &m.s, &m.g) ||
	    !min_idle_arg(c, "ERR Invalid min-idle-time argument for XCLAIM", &m.min_idle))
		return;
	struct stream_id *ids = read_ids(c, 5, &n);
	if (!ids)
		return;
	if (read_options(c, 5 + n, &m, &last))
		claim_all(c, &m, ids, n, last);
	mem_free(ids);
}

/* --- XAUTOCLAIM --- */

/* So many pending entries are looked at for each one that is asked for. */
#define ATTEMPTS 10

/* Ids one after the other. */
struct ids {
	struct stream_id *v;
	size_t n, cap;
};

static void ids_add(struct ids *ids, struct stream_id id)
{
	if (ids->n == ids->cap) {
		ids->cap = ids->cap ? ids->cap * 2 : 16;
		ids->v = mem_realloc(ids->v, ids->cap * sizeof(*ids->v));
	}
	ids->v[ids->n++] = id;
}

static bool read_auto_options(struct call *c, int64_t *count, bool *justid)
{
	*count = 100;
	for (int i = 6; i < c->argc; i++) {
		if (i + 1 < c->argc && bytes_is(c->argv[i], "count")) {
			if (!call_int_range(c, ++i, 1, INT64_MAX / 16, count,
					    "ERR COUNT must be > 0"))
				return false;
		} else if (bytes_is(c->argv[i], "justid")) {
			*justid = true;
		} else {
			call_syntax_error(c);
			return false;
		}
	}
	return true;
}

/* Claim from @at on, up to @count. Answers the id to go on from, zero at the end. */
static struct stream_id claim_from(struct call *c, struct claim *m, struct stream_id at,
				   int64_t count, struct ids *taken, struct ids *dropped)
{
	int64_t attempts = count * ATTEMPTS;

	for (;; attempts--) {
		struct idmap_at place = idmap_seek(&m->g->pending, at);
		struct stream_id id;
		const struct streampending *p = idmap_get(&m->g->pending, &place, &id);
		if (!p)
			return STREAM_ID_MIN;
		if (!attempts || !count)
			return id;
		if (!stream_has(m->s, id)) {
			m->told |= p->consumer == m->consumer;
			drop(c, m, id, p);
			ids_add(dropped, id);
			count--;
		} else if (!m->min_idle || stream_idle(c, p->delivered_ms) >= m->min_idle) {
			take(c, m, id);
			ids_add(taken, id);
			count--;
		}
		at = id;
		if (!stream_id_next(&at))
			return STREAM_ID_MIN;
	}
}

void stream_cmd_xautoclaim(struct call *c)
{
	struct claim m = {.count = -1, .delivered_ms = c->db->ks->now_ms};
	struct ids taken = {0}, dropped = {0};
	struct stream_id start;
	int64_t count;

	if (!min_idle_arg(c, "ERR Invalid min-idle-time argument for XAUTOCLAIM", &m.min_idle) ||
	    !stream_interval_arg(c, c->argv[5], false, &start) ||
	    !read_auto_options(c, &count, &m.justid) || !stream_group_args(c, &m.s, &m.g))
		return;
	begin(c, &m);
	struct stream_id next = claim_from(c, &m, start, count, &taken, &dropped);
	end(c, &m);
	reply_array(c->reply, 3);
	stream_reply_id(c, next);
	reply_array(c->reply, taken.n);
	for (size_t i = 0; i < taken.n; i++)
		reply_taken(c, &m, taken.v[i]);
	reply_array(c->reply, dropped.n);
	for (size_t i = 0; i < dropped.n; i++)
		stream_reply_id(c, dropped.v[i]);
	mem_free(taken.v);
	mem_free(dropped.v);
}
