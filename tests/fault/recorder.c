/* Records what a process does to the files of one directory: preloaded into a server, for tests of power cuts.
 *
 * What POWERCUT_DIR holds is followed, subdirectories too; records go to POWERCUT_TRACE, each with one append, so that those of a
 * server and its children keep their order. A change is recorded when it was made, a sync when it begins and when it succeeded:
 * disk.py reckons from that what a disk may hold at any moment. Calls through stdio are not seen.
 *
 * A record: struct head, then the bytes of the name, then those of the data.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define TRACE_FD_MIN 900

struct head {
	char op; /* m(kdir) c(reate) w(rite) t(runcate) r(ename) u(nlink) b(egin of sync) s(ynced) */
	char pad[3];
	uint32_t name, data;
	uint64_t file, at;
};

static char root[PATH_MAX];
static size_t root_len;
static int trace = -1;

static void *next(const char *name)
{
	void *fn = dlsym(RTLD_NEXT, name);

	if (!fn)
		abort();
	return fn;
}

#define NEXT(ret, name, ...)                                                                       \
	static ret (*real)(__VA_ARGS__);                                                           \
	if (!real)                                                                                 \
	real = (ret(*)(__VA_ARGS__))next(#name)

static __attribute__((constructor)) void begin(void)
{
	const char *dir = getenv("POWERCUT_DIR"), *path = getenv("POWERCUT_TRACE");

	if (!dir || !path || !realpath(dir, root))
		return;
	root_len = strlen(root);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
			      0644);
	trace = fcntl(fd, F_DUPFD_CLOEXEC, TRACE_FD_MIN);
	if (trace < 0)
		trace = fd;
	else
		syscall(SYS_close, fd);
}

static void record(char op, uint64_t file, uint64_t at, const char *name, const void *data,
		   size_t n)
{
	int saved = errno;
	struct head h = {.op = op,
			 .name = name ? (uint32_t)strlen(name) : 0,
			 .data = (uint32_t)n,
			 .file = file,
			 .at = at};
	struct iovec v[] = {{&h, sizeof(h)}, {(void *)name, h.name}, {(void *)data, n}};

	if (syscall(SYS_writev, trace, v, 3) != (long)(sizeof(h) + h.name + n))
		abort();
	errno = saved;
}

/* The absolute path of @path at @dir if it is inside the root, relative to it. */
static const char *inside(int dir, const char *path, char buf[PATH_MAX * 2])
{
	char link[64], base[PATH_MAX] = "";
	ssize_t n = 0;

	if (trace < 0)
		return NULL;
	if (path[0] != '/') {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
		n = dir == AT_FDCWD ? (getcwd(base, sizeof(base)) ? (ssize_t)strlen(base) : -1)
				    : readlink(link, base, sizeof(base) - 1);
		if (n < 0)
			return NULL;
		base[n] = '\0';
		while (path[0] == '.' && path[1] == '/')
			path += 2;
	}
	if (path[0] == '.' && !path[1])
		snprintf(buf, PATH_MAX * 2, "%s", base);
	else
		snprintf(buf, PATH_MAX * 2, "%s%s%s", base, path[0] == '/' ? "" : "/", path);
	if (strncmp(buf, root, root_len) != 0 || (buf[root_len] != '/' && buf[root_len]))
		return NULL;
	return buf[root_len] ? buf + root_len + 1 : ".";
}

static const char *inside_fd(int fd, char buf[PATH_MAX * 2], uint64_t *file)
{
	char link[64];
	struct stat st;

	if (trace < 0 || fd < 0 || fstat(fd, &st) < 0 ||
	    !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return NULL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, buf, PATH_MAX);
	if (n <= 0)
		return NULL;
	buf[n] = '\0';
	*file = st.st_ino;
	if (strncmp(buf, root, root_len) != 0 || (buf[root_len] != '/' && buf[root_len]))
		return NULL;
	return buf[root_len] ? buf + root_len + 1 : ".";
}

