#include "fs/waiting/tap.h"

#include <fcntl.h>

#include "fs/fs.h"
#include "fs/handle.h"
#include "fs/kinds/kinds.h"
#include "fs/text/rows.h"
#include "fs/waiting/parked.h"
#include "store/base/mem.h"

/* What a channel's file says to hold before anything was heard. */
#define CHANNEL_SIZE 7777

/* The kernel divides larger reads into several of at least this size, and sends the next only after a full one. */
#define SPLIT_MIN (64u * 1024)

struct tap {
	struct handle *h;
	struct backend_talk *talk; /* NULL until there is something to ask */
	bool asking;               /* BLPOP is under way */
	bool looping;              /* in ask() */
	bool read_any;             /* a read was answered with something */
	bool probed;               /* somebody looked for the end of the file: tail */
	int err;                   /* all reads get it once nothing is held any more */
	struct buf held;           /* records: their length, their bytes */
	size_t at;                 /* the first record, what is left of it */
};

static struct mount *mount_of_tap(const struct tap *p)
{
	return p->h->m;
}

static enum tap_kind kind_of(const struct tap *p)
{
	return p->h->inode->place.kind->tap;
}

static bool is_raw(const struct tap *p)
{
	return p->h->inode->place.raw || mount_of_tap(p)->options.raw;
}

/* --- what is held --- */

static bool holds(const struct tap *p)
{
	return p->at < p->held.n;
}

/* The first record, as far as it was not read. */
static struct bytes first_record(const struct tap *p)
{
	size_t n;

	memcpy(&n, p->held.p + p->at, sizeof(n));
	return bytes_of(p->held.p + p->at + sizeof(n), n);
}

/* @n bytes of the first record were read; @end: all of it. */
static void consume(struct tap *p, size_t n, bool end)
{
	size_t left = first_record(p).n - n;

	p->at += n;
	if (end)
		p->at += sizeof(size_t);
	else
		memcpy(p->held.p + p->at, &left, sizeof(left));
	if (!holds(p)) {
		p->at = p->held.n = 0;
		if (p->held.cap > 64 * 1024)
			buf_free(&p->held);
	} else if (p->at > 64 * 1024 && p->at * 2 > p->held.n) {
		memmove(p->held.p, p->held.p + p->at, p->held.n - p->at);
		p->held.n -= p->at;
		p->at = 0;
	}
}

/* Keep @text as a record. The number of bytes it takes as it is read; -1 when there is no memory. */
static int64_t hold(struct tap *p, struct bytes text)
{
	size_t n = is_raw(p) ? text.n : rows_size(&text, 1), before = p->held.n;

	buf_put(&p->held, &n, sizeof(n));
	if (is_raw(p))
		buf_bytes(&p->held, text);
	else
		rows_put(&p->held, &text, 1);
	if (!p->held.failed)
		return (int64_t)n;
	p->held.failed = false;
	p->held.n = before;
	return -1;
}

/* How much of the first record a read of @size gets. Never more than one: the shell reads ahead and seeks back to behind the line it took,
 * which must be where it is. */
static size_t portion(struct bytes record, size_t size)
{
	/* After a full read the kernel asks for more in the same call, and would wait for it. */
	if (record.n == size && size >= SPLIT_MIN)
		return size - 1;
	return record.n < size ? record.n : size;
}

/* Answer @t with what is held. False when its process is gone: nothing was consumed then. */
static bool give(struct tap *p, struct task *t)
{
	struct bytes record = first_record(p);
	size_t n = portion(record, t->size);
	int failed = fuse_reply_buf(t->req, record.p, n);

	task_free(t);
	if (failed)
		return false;
	p->read_any = true;
	consume(p, n, n == record.n);
	if (p->talk && kind_of(p) == TAP_PUBSUB)
		mount_of_tap(p)->backend->ops->talk_backlog(p->talk, p->held.n - p->at);
	return true;
}

static void give_to_parked(struct tap *p)
{
	struct task *t;

	while (holds(p) && (t = parked_take(&p->h->parked)))
		give(p, t);
}

/* --- queue/ --- */

static void put_back_done(void *arg, struct answers *a)
{
	(void)arg, (void)a;
}

