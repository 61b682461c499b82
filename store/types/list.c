#include "store/types/list.h"

#include "store/base/check.h"
#include "store/base/mem.h"
#include "store/types/listpack.h"

/* A run of elements as a listpack, or one large element as it is (plain). Never empty while it is linked. */
struct node {
	struct node *prev, *next;
	unsigned char *data;
	size_t plain_len; /* bytes of a plain element */
	uint32_t count;
	bool plain;
};

struct list {
	struct node *head, *tail; /* NULL when empty */
	size_t count;
	uint32_t nodes;
	bool quick; /* has been too big for one listpack, and is not half of that yet */
};

/* --- limits --- */

/* A node limited by its count is still limited to this many bytes. */
#define SAFE_BYTES ((size_t)8192)

/* What an element's head and back length may add, at a guess; the same as Redis's. */
#define OVERHEAD 8

struct limit {
	size_t bytes, count;
};

/* -1 to -5: 4 to 64 KiB; positive: that many elements; 0: one. */
static struct limit node_limit(const struct type_limits *lim)
{
	int size = lim->list_max_listpack_size;

	if (size >= 0)
		return (struct limit){SAFE_BYTES, size ? (size_t)size : 1};
	return (struct limit){(size_t)2048 << (-size < 5 ? -size : 5), SIZE_MAX};
}

static bool is_large(struct bytes s, const struct type_limits *lim)
{
	return s.n > node_limit(lim).bytes ||
	       (lim->list_packed_threshold && s.n >= lim->list_packed_threshold);
}

/* Whether @s may go into @n. */
static bool fits(const struct node *n, struct bytes s, const struct type_limits *lim)
{
	struct limit max = node_limit(lim);

	return !n->plain && !is_large(s, lim) && n->count < max.count && s.n <= max.bytes &&
	       listpack_bytes(n->data) + s.n + OVERHEAD <= max.bytes;
}

/* Before @s is added: a list that will be too big for one listpack goes on as a quicklist. */
static void growing(struct list *l, struct bytes s, const struct type_limits *lim)
{
	struct limit max = node_limit(lim);
	size_t bytes = l->head ? listpack_bytes(l->head->data) : 0;

	if (!l->quick && (is_large(s, lim) || bytes + s.n > max.bytes || l->count + 1 > max.count))
		l->quick = true;
}

/* After a change that made the list shorter: back to one listpack when it is down to half the limit, so that it does not
 * change at every step around it. */
static void shrunk(struct list *l, const struct type_limits *lim)
{
	struct limit max = node_limit(lim);

	if (l->quick && l->nodes == 1 && !l->head->plain &&
	    listpack_bytes(l->head->data) <= max.bytes / 2 && l->count <= max.count / 2)
		l->quick = false;
}

/* --- nodes --- */

static unsigned char *must(unsigned char *lp)
{
	/* Nodes are far below what a listpack can be: only memory can have failed, and then mem_alloc says so. */
	return lp ? lp : mem_alloc(SIZE_MAX / 2);
}

static struct node *node_new(struct bytes s, const struct type_limits *lim)
{
	struct node *n = mem_alloc(sizeof(*n));

	*n = (struct node){.count = 1, .plain = is_large(s, lim)};
	if (n->plain) {
		n->data = mem_dup(s.p, s.n);
		n->plain_len = s.n;
	} else {
		n->data = must(listpack_append(listpack_new(s.n + 16), s));
	}
	return n;
}

/* Link @n before @next, NULL for the end. */
static void link_before(struct list *l, struct node *next, struct node *n)
{
	n->next = next;
	n->prev = next ? next->prev : l->tail;
	*(n->prev ? &n->prev->next : &l->head) = n;
	*(next ? &next->prev : &l->tail) = n;
	l->nodes++;
}

static void node_free(struct node *n)
{
	mem_free(n->data);
	mem_free(n);
}

