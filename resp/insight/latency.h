/* resp/insight/latency.h - what made the server stand still, and when: LATENCY's samples.
 *
 * An event is a kind of work (a command, fork, writing the log); each that took latency-monitor-threshold milliseconds or more
 * leaves a sample, the worst of a second, and an event keeps its last 160.
 */
#ifndef RESP_LATENCY_H
#define RESP_LATENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "store/base/bytes.h"

#define LATENCY_SAMPLES 160

struct server;
struct latency;

struct latency *latency_new(void);
void latency_free(struct latency *l);

/* @event took @usec: noted where the configuration asks for it. @event stays valid for ever. */
void latency_note(struct server *s, const char *event, uint64_t usec);

struct latency_sample {
	int64_t time; /* seconds since the epoch */
	uint64_t ms;
};

struct latency_event {
	struct latency_event *next;
	const char *name;
	uint64_t worst; /* since it was reset */
	size_t n;
	size_t last; /* the newest in the ring */
	struct latency_sample ring[LATENCY_SAMPLES];
};

/* The events that have samples, borrowed until the next reset; NULL when there is none. */
const struct latency_event *latency_events(const struct latency *l);
const struct latency_event *latency_find(const struct latency *l, struct bytes name);
/* The @i-th sample from the oldest. */
const struct latency_sample *latency_at(const struct latency_event *e, size_t i);

/* Forget an event, or all; how many had samples. */
size_t latency_reset(struct latency *l, struct bytes name);
size_t latency_reset_all(struct latency *l);

/* A graph of the event's samples, in characters; a text on all events and what may be done about them. */
void latency_graph(const struct latency_event *e, int64_t now, FILE *out);
void latency_doctor(const struct server *s, FILE *out);

#endif
