/* store/types/hash_times.c - fields with an expiry of their own: see hash_impl.h for how they stand. */
#include "store/base/check.h"
#include "store/base/keyhash.h"
#include "store/types/hash_impl.h"

/* Bytes that an expiry takes in a listpack, at most. */
#define EXPIRY_BYTES 10

struct hash_times *hash_times_new(void)
{
	struct hash_times *times = mem_alloc(sizeof(*times));

	ranktree_init(&times->order, RANKTREE_LEAF_MAX, RANKTREE_INNER_MAX);
	times->place = 0;
	return times;
}

void hash_times_free(struct hash_times *times)
{
	if (!times)
		return;
	ranktree_fini(&times->order);
	mem_free(times);
}

bool hash_has_times(const struct hash *h)
{
	return hash_times(h) != NULL;
}

size_t hash_place(const struct hash *h)
{
	return hash_times(h)->place;
}

void hash_set_place(struct hash *h, size_t place)
{
	hash_times(h)->place = place;
}

/* --- triplets --- */

struct triplet {
	unsigned char *field, *value, *expiry;
};

static struct triplet triplet_at(const struct hash *h, unsigned char *field)
{
	struct triplet t = {field, NULL, NULL};

	if (field) {
		t.value = listpack_next(h->lp, field);
		t.expiry = listpack_next(h->lp, t.value);
	}
	return t;
}

static struct triplet triplet_first(const struct hash *h)
{
	return triplet_at(h, listpack_first(h->lp));
}

static struct triplet triplet_next(const struct hash *h, struct triplet t)
{
	return triplet_at(h, listpack_next(h->lp, t.expiry));
}

static struct triplet triplet_find(const struct hash *h, struct bytes field)
{
	return triplet_at(h, listpack_find(h->lp, listpack_first(h->lp), field, 2));
}

/* -1 for none */
static int64_t triplet_expiry(struct triplet t)
{
	int64_t at;
	return listpack_get_int(t.expiry, &at) && at > 0 ? at : -1;
}

/* Where the elements behind it begin. */
static unsigned char *triplet_end(const struct hash *h, struct triplet t)
{
	unsigned char *next = listpack_next(h->lp, t.expiry);
	return next ? next : h->lp + listpack_bytes(h->lp) - 1;
}

/* Exchange [a, b) and [b, c). */
static void rotate(unsigned char *a, unsigned char *b, unsigned char *c)
{
	size_t front = (size_t)(b - a), back = (size_t)(c - b);
	unsigned char few[256], *tmp = front <= sizeof(few) ? few : mem_alloc(front);

	memcpy(tmp, a, front);
	memmove(a, b, back);
	memcpy(a + back, tmp, front);
	if (tmp != few)
		mem_free(tmp);
}

/* Put the triplet whose expiry changed where it belongs: behind those that are as early, in front of those without. */
static void triplet_settle(struct hash *h, struct triplet t)
{
	int64_t at = triplet_expiry(t);
	unsigned char *end = triplet_end(h, t), *place = h->lp + listpack_bytes(h->lp) - 1;

	for (struct triplet o = triplet_first(h); at > 0 && o.field; o = triplet_next(h, o)) {
		int64_t other = triplet_expiry(o);
		if (o.field != t.field && (other < 0 || other > at)) {
			place = o.field;
			break;
		}
	}
	if (place >= end)
		rotate(t.field, end, place);
	else if (place < t.field)
		rotate(place, t.field, end);
}

static void triplet_expire(struct hash *h, struct triplet t, int64_t at)
{
	size_t field = (size_t)(t.field - h->lp);

	if (triplet_expiry(t) == at)
		return;
	h->lp = listpack_replace_int(h->lp, &t.expiry, at < 0 ? 0 : at);
	triplet_settle(h, triplet_at(h, h->lp + field));
}

/* --- from plain to this --- */

static unsigned char *with_expiries(struct hash *h)
{
	unsigned char *lp = listpack_new(listpack_bytes(h->lp) + hash_count(h) * 2);
	struct hash_iter it;
	struct bytes field, value;

	hash_iter_begin(&it, h);
	while (hash_iter_next(&it, &field, &value)) {
		lp = listpack_append(lp, field);
		lp = listpack_append(lp, value);
		lp = listpack_append_int(lp, 0);
	}
	hash_iter_end(&it);
	return lp;
}

static void give_times(struct hash *h)
{
	/* What might pass the largest listpack with an expiry for each field does well as a table. */
	if (!hash_is_table(h) &&
	    listpack_bytes(h->lp) + hash_count(h) * EXPIRY_BYTES > HASH_LISTPACK_BYTES_MAX / 2)
		hash_to_table(h, 0);
	if (!hash_is_table(h)) {
		unsigned char *lp = with_expiries(h);
		listpack_free(h->lp);
		h->lp = lp;
	}
	h->head = word_make(hash_times_new(), h->head);
}

