/* Every encoding an RDB may hold becomes the value it stands for; damaged ones become errors with an offset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/base/rng.h"
#include "store/persist/crc64.h"
#include "store/persist/rdb_format.h"
#include "store/persist/rdb_load.h"
#include "store/persist/rdb_save.h"
#include "store/types/hash.h"
#include "store/types/list.h"
#include "store/types/set.h"
#include "store/types/zset.h"
#include "tests/unit/rdb_file.h"

static const struct type_limits limits = TYPE_LIMITS_DEFAULT;

static struct keyspace *fresh(void)
{
	uint8_t seed[16] = {1};
	keyhash_seed(seed);
	struct keyspace *ks = keyspace_new(16);
	keyspace_set_now(ks, 1700000000000);
	return ks;
}

struct told {
	char notes[512];
};

static void note(void *arg, const char *text)
{
	struct told *t = arg;
	snprintf(t->notes + strlen(t->notes), sizeof(t->notes) - strlen(t->notes), "%s;", text);
}

static bool load_bytes(struct keyspace *ks, const void *p, size_t n, struct rdb_in *in,
		       struct rdb_load_result *result, struct told *told)
{
	struct rdb_load_options opt = {.limits = &limits, .arg = told, .note = told ? note : NULL};
	rdb_in_memory(in, p, n);
	bool ok = rdb_load(ks, in, &opt, result);
	rdb_in_fini(in);
	keyspace_check(ks);
	return ok;
}

static struct keyspace *loaded(unsigned version, const void *records, size_t n)
{
	unsigned char file[4096];
	struct keyspace *ks = fresh();
	struct rdb_load_result r;
	struct rdb_in in;
	size_t size = file_of(file, version, records, n);
	if (!load_bytes(ks, file, size, &in, &r, NULL))
		fail_msg("offset %llu: %s", (unsigned long long)in.error_offset, in.error);
	/* None of its beginnings is a file. */
	for (size_t cut = 0; cut < size; cut++) {
		struct keyspace *part = keyspace_new(16);
		if (load_bytes(part, file, cut, &in, &r, NULL))
			fail_msg("%zu of %zu bytes were loaded", cut, size);
		keyspace_free(part);
	}
	return ks;
}
#define LOADED(version, literal) loaded(version, literal, sizeof(literal) - 1)

static const char *refused(unsigned version, const void *records, size_t n)
{
	static char error[200];
	unsigned char file[4096];
	struct keyspace *ks = fresh();
	struct rdb_load_result r;
	struct rdb_in in;
	size_t size = file_of(file, version, records, n);
	assert_false(load_bytes(ks, file, size, &in, &r, NULL));
	assert_true(in.error_offset <= size);
	snprintf(error, sizeof(error), "%s", in.error);
	keyspace_free(ks);
	return error;
}
#define REFUSED(version, literal) refused(version, literal, sizeof(literal) - 1)

static uint64_t word(struct keyspace *ks, const char *key)
{
	uint64_t w = keyspace_read(&ks->dbs[0], bytes_str(key), KEYSPACE_NOTOUCH);
	assert_true(w != 0);
	return w;
}

static void assert_string(struct keyspace *ks, const char *key, const char *want)
{
	char buf[NUM_BUF];
	struct bytes got = entry_string(word(ks, key), buf);
	assert_int_equal(got.n, strlen(want));
	assert_memory_equal(got.p, want, got.n);
}

static void assert_list(struct keyspace *ks, const char *key, const char *want)
{
	char text[1024] = "";
	struct list_iter it;
	struct bytes s;
	struct list *l = entry_container(word(ks, key));
	list_check(l, &limits);
	list_iter_begin(&it, l, 0, false);
	while (list_iter_next(&it, &s))
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%.*s,", (int)s.n, s.p);
	assert_string_equal(text, want);
}

static void assert_field(struct keyspace *ks, const char *key, const char *field, const char *want)
{
	char buf[NUM_BUF];
	struct bytes got;
	struct hash *h = entry_container(word(ks, key));
	hash_check(h, &limits);
	assert_true(hash_get(h, bytes_str(field), buf, &got));
	assert_true(bytes_eq(got, bytes_str(want)));
}