static int opened(int fd, const char *name, bool fresh, int flags)
{
	struct stat st;

	if (fd < 0 || !name || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return fd;
	if (fresh)
		record('c', st.st_ino, 0, name, NULL, 0);
	else if (flags & O_TRUNC)
		record('t', st.st_ino, 0, name, NULL, 0);
	return fd;
}

static int open_at(int dir, const char *path, int flags, mode_t mode)
{
	char buf[PATH_MAX * 2];
	const char *name = flags & (O_CREAT | O_TRUNC) ? inside(dir, path, buf) : NULL;
	bool fresh = name && (flags & O_CREAT) && syscall(SYS_faccessat, dir, path, F_OK) < 0;

	return opened((int)syscall(SYS_openat, dir, path, flags, mode), name, fresh, flags);
}

#define MODE_OF(flags)                                                                             \
	mode_t mode = 0;                                                                           \
	if ((flags) & (O_CREAT | O_TMPFILE)) {                                                     \
		va_list ap;                                                                        \
		va_start(ap, flags);                                                               \
		mode = va_arg(ap, mode_t);                                                         \
		va_end(ap);                                                                        \
	}

int open(const char *path, int flags, ...)
{
	MODE_OF(flags)
	return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	MODE_OF(flags)
	return open_at(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	MODE_OF(flags)
	return open_at(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
	MODE_OF(flags)
	return open_at(dir, path, flags | O_LARGEFILE, mode);
}

ssize_t write(int fd, const void *p, size_t n)
{
	char buf[PATH_MAX * 2];
	uint64_t file;
	const char *name = inside_fd(fd, buf, &file);
	off_t at = name ? lseek(fd, 0, SEEK_CUR) : 0;
	ssize_t done = syscall(SYS_write, fd, p, n);

	if (name && done > 0) {
		if (fcntl(fd, F_GETFL) & O_APPEND)
			at = lseek(fd, 0, SEEK_CUR) - done;
		record('w', file, (uint64_t)at, name, p, (size_t)done);
	}
	return done;
}

ssize_t writev(int fd, const struct iovec *v, int count)
{
	NEXT(ssize_t, writev, int, const struct iovec *, int);
	char buf[PATH_MAX * 2];
	uint64_t file;

	if (inside_fd(fd, buf, &file))
		abort(); /* nobody does so far */
	return real(fd, v, count);
}

static ssize_t write_at(int fd, const void *p, size_t n, off_t at)
{
	char buf[PATH_MAX * 2];
	uint64_t file;
	const char *name = inside_fd(fd, buf, &file);
	ssize_t done = syscall(SYS_pwrite64, fd, p, n, at);

	if (name && done > 0)
		record('w', file, (uint64_t)at, name, p, (size_t)done);
	return done;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	return write_at(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return write_at(fd, p, n, at);
}

int ftruncate(int fd, off_t n)
{
	char buf[PATH_MAX * 2];
	uint64_t file;
	const char *name = inside_fd(fd, buf, &file);
	int result = (int)syscall(SYS_ftruncate, fd, n);

	if (name && result == 0)
		record('t', file, (uint64_t)n, name, NULL, 0);
	return result;
}

int ftruncate64(int fd, off64_t n)
{
	return ftruncate(fd, n);
}

static int rename_at(int from_dir, const char *from, int to_dir, const char *to)
{
	char a[PATH_MAX * 2], b[PATH_MAX * 2];
	const char *was = inside(from_dir, from, a), *is = inside(to_dir, to, b);
	struct stat st = {0};

	if (was)
		fstatat(from_dir, from, &st, AT_SYMLINK_NOFOLLOW);
	int result = (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
	if (result == 0 && was && is)
		record('r', st.st_ino, 0, was, is, strlen(is));
	return result;
}

int rename(const char *from, const char *to)
{
	return rename_at(AT_FDCWD, from, AT_FDCWD, to);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return rename_at(from_dir, from, to_dir, to);
}

int unlinkat(int dir, const char *path, int flags)
{
	char buf[PATH_MAX * 2];
	const char *name = inside(dir, path, buf);
	int result = (int)syscall(SYS_unlinkat, dir, path, flags);

	if (name && result == 0)
		record('u', 0, 0, name, NULL, 0);
	return result;
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int mkdir(const char *path, mode_t mode)
{
	char buf[PATH_MAX * 2];
	const char *name = inside(AT_FDCWD, path, buf);
	int result = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);

	if (name && result == 0)
		record('m', 0, 0, name, NULL, 0);
	return result;
}

static int sync_fd(int fd, long call)
{
	char buf[PATH_MAX * 2];
	uint64_t file;
	const char *name = inside_fd(fd, buf, &file);

	if (name)
		record('b', file, (uint64_t)syscall(SYS_gettid), name, NULL, 0);
	int result = (int)syscall(call, fd);
	if (name && result == 0)
		record('s', file, (uint64_t)syscall(SYS_gettid), name, NULL, 0);
	return result;
}

int fsync(int fd)
{
	return sync_fd(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return sync_fd(fd, SYS_fdatasync);
}

/* The trace stays open in children that close everything else. */
int close_range(unsigned first, unsigned last, int flags)
{
	unsigned t = (unsigned)trace;

	if (trace < 0 || t < first || t > last)
		return (int)syscall(SYS_close_range, first, last, flags);
	if (t > first)
		syscall(SYS_close_range, first, t - 1, flags);
	return t < last ? (int)syscall(SYS_close_range, t + 1, last, flags) : 0;
}
