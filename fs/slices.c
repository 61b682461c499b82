#include "fs/slices.h"

#include <stddef.h>
#include <utlist.h>

#include "resp/net/loop.h"

static void run(void *arg);

static void post(struct slices *q)
{
	if (q->first && !q->posted)
		loop_post(q->loop, run, q);
	q->posted = q->posted || q->first;
}

/* Each that waits by now, until the turn is over. */
static void run(void *arg)
{
	struct slices *q = arg;
	int64_t before = q->spent_usec;

	q->posted = false;
	q->turn++;
	while (q->first && q->first->since != q->turn &&
	       q->spent_usec - before < SLICES_TURN_USEC) {
		struct slice *s = q->first;
		slices_remove(q, s);
		s->go_on(s);
	}
	post(q);
}

void slices_add(struct slices *q, struct slice *s)
{
	if (s->waits)
		return;
	s->waits = true;
	s->since = q->turn;
	DL_APPEND(q->first, s);
	post(q);
}

void slices_remove(struct slices *q, struct slice *s)
{
	if (!s->waits)
		return;
	s->waits = false;
	DL_DELETE(q->first, s);
}

void slices_end(struct slices *q)
{
	while (q->first) {
		struct slice *s = q->first;
		slices_remove(q, s);
		s->give_up(s);
	}
}
