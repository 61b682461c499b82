/* fs/ops/ops.h - the requests of the kernel, by theme: names (find.c, names.c, rename.c), open files (files.c, write.c). */
#ifndef FS_OPS_OPS_H
#define FS_OPS_OPS_H

#include "fs/fs.h"
#include "fs/handle.h"
#include "fs/kinds/kinds.h"

/* --- find.c: places and attributes --- */

/* The place of @name in @parent; *@words, to be freed with mem_free, holds the bytes it borrows. 0; ENOENT for what can be no name here;
 * ENOTDIR. A fixed name or scratch need not exist. */
int ops_place(struct mount *m, const struct inode *parent, const char *name, struct place *out,
	      char **words);

/* Whether it is always there: the tree itself. */
static inline bool place_is_fixed(const struct place *p)
{
	return p->node == NODE_TOP || p->node == NODE_DBS || p->node == NODE_DIR ||
	       p->node == NODE_CTL;
}

mode_t ops_mode(const struct mount *m, const struct place *p);

/* Attributes of @i with @size; what it takes from the backend is its time. */
void ops_attr(struct mount *m, const struct inode *i, uint64_t size, struct stat *st);

/* The time of last change of the file at @p, a key's, is @time_ns until it changes; a member's is its key's. */
void ops_set_time(struct mount *m, const struct place *p, int64_t time_ns);

/* Look at what @t->inode is: into t->found_size. Counts what is not a key yet. Ends with ENOENT where there is nothing. */
void ops_stat(struct task *t);

/* Answer with t->inode as an entry, which counts as a lookup, or with its attributes. Frees @t. */
void ops_reply_entry(struct task *t, int err);
void ops_reply_attr(struct task *t, int err);
/* Answer only the errno; ERROR_TYPE becomes EINVAL. Frees @t. */
void ops_reply_err(struct task *t, int err);
int ops_errno(int err);

/* Whether a name may be made or changed where @t works; else the errno (EROFS, ENOSPC, ...). */
int ops_refused(struct mount *m, uint64_t bytes);
/* EACCES when the mount's user may not write what stands at @p, else 0. */
int ops_forbidden(struct mount *m, const struct place *p);

/* A task about @name in the directory @parent: t->inode is that place's inode, made for the time of the task when the kernel does not know it.
 * NULL when the request was answered. @missing is answered for what can be no name. */
struct task *ops_child(fuse_req_t req, fuse_ino_t parent, const char *name, int missing);

/* A task about the inode @ino; NULL when the request was answered. t->inode is an edition only while that is one: else the file that it
 * stands for, and t->as what it came by. */
struct task *ops_inode(fuse_req_t req, fuse_ino_t ino);

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n);
void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *v);
void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_access(fuse_req_t req, fuse_ino_t ino, int mask);
void op_readlink(fuse_req_t req, fuse_ino_t ino);
void op_statfs(fuse_req_t req, fuse_ino_t ino);

/* --- names.c, rename.c --- */

/* The scratch file or directory of @i loses its name. */
void ops_drop_scratch(struct mount *m, struct inode *i);

/* A name that is no key came or went at @place: its directory changed. */
void ops_names_changed(struct mount *m, const struct place *place);

void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev);
void op_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name);
void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name);
void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent,
	       const char *newname, unsigned flags);

/* --- poll.c --- */

void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *ph);
/* The end of a turn of the loop: who polls a key that changed is told. @mount is a struct mount. */
void polls_tell(void *mount);

/* --- files.c, write.c --- */

static inline struct handle *ops_handle(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	       struct fuse_file_info *fi);
void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
/* Open t->inode, a file of its own id, with t->flags. Ends @t. */
void ops_open(struct task *t);
void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
/* Make what stands at t->at empty; its expiry stays. */
void ops_empty(struct task *t);
void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
	      struct fuse_file_info *fi);
void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		struct fuse_file_info *fi);
void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
		  struct fuse_file_info *fi);
void op_copy_file_range(fuse_req_t req, fuse_ino_t ino_in, off_t off_in,
			struct fuse_file_info *fi_in, fuse_ino_t ino_out, off_t off_out,
			struct fuse_file_info *fi_out, size_t len, int flags);

#endif
