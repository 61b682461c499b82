/* hash.d/KEY/FIELD, set.d/KEY/MEMBER, zset.d/KEY/MEMBER: a file each. */
#include "fs/fs.h"
#include "fs/kinds/kinds.h"
#include "store/base/num.h"

/* --- KEY itself, a directory --- */

static void container_stat(struct task *t)
{
	t->found_size = 0;
	task_check_type(t, t->at.kind->type);
}

const struct file_ops container_ops = {
	.stat = container_stat,
	.remove = kinds_remove_key,
};

/* --- what they share --- */

static int int_answer(struct answers *a, int64_t *n)
{
	struct answer piece;
	int err = task_answer(a, &piece);

	*n = piece.n;
	return err;
}

/* Replies of [H|S|Z]REM and EXISTS: whether it was there, and whether the key went with it. */
static void removed(void *arg, struct answers *a)
{
	struct task *t = arg;
	int64_t n = 0, left = 0;
	int err = int_answer(a, &n);

	if (!err)
		err = int_answer(a, &left);
	if (!err && n == 0)
		err = ENOENT;
	t->was_last = !err && left == 0;
	task_end(t, err);
}

static void remove_by(struct task *t, const char *command)
{
	struct bytes rem[] = {bytes_str(command), t->at.key, t->at.member};
	struct bytes exists[] = {BYTES("EXISTS"), t->at.key};
	struct backend_command cmds[] = {{.argc = 3, .argv = rem}, {.argc = 2, .argv = exists}};

	task_submit(t, cmds, 2, removed);
}

static void moved(void *arg, struct answers *a)
{
	int64_t n;
	int err = int_answer(a, &n);

	if (!err)
		err = int_answer(a, &n);
	task_end(arg, err);
}

/* @store puts the new member there, @rem takes the old one away. */
static void move_by(struct task *t, const struct bytes *store, int n, const char *rem)
{
	struct bytes words[] = {bytes_str(rem), t->at.key, t->inode->place.member};
	struct backend_command cmds[] = {{.argc = n, .argv = store}, {.argc = 3, .argv = words}};

	task_submit(t, cmds, 2, moved);
}

/* --- fields --- */

static void field_stat_answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	int64_t there = 0, n = 0;
	int err = int_answer(a, &there);

	if (!err)
		err = int_answer(a, &n);
	if (!err && !there)
		err = ENOENT;
	t->found_size = (uint64_t)n;
	task_end(t, err);
}

static void field_load(struct task *t)
{
	struct bytes words[] = {BYTES("HGET"), t->at.key, t->at.member};

	task_command(t, words, 3, kinds_element_loaded);
}

static void field_stat(struct task *t)
{
	struct inode *i = inode_find(&t->m->inodes, &t->at);
	struct bytes exists[] = {BYTES("HEXISTS"), t->at.key, t->at.member};
	struct bytes len[] = {BYTES("HSTRLEN"), t->at.key, t->at.member};
	struct backend_command cmds[] = {{.argc = 3, .argv = exists}, {.argc = 3, .argv = len}};

	if (i && i->newline &&
	    !task_raw(t)) /* only the value tells whether its newline is still shown */
		field_load(t);
	else
		task_submit(t, cmds, 2, field_stat_answered);
}

static void field_store(struct task *t)
{
	bool newline;
	struct bytes value = kinds_stored(t, &newline);
	struct bytes words[] = {BYTES("HSET"), t->at.key, t->at.member, value};

	kinds_remember_newline(t, value, newline);
	task_command(t, words, 4, task_done);
}

/* When the field of the old name expires is known: -1 for never, or from a server that knows no such thing. */
static void field_move_answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct bytes value = bytes_of(t->data.p, t->data.n - t->data_newline);
	struct bytes set[] = {BYTES("HSET"), t->at.key, t->at.member, value};
	char text[NUM_BUF];
	struct answer head;
	int64_t at = -1;

	if (task_answer(a, &head) || head.kind != ANSWER_ARRAY || int_answer(a, &at))
		at = -1;
	struct bytes set_expiring[] = {BYTES("HSETEX"), t->at.key,
				       BYTES("PXAT"),   bytes_of(text, num_format_int(text, at)),
				       BYTES("FIELDS"), BYTES("1"),
				       t->at.member,    value};
	if (at < 0)
		move_by(t, set, 4, "HDEL");
	else
		move_by(t, set_expiring, 8, "HDEL");
}

