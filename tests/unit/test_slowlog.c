#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "resp/insight/redact.h"
#include "resp/insight/slowlog.h"
#include "store/base/mem.h"

static void peer(const struct session *s, char *buf, size_t n)
{
	(void)s;
	snprintf(buf, n, "127.0.0.1:5");
}

static const struct session_ops ops = {.peer = peer};
static struct session session = {.ops = &ops, .name = NULL};

static void add(struct slowlog *log, int argc, const struct bytes *argv, size_t max)
{
	slowlog_add(log, &session, argc, argv, 7, 1000, max);
}

/* The newest entries stay, newest first, and ids go on. */
static void keeps_the_newest(void **state)
{
	(void)state;
	struct slowlog *log = slowlog_new();
	struct bytes ping = BYTES("PING");
	for (int i = 0; i < 10; i++)
		add(log, 1, &ping, 4);
	assert_int_equal(slowlog_len(log), 4);
	uint64_t id = 9;
	for (const struct slowlog_entry *e = slowlog_newest(log); e; e = e->next)
		assert_int_equal(e->id, id--);
	assert_int_equal(id, 5);
	slowlog_reset(log);
	assert_int_equal(slowlog_len(log), 0);
	assert_null(slowlog_newest(log));
	add(log, 1, &ping, 4);
	assert_int_equal(slowlog_newest(log)->id, 10);
	add(log, 1, &ping, 0);
	assert_int_equal(slowlog_len(log), 0);
	slowlog_free(log);
}

/* Long arguments and many of them are cut, with a word about the rest. */
static void cuts_arguments(void **state)
{
	(void)state;
	struct slowlog *log = slowlog_new();
	struct bytes argv[40];
	char big[200];
	memset(big, 'x', sizeof(big));
	for (int i = 0; i < 40; i++)
		argv[i] = bytes_of(big, sizeof(big));
	argv[0] = bytes_of(big, 128);
	add(log, 40, argv, 1);
	const struct slowlog_entry *e = slowlog_newest(log);
	assert_int_equal(e->argc, 32);
	assert_int_equal(e->argv[0].n, 128);
	assert_int_equal(e->argv[1].n, 128 + strlen("... (72 more bytes)"));
	assert_memory_equal(e->argv[1].p + 128, "... (72 more bytes)", 19);
	assert_true(bytes_eq(e->argv[31], BYTES("... (9 more arguments)")));
	add(log, 32, argv, 1);
	assert_int_equal(slowlog_newest(log)->argc, 32);
	assert_int_equal(slowlog_newest(log)->argv[31].n, 128 + 19);
	slowlog_free(log);
}

static void hides(const char *line, const char *shown)
{
	struct bytes argv[16];
	char out[256] = "", copy[256];
	int argc = 0;
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
		argv[argc++] = bytes_str(w);
	for (int i = 0; i < argc; i++) {
		struct bytes b = redact_argument(argv, i);
		strncat(out, b.p, b.n);
		strcat(out, i + 1 < argc ? " " : "");
	}
	assert_string_equal(out, shown);
}

/* Passwords are hidden, and nothing else is. */
static void passwords_are_hidden(void **state)
{
	(void)state;
	hides("AUTH a b", "AUTH (redacted) (redacted)");
	hides("AUTH", "AUTH");
	hides("HELLO 3 AUTH u p SETNAME x", "HELLO 3 AUTH (redacted) (redacted) SETNAME x");
	hides("hello 3 setname x auth u p", "hello 3 setname x auth (redacted) (redacted)");
	hides("CONFIG SET requirepass x port 1", "CONFIG SET requirepass (redacted) port 1");
	hides("CONFIG GET requirepass", "CONFIG GET requirepass");
	hides("ACL SETUSER bob >x", "ACL SETUSER (redacted) (redacted)");
	hides("SET AUTH x", "SET AUTH x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_newest),
		cmocka_unit_test(cuts_arguments),
		cmocka_unit_test(passwords_are_hidden),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
