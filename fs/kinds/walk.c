#include "fs/kinds/walk.h"

#include "fs/fs.h"
#include "fs/kinds/kinds.h"
#include "store/base/clock.h"
#include "store/base/mem.h"

/* How long it goes on before others have their turn; and how long a piece should take, of this many elements at first. */
#define SLICE_USEC 500
#define PIECE_USEC 200
#define PIECE_MIN  32
#define PIECE_MAX  4096

static void go_on(struct walk *w);

/* --- the end --- */

/* What its fields were told of may have gone by itself, unchanged. Else what the task is to know of the key is what holds now. */
static bool has_ended(struct task *t)
{
	struct backend *b = t->m->backend;
	struct backend_facts f = {0};

	b->ops->facts(b, t->at.db, t->at.key, &f);
	t->asked = b->ops->latest_serial(b);
	t->stamped = f.stamped;
	t->serial = f.serial;
	return f.left_ms == 0;
}

static void finish(struct walk *w, int err)
{
	struct task *t = w->t;

	if (!err && (w->eye.changed || has_ended(t)))
		err = ERROR_CHANGED;
	t->m->backend->ops->unlook(t->m->backend, &w->eye);
	if (!err && w->out.failed)
		err = ENOMEM;
	if (!err) {
		t->found_size = w->size;
		if (!t->sized_only)
			content_own(&t->content, &w->out);
	}
	if (!err && w->ops->end)
		w->ops->end(w);
	else
		task_end(t, err);
	buf_free(&w->out);
	mem_free(w->more);
	mem_free(w);
}

/* --- pieces --- */

/* Room for all of it at once: to move a long text takes long. */
static void make_room(struct walk *w)
{
	const struct task *t = w->t;
	const struct inode *i = inode_find(&t->m->inodes, &t->at);
	uint64_t all = w->size / w->done * w->total, guess = all + all / 8 + 4096;

	if (i && i->sized && i->more->size > w->size)
		guess = i->more->size + 1;
	if (guess < t->m->backend->ops->max_value(t->m->backend))
		buf_room(&w->out, guess - w->out.n);
}

void walk_answered(void *walk, struct answers *a)
{
	struct walk *w = walk;
	bool first = w->done == 0;

	w->stepping = false;
	if (!w->eye.changed)
		w->err = w->ops->take(w, a);
	if (w->err && first) { /* in one piece it is another command, which may be allowed */
		w->t->tries = WALK_TRIES;
		w->err = ERROR_CHANGED;
	}
	if (w->done && first && !w->t->sized_only)
		make_room(w);
	if (!w->looping)
		go_on(w);
}

static void adapt(struct walk *w, int64_t took)
{
	if (took < PIECE_USEC / 2 && w->wanted < PIECE_MAX)
		w->wanted *= 2;
	else if (took > PIECE_USEC && w->wanted > PIECE_MIN)
		w->wanted /= 2;
}

/* What was appended is read as well; a set is never appended to. */
static void grow(struct walk *w)
{
	const struct task *t = w->t;
	const struct backend *b = t->m->backend;

	if (!w->eye.appended)
		return;
	w->eye.appended = false;
	w->total = b->ops->elements(t->m->backend, t->at.db, t->at.key, t->at.kind->type);
	w->last = false;
}

static bool is_over(const struct walk *w)
{
	return w->err || w->last || w->eye.changed;
}

static void go_on(struct walk *w)
{
	struct mount *m = w->t->m;
	int64_t began = clock_us(), asked = began, now = began;

	w->looping = true;
	grow(w);
	while (!is_over(w) && now - began < SLICE_USEC) {
		w->stepping = true;
		w->ops->ask(w);
		if (w->stepping) {
			w->looping = false;
			return;
		}
		now = clock_us();
		adapt(w, now - asked);
		asked = now;
	}
	w->looping = false;
	m->slices.spent_usec += now - began;
	if (is_over(w))
		finish(w, w->err);
	else
		slices_add(&m->slices, &w->slice);
}

static struct walk *walk_of(struct slice *s)
{
	return (struct walk *)((char *)s - offsetof(struct walk, slice));
}

static void slice_go_on(struct slice *s)
{
	go_on(walk_of(s));
}

static void slice_give_up(struct slice *s)
{
	finish(walk_of(s), EIO);
}

/* --- */

static void own_key(struct task *t)
{
	char *words = mem_dup(t->at.key.p, t->at.key.n);

	mem_free(t->words);
	t->words = words;
	t->at.key.p = words;
}

bool walk_begin(struct task *t, const struct walk_ops *ops)
{
	struct backend *b = t->m->backend;
	uint64_t total = 0;

	if (t->sliced && b->ops->elements)
		total = b->ops->elements(b, t->at.db, t->at.key, t->at.kind->type);
	if (total < WALK_FROM || has_ended(t))
		return false;
	struct walk *w = mem_calloc(sizeof(*w));
	w->t = t;
	w->ops = ops;
	w->total = total;
	w->wanted = PIECE_MIN;
	w->slice = (struct slice){.go_on = slice_go_on, .give_up = slice_give_up};
	own_key(t);
	b->ops->look(b, t->at.db, t->at.key, &w->eye);
	go_on(w);
	return true;
}

void walk_again(struct task *t)
{
	t->at = t->inode->place;
	t->sized_only = false;
	t->sliced = ++t->tries < WALK_TRIES;
}
