#include "resp/changes.h"

#include <string.h>
#include <utlist.h>

#include "resp/times.h"
#include "store/base/mem.h"

#define FILTER_WORDS ((1u << CHANGES_BITS) / 64)
/* More groups than that in one turn are all of them. */
#define NOTES_MAX 8192

/* One part of what is waited for, and what changed of it. */
struct waited {
	uint64_t *filter; /* a bit for each group */
	size_t bits;      /* that are set */
	uint32_t *notes, *told;
	size_t n;
};

struct changes {
	struct changes_front
		front; /* first; watched: for a change of a value, or of a key in times */
	bool any;      /* of any key */
	struct changes_eye *eyes; /* those that saw no change */
	uint64_t eyes_bits
		[16]; /* one for each eye's id, by its top bits: most changes are none that any sees */
	bool appends;
	bool noted, all_noted, any_noted;
	struct changes_watcher *watchers;
	struct waited parts[CHANGES_PARTS]; /* with a watcher */
	struct times times;
};

struct changes *changes_new(int64_t now_ms)
{
	struct changes *c = mem_calloc(sizeof(*c));
	c->front.latest.time_ms = now_ms;
	for (unsigned i = 0; i < CHANGES_STAMPS; i++)
		c->front.groups[i].time_ms = now_ms;
	return c;
}

void changes_free(struct changes *c)
{
	while (c && c->watchers)
		changes_unwatch(c, c->watchers);
	if (c)
		times_clear(&c->times);
	mem_free(c);
}

static bool waits(const struct waited *w, uint32_t group)
{
	return w->filter[group / 64] >> (group % 64) & 1;
}

static void clear(struct waited *w, uint32_t group)
{
	w->filter[group / 64] &= ~(UINT64_C(1) << (group % 64));
	w->bits--;
}

/* Once: whoever goes on waiting asks again when he was told. */
static void note_group(struct changes *c, struct waited *w, uint32_t group)
{
	c->noted = true;
	if (w->n == NOTES_MAX) {
		c->all_noted = true;
		return;
	}
	w->notes[w->n++] = group;
	clear(w, group);
}

static uint64_t *eye_word(struct changes *c, uint64_t id)
{
	return &c->eyes_bits[id >> 60];
}

static uint64_t eye_bit(uint64_t id)
{
	return UINT64_C(1) << (id >> 54 & 63);
}

static void see_change(struct changes *c, struct changes_eye *e)
{
	e->changed = true;
	DL_DELETE(c->eyes, e);
}

static void see(struct changes *c, uint64_t id)
{
	struct changes_eye *e, *next;

	if (!(*eye_word(c, id) & eye_bit(id)))
		return;
	DL_FOREACH_SAFE(c->eyes, e, next)
	{
		if (e->id == id && c->appends)
			e->appended = true;
		else if (e->id == id)
			see_change(c, e);
	}
}

static void see_all(struct changes *c)
{
	while (c->eyes)
		see_change(c, c->eyes);
}

/* Somebody waits for it, or may. Kept out of the way of those that nobody waits for. */
__attribute__((noinline)) static void note_waited(struct changes *c, uint64_t id)
{
	struct waited *w = &c->parts[CHANGES_VALUE];

	if (c->eyes)
		see(c, id);
	if (c->times.n)
		times_drop(&c->times, id);
	if (c->any) {
		c->any = false;
		c->any_noted = c->noted = true;
	}
	if (w->bits && waits(w, changes_group(id)))
		note_group(c, w, changes_group(id));
	c->front.watched = w->bits || c->times.n || c->eyes;
}

void changes_noted(struct changes *c, uint64_t id)
{
	const struct waited *w = &c->parts[CHANGES_VALUE];

	if (c->any || c->eyes || c->times.n || !w->bits || waits(w, changes_group(id)))
		note_waited(c, id);
}

static void note_all(struct changes *c)
{
	c->any_noted |= c->any;
	c->any = false;
	c->all_noted = c->noted = true;
	c->front.watched = c->parts[CHANGES_VALUE].bits > 0 || c->eyes;
}

void changes_mark_all(struct changes *c, int64_t now_ms)
{
	c->front.latest = (struct change_stamp){c->front.latest.serial + 1, now_ms};
	for (unsigned i = 0; i < CHANGES_STAMPS; i++)
		c->front.groups[i] = c->front.latest;
	times_clear(&c->times);
	see_all(c);
	if (c->watchers)
		note_all(c);
}

struct change_stamp changes_get(const struct changes *c, unsigned db, uint64_t key_hash)
{
	return c->front.groups[changes_stamp_at(changes_id(db, key_hash))];
}

