/* Waiting commands, through sessions that are no sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "resp/dispatch.h"
#include "resp/journal.h"
#include "resp/server.h"
#include "resp/sessions/blocking.h"
#include "store/base/mem.h"
#include "store/base/rng.h"

#define SESSIONS 4

struct front {
	struct session session;
	struct reply reply;
	int parked, unparked;
};

struct fixture {
	struct server server;
	struct front fronts[SESSIONS];
	char journal[1024];
	size_t n;
	struct journal_consumer consumer;
};

static struct front *front_of(struct session *s)
{
	return (struct front *)(void *)((char *)s - offsetof(struct front, session));
}

static void on_park(struct session *s)
{
	front_of(s)->parked++;
}

static void on_unpark(struct session *s)
{
	front_of(s)->unparked++;
	s->flags &= ~(uint32_t)SESSION_HELD;
}

static const struct session_ops waiting_ops = {.park = on_park, .unpark = on_unpark};
static const struct session_ops hasty_ops = {0};

static void on_append(void *arg, unsigned db, int argc, const struct bytes *argv)
{
	struct fixture *f = arg;
	size_t room = sizeof(f->journal);
	f->n += (size_t)snprintf(f->journal + f->n, room - f->n, "%u:", db);
	for (int i = 0; i < argc; i++)
		f->n += (size_t)snprintf(f->journal + f->n, room - f->n, "%.*s%s", (int)argv[i].n,
					 argv[i].p, i + 1 < argc ? " " : "; ");
}

static void on_begin(void *arg)
{
	struct fixture *f = arg;
	f->n += (size_t)snprintf(f->journal + f->n, sizeof(f->journal) - f->n, "[");
}

static void on_end(void *arg)
{
	struct fixture *f = arg;
	f->n += (size_t)snprintf(f->journal + f->n, sizeof(f->journal) - f->n, "]");
}

static int setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	config_init(&f.server.config);
	server_init(&f.server);
	for (int i = 0; i < SESSIONS; i++) {
		reply_init(&f.fronts[i].reply, 2);
		session_open(&f.fronts[i].session, &f.server, &f.fronts[i].reply, &waiting_ops,
			     SESSION_AUTHENTICATED);
	}
	f.consumer = (struct journal_consumer){
		.arg = &f, .append = on_append, .begin = on_begin, .end = on_end};
	journal_add_consumer(f.server.journal, &f.consumer);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < SESSIONS; i++) {
		session_close(&f->fronts[i].session);
		reply_fini(&f->fronts[i].reply);
	}
	assert_int_equal(f->server.awaited_keys, 0);
	server_fini(&f->server);
	config_fini(&f->server.config);
	return 0;
}

static int words_of(char *line, struct bytes *argv)
{
	int argc = 0;
	for (char *save, *w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = bytes_str(w);
	return argc;
}

/* Run a line of words on session @i. */
static void run(struct fixture *f, int i, const char *line)
{
	char copy[256];
	struct bytes argv[16];
	snprintf(copy, sizeof(copy), "%s", line);
	int argc = words_of(copy, argv);
	f->n = 0;
	f->journal[0] = '\0';
	dispatch(&f->fronts[i].session, argc, argv, 0);
}

/* What session @i was answered since the last time, line ends as blanks. */
static const char *answer(struct fixture *f, int i)
{
	static char text[1024];
	struct iovec iov[8];
	size_t bytes, n = 0;
	int used = reply_iov(&f->fronts[i].reply, iov, 8, &bytes);
	assert_true(bytes < sizeof(text));
	for (int k = 0; k < used; k++) {
		memcpy(text + n, iov[k].iov_base, iov[k].iov_len);
		n += iov[k].iov_len;
	}
	text[n] = '\0';
	for (char *p = text; *p; p++)
		if (*p == '\r' || *p == '\n')
			*p = ' ';
	reply_consume(&f->fronts[i].reply, bytes);
	return text;
}

static void who_waits_is_served_behind_the_command_that_pushed(void **state)
{
	struct fixture *f = *state;
	run(f, 0, "BLPOP k l 0");
	assert_string_equal(answer(f, 0), "");
	assert_int_equal(f->fronts[0].parked, 1);
	assert_int_equal(f->server.awaited_keys, 2);
	run(f, 1, "RPUSH k a b");
	assert_string_equal(answer(f, 1), ":2  ");
	assert_string_equal(answer(f, 0), "*2  $1  k  $1  a  ");
	assert_string_equal(f->journal, "0:RPUSH k a b; 0:LPOP k; ");
	assert_int_equal(f->fronts[0].unparked, 1);
	assert_int_equal(f->server.awaited_keys, 0);
}

