/* resp/net/loop.h - one epoll loop: descriptors, timers, and the phases of a turn.
 *
 * A turn: wait (or spin, see below); serve descriptors of LOOP_FIRST (the mount) until they are dry, then LOOP_NORMAL; run the timers
 * that are due; run the before-wait hooks in the order they were added (run the parsed commands, withdraw names from the
 * kernel, send replies). Callbacks may add and remove anything, themselves too.
 *
 * Spinning: after a turn that served something the loop polls without sleeping for up to busy_poll_usec, while the last spins
 * found work often enough to pay and no other runnable task wants the core.
 */
#ifndef RESP_NET_LOOP_H
#define RESP_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_fd;
struct loop_timer;

enum loop_class { LOOP_FIRST, LOOP_NORMAL };
enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop *loop_new(void);
void loop_free(struct loop *l);

/* Watch @fd. @fn gets the LOOP_* events that are ready (errors and hang-ups show as both). NULL with errno on failure. */
struct loop_fd *loop_fd_add(struct loop *l, int fd, enum loop_class cls, unsigned events,
			    void (*fn)(void *arg, unsigned events), void *arg);
void loop_fd_events(struct loop_fd *f, unsigned events);
/* Serve it in nested turns too. */
void loop_fd_nested(struct loop_fd *f);
/* Stop watching; the descriptor stays the caller's. Safe inside any callback. */
void loop_fd_remove(struct loop_fd *f);

/* Call @fn after @ms, then again after as many milliseconds as it returns; below 0 ends and frees the timer. */
struct loop_timer *loop_timer_add(struct loop *l, int64_t ms, int64_t (*fn)(void *arg), void *arg);
void loop_timer_remove(struct loop_timer *t);

/* Called at the end of every turn, before the loop waits. */
void loop_before_wait(struct loop *l, void (*fn)(void *arg), void *arg);
/* Called at the start of every turn, after the clock was read. */
void loop_after_wait(struct loop *l, void (*fn)(void *arg), void *arg);

/* Do not sleep in the coming wait: a hook has more to do. */
void loop_again(struct loop *l);

/* Have @fn(@arg) called by the loop's thread soon; callable from any thread and from signal handlers' threads. */
void loop_post(struct loop *l, void (*fn)(void *arg), void *arg);

void loop_busy_poll(struct loop *l, unsigned usec);

int64_t loop_now_us(const struct loop *l);   /* monotonic, read once a turn */
int64_t loop_clock_ms(const struct loop *l); /* since the epoch, read once a turn */

void loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* One turn without sleeping: a long command or loading lets PING be answered. */
void loop_turn_nowait(struct loop *l);

/* From inside a callback: serve what is ready of the descriptors that were marked so, and nothing else; no timers, no hooks. */
void loop_turn_nested(struct loop *l);

struct loop_stats {
	uint64_t turns, spins, spin_hits;
	uint64_t busy_ticks; /* spent in turns, without waiting: resp/ticks.h */
	uint64_t fds;
};
void loop_stats(const struct loop *l, struct loop_stats *out);

#endif
