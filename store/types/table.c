/* store/types/table.c - finding, adding, taking and the incremental rehash: see table.h and table_bucket.h. */
#include "store/types/table.h"

#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/types/table_bucket.h"

/* Arrays from this size on come as pages from the kernel; below, from the heap. */
#define PAGES_FROM ((size_t)64 << 10)

/* An old array of pages goes back in pieces of this size as its buckets move: unmapping 128 MiB at once takes
 * milliseconds. A huge page, so that none has to be split. */
#define GIVE_BACK ((size_t)2 << 20)

/* The table grows when 7/8 of the slots are taken on average. */
static inline bool is_full(uint64_t words, uint64_t buckets)
{
	return words * 8 >= buckets * (BUCKET_SLOTS * 7);
}

/* It shrinks below 1/8, to what is then at most half full. */
#define SHRINK_BITS_MIN 2

static inline bool is_sparse(uint64_t words, uint64_t buckets)
{
	return words * 8 < buckets * BUCKET_SLOTS;
}

/* Buckets moved at each change: a growth is then through long before the next one is due. */
#define GROW_STEP   1
#define SHRINK_STEP 4

#define RESERVE_MAX (UINT64_C(1) << 44)

/* --- arrays --- */

static size_t array_bytes(unsigned bits)
{
	return sizeof(struct bucket) << bits;
}

static struct bucket *array_new(unsigned bits)
{
	size_t n = array_bytes(bits);
	return n < PAGES_FROM ? mem_calloc(n) : mem_pages_alloc(n);
}

/* Free what is left of an array whose first @gone buckets were moved. */
static void array_free(struct bucket *b, unsigned bits, uint64_t gone)
{
	size_t n = array_bytes(bits), given = 0;
	if (!b)
		return;
	if (n < PAGES_FROM) {
		mem_free_sized(b, n);
		return;
	}
	if (n >= GIVE_BACK)
		given = gone * sizeof(struct bucket) & ~(GIVE_BACK - 1);
	mem_pages_free((char *)b + given, n - given);
}

static void child_free(struct table *t, int array, struct bucket *b)
{
	mem_free_sized(b, sizeof(*b));
	t->children[array]--;
}

void table_init(struct table *t, unsigned lead)
{
	*t = (struct table){.lead = (uint8_t)lead, .rehash_at = -1};
}

void table_fini(struct table *t)
{
	for (int a = 0; a < 2; a++) {
		for (uint64_t i = table_first(t, a); t->children[a] && i < table_size(t, a); i++)
			for (struct bucket *b = bucket_child(table_array(t, a) + i), *next; b;
			     b = next) {
				next = bucket_child(b);
				child_free(t, a, b);
			}
		array_free(table_array(t, a), t->bits[a], table_first(t, a));
	}
	if (t->coming)
		mem_pages_drop(t->coming, array_bytes(t->bits[1]));
	table_init(t, t->lead);
}

/* --- chains --- */

/* Put @word into the chain that begins at @b, and return its slot. */
static inline uint64_t *chain_add(struct table *t, int array, struct bucket *b, uint64_t word,
				  uint8_t tag)
{
	unsigned room;
	while (!(room = bucket_free(b))) {
		struct bucket *child = bucket_child(b);
		if (!child) {
			child = mem_alloc(sizeof(*child));
			child->meta = 1;
			child->tags[0] = b->tags[BUCKET_SLOTS - 1];
			child->words[0] = b->words[BUCKET_SLOTS - 1];
			b->words[BUCKET_SLOTS - 1] = (uint64_t)(uintptr_t)child;
			b->meta = BUCKET_CHAIN | BUCKET_ALL >> 1;
			t->children[array]++;
		}
		b = child;
	}
	unsigned i = (unsigned)__builtin_ctz(room);
	b->tags[i] = tag;
	b->words[i] = word;
	b->meta |= (uint8_t)(1u << i);
	t->used[array]++;
	return &b->words[i];
}

