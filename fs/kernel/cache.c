#include "fs/kernel/cache.h"

#include <errno.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fs/fs.h"
#include "fs/kernel/prune.h"
#include "fs/kinds/kinds.h"
#include "fs/ops/ops.h"
#include "resp/changes.h"
#include "store/base/mem.h"

/* The kernel counts in ticks, rounded up, and its clock is not ours. */
#define SLACK_MS 20

/* FUSE_NOTIFY_INC_EPOCH, which the headers of 2022 do not have. */
#define NOTIFY_INC_EPOCH 8

struct notify_header {
	uint32_t len;
	int32_t code;
	uint64_t unique;
};

/* Looks at keys that one telling is worth; with more to look at a new epoch is cheaper. */
#define LOOKS 256

/* --- the table of held inodes --- */

static struct inode **head_of(const struct cache *c, uint32_t group)
{
	return &c->heads[group >> c->heads_shift];
}

static void insert(struct cache *c, struct inode *i)
{
	struct inode **head = head_of(c, i->held_group);

	i->held_next = *head;
	if (*head)
		(*head)->held_at = &i->held_next;
	i->held_at = head;
	*head = i;
}

#define HEADS_BITS 8 /* and up to CHANGES_BITS: a group is in one chain */

static size_t heads_count(const struct cache *c)
{
	return (size_t)1 << (CHANGES_BITS - c->heads_shift);
}

static void grow(struct cache *c)
{
	struct inode **old = c->heads;
	size_t n = old ? heads_count(c) : 0;

	c->heads_shift = old ? c->heads_shift - 1 : CHANGES_BITS - HEADS_BITS;
	c->heads = mem_calloc(heads_count(c) * sizeof(struct inode *));
	for (size_t k = 0; k < n; k++) {
		for (struct inode *i = old[k], *next; i; i = next) {
			next = i->held_next;
			insert(c, i);
		}
	}
	mem_free(old);
}

static void unchain(struct inode *i)
{
	*i->held_at = i->held_next;
	if (i->held_next)
		i->held_next->held_at = i->held_at;
	i->held_at = NULL;
	i->held_next = NULL;
}

static bool name_held(const struct cache *c, const struct inode *i)
{
	return i->name_epoch == c->epoch;
}

void cache_drop(struct inodes *t, struct inode *i)
{
	struct cache *c = &t->cache;

	i->watched = false;
	if (!i->held_at)
		return;
	unchain(i);
	if (place_is_fixed(&i->place))
		return;
	c->linked--;
	if (name_held(c, i))
		c->names--;
}

void cache_forget(struct inodes *t, struct inode *i)
{
	if (!i->watched)
		cache_drop(t, i);
	else if (name_held(&t->cache, i))
		t->cache.names--;
	i->name_epoch = 0;
	i->attr_held = i->attr_late = false;
}

static bool value_held(const struct cache *c, const struct inode *i)
{
	return i->attr_held || i->watched || (i->place.has_member && name_held(c, i));
}

/* What is to be told of @i's key. */
static void wait_for(struct mount *m, const struct inode *i)
{
	const struct cache *c = &m->inodes.cache;
	uint32_t group = i->held_group;

	if (name_held(c, i))
		m->backend->ops->hold(m->backend, group, CHANGES_NAME);
	if (value_held(c, i))
		m->backend->ops->hold(m->backend, group, CHANGES_VALUE);
}

static void link_key(struct mount *m, struct inode *i)
{
	struct cache *c = &m->inodes.cache;

	if (i->held_at)
		return;
	if (!c->heads || (c->linked >= heads_count(c) && c->heads_shift > 0))
		grow(c);
	i->held_group =
		changes_group(m->backend->ops->key_id(m->backend, i->place.db, i->place.key));
	c->linked++;
	insert(c, i);
	if (name_held(c, i))
		c->names++;
}

