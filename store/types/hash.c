#include "store/types/hash.h"

#include "store/base/check.h"
#include "store/base/keyhash.h"
#include "store/types/hash_impl.h"

/* Bind another value, in place where the allocation has the right size for it. The pair has no expiry. */
static void pair_replace(uint64_t *slot, struct bytes value)
{
	struct bytes field = word_key(*slot, 0), old = pair_value(*slot);

	if (old.n == value.n ||
	    mem_class(pair_size(0, field, old)) == mem_class(pair_size(0, field, value))) {
		varkey_put((unsigned char *)(uintptr_t)field.p + field.n, value);
		return;
	}
	uint64_t fresh = pair_new(field, value, -1);
	pair_free(*slot);
	*slot = fresh;
}

/* --- making and freeing --- */

struct table *hash_table_make(size_t expected)
{
	struct table *t = mem_alloc(sizeof(*t));
	table_init(t, 0);
	if (expected)
		table_reserve(t, expected);
	return t;
}

struct hash *hash_new(void)
{
	struct hash *h = mem_alloc(sizeof(*h));
	h->head = 0;
	h->lp = listpack_new(0);
	return h;
}

static void table_drop(struct table *t)
{
	struct table_iter it;
	uint64_t *slot;

	table_iter_begin(&it, t);
	while ((slot = table_iter_next(&it)))
		pair_free(*slot);
	table_iter_end(&it);
	table_fini(t);
	mem_free(t);
}

void hash_free(struct hash *h)
{
	if (hash_is_table(h))
		table_drop(h->t);
	else
		listpack_free(h->lp);
	hash_times_free(hash_times(h));
	mem_free(h);
}

struct hash *hash_dup(struct hash *h)
{
	struct hash *copy = mem_alloc(sizeof(*copy));
	struct table_iter it;
	uint64_t *slot;

	copy->head = word_make(hash_times(h) ? hash_times_new() : NULL, h->head & HASH_IS_TABLE);
	if (!hash_is_table(h)) {
		copy->lp = listpack_dup(h->lp);
		return copy;
	}
	copy->t = hash_table_make(table_count(h->t));
	table_iter_begin(&it, h->t);
	while ((slot = table_iter_next(&it)))
		hash_times_insert(copy, word_key(*slot, 0), pair_value(*slot), pair_expiry(*slot));
	table_iter_end(&it);
	return copy;
}

size_t hash_count(const struct hash *h)
{
	return hash_is_table(h) ? table_count(h->t) : listpack_count(h->lp) / hash_stride(h);
}

void hash_to_table(struct hash *h, size_t expected)
{
	size_t count = hash_count(h);
	struct hash as_table = {.head = h->head | HASH_IS_TABLE};
	struct hash_iter it;
	struct bytes field, value;

	as_table.t = hash_table_make(expected > count ? expected : count);
	hash_iter_begin(&it, h);
	while (hash_iter_next(&it, &field, &value))
		hash_times_insert(&as_table, field, value, it.expiry);
	hash_iter_end(&it);
	listpack_free(h->lp);
	*h = as_table;
}

void hash_prepare(struct hash *h, size_t fields, size_t longest, const struct type_limits *lim)
{
	if (!hash_is_table(h) &&
	    (fields > lim->hash_max_listpack_entries || longest > lim->hash_max_listpack_value))
		hash_to_table(h, fields);
}

/* --- fields --- */

/* Where the value of @field stands, or NULL. */
static unsigned char *listpack_value(const struct hash *h, struct bytes field)
{
	unsigned char *p = listpack_find(h->lp, listpack_first(h->lp), field, hash_stride(h) - 1);
	return p ? listpack_next(h->lp, p) : NULL;
}

/* True when the field is new. The listpack may be over its limits then. */
static bool listpack_set(struct hash *h, struct bytes field, struct bytes value)
{
	unsigned char *p = listpack_value(h, field);

	if (p) {
		h->lp = listpack_replace(h->lp, &p, value);
		return false;
	}
	h->lp = listpack_append(h->lp, field);
	h->lp = listpack_append(h->lp, value);
	return true;
}

static bool listpack_takes(const struct hash *h, struct bytes field, struct bytes value,
			   const struct type_limits *lim)
{
	size_t max = lim->hash_max_listpack_value;

	return field.n <= max && value.n <= max &&
	       listpack_bytes(h->lp) + pair_size(0, field, value) + 32 <= HASH_LISTPACK_BYTES_MAX;
}

bool hash_set(struct hash *h, struct bytes field, struct bytes value, const struct type_limits *lim)
{
	if (__builtin_expect(hash_times(h) != NULL, 0))
		return hash_times_set(h, field, value, false, lim);
	if (!hash_is_table(h)) {
		if (listpack_takes(h, field, value, lim)) {
			bool added = listpack_set(h, field, value);
			if (added && hash_count(h) > lim->hash_max_listpack_entries)
				hash_to_table(h, 0);
			return added;
		}
		hash_to_table(h, hash_count(h) + 1);
	}
	uint64_t hash = keyhash(field), *slot = table_find(h->t, field, hash);
	if (slot)
		pair_replace(slot, value);
	else
		table_insert(h->t, pair_new(field, value, -1), hash);
	return !slot;
}