static void unlink_free(struct list *l, struct node *n)
{
	*(n->prev ? &n->prev->next : &l->head) = n->next;
	*(n->next ? &n->next->prev : &l->tail) = n->prev;
	l->nodes--;
	node_free(n);
}

static struct bytes plain_bytes(const struct node *n)
{
	return bytes_of(n->data, n->plain_len);
}

/* One node of two neighbours, where they are no more than one may hold. */
static bool merge(struct list *l, struct node *a, struct node *b, const struct type_limits *lim)
{
	struct limit max = node_limit(lim);

	if (!a || !b || a->plain || b->plain || a->count + b->count > max.count ||
	    listpack_bytes(a->data) + listpack_bytes(b->data) > max.bytes)
		return false;
	a->data = must(listpack_merge(a->data, b->data));
	a->count += b->count;
	unlink_free(l, b);
	return true;
}

/* Around @n, which lost elements or was split. */
static void merge_around(struct list *l, struct node *n, const struct type_limits *lim)
{
	if (!n)
		return;
	struct node *prev = n->prev;
	if (merge(l, prev, n, lim))
		n = prev;
	merge(l, n, n->next, lim);
}

/* The node that holds @index (in range), and the place in it. */
static struct node *seek(const struct list *l, size_t index, size_t *offset)
{
	struct node *n;

	if (index < l->count / 2) {
		for (n = l->head; index >= n->count; n = n->next)
			index -= n->count;
		*offset = index;
	} else {
		size_t after = l->count - index; /* elements from @index to the end */
		for (n = l->tail; after > n->count; n = n->prev)
			after -= n->count;
		*offset = n->count - after;
	}
	return n;
}

/* --- making and freeing --- */

struct list *list_new(void)
{
	return mem_calloc(sizeof(struct list));
}

void list_free(struct list *l)
{
	for (struct node *n = l->head, *next; n; n = next) {
		next = n->next;
		node_free(n);
	}
	mem_free(l);
}

struct list *list_dup(const struct list *l)
{
	struct list *copy = list_new();

	for (const struct node *n = l->head; n; n = n->next) {
		struct node *m = mem_alloc(sizeof(*m));
		*m = *n;
		m->data = n->plain ? mem_dup(n->data, n->plain_len) : listpack_dup(n->data);
		link_before(copy, NULL, m);
	}
	copy->count = l->count;
	copy->quick = l->quick;
	return copy;
}

size_t list_count(const struct list *l)
{
	return l->count;
}

/* --- the ends --- */

void list_push(struct list *l, bool tail, struct bytes s, const struct type_limits *lim)
{
	struct node *n = tail ? l->tail : l->head;

	growing(l, s, lim);
	if (n && (!l->quick || fits(n, s, lim))) {
		n->data = must(tail ? listpack_append(n->data, s) : listpack_prepend(n->data, s));
		n->count++;
	} else {
		link_before(l, tail ? NULL : l->head, node_new(s, lim));
	}
	l->count++;
}

bool list_pop(struct list *l, bool tail, const struct type_limits *lim,
	      void (*take)(void *arg, struct bytes value), void *arg)
{
	struct node *n = tail ? l->tail : l->head;
	char buf[NUM_BUF];

	if (!n)
		return false;
	unsigned char *p = NULL;
	if (!n->plain)
		p = tail ? listpack_last(n->data) : listpack_first(n->data);
	if (take)
		take(arg, p ? listpack_get(p, buf) : plain_bytes(n));
	l->count--;
	if (--n->count == 0)
		unlink_free(l, n);
	else
		n->data = listpack_delete(n->data, p, NULL);
	shrunk(l, lim);
	return true;
}

/* --- by index --- */

/* 0-based from a signed one; false when out of range. */
static bool normalize(const struct list *l, int64_t index, size_t *out)
{
	if (index < 0)
		index += (int64_t)l->count;
	*out = (size_t)index;
	return index >= 0 && (size_t)index < l->count;
}

