/* Names of a directory as READDIR hands them over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fs/listing/dirents.h"
#include "store/base/mem.h"

static struct bytes numbered(char *buf, unsigned i)
{
	return bytes_of(buf, (size_t)sprintf(buf, "a common beginning %u", i * 7919u % 1000));
}

/* Read @all as the kernel does; the names must have the offsets from @off + 1 on. Returns how many there are, the last one in @last. */
static unsigned read_records(struct bytes all, uint64_t off, char *last)
{
	unsigned n = 0;
	for (size_t at = 0; at < all.n; n++) {
		struct fuse_dirent head;
		memcpy(&head, all.p + at, offsetof(struct fuse_dirent, name));
		assert_int_equal(head.off, off + n + 1);
		assert_int_equal(head.type, S_IFREG >> 12);
		memcpy(last, all.p + at + offsetof(struct fuse_dirent, name), head.namelen);
		last[head.namelen] = '\0';
		at += FUSE_DIRENT_ALIGN(offsetof(struct fuse_dirent, name) + head.namelen);
	}
	return n;
}

/* In answers of any size every name is handed over once, under growing offsets; what was handed over last can be asked for again. */
static void answers_are_whole_and_in_order(void **state)
{
	(void)state;
	size_t before = mem_used();
	struct dirents d = {0};
	char buf[64], last[64];
	uint64_t off = 0;
	for (unsigned i = 0; i < 5000; i++) {
		dirents_add_key(&d, numbered(buf, i), S_IFREG, i + 10);
		dirents_settle(&d);
		if (i % 100)
			continue;
		for (struct bytes got; (got = dirents_take(&d, 300 + i)).n;) {
			struct bytes again = dirents_take(&d, 300 + i);
			assert_true(got.n <= 300 + i && bytes_eq(got, again));
			off += read_records(got, off, last);
			dirents_forget(&d, off);
			assert_int_equal(d.first, off);
		}
		assert_int_equal(off, i + 1);
		assert_true(d.buf.n < 600000);
	}
	dirents_fini(&d);
	assert_int_equal(mem_used(), before);
}

/* Fresh names are not handed over; sorting gives each its place, and touches no others. */
static void fresh_names_are_sorted(void **state)
{
	(void)state;
	struct dirents d = {0};
	char buf[64], last[64], name[64], previous[64] = "";
	static bool seen[1000];
	dirents_add(&d, BYTES("z"), S_IFREG, 1);
	dirents_settle(&d);
	for (unsigned i = 0; i < 1000; i++)
		dirents_add_key(&d, numbered(buf, i), S_IFREG, i);
	struct bytes got = dirents_take(&d, 1 << 20);
	assert_int_equal(read_records(got, 0, last), 1);
	assert_string_equal(last, "z");
	dirents_sort(&d);
	dirents_forget(&d, 1);
	for (unsigned i = 0; i < 1000; i++) {
		got = dirents_take(&d, 64);
		assert_int_equal(read_records(got, 1 + i, name), 1);
		assert_true(strcmp(previous, name) < 0);
		unsigned number = (unsigned)strtoul(strrchr(name, ' '), NULL, 10);
		assert_false(seen[number]);
		seen[number] = true;
		strcpy(previous, name);
		dirents_forget(&d, 2 + i);
	}
	assert_int_equal(dirents_take(&d, 1 << 20).n, 0);
	dirents_fini(&d);
}

/* A name that is larger than all the room there is does not stop the others. */
static void what_does_not_fit_is_passed_over(void **state)
{
	(void)state;
	struct dirents d = {0};
	char big[3000], last[64];
	memset(big, 'x', sizeof(big));
	dirents_add(&d, bytes_of(big, sizeof(big)), S_IFREG, 1);
	dirents_add(&d, BYTES("small"), S_IFREG, 2);
	dirents_settle(&d);
	struct bytes got = dirents_take(&d, 1024);
	assert_int_equal(read_records(got, 1, last), 1);
	assert_string_equal(last, "small");
	dirents_fini(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_whole_and_in_order),
		cmocka_unit_test(fresh_names_are_sorted),
		cmocka_unit_test(what_does_not_fit_is_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