bool hash_get(struct hash *h, struct bytes field, char *buf, struct bytes *value)
{
	if (!hash_is_table(h)) {
		unsigned char *p = listpack_value(h, field);
		if (p)
			*value = listpack_get(p, buf);
		return p != NULL;
	}
	uint64_t *slot = table_find(h->t, field, keyhash(field));
	if (slot)
		*value = pair_value(*slot);
	return slot != NULL;
}

bool hash_has(struct hash *h, struct bytes field)
{
	if (!hash_is_table(h))
		return listpack_value(h, field) != NULL;
	return table_find(h->t, field, keyhash(field)) != NULL;
}

bool hash_remove(struct hash *h, struct bytes field)
{
	if (__builtin_expect(hash_times(h) != NULL, 0))
		return hash_times_remove(h, field);
	if (!hash_is_table(h)) {
		unsigned char *p = listpack_find(h->lp, listpack_first(h->lp), field, 1);
		if (!p)
			return false;
		h->lp = listpack_delete(h->lp, p, &p);
		h->lp = listpack_delete(h->lp, p, NULL);
		return true;
	}
	uint64_t hash = keyhash(field), *slot = table_find(h->t, field, hash);
	if (slot)
		pair_free(table_take(h->t, slot, hash));
	return slot != NULL;
}

/* The pair of a table is past its time. */
static bool is_past(uint64_t w, int64_t now)
{
	return w & WORD_EXPIRE && pair_expiry(w) < now;
}

/* A walk to one of the fields that are not past, for a table in which few are. */
static uint64_t walk_to_live(struct hash *h, int64_t now, uint64_t steps)
{
	struct table_iter it;
	uint64_t *slot, w = 0;

	table_iter_begin(&it, h->t);
	while ((slot = table_iter_next(&it)))
		if (!is_past(*slot, now)) {
			w = *slot;
			if (steps-- == 0)
				break;
		}
	table_iter_end(&it);
	return w;
}

static uint64_t random_live(struct hash *h, int64_t now, struct rng *rng, size_t stale)
{
	size_t live = table_count(h->t) - stale;
	uint64_t w;

	if (live < stale / 16)
		return walk_to_live(h, now, rng_below(rng, live));
	do
		w = table_random(h->t, rng);
	while (is_past(w, now));
	return w;
}

bool hash_random(struct hash *h, int64_t now, struct rng *rng, char *fbuf, struct bytes *field,
		 char *vbuf, struct bytes *value)
{
	size_t n = hash_count(h), stale = hash_stale(h, now);

	if (n == stale)
		return false;
	if (!hash_is_table(h)) {
		/* Those past their time stand in front. */
		size_t at = (stale + rng_below(rng, n - stale)) * hash_stride(h);
		unsigned char *p = listpack_seek(h->lp, (long)at);
		*field = listpack_get(p, fbuf);
		if (value)
			*value = listpack_get(listpack_next(h->lp, p), vbuf);
		return true;
	}
	uint64_t w = random_live(h, now, rng, stale);
	*field = word_key(w, 0);
	if (value)
		*value = pair_value(w);
	return true;
}

/* Few of many: words at random, leaving out those that were drawn before. */
static void sample_draws(struct hash *h, int64_t now, struct rng *rng, size_t n,
			 void (*fn)(void *arg, struct bytes field, struct bytes value), void *arg)
{
	struct table drawn; /* the same words */

	table_init(&drawn, 0);
	table_reserve(&drawn, n);
	while (n > 0) {
		uint64_t w = table_random(h->t, rng);
		struct bytes field = word_key(w, 0);
		uint64_t hash = keyhash(field);
		if (is_past(w, now) || table_find(&drawn, field, hash))
			continue;
		table_insert(&drawn, w, hash);
		fn(arg, field, pair_value(w));
		n--;
	}
	table_fini(&drawn);
}

void hash_sample(struct hash *h, int64_t now, struct rng *rng, size_t n,
		 void (*fn)(void *arg, struct bytes field, struct bytes value), void *arg)
{
	struct hash_iter it;
	struct bytes field, value;
	size_t stale = hash_stale(h, now), left = hash_count(h) - stale;

	if (hash_is_table(h) && n < left / 4 && stale <= left) {
		sample_draws(h, now, rng, n, fn, arg);
		return;
	}
	/* One walk: each is taken with the chance that the rest still needs it. */
	hash_iter_begin_live(&it, h, now);
	for (; n > 0 && hash_iter_next(&it, &field, &value); left--)
		if (n >= left || rng_below(rng, left) < n) {
			fn(arg, field, value);
			n--;
		}
	hash_iter_end(&it);
}

/* --- walking --- */

struct scan_step {
	int64_t now;
	void (*fn)(void *arg, struct bytes field, struct bytes value);
	void *arg;
};

static void scan_slot(void *arg, uint64_t *slot)
{
	struct scan_step *step = arg;

	if (!is_past(*slot, step->now))
		step->fn(step->arg, word_key(*slot, 0), pair_value(*slot));
}

