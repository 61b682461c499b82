/* fs/task.h - one request on its way: what it is about, what comes back, and what is to be done then.
 *
 * Everything that asks the backend takes a task and answers through it, so that the answer may come later. A step pushes what is to
 * follow (task_then) and starts something; when that is over, task_end calls what was pushed last. The last one answers the
 * kernel and ends with task_free.
 */
#ifndef FS_TASK_H
#define FS_TASK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fs/backend/backend.h"
#include "fs/backend/errors.h"
#include "fs/inodes/inode.h"
#include "fs/text/content.h"

struct fuse_req;
struct mount;
struct handle;
struct parked;
struct task;

typedef void (*task_step)(struct task *t, int err);
#define TASK_DEPTH 8

struct task {
	struct mount *m;
	struct fuse_req *req;
	struct inode *inode; /* what the request came for; referenced, may be NULL */
	struct inode
		*as; /* the edition's id by which it came or is answered; referenced, or NULL */
	struct handle *handle; /* borrowed: the kernel closes after its requests are done */
	struct place at;       /* what the kind's operations work on */
	char *words;           /* bytes of a name that at borrows; owned */
	struct place to;       /* the other side of a rename */
	char *to_words;
	struct inode *to_dir;
	struct inode *left;     /* open while its name goes: orphan.h */
	struct place left_from; /* at, meanwhile */
	struct buf left_bytes;  /* what it held */
	bool left_there;

	/* into an operation */
	struct bytes data; /* what to store or append */
	struct blob *blob; /* data is the whole of it, or NULL; borrowed */
	bool data_newline; /* move: data ends in a newline that was not stored */
	bool keep_ttl;     /* replacing the value keeps its expiry */
	bool extend;       /* truncate: never to less than there is */
	bool excl;         /* create: only when it is not there */
	bool setting;      /* SETATTR: the kernel keeps nothing of the answer */
	uint64_t asked;    /* the last change's serial when the task began */
	uint64_t off;
	size_t size;
	int flags; /* open's, rename's, setattr's */

	/* out of an operation */
	uint64_t found_size;
	int64_t number;
	bool timed; /* rename: what moves was given time_ns */
	int64_t time_ns;
	bool was_last;   /* remove: the container went with its last member */
	bool sized_only; /* load: only the size is wanted */
	bool sliced; /* stat, load: it may take several turns, and end with ERROR_CHANGED. For who borrows nothing of the request */
	unsigned tries; /* that ended so */
	bool stamped;   /* load: what read_key knew of the key before */
	uint64_t serial;
	bool reading;         /* load: the content becomes the snapshot of t->handle */
	uint64_t content_max; /* a longer content is of no use: EFBIG; 0 for any */
	struct content content;

	/* between the steps of an operation */
	void (*load)(struct task *t);
	struct buf text;
	struct blob *made; /* a blob the task itself put together */
	task_step then[TASK_DEPTH];
	unsigned depth;

	/* while it waits for something to read */
	struct parked *parked;
	struct task *prev, *next;
};

/* A task for @req about @inode (may be NULL). at is the inode's place. */
struct task *task_new(struct mount *m, struct fuse_req *req, struct inode *inode);
void task_free(struct task *t);

/* The answer is about this id of the file; and which one it is. */
void task_answers_as(struct task *t, struct inode *i);
static inline struct inode *task_as(const struct task *t)
{
	return t->as ? t->as : t->inode;
}

static inline void task_then(struct task *t, task_step step)
{
	if (t->depth == TASK_DEPTH)
		__builtin_trap();
	t->then[t->depth++] = step;
}

static inline void task_end(struct task *t, int err)
{
	t->then[--t->depth](t, err);
}

/* Submit @n commands for t->at.db; @done gets the task. */
void task_submit(struct task *t, const struct backend_command *cmds, size_t n, backend_done done);

/* One command of words. */
void task_command(struct task *t, const struct bytes *words, int n, backend_done done);

/* The next piece of a reply, or the errno that it is: EIO for what is no reply. */
int task_answer(struct answers *a, struct answer *out);

/* As a backend_done: end with the error, or 0. */
void task_done(void *arg, struct answers *a);

/* Ask for the type of at.key. Ends with 0 when it is @type (NULL: any), ENOENT, or ERROR_TYPE. */
void task_check_type(struct task *t, const char *type);

/* Errors of task_check_type for a first TYPE reply in @a. */
int task_type_answer(struct answers *a, const char *type);

#endif
