/* fs/fs.h - the mount itself, for the files of fs/ only. */
#ifndef FS_FS_H
#define FS_FS_H

#define FUSE_USE_VERSION 35
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fs/backend/backend.h"
#include "fs/inodes/inode.h"
#include "fs/kernel/landing.h"
#include "fs/scratch.h"
#include "fs/slices.h"
#include "fs/task.h"
#include "resp/session.h"

struct server;
struct loop_fd;

/* What -o said. */
struct mount_options {
	uid_t uid;
	gid_t gid;
	mode_t umask;
	unsigned db;
	unsigned page_opens; /* with pagecache: opens that come before */
	bool ro, raw, allow_other, nocache, pagecache;
	char flags[128]; /* words for the kernel, each with a comma in front */
	char user[128];  /* whose rights it has, "" for the default user */
};

struct mount {
	struct mount *next; /* of the same server */
	struct mounts *all;
	struct server *server;
	struct session_mount who;
	struct backend *backend;
	struct mount_options options;
	char *point; /* absolute */
	struct fuse_session *session;
	struct loop_fd *fd;
	struct fuse_buf buf; /* the session's receive buffer */
	bool initialized;    /* INIT was answered: session_io.h */
	struct landing landing;
	struct inodes inodes;
	struct scratches scratches;
	struct handle *handles; /* open files and directories */
	struct slices slices; /* of directories being read (dir.c), and big values (kinds/walk.c) */
	struct handle *polled;  /* those that wait for a change of their key: poll.c */
	uint64_t polled_serial; /* of the last change looked at for them */
	size_t name_max;        /* what the kernel takes in a listing */
	int64_t names_ns;       /* when a name was made or went that is no key */
	uint64_t requests;
	uint64_t names_too_long; /* left out of listings, each time */
};

/* Files answer statx's block size with this, by which programs choose how much they read and write at once; those that are big, or may
 * become so, with the other: each request costs as much as copying some ten KiB. With more it no longer stays in the processor's cache. */
#define MOUNT_BLKSIZE     (128 * 1024)
#define MOUNT_BLKSIZE_BIG (512 * 1024)
#define MOUNT_BIG_FROM    (1024 * 1024)

extern const struct fuse_lowlevel_ops mount_ops;

static inline struct mount *mount_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static inline bool task_raw(const struct task *t)
{
	return t->at.raw || t->m->options.raw;
}

#endif
