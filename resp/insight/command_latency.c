#include "resp/insight/command_latency.h"

#include <stdlib.h>

#include "resp/dispatch.h"
#include "resp/registry.h"
#include "resp/server.h"
#include "store/base/mem.h"

#define LONGEST_NS UINT64_C(1000000000)

void command_latency_begin(struct registered *reg)
{
	reg->latency = histogram_new();
}

struct histogram *command_latency_ns(const struct server *s, const struct registered *reg)
{
	if (!reg->latency)
		return NULL;
	struct histogram *ns = histogram_new();
	histogram_add_scaled(ns, reg->latency, 1000 / s->registry->rate.per_usec, 1, LONGEST_NS);
	return ns;
}

/* @percentiles: "50 99 99.9". */
static void write_one(const struct server *s, const struct registered *reg, const char *percentiles,
		      FILE *out)
{
	struct histogram *ns = command_latency_ns(s, reg);
	if (!ns)
		return;
	fprintf(out, "latency_percentiles_usec_%s:", reg->fullname);
	for (const char *p = percentiles; *p;) {
		char *end;
		double percentile = strtod(p, &end);
		if (end == p)
			break;
		fprintf(out, "%sp%.*s=%.3f", p == percentiles ? "" : ",", (int)(end - p), p,
			(double)histogram_percentile(ns, percentile) / 1000);
		for (p = end; *p == ' '; p++)
			;
	}
	fputs("\r\n", out);
	mem_free(ns);
}

void command_latency_info(struct server *s, FILE *out)
{
	char *percentiles;
	if (!config_get_text(s, "latency-tracking-info-percentiles", &percentiles))
		return;
	for (struct registered *c = registry_commands(s->registry); c; c = c->hh.next) {
		write_one(s, c, percentiles, out);
		for (struct registered *sub = c->subs; sub; sub = sub->hh.next)
			write_one(s, sub, percentiles, out);
	}
	mem_free(percentiles);
}
