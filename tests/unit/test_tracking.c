/* The tables of client side caching against naive models. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "resp/proto/reply.h"
#include "resp/sessions/tracking/keys.h"
#include "resp/sessions/tracking/prefixes.h"
#include "store/base/keyhash.h"
#include "store/base/rng.h"

#define KEYS     300
#define TRACKERS 40

static uint64_t seed;

static struct bytes name_of(unsigned i, char *buf)
{
	return bytes_of(buf, (size_t)sprintf(buf, "key:%u;%.*s", i, (int)(i % 7) * 90,
					     "................................................."
					     "................................................."
					     "................................................."
					     "................................................."
					     "................................................."
					     "................................................."
					     "................................................."
					     "................................................."
					     "................................................."
					     "................................................."
					     "................................................."));
}

struct model {
	bool reads[KEYS][TRACKERS + 1];
	bool dead[TRACKERS + 1];
};

static bool is_alive(void *arg, uint32_t id)
{
	return !((struct model *)arg)->dead[id];
}

static size_t model_key(struct model *m, unsigned key)
{
	size_t n = 0;
	for (unsigned i = 1; i <= TRACKERS; i++)
		n += m->reads[key][i];
	return n;
}

static void expect_taken(struct model *m, struct tracked *k, unsigned key)
{
	size_t n, seen = 0;
	const uint32_t *ids = tracked_ids(k, &n);
	for (size_t i = 0; i < n; i++) {
		assert_true(m->reads[key][ids[i]]);
		seen++;
	}
	assert_int_equal(seen, model_key(m, key));
	memset(m->reads[key], 0, sizeof(m->reads[key]));
	tracked_free(k);
}

static unsigned number_of(struct bytes key)
{
	unsigned n;
	assert_int_equal(sscanf(key.p, "key:%u", &n), 1);
	return n;
}

static void expect_counts(struct model *m, struct tracked_keys *t)
{
	size_t keys = 0, items = 0;
	for (unsigned i = 0; i < KEYS; i++) {
		size_t n = model_key(m, i);
		keys += n > 0;
		items += n;
	}
	assert_int_equal(tracked_keys_count(t), keys);
	assert_int_equal(tracked_keys_items(t), items);
}

/* Whatever is added, taken and swept, a key's readers are exactly those that read it since it was last taken. */
static void readers_are_remembered(void **state)
{
	(void)state;
	struct rng rng;
	struct model m = {0};
	char buf[1024];
	rng_seed(&rng, seed);
	struct tracked_keys *t = tracked_keys_new();
	for (int step = 0; step < 40000; step++) {
		unsigned what = (unsigned)rng_below(&rng, 100),
			 key = (unsigned)rng_below(&rng, KEYS);
		struct bytes name = name_of(key, buf);
		uint32_t id = 1 + (uint32_t)rng_below(&rng, TRACKERS);
		struct tracked *k;
		if (what < 80) {
			assert_true(tracked_keys_add(t, name, keyhash(name), id));
			m.reads[key][id] = true;
		} else if (what < 95) {
			bool there = model_key(&m, key) > 0;
			k = tracked_keys_take(t, name, keyhash(name));
			assert_int_equal(k != NULL, there);
			if (k)
				expect_taken(&m, k, key);
		} else if (what < 99) {
			k = tracked_keys_take_random(t, &rng);
			if (k)
				expect_taken(&m, k, number_of(tracked_key(k)));
		} else if (step % 10 == 0) {
			m.dead[id] = true;
			uint64_t cursor = 0;
			do
				cursor = tracked_keys_sweep(t, cursor, is_alive, &m);
			while (cursor);
			m.dead[id] = false;
			for (unsigned i = 0; i < KEYS; i++)
				m.reads[i][id] = false;
		}
		if (step % 500 == 0) {
			tracked_keys_check(t);
			expect_counts(&m, t);
		}
	}
	tracked_keys_free(t);
}

/* --- prefixes --- */

struct heard {
	char text[4][256];
	uint64_t except[4];
};

