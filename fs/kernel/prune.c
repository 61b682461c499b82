#include "fs/kernel/prune.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stddef.h>
#include <unistd.h>

#include "fs/fs.h"
#include "fs/ops/ops.h"

/* FUSE_NOTIFY_PRUNE, which the headers of 2022 do not have. */
#define NOTIFY_PRUNE 9

/* Not for each name that comes: a message costs more than what it says. */
#define PRUNE_FROM 64
/* For each that came: more than one, so that what was too many at once becomes less. */
#define PRUNE_TIMES 2
/* In one turn, which takes a millisecond or two. */
#define PRUNE_MAX 1024
/* Inodes looked at for each that is asked back. */
#define PRUNE_LOOKS 4

struct notify_prune {
	struct fuse_out_header head;
	uint32_t count, padding;
	uint64_t spare;
	uint64_t ids[PRUNE_MAX]; /* those that there are */
};

/* Whether it is for the kernel alone that it is here. One that is open may have pages, and the kernel would wait for those. */
static bool may_go(const struct inode *i)
{
	return i->nlookup && !i->refs && !place_is_fixed(&i->place);
}

/* Up to @n of those that have been known longest: new ones take the slots of those that went, behind the hand. */
static uint32_t choose(struct mount *m, uint64_t *ids, size_t n)
{
	struct cache *c = &m->inodes.cache;
	size_t looks = PRUNE_LOOKS * n;
	uint32_t count = 0;

	while (count < n && looks--) {
		const struct inode *i = inode_next(&m->inodes, &c->prune_at);
		if (!i)
			c->prune_at = 0;
		else if (may_go(i))
			ids[count++] = i->id;
	}
	return count;
}

static void send(struct mount *m, size_t n)
{
	struct notify_prune p;
	uint32_t count = choose(m, p.ids, n);

	if (!count)
		return;
	size_t size = offsetof(struct notify_prune, ids) + count * sizeof(*p.ids);
	p.head = (struct fuse_out_header){.len = (uint32_t)size, .error = NOTIFY_PRUNE};
	p.count = count;
	p.padding = 0;
	p.spare = 0;
	if (write(fuse_session_fd(m->session), &p, size) >= 0)
		m->inodes.cache.pruned += count;
	else if (errno == EINVAL)
		m->inodes.cache.prunes = false;
}

void prune_turn(struct mount *m)
{
	struct cache *c = &m->inodes.cache;
	size_t known = m->inodes.by_id.count;
	uint64_t came = m->inodes.by_id.taken - c->prune_taken;

	if (came < PRUNE_FROM)
		return;
	c->prune_taken += came;
	if (known <= CACHE_NAMES || !c->prunes)
		return;
	size_t n = known - CACHE_NAMES;
	if (n > PRUNE_TIMES * came)
		n = PRUNE_TIMES * came;
	send(m, n < PRUNE_MAX ? n : PRUNE_MAX);
}
