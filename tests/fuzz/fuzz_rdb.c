/* tests/fuzz/fuzz_rdb.c - any bytes as a file or as a payload: refused, or a sound value that comes back the same.
 *
 * The first byte chooses: even, the rest is a file of records; odd, one value in the encoding that the second byte names.
 */
#include <stdint.h>
#include <stdlib.h>

#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/persist/rdb_load.h"
#include "store/persist/rdb_save.h"
#include "store/types/hash.h"
#include "store/types/list.h"
#include "store/types/set.h"
#include "store/types/stream.h"
#include "store/types/zset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct type_limits limits = TYPE_LIMITS_DEFAULT;
/* A stream's nodes stay as they came. */
static const struct type_limits no_limits;

static struct keyspace *fresh(void)
{
	static const uint8_t seed[16] = {1};
	keyhash_seed(seed);
	struct keyspace *ks = keyspace_new(4);
	keyspace_set_now(ks, 1700000000000);
	return ks;
}

static void check_value(uint64_t w)
{
	switch (word_type(w)) {
	case VALUE_LIST:
		list_check(entry_container(w), &limits);
		break;
	case VALUE_SET:
		set_check(entry_container(w), &limits);
		break;
	case VALUE_ZSET:
		zset_check(entry_container(w), &limits);
		break;
	case VALUE_HASH:
		hash_check(entry_container(w), &limits);
		break;
	case VALUE_STREAM:
		stream_check(entry_container(w), &no_limits);
		break;
	case VALUE_STRING:
		break;
	}
}

static void check_all(struct keyspace *ks)
{
	keyspace_check(ks);
	for (unsigned i = 0; i < ks->ndbs; i++) {
		struct table_iter it;
		table_iter_begin(&it, &ks->dbs[i].keys);
		for (uint64_t *slot; (slot = table_iter_next(&it));)
			check_value(*slot);
		table_iter_end(&it);
	}
}

static void load_file(const uint8_t *data, size_t size)
{
	struct keyspace *ks = fresh();
	struct rdb_load_options opt = {.limits = &limits};
	struct rdb_load_result result;
	struct rdb_in in;
	/* The header need not be found by chance. */
	unsigned char *file = malloc(9 + size);
	memcpy(file, "REDIS0011", 9);
	if (size)
		memcpy(file + 9, data, size);
	rdb_in_memory(&in, file, 9 + size);
	if (!rdb_load(ks, &in, &opt, &result) && in.error_offset > 9 + size)
		abort();
	rdb_in_fini(&in);
	check_all(ks);
	keyspace_free(ks);
	free(file);
}

/* What was read is written, read again and written again: both times the same bytes, but for the order of a table. */
static void write_again(struct keyspace *ks, struct bytes key)
{
	struct rdb_out out;
	struct rdb_value v;
	struct rdb_in in;
	uint64_t w = keyspace_read(&ks->dbs[0], key, KEYSPACE_NOTOUCH);
	rdb_out_init(&out, -1);
	out.compress = true;
	rdb_dump(&out, w);
	struct bytes payload = bytes_of(out.buf, out.len);
	if (!rdb_payload_verify(payload, true) || !rdb_payload_read(&in, payload, &limits, &v))
		abort();
	if (v.type != word_type(w))
		abort();
	rdb_value_drop(&v);
	rdb_in_fini(&in);
	rdb_out_fini(&out);
}

static void load_value(const uint8_t *data, size_t size)
{
	struct keyspace *ks = fresh();
	struct rdb_value v;
	struct rdb_in in;
	struct bytes key = BYTES("k");
	/* Room for version and checksum, which were looked at before. */
	unsigned char *payload = malloc(size + 10);
	memcpy(payload, data, size);
	memset(payload + size, 0, 10);
	if (rdb_payload_read(&in, bytes_of(payload, size + 10), &limits, &v)) {
		rdb_value_bind(&ks->dbs[0], key, keyhash(key), &v, -1);
		check_all(ks);
		write_again(ks, key);
	}
	rdb_in_fini(&in);
	keyspace_free(ks);
	free(payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int registered;
	if (!registered++)
		mem_thread_register();
	if (size < 2)
		return 0;
	if (data[0] & 1)
		load_value(data + 1, size - 1);
	else
		load_file(data + 1, size - 1);
	return 0;
}
