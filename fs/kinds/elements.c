/* list.d/KEY/INDEX: an element of a list. The index behind the last one makes a new element. */
#include <sys/random.h>

#include "fs/fs.h"
#include "fs/kinds/kinds.h"
#include "store/base/num.h"

static bool is_index(struct bytes s, int64_t *n)
{
	return num_parse_int(s, n);
}

/* --- reading --- */

static void element_load(struct task *t)
{
	struct bytes words[] = {BYTES("LINDEX"), t->at.key, t->at.member};
	int64_t index;

	if (is_index(t->at.member, &index))
		task_command(t, words, 3, kinds_element_loaded);
	else
		task_end(t, ENOENT);
}

/* --- writing --- */

static void length_answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct answer piece;
	int err = task_answer(a, &piece);

	t->number = piece.n;
	task_end(t, err);
}

/* The list's length into t->number. */
static void ask_length(struct task *t, task_step step)
{
	struct bytes words[] = {BYTES("LLEN"), t->at.key};

	task_then(t, step);
	task_command(t, words, 2, length_answered);
}

/* LSET, or RPUSH of the one behind the last, into @words (4 at most). Their number; 0 where neither fits. */
static int setting(const struct task *t, struct bytes value, struct bytes *words)
{
	int64_t index, len = t->number;

	if (!is_index(t->at.member, &index) || index > len || index < -len)
		return 0;
	words[0] = index == len ? BYTES("RPUSH") : BYTES("LSET");
	words[1] = t->at.key;
	words[2] = index == len ? value : t->at.member;
	words[3] = value;
	return index == len ? 3 : 4;
}

static void store_measured(struct task *t, int err)
{
	bool newline;
	struct bytes words[4], value = kinds_stored(t, &newline);
	int n = err ? 0 : setting(t, value, words);

	if (n) {
		kinds_remember_newline(t, value, newline);
		task_command(t, words, n, task_done);
	} else {
		task_end(t, err ? err : EINVAL);
	}
}

static void element_store(struct task *t)
{
	ask_length(t, store_measured);
}

static void create_measured(struct task *t, int err)
{
	struct bytes words[4];
	int64_t index;
	bool good = is_index(t->at.member, &index);

	if (!err && good && index < t->number && index >= -t->number)
		task_end(t, t->excl ? EEXIST : 0);
	else if (!err && setting(t, BYTES(""), words) == 3)
		task_command(t, words, 3, task_done);
	else
		task_end(t, err ? err : EINVAL);
}

static void element_create(struct task *t)
{
	ask_length(t, create_measured);
}

static void admit_measured(struct task *t, int err)
{
	struct bytes words[4];

	task_end(t, err ? err : setting(t, BYTES(""), words) ? 0 : EINVAL);
}

static void element_admit(struct task *t)
{
	ask_length(t, admit_measured);
}

/* --- removing --- */

/* No command removes by position: the element becomes one that no other is, and that is removed. */
#define MARK_BYTES 24

static int mark(char *out)
{
	return getrandom(out, MARK_BYTES, 0) == MARK_BYTES ? 0 : EIO;
}

static void removed(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct answer piece;
	int64_t exists = 1;
	int err = 0;

	while (answers_next(a, &piece)) {
		exists = piece.n;
		if (piece.kind == ANSWER_ERROR && !err)
			err = error_of_line(piece.text);
	}
	t->was_last = !err && !exists;
	task_end(t, err == EINVAL ? ENOENT : err); /* "index out of range" */
}

static void element_remove(struct task *t)
{
	char random[MARK_BYTES];
	struct bytes word = bytes_of(random, sizeof(random));
	struct bytes set[] = {BYTES("LSET"), t->at.key, t->at.member, word};
	struct bytes rem[] = {BYTES("LREM"), t->at.key, BYTES("1"), word};
	struct bytes exists[] = {BYTES("EXISTS"), t->at.key};
	struct backend_command cmds[] = {
		{.argc = 4, .argv = set}, {.argc = 4, .argv = rem}, {.argc = 2, .argv = exists}};
	int64_t index;
	int err = is_index(t->at.member, &index) ? mark(random) : ENOENT;

	if (err)
		task_end(t, err);
	else
		task_submit(t, cmds, 3, removed);
}

/* --- moving --- */

static void moved(void *arg, struct answers *a)
{
	struct answer piece;
	int err = 0;

	while (answers_next(a, &piece))
		if (piece.kind == ANSWER_ERROR && !err)
			err = error_of_line(piece.text);
	task_end(arg, err);
}

/* As mv: what stands at the target gives way, and the source is gone. */
static void move_measured(struct task *t, int err)
{
	char random[MARK_BYTES];
	struct bytes value = bytes_of(t->data.p, t->data.n - t->data_newline);
	struct bytes word = bytes_of(random, sizeof(random)), store[4];
	struct bytes set[] = {BYTES("LSET"), t->at.key, t->inode->place.member, word};
	struct bytes rem[] = {BYTES("LREM"), t->at.key, BYTES("1"), word};
	int n = err ? 0 : setting(t, value, store);
	/* The source first: an index from the end means another element behind a new one. */
	struct backend_command cmds[] = {
		{.argc = 4, .argv = set}, {.argc = n, .argv = store}, {.argc = 4, .argv = rem}};

	if (!err)
		err = n ? mark(random) : EINVAL;
	if (err)
		task_end(t, err);
	else
		task_submit(t, cmds, 3, moved);
}

static void element_move(struct task *t)
{
	ask_length(t, move_measured);
}

const struct file_ops element_ops = {
	.stat = element_load,
	.load = element_load,
	.store = element_store,
	.create = element_create,
	.admit = element_admit,
	.remove = element_remove,
	.move = element_move,
};
