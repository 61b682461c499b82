/* store/base/mem.c - memory, counted exactly: see mem.h.
 *
 * Under jemalloc every thread has two counters of its own, bytes ever allocated and bytes ever freed, as size classes;
 * their sums over the registered threads differ by exactly what is in use. A thread that ends leaves its figures
 * in a total. Elsewhere each call counts what malloc_usable_size says.
 */
#define _GNU_SOURCE /* mremap */
#include "store/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef INODIS_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

#define HUGE_PAGE   ((size_t)2 << 20)
#define THREADS_MAX 64

/* Bytes of mem_pages_alloc that are out; tables of big containers are freed by other threads too. */
static size_t pages_used;
static size_t peak;

_Noreturn void mem_none(size_t n)
{
	fprintf(stderr, "inodis: out of memory allocating %zu bytes\n", n);
	abort();
}

#ifdef INODIS_JEMALLOC

struct thread_counters {
	uint64_t *allocated, *freed; /* NULL: a free place */
};

static pthread_mutex_t threads_lock = PTHREAD_MUTEX_INITIALIZER;
static struct thread_counters threads[THREADS_MAX];
static unsigned nthreads;
static uint64_t ended_allocated, ended_freed;
static pthread_key_t thread_end;

static void thread_ended(void *arg)
{
	struct thread_counters *c = arg;
	pthread_mutex_lock(&threads_lock);
	ended_allocated += *c->allocated;
	ended_freed += *c->freed;
	c->allocated = c->freed = NULL;
	pthread_mutex_unlock(&threads_lock);
}

void mem_thread_register(void)
{
	uint64_t *allocated, *freed;
	size_t n = sizeof(allocated);
	if (pthread_getspecific(thread_end))
		return;
	if (mallctl("thread.allocatedp", &allocated, &n, NULL, 0) ||
	    mallctl("thread.deallocatedp", &freed, &n, NULL, 0)) {
		fprintf(stderr, "inodis: jemalloc was built without statistics\n");
		abort();
	}
	pthread_mutex_lock(&threads_lock);
	unsigned i = 0;
	while (i < nthreads && threads[i].allocated)
		i++;
	if (i == THREADS_MAX) {
		fprintf(stderr, "inodis: more than %d threads\n", THREADS_MAX);
		abort();
	}
	threads[i] = (struct thread_counters){allocated, freed};
	if (i == nthreads)
		nthreads++;
	pthread_mutex_unlock(&threads_lock);
	pthread_setspecific(thread_end, &threads[i]);
}

/* The first thread is known before main runs, so that nothing that it allocates is missed. */
__attribute__((constructor)) static void register_main(void)
{
	pthread_key_create(&thread_end, thread_ended);
	mem_thread_register();
}

static size_t heap_used(void)
{
	pthread_mutex_lock(&threads_lock);
	/* What was freed is read first: a block on its way from one thread to another is then never counted as freed only. */
	uint64_t freed = ended_freed, allocated = ended_allocated;
	for (unsigned i = 0; i < nthreads; i++)
		if (threads[i].freed)
			freed += __atomic_load_n(threads[i].freed, __ATOMIC_ACQUIRE);
	for (unsigned i = 0; i < nthreads; i++)
		if (threads[i].allocated)
			allocated += __atomic_load_n(threads[i].allocated, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&threads_lock);
	return allocated > freed ? allocated - freed : 0;
}

/* How far the engine thread, the first, may allocate on the word of the last full count. */
static struct {
	size_t limit; /* for this question; 0: none was answered with yes */
	uint64_t allocated;
	size_t pages;
} room;

static inline bool room_left(size_t limit)
{
	return limit == room.limit && *threads[0].allocated <= room.allocated &&
	       __atomic_load_n(&pages_used, __ATOMIC_RELAXED) <= room.pages;
}

