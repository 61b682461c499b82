/* resp/sessions/pause.c - see pause.h. */
#include "resp/sessions/pause.h"

#include <utlist.h>

#include "resp/command.h"
#include "resp/net/loop.h"
#include "resp/server.h"
#include "store/base/mem.h"

/* Longer pauses are cut to this, a century and more: the loop counts in microseconds. */
#define PAUSE_MAX_MS 4000000000000

struct pause {
	struct server *server;
	bool all;
	int64_t end_us;
	struct loop_timer *timer;
	struct pause_waiter *waiters; /* in order of arrival */
	size_t sessions;
};

/* A session among the waiters. */
struct postponed {
	struct pause_waiter waiter;
	struct session *session;
};

static void freeze(struct server *server, bool frozen)
{
	server->keyspace->expiry_frozen = frozen || server->loading;
}

static void finish(struct pause *p)
{
	struct server *server = p->server;
	/* What goes on may pause again. */
	server->pause = NULL;
	freeze(server, false);
	while (p->waiters) {
		struct pause_waiter *w = p->waiters;
		DL_DELETE(p->waiters, w);
		w->go_on(w->arg);
	}
	mem_free(p);
	loop_again(server->loop);
}

static int64_t tick(void *arg)
{
	struct pause *p = arg;
	int64_t left = p->end_us - loop_now_us(p->server->loop);
	if (left > 0) {
		freeze(p->server, true);
		return (left + 999) / 1000;
	}
	finish(p);
	return -1;
}

void pause_begin(struct server *server, int64_t ms, bool all)
{
	struct pause *p = server->pause;
	int64_t end = loop_now_us(server->loop) + (ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS) * 1000;
	/* The transaction that this may stand in still removes what it finds past its time: keys freeze behind it. */
	bool inside = server->running > 1;
	if (!p) {
		if (ms <= 0)
			return;
		p = server->pause = mem_calloc(sizeof(*p));
		p->server = server;
	} else {
		loop_timer_remove(p->timer);
	}
	p->all |= all;
	if (end > p->end_us)
		p->end_us = end;
	int64_t left = (p->end_us - loop_now_us(server->loop) + 999) / 1000;
	p->timer = loop_timer_add(server->loop, inside || left < 0 ? 0 : left, tick, p);
	if (!inside)
		freeze(server, true);
}

void pause_end(struct server *server)
{
	if (!server->pause)
		return;
	loop_timer_remove(server->pause->timer);
	finish(server->pause);
}

/* --- waiting --- */

bool pause_stops(const struct server *server, uint32_t flags)
{
	return server->pause->all || flags & (CMD_WRITE | CMD_MAY_REPLICATE);
}

void pause_wait(struct server *server, struct pause_waiter *w)
{
	w->pause = server->pause;
	DL_APPEND(w->pause->waiters, w);
}

void pause_forget(struct pause_waiter *w)
{
	DL_DELETE(w->pause->waiters, w);
}

static void session_goes_on(void *arg)
{
	struct postponed *w = arg;
	struct session *s = w->session;
	s->postponed = NULL;
	mem_free(w);
	s->ops->unpark(s);
}

bool pause_hold(struct session *s)
{
	if (!s->ops->park)
		return false;
	struct postponed *w = mem_alloc(sizeof(*w));
	w->waiter = (struct pause_waiter){.go_on = session_goes_on, .arg = w};
	w->session = s;
	pause_wait(s->server, &w->waiter);
	s->server->pause->sessions++;
	s->postponed = w;
	s->flags |= SESSION_HELD;
	s->ops->park(s);
	return true;
}

void pause_leave(struct session *s)
{
	if (!s->postponed)
		return;
	s->postponed->waiter.pause->sessions--;
	pause_forget(&s->postponed->waiter);
	mem_free(s->postponed);
	s->postponed = NULL;
}

/* --- figures --- */

struct pause_figures pause_figures(const struct server *server)
{
	const struct pause *p = server->pause;
	if (!p)
		return (struct pause_figures){0};
	int64_t left = p->end_us - loop_now_us(server->loop);
	return (struct pause_figures){.on = true,
				      .all = p->all,
				      .ms_left = left > 0 ? left / 1000 : 0,
				      .waiting = p->sessions};
}
