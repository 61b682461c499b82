#include "fs/handle.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <utlist.h>

#include "fs/fs.h"
#include "fs/kinds/kinds.h"
#include "fs/listing/dir.h"
#include "fs/ops/ops.h"
#include "fs/waiting/ctl.h"
#include "fs/waiting/tap.h"
#include "store/base/mem.h"

struct handle *handle_new(struct mount *m, struct inode *i, int flags, pid_t pid)
{
	struct handle *h = mem_calloc(sizeof(*h));

	h->m = m;
	h->inode = i;
	h->flags = flags;
	h->pid = pid;
	inode_ref(i);
	i->opens++;
	if (m->inodes.editions.on && (flags & O_ACCMODE) != O_RDONLY) {
		inode_more(i)->writing++;
		h->counted = true;
	}
	DL_APPEND2(m->handles, h, before, after);
	return h;
}

void handle_unstage(struct handle *h)
{
	if (!h->staged)
		return;
	DL_DELETE(h->inode->writers, h);
	landing_forget(h->m, h);
	h->staged = h->in_place = h->unsaved = h->written = false;
	blob_put(h->stage);
	h->stage = NULL;
	h->checked = 0;
}

void handle_created(struct handle *h)
{
	if (h->creating)
		h->inode->creating--;
	h->creating = false;
}

void handle_drop_orphan(struct mount *m, struct inode *i)
{
	if (!i->scratch || i->listed || i->opens)
		return;
	scratch_free(&m->scratches, i->scratch);
	inode_unref(&m->inodes, i);
}

void handle_free(struct handle *h)
{
	DL_DELETE2(h->m->handles, h, before, after);
	handle_unstage(h);
	h->inode->opens--;
	if (h->counted)
		h->inode->more->writing--;
	if (h->inode->edition)
		editions_closed(h->m, h->inode);
	handle_drop_orphan(h->m, h->inode);
	handle_created(h);
	if (h->polled)
		DL_DELETE2(h->m->polled, h, polled_prev, polled_next);
	if (h->tap)
		tap_close(h->tap);
	if (h->ctl)
		ctl_close(h->ctl);
	parked_end(&h->parked, EIO);
	parked_set_poll(&h->parked, NULL);
	if (h->dir)
		dir_close(h->dir);
	content_free(&h->snap);
	mem_free(h->follow);
	buf_free(&h->seen);
	buf_free(&h->partial);
	inode_unref(&h->m->inodes, h->inode);
	mem_free(h);
}

void handle_drop_read(struct handle *h)
{
	content_free(&h->snap);
	h->loaded = false;
}

void handles_free(struct mount *m)
{
	while (m->handles)
		handle_free(m->handles);
}

void handle_stage(struct handle *h)
{
	handle_unstage(h);
	h->staged = true;
	h->unsaved = true;
	DL_APPEND(h->inode->writers, h);
}

struct bytes handle_staged(const struct handle *h)
{
	return h->stage ? blob_bytes(h->stage) : BYTES("");
}

/* The process of a thread, 0 when it has gone. */
static pid_t process_of(pid_t thread)
{
	char path[48], text[1024], *at;
	ssize_t n = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)thread);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n <= 0)
		return 0;
	text[n] = '\0';
	at = strstr(text, "\nTgid:");
	return at ? (pid_t)strtol(at + 6, NULL, 10) : 0;
}

const struct handle *handle_of_writer(const struct inode *i, pid_t pid)
{
	const struct handle *found = NULL;
	pid_t process = 0;

	for (const struct handle *h = i->writers; h; h = h->next) {
		if (!h->unsaved || !pid)
			continue;
		if (h->pid != pid && !process)
			process = process_of(pid);
		if (h->pid == pid || h->pid == process ||
		    (process && process_of(h->pid) == process))
			found = h;
	}
	return found;
}

/* Room for @size bytes in a stage that nobody else reads. */
static int stage_room(struct handle *h, uint64_t size)
{
	struct backend *b = h->m->backend;
	uint64_t max = b->ops->max_value(b);
	size_t cap = h->stage ? h->stage->cap : 0, want = cap;
	const char *refusal = NULL;

	if (size > max)
		return EFBIG;
	if (size > cap)
		want = blob_room(cap, size);
	if (want > cap && want > max)
		want = max;
	if (want > cap && want >= 64 * 1024)
		refusal = b->ops->refusal(b, want - cap);
	if (refusal && size > cap && size < want) { /* without room for more, then */
		want = size;
		refusal = b->ops->refusal(b, want - cap);
	}
	if (refusal)
		return error_of_line(bytes_str(refusal));
	if (!h->stage) {
		h->stage = blob_try(want);
		return h->stage ? 0 : ENOSPC;
	}
	struct blob *own = blob_own(h->stage, want);
	if (!own)
		return ENOSPC;
	h->stage = own;
	return 0;
}

/* Whether the stage may be stored; of views with lines, the whole lines from @from on. What was there before is put back by the caller when one is bad. */
static bool stage_is_good(struct handle *h, size_t from, size_t *checked)
{
	const struct place *p = &h->inode->place;
	struct bytes text = handle_staged(h);

	if (place_ops(p)->check)
		return place_ops(p)->check(text);
	if (!place_ops(p)->check_lines)
		return true;
	bool ok = p->kind->entry->check_lines(p->kind, bytes_of(text.p + from, text.n - from),
					      false, checked);
	*checked += from;
	return ok;
}

