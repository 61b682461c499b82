/* tests/unit/test_table.c - the hash table: random changes against a naive model, scans across resizes, samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/types/table.h"

#define LEAD 3

/* The model: item i has a key that follows from i, and is in the table when its word is not 0. */
struct world {
	struct table t;
	struct rng rng;
	uint64_t *words;
	unsigned *seen;
	size_t n, in;
};

static size_t key_of(size_t i, char *buf)
{
	size_t n = (size_t)sprintf(buf, "%zx", i);
	/* Every number ends in a k; some keys are long, so that every form of the length is used. */
	size_t pad = i % 97 == 0 ? 300 : i % 1009 == 1 ? 70000 : 1 + i % 7;
	memset(buf + n, 'k', pad);
	return n + pad;
}

static char key_buf[70100];

static struct bytes key(size_t i)
{
	return bytes_of(key_buf, key_of(i, key_buf));
}

static void world_init(struct world *w, size_t n, uint64_t seed)
{
	print_message("seed %lu\n", (unsigned long)seed);
	table_init(&w->t, LEAD);
	rng_seed(&w->rng, seed);
	w->words = mem_calloc(n * sizeof(*w->words));
	w->seen = mem_calloc(n * sizeof(*w->seen));
	w->n = n;
	w->in = 0;
}

static void world_fini(struct world *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->words[i])
			mem_free(word_ptr(w->words[i]));
	table_fini(&w->t);
	mem_free(w->words);
	mem_free(w->seen);
}

static void add(struct world *w, size_t i)
{
	struct bytes k = key(i);
	uint64_t bits = i % 3 ? 0 : WORD_EXPIRE;
	size_t lead = LEAD + (bits ? 8 : 0);
	unsigned char *p = mem_alloc(lead + varkey_size(k.n) + k.n);
	memset(p, 0xee, lead);
	varkey_put(p + lead, k);
	w->words[i] = word_make(p, bits | (uint64_t)(i % 16) << 48);
	uint64_t *slot = table_insert(&w->t, w->words[i], keyhash(k));
	assert_int_equal(*slot, w->words[i]);
	w->in++;
}

static void take(struct world *w, size_t i)
{
	struct bytes k = key(i);
	uint64_t *slot = table_find(&w->t, k, keyhash(k));
	assert_non_null(slot);
	assert_int_equal(table_take(&w->t, slot, keyhash(k)), w->words[i]);
	mem_free(word_ptr(w->words[i]));
	w->words[i] = 0;
	w->in--;
}

/* One random change; @grow of 100 are additions. */
static void change(struct world *w, unsigned grow)
{
	size_t i = rng_below(&w->rng, w->n);
	bool want = rng_below(&w->rng, 100) < grow;
	if (want && !w->words[i])
		add(w, i);
	else if (!want && w->words[i])
		take(w, i);
	assert_int_equal(table_count(&w->t), w->in);
}

static void lookup(struct world *w, size_t i)
{
	struct bytes k = key(i);
	uint64_t hash = keyhash(k);
	table_prefetch_bucket(&w->t, hash);
	table_prefetch_entry(&w->t, hash);
	uint64_t *slot = table_find(&w->t, k, hash);
	if (w->words[i])
		assert_int_equal(*slot, w->words[i]);
	else
		assert_null(slot);
}

static uint64_t fresh_seed(void)
{
	uint8_t seed[16] = "table tests.....";
	keyhash_seed(seed);
	return (uint64_t)time(NULL);
}

/* Whatever is added and taken, exactly what the model holds is found, and every invariant holds after each step. */
static void random_changes_match_model(void **state)
{
	(void)state;
	static const unsigned phases[] = {90, 50, 10, 95, 5, 0, 70, 0};
	struct world w;
	size_t before = mem_used();
	world_init(&w, 3000, fresh_seed());
	for (size_t phase = 0; phase < sizeof(phases) / sizeof(*phases); phase++)
		for (int step = 0; step < 2500; step++) {
			change(&w, phases[phase]);
			lookup(&w, rng_below(&w.rng, w.n));
			table_check(&w.t);
		}
	for (size_t i = 0; i < w.n; i++)
		lookup(&w, i);
	world_fini(&w);
	assert_int_equal(mem_used(), before);
}