static void hear(void *arg, void *who, struct prefix_news *news)
{
	struct heard *h = arg;
	size_t i = (size_t)(uintptr_t)who, covered;
	struct reply r;
	struct iovec iov[8];
	if (!prefix_news_count(news, h->except[i]))
		return;
	reply_init(&r, 2);
	prefix_news_append(news, h->except[i], &r);
	int n = reply_iov(&r, iov, 8, &covered);
	for (int k = 0; k < n; k++)
		strncat(h->text[i], iov[k].iov_base, iov[k].iov_len);
	reply_fini(&r);
}

static void changed(struct prefixes *p, const char *key, uint64_t by)
{
	prefixes_changed(p, bytes_str(key), by);
}

/* Each hears once of each key under its prefixes, in order, without what it changed last itself. */
static void news_reach_who_asked(void **state)
{
	(void)state;
	struct prefixes *p = prefixes_new();
	struct heard h = {.except = {0, 7, 0, 0}};
	struct prefix_member *all = prefixes_join(p, BYTES(""), (void *)0);
	struct prefix_member *one = prefixes_join(p, BYTES("a:"), (void *)1);
	struct prefix_member *two = prefixes_join(p, BYTES("a:"), (void *)2);
	assert_int_equal(prefixes_count(p), 2);
	assert_true(prefixes_changed(p, BYTES("b"), 7));
	changed(p, "a:2", 7);
	changed(p, "a:1", 7);
	changed(p, "a:1", 9);
	changed(p, "a:2", 9);
	changed(p, "a:2", 7);
	prefixes_tell(p, hear, &h);
	assert_string_equal(h.text[0], "*3\r\n$3\r\na:1\r\n$3\r\na:2\r\n$1\r\nb\r\n");
	assert_string_equal(h.text[1], "*1\r\n$3\r\na:1\r\n");
	assert_string_equal(h.text[2], "*2\r\n$3\r\na:1\r\n$3\r\na:2\r\n");
	memset(&h, 0, sizeof(h));
	prefixes_tell(p, hear, &h);
	assert_string_equal(h.text[0], "");
	changed(p, "a:3", 1);
	prefixes_leave(p, all);
	prefixes_leave(p, two);
	assert_false(prefixes_changed(p, BYTES("b"), 1));
	prefixes_tell(p, hear, &h);
	assert_string_equal(h.text[0], "");
	assert_string_equal(h.text[1], "*1\r\n$3\r\na:3\r\n");
	changed(p, "a:3", 1);
	prefixes_leave(p, one);
	assert_int_equal(prefixes_count(p), 0);
	prefixes_free(p);
}

static bool clash_naive(const struct bytes *names, size_t old, size_t n, size_t *one, size_t *other)
{
	for (size_t i = old; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			size_t min = names[i].n < names[j].n ? names[i].n : names[j].n;
			if ((j >= old && j <= i) || memcmp(names[i].p, names[j].p, min) != 0)
				continue;
			*one = i;
			*other = j;
			return true;
		}
	return false;
}

/* A clash is found where comparing each with each finds it first. */
static void clashes_are_found(void **state)
{
	(void)state;
	struct rng rng;
	rng_seed(&rng, seed);
	for (int round = 0; round < 20000; round++) {
		char text[12][8];
		struct bytes names[12];
		size_t n = 1 + rng_below(&rng, 12), old = 0, one = 99, other = 99, a = 99, b = 99;
		for (size_t i = 0; i < n; i++) {
			size_t len = rng_below(&rng, 6);
			for (size_t k = 0; k < len; k++)
				text[i][k] = (char)('a' + rng_below(&rng, 3));
			names[i] = bytes_of(text[i], len);
		}
		while (old < n && !clash_naive(names, 0, old + 1, &a, &b))
			old++;
		old = rng_below(&rng, old + 1);
		a = b = 99;
		bool want = clash_naive(names, old, n, &a, &b);
		assert_int_equal(prefixes_clash(names, old, n, &one, &other), want);
		if (want) {
			assert_int_equal(one, a);
			assert_int_equal(other, b);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_are_remembered),
		cmocka_unit_test(news_reach_who_asked),
		cmocka_unit_test(clashes_are_found),
	};
	seed = (uint64_t)time(NULL);
	printf("seed %llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
