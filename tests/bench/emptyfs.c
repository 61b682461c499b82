/* tests/bench/emptyfs.c - a FUSE file system with one file of 32 bytes, dir/file, and nothing behind it.
 *
 *     emptyfs MOUNTPOINT BUSY_USEC [NAMES [sorted]]
 *
 * With NAMES there is also names/, which lists as many empty files; each of them can be looked up.
 *
 * What the kernel's side of a request costs: the same low-level calls in the same kind of loop as Inodis has (epoll, and
 * BUSY_USEC of polling without sleep after each request), the same timeouts of 0 and direct_io. Ends on SIGTERM.
 */
#define FUSE_USE_VERSION 314
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { ROOT = 1, DIRECTORY, FILE_INO, NAMES, FIRST_NAME };

/* The directories' st_blksize, by which the C library chooses how much it asks for at once. */
#define BLKSIZE (128 * 1024)

static long nnames;
static int sorted;

static const char content[32] = "the thirty-two bytes of a value";
static volatile sig_atomic_t ended;

static void on_signal(int sig)
{
	(void)sig;
	ended = 1;
}

static void attributes(fuse_ino_t ino, struct stat *st)
{
	int is_file = ino == FILE_INO || ino >= FIRST_NAME;

	memset(st, 0, sizeof *st);
	st->st_ino = ino;
	st->st_mode = is_file ? S_IFREG | 0644 : S_IFDIR | 0755;
	st->st_nlink = 1;
	st->st_size = ino == FILE_INO ? sizeof content : 0;
	st->st_blksize = BLKSIZE;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = {.generation = 1};

	if (parent == ROOT && strcmp(name, "dir") == 0)
		e.ino = DIRECTORY;
	else if (parent == DIRECTORY && strcmp(name, "file") == 0)
		e.ino = FILE_INO;
	else if (parent == ROOT && strcmp(name, "names") == 0 && nnames)
		e.ino = NAMES;
	else if (parent == NAMES && strncmp(name, "key:", 4) == 0 && atol(name + 4) < nnames)
		e.ino = FIRST_NAME + (fuse_ino_t)atol(name + 4);
	if (!e.ino) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	attributes(e.ino, &e.attr);
	fuse_reply_entry(req, &e);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	attributes(ino, &st);
	fuse_reply_attr(req, &st, 0);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fi->direct_io = 1;
	fuse_reply_open(req, fi);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	size_t at = (size_t)off < sizeof content ? (size_t)off : sizeof content;
	size_t n = sizeof content - at < size ? sizeof content - at : size;

	fuse_reply_buf(req, content + at, n);
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	fuse_reply_err(req, 0);
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fuse_reply_open(req, fi);
}

/* The names stand in no order, as out of a hash table: how long ls sorts and find goes by inode numbers depends on that, and is not
 * what is measured. A permutation of [0, nnames), by rounds in which each half of the bits stirs the other. */
static long number_at(long i)
{
	unsigned half = 1;

	if (sorted)
		return i;
	while (1L << 2 * half < nnames)
		half++;
	unsigned mask = (1u << half) - 1;
	do {
		unsigned a = (unsigned)(i >> half), b = (unsigned)i & mask;
		for (unsigned round = 1; round <= 4; round++) {
			unsigned mixed = (b + round) * 2654435761u;
			unsigned next = a ^ ((mixed ^ mixed >> 15) & mask);
			a = b;
			b = next;
		}
		i = (long)a << half | b;
	} while (i >= nnames);
	return i;
}

/* Two dots and the names; no other directory is ever listed here. */
static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	static char buf[1 << 20];
	struct stat st = {0};
	char name[32];
	size_t used = 0;

	(void)fi;
	if (size > sizeof buf)
		size = sizeof buf;
	for (; off < nnames + 2 && ino == NAMES; off++) {
		if (off < 2)
			snprintf(name, sizeof name, "%s", off ? ".." : ".");
		else
			snprintf(name, sizeof name, "key:%07ld", number_at((long)off - 2));
		st.st_ino = off < 2 ? NAMES : FIRST_NAME + (fuse_ino_t)number_at((long)off - 2);
		st.st_mode = off < 2 ? S_IFDIR : S_IFREG;
		size_t n = fuse_add_direntry(req, buf + used, size - used, name, &st, off + 1);
		if (n > size - used)
			break;
		used += n;
	}
	fuse_reply_buf(req, buf, used);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = op_lookup,
	.getattr = op_getattr,
	.open = op_open,
	.read = op_read,
	.release = op_release,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.releasedir = op_release,
};

static long long now_usec(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* Serve until EAGAIN; true when there was something. */
static int serve(struct fuse_session *se, struct fuse_buf *buf)
{
	int some = 0;

	for (;;) {
		int r = fuse_session_receive_buf(se, buf);
		if (r == -EINTR)
			continue;
		if (r <= 0)
			return some;
		fuse_session_process_buf(se, buf);
		some = 1;
	}
}

static void loop(struct fuse_session *se, long long busy)
{
	int ep = epoll_create1(0), fd = fuse_session_fd(se);
	struct epoll_event ev = {.events = EPOLLIN};
	struct fuse_buf buf = {.mem = NULL};
	long long last = 0;

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	while (!ended && !fuse_session_exited(se)) {
		int wait = busy && now_usec() - last < busy ? 0 : 1000;
		if (epoll_wait(ep, &ev, 1, wait) <= 0)
			continue;
		if (serve(se, &buf))
			last = now_usec();
	}
	free(buf.mem);
	close(ep);
}

int main(int argc, char **argv)
{
	if (argc < 3 || argc > 5) {
		fprintf(stderr, "usage: emptyfs MOUNTPOINT BUSY_USEC [NAMES [sorted]]\n");
		return 2;
	}
	nnames = argc > 3 ? atol(argv[3]) : 0;
	sorted = argc > 4 && strcmp(argv[4], "sorted") == 0;
	char *words[] = {argv[0], "-o", "fsname=emptyfs", NULL};
	struct fuse_args args = FUSE_ARGS_INIT(3, words);
	struct fuse_session *se = fuse_session_new(&args, &operations, sizeof operations, NULL);
	struct sigaction sa = {.sa_handler = on_signal};

	if (!se || fuse_session_mount(se, argv[1]) != 0)
		return 1;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	loop(se, atoll(argv[2]));
	fuse_session_unmount(se);
	fuse_session_destroy(se);
	fuse_opt_free_args(&args);
	return 0;
}
