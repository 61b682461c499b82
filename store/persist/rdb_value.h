/* store/persist/rdb_value.h - one value between the keyspace and the bytes of an RDB.
 *
 * Reading takes every encoding that Redis ever wrote for the five types; what it takes is checked whole before a container adopts it.
 */
#ifndef STORE_PERSIST_RDB_VALUE_H
#define STORE_PERSIST_RDB_VALUE_H

#include "store/keyspace/keyspace.h"
#include "store/persist/rdb_in.h"
#include "store/persist/rdb_out.h"
#include "store/types/limits.h"

/* The encoding that rdb_value_write chooses for the value of @word, and its bytes. */
unsigned rdb_value_type(uint64_t word);
void rdb_value_write(struct rdb_out *o, uint64_t word);

struct rdb_value {
	enum value_type type;
	struct bytes text; /* a short string, in scratch 1 of the reader */
	void *outside;     /* a longer one's blob, or the container; NULL for a short string */
	bool empty; /* a container without elements, which no key may hold: nothing is there */
};

/* Read a value in encoding @type. False when @in has failed; nothing is held then. */
bool rdb_value_read(struct rdb_in *in, unsigned type, const struct type_limits *lim,
		    struct rdb_value *v);

/* Bind absent @key to it, expiry -1 for none. It is the keyspace's from then on, or gone after STORE_ENOMEM. */
enum store_err rdb_value_bind(struct db *db, struct bytes key, uint64_t hash, struct rdb_value *v,
			      int64_t expire_at);
/* Let go what was read and will not be bound. */
void rdb_value_drop(struct rdb_value *v);

#endif