void changes_set_time(struct changes *c, unsigned db, uint64_t key_hash, int64_t time_ns)
{
	uint64_t id = changes_id(db, key_hash);

	if (c->front.watched)
		changes_noted(c, id);
	c->front.watched |= times_put(&c->times, id, time_ns);
}

bool changes_get_time(const struct changes *c, unsigned db, uint64_t key_hash, int64_t *time_ns)
{
	return times_get(&c->times, changes_id(db, key_hash), time_ns);
}

struct change_stamp changes_latest(const struct changes *c)
{
	return c->front.latest;
}

/* --- keys that somebody reads over several turns --- */

void changes_look(struct changes *c, struct changes_eye *e, unsigned db, uint64_t key_hash)
{
	*e = (struct changes_eye){.id = changes_id(db, key_hash)};
	DL_APPEND(c->eyes, e);
	*eye_word(c, e->id) |= eye_bit(e->id);
	c->front.watched = true;
}

void changes_unlook(struct changes *c, struct changes_eye *e)
{
	const struct changes_eye *o;

	if (!e->changed)
		DL_DELETE(c->eyes, e); /* the next change finds out that nobody looks */
	memset(c->eyes_bits, 0, sizeof(c->eyes_bits));
	DL_FOREACH(c->eyes, o)
	{
		*eye_word(c, o->id) |= eye_bit(o->id);
	}
}

void changes_appends(struct changes *c, bool on)
{
	if (c)
		c->appends = on;
}

/* --- keys that somebody keeps a copy of --- */

static void waited_init(struct waited *w)
{
	*w = (struct waited){
		.filter = mem_calloc(FILTER_WORDS * sizeof(*w->filter)),
		.notes = mem_alloc(NOTES_MAX * sizeof(*w->notes)),
		.told = mem_alloc(NOTES_MAX * sizeof(*w->told)),
	};
}

static void waited_fini(struct waited *w)
{
	mem_free(w->filter);
	mem_free(w->notes);
	mem_free(w->told);
	*w = (struct waited){0};
}

void changes_watch(struct changes *c, struct changes_watcher *w)
{
	for (int i = 0; i < CHANGES_PARTS && !c->watchers; i++)
		waited_init(&c->parts[i]);
	w->next = c->watchers;
	c->watchers = w;
}

void changes_unwatch(struct changes *c, struct changes_watcher *w)
{
	struct changes_watcher **at = &c->watchers;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (c->watchers)
		return;
	for (int i = 0; i < CHANGES_PARTS; i++)
		waited_fini(&c->parts[i]);
	c->any = c->noted = c->all_noted = c->any_noted = false;
	c->front.watched = c->times.n || c->eyes;
}

void changes_hold(struct changes *c, uint32_t group, enum changes_part part)
{
	struct waited *w = &c->parts[part];

	if (waits(w, group))
		return;
	w->filter[group / 64] |= UINT64_C(1) << (group % 64);
	w->bits++;
	c->front.watched |= part == CHANGES_VALUE;
}

void changes_release(struct changes *c, uint32_t group, enum changes_part part)
{
	struct waited *w = &c->parts[part];

	if (!waits(w, group))
		return;
	for (const struct changes_watcher *o = c->watchers; o; o = o->next)
		if (o->holds(o->arg, group, part))
			return;
	clear(w, group);
}

void changes_hold_any(struct changes *c)
{
	c->any = c->front.watched = true;
}

void changes_withdraw(struct changes *c)
{
	if (c && c->watchers)
		note_all(c);
}

void changes_named(struct changes *c, unsigned db, uint64_t key_hash)
{
	struct waited *w = &c->parts[CHANGES_NAME];
	uint32_t group = changes_group(changes_id(db, key_hash));

	if (w->bits && waits(w, group))
		note_group(c, w, group);
}

void changes_settle(struct changes *c, bool blunt)
{
	while (c->noted) { /* looking at a key may remove it, if its time is over */
		struct change_notes n = {.all = c->all_noted, .any = c->any_noted, .blunt = blunt};
		for (int i = 0; i < CHANGES_PARTS; i++) {
			struct waited *w = &c->parts[i];
			n.part[i].groups = w->notes;
			n.part[i].n = w->n;
			w->notes = w->told;
			w->told = (uint32_t *)(uintptr_t)n.part[i].groups;
			w->n = 0;
		}
		c->noted = c->all_noted = c->any_noted = false;
		for (struct changes_watcher *w = c->watchers, *next; w; w = next) {
			next = w->next;
			w->tell(w->arg, &n);
		}
	}
}
