/* resp/net/loop.c - see loop.h. */
#include "resp/net/loop.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "resp/net/spin.h"
#include "resp/net/timers.h"
#include "resp/ticks.h"
#include "store/base/clock.h"
#include "store/base/mem.h"

#define EVENTS_MAX 256
#define HOOKS_MAX  8

struct loop_fd {
	struct loop *loop;
	int fd;
	enum loop_class cls;
	bool nested;
	unsigned events;
	void (*fn)(void *arg, unsigned events); /* NULL once removed */
	void *arg;
	struct loop_fd *next_dead;
};

struct hook {
	void (*fn)(void *arg);
	void *arg;
};

struct posted {
	void (*fn)(void *arg);
	void *arg;
	struct posted *next;
};

struct loop {
	int epoll;
	bool stop, again;
	bool served; /* the last turn had something to do */
	unsigned depth;
	int64_t now_us, clock_ms;
	struct hook before[HOOKS_MAX], after[HOOKS_MAX];
	unsigned nbefore, nafter;
	struct timers timers;
	struct loop_fd *dead; /* removed in this turn: a fetched event may still name them */
	struct spin spin;
	struct loop_stats stats;

	int wake_fd;
	struct loop_fd *wake;
	pthread_mutex_t lock; /* of the two below */
	struct posted *posted, **posted_tail;
};

static void read_clocks(struct loop *l)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	l->now_us = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
	clock_gettime(CLOCK_REALTIME, &ts);
	l->clock_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void run_posted(void *arg, unsigned events)
{
	struct loop *l = arg;
	(void)events;
	uint64_t count;
	if (read(l->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	pthread_mutex_lock(&l->lock);
	struct posted *p = l->posted;
	l->posted = NULL;
	l->posted_tail = &l->posted;
	pthread_mutex_unlock(&l->lock);
	while (p) {
		struct posted *next = p->next;
		p->fn(p->arg);
		free(p);
		p = next;
	}
}

struct loop *loop_new(void)
{
	struct loop *l = mem_calloc(sizeof(*l));
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->epoll < 0 || l->wake_fd < 0) {
		perror("inodis: cannot create the event loop");
		exit(1);
	}
	pthread_mutex_init(&l->lock, NULL);
	l->posted_tail = &l->posted;
	spin_init(&l->spin);
	read_clocks(l);
	l->wake = loop_fd_add(l, l->wake_fd, LOOP_NORMAL, LOOP_READ, run_posted, l);
	return l;
}

static void bury(struct loop *l)
{
	while (l->dead) {
		struct loop_fd *f = l->dead;
		l->dead = f->next_dead;
		mem_free(f);
	}
}

void loop_free(struct loop *l)
{
	loop_fd_remove(l->wake);
	bury(l);
	timers_fini(&l->timers);
	spin_fini(&l->spin);
	while (l->posted) {
		struct posted *p = l->posted;
		l->posted = p->next;
		free(p);
	}
	pthread_mutex_destroy(&l->lock);
	close(l->wake_fd);
	close(l->epoll);
	mem_free(l);
}

/* --- descriptors --- */

static uint32_t epoll_events(unsigned events)
{
	return (events & LOOP_READ ? (uint32_t)EPOLLIN : 0) |
	       (events & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0);
}

struct loop_fd *loop_fd_add(struct loop *l, int fd, enum loop_class cls, unsigned events,
			    void (*fn)(void *arg, unsigned events), void *arg)
{
	struct loop_fd *f = mem_calloc(sizeof(*f));
	*f = (struct loop_fd){
		.loop = l, .fd = fd, .cls = cls, .events = events, .fn = fn, .arg = arg};
	struct epoll_event ev = {.events = epoll_events(events), .data.ptr = f};
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) < 0) {
		int saved = errno;
		mem_free(f);
		errno = saved;
		return NULL;
	}
	l->stats.fds++;
	return f;
}

void loop_fd_events(struct loop_fd *f, unsigned events)
{
	if (f->events == events || f->fn == NULL)
		return;
	f->events = events;
	struct epoll_event ev = {.events = epoll_events(events), .data.ptr = f};
	epoll_ctl(f->loop->epoll, EPOLL_CTL_MOD, f->fd, &ev);
}

void loop_fd_nested(struct loop_fd *f)
{
	f->nested = true;
}

void loop_fd_remove(struct loop_fd *f)
{
	struct loop *l = f->loop;
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, f->fd, NULL);
	f->fn = NULL;
	f->next_dead = l->dead;
	l->dead = f;
	l->stats.fds--;
	spin_forget(&l->spin, f);
}

/* --- timers, hooks, posts --- */

struct loop_timer *loop_timer_add(struct loop *l, int64_t ms, int64_t (*fn)(void *arg), void *arg)
{
	return timers_add(&l->timers, l->now_us + ms * 1000, fn, arg);
}

void loop_timer_remove(struct loop_timer *t)
{
	timers_remove(t);
}

static void add_hook(struct hook *hooks, unsigned *n, void (*fn)(void *arg), void *arg)
{
	if (*n == HOOKS_MAX)
		abort();
	hooks[(*n)++] = (struct hook){fn, arg};
}

