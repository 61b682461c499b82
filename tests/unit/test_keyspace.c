/* tests/unit/test_keyspace.c - databases of keys against a naive model, on a fake clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "store/base/bgfree.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/base/num.h"
#include "store/keyspace/keyspace.h"
#include "store/types/list.h"
#include "store/types/set.h"

#define DBS  3
#define KEYS 150

/* What a key should hold: a string, or a list or set with @n elements that follow from their number. */
struct model {
	bool there;
	enum value_type type;
	char *bytes;
	size_t n;
	int64_t expire_at;
	bool newline;
};

struct world {
	struct keyspace *ks;
	struct model m[DBS][KEYS];
	struct rng rng;
	int64_t now;
	uint64_t expired;
};

static const struct type_limits limits = TYPE_LIMITS_DEFAULT;

static struct bytes key_of(unsigned i, char *buf)
{
	size_t n = (size_t)sprintf(buf, "%u.", i);
	size_t pad = i % 29 == 0 ? 300 : i % 149 == 7 ? 70000 : i % 40;
	memset(buf + n, 'k', pad);
	return bytes_of(buf, n + pad);
}

static char key_buf[70100], other_buf[70100];

static void forget(struct model *m)
{
	free(m->bytes);
	*m = (struct model){.expire_at = -1};
}

static bool stale(const struct world *w, const struct model *m)
{
	return m->there && m->expire_at >= 0 && w->now > m->expire_at;
}

/* Only what is past its time goes, and it is no longer there when the hook hears of it. */
static void gone(void *arg, struct db *db, struct bytes key, enum keyspace_gone why)
{
	struct world *w = arg;
	struct model *m = &w->m[db->id][strtoul(key.p, NULL, 10)];
	assert_int_equal(why, KEYSPACE_EXPIRED);
	assert_true(stale(w, m));
	assert_null(table_find(&db->keys, key, keyhash(key)));
	w->expired++;
	forget(m);
}

static void remember(struct model *m, struct bytes val, int64_t expire_at, bool newline)
{
	char *copy = malloc(val.n + 1);
	memcpy(copy, val.p, val.n);
	free(m->bytes);
	*m = (struct model){true, VALUE_STRING, copy, val.n, expire_at, newline};
}

/* A string of a length around one of the borders: of the encodings, of size classes, of length bytes. */
static struct bytes some_value(struct world *w)
{
	static char buf[5000];
	static const size_t lengths[] = {0, 1, 20, 44, 45, 253, 254, 300, 1000, 1024, 1025, 4000};
	size_t n = lengths[rng_below(&w->rng, 12)] + rng_below(&w->rng, 3);
	if (rng_below(&w->rng, 4) == 0)
		return bytes_of(buf, num_format_int(buf, (int64_t)rng_next(&w->rng)));
	for (size_t i = 0; i < n; i++)
		buf[i] = (char)rng_next(&w->rng);
	return bytes_of(buf, n);
}

static int64_t some_time(struct world *w)
{
	return rng_below(&w->rng, 2) ? -1 : w->now + (int64_t)rng_below(&w->rng, 2000) - 100;
}

static void *some_container(struct world *w, enum value_type *type, size_t *n)
{
	char buf[NUM_BUF];
	*type = rng_below(&w->rng, 2) ? VALUE_LIST : VALUE_SET;
	*n = 1 + rng_below(&w->rng, rng_below(&w->rng, 10) ? 20 : 1500);
	if (*type == VALUE_LIST) {
		struct list *l = list_new();
		for (size_t i = 0; i < *n; i++)
			list_push(l, true, bytes_of(buf, num_format_int(buf, (int64_t)i)), &limits);
		return l;
	}
	struct set *s = set_new(BYTES("0"), 1, &limits);
	for (size_t i = 0; i < *n; i++)
		set_add(s, bytes_of(buf, num_format_int(buf, (int64_t)i)), &limits);
	return s;
}

static void compare_container(uint64_t word, const struct model *m)
{
	char buf[NUM_BUF];
	struct bytes out;
	int64_t last;
	if (m->type == VALUE_LIST) {
		struct list *l = entry_container(word);
		assert_int_equal(list_count(l), m->n);
		assert_true(list_get(l, -1, buf, &out));
		assert_true(num_parse_int(out, &last));
		assert_int_equal(last, m->n - 1);
	} else {
		assert_int_equal(set_count(entry_container(word)), m->n);
	}
}

