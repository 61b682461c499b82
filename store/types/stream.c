#include "store/types/stream.h"

#include <endian.h>

#include "store/base/check.h"
#include "store/base/mem.h"

struct node {
	struct stream_id master; /* the id of its first entry, deleted or not */
	unsigned char *lp;
};

struct stream {
	struct stream_info info;
	struct streamnames groups;
	struct node *nodes; /* those in use are head..head+n-1 of cap */
	size_t head, n, cap;
	uint64_t mark; /* 0 for none */
	bool sealed; /* the last node holds a deleted entry above info.last: the next entry needs a node of its own */
};

/* --- ids --- */

bool stream_id_next(struct stream_id *id)
{
	if (id->seq == UINT64_MAX) {
		if (id->ms == UINT64_MAX)
			return false;
		id->ms++;
	}
	id->seq++;
	return true;
}

bool stream_id_prev(struct stream_id *id)
{
	if (id->seq == 0) {
		if (id->ms == 0)
			return false;
		id->ms--;
	}
	id->seq--;
	return true;
}

/* --- the array of nodes --- */

static struct node *node_at(const struct stream *s, size_t i)
{
	return &s->nodes[s->head + i];
}

/* Room for one more at the end; false without memory. */
static bool reserve(struct stream *s)
{
	if (s->head + s->n < s->cap)
		return true;
	/* A queue moves down once it has left half of its room behind. */
	if (s->head > s->cap / 2) {
		memmove(s->nodes, s->nodes + s->head, s->n * sizeof(*s->nodes));
		s->head = 0;
		return true;
	}
	size_t cap = s->cap ? s->cap * 2 : 1;
	struct node *nodes = mem_retry(s->nodes, cap * sizeof(*nodes));
	if (!nodes)
		return false;
	s->nodes = nodes;
	s->cap = cap;
	return true;
}

static void remove_node(struct stream *s, size_t i)
{
	listpack_free(node_at(s, i)->lp);
	if (i < s->n / 2) {
		memmove(node_at(s, 1), node_at(s, 0), i * sizeof(struct node));
		s->head++;
	} else {
		memmove(node_at(s, i), node_at(s, i + 1), (s->n - i - 1) * sizeof(struct node));
	}
	s->n--;
	if (s->n == 0)
		s->head = 0;
	if (s->cap > 64 && s->n < s->cap / 8) {
		memmove(s->nodes, s->nodes + s->head, s->n * sizeof(*s->nodes));
		s->head = 0;
		struct node *fewer = mem_retry(s->nodes, s->cap / 4 * sizeof(*fewer));
		if (fewer) {
			s->nodes = fewer;
			s->cap /= 4;
		}
	}
}

/* The node that @id belongs to: the last one that does not begin above it; 0 when all do. */
static size_t node_of(const struct stream *s, struct stream_id id)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (stream_id_cmp(node_at(s, mid)->master, id) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? low - 1 : 0;
}

/* --- making and freeing --- */

struct stream *stream_new(void)
{
	return mem_calloc(sizeof(struct stream));
}

void stream_free(struct stream *s)
{
	for (size_t i = 0; i < s->n; i++)
		listpack_free(node_at(s, i)->lp);
	streamgroups_free(&s->groups);
	mem_free(s->nodes);
	mem_free(s);
}

uint64_t stream_mark(struct stream *s, uint64_t fresh)
{
	if (!s->mark)
		s->mark = fresh;
	return s->mark;
}

struct stream *stream_dup(const struct stream *s)
{
	struct stream *copy = stream_new();

	copy->info = s->info;
	copy->sealed = s->sealed;
	streamgroups_dup(&copy->groups, &s->groups);
	copy->n = copy->cap = s->n;
	if (s->n)
		copy->nodes = mem_alloc(s->n * sizeof(*copy->nodes));
	for (size_t i = 0; i < s->n; i++) {
		copy->nodes[i].master = node_at(s, i)->master;
		copy->nodes[i].lp = listpack_dup(node_at(s, i)->lp);
	}
	return copy;
}

const struct stream_info *stream_info(const struct stream *s)
{
	return &s->info;
}

struct streamnames *stream_groups(struct stream *s)
{
	return &s->groups;
}

/* --- appending --- */

