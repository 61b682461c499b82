/* Configuration: files, command lines, CONFIG GET, SET and REWRITE. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "resp/acl/acl.h"
#include "resp/config.h"
#include "resp/config/directive.h"
#include "resp/config/path.h"
#include "resp/dispatch.h"
#include "resp/server.h"
#include "store/base/mem.h"

/* --- help --- */

static char home[] = "/tmp/inodis-config-XXXXXX";

static int set_up_all(void **state)
{
	(void)state;
	mem_thread_register();
	return mkdtemp(home) && chdir(home) == 0 ? 0 : -1;
}

static int tear_down_all(void **state)
{
	char cmd[64];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", home);
	return chdir("/") || system(cmd);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static char *read_whole(const char *path)
{
	static char buf[16384];
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	buf[fread(buf, 1, sizeof(buf) - 1, f)] = '\0';
	fclose(f);
	return buf;
}

/* Load with standard error in a file, whose text is handed out. */
static int load(struct config *cfg, char **said, int argc, char **argv)
{
	int keep[2] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};

	fflush(NULL);
	assert_non_null(freopen("said", "w", stderr));
	assert_non_null(freopen("said", "a", stdout));
	config_init(cfg);
	int rc = config_load(cfg, argc, argv);
	fflush(NULL);
	dup2(keep[0], STDOUT_FILENO);
	dup2(keep[1], STDERR_FILENO);
	close(keep[0]);
	close(keep[1]);
	*said = read_whole("said");
	return rc;
}

