/* resp/insight/command_latency.h - how long the calls of each command took: latency-tracking.
 *
 * The dispatcher records ticks; whoever asks gets nanoseconds, fitted into one to a thousand million as Redis has it.
 */
#ifndef RESP_COMMAND_LATENCY_H
#define RESP_COMMAND_LATENCY_H

#include <stdint.h>
#include <stdio.h>

#include "resp/insight/histogram.h"

struct registered;
struct server;

/* A histogram for a command's first call. */
void command_latency_begin(struct registered *reg);

/* The calls of one command in nanoseconds: the caller's, for mem_free. NULL when there was none. */
struct histogram *command_latency_ns(const struct server *s, const struct registered *reg);

/* INFO latencystats. */
void command_latency_info(struct server *s, FILE *out);

#endif
