#include "fs/kernel/session_io.h"

#include <linux/fuse.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fs/fs.h"

/* FUSE_DIRECT_IO_ALLOW_MMAP, bit 36 of the flags: not in the headers of every system this is built on. */
#define ALLOW_MMAP (1u << (36 - 32))

static ssize_t answer_init(int fd, const struct iovec *iov)
{
	struct fuse_init_out out = {0};
	struct iovec mine[2] = {iov[0], {.iov_base = &out, .iov_len = iov[1].iov_len}};

	memcpy(&out, iov[1].iov_base, iov[1].iov_len);
	out.flags |= FUSE_INIT_EXT;
	out.flags2 |= ALLOW_MMAP;
	return writev(fd, mine, 2);
}

static ssize_t io_write(int fd, struct iovec *iov, int count, void *userdata)
{
	struct mount *m = userdata;
	struct fuse_out_header head;

	if (m->initialized)
		return writev(fd, iov, count);
	memcpy(&head, iov[0].iov_base, sizeof(head));
	if (head.error || count != 2 || iov[1].iov_len != sizeof(struct fuse_init_out))
		return writev(fd, iov, count);
	m->initialized = true;
	return answer_init(fd, iov);
}

static ssize_t io_read(int fd, void *buf, size_t n, void *userdata)
{
	return landing_read(userdata, fd, buf, n);
}

void session_io_install(struct fuse_session *se)
{
	const struct fuse_custom_io io = {.writev = io_write, .read = io_read};

	fuse_session_custom_io(se, &io, fuse_session_fd(se));
}
