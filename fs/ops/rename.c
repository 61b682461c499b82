/* mv: RENAME for keys, load and store for members, and scratch files that become keys. */
#include <stdio.h>

#include "fs/inodes/orphan.h"
#include "fs/ops/ops.h"
#include "store/base/mem.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

static bool noreplace(const struct task *t)
{
	return t->flags & RENAME_NOREPLACE;
}

static bool same_place(const struct place *a, const struct place *b)
{
	return a->node == b->node && a->kind == b->kind && a->db == b->db && a->raw == b->raw &&
	       a->numbered == b->numbered && a->has_member == b->has_member &&
	       bytes_eq(a->key, b->key) && bytes_eq(a->member, b->member);
}

/* It stands there now, for the kernel too. */
static void moved(struct task *t, int err)
{
	cache_own_end(t->m, t->inode, err);
	if (!err) {
		ops_names_changed(t->m, &t->inode->place);
		ops_names_changed(t->m, &t->to);
		const struct place *from = &t->inode->place;
		bool below = from->node == NODE_ENTRY && S_ISDIR(from->kind->entry_mode);
		if (below)
			cache_move_below(t->m, from);
		if (below)
			inode_move_below(&t->m->inodes, from, &t->to);
		cache_move(t->m, t->inode, &t->to);
		if (t->timed)
			ops_set_time(t->m, &t->to, t->time_ns);
		orphan_settle(t);
	}
	ops_reply_err(t, err);
}

/* Do @step with t->at at the target, unless something stands there and must not be replaced: asks only when it matters. */
static void target_looked(struct task *t, int err)
{
	task_step step = t->then[--t->depth];

	if (!err && noreplace(t))
		err = EEXIST;
	else if (err == ENOENT)
		err = 0;
	else if (err == ERROR_TYPE)
		err = EEXIST;
	step(t, err);
}

static void look_at_target(struct task *t, task_step step)
{
	t->at = t->to;
	task_then(t, step);
	task_then(t, target_looked);
	place_ops(&t->to)->stat(t);
}

/* --- keys --- */

static void renamed(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct answer piece;
	int err = task_answer(a, &piece);

	if (!err && piece.kind == ANSWER_INT && piece.n == 0)
		err = EEXIST;
	task_end(t, err);
}

static void rename_typed(void *arg, struct answers *a)
{
	struct task *t = arg;
	const char *type = t->at.kind->type;
	int from = task_type_answer(a, type), to = task_type_answer(a, type);
	struct bytes words[] = {noreplace(t) ? BYTES("RENAMENX") : BYTES("RENAME"), t->at.key,
				t->to.key};
	struct inode *i = t->inode;

	if (to == ERROR_TYPE || (to == 0 && noreplace(t))) {
		task_end(t, EEXIST);
	} else if (to == 0 && S_ISDIR(t->at.kind->entry_mode) && !bytes_eq(t->at.key, t->to.key)) {
		task_end(t, ENOTEMPTY);
	} else if (from == ENOENT && (i->empty_dir || i->creating)) {
		task_end(t, 0); /* a name that is no key yet */
	} else if (from || (to && to != ENOENT)) {
		task_end(t, from == ERROR_TYPE ? ENOENT : from ? from : to);
	} else {
		task_command(t, words, 3, renamed);
	}
}

static void rename_key(struct task *t)
{
	struct bytes from[] = {BYTES("TYPE"), t->at.key}, to[] = {BYTES("TYPE"), t->to.key};
	struct backend_command cmds[] = {{.argc = 2, .argv = from}, {.argc = 2, .argv = to}};

	struct backend_facts f = {0};

	t->m->backend->ops->facts(t->m->backend, t->at.db, t->at.key, &f);
	t->timed = f.stamped && f.time_set;
	t->time_ns = f.time_ns;
	t->inode->own = true;
	task_then(t, moved);
	task_submit(t, cmds, 2, rename_typed);
}

/* --- members --- */

