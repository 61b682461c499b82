/* resp/persist/aof/waiters.c - who is called when a batch is written, or on the disk. See aof.h. */
#include <utlist.h>

#include "resp/persist/aof/internal.h"
#include "store/base/mem.h"

static void add_waiter(struct aof *a, uint64_t batch, bool disk, void (*fn)(void *arg, int error),
		       void *arg)
{
	struct aof_waiter *w = mem_alloc(sizeof(*w));

	*w = (struct aof_waiter){.batch = batch, .disk = disk, .fn = fn, .arg = arg};
	DL_APPEND(a->waiters, w);
	a->hurry |= disk;
}

static void call_waiter(struct aof *a, struct aof_waiter *w, int error)
{
	DL_DELETE(a->waiters, w);
	w->fn(w->arg, error);
	mem_free(w);
}

/* What is called may add others, behind. */
void aof_serve_waiters(struct aof *a)
{
	struct server *s = a->server;
	struct aof_waiter *w, *next;
	int error = a->write_error ? a->write_error : a->sync_error;

	a->hurry = false;
	DL_FOREACH_SAFE(a->waiters, w, next)
	{
		if (w->batch <= (w->disk ? s->synced : s->durable))
			call_waiter(a, w, 0);
		else if (error)
			call_waiter(a, w, error);
		else
			a->hurry |= w->disk;
	}
}

void aof_await(struct server *s, uint64_t batch, void (*fn)(void *arg, int error), void *arg)
{
	if (!s->aof->on || batch <= s->durable)
		fn(arg, 0);
	else
		add_waiter(s->aof, batch, false, fn, arg);
}

void aof_settle(struct server *s, void (*fn)(void *arg, int error), void *arg)
{
	struct aof *a = s->aof;
	uint64_t batch = a->open.n ? a->batch : a->sent_batch;

	if (!a->on || batch <= s->synced)
		fn(arg, 0);
	else if (a->write_error || a->sync_error)
		fn(arg, a->write_error ? a->write_error : a->sync_error);
	else
		add_waiter(a, batch, true, fn, arg);
}

void aof_release_waiters(struct aof *a)
{
	while (a->waiters)
		call_waiter(a, a->waiters, 0);
}
