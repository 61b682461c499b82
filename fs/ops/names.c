/* Making and removing names. */
#include "fs/inodes/orphan.h"
#include "fs/ops/ops.h"

#include <time.h>

void ops_names_changed(struct mount *m, const struct place *place)
{
	struct timespec now;

	if (scratch_touch(&m->inodes, place))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	m->names_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* --- directories of members --- */

static void mkdir_looked(struct task *t, int err)
{
	if (!err || err == ERROR_TYPE) {
		ops_reply_err(t, EEXIST);
		return;
	}
	if (err == ENOENT && !inode_set_empty_dir(&t->m->inodes, t->inode, true))
		err = ENOSPC;
	if (err == ENOENT)
		ops_names_changed(t->m, &t->at);
	ops_reply_entry(t, err == ENOENT ? 0 : err);
}

static void mkdir_scratch(struct task *t)
{
	int err = t->m->options.ro    ? EROFS
		  : t->inode->scratch ? EEXIST
				      : scratch_new(&t->m->scratches, t->inode, true);

	if (!err)
		ops_names_changed(t->m, &t->at);
	ops_reply_entry(t, err);
}

/* hash.d/KEY becomes a key with its first field. */
void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct task *t = ops_child(req, parent, name, EPERM);
	int err;

	(void)mode;
	if (!t)
		return;
	if (t->at.node == NODE_SCRATCH) {
		mkdir_scratch(t);
		return;
	}
	if (place_is_fixed(&t->at))
		err = EEXIST;
	else if (t->at.node != NODE_ENTRY || !S_ISDIR(t->at.kind->entry_mode))
		err = EPERM;
	else
		err = ops_refused(t->m, 0);
	if (err) {
		ops_reply_err(t, err);
		return;
	}
	task_then(t, mkdir_looked);
	ops_stat(t);
}

static void rmdir_looked(struct task *t, int err)
{
	struct inode *i = t->inode;
	bool key = !err && !i->empty_dir;

	if (err == ERROR_TYPE)
		err = ENOENT;
	if (key || (!err && scratch_any_in(&t->m->scratches, &i->place)))
		err = ENOTEMPTY;
	if (!err) {
		inode_unlink(&t->m->inodes, i);
		ops_names_changed(t->m, &t->at);
	}
	ops_reply_err(t, err);
}

void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct task *t = ops_child(req, parent, name, ENOENT);

	if (!t)
		return;
	if (place_is_fixed(&t->at)) {
		ops_reply_err(t, t->at.node == NODE_CTL ? ENOTDIR : EPERM);
		return;
	}
	if (t->inode->scratch) {
		int err = !t->inode->scratch->dir                    ? ENOTDIR
			  : scratch_any_in(&t->m->scratches, &t->at) ? ENOTEMPTY
								     : 0;
		if (!err)
			ops_drop_scratch(t->m, t->inode);
		ops_reply_err(t, err);
		return;
	}
	if (!S_ISDIR(ops_mode(t->m, &t->at))) {
		ops_reply_err(t, t->at.node == NODE_SCRATCH ? ENOENT : ENOTDIR);
		return;
	}
	task_then(t, rmdir_looked);
	ops_stat(t);
}

/* --- removing --- */

/* The name goes now, what it holds when nobody has it open any more. */
void ops_drop_scratch(struct mount *m, struct inode *i)
{
	inode_ref(i);
	ops_names_changed(m, &i->place);
	inode_unlink(&m->inodes, i);
	handle_drop_orphan(m, i);
	inode_unref(&m->inodes, i);
}

/* The directory of @place. */
static struct inode *directory_of(struct mount *m, const struct place *place)
{
	struct place dir = *place;

	dir.node = NODE_ENTRY;
	dir.has_member = false;
	dir.member = (struct bytes){0};
	return inode_find(&m->inodes, &dir);
}

static void unlinked(struct task *t, int err)
{
	struct inode *i = t->inode;

	if ((err == ENOENT || err == ERROR_TYPE) && i->creating)
		err = 0;
	cache_own_end(t->m, i, err);
	if (!err) {
		struct inode *dir = t->was_last ? directory_of(t->m, &t->at) : NULL;
		if (dir) /* rm -r comes back for it */
			inode_set_empty_dir(&t->m->inodes, dir, true);
		inode_unlink(&t->m->inodes, i);
		orphan_settle(t);
	}
	ops_reply_err(t, err == ERROR_TYPE ? ENOENT : err);
}

static void unlink_now(struct task *t, int err)
{
	(void)err;
	place_ops(&t->at)->remove(t);
}

void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct task *t = ops_child(req, parent, name, ENOENT);

	if (!t)
		return;
	struct inode *i = t->inode;
	if (i->scratch && i->scratch->dir) {
		ops_reply_err(t, EISDIR);
	} else if (i->scratch) {
		ops_drop_scratch(t->m, i);
		ops_reply_err(t, 0);
	} else if (place_is_fixed(&t->at)) {
		ops_reply_err(t, EPERM);
	} else if (t->at.node == NODE_SCRATCH) {
		ops_reply_err(t, ENOENT);
	} else if (S_ISDIR(ops_mode(t->m, &t->at))) {
		ops_reply_err(t, EISDIR);
	} else if (!place_ops(&t->at)->remove) {
		ops_reply_err(t, EPERM);
	} else {
		task_then(t, unlinked);
		i->own = true;
		if (orphan_wanted(i))
			orphan_load(t, i, unlink_now);
		else
			place_ops(&t->at)->remove(t);
	}
}

/* --- an empty file that is not opened --- */

static void node_made(struct task *t, int err)
{
	ops_reply_entry(t, err == ERROR_TYPE ? EEXIST : err);
}

static void make_scratch(struct task *t)
{
	int err = t->inode->scratch ? EEXIST : scratch_new(&t->m->scratches, t->inode, false);

	if (!err)
		ops_names_changed(t->m, &t->at);
	ops_reply_entry(t, err);
}

/* What else mknod makes has no place here. A list or a set without elements is no key. */
void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev)
{
	struct task *t = ops_child(req, parent, name, EPERM);
	int err = 0;

	(void)dev;
	if (!t)
		return;
	bool data = t->at.node == NODE_ENTRY || t->at.node == NODE_MEMBER;
	if (!S_ISREG(mode) || (!data && t->at.node != NODE_SCRATCH) ||
	    (data && (!t->at.kind->creates || !S_ISREG(ops_mode(t->m, &t->at)) ||
		      !place_ops(&t->at)->create || place_ops(&t->at)->check_lines)))
		err = EPERM;
	if (!err)
		err = ops_refused(t->m, 0);
	if (!err)
		err = ops_forbidden(t->m, &t->at);
	t->excl = true;
	if (err) {
		ops_reply_err(t, err);
	} else if (t->at.node == NODE_SCRATCH) {
		make_scratch(t);
	} else {
		task_then(t, node_made);
		place_ops(&t->at)->create(t);
	}
}

/* --- what there is not --- */

void op_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)
{
	(void)link, (void)parent, (void)name;
	fuse_reply_err(req, EPERM);
}

void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	(void)ino, (void)parent, (void)name;
	fuse_reply_err(req, EPERM);
}
