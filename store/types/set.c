#include "store/types/set.h"

#include "store/base/check.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/types/intset.h"
#include "store/types/listpack.h"
#include "store/types/set_impl.h"

/* A listpack or intset of more bytes than this costs more to move than a table. */
#define SMALL_BYTES_MAX    ((size_t)1 << 30)
#define INTSET_ENTRIES_MAX ((size_t)1 << 30)

/* --- members of a table --- */

static uint64_t member_new(struct bytes m)
{
	unsigned char *p = mem_alloc(varkey_size(m.n) + m.n);
	varkey_put(p, m);
	return word_make(p, 0);
}

static size_t member_size(uint64_t w)
{
	struct bytes m = word_key(w, 0);
	return varkey_size(m.n) + m.n;
}

static void member_free(uint64_t w)
{
	mem_free_sized(word_ptr(w), member_size(w));
}

static struct table *table_make(size_t expected)
{
	struct table *t = mem_alloc(sizeof(*t));
	table_init(t, 0);
	if (expected)
		table_reserve(t, expected);
	return t;
}

static void table_drop(struct table *t)
{
	struct table_iter it;
	uint64_t *slot;

	table_iter_begin(&it, t);
	while ((slot = table_iter_next(&it)))
		member_free(*slot);
	table_iter_end(&it);
	table_fini(t);
	mem_free(t);
}

/* --- making and freeing --- */

static size_t intset_max(const struct type_limits *lim)
{
	return lim->set_max_intset_entries < INTSET_ENTRIES_MAX ? lim->set_max_intset_entries
								: INTSET_ENTRIES_MAX;
}

struct set *set_new(struct bytes first, size_t expected, const struct type_limits *lim)
{
	struct set *s = mem_alloc(sizeof(*s));
	int64_t v;

	if (expected <= intset_max(lim) && num_parse_int(first, &v)) {
		s->enc = SET_INTSET;
		s->is = intset_new();
	} else if (expected <= lim->set_max_listpack_entries &&
		   first.n <= lim->set_max_listpack_value) {
		s->enc = SET_LISTPACK;
		s->lp = listpack_new(0);
	} else {
		s->enc = SET_TABLE;
		s->t = table_make(expected);
	}
	return s;
}

void set_free(struct set *s)
{
	switch (s->enc) {
	case SET_INTSET:
		intset_free(s->is);
		break;
	case SET_LISTPACK:
		listpack_free(s->lp);
		break;
	case SET_TABLE:
		table_drop(s->t);
		break;
	}
	mem_free(s);
}

struct set *set_dup(struct set *s)
{
	struct set *copy = mem_alloc(sizeof(*copy));
	struct table_iter it;
	uint64_t *slot;

	copy->enc = s->enc;
	switch (s->enc) {
	case SET_INTSET:
		copy->is = intset_dup(s->is);
		break;
	case SET_LISTPACK:
		copy->lp = listpack_dup(s->lp);
		break;
	case SET_TABLE:
		copy->t = table_make(table_count(s->t));
		table_iter_begin(&it, s->t);
		while ((slot = table_iter_next(&it))) {
			struct bytes m = word_key(*slot, 0);
			table_insert(copy->t, member_new(m), keyhash(m));
		}
		table_iter_end(&it);
		break;
	}
	return copy;
}

size_t set_count(const struct set *s)
{
	switch (s->enc) {
	case SET_INTSET:
		return intset_count(s->is);
	case SET_LISTPACK:
		return listpack_count(s->lp);
	case SET_TABLE:
		return table_count(s->t);
	}
	return 0;
}

/* --- converting --- */

/* Free what @s holds and let it be @t. */
static void become_table(struct set *s, struct table *t)
{
	if (s->enc == SET_INTSET)
		intset_free(s->is);
	else
		listpack_free(s->lp);
	s->enc = SET_TABLE;
	s->t = t;
}

static void to_table(struct set *s, size_t expected)
{
	size_t count = set_count(s);
	struct table *t = table_make(expected > count ? expected : count);
	struct set_iter it;
	struct bytes m;

	set_iter_begin(&it, s);
	while (set_iter_next(&it, &m))
		table_insert(t, member_new(m), keyhash(m));
	set_iter_end(&it);
	become_table(s, t);
}