bool list_get(const struct list *l, int64_t index, char *buf, struct bytes *out)
{
	size_t i, offset;

	if (!normalize(l, index, &i))
		return false;
	struct node *n = seek(l, i, &offset);
	*out = n->plain ? plain_bytes(n) : listpack_get(listpack_seek(n->data, (long)offset), buf);
	return true;
}

/* Cut @n in two before @offset, which is neither of its ends. */
static struct node *split(struct list *l, struct node *n, size_t offset)
{
	struct node *rest = mem_alloc(sizeof(*rest));

	*rest = (struct node){.count = n->count - (uint32_t)offset};
	n->data = must(listpack_split(n->data, listpack_seek(n->data, (long)offset), &rest->data));
	n->count = (uint32_t)offset;
	link_before(l, n->next, rest);
	return rest;
}

static void put_in_node(struct node *n, size_t offset, struct bytes s)
{
	if (offset == n->count)
		n->data = must(listpack_append(n->data, s));
	else
		n->data = must(listpack_insert(n->data, listpack_seek(n->data, (long)offset), false,
					       s, NULL));
	n->count++;
}

/* Put @s at @offset (0..count) of @n, or as near to it as room allows. */
static void insert_in(struct list *l, struct node *n, size_t offset, struct bytes s,
		      const struct type_limits *lim)
{
	l->count++;
	if (!l->quick || fits(n, s, lim)) {
		put_in_node(n, offset, s);
		return;
	}
	struct node *next = n;
	if (offset == n->count)
		next = n->next;
	else if (offset > 0)
		next = split(l, n, offset);
	struct node *prev = next ? next->prev : l->tail;
	if (prev && fits(prev, s, lim))
		put_in_node(prev, prev->count, s);
	else if (next && fits(next, s, lim))
		put_in_node(next, 0, s);
	else
		link_before(l, next, node_new(s, lim));
	merge_around(l, n, lim);
}

enum store_err list_insert_at(struct list *l, int64_t index, struct bytes s,
			      const struct type_limits *lim)
{
	size_t offset;

	if (index < 0 || (size_t)index > l->count)
		return STORE_ERANGE;
	if (index == 0 || (size_t)index == l->count) {
		list_push(l, index != 0, s, lim);
		return STORE_OK;
	}
	growing(l, s, lim);
	struct node *n = seek(l, (size_t)index, &offset);
	insert_in(l, n, offset, s, lim);
	return STORE_OK;
}

/* Whether the element at @p of @n may simply be written over with @s. */
static bool replaces(const struct node *n, const unsigned char *p, struct bytes s,
		     const struct type_limits *lim)
{
	char buf[NUM_BUF];
	size_t old = listpack_element_size(listpack_get(p, buf));

	return !is_large(s, lim) &&
	       listpack_bytes(n->data) - old + s.n + OVERHEAD <= node_limit(lim).bytes;
}

enum store_err list_set(struct list *l, int64_t index, struct bytes s,
			const struct type_limits *lim)
{
	size_t i, offset;

	if (!normalize(l, index, &i))
		return STORE_ERANGE;
	struct node *n = seek(l, i, &offset);
	unsigned char *p = n->plain ? NULL : listpack_seek(n->data, (long)offset);
	if (p && replaces(n, p, s, lim)) {
		growing(l, s, lim);
		n->data = must(listpack_replace(n->data, &p, s));
	} else if (!p) {
		link_before(l, n, node_new(s, lim));
		unlink_free(l, n);
	} else {
		list_insert_at(l, (int64_t)i, s, lim);
		list_delete_range(l, i + 1, 1, lim);
	}
	shrunk(l, lim);
	return STORE_OK;
}

void list_delete_range(struct list *l, size_t index, size_t count, const struct type_limits *lim)
{
	size_t offset;

	if (index >= l->count || count == 0)
		return;
	if (count > l->count - index)
		count = l->count - index;
	struct node *n = seek(l, index, &offset), *touched = NULL;
	l->count -= count;
	while (count > 0) {
		struct node *next = n->next;
		size_t here = n->count - offset < count ? n->count - offset : count;
		if (here == n->count) {
			unlink_free(l, n);
		} else {
			n->data = listpack_delete_range(n->data, (long)offset, here);
			n->count -= (uint32_t)here;
			touched = n;
		}
		count -= here;
		offset = 0;
		n = next;
	}
	merge_around(l, touched, lim);
	shrunk(l, lim);
}

