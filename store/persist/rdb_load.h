/* store/persist/rdb_load.h - an RDB into the databases, and DUMP's payload into a value.
 */
#ifndef STORE_PERSIST_RDB_LOAD_H
#define STORE_PERSIST_RDB_LOAD_H

#include "store/keyspace/keyspace.h"
#include "store/persist/rdb_in.h"
#include "store/persist/rdb_value.h"
#include "store/types/limits.h"

/* Who looks at a file without loading it. All may ask the reader for its offset. */
struct rdb_visitor {
	void *arg;
	int64_t now_ms; /* since the epoch */
	/* What comes is read: a record, a key's name, its value, the checksum. */
	void (*doing)(void *arg, const char *what);
	void (*select)(void *arg, uint64_t db);
	/* A key of encoding @type, before its name is read and, with its name, before its value is; @expire_at -1 for none. */
	void (*type)(void *arg, unsigned type);
	void (*key)(void *arg, struct bytes key, int64_t expire_at);
};

struct rdb_load_options {
	const struct rdb_visitor *visitor; /* nothing is bound: the keyspace may be NULL */
	const struct type_limits *limits;
	bool overwrite;    /* a key that is there is replaced, else it is an error */
	bool keep_expired; /* keys past their time are loaded too */
	int delay_us;      /* sleep so long at each key: key-load-delay */
	uint64_t interval; /* tell of progress at least once in so many bytes; 0: as is good */
	void *arg;
	/* Now and then; false ends loading, without an error. Clients may be answered meanwhile: nothing is borrowed. It may change
	 * delay_us and interval. */
	bool (*progress)(void *arg, uint64_t bytes);
	/* An auxiliary field. */
	void (*aux)(void *arg, struct bytes name, struct bytes value);
	/* A library of functions; false with an error line in @why. NULL: they are left out. */
	bool (*function)(void *arg, struct bytes code, char *why, size_t room);
	/* Something that was left out, for the log. */
	void (*note)(void *arg, const char *text);
};

struct rdb_load_result {
	uint64_t loaded, expired, empty; /* keys */
	bool stopped;                    /* by progress */
};

/* Load from @in. False with in->error and in->error_offset filled; what was loaded before stays. */
bool rdb_load(struct keyspace *ks, struct rdb_in *in, const struct rdb_load_options *opt,
	      struct rdb_load_result *out);

/* Whether @payload ends in a version that can be read and the right checksum. */
bool rdb_payload_verify(struct bytes payload, bool checksum);
/* Its value, all of it consumed. False when it is malformed. @in is set up here and the caller's to finish. */
bool rdb_payload_read(struct rdb_in *in, struct bytes payload, const struct type_limits *lim,
		      struct rdb_value *v);

#endif
