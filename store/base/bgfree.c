/* store/base/bgfree.c - the thread that frees what takes long: see bgfree.h. */
#include "store/base/bgfree.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "store/base/mem.h"

struct job {
	struct job *next;
	void (*fn)(void *);
	void *p;
	size_t objects;
};

/* One queue out, first in first out, and one stack of what comes back. The lock guards both. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	pthread_t thread;
	bool started, stopping, busy;
	struct job *head, **tail;
	struct job *returned; /* also read without the lock, to see that there is nothing */
	size_t pending, freed;
} bg = {.lock = PTHREAD_MUTEX_INITIALIZER,
	.work = PTHREAD_COND_INITIALIZER,
	.idle = PTHREAD_COND_INITIALIZER};

static void *run(void *arg)
{
	(void)arg;
	mem_thread_register();
	pthread_mutex_lock(&bg.lock);
	for (;;) {
		while (!bg.head && !bg.stopping)
			pthread_cond_wait(&bg.work, &bg.lock);
		struct job *job = bg.head;
		if (!job)
			break;
		bg.head = job->next;
		if (!bg.head)
			bg.tail = &bg.head;
		bg.busy = true;
		pthread_mutex_unlock(&bg.lock);
		job->fn(job->p);
		pthread_mutex_lock(&bg.lock);
		bg.busy = false;
		bg.pending -= job->objects;
		bg.freed += job->objects;
		mem_free(job);
		if (!bg.head)
			pthread_cond_broadcast(&bg.idle);
	}
	pthread_mutex_unlock(&bg.lock);
	return NULL;
}

int bgfree_start(void)
{
	if (bg.started)
		return 0;
	bg.tail = &bg.head;
	bg.stopping = false;
	if (pthread_create(&bg.thread, NULL, run, NULL))
		return -1;
	bg.started = true;
	return 0;
}

void bgfree_stop(void)
{
	if (bg.started) {
		pthread_mutex_lock(&bg.lock);
		bg.stopping = true;
		pthread_cond_signal(&bg.work);
		pthread_mutex_unlock(&bg.lock);
		pthread_join(bg.thread, NULL);
		bg.started = false;
	}
	bgfree_poll();
}

void bgfree_submit(void (*fn)(void *), void *p, size_t objects)
{
	if (!bg.started) {
		fn(p);
		bg.freed += objects;
		bgfree_poll();
		return;
	}
	struct job *job = mem_alloc(sizeof(*job));
	*job = (struct job){NULL, fn, p, objects};
	pthread_mutex_lock(&bg.lock);
	*bg.tail = job;
	bg.tail = &job->next;
	bg.pending += objects;
	pthread_cond_signal(&bg.work);
	pthread_mutex_unlock(&bg.lock);
}

void bgfree_return(void (*fn)(void *), void *p)
{
	struct job *job = mem_alloc(sizeof(*job));
	pthread_mutex_lock(&bg.lock);
	*job = (struct job){bg.returned, fn, p, 0};
	__atomic_store_n(&bg.returned, job, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&bg.lock);
}

void bgfree_poll(void)
{
	if (!__atomic_load_n(&bg.returned, __ATOMIC_RELAXED))
		return;
	pthread_mutex_lock(&bg.lock);
	struct job *job = bg.returned;
	__atomic_store_n(&bg.returned, NULL, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&bg.lock);
	while (job) {
		struct job *next = job->next;
		job->fn(job->p);
		mem_free(job);
		job = next;
	}
}

static size_t read_locked(const size_t *figure)
{
	pthread_mutex_lock(&bg.lock);
	size_t n = *figure;
	pthread_mutex_unlock(&bg.lock);
	return n;
}

size_t bgfree_pending(void)
{
	return read_locked(&bg.pending);
}

size_t bgfree_freed(void)
{
	return read_locked(&bg.freed);
}

void bgfree_reset_stats(void)
{
	pthread_mutex_lock(&bg.lock);
	bg.freed = 0;
	pthread_mutex_unlock(&bg.lock);
}

static bool is_busy(void)
{
	return bg.started && (bg.head || bg.busy);
}

void bgfree_wait(int64_t us)
{
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += us / 1000000;
	end.tv_nsec += us % 1000000 * 1000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_nsec -= 1000000000;
		end.tv_sec++;
	}
	pthread_mutex_lock(&bg.lock);
	while (is_busy() && !pthread_cond_timedwait(&bg.idle, &bg.lock, &end))
		;
	pthread_mutex_unlock(&bg.lock);
	bgfree_poll();
}

void bgfree_drain(void)
{
	pthread_mutex_lock(&bg.lock);
	while (is_busy())
		pthread_cond_wait(&bg.idle, &bg.lock);
	pthread_mutex_unlock(&bg.lock);
	bgfree_poll();
}