static void intset_to_listpack(struct set *s)
{
	size_t n = intset_count(s->is);
	unsigned char *lp = listpack_new(intset_bytes(s->is));
	char buf[NUM_BUF];

	for (size_t i = 0; i < n; i++) {
		int64_t v = intset_at(s->is, i);
		lp = listpack_append(lp, bytes_of(buf, num_format_int(buf, v)));
	}
	intset_free(s->is);
	s->enc = SET_LISTPACK;
	s->lp = lp;
}

void set_prepare(struct set *s, size_t expected, const struct type_limits *lim)
{
	if ((s->enc == SET_LISTPACK && expected > lim->set_max_listpack_entries) ||
	    (s->enc == SET_INTSET && expected > intset_max(lim)))
		to_table(s, expected);
}

/* --- adding and removing --- */

static size_t int_text_len(int64_t v)
{
	char buf[NUM_BUF];
	return num_format_int(buf, v);
}

/* Whether a listpack may hold one more, @m. */
static bool listpack_takes(const struct set *s, struct bytes m, const struct type_limits *lim)
{
	return listpack_count(s->lp) < lim->set_max_listpack_entries &&
	       m.n <= lim->set_max_listpack_value &&
	       listpack_bytes(s->lp) + listpack_element_size(m) <= SMALL_BYTES_MAX;
}

/* Whether the integers, and @m, would do as a listpack. */
static bool intset_fits_listpack(const struct set *s, struct bytes m, const struct type_limits *lim)
{
	size_t n = intset_count(s->is), max = lim->set_max_listpack_value;

	if (n >= lim->set_max_listpack_entries || m.n > max || n > SMALL_BYTES_MAX / 16)
		return false;
	/* The longest texts are at the ends of the order. */
	return n == 0 || (int_text_len(intset_at(s->is, 0)) <= max &&
			  int_text_len(intset_at(s->is, n - 1)) <= max);
}

static bool intset_take(struct set *s, struct bytes m, const struct type_limits *lim)
{
	int64_t v;
	bool added;

	if (num_parse_int(m, &v)) {
		s->is = intset_add(s->is, v, &added);
		if (added && intset_count(s->is) > intset_max(lim))
			to_table(s, 0);
		return added;
	}
	if (intset_fits_listpack(s, m, lim)) {
		intset_to_listpack(s);
		s->lp = listpack_append(s->lp, m);
	} else {
		to_table(s, intset_count(s->is) + 1);
		table_insert(s->t, member_new(m), keyhash(m));
	}
	return true;
}

bool set_add(struct set *s, struct bytes m, const struct type_limits *lim)
{
	uint64_t hash;

	switch (s->enc) {
	case SET_INTSET:
		return intset_take(s, m, lim);
	case SET_LISTPACK:
		if (listpack_find(s->lp, listpack_first(s->lp), m, 0))
			return false;
		set_add_new_hashed(s, m, 0, lim);
		return true;
	case SET_TABLE:
		hash = keyhash(m);
		if (table_find(s->t, m, hash))
			return false;
		table_insert(s->t, member_new(m), hash);
		return true;
	}
	return false;
}

void set_add_new_hashed(struct set *s, struct bytes m, uint64_t hash, const struct type_limits *lim)
{
	switch (s->enc) {
	case SET_INTSET:
		intset_take(s, m, lim);
		return;
	case SET_LISTPACK:
		if (listpack_takes(s, m, lim)) {
			s->lp = listpack_append(s->lp, m);
			return;
		}
		to_table(s, listpack_count(s->lp) + 1);
		hash = keyhash(m);
		/* fall through */
	case SET_TABLE:
		table_insert(s->t, member_new(m), hash);
	}
}

