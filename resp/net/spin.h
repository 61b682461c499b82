/* resp/net/spin.h - whether polling without sleep pays just now. The loop's own part.
 *
 * Staying awake saves a lone client the time the kernel takes to wake us. It costs cpu where many clients keep
 * us busy anyway (each poll then finds one request where a sleep would have collected several), and it robs others of the
 * core where the machine has more to run than cores. So it is done only while few descriptors are active, while most spins
 * find work, and while nothing else waits for the core.
 */
#ifndef RESP_NET_SPIN_H
#define RESP_NET_SPIN_H

#include <stdbool.h>
#include <stdint.h>

#define SPIN_RECENT 16

struct spin {
	unsigned limit_us; /* busy_poll_usec, 0 for never */
	uint64_t spins, hits;
	const void *recent[SPIN_RECENT]; /* descriptors served last */
	unsigned at;
	bool few; /* distinct ones among them are few */
	unsigned window, window_hits;
	int64_t pause_us;   /* how long to stay away after the next failure */
	int64_t resume_us;  /* no spinning before */
	int64_t checked_us; /* when contention was last looked at */
	long preempted;     /* involuntary switches then */
	int loadavg, cores;
};

void spin_init(struct spin *s);
void spin_fini(struct spin *s);

/* A descriptor was served. */
void spin_note(struct spin *s, const void *fd);
void spin_forget(struct spin *s, const void *fd);

static inline bool spin_pays(const struct spin *s, int64_t now_us)
{
	return s->few && s->limit_us && now_us >= s->resume_us;
}

/* A spin ended at @now_us, with or without work found. */
void spin_count(struct spin *s, bool hit, int64_t now_us);

#endif
