/* tests/bench/fsloop.c - one file operation again and again: "fsloop stat|missing|read|open|put|get PATH COUNT" prints nanoseconds for each.
 *
 * missing is stat of a name that is not there; read reads 32 bytes of a file that stays open; open is open, read, close. put writes so many
 * MiB in pieces of 128 KiB, as cp does, from opening a new file to its close; get reads them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int do_stat(const char *path)
{
	struct stat st;
	return stat(path, &st);
}

static int do_missing(const char *path)
{
	struct stat st;
	return stat(path, &st) < 0 && errno == ENOENT ? 0 : -1;
}

static int do_open(const char *path)
{
	char buf[32];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf);

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

#define PIECE ((size_t)128 << 10)

/* All of @mib megabytes into a new file, or out of it. */
static int do_all(const char *path, bool put, long mib)
{
	static char buf[PIECE] __attribute__((aligned(4096)));
	size_t left = (size_t)mib << 20;
	ssize_t n = 1;

	memset(buf, 'v', sizeof buf);
	int fd = open(path, put ? O_WRONLY | O_CREAT | O_EXCL : O_RDONLY, 0644);
	for (; fd >= 0 && left && n > 0; left -= (size_t)n)
		n = put ? write(fd, buf, PIECE) : read(fd, buf, PIECE);
	return fd < 0 || close(fd) < 0 || n <= 0 ? -1 : 0;
}

static bool is_all(const char *op)
{
	return !strcmp(op, "put") || !strcmp(op, "get");
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: fsloop stat|missing|read|open|put|get PATH COUNT\n");
		return 2;
	}
	const char *op = argv[1], *path = argv[2];
	long count = atol(argv[3]);
	char buf[32];
	int fd = open(path, O_RDONLY), bad = fd < 0 && *op != 'm' && *op != 'p';
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	if (is_all(op) && !bad)
		bad = do_all(path, *op == 'p', count) < 0;
	for (long i = 0; i < count && !bad && !is_all(op); i++) {
		if (*op == 's')
			bad = do_stat(path) < 0;
		else if (*op == 'm')
			bad = do_missing(path) < 0;
		else if (*op == 'o')
			bad = do_open(path) < 0;
		else
			bad = pread(fd, buf, sizeof buf, 0) < 0;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	if (bad) {
		perror(path);
		return 1;
	}
	printf("%.0f\n", ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) /
				 (double)count);
	close(fd);
	return 0;
}