/* Whether the node takes one more entry, whose contents are @bytes and whose elements @size bytes long. */
static bool has_room(unsigned char *lp, size_t bytes, size_t size, const struct type_limits *lim)
{
	size_t have = listpack_bytes(lp), most = lim->stream_node_max_bytes;

	if (most == 0 || most > STREAMNODE_MAX)
		most = STREAMNODE_MAX;
	if (have + bytes >= most || have + size > STREAMNODE_MAX)
		return false;
	return lim->stream_node_max_entries == 0 ||
	       streamnode_live(lp) + streamnode_deleted(lp) < lim->stream_node_max_entries;
}

/* A node for @id at the end; false without memory. */
static bool open_node(struct stream *s, struct stream_id id, const struct bytes *pairs,
		      size_t nfields)
{
	if (!reserve(s))
		return false;
	unsigned char *lp = streamnode_new(pairs, nfields);
	if (!lp)
		return false;
	*node_at(s, s->n) = (struct node){id, lp};
	s->n++;
	return true;
}

enum store_err stream_append(struct stream *s, struct stream_id id, const struct bytes *pairs,
			     size_t nfields, const struct type_limits *lim)
{
	size_t size = streamnode_size(pairs, nfields), bytes = 0;

	if (stream_id_cmp(id, s->info.last) <= 0)
		return STORE_ERANGE;
	if (size > STREAMNODE_MAX)
		return STORE_ETOOBIG;
	for (size_t i = 0; i < 2 * nfields; i++)
		bytes += pairs[i].n;
	bool fresh =
		s->n == 0 || s->sealed || !has_room(node_at(s, s->n - 1)->lp, bytes, size, lim);
	if (fresh && !open_node(s, id, pairs, nfields))
		return STORE_ENOMEM;
	struct node *node = node_at(s, s->n - 1);
	if (!streamnode_append(&node->lp, node->master, id, pairs, nfields)) {
		if (fresh)
			remove_node(s, s->n - 1);
		return STORE_ENOMEM;
	}
	s->sealed = false;
	s->info.last = id;
	s->info.added++;
	if (s->info.length++ == 0)
		s->info.first = id;
	return STORE_OK;
}

/* --- deleting --- */

/* The entry @id in node *@node; false when it is not there or already deleted. */
static bool find(const struct stream *s, struct stream_id id, size_t *node,
		 struct streamnode_entry *e)
{
	if (s->n == 0)
		return false;
	*node = node_of(s, id);
	const struct node *at = node_at(s, *node);
	bool more = streamnode_first(at->lp, at->master, e);
	while (more && stream_id_cmp(e->id, id) < 0)
		more = streamnode_next(at->lp, at->master, e);
	return more && !e->deleted && stream_id_cmp(e->id, id) == 0;
}

bool stream_has(const struct stream *s, struct stream_id id)
{
	struct streamnode_entry e;
	size_t node;

	return find(s, id, &node, &e);
}

static bool delete_one(struct stream *s, struct stream_id id)
{
	struct streamnode_entry e;
	size_t i;

	if (!find(s, id, &i, &e))
		return false;
	struct node *node = node_at(s, i);
	if (streamnode_live(node->lp) == 1) {
		remove_node(s, i);
	} else {
		streamnode_mark(&e);
		node->lp = streamnode_count(node->lp, 1);
	}
	s->info.length--;
	if (stream_id_cmp(id, s->info.max_deleted) > 0)
		s->info.max_deleted = id;
	return true;
}

static void find_first(struct stream *s)
{
	if (!stream_edge(s, false, &s->info.first))
		s->info.first = STREAM_ID_MIN;
}

size_t stream_delete(struct stream *s, const struct stream_id *ids, size_t n)
{
	size_t deleted = 0;
	bool first = false;

	for (size_t i = 0; i < n; i++) {
		if (!delete_one(s, ids[i]))
			continue;
		deleted++;
		first |= stream_id_cmp(ids[i], s->info.first) == 0;
	}
	if (first || s->info.length == 0)
		find_first(s);
	return deleted;
}

/* --- trimming --- */

static bool enough(const struct stream *s, const struct stream_trim *t, struct stream_id id)
{
	return t->by_id ? stream_id_cmp(id, t->minid) >= 0 : s->info.length <= t->maxlen;
}

/* Whether the first node goes whole. */
static bool node_goes(const struct stream *s, const struct stream_trim *t)
{
	const struct node *node = node_at(s, 0);
	struct streamnode_entry last;

	if (!t->by_id)
		return s->info.length - streamnode_live(node->lp) >= t->maxlen;
	return !streamnode_last(node->lp, node->master, &last) || !enough(s, t, last.id);
}

