#include "resp/changes.h"

#include "store/base/mem.h"

#define CHANGES_GROUPS 4096

struct changes {
	uint64_t serial;
	struct change_stamp latest;
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
	mem_free(c);
}

static unsigned group_of(unsigned db, uint64_t key_hash)
{
	return (unsigned)((key_hash >> 20) + db * 257u) % CHANGES_GROUPS;
}

void changes_mark(struct changes *c, unsigned db, uint64_t key_hash, int64_t now_ms)
{
	c->latest = (struct change_stamp){++c->serial, now_ms};
	c->groups[group_of(db, key_hash)] = c->latest;
}

void changes_mark_all(struct changes *c, int64_t now_ms)
{
	c->latest = (struct change_stamp){++c->serial, now_ms};
	for (unsigned i = 0; i < CHANGES_GROUPS; i++)
		c->groups[i] = c->latest;
}

struct change_stamp changes_get(const struct changes *c, unsigned db, uint64_t key_hash)
{
	return c->groups[group_of(db, key_hash)];
}

struct change_stamp changes_latest(const struct changes *c)
{
	return c->latest;
}
