/* What list, set, hash and sorted-set commands tell the journal and the listeners of keyspace events. */
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
#include "store/base/mem.h"

struct heard {
	char text[1024];
	size_t n;
};

struct fixture {
	struct server server;
	struct session session;
	struct reply reply;
	struct heard journal, events;
	struct journal_consumer consumer;
	struct event_sink sink;
};

static void note(struct heard *h, struct bytes b, const char *after)
{
	h->n += (size_t)snprintf(h->text + h->n, sizeof(h->text) - h->n, "%.*s%s", (int)b.n, b.p,
				 after);
}

static void on_append(void *arg, unsigned db, int argc, const struct bytes *argv)
{
	(void)db;
	for (int i = 0; i < argc; i++)
		note(arg, argv[i], i + 1 < argc ? " " : "; ");
}

static void on_unit(void *arg)
{
	(void)arg;
}

static void on_event(void *arg, struct db *db, struct bytes key, unsigned cls, const char *name)
{
	(void)db;
	(void)cls;
	note(arg, bytes_str(name), " ");
	note(arg, key, "; ");
}

static void on_close(struct session *s, bool now)
{
	(void)s;
	(void)now;
}

static int setup(void **state)
{
	static struct fixture f;
	static const struct session_ops ops = {.close = on_close};

	memset(&f, 0, sizeof(f));
	config_init(&f.server.config);
	server_init(&f.server);
	reply_init(&f.reply, 2);
	session_open(&f.session, &f.server, &f.reply, &ops, SESSION_AUTHENTICATED);
	f.consumer = (struct journal_consumer){
		.arg = &f.journal, .append = on_append, .begin = on_unit, .end = on_unit};
	journal_add_consumer(f.server.journal, &f.consumer);
	f.sink = (struct event_sink){&f.events, on_event};
	f.server.events = &f.sink;
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	session_close(&f->session);
	reply_fini(&f->reply);
	server_fini(&f->server);
	config_fini(&f->server.config);
	return 0;
}

/* Run lines of words; what was heard is of the last line only. */
static void run(struct fixture *f, const char *lines)
{
	char copy[512];
	snprintf(copy, sizeof(copy), "%s", lines);
	for (char *line = copy, *rest; line; line = rest) {
		struct bytes argv[16];
		int argc = 0;
		rest = strchr(line, '\n');
		if (rest)
			*rest++ = '\0';
		for (char *save, *w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save))
			argv[argc++] = bytes_str(w);
		f->journal = f->events = (struct heard){.n = 0};
		dispatch(&f->session, argc, argv, 0);
	}
}

struct told {
	const char *lines, *journal, *events;
};

static void check_told(struct fixture *f, const struct told *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		run(f, cases[i].lines);
		if (strcmp(f->journal.text, cases[i].journal) ||
		    strcmp(f->events.text, cases[i].events))
			print_error("after %s: %s | %s\n", cases[i].lines, f->journal.text,
				    f->events.text);
		assert_string_equal(f->journal.text, cases[i].journal);
		assert_string_equal(f->events.text, cases[i].events);
	}
	keyspace_check(f->server.keyspace);
}