/* Delete from the front of the first node. */
static uint64_t trim_within(struct stream *s, const struct stream_trim *t)
{
	struct node *node = node_at(s, 0);
	struct streamnode_entry e;
	uint64_t deleted = 0;

	bool more = streamnode_first(node->lp, node->master, &e);
	while (more && !enough(s, t, e.id)) {
		if (!e.deleted) {
			streamnode_mark(&e);
			s->info.length--;
			deleted++;
		}
		more = streamnode_next(node->lp, node->master, &e);
	}
	if (deleted)
		node->lp = streamnode_count(node->lp, deleted);
	if (streamnode_live(node->lp) == 0)
		remove_node(s, 0);
	return deleted;
}

uint64_t stream_trim(struct stream *s, const struct stream_trim *t)
{
	uint64_t deleted = 0;

	while (s->n && (t->by_id || s->info.length > t->maxlen)) {
		uint64_t live = streamnode_live(node_at(s, 0)->lp);
		if (t->limit && deleted + live > t->limit)
			break;
		if (!node_goes(s, t)) {
			if (!t->approx)
				deleted += trim_within(s, t);
			break;
		}
		remove_node(s, 0);
		s->info.length -= live;
		deleted += live;
	}
	if (deleted)
		find_first(s);
	return deleted;
}

void stream_set_last(struct stream *s, struct stream_id last)
{
	struct streamnode_entry top;

	s->info.last = last;
	if (s->n) {
		const struct node *node = node_at(s, s->n - 1);
		s->sealed = streamnode_last(node->lp, node->master, &top) &&
			    stream_id_cmp(top.id, last) > 0;
	}
}

void stream_set_added(struct stream *s, uint64_t added)
{
	s->info.added = added;
}

void stream_set_max_deleted(struct stream *s, struct stream_id id)
{
	s->info.max_deleted = id;
}

/* --- walking --- */

bool stream_edge(const struct stream *s, bool last, struct stream_id *id)
{
	struct stream_iter it;

	stream_iter_begin(&it, s, STREAM_ID_MIN, STREAM_ID_MAX, last);
	if (!stream_iter_next(&it))
		return false;
	*id = it.e.id;
	return true;
}

void stream_iter_begin(struct stream_iter *it, const struct stream *s, struct stream_id start,
		       struct stream_id end, bool backwards)
{
	it->s = s;
	it->start = start;
	it->end = end;
	it->backwards = backwards;
	it->inside = false;
	it->node = s->n ? node_of(s, backwards ? end : start) : 0;
}

/* The next entry in storage order, of whatever kind. */
static bool step(struct stream_iter *it)
{
	while (it->node < it->s->n) {
		const struct node *node = node_at(it->s, it->node);
		bool found;
		if (it->backwards)
			found = it->inside ? streamnode_prev(node->lp, node->master, &it->e)
					   : streamnode_last(node->lp, node->master, &it->e);
		else
			found = it->inside ? streamnode_next(node->lp, node->master, &it->e)
					   : streamnode_first(node->lp, node->master, &it->e);
		it->inside = found;
		if (found)
			return true;
		it->node += it->backwards ? (size_t)-1 : 1; /* before 0 lies past the end */
	}
	return false;
}

bool stream_iter_next(struct stream_iter *it)
{
	while (step(it)) {
		/* A deleted one may stand out of order: see sealed. */
		if (it->e.deleted)
			continue;
		bool below = stream_id_cmp(it->e.id, it->start) < 0;
		bool above = stream_id_cmp(it->e.id, it->end) > 0;
		if (!below && !above) {
			it->name = it->e.same ? it->e.names : it->e.data;
			it->value = it->e.data;
			return true;
		}
		if (it->backwards ? below : above)
			break;
	}
	it->node = it->s->n;
	return false;
}

void stream_iter_pair(struct stream_iter *it, struct bytes *field, struct bytes *value)
{
	*field = listpack_get(it->name, it->name_buf);
	if (!it->e.same)
		it->value = listpack_next(NULL, it->name);
	*value = listpack_get(it->value, it->value_buf);
	if (it->e.same) {
		it->name = listpack_next(NULL, it->name);
		it->value = listpack_next(NULL, it->value);
	} else {
		it->name = listpack_next(NULL, it->value);
	}
}

/* --- nodes from outside and to it --- */

size_t stream_nodes(const struct stream *s)
{
	return s->n;
}

struct bytes stream_node(const struct stream *s, size_t i, struct stream_id *master)
{
	const struct node *node = node_at(s, i);

	*master = node->master;
	return bytes_of(node->lp, listpack_bytes(node->lp));
}

