/* store/base/gather.c - small pages of the heap into huge ones: see gather.h. */
#define _GNU_SOURCE /* MADV_COLLAPSE */
#include "store/base/gather.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "store/base/mem.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define HUGE_PAGE  ((size_t)2 << 20)
#define SMALL_PAGE ((size_t)4096)
#define PER_HUGE   (HUGE_PAGE / SMALL_PAGE)

/* A heap below this forks in no time. Mappings above the other are the shadows of sanitizers. */
#define LEAST ((size_t)32 << 20)
#define MOST  ((size_t)1 << 40)

/* After so many failures in a row the kernel has no huge pages left, or makes none. */
#define FAILURES 8

/* Moving one takes some tenths of a millisecond, for which who faults may wait. */
#define PAUSE_NS 2000000

/* What the kernel tells of pages (ioctl PAGEMAP_SCAN, Linux 6.7), where its headers are older. */
struct scan_region {
	uint64_t start, end, categories;
};
struct scan {
	uint64_t size, flags, start, end, walk_end, regions, nregions, max_pages;
	uint64_t inverted, mask, any, want;
};
#define SCAN         _IOWR('f', 16, struct scan)
#define SCAN_FILE    (UINT64_C(1) << 2)
#define SCAN_PRESENT (UINT64_C(1) << 3)
#define SCAN_ZERO    (UINT64_C(1) << 5)
#define SCAN_HUGE    (UINT64_C(1) << 6)

/* In an older kernel: a page's word in /proc/self/pagemap. */
#define WORD_PRESENT (UINT64_C(1) << 63)
#define WORD_FILE    (UINT64_C(1) << 61)

static struct {
	bool running, stop;
	size_t made;
} state;

/* Whether the huge page's worth from @p on is all there, in small pages of its own. An old kernel does not tell huge ones apart: there
 * the move of one costs little. */
static bool is_whole(int pagemap, char *p)
{
	struct scan_region r[2];
	struct scan s = {.size = sizeof(s),
			 .start = (uintptr_t)p,
			 .end = (uintptr_t)p + HUGE_PAGE,
			 .regions = (uintptr_t)r,
			 .nregions = 2,
			 .mask = SCAN_PRESENT,
			 .want = SCAN_PRESENT | SCAN_HUGE | SCAN_FILE | SCAN_ZERO};
	int n = ioctl(pagemap, SCAN, &s);
	if (n >= 0)
		return n == 1 && r[0].start == s.start && r[0].end == s.end &&
		       r[0].categories == SCAN_PRESENT;
	uint64_t words[PER_HUGE];
	if (pread(pagemap, words, sizeof(words),
		  (off_t)((uintptr_t)p / SMALL_PAGE * sizeof(*words))) != (ssize_t)sizeof(words))
		return false;
	uint64_t all = WORD_PRESENT;
	for (size_t i = 0; i < PER_HUGE; i++)
		all &= words[i] ^ WORD_FILE;
	return all == WORD_PRESENT;
}

/* Have the next huge page that the kernel takes be one that was used before: a virtual machine may wait long for new memory, here instead
 * of in the middle of the move. */
static void warm_one(void)
{
	char *p = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
	if (p == MAP_FAILED)
		return;
	char *at = p + (-(uintptr_t)p & (HUGE_PAGE - 1));
	/* One that does not come whole is no loss: the page at its start alone is touched. */
	madvise(at, HUGE_PAGE, MADV_HUGEPAGE);
	*(volatile char *)at = 1;
	munmap(p, 2 * HUGE_PAGE);
}

static void pause_ns(long ns)
{
	nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

static bool stopped(const bool *stop)
{
	return __atomic_load_n(stop, __ATOMIC_RELAXED);
}

size_t gather_range(void *p, size_t n, const bool *stop)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t made = 0;
	if (pagemap < 0)
		return 0;
	char *at = (char *)p + (-(uintptr_t)p & (HUGE_PAGE - 1)), *end = (char *)p + n;
	for (unsigned failed = 0;
	     end > at && (size_t)(end - at) >= HUGE_PAGE && !stopped(stop) && failed < FAILURES;
	     at += HUGE_PAGE) {
		if (!is_whole(pagemap, at))
			continue;
		warm_one();
		if (stopped(stop))
			break;
		failed = madvise(at, HUGE_PAGE, MADV_COLLAPSE) < 0 ? failed + 1 : 0;
		made += failed == 0;
		pause_ns(PAUSE_NS);
	}
	close(pagemap);
	return made;
}

/* A line of /proc/self/maps: gather where it is memory of nobody's file and name. */
static void take_line(const char *line)
{
	unsigned long from, to, inode;
	char perms[8], name[2] = "";
	if (sscanf(line, "%lx-%lx %7s %*x %*s %lu %1s", &from, &to, perms, &inode, name) < 4)
		return;
	if (inode != 0 || name[0] != '\0' || strcmp(perms, "rw-p") != 0 || to - from > MOST)
		return;
	size_t n = gather_range((void *)from, to - from, &state.stop);
	__atomic_fetch_add(&state.made, n, __ATOMIC_RELAXED);
}

/* No allocation here: what is moved may be the allocator's own. */
static void go_over(void)
{
	char buf[8192];
	size_t have = 0;
	ssize_t got;
	int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	while (maps >= 0 && !stopped(&state.stop) &&
	       (got = read(maps, buf + have, sizeof(buf) - 1 - have)) > 0) {
		have += (size_t)got;
		buf[have] = '\0';
		char *line = buf, *end;
		for (; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			take_line(line);
		}
		have -= (size_t)(line - buf);
		memmove(buf, line, have);
	}
	if (maps >= 0)
		close(maps);
}

static bool switched_off(void)
{
	char text[128];
	int fd = open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return true;
	text[n] = '\0';
	return strstr(text, "[never]") != NULL;
}

static void *run(void *arg)
{
	(void)arg;
	if (!switched_off())
		go_over();
	__atomic_store_n(&state.running, false, __ATOMIC_RELEASE);
	return NULL;
}

void gather_start(void)
{
	pthread_t thread;
	pthread_attr_t attr;
	if (gather_running() || mem_used() < LEAST || sysconf(_SC_PAGESIZE) != SMALL_PAGE)
		return;
	state.running = true;
	state.stop = false;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, (size_t)128 << 10);
	if (pthread_create(&thread, &attr, run, NULL) != 0)
		state.running = false;
	pthread_attr_destroy(&attr);
}

void gather_stop(void)
{
	__atomic_store_n(&state.stop, true, __ATOMIC_RELAXED);
}

bool gather_running(void)
{
	return __atomic_load_n(&state.running, __ATOMIC_ACQUIRE);
}

size_t gather_made(void)
{
	return __atomic_load_n(&state.made, __ATOMIC_RELAXED);
}
