/* store/base/mem.h - memory, counted exactly.
 *
 * Everything the server allocates for data, clients and registries comes from here, so that
 * mem_used() is `used_memory` to the byte as the allocator rounds it. With jemalloc the count is
 * the allocator's own per-thread counters and costs nothing; elsewhere (sanitizers) each
 * call counts malloc_usable_size.
 *
 * mem_alloc and its kin never return NULL: when the machine has no memory left they end the process
 * with a message. An allocation whose size a client chose goes through mem_try, which may fail.
 */
#ifndef STORE_BASE_MEM_H
#define STORE_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *mem_alloc(size_t n);
void *mem_calloc(size_t n);
void *mem_realloc(void *p, size_t n);

/* Ends the process: @n bytes are not to be had, and nobody can do without. */
_Noreturn void mem_none(size_t n);

/* NULL when the memory is not to be had. mem_retry leaves @p as it was then. */
void *mem_try(size_t n);
void *mem_retry(void *p, size_t n);

/* @p may be NULL. */
void mem_free(void *p);

/* The bytes the allocator set aside for @p, at least what was asked for; 0 for NULL. */
size_t mem_size(const void *p);

/* mem_free of a block that was asked for with @n bytes, or whose size class mem_class(@n) is: saves the allocator a lookup. */
void mem_free_sized(void *p, size_t n);

/* The size class of @n: what jemalloc sets aside for it. Who means to use all of it asks mem_alloc for that many,
 * since other allocators (sanitizers) round otherwise. */
static inline size_t mem_class(size_t n)
{
	if (n <= 8)
		return 8;
	if (n <= 128)
		return (n + 15) & ~(size_t)15;
	/* Four classes between one power of two and the next. */
	size_t step = (size_t)1 << (61 - __builtin_clzll(n - 1));
	return (n + step - 1) & ~(step - 1);
}

/* Zeroed pages straight from the kernel, for tables of 64 KiB and more; given back at once when
 * freed, also in parts. Counted in mem_used() whole. @n is rounded up to pages. NULL on failure. */
void *mem_pages_alloc(size_t n);
void mem_pages_free(void *p, size_t n);

/* The same, huge only where the system makes all pages so: what is filled once from one end to the other has little of huge ones, and a
 * virtual machine that lends out what it does not use may wait a hundred milliseconds for each. */
void *mem_pages_small(size_t n);

/* The same bytes in @n instead of @old bytes of pages, perhaps moved: by their page tables, nothing is copied. What is new is zero. NULL
 * without memory, and they are as they were. */
void *mem_pages_resize(void *p, size_t old, size_t n);
/* What stood in the whole pages from @p on that @n bytes take is zero, and they take no memory. */
void mem_pages_clear(void *p, size_t n);

/* The pages from @p on that @n bytes take are made present, where the system can do that; they hold what they held. */
void mem_pages_bring(void *p, size_t n);

/* As mem_pages_alloc, each page made present by a thread of its own first: a huge page that the machine has not used before takes the
 * kernel ten milliseconds and more, which whoever touches it first would wait for. Until mem_pages_ready has answered
 * true the pages must not be touched, and are given back by mem_pages_drop. */
void *mem_pages_warm(size_t n);
bool mem_pages_ready(void *p);
void mem_pages_drop(void *p, size_t n);

/* A private copy of @n bytes. */
void *mem_dup(const void *p, size_t n);

/* Each thread that allocates or frees calls this once, before it does. */
void mem_thread_register(void);

/* Bytes in use now. Engine thread only; what other threads changed is included. */
size_t mem_used(void);

/* Whether mem_used() is within @limit: for asking again and again. What the engine thread has allocated since a full count is taken for
 * still there, and only when that no longer fits everything is counted anew. Engine thread only. */
bool mem_fits(size_t limit);

/* The highest mem_used() that mem_used() ever returned. */
size_t mem_peak(void);
void mem_peak_reset(void);

/* Resident set size of the process in bytes, from /proc/self/statm; 0 where that cannot be read. */
size_t mem_rss(void);

/* What the allocator has of the kernel, pages of mem_pages_alloc included: bytes that are allocated, in pages with something
 * allocated, and resident. Without jemalloc the last two are what the process has. Costs some microseconds. */
struct mem_figures {
	size_t allocated, active, resident;
};
void mem_figures(struct mem_figures *out);

/* Have the allocator give back to the kernel what it keeps for later. False where it cannot be asked. */
bool mem_purge(void);

/* Let a thread of the allocator's own give back what is not needed, or not. Nothing where it has none. */
void mem_background(bool on);

/* A text of the allocator's own on its state, for people; @write gets it in pieces. False where there is none. */
bool mem_report(void (*write)(void *arg, const char *text), void *arg);

/* One of the allocator's controls (jemalloc's mallctl): its value, before it is set where @to is not NULL. 0 or an errno. */
int mem_control(const char *name, int64_t *was, const int64_t *to);
int mem_control_text(const char *name, const char **was);

/* "jemalloc-5.3.0" or "libc", as INFO's mem_allocator prints it. */
const char *mem_allocator_name(void);

#endif
