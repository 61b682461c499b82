/* resp/ticks.h - a clock cheap enough to read around every command.
 *
 * Ticks are the processor's time-stamp counter where there is one, nanoseconds elsewhere. They compare and subtract; the
 * rate that turns them into microseconds is learnt from the monotonic clock over the life of a struct ticks_rate.
 */
#ifndef RESP_TICKS_H
#define RESP_TICKS_H

#include <stdint.h>
#include <time.h>

struct ticks_rate {
	uint64_t ticks0, ns0;
	double per_usec;
};

static inline uint64_t ticks_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The wall clock, in milliseconds since the epoch. */
static inline int64_t ticks_wall_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static inline uint64_t ticks_now(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	return ticks_ns();
#endif
}

/* Begin, with a first estimate from one millisecond's wait. */
static inline void ticks_rate_init(struct ticks_rate *r)
{
	r->ns0 = ticks_ns();
	r->ticks0 = ticks_now();
	uint64_t ns;
	do
		ns = ticks_ns();
	while (ns - r->ns0 < 1000000);
	r->per_usec = (double)(ticks_now() - r->ticks0) * 1000.0 / (double)(ns - r->ns0);
}

/* Make the estimate better; the longer since init, the better. */
static inline void ticks_rate_refine(struct ticks_rate *r)
{
	uint64_t ns = ticks_ns(), ticks = ticks_now();
	if (ns - r->ns0 > 100000000)
		r->per_usec = (double)(ticks - r->ticks0) * 1000.0 / (double)(ns - r->ns0);
}

static inline uint64_t ticks_usec(const struct ticks_rate *r, uint64_t ticks)
{
	return (uint64_t)((double)ticks / r->per_usec);
}

#endif