/* Nobody is there any more to read @element: it goes back to where it was. */
static void put_back(struct tap *p, struct bytes element)
{
	struct mount *m = mount_of_tap(p);
	const struct place *at = &p->h->inode->place;
	struct bytes words[] = {BYTES("LPUSH"), at->key, element};
	struct backend_command cmd = {.argc = 3, .argv = words};

	backend_submit(m->backend, at->db, &cmd, 1, put_back_done, NULL);
}

static void end_first(struct tap *p, int err)
{
	struct task *t = parked_take(&p->h->parked);

	if (!t)
		return;
	if (err)
		fuse_reply_err(t->req, err);
	else
		fuse_reply_buf(t->req, NULL, 0);
	task_free(t);
}

static void taken(struct tap *p, struct bytes element)
{
	struct task *t = parked_take(&p->h->parked);
	bool given = false;

	if (!t) {
		put_back(p, element);
		return;
	}
	if (hold(p, element) < 0) {
		fuse_reply_err(t->req, ENOMEM);
		task_free(t);
	} else {
		given = give(p, t);
		if (!given)
			consume(p, first_record(p).n, true);
	}
	if (!given)
		put_back(p, element);
}

static void killed(struct tap *p)
{
	p->err = EIO;
	if (!holds(p))
		parked_end(&p->h->parked, EIO);
	parked_notify(&p->h->parked);
}

static void ask(struct tap *p);

static void element_answered(void *arg, struct answers *a)
{
	struct tap *p = arg;
	struct answer head;

	p->asking = false;
	if (!a) {
		killed(p);
		return;
	}
	int err = task_answer(a, &head);
	if (err) {
		bool unblocked =
			head.kind == ANSWER_ERROR &&
			bytes_eq(head.text, BYTES("UNBLOCKED client unblocked via CLIENT UNBLOCK"));
		end_first(p, unblocked ? EINTR : err == ERROR_TYPE ? EINVAL : err);
	} else if (head.kind == ANSWER_NULL) {
		end_first(p, 0);
	} else if (answers_next(a, &head) && answers_next(a, &head)) {
		taken(p, head.text);
	} else {
		end_first(p, EIO);
	}
	if (!p->looping)
		ask(p);
}

/* Have an element come for the first who waits. */
static void ask(struct tap *p)
{
	const struct backend_ops *ops = mount_of_tap(p)->backend->ops;
	struct bytes words[] = {BYTES("BLPOP"), p->h->inode->place.key, BYTES("0")};

	p->looping = true;
	give_to_parked(p);
	while (p->h->parked.first && !p->asking && !p->err) {
		p->asking = true;
		if (!ops->talk(p->talk, 3, words, element_answered, p)) {
			p->asking = false;
			killed(p);
		}
		give_to_parked(p);
	}
	p->looping = false;
}

static void gave_up(void *arg)
{
	struct tap *p = arg;

	if (p->asking && !p->h->parked.first && mount_of_tap(p)->backend->ops->talk_cancel(p->talk))
		p->asking = false;
}

static void popped(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct tap *p = t->handle->tap;
	struct answer piece;
	int err = task_answer(a, &piece);

	if (!err && piece.kind == ANSWER_NULL)
		err = EAGAIN;
	if (!err && hold(p, piece.text) < 0) {
		put_back(p, piece.text);
		err = ENOMEM;
	}
	if (!err) {
		if (!give(p, t)) {
			consume(p, first_record(p).n, true);
			put_back(p, piece.text);
		}
		return;
	}
	fuse_reply_err(t->req, err == ERROR_TYPE ? EINVAL : err);
	task_free(t);
}

/* Without waiting. */
static void pop(struct tap *p, struct task *t)
{
	struct bytes words[] = {BYTES("LPOP"), p->h->inode->place.key};

	t->handle = p->h;
	t->at = p->h->inode->place;
	task_command(t, words, 2, popped);
}

static void pushed_to_queue(void *arg, struct answers *a)
{
	if (!a)
		killed(arg);
}

/* --- pubsub/ --- */

static void heard(struct tap *p, struct bytes message)
{
	struct mount *m = mount_of_tap(p);
	int64_t n = hold(p, message);

	if (n < 0) {
		p->err = ENOMEM;
		return;
	}
	inode_more(p->h->inode)->heard += (uint64_t)n;
	give_to_parked(p);
	if (holds(p) && !m->backend->ops->talk_backlog(p->talk, p->held.n - p->at)) {
		buf_free(&p->held);
		p->at = 0;
		p->err = EIO;
	}
}

