/* resp/changes.h - when something last changed, cheaply: the mount's modification times and cached sizes.
 *
 * Stamps are kept for groups of keys, not for each: a key's group is some bits of its hash and its database. A group's stamp changes
 * whenever one of its keys does, so a stamp that is as it was proves that a key is; the converse may fail.
 * Nothing is kept (and a change costs one test) until changes_new().
 *
 * Watchers may also keep copies of what keys hold (the kernel does, through each mount) and have changes of those keys told before any
 * reply leaves: changes_settle(). Keys are told in groups here too, by CHANGES_BITS bits of their hash, of which a bit each says that somebody waits
 * for a change: so a change that nobody waits for costs the look at a bit. It is told once; who still keeps something asks again.
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

/* How a key is called; the group of what is called so. */
static inline uint64_t changes_id(unsigned db, uint64_t key_hash)
{
	return key_hash + db * UINT64_C(0x9e3779b97f4a7c15);
}

/* With 100,000 held, nine of ten others are told from them by their group alone. */
#define CHANGES_BITS 20

static inline uint32_t changes_group(uint64_t id)
{
	return (uint32_t)(id >> (64 - CHANGES_BITS));
}

struct changes *changes_new(int64_t now_ms);
void changes_free(struct changes *c);

/* What every change touches, in front of the rest. */
#define CHANGES_STAMPS 4096
struct changes_front {
	struct change_stamp latest;
	bool watched; /* changes_noted wants to hear of it */
	struct change_stamp groups[CHANGES_STAMPS];
};

static inline unsigned changes_stamp_at(uint64_t id)
{
	return (id >> 20) % CHANGES_STAMPS;
}

/* For changes_mark alone: somebody may wait for this one. */
void changes_noted(struct changes *c, uint64_t id);

static inline void changes_mark(struct changes *c, unsigned db, uint64_t key_hash, int64_t now_ms)
{
	struct changes_front *f = (struct changes_front *)c;
	uint64_t id = changes_id(db, key_hash), serial = ++f->latest.serial;
	struct change_stamp *group = &f->groups[changes_stamp_at(id)];

	/* By fields: one that was just stored in parts is slow to load whole. */
	f->latest.time_ms = now_ms;
	group->time_ms = now_ms;
	group->serial = serial;
	if (f->watched)
		changes_noted(c, id);
}

/* FLUSHALL, FLUSHDB, SWAPDB: all groups. */
void changes_mark_all(struct changes *c, int64_t now_ms);
struct change_stamp changes_get(const struct changes *c, unsigned db, uint64_t key_hash);
/* Of any key: a directory's. */
struct change_stamp changes_latest(const struct changes *c);

/* The time that a file was given, until its key changes; who keeps copies is told. False when there is none. */
void changes_set_time(struct changes *c, unsigned db, uint64_t key_hash, int64_t time_ns);
bool changes_get_time(const struct changes *c, unsigned db, uint64_t key_hash, int64_t *time_ns);

/* --- keys that somebody reads over several turns --- */

/* Whether one key changed since it was looked at; of others it hears only if they are called the same. The caller's own, left alone
 * until changes_unlook but for appended. Each that is open and saw no change may cost every change a comparison: for a few. */
struct changes_eye {
	uint64_t id;
	bool changed;  /* that is all it saw then */
	bool appended; /* something was put behind what the key holds, which stayed */
	struct changes_eye *prev, *next;
};

void changes_look(struct changes *c, struct changes_eye *e, unsigned db, uint64_t key_hash);
void changes_unlook(struct changes *c, struct changes_eye *e);
/* What is marked from now on, until the same with false, was appended to. @c may be NULL. */
void changes_appends(struct changes *c, bool on);

/* --- keys that somebody keeps a copy of --- */

/* What is waited for. A name changes with the key's being there, its type and the time at which it goes; the value with anything. */
enum changes_part { CHANGES_VALUE, CHANGES_NAME, CHANGES_PARTS };

/* What changed since it was last told: groups of keys, each once. */
struct change_notes {
	struct {
		const uint32_t *groups;
		size_t n;
	} part[CHANGES_PARTS];
	bool all;   /* any key may have changed */
	bool any;   /* some key did, and changes_hold_any() had asked */
	bool blunt; /* the keyspace must be left alone: a command is running */
};

/* One that keeps copies: the caller's own, filled in by him, left alone while it watches. */
struct changes_watcher {
	void (*tell)(void *arg, const struct change_notes *n);
	/* Whether it still waits for changes of the group. */
	bool (*holds)(void *arg, uint32_t group, enum changes_part part);
	void *arg;
	struct changes_watcher *next;
};

void changes_watch(struct changes *c, struct changes_watcher *w);
void changes_unwatch(struct changes *c, struct changes_watcher *w);

/* Tell all watchers of the next change of this group. */
void changes_hold(struct changes *c, uint32_t group, enum changes_part part);
/* One that asked no longer waits: nobody is told if no other watcher does. Need not be called; who waits for nothing is told for nothing, once. */
void changes_release(struct changes *c, uint32_t group, enum changes_part part);
/* Tell of the next change, of whatever key. */
void changes_hold_any(struct changes *c);

/* No key changed, but what was given of any may not be relied on: rights did. */
void changes_withdraw(struct changes *c);

/* A key appeared, went, became one of another type, or is to go at another time: keyspace_hooks.named. */
void changes_named(struct changes *c, unsigned db, uint64_t key_hash);

/* Tell what was noted. To be called before replies leave; @blunt inside a command. */
void changes_settle(struct changes *c, bool blunt);

#endif
