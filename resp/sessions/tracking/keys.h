/* resp/sessions/tracking/keys.h - which trackers may have cached which key.
 *
 * A table of names, each with the numbers of the trackers that read it. It knows no session: a number whose tracker
 * is gone stays until its key is taken or swept.
 */
#ifndef RESP_TRACKING_KEYS_H
#define RESP_TRACKING_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/bytes.h"
#include "store/base/rng.h"

struct tracked_keys;

struct tracked_keys *tracked_keys_new(void);
void tracked_keys_free(struct tracked_keys *t);

/* Remember that @tracker read @key, which is copied; @hash is its keyhash. Nothing happens when that is known. False when there is
 * no memory. */
bool tracked_keys_add(struct tracked_keys *t, struct bytes key, uint64_t hash, uint32_t tracker);

/* A key that was taken off the table, with its trackers in ascending order. */
struct tracked;
struct tracked *tracked_keys_take(struct tracked_keys *t, struct bytes key, uint64_t hash);
/* Any key, all about as likely; NULL when there is none. */
struct tracked *tracked_keys_take_random(struct tracked_keys *t, struct rng *rng);
struct bytes tracked_key(const struct tracked *k);
const uint32_t *tracked_ids(const struct tracked *k, size_t *n);
void tracked_free(struct tracked *k);

/* Forget trackers that are not @alive in a few dozen of the keys; answers the cursor to go on with, which begins and ends with 0. A key
 * that nobody is left to ask for goes. */
uint64_t tracked_keys_sweep(struct tracked_keys *t, uint64_t cursor,
			    bool (*alive)(void *arg, uint32_t tracker), void *arg);

size_t tracked_keys_count(const struct tracked_keys *t);
/* Pairs of a key and a tracker. */
size_t tracked_keys_items(const struct tracked_keys *t);
/* Bytes of all, the table included. */
size_t tracked_keys_mem(const struct tracked_keys *t);

/* Check every invariant; tests only. Aborts. */
void tracked_keys_check(struct tracked_keys *t);

#endif
