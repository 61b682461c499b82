/* store/types/set.h - a set of byte strings: an intset, a listpack or a table of members.
 *
 * A container: it knows no key, no expiry, no client. Members passed in are copied; members handed out are borrowed until
 * the next change (integers are formatted into the caller's buffer of NUM_BUF bytes).
 */
#ifndef STORE_TYPES_SET_H
#define STORE_TYPES_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/bytes.h"
#include "store/base/num.h"
#include "store/base/rng.h"
#include "store/types/limits.h"
#include "store/types/table.h"

struct set;

/* Empty: an intset when @first reads as an integer, else a listpack, else (when @first is too long, or @expected too many) a table. */
struct set *set_new(struct bytes first, size_t expected, const struct type_limits *lim);
void set_free(struct set *s);
struct set *set_dup(struct set *s);

size_t set_count(const struct set *s);
/* Become a table now if @expected more members will not fit a small encoding: once before a run of set_add. */
void set_prepare(struct set *s, size_t expected, const struct type_limits *lim);
/* True when it is new. */
bool set_add(struct set *s, struct bytes member, const struct type_limits *lim);
bool set_remove(struct set *s, struct bytes member);
bool set_has(struct set *s, struct bytes member);

/* A member about uniformly at random; false when empty. */
bool set_random(struct set *s, struct rng *rng, char *buf, struct bytes *out);

/* Tell @fn @n different members (all, when there are no more), chosen uniformly. No change of the set in between. */
void set_sample(struct set *s, struct rng *rng, size_t n,
		void (*fn)(void *arg, struct bytes member), void *arg);

/* SSCAN's step: small encodings hand out everything and answer 0. */
uint64_t set_scan(struct set *s, uint64_t cursor, void (*fn)(void *arg, struct bytes member),
		  void *arg);

struct set_iter {
	struct set *s;
	struct table_iter t;
	void *at;
	size_t i;
	char buf[NUM_BUF];
};
/* No change while walking, but for removing nothing. End it always. */
void set_iter_begin(struct set_iter *it, struct set *s);
bool set_iter_next(struct set_iter *it, struct bytes *out);
void set_iter_end(struct set_iter *it);

/* For snapshots: the intset of a set of integers, borrowed, else NULL; and sets around a valid intset, or a valid listpack whose elements
 * all differ, which are adopted. */
const unsigned char *set_intset(const struct set *s);
/* The listpack of one that is kept so, borrowed, else NULL. */
const unsigned char *set_listpack(const struct set *s);
struct set *set_adopt_intset(unsigned char *is, const struct type_limits *lim);
struct set *set_adopt_listpack(unsigned char *lp, const struct type_limits *lim);

/* "intset", "listpack" or "hashtable" */
const char *set_encoding(const struct set *s);
size_t set_mem(struct set *s, unsigned samples);
size_t set_effort(const struct set *s);
/* The table of a "hashtable" set for DEBUG HTSTATS-KEY, else NULL. */
struct table *set_table(struct set *s);
void set_check(struct set *s, const struct type_limits *lim);

#endif
