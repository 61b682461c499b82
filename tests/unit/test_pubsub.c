/* Subscriptions and deliveries against a naive model of who listens to what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "resp/server.h"
#include "resp/sessions/pubsub.h"
#include "resp/sessions/push.h"
#include "store/base/glob.h"
#include "store/base/rng.h"

#define SESSIONS 5
#define NAMES    7

static const char *const names[PUBSUB_KINDS][NAMES] = {
	{"a", "b", "", "aa", "ab", "news.x", "[a]"},
	{"a*", "?", "[ab]", "news.*", "*", "b", ""},
	{"a", "b", "", "aa", "ab", "news.x", "[a]"},
};

struct world {
	struct server server;
	struct session sessions[SESSIONS];
	struct reply replies[SESSIONS];
	bool on[SESSIONS][PUBSUB_KINDS][NAMES];
	struct rng rng;
};

static unsigned pick(struct world *w, unsigned n)
{
	return (unsigned)(rng_next(&w->rng) % n);
}

static void open_session(struct world *w, unsigned i)
{
	static const struct session_ops ops = {NULL};
	memset(&w->sessions[i], 0, sizeof(w->sessions[i]));
	reply_init(&w->replies[i], 2 + (int)(i & 1));
	session_open(&w->sessions[i], &w->server, &w->replies[i], &ops, SESSION_AUTHENTICATED);
}

static void close_session(struct world *w, unsigned i)
{
	session_close(&w->sessions[i]);
	reply_fini(&w->replies[i]);
	memset(w->on[i], 0, sizeof(w->on[i]));
}

static size_t naive_count(const struct world *w, unsigned s, int kind)
{
	size_t n = 0;
	for (unsigned i = 0; i < NAMES; i++)
		n += w->on[s][kind][i];
	return n;
}

static size_t naive_subscribers(const struct world *w, int kind, unsigned name)
{
	size_t n = 0;
	for (unsigned s = 0; s < SESSIONS; s++)
		n += w->on[s][kind][name];
	return n;
}

static size_t naive_receivers(const struct world *w, int kind, unsigned name)
{
	struct bytes channel = bytes_str(names[kind][name]);
	size_t n = naive_subscribers(w, kind, name);
	for (unsigned p = 0; kind == PUBSUB_CHANNEL && p < NAMES; p++)
		if (glob_match(bytes_str(names[PUBSUB_PATTERN][p]), channel, false))
			n += naive_subscribers(w, PUBSUB_PATTERN, p);
	return n;
}

static void check(struct world *w)
{
	for (int kind = 0; kind < PUBSUB_KINDS; kind++) {
		size_t topics = 0;
		for (unsigned i = 0; i < NAMES; i++) {
			size_t n = naive_subscribers(w, kind, i);
			topics += n != 0;
			assert_int_equal(pubsub_subscribers(w->server.pubsub,
							    (enum pubsub_kind)kind,
							    bytes_str(names[kind][i])),
					 n);
		}
		assert_int_equal(pubsub_names(w->server.pubsub, (enum pubsub_kind)kind), topics);
	}
	for (unsigned s = 0; s < SESSIONS; s++) {
		size_t all = 0;
		for (int kind = 0; kind < PUBSUB_KINDS; kind++) {
			size_t n = naive_count(w, s, kind);
			all += n;
			assert_int_equal(pubsub_count(&w->sessions[s], (enum pubsub_kind)kind), n);
		}
		assert_int_equal((w->sessions[s].flags & SESSION_PUBSUB) != 0, all != 0);
	}
}

static void publish(struct world *w)
{
	int kind = pick(w, 2) ? PUBSUB_SHARD : PUBSUB_CHANNEL;
	unsigned name = pick(w, NAMES);
	size_t before = 0, after = 0;
	for (unsigned s = 0; s < SESSIONS; s++)
		before += reply_pending(&w->replies[s]);
	size_t n = pubsub_publish(&w->server, (enum pubsub_kind)kind, bytes_str(names[kind][name]),
				  BYTES("hello"), NULL);
	assert_int_equal(n, naive_receivers(w, kind, name));
	for (unsigned s = 0; s < SESSIONS; s++)
		after += reply_pending(&w->replies[s]);
	assert_int_equal(after > before, n > 0);
}

static void step(struct world *w)
{
	unsigned s = pick(w, SESSIONS), name = pick(w, NAMES), what = pick(w, 20);
	int kind = (int)pick(w, PUBSUB_KINDS);
	struct bytes b = bytes_str(names[kind][name]);
	if (what < 8) {
		assert_true(pubsub_subscribe(&w->sessions[s], (enum pubsub_kind)kind, b));
		w->on[s][kind][name] = true;
	} else if (what < 13) {
		pubsub_unsubscribe(&w->sessions[s], (enum pubsub_kind)kind, b);
		w->on[s][kind][name] = false;
	} else if (what < 18) {
		publish(w);
	} else if (what == 18) {
		pubsub_leave(&w->sessions[s]);
		memset(w->on[s], 0, sizeof(w->on[s]));
	} else {
		close_session(w, s);
		open_session(w, s);
	}
}

static void begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	config_init(&w->server.config);
	server_init(&w->server);
	for (unsigned i = 0; i < SESSIONS; i++)
		open_session(w, i);
}

static void end(struct world *w)
{
	for (unsigned i = 0; i < SESSIONS; i++)
		close_session(w, i);
	server_fini(&w->server);
	config_fini(&w->server.config);
}

static void deliveries_equal_those_of_a_naive_model(void **state)
{
	static struct world w;
	uint64_t seed = (uint64_t)time(NULL);
	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	begin(&w);
	rng_seed(&w.rng, seed);
	for (int i = 0; i < 20000; i++) {
		step(&w);
		check(&w);
	}
	end(&w);
}

static struct bytes pending(const struct reply *r)
{
	struct iovec iov[1];
	size_t n;
	assert_int_equal(reply_iov(r, iov, 1, &n), 1);
	return bytes_of(iov[0].iov_base, n);
}

static void receivers_of_both_protocols_share_one_message(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	pubsub_subscribe(&w.sessions[0], PUBSUB_CHANNEL, BYTES("c"));
	pubsub_subscribe(&w.sessions[1], PUBSUB_PATTERN, BYTES("*"));
	w.replies[0].muted = true; /* CLIENT REPLY OFF does not hold messages back */
	assert_int_equal(pubsub_publish(&w.server, PUBSUB_CHANNEL, BYTES("c"), BYTES("m"), NULL),
			 2);
	assert_true(bytes_eq(pending(&w.replies[0]),
			     BYTES("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n")));
	assert_true(bytes_eq(pending(&w.replies[1]),
			     BYTES(">4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\nc\r\n$1\r\nm\r\n")));
	assert_true(w.replies[0].muted);
	end(&w);
}

static void a_message_to_oneself_waits_for_the_reply(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	pubsub_subscribe(&w.sessions[0], PUBSUB_CHANNEL, BYTES("c"));
	w.server.current = &w.sessions[0];
	w.server.running = 1;
	pubsub_publish(&w.server, PUBSUB_CHANNEL, BYTES("c"), BYTES("m"), NULL);
	w.server.current = NULL;
	w.server.running = 0;
	assert_int_equal(reply_pending(&w.replies[0]), 0);
	assert_true(w.sessions[0].flags & SESSION_PUSHED);
	reply_int(&w.replies[0], 1);
	push_flush(&w.sessions[0]);
	assert_true(bytes_eq(pending(&w.replies[0]),
			     BYTES(":1\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n")));
	assert_false(w.sessions[0].flags & SESSION_PUSHED);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deliveries_equal_those_of_a_naive_model),
		cmocka_unit_test(receivers_of_both_protocols_share_one_message),
		cmocka_unit_test(a_message_to_oneself_waits_for_the_reply),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
