#include "fs/waiting/parked.h"

#include <utlist.h>

#include "fs/fs.h"

static void interrupted(fuse_req_t req, void *data)
{
	struct task *t = data;
	struct parked *p = t->parked;

	DL_DELETE(p->first, t);
	fuse_reply_err(req, EINTR);
	task_free(t);
	if (p->gave_up)
		p->gave_up(p->arg);
}

void parked_add(struct parked *p, struct task *t)
{
	/* Asked first: a function registered then would be called inside the registration, which must not free the request. */
	if (fuse_req_interrupted(t->req)) {
		fuse_reply_err(t->req, EINTR);
		task_free(t);
		return;
	}
	t->parked = p;
	DL_APPEND(p->first, t);
	fuse_req_interrupt_func(t->req, interrupted, t);
}

struct task *parked_take(struct parked *p)
{
	struct task *t = p->first;

	if (!t)
		return NULL;
	DL_DELETE(p->first, t);
	fuse_req_interrupt_func(t->req, NULL, NULL);
	return t;
}

void parked_end(struct parked *p, int err)
{
	struct task *t;

	while ((t = parked_take(p))) {
		fuse_reply_err(t->req, err);
		task_free(t);
	}
	parked_notify(p);
}

void parked_set_poll(struct parked *p, struct fuse_pollhandle *ph)
{
	if (p->poll)
		fuse_pollhandle_destroy(p->poll);
	p->poll = ph;
}

void parked_notify(struct parked *p)
{
	struct fuse_pollhandle *ph = p->poll;

	if (!ph)
		return;
	p->poll = NULL;
	fuse_lowlevel_notify_poll(ph);
	fuse_pollhandle_destroy(ph);
}