/* The tree's directories change with every key. */
static void hold_tree(struct mount *m, struct inode *i)
{
	struct cache *c = &m->inodes.cache;

	m->backend->ops->hold_any(m->backend);
	if (i->held_at)
		return;
	i->held_next = c->tree;
	if (c->tree)
		c->tree->held_at = &i->held_next;
	i->held_at = &c->tree;
	c->tree = i;
}

/* --- names that are not there --- */

/* A key's id, other for its members than for itself: a new value makes members only. */
static uint64_t missing_id(uint64_t id, bool member)
{
	return (id & ~UINT64_C(3)) | 2 | member;
}

static size_t missing_begin(uint32_t group)
{
	return group & (CACHE_MISSING - 1);
}

static void missing_put(struct cache *c, uint64_t id)
{
	size_t at = missing_begin(changes_group(id));

	for (; c->missing[at]; at = (at + 1) & (CACHE_MISSING - 1))
		if (c->missing[at] == id)
			return;
	c->missing[at] = id;
	c->nmissing++;
}

static bool missing_any(const struct cache *c, uint32_t group, enum changes_part part)
{
	size_t at = missing_begin(group);

	if (!c->nmissing)
		return false;
	for (; c->missing[at]; at = (at + 1) & (CACHE_MISSING - 1))
		if (changes_group(c->missing[at]) == group &&
		    (part == CHANGES_NAME || c->missing[at] & 1))
			return true;
	return false;
}

/* --- telling the kernel --- */

static void new_epoch(struct mount *m)
{
	struct cache *c = &m->inodes.cache;
	struct notify_header h = {sizeof(h), NOTIFY_INC_EPOCH, 0};

	if (write(fuse_session_fd(m->session), &h, sizeof(h)) < 0)
		return;                             /* unmounted: there is nobody to be told */
	c->epoch += c->epoch == UINT32_MAX ? 2 : 1; /* 0 is none */
	c->epochs++;
	if (c->nmissing)
		memset(c->missing, 0, CACHE_MISSING * sizeof(*c->missing));
	c->nmissing = 0;
	c->names = 0;
}

/* False when the kernel has no such inode: it has forgotten it, or has not yet read the answer that makes it. */
static bool send_inval(struct mount *m, const struct inode *i)
{
	const struct {
		struct notify_header head;
		struct fuse_notify_inval_inode_out out;
	} n = {{sizeof(n), FUSE_NOTIFY_INVAL_INODE, 0}, {.ino = i->id, .off = -1}};

	return write(fuse_session_fd(m->session), &n, sizeof(n)) >= 0 || errno != ENOENT;
}

static bool take_attr(struct mount *m, struct inode *i)
{
	struct cache *c = &m->inodes.cache;

	if (!i->attr_held)
		return true;
	i->attr_held = false;
	c->attrs_taken++;
	if (send_inval(m, i))
		return true;
	i->attr_late = true;
	c->late[c->nlate < CACHE_LATE ? c->nlate++ : i->id % CACHE_LATE] = i->id;
	return false;
}

void cache_take(struct mount *m, struct inode *i)
{
	if (m->inodes.cache.watching && !take_attr(m, i))
		new_epoch(m);
}

void cache_watch(struct mount *m, struct inode *i)
{
	link_key(m, i);
	i->watched = true;
	wait_for(m, i);
}

void cache_late(struct mount *m, struct inode *i)
{
	if (i->attr_late && send_inval(m, i))
		i->attr_late = false;
}

void cache_turn(struct mount *m)
{
	struct cache *c = &m->inodes.cache;
	unsigned left = 0;

	for (unsigned k = 0; k < c->nlate; k++) {
		struct inode *i = inode_by_id(&m->inodes, c->late[k]);
		if (i)
			cache_late(m, i);
		if (i && i->attr_late)
			c->late[left++] = c->late[k];
	}
	c->nlate = left;
	prune_turn(m);
}

/* --- changes --- */

/* Whether the kernel may go on with the name of @i. */
static bool stands(struct mount *m, const struct inode *i)
{
	const struct backend_name n = {
		.db = i->place.db,
		.has_member = i->place.has_member,
		.type = i->place.kind->type,
		.key = i->place.key,
		.member = i->place.member,
	};

	return m->backend->ops->stands(m->backend, &n) >= i->name_ends;
}

