/* stream/KEY as lines; see stream.h. */
#include "fs/kinds/stream.h"

#include "fs/fs.h"
#include "fs/handle.h"
#include "fs/kinds/kinds.h"
#include "fs/kinds/walk.h"
#include "fs/text/rows.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/base/num.h"

/* A shorter one is read again as soon as it changed. */
#define FOLLOW_FROM 64

/* What somebody has of a stream: enough to know whether what it holds now is the same and more. */
struct follow {
	uint64_t mark; /* which stream it is */
	char last[44]; /* the id of the last entry */
	size_t last_n;
	uint64_t last_hash;    /* of that entry */
	int64_t entries;       /* so many are there */
	int64_t added;         /* so many were added to it, ever */
	uint64_t removed_hash; /* of the id that was removed last */
	uint64_t size;         /* of the text */
};

bool stream_row_id(struct bytes s, struct row_id *out)
{
	const char *dash = memchr(s.p, '-', s.n);

	if (!dash)
		return false;
	struct bytes ms = bytes_of(s.p, (size_t)(dash - s.p));
	return num_parse_uint(ms, &out->ms) &&
	       num_parse_uint(bytes_of(dash + 1, s.n - ms.n - 1), &out->seq);
}

/* Where columns go: into text, or only counted. */
struct sink {
	struct task *t;
	struct buf out;
	uint64_t size;
	int err;

	struct follow seen; /* last and last_hash, of an entry that is noted */
	bool noted;
};

static void put(struct sink *s, struct bytes column, char behind)
{
	s->size += rows_column_size(column);
	if (s->noted)
		s->seen.last_hash =
			s->seen.last_hash * UINT64_C(0x9e3779b97f4a7c15) + keyhash(column);
	if (s->t->sized_only)
		return;
	if (s->t->content_max && s->size > s->t->content_max)
		s->err = EFBIG;
	else
		rows_put_column(&s->out, column, behind);
}

/* The fields of an entry: a row each, or all in one. */
static int put_fields(struct sink *s, struct answers *a, bool row_each)
{
	struct answer head, piece;
	int err = task_answer(a, &head);

	for (int64_t i = 0; i < head.n && !err && !s->err; i++) {
		bool last = row_each ? i % 2 : i == head.n - 1;
		err = task_answer(a, &piece);
		if (!err)
			put(s, piece.text, last ? '\n' : '\t');
	}
	return err ? err : s->err;
}

static void note(struct sink *s, struct bytes id)
{
	s->noted = id.n <= sizeof(s->seen.last);
	s->seen.last_hash = 0;
	s->seen.last_n = s->noted ? id.n : 0;
	memcpy(s->seen.last, id.p, s->seen.last_n);
}

/* With @noted it is remembered as the last one. */
static int put_entry(struct sink *s, struct answers *a, bool noted)
{
	struct answer head, id;
	int err = task_answer(a, &head);

	if (!err)
		err = task_answer(a, &id);
	if (err)
		return err;
	if (s->t->at.node == NODE_MEMBER)
		return put_fields(s, a, true);
	s->noted = false;
	if (noted)
		note(s, id.text);
	put(s, id.text, '\t');
	return put_fields(s, a, false);
}

/* --- who follows --- */

static struct follow **following(struct task *t)
{
	struct inode *i = t->sized_only ? inode_find(&t->m->inodes, &t->at) : NULL;

	if (t->reading)
		return &t->handle->follow;
	return i ? &inode_more(i)->follow : NULL;
}

static void forget(struct task *t)
{
	struct follow **f = following(t);

	if (f) {
		mem_free(*f);
		*f = NULL;
	}
}

