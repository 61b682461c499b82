/* resp/persist/aof/company.c - how many go into one sync. See internal.h.
 *
 * Clients that wait for their answers before they write again come back together when they are let go together. A sync that waits
 * for them carries all of them; one that does not leaves them two groups of any sizes, each waiting for the other's sync. So they
 * are waited for where they are back sooner than a sync takes. Where they take longer (there is much to do for each, or they have
 * other things to do) the sync of one group goes on meanwhile, and none is lost by beginning it at once.
 */
#include <sys/timerfd.h>
#include <unistd.h>

#include "resp/net/loop.h"
#include "resp/persist/aof/internal.h"
#include "resp/ticks.h"

#define WAIT_MAX_NS UINT64_C(20000000)

/* The loop has woken up, that is all: its hook looks at the time. */
static void on_timer(void *arg, unsigned events)
{
	struct aof_company *c = arg;
	uint64_t times;

	(void)events;
	if (read(c->timer, &times, sizeof(times)) < 0) {
		/* It was set anew in this turn. */
	}
}

void aof_company_init(struct aof *a)
{
	struct aof_company *c = &a->company;

	*c = (struct aof_company){
		.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)};
	if (c->timer < 0)
		return;
	c->watch = loop_fd_add(a->server->loop, c->timer, LOOP_NORMAL, LOOP_READ, on_timer, c);
	if (c->watch)
		return;
	close(c->timer);
	c->timer = -1;
}

void aof_company_fini(struct aof *a)
{
	struct aof_company *c = &a->company;

	if (!c->watch)
		return;
	loop_fd_remove(c->watch);
	close(c->timer);
	c->watch = NULL;
	c->timer = -1;
}

static void wake_after(struct aof_company *c, uint64_t ns)
{
	struct itimerspec t = {.it_value.tv_nsec = (long)ns};

	timerfd_settime(c->timer, 0, &t, NULL);
}

static uint64_t average(uint64_t before, uint64_t now)
{
	return before ? (before * 3 + now) / 4 : now;
}

/* A few may stay away, so that the slowest of many does not keep them all. */
static unsigned most(unsigned n)
{
	return n - n / 8;
}

static void wait_for(struct aof_company *c, unsigned all, uint64_t now)
{
	uint64_t most_ns = c->took * 2 < WAIT_MAX_NS ? c->took * 2 : WAIT_MAX_NS;

	c->wanted = all;
	if (c->timer < 0 || all < 2 || c->open >= c->wanted || c->back > c->took)
		return;
	c->waiting = true;
	c->hurried = false;
	c->since = now;
	c->until = now + most_ns;
	wake_after(c, most_ns);
}

void aof_company_synced(struct aof *a, uint64_t began)
{
	struct aof_company *c = &a->company;
	uint64_t now = ticks_ns();

	c->took = average(c->took, now - began);
	if (c->watched && now - c->let_go > c->back)
		c->back = now - c->let_go;
	wait_for(c, c->sent + c->open, now);
	if (!c->watched && c->sent) {
		c->watched = true;
		c->let_go = now;
		c->missing = most(c->sent);
	}
	c->sent = 0;
}

void aof_company_wrote(struct aof *a)
{
	struct aof_company *c = &a->company;

	c->open++;
	if (!c->watched || --c->missing)
		return;
	c->watched = false;
	c->back = average(c->back, ticks_ns() - c->let_go);
}

bool aof_company_awaited(struct aof *a)
{
	struct aof_company *c = &a->company;

	if (!c->waiting)
		return false;
	uint64_t now = ticks_ns();
	if (c->open >= c->wanted) {
		c->waiting = false;
		wake_after(c, 0); /* never */
	} else if (now >= c->until) {
		c->waiting = false;
	} else if (!c->hurried && c->open >= most(c->wanted)) {
		/* The rest has half as long again. */
		uint64_t more = (now - c->since) / 2 + 1;
		c->hurried = true;
		if (more < c->until - now) {
			c->until = now + more;
			wake_after(c, more);
		}
	}
	return c->waiting;
}
