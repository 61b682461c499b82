#include "resp/pressure.h"

#include <math.h>
#include <stdint.h>

#include "resp/insight/latency.h"
#include "resp/net/loop.h"
#include "resp/server.h"
#include "store/base/bgfree.h"
#include "store/base/clock.h"
#include "store/base/mem.h"

/* The longest wait for what another thread is freeing, where nothing can be evicted. */
#define FREEING_US 20000

/* What maxmemory-eviction-tenacity means in Redis: up to 10 steps of 50 us, then 15 % more each, and at last no end. */
static int64_t time_allowed_us(int tenacity)
{
	if (tenacity <= 10)
		return 50 * tenacity;
	if (tenacity < 100)
		return (int64_t)(500.0 * pow(1.15, tenacity - 10.0));
	return INT64_MAX;
}

static bool fits(const struct server *s)
{
	return s->config.maxmemory == 0 || mem_fits(s->config.maxmemory);
}

/* Whether it fits once what is on its way to be freed is, or after @us. */
static bool fits_soon(const struct server *s, int64_t us)
{
	if (us > 0)
		bgfree_wait(us);
	return fits(s);
}

enum result { FITS, NOTHING_LEFT, TIME_OVER };

/* INFO's total_eviction_exceeded_time and current_eviction_exceeded_time: how long memory stayed above the limit. */
static void note_exceeded(struct server *s, bool exceeded, int64_t now_us)
{
	struct server_stats *st = &s->stats;
	if (exceeded && !st->exceeded_since_us) {
		st->exceeded_since_us = now_us;
	} else if (!exceeded && st->exceeded_since_us) {
		st->eviction_us_total += (uint64_t)(clock_us() - st->exceeded_since_us);
		st->exceeded_since_us = 0;
	}
}

static enum result evict_for(struct server *s, int64_t us)
{
	const struct config *cfg = &s->config;
	int64_t began = clock_us(), end = us < INT64_MAX - began ? began + us : INT64_MAX;
	enum result result = FITS;
	for (int64_t left = us; !fits_soon(s, left); left = end - clock_us()) {
		/* One key goes even when no time is given, so that there is progress. */
		if (left <= 0 && left < us) {
			result = TIME_OVER;
			break;
		}
		if (!evict_one(s->evict, cfg->maxmemory_policy, (unsigned)cfg->maxmemory_samples)) {
			result = fits_soon(s, FREEING_US) ? FITS : NOTHING_LEFT;
			break;
		}
	}
	latency_note(s, "eviction-cycle", (uint64_t)(clock_us() - began));
	note_exceeded(s, result != FITS, began);
	return result;
}

static int64_t go_on(void *arg)
{
	struct server *s = arg;
	if (!s->pause && !fits(s) &&
	    evict_for(s, time_allowed_us(s->config.maxmemory_eviction_tenacity)) == TIME_OVER)
		return 0;
	if (fits(s))
		note_exceeded(s, false, 0);
	s->evicting = NULL;
	return -1;
}

void pressure_begin(struct server *s)
{
	if (!s->evicting && !s->loading && !fits(s))
		s->evicting = loop_timer_add(s->loop, 0, go_on, s);
}

bool pressure_relieve(struct server *s)
{
	if (fits(s)) {
		note_exceeded(s, false, 0);
		return true;
	}
	/* Not yet evicted from while it is being filled or paused: the limit is looked at when it is there. */
	if (s->loading || s->pause)
		return true;
	switch (evict_for(s, time_allowed_us(s->config.maxmemory_eviction_tenacity))) {
	case FITS:
		return true;
	case TIME_OVER:
		pressure_begin(s);
		return true;
	case NOTHING_LEFT:
		break;
	}
	return false;
}
