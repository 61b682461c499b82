/* store/persist/check_rdb.c - see check.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "store/persist/check.h"
#include "store/persist/rdb_format.h"
#include "store/persist/rdb_load.h"

/* So much of a key's name is shown. */
#define KEY_SHOWN 128

struct check {
	struct rdb_in in;
	const char *doing;
	unsigned type;
	bool has_key;
	int64_t now_ms;
	uint64_t keys, expires, expired;
	size_t key_len;
	char key[KEY_SHOWN];
};

static const char *const type_names[] = {
	[RDB_STRING] = "string",
	[RDB_LIST] = "list-linked",
	[RDB_SET] = "set-hashtable",
	[RDB_ZSET] = "zset-v1",
	[RDB_HASH] = "hash-hashtable",
	[RDB_ZSET_2] = "zset-v2",
	[RDB_MODULE_PRE_GA] = "module-pre-release",
	[RDB_MODULE_2] = "module-value",
	[RDB_HASH_ZIPMAP] = "hash-zipmap",
	[RDB_LIST_ZIPLIST] = "list-ziplist",
	[RDB_SET_INTSET] = "set-intset",
	[RDB_ZSET_ZIPLIST] = "zset-ziplist",
	[RDB_HASH_ZIPLIST] = "hash-ziplist",
	[RDB_LIST_QUICKLIST] = "quicklist",
	[RDB_STREAM] = "stream",
	[RDB_HASH_LISTPACK] = "hash-listpack",
	[RDB_ZSET_LISTPACK] = "zset-listpack",
	[RDB_LIST_QUICKLIST_2] = "quicklist-v2",
	[RDB_STREAM_2] = "stream-v2",
	[RDB_SET_LISTPACK] = "set-listpack",
	[RDB_STREAM_3] = "stream-v3",
	[RDB_HASH_METADATA_PRE_GA] = "hash-hashtable-md-pre-release",
	[RDB_HASH_LISTPACK_EX_PRE_GA] = "hash-listpack-md-pre-release",
	[RDB_HASH_METADATA] = "hash-hashtable-md",
	[RDB_HASH_LISTPACK_EX] = "hash-listpack-md",
};

static __attribute__((format(printf, 2, 3))) void say(uint64_t offset, const char *fmt, ...)
{
	va_list ap;

	printf("[offset %llu] ", (unsigned long long)offset);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* What came from the file may hold anything. */
static void print_text(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		if (c >= 0x20 && c < 0x7f)
			putchar(c);
		else
			printf("\\x%02x", c);
	}
}

/* --- what the reader tells --- */

static void on_doing(void *arg, const char *what)
{
	struct check *c = arg;

	c->doing = what;
	if (strcmp(what, "read-type") == 0)
		c->has_key = false;
}

static void on_select(void *arg, uint64_t db)
{
	struct check *c = arg;

	say(rdb_in_offset(&c->in), "Selecting DB ID %llu", (unsigned long long)db);
}

static void on_type(void *arg, unsigned type)
{
	struct check *c = arg;

	c->type = type;
}

static void on_key(void *arg, struct bytes key, int64_t expire_at)
{
	struct check *c = arg;

	c->key_len = key.n < KEY_SHOWN ? key.n : KEY_SHOWN;
	if (c->key_len)
		memcpy(c->key, key.p, c->key_len);
	c->has_key = true;
	c->keys++;
	if (expire_at >= 0)
		c->expires++;
	if (expire_at >= 0 && expire_at < c->now_ms)
		c->expired++;
}

static void on_aux(void *arg, struct bytes name, struct bytes value)
{
	struct check *c = arg;

	printf("[offset %llu] AUX FIELD ", (unsigned long long)rdb_in_offset(&c->in));
	print_text(name.p, name.n);
	printf(" = '");
	print_text(value.p, value.n);
	printf("'\n");
}

static void on_note(void *arg, const char *text)
{
	struct check *c = arg;

	say(rdb_in_offset(&c->in), "%s", text);
}

/* --- the result --- */

static int64_t wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void print_failure(struct check *c)
{
	bool crc = strncmp(c->in.error, "RDB CRC error", 13) == 0;

	printf("--- RDB ERROR DETECTED ---\n");
	say(c->in.error_offset, "%s", crc ? "RDB CRC error" : c->in.error);
	printf("[additional info] While doing: %s\n", c->doing);
	if (c->has_key) {
		printf("[additional info] Reading key '");
		print_text(c->key, c->key_len);
		printf("'\n");
	}
	if (c->type < sizeof(type_names) / sizeof(*type_names) && type_names[c->type])
		printf("[additional info] Reading type %u (%s)\n", c->type, type_names[c->type]);
}

static void print_success(struct check *c, bool unchecked)
{
	uint64_t at = rdb_in_offset(&c->in);

	if (unchecked)
		say(at, "RDB file was saved with checksum disabled: no check performed");
	else
		say(at, "Checksum OK");
	say(at, "\\o/ RDB looks OK! \\o/");
}

/* The eight bytes before the end are zero where the server did not reckon them. */
static bool has_no_checksum(int fd, uint64_t end)
{
	uint64_t sum = 1;

	return end >= sizeof(sum) &&
	       pread(fd, &sum, sizeof(sum), (off_t)(end - sizeof(sum))) == (ssize_t)sizeof(sum) &&
	       sum == 0;
}

bool check_rdb_fd(int fd, uint64_t size, const char *name, uint64_t *end)
{
	struct check c = {.doing = "start", .now_ms = wall_ms()};
	struct rdb_visitor visitor = {
		.arg = &c, .doing = on_doing, .select = on_select, .type = on_type, .key = on_key};
	struct type_limits limits = TYPE_LIMITS_DEFAULT;
	struct rdb_load_options opt = {
		.visitor = &visitor, .limits = &limits, .arg = &c, .aux = on_aux, .note = on_note};
	struct rdb_load_result result;

	say(0, "Checking RDB file %s", name);
	rdb_in_file(&c.in, fd, size, true);
	bool ok = rdb_load(NULL, &c.in, &opt, &result);
	if (ok)
		print_success(&c, has_no_checksum(fd, rdb_in_offset(&c.in)));
	else
		print_failure(&c);
	printf("[info] %llu keys read\n[info] %llu expires\n[info] %llu already expired\n",
	       (unsigned long long)c.keys, (unsigned long long)c.expires,
	       (unsigned long long)c.expired);
	if (end)
		*end = rdb_in_offset(&c.in);
	rdb_in_fini(&c.in);
	return ok;
}

int check_rdb_main(int argc, char **argv)
{
	struct stat st;

	if (argc != 2) {
		fprintf(stderr, "Usage: %s <rdb-file-name>\n", argv[0]);
		return 1;
	}
	int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		fprintf(stderr, "Cannot open file %s: %s\n", argv[1],
			fd < 0 ? strerror(errno) : "it is no regular file");
		if (fd >= 0)
			close(fd);
		return 1;
	}
	bool ok = check_rdb_fd(fd, (uint64_t)st.st_size, argv[1], NULL);
	close(fd);
	return ok ? 0 : 1;
}
