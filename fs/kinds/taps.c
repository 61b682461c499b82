/* queue/KEY and pubsub/CHANNEL: what is written; reading is fs/waiting/tap.h's. */
#include "fs/fs.h"
#include "fs/kinds/kinds.h"
#include "fs/text/rows.h"
#include "fs/waiting/tap.h"
#include "store/base/mem.h"

/* --- queue/ --- */

/* Nobody knows what a read will get: the file has no size. Any name may be waited for. */
static void queue_stat(struct task *t)
{
	t->found_size = 0;
	task_check_type(t, "list");
}

static void absent_is_fine(struct task *t, int err)
{
	task_end(t, err == ENOENT ? 0 : err);
}

static void queue_stat_any(struct task *t)
{
	task_then(t, absent_is_fine);
	queue_stat(t);
}

static void queue_append(struct task *t)
{
	struct bytes words[] = {BYTES("RPUSH"), t->at.key, t->data};

	if (task_raw(t))
		task_command(t, words, 3, task_done);
	else
		lines_append(t);
}

const struct file_ops queue_ops = {
	.stat = queue_stat_any,
	.append = queue_append,
	.remove = kinds_remove_key,
	.check_lines = lines_check,
};

/* --- pubsub/ --- */

static void channel_stat(struct task *t)
{
	struct inode *i = inode_find(&t->m->inodes, &t->at);

	t->found_size = i ? tap_channel_size(i) : 0;
	task_end(t, 0);
}

/* One PUBLISH after the other: what a line borrows is gone with the next. */
static void published(void *arg, struct answers *a)
{
	struct answer piece;
	int *err = arg;

	if (!*err)
		*err = task_answer(a, &piece);
}

static int publish(struct task *t, struct bytes message)
{
	struct bytes words[] = {BYTES("PUBLISH"), t->at.key, message};
	struct backend_command cmd = {.argc = 3, .argv = words};
	int err = 0;

	backend_submit(t->m->backend, t->at.db, &cmd, 1, published, &err);
	return err;
}

static void channel_append(struct task *t)
{
	struct bytes line[ROWS_COLUMNS];
	struct rows r;
	int err = 0;

	if (task_raw(t)) {
		task_end(t, publish(t, t->data));
		return;
	}
	rows_init(&r, t->data, 1, true);
	while (!err && rows_next(&r, line) == ROWS_ROW)
		err = publish(t, line[0]);
	rows_fini(&r);
	task_end(t, err);
}

const struct file_ops channel_ops = {
	.stat = channel_stat,
	.append = channel_append,
	.check_lines = lines_check,
};