#define LOAD(cfg, said, ...)                                                                       \
	load(cfg, said, (int)(sizeof((char *[]){"inodis", ##__VA_ARGS__}) / sizeof(char *)),       \
	     (char *[]){"inodis", ##__VA_ARGS__, NULL})

static void load_text(struct config *cfg, const char *text)
{
	char *said;

	write_file("c.conf", text);
	if (LOAD(cfg, &said, "c.conf") != 0)
		fail_msg("refused: %s", said);
}

static void refused(const char *text, const char *complaint)
{
	struct config cfg;
	char *said;

	write_file("c.conf", text);
	assert_int_equal(LOAD(&cfg, &said, "c.conf"), -1);
	assert_string_equal(said, complaint);
	config_fini(&cfg);
}

#define HEAD "\n*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***\n"

static void value_is(struct config *cfg, const char *name, const char *want)
{
	struct text t = {0};
	const struct directive *d = directive_find(bytes_str(name), NULL);

	assert_non_null(d);
	directive_get(cfg, d, &t);
	assert_string_equal(t.p ? t.p : "", want);
	text_fini(&t);
}

static struct server *with_users(struct server *s)
{
	s->registry = registry_new();
	s->acl = acl_new(s->registry);
	return s;
}

/* A server with nothing but a configuration and the default user. */
static struct server *bare_server(void)
{
	struct server *s = with_users(mem_calloc(sizeof(*s)));

	config_init(&s->config);
	s->config.log.path = mem_realloc(s->config.log.path, 16);
	strcpy(s->config.log.path, "/dev/null");
	return s;
}

static void bare_free(struct server *s)
{
	config_fini(&s->config);
	acl_free(s->acl);
	registry_free(s->registry);
	mem_free(s);
}

static char *flat(struct reply *r)
{
	static char buf[65536];
	struct iovec iov[64];
	size_t at = 0, bytes;

	while (reply_pending(r)) {
		int n = reply_iov(r, iov, 64, &bytes);
		for (int i = 0; i < n; i++) {
			memcpy(buf + at, iov[i].iov_base, iov[i].iov_len);
			at += iov[i].iov_len;
		}
		reply_consume(r, bytes);
	}
	buf[at] = '\0';
	return buf;
}

typedef void config_call(struct server *s, struct reply *r, const struct bytes *words, size_t n);

static char *ask(struct server *s, config_call *fn, int proto, size_t n, const char **words)
{
	struct bytes b[32];
	struct reply r;

	for (size_t i = 0; i < n; i++)
		b[i] = bytes_str(words[i]);
	reply_init(&r, proto);
	fn(s, &r, b, n);
	char *text = flat(&r);
	reply_fini(&r);
	return text;
}

#define WORDS(...)                                                                                 \
	sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), (const char *[])                   \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define SET(s, ...)        ask(s, config_reply_set, 2, WORDS(__VA_ARGS__))
#define GET(s, proto, ...) ask(s, config_reply_get, proto, WORDS(__VA_ARGS__))

/* --- files --- */

static void the_file_reader_takes_quotes_comments_blanks_and_any_case(void **state)
{
	struct config cfg;

	(void)state;
	load_text(
		&cfg,
		"# a comment\n\n  \t\r\nPORT 7000\r\n\ttimeout\t5  \nrequirepass \"a b\\x41\\\"\"\n"
		"logfile ''\nunixsocket 'it\\'s'\n\"hz\" 20\nbind 127.0.0.1 -::1");
	assert_int_equal(cfg.port, 7000);
	assert_int_equal(cfg.timeout, 5);
	assert_string_equal(cfg.requirepass, "a bA\"");
	assert_string_equal(cfg.unixsocket, "it's");
	assert_int_equal(cfg.hz, 20);
	assert_int_equal(cfg.bind.n, 2);
	value_is(&cfg, "bind", "127.0.0.1 -::1");
	config_fini(&cfg);
}

static void a_later_line_overrides_and_save_lines_add_up(void **state)
{
	struct config cfg;

	(void)state;
	load_text(&cfg, "timeout 1\ntimeout 2\nsave 900 1\nsave 300 10 60 5\nbind a b\nbind c\n");
	assert_int_equal(cfg.timeout, 2);
	value_is(&cfg, "save", "900 1 300 10 60 5");
	value_is(&cfg, "bind", "c");
	config_fini(&cfg);
	load_text(&cfg, "save 900 1\nsave \"\"\nsave 1 1\n");
	value_is(&cfg, "save", "1 1");
	config_fini(&cfg);
	load_text(&cfg, "timeout 3\n");
	value_is(&cfg, "save", "3600 1 300 100 60 10000");
	config_fini(&cfg);
}

static void an_include_is_read_in_its_place_and_may_be_a_pattern(void **state)
{
	struct config cfg;

	(void)state;
	write_file("i1.inc", "timeout 7\nhz 30\n");
	write_file("i2.inc", "tcp-backlog 9\n");
	load_text(&cfg, "timeout 1\ninclude i*.inc\ninclude none*.inc\nhz 40\n");
	assert_int_equal(cfg.timeout, 7);
	assert_int_equal(cfg.hz, 40);
	assert_int_equal(cfg.tcp_backlog, 9);
	config_fini(&cfg);
}

static void a_file_that_includes_itself_is_refused(void **state)
{
	struct config cfg;
	char *said;

	(void)state;
	write_file("self.conf", "include self.conf\n");
	assert_int_equal(LOAD(&cfg, &said, "self.conf"), -1);
	assert_non_null(strstr(said, "Too many nested includes"));
	config_fini(&cfg);
}

static void a_bad_line_is_named_as_redis_names_it(void **state)
{
	(void)state;
	refused("foo\n", HEAD "Reading the configuration file, at line 1\n>>> 'foo'\n"
			      "Bad directive or wrong number of arguments\n");
	refused("\n# x\n  port 5 # c  \n", HEAD "Reading the configuration file, at line 3\n"
						">>> 'port 5 # c'\nwrong number of arguments\n");
	refused("foo \"bar\n", HEAD "Reading the configuration file, at line 1\n>>> 'foo \"bar'\n"
				    "Unbalanced quotes in configuration line\n");
	refused("port x\n", HEAD "Reading the configuration file, at line 1\n>>> 'port x'\n"
				 "argument couldn't be parsed into an integer\n");
	refused("cluster-enabled yes\n",
		HEAD "Reading the configuration file, at line 1\n>>> 'cluster-enabled yes'\n"
		     "cluster-enabled is not available in this version\n");
	refused("logfile /nowhere/at/all\n",
		HEAD "Can't open the log file: No such file or directory\n");
}

static void what_would_mislead_is_refused(void **state)
{
	static const char *const lines[] = {"replicaof 127.0.0.1 6379\n",
					    "slaveof a 1\n",
					    "tls-cluster yes\n",
					    "cluster-enabled yes\n",
					    "loadmodule x.so\n",
					    "user alice on >x ~* +@nothing\n",
					    "user alice on\nuser alice off\n",
					    "user alice on (+get ~a\n",
					    "rename-command nosuch x\n",
					    "rename-command get set\n",
					    "activedefrag yes\n"};
	struct config cfg;
	char *said;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		write_file("c.conf", lines[i]);
		assert_int_equal(LOAD(&cfg, &said, "c.conf"), -1);
		config_fini(&cfg);
	}
	load_text(&cfg, "appendonly no\nreplicaof no one\ntls-port 0\ncluster-enabled no\n"
			"user default on >secret ~* &* +@all\naclfile "
			"users.acl\nlist-max-ziplist-entries 3\n");
	config_fini(&cfg);
}

static void hostile_lines_are_refused_or_read_but_never_crash(void **state)
{
	static const char alphabet[] = "ab \t\"'\\x0#\r\n\x01\xff-{}%19kmg.*?[";
	uint64_t seed = (uint64_t)time(NULL);
	struct rng rng;
	char text[256];

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	rng_seed(&rng, seed);
	for (int round = 0; round < 300; round++) {
		size_t n = 0, count = 0;
		while (directive_table[count].name)
			count++;
		n = (size_t)snprintf(text, sizeof(text), "%s ",
				     directive_table[rng_below(&rng, count)].name);
		if (strncmp(text, "dir ", 4) == 0)
			continue;
		while (n < sizeof(text) - 1 && rng_below(&rng, 40))
			text[n++] = alphabet[rng_below(&rng, sizeof(alphabet) - 1)];
		text[n] = '\0';
		struct config cfg;
		char *said;
		write_file("c.conf", text);
		LOAD(&cfg, &said, "c.conf");
		config_fini(&cfg);
	}
}

/* --- the command line --- */

static void the_command_line_comes_after_the_file(void **state)
{
	struct config cfg;
	char *said;

	(void)state;
	write_file("c.conf", "port 7000\ntimeout 3\n");
	assert_int_equal(LOAD(&cfg, &said, "c.conf", "--port", "0", "--bind", "a", "b", "--save",
			      "", "--client-output-buffer-limit", "pubsub 1kb 2 3"),
			 0);
	assert_int_equal(cfg.port, 0);
	assert_int_equal(cfg.timeout, 3);
	value_is(&cfg, "bind", "a b");
	value_is(&cfg, "save", "");
	assert_int_equal(cfg.obuf[OBUF_PUBSUB].hard, 1024);
	assert_int_equal(cfg.config_file[0], '/');
	config_fini(&cfg);
}

static void a_value_that_looks_like_an_option_is_a_value(void **state)
{
	struct config cfg;
	char *said;

	(void)state;
	assert_int_equal(LOAD(&cfg, &said, "--requirepass", "--foo", "--port", "5"), 0);
	assert_string_equal(cfg.requirepass, "--foo");
	assert_int_equal(cfg.port, 5);
	assert_string_equal(cfg.config_file, "");
	config_fini(&cfg);
	assert_int_equal(LOAD(&cfg, &said, "--save", "--port", "6"), 0);
	value_is(&cfg, "save", "");
	assert_int_equal(cfg.port, 6);
	config_fini(&cfg);
	assert_int_equal(LOAD(&cfg, &said, "--port 7", "--timeout", "1", "--save"), 0);
	assert_int_equal(cfg.port, 7);
	config_fini(&cfg);
}

static void a_bad_option_is_shown_as_the_line_it_became(void **state)
{
	struct config cfg;
	char *said;

	(void)state;
	assert_int_equal(LOAD(&cfg, &said, "--port", "0", "foo"), -1);
	assert_string_equal(said, HEAD "Reading the configuration file, at line 2\n"
				       ">>> 'port \"0\" \"foo\"'\nwrong number of arguments\n");
	config_fini(&cfg);
	assert_int_equal(LOAD(&cfg, &said, "absent.conf"), -1);
	assert_non_null(strstr(said, "# Fatal error, can't open config file '"));
	assert_non_null(strstr(said, "absent.conf': No such file or directory"));
	config_fini(&cfg);
}

/* --- values --- */

static void memory_units_are_redis_units(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t v;
	} cases[] = {{"1", true, 1},
		     {"1b", true, 1},
		     {"1k", true, 1000},
		     {"1KB", true, 1024},
		     {"2m", true, 2000000},
		     {"2Mb", true, 2 << 20},
		     {"1g", true, 1000000000},
		     {"1gb", true, 1 << 30},
		     {"0", true, 0},
		     {"99999999999999999999", true, UINT64_MAX},
		     {"18446744073709551615gb", true, UINT64_MAX},
		     {"1t", false, 0},
		     {"-1", false, 0},
		     {"1 kb", false, 0},
		     {"1.5gb", false, 0},
		     {"x", false, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t v = 0;
		assert_int_equal(config_memory(cases[i].text, &v), cases[i].ok);
		if (cases[i].ok)
			assert_true(v == cases[i].v);
	}
}

static void notify_flags_have_one_canonical_form(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},           {"KEA", "AKE"}, {"Elg", "glE"}, {"g$lshzxetd", "A"},
		{"Kg$lE", "g$lKE"}, {"mK", "Km"},   {"AAKK", "AK"}, {"nK", "nK"}};
	char buf[20];
	unsigned events;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(notify_parse(bytes_str(cases[i][0]), &events));
		notify_format(events, buf);
		assert_string_equal(buf, cases[i][1]);
	}
	assert_true(notify_parse(BYTES("g$lshzxetdnKEm"), &events));
	notify_format(events, buf);
	assert_false(notify_parse(BYTES("q"), &events));
	assert_false(notify_parse(bytes_of("g\0", 2), &events));
}

