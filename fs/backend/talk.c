/* Sessions of open files. Whatever comes to one while none of its own commands runs, an answer that was waited for or a push, waits for
 * the next turn of the loop: it is composed in pieces, and inside other sessions' commands. */
#include <stdio.h>
#include <utlist.h>

#include "fs/backend/local.h"
#include "resp/changes.h"
#include "resp/item.h"
#include "resp/log.h"
#include "resp/net/loop.h"
#include "resp/sessions/blocking.h"
#include "resp/sessions/pause.h"
#include "resp/sessions/pubsub.h"
#include "resp/sessions/transaction.h"
#include "store/base/mem.h"

struct backend_talk {
	struct backend_local *home;
	struct session session;
	struct reply reply;
	backend_done push;
	void *arg;
	backend_done done; /* of the command that waits, or NULL */
	void *done_arg;
	struct dispatch_item
		held; /* the command, while it waits for the end of a pause (argc not 0) */
	bool busy;    /* its own command is running */
	bool closed;  /* by QUIT, CLIENT KILL or the output limits */
	bool told;    /* ... its owner knows, and the session is no more */
	bool woken;
	struct backend_talk *prev, *next; /* home->woken */
	size_t backlog;                   /* bytes that wait to be read */
	int64_t soft_since_ms;            /* above the soft limit, 0 when not */
};

static struct backend_talk *talk_of(struct session *s)
{
	return (struct backend_talk *)(void *)((char *)s - offsetof(struct backend_talk, session));
}

/* --- what came in between --- */

/* Hand over all of the reply; the owner may run another command meanwhile. */
static void hand_over(struct backend_talk *t, backend_done done, void *arg)
{
	struct reply out = t->reply;

	reply_init(&t->reply, out.proto);
	t->reply.muted = out.muted;
	backend_deliver(&out, NULL, done, arg);
	reply_fini(&out);
}

static void leave(struct backend_talk *t)
{
	t->told = true;
	session_close(&t->session);
}

static void tell_closed(struct backend_talk *t)
{
	backend_done done = t->done ? t->done : t->push;
	void *arg = t->done ? t->done_arg : t->arg;

	t->done = NULL;
	leave(t);
	done(arg, NULL);
}

static void drop_held(struct backend_talk *t)
{
	if (t->held.argc)
		item_drop(&t->held);
	t->held.argc = 0;
}

/* Run @item, or keep a copy of it until a pause is over. True when it was answered. */
static bool run(struct backend_talk *t, struct dispatch_item *item)
{
	struct session *s = &t->session;

	t->busy = true;
	dispatch_batch(t->home->server, item, 1);
	if (item->state == ITEM_HELD && !item_copy(&t->held, item)) {
		pause_leave(s);
		s->flags &= ~(uint32_t)SESSION_HELD;
		item->state = ITEM_DONE;
		reply_error(&t->reply, "OOM command not allowed when used memory > 'maxmemory'.");
	}
	t->busy = false;
	changes_settle(t->home->server->changes, t->home->server->running);
	return item->state == ITEM_DONE;
}

/* The pause is over. True when the command was answered. */
static bool run_held(struct backend_talk *t)
{
	struct dispatch_item item = t->held;

	t->held.argc = 0;
	t->session.flags &= ~(uint32_t)SESSION_HELD;
	item.state = ITEM_DONE;
	bool answered = run(t, &item);
	item_drop(&item);
	return answered;
}

static void tell(struct backend_talk *t)
{
	backend_done done = t->done;
	bool waits = t->session.parking || t->session.postponed;

	if (done && !waits && !t->closed && t->held.argc)
		waits = !run_held(t);
	if (done && !waits) { /* before all else: it may have taken something */
		t->session.flags &= ~(uint32_t)SESSION_HELD;
		t->done = NULL;
		hand_over(t, done, t->done_arg);
	} else if (reply_pending(&t->reply)) {
		hand_over(t, t->push, t->arg);
	}
	if (t->closed && !t->told)
		tell_closed(t);
}

static int64_t tell_all(void *arg)
{
	struct backend_local *l = arg;

	l->timer = NULL;
	changes_settle(l->server->changes, false);
	while (l->woken) {
		struct backend_talk *t = l->woken;
		DL_DELETE(l->woken, t);
		t->woken = false;
		tell(t);
	}
	return -1;
}

static void wake(struct backend_talk *t)
{
	struct backend_local *l = t->home;

	if (t->woken)
		return;
	t->woken = true;
	DL_APPEND(l->woken, t);
	if (!l->timer)
		l->timer = loop_timer_add(l->server->loop, 0, tell_all, l);
}

/* --- what the session asks for --- */

static void session_wants_close(struct session *s, bool now)
{
	struct backend_talk *t = talk_of(s);

	(void)now;
	t->closed = true;
	if (!t->busy)
		wake(t);
}

static void session_woken(struct session *s)
{
	if (!talk_of(s)->busy)
		wake(talk_of(s));
}

