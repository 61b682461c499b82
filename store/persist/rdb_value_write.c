/* store/persist/rdb_value_write.c - values to bytes, in encodings that version 10 knows where there are such. Part of rdb_value.h. */
#include "store/persist/rdb_format.h"
#include "store/persist/rdb_stream.h"
#include "store/persist/rdb_value.h"
#include "store/types/hash.h"
#include "store/types/intset.h"
#include "store/types/list.h"
#include "store/types/listpack.h"
#include "store/types/set.h"
#include "store/types/zset.h"

static unsigned hash_type(const struct hash *h)
{
	if (hash_listpack(h))
		return RDB_HASH_LISTPACK;
	if (hash_next_expiry(h) < 0)
		return RDB_HASH;
	return hash_listpack_times(h) ? RDB_HASH_LISTPACK_EX : RDB_HASH_METADATA;
}

unsigned rdb_value_type(uint64_t w)
{
	switch (word_type(w)) {
	case VALUE_STRING:
		return RDB_STRING;
	case VALUE_LIST:
		return RDB_LIST_QUICKLIST_2;
	case VALUE_SET:
		/* A set's listpack needs version 11: those go out member by member. */
		return set_intset(entry_container(w)) ? RDB_SET_INTSET : RDB_SET;
	case VALUE_ZSET:
		return zset_listpack(entry_container(w)) ? RDB_ZSET_LISTPACK : RDB_ZSET_2;
	case VALUE_HASH:
		return hash_type(entry_container(w));
	case VALUE_STREAM:
		return rdb_stream_type(entry_container(w));
	}
	return RDB_STRING;
}

static void write_string(struct rdb_out *o, uint64_t w)
{
	char buf[NUM_BUF];

	if (word_enc(w) == ENTRY_INT)
		rdb_out_string_int(o, entry_int(w));
	else
		rdb_out_string(o, entry_string(w, buf));
}

static void write_list(struct rdb_out *o, const struct list *l)
{
	const void *node = NULL;
	struct bytes bytes;
	bool plain;

	rdb_out_len(o, list_effort(l));
	while (list_node_next(l, &node, &bytes, &plain)) {
		rdb_out_len(o, plain ? RDB_NODE_PLAIN : RDB_NODE_PACKED);
		rdb_out_string(o, bytes);
	}
}

static void write_set(struct rdb_out *o, struct set *s)
{
	const unsigned char *is = set_intset(s);
	struct set_iter it;
	struct bytes member;

	if (is) {
		rdb_out_string(o, bytes_of(is, intset_bytes(is)));
		return;
	}
	rdb_out_len(o, set_count(s));
	set_iter_begin(&it, s);
	while (set_iter_next(&it, &member))
		rdb_out_string(o, member);
	set_iter_end(&it);
}

static void write_zset(struct rdb_out *o, struct zset *z)
{
	const unsigned char *lp = zset_listpack(z);
	struct zset_iter it;
	struct bytes member;
	double score;

	if (lp) {
		rdb_out_string(o, bytes_of(lp, listpack_bytes(lp)));
		return;
	}
	size_t n = zset_count(z);
	rdb_out_len(o, n);
	/* From the last to the first: a reader that inserts always finds its place at the front. */
	zset_iter_begin(&it, z, n - 1, true);
	while (zset_iter_next(&it, &member, &score)) {
		rdb_out_string(o, member);
		rdb_out_double(o, score);
	}
}

static void write_hash(struct rdb_out *o, struct hash *h)
{
	int64_t first = hash_next_expiry(h);
	const unsigned char *lp = first < 0 ? hash_listpack(h) : hash_listpack_times(h);
	struct hash_iter it;
	struct bytes field, value;

	if (first >= 0)
		rdb_out_bytes(o, &first, sizeof(first));
	if (lp) {
		rdb_out_string(o, bytes_of(lp, listpack_bytes(lp)));
		return;
	}
	rdb_out_len(o, hash_count(h));
	hash_iter_begin(&it, h);
	while (hash_iter_next(&it, &field, &value)) {
		if (first >= 0)
			rdb_out_len(o, it.expiry < 0 ? 0 : (uint64_t)(it.expiry - first) + 1);
		rdb_out_string(o, field);
		rdb_out_string(o, value);
	}
	hash_iter_end(&it);
}

void rdb_value_write(struct rdb_out *o, uint64_t w)
{
	switch (word_type(w)) {
	case VALUE_STRING:
		write_string(o, w);
		break;
	case VALUE_LIST:
		write_list(o, entry_container(w));
		break;
	case VALUE_SET:
		write_set(o, entry_container(w));
		break;
	case VALUE_ZSET:
		write_zset(o, entry_container(w));
		break;
	case VALUE_HASH:
		write_hash(o, entry_container(w));
		break;
	case VALUE_STREAM:
		rdb_stream_write(o, entry_container(w));
		break;
	}
}
