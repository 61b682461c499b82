/* tests/bench/emptyfs.c - a FUSE file system with one file of 32 bytes, dir/file, and nothing behind it.
 *
 *     emptyfs MOUNTPOINT BUSY_USEC
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

enum { ROOT = 1, DIRECTORY, FILE_INO };

static const char content[32] = "the thirty-two bytes of a value";
static volatile sig_atomic_t ended;

static void on_signal(int sig)
{
	(void)sig;
	ended = 1;
}

static void attributes(fuse_ino_t ino, struct stat *st)
{
	memset(st, 0, sizeof *st);
	st->st_ino = ino;
	st->st_mode = ino == FILE_INO ? S_IFREG | 0644 : S_IFDIR | 0755;
	st->st_nlink = 1;
	st->st_size = ino == FILE_INO ? sizeof content : 0;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = {.generation = 1};

	if (parent == ROOT && strcmp(name, "dir") == 0)
		e.ino = DIRECTORY;
	else if (parent == DIRECTORY && strcmp(name, "file") == 0)
		e.ino = FILE_INO;
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

static const struct fuse_lowlevel_ops operations = {
	.lookup = op_lookup,
	.getattr = op_getattr,
	.open = op_open,
	.read = op_read,
	.release = op_release,
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
	if (argc != 3) {
		fprintf(stderr, "usage: emptyfs MOUNTPOINT BUSY_USEC\n");
		return 2;
	}
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
