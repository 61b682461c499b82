/* resp/net/timers.c - see timers.h. */
#include "resp/net/timers.h"

#include "store/base/mem.h"

struct loop_timer {
	struct timers *owner;
	int64_t due;
	int64_t (*fn)(void *arg); /* NULL once removed from inside its own call */
	void *arg;
	size_t at; /* place in the heap */
};

static void place(struct timers *ts, size_t i, struct loop_timer *t)
{
	ts->heap[i] = t;
	t->at = i;
}

static void up(struct timers *ts, size_t i, struct loop_timer *t)
{
	for (; i > 0 && ts->heap[(i - 1) / 2]->due > t->due; i = (i - 1) / 2)
		place(ts, i, ts->heap[(i - 1) / 2]);
	place(ts, i, t);
}

static void down(struct timers *ts, size_t i, struct loop_timer *t)
{
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= ts->n)
			break;
		if (child + 1 < ts->n && ts->heap[child + 1]->due < ts->heap[child]->due)
			child++;
		if (ts->heap[child]->due >= t->due)
			break;
		place(ts, i, ts->heap[child]);
		i = child;
	}
	place(ts, i, t);
}

static void push(struct timers *ts, struct loop_timer *t)
{
	if (ts->n == ts->cap) {
		ts->cap = ts->cap ? ts->cap * 2 : 8;
		ts->heap = mem_realloc(ts->heap, ts->cap * sizeof(*ts->heap));
	}
	ts->n++;
	up(ts, ts->n - 1, t);
}

static void take(struct timers *ts, size_t i)
{
	struct loop_timer *last = ts->heap[--ts->n];
	if (i == ts->n)
		return;
	if (i > 0 && ts->heap[(i - 1) / 2]->due > last->due)
		up(ts, i, last);
	else
		down(ts, i, last);
}

struct loop_timer *timers_add(struct timers *ts, int64_t due_us, int64_t (*fn)(void *arg),
			      void *arg)
{
	struct loop_timer *t = mem_alloc(sizeof(*t));
	*t = (struct loop_timer){ts, due_us, fn, arg, 0};
	push(ts, t);
	return t;
}

void timers_remove(struct loop_timer *t)
{
	if (t->owner->running == t) {
		t->fn = NULL;
		return;
	}
	take(t->owner, t->at);
	mem_free(t);
}

void timers_fini(struct timers *ts)
{
	for (size_t i = 0; i < ts->n; i++)
		mem_free(ts->heap[i]);
	mem_free(ts->heap);
}

int64_t timers_next(const struct timers *ts)
{
	return ts->n ? ts->heap[0]->due : -1;
}

void timers_run(struct timers *ts, int64_t now_us)
{
	/* Each at most once a turn: a new due time lies at least a millisecond ahead. A nested turn finds the outer
	 * one's timer out of the heap and leaves it alone. */
	while (ts->n && ts->heap[0]->due <= now_us) {
		struct loop_timer *t = ts->heap[0], *outer = ts->running;
		take(ts, 0);
		ts->running = t;
		int64_t ms = t->fn(t->arg);
		ts->running = outer;
		if (t->fn == NULL || ms < 0) {
			mem_free(t);
			continue;
		}
		t->due = now_us + (ms > 0 ? ms : 1) * 1000;
		push(ts, t);
	}
}