/* The value goes as it is, its expiry along with it, and the inode with the memory of its newline along with the name. */
static void field_move(struct task *t)
{
	struct bytes words[] = {BYTES("HPEXPIRETIME"), t->at.key, BYTES("FIELDS"), BYTES("1"),
				t->inode->place.member};

	task_command(t, words, 5, field_move_answered);
}

static void created(void *arg, struct answers *a)
{
	struct task *t = arg;
	int64_t n = 0;
	int err = int_answer(a, &n);

	if (!err && n == 0 && t->excl)
		err = EEXIST;
	task_end(t, err);
}

static void field_create(struct task *t)
{
	struct bytes words[] = {BYTES("HSETNX"), t->at.key, t->at.member, BYTES("")};

	task_command(t, words, 4, created);
}

static void field_remove(struct task *t)
{
	remove_by(t, "HDEL");
}

const struct file_ops field_ops = {
	.stat = field_stat,
	.load = field_load,
	.store = field_store,
	.create = field_create,
	.remove = field_remove,
	.move = field_move,
};

/* --- members of sets: empty files --- */

static void set_member_answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	int64_t there = 0;
	int err = int_answer(a, &there);

	t->found_size = 0;
	task_end(t, err ? err : there ? 0 : ENOENT);
}

static void set_member_stat(struct task *t)
{
	struct bytes words[] = {BYTES("SISMEMBER"), t->at.key, t->at.member};

	task_command(t, words, 3, set_member_answered);
}

static void set_member_create(struct task *t)
{
	struct bytes words[] = {BYTES("SADD"), t->at.key, t->at.member};

	task_command(t, words, 3, created);
}

static void set_member_store(struct task *t)
{
	if (t->data.n)
		task_end(t, EINVAL);
	else
		set_member_create(t);
}

static bool check_empty(struct bytes text)
{
	return text.n == 0;
}

static void set_member_remove(struct task *t)
{
	remove_by(t, "SREM");
}

static void set_member_move(struct task *t)
{
	struct bytes words[] = {BYTES("SADD"), t->at.key, t->at.member};

	move_by(t, words, 3, "SREM");
}

const struct file_ops set_member_ops = {
	.stat = set_member_stat,
	.load = set_member_stat,
	.store = set_member_store,
	.create = set_member_create,
	.remove = set_member_remove,
	.move = set_member_move,
	.check = check_empty,
};

/* --- members of sorted sets: their score --- */

static void score_answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	int err = kinds_take_value(t, a);

	t->content.newline = true;
	t->found_size = content_size(&t->content);
	task_end(t, err);
}

static void zset_member_load(struct task *t)
{
	struct bytes words[] = {BYTES("ZSCORE"), t->at.key, t->at.member};

	task_command(t, words, 3, score_answered);
}

static void zset_member_store(struct task *t)
{
	struct bytes score = kinds_trim(t->data);
	struct bytes words[] = {BYTES("ZADD"), t->at.key, score, t->at.member};
	double parsed;

	if (num_parse_double(score, &parsed))
		task_command(t, words, 4, task_done);
	else
		task_end(t, EINVAL);
}

static void zset_member_create(struct task *t)
{
	struct bytes words[] = {BYTES("ZADD"), t->at.key, BYTES("NX"), BYTES("0"), t->at.member};

	task_command(t, words, 5, created);
}

static void zset_member_remove(struct task *t)
{
	remove_by(t, "ZREM");
}

static void zset_member_move(struct task *t)
{
	struct bytes words[] = {BYTES("ZADD"), t->at.key, kinds_trim(t->data), t->at.member};

	move_by(t, words, 4, "ZREM");
}

const struct file_ops zset_member_ops = {
	.stat = zset_member_load,
	.load = zset_member_load,
	.store = zset_member_store,
	.create = zset_member_create,
	.remove = zset_member_remove,
	.move = zset_member_move,
	.check = kinds_check_number,
};
