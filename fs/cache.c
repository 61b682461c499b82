#include "fs/cache.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fs/fs.h"
#include "fs/kinds/kinds.h"
#include "fs/ops/ops.h"
#include "resp/changes.h"
#include "store/base/mem.h"

#define YEAR (365 * 86400.0)

/* The kernel counts in ticks, rounded up, and its clock is not ours. */
#define SLACK_MS 20

/* FUSE_NOTIFY_INC_EPOCH, which the headers of 2022 do not have. */
#define NOTIFY_INC_EPOCH 8

struct notify_header {
	uint32_t len;
	int32_t code;
	uint64_t unique;
};

/* --- the table of held inodes --- */

static void insert(struct cache *c, struct inode *i)
{
	struct inode **head = &c->heads[i->held_id & (c->nheads - 1)];

	i->held_next = *head;
	if (*head)
		(*head)->held_at = &i->held_next;
	i->held_at = head;
	*head = i;
}

static void grow(struct cache *c)
{
	struct inode **old = c->heads;
	size_t n = c->nheads;

	c->nheads = n ? n * 2 : 256;
	c->heads = mem_calloc(c->nheads * sizeof(struct inode *));
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

void cache_drop(struct inodes *t, struct inode *i)
{
	if (!i->held_at)
		return;
	unchain(i);
	if (!place_is_fixed(&i->place))
		t->cache.names--;
}

void cache_forget(struct inodes *t, struct inode *i)
{
	cache_drop(t, i);
	i->name_epoch = 0;
	i->attr_held = i->attr_late = false;
}

static void hold(struct mount *m, struct inode *i)
{
	struct cache *c = &m->inodes.cache;

	if (i->held_at)
		return;
	if (c->names >= c->nheads)
		grow(c);
	i->held_id = m->backend->ops->hold(m->backend, i->place.db, i->place.key);
	c->holds++;
	c->names++;
	insert(c, i);
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

static bool missing_find(const struct cache *c, uint64_t id, size_t *at)
{
	id = id ? id : 1;
	for (*at = id & (CACHE_MISSING - 1); c->missing[*at]; *at = (*at + 1) & (CACHE_MISSING - 1))
		if (c->missing[*at] == id)
			return true;
	return false;
}

static void missing_put(struct cache *c, uint64_t id)
{
	size_t at;

	if (missing_find(c, id, &at))
		return;
	c->missing[at] = id ? id : 1;
	c->nmissing++;
}

/* --- telling the kernel --- */

static void new_epoch(struct mount *m)
{
	struct cache *c = &m->inodes.cache;
	struct notify_header h = {sizeof(h), NOTIFY_INC_EPOCH, 0};

	if (write(fuse_session_fd(m->session), &h, sizeof(h)) < 0)
		return; /* unmounted: there is nobody to be told */
	c->epoch++;
	c->epochs++;
	if (c->nmissing)
		memset(c->missing, 0, CACHE_MISSING * sizeof(*c->missing));
	c->nmissing = 0;
}

static bool name_held(const struct cache *c, const struct inode *i)
{
	return i->name_epoch == c->epoch;
}

/* False when the kernel has no such inode: it has forgotten it, or has not yet read the answer that makes it. */
static bool send_inval(struct mount *m, const struct inode *i)
{
	return fuse_lowlevel_notify_inval_inode(m->session, i->id, -1, 0) != -ENOENT;
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
}

/* Where most of the keys given to the backend are held no more, it need not look for them. */
static void sweep(struct mount *m)
{
	struct cache *c = &m->inodes.cache;

	if (c->holds <= 2 * c->names + CACHE_MISSING)
		return;
	if (c->nmissing) /* their keys are not known any more */
		new_epoch(m);
	const struct backend_ops *ops = m->backend->ops;
	ops->hold_none(m->backend);
	c->holds = c->names;
	for (size_t k = 0; k < c->nheads; k++)
		for (const struct inode *i = c->heads[k]; i; i = i->held_next)
			ops->hold(m->backend, i->place.db, i->place.key);
}

/* --- changes --- */

static bool stands(struct mount *m, const struct inode *i)
{
	const struct backend_name n = {
		.db = i->place.db,
		.has_member = i->place.has_member,
		.type = i->place.kind->type,
		.key = i->place.key,
		.member = i->place.member,
	};

	return m->backend->ops->stands(m->backend, &n);
}

/* The key of @i may have changed. True when the kernel has a name that is not so. */
static bool key_changed(struct mount *m, struct inode *i, bool look)
{
	struct cache *c = &m->inodes.cache;
	bool stale = !take_attr(m, i);

	if (!stale && name_held(c, i) && !i->own)
		stale = !look || !stands(m, i);
	return stale;
}

static bool keys_changed(struct mount *m, const struct change_notes *n)
{
	struct cache *c = &m->inodes.cache;
	bool stale = false;
	size_t at;

	for (size_t k = 0; k < n->n; k++) {
		stale |= c->nmissing && missing_find(c, n->ids[k], &at);
		if (!c->nheads)
			continue;
		struct inode *i = c->heads[n->ids[k] & (c->nheads - 1)], *next;
		for (; i; i = next) {
			next = i->held_next;
			if (i->held_id != n->ids[k])
				continue;
			stale |= key_changed(m, i, !n->blunt && !stale);
			if (stale || !name_held(c, i))
				cache_drop(&m->inodes,
					   i); /* after the new epoch nothing is held of it */
		}
	}
	return stale;
}

static bool all_changed(struct mount *m)
{
	struct cache *c = &m->inodes.cache;

	for (size_t k = 0; k < c->nheads; k++) {
		while (c->heads[k]) {
			take_attr(m, c->heads[k]);
			cache_drop(&m->inodes, c->heads[k]);
		}
	}
	return true;
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
	if (n->all ? all_changed(m) : keys_changed(m, n))
		new_epoch(m);
	sweep(m);
}

/* --- giving away --- */

void cache_start(struct mount *m)
{
	struct cache *c = &m->inodes.cache;

	if (!c->on || c->watching || m->options.nocache || !m->backend->ops->watch)
		return;
	if (!m->backend->ops->watch(m->backend, changed, m))
		return;
	c->epoch = 1;
	c->missing = mem_calloc(CACHE_MISSING * sizeof(*c->missing));
	c->watching = true;
}

void cache_stop(struct mount *m)
{
	struct cache *c = &m->inodes.cache;

	if (c->watching)
		m->backend->ops->watch(m->backend, NULL, NULL);
	c->watching = false;
	c->nlate = 0;
}

void cache_fini(struct cache *c)
{
	mem_free(c->heads);
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

/* Seconds for which the key of @t stays as it was found, if nobody changes it. An answer that had to wait for the disk may be old. */
static double lifetime(struct task *t, const struct place *p)
{
	struct backend_facts f = {0};

	t->m->backend->ops->facts(t->m->backend, p->db, p->key, &f);
	if (!f.stamped || f.serial > t->asked)
		return 0;
	if (f.left_ms < 0)
		return YEAR;
	return f.left_ms > SLACK_MS ? (double)(f.left_ms - SLACK_MS) / 1000 : 0;
}

/* Seconds that anything of t->inode may be kept; held when that is more than 0. */
static double keep(struct task *t)
{
	struct inode *i = t->inode;
	struct cache *c = &t->m->inodes.cache;

	if (!c->watching || !is_of_key(i) || (c->names >= CACHE_NAMES && !i->held_at))
		return 0;
	double seconds = lifetime(t, &i->place);
	if (seconds > 0)
		hold(t->m, i);
	return seconds;
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
	return YEAR;
}

void cache_entry(struct task *t, double *name, double *attr)
{
	struct inode *i = t->inode;

	if (place_is_fixed(&i->place)) { /* a name of the tree never goes */
		*name = YEAR;
		*attr = keep_tree(t);
		return;
	}
	*name = keep(t);
	*attr = *name > 0 && attr_is_kept(i) ? *name : 0;
	if (*name > 0)
		i->name_epoch = t->m->inodes.cache.epoch;
	if (*attr > 0)
		i->attr_held = true;
}

double cache_attr(struct task *t)
{
	struct inode *i = t->inode;

	if (place_is_fixed(&i->place))
		return keep_tree(t);
	double seconds = attr_is_kept(i) || !is_of_key(i) ? keep(t) : 0;
	if (seconds > 0)
		i->attr_held = true;
	return seconds;
}

double cache_missing(struct task *t)
{
	const struct place *p = &t->inode->place;
	struct cache *c = &t->m->inodes.cache;

	if (!c->watching || !is_of_key(t->inode))
		return 0;
	uint64_t *slot = &c->missed[t->inode->ino % CACHE_MISSED];
	if (*slot != t->inode->ino) {
		*slot = t->inode->ino;
		return 0;
	}
	if (lifetime(t, p) < YEAR)
		return 0;
	if (c->nmissing >= CACHE_MISSING / 2)
		new_epoch(t->m);
	missing_put(c, t->m->backend->ops->hold(t->m->backend, p->db, p->key));
	c->holds++;
	return YEAR;
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
	struct inode *i, *next;

	if (!m->inodes.cache.watching)
		return;
	HASH_ITER (by_id, m->inodes.by_id, i, next)
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
	if (c->watching && name_held(c, i) && is_of_key(i))
		hold(m, i);
}
