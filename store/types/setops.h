/* store/types/setops.h - intersection, union and difference of sets.
 *
 * Members are taken in batches: their hashes are computed once for all sets, and the tables' lines are prefetched, so that
 * big sets wait for memory once a batch.
 */
#ifndef STORE_TYPES_SETOPS_H
#define STORE_TYPES_SETOPS_H

#include "store/types/set.h"

/* Told each member of a result; it is borrowed for the call. */
typedef void set_member_fn(void *arg, struct bytes member);

/* The members that all of @sets have (@n >= 1, none NULL; the array is sorted by size), @limit of them at most unless 0.
 * @fn may be NULL. Returns how many. No change of @sets while it runs. */
size_t set_inter(struct set **sets, size_t n, size_t limit, set_member_fn *fn, void *arg);

/* The members of @sets[0] that no other has. A NULL stands for an empty set, but not as the first. */
size_t set_diff(struct set **sets, size_t n, set_member_fn *fn, void *arg);

/* A new set of all members. NULLs are empty sets. */
struct set *set_union(struct set **sets, size_t n, const struct type_limits *lim);

/* An empty set for a result that is not known yet: an intset, which becomes what its members ask for. */
struct set *set_new_result(const struct type_limits *lim);

#endif
