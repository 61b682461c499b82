/* store/types/zset_build.h - a sorted set that is filled in any order, and ordered once at the end.
 *
 * What computes or loads a whole set pays for a table and one sort instead of a place in the tree for each member; scores may change until
 * the end, which costs nothing.
 *
 * Memory: members passed in are copied.
 */
#ifndef STORE_TYPES_ZSET_BUILD_H
#define STORE_TYPES_ZSET_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/bytes.h"
#include "store/types/limits.h"

struct table;
struct zset;
struct zset_build;

/* Nothing yet, with room for @expected members. */
struct zset_build *zset_build_begin(size_t expected);
void zset_build_drop(struct zset_build *b);

/* The score of @member, which is there with the score 0 when it was not; the caller's to write (a number), good until the next
 * call. @hash is keyhash(@member). NULL when there is no memory. */
double *zset_build_at(struct zset_build *b, struct bytes member, uint64_t hash, bool *added);
/* What it looks members up in, for who prefetches. */
const struct table *zset_build_table(const struct zset_build *b);

size_t zset_build_count(const struct zset_build *b);

/* The set, a listpack if @lim lets it; the builder is gone. NULL when there is no memory. */
struct zset *zset_build_end(struct zset_build *b, const struct type_limits *lim);

#endif
