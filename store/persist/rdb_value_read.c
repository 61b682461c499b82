/* store/persist/rdb_value_read.c - bytes to values. Part of rdb_value.h. */
#include <endian.h>

#include "store/base/mem.h"
#include "store/keyspace/value.h"
#include "store/persist/rdb_format.h"
#include "store/persist/rdb_packed.h"
#include "store/persist/rdb_stream.h"
#include "store/persist/rdb_value.h"
#include "store/types/hash.h"
#include "store/types/list.h"
#include "store/types/set.h"
#include "store/types/zset.h"

/* Strings longer than this come as a blob. */
#define TEXT_MAX 1024

/* A table is made for as many elements as are announced, but for no more than this before they are seen. */
#define RESERVE_MAX ((uint64_t)1 << 22)

static size_t reserve_for(uint64_t n)
{
	return n < RESERVE_MAX ? (size_t)n : (size_t)RESERVE_MAX;
}

static bool read_string(struct rdb_in *in, struct rdb_value *v)
{
	struct rdb_string s;

	if (!rdb_in_head(in, &s))
		return false;
	if (s.n > TEXT_MAX) {
		v->outside = rdb_in_blob(in, &s);
		return v->outside != NULL;
	}
	if (in->scratch[1].cap < TEXT_MAX) {
		mem_free(in->scratch[1].p);
		in->scratch[1].p = mem_alloc(TEXT_MAX);
		in->scratch[1].cap = TEXT_MAX;
	}
	v->text = bytes_of(in->scratch[1].p, s.n);
	return rdb_in_body(in, &s, in->scratch[1].p);
}

/* --- element by element --- */

static struct list *read_list(struct rdb_in *in, const struct type_limits *lim)
{
	struct list *l = list_new();
	struct bytes s;
	uint64_t n;

	if (!rdb_in_count(in, 1, &n))
		n = 0;
	for (; n && rdb_in_string(in, 0, &s); n--)
		list_push(l, true, s, lim);
	return l;
}

static struct set *read_set(struct rdb_in *in, const struct type_limits *lim)
{
	struct set *s = NULL;
	struct bytes member;
	uint64_t n;

	if (!rdb_in_count(in, 1, &n))
		return NULL;
	for (uint64_t i = 0; i < n && rdb_in_string(in, 0, &member); i++) {
		if (!s)
			s = set_new(member, reserve_for(n), lim);
		if (!set_add(s, member, lim)) {
			rdb_in_fail(in, "a set has a member twice");
			break;
		}
	}
	return s ? s : set_new(BYTES(""), 0, lim);
}

static struct zset *read_zset(struct rdb_in *in, bool text, const struct type_limits *lim)
{
	struct bytes member;
	uint64_t n;
	double score;
	bool added, changed;

	if (!rdb_in_count(in, text ? 2 : 9, &n))
		return NULL;
	struct zset *z = zset_new(0, reserve_for(n), lim);
	for (; n && rdb_in_string(in, 0, &member); n--) {
		if (!(text ? rdb_in_text_double(in, &score) : rdb_in_double(in, &score)))
			break;
		if (zset_add(z, member, score, lim, &added, &changed))
			rdb_in_fail(in, "no memory for a member");
		else if (!added)
			rdb_in_fail(in, "a sorted set has a member twice");
	}
	if (!in->failed)
		zset_compact(z, lim);
	return z;
}

static struct hash *read_hash(struct rdb_in *in, const struct type_limits *lim)
{
	struct bytes field, value;
	uint64_t n;

	if (!rdb_in_count(in, 2, &n))
		return NULL;
	struct hash *h = hash_new();
	hash_prepare(h, reserve_for(n), 0, lim);
	for (; n && rdb_in_string(in, 0, &field) && rdb_in_string(in, 1, &value); n--)
		if (!hash_set(h, field, value, lim)) {
			rdb_in_fail(in, "a hash has a field twice");
			break;
		}
	return h;
}

/* The earliest expiry of a hash, which only those of the released format have. */
static bool read_first(struct rdb_in *in, bool released, int64_t *first)
{
	*first = 1;
	if (!released)
		return true;
	if (!rdb_in_read(in, first, sizeof(*first)))
		return false;
	return (*first >= 0 && *first <= RDB_FIELD_EXPIRY_MAX) ||
	       rdb_in_fail(in, "a hash's earliest expiry is none");
}

