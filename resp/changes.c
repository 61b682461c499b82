#include "resp/changes.h"

#include <string.h>

#include "store/base/mem.h"

#define CHANGES_GROUPS 4096

/* A bit for some keys each: with 100,000 held, nine of ten others are told from them by it alone. */
#define FILTER_BITS  (1u << 20)
#define FILTER_SHIFT 44
/* More changes than that in one turn are all of them. */
#define NOTES_MAX 4096

struct changes {
	uint64_t serial;
	struct change_stamp latest;
	bool watched; /* something is held: changes may have to be noted */
	bool held, any;
	bool noted, all_noted, any_noted;
	size_t nnotes;
	void (*tell)(void *arg, const struct change_notes *n);
	void *arg;
	uint64_t *filter, *notes, *told; /* with a tell; told is being told */
	struct change_stamp groups[CHANGES_GROUPS];
};

struct changes *changes_new(int64_t now_ms)
{
	struct changes *c = mem_calloc(sizeof(*c));
	c->latest.time_ms = now_ms;
	for (unsigned i = 0; i < CHANGES_GROUPS; i++)
		c->groups[i].time_ms = now_ms;
	return c;
}

void changes_free(struct changes *c)
{
	if (c)
		changes_watch(c, NULL, NULL);
	mem_free(c);
}

static unsigned group_of(unsigned db, uint64_t key_hash)
{
	return (unsigned)((key_hash >> 20) + db * 257u) % CHANGES_GROUPS;
}

static void note(struct changes *c, uint64_t id)
{
	if (c->any) {
		c->any = false;
		c->any_noted = c->noted = true;
	}
	if (c->held && c->filter[id >> (FILTER_SHIFT + 6)] & UINT64_C(1)
								     << (id >> FILTER_SHIFT & 63)) {
		c->noted = true;
		if (c->nnotes < NOTES_MAX)
			c->notes[c->nnotes++] = id;
		else
			c->all_noted = true;
	}
	c->watched = c->held || c->any;
}

static void note_all(struct changes *c)
{
	c->any_noted |= c->any;
	c->any = false;
	c->all_noted = c->noted = true;
}

void changes_mark(struct changes *c, unsigned db, uint64_t key_hash, int64_t now_ms)
{
	c->latest = (struct change_stamp){++c->serial, now_ms};
	c->groups[group_of(db, key_hash)] = c->latest;
	if (c->watched)
		note(c, changes_id(db, key_hash));
}

void changes_mark_all(struct changes *c, int64_t now_ms)
{
	c->latest = (struct change_stamp){++c->serial, now_ms};
	for (unsigned i = 0; i < CHANGES_GROUPS; i++)
		c->groups[i] = c->latest;
	if (c->watched)
		note_all(c);
}

struct change_stamp changes_get(const struct changes *c, unsigned db, uint64_t key_hash)
{
	return c->groups[group_of(db, key_hash)];
}

struct change_stamp changes_latest(const struct changes *c)
{
	return c->latest;
}

/* --- keys that somebody keeps a copy of --- */

bool changes_watch(struct changes *c, void (*fn)(void *arg, const struct change_notes *n),
		   void *arg)
{
	if (fn && c->tell)
		return false;
	if (fn) {
		c->filter = mem_calloc(FILTER_BITS / 8);
		c->notes = mem_alloc(NOTES_MAX * sizeof(*c->notes));
		c->told = mem_alloc(NOTES_MAX * sizeof(*c->told));
	} else if (c->tell) {
		mem_free(c->filter);
		mem_free(c->notes);
		mem_free(c->told);
	}
	c->tell = fn;
	c->arg = arg;
	c->watched = c->held = c->any = c->noted = c->all_noted = c->any_noted = false;
	c->nnotes = 0;
	return true;
}

void changes_hold(struct changes *c, uint64_t id)
{
	c->filter[id >> (FILTER_SHIFT + 6)] |= UINT64_C(1) << (id >> FILTER_SHIFT & 63);
	c->held = c->watched = true;
}

void changes_hold_any(struct changes *c)
{
	c->any = c->watched = true;
}

void changes_hold_none(struct changes *c)
{
	if (c->held)
		memset(c->filter, 0, FILTER_BITS / 8);
	c->held = false;
	c->watched = c->any;
}

void changes_settle(struct changes *c, bool blunt)
{
	while (c->noted) { /* looking at a key may remove it, if its time is over */
		struct change_notes n = {.ids = c->notes,
					 .n = c->nnotes,
					 .all = c->all_noted,
					 .any = c->any_noted,
					 .blunt = blunt};
		c->notes = c->told;
		c->told = (uint64_t *)(uintptr_t)n.ids;
		c->nnotes = 0;
		c->noted = c->all_noted = c->any_noted = false;
		c->tell(c->arg, &n);
	}
}
