/* store/types/limits.h - when a small container becomes a big one, by Redis's directives.
 *
 * The owner of the configuration keeps one of these and passes it to every call that may convert.
 */
#ifndef STORE_TYPES_LIMITS_H
#define STORE_TYPES_LIMITS_H

#include <stddef.h>
#include <stdint.h>

struct type_limits {
	size_t hash_max_listpack_entries; /* 128 (Redis 7.2: 128; 7.0: 128 under hash-max-ziplist-entries too) */
	size_t hash_max_listpack_value;   /* 64 */
	size_t set_max_intset_entries;    /* 512 */
	size_t set_max_listpack_entries;  /* 128 */
	size_t set_max_listpack_value;    /* 64 */
	size_t zset_max_listpack_entries; /* 128 */
	size_t zset_max_listpack_value;   /* 64 */
	size_t hll_sparse_max_bytes;      /* 3000: a HyperLogLog longer than this is dense */
	size_t list_packed_threshold;   /* 0; else an element so long stands by itself, for tests */
	int list_max_listpack_size;     /* -2: 8 KiB a node; positive: elements a node */
	size_t stream_node_max_bytes;   /* 4096; 0: as much as a listpack holds */
	size_t stream_node_max_entries; /* 100; 0: any number */
	int list_compress_depth; /* kept for CONFIG; nodes are not compressed until it is measured to pay */
};

#define TYPE_LIMITS_DEFAULT                                                                        \
	{                                                                                          \
		.hash_max_listpack_entries = 128, .hash_max_listpack_value = 64,                   \
		.set_max_intset_entries = 512, .set_max_listpack_entries = 128,                    \
		.set_max_listpack_value = 64, .zset_max_listpack_entries = 128,                    \
		.stream_node_max_bytes = 4096, .stream_node_max_entries = 100,                     \
		.zset_max_listpack_value = 64, .hll_sparse_max_bytes = 3000,                       \
		.list_max_listpack_size = -2, .list_compress_depth = 0,                            \
	}

#endif