void loop_before_wait(struct loop *l, void (*fn)(void *arg), void *arg)
{
	add_hook(l->before, &l->nbefore, fn, arg);
}

void loop_after_wait(struct loop *l, void (*fn)(void *arg), void *arg)
{
	add_hook(l->after, &l->nafter, fn, arg);
}

void loop_again(struct loop *l)
{
	l->again = true;
}

void loop_post(struct loop *l, void (*fn)(void *arg), void *arg)
{
	/* Any thread may come here: plain malloc, which the engine's count leaves out. */
	struct posted *p = malloc(sizeof(*p));
	if (p == NULL)
		abort();
	*p = (struct posted){fn, arg, NULL};
	pthread_mutex_lock(&l->lock);
	*l->posted_tail = p;
	l->posted_tail = &p->next;
	pthread_mutex_unlock(&l->lock);
	uint64_t one = 1;
	if (write(l->wake_fd, &one, sizeof(one)) < 0) {
		/* Only a full counter can refuse, and then the loop is awake. */
	}
}

void loop_busy_poll(struct loop *l, unsigned usec)
{
	l->spin.limit_us = usec;
}

int64_t loop_now_us(const struct loop *l)
{
	return l->now_us;
}

int64_t loop_clock_ms(const struct loop *l)
{
	return l->clock_ms;
}

void loop_stats(const struct loop *l, struct loop_stats *out)
{
	*out = l->stats;
	out->spins = l->spin.spins;
	out->spin_hits = l->spin.hits;
}

/* --- a turn --- */

/* Milliseconds that epoll may sleep, -1 without bound. The turn's clock will do: timers tolerate a turn's length. */
static int sleep_ms(struct loop *l)
{
	int64_t due = timers_next(&l->timers);
	if (due < 0)
		return -1;
	int64_t left = (due - l->now_us + 999) / 1000;
	return left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
}

/* Poll without sleeping for as long as it pays. */
static int poll_awake(struct loop *l, struct epoll_event *ev)
{
	int64_t start = clock_us(), now = start;
	int64_t due = timers_next(&l->timers);
	int n;
	do {
		/* The one whose request we wait for may have been woken onto this very core: let it run. */
		sched_yield();
		n = epoll_wait(l->epoll, ev, EVENTS_MAX, 0);
		now = clock_us();
	} while (n == 0 && now - start < (int64_t)l->spin.limit_us && (due < 0 || now < due));
	spin_count(&l->spin, n > 0, now);
	return n;
}

static int wait_events(struct loop *l, struct epoll_event *ev, bool may_sleep)
{
	int n = 0;
	if (!may_sleep || l->again || l->stop) {
		n = epoll_wait(l->epoll, ev, EVENTS_MAX, 0);
	} else {
		if (l->served && spin_pays(&l->spin, l->now_us))
			n = poll_awake(l, ev);
		if (n == 0)
			n = epoll_wait(l->epoll, ev, EVENTS_MAX, sleep_ms(l));
	}
	l->again = false;
	return n < 0 ? 0 : n;
}

static unsigned ready_events(const struct loop_fd *f, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP))
		return LOOP_READ | LOOP_WRITE;
	return ((events & EPOLLIN ? LOOP_READ : 0) | (events & EPOLLOUT ? LOOP_WRITE : 0)) &
	       f->events;
}

static void serve(struct loop *l, struct epoll_event *ev, int n, enum loop_class cls)
{
	for (int i = 0; i < n; i++) {
		struct loop_fd *f = ev[i].data.ptr;
		if (f->cls != cls || f->fn == NULL)
			continue;
		spin_note(&l->spin, f);
		unsigned ready = ready_events(f, ev[i].events);
		if (ready)
			f->fn(f->arg, ready);
	}
}

static void turn(struct loop *l, bool may_sleep)
{
	struct epoll_event ev[EVENTS_MAX];
	l->depth++;
	int n = wait_events(l, ev, may_sleep);
	uint64_t began = ticks_now();
	read_clocks(l);
	l->stats.turns++;
	l->served = n > 0;
	for (unsigned i = 0; i < l->nafter; i++)
		l->after[i].fn(l->after[i].arg);
	serve(l, ev, n, LOOP_FIRST);
	serve(l, ev, n, LOOP_NORMAL);
	timers_run(&l->timers, l->now_us);
	for (unsigned i = 0; i < l->nbefore; i++)
		l->before[i].fn(l->before[i].arg);
	if (--l->depth == 0) {
		l->stats.busy_ticks += ticks_now() - began;
		bury(l);
	}
}

void loop_run(struct loop *l)
{
	while (!l->stop)
		turn(l, true);
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}

void loop_turn_nowait(struct loop *l)
{
	turn(l, false);
}

void loop_turn_nested(struct loop *l)
{
	struct epoll_event ev[EVENTS_MAX];

	l->depth++;
	int n = epoll_wait(l->epoll, ev, EVENTS_MAX, 0);
	for (int i = 0; i < n; i++) {
		struct loop_fd *f = ev[i].data.ptr;
		unsigned ready = f->fn && f->nested ? ready_events(f, ev[i].events) : 0;
		if (ready)
			f->fn(f->arg, ready);
	}
	if (--l->depth == 0)
		bury(l);
}