static void compare(struct world *w, unsigned d, unsigned i)
{
	char buf[NUM_BUF];
	struct model *m = &w->m[d][i];
	uint64_t word = keyspace_read(&w->ks->dbs[d], key_of(i, key_buf), KEYSPACE_NOTOUCH);
	if (!m->there) {
		assert_int_equal(word, 0);
		return;
	}
	assert_true(word);
	assert_int_equal(word_type(word), m->type);
	assert_int_equal(entry_expiry(word), m->expire_at);
	assert_true(bytes_eq(entry_key(word), key_of(i, key_buf)));
	assert_true(keyspace_entry_mem(word, 5) > m->n / 100);
	if (m->type != VALUE_STRING) {
		compare_container(word, m);
		return;
	}
	struct bytes s = entry_string(word, buf);
	assert_true(bytes_eq(s, bytes_of(m->bytes, m->n)));
	assert_int_equal(entry_string_len(word), m->n);
	assert_int_equal((word & WORD_NEWLINE) != 0, m->newline);
	int64_t number;
	if (num_parse_int(s, &number) && !(word & WORD_RAW))
		assert_string_equal(entry_encoding(word), "int");
}

/* --- one step each --- */

static void step_set(struct world *w, struct db *db, struct model *m, struct bytes key)
{
	struct bytes val = some_value(w);
	unsigned flags = (unsigned)rng_below(&w->rng, 8);
	int64_t at = some_time(w);
	int64_t kept = m->there && !stale(w, m) ? m->expire_at : -1;
	bool newline = flags & KEYSPACE_SET_NEWLINE, keep = flags & KEYSPACE_SET_KEEPTTL;
	switch (rng_below(&w->rng, 3)) {
	case 0:
		keyspace_set_string(db, key, val, flags);
		remember(m, val, keep ? kept : -1, newline);
		break;
	case 1:
		/* A key that is absent has no expiry to be kept: the new one holds. */
		if (keep && !m->there)
			flags &= ~(unsigned)KEYSPACE_SET_KEEPTTL;
		keep = flags & KEYSPACE_SET_KEEPTTL;
		if (keep && stale(w, m))
			return;
		keyspace_set_string_expire(db, key, keyhash(key), val, flags, at);
		remember(m, val, keep ? kept : at, newline);
		break;
	default:
		keyspace_set_blob(db, key, blob_from(val), flags);
		remember(m, val, keep ? kept : -1, newline);
	}
}

static void step_int(struct world *w, struct db *db, struct model *m, struct bytes key)
{
	char buf[NUM_BUF];
	int64_t v = (int64_t)rng_next(&w->rng) >> rng_below(&w->rng, 60);
	bool fresh = !m->there || stale(w, m);
	int64_t at = fresh ? -1 : m->expire_at;
	bool newline = !fresh && m->newline;
	keyspace_set_int(db, key, v);
	remember(m, bytes_of(buf, num_format_int(buf, v)), at, newline);
}

static void step_resize(struct world *w, struct db *db, struct model *m, struct bytes key)
{
	char *data;
	bool fresh = !m->there || stale(w, m);
	size_t len = rng_below(&w->rng, rng_below(&w->rng, 3) ? 1200 : 9000);
	if (!fresh && rng_below(&w->rng, 2))
		len = m->n + rng_below(&w->rng, 200);
	enum store_err err = keyspace_string_resize(db, key, len, &data);
	if (m->there && m->type != VALUE_STRING) {
		assert_int_equal(err, STORE_ETYPE);
		return;
	}
	assert_int_equal(err, STORE_OK);
	size_t kept = m->there ? (m->n < len ? m->n : len) : 0;
	if (kept)
		assert_memory_equal(data, m->bytes, kept);
	for (size_t i = kept; i < len; i++)
		assert_int_equal(data[i], 0);
	for (size_t i = 0; i < len; i++)
		data[i] = (char)rng_next(&w->rng);
	remember(m, bytes_of(data, len), m->there ? m->expire_at : -1, false);
}

static void step_container(struct world *w, struct db *db, struct model *m, struct bytes key)
{
	enum value_type type;
	size_t n;
	void *c = some_container(w, &type, &n);
	if (keyspace_write(db, key) || rng_below(&w->rng, 2)) {
		keyspace_put(db, key, type, c);
	} else {
		uint64_t *slot = keyspace_add(db, key, type, c);
		assert_ptr_equal(entry_container(*slot), c);
	}
	forget(m);
	*m = (struct model){true, type, NULL, n, -1, false};
}

static void step_delete(struct world *w, struct db *db, struct model *m, struct bytes key)
{
	enum keyspace_free how = rng_below(&w->rng, 2) ? KEYSPACE_FREE_LAZY : KEYSPACE_FREE_NOW;
	bool there = m->there && !stale(w, m);
	uint64_t *slot = rng_below(&w->rng, 2) ? keyspace_write(db, key) : NULL;
	if (slot)
		keyspace_delete_slot(db, slot, how);
	else
		assert_int_equal(keyspace_delete(db, key, how), there);
	forget(m);
}

static void step_expire(struct world *w, struct db *db, struct model *m, struct bytes key)
{
	int64_t at = some_time(w);
	bool there = m->there && !stale(w, m);
	assert_int_equal(keyspace_expire(db, key, at), there);
	if (there)
		m->expire_at = at;
}

