/* Hashes whose fields expire, in each of the four encodings, made by hand from the format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/persist/rdb_format.h"
#include "store/persist/rdb_load.h"
#include "store/persist/rdb_save.h"
#include "store/types/hash.h"
#include "store/types/listpack.h"

#define NOW INT64_C(1700000000000)

static const struct type_limits limits = TYPE_LIMITS_DEFAULT;

/* A value's bytes, as they are put together. */
struct made {
	unsigned char p[512];
	size_t n;
};

static void put(struct made *m, const void *p, size_t n)
{
	memcpy(m->p + m->n, p, n);
	m->n += n;
}

static void put_byte(struct made *m, unsigned b)
{
	unsigned char c = (unsigned char)b;
	put(m, &c, 1);
}

static void put_text(struct made *m, const char *s)
{
	put_byte(m, (unsigned)strlen(s));
	put(m, s, strlen(s));
}

/* As a length of 64 bits, whatever it is. */
static void put_long(struct made *m, uint64_t v)
{
	put_byte(m, RDB_LEN_64);
	for (int i = 56; i >= 0; i -= 8)
		put_byte(m, (unsigned)(v >> i & 255));
}

/* field, value, expiry, 0 for none */
struct field {
	const char *name, *value;
	int64_t at;
};

static struct made table_of(unsigned type, int64_t first, const struct field *f, size_t n)
{
	struct made m = {.n = 0};

	put_byte(&m, type);
	if (type == RDB_HASH_METADATA)
		put(&m, &first, sizeof(first));
	put_byte(&m, (unsigned)n);
	for (size_t i = 0; i < n; i++) {
		if (type == RDB_HASH_METADATA && f[i].at)
			put_long(&m, (uint64_t)(f[i].at - first) + 1);
		else
			put_long(&m, (uint64_t)f[i].at);
		put_text(&m, f[i].name);
		put_text(&m, f[i].value);
	}
	return m;
}

static struct made packed_of(unsigned type, int64_t first, const struct field *f, size_t n)
{
	unsigned char *lp = listpack_new(0);
	struct made m = {.n = 0};

	for (size_t i = 0; i < n; i++) {
		lp = listpack_append(lp, bytes_str(f[i].name));
		lp = listpack_append(lp, bytes_str(f[i].value));
		lp = listpack_append_int(lp, f[i].at);
	}
	put_byte(&m, type);
	if (type == RDB_HASH_LISTPACK_EX)
		put(&m, &first, sizeof(first));
	put_byte(&m, 0x40 | (unsigned)(listpack_bytes(lp) >> 8));
	put_byte(&m, listpack_bytes(lp) & 255);
	put(&m, lp, listpack_bytes(lp));
	listpack_free(lp);
	return m;
}

static struct made made_of(unsigned type, int64_t first, const struct field *f, size_t n)
{
	bool table = type == RDB_HASH_METADATA || type == RDB_HASH_METADATA_PRE_GA;
	return (table ? table_of : packed_of)(type, first, f, n);
}

/* The hash, or NULL and the error in @in. Version and checksum are not looked at here. */
static struct hash *read_it(struct rdb_in *in, struct made m)
{
	struct rdb_value v;
	unsigned char payload[600];

	memcpy(payload, m.p, m.n);
	memset(payload + m.n, 0, 10);
	bool ok = rdb_payload_read(in, bytes_of(payload, m.n + 10), &limits, &v);
	rdb_in_fini(in);
	if (!ok)
		return NULL;
	assert_int_equal(v.type, VALUE_HASH);
	hash_check(v.outside, &limits);
	return v.outside;
}

static void refused(struct made m, const char *why)
{
	struct rdb_in in;

	assert_null(read_it(&in, m));
	if (!strstr(in.error, why))
		fail_msg("\"%s\" is not \"%s\"", in.error, why);
}

static const unsigned types[] = {RDB_HASH_METADATA_PRE_GA, RDB_HASH_LISTPACK_EX_PRE_GA,
				 RDB_HASH_METADATA, RDB_HASH_LISTPACK_EX};

static void each_encoding_is_read(void **state)
{
	(void)state;
	static const struct field f[] = {{"a", "1", NOW + 5}, {"b", "two", NOW + 9}, {"c", "", 0}};
	char buf[NUM_BUF];
	struct bytes v;
	struct rdb_in in;

	for (size_t i = 0; i < 4; i++) {
		struct hash *h = read_it(&in, made_of(types[i], NOW + 5, f, 3));
		assert_non_null(h);
		assert_int_equal(hash_count(h), 3);
		for (size_t k = 0; k < 3; k++) {
			assert_true(hash_get(h, bytes_str(f[k].name), buf, &v));
			assert_true(bytes_eq(v, bytes_str(f[k].value)));
			assert_int_equal(hash_expiry(h, bytes_str(f[k].name)),
					 f[k].at ? f[k].at : -1);
		}
		hash_free(h);
	}
}

