/* fs/handle.h - an open file: what it read, what it stages, what it has not finished writing.
 *
 * A handle that truncated stages: its content is put together here and becomes the key's in one command, so everybody else sees the
 * old value or the new one. Any other handle writes through at once, the views with lines at each whole line.
 */
#ifndef FS_HANDLE_H
#define FS_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/inodes/inode.h"
#include "fs/task.h"
#include "fs/text/content.h"
#include "fs/waiting/parked.h"
#include "store/base/blob.h"

struct ctl;
struct dir;
struct follow;
struct tap;

struct handle {
	struct mount *m;
	struct inode *inode; /* referenced */
	int flags;           /* open's */
	pid_t pid;           /* of the thread that opened it */
	bool counted;        /* in inode->more->writing */

	bool creating; /* counted in inode->creating */

	bool staged;
	bool in_place; /* it stages a view with lines that is changed in the middle; until a write ends a line */
	bool unsaved; /* the stage is not what the key holds: RELEASE commits */
	bool written; /* ... because of a WRITE: FLUSH commits. The shell flushes right after opening. */
	bool failed; /* a write was refused: what is staged is not whole and is never committed */
	bool copied; /* copy_file_range stored all of another key here */
	struct blob *stage;
	size_t checked;             /* bytes of the stage that are good whole lines */
	struct handle *prev, *next; /* inode->writers */
	bool saved_stamped;         /* the key, when the stage became its value */
	uint64_t saved_serial;
	bool timed; /* the file was given time_ns after what is staged was written */
	int64_t time_ns;

	bool loaded; /* snap is what the key held when reading began */
	struct content snap;
	bool snap_stamped;
	uint64_t snap_serial;
	struct follow *follow; /* of a stream: kinds/stream.h */
	struct buf seen;       /* or the last bytes of a big one that was read to its end, */
	size_t seen_n;         /* which had so many */

	struct buf partial; /* an appended line that has no end yet */

	struct ctl *ctl; /* owned, as dir and tap */
	struct dir *dir;
	struct tap *tap;

	struct parked parked; /* reads that wait, and who polls */
	uint64_t read_to;     /* how far it was read */
	bool polled;          /* a change of the key is to be told to who polls */
	uint64_t polled_serial;
	struct handle *polled_prev, *polled_next; /* mount->polled */
	struct handle *before, *after;            /* all of the mount's */
};

struct handle *handle_new(struct mount *m, struct inode *i, int flags, pid_t pid);
/* Nothing is stored any more. */
void handle_free(struct handle *h);
void handles_free(struct mount *m);

/* Free the scratch file of @i if it has no name any more and is not open. */
void handle_drop_orphan(struct mount *m, struct inode *i);

/* From now on it stages, beginning with nothing. */
void handle_stage(struct handle *h);
/* What it read is dropped, and read anew when it is asked for. */
void handle_drop_read(struct handle *h);
/* What it stages is dropped. */
void handle_unstage(struct handle *h);
struct bytes handle_staged(const struct handle *h);
/* What a process is to see of a file that it stages itself: the handle of @i that the process of thread @pid opened and has not
 * committed, the latest; NULL. Everybody else sees the key. */
const struct handle *handle_of_writer(const struct inode *i, pid_t pid);

/* The name it made is a key now, or never will be. */
void handle_created(struct handle *h);

/* Put @data at @off of the stage; views with lines: only if no whole line of the result is bad. EFBIG, ENOSPC, EINVAL; the stage is then as
 * it was. */
int handle_stage_write(struct handle *h, uint64_t off, struct bytes data);
/* The stage with room for @n bytes behind what it holds, if more may be put there without asking: by a write in @data that lies there already.
 * NULL. */
struct blob *handle_stage_ahead(struct handle *h, size_t n);
int handle_stage_truncate(struct handle *h, uint64_t size);

/* The key holds what is staged now. */
void handle_saved(struct handle *h);
/* A stage that was stored goes on, so that what is written next is seen whole again; but when somebody else changed the key since then, it is
 * dropped, and the handle writes through. To be called before the handle is used. */
void handle_refresh(struct handle *h);
/* Before a write: a big value that was stored would be copied to go on with it, so the handle writes through from then on. */
void handle_go_through(struct handle *h);

/* Store the stage: ends @t. The task's inode is the handle's. */
void handle_commit(struct handle *h, struct task *t);

/* Append @t->data as the handle's file takes it: at once, or its whole lines and the rest later. Ends @t. */
void handle_append(struct handle *h, struct task *t);
/* The appended line without an end counts as one now. Ends @t. */
void handle_finish_line(struct handle *h, struct task *t);

#endif
