/* tests/unit/test_gather.c - small pages into huge ones. */
#define _GNU_SOURCE /* mincore */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>

#include "store/base/gather.h"

#define HUGE_PAGE  ((size_t)2 << 20)
#define SMALL_PAGE ((size_t)4096)
#define PAGES      5

static const bool go_on = false, stop = true;

/* Five huge pages' worth of small pages that are all there, each with bytes of its own; an aligned place in a larger mapping. */
static char *small_pages(void)
{
	char *p = mmap(NULL, (PAGES + 1) * HUGE_PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	char *at = p + (-(uintptr_t)p & (HUGE_PAGE - 1));
	assert_int_equal(madvise(at, PAGES * HUGE_PAGE, MADV_NOHUGEPAGE), 0);
	for (size_t i = 0; i < PAGES * HUGE_PAGE / SMALL_PAGE; i++)
		memset(at + i * SMALL_PAGE, (int)(i * 7 & 127) + 1, SMALL_PAGE);
	/* From here on huge ones are allowed; what is there stays as it is. */
	assert_int_equal(madvise(at, PAGES * HUGE_PAGE, MADV_HUGEPAGE), 0);
	return at;
}

static bool as_written(const char *at, size_t page)
{
	const char *p = at + page * SMALL_PAGE;
	for (size_t i = 0; i < SMALL_PAGE; i++)
		if (p[i] != (char)((page * 7 & 127) + 1))
			return false;
	return true;
}

static size_t present(char *at)
{
	unsigned char there[HUGE_PAGE / SMALL_PAGE];
	size_t n = 0;
	assert_int_equal(mincore(at, HUGE_PAGE, there), 0);
	for (size_t i = 0; i < sizeof(there); i++)
		n += there[i] & 1;
	return n;
}

/* Ends the test where the kernel makes no huge pages of small ones. */
static void need_kernel(void)
{
	static int can = -1;
	if (can < 0) {
		char *at = small_pages();
		can = gather_range(at, PAGES * HUGE_PAGE, &go_on) > 0;
		munmap(at, PAGES * HUGE_PAGE);
	}
	if (!can)
		skip();
}

/* What is all there is moved, with its bytes, once. */
static void whole_ones_are_moved(void **state)
{
	(void)state;
	need_kernel();
	char *at = small_pages();
	size_t made = gather_range(at, PAGES * HUGE_PAGE, &go_on);
	assert_in_range(made, 1, PAGES);
	for (size_t i = 0; i < PAGES * HUGE_PAGE / SMALL_PAGE; i++)
		assert_true(as_written(at, i));
	munmap(at, PAGES * HUGE_PAGE);
}

/* Where one page is missing nothing is moved and no page is added; nor in the parts at the ends. */
static void holes_stay_holes(void **state)
{
	(void)state;
	need_kernel();
	char *at = small_pages();
	for (size_t i = 1; i < PAGES - 1; i++)
		madvise(at + i * HUGE_PAGE + i * 101 * SMALL_PAGE, SMALL_PAGE, MADV_DONTNEED);
	assert_int_equal(gather_range(at + SMALL_PAGE, PAGES * HUGE_PAGE - 2 * SMALL_PAGE, &go_on),
			 0);
	for (size_t i = 1; i < PAGES - 1; i++)
		assert_int_equal(present(at + i * HUGE_PAGE), HUGE_PAGE / SMALL_PAGE - 1);
	munmap(at, PAGES * HUGE_PAGE);
}

/* Who is told to stop does, and too little is nothing. */
static void it_stops(void **state)
{
	(void)state;
	char *at = small_pages();
	assert_int_equal(gather_range(at, PAGES * HUGE_PAGE, &stop), 0);
	assert_int_equal(gather_range(at, HUGE_PAGE - SMALL_PAGE, &go_on), 0);
	assert_int_equal(gather_range(at, 0, &go_on), 0);
	munmap(at, PAGES * HUGE_PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_ones_are_moved),
		cmocka_unit_test(holes_stay_holes),
		cmocka_unit_test(it_stops),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