static void a_listpack_out_of_order_is_put_in_order(void **state)
{
	(void)state;
	static const struct field f[] = {
		{"c", "3", 0}, {"b", "2", NOW + 9}, {"a", "1", NOW + 5}, {"d", "4", NOW + 9}};
	struct rdb_in in;
	struct hash *h = read_it(&in, made_of(RDB_HASH_LISTPACK_EX, NOW + 5, f, 4));

	assert_int_equal(hash_next_expiry(h), NOW + 5);
	assert_int_equal(hash_stale(h, NOW + 9), 1);
	assert_int_equal(hash_stale(h, NOW + 10), 3);
	hash_free(h);
}

static void what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	static const struct field twice[] = {{"a", "1", NOW}, {"a", "2", 0}};
	static const struct field late[] = {{"a", "1", INT64_C(1) << 48}};
	static const struct field one[] = {{"a", "1", NOW}};
	struct made m;

	for (size_t i = 0; i < 4; i++) {
		refused(made_of(types[i], NOW, twice, 2), "twice");
		refused(made_of(types[i], NOW, late, 1), "expiry is none");
		refused(made_of(types[i], NOW, NULL, 0), "empty value");
		m = made_of(types[i], NOW, one, 1);
		for (size_t n = 1; n < m.n; n++) {
			struct made cut = m;
			cut.n = n;
			refused(cut, "");
		}
	}
	refused(made_of(RDB_HASH_METADATA, -1, one, 1), "expiry is none");
	refused(made_of(RDB_HASH_LISTPACK_EX, INT64_C(1) << 48, one, 1), "expiry is none");
	static const struct field negative[] = {{"a", "1", -5}};
	refused(made_of(RDB_HASH_LISTPACK_EX, NOW, negative, 1), "expiry is none");
	/* pairs where triplets should be */
	unsigned char *lp = listpack_new(0);
	for (int i = 0; i < 4; i++)
		lp = listpack_append_int(lp, i);
	m.n = 0;
	put_byte(&m, RDB_HASH_LISTPACK_EX_PRE_GA);
	put_byte(&m, (unsigned)listpack_bytes(lp));
	put(&m, lp, listpack_bytes(lp));
	listpack_free(lp);
	refused(m, "not all of one");
	/* a text for an expiry */
	lp = listpack_new(0);
	for (int i = 0; i < 3; i++)
		lp = listpack_append(lp, BYTES("x"));
	m.n = 0;
	put_byte(&m, RDB_HASH_LISTPACK_EX_PRE_GA);
	put_byte(&m, (unsigned)listpack_bytes(lp));
	put(&m, lp, listpack_bytes(lp));
	listpack_free(lp);
	refused(m, "expiry is none");
}

static void the_lowest_version_that_holds_it_is_written(void **state)
{
	(void)state;
	struct keyspace *ks = keyspace_new(1);
	struct hash *h = hash_new();
	struct rdb_out o;
	uint16_t version;

	keyspace_put(&ks->dbs[0], BYTES("k"), VALUE_HASH, h);
	hash_set(h, BYTES("a"), BYTES("1"), &limits);
	/* plain; with an expiry; persistent again, in the form with expiries */
	static const struct {
		int64_t at;
		unsigned char type;
		uint16_t version;
	} want[] = {
		{-1, RDB_HASH_LISTPACK, 10}, {NOW, RDB_HASH_LISTPACK_EX, 12}, {-1, RDB_HASH, 10}};
	for (size_t i = 0; i < 3; i++) {
		hash_expire(h, BYTES("a"), want[i].at);
		rdb_out_init(&o, -1);
		rdb_dump(&o, keyspace_read(&ks->dbs[0], BYTES("k"), KEYSPACE_NOTOUCH));
		memcpy(&version, o.buf + o.len - 10, 2);
		assert_int_equal(o.buf[0], want[i].type);
		assert_int_equal(version, want[i].version);
		rdb_out_fini(&o);
	}
	keyspace_free(ks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_encoding_is_read),
		cmocka_unit_test(a_listpack_out_of_order_is_put_in_order),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(the_lowest_version_that_holds_it_is_written),
	};
	mem_thread_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