/* The expiry of a field, -1 for none; @first is what it counts from. */
static bool read_field_expiry(struct rdb_in *in, int64_t first, int64_t *at)
{
	uint64_t v;

	*at = -1;
	if (!rdb_in_plain_len(in, &v))
		return false;
	if (v == 0)
		return true;
	if (v > (uint64_t)(RDB_FIELD_EXPIRY_MAX - first) + 1)
		return rdb_in_fail(in, "a field's expiry is none");
	*at = first + (int64_t)v - 1;
	*at = *at ? *at : 1;
	return true;
}

static struct hash *read_times(struct rdb_in *in, bool released, const struct type_limits *lim)
{
	struct bytes field, value;
	int64_t first, at;
	uint64_t n;

	if (!read_first(in, released, &first) || !rdb_in_count(in, 3, &n))
		return NULL;
	struct hash *h = hash_new();
	hash_prepare(h, reserve_for(n), 0, lim);
	for (; n && read_field_expiry(in, first, &at) && rdb_in_string(in, 0, &field) &&
	       rdb_in_string(in, 1, &value);
	     n--) {
		if (!hash_set(h, field, value, lim)) {
			rdb_in_fail(in, "a hash has a field twice");
			break;
		}
		if (at >= 0)
			hash_expire(h, field, at);
	}
	return h;
}

/* --- packed --- */

static bool read_node(struct rdb_in *in, struct list *l, bool old, const struct type_limits *lim)
{
	uint64_t kind = RDB_NODE_PACKED;
	size_t n;

	if (!old && !rdb_in_plain_len(in, &kind))
		return false;
	if (kind != RDB_NODE_PACKED && kind != RDB_NODE_PLAIN)
		return rdb_in_fail(in, "unknown list node %llu", (unsigned long long)kind);
	unsigned char *data = rdb_in_block(in, &n);
	if (!data)
		return false;
	if (old)
		return rdb_packed_old_node(in, l, data, n, lim);
	if (kind == RDB_NODE_PACKED)
		return rdb_packed_node(in, l, data, n, lim);
	list_adopt(l, data, n, true, lim);
	return true;
}

static struct list *read_nodes(struct rdb_in *in, bool old, const struct type_limits *lim)
{
	struct list *l = list_new();
	uint64_t n;

	if (!rdb_in_count(in, old ? 1 : 2, &n))
		n = 0;
	while (n && read_node(in, l, old, lim))
		n--;
	return l;
}

static struct list *read_ziplist(struct rdb_in *in, const struct type_limits *lim)
{
	struct list *l = list_new();

	read_node(in, l, true, lim);
	return l;
}

static void *read_packed(struct rdb_in *in, unsigned type, const struct type_limits *lim)
{
	int64_t first;
	size_t n;

	if (type == RDB_HASH_LISTPACK_EX && !read_first(in, true, &first))
		return NULL;
	unsigned char *data = rdb_in_block(in, &n);
	if (!data)
		return NULL;
	switch (type) {
	case RDB_HASH_LISTPACK_EX:
	case RDB_HASH_LISTPACK_EX_PRE_GA:
		return rdb_packed_times(in, data, n, lim);
	case RDB_HASH_ZIPMAP:
		return rdb_packed_old_hash(in, data, n, true, lim);
	case RDB_HASH_ZIPLIST:
		return rdb_packed_old_hash(in, data, n, false, lim);
	case RDB_HASH_LISTPACK:
		return rdb_packed_hash(in, data, n, lim);
	case RDB_ZSET_ZIPLIST:
		return rdb_packed_old_zset(in, data, n, lim);
	case RDB_ZSET_LISTPACK:
		return rdb_packed_zset(in, data, n, lim);
	case RDB_SET_INTSET:
		return rdb_packed_intset(in, data, n, lim);
	default:
		return rdb_packed_set(in, data, n, lim);
	}
}

/* --- what is not known --- */

/* Nine characters of six bits each, from the top of the id. */
static void module_name(uint64_t id, char name[10])
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	for (int i = 0; i < 9; i++)
		name[i] = letters[id >> (58 - 6 * i) & 63];
	name[9] = '\0';
}

static bool refuse_type(struct rdb_in *in, unsigned type)
{
	char name[10];
	uint64_t id;

	switch (type) {
	case RDB_MODULE_2:
	case RDB_MODULE_PRE_GA:
		if (!rdb_in_plain_len(in, &id))
			return false;
		module_name(id, name);
		return rdb_in_fail(in,
				   "The RDB file contains module data I can't load: "
				   "no matching module type '%s'",
				   name);
	default:
		return rdb_in_fail(in, "unknown value type %u", type);
	}
}