static void member_removed(struct task *t, int err)
{
	if (!err && t->was_last) {
		struct place dir = t->at;
		dir.node = NODE_ENTRY;
		dir.has_member = false;
		dir.member = (struct bytes){0};
		struct inode *i = inode_find(&t->m->inodes, &dir);
		if (i)
			inode_set_empty_dir(&t->m->inodes, i, true);
	}
	task_end(t, err);
}

static void member_stored(struct task *t, int err)
{
	if (err) {
		task_end(t, err);
		return;
	}
	t->at = t->inode->place;
	task_then(t, member_removed);
	place_ops(&t->at)->remove(t);
}

static void member_target_free(struct task *t, int err)
{
	if (err) {
		task_end(t, err);
		return;
	}
	if (bytes_eq(t->inode->place.key, t->to.key)) {
		place_ops(&t->at)->move(t);
		return;
	}
	task_then(t, member_stored);
	place_ops(&t->at)->store(t);
}

static void creating_target_free(struct task *t, int err)
{
	task_end(t, err);
}

static void member_loaded(struct task *t, int err)
{
	if (err == ENOENT && t->inode->creating) { /* a name that is no member yet */
		look_at_target(t, creating_target_free);
		return;
	}
	t->data = BYTES("");
	t->data_newline = t->content.newline;
	if (!err)
		err = kinds_splice(t, content_size(&t->content));
	if (err)
		task_end(t, err);
	else
		look_at_target(t, member_target_free);
}

static void rename_member(struct task *t)
{
	t->inode->own = true;
	task_then(t, moved);
	task_then(t, member_loaded);
	place_ops(&t->at)->load(t);
}

/* --- scratch files --- */

static void drop_scratch(struct mount *m, struct inode *i)
{
	if (!i || !i->scratch)
		return;
	scratch_free(&m->scratches, i->scratch);
	inode_unref(&m->inodes, i);
}

/* The key was stored: the inode is that key's from now on. */
static void scratch_stored(struct task *t, int err)
{
	if (!err)
		drop_scratch(t->m, t->inode);
	moved(t, err);
}

static void scratch_target_free(struct task *t, int err)
{
	struct scratch *f = t->inode->scratch;

	if (err) {
		ops_reply_err(t, err);
		return;
	}
	task_then(t, scratch_stored);
	t->timed = true;
	t->time_ns = f->time_ns;
	t->data = f->data.n ? buf_view(&f->data) : BYTES("");
	place_ops(&t->at)->store(t);
}

/* What stands at the target gives way, if it may. */
static int replace_scratch(struct task *t, struct inode *there)
{
	bool dir = t->inode->scratch->dir;

	if (noreplace(t))
		return EEXIST;
	if (there->scratch->dir != dir)
		return dir ? ENOTDIR : EISDIR;
	if (dir && scratch_any_in(&t->m->scratches, &there->place))
		return ENOTEMPTY;
	ops_drop_scratch(t->m, there);
	return 0;
}

static bool inside_itself(const struct task *t)
{
	struct bytes from = scratch_path(&t->inode->place), to = scratch_path(&t->to);

	return t->inode->scratch->dir && t->inode->place.has_member == t->to.has_member &&
	       (!t->to.has_member || bytes_eq(t->inode->place.key, t->to.key)) && to.n > from.n &&
	       memcmp(to.p, from.p, from.n) == 0 && to.p[from.n] == '/';
}

static void rename_scratch(struct task *t)
{
	struct inode *there = inode_find(&t->m->inodes, &t->to);

	if (!t->inode->scratch) {
		ops_reply_err(t, ENOENT);
	} else if (t->to.node == NODE_SCRATCH) {
		int err = there && there->scratch && there != t->inode ? replace_scratch(t, there)
			  : inside_itself(t)                           ? EINVAL
								       : 0;
		if (!err && t->inode->scratch->dir)
			scratch_move_below(&t->m->scratches, &t->m->inodes, &t->inode->place,
					   &t->to);
		moved(t, err);
	} else if (t->inode->scratch->dir) {
		ops_reply_err(t, EPERM);
	} else if (S_ISREG(ops_mode(t->m, &t->to)) && place_ops(&t->to)->store) {
		look_at_target(t, scratch_target_free);
	} else {
		ops_reply_err(t, EPERM);
	}
}

