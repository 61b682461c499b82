#include "store/types/idmap.h"

#include <string.h>

#include "store/base/check.h"
#include "store/base/mem.h"

#define LEAF_FIRST 4 /* records that a leaf begins with */

struct idmap_leaf {
	uint16_t begin, n, cap; /* records begin..begin+n-1 of cap are in use */
	_Alignas(8) unsigned char records[];
};

static unsigned char *record(const struct idmap *m, const struct idmap_leaf *leaf, size_t pos)
{
	return (unsigned char *)(uintptr_t)leaf->records + (leaf->begin + pos) * m->stride;
}

static struct stream_id id_at(const struct idmap *m, const struct idmap_leaf *leaf, size_t pos)
{
	struct stream_id id;

	memcpy(&id, record(m, leaf, pos), sizeof(id));
	return id;
}

static struct idmap_leaf *leaf_at(const struct idmap *m, size_t i)
{
	return m->leaves[m->head + i];
}

/* --- searching --- */

/* The leaf where @id is or would be: the last that does not begin above it, else the first. */
static size_t leaf_of(const struct idmap *m, struct stream_id id)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (stream_id_cmp(id_at(m, leaf_at(m, mid), 0), id) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? low - 1 : 0;
}

/* The first place in @leaf whose id is not below @id. */
static size_t place_of(const struct idmap *m, const struct idmap_leaf *leaf, struct stream_id id)
{
	size_t low = 0, high = leaf->n;

	/* Mostly it is above all or the lowest. */
	if (stream_id_cmp(id_at(m, leaf, high - 1), id) < 0)
		return high;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (stream_id_cmp(id_at(m, leaf, mid), id) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_at(const struct idmap *m, const struct idmap_leaf *leaf, size_t pos,
		  struct stream_id id)
{
	return pos < leaf->n && stream_id_cmp(id_at(m, leaf, pos), id) == 0;
}

/* --- leaves --- */

static struct idmap_leaf *leaf_resize(const struct idmap *m, struct idmap_leaf *leaf, size_t cap)
{
	if (leaf && leaf->begin) {
		memmove(leaf->records, record(m, leaf, 0), leaf->n * m->stride);
		leaf->begin = 0;
	}
	struct idmap_leaf *moved = mem_realloc(leaf, sizeof(*leaf) + cap * m->stride);
	if (!leaf)
		moved->begin = moved->n = 0;
	moved->cap = (uint16_t)cap;
	return moved;
}

/* An empty leaf at place @i of the array. */
static void open_leaf(struct idmap *m, size_t i, size_t cap)
{
	if (m->head + m->n == m->cap) {
		if (m->head > m->cap / 2) {
			memmove(m->leaves, m->leaves + m->head, m->n * sizeof(*m->leaves));
			m->head = 0;
		} else {
			m->cap = m->cap ? m->cap * 2 : 1;
			m->leaves = mem_realloc(m->leaves, m->cap * sizeof(*m->leaves));
		}
	}
	struct idmap_leaf **at = m->leaves + m->head + i;
	memmove(at + 1, at, (m->n - i) * sizeof(*at));
	*at = leaf_resize(m, NULL, cap);
	m->n++;
}

static void drop_leaf(struct idmap *m, size_t i)
{
	struct idmap_leaf **at = m->leaves + m->head;

	mem_free(at[i]);
	if (i < m->n / 2) {
		memmove(at + 1, at, i * sizeof(*at));
		m->head++;
	} else {
		memmove(at + i, at + i + 1, (m->n - i - 1) * sizeof(*at));
	}
	if (--m->n == 0) {
		mem_free(m->leaves);
		m->leaves = NULL;
		m->head = m->cap = 0;
	} else if (m->cap > 64 && m->n < m->cap / 8) {
		memmove(m->leaves, m->leaves + m->head, m->n * sizeof(*m->leaves));
		m->head = 0;
		m->cap /= 4;
		m->leaves = mem_realloc(m->leaves, m->cap * sizeof(*m->leaves));
	}
}

/* Move the upper half of the full leaf @i into a new one behind it. */
static void split(struct idmap *m, size_t i)
{
	open_leaf(m, i + 1, IDMAP_LEAF);
	struct idmap_leaf *low = leaf_at(m, i), *high = leaf_at(m, i + 1);
	size_t keep = low->n / 2;

	high->n = (uint16_t)(low->n - keep);
	memcpy(high->records, record(m, low, keep), high->n * m->stride);
	low->n = (uint16_t)keep;
}

/* --- all --- */

void idmap_init(struct idmap *m, size_t size)
{
	*m = (struct idmap){.stride = sizeof(struct stream_id) + size};
}

void idmap_fini(struct idmap *m)
{
	for (size_t i = 0; i < m->n; i++)
		mem_free(leaf_at(m, i));
	mem_free(m->leaves);
	m->leaves = NULL;
	m->head = m->n = m->cap = 0;
	m->count = 0;
}

void idmap_dup(struct idmap *copy, const struct idmap *m)
{
	*copy = *m;
	copy->head = 0;
	copy->cap = m->n;
	copy->leaves = m->n ? mem_alloc(m->n * sizeof(*m->leaves)) : NULL;
	for (size_t i = 0; i < m->n; i++) {
		const struct idmap_leaf *leaf = leaf_at(m, i);
		struct idmap_leaf *own = leaf_resize(m, NULL, leaf->n);
		own->n = leaf->n;
		memcpy(own->records, record(m, leaf, 0), leaf->n * m->stride);
		copy->leaves[i] = own;
	}
}

void *idmap_find(const struct idmap *m, struct stream_id id)
{
	if (m->n == 0)
		return NULL;
	const struct idmap_leaf *leaf = leaf_at(m, leaf_of(m, id));
	size_t pos = place_of(m, leaf, id);
	return is_at(m, leaf, pos, id) ? record(m, leaf, pos) + sizeof(id) : NULL;
}

/* Room for one more record at @pos of the leaf @i, which is not full; answers where. */
static unsigned char *make_room(struct idmap *m, size_t i, size_t pos)
{
	struct idmap_leaf *leaf = leaf_at(m, i);

	if (leaf->n == leaf->cap) {
		size_t cap = leaf->cap < IDMAP_LEAF / 2 ? leaf->cap * 2u : IDMAP_LEAF;
		leaf = m->leaves[m->head + i] =
			leaf_resize(m, leaf, cap < LEAF_FIRST ? LEAF_FIRST : cap);
	}
	bool front = leaf->begin && (pos < leaf->n / 2 || leaf->begin + leaf->n == leaf->cap);
	if (front) {
		unsigned char *from = record(m, leaf, 0);
		memmove(from - m->stride, from, pos * m->stride);
		leaf->begin--;
	} else {
		unsigned char *from = record(m, leaf, pos);
		memmove(from + m->stride, from, (leaf->n - pos) * m->stride);
	}
	leaf->n++;
	return record(m, leaf, pos);
}

void *idmap_add(struct idmap *m, struct stream_id id, bool *added)
{
	size_t i = 0, pos = 0;

	if (m->n == 0) {
		open_leaf(m, 0, LEAF_FIRST);
	} else {
		i = leaf_of(m, id);
		pos = place_of(m, leaf_at(m, i), id);
		*added = !is_at(m, leaf_at(m, i), pos, id);
		if (!*added)
			return record(m, leaf_at(m, i), pos) + sizeof(id);
	}
	*added = true;
	if (leaf_at(m, i)->n == IDMAP_LEAF) {
		/* What only grows leaves full leaves behind. */
		if (i + 1 == m->n && pos == IDMAP_LEAF) {
			open_leaf(m, ++i, LEAF_FIRST);
			pos = 0;
		} else {
			split(m, i);
			if (pos > leaf_at(m, i)->n) {
				pos -= leaf_at(m, i)->n;
				i++;
			}
		}
	}
	unsigned char *at = make_room(m, i, pos);
	memcpy(at, &id, sizeof(id));
	memset(at + sizeof(id), 0, m->stride - sizeof(id));
	m->count++;
	return at + sizeof(id);
}

/* Put what the leaf behind @i has into it, if both are sparse. */
static void merge(struct idmap *m, size_t i)
{
	if (i + 1 >= m->n)
		return;
	struct idmap_leaf *low = leaf_at(m, i), *high = leaf_at(m, i + 1);
	size_t n = low->n + (size_t)high->n;
	if (n > IDMAP_LEAF / 2)
		return;
	if (low->begin + n > low->cap)
		low = m->leaves[m->head + i] = leaf_resize(m, low, n);
	memcpy(record(m, low, low->n), record(m, high, 0), high->n * m->stride);
	low->n = (uint16_t)n;
	drop_leaf(m, i + 1);
}

bool idmap_remove(struct idmap *m, struct stream_id id)
{
	if (m->n == 0)
		return false;
	size_t i = leaf_of(m, id);
	struct idmap_leaf *leaf = leaf_at(m, i);
	size_t pos = place_of(m, leaf, id);
	if (!is_at(m, leaf, pos, id))
		return false;
	unsigned char *at = record(m, leaf, pos), *first = record(m, leaf, 0);
	if (pos < leaf->n / 2) {
		memmove(first + m->stride, first, pos * m->stride);
		leaf->begin++;
	} else {
		memmove(at, at + m->stride, (leaf->n - pos - 1) * m->stride);
	}
	leaf->n--;
	m->count--;
	if (leaf->n == 0) {
		drop_leaf(m, i);
	} else if (leaf->n <= IDMAP_LEAF / 4) {
		if (leaf->cap > LEAF_FIRST && leaf->n <= leaf->cap / 4)
			m->leaves[m->head + i] = leaf_resize(m, leaf, leaf->cap / 2);
		merge(m, i);
		if (i)
			merge(m, i - 1);
	}
	return true;
}

/* --- walking --- */

struct idmap_at idmap_seek(const struct idmap *m, struct stream_id from)
{
	struct idmap_at at = {0, 0};

	if (m->n) {
		at.leaf = leaf_of(m, from);
		at.pos = place_of(m, leaf_at(m, at.leaf), from);
	}
	if (m->n && at.pos == leaf_at(m, at.leaf)->n)
		at = (struct idmap_at){at.leaf + 1, 0};
	return at;
}

void *idmap_get(const struct idmap *m, const struct idmap_at *at, struct stream_id *id)
{
	if (at->leaf >= m->n)
		return NULL;
	const struct idmap_leaf *leaf = leaf_at(m, at->leaf);
	*id = id_at(m, leaf, at->pos);
	return record(m, leaf, at->pos) + sizeof(*id);
}

void idmap_next(const struct idmap *m, struct idmap_at *at)
{
	if (++at->pos == leaf_at(m, at->leaf)->n)
		*at = (struct idmap_at){at->leaf + 1, 0};
}

struct stream_id idmap_first(const struct idmap *m)
{
	return id_at(m, leaf_at(m, 0), 0);
}

struct stream_id idmap_last(const struct idmap *m)
{
	const struct idmap_leaf *leaf = leaf_at(m, m->n - 1);

	return id_at(m, leaf, leaf->n - 1u);
}

/* --- figures --- */

size_t idmap_mem(const struct idmap *m)
{
	size_t sum = mem_size(m->leaves);

	for (size_t i = 0; i < m->n; i++)
		sum += mem_size(leaf_at(m, i));
	return sum;
}

size_t idmap_effort(const struct idmap *m)
{
	return m->n + (m->leaves != NULL);
}

void idmap_check(const struct idmap *m)
{
	struct stream_id above = {0, 0};
	uint64_t count = 0;

	STORE_CHECK(m->head + m->n <= m->cap);
	for (size_t i = 0; i < m->n; i++) {
		const struct idmap_leaf *leaf = leaf_at(m, i);
		STORE_CHECK(leaf->n && leaf->begin + leaf->n <= leaf->cap);
		STORE_CHECK(leaf->cap <= IDMAP_LEAF);
		for (size_t k = 0; k < leaf->n; k++) {
			struct stream_id id = id_at(m, leaf, k);
			STORE_CHECK(count == 0 || stream_id_cmp(above, id) < 0);
			above = id;
			count++;
		}
	}
	STORE_CHECK(count == m->count);
}
