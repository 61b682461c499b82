/* poll, select and epoll: what waits when it is read says when it would not. Files that never wait are always ready. */
#include <poll.h>
#include <utlist.h>

#include "fs/ops/ops.h"
#include "fs/waiting/ctl.h"
#include "fs/waiting/tap.h"

static void reply_ready(struct task *t, bool readable)
{
	fuse_reply_poll(t->req, (readable ? POLLIN | POLLRDNORM : 0) | POLLOUT | POLLWRNORM);
	task_free(t);
}

static void tap_answered(struct task *t, int err)
{
	reply_ready(t, err || t->number);
}

/* A stream's file is a log: there is something to read once it is longer than what was read. */
static void sized(struct task *t, int err)
{
	reply_ready(t, err || t->found_size > t->handle->read_to);
}

static uint64_t serial_of(const struct handle *h)
{
	struct backend_facts f = {0};

	h->m->backend->ops->facts(h->m->backend, h->inode->place.db, h->inode->place.key, &f);
	return f.serial;
}

static void watch(struct handle *h)
{
	if (!h->polled)
		DL_APPEND2(h->m->polled, h, polled_prev, polled_next);
	h->polled = true;
	h->polled_serial = serial_of(h);
}

static void unwatch(struct handle *h)
{
	if (h->polled)
		DL_DELETE2(h->m->polled, h, polled_prev, polled_next);
	h->polled = false;
}

void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *ph)
{
	struct handle *h = ops_handle(fi);
	struct task *t = ops_inode(req, ino);

	if (!t) {
		if (ph)
			fuse_pollhandle_destroy(ph);
		return;
	}
	const struct place *p = &h->inode->place;
	bool stream = p->node == NODE_ENTRY && p->kind->entry == &stream_ops;
	t->handle = h;
	if (ph) /* without, nobody sleeps on the answer; who does keeps the one of before */
		parked_set_poll(&h->parked, ph);
	if (ph && (stream || (h->tap && !p->kind->keyless)))
		watch(h);
	if (h->tap) {
		task_then(t, tap_answered);
		tap_poll(h->tap, t);
	} else if (h->ctl) {
		reply_ready(t, ctl_ready(h->ctl));
	} else if (stream) {
		task_then(t, sized);
		ops_stat(t);
	} else {
		reply_ready(t, true);
	}
}

void polls_tell(void *mount)
{
	struct mount *m = mount;
	struct handle *h, *next;

	if (!m->polled)
		return;
	uint64_t serial = m->backend->ops->latest_serial(m->backend);
	if (serial == m->polled_serial)
		return;
	m->polled_serial = serial;
	DL_FOREACH_SAFE2(m->polled, h, next, polled_next)
	{
		if (serial_of(h) == h->polled_serial)
			continue;
		unwatch(h);
		parked_notify(&h->parked);
	}
}
