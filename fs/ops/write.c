/* Writing: into the stage of a truncating handle, or through at once; truncating; copying a key whole. */
#include <linux/falloc.h>
#include <time.h>

#include "fs/ops/ops.h"
#include "fs/waiting/ctl.h"

static void reply_written(struct task *t, int err)
{
	if (err)
		fuse_reply_err(t->req, ops_errno(err));
	else
		fuse_reply_write(t->req, t->size);
	task_free(t);
}

static void ctl_written(void *arg, int err)
{
	reply_written(arg, err);
}

/* --- in place, in a view with lines: the whole of it is staged, patched, and stored when a write ends a line --- */

static void lines_stored(struct task *t, int err)
{
	handle_unstage(t->handle);
	reply_written(t, err);
}

static void lines_patched(struct task *t, struct handle *h, struct bytes data, int err)
{
	bool whole = data.n && data.p[data.n - 1] == '\n';

	if (err) {
		handle_unstage(h);
		reply_written(t, err);
	} else if (whole) {
		task_then(t, lines_stored);
		handle_commit(h, t);
	} else {
		reply_written(t, 0);
	}
}

/* A refused write leaves a stage that is not what the writer meant: it is never committed. */
static void write_stage(struct task *t, struct handle *h)
{
	int err = handle_stage_write(h, t->off, t->data);

	if (h->in_place) {
		t->handle = h;
		lines_patched(t, h, t->data, err);
		return;
	}
	if (err)
		h->failed = true;
	else
		landing_staged(t->m, h, t->off + t->data.n, t->data);
	reply_written(t, err);
}

static void lines_loaded(struct task *t, int err)
{
	struct handle *h = t->handle;
	struct bytes data = t->data;

	if (err == ENOENT) {
		content_free(&t->content);
		err = 0;
	}
	if (!err &&
	    t->off == content_size(&t->content)) { /* at the end: an append, whoever else appends */
		task_then(t, reply_written);
		handle_append(h, t);
		return;
	}
	if (!err) {
		handle_stage(h);
		h->in_place = true;
		err = handle_stage_write(h, 0, t->content.bytes);
		if (!err)
			err = handle_stage_write(h, t->off, data);
	}
	lines_patched(t, h, data, err);
}

static void write_lines(struct task *t, struct handle *h)
{
	if (h->partial.n) { /* the line goes on where it was left */
		task_then(t, reply_written);
		handle_append(h, t);
		return;
	}
	t->content_max = t->m->backend->ops->max_value(t->m->backend);
	task_then(t, lines_loaded);
	place_ops(&t->at)->load(t);
}

/* --- */

static void write_through(struct task *t, struct handle *h, bool append)
{
	const struct file_ops *ops = place_ops(&t->at);

	t->handle = h;
	/* What it read is not what it will read, and a value that is held would be copied before it is changed. */
	if (h->inode->listed)
		handle_drop_read(h);
	if (!h->inode->listed) { /* removed while open: it goes where the file went */
		reply_written(t, 0);
	} else if (append) {
		task_then(t, reply_written);
		handle_append(h, t);
	} else if (ops->check_lines) {
		write_lines(t, h);
	} else {
		task_then(t, reply_written);
		if (ops->patch)
			ops->patch(t);
		else
			kinds_patch(t);
	}
}

/* Elements and messages are lines, but below raw/, where all of what is written until the file is closed is one. */
static void write_tap(struct task *t, struct handle *h)
{
	if (!task_raw(t)) {
		task_then(t, reply_written);
		handle_append(h, t);
		return;
	}
	int err = 0;
	if (h->partial.n + t->data.n > t->m->backend->ops->max_value(t->m->backend))
		err = EFBIG;
	else
		buf_bytes(&h->partial, t->data);
	reply_written(t, err ? err : h->partial.failed ? ENOMEM : 0);
}

static void write_at_once(struct task *t, struct handle *h)
{
	t->handle = h;
	if (t->m->options.ro) {
		reply_written(t, EROFS);
	} else if (t->at.kind->tap) {
		write_tap(t, h);
	} else {
		task_then(t, reply_written);
		place_ops(&t->at)->store(t);
	}
}

