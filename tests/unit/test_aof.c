/* The manifest and the command log of append-only files, by their public headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "store/persist/aof_in.h"
#include "store/persist/aof_manifest.h"
#include "store/persist/crc64.h"

/* A manifest that was written is read back the same, odd names and all. */
static void manifest_round_trip(void **state)
{
	struct aof_manifest m = {0}, back = {0};
	struct aof_manifest_error err;
	size_t n;

	(void)state;
	aof_manifest_add(&m, "a b\"\\\n.base", 3, AOF_BASE);
	aof_manifest_add(&m, "i.4", 4, AOF_INCREMENT);
	aof_manifest_add(&m, "old", 2, AOF_HISTORY);
	aof_manifest_add(&m, "i.7", 7, AOF_INCREMENT);
	char *text = aof_manifest_format(&m, &n);
	assert_true(aof_manifest_parse(&back, bytes_of(text, n), &err));
	assert_int_equal(back.n, 4);
	assert_string_equal(aof_manifest_base(&back)->name, "a b\"\\\n.base");
	assert_string_equal(aof_manifest_last(&back)->name, "i.7");
	assert_int_equal(back.base_seq, 3);
	assert_int_equal(back.increment_seq, 7);
	mem_free(text);
	aof_manifest_fini(&m);
	aof_manifest_fini(&back);
}

/* What is no manifest is refused with the line it fails at, and nothing is held. */
static void manifest_refused(void **state)
{
	static const struct {
		const char *text;
		int line;
	} bad[] = {
		{"", 0},
		{"\n", 1},
		{"file x seq 1 type\n", 1},
		{"file x seq 1\n", 1},
		{"# note\nfile x seq 0 type b\n", 2},
		{"file a/b seq 1 type b\n", 1},
		{"file x seq 1 type b\nfile y seq 2 type b\n", 2},
		{"file x seq 2 type i\nfile y seq 2 type i\n", 2},
		{"file x seq 1 type z\n", 1},
		{"file \"x seq 1 type b\n", 1},
		{"file \"x\\", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct aof_manifest m = {0};
		struct aof_manifest_error err;
		struct bytes text = bytes_of(bad[i].text, strlen(bad[i].text));
		assert_false(aof_manifest_parse(&m, text, &err));
		assert_non_null(err.text);
		assert_int_equal(err.line, bad[i].line);
		assert_int_equal(m.n, 0);
	}
}

struct log {
	char text[4096];
	size_t n, batch, synced;
};

static void add(struct log *l, const char *text)
{
	l->n += (size_t)snprintf(l->text + l->n, sizeof(l->text) - l->n, "%s", text);
}

static void close_batch(struct log *l)
{
	char line[AOF_CHECKSUM_MAX];
	uint64_t crc = crc64(0, l->text + l->batch, l->n - l->batch);

	aof_checksum_line(line, crc, l->n - l->batch, l->synced);
	add(l, line);
	l->batch = l->n;
}

static struct log example(void)
{
	struct log l = {.n = 0};

	add(&l, "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n#TS:123\r\n");
	close_batch(&l);
	add(&l, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\n*1\r\n$4\r\nPING\r\n");
	close_batch(&l);
	add(&l, "*2\r\n$3\r\nDEL\r\n$0\r\n\r\n");
	return l;
}

static int file_of(const char *p, size_t n)
{
	char name[] = "/tmp/test-aof-XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	unlink(name);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	return fd;
}

/* Read all of it: how it ended and how many commands there were. */
static enum aof_item read_all(const char *p, size_t n, int *commands)
{
	struct aof_in in;
	enum aof_item got;
	int fd = file_of(p, n);

	aof_in_init(&in, fd, n, 0);
	*commands = 0;
	while ((got = aof_in_next(&in)) == AOF_COMMAND || got == AOF_CHECKED)
		*commands += got == AOF_COMMAND;
	if (got == AOF_BAD)
		assert_true(in.error && in.error_offset <= n);
	aof_in_fini(&in);
	close(fd);
	return got;
}

/* Every command of a whole file is read, checksums verified on the way. */
static void log_whole(void **state)
{
	struct log l = example();
	int commands;

	(void)state;
	assert_int_equal(read_all(l.text, l.n, &commands), AOF_END);
	assert_int_equal(commands, 4);
}

/* A file cut anywhere is whole so far or torn. */
static void log_cut(void **state)
{
	struct log l = example();
	int commands;

	(void)state;
	for (size_t n = 0; n < l.n; n++) {
		enum aof_item got = read_all(l.text, n, &commands);
		assert_true(got == AOF_END || got == AOF_TORN);
	}
}

static bool in_checksum_line(const struct log *l, size_t at)
{
	while (at && l->text[at - 1] != '\n')
		at--;
	return strncmp(l->text + at, "#CRC64:", 7) == 0;
}

/* Any flipped bit before the last checksum is found, be it by the checksum or by the form. */
static void log_flipped(void **state)
{
	struct log l = example();
	int commands;

	(void)state;
	for (size_t bit = 0; bit < l.batch * 8; bit++) {
		struct log bad = l;
		bad.text[bit / 8] = (char)(bad.text[bit / 8] ^ (1 << bit % 8));
		enum aof_item got = read_all(bad.text, bad.n, &commands);
		/* In the last checksum's own line a flip may change nothing: its name. */
		bool idle = got == AOF_END && commands == 4 && in_checksum_line(&l, bit / 8);
		assert_true(got == AOF_BAD || got == AOF_TORN || idle);
	}
}

static uint64_t synced_of(const char *p, size_t n)
{
	struct aof_in in;
	int fd = file_of(p, n);

	aof_in_init(&in, fd, n, 0);
	uint64_t synced = aof_in_synced(&in);
	aof_in_fini(&in);
	close(fd);
	return synced;
}

/* What was synced is what the last valid checksum line says, whatever stands behind it or looks like one. */
static void log_synced(void **state)
{
	struct log l = example();

	(void)state;
	assert_int_equal(synced_of(l.text, l.n), 0);
	l.synced = l.batch;
	close_batch(&l);
	size_t whole = l.n;
	assert_int_equal(synced_of(l.text, l.n), l.synced);
	add(&l, "*1\r\n$40\r\n\r\n#CRC64:0000000000000000:0:4000\r\n");
	assert_int_equal(synced_of(l.text, l.n), l.synced);
	add(&l, "#CRC64:0123456789abcdef:20:30\r\n#CRC64:0000000000000000:0:0\r\n");
	assert_int_equal(synced_of(l.text, l.n), l.synced);
	l.text[whole - 3] ^= 1;
	assert_int_equal(synced_of(l.text, l.n), 0);
}

/* The last valid line is found however far it is from the end, and across the pieces in which the file is read. */
static void log_synced_far(void **state)
{
	enum { PIECES = 200 };
	size_t cap = 4096 + PIECES * 1024;
	char *p = malloc(cap);

	(void)state;
	for (size_t start = 65536 - 200; start < 65536 + 200; start++) {
		memset(p, 'x', cap);
		size_t n = start + aof_checksum_line(p + start, 0, 0, start);
		assert_true(p[n] != '\n');
		p[n] = 'x';
		assert_int_equal(synced_of(p, cap), start);
	}
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manifest_round_trip), cmocka_unit_test(manifest_refused),
		cmocka_unit_test(log_whole),           cmocka_unit_test(log_cut),
		cmocka_unit_test(log_flipped),         cmocka_unit_test(log_synced),
		cmocka_unit_test(log_synced_far),
	};
	mem_thread_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
