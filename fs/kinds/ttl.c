/* ttl/KEY: the seconds that a key has left, -1 for no end. */
#include "fs/fs.h"
#include "fs/kinds/kinds.h"
#include "store/base/num.h"

static void loaded(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct answer piece;
	struct buf text = {0};
	char number[NUM_BUF];
	int err = task_answer(a, &piece);

	if (!err && piece.n == -2)
		err = ENOENT;
	if (!err) {
		buf_put(&text, number, num_format_int(number, piece.n));
		content_own(&t->content, &text);
		t->content.newline = true;
		t->found_size = content_size(&t->content);
	}
	task_end(t, err);
}

static void ttl_load(struct task *t)
{
	struct bytes words[] = {BYTES("TTL"), t->at.key};

	task_command(t, words, 2, loaded);
}

static void expire_answered(void *arg, struct answers *a)
{
	struct answer piece;
	int err = task_answer(a, &piece);

	task_end(arg, err ? err : piece.n ? 0 : ENOENT);
}

static void persist_answered(void *arg, struct answers *a)
{
	struct answer piece;

	task_end(arg, task_answer(a, &piece));
}

static void ttl_store(struct task *t)
{
	struct bytes text = kinds_trim(t->data);
	struct bytes words[] = {BYTES("EXPIRE"), t->at.key, text};
	int64_t seconds;

	if (!num_parse_int(text, &seconds) || seconds < -1) {
		task_end(t, EINVAL);
	} else if (seconds == -1) {
		words[0] = BYTES("PERSIST");
		task_command(t, words, 2, persist_answered);
	} else {
		task_command(t, words, 3, expire_answered);
	}
}

const struct file_ops ttl_ops = {
	.stat = ttl_load,
	.load = ttl_load,
	.store = ttl_store,
	.check = kinds_check_number,
};