/* ["message", channel, payload] after each other; ["subscribe", ...] once. */
static void message_came(void *arg, struct answers *a)
{
	struct tap *p = arg;
	struct answer head, piece;

	if (!a) {
		killed(p);
		return;
	}
	while (!p->err && answers_next(a, &head)) {
		bool message = false;
		if (head.kind == ANSWER_ERROR)
			p->err = error_of_line(head.text);
		for (int64_t i = 0; i < answer_elements(&head); i++) {
			if (!answers_next(a, &piece))
				return;
			if (i == 0)
				message = bytes_eq(piece.text, BYTES("message"));
			else if (i == 2 && message)
				heard(p, piece.text);
		}
	}
	if (p->err)
		parked_end(&p->h->parked, p->err);
	parked_notify(&p->h->parked);
}

static bool subscribe(struct tap *p)
{
	const struct backend_ops *ops = mount_of_tap(p)->backend->ops;
	struct bytes words[] = {BYTES("SUBSCRIBE"), p->h->inode->place.key};

	return ops->talk(p->talk, 2, words, message_came, p);
}

uint64_t tap_channel_size(const struct inode *i)
{
	uint64_t size = CHANNEL_SIZE + (i->more ? i->more->heard : 0);

	return size % 512 ? size : size + 1;
}

/* tail begins with reading what it takes for the end of the file, by the size it was told, and must not wait there. */
static bool looks_for_end(struct tap *p, const struct task *t)
{
	uint64_t size = tap_channel_size(p->h->inode), end = t->off + t->size;

	if (p->read_any || t->size < 2)
		return false;
	if (end == size)
		p->probed = true;
	return p->probed && end <= size;
}

/* --- all --- */

struct tap *tap_open(struct handle *h, int *err)
{
	const struct place *at = &h->inode->place;
	bool channel = at->kind->tap == TAP_PUBSUB;

	if (!channel && h->m->options.ro) { /* to read is to take */
		*err = EROFS;
		return NULL;
	}
	struct tap *p = mem_calloc(sizeof(*p));
	p->h = h;
	h->parked.gave_up = channel ? NULL : gave_up;
	h->parked.arg = p;
	if (!channel)
		return p;
	p->talk = h->m->backend->ops->talk_open(h->m->backend, at->db, "pubsub", message_came, p);
	if (!subscribe(p) && !p->err)
		p->err = EIO;
	*err = p->err;
	if (!p->err)
		return p;
	tap_close(p);
	return NULL;
}

void tap_close(struct tap *p)
{
	parked_end(&p->h->parked, EIO);
	if (p->talk)
		mount_of_tap(p)->backend->ops->talk_close(p->talk);
	buf_free(&p->held);
	mem_free(p);
}

void tap_read(struct tap *p, struct task *t)
{
	const struct backend *b = mount_of_tap(p)->backend;
	bool queue = kind_of(p) == TAP_QUEUE, wait = !(t->flags & O_NONBLOCK);

	if (p->talk)
		b->ops->talk_hear(p->talk);
	if (!p->h->parked.first && holds(p)) {
		give(p, t);
	} else if (p->err) {
		fuse_reply_err(t->req, p->err);
		task_free(t);
	} else if (!queue && looks_for_end(p, t)) {
		fuse_reply_buf(t->req, NULL, 0);
		task_free(t);
	} else if (!wait && (p->h->parked.first || !queue)) {
		fuse_reply_err(t->req, EAGAIN);
		task_free(t);
	} else if (!wait) {
		pop(p, t);
	} else {
		if (queue && !p->talk)
			p->talk = b->ops->talk_open(mount_of_tap(p)->backend, p->h->inode->place.db,
						    "queue", pushed_to_queue, p);
		parked_add(&p->h->parked, t);
		if (queue)
			ask(p);
	}
}

static void poll_answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct answer piece;
	int err = task_answer(a, &piece);

	t->number = err || piece.n > 0;
	task_end(t, 0);
}

void tap_poll(struct tap *p, struct task *t)
{
	struct bytes words[] = {BYTES("LLEN"), p->h->inode->place.key};

	if (p->talk)
		mount_of_tap(p)->backend->ops->talk_hear(p->talk);
	t->number = holds(p) || p->err;
	if (t->number || kind_of(p) != TAP_QUEUE) {
		task_end(t, 0);
		return;
	}
	t->at = p->h->inode->place;
	task_command(t, words, 2, poll_answered);
}