/* --- by content --- */

/* The place of the next @s in @n from @p (of a listpack) on, in the walk's direction; NULL when there is none. */
static unsigned char *find_in(struct node *n, unsigned char *p, struct bytes s, bool backwards)
{
	if (!backwards)
		return listpack_find(n->data, p, s, 0);
	while (p && !listpack_equal(p, s))
		p = listpack_prev(n->data, p);
	return p;
}

/* Remove up to @max elements equal to @s from @n, which then may be empty. */
static size_t remove_in(struct node *n, struct bytes s, size_t max, bool backwards)
{
	size_t removed = 0;

	if (n->plain) {
		removed = bytes_eq(plain_bytes(n), s);
		n->count -= (uint32_t)removed;
		return removed;
	}
	unsigned char *p = backwards ? listpack_last(n->data) : listpack_first(n->data);
	while (removed < max && (p = find_in(n, p, s, backwards))) {
		n->data = listpack_delete(n->data, p, &p);
		if (backwards) /* @p is what stood behind: the one before it, or the last when it was the end */
			p = p ? listpack_prev(n->data, p) : listpack_last(n->data);
		n->count--;
		removed++;
	}
	return removed;
}

size_t list_remove(struct list *l, int64_t count, struct bytes s, const struct type_limits *lim)
{
	bool backwards = count < 0;
	size_t max = count == 0 ? SIZE_MAX : backwards ? -(size_t)count : (size_t)count;
	size_t removed = 0;

	for (struct node *n = backwards ? l->tail : l->head, *next; n && removed < max; n = next) {
		next = backwards ? n->prev : n->next;
		size_t here = remove_in(n, s, max - removed, backwards);
		removed += here;
		if (n->count == 0)
			unlink_free(l, n);
		else if (here && backwards)
			merge(l, n, n->next, lim);
		else if (here)
			merge(l, n->prev, n, lim);
	}
	l->count -= removed;
	shrunk(l, lim);
	return removed;
}

/* The offset of @p in its listpack. */
static size_t offset_of(struct node *n, const unsigned char *p)
{
	size_t i = 0;
	for (unsigned char *q = listpack_first(n->data); q != p; q = listpack_next(n->data, q))
		i++;
	return i;
}

bool list_insert(struct list *l, struct bytes pivot, bool after, struct bytes s,
		 const struct type_limits *lim)
{
	for (struct node *n = l->head; n; n = n->next) {
		size_t offset = 0;
		if (n->plain) {
			if (!bytes_eq(plain_bytes(n), pivot))
				continue;
		} else {
			unsigned char *p = find_in(n, listpack_first(n->data), pivot, false);
			if (!p)
				continue;
			offset = offset_of(n, p);
		}
		growing(l, s, lim);
		insert_in(l, n, offset + after, s, lim);
		return true;
	}
	return false;
}

/* --- walking --- */

static void iter_enter(struct list_iter *it, struct node *n)
{
	it->node = n;
	if (n && !n->plain)
		it->at = it->backwards ? listpack_last(n->data) : listpack_first(n->data);
}

void list_iter_begin(struct list_iter *it, const struct list *l, size_t index, bool backwards)
{
	size_t offset;

	it->l = l;
	it->backwards = backwards;
	it->node = NULL;
	it->at = NULL;
	if (index >= l->count)
		return;
	struct node *n = seek(l, index, &offset);
	it->node = n;
	if (!n->plain)
		it->at = listpack_seek(n->data, (long)offset);
}

