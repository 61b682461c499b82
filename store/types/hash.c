#include "store/types/hash.h"

#include "store/base/check.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/types/listpack.h"

#define LISTPACK_BYTES_MAX ((size_t)1 << 30)

enum hash_enc { HASH_LISTPACK, HASH_TABLE };

/* Small hashes are many, so their head is two words; a table is an allocation of its own. Its entries are the field and then the
 * value as varkey_put writes them, lead 0. */
struct hash {
	enum hash_enc enc;
	union {
		unsigned char *lp;
		struct table *t;
	};
};

/* --- pairs of a table --- */

static size_t pair_size(struct bytes field, struct bytes value)
{
	return varkey_size(field.n) + field.n + varkey_size(value.n) + value.n;
}

static struct bytes pair_value(uint64_t w)
{
	struct bytes field = word_key(w, 0);
	return varkey_get((const unsigned char *)field.p + field.n);
}

static uint64_t pair_new(struct bytes field, struct bytes value)
{
	/* The whole size class is asked for, so that pair_replace may use it. */
	unsigned char *p = mem_alloc(mem_class(pair_size(field, value)));

	varkey_put(varkey_put(p, field), value);
	return word_make(p, 0);
}

static void pair_free(uint64_t w)
{
	mem_free_sized(word_ptr(w), pair_size(word_key(w, 0), pair_value(w)));
}

/* Bind another value, in place where the allocation has the right size for it. */
static void pair_replace(uint64_t *slot, struct bytes value)
{
	struct bytes field = word_key(*slot, 0), old = pair_value(*slot);

	if (old.n == value.n ||
	    mem_class(pair_size(field, old)) == mem_class(pair_size(field, value))) {
		varkey_put((unsigned char *)(uintptr_t)field.p + field.n, value);
		return;
	}
	uint64_t fresh = pair_new(field, value);
	pair_free(*slot);
	*slot = fresh;
}

/* --- making and freeing --- */

static struct table *table_make(size_t expected)
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
	h->enc = HASH_LISTPACK;
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
	if (h->enc == HASH_TABLE)
		table_drop(h->t);
	else
		listpack_free(h->lp);
	mem_free(h);
}

struct hash *hash_dup(struct hash *h)
{
	struct hash *copy = mem_alloc(sizeof(*copy));
	struct table_iter it;
	uint64_t *slot;

	copy->enc = h->enc;
	if (h->enc == HASH_LISTPACK) {
		copy->lp = listpack_dup(h->lp);
		return copy;
	}
	copy->t = table_make(table_count(h->t));
	table_iter_begin(&it, h->t);
	while ((slot = table_iter_next(&it))) {
		struct bytes field = word_key(*slot, 0);
		table_insert(copy->t, pair_new(field, pair_value(*slot)), keyhash(field));
	}
	table_iter_end(&it);
	return copy;
}

size_t hash_count(const struct hash *h)
{
	return h->enc == HASH_TABLE ? table_count(h->t) : listpack_count(h->lp) / 2;
}

static void to_table(struct hash *h, size_t expected)
{
	size_t count = hash_count(h);
	struct table *t = table_make(expected > count ? expected : count);
	struct hash_iter it;
	struct bytes field, value;

	hash_iter_begin(&it, h);
	while (hash_iter_next(&it, &field, &value))
		table_insert(t, pair_new(field, value), keyhash(field));
	hash_iter_end(&it);
	listpack_free(h->lp);
	h->enc = HASH_TABLE;
	h->t = t;
}

void hash_prepare(struct hash *h, size_t fields, size_t longest, const struct type_limits *lim)
{
	if (h->enc == HASH_LISTPACK &&
	    (fields > lim->hash_max_listpack_entries || longest > lim->hash_max_listpack_value))
		to_table(h, fields);
}

/* --- fields --- */

/* Where the value of @field stands, or NULL. */
static unsigned char *listpack_value(const struct hash *h, struct bytes field)
{
	unsigned char *p = listpack_find(h->lp, listpack_first(h->lp), field, 1);
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
	       listpack_bytes(h->lp) + pair_size(field, value) + 32 <= LISTPACK_BYTES_MAX;
}

bool hash_set(struct hash *h, struct bytes field, struct bytes value, const struct type_limits *lim)
{
	if (h->enc == HASH_LISTPACK) {
		if (listpack_takes(h, field, value, lim)) {
			bool added = listpack_set(h, field, value);
			if (added && hash_count(h) > lim->hash_max_listpack_entries)
				to_table(h, 0);
			return added;
		}
		to_table(h, hash_count(h) + 1);
	}
	uint64_t hash = keyhash(field), *slot = table_find(h->t, field, hash);
	if (slot)
		pair_replace(slot, value);
	else
		table_insert(h->t, pair_new(field, value), hash);
	return !slot;
}