int handle_stage_write(struct handle *h, uint64_t off, struct bytes data)
{
	size_t old = handle_staged(h).n, checked = h->checked;
	uint64_t end = off + data.n;

	h->timed = false;
	if (end < off)
		return EFBIG;
	int err = stage_room(h, end > old ? end : old);
	if (err)
		return err;
	char *p = h->stage->data;
	struct buf undo = {0};
	const struct file_ops *ops = place_ops(&h->inode->place);
	if (off < old && (ops->check_lines || ops->check)) {
		buf_put(&undo, p + off, end < old ? data.n : old - (size_t)off);
		if (undo.failed)
			return ENOSPC;
	}
	if (off > old)
		blob_set_len(h->stage, (size_t)off, 0);
	if (data.n && data.p != p + off)
		memcpy(p + off, data.p, data.n);
	if (end > old)
		h->stage->len = (size_t)end;
	if (stage_is_good(h, off < checked ? 0 : checked, &checked)) {
		h->checked = checked;
		h->unsaved = h->written = true;
	} else {
		if (undo.n)
			memcpy(p + off, undo.p, undo.n);
		blob_set_len(h->stage, old, 0);
		err = EINVAL;
	}
	buf_free(&undo);
	return err;
}

struct blob *handle_stage_ahead(struct handle *h, size_t n)
{
	const struct inode *i = h->inode;
	struct blob *b = h->stage;

	if (!h->staged || !h->unsaved || h->failed || h->in_place || !b || b->refs > 1 ||
	    i->scratch || i->place.node == NODE_SCRATCH)
		return NULL;
	if (b->cap - b->len < n && stage_room(h, b->len + n) != 0)
		return NULL;
	return h->stage;
}

int handle_stage_truncate(struct handle *h, uint64_t size)
{
	size_t old = handle_staged(h).n;

	if (size != old) {
		int err = stage_room(h, size > old ? size : old);
		if (err)
			return err;
		blob_set_len(h->stage, (size_t)size, 0);
	}
	if (size < h->checked)
		h->checked = 0;
	h->unsaved = true;
	return 0;
}

static struct backend_facts facts(const struct handle *h)
{
	struct backend_facts f = {0};
	const struct place *p = &h->inode->place;

	h->m->backend->ops->facts(h->m->backend, p->db, p->key, &f);
	return f;
}

void handle_saved(struct handle *h)
{
	struct backend_facts f = facts(h);

	h->saved_stamped = f.stamped;
	h->saved_serial = f.serial;
}

void handle_refresh(struct handle *h)
{
	if (!h->staged || h->unsaved || h->failed || place_ops(&h->inode->place)->check_lines)
		return;
	struct backend_facts f = facts(h);
	if (!f.stamped || !h->saved_stamped || f.serial != h->saved_serial)
		handle_unstage(h);
}

void handle_go_through(struct handle *h)
{
	if (h->staged && !h->unsaved && !h->failed && h->stage && h->stage->refs > 1 &&
	    h->stage->len >= BLOB_MAPPED && place_ops(&h->inode->place)->patch)
		handle_unstage(h);
}

static void committed(struct task *t, int err)
{
	if (err) {
		t->handle->unsaved = true;
	} else {
		handle_created(t->handle);
		if (t->handle->timed)
			ops_set_time(t->m, &t->at, t->handle->time_ns);
		t->handle->timed = false;
		handle_saved(t->handle);
		if (t->handle->in_place) /* the next write looks again at what the key holds then */
			handle_unstage(t->handle);
	}
	task_end(t, err);
}

void handle_commit(struct handle *h, struct task *t)
{
	t->handle = h;
	if (!h->unsaved || h->failed || !h->inode->listed) {
		h->unsaved = h->written = false;
		task_end(t, 0);
		return;
	}
	h->unsaved = h->written = false;
	t->at = h->inode->place;
	if (h->stage)
		h->stage = blob_trim(h->stage);
	t->data = handle_staged(h);
	t->blob = h->stage;
	t->keep_ttl = false;
	task_then(t, committed);
	place_ops(&t->at)->store(t);
}

/* --- appending --- */

static void appended(struct task *t, int err)
{
	if (!err)
		handle_created(t->handle);
	task_end(t, err);
}

static void append_now(struct handle *h, struct task *t)
{
	const struct file_ops *ops = place_ops(&t->at);

	t->handle = h;
	task_then(t, appended);
	if (ops->append)
		ops->append(t);
	else
		kinds_append(t);
}

/* The rest of a line stays for the next write; only now, since the lines before it were stored. */
static void lines_appended(struct task *t, int err)
{
	struct handle *h = t->handle;

	if (!err) {
		h->partial.n = 0;
		buf_put(&h->partial, t->data.p + t->data.n, t->text.n - t->data.n);
		if (h->partial.failed)
			err = ENOMEM;
	}
	task_end(t, err);
}

void handle_append(struct handle *h, struct task *t)
{
	const struct kind *k = t->at.kind;
	size_t good = 0;

	if (!place_ops(&t->at)->check_lines) {
		append_now(h, t);
		return;
	}
	if (h->partial.n + t->data.n > h->m->backend->ops->max_value(h->m->backend)) {
		task_end(t, EFBIG);
		return;
	}
	buf_bytes(&t->text, buf_view(&h->partial));
	buf_bytes(&t->text, t->data);
	if (t->text.failed || !k->entry->check_lines(k, buf_view(&t->text), false, &good)) {
		task_end(t, t->text.failed ? ENOMEM : EINVAL);
		return;
	}
	t->handle = h;
	t->data = bytes_of(t->text.p, good);
	task_then(t, lines_appended);
	if (good)
		append_now(h, t);
	else
		task_end(t, 0);
}

void handle_finish_line(struct handle *h, struct task *t)
{
	if (!h->partial.n || !h->inode->listed) {
		task_end(t, 0);
		return;
	}
	t->text = h->partial;
	h->partial = (struct buf){0};
	t->data = buf_view(&t->text);
	append_now(h, t);
}