static void room_note(size_t limit, size_t used)
{
	room.limit = used <= limit ? limit : 0;
	room.allocated = *threads[0].allocated + (limit - used);
	room.pages = __atomic_load_n(&pages_used, __ATOMIC_RELAXED);
}

static inline void count_add(const void *p)
{
	(void)p;
}

static inline void count_sub(const void *p)
{
	(void)p;
}

static size_t statistic(const char *name)
{
	size_t v = 0, n = sizeof(v);
	return mallctl(name, &v, &n, NULL, 0) ? 0 : v;
}

void mem_figures(struct mem_figures *out)
{
	uint64_t epoch = 1;
	size_t pages = __atomic_load_n(&pages_used, __ATOMIC_RELAXED);
	mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
	*out = (struct mem_figures){.allocated = statistic("stats.allocated") + pages,
				    .active = statistic("stats.active") + pages,
				    .resident = statistic("stats.resident") + pages};
}

bool mem_purge(void)
{
	char name[40];
	snprintf(name, sizeof(name), "arena.%u.purge", (unsigned)MALLCTL_ARENAS_ALL);
	return mallctl(name, NULL, NULL, NULL, 0) == 0;
}

bool mem_report(void (*write)(void *arg, const char *text), void *arg)
{
	malloc_stats_print(write, arg, NULL);
	return true;
}

int mem_control(const char *name, int64_t *was, const int64_t *to)
{
	/* A control does not say how wide it is, only that a width is wrong. */
	for (size_t n = sizeof(*was); n > 0; n /= 2) {
		size_t got = n;
		*was = 0;
		int error = mallctl(name, was, &got, (void *)(uintptr_t)to, to ? n : 0);
		if (error == EPERM && to)
			error = mallctl(name, NULL, NULL, (void *)(uintptr_t)to, n);
		if (error != EINVAL)
			return error;
	}
	return EINVAL;
}

int mem_control_text(const char *name, const char **was)
{
	size_t n = sizeof(*was);
	return mallctl(name, was, &n, NULL, 0);
}

const char *mem_allocator_name(void)
{
	static char name[48];
	if (!name[0]) {
		/* jemalloc says "5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c". */
		const char *version = "unknown";
		size_t n = sizeof(version);
		mallctl("version", &version, &n, NULL, 0);
		snprintf(name, sizeof(name), "jemalloc-%.*s", (int)strcspn(version, "-"), version);
	}
	return name;
}

#else

static size_t counted;

void mem_thread_register(void)
{
}

static size_t heap_used(void)
{
	return __atomic_load_n(&counted, __ATOMIC_RELAXED);
}

static inline bool room_left(size_t limit)
{
	(void)limit;
	return false;
}

static inline void room_note(size_t limit, size_t used)
{
	(void)limit;
	(void)used;
}

static inline void count_add(const void *p)
{
	__atomic_fetch_add(&counted, malloc_usable_size((void *)(uintptr_t)p), __ATOMIC_RELAXED);
}

static inline void count_sub(const void *p)
{
	__atomic_fetch_sub(&counted, malloc_usable_size((void *)(uintptr_t)p), __ATOMIC_RELAXED);
}

void mem_figures(struct mem_figures *out)
{
	size_t used = mem_used(), rss = mem_rss();
	*out = (struct mem_figures){.allocated = used, .active = rss, .resident = rss};
}

bool mem_purge(void)
{
	return malloc_trim(0) >= 0;
}

bool mem_report(void (*write)(void *arg, const char *text), void *arg)
{
	(void)write;
	(void)arg;
	return false;
}

int mem_control(const char *name, int64_t *was, const int64_t *to)
{
	(void)name;
	(void)was;
	(void)to;
	return ENOENT;
}

int mem_control_text(const char *name, const char **was)
{
	(void)name;
	(void)was;
	return ENOENT;
}

const char *mem_allocator_name(void)
{
	return "libc";
}

#endif

void *mem_try(size_t n)
{
	void *p = malloc(n ? n : 1);
	if (p)
		count_add(p);
	return p;
}