/* MOVE, RENAME and COPY between two places. */
static void step_transfer(struct world *w, unsigned d, unsigned i)
{
	unsigned d2 = (unsigned)rng_below(&w->rng, DBS), i2 = (unsigned)rng_below(&w->rng, KEYS);
	struct db *from = &w->ks->dbs[d], *to = &w->ks->dbs[d2];
	struct model *m = &w->m[d][i], *m2 = &w->m[d2][i2];
	struct bytes key = key_of(i, key_buf), key2 = key_of(i2, other_buf);
	if (!keyspace_read(from, key, KEYSPACE_NOTOUCH) || m == m2)
		return;
	if (rng_below(&w->rng, 2)) {
		keyspace_move(from, key, to, key2);
		forget(m2);
		*m2 = *m;
		m->bytes = NULL;
		forget(m);
		return;
	}
	keyspace_delete(to, key2, KEYSPACE_FREE_NOW);
	forget(m2);
	assert_int_equal(keyspace_copy(from, key, to, key2), STORE_OK);
	*m2 = *m;
	if (m->bytes) {
		m2->bytes = malloc(m->n + 1);
		memcpy(m2->bytes, m->bytes, m->n);
	}
}

static void step_database(struct world *w, unsigned d)
{
	unsigned d2 = (unsigned)rng_below(&w->rng, DBS);
	if (rng_below(&w->rng, 3)) {
		keyspace_swap(&w->ks->dbs[d], &w->ks->dbs[d2]);
		struct model *tmp = malloc(sizeof(w->m[d]));
		memcpy(tmp, w->m[d], sizeof(w->m[d]));
		memcpy(w->m[d], w->m[d2], sizeof(w->m[d]));
		memcpy(w->m[d2], tmp, sizeof(w->m[d]));
		free(tmp);
		return;
	}
	uint64_t n = 0;
	for (unsigned i = 0; i < KEYS; i++) {
		n += w->m[d][i].there;
		forget(&w->m[d][i]);
	}
	assert_int_equal(keyspace_flush(&w->ks->dbs[d], rng_below(&w->rng, 2) ? KEYSPACE_FREE_LAZY
									      : KEYSPACE_FREE_NOW),
			 n);
}

static void step(struct world *w)
{
	unsigned d = (unsigned)rng_below(&w->rng, DBS), i = (unsigned)rng_below(&w->rng, KEYS);
	struct db *db = &w->ks->dbs[d];
	struct model *m = &w->m[d][i];
	struct bytes key = key_of(i, key_buf);
	unsigned what = (unsigned)rng_below(&w->rng, 1000);
	if (what < 300)
		step_set(w, db, m, key);
	else if (what < 370)
		step_int(w, db, m, key);
	else if (what < 500)
		step_resize(w, db, m, key);
	else if (what < 600)
		step_container(w, db, m, key);
	else if (what < 720)
		step_delete(w, db, m, key);
	else if (what < 840)
		step_expire(w, db, m, key);
	else if (what < 970)
		step_transfer(w, d, i);
	else if (what < 980)
		step_database(w, d);
	else if (what < 990)
		keyspace_expire_cycle(w->ks, 1000, 1 + (unsigned)rng_below(&w->rng, 10));
	else
		keyspace_set_now(w->ks, w->now += (int64_t)rng_below(&w->rng, 300));
	compare(w, d, i);
}

static void run_model(bool lazy)
{
	uint8_t seed[16] = "keyspace tests..";
	size_t before = mem_used();
	struct world *w = mem_calloc(sizeof(*w));
	uint64_t s = (uint64_t)time(NULL);
	print_message("seed %lu\n", (unsigned long)s);
	keyhash_seed(seed);
	rng_seed(&w->rng, s);
	w->ks = keyspace_new(DBS);
	w->ks->hooks = (struct keyspace_hooks){.arg = w, .gone = gone};
	struct keyspace_policy *p = &w->ks->policy;
	p->lazy_server_del = p->lazy_expire = lazy;
	keyspace_set_now(w->ks, w->now = 1700000000000);
	for (unsigned d = 0; d < DBS; d++)
		for (unsigned i = 0; i < KEYS; i++)
			w->m[d][i].expire_at = -1;
	for (int n = 0; n < 20000; n++) {
		step(w);
		if (n % 8 == 0)
			keyspace_check(w->ks);
	}
	for (unsigned d = 0; d < DBS; d++)
		for (unsigned i = 0; i < KEYS; i++)
			compare(w, d, i);
	assert_true(w->expired > 100);
	assert_int_equal(w->ks->stats.expired, w->expired);
	keyspace_free(w->ks);
	bgfree_drain();
	for (unsigned d = 0; d < DBS; d++)
		for (unsigned i = 0; i < KEYS; i++)
			forget(&w->m[d][i]);
	mem_free(w);
	assert_in_range(mem_used() + 1, before, before + 8192);
}

