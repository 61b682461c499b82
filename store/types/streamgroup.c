#include "store/types/streamgroup.h"

#include <string.h>

#include "store/base/check.h"
#include "store/base/mem.h"
#include "store/types/stream.h"

/* --- names --- */

/* The place of @name, or where it would be. */
static size_t place_of(const struct streamnames *names, struct bytes name, bool *found)
{
	size_t low = 0, high = names->n;

	*found = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = bytes_cmp(*names->v[mid], name);
		if (c == 0) {
			*found = true;
			return mid;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void *names_find(const struct streamnames *names, struct bytes name)
{
	bool found;
	size_t i = place_of(names, name, &found);

	return found ? names->v[i] : NULL;
}

/* A zeroed thing of @size bytes under @name; NULL when there is one. */
static void *names_add(struct streamnames *names, struct bytes name, size_t size)
{
	bool found;
	size_t i = place_of(names, name, &found);

	if (found)
		return NULL;
	if (names->n == names->cap) {
		names->cap = names->cap ? names->cap * 2 : 1;
		names->v = mem_realloc(names->v, names->cap * sizeof(*names->v));
	}
	unsigned char *made = mem_alloc(size + name.n);
	memset(made, 0, size);
	if (name.n)
		memcpy(made + size, name.p, name.n);
	struct bytes *named = (struct bytes *)made;
	*named = bytes_of(made + size, name.n);
	memmove(names->v + i + 1, names->v + i, (names->n - i) * sizeof(*names->v));
	names->v[i] = named;
	names->n++;
	return made;
}

/* Off the list; the thing itself stays. */
static void names_remove(struct streamnames *names, const struct bytes *named)
{
	bool found;
	size_t i = place_of(names, *named, &found);

	memmove(names->v + i, names->v + i + 1, (names->n - i - 1) * sizeof(*names->v));
	if (--names->n == 0) {
		mem_free(names->v);
		*names = (struct streamnames){0};
	}
}

/* --- consumers --- */

struct streamconsumer *streamgroup_consumer(const struct streamgroup *g, struct bytes name)
{
	return names_find(&g->consumers, name);
}

struct streamconsumer *streamgroup_add_consumer(struct streamgroup *g, struct bytes name,
						int64_t now)
{
	struct streamconsumer *c = names_add(&g->consumers, name, sizeof(*c));

	if (!c)
		return NULL;
	c->seen_ms = now;
	c->active_ms = -1;
	idmap_init(&c->pending, 0);
	return c;
}

static void consumer_free(struct streamconsumer *c)
{
	idmap_fini(&c->pending);
	mem_free(c);
}

void streamgroup_remove_consumer(struct streamgroup *g, struct streamconsumer *consumer)
{
	struct idmap_at at = idmap_seek(&consumer->pending, STREAM_ID_MIN);
	struct stream_id id;

	for (; idmap_get(&consumer->pending, &at, &id); idmap_next(&consumer->pending, &at))
		idmap_remove(&g->pending, id);
	names_remove(&g->consumers, &consumer->name);
	consumer_free(consumer);
}

/* --- groups --- */

struct streamgroup *streamgroup_find(const struct streamnames *groups, struct bytes name)
{
	return names_find(groups, name);
}

struct streamgroup *streamgroup_add(struct streamnames *groups, struct bytes name,
				    struct stream_id last, int64_t read)
{
	struct streamgroup *g = names_add(groups, name, sizeof(*g));

	if (!g)
		return NULL;
	g->last = last;
	g->read = read;
	idmap_init(&g->pending, sizeof(struct streampending));
	return g;
}

static void group_free(struct streamgroup *g)
{
	for (size_t i = 0; i < g->consumers.n; i++)
		consumer_free(streamgroup_consumer_at(g, i));
	mem_free(g->consumers.v);
	idmap_fini(&g->pending);
	mem_free(g);
}

void streamgroup_remove(struct streamnames *groups, struct streamgroup *g)
{
	names_remove(groups, &g->name);
	group_free(g);
}

void streamgroups_free(struct streamnames *groups)
{
	for (size_t i = 0; i < groups->n; i++)
		group_free(streamgroup_at(groups, i));
	mem_free(groups->v);
	*groups = (struct streamnames){0};
}

static void group_dup(struct streamnames *groups, const struct streamgroup *g)
{
	struct streamgroup *copy = streamgroup_add(groups, g->name, g->last, g->read);
	struct stream_id id;

	idmap_dup(&copy->pending, &g->pending);
	for (size_t i = 0; i < g->consumers.n; i++) {
		const struct streamconsumer *from = streamgroup_consumer_at(g, i);
		struct streamconsumer *to =
			streamgroup_add_consumer(copy, from->name, from->seen_ms);
		to->active_ms = from->active_ms;
		idmap_dup(&to->pending, &from->pending);
		/* The copies still point to the consumers that they were copied from. */
		struct idmap_at at = idmap_seek(&to->pending, STREAM_ID_MIN);
		for (; idmap_get(&to->pending, &at, &id); idmap_next(&to->pending, &at))
			streamgroup_pending(copy, id)->consumer = to;
	}
}

void streamgroups_dup(struct streamnames *copy, const struct streamnames *groups)
{
	*copy = (struct streamnames){0};
	for (size_t i = 0; i < groups->n; i++)
		group_dup(copy, streamgroup_at(groups, i));
}

size_t streamgroups_mem(const struct streamnames *groups)
{
	size_t sum = mem_size(groups->v);

	for (size_t i = 0; i < groups->n; i++) {
		const struct streamgroup *g = streamgroup_at(groups, i);
		sum += mem_size(g) + idmap_mem(&g->pending) + mem_size(g->consumers.v);
		for (size_t k = 0; k < g->consumers.n; k++) {
			const struct streamconsumer *c = streamgroup_consumer_at(g, k);
			sum += mem_size(c) + idmap_mem(&c->pending);
		}
	}
	return sum;
}

size_t streamgroups_effort(const struct streamnames *groups)
{
	size_t sum = 0;

	for (size_t i = 0; i < groups->n; i++) {
		const struct streamgroup *g = streamgroup_at(groups, i);
		/* Consumers hold no more than their group does. */
		sum += 2 * idmap_effort(&g->pending) + 2 * g->consumers.n + 2;
	}
	return sum;
}

/* --- what is pending --- */

struct streampending *streamgroup_pending(const struct streamgroup *g, struct stream_id id)
{
	return idmap_find(&g->pending, id);
}

struct streampending *streamgroup_assign(struct streamgroup *g, struct stream_id id,
					 struct streamconsumer *consumer)
{
	bool added;
	struct streampending *p = idmap_add(&g->pending, id, &added);

	if (p->consumer == consumer)
		return p;
	if (p->consumer)
		idmap_remove(&p->consumer->pending, id);
	idmap_add(&consumer->pending, id, &added);
	p->consumer = consumer;
	return p;
}

bool streamgroup_acknowledge(struct streamgroup *g, struct stream_id id)
{
	struct streampending *p = streamgroup_pending(g, id);

	if (!p)
		return false;
	idmap_remove(&p->consumer->pending, id);
	idmap_remove(&g->pending, id);
	return true;
}

/* --- how far a group is --- */

static bool is_zero(struct stream_id id)
{
	return id.ms == 0 && id.seq == 0;
}

/* Whether an entry from @id on may have been deleted, and stood behind the first there is. */
static bool holes_from(const struct stream_info *s, struct stream_id id)
{
	return s->length && !is_zero(s->max_deleted) &&
	       stream_id_cmp(s->first, s->max_deleted) <= 0 &&
	       stream_id_cmp(id, s->max_deleted) <= 0;
}

int64_t streamgroup_distance(const struct stream_info *s, struct stream_id id)
{
	int to_last = stream_id_cmp(id, s->last);

	if (s->added == 0)
		return 0;
	if (s->length == 0 && to_last <= 0)
		return (int64_t)s->added;
	if (to_last == 0)
		return (int64_t)s->added;
	if (to_last > 0)
		return STREAM_READ_UNKNOWN;
	/* Nothing is missing between the first entry and the last: what was trimmed was in front. */
	if (is_zero(s->max_deleted) || stream_id_cmp(s->max_deleted, s->first) < 0) {
		int to_first = stream_id_cmp(id, s->first);
		if (to_first < 0)
			return (int64_t)(s->added - s->length);
		if (to_first == 0)
			return (int64_t)(s->added - s->length + 1);
	}
	return STREAM_READ_UNKNOWN;
}

bool streamgroup_advance(struct streamgroup *g, const struct stream_info *s, struct stream_id id)
{
	if (stream_id_cmp(id, g->last) <= 0)
		return false;
	if (g->read != STREAM_READ_UNKNOWN && !holes_from(s, id))
		g->read++;
	else if (s->added)
		g->read = streamgroup_distance(s, id);
	g->last = id;
	return true;
}

bool streamgroup_lag(const struct streamgroup *g, const struct stream_info *s, int64_t *lag)
{
	int64_t read = g->read;

	*lag = 0;
	if (s->added == 0)
		return true;
	if (read == STREAM_READ_UNKNOWN || holes_from(s, g->last))
		read = streamgroup_distance(s, g->last);
	*lag = (int64_t)s->added - read;
	return read != STREAM_READ_UNKNOWN;
}

/* --- checks --- */

static void check_names(const struct streamnames *names)
{
	STORE_CHECK(names->n <= names->cap);
	for (size_t i = 1; i < names->n; i++)
		STORE_CHECK(bytes_cmp(*names->v[i - 1], *names->v[i]) < 0);
}

void streamgroups_check(const struct streamnames *groups)
{
	struct stream_id id;

	check_names(groups);
	for (size_t i = 0; i < groups->n; i++) {
		const struct streamgroup *g = streamgroup_at(groups, i);
		uint64_t pending = 0;
		check_names(&g->consumers);
		idmap_check(&g->pending);
		for (size_t k = 0; k < g->consumers.n; k++) {
			const struct streamconsumer *c = streamgroup_consumer_at(g, k);
			struct idmap_at at = idmap_seek(&c->pending, STREAM_ID_MIN);
			idmap_check(&c->pending);
			pending += c->pending.count;
			for (; idmap_get(&c->pending, &at, &id); idmap_next(&c->pending, &at)) {
				const struct streampending *p = streamgroup_pending(g, id);
				STORE_CHECK(p && p->consumer == c);
			}
		}
		STORE_CHECK(pending == g->pending.count);
	}
}
