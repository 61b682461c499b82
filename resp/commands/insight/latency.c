/* LATENCY: what stood still, and how long commands take. */
#include <stdio.h>
#include <stdlib.h>

#include "resp/commands/commands.h"
#include "resp/commands/insight/text.h"
#include "resp/dispatch.h"
#include "resp/insight/command_latency.h"
#include "resp/insight/histogram.h"
#include "resp/insight/latency.h"
#include "resp/server.h"
#include "store/base/mem.h"

static size_t count_events(const struct latency *l)
{
	size_t n = 0;
	for (const struct latency_event *e = latency_events(l); e; e = e->next)
		n++;
	return n;
}

static void latency_latest(struct call *c)
{
	const struct latency *l = c->server->latency;
	reply_array(c->reply, count_events(l));
	for (const struct latency_event *e = latency_events(l); e; e = e->next) {
		const struct latency_sample *last = latency_at(e, e->n - 1);
		reply_array(c->reply, 4);
		reply_bulk_str(c->reply, e->name);
		reply_int(c->reply, last->time);
		reply_int(c->reply, (int64_t)last->ms);
		reply_int(c->reply, (int64_t)e->worst);
	}
}

static void latency_history(struct call *c)
{
	const struct latency_event *e = latency_find(c->server->latency, c->argv[2]);
	reply_array(c->reply, e ? e->n : 0);
	for (size_t i = 0; e && i < e->n; i++) {
		reply_array(c->reply, 2);
		reply_int(c->reply, latency_at(e, i)->time);
		reply_int(c->reply, (int64_t)latency_at(e, i)->ms);
	}
}

static void latency_cmd_reset(struct call *c)
{
	size_t n = c->argc == 2 ? latency_reset_all(c->server->latency) : 0;
	for (int i = 2; i < c->argc; i++)
		n += latency_reset(c->server->latency, c->argv[i]);
	reply_int(c->reply, (int64_t)n);
}

static void write_graph(struct call *c, FILE *out)
{
	latency_graph(latency_find(c->server->latency, c->argv[2]),
		      c->server->keyspace->now_ms / 1000, out);
}

static void latency_cmd_graph(struct call *c)
{
	if (latency_find(c->server->latency, c->argv[2]))
		text_reply(c, write_graph);
	else
		reply_errorf(c->reply, "ERR No samples available for event '%.*s'",
			     c->argv[2].n < 512 ? (int)c->argv[2].n : 512, c->argv[2].p);
}

static void write_doctor(struct call *c, FILE *out)
{
	latency_doctor(c->server, out);
}

static void latency_cmd_doctor(struct call *c)
{
	text_reply(c, write_doctor);
}

/* --- HISTOGRAM --- */

/* The edges are those at which Redis's histograms show their counts: powers of two from 1024 ns on. */
static void reply_histogram(struct reply *r, const struct histogram *h)
{
	reply_map(r, 2);
	reply_bulk_str(r, "calls");
	reply_int(r, (int64_t)h->total);
	reply_bulk_str(r, "histogram_usec");
	struct reply_later later = reply_later_begin(r);
	uint64_t before = 0;
	size_t n = 0;
	for (uint64_t edge = 1024; before < h->total; edge *= 2) {
		uint64_t up_to = histogram_up_to(h, edge);
		if (up_to == before)
			continue;
		reply_int(r, (int64_t)(histogram_highest(histogram_bucket(edge)) / 1000));
		reply_int(r, (int64_t)up_to);
		before = up_to;
		n++;
	}
	reply_later_end(r, later, '%', n);
}

static size_t reply_command(struct call *c, const struct registered *reg)
{
	struct histogram *ns = command_latency_ns(c->server, reg);
	if (!ns)
		return 0;
	reply_bulk_str(c->reply, reg->fullname);
	reply_histogram(c->reply, ns);
	mem_free(ns);
	return 1;
}

/* A container's subcommands stand for it. */
static size_t reply_commands(struct call *c, const struct registered *reg)
{
	size_t n = reply_command(c, reg);
	for (const struct registered *sub = reg->subs; sub; sub = sub->hh.next)
		n += reply_command(c, sub);
	return n;
}

