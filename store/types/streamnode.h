/* store/types/streamnode.h - one node of a stream: some entries in one listpack.
 *
 * The layout is Redis's, as RDB stores it. The listpack begins with the node's master entry
 *     live | deleted | fields | field ... | 0
 * and each entry follows as
 *     flags | ms | seq | (fields | field value ...) or with SAMEFIELDS (value ...) | elements before this one
 * where ms and seq are counted from the node's own id, that of its first entry, and fields are the master's with SAMEFIELDS.
 *
 * Who holds the listpack frees it; changing calls take and return it, since it may move.
 */
#ifndef STORE_TYPES_STREAMNODE_H
#define STORE_TYPES_STREAMNODE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/bytes.h"
#include "store/types/listpack.h"

struct stream_id {
	uint64_t ms, seq;
};

static inline int stream_id_cmp(struct stream_id a, struct stream_id b)
{
	if (a.ms != b.ms)
		return a.ms < b.ms ? -1 : 1;
	return (a.seq > b.seq) - (a.seq < b.seq);
}

/* No node grows past this: a few bytes stay free for its counters. */
#define STREAMNODE_MAX (LISTPACK_MAX - 64)

/* A node without entries whose master has the names of these @nfields pairs. NULL without memory. */
unsigned char *streamnode_new(const struct bytes *pairs, size_t nfields);

/* Append the entry @id to the node *@lp, which may move. False without memory; the entries are what they were then. */
bool streamnode_append(unsigned char **lp, struct stream_id master, struct stream_id id,
		       const struct bytes *pairs, size_t nfields);

/* Upper bound of the bytes that a new node with this entry takes. */
size_t streamnode_size(const struct bytes *pairs, size_t nfields);

uint64_t streamnode_live(unsigned char *lp);
uint64_t streamnode_deleted(unsigned char *lp);

/* Where a walk through a node stands. Borrowed until the next change of the node. */
struct streamnode_entry {
	unsigned char *at; /* its flags */
	struct stream_id id;
	bool deleted, same;
	size_t nfields;
	unsigned char *data;  /* the first value (same) or field */
	unsigned char *names; /* the master's first field */
};

/* False where there is none. Deleted entries are walked too. */
bool streamnode_first(unsigned char *lp, struct stream_id master, struct streamnode_entry *e);
bool streamnode_last(unsigned char *lp, struct stream_id master, struct streamnode_entry *e);
bool streamnode_next(unsigned char *lp, struct stream_id master, struct streamnode_entry *e);
bool streamnode_prev(unsigned char *lp, struct stream_id master, struct streamnode_entry *e);

/* Mark @e, as deleted; nothing moves. The counters are left to streamnode_count. */
void streamnode_mark(struct streamnode_entry *e);
/* So many entries that were live are deleted now. Entries of a walk are invalid afterwards. */
unsigned char *streamnode_count(unsigned char *lp, uint64_t deleted);

/* Whether a valid listpack (listpack_valid) is a node, every number and length in its place, ids growing. For bytes from a file or a client. */
bool streamnode_valid(unsigned char *lp, struct stream_id master);

#endif
