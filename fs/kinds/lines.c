/* list/, set/, zset/, hash/: a key as lines, an element or a row each. */
#include "fs/fs.h"
#include "fs/handle.h"
#include "fs/kinds/kinds.h"
#include "fs/kinds/walk.h"
#include "fs/text/rows.h"
#include "store/base/mem.h"
#include "store/base/num.h"

/* --- reading --- */

static int next_row(struct answers *a, const struct kind *k, struct bytes *columns,
		    struct buf *hold)
{
	struct answer piece;
	int first = k->swapped ? 1 : 0;

	for (int i = 0; i < k->columns; i++) {
		int err = task_answer(a, &piece);
		if (err)
			return err;
		struct bytes *col = &columns[k->columns == 2 ? i ^ first : 0];
		if (piece.joined && i == 0) { /* the second piece would take its place */
			hold->n = 0;
			buf_bytes(hold, piece.text);
			if (hold->failed)
				return ENOMEM;
			piece.text = buf_view(hold);
		}
		*col = piece.text;
	}
	return 0;
}

/* Bytes shown as the shell writes them take four times their room: known before, not when they stand there. */
static bool fits(const struct task *t, const struct buf *out, const struct bytes *columns)
{
	uint64_t n = 0;

	for (int i = 0; i < t->at.kind->columns; i++)
		n += columns[i].n;
	if (n > t->content_max / 8)
		n = rows_size(columns, t->at.kind->columns);
	return out->n + n <= t->content_max;
}

/* What an open file (its text) or an inode (its size) has of a long list, while that was only appended to. */
struct follow {
	uint64_t mark; /* the list's, since */
	uint64_t entries, size;
};

/* With more than that the list is read from its start, a piece at a time. */
#define FOLLOW_MAX 8192

static bool is_list(const struct task *t)
{
	return t->at.kind->columns == 1 && !t->at.kind->scan;
}

static struct follow **following(const struct task *t)
{
	struct inode *i = t->sized_only ? inode_find(&t->m->inodes, &t->at) : NULL;

	if (t->reading)
		return &t->handle->follow;
	return i && i->more ? &i->more->follow : NULL;
}

static void forget(const struct task *t)
{
	struct follow **f = is_list(t) ? following(t) : NULL;

	if (f) {
		mem_free(*f);
		*f = NULL;
	}
}

static uint64_t mark(const struct task *t)
{
	return t->m->backend->ops->mark(t->m->backend, t->at.db, t->at.key);
}

static uint64_t elements(const struct task *t)
{
	struct backend *b = t->m->backend;

	if (!b->ops->elements || !b->ops->mark)
		return 0;
	return b->ops->elements(b, t->at.db, t->at.key, t->at.kind->type);
}

/* From now on what is put behind these @entries is enough, which are all that there are. */
static void follow_from(const struct task *t, uint64_t entries, uint64_t size)
{
	struct inode *i;

	if (!is_list(t) || entries < WALK_FROM || elements(t) != entries)
		return;
	if (t->sized_only && (i = inode_find(&t->m->inodes, &t->at)))
		inode_more(i);
	struct follow **f = following(t);
	if (!f)
		return;
	if (!*f)
		*f = mem_alloc(sizeof(**f));
	**f = (struct follow){.mark = mark(t), .entries = entries, .size = size};
}

/* @n rows of @a into @out, and with t->sized_only only their bytes into *@size. */
static int put_rows(const struct task *t, struct answers *a, int64_t n, struct buf *out,
		    uint64_t *size)
{
	const struct kind *k = t->at.kind;
	struct bytes columns[ROWS_COLUMNS];
	struct buf hold = {0};
	int err = 0;

	for (; n > 0 && !err; n--) {
		err = next_row(a, k, columns, &hold);
		if (err)
			break;
		if (t->sized_only)
			*size += rows_size(columns, k->columns);
		else if (t->content_max && !fits(t, out, columns))
			err = EFBIG;
		else
			rows_put(out, columns, k->columns);
	}
	buf_free(&hold);
	if (!t->sized_only)
		*size = out->n;
	return err ? err : out->failed ? ENOMEM : 0;
}

static void read_answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct answer head;
	struct buf out = {0};
	int err = task_answer(a, &head);

	if (!err && (head.kind != ANSWER_ARRAY || head.n == 0))
		err = ENOENT;
	t->found_size = 0;
	if (!err)
		err = put_rows(t, a, head.n / t->at.kind->columns, &out, &t->found_size);
	if (!err)
		follow_from(t, (uint64_t)head.n, t->found_size);
	if (err || t->sized_only)
		buf_free(&out);
	else
		content_own(&t->content, &out);
	task_end(t, err);
}

/* --- reading in pieces --- */