/* XINFO STREAM: the figures of @f. What entries hold comes behind them, whatever it is called. */
static int read_figures(struct answers *a, struct follow *f)
{
	struct answer head, name, value;
	int err = task_answer(a, &head);
	int found = 0;

	for (int64_t i = 0; i < head.n / 2 && !err && found < 3; i++) {
		err = task_answer(a, &name);
		if (err)
			break;
		bool entries = bytes_eq(name.text, BYTES("length")),
		     added = bytes_eq(name.text, BYTES("entries-added")),
		     removed = bytes_eq(name.text, BYTES("max-deleted-entry-id"));
		err = task_answer(a, &value);
		if (entries)
			f->entries = value.n;
		else if (added)
			f->added = value.n;
		else if (removed)
			f->removed_hash = keyhash(value.text);
		found += entries + added + removed;
	}
	return err ? err : found == 3 ? 0 : EIO;
}

/* --- all of it --- */

static void figures_answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct follow **f = following(t), now = {0};

	if (f && *f) {
		/* Where the answer comes later the stream may be another one by now. */
		if (!read_figures(a, &now) && now.entries == (*f)->entries) {
			(*f)->added = now.added;
			(*f)->removed_hash = now.removed_hash;
		} else {
			forget(t);
		}
	}
	task_end(t, 0);
}

static uint64_t mark(struct task *t)
{
	const struct backend_ops *ops = t->m->backend->ops;

	return ops->mark ? ops->mark(t->m->backend, t->at.db, t->at.key) : 0;
}

/* From now on what comes behind it is enough. */
static void follow_from(struct task *t, const struct sink *s, int64_t entries)
{
	struct bytes words[] = {BYTES("XINFO"), BYTES("STREAM"), t->at.key};
	struct follow **f = following(t);
	uint64_t which = f && entries >= FOLLOW_FROM && s->noted ? mark(t) : 0;

	if (!which) {
		task_end(t, 0);
		return;
	}
	mem_free(*f);
	*f = mem_alloc(sizeof(**f));
	**f = s->seen;
	(*f)->mark = which;
	(*f)->entries = entries;
	(*f)->size = s->size;
	task_command(t, words, 3, figures_answered);
}

static void loaded(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct sink s = {.t = t};
	struct answer head = {0};
	int err = task_type_answer(a, "stream");

	if (!err)
		err = task_answer(a, &head);
	if (!err && t->at.node == NODE_MEMBER && head.n == 0)
		err = ENOENT;
	for (int64_t i = 0; !err && i < head.n; i++)
		err = put_entry(&s, a, i == head.n - 1);
	if (!err && s.out.failed)
		err = ENOMEM;
	t->found_size = s.size;
	if (err || t->sized_only)
		buf_free(&s.out);
	else
		content_own(&t->content, &s.out);
	if (err)
		task_end(t, err);
	else
		follow_from(t, &s, head.n);
}

void stream_load_range(struct task *t, struct bytes from, struct bytes to)
{
	struct bytes type[] = {BYTES("TYPE"), t->at.key};
	struct bytes range[] = {BYTES("XRANGE"), t->at.key, from, to};
	struct backend_command cmds[] = {{.argc = 2, .argv = type}, {.argc = 4, .argv = range}};

	task_submit(t, cmds, 2, loaded);
}

/* --- in pieces --- */

static void ask_piece(struct walk *w)
{
	struct task *t = w->t;
	char count[NUM_BUF];
	struct bytes from = w->cursor_n ? bytes_of(w->cursor, w->cursor_n) : BYTES("-");
	struct bytes words[] = {BYTES("XRANGE"),
				t->at.key,
				from,
				BYTES("+"),
				BYTES("COUNT"),
				bytes_of(count, num_format_int(count, (int64_t)w->wanted))};
	struct backend_command cmd = {.argc = 6, .argv = words};

	backend_submit(t->m->backend, t->at.db, &cmd, 1, walk_answered, w);
}

/* The text lies with the walk. Of each piece the last entry is noted: it may be the last of all, and the next piece begins behind it. */
static int take_piece(struct walk *w, struct answers *a)
{
	struct sink *s = w->more;
	struct answer head;
	int err = task_answer(a, &head);

	if (err)
		return err;
	if (!s)
		w->more = s = mem_calloc(sizeof(*s));
	s->t = w->t;
	s->out = w->out;
	for (int64_t i = 0; !err && i < head.n; i++)
		err = put_entry(s, a, i == head.n - 1);
	w->out = s->out;
	s->out = (struct buf){0};
	w->size = s->size;
	w->done += (uint64_t)head.n;
	w->last = w->done >= w->total || head.n == 0;
	w->cursor_n = s->seen.last_n + 1;
	w->cursor[0] = '(';
	memcpy(w->cursor + 1, s->seen.last, s->seen.last_n);
	return err ? err : s->noted ? 0 : EIO;
}