static void every_value_shown_can_be_set_again(void **state)
{
	struct config a, b;
	struct config_error err;

	(void)state;
	config_init(&a);
	config_init(&b);
	for (const struct directive *d = directive_table; d->name; d++) {
		struct text t = {0}, u = {0};
		directive_get(&a, d, &t);
		if (d->kind == DIRECTIVE_STRING && d->check && !t.n) {
			text_fini(&t);
			continue;
		}
		if (!directive_set_text(&b, d, bytes_of(t.p ? t.p : "", t.n), &err))
			fail_msg("%s '%s': %s", d->name, t.p, err.text);
		directive_get(&b, d, &u);
		assert_string_equal(t.p ? t.p : "", u.p ? u.p : "");
		text_fini(&t);
		text_fini(&u);
	}
	config_fini(&a);
	config_fini(&b);
}

static void names_and_aliases_are_unique(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct directive *d = directive_table; d->name; d++, n++) {
		assert_ptr_equal(directive_find(bytes_str(d->name), NULL), d);
		if (d->alias)
			assert_ptr_equal(directive_find(bytes_str(d->alias), NULL), d);
	}
	assert_true(n < DIRECTIVES_MAX);
}

/* --- CONFIG GET and SET --- */

static void get_answers_patterns_once_and_names_as_they_were_asked(void **state)
{
	struct server *s = bare_server();

	(void)state;
	assert_string_equal(GET(s, 2, "HZ", "hz"), "*2\r\n$2\r\nHZ\r\n$2\r\n10\r\n");
	assert_string_equal(GET(s, 3, "hz", "h[z]"), "%1\r\n$2\r\nhz\r\n$2\r\n10\r\n");
	assert_string_equal(GET(s, 2, "nosuch", "x*"), "*0\r\n");
	assert_string_equal(GET(s, 2, "watchdog-perio?"), "*0\r\n");
	assert_string_equal(GET(s, 2, "watchdog-period"),
			    "*2\r\n$15\r\nwatchdog-period\r\n$1\r\n0\r\n");
	bare_free(s);
}

