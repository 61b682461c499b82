/* stream/KEY: a line an entry, its id and then fields and values; stream.d/KEY/ID: one entry, a line a field. */
#include "fs/kinds/stream.h"
#include "fs/fs.h"
#include "fs/kinds/kinds.h"
#include "fs/text/rows.h"
#include "store/base/mem.h"

/* --- writing --- */

/* A good row is fields and values, perhaps with an id in front. */
static bool good_row(const struct bytes *words, size_t n, bool *has_id, struct row_id *id)
{
	*has_id = n % 2;
	return n >= 2 && (!*has_id || stream_row_id(words[0], id));
}

static bool stream_check(const struct kind *k, struct bytes text, bool last, size_t *good)
{
	const struct bytes *words;
	enum rows_result res;
	struct rows r;
	struct row_id id;
	bool has_id;
	size_t n;

	(void)k;
	rows_init(&r, text, 1, last);
	*good = 0;
	while ((res = rows_next_words(&r, &words, &n)) == ROWS_ROW &&
	       good_row(words, n, &has_id, &id))
		*good = r.at;
	rows_fini(&r);
	return res == ROWS_END;
}

/* XADDs being put together: a word is its length and its bytes; the words of each command are counted. */
struct adding {
	struct buf text, counts;
	size_t nwords;
	bool replace;
	bool ids, no_ids; /* rows with, and without an id */
	struct row_id first, last;
	int err;
};

static void add_word(struct adding *w, struct bytes word)
{
	buf_put(&w->text, &word.n, sizeof(word.n));
	buf_bytes(&w->text, word);
	w->nwords++;
}

static void add_row(struct adding *w, struct bytes key, const struct bytes *words, size_t n)
{
	struct row_id id = {0};
	bool has_id;

	if (!good_row(words, n, &has_id, &id)) {
		w->err = EINVAL;
		return;
	}
	if (has_id && w->ids && (id.ms != w->last.ms ? id.ms < w->last.ms : id.seq <= w->last.seq))
		w->err = EINVAL; /* ids grow */
	if (has_id && !w->ids)
		w->first = id;
	w->last = id;
	*(has_id ? &w->ids : &w->no_ids) = true;
	size_t count = n + (has_id ? 2 : 3);
	buf_put(&w->counts, &count, sizeof(count));
	add_word(w, BYTES("XADD"));
	add_word(w, key);
	if (!has_id)
		add_word(w, BYTES("*"));
	for (size_t i = 0; i < n; i++)
		add_word(w, words[i]);
}