static void the_journal_reads_commands_that_do_not_wait(void **state)
{
	static const struct {
		const char *waits, *change, *journal;
	} cases[] = {
		{"BRPOP k 0", "RPUSH k a", "0:RPUSH k a; 0:RPOP k; "},
		{"BLMOVE k d left RIGHT 0", "RPUSH k a", "0:RPUSH k a; 0:LMOVE k d left RIGHT; "},
		{"BRPOPLPUSH k d 0", "RPUSH k a", "0:RPUSH k a; 0:RPOPLPUSH k d; "},
		{"BLMPOP 0 2 j k RIGHT COUNT 2", "RPUSH k a b c", "0:RPUSH k a b c; 0:RPOP k 2; "},
		{"BZPOPMIN z 0", "ZADD z 1 a", "0:ZADD z 1 a; 0:ZPOPMIN z; "},
		{"BZPOPMAX z 0", "ZADD z 1 a", "0:ZADD z 1 a; 0:ZPOPMAX z; "},
		{"BZMPOP 0 1 z MAX COUNT 5", "ZADD z 1 a 2 b", "0:ZADD z 1 a 2 b; 0:ZPOPMAX z 2; "},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		run(f, 0, "FLUSHDB");
		run(f, 0, cases[i].waits);
		run(f, 1, cases[i].change);
		assert_string_equal(f->journal, cases[i].journal);
		assert_null(f->fronts[0].session.parking);
	}
}

static void what_is_served_is_journalled_in_its_own_database(void **state)
{
	struct fixture *f = *state;
	run(f, 0, "SELECT 5");
	run(f, 0, "BLPOP k 0");
	run(f, 1, "RPUSH k here");
	assert_non_null(f->fronts[0].session.parking);
	run(f, 1, "MOVE k 5");
	assert_string_equal(f->journal, "0:MOVE k 5; 5:LPOP k; ");
	run(f, 0, "BLPOP k 0");
	run(f, 1, "RPUSH k there");
	run(f, 1, "SWAPDB 0 5");
	assert_string_equal(f->journal, "0:SWAPDB 0 5; 5:LPOP k; ");
}

static void a_unit_is_over_before_anybody_is_served(void **state)
{
	struct fixture *f = *state;
	struct bytes push[3] = {BYTES("RPUSH"), BYTES("k"), BYTES("a")};
	struct bytes wait[3] = {BYTES("BLPOP"), BYTES("none"), BYTES("0")};
	struct dispatch_item items[3] = {
		{.session = &f->fronts[1].session, .argc = 3, .argv = push},
		{.session = &f->fronts[1].session, .argc = 3, .argv = wait},
		{.session = &f->fronts[1].session, .argc = 3, .argv = push},
	};
	run(f, 0, "BLPOP k 0");
	answer(f, 0);
	assert_true(dispatch_unit(&f->fronts[1].session, items, 3));
	assert_string_equal(answer(f, 1), ":1  *-1  :2  ");
	assert_string_equal(answer(f, 0), "*2  $1  k  $1  a  ");
	assert_string_equal(f->journal, "[0:RPUSH k a; 0:RPUSH k a; ]0:LPOP k; ");
}

static void who_cannot_wait_is_answered_at_once(void **state)
{
	struct fixture *f = *state;
	f->fronts[0].session.ops = &hasty_ops;
	run(f, 0, "BLPOP k 0");
	assert_string_equal(answer(f, 0), "*-1  ");
	run(f, 0, "BLMOVE k d LEFT LEFT 0");
	assert_string_equal(answer(f, 0), "$-1  ");
	assert_null(f->fronts[0].session.parking);
}

static void a_batch_leaves_what_stands_behind_a_wait(void **state)
{
	struct fixture *f = *state;
	struct bytes ping[1] = {BYTES("PING")}, wait[3] = {BYTES("BLPOP"), BYTES("k"), BYTES("0")};
	struct bytes push[3] = {BYTES("RPUSH"), BYTES("k"), BYTES("a")};
	struct session *s = &f->fronts[0].session, *other = &f->fronts[1].session;
	/* Held until the front end lets go on, even when the wait is over before the batch is. */
	static const struct session_ops ops = {.park = on_park, .unpark = on_park};
	struct dispatch_item items[5] = {
		{.session = s, .argc = 3, .argv = wait},
		{.session = s, .argc = 1, .argv = ping},
		{.session = other, .argc = 3, .argv = push},
		{.session = s, .argc = 1, .argv = ping},
		{.session = other, .argc = 1, .argv = ping},
	};
	s->ops = &ops;
	dispatch_batch(&f->server, items, 5);
	assert_string_equal(answer(f, 0), "*2  $1  k  $1  a  ");
	assert_string_equal(answer(f, 1), ":1  +PONG  ");
	assert_int_equal(items[0].state, ITEM_PARKED);
	assert_int_equal(items[1].state, ITEM_HELD);
	assert_int_equal(items[2].state, ITEM_DONE);
	assert_int_equal(items[3].state, ITEM_HELD);
	assert_int_equal(items[4].state, ITEM_DONE);
}

