/* Open files: opening, reading, closing; directories being listed. */
#include "fs/kinds/walk.h"
#include "fs/listing/dir.h"
#include "fs/ops/ops.h"
#include "fs/waiting/ctl.h"
#include "fs/waiting/tap.h"

static bool for_writing(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY;
}

/* One for who asks, of the task's inode. */
static struct handle *new_handle(struct task *t)
{
	return handle_new(t->m, t->inode, t->flags, fuse_req_ctx(t->req)->pid);
}

static void file_info(struct fuse_file_info *fi, struct handle *h)
{
	fi->fh = (uintptr_t)h;
	fi->direct_io = 1; /* pages are for editions alone: README.md */
	fi->keep_cache = 0;
	fi->noflush = !for_writing(h->flags); /* a reader's close needs no answer */
}

/* --- making a file --- */

static void created(struct task *t, int err)
{
	struct handle *h = t->handle;
	struct fuse_entry_param e = {0};
	struct fuse_file_info fi = {.flags = t->flags};
	struct inode *i = t->inode;

	if (err) {
		handle_free(h);
		fuse_reply_err(t->req, err == ERROR_TYPE ? EEXIST : err);
		task_free(t);
		return;
	}
	if (h->staged && !h->unsaved)
		handle_saved(h);
	file_info(&fi, h);
	e.ino = i->id;
	ops_attr(t->m, i, 0, &e.attr);
	i->nlookup++;
	if (fuse_reply_create(t->req, &e, &fi) != 0) { /* interrupted: it is never released */
		handle_free(h);
		inode_forget(&t->m->inodes, i, 1);
	}
	task_free(t);
}

/* A truncating handle publishes nothing before it has something: only the type is looked at. */
static void create_typed(struct task *t, int err)
{
	created(t, err == ENOENT ? 0 : err);
}

/* Where a type can hold nothing at all (a string, a field) the file is made at once; else with its first line. */
static void create_entry(struct task *t)
{
	const struct file_ops *ops = place_ops(&t->at);
	struct handle *h = new_handle(t);
	bool trunc = t->flags & O_TRUNC;

	t->handle = h;
	t->excl = t->flags & O_EXCL;
	if (trunc || t->excl)
		handle_stage(h);
	h->unsaved = trunc;
	if (ops->check_lines || (trunc && !t->excl)) {
		h->creating = true;
		t->inode->creating++;
	}
	if (t->excl || !trunc) {
		task_then(t, created);
		ops->create(t);
	} else {
		task_then(t, create_typed);
		if (ops->admit)
			ops->admit(t);
		else
			task_check_type(t, t->at.kind->type);
	}
}

/* Every name is there but that of a key of another type: O_CREAT comes here only for that one, or when it has just gone. */
static void create_tap(struct task *t, int err)
{
	struct handle *h = new_handle(t);

	t->handle = h;
	if (!err && t->flags & O_EXCL)
		err = EEXIST;
	if (err == ENOENT)
		err = 0;
	if (!err && (t->flags & O_ACCMODE) != O_WRONLY)
		h->tap = tap_open(h, &err);
	created(t, err);
}

static void create_scratch(struct task *t)
{
	int err = 0;

	if (!t->inode->scratch)
		err = scratch_new(&t->m->scratches, t->inode, false);
	else if (t->flags & O_EXCL)
		err = EEXIST;
	else if (t->inode->scratch->dir)
		err = EISDIR;
	if (!err && t->inode->scratch->data.n == 0)
		ops_names_changed(t->m, &t->at);
	t->handle = new_handle(t);
	created(t, err);
}

/* Whether the key of a tap's file has another type; a channel is no key. */
static void tap_check(struct task *t, task_step step)
{
	task_then(t, step);
	if (t->at.kind->type)
		task_check_type(t, t->at.kind->type);
	else
		task_end(t, 0);
}