static void changes_are_told_as_redis_tells_them(void **state)
{
	static const struct told cases[] = {
		{"RPUSH l a b", "RPUSH l a b; ", "rpush l; "},
		{"LPUSHX nolist a", "", ""},
		{"LPOP l", "LPOP l; ", "lpop l; "},
		{"LPOP l 0", "", ""},
		{"RPOP l 5", "RPOP l 5; ", "rpop l; del l; "},
		{"RPUSH l a b c\nLTRIM l 0 -1", "", "ltrim l; "},
		{"LTRIM l 1 1", "LTRIM l 1 1; ", "ltrim l; "},
		{"LINSERT l BEFORE b x", "LINSERT l BEFORE b x; ", "linsert l; "},
		{"LINSERT l BEFORE nope x", "", ""},
		{"LSET l 0 y", "LSET l 0 y; ", "lset l; "},
		{"LREM l 0 nope", "", ""},
		{"LREM l 0 y", "LREM l 0 y; ", "lrem l; "},
		{"RPOPLPUSH l m", "RPOPLPUSH l m; ", "lpush m; rpop l; del l; "},
		{"LMOVE m m LEFT RIGHT", "LMOVE m m LEFT RIGHT; ", "rpush m; lpop m; "},
		{"RPUSH m z\nLMPOP 2 none m LEFT COUNT 9", "LPOP m 2; ", "lpop m; del m; "},
		{"SADD s a", "SADD s a; ", "sadd s; "},
		{"SADD s a", "", ""},
		{"SPOP s", "SREM s a; ", "spop s; del s; "},
		{"SADD s a b\nSPOP s 2", "DEL s; ", "spop s; del s; "},
		{"SPOP s 2", "", ""},
		{"SADD s a\nSMOVE s t a", "SMOVE s t a; ", "srem s; del s; sadd t; "},
		{"SMOVE t t a", "", ""},
		{"SUNIONSTORE u t", "SUNIONSTORE u t; ", "sunionstore u; "},
		{"SINTERSTORE u t none", "SINTERSTORE u t none; ", "del u; "},
		{"SINTERSTORE u t none", "", ""},
		{"SREM t a", "SREM t a; ", "srem t; del t; "},
		{"HSET h f 1", "HSET h f 1; ", "hset h; "},
		{"HSETNX h f 2", "", ""},
		{"HINCRBY h f 2", "HINCRBY h f 2; ", "hincrby h; "},
		{"HINCRBYFLOAT h f 0.5", "HSET h f 3.5; ", "hincrbyfloat h; "},
		{"HINCRBY h f 1", "", ""},
		{"HDEL h g", "", ""},
		{"HDEL h f g", "HDEL h f g; ", "hdel h; del h; "},
	};
	check_told(*state, cases, sizeof(cases) / sizeof(cases[0]));
}

static void changes_of_sorted_sets_are_told_as_redis_tells_them(void **state)
{
	static const struct told cases[] = {
		{"ZADD z 1 a 2 b", "ZADD z 1 a 2 b; ", "zadd z; "},
		{"ZADD z 1 a", "", ""},
		{"ZADD z NX 5 a", "", ""},
		{"ZADD z XX 5 c", "", ""},
		{"ZADD none XX 5 c", "", ""},
		{"ZADD z GT 0 a", "", ""},
		{"ZADD z INCR 1 a", "ZADD z INCR 1 a; ", "zincr z; "},
		{"ZINCRBY z 2.5 a", "ZINCRBY z 2.5 a; ", "zincr z; "},
		{"ZINCRBY z 0 a", "", ""},
		{"ZADD z inf i\nZINCRBY z -inf i", "", ""},
		{"ZREM z i nope", "ZREM z i nope; ", "zrem z; "},
		{"ZREM z nope", "", ""},
		{"ZPOPMIN z", "ZPOPMIN z; ", "zpopmin z; "},
		{"ZPOPMAX z 0", "", ""},
		{"ZPOPMAX z 9", "ZPOPMAX z 9; ", "zpopmax z; del z; "},
		{"ZADD z 1 a 2 b 3 c\nZMPOP 2 none z MAX COUNT 2", "ZPOPMAX z 2; ", "zpopmax z; "},
		{"ZMPOP 1 z MIN COUNT 9", "ZPOPMIN z 1; ", "zpopmin z; del z; "},
		{"ZMPOP 1 z MIN", "", ""},
		{"ZADD z 1 a 2 b 3 c 4 d 5 e", "ZADD z 1 a 2 b 3 c 4 d 5 e; ", "zadd z; "},
		{"ZREMRANGEBYRANK z 0 0", "ZREMRANGEBYRANK z 0 0; ", "zremrangebyrank z; "},
		{"ZREMRANGEBYRANK z 9 9", "", ""},
		{"ZREMRANGEBYSCORE z 2 3", "ZREMRANGEBYSCORE z 2 3; ", "zremrangebyscore z; "},
		{"ZRANGESTORE y z 0 -1", "ZRANGESTORE y z 0 -1; ", "zrangestore y; "},
		{"ZUNIONSTORE u 2 z y", "ZUNIONSTORE u 2 z y; ", "zunionstore u; "},
		{"ZINTERSTORE u 2 z y", "ZINTERSTORE u 2 z y; ", "zinterstore u; "},
		{"ZDIFFSTORE u 2 z y", "ZDIFFSTORE u 2 z y; ", "del u; "},
		{"ZDIFFSTORE u 2 z y", "", ""},
		{"ZRANGESTORE y none 0 -1", "ZRANGESTORE y none 0 -1; ", "del y; "},
		{"ZREMRANGEBYLEX z - +", "ZREMRANGEBYLEX z - +; ", "zremrangebylex z; del z; "},
	};
	check_told(*state, cases, sizeof(cases) / sizeof(cases[0]));
}