static void hidden(struct task *t, int err)
{
	struct inode *there = inode_find(&t->m->inodes, &t->to);

	if (err) {
		drop_scratch(t->m, t->inode);
	} else if (there && there->scratch) {
		ops_drop_scratch(t->m, there);
	}
	moved(t, err);
}

static void hide_loaded(struct task *t, int err)
{
	t->data = BYTES("");
	if (!err)
		err = kinds_splice(t, content_size(&t->content));
	if (!err)
		err = scratch_new(&t->m->scratches, t->inode, false);
	if (!err) {
		err = scratch_write(&t->m->scratches, t->inode->scratch, 0, t->data);
		if (err)
			drop_scratch(t->m, t->inode);
	}
	if (err) {
		ops_reply_err(t, err);
		return;
	}
	t->inode->own = true;
	task_then(t, hidden);
	task_then(t, member_removed);
	place_ops(&t->at)->remove(t);
}

/* A key that gets a name with a dot is a key no more. */
static void rename_to_scratch(struct task *t)
{
	struct inode *there = inode_find(&t->m->inodes, &t->to);

	if (there && there->scratch && (noreplace(t) || there->scratch->dir)) {
		ops_reply_err(t, noreplace(t) ? EEXIST : EISDIR);
		return;
	}
	if (!S_ISREG(ops_mode(t->m, &t->at)) || !place_ops(&t->at)->remove) {
		ops_reply_err(t, EPERM);
		return;
	}
	task_then(t, hide_loaded);
	place_ops(&t->at)->load(t);
}

/* --- */

static void rename_task(struct task *t)
{
	bool same_kind = t->at.kind == t->to.kind && t->at.db == t->to.db;

	if (place_is_fixed(&t->at) || place_is_fixed(&t->to))
		ops_reply_err(t, EPERM);
	else if (same_place(&t->at, &t->to))
		ops_reply_err(t, noreplace(t) ? EEXIST : 0);
	else if (!same_kind)
		ops_reply_err(t, EXDEV);
	else if (t->at.node == NODE_SCRATCH)
		rename_scratch(t);
	else if (t->to.node == NODE_SCRATCH)
		rename_to_scratch(t);
	else if (t->at.node != t->to.node || !place_ops(&t->at)->remove)
		ops_reply_err(t, EPERM);
	else if (t->at.node == NODE_ENTRY)
		rename_key(t);
	else if (!place_ops(&t->at)->move) /* a stream's entry keeps its id */
		ops_reply_err(t, EPERM);
	else
		rename_member(t);
}

static void target_kept(struct task *t, int err)
{
	(void)err;
	rename_task(t);
}

/* Who has the target open keeps what it holds. */
static void rename_over(struct task *t)
{
	struct inode *there = inode_find(&t->m->inodes, &t->to);

	if (there && there != t->inode && orphan_wanted(there))
		orphan_load(t, there, target_kept);
	else
		rename_task(t);
}

void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent,
	       const char *newname, unsigned flags)
{
	struct task *t;
	int err = 0;

	if (flags & ~(unsigned)RENAME_NOREPLACE) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	t = ops_child(req, parent, name, ENOENT);
	if (!t)
		return;
	struct inode *dir = inode_by_id(&t->m->inodes, newparent);
	if (dir) {
		t->to_dir = dir;
		inode_ref(dir);
		err = ops_place(t->m, dir, newname, &t->to, &t->to_words);
	}
	t->flags = (int)flags;
	if (!dir)
		ops_reply_err(t, ESTALE);
	else if (err)
		ops_reply_err(t, err == ENOENT ? (place_is_fixed(&dir->place) &&
						  dir->place.node != NODE_DIR)
							 ? EPERM
							 : EINVAL
					       : err);
	else
		rename_over(t);
}
