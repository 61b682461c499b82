/* store/persist/rdb_packed.h - values that stand in an RDB as one block: listpack, intset, ziplist, zipmap.
 *
 * Each call adopts @data (@n bytes from mem.h) and checks all of it first. The container, which may be empty; or NULL with @in failed.
 */
#ifndef STORE_PERSIST_RDB_PACKED_H
#define STORE_PERSIST_RDB_PACKED_H

#include "store/persist/rdb_in.h"
#include "store/types/limits.h"

struct hash;
struct list;
struct set;
struct zset;

struct hash *rdb_packed_hash(struct rdb_in *in, unsigned char *data, size_t n,
			     const struct type_limits *lim);
/* Triplets with an expiry. */
struct hash *rdb_packed_times(struct rdb_in *in, unsigned char *data, size_t n,
			      const struct type_limits *lim);
struct set *rdb_packed_set(struct rdb_in *in, unsigned char *data, size_t n,
			   const struct type_limits *lim);
struct set *rdb_packed_intset(struct rdb_in *in, unsigned char *data, size_t n,
			      const struct type_limits *lim);
struct zset *rdb_packed_zset(struct rdb_in *in, unsigned char *data, size_t n,
			     const struct type_limits *lim);
struct hash *rdb_packed_old_hash(struct rdb_in *in, unsigned char *data, size_t n, bool zipmap,
				 const struct type_limits *lim);
struct zset *rdb_packed_old_zset(struct rdb_in *in, unsigned char *data, size_t n,
				 const struct type_limits *lim);

/* Append a node's elements to @l. False with @in failed. */
bool rdb_packed_node(struct rdb_in *in, struct list *l, unsigned char *data, size_t n,
		     const struct type_limits *lim);
bool rdb_packed_old_node(struct rdb_in *in, struct list *l, unsigned char *data, size_t n,
			 const struct type_limits *lim);

#endif