static void session_parked(struct session *s)
{
	(void)s; /* talk_run sees it */
}

static void session_unparked(struct session *s)
{
	wake(talk_of(s));
}

static void figures(const struct session *s, struct session_figures *out)
{
	const struct backend_talk *t = talk_of((struct session *)(uintptr_t)s);

	out->fd = -1;
	out->argv_mem = blocking_mem(s);
	out->multi_mem = transaction_input(s);
	out->omem = t->backlog;
	out->tot_mem = sizeof(*t) + reply_mem(&t->reply) + t->backlog + blocking_mem(s) +
		       transaction_mem(s) + pubsub_mem(s);
	snprintf(out->events, sizeof(out->events), "r");
}

static const struct session_ops talk_session_ops = {
	.close = session_wants_close,
	.wake = session_woken,
	.peer = backend_name_peer,
	.local = backend_name_local,
	.park = session_parked,
	.unpark = session_unparked,
	.figures = figures,
};

/* --- what the owner asks for --- */

struct backend_talk *talk_open(struct backend *b, unsigned db, const char *name, backend_done push,
			       void *arg)
{
	struct backend_local *l = (struct backend_local *)b;
	struct backend_talk *t = mem_calloc(sizeof(*t));

	t->home = l;
	t->push = push;
	t->arg = arg;
	reply_init(&t->reply, 2);
	t->session.mount = l->session.mount;
	session_open(&t->session, l->server, &t->reply, &talk_session_ops,
		     SESSION_AUTHENTICATED | SESSION_MOUNT);
	t->session.db = &l->server->keyspace->dbs[db];
	t->session.name = mem_dup(name, strlen(name) + 1);
	return t;
}

static bool is_over(const struct backend_talk *t)
{
	return t->closed || (t->session.flags & (SESSION_CLOSE_AFTER_REPLY | SESSION_CLOSE_ASAP));
}

bool talk_run(struct backend_talk *t, int argc, const struct bytes *argv, backend_done done,
	      void *arg)
{
	struct dispatch_item item = {
		.session = &t->session, .argc = argc, .argv = argv, .big = true};

	if (is_over(t) || t->done)
		return false;
	if (reply_pending(&t->reply))
		hand_over(t, t->push, t->arg);
	if (run(t, &item)) {
		hand_over(t, done, arg);
	} else {
		t->done = done;
		t->done_arg = arg;
	}
	return true;
}

bool talk_cancel(struct backend_talk *t)
{
	if (!t->done || t->told || !(t->session.parking || t->session.postponed))
		return false;
	blocking_leave(&t->session);
	pause_leave(&t->session);
	drop_held(t);
	t->session.flags &= ~(uint32_t)SESSION_HELD;
	t->done = NULL;
	return true;
}

void talk_hear(struct backend_talk *t)
{
	if (!t->woken)
		return;
	DL_DELETE(t->home->woken, t);
	t->woken = false;
	tell(t);
}

bool talk_listens(const struct backend_talk *t)
{
	return !is_over(t) && t->session.flags & (SESSION_PUBSUB | SESSION_MONITOR);
}

static void cut_off(struct backend_talk *t)
{
	struct server *s = t->home->server;
	struct reply text;
	struct iovec iov[4];
	size_t n;
	char line[1024] = "";

	reply_init(&text, 2);
	session_describe(&t->session, &text);
	if (reply_iov(&text, iov, 4, &n) > 0)
		snprintf(line, sizeof(line), "%.*s", (int)iov[0].iov_len,
			 (const char *)iov[0].iov_base);
	reply_fini(&text);
	log_line(&s->config.log, LOG_LEVEL_WARNING,
		 "Client %s scheduled to be closed ASAP for overcoming of output buffer limits.",
		 line);
	s->stats.client_output_buffer_limit_disconnections++;
	t->session.flags |= SESSION_CLOSE_ASAP;
	t->closed = true;
}

bool talk_backlog(struct backend_talk *t, size_t bytes)
{
	int class = t->session.flags & SESSION_PUBSUB ? OBUF_PUBSUB : OBUF_NORMAL;
	const struct config_obuf_limit *limit = &t->home->server->config.obuf[class];
	int64_t now = loop_clock_ms(t->home->server->loop);

	t->backlog = bytes;
	if (t->closed)
		return false;
	bool over = limit->hard && bytes > limit->hard;
	if (!limit->soft || bytes <= limit->soft)
		t->soft_since_ms = 0;
	else if (!t->soft_since_ms)
		t->soft_since_ms = now;
	else if (config_obuf_too_long(limit, now - t->soft_since_ms))
		over = true;
	if (!over)
		return true;
	cut_off(t);
	leave(t);
	return false;
}

void talk_close(struct backend_talk *t)
{
	if (t->woken)
		DL_DELETE(t->home->woken, t);
	if (!t->told)
		session_close(&t->session);
	drop_held(t);
	reply_fini(&t->reply);
	mem_free(t);
}