bool set_remove(struct set *s, struct bytes m)
{
	int64_t v;
	bool removed = false;
	unsigned char *p;
	uint64_t hash, *slot;

	switch (s->enc) {
	case SET_INTSET:
		if (num_parse_int(m, &v))
			s->is = intset_remove(s->is, v, &removed);
		return removed;
	case SET_LISTPACK:
		p = listpack_find(s->lp, listpack_first(s->lp), m, 0);
		if (p)
			s->lp = listpack_delete(s->lp, p, NULL);
		return p != NULL;
	case SET_TABLE:
		hash = keyhash(m);
		slot = table_find(s->t, m, hash);
		if (slot)
			member_free(table_take(s->t, slot, hash));
		return slot != NULL;
	}
	return false;
}

/* --- asking --- */

bool set_has_hashed(struct set *s, struct bytes m, uint64_t hash)
{
	int64_t v;

	switch (s->enc) {
	case SET_INTSET:
		return num_parse_int(m, &v) && intset_has(s->is, v);
	case SET_LISTPACK:
		return listpack_find(s->lp, listpack_first(s->lp), m, 0) != NULL;
	case SET_TABLE:
		return table_find(s->t, m, hash) != NULL;
	}
	return false;
}

bool set_has(struct set *s, struct bytes m)
{
	return set_has_hashed(s, m, s->enc == SET_TABLE ? keyhash(m) : 0);
}

bool set_random(struct set *s, struct rng *rng, char *buf, struct bytes *out)
{
	size_t n = set_count(s);

	if (n == 0)
		return false;
	switch (s->enc) {
	case SET_INTSET:
		*out = bytes_of(buf, num_format_int(buf, intset_at(s->is, rng_below(rng, n))));
		break;
	case SET_LISTPACK:
		*out = listpack_get(listpack_seek(s->lp, (long)rng_below(rng, n)), buf);
		break;
	case SET_TABLE:
		*out = word_key(table_random(s->t, rng), 0);
		break;
	}
	return true;
}

/* Few of many: words at random, leaving out those that were drawn before. */
static void sample_draws(struct set *s, struct rng *rng, size_t n,
			 void (*fn)(void *arg, struct bytes member), void *arg)
{
	struct table drawn; /* the same words */

	table_init(&drawn, 0);
	table_reserve(&drawn, n);
	while (n > 0) {
		uint64_t w = table_random(s->t, rng);
		struct bytes m = word_key(w, 0);
		uint64_t hash = keyhash(m);
		if (table_find(&drawn, m, hash))
			continue;
		table_insert(&drawn, w, hash);
		fn(arg, m);
		n--;
	}
	table_fini(&drawn);
}

void set_sample(struct set *s, struct rng *rng, size_t n,
		void (*fn)(void *arg, struct bytes member), void *arg)
{
	struct set_iter it;
	struct bytes m;
	size_t left = set_count(s);

	if (s->enc == SET_TABLE && n < left / 4) {
		sample_draws(s, rng, n, fn, arg);
		return;
	}
	/* One walk: each is taken with the chance that the rest still needs it. */
	set_iter_begin(&it, s);
	for (; n > 0 && set_iter_next(&it, &m); left--)
		if (n >= left || rng_below(rng, left) < n) {
			fn(arg, m);
			n--;
		}
	set_iter_end(&it);
}

struct scan_step {
	void (*fn)(void *arg, struct bytes member);
	void *arg;
};

static void scan_slot(void *arg, uint64_t *slot)
{
	struct scan_step *step = arg;
	step->fn(step->arg, word_key(*slot, 0));
}

uint64_t set_scan(struct set *s, uint64_t cursor, void (*fn)(void *arg, struct bytes member),
		  void *arg)
{
	struct scan_step step = {fn, arg};
	struct set_iter it;
	struct bytes m;

	if (s->enc == SET_TABLE)
		return table_scan(s->t, cursor, WORD_ALL_KINDS, scan_slot, &step);
	set_iter_begin(&it, s);
	while (set_iter_next(&it, &m))
		fn(arg, m);
	set_iter_end(&it);
	return 0;
}

void set_iter_begin(struct set_iter *it, struct set *s)
{
	it->s = s;
	it->i = 0;
	it->at = NULL;
	if (s->enc == SET_TABLE)
		table_iter_begin(&it->t, s->t);
	else if (s->enc == SET_LISTPACK)
		it->at = listpack_first(s->lp);
}