static void set_is_all_or_nothing(void **state)
{
	struct server *s = bare_server();

	(void)state;
	assert_string_equal(SET(s, "timeout", "9", "tcp-keepalive", "8"), "+OK\r\n");
	assert_string_equal(SET(s, "timeout", "1", "save", "7 7", "hz", "x"),
			    "-ERR CONFIG SET failed (possibly related to argument 'hz') - argument "
			    "couldn't be parsed into an integer\r\n");
	assert_int_equal(s->config.timeout, 9);
	value_is(&s->config, "save", "3600 1 300 100 60 10000");
	assert_string_equal(SET(s, "timeout", "1", "nosuch", "2"),
			    "-ERR Unknown option or number of arguments for CONFIG SET - "
			    "'nosuch'\r\n");
	assert_string_equal(SET(s, "TimeOut", "1", "timeout", "2"),
			    "-ERR CONFIG SET failed (possibly related to argument 'timeout') - "
			    "duplicate parameter\r\n");
	assert_string_equal(SET(s, "Databases", "1"),
			    "-ERR CONFIG SET failed (possibly related to argument 'Databases') - "
			    "can't set immutable config\r\n");
	assert_string_equal(SET(s, "dir", "/"),
			    "-ERR CONFIG SET failed (possibly related to argument 'dir') - can't "
			    "set protected config\r\n");
	assert_string_equal(SET(s, "timeout", "1", "hz"), "-ERR syntax error\r\n");
	assert_int_equal(s->config.timeout, 9);
	bare_free(s);
}