/* Whatever is done to keys, they hold what the model says, in every encoding, and no memory is lost. */
static void changes_match_model(void **state)
{
	(void)state;
	run_model(false);
}

/* The same with values freed on the other thread. */
static void changes_match_model_lazily(void **state)
{
	(void)state;
	assert_int_equal(bgfree_start(), 0);
	run_model(true);
	bgfree_stop();
}

static struct keyspace *fresh(int64_t now)
{
	struct keyspace *ks = keyspace_new(2);
	keyspace_set_now(ks, now);
	return ks;
}

static struct bytes numbered(const char *format, unsigned i)
{
	static char buf[64];
	return bytes_of(buf, (size_t)snprintf(buf, sizeof(buf), format, i));
}

/* A value of the same size class is replaced where it stands, and a small key with its value is 48 bytes. */
static void overwriting_stays_in_place(void **state)
{
	(void)state;
	struct keyspace *ks = fresh(1000);
	struct db *db = ks->dbs;
	struct bytes key = BYTES("key:0000001"), val = BYTES("0123456789abcdef0123456789abcdef");
	keyspace_set_string(db, key, val, 0);
	void *p = word_ptr(keyspace_read(db, key, KEYSPACE_TOUCH));
	assert_int_equal(keyspace_entry_mem(keyspace_read(db, key, KEYSPACE_TOUCH), 0), 48 + 9);
	keyspace_set_string(db, key, bytes_of("xyzz0123456789abcdef", 20), 0);
	assert_ptr_equal(word_ptr(keyspace_read(db, key, KEYSPACE_TOUCH)), p);
	keyspace_set_string(db, key, BYTES("12345"), 0);
	assert_int_equal(entry_int(keyspace_read(db, key, KEYSPACE_TOUCH)), 12345);
	keyspace_free(ks);
}

/* Where a value of the same size takes the place of another, with the same expiry or another, the tables are not written to. */
static void overwriting_leaves_the_tables_alone(void **state)
{
	(void)state;
	struct keyspace *ks = fresh(1000);
	struct db *db = ks->dbs;
	struct table *tables[] = {&db->keys, &db->volatiles};
	for (unsigned i = 0; i < 30000; i++)
		keyspace_set_string_expire(db, numbered("key:%07u", i),
					   keyhash(numbered("key:%07u", i)), BYTES("abcdefgh"), 0,
					   i % 2 ? -1 : 100000);
	for (size_t i = 0; i < 2; i++) {
		while (table_step(tables[i], 100000))
			;
		assert_return_code(mprotect(tables[i]->buckets[0],
					    sizeof(struct { char line[64]; }) << tables[i]->bits[0],
					    PROT_READ),
				   errno);
	}
	for (unsigned i = 0; i < 30000; i++)
		keyspace_set_string_expire(db, numbered("key:%07u", i),
					   keyhash(numbered("key:%07u", i)), BYTES("hgfedcba"), 0,
					   i % 2 ? -1 : 200000);
	for (size_t i = 0; i < 2; i++)
		assert_return_code(mprotect(tables[i]->buckets[0],
					    sizeof(struct { char line[64]; }) << tables[i]->bits[0],
					    PROT_READ | PROT_WRITE),
				   errno);
	assert_int_equal(entry_expiry(keyspace_read(db, numbered("key:%07u", 4), KEYSPACE_NOTOUCH)),
			 200000);
	keyspace_free(ks);
}

/* OBJECT ENCODING answers in Redis's words. */
static void encodings_have_their_names(void **state)
{
	(void)state;
	static const struct {
		struct bytes val;
		unsigned flags;
		const char *name;
	} cases[] = {
		{BYTES("12"), 0, "int"},
		{BYTES("-9223372036854775808"), 0, "int"},
		{BYTES("9223372036854775808"), 0, "embstr"},
		{BYTES("012"), 0, "embstr"},
		{BYTES("12"), KEYSPACE_SET_RAW, "raw"},
		{BYTES(""), 0, "embstr"},
		{BYTES("01234567890123456789012345678901234567890123"), 0, "embstr"},
		{BYTES("012345678901234567890123456789012345678901234"), 0, "raw"},
	};
	struct keyspace *ks = fresh(1000);
	char *data;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		keyspace_set_string(ks->dbs, BYTES("k"), cases[i].val, cases[i].flags);
		uint64_t w = keyspace_read(ks->dbs, BYTES("k"), KEYSPACE_NOTOUCH);
		assert_string_equal(entry_encoding(w), cases[i].name);
	}
	keyspace_set_string(ks->dbs, BYTES("k"), BYTES("short"), 0);
	keyspace_string_resize(ks->dbs, BYTES("k"), 6, &data);
	assert_string_equal(entry_encoding(keyspace_read(ks->dbs, BYTES("k"), 0)), "raw");
	keyspace_put(ks->dbs, BYTES("k"), VALUE_LIST, list_new());
	assert_string_equal(entry_encoding(keyspace_read(ks->dbs, BYTES("k"), 0)), "listpack");
	assert_string_equal(value_type_name(VALUE_ZSET), "zset");
	keyspace_free(ks);
}

