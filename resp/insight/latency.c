#include "resp/insight/latency.h"

#include <strings.h>

#include "resp/server.h"
#include "resp/ticks.h"
#include "store/base/mem.h"

struct latency {
	struct latency_event *events; /* in order of their first samples */
};

struct latency *latency_new(void)
{
	return mem_calloc(sizeof(struct latency));
}

void latency_free(struct latency *l)
{
	latency_reset_all(l);
	mem_free(l);
}

static struct latency_event *find_or_add(struct latency *l, const char *name)
{
	struct latency_event **at = &l->events;
	for (; *at; at = &(*at)->next)
		if (strcmp((*at)->name, name) == 0)
			return *at;
	*at = mem_calloc(sizeof(**at));
	(*at)->name = name;
	return *at;
}

static void add(struct latency_event *e, int64_t time, uint64_t ms)
{
	if (ms > e->worst)
		e->worst = ms;
	struct latency_sample *last = &e->ring[e->last];
	if (e->n && last->time == time) {
		if (ms > last->ms)
			last->ms = ms;
		return;
	}
	if (e->n)
		e->last = (e->last + 1) % LATENCY_SAMPLES;
	if (e->n < LATENCY_SAMPLES)
		e->n++;
	e->ring[e->last] = (struct latency_sample){time, ms};
}

void latency_note(struct server *s, const char *event, uint64_t usec)
{
	int64_t threshold = s->config.latency_monitor_threshold;
	if (threshold > 0 && usec / 1000 >= (uint64_t)threshold)
		add(find_or_add(s->latency, event), ticks_wall_ms() / 1000, usec / 1000);
}

const struct latency_event *latency_events(const struct latency *l)
{
	return l->events;
}

const struct latency_event *latency_find(const struct latency *l, struct bytes name)
{
	for (const struct latency_event *e = l->events; e; e = e->next)
		if (name.n == strlen(e->name) && memcmp(name.p, e->name, name.n) == 0)
			return e;
	return NULL;
}

const struct latency_sample *latency_at(const struct latency_event *e, size_t i)
{
	return &e->ring[(e->last + LATENCY_SAMPLES - (e->n - 1 - i)) % LATENCY_SAMPLES];
}

size_t latency_reset(struct latency *l, struct bytes name)
{
	const struct latency_event *e = latency_find(l, name);
	if (!e)
		return 0;
	struct latency_event **at = &l->events;
	while (*at != e)
		at = &(*at)->next;
	struct latency_event *gone = *at;
	*at = gone->next;
	mem_free(gone);
	return 1;
}

size_t latency_reset_all(struct latency *l)
{
	size_t n = 0;
	while (l->events)
		n += latency_reset(l, bytes_str(l->events->name));
	return n;
}