/* --- all --- */

static enum value_type type_of(unsigned type)
{
	switch (type) {
	case RDB_STREAM:
	case RDB_STREAM_2:
	case RDB_STREAM_3:
		return VALUE_STREAM;
	case RDB_LIST:
	case RDB_LIST_ZIPLIST:
	case RDB_LIST_QUICKLIST:
	case RDB_LIST_QUICKLIST_2:
		return VALUE_LIST;
	case RDB_SET:
	case RDB_SET_INTSET:
	case RDB_SET_LISTPACK:
		return VALUE_SET;
	case RDB_ZSET:
	case RDB_ZSET_2:
	case RDB_ZSET_ZIPLIST:
	case RDB_ZSET_LISTPACK:
		return VALUE_ZSET;
	case RDB_HASH:
	case RDB_HASH_ZIPMAP:
	case RDB_HASH_ZIPLIST:
	case RDB_HASH_LISTPACK:
	case RDB_HASH_METADATA:
	case RDB_HASH_METADATA_PRE_GA:
	case RDB_HASH_LISTPACK_EX:
	case RDB_HASH_LISTPACK_EX_PRE_GA:
		return VALUE_HASH;
	default:
		return VALUE_STRING;
	}
}

static void *read_container(struct rdb_in *in, unsigned type, const struct type_limits *lim)
{
	switch (type) {
	case RDB_LIST:
		return read_list(in, lim);
	case RDB_SET:
		return read_set(in, lim);
	case RDB_ZSET:
	case RDB_ZSET_2:
		return read_zset(in, type == RDB_ZSET, lim);
	case RDB_HASH:
		return read_hash(in, lim);
	case RDB_HASH_METADATA:
	case RDB_HASH_METADATA_PRE_GA:
		return read_times(in, type == RDB_HASH_METADATA, lim);
	case RDB_LIST_ZIPLIST:
		return read_ziplist(in, lim);
	case RDB_STREAM:
	case RDB_STREAM_2:
	case RDB_STREAM_3:
		return rdb_stream_read(in, type);
	case RDB_LIST_QUICKLIST:
	case RDB_LIST_QUICKLIST_2:
		return read_nodes(in, type == RDB_LIST_QUICKLIST, lim);
	default:
		return read_packed(in, type, lim);
	}
}

static size_t container_count(const struct rdb_value *v)
{
	switch (v->type) {
	case VALUE_LIST:
		return list_count(v->outside);
	case VALUE_SET:
		return set_count(v->outside);
	case VALUE_ZSET:
		return zset_count(v->outside);
	case VALUE_HASH:
		return hash_count(v->outside);
	case VALUE_STRING:
	case VALUE_STREAM:
		break;
	}
	return 1;
}

static uint64_t bits_of_value(const struct rdb_value *v)
{
	uint64_t enc = v->type == VALUE_STRING ? ENTRY_BLOB : 0;

	return (uint64_t)v->type << WORD_TYPE_SHIFT | enc << WORD_ENC_SHIFT;
}

void rdb_value_drop(struct rdb_value *v)
{
	if (v->outside)
		value_free(bits_of_value(v), v->outside, false);
	v->outside = NULL;
}

bool rdb_value_read(struct rdb_in *in, unsigned type, const struct type_limits *lim,
		    struct rdb_value *v)
{
	*v = (struct rdb_value){.type = type_of(type)};
	if (type == RDB_STRING)
		return read_string(in, v);
	if (v->type == VALUE_STRING)
		return refuse_type(in, type);
	v->outside = read_container(in, type, lim);
	if (in->failed || !v->outside) {
		rdb_value_drop(v);
		return rdb_in_fail(in, "no value");
	}
	v->empty = container_count(v) == 0;
	if (v->empty)
		rdb_value_drop(v);
	return true;
}

enum store_err rdb_value_bind(struct db *db, struct bytes key, uint64_t hash, struct rdb_value *v,
			      int64_t expire_at)
{
	if (v->type != VALUE_STRING) {
		keyspace_add_expire(db, key, hash, v->type, v->outside, expire_at);
	} else if (v->outside) {
		keyspace_set_blob(db, key, v->outside, 0);
		if (expire_at >= 0)
			keyspace_expire(db, key, expire_at);
	} else {
		return keyspace_set_string_expire(db, key, hash, v->text, 0, expire_at);
	}
	v->outside = NULL;
	return STORE_OK;
}