void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	       struct fuse_file_info *fi)
{
	struct inode *dir = inode_by_id(&mount_of(req)->inodes, parent);
	bool tree = dir && dir->place.node != NODE_DIR && dir->place.node != NODE_ENTRY;
	struct task *t = ops_child(req, parent, name, tree ? EPERM : EINVAL);

	(void)mode;
	if (!t)
		return;
	t->flags = fi->flags;
	int err = ops_refused(t->m, 0);
	if (!err)
		err = ops_forbidden(t->m, &t->at);
	if (place_is_fixed(&t->at))
		err = EEXIST;
	else if (t->at.node != NODE_SCRATCH && !err) {
		if (!t->at.kind->creates)
			err = t->at.kind->entry->store && !t->at.kind->keyless ? ENOENT : EPERM;
		else if (!S_ISREG(ops_mode(t->m, &t->at)))
			err = EPERM; /* hash.d/KEY is made by mkdir */
	}
	if (err)
		ops_reply_err(t, err);
	else if (t->at.node == NODE_SCRATCH)
		create_scratch(t);
	else if (t->at.kind->tap)
		tap_check(t, create_tap);
	else
		create_entry(t);
}

/* --- opening --- */

static void reply_open(struct task *t, struct handle *h)
{
	struct fuse_file_info fi = {.flags = t->flags};

	file_info(&fi, h);
	if (fuse_reply_open(t->req, &fi) != 0) /* interrupted: it is never released */
		handle_free(h);
	task_free(t);
}

/* Who reads has nothing to publish later: what it emptied is empty at once. */
static void emptied(struct task *t, int err)
{
	if (err)
		ops_reply_err(t, err);
	else
		reply_open(t, new_handle(t));
}

static void tap_checked(struct task *t, int err)
{
	struct handle *h;

	if (err && err != ENOENT) {
		ops_reply_err(t, err);
		return;
	}
	err = 0;
	h = new_handle(t);
	if ((t->flags & O_ACCMODE) != O_WRONLY)
		h->tap = tap_open(h, &err);
	if (err) {
		handle_free(h);
		ops_reply_err(t, err);
		return;
	}
	reply_open(t, h);
}

/* Whether @i may be opened for writing. What takes its writes at once tells then what is wrong with them. */
static int write_refused(struct mount *m, const struct inode *i, const struct file_ops *ops)
{
	if (!ops->store && !ops->append)
		return EPERM;
	if (i->place.kind->at_once)
		return m->options.ro ? EROFS : 0;
	return ops_refused(m, 0);
}

void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct task *t = ops_inode(req, ino);

	if (!t)
		return;
	cache_late(t->m, task_as(t));
	t->flags = fi->flags;
	if (!t->m->inodes.editions.on || !editions_open(t, task_as(t)))
		ops_open(t);
}

void ops_open(struct task *t)
{
	struct inode *i = t->inode;
	bool data = i->place.node == NODE_ENTRY || i->place.node == NODE_MEMBER;
	const struct file_ops *ops = data && !i->scratch ? place_ops(&i->place) : NULL;
	bool write = for_writing(t->flags), trunc = t->flags & O_TRUNC;
	int err = 0;
	if (i->scratch && trunc)
		err = scratch_truncate(&t->m->scratches, i->scratch, 0);
	else if (ops && (write || trunc))
		err = write_refused(t->m, i, ops);
	else if (i->place.node == NODE_CTL && write && t->m->options.ro)
		err = EROFS;
	if (ops && (write || trunc) && !err)
		err = ops_forbidden(t->m, &i->place);
	if (err) {
		ops_reply_err(t, err);
		return;
	}
	if (ops && i->place.kind->tap) {
		tap_check(t, tap_checked);
		return;
	}
	if (ops && trunc && !write && ops->store && !i->place.kind->at_once) {
		task_then(t, emptied);
		ops_empty(t);
		return;
	}
	struct handle *h = new_handle(t);
	if (i->place.node == NODE_CTL)
		h->ctl = ctl_open(t->m, i->place.db, &h->parked);
	else if (ops && write && trunc && !i->place.kind->at_once)
		handle_stage(h);
	reply_open(t, h);
}

/* --- reading --- */

/* A value of this size is let go by a reader that came to its end, or who appends to it would have to copy it. So many of its last bytes
 * tell what was appended from another value. */
#define LET_GO_FROM ((size_t)1 << 20)
#define SEEN        ((size_t)4 << 10)