/* What is being told, and what came of it. */
struct telling {
	struct mount *m;
	unsigned looks; /* left */
	bool stale;     /* the kernel has a name that is not so */
};

static void inode_changed(struct telling *t, struct inode *i, enum changes_part part)
{
	struct cache *c = &t->m->inodes.cache;

	if (i->watched && editions_keep(&t->m->inodes, i)) {
		t->stale = t->stale || name_held(c, i);
		return;
	}
	if (!take_attr(t->m, i))
		t->stale = true;
	if (t->stale || !name_held(c, i) || i->own ||
	    (part == CHANGES_VALUE && !i->place.has_member))
		return;
	if (!t->looks || !stands(t->m, i))
		t->stale = true;
	else
		t->looks--;
}

static void group_changed(struct telling *t, uint32_t group, enum changes_part part)
{
	struct cache *c = &t->m->inodes.cache;

	t->stale = t->stale || missing_any(c, group, part);
	if (!c->heads)
		return;
	for (struct inode *i = *head_of(c, group); i; i = i->held_next)
		if (i->held_group == group)
			inode_changed(t, i, part);
}

/* What is still held goes on being waited for. */
static void group_go_on(struct mount *m, uint32_t group)
{
	struct cache *c = &m->inodes.cache;
	struct inode *i, *next;

	if (!c->heads)
		return;
	for (i = *head_of(c, group); i; i = next) {
		next = i->held_next;
		if (i->held_group != group)
			continue;
		if (name_held(c, i) || value_held(c, i))
			wait_for(m, i);
		else
			cache_drop(&m->inodes, i);
	}
}

static bool holds(void *arg, uint32_t group, enum changes_part part)
{
	const struct mount *m = arg;
	const struct cache *c = &m->inodes.cache;

	if (missing_any(c, group, part))
		return true;
	const struct inode *i = c->heads ? *head_of(c, group) : NULL;
	for (; i; i = i->held_next)
		if (i->held_group == group &&
		    (part == CHANGES_VALUE ? value_held(c, i) : name_held(c, i)))
			return true;
	return false;
}

#define AHEAD 8

/* The chain of the group that comes @AHEAD later, then the first inode of one that is nearer. */
static void prefetch(const struct cache *c, const uint32_t *groups, size_t n, size_t k)
{
	if (!c->heads)
		return;
	if (k + AHEAD < n)
		__builtin_prefetch(head_of(c, groups[k + AHEAD]));
	if (k + AHEAD / 2 < n)
		__builtin_prefetch(*head_of(c, groups[k + AHEAD / 2]));
}

static void groups_changed(struct mount *m, const struct change_notes *n)
{
	struct telling t = {.m = m, .looks = n->blunt ? 0 : LOOKS};

	for (int part = 0; part < CHANGES_PARTS; part++) {
		for (size_t k = 0; k < n->part[part].n; k++) {
			prefetch(&m->inodes.cache, n->part[part].groups, n->part[part].n, k);
			group_changed(&t, n->part[part].groups[k], (enum changes_part)part);
		}
	}
	if (t.stale)
		new_epoch(m);
	for (int part = 0; part < CHANGES_PARTS; part++)
		for (size_t k = 0; k < n->part[part].n; k++)
			group_go_on(m, n->part[part].groups[k]);
}

static void all_changed(struct mount *m)
{
	struct cache *c = &m->inodes.cache;

	for (unsigned k = 0; k < CACHE_ATTRS; k++) {
		struct inode *i = c->attrs[k] ? inode_by_id(&m->inodes, c->attrs[k]) : NULL;
		if (i)
			take_attr(m, i);
	}
	memset(c->attrs, 0, CACHE_ATTRS * sizeof(*c->attrs));
	editions_all_changed(m);
	new_epoch(m);
}

static void tree_changed(struct mount *m)
{
	struct cache *c = &m->inodes.cache;

	while (c->tree) {
		struct inode *i = c->tree;
		unchain(i);
		take_attr(m, i);
	}
}