static int write_refused(const struct task *t, uint64_t end)
{
	if (end > t->m->backend->ops->max_value(t->m->backend))
		return EFBIG;
	return ops_refused(t->m, t->size);
}

void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
	      struct fuse_file_info *fi)
{
	struct handle *h = ops_handle(fi);
	struct task *t = ops_inode(req, ino);

	if (!t)
		return;
	struct inode *i = h->inode;
	/* A page of a mapping stands where it stands. */
	bool append = fi->flags & O_APPEND && !fi->writepage; /* as F_SETFL left it */
	t->data = bytes_of(t->m->landing.data ? t->m->landing.data : buf, size);
	t->size = size;
	t->off = (uint64_t)off;
	t->at = i->place;
	handle_refresh(h);
	handle_go_through(h);
	if (!h->staged)
		landing_other(t->m);
	if (off < 0 || size == 0) {
		reply_written(t, off < 0 ? EINVAL : 0);
	} else if (h->ctl) {
		ctl_write(h->ctl, t->off, t->data, ctl_written, t);
	} else if (i->place.node == NODE_SCRATCH || i->scratch) {
		int err = i->scratch ? scratch_write(&t->m->scratches, i->scratch,
						     append ? i->scratch->data.n : t->off, t->data)
				     : 0;
		reply_written(t, err);
	} else if (i->place.kind->at_once) {
		write_at_once(t, h);
	} else if (h->staged) {
		if (append)
			t->off = handle_staged(h).n;
		write_stage(t, h);
	} else {
		int err = write_refused(t, append ? size : t->off + size);
		if (err)
			reply_written(t, err);
		else
			write_through(t, h, append);
	}
}

/* --- truncating --- */

static void set(struct task *t, int err)
{
	if (err) {
		ops_reply_err(t, err);
		return;
	}
	task_then(t, ops_reply_attr);
	t->at = t->inode->place;
	t->sliced = true;
	ops_stat(t);
}

/* ftruncate of what was staged, then its attributes as the writer sees them. */
static void truncate_handle(struct task *t, struct handle *h, uint64_t size)
{
	int err = 0;

	if (!h->staged)
		handle_stage(h);
	err = handle_stage_truncate(h, size);
	t->found_size = size;
	if (err)
		h->failed = true;
	ops_reply_attr(t, err);
}

static void truncated(struct task *t, int err)
{
	t->found_size = t->off;
	ops_reply_attr(t, err);
}

static void empty_checked(struct task *t, int err)
{
	bool sized = !place_ops(&t->at)->check_lines;

	if (err || (t->setting && sized && t->found_size == 0)) { /* the size that is there */
		task_end(t, err);
		return;
	}
	t->data = BYTES("");
	t->keep_ttl = true;
	place_ops(&t->at)->store(t);
}

void ops_empty(struct task *t)
{
	task_then(t, empty_checked);
	if (place_ops(&t->at)->check_lines) /* whose size is long to find */
		task_check_type(t, t->at.kind->type);
	else
		place_ops(&t->at)->stat(t);
}

static void truncate_key(struct task *t, uint64_t size)
{
	int err = write_refused(t, size);

	t->off = size;
	task_then(t, truncated);
	if (err || !place_ops(&t->at)->store || !t->inode->listed) {
		task_end(t, err ? err : t->inode->listed ? EPERM : 0);
	} else if (size == 0) {
		ops_empty(t);
	} else {
		kinds_truncate(t);
	}
}

static void set_size(struct task *t, struct handle *h, uint64_t size)
{
	struct inode *i = t->inode;
	bool key = i->place.node == NODE_ENTRY || i->place.node == NODE_MEMBER;

	if (h)
		handle_refresh(h);
	if (i->scratch) {
		int err = scratch_truncate(&t->m->scratches, i->scratch, size);
		t->found_size = size;
		ops_reply_attr(t, err);
	} else if (place_is_fixed(&i->place)) {
		ops_reply_attr(t, S_ISDIR(ops_mode(t->m, &i->place)) ? EISDIR : 0);
	} else if (!key) {
		ops_reply_attr(t, 0);
	} else if (i->place.kind->at_once) {
		set(t, 0);
	} else if (h && (h->staged || size == 0)) {
		truncate_handle(t, h, size);
	} else {
		truncate_key(t, size);
	}
}