/* --- pairs of a table --- */

void hash_times_insert(struct hash *h, struct bytes field, struct bytes value, int64_t expire_at)
{
	uint64_t w = pair_new(field, value, expire_at);

	table_insert(h->t, w, keyhash(field));
	if (expire_at >= 0)
		ranktree_insert(&hash_times(h)->order, word_ptr(w));
}

/* Put another pair in the place of the one at @slot, for its field. */
static void pair_change(struct hash *h, uint64_t *slot, struct bytes value, int64_t expire_at)
{
	struct ranktree *order = &hash_times(h)->order;
	uint64_t old = *slot;

	*slot = pair_new(word_key(old, 0), value, expire_at);
	if (old & WORD_EXPIRE)
		ranktree_remove(order, word_ptr(old));
	if (*slot & WORD_EXPIRE)
		ranktree_insert(order, word_ptr(*slot));
	pair_free(old);
}

static void pair_expire(struct hash *h, uint64_t *slot, int64_t at)
{
	if (at >= 0 && *slot & WORD_EXPIRE)
		ranktree_rescore(&hash_times(h)->order, word_ptr(*slot), (double)at);
	else if (at >= 0 || *slot & WORD_EXPIRE)
		pair_change(h, slot, pair_value(*slot), at);
}

/* --- setting and removing --- */

static bool fits(const struct hash *h, struct bytes field, struct bytes value,
		 const struct type_limits *lim)
{
	size_t max = lim->hash_max_listpack_value;

	return field.n <= max && value.n <= max &&
	       listpack_bytes(h->lp) + pair_size(0, field, value) + 64 <= HASH_LISTPACK_BYTES_MAX;
}

static bool triplet_set(struct hash *h, struct bytes field, struct bytes value, bool keep)
{
	struct triplet t = triplet_find(h, field);
	size_t at = (size_t)(t.field - h->lp);

	if (t.field) {
		h->lp = listpack_replace(h->lp, &t.value, value);
		if (!keep)
			triplet_expire(h, triplet_at(h, h->lp + at), -1);
		return false;
	}
	h->lp = listpack_append(h->lp, field);
	h->lp = listpack_append(h->lp, value);
	h->lp = listpack_append_int(h->lp, 0);
	return true;
}

bool hash_times_set(struct hash *h, struct bytes field, struct bytes value, bool keep,
		    const struct type_limits *lim)
{
	if (!hash_is_table(h)) {
		if (fits(h, field, value, lim)) {
			bool added = triplet_set(h, field, value, keep);
			if (added && hash_count(h) > lim->hash_max_listpack_entries)
				hash_to_table(h, 0);
			return added;
		}
		hash_to_table(h, hash_count(h) + 1);
	}
	uint64_t *slot = table_find(h->t, field, keyhash(field));
	if (slot)
		pair_change(h, slot, value, keep ? pair_expiry(*slot) : -1);
	else
		hash_times_insert(h, field, value, -1);
	return !slot;
}

bool hash_set_keep(struct hash *h, struct bytes field, struct bytes value,
		   const struct type_limits *lim)
{
	return hash_times(h) ? hash_times_set(h, field, value, true, lim)
			     : hash_set(h, field, value, lim);
}

bool hash_times_remove(struct hash *h, struct bytes field)
{
	if (!hash_is_table(h)) {
		unsigned char *p = triplet_find(h, field).field;
		for (int i = 0; p && i < 3; i++)
			h->lp = listpack_delete(h->lp, p, i < 2 ? &p : NULL);
		return p != NULL;
	}
	uint64_t hash = keyhash(field), *slot = table_find(h->t, field, hash);
	if (!slot)
		return false;
	uint64_t w = table_take(h->t, slot, hash);
	if (w & WORD_EXPIRE)
		ranktree_remove(&hash_times(h)->order, word_ptr(w));
	pair_free(w);
	return true;
}

/* --- expiries --- */

int64_t hash_expiry(struct hash *h, struct bytes field)
{
	if (!hash_times(h))
		return hash_has(h, field) ? -1 : -2;
	if (hash_is_table(h)) {
		uint64_t *slot = table_find(h->t, field, keyhash(field));
		return slot ? pair_expiry(*slot) : -2;
	}
	struct triplet t = triplet_find(h, field);
	return t.field ? triplet_expiry(t) : -2;
}

void hash_expire(struct hash *h, struct bytes field, int64_t at)
{
	if (!hash_times(h)) {
		if (at < 0)
			return;
		give_times(h);
	}
	if (hash_is_table(h))
		pair_expire(h, table_find(h->t, field, keyhash(field)), at);
	else
		triplet_expire(h, triplet_find(h, field), at);
}

