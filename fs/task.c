#include "fs/task.h"

#include "fs/fs.h"
#include "fs/kinds/kinds.h"
#include "store/base/mem.h"

struct task *task_new(struct mount *m, struct fuse_req *req, struct inode *inode)
{
	struct task *t = mem_calloc(sizeof(*t));

	t->m = m;
	t->req = req;
	t->inode = inode;
	t->asked = m->backend->ops->latest_serial(m->backend);
	if (inode) {
		inode_ref(inode);
		t->at = inode->place;
	}
	return t;
}

void task_free(struct task *t)
{
	content_free(&t->content);
	buf_free(&t->text);
	blob_put(t->made);
	mem_free(t->words);
	mem_free(t->to_words);
	buf_free(&t->left_bytes);
	if (t->left)
		inode_unref(&t->m->inodes, t->left);
	if (t->as)
		inode_unref(&t->m->inodes, t->as);
	if (t->inode)
		inode_unref(&t->m->inodes, t->inode);
	if (t->to_dir)
		inode_unref(&t->m->inodes, t->to_dir);
	mem_free(t);
}

void task_answers_as(struct task *t, struct inode *i)
{
	inode_ref(i);
	t->as = i;
}

void task_submit(struct task *t, const struct backend_command *cmds, size_t n, backend_done done)
{
	backend_submit(t->m->backend, t->at.db, cmds, n, done, t);
}

void task_command(struct task *t, const struct bytes *words, int n, backend_done done)
{
	struct backend_command cmd = {.argc = n, .argv = words};

	task_submit(t, &cmd, 1, done);
}

int task_answer(struct answers *a, struct answer *out)
{
	if (!answers_next(a, out))
		return EIO;
	return out->kind == ANSWER_ERROR ? error_of_line(out->text) : 0;
}

void task_done(void *arg, struct answers *a)
{
	struct answer piece;

	task_end(arg, task_answer(a, &piece));
}

int task_type_answer(struct answers *a, const char *type)
{
	struct answer piece;
	int err = task_answer(a, &piece);

	if (err)
		return err;
	if (bytes_eq(piece.text, BYTES("none")))
		return ENOENT;
	return !type || bytes_eq(piece.text, bytes_str(type)) ? 0 : ERROR_TYPE;
}

static void type_checked(void *arg, struct answers *a)
{
	struct task *t = arg;

	task_end(t, task_type_answer(a, t->at.kind->type));
}

static void any_type_checked(void *arg, struct answers *a)
{
	task_end(arg, task_type_answer(a, NULL));
}

void task_check_type(struct task *t, const char *type)
{
	struct bytes words[] = {BYTES("TYPE"), t->at.key};

	task_command(t, words, 2, type ? type_checked : any_type_checked);
}