static void changed(void *arg, const struct change_notes *n)
{
	struct mount *m = arg;

	if (n->any)
		tree_changed(m);
	if (n->all)
		all_changed(m);
	else
		groups_changed(m, n);
}

/* --- giving away --- */

void cache_start(struct mount *m)
{
	struct cache *c = &m->inodes.cache;

	if (!c->on || c->watching || m->options.nocache || !m->backend->ops->watch)
		return;
	m->backend->ops->watch(
		m->backend, &(struct changes_watcher){.tell = changed, .holds = holds, .arg = m});
	c->epoch = 1;
	c->attrs = mem_calloc(CACHE_ATTRS * sizeof(*c->attrs));
	c->missing = mem_calloc(CACHE_MISSING * sizeof(*c->missing));
	c->watching = true;
}

void cache_stop(struct mount *m)
{
	struct cache *c = &m->inodes.cache;

	if (c->watching)
		m->backend->ops->watch(m->backend, NULL);
	c->watching = c->prunes = false;
	c->nlate = 0;
}

void cache_fini(struct cache *c)
{
	mem_free(c->heads);
	mem_free(c->attrs);
	mem_free(c->missing);
}

/* Whether it is a key's name, of which nothing is to know but what the key holds. */
static bool is_of_key(const struct inode *i)
{
	const struct place *p = &i->place;

	return (p->node == NODE_ENTRY || p->node == NODE_MEMBER) && !p->kind->keyless &&
	       !p->kind->tap && i->listed && !i->scratch && !i->writers && !i->creating &&
	       !i->empty_dir;
}

/* Seconds for which the key of @t stays as it was found, if nobody changes it; then it goes at @ends. An answer that had to wait for
 * the disk may be old. */
static double lifetime(struct task *t, const struct place *p, int64_t *ends)
{
	struct backend_facts f = {0};

	t->m->backend->ops->facts(t->m->backend, p->db, p->key, &f);
	*ends = f.ends_ms;
	if (!f.stamped || f.serial > t->asked)
		return 0;
	if (f.ends_ms == BACKEND_NEVER)
		return CACHE_YEAR;
	return f.left_ms > SLACK_MS ? (double)(f.left_ms - SLACK_MS) / 1000 : 0;
}

/* Seconds that anything of t->inode may be kept, until @ends. */
static double keep(struct task *t, int64_t *ends)
{
	struct inode *i = t->inode;

	if (!t->m->inodes.cache.watching || !is_of_key(i))
		return 0;
	return lifetime(t, &i->place, ends);
}

/* Those that are asked back may be in use. */
static size_t names_max(const struct cache *c)
{
	return c->prunes ? 2 * CACHE_NAMES : CACHE_NAMES;
}

static void give_name(struct mount *m, struct inode *i, int64_t ends)
{
	struct cache *c = &m->inodes.cache;

	if (c->names >= names_max(c) && !name_held(c, i))
		new_epoch(m);
	link_key(m, i);
	if (!name_held(c, i))
		c->names++;
	i->name_epoch = c->epoch;
	i->name_ends = ends;
}

/* The place of the oldest is taken, unless it has one. */
static void give_attr(struct mount *m, struct inode *i)
{
	struct cache *c = &m->inodes.cache;

	link_key(m, i);
	i->attr_held = true;
	if (c->attrs[i->attr_at] == i->id)
		return;
	struct inode *old =
		c->attrs[c->attrs_next] ? inode_by_id(&m->inodes, c->attrs[c->attrs_next]) : NULL;
	if (old && old->attr_held) {
		take_attr(m, old);
		if (old->held_at && !old->watched)
			m->backend->ops->release(m->backend, old->held_group, CHANGES_VALUE);
	}
	i->attr_at = (uint16_t)c->attrs_next;
	c->attrs[i->attr_at] = i->id;
	c->attrs_next = (c->attrs_next + 1) % CACHE_ATTRS;
}

