/* resp/changes.h - when something last changed, cheaply: the mount's modification times and cached sizes.
 *
 * Stamps are kept for groups of keys, not for each: a key's group is some bits of its hash and its database. A group's stamp changes
 * whenever one of its keys does, so a stamp that is as it was proves that a key is; the converse may fail.
 * Nothing is kept (and a change costs one test) until changes_new().
 *
 * Somebody may also keep copies of what keys hold (the kernel does, through the mount) and have changes of those keys, and of no
 * others, told before any reply leaves: changes_settle().
 */
#ifndef RESP_CHANGES_H
#define RESP_CHANGES_H

#include <stdbool.h>
#include <stddef.h>
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

/* --- keys that somebody keeps a copy of --- */

/* What changed since it was last told. */
struct change_notes {
	const uint64_t *
		ids; /* changes_id() of keys, some perhaps more than once and some that nobody keeps any more */
	size_t n;
	bool all;   /* any key may have changed */
	bool any;   /* some key did, and changes_hold_any() had asked */
	bool blunt; /* the keyspace must be left alone: a command is running */
};

/* How a key is called in notes. */
static inline uint64_t changes_id(unsigned db, uint64_t key_hash)
{
	return key_hash + db * UINT64_C(0x9e3779b97f4a7c15);
}

/* Have @fn told; NULL for none any more. False when there is another one already. */
bool changes_watch(struct changes *c, void (*fn)(void *arg, const struct change_notes *n),
		   void *arg);
/* Note changes of this key from now on, until changes_hold_none(). */
void changes_hold(struct changes *c, uint64_t id);
/* Note the next change, of whatever key; asked for once, told once. */
void changes_hold_any(struct changes *c);
void changes_hold_none(struct changes *c);

/* Tell what was noted. To be called before replies leave; @blunt inside a command. */
void changes_settle(struct changes *c, bool blunt);

#endif
