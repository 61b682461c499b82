/* store/types/streamgroup.h - consumer groups of a stream: how far each has read, and what its consumers have not acknowledged.
 *
 * What is pending stands in the group by id, with its consumer, and in the consumer by id alone: 56 bytes an entry with both.
 * Nothing here reads the stream itself: ids may be of entries that were deleted since.
 *
 * Memory: names are copied. Groups, consumers and pending entries handed out are borrowed until they are removed; pending ones until the next
 * change of what is pending. A set of groups is embedded in its stream, which frees it.
 */
#ifndef STORE_TYPES_STREAMGROUP_H
#define STORE_TYPES_STREAMGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/bytes.h"
#include "store/types/idmap.h"

struct stream_info;

/* Groups of a stream, or consumers of a group, ordered by name. What it points to begins with its name. */
struct streamnames {
	struct bytes **v;
	size_t n, cap;
};

struct streamconsumer {
	struct bytes name; /* behind the struct, in its allocation */
	int64_t seen_ms;   /* when it last asked for anything */
	int64_t active_ms; /* when it last got something; -1 for never */
	struct idmap pending;
};

#define STREAM_READ_UNKNOWN (-1)

struct streamgroup {
	struct bytes name; /* behind the struct, in its allocation */
	struct stream_id last;
	int64_t read;         /* entries up to @last, STREAM_READ_UNKNOWN when nobody can tell */
	struct idmap pending; /* of struct streampending */
	struct streamnames consumers;
};

struct streampending {
	int64_t delivered_ms;
	uint64_t count; /* of deliveries */
	struct streamconsumer *consumer;
};

/* --- groups --- */

/* NULL when there is none of this name. */
struct streamgroup *streamgroup_find(const struct streamnames *groups, struct bytes name);
/* NULL when there is one of this name. */
struct streamgroup *streamgroup_add(struct streamnames *groups, struct bytes name,
				    struct stream_id last, int64_t read);
void streamgroup_remove(struct streamnames *groups, struct streamgroup *g);
static inline struct streamgroup *streamgroup_at(const struct streamnames *groups, size_t i)
{
	return (struct streamgroup *)groups->v[i];
}

/* All groups of a stream. */
void streamgroups_free(struct streamnames *groups);
void streamgroups_dup(struct streamnames *copy, const struct streamnames *groups);
size_t streamgroups_mem(const struct streamnames *groups);
size_t streamgroups_effort(const struct streamnames *groups);
void streamgroups_check(const struct streamnames *groups);

/* --- consumers --- */

struct streamconsumer *streamgroup_consumer(const struct streamgroup *g, struct bytes name);
/* NULL when there is one of this name. It was seen at @now, and never active. */
struct streamconsumer *streamgroup_add_consumer(struct streamgroup *g, struct bytes name,
						int64_t now);
/* What is pending at it goes too. */
void streamgroup_remove_consumer(struct streamgroup *g, struct streamconsumer *consumer);
static inline struct streamconsumer *streamgroup_consumer_at(const struct streamgroup *g, size_t i)
{
	return (struct streamconsumer *)g->consumers.v[i];
}

/* --- what is pending --- */

struct streampending *streamgroup_pending(const struct streamgroup *g, struct stream_id id);
/* Have @id pending at @consumer, wherever it was; its time and count are as they were, or zero. */
struct streampending *streamgroup_assign(struct streamgroup *g, struct stream_id id,
					 struct streamconsumer *consumer);
/* False when it was not pending. */
bool streamgroup_acknowledge(struct streamgroup *g, struct stream_id id);

/* --- how far a group is --- */

/* How many entries were ever added up to @id, STREAM_READ_UNKNOWN where deleted ones hide it. */
int64_t streamgroup_distance(const struct stream_info *s, struct stream_id id);
/* @g has read the entry @id, the next one of the stream: false when it had been further. */
bool streamgroup_advance(struct streamgroup *g, const struct stream_info *s, struct stream_id id);
/* How many entries are ahead of @g; false when nobody can tell. */
bool streamgroup_lag(const struct streamgroup *g, const struct stream_info *s, int64_t *lag);

#endif