/* A table whose arrays are pages grows and shrinks by steps, gives all memory back, and finds everything throughout. */
static void large_table_gives_back(void **state)
{
	(void)state;
	struct world w;
	size_t before = mem_used();
	world_init(&w, 700000, fresh_seed());
	size_t resting = mem_used();
	for (size_t i = 0; i < w.n; i++) {
		if (i % 1009 != 1)
			add(&w, i);
		if (i % 100000 == 0)
			table_check(&w.t);
	}
	assert_true(table_mem(&w.t) >= w.in * 9);
	assert_true(table_mem(&w.t) <= w.in * 24);
	for (size_t i = 0; i < w.n; i++) {
		if (w.words[i])
			take(&w, i);
		if (i % 100000 == 0)
			table_check(&w.t);
	}
	while (table_step(&w.t, 100))
		;
	/* A table that is emptied in one go shrinks in several rounds, and may have to wait for pages. */
	for (int i = 0; i < 10000 && table_mem(&w.t) > 4 * 64; i++) {
		add(&w, 7);
		take(&w, 7);
		while (table_step(&w.t, 1000))
			;
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	}
	assert_true(table_mem(&w.t) <= 4 * 64);
	/* libc itself may keep something for the threads that made pages present. */
	assert_true(mem_used() - resting <= 4096);
	world_fini(&w);
	assert_true(mem_used() - before <= 4096);
}

static void see(void *arg, uint64_t *slot)
{
	struct world *w = arg;
	struct bytes k = word_key(*slot, LEAD);
	size_t i = strtoul(k.p, NULL, 16);
	assert_true(i < w->n);
	assert_int_equal(w->words[i], *slot);
	w->seen[i]++;
}

/* A full scan, with @grow percent additions among random changes between its steps, sees what stayed throughout once, and nothing
 * twice, even if it went and came again; and no other kinds than it asks for. */
static void scan_while_changing(struct world *w, unsigned grow, unsigned changes, unsigned pause)
{
	unsigned char *stays = mem_calloc(w->n);
	for (size_t i = 0; i < w->n; i++) {
		stays[i] = w->words[i] != 0 && rng_below(&w->rng, 4) == 0;
		w->seen[i] = 0;
	}
	uint64_t cursor = 0, steps = 0;
	unsigned kinds = rng_below(&w->rng, 2) ? WORD_ALL_KINDS
					       : (unsigned)rng_below(&w->rng, WORD_ALL_KINDS);
	do {
		cursor = table_scan(&w->t, cursor, kinds, see, w);
		for (unsigned c = 0; c < changes; c++) {
			size_t i = rng_below(&w->rng, w->n);
			bool want = rng_below(&w->rng, 100) < grow;
			if (want && !w->words[i])
				add(w, i);
			else if (!want && w->words[i] && !stays[i])
				take(w, i);
		}
		/* Steps may also happen on their own, or not at all while an iterator is open. */
		if (rng_below(&w->rng, 3) == 0)
			table_step(&w->t, (unsigned)rng_below(&w->rng, pause + 1));
		assert_true(++steps < 1000000);
	} while (cursor);
	table_check(&w->t);
	for (size_t i = 0; i < w->n; i++) {
		bool asked = kinds >> i % 16 & 1;
		assert_true(w->seen[i] <= asked);
		if (stays[i])
			assert_int_equal(w->seen[i], asked);
	}
	mem_free(stays);
}

/* Every word that is there from the first call of a scan to the last is seen once, across growth, shrinking and both. */
static void scan_sees_each_once(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 6000, fresh_seed());
	for (int round = 0; round < 60; round++) {
		static const unsigned grow[] = {100, 97, 0, 3, 50, 90, 10};
		unsigned g = grow[rng_below(&w.rng, 7)];
		/* Begin from any size: nearly empty before growth, nearly full before shrinking. */
		size_t target = rng_below(&w.rng, g > 50 ? 600 : w.n);
		while (w.in > target) {
			size_t i = rng_below(&w.rng, w.n);
			if (w.words[i])
				take(&w, i);
		}
		while (w.in < target) {
			size_t i = rng_below(&w.rng, w.n);
			if (!w.words[i])
				add(&w, i);
		}
		scan_while_changing(&w, g, (unsigned)rng_below(&w.rng, 40),
				    (unsigned)rng_below(&w.rng, 20));
	}
	world_fini(&w);
}

/* Without changes a scan sees each word exactly once, also amid a rehash. */
static void scan_repeats_nothing(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 2000, fresh_seed());
	for (size_t i = 0; i < w.n; i++) {
		if (i % 1009 == 1)
			continue;
		add(&w, i);
		if (i % 37)
			continue;
		memset(w.seen, 0, w.n * sizeof(*w.seen));
		uint64_t cursor = 0;
		do
			cursor = table_scan(&w.t, cursor, WORD_ALL_KINDS, see, &w);
		while (cursor);
		for (size_t j = 0; j < w.n; j++)
			assert_int_equal(w.seen[j], w.words[j] != 0);
	}
	world_fini(&w);
}

