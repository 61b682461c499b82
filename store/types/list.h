/* store/types/list.h - a list of byte strings: a deque of listpack nodes.
 *
 * A container: it knows no key, no expiry, no client. A list that fits one node is just that listpack (encoding "listpack"), else
 * "quicklist". An element too large for a node stands in one of its own, plain.
 *
 * Memory: elements passed in are copied; those handed out are borrowed until the next change (integers are formatted
 * into the caller's buffer). Indexes count from 0, negative ones from the tail.
 */
#ifndef STORE_TYPES_LIST_H
#define STORE_TYPES_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/bytes.h"
#include "store/base/err.h"
#include "store/base/num.h"
#include "store/types/limits.h"

struct list;

struct list *list_new(void);
void list_free(struct list *l);
struct list *list_dup(const struct list *l);

size_t list_count(const struct list *l);
void list_push(struct list *l, bool tail, struct bytes value, const struct type_limits *lim);
/* Remove an end's element; its bytes are appended to nothing: they are handed to @take first. False when empty. */
bool list_pop(struct list *l, bool tail, const struct type_limits *lim,
	      void (*take)(void *arg, struct bytes value), void *arg);

/* False when out of range. */
bool list_get(const struct list *l, int64_t index, char *buf, struct bytes *out);
/* STORE_ERANGE */
enum store_err list_set(struct list *l, int64_t index, struct bytes value,
			const struct type_limits *lim);
/* Insert before or after the first element equal to @pivot; false when there is none. */
bool list_insert(struct list *l, struct bytes pivot, bool after, struct bytes value,
		 const struct type_limits *lim);
/* Insert so that the new element has @index (0..count). STORE_ERANGE */
enum store_err list_insert_at(struct list *l, int64_t index, struct bytes value,
			      const struct type_limits *lim);
/* Remove @count elements equal to @value from the head (@count>0), the tail (<0) or all (0). Returns how many. */
size_t list_remove(struct list *l, int64_t count, struct bytes value,
		   const struct type_limits *lim);
/* Remove @count elements from @index (0-based, not negative) on. */
void list_delete_range(struct list *l, size_t index, size_t count, const struct type_limits *lim);

/* Walk from @index (0-based, not negative), forwards or backwards. No change while walking. */
struct list_iter {
	const struct list *l;
	void *node;
	unsigned char *at;
	bool backwards;
	char buf[NUM_BUF];
};
void list_iter_begin(struct list_iter *it, const struct list *l, size_t index, bool backwards);
bool list_iter_next(struct list_iter *it, struct bytes *out);

/* --- for snapshots --- */

/* Walk the nodes: begin with *@node NULL. @bytes is a whole listpack, or with @plain one element. False at the end. */
bool list_node_next(const struct list *l, const void **node, struct bytes *bytes, bool *plain);
/* Append the elements of a node from elsewhere: a valid listpack, or with @plain one element of @n bytes. Adopts @data, as it is where
 * the limits allow that. */
void list_adopt(struct list *l, unsigned char *data, size_t n, bool plain,
		const struct type_limits *lim);

/* "listpack" or "quicklist" */
const char *list_encoding(const struct list *l);
size_t list_mem(const struct list *l, unsigned samples);
/* Allocations that list_free frees: the effort. */
size_t list_effort(const struct list *l);
void list_check(const struct list *l, const struct type_limits *lim);

#endif
