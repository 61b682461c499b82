#include "fs/waiting/ctl.h"

#include <errno.h>
#include <fcntl.h>

#include "fs/backend/answer.h"
#include "fs/fs.h"
#include "fs/text/buf.h"
#include "fs/waiting/parked.h"
#include "resp/proto/parser.h"
#include "store/base/mem.h"
#include "store/base/num.h"

/* What MONITOR and the like may pile up before anybody reads, where the output limits have no bound. */
#define CTL_PUSHED_MAX (64u * 1024 * 1024)

struct ctl {
	struct mount *m;
	struct backend_talk *talk;
	struct buf line;  /* written, not ended yet */
	struct buf reply; /* stands at ... */
	uint64_t base;    /* ... this offset: behind the last line */
	size_t ran;       /* bytes of line already run */
	uint64_t read_to; /* behind what was read */
	bool running;     /* in run_lines: the callback need not go on by itself */
	bool answered;    /* false while a command waits */
	bool killed;
	struct parked *parked; /* the handle's */
	void (*done)(void *arg, int err);
	void *arg;
};

/* --- replies as redis-cli prints them when its output is no terminal --- */

static void print(struct buf *out, struct answers *a, const struct answer *head);

static void print_elements(struct buf *out, struct answers *a, const struct answer *head)
{
	struct answer piece;
	bool map = head->kind == ANSWER_MAP;

	for (int64_t i = 0; i < answer_elements(head); i++) {
		if (!answers_next(a, &piece))
			return;
		if (i > 0)
			buf_char(out, map && i % 2 ? ' ' : '\n');
		print(out, a, &piece);
	}
}

/* Nesting is as deep as commands make it, a handful. */
static void print(struct buf *out, struct answers *a, const struct answer *head)
{
	char number[NUM_BUF];

	switch (head->kind) {
	case ANSWER_ERROR:
		buf_bytes(out, head->text);
		buf_char(out, '\n');
		break;
	case ANSWER_STATUS:
	case ANSWER_BULK:
	case ANSWER_VERBATIM:
	case ANSWER_DOUBLE:
	case ANSWER_BIGNUM:
		buf_bytes(out, head->text);
		break;
	case ANSWER_INT:
		buf_put(out, number, num_format_int(number, head->n));
		break;
	case ANSWER_BOOL:
		buf_bytes(out, head->n ? BYTES("(true)") : BYTES("(false)"));
		break;
	case ANSWER_NULL:
		break;
	case ANSWER_ARRAY:
	case ANSWER_MAP:
	case ANSWER_SET:
	case ANSWER_PUSH:
		print_elements(out, a, head);
		break;
	}
}

static void print_all(struct buf *out, struct answers *a)
{
	struct answer head;

	while (answers_next(a, &head)) {
		print(out, a, &head);
		buf_char(out, '\n');
	}
}

/* --- reading --- */

static uint64_t end_of(const struct ctl *c)
{
	return c->base + c->reply.n;
}

/* Whether more may come to the end of what there is. */
static bool expects(const struct ctl *c)
{
	return !c->killed && (!c->answered || c->m->backend->ops->talk_listens(c->talk));
}

/* What was read of an endless reply is not kept. */
static void drop_read(struct ctl *c)
{
	size_t n = c->read_to > c->base ? (size_t)(c->read_to - c->base) : 0;

	if (n < 64 * 1024 || n * 2 < c->reply.n || !expects(c))
		return;
	memmove(c->reply.p, c->reply.p + n, c->reply.n - n);
	c->reply.n -= n;
	c->base += n;
}

static void reply_here(struct ctl *c, struct task *t)
{
	size_t left = (size_t)(end_of(c) - t->off), n = left < t->size ? left : t->size;

	if (t->off + n > c->read_to)
		c->read_to = t->off + n;
	fuse_reply_buf(t->req, c->reply.p + (t->off - c->base), n);
	task_free(t);
	drop_read(c);
}

/* What is there to be read at t->off, or not. */
static void read_now(struct ctl *c, struct task *t)
{
	if (t->off >= c->base && t->off < end_of(c)) {
		reply_here(c, t);
	} else if (t->off >= c->base && c->killed) {
		fuse_reply_err(t->req, EIO);
		task_free(t);
	} else if (t->off >= c->base && expects(c) && !(t->flags & O_NONBLOCK)) {
		parked_add(c->parked, t);
	} else {
		if (t->off >= c->base && expects(c))
			fuse_reply_err(t->req, EAGAIN);
		else
			fuse_reply_buf(t->req, NULL, 0);
		task_free(t);
	}
}

