/* store/types/zset_impl.h - inside a sorted set, for zset.c and zset_build.c alone. */
#ifndef STORE_TYPES_ZSET_IMPL_H
#define STORE_TYPES_ZSET_IMPL_H

#include "store/types/ranktree.h"
#include "store/types/zset.h"

/* A member stands in one allocation (ranktree.h has its layout), which the table finds by name and the tree by order. */
struct zset_big {
	struct table members;
	struct ranktree order;
};

/* The container's address never changes, its body does: a listpack, or a struct zset_big when the low bit is set. */
struct zset {
	uintptr_t body;
};

/* Empty, for about @expected members. */
struct zset_big *zset_big_new(size_t expected);
/* A member for the table and the tree, in neither yet; NULL when there is no memory. */
void *zset_member_new(struct bytes name, double score);
/* Append to a listpack of pairs in order; NULL when it cannot grow, and @lp is freed. */
unsigned char *zset_lp_append(unsigned char *lp, double score, struct bytes member);

#endif
