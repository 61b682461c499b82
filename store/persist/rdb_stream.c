#include "store/persist/rdb_stream.h"

#include <endian.h>

#include "store/base/mem.h"
#include "store/persist/rdb_format.h"

/* --- writing --- */

static void write_id(struct rdb_out *o, struct stream_id id)
{
	rdb_out_len(o, id.ms);
	rdb_out_len(o, id.seq);
}

/* Sixteen bytes that sort as the ids do. */
static void write_raw_id(struct rdb_out *o, struct stream_id id)
{
	uint64_t key[2] = {htobe64(id.ms), htobe64(id.seq)};

	rdb_out_bytes(o, key, sizeof(key));
}

static void write_ms(struct rdb_out *o, int64_t ms)
{
	uint64_t little = htole64((uint64_t)ms);

	rdb_out_bytes(o, &little, sizeof(little));
}

static void write_consumer(struct rdb_out *o, const struct streamconsumer *c, unsigned type)
{
	struct idmap_at at = idmap_seek(&c->pending, STREAM_ID_MIN);
	struct stream_id id;

	rdb_out_string(o, c->name);
	write_ms(o, c->seen_ms);
	if (type == RDB_STREAM_3)
		write_ms(o, c->active_ms);
	rdb_out_len(o, c->pending.count);
	for (; idmap_get(&c->pending, &at, &id); idmap_next(&c->pending, &at))
		write_raw_id(o, id);
}

static void write_group(struct rdb_out *o, const struct streamgroup *g, unsigned type)
{
	struct idmap_at at = idmap_seek(&g->pending, STREAM_ID_MIN);
	const struct streampending *p;
	struct stream_id id;

	rdb_out_string(o, g->name);
	write_id(o, g->last);
	rdb_out_len(o, (uint64_t)g->read);
	rdb_out_len(o, g->pending.count);
	for (; (p = idmap_get(&g->pending, &at, &id)); idmap_next(&g->pending, &at)) {
		write_raw_id(o, id);
		write_ms(o, p->delivered_ms);
		rdb_out_len(o, p->count);
	}
	rdb_out_len(o, g->consumers.n);
	for (size_t i = 0; i < g->consumers.n; i++)
		write_consumer(o, streamgroup_consumer_at(g, i), type);
}

unsigned rdb_stream_type(struct stream *s)
{
	const struct streamnames *groups = stream_groups(s);

	for (size_t i = 0; i < groups->n; i++) {
		const struct streamgroup *g = streamgroup_at(groups, i);
		for (size_t k = 0; k < g->consumers.n; k++) {
			const struct streamconsumer *c = streamgroup_consumer_at(g, k);
			/* A reader of the second takes both for the same. */
			if (c->active_ms != c->seen_ms)
				return RDB_STREAM_3;
		}
	}
	return RDB_STREAM_2;
}

void rdb_stream_write(struct rdb_out *o, struct stream *s)
{
	const struct stream_info *info = stream_info(s);
	const struct streamnames *groups = stream_groups(s);
	unsigned type = rdb_stream_type(s);
	struct stream_id master;

	rdb_out_len(o, stream_nodes(s));
	for (size_t i = 0; i < stream_nodes(s); i++) {
		struct bytes node = stream_node(s, i, &master);
		rdb_out_len(o, sizeof(master));
		write_raw_id(o, master);
		rdb_out_string(o, node);
	}
	rdb_out_len(o, info->length);
	write_id(o, info->last);
	write_id(o, info->first);
	write_id(o, info->max_deleted);
	rdb_out_len(o, info->added);
	rdb_out_len(o, groups->n);
	for (size_t i = 0; i < groups->n; i++)
		write_group(o, streamgroup_at(groups, i), type);
}

/* --- reading --- */

static bool read_id(struct rdb_in *in, struct stream_id *id)
{
	return rdb_in_plain_len(in, &id->ms) && rdb_in_plain_len(in, &id->seq);
}

static struct stream_id raw_id(const void *p)
{
	uint64_t key[2];

	memcpy(key, p, sizeof(key));
	return (struct stream_id){be64toh(key[0]), be64toh(key[1])};
}

static bool read_raw_id(struct rdb_in *in, struct stream_id *id)
{
	const unsigned char *p = rdb_in_take(in, sizeof(*id));

	if (p)
		*id = raw_id(p);
	return p != NULL;
}

static bool read_ms(struct rdb_in *in, int64_t *ms)
{
	uint64_t little;

	if (!rdb_in_read(in, &little, sizeof(little)))
		return false;
	*ms = (int64_t)le64toh(little);
	return true;
}