static void all_taken(struct walk *w)
{
	follow_from(w->t, w->more, (int64_t)w->done);
}

static const struct walk_ops pieces = {.ask = ask_piece, .take = take_piece, .end = all_taken};

static void load_all(struct task *t)
{
	forget(t);
	if (walk_begin(t, &pieces))
		return;
	stream_load_range(t, BYTES("-"), BYTES("+"));
}

/* --- what came --- */

/* The answer to XRANGE from the last entry on into @s, which goes on with what there was, and then the figures: whether it is the same
 * stream with more in it. */
static int read_more(struct sink *s, struct answers *a, const struct follow *had)
{
	struct sink again = {.t = s->t};
	struct follow now = {0};
	struct answer head;
	bool sized = s->t->sized_only;
	int err = task_answer(a, &head);

	if (!err && head.n == 0)
		return EAGAIN;
	s->t->sized_only = true; /* the last one stands there already */
	if (!err)
		err = put_entry(&again, a, true);
	s->t->sized_only = sized;
	if (!err && again.seen.last_hash != had->last_hash)
		return EAGAIN;
	s->seen = again.seen;
	s->noted = true;
	for (int64_t i = 1; !err && i < head.n; i++)
		err = put_entry(s, a, i == head.n - 1);
	if (!err)
		err = read_figures(a, &now);
	if (!err &&
	    (now.removed_hash != had->removed_hash || now.entries - had->entries != head.n - 1 ||
	     now.added - had->added != head.n - 1))
		return EAGAIN;
	s->seen.mark = had->mark;
	s->seen.entries = now.entries;
	s->seen.added = now.added;
	s->seen.removed_hash = now.removed_hash;
	return err ? err : s->out.failed ? ENOMEM : s->noted ? 0 : EAGAIN;
}

static void more_answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct follow **known = following(t), *f = known ? *known : NULL;
	struct sink s = {.t = t, .size = f ? f->size : 0};

	if (!f) { /* another answer was there first */
		load_all(t);
		return;
	}
	if (t->reading) { /* the text that there was, not a copy of it */
		s.out = t->handle->snap.own;
		t->handle->snap = (struct content){0};
		t->handle->loaded = false;
	}
	size_t before = s.out.n;
	int err = read_more(&s, a, f);
	if (err == EAGAIN || (!err && t->reading && before != f->size)) {
		buf_free(&s.out);
		load_all(t);
		return;
	}
	*f = s.seen;
	f->size = t->found_size = s.size;
	if (err)
		buf_free(&s.out);
	if (err)
		forget(t);
	else if (t->reading)
		content_own(&t->content, &s.out);
	task_end(t, err);
}

static void follow_typed(struct task *t, int err)
{
	struct follow **f = following(t);

	if (err) {
		forget(t);
		task_end(t, err);
	} else if (!f || !*f || (*f)->mark != mark(t)) {
		load_all(t);
	} else {
		struct bytes range[] = {BYTES("XRANGE"), t->at.key,
					bytes_of((*f)->last, (*f)->last_n), BYTES("+")};
		struct bytes info[] = {BYTES("XINFO"), BYTES("STREAM"), t->at.key};
		struct backend_command cmds[] = {{.argc = 4, .argv = range},
						 {.argc = 3, .argv = info}};
		task_submit(t, cmds, 2, more_answered);
	}
}

void stream_load(struct task *t)
{
	struct follow **f = following(t);

	if (f && *f && (!t->reading || t->handle->loaded)) {
		task_then(t, follow_typed);
		task_check_type(t, "stream");
	} else {
		load_all(t);
	}
}

void stream_stat(struct task *t)
{
	kinds_sized_stat(t, stream_load);
}