static void a_wait_that_ends_is_counted_once(void **state)
{
	struct fixture *f = *state;
	struct registered *blpop = registry_find(f->server.registry, BYTES("blpop"));
	run(f, 0, "BLPOP k 0");
	assert_int_equal(blpop->stats.calls, 0);
	run(f, 1, "RPUSH k a");
	assert_int_equal(blpop->stats.calls, 1);
	run(f, 0, "BLPOP k 0");
	assert_true(blocking_end(&f->fronts[0].session, NULL));
	assert_false(blocking_end(&f->fronts[0].session, NULL));
	assert_int_equal(blpop->stats.calls, 2);
	assert_int_equal(blpop->stats.failed, 0);
	run(f, 0, "BLPOP k 0");
	assert_true(blocking_end(&f->fronts[0].session, "UNBLOCKED by hand"));
	assert_int_equal(blpop->stats.failed, 1);
}

static void answer_later(struct call *c)
{
	struct bytes words[3] = {c->argv[0], c->argv[1], BYTES("later")};
	struct park how = {.first_key = 1, .nkeys = 1, .type = VALUE_SET, .argv = words};
	if (c->ready_key)
		reply_bulk(c->reply, c->argv[2]);
	else
		call_park(c, &how);
}

static void a_command_may_choose_the_words_it_runs_again_with(void **state)
{
	static const struct command waiting = {.name = "getrange", .run = answer_later, .arity = 3};
	struct fixture *f = *state;
	registry_find(f->server.registry, BYTES("getrange"))->cmd = &waiting;
	run(f, 0, "GETRANGE k now");
	run(f, 1, "SADD k m");
	assert_string_equal(answer(f, 0), "$5  later  ");
}

/* Sessions that wait for some of a few keys, against queues kept by hand: each push goes to the first in the queue. */
static void pushes_go_to_who_came_first(void **state)
{
	struct fixture *f = *state;
	struct rng rng;
	uint64_t seed = 20261122;
	print_message("seed %llu\n", (unsigned long long)seed);
	rng_seed(&rng, seed);
	int queue[SESSIONS], n = 0;      /* who waits, in order of arrival */
	char wants[SESSIONS][2] = {{0}}; /* the keys */
	for (int step = 0; step < 20000; step++) {
		int who = (int)rng_below(&rng, SESSIONS);
		char a = (char)('a' + rng_below(&rng, 3)), b = (char)('a' + rng_below(&rng, 3));
		char line[64];
		int at = 0;
		while (at < n && queue[at] != who)
			at++;
		if (at < n && rng_below(&rng, 4) == 0) {
			assert_true(blocking_end(&f->fronts[who].session, NULL));
			assert_string_equal(answer(f, who), "*-1  ");
			memmove(queue + at, queue + at + 1, sizeof(int) * (size_t)(n-- - at - 1));
		} else if (at < n) {
			continue;
		} else if (rng_below(&rng, 3)) {
			snprintf(line, sizeof(line), "BRPOP %c %c 0", a, b);
			run(f, who, line);
			assert_string_equal(answer(f, who), "");
			wants[who][0] = a;
			wants[who][1] = b;
			queue[n++] = who;
		} else {
			snprintf(line, sizeof(line), "RPUSH %c v", a);
			run(f, who, line);
			assert_string_equal(answer(f, who), ":1  ");
			for (at = 0; at < n; at++)
				if (wants[queue[at]][0] == a || wants[queue[at]][1] == a)
					break;
			if (at == n) {
				snprintf(line, sizeof(line), "DEL %c", a);
				run(f, who, line);
				answer(f, who);
				continue;
			}
			snprintf(line, sizeof(line), "*2  $1  %c  $1  v  ", a);
			assert_string_equal(answer(f, queue[at]), line);
			memmove(queue + at, queue + at + 1, sizeof(int) * (size_t)(n-- - at - 1));
		}
		assert_int_equal(blocking_figures(f->server.blocking).clients, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(who_waits_is_served_behind_the_command_that_pushed),
		T(the_journal_reads_commands_that_do_not_wait),
		T(what_is_served_is_journalled_in_its_own_database),
		T(a_unit_is_over_before_anybody_is_served),
		T(who_cannot_wait_is_answered_at_once),
		T(a_batch_leaves_what_stands_behind_a_wait),
		T(a_wait_that_ends_is_counted_once),
		T(a_command_may_choose_the_words_it_runs_again_with),
		T(pushes_go_to_who_came_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
