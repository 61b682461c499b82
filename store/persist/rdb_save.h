/* store/persist/rdb_save.h - all databases as an RDB, and one value as DUMP's payload.
 */
#ifndef STORE_PERSIST_RDB_SAVE_H
#define STORE_PERSIST_RDB_SAVE_H

#include "store/keyspace/keyspace.h"
#include "store/persist/rdb_out.h"

struct rdb_save_options {
	const char *version; /* redis-ver of the auxiliary fields */
	uint64_t memory;     /* used-mem */
	bool compress;
	bool checksum;
	bool sync_often;
	bool is_base; /* aof-base: a log's increments follow */
	bool access;  /* write how recently (or often) keys were used */
	int delay_us; /* rdb-key-save-delay: sleep so long at each key; below 0: 1 us each so many keys */
	/* Told now and then how many keys are written, or NULL. */
	void (*progress)(void *arg, uint64_t keys);
	void *arg;
	/* Write what stands in front of the keys (functions), or NULL. */
	void (*head)(void *head_arg, struct rdb_out *o);
	void *head_arg;
};

/* Write everything to @fd from where it stands. Keys past their time are written too. 0 or an errno. */
int rdb_save(struct keyspace *ks, int fd, const struct rdb_save_options *opt);

/* The value of @word with version and checksum behind it: DUMP's payload, into a writer of memory. */
void rdb_dump(struct rdb_out *o, uint64_t word);

#endif