void ctl_read(struct ctl *c, struct task *t)
{
	c->m->backend->ops->talk_hear(c->talk);
	read_now(c, t);
}

bool ctl_ready(struct ctl *c)
{
	c->m->backend->ops->talk_hear(c->talk);
	return end_of(c) > c->read_to || !expects(c);
}

/* There is more, or no more to come: those who wait look again. */
static void look_again(struct ctl *c)
{
	struct task *all = c->parked->first, *t;
	size_t n;

	for (n = 0; all; all = all->next)
		n++;
	for (; n && (t = parked_take(c->parked)); n--)
		read_now(c, t);
	parked_notify(c->parked);
}

static void pushed(void *arg, struct answers *a)
{
	struct ctl *c = arg;
	uint64_t read_to = c->read_to > c->base ? c->read_to : c->base;

	if (a)
		print_all(&c->reply, a);
	else
		c->killed = true;
	size_t waits = (size_t)(end_of(c) - read_to);
	if (!c->killed && !c->parked->first &&
	    (waits > CTL_PUSHED_MAX || !c->m->backend->ops->talk_backlog(c->talk, waits))) {
		c->killed = true;
		buf_free(&c->reply);
	}
	look_again(c);
}

/* --- lines --- */

static void run_lines(struct ctl *c);

static void line_answered(void *arg, struct answers *a)
{
	struct ctl *c = arg;

	c->answered = true;
	if (a)
		print_all(&c->reply, a);
	else
		c->killed = true;
	if (c->running)
		return;
	if (!c->killed)
		run_lines(c);
	look_again(c);
}

static void finish(struct ctl *c, int err)
{
	void (*done)(void *, int) = c->done;

	if (c->ran)
		memmove(c->line.p, c->line.p + c->ran, c->line.n - c->ran);
	c->line.n -= c->ran;
	c->ran = 0;
	c->done = NULL;
	if (done)
		done(c->arg, err);
}

static int run_line(struct ctl *c, struct bytes line)
{
	struct bytes *argv;
	int argc = line_split(line, &argv);

	c->answered = true;
	if (argc < 0) {
		buf_bytes(&c->reply, BYTES("Invalid argument(s)\n"));
		return 0;
	}
	int err = 0;
	if (argc > 0) {
		c->answered = false;
		if (!c->m->backend->ops->talk(c->talk, argc, argv, line_answered, c))
			err = EIO;
	}
	mem_free(argv);
	return err;
}

/* Run the whole lines there are; goes on in line_answered when a backend answers later. */
static void run_lines(struct ctl *c)
{
	const char *nl;

	c->running = true;
	while ((nl = memchr(c->line.p + c->ran, '\n', c->line.n - c->ran))) {
		struct bytes line = bytes_of(c->line.p + c->ran, 0);
		line.n = (size_t)(nl - line.p);
		c->ran += line.n + 1;
		int err = run_line(c, line);
		if (err) {
			c->running = false;
			finish(c, err);
			return;
		}
		if (!c->answered)
			break; /* the rest runs when it was */
	}
	c->running = false;
	finish(c, c->reply.failed ? ENOMEM : 0);
}

void ctl_write(struct ctl *c, uint64_t off, struct bytes data, void (*done)(void *arg, int err),
	       void *arg)
{
	if (c->line.n + data.n > c->m->backend->ops->max_value(c->m->backend)) {
		done(arg, EFBIG);
		return;
	}
	c->done = done;
	c->arg = arg;
	buf_free(&c->reply);
	c->base = c->read_to = off + data.n;
	buf_bytes(&c->line, data);
	if (c->line.failed) {
		buf_free(&c->line);
		finish(c, ENOMEM);
		return;
	}
	if (c->killed)
		finish(c, EIO);
	else if (c->answered && c->line.n)
		run_lines(c);
	else
		finish(c, 0);
}

struct ctl *ctl_open(struct mount *m, unsigned db, struct parked *parked)
{
	struct ctl *c = mem_calloc(sizeof(*c));

	c->m = m;
	c->answered = true;
	c->parked = parked;
	c->talk = m->backend->ops->talk_open(m->backend, db, "ctl", pushed, c);
	return c;
}

void ctl_close(struct ctl *c)
{
	if (c->line.n && c->answered)
		run_line(c, buf_view(&c->line));
	parked_end(c->parked, EIO);
	c->m->backend->ops->talk_close(c->talk);
	buf_free(&c->line);
	buf_free(&c->reply);
	mem_free(c);
}