/* A reader that holds a big value keeps it as it was while the key changes, is copied, or is flushed. */
static void big_values_are_shared_not_torn(void **state)
{
	(void)state;
	struct keyspace *ks = fresh(1000);
	struct db *db = ks->dbs;
	char *big = mem_calloc(100000), *data;
	size_t before = mem_used();
	assert_int_equal(bgfree_start(), 0);
	keyspace_set_string(db, BYTES("k"), bytes_of(big, 100000), 0);
	struct blob *held = blob_get(entry_blob(keyspace_read(db, BYTES("k"), 0)));
	assert_int_equal(keyspace_copy(db, BYTES("k"), db + 1, BYTES("copy")), STORE_OK);
	keyspace_string_resize(db, BYTES("k"), 100001, &data);
	data[0] = 'x';
	assert_int_equal(held->data[0], 0);
	assert_int_equal(entry_blob(keyspace_read(db + 1, BYTES("copy"), 0))->data[0], 0);
	keyspace_string_resize(db + 1, BYTES("copy"), 99999, &data);
	data[0] = 'y';
	assert_int_equal(held->data[0], 0);
	keyspace_set_blob(db, BYTES("again"), blob_get(held), 0);
	keyspace_flush(db, KEYSPACE_FREE_LAZY);
	keyspace_flush(db + 1, KEYSPACE_FREE_LAZY);
	bgfree_drain();
	assert_int_equal(held->refs, 1);
	assert_int_equal(held->len, 100000);
	blob_put(held);
	bgfree_stop();
	assert_in_range(mem_used() + 1, before, before + 8192);
	mem_free(big);
	keyspace_free(ks);
}

/* Appending byte by byte copies the value a logarithmic number of times. */
static void appending_is_amortized(void **state)
{
	(void)state;
	struct keyspace *ks = fresh(1000);
	char *data;
	unsigned moved = 0;
	void *last = NULL;
	for (size_t n = 1; n <= 300000; n++) {
		assert_int_equal(keyspace_string_resize(ks->dbs, BYTES("k"), n, &data), STORE_OK);
		data[n - 1] = (char)n;
		uint64_t w = keyspace_read(ks->dbs, BYTES("k"), 0);
		void *p = word_enc(w) == ENTRY_BLOB ? (void *)entry_blob(w) : word_ptr(w);
		moved += p != last;
		last = p;
	}
	for (size_t n = 1; n <= 300000; n++)
		assert_int_equal(data[n - 1], (char)n);
	assert_true(moved < 60);
	/* What shrinks gives its memory back. */
	size_t before = mem_used();
	keyspace_string_resize(ks->dbs, BYTES("k"), 2000, &data);
	assert_true(mem_used() + 200000 < before);
	assert_int_equal(keyspace_string_resize(ks->dbs, BYTES("k"), (size_t)1 << 60, &data),
			 STORE_ENOMEM);
	assert_int_equal(entry_string_len(keyspace_read(ks->dbs, BYTES("k"), 0)), 2000);
	keyspace_free(ks);
}

/* --- expiry --- */

/* The cycle removes what is stale, and only that, within its budget, from every database. */
static void cycle_removes_the_stale(void **state)
{
	(void)state;
	struct keyspace *ks = fresh(1000000);
	for (unsigned i = 0; i < 20000; i++) {
		struct bytes key = numbered("key:%u", i);
		int64_t at = i % 4 == 0 ? -1 : i % 4 == 1 ? 5000000 : 1500000;
		keyspace_set_string_expire(&ks->dbs[i % 2], key, keyhash(key), key, 0, at);
	}
	assert_false(keyspace_expire_cycle(ks, 1000000, 1));
	assert_int_equal(ks->stats.expired, 0);
	keyspace_set_now(ks, 1500000);
	keyspace_expire_cycle(ks, 1000000, 1);
	assert_int_equal(ks->stats.expired, 0);
	keyspace_set_now(ks, 1500001);
	ks->expiry_frozen = true;
	assert_false(keyspace_expire_cycle(ks, 1000000, 10));
	assert_int_equal(ks->stats.expired, 0);
	ks->expiry_frozen = false;
	/* Each call leaves at most about a tenth of those that have an expiry; calls go on from there. */
	keyspace_expire_cycle(ks, 10000000, 1);
	assert_true(ks->stats.expired > 5000);
	for (int i = 0; i < 2000; i++)
		keyspace_expire_cycle(ks, 10000000, 10);
	assert_int_equal(ks->stats.expired, 10000);
	assert_int_equal(table_count(&ks->dbs[0].volatiles) + table_count(&ks->dbs[1].volatiles),
			 5000);
	assert_in_range(ks->dbs[1].avg_ttl, 3000000, 3600000);
	keyspace_check(ks);
	keyspace_free(ks);
}