static void ask_piece(struct walk *w)
{
	struct task *t = w->t;
	const struct kind *k = t->at.kind;
	char from[NUM_BUF], to[NUM_BUF];
	struct bytes words[6] = {bytes_str(k->scan ? k->scan : k->read[0]), t->at.key};
	int n = 4;

	if (k->scan) {
		words[2] = w->cursor_n ? bytes_of(w->cursor, w->cursor_n) : BYTES("0");
		words[3] = BYTES("COUNT");
		words[n++] = bytes_of(to, num_format_int(to, (int64_t)w->wanted));
	} else {
		words[2] = bytes_of(from, num_format_int(from, (int64_t)w->done));
		words[3] = bytes_of(to, num_format_int(to, (int64_t)(w->done + w->wanted) - 1));
		if (k->read[3])
			words[n++] = bytes_str(k->read[3]);
	}
	struct backend_command cmd = {.argc = n, .argv = words};
	backend_submit(t->m->backend, t->at.db, &cmd, 1, walk_answered, w);
}

static int take_cursor(struct walk *w, struct answers *a)
{
	struct answer cursor;
	int err = task_answer(a, &cursor);

	if (err || cursor.text.n > sizeof(w->cursor))
		return err ? err : EIO;
	w->cursor_n = cursor.text.n;
	memcpy(w->cursor, cursor.text.p, cursor.text.n);
	w->last = bytes_eq(cursor.text, BYTES("0"));
	return 0;
}

static int take_piece(struct walk *w, struct answers *a)
{
	const struct kind *k = w->t->at.kind;
	struct answer head;
	int err = task_answer(a, &head);

	if (!err && k->scan) {
		err = take_cursor(w, a);
		if (!err)
			err = task_answer(a, &head);
	}
	if (!err && head.kind != ANSWER_ARRAY)
		err = EIO;
	if (err)
		return err;
	w->done += (uint64_t)head.n / (uint64_t)k->columns;
	if (!k->scan)
		w->last = w->done >= w->total || head.n == 0;
	return put_rows(w->t, a, head.n / k->columns, &w->out, &w->size);
}

static void all_taken(struct walk *w)
{
	follow_from(w->t, w->done, w->size);
	task_end(w->t, 0);
}

static const struct walk_ops pieces = {.ask = ask_piece, .take = take_piece, .end = all_taken};

static void load_all(struct task *t)
{
	const struct kind *k = t->at.kind;
	struct bytes words[6] = {bytes_str(k->read[0]), t->at.key};
	int n = 2;

	forget(t);
	if (walk_begin(t, &pieces))
		return;
	for (int i = 1; i < 4 && k->read[i]; i++)
		words[n++] = bytes_str(k->read[i]);
	task_command(t, words, n, read_answered);
}

/* --- what came --- */

/* Whether it is that list still, with @n elements behind what is followed. */
static bool came(const struct task *t, const struct follow *f, uint64_t *n)
{
	uint64_t now = f ? elements(t) : 0;

	if (!now || now < f->entries || mark(t) != f->mark)
		return false;
	*n = now - f->entries;
	return *n <= FOLLOW_MAX;
}

static void more_answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct follow **known = following(t), *f = known ? *known : NULL;
	struct handle *h = t->reading ? t->handle : NULL;
	struct answer head;
	struct buf out = {0};
	uint64_t n;
	int err = task_answer(a, &head);

	if (!err && (!came(t, f, &n) || n != (uint64_t)head.n ||
		     (h && (!h->loaded || h->snap.own.n != f->size)))) {
		load_all(t); /* another answer was there first */
		return;
	}
	if (!err) {
		t->found_size = f->size;
		if (h) { /* the text that there was, not a copy of it */
			out = h->snap.own;
			h->snap = (struct content){0};
			h->loaded = false;
		}
		err = put_rows(t, a, head.n, &out, &t->found_size);
		f->entries += (uint64_t)head.n;
		f->size = t->found_size;
	}
	if (err)
		forget(t);
	if (!err && h)
		content_own(&t->content, &out);
	buf_free(&out);
	task_end(t, err);
}

static void lines_load(struct task *t)
{
	struct follow **f = is_list(t) ? following(t) : NULL;
	char from[NUM_BUF];
	uint64_t n;

	if (!f || !*f || (t->reading && !t->handle->loaded) || !came(t, *f, &n)) {
		load_all(t);
		return;
	}
	struct bytes words[] = {BYTES("LRANGE"), t->at.key,
				bytes_of(from, num_format_int(from, (int64_t)(*f)->entries)),
				BYTES("-1")};
	task_command(t, words, 4, more_answered);
}

static void lines_stat(struct task *t)
{
	kinds_sized_stat(t, lines_load);
}

/* --- writing --- */

/* Words of the commands that write rows. Quoted columns are copied; words are made when all are. */
#define WORDS_A_COMMAND 32768

struct writing {
	const struct kind *k;
	struct bytes *words;
	size_t n, cap;
	struct buf copies;
	bool failed;
};

