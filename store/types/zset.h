/* store/types/zset.h - a sorted set: members ordered by (score, bytes).
 *
 * A container: it knows no key, no expiry, no client. Small sets are one listpack (member, score, in order), larger ones a
 * counted B+tree over members that a table indexes; zset.c picks and converts.
 *
 * Memory: members passed in are copied. A member handed out is borrowed until the next change (integers of a listpack are formatted
 * into the caller's buffer of NUM_BUF bytes).
 */
#ifndef STORE_TYPES_ZSET_H
#define STORE_TYPES_ZSET_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/bytes.h"
#include "store/base/err.h"
#include "store/base/num.h"
#include "store/base/rng.h"
#include "store/types/limits.h"
#include "store/types/table.h"

struct zset;

/* Empty: a listpack unless the first member is too long or @expected too many. */
struct zset *zset_new(size_t first_len, size_t expected, const struct type_limits *lim);
void zset_free(struct zset *z);
/* NULL when there is no memory. */
struct zset *zset_dup(struct zset *z);

size_t zset_count(const struct zset *z);

/* Bind @member to @score. @added tells whether the member is new, @changed whether anything changed (-0 and 0 are the same
 * score: the one that was there stays, and a listpack keeps 0 for both). After an error the set is as it was.
 * STORE_ENAN     @score is not a number
 * STORE_ENOMEM   no memory for the member */
enum store_err zset_add(struct zset *z, struct bytes member, double score,
			const struct type_limits *lim, bool *added, bool *changed);
bool zset_score(struct zset *z, struct bytes member, double *score);
bool zset_remove(struct zset *z, struct bytes member);

/* The number of members before @member, in O(log n); false when it is absent. */
bool zset_rank(struct zset *z, struct bytes member, size_t *rank);

/* An interval of scores or of members (for sets whose scores are all equal). */
struct zset_score_range {
	double min, max;
	bool min_open, max_open;
};
struct zset_lex_range {
	struct bytes min, max;
	bool min_open, max_open;
	bool min_is_neg_inf, max_is_pos_inf; /* '-' and '+' at their own ends */
	bool min_is_pos_inf, max_is_neg_inf; /* '+' as min, '-' as max: nothing matches */
};

/* The ranks [*first, *first + *count) that lie in the range; count 0 when none do. O(log n). */
void zset_range_by_score(struct zset *z, const struct zset_score_range *r, size_t *first,
			 size_t *count);
void zset_range_by_lex(struct zset *z, const struct zset_lex_range *r, size_t *first,
		       size_t *count);

/* Remove @count members from rank @first on, or as many as there are. Returns how many. */
size_t zset_remove_ranks(struct zset *z, size_t first, size_t count);

/* Walk in order from rank @rank, or backwards from it. No change while walking; a member is borrowed until the next step. */
struct zset_iter {
	struct zset *z;
	void *leaf;
	unsigned char *at;
	uint32_t pos;
	bool backwards, done;
	char buf[NUM_BUF];
};
void zset_iter_begin(struct zset_iter *it, struct zset *z, size_t rank, bool backwards);
bool zset_iter_next(struct zset_iter *it, struct bytes *member, double *score);

bool zset_random(struct zset *z, struct rng *rng, char *buf, struct bytes *member, double *score);
/* @n different members (all when there are not so many), each choice of @n as likely as any other, in order. */
void zset_sample(struct zset *z, struct rng *rng, size_t n,
		 void (*fn)(void *arg, struct bytes member, double score), void *arg);
uint64_t zset_scan(struct zset *z, uint64_t cursor,
		   void (*fn)(void *arg, struct bytes member, double score), void *arg);

/* Small results (ZUNIONSTORE and its kin) may go back to a listpack once they are filled. */
void zset_compact(struct zset *z, const struct type_limits *lim);

/* For snapshots: the listpack of a small one, borrowed, else NULL; and one around a valid listpack of (member, score) in order, with members that
 * all differ, which is adopted. NULL, and @lp freed, when there is no memory. */
const unsigned char *zset_listpack(const struct zset *z);
struct zset *zset_adopt(unsigned char *lp, const struct type_limits *lim);

/* "listpack" or "skiplist", Redis's words. */
const char *zset_encoding(const struct zset *z);
size_t zset_mem(struct zset *z, unsigned samples);
size_t zset_effort(const struct zset *z);
struct table *zset_table(struct zset *z);
void zset_check(struct zset *z, const struct type_limits *lim);

#endif