bool set_iter_next(struct set_iter *it, struct bytes *out)
{
	struct set *s = it->s;
	uint64_t *slot;

	switch (s->enc) {
	case SET_INTSET:
		if (it->i >= intset_count(s->is))
			return false;
		*out = bytes_of(it->buf, num_format_int(it->buf, intset_at(s->is, it->i++)));
		return true;
	case SET_LISTPACK:
		if (!it->at)
			return false;
		*out = listpack_get(it->at, it->buf);
		it->at = listpack_next(s->lp, it->at);
		return true;
	case SET_TABLE:
		slot = table_iter_next(&it->t);
		if (slot)
			*out = word_key(*slot, 0);
		return slot != NULL;
	}
	return false;
}

void set_iter_end(struct set_iter *it)
{
	if (it->s->enc == SET_TABLE)
		table_iter_end(&it->t);
}

/* --- snapshots --- */

const unsigned char *set_intset(const struct set *s)
{
	return s->enc == SET_INTSET ? s->is : NULL;
}

const unsigned char *set_listpack(const struct set *s)
{
	return s->enc == SET_LISTPACK ? s->lp : NULL;
}

struct set *set_adopt_intset(unsigned char *is, const struct type_limits *lim)
{
	struct set *s = mem_alloc(sizeof(*s));

	s->enc = SET_INTSET;
	s->is = is;
	if (intset_count(is) > intset_max(lim))
		to_table(s, 0);
	return s;
}

struct set *set_adopt_listpack(unsigned char *lp, const struct type_limits *lim)
{
	struct set *s = mem_alloc(sizeof(*s));
	bool fits = listpack_count(lp) <= lim->set_max_listpack_entries;
	char buf[NUM_BUF];

	s->enc = SET_LISTPACK;
	s->lp = lp;
	for (unsigned char *p = listpack_first(lp); p && fits; p = listpack_next(lp, p))
		fits = listpack_get(p, buf).n <= lim->set_max_listpack_value;
	if (!fits)
		to_table(s, 0);
	return s;
}

/* --- seeing inside --- */

const char *set_encoding(const struct set *s)
{
	static const char *const names[] = {"intset", "listpack", "hashtable"};
	return names[s->enc];
}

static size_t members_mem(struct table *t, unsigned samples)
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

size_t set_mem(struct set *s, unsigned samples)
{
	size_t sum = mem_size(s);

	switch (s->enc) {
	case SET_INTSET:
		return sum + mem_size(s->is);
	case SET_LISTPACK:
		return sum + mem_size(s->lp);
	case SET_TABLE:
		return sum + mem_size(s->t) + table_mem(s->t) + members_mem(s->t, samples);
	}
	return sum;
}

size_t set_effort(const struct set *s)
{
	return s->enc == SET_TABLE ? table_count(s->t) : 1;
}

struct table *set_table(struct set *s)
{
	return s->enc == SET_TABLE ? s->t : NULL;
}

void set_check(struct set *s, const struct type_limits *lim)
{
	struct set_iter it;
	struct bytes m;
	size_t n = 0;

	if (s->enc == SET_INTSET) {
		STORE_CHECK(intset_count(s->is) == 0 || intset_valid(s->is, intset_bytes(s->is)));
		STORE_CHECK(intset_count(s->is) <= intset_max(lim));
	} else if (s->enc == SET_LISTPACK) {
		STORE_CHECK(listpack_valid(s->lp, listpack_bytes(s->lp)));
		STORE_CHECK(listpack_count(s->lp) <= lim->set_max_listpack_entries);
	} else {
		table_check(s->t);
	}
	set_iter_begin(&it, s);
	for (; set_iter_next(&it, &m); n++) {
		STORE_CHECK(s->enc != SET_LISTPACK || m.n <= lim->set_max_listpack_value);
		STORE_CHECK(set_has(s, m));
	}
	set_iter_end(&it);
	STORE_CHECK(n == set_count(s));
}