static void let_go(struct handle *h)
{
	struct bytes was = h->snap.bytes;

	if (!h->snap.kept || h->snap.newline || was.n < LET_GO_FROM || for_writing(h->flags) ||
	    !h->inode->listed || h->read_to != was.n)
		return;
	buf_free(&h->seen);
	buf_put(&h->seen, was.p + was.n - SEEN, SEEN);
	if (h->seen.failed)
		return;
	h->seen_n = was.n;
	handle_drop_read(h);
}

static void reply_content(struct task *t, const struct content *c)
{
	struct handle *h = t->handle;
	struct iovec iov[2];
	uint64_t size = content_size(c);
	int n = content_range(c, t->off, t->size, iov);

	if (h && t->off <= size)
		h->read_to = t->size < size - t->off ? t->off + t->size : size;
	fuse_reply_iov(t->req, iov, n);
	if (h && h->loaded)
		let_go(h);
	task_free(t);
}

static void reply_bytes(struct task *t, struct bytes all)
{
	size_t n = t->off < all.n ? all.n - (size_t)t->off : 0;

	fuse_reply_buf(t->req, n ? all.p + t->off : "", n < t->size ? n : t->size);
	task_free(t);
}

/* A reader came to the end of what it read, and behind it a longer value that is another one was found: its last bytes are no
 * continuation, the reader is told of the end first. What was appended is one. */
static bool is_another(const struct handle *h, const struct task *t)
{
	const struct bytes now = t->content.bytes;
	const struct bytes was = h->loaded ? h->snap.bytes : buf_view(&h->seen);
	size_t size = h->loaded ? content_size(&h->snap) : h->seen_n;
	size_t skip = h->loaded ? 0 : h->seen_n - was.n;

	return t->off > 0 && !for_writing(h->flags) && t->off == size && h->read_to == t->off &&
	       t->off < content_size(&t->content) &&
	       (now.n < skip + was.n || memcmp(now.p + skip, was.p, was.n) != 0);
}

static void read_from(struct task *t, struct handle *h);

static void read_loaded(struct task *t, int err)
{
	struct handle *h = t->handle;

	if (err == ERROR_CHANGED) {
		walk_again(t);
		read_from(t, h);
		return;
	}
	if (err == ENOENT && h->inode->creating) { /* nothing yet */
		content_free(&t->content);
		err = 0;
	}
	if (err) {
		ops_reply_err(t, err);
		return;
	}
	bool ended = is_another(h, t);
	content_free(&h->snap);
	h->snap = t->content;
	t->content = (struct content){0};
	if (!h->snap.kept) /* the copy moved with its buffer */
		h->snap.bytes = buf_view(&h->snap.own);
	h->loaded = true;
	h->snap_stamped = t->stamped;
	h->snap_serial = t->serial;
	if (ended)
		reply_bytes(t, BYTES(""));
	else
		reply_content(t, &h->snap);
}

/* What is known of the key before it is read, into @t. */
static void facts(const struct handle *h, struct task *t)
{
	const struct place *p = &h->inode->place;
	struct backend_facts f = {0};

	h->m->backend->ops->facts(h->m->backend, p->db, p->key, &f);
	t->stamped = f.stamped;
	t->serial = f.serial;
}

/* A reader keeps what it began to read: it looks again at the start and past the end, if the key may have changed. Who writes as well
 * sees what was written. */
static bool snapshot_holds(const struct handle *h, struct task *t)
{
	if (!h->loaded)
		return false;
	if (t->off > 0 && !for_writing(h->flags) &&
	    (t->off < content_size(&h->snap) || h->inode->place.kind->keyless))
		return true;
	facts(h, t);
	bool same = t->stamped && h->snap_stamped && t->serial == h->snap_serial;
	return same && h->inode->place.kind->type; /* seconds go by without a change */
}

static void read_key(struct task *t, struct handle *h)
{
	const struct file_ops *ops = place_ops(&h->inode->place);

	if (!h->inode->listed && h->loaded) {
		reply_content(t, &h->snap);
		return;
	}
	if (snapshot_holds(h, t)) {
		reply_content(t, &h->snap);
		return;
	}
	if (!h->loaded)
		facts(h, t);
	if (!ops->load || !h->inode->listed) {
		ops_reply_err(t, ops->load ? ENOENT : EINVAL);
		return;
	}
	t->at = h->inode->place;
	t->reading = true;
	task_then(t, read_loaded);
	ops->load(t);
}