static void hz_is_fitted_to_its_bounds(void **state)
{
	struct server *s = bare_server();

	(void)state;
	assert_string_equal(SET(s, "hz", "100000"), "+OK\r\n");
	assert_int_equal(s->config.hz, 500);
	assert_string_equal(SET(s, "hz", "0"), "+OK\r\n");
	assert_int_equal(s->config.hz, 1);
	bare_free(s);
}

/* --- CONFIG REWRITE --- */

static void rewrite(struct server *s, const char *want)
{
	struct reply r;

	reply_init(&r, 2);
	config_reply_rewrite(s, &r, false);
	assert_string_equal(flat(&r), want);
	reply_fini(&r);
}

static struct server *server_with_file(const char *text)
{
	struct server *s = with_users(mem_calloc(sizeof(*s)));

	load_text(&s->config, text);
	mem_free(s->config.log.path);
	s->config.log.path = mem_dup("/dev/null", 10);
	return s;
}

static void rewrite_needs_a_file(void **state)
{
	struct server *s = bare_server();

	(void)state;
	rewrite(s, "-ERR The server is running without a config file\r\n");
	bare_free(s);
}

static void rewrite_keeps_comments_order_and_what_it_does_not_know(void **state)
{
	struct server *s =
		server_with_file("# head\ntimeout 5\n\n\n# about hz\nhz 20\nlogfile \"\"\n"
				 "slave-priority 3\nmaxmemory 1gb\nsave \"\"\n"
				 "user default on nopass ~* +@all\n");

	(void)state;
	SET(s, "timeout", "6", "hz", "10", "list-compress-depth", "2", "maxmemory", "3mb");
	rewrite(s, "+OK\r\n");
	char *got = read_whole("c.conf");
	assert_non_null(strstr(got, "# head\ntimeout 6\n\n# about hz\nhz 10\n"));
	assert_non_null(strstr(got, "\nreplica-priority 3\nmaxmemory 3mb\nsave \"\"\n"
				    "user default on nopass sanitize-payload ~* &* +@all\n"
				    "# Generated by CONFIG REWRITE\n"));
	assert_non_null(strstr(got, "\nlist-compress-depth 2\n"));
	bare_free(s);
}

static void a_rewritten_file_reads_back_the_same(void **state)
{
	struct server *s = server_with_file("port 7000\n");
	struct config again;
	char *said;

	(void)state;
	SET(s, "requirepass", "a \"b\"\n\x01", "save", "5 1 6 2", "client-output-buffer-limit",
	    "pubsub 1mb 3 4", "notify-keyspace-events", "KEx", "oom-score-adj-values", "1 2 3",
	    "latency-tracking-info-percentiles", "1 2.5", "shutdown-on-sigint", "nosave now",
	    "maxmemory", "123456789", "bind", "");
	rewrite(s, "+OK\r\n");
	rewrite(s, "+OK\r\n");
	assert_int_equal(LOAD(&again, &said, "c.conf"), 0);
	for (const struct directive *d = directive_table; d->name; d++) {
		struct text t = {0};
		directive_get(&s->config, d, &t);
		value_is(&again, d->name, t.p ? t.p : "");
		text_fini(&t);
	}
	config_fini(&again);
	bare_free(s);
}