/* Deadlines may be as late as a number can say; their average is no sum that is more. */
static void cycle_averages_the_latest_deadlines(void **state)
{
	(void)state;
	struct keyspace *ks = fresh(1000);
	for (unsigned i = 0; i < 100; i++) {
		struct bytes key = numbered("key:%u", i);
		keyspace_set_string_expire(&ks->dbs[0], key, keyhash(key), key, 0, INT64_MAX);
	}
	for (unsigned i = 0; i < 200; i++) {
		assert_false(keyspace_expire_cycle(ks, 1000000, 1));
		assert_in_range(ks->dbs[0].avg_ttl, INT64_MAX / 2, INT64_MAX);
	}
	assert_int_equal(ks->stats.expired, 0);
	keyspace_free(ks);
}

/* A cycle out of time says so and goes on with another database next time. */
static void cycle_keeps_its_budget(void **state)
{
	(void)state;
	struct keyspace *ks = fresh(1000);
	for (unsigned i = 0; i < 100000; i++) {
		struct bytes key = numbered("key:%u", i);
		keyspace_set_string_expire(&ks->dbs[i % 2], key, keyhash(key), key, 0, 2000);
	}
	keyspace_set_now(ks, 3000);
	assert_true(keyspace_expire_cycle(ks, 0, 1));
	assert_true(keyspace_expire_cycle(ks, 0, 1));
	assert_true(table_count(&ks->dbs[0].keys) < 50000);
	assert_true(table_count(&ks->dbs[1].keys) < 50000);
	assert_int_equal(ks->stats.expired_time_cap_reached, 2);
	assert_true(ks->stats.expired_stale_perc > 0);
	while (keyspace_expire_cycle(ks, 1000, 1))
		;
	assert_true(table_count(&ks->dbs[0].keys) + table_count(&ks->dbs[1].keys) < 20000);
	keyspace_free(ks);
}

/* While expiry is frozen stale keys are hidden from readers, and writers begin afresh. */
static void frozen_expiry_hides(void **state)
{
	(void)state;
	struct keyspace *ks = fresh(1000);
	struct db *db = ks->dbs;
	keyspace_set_string_expire(db, BYTES("k"), keyhash(BYTES("k")), BYTES("v"), 0, 2000);
	keyspace_set_now(ks, 2001);
	ks->expiry_frozen = true;
	assert_int_equal(keyspace_read(db, BYTES("k"), KEYSPACE_TOUCH), 0);
	assert_true(bytes_eq(entry_key(keyspace_random(db)), BYTES("k")));
	assert_int_equal(table_count(&db->keys), 1);
	assert_null(keyspace_write(db, BYTES("k")));
	keyspace_set_string(db, BYTES("k"), BYTES("new"), KEYSPACE_SET_KEEPTTL);
	assert_int_equal(entry_expiry(keyspace_read(db, BYTES("k"), KEYSPACE_TOUCH)), -1);
	assert_int_equal(ks->stats.expired, 0);
	assert_int_equal(ks->stats.hits, 1);
	assert_int_equal(ks->stats.misses, 1);
	keyspace_check(ks);
	keyspace_free(ks);
}

/* RANDOMKEY finds the one that lives among many that are stale. */
static void random_skips_the_stale(void **state)
{
	(void)state;
	struct keyspace *ks = fresh(1000);
	for (unsigned i = 0; i < 2000; i++) {
		struct bytes key = numbered("key:%u", i);
		keyspace_set_string_expire(ks->dbs, key, keyhash(key), key, 0,
					   i == 1234 ? 9000 : 2000);
	}
	keyspace_set_now(ks, 3000);
	uint64_t w = keyspace_random(ks->dbs);
	assert_true(bytes_eq(entry_key(w), BYTES("key:1234")));
	keyspace_flush(ks->dbs, KEYSPACE_FREE_NOW);
	assert_int_equal(keyspace_random(ks->dbs), 0);
	keyspace_free(ks);
}

static void count_word(void *arg, uint64_t word)
{
	assert_int_equal(word_type(word), VALUE_LIST);
	++*(unsigned *)arg;
}