static void assert_score(struct keyspace *ks, const char *key, const char *member, double want)
{
	double got;
	struct zset *z = entry_container(word(ks, key));
	zset_check(z, &limits);
	assert_true(zset_score(z, bytes_str(member), &got));
	assert_true(got == want);
}

/* --- the checksum --- */

static void the_checksum_is_that_of_jones(void **state)
{
	(void)state;
	assert_true(crc64(0, "123456789", 9) == UINT64_C(0xe9c6d914c4b8d9ca));
	char text[300];
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7);
	for (size_t cut = 0; cut <= sizeof(text); cut += 13)
		assert_true(crc64(crc64(0, text, cut), text + cut, sizeof(text) - cut) ==
			    crc64(0, text, sizeof(text)));
}

/* However long and wherever it begins, a text has the sum that one bit at a time gives. */
static void the_checksum_is_the_same_by_the_bit(void **state)
{
	unsigned char text[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (unsigned char)(i * i * 31 + i);
	for (size_t n = 0; n < 700; n += 1 + n / 97) {
		uint64_t want = n * UINT64_C(0x9e3779b97f4a7c15), got = want;
		const unsigned char *p = text + n % 67;
		got = crc64(got, p, n);
		for (size_t i = 0; i < n; i++) {
			want ^= p[i];
			for (int bit = 0; bit < 8; bit++)
				want = want >> 1 ^ (want & 1 ? UINT64_C(0x95ac9329ac4bc9b5) : 0);
		}
		assert_true(got == want);
	}
}

/* --- each encoding --- */

static void strings_of_every_encoding_are_read(void **state)
{
	(void)state;
	struct keyspace *ks = LOADED(1, "\x00\x01"
					"a\x05hello"
					"\x00\x01"
					"b\xc0\xfe"
					"\x00\x01"
					"c\xc1\x39\x30"
					"\x00\x01"
					"d\xc2\x00\x00\x00\x80"
					"\x00\x01"
					"e\x40\x05world"
					/* x, then 24 more of it by a look back of one */
					"\x00\x01"
					"f\xc3\x05\x19\x00x\xe0\x0f\x00"
					"\x00\x01"
					"g\x80\x00\x00\x00\x02hi"
					"\x00\x01"
					"h\x81\x00\x00\x00\x00\x00\x00\x00\x02ho");
	assert_string(ks, "f", "xxxxxxxxxxxxxxxxxxxxxxxxx");
	assert_string(ks, "g", "hi");
	assert_string(ks, "h", "ho");
	assert_string(ks, "a", "hello");
	assert_string(ks, "b", "-2");
	assert_string(ks, "c", "12345");
	assert_string(ks, "d", "-2147483648");
	assert_string(ks, "e", "world");
	keyspace_free(ks);
}

static void plain_collections_are_read(void **state)
{
	(void)state;
	struct keyspace *ks = LOADED(2, "\x01\x01l\x03\x01x\xc0\x07\x01y"
					"\x02\x01s\x02\x01x\x01y"
					"\x03\x01z\x03\x01x\x03"
					"1.5\x01y\xfe\x01z\xff"
					"\x04\x01h\x02\x01"
					"f\x01v\x01g\xc0\x09");
	assert_list(ks, "l", "x,7,y,");
	struct set *s = entry_container(word(ks, "s"));
	assert_int_equal(set_count(s), 2);
	assert_true(set_has(s, BYTES("y")));
	assert_score(ks, "z", "x", 1.5);
	assert_score(ks, "z", "y", 1.0 / 0.0);
	assert_score(ks, "z", "z", -1.0 / 0.0);
	assert_field(ks, "h", "f", "v");
	assert_field(ks, "h", "g", "9");
	keyspace_free(ks);
}

static void scores_as_doubles_are_read(void **state)
{
	(void)state;
	struct keyspace *ks = LOADED(8, "\x05\x01z\x01\x01x\x00\x00\x00\x00\x00\x00\xf8\x3f");
	assert_score(ks, "z", "x", 1.5);
	keyspace_free(ks);
	assert_non_null(strstr(REFUSED(8, "\x05\x01z\x01\x01x\x00\x00\x00\x00\x00\x00\xf8\x7f"),
			       "not a number"));
}

static void zipmaps_are_read(void **state)
{
	(void)state;
	struct keyspace *ks = LOADED(3, "\x09\x01h\x10"
					"\x02"
					"\x01"
					"a\x02\x00hi"
					"\x02"
					"bb\x01\x02x..\xff"
					"");
	assert_field(ks, "h", "a", "hi");
	assert_field(ks, "h", "bb", "x");
	keyspace_free(ks);
}

static void ziplists_are_read(void **state)
{
	(void)state;
	struct keyspace *ks = LOADED(4, "\x0a\x01l\x17\x17\x00\x00\x00\x14\x00\x00\x00\x04\x00"
					"\x00\x01"
					"a\x03\xc0\x00\x04\x04\x01"
					"b\x03\xf4\xff");
	assert_list(ks, "l", "a,1024,b,3,");
	keyspace_free(ks);
	ks = LOADED(4, "\x0d\x01h\x17\x17\x00\x00\x00\x14\x00\x00\x00\x04\x00"
		       "\x00\x01"
		       "a\x03\xc0\x00\x04\x04\x01"
		       "b\x03\xf4\xff"
		       "\x0c\x01z\x17\x17\x00\x00\x00\x14\x00\x00\x00\x04\x00"
		       "\x00\x01"
		       "a\x03\xc0\x00\x04\x04\x01"
		       "b\x03\xf4\xff"
		       "\x0e\x01q\x02\x17\x17\x00\x00\x00\x14\x00\x00\x00\x04\x00"
		       "\x00\x01"
		       "a\x03\xc0\x00\x04\x04\x01"
		       "b\x03\xf4\xff\x17\x17\x00\x00\x00\x14\x00\x00\x00\x04\x00"
		       "\x00\x01"
		       "a\x03\xc0\x00\x04\x04\x01"
		       "b\x03\xf4\xff");
	assert_field(ks, "h", "a", "1024");
	assert_field(ks, "h", "b", "3");
	assert_score(ks, "z", "a", 1024);
	assert_score(ks, "z", "b", 3);
	assert_list(ks, "q", "a,1024,b,3,a,1024,b,3,");
	keyspace_free(ks);
}

static void listpacks_and_intsets_are_read(void **state)
{
	(void)state;
	/* listpack: 6 header, "a" (81 61 02), 1 (01 01), "b" (81 62 02), 2 (02 01), ff = 17 bytes */
#define LISTPACK                                                                                   \
	"\x11\x11\x00\x00\x00\x04\x00\x81"                                                         \
	"a\x02\x01\x01\x81"                                                                        \
	"b\x02\x02\x01\xff"
	struct keyspace *ks =
		LOADED(11, "\x10\x01h" LISTPACK "\x11\x01z" LISTPACK "\x14\x01s" LISTPACK
			   "\x12\x01l\x02\x02" LISTPACK "\x01\x03xyz"
			   "\x0b\x01i\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x05\x00\x07\x00");
	assert_field(ks, "h", "a", "1");
	assert_score(ks, "z", "b", 2);
	struct set *s = entry_container(word(ks, "s"));
	set_check(s, &limits);
	assert_int_equal(set_count(s), 4);
	assert_string_equal(set_encoding(s), "listpack");
	assert_list(ks, "l", "a,1,b,2,xyz,");
	s = entry_container(word(ks, "i"));
	set_check(s, &limits);
	assert_string_equal(set_encoding(s), "intset");
	assert_true(set_has(s, BYTES("7")));
	keyspace_free(ks);
	assert_non_null(strstr(REFUSED(11, "\x10\x01h\x11\x11\x00\x00\x00\x04\x00\x81"
					   "a\x02\x01\x01\x81"
					   "a\x02\x02\x01\xff"),
			       "twice"));
	assert_non_null(strstr(REFUSED(11, "\x10\x01h\x11\x11\x00\x00\x00\x04\x00\x85"
					   "a\x02\x01\x01\x81"
					   "b\x02\x02\x01\xff"),
			       "malformed"));
}

static void a_sorted_set_out_of_order_is_put_in_order(void **state)
{
	(void)state;
	struct keyspace *ks = LOADED(10, "\x11\x01z\x11\x11\x00\x00\x00\x04\x00\x81"
					 "a\x02\x05\x01\x81"
					 "b\x02\x02\x01\xff");
	size_t rank;
	assert_true(zset_rank(entry_container(word(ks, "z")), BYTES("a"), &rank));
	assert_int_equal(rank, 1);
	keyspace_free(ks);
}

/* --- records that are no keys --- */

static void expiry_and_access_are_read(void **state)
{
	(void)state;
	struct keyspace *ks = LOADED(9, "\xfe\x00\xfb\x03\x02"
					"\xfd\x00\xf1\x53\x70\x00\x01"
					"a\x01x"
					"\xfc\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01"
					"b\x01y"
					"\xf8\x0a\x00\x01"
					"c\x01z");
	assert_int_equal(entry_expiry(word(ks, "a")), INT64_C(0x7053f100) * 1000);
	assert_int_equal(table_count(&ks->dbs[0].keys), 2);
	assert_int_equal(keyspace_idle_seconds(ks, word(ks, "c")), 10);
	keyspace_free(ks);
}

static void what_is_unknown_is_left_out_or_named(void **state)
{
	(void)state;
	unsigned char file[256];
	struct told told = {""};
	struct rdb_load_result r;
	struct rdb_in in;
	/* a module's aux data, a function library, an empty list */
	static const char records[] =
		"\xf7\x81\x00\x10\x83\x10\x51\x87\x20\x92\x02\x02\x02\x2a\x05\x02hi\x00"
		"\xf5\x03lib"
		"\x01\x01l\x00"
		"\x00\x01"
		"a\x01x";
	struct keyspace *ks = fresh();
	size_t n = file_of(file, 11, records, sizeof(records) - 1);
	assert_true(load_bytes(ks, file, n, &in, &r, &told));
	assert_non_null(strstr(told.notes, "module 'ABCDEFGHI'"));
	assert_non_null(strstr(told.notes, "function library"));
	assert_int_equal(r.empty, 1);
	assert_int_equal(r.loaded, 1);
	keyspace_free(ks);
	assert_non_null(strstr(REFUSED(11, "\x07\x01m\x81\x00\x10\x83\x10\x51\x87\x20\x92"),
			       "module type 'ABCDEFGHI'"));
	assert_non_null(strstr(REFUSED(11, "\x63\x01s\x00"), "unknown value type 99"));
	assert_non_null(strstr(REFUSED(13, ""), "version"));
	assert_non_null(strstr(REFUSED(10, "\xfe\x40\x40"), "databases"));
	assert_non_null(strstr(REFUSED(10, "\x00\x01"
					   "a\x01x\x00\x01"
					   "a\x01y"),
			       "duplicated key 'a'"));
}

static void lengths_beyond_the_data_are_refused(void **state)
{
	(void)state;
	REFUSED(10, "\x00\x01"
		    "a\x80\xff\xff\xff\xff");
	REFUSED(10, "\x00\x01"
		    "a\x81\x7f\xff\xff\xff\xff\xff\xff\xff");
	REFUSED(10, "\x02\x01"
		    "a\x81\x7f\xff\xff\xff\xff\xff\xff\xff\x01x");
	REFUSED(10, "\x04\x01"
		    "a\x80\x00\x10\x00\x00\x01x\x01y");
	REFUSED(10, "\x00\x01"
		    "a\xc3\x01\x80\xff\xff\xff\xff\x00");
	REFUSED(10, "\x00\x01"
		    "a\xc3\x03\x10\x1f\xff\xff");
	/* A hint may say anything. */
	keyspace_free(LOADED(10, "\xfb\x81\x7f\xff\xff\xff\xff\xff\xff\xff\x80\xff\xff\xff\xff"
				 "\x00\x01"
				 "a\x01x"));
}

/* --- there and back --- */

static void add_collections(struct db *db, struct rng *rng, unsigned i)
{
	char key[32], text[200];
	unsigned n = 1 + (unsigned)rng_below(rng, i % 5 == 0 ? 700 : 40);
	struct list *l = list_new();
	struct hash *h = hash_new();
	struct zset *z = zset_new(0, 0, &limits);
	struct set *s = NULL;
	bool added, changed;
	for (unsigned k = 0; k < n; k++) {
		int len = i % 3 ? snprintf(text, sizeof(text), "%d",
					   (int)rng_below(rng, 100000) - 50000)
				: snprintf(text, sizeof(text), "member-%u-%0*d", k,
					   (int)rng_below(rng, 90), 1);
		struct bytes b = bytes_of(text, (size_t)len);
		if (!s)
			s = set_new(b, 0, &limits);
		list_push(l, true, b, &limits);
		set_add(s, b, &limits);
		hash_set(h, b, b, &limits);
		if (i % 3 == 1 && k % 2)
			hash_expire(h, b, 1700000000000 + (int64_t)rng_below(rng, 50));
		zset_add(z, b, (double)rng_below(rng, 50) / 4, &limits, &added, &changed);
	}
	snprintf(key, sizeof(key), "l%u", i);
	keyspace_put(db, bytes_str(key), VALUE_LIST, l);
	snprintf(key, sizeof(key), "s%u", i);
	keyspace_put(db, bytes_str(key), VALUE_SET, s);
	snprintf(key, sizeof(key), "h%u", i);
	keyspace_put(db, bytes_str(key), VALUE_HASH, h);
	snprintf(key, sizeof(key), "z%u", i);
	keyspace_put(db, bytes_str(key), VALUE_ZSET, z);
}

static struct keyspace *random_keyspace(struct rng *rng)
{
	struct keyspace *ks = fresh();
	char key[32];
	static char text[4000];
	for (unsigned i = 0; i < 400; i++) {
		struct db *db = &ks->dbs[i % 3];
		snprintf(key, sizeof(key), "key:%u", i);
		size_t n = (size_t)rng_below(rng, i % 7 ? 60 : sizeof(text));
		for (size_t k = 0; k < n; k++)
			text[k] = (char)(i % 2 ? 'x' : rng_below(rng, 256));
		keyspace_set_string(db, bytes_str(key), bytes_of(text, n), 0);
		if (i % 4 == 0)
			keyspace_expire(db, bytes_str(key), ks->now_ms + 1 + i);
		if (i % 10 == 0)
			add_collections(db, rng, i);
	}
	return ks;
}

/* DUMP's payload tells whether two values are the same, but for the order of tables: compare by type and count, and strings whole. */
static void assert_same(struct keyspace *a, struct keyspace *b)
{
	for (unsigned i = 0; i < a->ndbs; i++) {
		struct table_iter it;
		assert_int_equal(table_count(&a->dbs[i].keys), table_count(&b->dbs[i].keys));
		table_iter_begin(&it, &a->dbs[i].keys);
		for (uint64_t *slot; (slot = table_iter_next(&it));) {
			uint64_t w = *slot;
			uint64_t v = keyspace_read(&b->dbs[i], entry_key(w), KEYSPACE_NOTOUCH);
			assert_true(v != 0);
			assert_int_equal(word_type(v), word_type(w));
			assert_int_equal(entry_expiry(v), entry_expiry(w));
			assert_string_equal(entry_encoding(v), entry_encoding(w));
			char p[NUM_BUF], q[NUM_BUF];
			if (word_type(w) == VALUE_STRING)
				assert_true(bytes_eq(entry_string(w, p), entry_string(v, q)));
		}
		table_iter_end(&it);
	}
}

static void what_is_saved_is_what_is_loaded(void **state)
{
	(void)state;
	for (int compress = 0; compress < 2; compress++) {
		struct rng rng;
		char name[] = "/tmp/inodis-test-rdb-XXXXXX";
		rng_seed(&rng, 42);
		struct keyspace *ks = random_keyspace(&rng), *copy = fresh();
		int fd = mkstemp(name);
		assert_true(fd >= 0);
		unlink(name);
		struct rdb_save_options save = {
			.version = "7.2.4", .checksum = true, .compress = compress};
		struct rdb_load_options load = {.limits = &limits};
		struct rdb_load_result r;
		struct rdb_in in;
		assert_int_equal(rdb_save(ks, fd, &save), 0);
		uint64_t size = (uint64_t)lseek(fd, 0, SEEK_END);
		lseek(fd, 0, SEEK_SET);
		rdb_in_file(&in, fd, size, true);
		if (!rdb_load(copy, &in, &load, &r))
			fail_msg("offset %llu: %s", (unsigned long long)in.error_offset, in.error);
		rdb_in_fini(&in);
		keyspace_check(copy);
		assert_same(ks, copy);
		/* One flipped bit is found. */
		unsigned char byte;
		assert_int_equal(pread(fd, &byte, 1, (off_t)size / 2), 1);
		byte ^= 4;
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)size / 2), 1);
		lseek(fd, 0, SEEK_SET);
		struct keyspace *third = fresh();
		rdb_in_file(&in, fd, size, true);
		assert_false(rdb_load(third, &in, &load, &r));
		rdb_in_fini(&in);
		close(fd);
		keyspace_free(ks);
		keyspace_free(copy);
		keyspace_free(third);
	}
}

