/* resp/persist/aof/worker.c - a thread that waits for the disk. See internal.h. */
#include <pthread.h>

#include "resp/net/loop.h"
#include "resp/persist/aof/internal.h"
#include "store/base/mem.h"

static void *run(void *arg)
{
	struct aof_worker *w = arg;

	mem_thread_register();
	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->busy && !w->quit)
			pthread_cond_wait(&w->wake, &w->lock);
		if (!w->busy)
			break;
		int (*work)(void *arg) = w->work;
		void *with = w->with;
		pthread_mutex_unlock(&w->lock);
		int error = work(with);
		pthread_mutex_lock(&w->lock);
		w->error = error;
		__atomic_store_n(&w->busy, false, __ATOMIC_RELEASE);
		pthread_cond_broadcast(&w->ended);
		/* Not with the lock held: who wakes up would wait for it. */
		pthread_mutex_unlock(&w->lock);
		loop_post(w->loop, w->done, w->arg);
		pthread_mutex_lock(&w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

bool aof_worker_start(struct aof_worker *w, struct loop *loop, void (*done)(void *arg), void *arg)
{
	if (w->started)
		return true;
	*w = (struct aof_worker){.loop = loop, .done = done, .arg = arg};
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	pthread_cond_init(&w->ended, NULL);
	w->started = pthread_create(&w->thread, NULL, run, w) == 0;
	return w->started;
}

void aof_worker_stop(struct aof_worker *w)
{
	if (!w->started)
		return;
	pthread_mutex_lock(&w->lock);
	w->quit = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->wake);
	pthread_cond_destroy(&w->ended);
	pthread_mutex_destroy(&w->lock);
	w->started = false;
}

void aof_worker_begin(struct aof_worker *w, int (*work)(void *with), void *with)
{
	pthread_mutex_lock(&w->lock);
	w->work = work;
	w->with = with;
	__atomic_store_n(&w->busy, true, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&w->lock);
	pthread_cond_signal(&w->wake);
}

bool aof_worker_busy(const struct aof_worker *w)
{
	return __atomic_load_n(&w->busy, __ATOMIC_ACQUIRE);
}

int aof_worker_wait(struct aof_worker *w)
{
	pthread_mutex_lock(&w->lock);
	while (w->busy)
		pthread_cond_wait(&w->ended, &w->lock);
	int error = w->error;
	pthread_mutex_unlock(&w->lock);
	return error;
}
