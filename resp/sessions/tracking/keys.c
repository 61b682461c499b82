/* resp/sessions/tracking/keys.c - see keys.h. */
#include "resp/sessions/tracking/keys.h"

#include "store/base/check.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/types/table.h"

/* So many trackers stand in the entry itself; more have memory of their own. */
#define IDS_INLINE 2

struct tracked {
	uint32_t n, cap;
	union {
		uint32_t few[IDS_INLINE];
		uint32_t *many;
	};
	unsigned char key[]; /* as varkey_put writes it */
};

struct tracked_keys {
	struct table table;
	size_t items;
	size_t bytes; /* of the entries */
};

/* --- one key --- */

static uint32_t *ids_of(struct tracked *k)
{
	return k->cap > IDS_INLINE ? k->many : k->few;
}

struct bytes tracked_key(const struct tracked *k)
{
	return varkey_get(k->key);
}

const uint32_t *tracked_ids(const struct tracked *k, size_t *n)
{
	*n = k->n;
	return k->cap > IDS_INLINE ? k->many : k->few;
}

void tracked_free(struct tracked *k)
{
	if (k->cap > IDS_INLINE)
		mem_free(k->many);
	mem_free(k);
}

static size_t mem_of(const struct tracked *k)
{
	return mem_size(k) + (k->cap > IDS_INLINE ? mem_size(k->many) : 0);
}

static struct tracked *tracked_new(struct bytes key)
{
	struct tracked *k = mem_try(sizeof(*k) + varkey_size(key.n) + key.n);
	if (!k)
		return NULL;
	k->n = 0;
	k->cap = IDS_INLINE;
	varkey_put(k->key, key);
	return k;
}

static bool grow(struct tracked *k)
{
	if (k->n < k->cap)
		return true;
	uint32_t cap = k->cap * 2;
	uint32_t *ids = mem_retry(k->cap > IDS_INLINE ? k->many : NULL, cap * sizeof(*ids));
	if (!ids)
		return false;
	if (k->cap <= IDS_INLINE)
		memcpy(ids, k->few, k->n * sizeof(*ids));
	k->many = ids;
	k->cap = cap;
	return true;
}

/* Where @id stands, or should. */
static uint32_t place_of(const uint32_t *ids, uint32_t n, uint32_t id)
{
	uint32_t low = 0, high = n;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (ids[mid] < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* --- the table --- */

struct tracked_keys *tracked_keys_new(void)
{
	struct tracked_keys *t = mem_calloc(sizeof(*t));
	table_init(&t->table, offsetof(struct tracked, key));
	return t;
}

void tracked_keys_free(struct tracked_keys *t)
{
	struct table_iter it;
	uint64_t *slot;
	table_iter_begin(&it, &t->table);
	while ((slot = table_iter_next(&it)))
		tracked_free(word_ptr(*slot));
	table_iter_end(&it);
	table_fini(&t->table);
	mem_free(t);
}

/* The key's entry, made if need be. */
static struct tracked *find_or_add(struct tracked_keys *t, struct bytes key, uint64_t hash)
{
	uint64_t *slot = table_find(&t->table, key, hash);
	if (slot)
		return word_ptr(*slot);
	struct tracked *k = tracked_new(key);
	if (!k)
		return NULL;
	table_insert(&t->table, word_make(k, 0), hash);
	t->bytes += mem_of(k);
	return k;
}

bool tracked_keys_add(struct tracked_keys *t, struct bytes key, uint64_t hash, uint32_t tracker)
{
	struct tracked *k = find_or_add(t, key, hash);
	if (!k)
		return false;
	uint32_t at = place_of(ids_of(k), k->n, tracker);
	if (at < k->n && ids_of(k)[at] == tracker)
		return true;
	size_t before = mem_of(k);
	if (!grow(k))
		return false;
	uint32_t *ids = ids_of(k);
	memmove(ids + at + 1, ids + at, (k->n - at) * sizeof(*ids));
	ids[at] = tracker;
	k->n++;
	t->items++;
	t->bytes += mem_of(k) - before;
	return true;
}

static struct tracked *take(struct tracked_keys *t, uint64_t *slot, uint64_t hash)
{
	struct tracked *k = word_ptr(table_take(&t->table, slot, hash));
	t->items -= k->n;
	t->bytes -= mem_of(k);
	return k;
}

struct tracked *tracked_keys_take(struct tracked_keys *t, struct bytes key, uint64_t hash)
{
	uint64_t *slot = table_find(&t->table, key, hash);
	return slot ? take(t, slot, hash) : NULL;
}

struct tracked *tracked_keys_take_random(struct tracked_keys *t, struct rng *rng)
{
	uint64_t word = table_random(&t->table, rng);
	if (!word)
		return NULL;
	struct bytes key = tracked_key(word_ptr(word));
	return tracked_keys_take(t, key, keyhash(key));
}

/* --- sweeping --- */

/* What one step of the scan found with nobody left; the few that do not fit are found again the next time. */
struct sweep {
	struct tracked_keys *keys;
	bool (*alive)(void *arg, uint32_t tracker);
	void *arg;
	unsigned n;
	struct tracked *empty[256];
};

static void sweep_key(void *arg, uint64_t *slot)
{
	struct sweep *s = arg;
	struct tracked *k = word_ptr(*slot);
	uint32_t *ids = ids_of(k), left = 0;
	for (uint32_t i = 0; i < k->n; i++)
		if (s->alive(s->arg, ids[i]))
			ids[left++] = ids[i];
	s->keys->items -= k->n - left;
	k->n = left;
	if (!left && s->n < sizeof(s->empty) / sizeof(*s->empty))
		s->empty[s->n++] = k;
}

uint64_t tracked_keys_sweep(struct tracked_keys *t, uint64_t cursor,
			    bool (*alive)(void *arg, uint32_t tracker), void *arg)
{
	struct sweep s = {.keys = t, .alive = alive, .arg = arg};
	for (unsigned i = 0; i < 16; i++) {
		cursor = table_scan(&t->table, cursor, WORD_ALL_KINDS, sweep_key, &s);
		if (!cursor)
			break;
	}
	for (unsigned i = 0; i < s.n; i++) {
		struct bytes key = tracked_key(s.empty[i]);
		tracked_free(tracked_keys_take(t, key, keyhash(key)));
	}
	return cursor;
}

/* --- figures --- */

size_t tracked_keys_count(const struct tracked_keys *t)
{
	return table_count(&t->table);
}

size_t tracked_keys_items(const struct tracked_keys *t)
{
	return t->items;
}

size_t tracked_keys_mem(const struct tracked_keys *t)
{
	return t->bytes + table_mem(&t->table);
}

void tracked_keys_check(struct tracked_keys *t)
{
	struct table_iter it;
	uint64_t *slot;
	size_t items = 0, bytes = 0;
	table_check(&t->table);
	table_iter_begin(&it, &t->table);
	while ((slot = table_iter_next(&it))) {
		struct tracked *k = word_ptr(*slot);
		const uint32_t *ids = ids_of(k);
		STORE_CHECK(k->n <= k->cap);
		for (uint32_t i = 1; i < k->n; i++)
			STORE_CHECK(ids[i - 1] < ids[i]);
		items += k->n;
		bytes += mem_of(k);
	}
	table_iter_end(&it);
	STORE_CHECK(items == t->items);
	STORE_CHECK(bytes == t->bytes);
}
