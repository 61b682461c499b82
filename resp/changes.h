/* resp/changes.h - when something last changed, cheaply: the mount's modification times and cached sizes.
 *
 * Stamps are kept for groups of keys, not for each: a key's group is some bits of its hash and its database. A group's stamp changes
 * whenever one of its keys does, so a stamp that is as it was proves that a key is; the converse may fail.
 * Nothing is kept (and a change costs one test) until changes_new().
 */
#ifndef RESP_CHANGES_H
#define RESP_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/bytes.h"

struct changes;

struct change_stamp {
	uint64_t serial; /* of the last change of the group; 0 for none yet */
	int64_t time_ms; /* when, since the epoch */
};

struct changes *changes_new(int64_t now_ms);
void changes_free(struct changes *c);
void changes_mark(struct changes *c, unsigned db, uint64_t key_hash, int64_t now_ms);
/* FLUSHALL, FLUSHDB, SWAPDB: all groups. */
void changes_mark_all(struct changes *c, int64_t now_ms);
struct change_stamp changes_get(const struct changes *c, unsigned db, uint64_t key_hash);
/* Of any key: a directory's. */
struct change_stamp changes_latest(const struct changes *c);

#endif