/* A walk sees each word once, and what it has just handed out may be taken; nothing moves meanwhile. */
static void iteration_allows_taking(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 3000, fresh_seed());
	for (int round = 0; round < 40; round++) {
		for (int c = 0; c < 300 + round * 40; c++)
			change(&w, 75);
		memset(w.seen, 0, w.n * sizeof(*w.seen));
		uint64_t *before = mem_dup(w.words, w.n * sizeof(*w.words));
		struct table_iter it;
		table_iter_begin(&it, &w.t);
		for (uint64_t *slot; (slot = table_iter_next(&it));) {
			see(&w, slot);
			if (rng_below(&w.rng, 2)) {
				struct bytes k = word_key(*slot, LEAD);
				size_t i = strtoul(k.p, NULL, 16);
				table_take(&w.t, slot, keyhash(k));
				mem_free(word_ptr(w.words[i]));
				w.words[i] = 0;
				w.in--;
			}
			if (w.in % 50 == 0)
				table_check(&w.t);
		}
		table_iter_end(&it);
		for (size_t i = 0; i < w.n; i++)
			assert_int_equal(w.seen[i], before[i] != 0);
		mem_free(before);
		table_check(&w.t);
		/* Chains that the walk left with holes are tidied by later changes. */
		for (int c = 0; c < 200; c++) {
			change(&w, 50);
			table_check(&w.t);
		}
	}
	world_fini(&w);
}

/* How far the counts of @n outcomes are from equal chances, as chi-square over its degrees of freedom. */
static double unevenness(const struct world *w, double expected)
{
	double sum = 0;
	size_t n = 0;
	for (size_t i = 0; i < w->n; i++)
		if (w->words[i]) {
			double d = w->seen[i] - expected;
			sum += d * d / expected;
			n++;
		}
	return sum / (double)n;
}

/* Each word has about the same chance to be drawn, at rest and amid a rehash in either direction. */
static void random_is_uniform(void **state)
{
	(void)state;
	struct world w;
	uint64_t word;
	world_init(&w, 4000, fresh_seed());
	assert_int_equal(table_random(&w.t, &w.rng), 0);
	assert_int_equal(table_sample(&w.t, &w.rng, &word, 1), 0);
	for (int round = 0; round < 12; round++) {
		size_t target = (size_t[]){1,    3,    60,   400, 1000, 1570,
					   1800, 2500, 1200, 460, 440,  30}[round];
		for (size_t i; w.in != target;) {
			i = rng_below(&w.rng, w.n);
			if (w.in < target && !w.words[i] && i % 1009 != 1)
				add(&w, i);
			else if (w.in > target && w.words[i])
				take(&w, i);
		}
		memset(w.seen, 0, w.n * sizeof(*w.seen));
		for (size_t i = 0; i < w.in * 100; i++) {
			word = table_random(&w.t, &w.rng);
			see(&w, &word);
		}
		assert_true(w.in < 50 || unevenness(&w, 100) < 1.4);
		/* Samples are real and do not repeat within one call. */
		uint64_t words[64];
		unsigned got = table_sample(&w.t, &w.rng, words, 64);
		assert_int_equal(got, w.in < 64 ? w.in : 64);
		memset(w.seen, 0, w.n * sizeof(*w.seen));
		for (unsigned i = 0; i < got; i++)
			see(&w, &words[i]);
		for (size_t i = 0; i < w.n; i++)
			assert_true(w.seen[i] <= 1);
	}
	world_fini(&w);
}

/* Reserved room is used without a rehash; a reserve of a table in use moves it there. */
static void reserve_avoids_rehash(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 5000, fresh_seed());
	table_reserve(&w.t, 2000);
	for (size_t i = 2; i < 1000; i++) {
		add(&w, i);
		assert_false(table_rehashing(&w.t));
	}
	table_reserve(&w.t, 100);
	assert_false(table_rehashing(&w.t));
	table_reserve(&w.t, 40000);
	assert_true(table_rehashing(&w.t));
	for (int i = 0; i < 3000; i++) {
		change(&w, 50);
		table_check(&w.t);
	}
	struct table_stats stats;
	table_stats(&w.t, &stats);
	assert_int_equal(stats.used[0] + stats.used[1], w.in);
	assert_true(stats.longest_chain[0] + stats.longest_chain[1] > 0);
	world_fini(&w);
}

/* A number that no memory can hold asks for nothing, and the table goes on as it was. */
static void reserve_ignores_the_impossible(void **state)
{
	static const uint64_t counts[] = {UINT64_MAX, UINT64_C(1) << 63, UINT64_C(1) << 60,
					  UINT64_C(1) << 58, (UINT64_C(1) << 44) + 1};
	struct table t;

	(void)state;
	table_init(&t, LEAD);
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		table_reserve(&t, counts[i]);
		table_check(&t);
		assert_null(table_find(&t, BYTES("x"), keyhash(BYTES("x"))));
		assert_int_equal(table_mem(&t), 0);
	}
	table_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_changes_match_model),
		cmocka_unit_test(large_table_gives_back),
		cmocka_unit_test(scan_sees_each_once),
		cmocka_unit_test(scan_repeats_nothing),
		cmocka_unit_test(iteration_allows_taking),
		cmocka_unit_test(random_is_uniform),
		cmocka_unit_test(reserve_avoids_rehash),
		cmocka_unit_test(reserve_ignores_the_impossible),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
