/* resp/persist/aof_sync.c - the thread that waits for the disk. See aof_internal.h. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "resp/net/loop.h"
#include "resp/persist/aof_internal.h"

static int sync_file(int fd)
{
	while (fdatasync(fd) < 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

static void *run(void *arg)
{
	struct aof_sync *y = arg;

	pthread_mutex_lock(&y->lock);
	for (;;) {
		while (y->fd < 0 && !y->quit)
			pthread_cond_wait(&y->wake, &y->lock);
		if (y->fd < 0)
			break;
		int fd = y->fd;
		pthread_mutex_unlock(&y->lock);
		int error = sync_file(fd);
		pthread_mutex_lock(&y->lock);
		y->error = error;
		__atomic_store_n(&y->fd, -1, __ATOMIC_RELEASE);
		pthread_cond_broadcast(&y->ended);
		loop_post(y->loop, y->done, y->arg);
	}
	pthread_mutex_unlock(&y->lock);
	return NULL;
}

bool aof_sync_start(struct aof_sync *y, struct loop *loop, void (*done)(void *arg), void *arg)
{
	*y = (struct aof_sync){.loop = loop, .done = done, .arg = arg, .fd = -1};
	pthread_mutex_init(&y->lock, NULL);
	pthread_cond_init(&y->wake, NULL);
	pthread_cond_init(&y->ended, NULL);
	y->started = pthread_create(&y->thread, NULL, run, y) == 0;
	return y->started;
}

void aof_sync_stop(struct aof_sync *y)
{
	if (!y->started)
		return;
	pthread_mutex_lock(&y->lock);
	y->quit = true;
	pthread_cond_signal(&y->wake);
	pthread_mutex_unlock(&y->lock);
	pthread_join(y->thread, NULL);
	pthread_cond_destroy(&y->wake);
	pthread_cond_destroy(&y->ended);
	pthread_mutex_destroy(&y->lock);
	y->started = false;
}

void aof_sync_begin(struct aof_sync *y, int fd)
{
	pthread_mutex_lock(&y->lock);
	__atomic_store_n(&y->fd, fd, __ATOMIC_RELEASE);
	pthread_cond_signal(&y->wake);
	pthread_mutex_unlock(&y->lock);
}

bool aof_sync_running(struct aof_sync *y)
{
	return __atomic_load_n(&y->fd, __ATOMIC_ACQUIRE) >= 0;
}

int aof_sync_wait(struct aof_sync *y)
{
	pthread_mutex_lock(&y->lock);
	while (y->fd >= 0)
		pthread_cond_wait(&y->ended, &y->lock);
	int error = y->error;
	pthread_mutex_unlock(&y->lock);
	return error;
}
