/* Histograms and the samples of the latency monitor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "resp/insight/histogram.h"
#include "resp/insight/latency.h"
#include "resp/server.h"
#include "store/base/mem.h"
#include "store/base/rng.h"

/* Every value lies in its bucket, buckets follow each other without a gap, and none is wider than one part in 128. */
static void buckets_hold_their_values(void **state)
{
	(void)state;
	struct rng rng;
	rng_seed(&rng, 7);
	for (unsigned i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
		assert_int_equal(histogram_highest(i) + 1, histogram_lowest(i + 1));
		assert_int_equal(histogram_bucket(histogram_lowest(i)), i);
		assert_int_equal(histogram_bucket(histogram_highest(i)), i);
		assert_true(histogram_highest(i) - histogram_lowest(i) <=
			    histogram_lowest(i) / 128);
	}
	for (int i = 0; i < 100000; i++) {
		uint64_t v = rng_next(&rng) >> (rng_next(&rng) % 64);
		unsigned b = histogram_bucket(v);
		assert_true(b < HISTOGRAM_BUCKETS);
		if (v < UINT64_C(1) << HISTOGRAM_MAX_BITS)
			assert_true(histogram_lowest(b) <= v && v <= histogram_highest(b));
	}
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

/* A percentile is the value below which that share of all values lies, to the bucket's width. */
static void percentiles_are_ranks(void **state)
{
	(void)state;
	struct histogram *h = histogram_new();
	assert_int_equal(histogram_percentile(h, 50), 0);
	for (uint64_t v = 1; v <= 1000; v++)
		histogram_record(h, v);
	assert_int_equal(histogram_percentile(h, 0), 1);
	assert_int_equal(histogram_percentile(h, 10), 100);
	assert_in_range(histogram_percentile(h, 50), 500, 503);
	assert_in_range(histogram_percentile(h, 99.9), 999, 1007);
	assert_in_range(histogram_percentile(h, 100), 1000, 1007);
	assert_int_equal(histogram_up_to(h, 100), 100);
	assert_int_equal(histogram_up_to(h, 0), 0);
	assert_int_equal(histogram_up_to(h, UINT64_MAX), 1000);
	mem_free(h);
}

/* Another unit keeps the number of values and moves each by the factor, within the bounds. */
static void scaling_keeps_the_count(void **state)
{
	(void)state;
	struct histogram *a = histogram_new(), *b = histogram_new();
	for (uint64_t v = 0; v < 5000; v += 7)
		histogram_record(a, v);
	histogram_record(a, UINT64_MAX);
	histogram_add_scaled(b, a, 0.5, 1, 1000000);
	assert_int_equal(b->total, a->total);
	assert_int_equal(histogram_up_to(b, 0), 0);
	assert_in_range(histogram_percentile(b, 50), 1240, 1270);
	assert_in_range(histogram_percentile(b, 100), 1000000, 1008000);
	mem_free(a);
	mem_free(b);
}

static struct server *monitored(int64_t threshold)
{
	struct server *s = mem_calloc(sizeof(*s));
	s->latency = latency_new();
	s->config.latency_monitor_threshold = threshold;
	return s;
}

/* Only what took as long as the threshold is kept, and a second has its worst. */
static void samples_are_the_worst_of_their_second(void **state)
{
	(void)state;
	struct server *s = monitored(10);
	latency_note(s, "command", 9999);
	assert_null(latency_events(s->latency));
	latency_note(s, "command", 10000);
	latency_note(s, "command", 30000);
	latency_note(s, "command", 20000);
	latency_note(s, "fork", 11000);
	const struct latency_event *e = latency_find(s->latency, BYTES("command"));
	assert_int_equal(e->worst, 30);
	assert_in_range(e->n, 1, 2); /* the clock may have gone on by a second */
	assert_null(latency_find(s->latency, BYTES("comman")));
	assert_int_equal(latency_reset(s->latency, BYTES("nosuch")), 0);
	assert_int_equal(latency_reset(s->latency, BYTES("command")), 1);
	assert_int_equal(latency_reset_all(s->latency), 1);
	s->config.latency_monitor_threshold = 0;
	latency_note(s, "command", 99999);
	assert_null(latency_events(s->latency));
	latency_free(s->latency);
	mem_free(s);
}

/* A ring that went round gives the last 160 in order. */
static void the_ring_keeps_the_newest(void **state)
{
	(void)state;
	struct latency_event e = {.name = "x", .n = LATENCY_SAMPLES, .last = 4};
	for (size_t i = 0; i < LATENCY_SAMPLES; i++)
		e.ring[(5 + i) % LATENCY_SAMPLES] = (struct latency_sample){(int64_t)i, i};
	for (size_t i = 0; i < LATENCY_SAMPLES; i++)
		assert_int_equal(latency_at(&e, i)->time, i);
	char buf[20000] = "";
	FILE *out = fmemopen(buf, sizeof(buf), "w");
	latency_graph(&e, 1000, out);
	fclose(out);
	assert_non_null(strstr(buf, "x - high 159 ms, low 0 ms"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_hold_their_values),
		cmocka_unit_test(percentiles_are_ranks),
		cmocka_unit_test(scaling_keeps_the_count),
		cmocka_unit_test(samples_are_the_worst_of_their_second),
		cmocka_unit_test(the_ring_keeps_the_newest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
