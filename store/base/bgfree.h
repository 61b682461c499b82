/* store/base/bgfree.h - a thread that frees what takes long.
 *
 * Containers with many elements and blobs of many pages are handed over whole; the engine never waits.
 * Without a started thread (unit tests) bgfree_submit frees at once.
 */
#ifndef STORE_BASE_BGFREE_H
#define STORE_BASE_BGFREE_H

#include <stddef.h>
#include <stdint.h>

/* Start the thread. -1 with errno when it cannot be made. */
int bgfree_start(void);

/* Free what is queued, then end the thread. */
void bgfree_stop(void);

/* Have @fn(@p) called on the other thread. @objects is how many it stands for in INFO's lazyfree figures. */
void bgfree_submit(void (*fn)(void *), void *p, size_t objects);

/* From a function that runs on the other thread: have @fn(@p) called on the engine thread, at its next bgfree_poll().
 * For what only the engine may let go (a blob that a reply still sends). */
void bgfree_return(void (*fn)(void *), void *p);

/* Run what came back. Engine thread, once a turn of the loop; one load when there is nothing. */
void bgfree_poll(void);

/* Objects waiting, and objects freed since start (lazyfree_pending_objects, lazyfreed_objects). */
size_t bgfree_pending(void);
size_t bgfree_freed(void);
void bgfree_reset_stats(void);

/* Wait for what is queued, but no longer than @us microseconds. */
void bgfree_wait(int64_t us);

/* Wait until nothing is queued; for tests and DEBUG. */
void bgfree_drain(void);

#endif
