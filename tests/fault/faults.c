/* A disk and a clock that misbehave as a test says: preloaded into a server.
 *
 * FAULTS names a file of sixteen 64-bit numbers, which the test changes while the server runs: 0 the errno of fsync and fdatasync, 1 the errno of
 * writes, 2 how many bytes a write takes at most, 3 the milliseconds by which the clock of the day is off, 4 the
 * milliseconds that fdatasync takes at least. 0 is no fault. Only regular files and directories are hit, and not standard output.
 *
 * And a countdown: 5 counts the calls that change a disk (creating, writing, syncing, renaming, removing, cutting, making place, making
 * directories), of the server and its children; from the call of number 6 on, 7 of them fail with errno 8.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
	SYNC_ERROR,
	WRITE_ERROR,
	WRITE_MOST,
	CLOCK_MS,
	SYNC_MS,
	COUNT,
	FIRST,
	MANY,
	ERROR,
	NUMBERS = 16
};

static volatile int64_t none[NUMBERS], *fault = none;

static __attribute__((constructor)) void begin(void)
{
	const char *path = getenv("FAULTS");
	int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
	void *p = mmap(NULL, sizeof(none), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p != MAP_FAILED)
		fault = p;
}

static int is_hit(int fd)
{
	struct stat st;

	return fd > STDERR_FILENO && fstat(fd, &st) == 0 &&
	       (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

/* Whether this call fails as the countdown says; errno then. */
static int is_counted_out(void)
{
	int64_t n = __atomic_add_fetch(&fault[COUNT], 1, __ATOMIC_RELAXED);

	if (!fault[FIRST] || n < fault[FIRST] || n >= fault[FIRST] + fault[MANY])
		return 0;
	errno = (int)fault[ERROR];
	return 1;
}

static int sync_fd(int fd, long call)
{
	if (is_hit(fd) && is_counted_out())
		return -1;
	if (fault[SYNC_ERROR] && is_hit(fd)) {
		errno = (int)fault[SYNC_ERROR];
		return -1;
	}
	return (int)syscall(call, fd);
}

int fsync(int fd)
{
	return sync_fd(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	if (fault[SYNC_MS])
		usleep((useconds_t)fault[SYNC_MS] * 1000);
	return sync_fd(fd, SYS_fdatasync);
}

/* Bytes that may be written of @n; -1 with errno when none. */
static ssize_t allowed(int fd, size_t n)
{
	if (is_hit(fd) && is_counted_out())
		return -1;
	if ((!fault[WRITE_ERROR] && !fault[WRITE_MOST]) || !is_hit(fd))
		return (ssize_t)n;
	if (fault[WRITE_ERROR]) {
		errno = (int)fault[WRITE_ERROR];
		return -1;
	}
	return n > (size_t)fault[WRITE_MOST] ? (ssize_t)fault[WRITE_MOST] : (ssize_t)n;
}

ssize_t write(int fd, const void *p, size_t n)
{
	ssize_t most = allowed(fd, n);

	return most < 0 ? -1 : syscall(SYS_write, fd, p, (size_t)most);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	ssize_t most = allowed(fd, n);

	return most < 0 ? -1 : syscall(SYS_pwrite64, fd, p, (size_t)most, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return pwrite(fd, p, n, at);
}

static int open_at(int dir, const char *path, int flags, mode_t mode)
{
	if (flags & O_CREAT && is_counted_out())
		return -1;
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

#define MODE_OF(flags)                                                                             \
	({                                                                                         \
		va_list ap;                                                                        \
		va_start(ap, flags);                                                               \
		mode_t m = (flags)&O_CREAT ? va_arg(ap, mode_t) : 0;                               \
		va_end(ap);                                                                        \
		m;                                                                                 \
	})

int open(const char *path, int flags, ...)
{
	return open_at(AT_FDCWD, path, flags, MODE_OF(flags));
}

int open64(const char *path, int flags, ...)
{
	return open_at(AT_FDCWD, path, flags, MODE_OF(flags));
}

int openat(int dir, const char *path, int flags, ...)
{
	return open_at(dir, path, flags, MODE_OF(flags));
}

int openat64(int dir, const char *path, int flags, ...)
{
	return open_at(dir, path, flags, MODE_OF(flags));
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return is_counted_out() ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int rename(const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int unlinkat(int dir, const char *path, int flags)
{
	return is_counted_out() ? -1 : (int)syscall(SYS_unlinkat, dir, path, flags);
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int mkdir(const char *path, mode_t mode)
{
	return is_counted_out() ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int ftruncate(int fd, off_t size)
{
	return is_hit(fd) && is_counted_out() ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate64(int fd, off64_t size)
{
	return ftruncate(fd, size);
}

int fallocate(int fd, int mode, off_t at, off_t n)
{
	return is_hit(fd) && is_counted_out() ? -1 : (int)syscall(SYS_fallocate, fd, mode, at, n);
}

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int result = (int)syscall(SYS_clock_gettime, clock, ts);

	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		ts->tv_sec += fault[CLOCK_MS] / 1000;
	return result;
}

int gettimeofday(struct timeval *tv, void *zone)
{
	struct timespec ts;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &ts);
	*tv = (struct timeval){.tv_sec = ts.tv_sec, .tv_usec = ts.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *t)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (t)
		*t = ts.tv_sec;
	return ts.tv_sec;
}