static void changes_of_streams_are_told_by_the_ids_they_came_to(void **state)
{
	static const struct told cases[] = {
		{"XADD x 5-1 f v", "XADD x 5-1 f v; ", "xadd x; "},
		{"XADD x 5-* f v", "XADD x 5-2 f v; ", "xadd x; "},
		{"XADD x 4-* f v", "", ""},
		{"XADD none NOMKSTREAM 4-* f v", "", ""},
		{"XADD x MAXLEN 2 6-1 f v", "XADD x MAXLEN 2 6-1 f v; ", "xadd x; xtrim x; "},
		{"XADD x MAXLEN = 2 7-* f v", "XADD x MAXLEN = 2 7-0 f v; ", "xadd x; xtrim x; "},
		{"XADD x MAXLEN ~ 1 8-1 f v", "XADD x MAXLEN = 3 8-1 f v; ", "xadd x; "},
		{"XADD x MINID ~ 8 9-1 f v", "XADD x MINID = 6-1 9-1 f v; ", "xadd x; "},
		{"XTRIM x MAXLEN ~ 1", "", ""},
		{"XTRIM x MINID 7", "XTRIM x MINID 7; ", "xtrim x; "},
		{"XDEL x 1-1", "", ""},
		{"XDEL x 1-1 7-0", "XDEL x 1-1 7-0; ", "xdel x; "},
		{"XSETID x 20-1", "XSETID x 20-1; ", "xsetid x; "},
		{"XTRIM x MINID ~ 99", "XTRIM x MAXLEN = 0; ", "xtrim x; "},
	};
	check_told(*state, cases, sizeof(cases) / sizeof(cases[0]));
}

static void changes_of_groups_are_told_so_that_a_replay_comes_to_the_same(void **state)
{
	static const struct told cases[] = {
		{"XGROUP CREATE x g 0 MKSTREAM", "XGROUP CREATE x g 0 MKSTREAM; ",
		 "xgroup-create x; "},
		{"XGROUP CREATE x g 0", "", ""},
		{"XREADGROUP GROUP g a STREAMS x >", "XGROUP CREATECONSUMER x g a; ",
		 "xgroup-createconsumer x; "},
		{"XREADGROUP GROUP g a STREAMS x >", "", ""},
		{"XGROUP CREATECONSUMER x g a", "", ""},
		{"XADD x 1-1 f v\nXADD x 2-1 f v\nXREADGROUP GROUP g a NOACK COUNT 1 STREAMS x >",
		 "XGROUP SETID x g 1-1 ENTRIESREAD 1; ", ""},
		{"XREADGROUP GROUP g b NOACK STREAMS x 0", "XGROUP CREATECONSUMER x g b; ",
		 "xgroup-createconsumer x; "},
		{"XCLAIM x g a 0 1-1 2-1 FORCE JUSTID TIME 5 RETRYCOUNT 3",
		 "XCLAIM x g a 0 1-1 TIME 5 RETRYCOUNT 3 FORCE JUSTID LASTID 1-1; XCLAIM x g a 0 "
		 "2-1 TIME 5 RETRYCOUNT 3 FORCE JUSTID LASTID 1-1; ",
		 ""},
		{"XCLAIM x g a 0 9-9 LASTID 2-1", "XGROUP SETID x g 2-1 ENTRIESREAD 1; ", ""},
		{"XREADGROUP GROUP g a STREAMS x 0", "", ""},
		{"XACK x g 1-1 7-7", "XACK x g 1-1 7-7; ", ""},
		{"XACK x g 1-1", "", ""},
		{"XCLAIM x g c 0 7-7", "XGROUP CREATECONSUMER x g c; ",
		 "xgroup-createconsumer x; "},
		{"XCLAIM x g c 0 2-1 TIME 7 RETRYCOUNT 9",
		 "XCLAIM x g c 0 2-1 TIME 7 RETRYCOUNT 9 FORCE JUSTID LASTID 2-1; ", ""},
		{"XDEL x 2-1\nXAUTOCLAIM x g a 0 0",
		 "XCLAIM x g c 0 2-1 TIME 7 RETRYCOUNT 9 FORCE JUSTID LASTID 2-1; ", ""},
		{"XPENDING x g - + 10", "", ""},
		{"XGROUP SETID x g $", "XGROUP SETID x g $; ", "xgroup-setid x; "},
		{"XGROUP DELCONSUMER x g b", "XGROUP DELCONSUMER x g b; ",
		 "xgroup-delconsumer x; "},
		{"XGROUP DELCONSUMER x g b", "", ""},
		{"XGROUP DESTROY x g", "XGROUP DESTROY x g; ", "xgroup-destroy x; "},
		{"XGROUP DESTROY x g", "", ""},
	};
	check_told(*state, cases, sizeof(cases) / sizeof(cases[0]));
}