/* Seconds left go by without a change. */
static bool attr_is_kept(const struct inode *i)
{
	return i->place.node != NODE_CTL && i->place.kind->entry != &ttl_ops;
}

static double keep_tree(struct task *t)
{
	struct inode *i = t->inode;

	if (!t->m->inodes.cache.watching || i->place.node == NODE_CTL ||
	    t->m->backend->ops->latest_serial(t->m->backend) != t->asked)
		return 0;
	hold_tree(t->m, i);
	i->attr_held = true;
	return CACHE_YEAR;
}

void cache_entry(struct task *t, double *name, double *attr)
{
	struct inode *i = t->inode;

	if (place_is_fixed(&i->place)) { /* a name of the tree never goes */
		*name = CACHE_YEAR;
		*attr = keep_tree(t);
		return;
	}
	int64_t ends;
	*name = keep(t, &ends);
	*attr = *name > 0 && attr_is_kept(i) ? *name : 0;
	if (*name <= 0)
		return;
	struct inode *edition = editions_current(i);
	if (edition) {
		task_answers_as(t, edition);
		i = edition;
		*attr = CACHE_YEAR;
	} else if (*attr > 0) {
		give_attr(t->m, i);
	}
	give_name(t->m, i, ends);
	wait_for(t->m, i);
}

bool cache_may_keep(struct task *t)
{
	int64_t ends;

	return keep(t, &ends) > 0;
}

double cache_attr(struct task *t)
{
	struct inode *i = t->inode;
	int64_t ends;

	if (place_is_fixed(&i->place))
		return keep_tree(t);
	double seconds = attr_is_kept(i) || !is_of_key(i) ? keep(t, &ends) : 0;
	if (seconds > 0) {
		give_attr(t->m, task_as(t));
		wait_for(t->m, task_as(t));
	}
	return seconds;
}

double cache_missing(struct task *t)
{
	const struct place *p = &t->inode->place;
	struct cache *c = &t->m->inodes.cache;
	const struct backend_ops *ops = t->m->backend->ops;
	int64_t ends;

	if (!c->watching || !is_of_key(t->inode))
		return 0;
	uint64_t ino = inode_ino(t->inode), *slot = &c->missed[ino % CACHE_MISSED];
	if (*slot != ino) {
		*slot = ino;
		return 0;
	}
	if (lifetime(t, p, &ends) < CACHE_YEAR)
		return 0;
	if (c->nmissing >= CACHE_MISSING / 2)
		new_epoch(t->m);
	uint64_t id = ops->key_id(t->m->backend, p->db, p->key);
	missing_put(c, missing_id(id, p->has_member));
	ops->hold(t->m->backend, changes_group(id), CHANGES_NAME);
	if (p->has_member)
		ops->hold(t->m->backend, changes_group(id), CHANGES_VALUE);
	return CACHE_YEAR;
}

/* --- the kernel's own changes --- */

void cache_own_end(struct mount *m, struct inode *i, int err)
{
	i->own = false;
	if (err && m->inodes.cache.watching && name_held(&m->inodes.cache, i))
		new_epoch(m);
}

void cache_move_below(struct mount *m, const struct place *from)
{
	struct inode *i;
	uint32_t at = 0;

	if (!m->inodes.cache.watching)
		return;
	while ((i = inode_next(&m->inodes, &at)))
		if (i->place.has_member && i->place.db == from->db &&
		    bytes_eq(i->place.key, from->key))
			take_attr(m, i);
	new_epoch(m);
}

void cache_move(struct mount *m, struct inode *i, const struct place *to)
{
	struct cache *c = &m->inodes.cache;
	bool same_key = bytes_eq(i->place.key, to->key);

	if (c->watching) {
		bool held = name_held(c, i);
		take_attr(m, i); /* it has another time by now */
		if (held && (to->node == NODE_SCRATCH || (to->has_member && !same_key)))
			new_epoch(m); /* nothing is known of how long that one lives */
	}
	inode_move(&m->inodes, i, to);
	if (c->watching && name_held(c, i) && is_of_key(i)) {
		link_key(m, i);
		wait_for(m, i);
	}
}
