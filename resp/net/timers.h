/* resp/net/timers.h - the loop's timers: a heap by due time. The loop's own part; others use loop.h. */
#ifndef RESP_NET_TIMERS_H
#define RESP_NET_TIMERS_H

#include <stddef.h>
#include <stdint.h>

struct loop_timer;

struct timers {
	struct loop_timer **heap;
	size_t n, cap;
	struct loop_timer
		*running; /* whose function is being called, out of the heap for that time */
};

struct loop_timer *timers_add(struct timers *ts, int64_t due_us, int64_t (*fn)(void *arg),
			      void *arg);
void timers_remove(struct loop_timer *t);
void timers_fini(struct timers *ts);

/* When the first is due, -1 when there is none. */
int64_t timers_next(const struct timers *ts);
/* Run those that are due at @now_us, each at most once. */
void timers_run(struct timers *ts, int64_t now_us);

#endif
