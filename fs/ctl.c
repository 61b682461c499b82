#include "fs/ctl.h"

#include <errno.h>

#include "fs/answer.h"
#include "fs/buf.h"
#include "fs/fs.h"
#include "resp/proto/parser.h"
#include "store/base/mem.h"
#include "store/base/num.h"

/* What MONITOR and the like may pile up before anybody reads. */
#define CTL_PUSHED_MAX (16u * 1024 * 1024)

struct ctl {
	struct mount *m;
	struct backend_talk *talk;
	struct buf line;  /* written, not ended yet */
	struct buf reply; /* stands at ... */
	uint64_t base;    /* ... this offset: behind the last line */
	size_t ran;       /* bytes of line already run */
	bool running;     /* in run_lines: the callback need not go on by itself */
	bool answered;
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

static void pushed(void *arg, struct answers *a)
{
	struct ctl *c = arg;

	if (c->reply.n < CTL_PUSHED_MAX)
		print_all(&c->reply, a);
}

/* --- lines --- */

static void run_lines(struct ctl *c);

static void line_answered(void *arg, struct answers *a)
{
	struct ctl *c = arg;

	print_all(&c->reply, a);
	c->answered = true;
	if (!c->running)
		run_lines(c);
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
	if (argc >= 0)
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
		if (!c->answered) {
			c->running = false;
			return;
		}
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
	c->base = off + data.n;
	buf_bytes(&c->line, data);
	if (c->line.failed) {
		buf_free(&c->line);
		finish(c, ENOMEM);
		return;
	}
	if (c->line.n)
		run_lines(c);
	else
		finish(c, 0);
}

struct bytes ctl_read(const struct ctl *c, uint64_t off, size_t n)
{
	if (off < c->base || off - c->base >= c->reply.n)
		return BYTES("");
	size_t left = c->reply.n - (size_t)(off - c->base);
	return bytes_of(c->reply.p + (off - c->base), left < n ? left : n);
}

struct ctl *ctl_open(struct mount *m, unsigned db)
{
	struct ctl *c = mem_calloc(sizeof(*c));

	c->m = m;
	c->talk = m->backend->ops->talk_open(m->backend, db, pushed, c);
	return c;
}

void ctl_close(struct ctl *c)
{
	if (c->line.n)
		run_line(c, buf_view(&c->line));
	c->m->backend->ops->talk_close(c->talk);
	buf_free(&c->line);
	buf_free(&c->reply);
	mem_free(c);
}