static void a_full_device_is_an_error(void **state)
{
	(void)state;
	FILE *full = fopen("/dev/full", "w");
	if (!full)
		skip();
	struct keyspace *ks = fresh();
	struct rdb_save_options save = {.version = "7.2.4"};
	keyspace_set_string(&ks->dbs[0], BYTES("a"), BYTES("b"), 0);
	assert_int_equal(rdb_save(ks, fileno(full), &save), 28 /* ENOSPC */);
	fclose(full);
	keyspace_free(ks);
}

static void mutate(struct rng *rng, unsigned char *p, size_t *n)
{
	for (unsigned k = 1 + (unsigned)rng_below(rng, 4); k; k--) {
		if (rng_below(rng, 8) == 0)
			*n -= rng_below(rng, *n / 2 + 1);
		else if (*n)
			p[rng_below(rng, *n)] = (unsigned char)rng_below(rng, 256);
	}
}

/* Checks are recomputed here, so that the damage reaches the decoders. */
static void a_damaged_payload_is_refused_or_a_sound_value(void **state)
{
	(void)state;
	struct rng rng;
	rng_seed(&rng, 7);
	struct keyspace *ks = random_keyspace(&rng), *to = fresh();
	for (int i = 0; i < 6000; i++) {
		uint64_t w = keyspace_random(&ks->dbs[rng_below(&rng, 3)]);
		struct rdb_out o;
		struct rdb_in in;
		struct rdb_value v;
		rdb_out_init(&o, -1);
		o.compress = i % 2;
		rdb_dump(&o, w);
		assert_true(rdb_payload_verify(bytes_of(o.buf, o.len), true));
		size_t n = o.len;
		mutate(&rng, o.buf, &n);
		if (rdb_payload_read(&in, bytes_of(o.buf, n), &limits, &v)) {
			struct bytes key = BYTES("k");
			keyspace_delete(&to->dbs[0], key, KEYSPACE_FREE_NOW);
			rdb_value_bind(&to->dbs[0], key, keyhash(key), &v, -1);
			uint64_t got = word(to, "k");
			if (word_type(got) == VALUE_LIST)
				list_check(entry_container(got), &limits);
			else if (word_type(got) == VALUE_SET)
				set_check(entry_container(got), &limits);
			else if (word_type(got) == VALUE_HASH)
				hash_check(entry_container(got), &limits);
			else if (word_type(got) == VALUE_ZSET)
				zset_check(entry_container(got), &limits);
		}
		rdb_in_fini(&in);
		rdb_out_fini(&o);
	}
	keyspace_free(ks);
	keyspace_free(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_checksum_is_that_of_jones),
		cmocka_unit_test(the_checksum_is_the_same_by_the_bit),
		cmocka_unit_test(strings_of_every_encoding_are_read),
		cmocka_unit_test(plain_collections_are_read),
		cmocka_unit_test(scores_as_doubles_are_read),
		cmocka_unit_test(zipmaps_are_read),
		cmocka_unit_test(ziplists_are_read),
		cmocka_unit_test(listpacks_and_intsets_are_read),
		cmocka_unit_test(a_sorted_set_out_of_order_is_put_in_order),
		cmocka_unit_test(expiry_and_access_are_read),
		cmocka_unit_test(what_is_unknown_is_left_out_or_named),
		cmocka_unit_test(lengths_beyond_the_data_are_refused),
		cmocka_unit_test(what_is_saved_is_what_is_loaded),
		cmocka_unit_test(a_full_device_is_an_error),
		cmocka_unit_test(a_damaged_payload_is_refused_or_a_sound_value),
	};
	mem_thread_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