bool hash_get(struct hash *h, struct bytes field, char *buf, struct bytes *value)
{
	if (h->enc == HASH_LISTPACK) {
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
	if (h->enc == HASH_LISTPACK)
		return listpack_find(h->lp, listpack_first(h->lp), field, 1) != NULL;
	return table_find(h->t, field, keyhash(field)) != NULL;
}

bool hash_remove(struct hash *h, struct bytes field)
{
	if (h->enc == HASH_LISTPACK) {
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

bool hash_random(struct hash *h, struct rng *rng, char *fbuf, struct bytes *field, char *vbuf,
		 struct bytes *value)
{
	size_t n = hash_count(h);

	if (n == 0)
		return false;
	if (h->enc == HASH_LISTPACK) {
		unsigned char *p = listpack_seek(h->lp, (long)rng_below(rng, n) * 2);
		*field = listpack_get(p, fbuf);
		if (value)
			*value = listpack_get(listpack_next(h->lp, p), vbuf);
		return true;
	}
	uint64_t w = table_random(h->t, rng);
	*field = word_key(w, 0);
	if (value)
		*value = pair_value(w);
	return true;
}

/* Few of many: words at random, leaving out those that were drawn before. */
static void sample_draws(struct hash *h, struct rng *rng, size_t n,
			 void (*fn)(void *arg, struct bytes field, struct bytes value), void *arg)
{
	struct table drawn; /* the same words */

	table_init(&drawn, 0);
	table_reserve(&drawn, n);
	while (n > 0) {
		uint64_t w = table_random(h->t, rng);
		struct bytes field = word_key(w, 0);
		uint64_t hash = keyhash(field);
		if (table_find(&drawn, field, hash))
			continue;
		table_insert(&drawn, w, hash);
		fn(arg, field, pair_value(w));
		n--;
	}
	table_fini(&drawn);
}

void hash_sample(struct hash *h, struct rng *rng, size_t n,
		 void (*fn)(void *arg, struct bytes field, struct bytes value), void *arg)
{
	struct hash_iter it;
	struct bytes field, value;
	size_t left = hash_count(h);

	if (h->enc == HASH_TABLE && n < left / 4) {
		sample_draws(h, rng, n, fn, arg);
		return;
	}
	/* One walk: each is taken with the chance that the rest still needs it. */
	hash_iter_begin(&it, h);
	for (; n > 0 && hash_iter_next(&it, &field, &value); left--)
		if (n >= left || rng_below(rng, left) < n) {
			fn(arg, field, value);
			n--;
		}
	hash_iter_end(&it);
}

/* --- walking --- */

struct scan_step {
	void (*fn)(void *arg, struct bytes field, struct bytes value);
	void *arg;
};

static void scan_slot(void *arg, uint64_t *slot)
{
	struct scan_step *step = arg;
	step->fn(step->arg, word_key(*slot, 0), pair_value(*slot));
}

uint64_t hash_scan(struct hash *h, uint64_t cursor,
		   void (*fn)(void *arg, struct bytes field, struct bytes value), void *arg)
{
	struct scan_step step = {fn, arg};
	struct hash_iter it;
	struct bytes field, value;

	if (h->enc == HASH_TABLE)
		return table_scan(h->t, cursor, scan_slot, &step);
	hash_iter_begin(&it, h);
	while (hash_iter_next(&it, &field, &value))
		fn(arg, field, value);
	hash_iter_end(&it);
	return 0;
}

void hash_iter_begin(struct hash_iter *it, struct hash *h)
{
	it->h = h;
	it->at = NULL;
	if (h->enc == HASH_TABLE)
		table_iter_begin(&it->t, h->t);
	else
		it->at = listpack_first(h->lp);
}

bool hash_iter_next(struct hash_iter *it, struct bytes *field, struct bytes *value)
{
	if (it->h->enc == HASH_TABLE) {
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
	if (it->h->enc == HASH_TABLE)
		table_iter_end(&it->t);
}

/* --- snapshots --- */

const unsigned char *hash_listpack(const struct hash *h)
{
	return h->enc == HASH_LISTPACK ? h->lp : NULL;
}

struct hash *hash_adopt(unsigned char *lp, const struct type_limits *lim)
{
	struct hash *h = mem_alloc(sizeof(*h));
	size_t longest = 0;
	char buf[NUM_BUF];

	h->enc = HASH_LISTPACK;
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
	return h->enc == HASH_TABLE ? "hashtable" : "listpack";
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
	if (h->enc == HASH_LISTPACK)
		return mem_size(h) + mem_size(h->lp);
	return mem_size(h) + mem_size(h->t) + table_mem(h->t) + pairs_mem(h->t, samples);
}

size_t hash_effort(const struct hash *h)
{
	return h->enc == HASH_TABLE ? table_count(h->t) : 1;
}

struct table *hash_table(struct hash *h)
{
	return h->enc == HASH_TABLE ? h->t : NULL;
}

void hash_check(struct hash *h, const struct type_limits *lim)
{
	struct hash_iter it;
	struct bytes field, value, got;
	char buf[NUM_BUF];
	size_t n = 0;

	if (h->enc == HASH_LISTPACK) {
		STORE_CHECK(listpack_valid(h->lp, listpack_bytes(h->lp)));
		STORE_CHECK(listpack_count(h->lp) % 2 == 0);
		STORE_CHECK(hash_count(h) <= lim->hash_max_listpack_entries);
	} else {
		table_check(h->t);
	}
	hash_iter_begin(&it, h);
	for (; hash_iter_next(&it, &field, &value); n++) {
		STORE_CHECK(h->enc == HASH_TABLE || (field.n <= lim->hash_max_listpack_value &&
						     value.n <= lim->hash_max_listpack_value));
		STORE_CHECK(hash_get(h, field, buf, &got) && bytes_eq(got, value));
	}
	hash_iter_end(&it);
	STORE_CHECK(n == hash_count(h));
}