/* A reader whose file lost its name in the middle of it keeps what it began to read. */
static bool goes_on(const struct handle *h, uint64_t off)
{
	return h->loaded && !h->inode->listed && !for_writing(h->flags) && off > 0 &&
	       off < content_size(&h->snap);
}

static void reply_orphan(struct task *t, struct handle *h)
{
	handle_drop_read(h);
	reply_bytes(t, buf_view(&h->inode->scratch->data));
}

static void read_from(struct task *t, struct handle *h)
{
	handle_refresh(h);
	if (h->ctl)
		ctl_read(h->ctl, t);
	else if (h->tap)
		tap_read(h->tap, t);
	else if (h->inode->scratch && !goes_on(h, t->off))
		reply_orphan(t, h);
	else if (h->staged)
		reply_bytes(t, handle_staged(h));
	else if (h->inode->place.node == NODE_SCRATCH)
		reply_bytes(t, BYTES(""));
	else
		read_key(t, h);
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct handle *h = ops_handle(fi);
	struct task *t = ops_inode(req, ino);

	if (!t)
		return;
	t->handle = h;
	t->off = (uint64_t)off;
	t->size = size;
	t->flags = fi->flags;
	t->sliced = true;
	if (off < 0)
		ops_reply_err(t, EINVAL);
	else if (h->inode->edition)
		editions_read(t, h->inode);
	else
		read_from(t, h);
}

/* --- closing --- */

/* The shell flushes right after opening, before any write: only a write makes this a commit. */
void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct handle *h = ops_handle(fi);
	struct task *t = ops_inode(req, ino);

	if (!t)
		return;
	task_then(t, ops_reply_err);
	if (h->staged && h->written)
		handle_commit(h, t);
	else if (h->partial.n && t->at.kind->tap && task_raw(t)) /* one element, one message */
		handle_finish_line(h, t);
	else
		task_end(t, 0);
}

static void settled(void *arg, int err)
{
	task_end(arg, err == EFBIG ? ENOSPC : err);
}

static void settle(struct task *t, int err)
{
	struct backend *b = t->m->backend;

	if (err)
		task_end(t, err);
	else
		b->ops->settle(b, settled, t);
}

void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct handle *h = ops_handle(fi);
	struct task *t = ops_inode(req, ino);

	(void)datasync;
	if (!t)
		return;
	t->at = h->inode->place;
	task_then(t, ops_reply_err);
	task_then(t, settle);
	if (h->staged)
		handle_commit(h, t);
	else
		handle_finish_line(h, t);
}

static void released(struct task *t, int err)
{
	handle_free(t->handle);
	(void)err; /* nobody hears it */
	ops_reply_err(t, 0);
}

void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct handle *h = ops_handle(fi);

	(void)ino;
	if (!h->staged && !h->partial.n) { /* nothing is left to be stored */
		handle_free(h);
		fuse_reply_err(req, 0);
		return;
	}
	struct task *t = task_new(mount_of(req), req, h->inode);
	t->handle = h;
	task_then(t, released);
	if (h->staged)
		handle_commit(h, t);
	else
		handle_finish_line(h, t);
}

/* --- directories --- */

void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct task *t = ops_inode(req, ino);

	if (!t)
		return;
	t->flags = fi->flags;
	struct handle *h = new_handle(t);
	h->dir = dir_open(t->m, h->inode);
	fi->fh = (uintptr_t)h;
	if (fuse_reply_open(req, fi) != 0)
		handle_free(h);
	task_free(t);
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct task *t = ops_inode(req, ino);

	if (!t)
		return;
	t->handle = ops_handle(fi);
	t->off = (uint64_t)off;
	t->size = size;
	if (off < 0)
		ops_reply_err(t, EINVAL);
	else
		dir_read(t->handle->dir, t);
}

void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct handle *h = ops_handle(fi);

	(void)ino;
	handle_free(h);
	fuse_reply_err(req, 0);
}