static bool read_node(struct rdb_in *in, struct stream *s)
{
	struct bytes name;
	size_t n;

	if (!rdb_in_string(in, 0, &name))
		return false;
	if (name.n != sizeof(struct stream_id))
		return rdb_in_fail(in, "a stream's node whose id has %zu bytes", name.n);
	struct stream_id master = raw_id(name.p);
	unsigned char *data = rdb_in_block(in, &n);
	if (!data)
		return false;
	return stream_adopt(s, master, data, n) || rdb_in_fail(in, "a malformed stream node");
}

/* What follows the nodes. The first version kept less. */
static bool read_info(struct rdb_in *in, unsigned type, struct stream *s)
{
	struct stream_info info = {0};

	if (!rdb_in_plain_len(in, &info.length) || !read_id(in, &info.last))
		return false;
	info.added = info.length;
	if (type != RDB_STREAM && (!read_id(in, &info.first) || !read_id(in, &info.max_deleted) ||
				   !rdb_in_plain_len(in, &info.added)))
		return false;
	return stream_set_info(s, &info) ||
	       rdb_in_fail(in, "a stream that contradicts its entries");
}

/* What is pending, whose consumers follow. */
static bool read_pending(struct rdb_in *in, struct streamgroup *g)
{
	struct stream_id id;
	uint64_t n, count;
	int64_t ms;
	bool added;

	if (!rdb_in_count(in, 25, &n))
		return false;
	for (; n; n--) {
		if (!read_raw_id(in, &id) || !read_ms(in, &ms) || !rdb_in_plain_len(in, &count))
			return false;
		struct streampending *p = idmap_add(&g->pending, id, &added);
		if (!added)
			return rdb_in_fail(in, "an entry is pending twice in a group");
		p->delivered_ms = ms;
		p->count = count;
	}
	return true;
}

static bool read_consumer(struct rdb_in *in, struct streamgroup *g, unsigned type,
			  uint64_t *assigned)
{
	struct bytes name;
	struct stream_id id;
	int64_t seen, active;
	uint64_t n;

	if (!rdb_in_string(in, 0, &name))
		return false;
	struct streamconsumer *c = streamgroup_add_consumer(g, name, 0);
	if (!c)
		return rdb_in_fail(in, "a group has a consumer twice");
	if (!read_ms(in, &seen))
		return false;
	active = seen;
	if (type == RDB_STREAM_3 && !read_ms(in, &active))
		return false;
	c->seen_ms = seen;
	c->active_ms = active;
	if (!rdb_in_count(in, sizeof(id), &n))
		return false;
	for (*assigned += n; n; n--) {
		if (!read_raw_id(in, &id))
			return false;
		struct streampending *p = streamgroup_pending(g, id);
		if (!p || p->consumer)
			return rdb_in_fail(in, "an entry pending at a consumer %s",
					   p ? "and another" : "but not in its group");
		streamgroup_assign(g, id, c);
	}
	return true;
}

static bool read_group(struct rdb_in *in, unsigned type, struct stream *s)
{
	uint64_t read = 0, n, assigned = 0;
	struct stream_id last;
	struct bytes name;

	if (!rdb_in_string(in, 0, &name))
		return false;
	/* Its place in scratch is good until the next string. */
	if (!read_id(in, &last) || (type != RDB_STREAM && !rdb_in_plain_len(in, &read)))
		return false;
	if (type == RDB_STREAM)
		read = (uint64_t)streamgroup_distance(stream_info(s), last);
	if ((int64_t)read < 0)
		read = (uint64_t)STREAM_READ_UNKNOWN;
	struct streamgroup *g = streamgroup_add(stream_groups(s), name, last, (int64_t)read);
	if (!g)
		return rdb_in_fail(in, "a stream has a group twice");
	if (!read_pending(in, g) || !rdb_in_count(in, 10, &n))
		return false;
	for (; n; n--)
		if (!read_consumer(in, g, type, &assigned))
			return false;
	return assigned == g->pending.count ||
	       rdb_in_fail(in, "an entry is pending at no consumer");
}

static bool read_groups(struct rdb_in *in, unsigned type, struct stream *s)
{
	uint64_t n;
	bool ok = rdb_in_count(in, 5, &n);

	while (ok && n--)
		ok = read_group(in, type, s);
	return ok;
}

struct stream *rdb_stream_read(struct rdb_in *in, unsigned type)
{
	struct stream *s = stream_new();
	uint64_t n;
	/* Each node takes its id's seventeen bytes, and a listpack. */
	bool ok = rdb_in_count(in, 18, &n);

	while (ok && n--)
		ok = read_node(in, s);
	if (ok && read_info(in, type, s) && read_groups(in, type, s))
		return s;
	stream_free(s);
	return NULL;
}