/* Move the word at slot @i of @from to slot @j of @to. */
static void slot_move(struct bucket *to, unsigned j, struct bucket *from, unsigned i)
{
	to->tags[j] = from->tags[i];
	to->words[j] = from->words[i];
	to->meta |= (uint8_t)(1u << j);
	from->meta &= (uint8_t) ~(1u << i);
}

/* Fill the holes of a chain from its end, and let the last bucket go when the others can hold what it has. */
static void chain_compact(struct table *t, int array, struct bucket *head)
{
	for (;;) {
		struct bucket *hole = NULL, *parent = NULL, *last = head;
		for (struct bucket *next; (next = bucket_child(last)); last = next) {
			if (!hole && bucket_free(last))
				hole = last;
			parent = last;
		}
		if (!parent)
			return;
		unsigned taken = bucket_taken(last);
		if (taken && hole) {
			slot_move(hole, (unsigned)__builtin_ctz(bucket_free(hole)), last,
				  (unsigned)__builtin_ctz(taken));
			continue;
		}
		if (taken & (taken - 1))
			return;
		/* None or one is left, and the child's own place in the parent is enough for it. */
		parent->meta &= (uint8_t)~BUCKET_CHAIN;
		if (taken)
			slot_move(parent, BUCKET_SLOTS - 1, last, (unsigned)__builtin_ctz(taken));
		child_free(t, array, last);
	}
}

/* --- rehash --- */

bool table_rehashing(const struct table *t)
{
	return t->rehash_at >= 0;
}

static void rehash_into(struct table *t, struct bucket *b, unsigned bits)
{
	t->buckets[1] = b;
	t->bits[1] = (uint8_t)bits;
	t->rehash_at = 0;
}

/* Begin to move everything to an array of 2^@bits buckets; to a large one when its pages are present. Without
 * memory for it the table stays as it is, with longer chains, and tries again at a later change. */
static void rehash_start(struct table *t, unsigned bits)
{
	if (array_bytes(bits) >= GIVE_BACK) {
		t->coming = mem_pages_warm(array_bytes(bits));
		t->bits[1] = (uint8_t)bits;
		return;
	}
	struct bucket *b = array_new(bits);
	if (b)
		rehash_into(t, b, bits);
}

/* The pages that were asked for may be there. */
static void rehash_await(struct table *t)
{
	void *b = t->coming;
	if (!mem_pages_ready(b))
		return;
	t->coming = NULL;
	if (t->bits[1] < t->bits[0] && is_full(t->used[0], UINT64_C(1) << t->bits[1]))
		mem_pages_free(b, array_bytes(t->bits[1])); /* it grew again meanwhile */
	else
		rehash_into(t, b, t->bits[1]);
}

static void rehash_end(struct table *t)
{
	t->buckets[0] = t->buckets[1];
	t->bits[0] = t->bits[1];
	t->used[0] = t->used[1];
	t->children[0] = t->children[1];
	t->buckets[1] = NULL;
	t->bits[1] = 0;
	t->used[1] = 0;
	t->children[1] = 0;
	t->rehash_at = -1;
}

/* When growing, a word's new bucket follows from its key: have the entries of the next bucket on their way, the
 * buckets they will go to, and the bucket after. */
static void prefetch_next(const struct table *t, uint64_t i)
{
	const struct bucket *b = table_array(t, 0) + i, *to = table_array(t, 1) + i;
	__builtin_prefetch(b + 2);
	__builtin_prefetch(to, 1);
	__builtin_prefetch(to + table_size(t, 0), 1);
	for (; b; b = bucket_child(b))
		for (unsigned taken = bucket_taken(b); taken; taken &= taken - 1)
			__builtin_prefetch(word_ptr(b->words[__builtin_ctz(taken)]));
}