int64_t hash_next_expiry(const struct hash *h)
{
	const struct hash_times *times = hash_times(h);

	if (!times || hash_count(h) == 0)
		return -1;
	if (!hash_is_table(h))
		return triplet_expiry(triplet_first(h));
	void *first = ranktree_member(ranktree_seek(&times->order, 0));
	return first ? (int64_t)ranktree_score(first) : -1;
}

/* Triplets in front of the first that has no expiry, or one at @now or later. */
static size_t triplets_before(const struct hash *h, int64_t now)
{
	size_t n = 0;

	for (struct triplet t = triplet_first(h); t.field; t = triplet_next(h, t), n++) {
		int64_t at = triplet_expiry(t);
		if (at < 0 || at >= now)
			break;
	}
	return n;
}

size_t hash_volatile(const struct hash *h)
{
	const struct hash_times *times = hash_times(h);

	if (!times)
		return 0;
	return hash_is_table(h) ? times->order.count : triplets_before(h, INT64_MAX);
}

size_t hash_stale(const struct hash *h, int64_t now)
{
	const struct hash_times *times = hash_times(h);

	if (!times || now < 0)
		return 0;
	return hash_is_table(h) ? ranktree_below_score(&times->order, (double)now, false)
				: triplets_before(h, now);
}

size_t hash_remove_stale(struct hash *h, int64_t now)
{
	size_t n = hash_stale(h, now);

	if (n && !hash_is_table(h)) {
		h->lp = listpack_delete_range(h->lp, 0, n * 3);
		return n;
	}
	for (size_t i = 0; i < n; i++) {
		void *first = ranktree_member(ranktree_seek(&hash_times(h)->order, 0));
		hash_times_remove(h, ranktree_bytes(first));
	}
	return n;
}

void hash_by_expiry(struct hash *h, bool (*fn)(void *arg, struct bytes field, int64_t expiry),
		    void *arg)
{
	char buf[NUM_BUF];
	void *m;

	if (!hash_times(h))
		return;
	if (!hash_is_table(h)) {
		struct triplet t = triplet_first(h);
		while (t.field && triplet_expiry(t) >= 0 &&
		       fn(arg, listpack_get(t.field, buf), triplet_expiry(t)))
			t = triplet_next(h, t);
		return;
	}
	struct ranktree_at at = ranktree_seek(&hash_times(h)->order, 0);
	while ((m = ranktree_member(at)) && fn(arg, ranktree_bytes(m), (int64_t)ranktree_score(m)))
		ranktree_next(&at);
}

/* --- walking --- */

static bool next_slot(struct hash_iter *it, struct bytes *field, struct bytes *value)
{
	uint64_t *slot = table_iter_next(&it->t);

	if (!slot)
		return false;
	*field = word_key(*slot, 0);
	*value = pair_value(*slot);
	it->expiry = pair_expiry(*slot);
	return true;
}

static bool next_triplet(struct hash_iter *it, struct bytes *field, struct bytes *value)
{
	if (!it->at)
		return false;
	struct triplet t = triplet_at(it->h, it->at);
	*field = listpack_get(t.field, it->fbuf);
	*value = listpack_get(t.value, it->vbuf);
	it->expiry = triplet_expiry(t);
	it->at = triplet_next(it->h, t).field;
	return true;
}

bool hash_times_next(struct hash_iter *it, struct bytes *field, struct bytes *value)
{
	do {
		if (hash_is_table(it->h) ? !next_slot(it, field, value)
					 : !next_triplet(it, field, value))
			return false;
	} while (it->expiry >= 0 && it->expiry < it->now);
	return true;
}

/* --- invariants --- */

static void check_triplets(struct hash *h)
{
	int64_t last = 1, at;

	for (struct triplet t = triplet_first(h); t.field; t = triplet_next(h, t)) {
		STORE_CHECK(t.value && t.expiry && listpack_get_int(t.expiry, &at) && at >= 0);
		STORE_CHECK(at == 0 || (last != 0 && at >= last));
		last = at;
	}
}

void hash_times_check(struct hash *h)
{
	struct ranktree *order = &hash_times(h)->order;
	struct hash_iter it;
	struct bytes field, value;
	size_t n = 0;

	ranktree_check(order);
	if (!hash_is_table(h)) {
		STORE_CHECK(order->count == 0);
		check_triplets(h);
		return;
	}
	hash_iter_begin(&it, h);
	while (hash_iter_next(&it, &field, &value))
		if (it.expiry >= 0) {
			uint64_t *slot = table_find(h->t, field, keyhash(field));
			STORE_CHECK(ranktree_rank(order, word_ptr(*slot)) < order->count);
			n++;
		}
	hash_iter_end(&it);
	STORE_CHECK(n == order->count);
}
