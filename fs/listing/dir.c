/* fs/listing/dir.c - answering READDIR: slices of work, and names made ready before they are asked for. See dir.h. */
#include "fs/listing/dir.h"

#include "fs/fs.h"
#include "fs/listing/dir_names.h"
#include "fs/ops/ops.h"
#include "store/base/clock.h"
#include "store/base/mem.h"

struct dir {
	struct names names; /* first: a step's end is told to the names */
	struct slice slice;
	struct task *asked; /* READDIR that waits for names */
	size_t size;        /* how much was asked for last */
	bool stepping;      /* a step is under way */
	bool looping;       /* go_on is: the end of a step goes on there */
	bool rewind;        /* before the next one */
	bool closed;        /* goes with the end of the step */
};

/* How long names may be looked for before others have their turn: for somebody who waits, and in advance. */
#define SLICE_USEC 500
#define AHEAD_USEC 250

#define ANSWER_MIN 256

/* How many bytes of names are found in advance. */
#define AHEAD ((size_t)512 << 10)

/* --- answering --- */

static void answer(struct dir *d)
{
	struct dirents *found = &d->names.found;
	struct task *t = d->asked;
	struct bytes out;

	d->asked = NULL;
	if (d->names.err) {
		fuse_reply_err(t->req, d->names.err);
		names_rewind(&d->names);
	} else {
		out = dirents_take(found, t->size);
		fuse_reply_buf(t->req, out.p, out.n);
	}
	task_free(t);
}

/* An answer begins behind the name of the offset that was asked for, and is more than the two dots. */
static bool has_answer(const struct dir *d)
{
	const struct dirents *found = &d->names.found;

	return found->first == d->asked->off && dirents_ready(found) >= ANSWER_MIN;
}

static bool has_enough(const struct dir *d)
{
	return d->asked ? has_answer(d) : dirents_bytes(&d->names.found) >= d->size + AHEAD;
}

/* Find names until there are enough, or the slice is over. The loop stands here, not in the callback, so that a sparse scan is
 * no deep stack. */
static void go_on(struct dir *d)
{
	struct names *n = &d->names;
	int64_t began = clock_us(), slice = d->asked ? SLICE_USEC : AHEAD_USEC;
	bool late = false;

	d->looping = true;
	if (d->rewind)
		names_rewind(n);
	d->rewind = false;
	for (;;) {
		if (d->asked)
			dirents_forget(&n->found, d->asked->off);
		if (n->done || n->err || d->closed || late || has_enough(d))
			break;
		d->stepping = true;
		names_step(n);
		if (d->stepping) {
			d->looping = false;
			return;
		}
		late = clock_us() - began >= slice;
	}
	d->looping = false;
	n->m->slices.spent_usec += clock_us() - began;
	if (d->closed) {
		names_fini(n);
		mem_free(d);
		return;
	}
	if (d->asked && (n->done || n->err || has_answer(d)))
		answer(d);
	if (!n->done && !n->err && (d->asked || !has_enough(d)))
		slices_add(&n->m->slices, &d->slice);
}

static struct dir *dir_of(struct slice *s)
{
	return (struct dir *)((char *)s - offsetof(struct dir, slice));
}

static void slice_go_on(struct slice *s)
{
	go_on(dir_of(s));
}

/* Whoever asked is told when the directory is closed. */
static void slice_give_up(struct slice *s)
{
	(void)s;
}

static void answered(struct names *n)
{
	struct dir *d = (struct dir *)n;

	d->stepping = false;
	if (!d->looping)
		go_on(d);
}

void dir_read(struct dir *d, struct task *t)
{
	if (d->asked) { /* one file, two that read it at once */
		ops_reply_err(t, EAGAIN);
		return;
	}
	d->asked = t;
	d->size = t->size;
	d->rewind = t->off == 0 || t->off < d->names.found.first;
	if (!d->stepping)
		go_on(d);
}

/* --- life --- */

struct dir *dir_open(struct mount *m, struct inode *i)
{
	struct dir *d = mem_calloc(sizeof(*d));

	names_init(&d->names, m, i, answered);
	d->slice = (struct slice){.go_on = slice_go_on, .give_up = slice_give_up};
	return d;
}

void dir_close(struct dir *d)
{
	slices_remove(&d->names.m->slices, &d->slice);
	if (d->asked)
		ops_reply_err(d->asked, EINTR);
	if (d->stepping) {
		d->asked = NULL;
		d->closed = true;
		return;
	}
	names_fini(&d->names);
	mem_free(d);
}
