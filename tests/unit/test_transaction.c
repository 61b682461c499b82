/* What a transaction tells the journal, and watches against a naive model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "resp/dispatch.h"
#include "resp/journal.h"
#include "resp/server.h"
#include "resp/sessions/transaction.h"
#include "resp/sessions/watch.h"
#include "store/base/rng.h"

#define SESSIONS 4
#define KEYS     6

struct world {
	struct server server;
	struct session sessions[SESSIONS];
	struct reply replies[SESSIONS];
	struct journal_consumer consumer;
	char told[512];
	size_t n;
};

static void tell(struct world *w, struct bytes b, const char *after)
{
	w->n += (size_t)snprintf(w->told + w->n, sizeof(w->told) - w->n, "%.*s%s", (int)b.n, b.p,
				 after);
}

static void on_append(void *arg, unsigned db, int argc, const struct bytes *argv)
{
	(void)db;
	for (int i = 0; i < argc; i++)
		tell(arg, argv[i], i + 1 < argc ? " " : "; ");
}

static void on_begin(void *arg)
{
	tell(arg, BYTES("<"), "");
}

static void on_end(void *arg)
{
	tell(arg, BYTES(">"), "");
}

static void begin(struct world *w)
{
	static const struct session_ops ops = {NULL};
	memset(w, 0, sizeof(*w));
	config_init(&w->server.config);
	server_init(&w->server);
	for (unsigned i = 0; i < SESSIONS; i++) {
		reply_init(&w->replies[i], 2);
		session_open(&w->sessions[i], &w->server, &w->replies[i], &ops,
			     SESSION_AUTHENTICATED);
	}
	w->consumer = (struct journal_consumer){w, on_append, on_begin, on_end};
	journal_add_consumer(w->server.journal, &w->consumer);
}

static void end(struct world *w)
{
	for (unsigned i = 0; i < SESSIONS; i++) {
		session_close(&w->sessions[i]);
		reply_fini(&w->replies[i]);
	}
	assert_null(w->server.watches);
	server_fini(&w->server);
	config_fini(&w->server.config);
}

static void run(struct world *w, unsigned session, const char *line)
{
	char copy[128], *save;
	struct bytes argv[8];
	int argc = 0;
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = bytes_str(word);
	dispatch(&w->sessions[session], argc, argv, 0);
}

static void run_all(struct world *w, const char *const *lines)
{
	w->n = 0;
	w->told[0] = '\0';
	for (; *lines; lines++)
		run(w, 0, *lines);
}

static void the_journal_gets_one_unit(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	run_all(&w, (const char *const[]){"MULTI", "SET a 1", "INCR a", "GET a", "EXEC", NULL});
	assert_string_equal(w.told, "<SET a 1; INCR a; >");
	run_all(&w, (const char *const[]){"MULTI", "SET a 2", "GET a", "EXEC", NULL});
	assert_string_equal(w.told, "SET a 2; ");
	run_all(&w, (const char *const[]){"MULTI", "GET a", "EXEC", NULL});
	assert_string_equal(w.told, "");
	run_all(&w, (const char *const[]){"MULTI", "SET a 3", "DISCARD", "MULTI", "NOSUCH",
					  "SET a 3", "EXEC", NULL});
	assert_string_equal(w.told, "");
	run_all(&w, (const char *const[]){"WATCH a", "SET a 4", "MULTI", "SET a 5", "EXEC", NULL});
	assert_string_equal(w.told, "SET a 4; ");
	end(&w);
}

static void a_change_is_told_to_those_who_watch_and_to_no_other(void **state)
{
	static struct world w;
	static const char *const changes[] = {"SET k%u 1", "DEL k%u", "APPEND k%u x",
					      "EXPIRE k%u 100"};
	bool watched[SESSIONS][KEYS] = {{false}}, exists[KEYS] = {false}, dirty[SESSIONS] = {false};
	uint64_t seed = (uint64_t)time(NULL);
	struct rng rng;
	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	rng_seed(&rng, seed);
	begin(&w);
	journal_remove_consumer(w.server.journal, &w.consumer);
	for (int i = 0; i < 20000; i++) {
		unsigned s = (unsigned)(rng_next(&rng) % SESSIONS);
		unsigned k = (unsigned)(rng_next(&rng) % KEYS);
		unsigned what = (unsigned)(rng_next(&rng) % 10);
		char line[64];
		bool changed[KEYS] = {false};
		if (what < 4) {
			snprintf(line, sizeof(line), "WATCH k%u", k);
			watched[s][k] |= !dirty[s];
		} else if (what < 6) {
			snprintf(line, sizeof(line), "%s", what == 4 ? "UNWATCH" : "RESET");
			dirty[s] = false;
			memset(watched[s], 0, sizeof(watched[s]));
		} else if (what == 6) {
			snprintf(line, sizeof(line), "FLUSHALL");
			memcpy(changed, exists, sizeof(changed));
			memset(exists, 0, sizeof(exists));
		} else {
			unsigned which = (unsigned)(rng_next(&rng) % 4);
			snprintf(line, sizeof(line), changes[which], k);
			changed[k] = which % 2 == 0 || exists[k];
			exists[k] = which != 1 && changed[k];
		}
		run(&w, s, line);
		for (unsigned each = 0; each < SESSIONS; each++) {
			for (unsigned key = 0; key < KEYS; key++)
				dirty[each] |= watched[each][key] && changed[key];
			if (dirty[each])
				memset(watched[each], 0, sizeof(watched[each]));
			assert_int_equal((w.sessions[each].flags & SESSION_DIRTY_CAS) != 0,
					 dirty[each]);
			reply_consume(&w.replies[each], reply_pending(&w.replies[each]));
		}
	}
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_journal_gets_one_unit),
		cmocka_unit_test(a_change_is_told_to_those_who_watch_and_to_no_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
