/* string/KEY: the value's bytes; see FS.md section 2 for the newline that is not stored. */
#include <stdio.h>

#include "fs/fs.h"
#include "fs/kinds/kinds.h"
#include "fs/text/line.h"

static bool newline_bit(const struct task *t)
{
	struct backend_facts f = {0};

	if (task_raw(t))
		return false;
	t->m->backend->ops->facts(t->m->backend, t->at.db, t->at.key, &f);
	return f.newline;
}

static void stat_answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct answer piece;
	int err = task_type_answer(a, "string");

	if (!err)
		err = task_answer(a, &piece);
	if (!err)
		t->found_size = (uint64_t)piece.n + newline_bit(t);
	task_end(t, err);
}

static void string_stat(struct task *t)
{
	struct bytes type[] = {BYTES("TYPE"), t->at.key};
	struct bytes len[] = {BYTES("STRLEN"), t->at.key};
	struct backend_command cmds[] = {{.argc = 2, .argv = type}, {.argc = 2, .argv = len}};

	task_submit(t, cmds, 2, stat_answered);
}

static void load_answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	int err = kinds_take_value(t, a);

	if (!err)
		t->content.newline = newline_bit(t);
	task_end(t, err);
}

static void string_load(struct task *t)
{
	struct bytes words[] = {BYTES("GET"), t->at.key};

	task_command(t, words, 2, load_answered);
}

/* SET over another type would throw that key away, so the type is asked for first. */
static void store_checked(struct task *t, int err)
{
	bool newline;
	struct bytes value = kinds_stored(t, &newline);
	struct bytes words[] = {BYTES("SET"), t->at.key, value, BYTES("KEEPTTL")};
	struct backend_command cmd = {
		.argc = t->keep_ttl && !err ? 4 : 3,
		.argv = words,
		.newline = newline,
		.blob = newline ? NULL : t->blob,
		.blob_arg = 2,
	};

	if (err && err != ENOENT)
		task_end(t, err);
	else
		task_submit(t, &cmd, 1, task_done);
}

static void string_store(struct task *t)
{
	task_then(t, store_checked);
	task_check_type(t, "string");
}

/* The content is loaded; it and the new data in its place decide how they are stored. */
static void write_loaded(struct task *t, uint64_t off, int err)
{
	size_t old = content_size(&t->content);
	size_t end = (size_t)off + t->data.n;
	char number[24];

	if (err && err != ENOENT) {
		task_end(t, err);
		return;
	}
	struct iovec head[2], tail[2];
	int nh = content_range(&t->content, 0, off < old ? (size_t)off : old, head);
	int nt = end < old ? content_range(&t->content, end, old - end, tail) : 0;
	struct bytes v[5];
	int n = 0;
	for (int i = 0; i < nh; i++)
		v[n++] = bytes_of(head[i].iov_base, head[i].iov_len);
	v[n++] = t->data;
	for (int i = 0; i < nt; i++)
		v[n++] = bytes_of(tail[i].iov_base, tail[i].iov_len);
	bool line = !task_raw(t) && off <= old && line_is_text(v, n);
	t->keep_ttl = true;
	if (line || t->content.newline) { /* the newline bit comes or goes: store it whole */
		err = kinds_splice(t, off);
		if (err)
			task_end(t, err);
		else
			string_store(t);
	} else if (off == old) {
		struct bytes words[] = {BYTES("APPEND"), t->at.key, t->data};
		content_free(&t->content); /* or the value is shared, and appending copies it */
		task_command(t, words, 3, task_done);
	} else {
		int len = snprintf(number, sizeof(number), "%llu", (unsigned long long)off);
		struct bytes words[] = {BYTES("SETRANGE"), t->at.key, bytes_of(number, (size_t)len),
					t->data};
		content_free(&t->content);
		task_command(t, words, 4, task_done);
	}
}

static void append_loaded(struct task *t, int err)
{
	write_loaded(t, content_size(&t->content), err);
}

static void string_append(struct task *t)
{
	task_then(t, append_loaded);
	string_load(t);
}

static void patch_loaded(struct task *t, int err)
{
	write_loaded(t, t->off, err);
}

static void string_patch(struct task *t)
{
	task_then(t, patch_loaded);
	string_load(t);
}

/* Its length is known. Zeros behind it are made where it stands; a cut, and what has or gets a newline, go the long way. */
static void resize_sized(struct task *t, int err)
{
	uint64_t old = err ? 0 : t->found_size;
	char number[24];

	if (err == ENOENT && t->inode && t->inode->creating) /* a name that is no key yet */
		err = 0;
	if (err || old == t->off || (t->extend && t->off < old)) {
		task_end(t, err);
		return;
	}
	if (t->off < old || newline_bit(t)) {
		kinds_resize(t);
		return;
	}
	int len = snprintf(number, sizeof(number), "%llu", (unsigned long long)t->off - 1);
	struct bytes words[] = {BYTES("SETRANGE"), t->at.key, bytes_of(number, (size_t)len),
				bytes_of("", 1)};
	task_command(t, words, 4, task_done);
}

static void string_resize(struct task *t)
{
	task_then(t, resize_sized);
	string_stat(t);
}

static void created(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct answer piece;
	int err = task_answer(a, &piece);

	if (!err && piece.kind == ANSWER_NULL && t->excl)
		err = EEXIST;
	task_end(t, err);
}

static void create_checked(struct task *t, int err)
{
	struct bytes words[] = {BYTES("SET"), t->at.key, BYTES(""), BYTES("NX")};

	if (err == ENOENT)
		task_command(t, words, 4, created);
	else
		task_end(t, err ? err : t->excl ? EEXIST : 0);
}

static void string_create(struct task *t)
{
	task_then(t, create_checked);
	task_check_type(t, "string");
}

const struct file_ops string_ops = {
	.stat = string_stat,
	.load = string_load,
	.store = string_store,
	.append = string_append,
	.patch = string_patch,
	.resize = string_resize,
	.create = string_create,
	.remove = kinds_remove_key,
};