static void a_value_of_an_include_is_overridden_at_the_end(void **state)
{
	struct config again;
	char *said;

	(void)state;
	write_file("inc.conf", "timeout 9\nsave 1 1\nhz 50\n");
	struct server *s = server_with_file("timeout 4\ninclude inc.conf\nhz 60\n");
	SET(s, "timeout", "0", "save", "2 2", "hz", "10");
	rewrite(s, "+OK\r\n");
	assert_int_equal(LOAD(&again, &said, "c.conf"), 0);
	assert_int_equal(again.timeout, 0);
	assert_int_equal(again.hz, 10);
	value_is(&again, "save", "2 2");
	assert_non_null(strstr(read_whole("c.conf"), "include inc.conf\n"));
	config_fini(&again);
	bare_free(s);
}

static void a_symbolic_link_to_the_file_stays_one(void **state)
{
	struct stat st;
	struct config cfg;
	char *said;

	(void)state;
	write_file("real.conf", "timeout 4\n");
	assert_int_equal(symlink("real.conf", "link.conf"), 0);
	chmod("real.conf", 0600);
	struct server *s = with_users(mem_calloc(sizeof(*s)));
	assert_int_equal(LOAD(&s->config, &said, "link.conf", "--logfile", "/dev/null"), 0);
	SET(s, "timeout", "5");
	rewrite(s, "+OK\r\n");
	assert_int_equal(lstat("link.conf", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat("real.conf", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(LOAD(&cfg, &said, "real.conf"), 0);
	assert_int_equal(cfg.timeout, 5);
	config_fini(&cfg);
	bare_free(s);
}

/* --- paths --- */

static void a_path_into_the_mount_is_seen_through_links_and_dots(void **state)
{
	char mnt[128], in[160];

	(void)state;
	snprintf(mnt, sizeof(mnt), "%s/mnt", home);
	mkdir("mnt", 0700);
	mkdir("other", 0700);
	assert_int_equal(symlink("mnt", "door"), 0);
	assert_int_equal(symlink("../mnt/string", "other/deep"), 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	snprintf(in, sizeof(in), "%s/string/x", mnt);
	assert_true(path_enters("mnt", mnt));
	assert_true(path_enters(in, mnt));
	assert_true(path_enters("door/x", mnt));
	assert_true(path_enters("other/deep", mnt));
	assert_true(path_enters("other/../mnt", mnt));
	assert_false(path_enters("other", mnt));
	assert_false(path_enters("mnt2", mnt));
	assert_false(path_enters("loop/x", mnt));
	assert_false(path_enters("/", mnt));
	assert_false(path_enters("", mnt));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_reader_takes_quotes_comments_blanks_and_any_case),
		cmocka_unit_test(a_later_line_overrides_and_save_lines_add_up),
		cmocka_unit_test(an_include_is_read_in_its_place_and_may_be_a_pattern),
		cmocka_unit_test(a_file_that_includes_itself_is_refused),
		cmocka_unit_test(a_bad_line_is_named_as_redis_names_it),
		cmocka_unit_test(what_would_mislead_is_refused),
		cmocka_unit_test(hostile_lines_are_refused_or_read_but_never_crash),
		cmocka_unit_test(the_command_line_comes_after_the_file),
		cmocka_unit_test(a_value_that_looks_like_an_option_is_a_value),
		cmocka_unit_test(a_bad_option_is_shown_as_the_line_it_became),
		cmocka_unit_test(memory_units_are_redis_units),
		cmocka_unit_test(notify_flags_have_one_canonical_form),
		cmocka_unit_test(every_value_shown_can_be_set_again),
		cmocka_unit_test(names_and_aliases_are_unique),
		cmocka_unit_test(get_answers_patterns_once_and_names_as_they_were_asked),
		cmocka_unit_test(set_is_all_or_nothing),
		cmocka_unit_test(hz_is_fitted_to_its_bounds),
		cmocka_unit_test(rewrite_needs_a_file),
		cmocka_unit_test(rewrite_keeps_comments_order_and_what_it_does_not_know),
		cmocka_unit_test(a_rewritten_file_reads_back_the_same),
		cmocka_unit_test(a_value_of_an_include_is_overridden_at_the_end),
		cmocka_unit_test(a_symbolic_link_to_the_file_stays_one),
		cmocka_unit_test(a_path_into_the_mount_is_seen_through_links_and_dots),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
