/* store/types/stream.h - a stream: entries of fields and values under ids that only grow.
 *
 * A container: it knows no key, no clock and no client. Entries stand in nodes (streamnode.h), and those, since ids only grow, in an
 * array by their first id: searching is binary, appending and trimming cost nothing, and a node in the middle that
 * becomes empty moves the shorter side. Redis has a radix tree there; its figures in XINFO are computed.
 *
 * Memory: fields and values passed in are copied; those handed out are borrowed until the next change.
 */
#ifndef STORE_TYPES_STREAM_H
#define STORE_TYPES_STREAM_H

#include "store/base/err.h"
#include "store/types/limits.h"
#include "store/types/streamgroup.h"
#include "store/types/streamnode.h"

#define STREAM_ID_MIN ((struct stream_id){0, 0})
#define STREAM_ID_MAX ((struct stream_id){UINT64_MAX, UINT64_MAX})

/* The id after and before; false, unchanged, where there is none. */
bool stream_id_next(struct stream_id *id);
bool stream_id_prev(struct stream_id *id);

struct stream;

/* What a stream remembers besides its entries. */
struct stream_info {
	uint64_t length;
	uint64_t added;               /* entries ever added */
	struct stream_id first;       /* of the entries there are; zero when there are none */
	struct stream_id last;        /* the highest ever given */
	struct stream_id max_deleted; /* the highest ever deleted */
};

struct stream *stream_new(void);
void stream_free(struct stream *s);
struct stream *stream_dup(const struct stream *s);

/* Which stream it is, for who wants to know it again: @fresh, not 0, when it had no mark yet. A copy is another one. */
uint64_t stream_mark(struct stream *s, uint64_t fresh);

const struct stream_info *stream_info(const struct stream *s);

/* Append an entry of @nfields pairs of field and value.
 * STORE_ERANGE (@id is not above the last), STORE_ETOOBIG, STORE_ENOMEM; the stream is then as it was. */
enum store_err stream_append(struct stream *s, struct stream_id id, const struct bytes *pairs,
			     size_t nfields, const struct type_limits *lim);

/* Its consumer groups, the caller's to change. */
struct streamnames *stream_groups(struct stream *s);

/* Whether the entry @id is there. */
bool stream_has(const struct stream *s, struct stream_id id);

/* Delete those of @ids that are there; returns how many. */
size_t stream_delete(struct stream *s, const struct stream_id *ids, size_t n);

struct stream_trim {
	bool by_id;     /* keep ids from @minid on; else the @maxlen newest entries */
	bool approx;    /* whole nodes only */
	uint64_t limit; /* stop before more than this many are deleted; 0: no bound */
	uint64_t maxlen;
	struct stream_id minid;
};
/* Returns how many entries went. */
uint64_t stream_trim(struct stream *s, const struct stream_trim *t);

/* XSETID's part; the caller has compared. */
void stream_set_last(struct stream *s, struct stream_id last);
void stream_set_added(struct stream *s, uint64_t added);
void stream_set_max_deleted(struct stream *s, struct stream_id id);

/* The first or last entry's id; false when there is none. */
bool stream_edge(const struct stream *s, bool last, struct stream_id *id);

/* Walk the entries from @start to @end, both included, or backwards from @end. No change while walking. */
struct stream_iter {
	const struct stream *s;
	struct stream_id start, end;
	bool backwards, inside;
	size_t node;
	struct streamnode_entry e;
	unsigned char *name, *value;
	char name_buf[NUM_BUF], value_buf[NUM_BUF];
};
void stream_iter_begin(struct stream_iter *it, const struct stream *s, struct stream_id start,
		       struct stream_id end, bool backwards);
/* The next entry: it->e.id and it->e.nfields, and its pairs by as many calls of stream_iter_pair. */
bool stream_iter_next(struct stream_iter *it);
void stream_iter_pair(struct stream_iter *it, struct bytes *field, struct bytes *value);

/* --- for snapshots and figures --- */

size_t stream_nodes(const struct stream *s);
/* The @i-th node. */
struct bytes stream_node(const struct stream *s, size_t i, struct stream_id *master);
/* Append a node from elsewhere: @n bytes, adopted, false (and freed) when they are no node or do not begin above the others. The length
 * counts on; the rest of the info is told by stream_set_info. */
bool stream_adopt(struct stream *s, struct stream_id master, unsigned char *data, size_t n);
/* False when it contradicts the entries. */
bool stream_set_info(struct stream *s, const struct stream_info *info);

/* How many nodes Redis's radix tree would have. In O(nodes). */
size_t stream_radix_nodes(const struct stream *s);

/* "stream" */
const char *stream_encoding(const struct stream *s);
size_t stream_mem(const struct stream *s, unsigned samples);
size_t stream_effort(const struct stream *s);
void stream_check(const struct stream *s, const struct type_limits *lim);

#endif
