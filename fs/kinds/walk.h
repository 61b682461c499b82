/* fs/kinds/walk.h - reading a big view a piece at a time, so that nobody waits for the whole of it.
 *
 * A piece is a command of its own (LRANGE of some elements, HSCAN, ...). Pieces are read for half a millisecond, then others have their
 * turn. What came of them is the whole as it is at the end: what is appended to a list or stream is read as well; when the key changes
 * in another way, what was read is dropped, and the task ends with ERROR_CHANGED. Whoever asked asks again, and after WALK_TRIES in one
 * piece (walk_again).
 */
#ifndef FS_KINDS_WALK_H
#define FS_KINDS_WALK_H

#include "fs/slices.h"
#include "fs/task.h"

/* So many elements are read in one piece. */
#define WALK_FROM 128

#define WALK_TRIES 3

struct walk {
	struct task *t; /* with a key of its own: names may change meanwhile */
	const struct walk_ops *ops;
	uint64_t total; /* elements, when it began */
	uint64_t done;
	uint64_t wanted; /* of the next piece */
	char cursor[48]; /* where that begins, if its ops say so */
	size_t cursor_n;
	bool last; /* there is no next one */
	struct buf out;
	uint64_t size; /* of all rows so far */
	void *more;    /* its ops' own, of mem.h's memory; goes with the walk */

	struct changes_eye eye;
	int err;
	bool stepping; /* a piece is under way */
	bool looping;  /* go_on is: the end of a step goes on there */
	struct slice slice;
};

struct walk_ops {
	/* Ask for the next w->wanted elements: walk_answered gets the answer. */
	void (*ask)(struct walk *w);
	/* Take them into w->out (not with t->sized_only) and w->size; move done, cursor and last. */
	int (*take)(struct walk *w, struct answers *a);
	/* All is there, also in the task: end it, perhaps later. NULL to have the walk do that. */
	void (*end)(struct walk *w);
};

/* Read what stands at t->at with @ops, if the task may be sliced and there is much: the task ends when all is read. False when it is
 * to be read in one piece. */
bool walk_begin(struct task *t, const struct walk_ops *ops);
void walk_answered(void *walk, struct answers *a);

/* After ERROR_CHANGED: t->at is its inode's place again, and t->sliced says whether to read in pieces once more. */
void walk_again(struct task *t);

#endif