bool list_iter_next(struct list_iter *it, struct bytes *out)
{
	struct node *n = it->node;

	if (!n)
		return false;
	if (n->plain) {
		*out = plain_bytes(n);
		it->at = NULL;
	} else {
		*out = listpack_get(it->at, it->buf);
		it->at = it->backwards ? listpack_prev(n->data, it->at)
				       : listpack_next(n->data, it->at);
	}
	if (!it->at)
		iter_enter(it, it->backwards ? n->prev : n->next);
	return true;
}

/* --- snapshots --- */

bool list_node_next(const struct list *l, const void **node, struct bytes *bytes, bool *plain)
{
	const struct node *n = *node ? ((const struct node *)*node)->next : l->head;

	*node = n;
	if (!n)
		return false;
	*plain = n->plain;
	*bytes = n->plain ? plain_bytes(n) : bytes_of(n->data, listpack_bytes(n->data));
	return true;
}

/* Whether a node may be just this. */
static bool adoptable(unsigned char *data, size_t n, bool plain, const struct type_limits *lim)
{
	struct limit max = node_limit(lim);

	if (plain)
		return is_large(bytes_of(data, n), lim);
	size_t count = listpack_count(data);
	return count <= max.count && (n <= max.bytes || count == 1);
}

static void push_all(struct list *l, unsigned char *lp, const struct type_limits *lim)
{
	char buf[NUM_BUF];

	for (unsigned char *p = listpack_first(lp); p; p = listpack_next(lp, p))
		list_push(l, true, listpack_get(p, buf), lim);
}

void list_adopt(struct list *l, unsigned char *data, size_t n, bool plain,
		const struct type_limits *lim)
{
	if (!plain && listpack_count(data) == 0) {
		mem_free(data);
	} else if (adoptable(data, n, plain, lim)) {
		struct node *node = mem_alloc(sizeof(*node));
		*node = (struct node){.data = data,
				      .plain = plain,
				      .plain_len = plain ? n : 0,
				      .count = plain ? 1 : (uint32_t)listpack_count(data)};
		l->quick = l->quick || plain || l->head;
		link_before(l, NULL, node);
		l->count += node->count;
	} else {
		if (plain)
			list_push(l, true, bytes_of(data, n), lim);
		else
			push_all(l, data, lim);
		mem_free(data);
	}
}

/* --- seeing inside --- */

const char *list_encoding(const struct list *l)
{
	return l->quick ? "quicklist" : "listpack";
}

size_t list_mem(const struct list *l, unsigned samples)
{
	size_t sum = 0, n = 0;

	for (const struct node *node = l->head; node && (samples == 0 || n < samples); n++) {
		sum += mem_size(node) + mem_size(node->data);
		node = node->next;
	}
	return mem_size(l) + (n ? (size_t)((double)sum / (double)n * l->nodes) : 0);
}

size_t list_effort(const struct list *l)
{
	return l->nodes;
}

static void node_check(const struct list *l, const struct node *n, const struct type_limits *lim)
{
	struct limit max = node_limit(lim);

	STORE_CHECK(n->count > 0);
	STORE_CHECK(n->prev ? n->prev->next == n : l->head == n);
	STORE_CHECK(n->next ? n->next->prev == n : l->tail == n);
	if (n->plain) {
		STORE_CHECK(n->count == 1 && n->plain_len > max.bytes);
		return;
	}
	STORE_CHECK(listpack_valid(n->data, listpack_bytes(n->data)));
	STORE_CHECK(listpack_count(n->data) == n->count);
	STORE_CHECK(n->count <= max.count);
	STORE_CHECK(n->count == 1 || listpack_bytes(n->data) <= max.bytes + 2 * OVERHEAD);
}

void list_check(const struct list *l, const struct type_limits *lim)
{
	size_t count = 0;
	uint32_t nodes = 0;

	for (const struct node *n = l->head; n; n = n->next) {
		node_check(l, n, lim);
		count += n->count;
		nodes++;
	}
	STORE_CHECK(count == l->count && nodes == l->nodes);
	STORE_CHECK(l->quick || (nodes <= 1 && !(l->head && l->head->plain)));
}