static void move_bucket(struct table *t, uint64_t i)
{
	struct bucket *old = table_array(t, 0) + i;
	bool grows = t->bits[1] > t->bits[0];
	for (struct bucket *b = old, *next; b; b = next) {
		for (unsigned taken = bucket_taken(b); taken; taken &= taken - 1) {
			unsigned s = (unsigned)__builtin_ctz(taken);
			uint64_t w = b->words[s];
			uint64_t at = grows ? keyhash(word_key(w, t->lead)) : i;
			chain_add(t, 1, table_array(t, 1) + (at & table_mask(t, 1)), w, b->tags[s]);
			t->used[0]--;
		}
		next = bucket_child(b);
		if (b != old)
			child_free(t, 0, b);
	}
}

bool table_step(struct table *t, unsigned n)
{
	if (t->paused)
		return false;
	if (t->coming)
		rehash_await(t);
	if (t->rehash_at < 0)
		return false;
	uint64_t size = table_size(t, 0);
	bool grows = t->bits[1] > t->bits[0];
	while (n--) {
		uint64_t i = (uint64_t)t->rehash_at;
		if (grows && i + 1 < size)
			prefetch_next(t, i + 1);
		move_bucket(t, i++);
		t->rehash_at = (int64_t)i;
		size_t done = i * sizeof(struct bucket);
		if (i == size) {
			if (array_bytes(t->bits[0]) < GIVE_BACK)
				array_free(table_array(t, 0), t->bits[0], 0);
			else
				mem_pages_free((char *)t->buckets[0] + done - GIVE_BACK, GIVE_BACK);
			rehash_end(t);
			return false;
		}
		if (done % GIVE_BACK == 0)
			mem_pages_free((char *)t->buckets[0] + done - GIVE_BACK, GIVE_BACK);
	}
	return true;
}

/* Bits of an array that holds @n words at most @num/8 full. */
static unsigned bits_for(uint64_t n, unsigned num)
{
	unsigned bits = 0;
	while (n * 8 > (UINT64_C(1) << bits) * BUCKET_SLOTS * num)
		bits++;
	return bits;
}

static bool resizing = true;

void table_resizing(bool on)
{
	resizing = on;
}

/* As in Redis a table that must not grow does at five times what it has room for. */
static bool may_grow(const struct table *t)
{
	return resizing || t->used[0] > 5 * table_size(t, 0) * BUCKET_SLOTS;
}

/* Before a word is added: room for it, and a step of what is under way. */
static void make_room(struct table *t)
{
	if (t->paused)
		return;
	if (t->rehash_at >= 0) {
		/* A shrink that meets with growth is hurried on. */
		bool late = is_full(table_count(t), table_size(t, 1));
		table_step(t, t->bits[1] > t->bits[0] ? GROW_STEP : SHRINK_STEP << (late ? 3 : 0));
	} else if (t->coming) {
		rehash_await(t);
	} else if (is_full(t->used[0], table_size(t, 0)) && may_grow(t)) {
		rehash_start(t, t->bits[0] + 1u);
		table_step(t, GROW_STEP);
	}
}

static void after_take(struct table *t)
{
	if (t->paused)
		return;
	if (t->rehash_at >= 0)
		table_step(t, t->bits[1] > t->bits[0] ? GROW_STEP : SHRINK_STEP);
	else if (t->coming)
		rehash_await(t);
	else if (resizing && t->bits[0] > SHRINK_BITS_MIN &&
		 is_sparse(t->used[0], table_size(t, 0)))
		rehash_start(t, bits_for(t->used[0], 4));
}

void table_reserve(struct table *t, uint64_t n)
{
	/* More than can ever be: the numbers below would pass 64 bits. */
	if (n > RESERVE_MAX)
		return;
	unsigned bits = bits_for(n, 7);
	if (t->rehash_at >= 0 || t->coming || t->paused || (t->buckets[0] && bits <= t->bits[0]))
		return;
	if (t->used[0]) {
		rehash_start(t, bits);
		return;
	}
	struct bucket *b = array_new(bits);
	if (!b)
		return;
	table_fini(t);
	t->buckets[0] = b;
	t->bits[0] = (uint8_t)bits;
}

