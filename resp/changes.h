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

struct changes *changes_new(int64_t now_ms);
void changes_free(struct changes *c);
void changes_mark(struct changes *c, unsigned db, uint64_t key_hash, int64_t now_ms);
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
 * until changes_unlook. Each that is open costs every change a comparison: for a few. */
struct changes_eye {
	uint64_t id;
	bool changed;
	struct changes_eye *prev, *next;
};

void changes_look(struct changes *c, struct changes_eye *e, unsigned db, uint64_t key_hash);
void changes_unlook(struct changes *c, struct changes_eye *e);

/* --- keys that somebody keeps a copy of --- */

/* With 100,000 held, nine of ten others are told from them by their group alone. */
#define CHANGES_BITS 20

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

/* How a key is called; the group of what is called so. */
static inline uint64_t changes_id(unsigned db, uint64_t key_hash)
{
	return key_hash + db * UINT64_C(0x9e3779b97f4a7c15);
}

static inline uint32_t changes_group(uint64_t id)
{
	return (uint32_t)(id >> (64 - CHANGES_BITS));
}

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