static void latency_histogram(struct call *c)
{
	struct registry *registry = c->server->registry;
	struct reply_later later = reply_later_begin(c->reply);
	size_t n = 0;
	if (c->argc == 2)
		for (const struct registered *reg = registry_commands(registry); reg;
		     reg = reg->hh.next)
			n += reply_commands(c, reg);
	for (int i = 2; i < c->argc; i++) {
		const struct registered *reg = registry_find_called(registry, c->argv[i]);
		n += reg ? reply_commands(c, reg) : 0;
	}
	reply_later_end(c->reply, later, '%', n);
}

static void latency_help(struct call *c)
{
	static const char *const lines[] = {
		"DOCTOR",
		"    Return what took too long and what may help, in words.",
		"GRAPH <event>",
		"    Return an event's samples as a graph of characters.",
		"HISTORY <event>",
		"    Return the times and milliseconds of an event's samples.",
		"LATEST",
		"    Return the newest sample of each event.",
		"RESET [<event> ...]",
		"    Forget the samples of these events, or of all.",
		"HISTOGRAM [COMMAND ...]",
		"    Return how many calls of each command took up to how many microseconds.",
		NULL,
	};
	call_help(c, lines);
}

#define LATENCY_FLAGS (CMD_ADMIN | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE)
#define LATENCY_TIPS                                                                               \
	(const char *const[])                                                                      \
	{                                                                                          \
		"nondeterministic_output", "request_policy:all_nodes", "response_policy:special",  \
			NULL                                                                       \
	}

static const struct command latency_subcommands[] = {
	{.name = "history",
	 .run = latency_history,
	 .arity = 3,
	 .flags = LATENCY_FLAGS,
	 .summary = "Answer the samples of an event",
	 .since = "2.8.13",
	 .group = "server",
	 .complexity = "O(1)",
	 .syntax = "event",
	 .tips = LATENCY_TIPS},
	{.name = "graph",
	 .run = latency_cmd_graph,
	 .arity = 3,
	 .flags = LATENCY_FLAGS,
	 .summary = "Draw the samples of an event",
	 .since = "2.8.13",
	 .group = "server",
	 .complexity = "O(1)",
	 .syntax = "event",
	 .tips = LATENCY_TIPS},
	{.name = "histogram",
	 .run = latency_histogram,
	 .arity = -2,
	 .flags = LATENCY_FLAGS,
	 .summary = "Answer how the times of commands are distributed",
	 .since = "7.0.0",
	 .group = "server",
	 .complexity = "O(N), N the commands",
	 .syntax = "[command [command ...]]",
	 .tips = LATENCY_TIPS},
	{.name = "help",
	 .run = latency_help,
	 .arity = 2,
	 .flags = CMD_LOADING | CMD_STALE,
	 .summary = "List the subcommands",
	 .since = "2.8.13",
	 .group = "server",
	 .complexity = "O(1)"},
	{.name = "reset",
	 .run = latency_cmd_reset,
	 .arity = -2,
	 .flags = LATENCY_FLAGS,
	 .summary = "Forget the samples of events",
	 .since = "2.8.13",
	 .group = "server",
	 .complexity = "O(1)",
	 .syntax = "[event [event ...]]",
	 .tips = (const char *const[]){"request_policy:all_nodes", "response_policy:all_succeeded",
				       NULL}},
	{.name = "latest",
	 .run = latency_latest,
	 .arity = 2,
	 .flags = LATENCY_FLAGS,
	 .summary = "Answer the newest sample of each event",
	 .since = "2.8.13",
	 .group = "server",
	 .complexity = "O(1)",
	 .tips = LATENCY_TIPS},
	{.name = "doctor",
	 .run = latency_cmd_doctor,
	 .arity = 2,
	 .flags = LATENCY_FLAGS,
	 .summary = "Say what took too long and what may help",
	 .since = "2.8.13",
	 .group = "server",
	 .complexity = "O(1)",
	 .tips = LATENCY_TIPS},
	{.name = NULL},
};

const struct command latency_commands[] = {
	{.name = "latency",
	 .arity = -2,
	 .subcommands = latency_subcommands,
	 .summary = "Container of the commands on delays",
	 .since = "2.8.13",
	 .group = "server",
	 .complexity = "Depends on the subcommand"},
	{.name = NULL},
};
