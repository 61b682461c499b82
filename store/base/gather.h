/* store/base/gather.h - the heap in huge pages, without a byte more.
 *
 * A fork copies the page tables of all that the process has while everybody waits: of a heap in huge pages one entry each, of small
 * ones 512. And after a save nearly every page that was written to is a small one again. So a thread looks for parts of the heap, as
 * large as a huge page and aligned like one, whose small pages are all there, and has the kernel move each into a huge page
 * (MADV_COLLAPSE, Linux 6.1). It never asks for huge pages ahead: what is not in use stays no memory, and what the allocator
 * gives back goes at once.
 *
 * The mover stands in nobody's way: one huge page at a time, with pauses, the memory for it touched before. Where transparent huge pages
 * are switched off ("never") nothing is moved.
 */
#ifndef STORE_BASE_GATHER_H
#define STORE_BASE_GATHER_H

#include <stdbool.h>
#include <stddef.h>

/* Go over the heap, in a thread of its own, unless that is being done or the heap is small. Engine thread only. */
void gather_start(void);

/* End what was started, at the latest behind the huge page that is at hand, and do not wait for it. A child that shares the pages needs
 * this: moving them would copy them for good. */
void gather_stop(void);

/* Whether the thread is at work; huge pages that were made since the process began. */
bool gather_running(void);
size_t gather_made(void);

/* The work on @n bytes from @p on, at once, until *@stop: how many huge pages were made. */
size_t gather_range(void *p, size_t n, const bool *stop);

#endif