void *mem_alloc(size_t n)
{
	void *p = mem_try(n);
	if (__builtin_expect(!p, 0))
		mem_none(n);
	return p;
}

void *mem_calloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);
	if (!p)
		mem_none(n);
	count_add(p);
	return p;
}

void *mem_retry(void *p, size_t n)
{
	if (!p)
		return mem_try(n);
#ifdef INODIS_JEMALLOC
	return realloc(p, n ? n : 1);
#else
	size_t old = malloc_usable_size(p);
	void *q = realloc(p, n ? n : 1);
	if (q) {
		__atomic_fetch_sub(&counted, old, __ATOMIC_RELAXED);
		count_add(q);
	}
	return q;
#endif
}

void *mem_realloc(void *p, size_t n)
{
	void *q = mem_retry(p, n);
	if (!q)
		mem_none(n);
	return q;
}

void mem_free(void *p)
{
	if (!p)
		return;
	count_sub(p);
	free(p);
}

void mem_free_sized(void *p, size_t n)
{
#ifdef INODIS_JEMALLOC
	sdallocx(p, n ? n : 1, 0);
#else
	(void)n;
	mem_free(p);
#endif
}

size_t mem_size(const void *p)
{
	return p ? malloc_usable_size((void *)(uintptr_t)p) : 0;
}

void *mem_dup(const void *p, size_t n)
{
	void *q = mem_alloc(n);
	if (n)
		memcpy(q, p, n);
	return q;
}

static size_t page_round(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	return (n + page - 1) & ~(page - 1);
}

/* Map @n bytes from a multiple of the huge page size on: older kernels do not align by themselves. */
static void *map_aligned(size_t n)
{
	char *p = mmap(NULL, n + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
	if (p == MAP_FAILED)
		return MAP_FAILED;
	size_t head = -(uintptr_t)p & (HUGE_PAGE - 1);
	if (head)
		munmap(p, head);
	munmap(p + head + n, HUGE_PAGE - head);
	return p + head;
}

void *mem_pages_small(size_t n)
{
	n = page_round(n ? n : 1);
	void *p = n < HUGE_PAGE ? mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				       -1, 0)
				: map_aligned(n);
	if (p == MAP_FAILED)
		return NULL;
	__atomic_fetch_add(&pages_used, n, __ATOMIC_RELAXED);
	return p;
}

void *mem_pages_alloc(size_t n)
{
	void *p = mem_pages_small(n);
	if (p && n >= HUGE_PAGE)
		madvise(p, page_round(n), MADV_HUGEPAGE);
	return p;
}

void mem_pages_free(void *p, size_t n)
{
	if (!p || !n)
		return;
	n = page_round(n);
	munmap(p, n);
	__atomic_fetch_sub(&pages_used, n, __ATOMIC_RELAXED);
}

void *mem_pages_resize(void *p, size_t old, size_t n)
{
	old = page_round(old ? old : 1);
	n = page_round(n ? n : 1);
	if (n < old)
		munmap((char *)p + n, old - n);
	if (n > old && mremap(p, old, n, 0) == MAP_FAILED) {
		/* A place that keeps huge pages whole: the kernel takes them along as they are. */
		void *to = n < HUGE_PAGE ? NULL : map_aligned(n);
		int how = MREMAP_MAYMOVE | (to ? MREMAP_FIXED : 0);
		void *moved = to == MAP_FAILED ? to : mremap(p, old, n, how, to);
		if (moved == MAP_FAILED) {
			if (to && to != MAP_FAILED)
				munmap(to, n);
			return NULL;
		}
		p = moved;
	}
	__atomic_fetch_add(&pages_used, n - old, __ATOMIC_RELAXED);
	return p;
}

void mem_pages_clear(void *p, size_t n)
{
	madvise(p, page_round(n), MADV_DONTNEED);
}