/* --- words --- */

/* Whether @n bytes are the same; keys are short, and a call of memcmp costs more than comparing them. */
static inline bool same_bytes(const unsigned char *a, const unsigned char *b, size_t n)
{
	uint64_t x, y;
	if (n > 32)
		return memcmp(a, b, n) == 0;
	if (n >= 8) {
		for (size_t i = 0; i + 8 < n; i += 8) {
			memcpy(&x, a + i, 8);
			memcpy(&y, b + i, 8);
			if (x != y)
				return false;
		}
		memcpy(&x, a + n - 8, 8);
		memcpy(&y, b + n - 8, 8);
		return x == y;
	}
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static inline bool word_is(uint64_t w, unsigned lead, struct bytes key)
{
	/* WORD_EXPIRE is bit 55: eight bytes more in front, without a branch. */
	const unsigned char *at =
		(const unsigned char *)word_ptr(w) + lead + ((w & WORD_EXPIRE) >> 52);
	if (key.n < 254)
		return *at == key.n && same_bytes(at + 1, (const unsigned char *)key.p, key.n);
	return bytes_eq(varkey_get(at), key);
}

uint64_t *table_find(struct table *t, struct bytes key, uint64_t hash)
{
	uint64_t i;
	if (!t->buckets[0])
		return NULL;
	int array = table_home(t, hash, &i);
	uint8_t tag = hash_tag(hash);
	for (struct bucket *b = table_array(t, array) + i; b; b = bucket_child(b))
		for (unsigned m = bucket_match(b, tag); m; m &= m - 1) {
			uint64_t *slot = &b->words[__builtin_ctz(m)];
			if (__builtin_expect(word_is(*slot, t->lead, key), 1))
				return slot;
		}
	return NULL;
}

uint64_t *table_insert(struct table *t, uint64_t word, uint64_t hash)
{
	uint64_t i;
	if (!t->buckets[0])
		t->buckets[0] = array_new(0);
	make_room(t);
	int array = table_home(t, hash, &i);
	return chain_add(t, array, table_array(t, array) + i, word, hash_tag(hash));
}

uint64_t table_take(struct table *t, uint64_t *slot, uint64_t hash)
{
	uint64_t i, word = *slot;
	int array = table_home(t, hash, &i);
	struct bucket *head = table_array(t, array) + i, *b = head;
	while (slot < b->words || slot >= b->words + BUCKET_SLOTS)
		b = bucket_child(b);
	b->meta &= (uint8_t) ~(1u << (slot - b->words));
	t->used[array]--;
	if (t->paused)
		return word;
	if (head->meta & BUCKET_CHAIN)
		chain_compact(t, array, head);
	after_take(t);
	return word;
}

void table_prefetch_bucket(const struct table *t, uint64_t hash)
{
	uint64_t i;
	if (!t->buckets[0])
		return;
	int array = table_home(t, hash, &i);
	__builtin_prefetch(table_array(t, array) + i);
}

void table_prefetch_entry(const struct table *t, uint64_t hash)
{
	uint64_t i;
	if (!t->buckets[0])
		return;
	int array = table_home(t, hash, &i);
	const struct bucket *b = table_array(t, array) + i;
	unsigned m = bucket_match(b, hash_tag(hash));
	if (!m && (b->meta & BUCKET_CHAIN))
		__builtin_prefetch(bucket_child(b));
	for (; m; m &= m - 1) {
		/* A short entry lies in at most two lines. */
		const char *p = word_ptr(b->words[__builtin_ctz(m)]);
		__builtin_prefetch(p);
		__builtin_prefetch(p + 47);
	}
}