uint64_t hash_scan(struct hash *h, uint64_t cursor, int64_t now,
		   void (*fn)(void *arg, struct bytes field, struct bytes value), void *arg)
{
	struct scan_step step = {now, fn, arg};
	struct hash_iter it;
	struct bytes field, value;

	if (hash_is_table(h))
		return table_scan(h->t, cursor, WORD_ALL_KINDS, scan_slot, &step);
	hash_iter_begin_live(&it, h, now);
	while (hash_iter_next(&it, &field, &value))
		fn(arg, field, value);
	hash_iter_end(&it);
	return 0;
}

void hash_iter_begin_live(struct hash_iter *it, struct hash *h, int64_t now)
{
	it->h = h;
	it->at = NULL;
	it->now = now;
	it->expiry = -1;
	if (hash_is_table(h))
		table_iter_begin(&it->t, h->t);
	else
		it->at = listpack_first(h->lp);
}

void hash_iter_begin(struct hash_iter *it, struct hash *h)
{
	hash_iter_begin_live(it, h, HASH_ANY_TIME);
}

bool hash_iter_next(struct hash_iter *it, struct bytes *field, struct bytes *value)
{
	if (__builtin_expect(hash_times(it->h) != NULL, 0))
		return hash_times_next(it, field, value);
	if (hash_is_table(it->h)) {
		uint64_t *slot = table_iter_next(&it->t);
		if (!slot)
			return false;
		*field = word_key(*slot, 0);
		*value = pair_value(*slot);
		return true;
	}
	if (!it->at)
		return false;
	*field = listpack_get(it->at, it->fbuf);
	it->at = listpack_next(it->h->lp, it->at);
	*value = listpack_get(it->at, it->vbuf);
	it->at = listpack_next(it->h->lp, it->at);
	return true;
}

void hash_iter_end(struct hash_iter *it)
{
	if (hash_is_table(it->h))
		table_iter_end(&it->t);
}

/* --- snapshots --- */

const unsigned char *hash_listpack(const struct hash *h)
{
	return h->head == 0 ? h->lp : NULL;
}

const unsigned char *hash_listpack_times(const struct hash *h)
{
	return hash_times(h) && !hash_is_table(h) ? h->lp : NULL;
}

struct hash *hash_adopt(unsigned char *lp, bool times, const struct type_limits *lim)
{
	struct hash *h = mem_alloc(sizeof(*h));
	size_t longest = 0;
	char buf[NUM_BUF];

	h->head = word_make(times ? hash_times_new() : NULL, 0);
	h->lp = lp;
	for (unsigned char *p = listpack_first(lp); p; p = listpack_next(lp, p)) {
		size_t n = listpack_get(p, buf).n;
		longest = n > longest ? n : longest;
	}
	hash_prepare(h, hash_count(h), longest, lim);
	return h;
}

/* --- seeing inside --- */

const char *hash_encoding(const struct hash *h)
{
	return hash_is_table(h) ? "hashtable" : hash_times(h) ? "listpackex" : "listpack";
}

static size_t pairs_mem(struct table *t, unsigned samples)
{
	struct table_iter it;
	uint64_t *slot;
	size_t sum = 0, n = 0, count = table_count(t);

	table_iter_begin(&it, t);
	while ((samples == 0 || n < samples) && (slot = table_iter_next(&it))) {
		sum += mem_size(word_ptr(*slot));
		n++;
	}
	table_iter_end(&it);
	return n ? (size_t)((double)sum / (double)n * (double)count) : 0;
}

size_t hash_mem(struct hash *h, unsigned samples)
{
	struct hash_times *times = hash_times(h);
	size_t n = mem_size(h);

	if (times)
		n += mem_size(times) + ranktree_mem(&times->order);
	if (!hash_is_table(h))
		return n + mem_size(h->lp);
	return n + mem_size(h->t) + table_mem(h->t) + pairs_mem(h->t, samples);
}

size_t hash_effort(const struct hash *h)
{
	return hash_is_table(h) ? table_count(h->t) : 1;
}

struct table *hash_table(struct hash *h)
{
	return hash_is_table(h) ? h->t : NULL;
}

void hash_check(struct hash *h, const struct type_limits *lim)
{
	struct hash_iter it;
	struct bytes field, value, got;
	char buf[NUM_BUF];
	size_t n = 0;

	if (!hash_is_table(h)) {
		STORE_CHECK(listpack_valid(h->lp, listpack_bytes(h->lp)));
		STORE_CHECK(listpack_count(h->lp) % hash_stride(h) == 0);
		STORE_CHECK(hash_count(h) <= lim->hash_max_listpack_entries);
	} else {
		table_check(h->t);
	}
	hash_iter_begin(&it, h);
	for (; hash_iter_next(&it, &field, &value); n++) {
		STORE_CHECK(hash_is_table(h) || (field.n <= lim->hash_max_listpack_value &&
						 value.n <= lim->hash_max_listpack_value));
		STORE_CHECK(hash_get(h, field, buf, &got) && bytes_eq(got, value));
	}
	hash_iter_end(&it);
	STORE_CHECK(n == hash_count(h));
	if (hash_times(h))
		hash_times_check(h);
}