/* A time that is too far away for the number gets the nearest second that is not. */
static int64_t time_ns(struct timespec at)
{
	const int64_t least = INT64_MIN / 1000000000 + 1, most = INT64_MAX / 1000000000 - 1;

	if (at.tv_sec < least || at.tv_sec > most)
		at = (struct timespec){.tv_sec = at.tv_sec < 0 ? least : most};
	return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

/* What is staged gets it when it is stored. */
static int64_t set_time(struct task *t, const struct stat *attr, int to_set)
{
	struct inode *i = t->inode;
	struct timespec at = attr->st_mtim;
	bool staged = false;

	if (to_set & FUSE_SET_ATTR_MTIME_NOW)
		clock_gettime(CLOCK_REALTIME, &at);
	int64_t ns = time_ns(at);
	for (struct handle *h = i->writers; h; h = h->next) {
		if (!h->unsaved)
			continue;
		staged = true;
		h->timed = !(to_set & FUSE_SET_ATTR_MTIME_NOW); /* storing is later than now */
		h->time_ns = ns;
	}
	if (i->scratch)
		i->scratch->time_ns = ns;
	else if (!staged && i->listed && !t->m->options.ro && !ops_forbidden(t->m, &i->place))
		ops_set_time(t->m, &i->place, ns);
	return ns;
}

/* Its time is the file's, which thaws it if nobody has it open. */
static void set_edition(struct task *t, const struct stat *attr, int to_set)
{
	struct inode *i = t->inode;

	t->as = i;
	t->inode = editions_file(i);
	inode_ref(t->inode);
	if (to_set & FUSE_SET_ATTR_MTIME)
		editions_set_time(i, set_time(t, attr, to_set));
	if (editions_meant(i) == i)
		editions_attr(t, i, 0);
	else
		set(t, 0);
}

void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		struct fuse_file_info *fi)
{
	struct task *t = ops_inode(req, ino);

	if (!t)
		return;
	t->setting = true;
	if (t->m->inodes.editions.on && to_set & FUSE_SET_ATTR_SIZE && editions_resize(t))
		return;
	if (t->inode->edition) {
		set_edition(t, attr, to_set);
		return;
	}
	if (!(to_set & FUSE_SET_ATTR_SIZE)) { /* owner and mode are the mount's */
		t->handle = fi ? ops_handle(fi) : NULL;
		if (to_set & FUSE_SET_ATTR_MTIME)
			set_time(t, attr, to_set);
		set(t, 0);
		return;
	}
	struct handle *h = fi ? ops_handle(fi) : NULL;
	if (attr->st_size < 0)
		ops_reply_err(t, EINVAL);
	else
		set_size(t, h && h->inode == t->inode && !h->ctl ? h : NULL,
			 (uint64_t)attr->st_size);
}

/* --- allocating: there are no holes and nothing to reserve, but a file may be made longer --- */

static int extend_scratch(struct task *t, uint64_t size)
{
	struct scratch *f = t->inode->scratch;

	return size > f->data.n ? scratch_truncate(&t->m->scratches, f, size) : 0;
}

static int extend_stage(struct handle *h, uint64_t size)
{
	if (size <= handle_staged(h).n)
		return 0;
	int err = handle_stage_truncate(h, size);
	if (err)
		h->failed = true;
	else
		h->written = true;
	return err;
}

void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
		  struct fuse_file_info *fi)
{
	struct handle *h = ops_handle(fi);
	struct task *t = ops_inode(req, ino);