#ifndef MADV_POPULATE_WRITE /* Linux 5.14 */
#define MADV_POPULATE_WRITE 23
#endif

void mem_pages_bring(void *p, size_t n)
{
	madvise(p, page_round(n), MADV_POPULATE_WRITE);
}

/* Pages that are on their way. The engine thread takes a free place; whoever ends the matter frees it. */
enum { FREE, WARMING, WARM, UNWANTED };
static struct warm {
	void *p;
	size_t n;
	int state;
} warming[16];

/* As much as one fault brings in. */
#define WARM_YIELD  ((size_t)2 << 20)
#define WARM_PLACES (sizeof(warming) / sizeof(*warming))

static bool warm_change(struct warm *w, int from, int to)
{
	return __atomic_compare_exchange_n(&w->state, &from, to, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

static void *warm_up(void *arg)
{
	struct warm *w = arg;
	size_t page = page_round(1);
	for (size_t i = 0; i < w->n; i += page) {
		((volatile char *)w->p)[i] = 0;
		if (__atomic_load_n(&w->state, __ATOMIC_RELAXED) == UNWANTED)
			break;
		/* Where the engine shares this core it waits for one huge page, not for a time slice. */
		if (i % WARM_YIELD == 0)
			sched_yield();
	}
	if (!warm_change(w, WARMING, WARM)) {
		mem_pages_free(w->p, w->n);
		warm_change(w, UNWANTED, FREE);
	}
	return NULL;
}

/* A thread of its own, since the one that frees may be busy for long. False when there is none to be had. */
static bool warm_start(struct warm *w)
{
	pthread_t thread;
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, (size_t)128 << 10);
	int failed = pthread_create(&thread, &attr, warm_up, w);
	pthread_attr_destroy(&attr);
	return !failed;
}

void *mem_pages_warm(size_t n)
{
	void *p = mem_pages_alloc(n);
	for (size_t i = 0; p && i < WARM_PLACES; i++) {
		struct warm *w = &warming[i];
		if (!warm_change(w, FREE, UNWANTED))
			continue;
		w->p = p;
		w->n = n;
		warm_change(w, UNWANTED, WARMING);
		if (!warm_start(w))
			warm_change(w, WARMING, FREE);
		break;
	}
	/* Without a place or a thread they are used cold. */
	return p;
}

static struct warm *warm_find(const void *p)
{
	for (size_t i = 0; i < WARM_PLACES; i++) {
		int state = __atomic_load_n(&warming[i].state, __ATOMIC_ACQUIRE);
		if ((state == WARMING || state == WARM) && warming[i].p == p)
			return &warming[i];
	}
	return NULL;
}

bool mem_pages_ready(void *p)
{
	struct warm *w = warm_find(p);
	return !w || warm_change(w, WARM, FREE);
}

void mem_pages_drop(void *p, size_t n)
{
	struct warm *w = warm_find(p);
	/* While the thread is at work, it is the one to give them back. */
	if (w && warm_change(w, WARMING, UNWANTED))
		return;
	if (w)
		warm_change(w, WARM, FREE);
	mem_pages_free(p, n);
}

size_t mem_used(void)
{
	size_t used = heap_used() + __atomic_load_n(&pages_used, __ATOMIC_RELAXED);
	if (used > peak)
		peak = used;
	return used;
}

bool mem_fits(size_t limit)
{
	if (room_left(limit))
		return true;
	size_t used = mem_used();
	room_note(limit, used);
	return used <= limit;
}

size_t mem_peak(void)
{
	return peak;
}

void mem_peak_reset(void)
{
	peak = 0;
	mem_used();
}

size_t mem_rss(void)
{
	char buf[128];
	unsigned long size, resident;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	if (sscanf(buf, "%lu %lu", &size, &resident) != 2)
		return 0;
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

void mem_background(bool on)
{
	int64_t was, to = on;
	mem_control("background_thread", &was, &to);
}