/* A column that borrows from @r is gone with its next row: its copy is noted by offset, as a word without a pointer. */
static void add_word(struct writing *w, struct bytes word, const struct rows *r)
{
	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 64;
		struct bytes *more = mem_retry(w->words, cap * sizeof(*more));
		if (!more) {
			w->failed = true;
			return;
		}
		w->words = more;
		w->cap = cap;
	}
	bool copied =
		r->scratch.n && word.p >= r->scratch.p && word.p < r->scratch.p + r->scratch.n;
	if (copied) {
		buf_bytes(&w->copies, word);
		word.p = NULL;
	}
	w->words[w->n++] = word;
}

static void point_copies(struct writing *w)
{
	const char *at = w->copies.p;

	for (size_t i = 0; i < w->n; i++) {
		if (w->words[i].p)
			continue;
		w->words[i].p = at;
		at += w->words[i].n;
	}
}

static bool good_row(const struct kind *k, const struct bytes *columns)
{
	double score;

	return !k->swapped || num_parse_double(columns[0], &score);
}

bool lines_check(const struct kind *k, struct bytes text, bool last, size_t *good)
{
	struct bytes columns[ROWS_COLUMNS];
	enum rows_result res;
	struct rows r;

	rows_init(&r, text, k->columns, last);
	*good = 0;
	while ((res = rows_next(&r, columns)) == ROWS_ROW && good_row(k, columns))
		*good = r.at;
	rows_fini(&r);
	return res == ROWS_END;
}

static int parse(struct writing *w, struct bytes text)
{
	struct bytes columns[ROWS_COLUMNS];
	enum rows_result res;
	struct rows r;

	rows_init(&r, text, w->k->columns, true);
	while ((res = rows_next(&r, columns)) == ROWS_ROW && !w->failed) {
		if (!good_row(w->k, columns)) {
			res = ROWS_BAD;
			break;
		}
		for (int i = 0; i < w->k->columns; i++)
			add_word(w, columns[i], &r);
	}
	bool failed = w->failed || w->copies.failed || r.scratch.failed;
	rows_fini(&r);
	if (!failed)
		point_copies(w);
	return failed ? ENOMEM : res == ROWS_BAD ? EINVAL : 0;
}

/* Replies of a unit: the first error counts. */
static void unit_done(void *arg, struct answers *a)
{
	struct answer piece;
	int err = 0;

	while (answers_next(a, &piece))
		if (piece.kind == ANSWER_ERROR && !err)
			err = error_of_line(piece.text);
	task_end(arg, err);
}

/* Submit [DEL key] and as many @k->write as the rows need, as one unit. Words of all commands lie in one array. */
static void submit_rows(struct task *t, struct writing *w, bool replace)
{
	size_t ncmds = (w->n + WORDS_A_COMMAND - 1) / WORDS_A_COMMAND + replace;
	struct bytes *words = mem_try((w->n + 2 * (ncmds + 1)) * sizeof(*words));
	struct backend_command *cmds = mem_try((ncmds + 1) * sizeof(*cmds));

	if (!words || !cmds) {
		mem_free(words);
		mem_free(cmds);
		task_end(t, ENOMEM);
		return;
	}
	size_t at = 0, c = 0;
	if (replace) {
		words[at] = BYTES("DEL");
		words[at + 1] = t->at.key;
		cmds[c++] = (struct backend_command){.argc = 2, .argv = words};
		at = 2;
	}
	for (size_t done = 0; done < w->n;) {
		size_t n = w->n - done < WORDS_A_COMMAND ? w->n - done : WORDS_A_COMMAND;
		words[at] = bytes_str(w->k->write);
		words[at + 1] = t->at.key;
		memcpy(words + at + 2, w->words + done, n * sizeof(*words));
		cmds[c++] = (struct backend_command){.argc = (int)n + 2, .argv = words + at};
		at += n + 2;
		done += n;
	}
	if (c)
		task_submit(t, cmds, c, unit_done);
	else
		task_end(t, 0);
	mem_free(words);
	mem_free(cmds);
}

static void write_rows(struct task *t, bool replace)
{
	struct writing w = {.k = t->at.kind};
	int err = parse(&w, t->data);

	if (err)
		task_end(t, err);
	else
		submit_rows(t, &w, replace);
	mem_free(w.words);
	buf_free(&w.copies);
}

static void store_checked(struct task *t, int err)
{
	if (err && err != ENOENT)
		task_end(t, err);
	else
		write_rows(t, !err);
}

static void lines_store(struct task *t)
{
	task_then(t, store_checked);
	task_check_type(t, t->at.kind->type);
}

void lines_append(struct task *t)
{
	write_rows(t, false);
}

/* An empty container is no key: there is nothing to make yet. */
static void create_checked(struct task *t, int err)
{
	if (err == ENOENT)
		err = 0;
	else if (!err && t->excl)
		err = EEXIST;
	task_end(t, err);
}

static void lines_create(struct task *t)
{
	task_then(t, create_checked);
	task_check_type(t, t->at.kind->type);
}

const struct file_ops lines_ops = {
	.stat = lines_stat,
	.load = lines_load,
	.store = lines_store,
	.append = lines_append,
	.create = lines_create,
	.remove = kinds_remove_key,
	.check_lines = lines_check,
};