/* A scan by type hands out that type only, and table work goes on in idle moments. */
static void scan_filters_by_type(void **state)
{
	(void)state;
	struct keyspace *ks = fresh(1000);
	for (unsigned i = 0; i < 30000; i++)
		keyspace_set_string(ks->dbs, numbered("key:%u", i), BYTES("v"), 0);
	for (unsigned i = 0; i < 3; i++)
		keyspace_add(ks->dbs, numbered("list:%u", i), VALUE_LIST, list_new());
	for (int i = 0; i < 100 && keyspace_rehash_cycle(ks, 1000); i++)
		;
	assert_false(table_rehashing(&ks->dbs->keys));
	unsigned n = 0;
	uint64_t cursor = 0;
	do
		cursor = keyspace_scan(ks->dbs, cursor, 1u << VALUE_LIST, count_word, &n);
	while (cursor);
	assert_int_equal(n, 3);
	assert_int_equal(ks->dbs->by_type[VALUE_LIST], 3);
	keyspace_free(ks);
}

#define RARE_KEYS 4000

struct listing {
	unsigned char seen[RARE_KEYS];
	unsigned type;
};

static void list_word(void *arg, uint64_t word)
{
	struct listing *l = arg;
	assert_int_equal(word_type(word), l->type);
	struct bytes key = entry_key(word);
	uint64_t i;
	assert_true(num_parse_uint(bytes_of(key.p + 4, key.n - 4), &i) && i < RARE_KEYS);
	assert_int_equal(l->seen[i]++, 0);
}

/* A key becomes another type's, or goes. */
static void retype(struct keyspace *ks, unsigned i, unsigned type)
{
	struct bytes key = numbered("key:%u", i);
	if (type == VALUE_STRING)
		keyspace_set_string(ks->dbs, key, BYTES("v"), 0);
	else if (type == VALUE_LIST)
		keyspace_put(ks->dbs, key, VALUE_LIST, list_new());
	else
		keyspace_delete(ks->dbs, key, KEYSPACE_FREE_NOW);
}

/* However many keys of a type come and go between its steps, a scan for it tells of each that stays once, and of none twice, also
 * where more were there than it may note. */
static void scan_of_one_type_is_exact(void **state)
{
	(void)state;
	static const unsigned most[] = {VALUE_STRING, VALUE_LIST, 99, 99};
	struct keyspace *ks = fresh(1000);
	static struct listing l;
	unsigned char type[RARE_KEYS], stays[RARE_KEYS];
	struct rng rng;
	rng_seed(&rng, (uint64_t)time(NULL));
	memset(type, 99, sizeof(type));
	ks->dbs->rare[VALUE_LIST].max = 300;
	ks->dbs->rare[VALUE_STRING].max = 900;
	for (int round = 0; round < 120; round++) {
		unsigned changes = (unsigned)rng_below(&rng, 60), more = most[rng_below(&rng, 4)];
		memset(&l, 0, sizeof(l));
		l.type = rng_below(&rng, 2) ? VALUE_LIST : VALUE_STRING;
		for (unsigned i = 0; i < RARE_KEYS; i++)
			stays[i] = type[i] == l.type && rng_below(&rng, 3) == 0;
		/* Some listings end early. */
		uint64_t cursor = 0, left = rng_below(&rng, 4) ? UINT64_MAX : 100;
		do {
			cursor = keyspace_scan(ks->dbs, cursor, 1u << l.type, list_word, &l);
			for (unsigned c = 0; c < changes; c++) {
				unsigned i = (unsigned)rng_below(&rng, RARE_KEYS);
				unsigned to = rng_below(&rng, 3) ? more : most[rng_below(&rng, 4)];
				if (stays[i])
					continue;
				retype(ks, i, to);
				type[i] = (unsigned char)to;
			}
		} while (cursor && --left);
		keyspace_check(ks);
		for (unsigned i = 0; i < RARE_KEYS; i++)
			assert_true(!stays[i] || cursor || l.seen[i]);
	}
	assert_int_equal(keyspace_flush(ks->dbs, KEYSPACE_FREE_NOW) > 0, 1);
	keyspace_check(ks);
	keyspace_free(ks);
}

/* Among many others a few keys are found in as many steps; and again after there were more of them for a time, once a scan went through. */
static void few_keys_take_few_steps(void **state)
{
	(void)state;
	struct keyspace *ks = fresh(1000);
	for (unsigned i = 0; i < 60000; i++)
		keyspace_set_string(ks->dbs, numbered("key:%u", i), BYTES("v"), 0);
	for (unsigned i = 0; i < RARE_MAX + 10; i++)
		keyspace_add(ks->dbs, numbered("list:%u", i), VALUE_LIST, list_new());
	assert_int_equal(ks->dbs->rare[VALUE_LIST].known, 0);
	for (unsigned i = 5; i < RARE_MAX + 10; i++)
		keyspace_delete(ks->dbs, numbered("list:%u", i), KEYSPACE_FREE_NOW);
	for (int round = 0; round < 2; round++) {
		unsigned n = 0, steps = 0;
		uint64_t cursor = 0;
		do {
			cursor = keyspace_scan(ks->dbs, cursor, 1u << VALUE_LIST, count_word, &n);
			steps++;
		} while (cursor);
		assert_int_equal(n, 5);
		assert_true(round ? steps <= 5 : steps > 5000);
	}
	keyspace_check(ks);
	keyspace_free(ks);
}