bool stream_adopt(struct stream *s, struct stream_id master, unsigned char *data, size_t n)
{
	bool grows = s->n == 0 || stream_id_cmp(master, node_at(s, s->n - 1)->master) > 0;

	if (!grows || !listpack_valid(data, n) || !streamnode_valid(data, master) || !reserve(s)) {
		mem_free(data);
		return false;
	}
	*node_at(s, s->n) = (struct node){master, data};
	s->n++;
	s->info.length += streamnode_live(data);
	return true;
}

bool stream_set_info(struct stream *s, const struct stream_info *info)
{
	struct stream_id last = STREAM_ID_MIN;

	if (info->length != s->info.length ||
	    (stream_edge(s, true, &last) && stream_id_cmp(last, info->last) > 0))
		return false;
	s->info = *info;
	stream_set_last(s, info->last);
	/* The first id is found, not believed. */
	find_first(s);
	return true;
}

/* --- figures --- */

static unsigned common_prefix(struct stream_id a, struct stream_id b)
{
	if (a.ms != b.ms)
		return (unsigned)__builtin_clzll(a.ms ^ b.ms) / 8;
	return 8 + (unsigned)__builtin_clzll(a.seq ^ b.seq) / 8;
}

/* Masters as big-endian keys of 16 bytes: each is a leaf, each place where two part is a node, and so is each run of one byte or more
 * between those, not counting the byte by which a child is chosen. */
size_t stream_radix_nodes(const struct stream *s)
{
	unsigned path[17] = {0}; /* depths of the branches above the key before, outermost first */
	size_t depth = 0, count = 1;

	if (s->n < 2)
		return s->n + 1;
	count = 0;
	for (size_t i = 0; i < s->n; i++) {
		bool final = i + 1 == s->n;
		unsigned left =
			i ? common_prefix(node_at(s, i - 1)->master, node_at(s, i)->master) : 0;
		unsigned right =
			final ? 0 : common_prefix(node_at(s, i)->master, node_at(s, i + 1)->master);
		unsigned parent = i == 0 ? right : final || left > right ? left : right;
		count += 1 + (16 - parent > 1);
		/* Branches deeper than where the next key parts are done. */
		while (depth && (final || path[depth - 1] > right)) {
			unsigned branch = path[--depth];
			bool top = depth == 0 && final;
			unsigned up = depth && (final || path[depth - 1] > right) ? path[depth - 1]
										  : right;
			count += 1 + (top ? branch > 0 : branch - up > 1);
		}
		if (!final && (depth == 0 || path[depth - 1] < right))
			path[depth++] = right;
	}
	return count;
}

const char *stream_encoding(const struct stream *s)
{
	(void)s;
	return "stream";
}

size_t stream_mem(const struct stream *s, unsigned samples)
{
	size_t n = samples && samples < s->n ? samples : s->n, sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += mem_size(node_at(s, i)->lp);
	if (n < s->n)
		sum = (size_t)((double)sum / (double)n * (double)s->n);
	return mem_size(s) + mem_size(s->nodes) + sum + streamgroups_mem(&s->groups);
}

size_t stream_effort(const struct stream *s)
{
	return s->n + 2 + streamgroups_effort(&s->groups);
}

void stream_check(const struct stream *s, const struct type_limits *lim)
{
	struct stream_id above = STREAM_ID_MIN, first = STREAM_ID_MIN;
	uint64_t live = 0;

	STORE_CHECK(s->head + s->n <= s->cap);
	for (size_t i = 0; i < s->n; i++) {
		const struct node *node = node_at(s, i);
		struct streamnode_entry last;
		STORE_CHECK(i == 0 || stream_id_cmp(node->master, above) > 0);
		STORE_CHECK(listpack_valid(node->lp, listpack_bytes(node->lp)));
		STORE_CHECK(streamnode_valid(node->lp, node->master));
		STORE_CHECK(streamnode_last(node->lp, node->master, &last) &&
			    streamnode_live(node->lp));
		if (lim->stream_node_max_entries)
			STORE_CHECK(streamnode_live(node->lp) + streamnode_deleted(node->lp) <=
				    lim->stream_node_max_entries);
		above = node->master;
		live += streamnode_live(node->lp);
	}
	STORE_CHECK(live == s->info.length);
	if (stream_edge(s, true, &above))
		STORE_CHECK(stream_id_cmp(above, s->info.last) <= 0);
	stream_edge(s, false, &first);
	STORE_CHECK(stream_id_cmp(first, s->info.first) == 0);
	streamgroups_check(&s->groups);
}
