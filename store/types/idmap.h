/* store/types/idmap.h - stream ids in order, each with a few bytes of its own: what a consumer group has not had acknowledged.
 *
 * Records of one size, id in front, stand sorted in leaves of up to IDMAP_LEAF, and the leaves in an array: a search is binary twice.
 * What is pending mostly comes at the end and goes at the front, which moves nothing; a leaf in the middle that is made or
 * dropped moves the shorter side of the array, once for every half a leaf of records. Sparse neighbours are merged.
 *
 * Memory: records are copied in; one handed out is borrowed until the next change. Allocations are small, and end the process
 * when there is no memory for them.
 */
#ifndef STORE_TYPES_IDMAP_H
#define STORE_TYPES_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/types/streamnode.h"

#define IDMAP_LEAF 127 /* fills size classes with the records that groups have */

struct idmap_leaf;

/* Embed by value; the fields are idmap.c's own but for @count. */
struct idmap {
	struct idmap_leaf **leaves; /* those in use are head..head+n-1 of cap */
	size_t head, n, cap;
	uint64_t count;
	size_t stride; /* bytes of a record with its id */
};

/* Empty, for records of @size bytes (a multiple of 8, 0 too) behind each id. */
void idmap_init(struct idmap *m, size_t size);
void idmap_fini(struct idmap *m);
/* Into @copy, which is not initialized. */
void idmap_dup(struct idmap *copy, const struct idmap *m);

/* The record of @id (never NULL when it is there, whatever the size), or NULL. */
void *idmap_find(const struct idmap *m, struct stream_id id);
/* The record of @id, which is made, zeroed, when it was not there. */
void *idmap_add(struct idmap *m, struct stream_id id, bool *added);
bool idmap_remove(struct idmap *m, struct stream_id id);

/* Walking up; good until the next change. */
struct idmap_at {
	size_t leaf, pos;
};
/* The first id that is not below @from. */
struct idmap_at idmap_seek(const struct idmap *m, struct stream_id from);
/* The record there, with its id; NULL past the end. */
void *idmap_get(const struct idmap *m, const struct idmap_at *at, struct stream_id *id);
void idmap_next(const struct idmap *m, struct idmap_at *at);

/* The lowest and the highest id; @m is not empty. */
struct stream_id idmap_first(const struct idmap *m);
struct stream_id idmap_last(const struct idmap *m);

size_t idmap_mem(const struct idmap *m);
/* Allocations that it holds. */
size_t idmap_effort(const struct idmap *m);
/* Abort when an invariant does not hold. */
void idmap_check(const struct idmap *m);

#endif