/* --- access --- */

/* Idle time counts from the last touch, and not from a look without touching; the clock may wrap. */
static void idle_counts_from_touch(void **state)
{
	(void)state;
	int64_t start = ((int64_t)1 << 24) * 1000 - 5000;
	struct keyspace *ks = fresh(start);
	keyspace_set_string(ks->dbs, BYTES("k"), BYTES("v"), 0);
	keyspace_set_now(ks, start + 100000);
	uint64_t w = keyspace_read(ks->dbs, BYTES("k"), KEYSPACE_NOTOUCH);
	assert_int_equal(keyspace_idle_seconds(ks, w), 100);
	w = keyspace_read(ks->dbs, BYTES("k"), KEYSPACE_TOUCH);
	assert_int_equal(keyspace_idle_seconds(ks, w), 0);
	keyspace_set_now(ks, start + 107000);
	assert_int_equal(keyspace_idle_seconds(ks, w), 7);
	keyspace_write(ks->dbs, BYTES("k"));
	assert_int_equal(keyspace_idle_seconds(ks, w), 0);
	keyspace_free(ks);
}

/* While access is frozen a key's idle time goes on, whether it is read or looked up for a change; a new value begins anew. */
static void frozen_access_leaves_no_mark(void **state)
{
	(void)state;
	struct keyspace *ks = fresh(1000000);
	keyspace_set_string(ks->dbs, BYTES("k"), BYTES("v"), 0);
	keyspace_set_now(ks, 1100000);
	ks->access_frozen = true;
	keyspace_read(ks->dbs, BYTES("k"), KEYSPACE_TOUCH);
	keyspace_write(ks->dbs, BYTES("k"));
	uint64_t w = keyspace_read(ks->dbs, BYTES("k"), KEYSPACE_NOTOUCH);
	assert_int_equal(keyspace_idle_seconds(ks, w), 100);
	keyspace_set_string(ks->dbs, BYTES("k"), BYTES("w"), 0);
	w = keyspace_read(ks->dbs, BYTES("k"), KEYSPACE_NOTOUCH);
	assert_int_equal(keyspace_idle_seconds(ks, w), 0);
	keyspace_free(ks);
}

/* The LFU counter begins at 5, grows with the logarithm of the uses and decays by the minute. */
static void frequency_is_logarithmic(void **state)
{
	(void)state;
	struct keyspace *ks = fresh(0);
	ks->policy.lfu = true;
	int64_t now = (int64_t)0xfffe * 60000;
	keyspace_set_now(ks, now);
	keyspace_set_string(ks->dbs, BYTES("k"), BYTES("v"), 0);
	uint64_t w = keyspace_read(ks->dbs, BYTES("k"), KEYSPACE_NOTOUCH);
	assert_int_equal(keyspace_freq(ks, w), 5);
	for (int i = 0; i < 100; i++)
		w = keyspace_read(ks->dbs, BYTES("k"), KEYSPACE_TOUCH);
	assert_in_range(keyspace_freq(ks, w), 7, 16);
	for (int i = 0; i < 100000; i++)
		w = keyspace_read(ks->dbs, BYTES("k"), KEYSPACE_TOUCH);
	uint8_t high = keyspace_freq(ks, w);
	assert_in_range(high, 110, 180);
	/* Across the wrap of the minutes too. */
	keyspace_set_now(ks, now + 10 * 60000);
	assert_int_equal(keyspace_freq(ks, w), high - 10);
	keyspace_set_now(ks, now + 300 * 60000);
	assert_int_equal(keyspace_freq(ks, w), 0);
	keyspace_free(ks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_match_model),
		cmocka_unit_test(changes_match_model_lazily),
		cmocka_unit_test(overwriting_stays_in_place),
		cmocka_unit_test(overwriting_leaves_the_tables_alone),
		cmocka_unit_test(encodings_have_their_names),
		cmocka_unit_test(big_values_are_shared_not_torn),
		cmocka_unit_test(appending_is_amortized),
		cmocka_unit_test(cycle_removes_the_stale),
		cmocka_unit_test(cycle_averages_the_latest_deadlines),
		cmocka_unit_test(cycle_keeps_its_budget),
		cmocka_unit_test(frozen_expiry_hides),
		cmocka_unit_test(random_skips_the_stale),
		cmocka_unit_test(scan_filters_by_type),
		cmocka_unit_test(scan_of_one_type_is_exact),
		cmocka_unit_test(few_keys_take_few_steps),
		cmocka_unit_test(idle_counts_from_touch),
		cmocka_unit_test(frozen_access_leaves_no_mark),
		cmocka_unit_test(frequency_is_logarithmic),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
