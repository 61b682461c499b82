/* tests/bench/fsloop.c - one file operation again and again: "fsloop stat|missing|read|open|put|get|put128|get128 PATH COUNT" prints nanoseconds for each.
 *
 * missing is stat of a name that is not there; read reads 32 bytes of a file that stays open; open is open, read, close. put writes so many
 * MiB from opening a new file to its close, get reads them, both as cp and cat of coreutils do: in pieces of st_blksize, but at least 128 KiB.
 * put128 and get128 do so in pieces of 128 KiB.
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

#define PIECE_LEAST ((size_t)128 << 10)
#define PIECE_MOST  ((size_t)4 << 20)

/* All of @mib megabytes into a new file, or out of it. */
static int do_all(const char *path, bool put, bool least, long mib)
{
	static char buf[PIECE_MOST] __attribute__((aligned(4096)));
	size_t left = (size_t)mib << 20, piece = PIECE_LEAST;
	ssize_t n = 1;
	struct stat st;

	int fd = open(path, put ? O_WRONLY | O_CREAT | O_EXCL : O_RDONLY, 0644);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!least && (size_t)st.st_blksize > piece)
		piece = (size_t)st.st_blksize < PIECE_MOST ? (size_t)st.st_blksize : PIECE_MOST;
	memset(buf, 'v', piece);
	for (; left && n > 0; left -= (size_t)n)
		n = put ? write(fd, buf, left < piece ? left : piece) : read(fd, buf, piece);
	return close(fd) < 0 || n <= 0 ? -1 : 0;
}

static bool is_all(const char *op)
{
	return !strncmp(op, "put", 3) || !strncmp(op, "get", 3);
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr,
			"usage: fsloop stat|missing|read|open|put|get|put128|get128 PATH COUNT\n");
		return 2;
	}
	const char *op = argv[1], *path = argv[2];
	long count = atol(argv[3]);
	char buf[32];
	int fd = open(path, O_RDONLY), bad = fd < 0 && *op != 'm' && *op != 'p';
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	if (is_all(op) && !bad)
		bad = do_all(path, *op == 'p', op[3], count) < 0;
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