static int parse(struct adding *w, const struct task *t)
{
	const struct bytes *words;
	enum rows_result res;
	struct rows r;
	size_t n;

	rows_init(&r, t->data, 1, true);
	while ((res = rows_next_words(&r, &words, &n)) == ROWS_ROW && !w->err)
		add_row(w, t->at.key, words, n);
	if (r.scratch.failed || r.words.failed || w->text.failed || w->counts.failed)
		w->err = ENOMEM;
	else if (res == ROWS_BAD || (w->ids && w->no_ids))
		w->err = EINVAL;
	rows_fini(&r);
	return w->err;
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

static void submit(struct task *t, const struct adding *w)
{
	size_t ncmds = w->counts.n / sizeof(size_t), at = 0, c = 0, word = 0;
	struct bytes del[] = {BYTES("DEL"), t->at.key};
	struct backend_command *cmds = mem_try((ncmds + 1) * sizeof(*cmds));
	struct bytes *words = mem_try((w->nwords + 1) * sizeof(*words));

	if (cmds && words) {
		if (w->replace)
			cmds[c++] = (struct backend_command){.argc = 2, .argv = del};
		for (size_t i = 0; i < w->nwords; i++) {
			memcpy(&words[i].n, w->text.p + at, sizeof(size_t));
			words[i].p = w->text.p + at + sizeof(size_t);
			at += sizeof(size_t) + words[i].n;
		}
		for (size_t i = 0; i < ncmds; i++) {
			size_t n;
			memcpy(&n, w->counts.p + i * sizeof(n), sizeof(n));
			cmds[c++] = (struct backend_command){.argc = (int)n, .argv = words + word};
			word += n;
		}
	}
	if (!cmds || !words)
		task_end(t, ENOMEM);
	else if (c)
		task_submit(t, cmds, c, unit_done);
	else
		task_end(t, 0);
	mem_free(words);
	mem_free(cmds);
}

static void write_rows(struct task *t, bool replace)
{
	struct adding w = {.replace = replace};
	int err = parse(&w, t);

	if (err)
		task_end(t, err);
	else
		submit(t, &w);
	buf_free(&w.text);
	buf_free(&w.counts);
}

static void store_checked(struct task *t, int err)
{
	if (err && err != ENOENT)
		task_end(t, err);
	else
		write_rows(t, !err);
}

static void stream_store(struct task *t)
{
	task_then(t, store_checked);
	task_check_type(t, "stream");
}

/* "last-generated-id", its value: an id that is not above it would be refused in the middle of the unit. */
static void last_answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct answer piece;
	struct adding w = {0};
	struct row_id last = {0};
	bool next = false;
	int err = parse(&w, t);

	for (bool found = false; !err && !found && answers_next(a, &piece);) {
		found = next && stream_row_id(piece.text, &last);
		next = piece.kind == ANSWER_BULK &&
		       bytes_eq(piece.text, BYTES("last-generated-id"));
	}
	if (!err && w.ids &&
	    (w.first.ms != last.ms ? w.first.ms < last.ms : w.first.seq <= last.seq))
		err = EINVAL;
	buf_free(&w.text);
	buf_free(&w.counts);
	if (err)
		task_end(t, err);
	else
		write_rows(t, false);
}

static void append_checked(struct task *t, int err)
{
	struct bytes words[] = {BYTES("XINFO"), BYTES("STREAM"), t->at.key};

	if (err == ENOENT)
		write_rows(t, false);
	else if (err)
		task_end(t, err);
	else
		task_command(t, words, 3, last_answered);
}

static void stream_append(struct task *t)
{
	task_then(t, append_checked);
	task_check_type(t, "stream");
}

/* A stream comes with its first entry. */
static void create_checked(struct task *t, int err)
{
	task_end(t, err == ENOENT ? 0 : err ? err : t->excl ? EEXIST : 0);
}

static void stream_create(struct task *t)
{
	task_then(t, create_checked);
	task_check_type(t, "stream");
}

const struct file_ops stream_ops = {
	.stat = stream_stat,
	.load = stream_load,
	.store = stream_store,
	.append = stream_append,
	.create = stream_create,
	.remove = kinds_remove_key,
	.check_lines = stream_check,
};

/* --- entries --- */

static void entry_load(struct task *t)
{
	struct row_id id;

	if (stream_row_id(t->at.member, &id))
		stream_load_range(t, t->at.member, t->at.member);
	else
		task_end(t, ENOENT);
}

static void entry_sized(struct task *t, int err)
{
	t->sized_only = false;
	task_end(t, err);
}

static void entry_stat(struct task *t)
{
	t->sized_only = true;
	task_then(t, entry_sized);
	entry_load(t);
}

/* A stream without entries is still a key: it never goes with its last one. */
static void entry_removed(void *arg, struct answers *a)
{
	struct answer piece;
	int err = task_answer(a, &piece);

	task_end(arg, err ? err : piece.n ? 0 : ENOENT);
}

static void entry_remove(struct task *t)
{
	struct bytes words[] = {BYTES("XDEL"), t->at.key, t->at.member};
	struct row_id id;

	if (stream_row_id(t->at.member, &id))
		task_command(t, words, 3, entry_removed);
	else
		task_end(t, ENOENT);
}

const struct file_ops entry_ops = {
	.stat = entry_stat,
	.load = entry_load,
	.remove = entry_remove,
};
