/* LATENCY GRAPH and DOCTOR: samples for people to read. Part of latency.h. */
#include <math.h>
#include <string.h>

#include "resp/insight/latency.h"
#include "resp/server.h"

/* --- the graph --- */

#define GRAPH_ROWS 4

static const char rule[] =
	"--------------------------------------------------------------------------------\n";

/* How long ago, in the largest unit that fits: "15s", "3m", "2h", "9d". */
static void write_age(int64_t seconds, char *buf, size_t n)
{
	static const struct {
		int64_t seconds;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	size_t u = 0;
	if (seconds < 0)
		seconds = 0;
	while (u < 3 && seconds < units[u].seconds)
		u++;
	snprintf(buf, n, "%lld%c", (long long)(seconds / units[u].seconds), units[u].unit);
}

/* A column reaches up by thirds of a row: so many of them stand below its top. */
static char graph_cell(uint64_t thirds, unsigned row)
{
	uint64_t below = 3 * (uint64_t)row;
	if (thirds > below + 3)
		return '|';
	if (thirds <= below)
		return ' ';
	return "_o#"[thirds - below - 1];
}

static void graph_bars(const struct latency_event *e, uint64_t low, uint64_t high, FILE *out)
{
	for (unsigned row = GRAPH_ROWS; row-- > 0;) {
		for (size_t i = 0; i < e->n; i++) {
			uint64_t range = high - low ? high - low : 1;
			uint64_t above = latency_at(e, i)->ms - low;
			fputc(graph_cell(1 + above * (3 * GRAPH_ROWS - 1) / range, row), out);
		}
		fputc('\n', out);
	}
}

/* The ages stand upright under their columns. */
static void graph_ages(const struct latency_event *e, int64_t now, FILE *out)
{
	char age[LATENCY_SAMPLES][24];
	size_t longest = 0;
	for (size_t i = 0; i < e->n; i++) {
		write_age(now - latency_at(e, i)->time, age[i], sizeof(age[i]));
		size_t len = strlen(age[i]);
		longest = len > longest ? len : longest;
	}
	for (size_t row = 0; row < longest; row++) {
		for (size_t i = 0; i < e->n; i++)
			fputc(row < strlen(age[i]) ? age[i][row] : ' ', out);
		fputc('\n', out);
	}
}

void latency_graph(const struct latency_event *e, int64_t now, FILE *out)
{
	uint64_t low = UINT64_MAX, high = 0;
	for (size_t i = 0; i < e->n; i++) {
		uint64_t ms = latency_at(e, i)->ms;
		low = ms < low ? ms : low;
		high = ms > high ? ms : high;
	}
	fprintf(out, "%s - high %llu ms, low %llu ms (all time high %llu ms)\n%s", e->name,
		(unsigned long long)high, (unsigned long long)low, (unsigned long long)e->worst,
		rule);
	graph_bars(e, low, high, out);
	fputc('\n', out);
	graph_ages(e, now, out);
}

/* --- the doctor --- */

struct summary {
	double mean, deviation, period;
	uint64_t low, high;
};

static struct summary summarize(const struct latency_event *e)
{
	struct summary s = {.low = UINT64_MAX};
	for (size_t i = 0; i < e->n; i++) {
		uint64_t ms = latency_at(e, i)->ms;
		s.mean += (double)ms / (double)e->n;
		s.low = ms < s.low ? ms : s.low;
		s.high = ms > s.high ? ms : s.high;
	}
	for (size_t i = 0; i < e->n; i++)
		s.deviation += fabs((double)latency_at(e, i)->ms - s.mean) / (double)e->n;
	int64_t span = latency_at(e, e->n - 1)->time - latency_at(e, 0)->time;
	s.period = e->n > 1 ? (double)span / (double)(e->n - 1) : 0;
	return s;
}

static const struct {
	const char *prefix, *advice;
} remedies[] = {
	{"command",
	 "Look at SLOWLOG for the commands that take so long, and replace those that walk "
	 "whole collections by SCAN and its kin or by smaller ranges."},
	{"fast-command",
	 "Commands that should take no time do: the machine itself is short of processor time, or "
	 "swaps. Look at its load, at its memory and at other virtual machines beside it."},
	{"fork",
	 "fork copies the process's page tables: less memory in use, or transparent huge pages "
	 "switched off, makes it shorter."},
	{"expire",
	 "Many keys expire at the same time, or large ones do: spread their times, or set "
	 "lazyfree-lazy-expire."},
	{"eviction", "Memory is at maxmemory and keys have to go: raise the limit, or set "
		     "lazyfree-lazy-eviction where values are large."},
	{"aof", "The disk takes long: appendfsync everysec asks it for less than always, "
		"no-appendfsync-on-rewrite gives way to a rewrite, and other programs may use the "
		"same disk."},
	{"rdb", "The file system takes long to delete a file: use one on which that is cheap."},
};

void latency_doctor(const struct server *s, FILE *out)
{
	const struct latency_event *e = latency_events(s->latency);
	if (!e && s->config.latency_monitor_threshold <= 0) {
		fputs("Nothing is being watched: latency-monitor-threshold is 0. Set it to the "
		      "number "
		      "of milliseconds from which a delay matters to you, with CONFIG SET.\n",
		      out);
		return;
	}
	if (!e) {
		fprintf(out, "All is well: nothing took %lld ms or more.\n",
			(long long)s->config.latency_monitor_threshold);
		return;
	}
	fputs("Events that took too long:\n\n", out);
	unsigned n = 0;
	for (; e; e = e->next) {
		struct summary m = summarize(e);
		fprintf(out,
			"%u. %s: %zu samples, %.0f ms on average (deviation %.0f ms), every %.1f "
			"seconds, from %llu to %llu ms, worst ever %llu ms.\n",
			++n, e->name, e->n, m.mean, m.deviation, m.period,
			(unsigned long long)m.low, (unsigned long long)m.high,
			(unsigned long long)e->worst);
	}
	fputs("\nWhat may help:\n\n", out);
	for (size_t i = 0; i < sizeof(remedies) / sizeof(*remedies); i++) {
		bool applies = false;
		for (e = latency_events(s->latency); e && !applies; e = e->next)
			applies = strncmp(e->name, remedies[i].prefix,
					  strlen(remedies[i].prefix)) == 0;
		if (applies)
			fprintf(out, "- %s\n", remedies[i].advice);
	}
}