	if (!t)
		return;
	uint64_t size = (uint64_t)off + (uint64_t)len;
	handle_refresh(h);
	bool keep = mode == FALLOC_FL_KEEP_SIZE;
	bool data = t->at.node == NODE_ENTRY || t->at.node == NODE_MEMBER;
	bool other = h->ctl || (!data && !t->inode->scratch) || (data && t->at.kind->at_once);
	int err = other || (mode && !keep) ? EOPNOTSUPP : off < 0 || len <= 0 ? EINVAL : 0;
	if (err || keep || t->inode->scratch || h->staged || !t->inode->listed) {
		if (!err && !keep && t->inode->scratch)
			err = extend_scratch(t, size);
		else if (!err && !keep && h->staged)
			err = extend_stage(h, size);
		ops_reply_err(t, err);
		return;
	}
	err = write_refused(t, size);
	t->off = size;
	t->extend = true;
	task_then(t, ops_reply_err);
	if (err || !place_ops(&t->at)->store)
		task_end(t, err ? err : EPERM);
	else
		kinds_truncate(t);
}

/* --- copying --- */

static void copied(struct task *t, int err)
{
	struct handle *h = t->handle;

	if (err) {
		fuse_reply_err(t->req, EXDEV); /* the kernel copies byte by byte then */
	} else {
		h->copied = true;
		handle_unstage(h);
		handle_created(h);
		fuse_reply_write(t->req, t->size);
	}
	task_free(t);
}

static void copy_answered(void *arg, struct answers *a)
{
	struct answer piece;
	int err = task_answer(a, &piece);

	task_end(arg, err ? err : piece.n == 1 ? 0 : EIO);
}

/* The source is what cp saw, and the target may be written: then COPY is the same and keeps the expiry. */
static void copy_typed(void *arg, struct answers *a)
{
	struct task *t = arg;
	int from = task_type_answer(a, t->at.kind->type),
	    to = task_type_answer(a, t->at.kind->type);
	struct bytes words[] = {BYTES("COPY"), t->to.key, t->at.key, BYTES("REPLACE")};

	if (to || (from && from != ENOENT))
		task_end(t, EXDEV);
	else
		task_command(t, words, 4, copy_answered);
}

/* A whole key onto a handle that has nothing yet, in one directory. */
static bool copies_whole(const struct handle *in, const struct inode *from,
			 const struct handle *out, off_t off_in, off_t off_out)
{
	const struct place *a = &from->place, *b = &out->inode->place;

	return off_in == 0 && off_out == 0 && !in->staged && out->staged && !out->failed &&
	       handle_staged(out).n == 0 && from->listed && out->inode->listed &&
	       a->node == NODE_ENTRY && b->node == NODE_ENTRY && a->kind == b->kind &&
	       a->db == b->db && !from->scratch && !out->inode->scratch;
}

void op_copy_file_range(fuse_req_t req, fuse_ino_t ino_in, off_t off_in,
			struct fuse_file_info *fi_in, fuse_ino_t ino_out, off_t off_out,
			struct fuse_file_info *fi_out, size_t len, int flags)
{
	struct handle *in = ops_handle(fi_in), *out = ops_handle(fi_out);
	struct inode *source = in->inode->edition ? editions_source(in->inode) : in->inode;

	(void)ino_in;
	if (flags || (!out->copied && !copies_whole(in, source, out, off_in, off_out))) {
		fuse_reply_err(req, flags ? EINVAL : EXDEV);
		return;
	}
	if (out->copied) { /* all of it is there */
		fuse_reply_write(req, 0);
		return;
	}
	struct task *t = ops_inode(req, ino_out);
	if (!t)
		return;
	t->handle = out;
	t->size = len;
	t->at = out->inode->place;
	t->to = source->place;
	t->to_dir = source;
	inode_ref(source);
	struct bytes from[] = {BYTES("TYPE"), t->at.key}, to[] = {BYTES("TYPE"), t->to.key};
	struct backend_command cmds[] = {{.argc = 2, .argv = from}, {.argc = 2, .argv = to}};
	task_then(t, copied);
	task_submit(t, cmds, 2, copy_typed);
}