static void a_counted_pop_is_journalled_as_the_members_that_went(void **state)
{
	struct fixture *f = *state;
	run(f, "SADD s 1 2 3 4 5 6\nSPOP s 4");
	assert_int_equal(strncmp(f->journal.text, "SREM s ", 7), 0);
	/* Replaying it removes exactly what is gone: nothing in it is still a member. */
	char copy[256], line[64];
	snprintf(copy, sizeof(copy), "%s", f->journal.text + 7);
	int members = 0;
	for (char *save, *w = strtok_r(copy, " ;", &save); w; w = strtok_r(NULL, " ;", &save)) {
		snprintf(line, sizeof(line), "SREM s %s", w);
		run(f, line);
		assert_string_equal(f->journal.text, "");
		members++;
	}
	assert_int_equal(members, 4);
}

static void changes_of_strings_and_places_are_told_as_redis_tells_them(void **state)
{
	static const struct told cases[] = {
		{"SETBIT b 3 1", "SETBIT b 3 1; ", "setbit b; "},
		{"SETBIT b 3 1", "", ""},
		{"BITFIELD b SET u8 0 9", "BITFIELD b SET u8 0 9; ", "setbit b; "},
		{"BITFIELD b SET u8 0 9", "", ""},
		{"BITFIELD b OVERFLOW FAIL SET u8 64 256",
		 "BITFIELD b OVERFLOW FAIL SET u8 64 256; ", ""},
		{"BITOP AND c b b", "BITOP AND c b b; ", "set c; "},
		{"BITOP OR c none", "BITOP OR c none; ", "del c; "},
		{"BITOP OR c none", "", ""},
		{"PFADD p a b", "PFADD p a b; ", "pfadd p; "},
		{"PFADD p a", "", ""},
		{"PFCOUNT p", "PFCOUNT p; ", ""},
		{"PFCOUNT p", "", ""},
		{"PFMERGE q p", "PFMERGE q p; ", "pfadd q; "},
		{"GEOADD g 13 38 a", "GEOADD g 13 38 a; ", "zadd g; "},
		{"GEOADD g NX 1 1 a", "", ""},
		{"GEORADIUS g 13 38 9 km STORE h", "GEORADIUS g 13 38 9 km STORE h; ",
		 "georadiusstore h; "},
		{"GEOSEARCHSTORE h g FROMMEMBER a BYBOX 1 1 m",
		 "GEOSEARCHSTORE h g FROMMEMBER a BYBOX 1 1 m; ", "geosearchstore h; "},
		{"GEOSEARCHSTORE h g FROMLONLAT 1 1 BYRADIUS 1 m",
		 "GEOSEARCHSTORE h g FROMLONLAT 1 1 BYRADIUS 1 m; ", "del h; "},
		{"RPUSH l 3 1\nSORT l STORE m", "SORT l STORE m; ", "sortstore m; "},
		{"SORT none STORE m", "SORT none STORE m; ", "del m; "},
		{"SORT none STORE m", "", ""},
	};
	check_told(*state, cases, sizeof(cases) / sizeof(*cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(changes_are_told_as_redis_tells_them, setup,
						teardown),
		cmocka_unit_test_setup_teardown(changes_of_streams_are_told_by_the_ids_they_came_to,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			changes_of_groups_are_told_so_that_a_replay_comes_to_the_same, setup,
			teardown),
		cmocka_unit_test_setup_teardown(changes_of_sorted_sets_are_told_as_redis_tells_them,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			changes_of_strings_and_places_are_told_as_redis_tells_them, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_counted_pop_is_journalled_as_the_members_that_went, setup, teardown),
	};
	mem_thread_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
