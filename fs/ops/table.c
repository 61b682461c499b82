/* Which request is answered where. What is missing is answered ENOSYS, and the kernel remembers: no getxattr, so that it does not ask
 * for security.capability at every open. */
#include "fs/ops/ops.h"

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	struct mount *m = userdata;

	conn->want |= conn->capable & FUSE_CAP_ATOMIC_O_TRUNC;
	/* Names that READDIRPLUS brings cannot be taken back: README.md. */
	conn->want &= ~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
				  FUSE_CAP_SPLICE_MOVE | FUSE_CAP_READDIRPLUS |
				  FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_WRITEBACK_CACHE);
	/* A listing with a longer name fails whole with EIO. The limit grew in Linux 6.14, protocol 7.42. */
	m->inodes.cache.on = conn->proto_major > 7 || conn->proto_minor >= CACHE_MINOR;
	m->inodes.cache.prunes = conn->proto_major > 7 || conn->proto_minor >= CACHE_PRUNE_MINOR;
	cache_start(m);
	editions_start(m);
	m->name_max = conn->proto_major > 7 || conn->proto_minor >= 42 ? 4095 : 1024;
}

const struct fuse_lowlevel_ops mount_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.access = op_access,
	.readlink = op_readlink,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_unlink,
	.rmdir = op_rmdir,
	.symlink = op_symlink,
	.link = op_link,
	.rename = op_rename,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.flush = op_flush,
	.release = op_release,
	.fsync = op_fsync,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.releasedir = op_releasedir,
	.statfs = op_statfs,
	.create = op_create,
	.copy_file_range = op_copy_file_range,
	.fallocate = op_fallocate,
	.poll = op_poll,
};
