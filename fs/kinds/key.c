/* key/KEY: a symbolic link to the key in the directory of its type. */
#include "fs/fs.h"
#include "fs/kinds/kinds.h"
#include "fs/text/name.h"

static void typed(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct answer piece;
	struct buf text = {0};
	int err = task_answer(a, &piece);

	if (!err && bytes_eq(piece.text, BYTES("none")))
		err = ENOENT;
	if (!err) {
		buf_bytes(&text, BYTES("../"));
		buf_bytes(&text, piece.text);
		buf_char(&text, '/');
		name_encode(&text, t->at.key);
		if (text.failed)
			err = ENOMEM;
		t->found_size = text.n;
		content_own(&t->content, &text);
	}
	task_end(t, err);
}

static void key_load(struct task *t)
{
	struct bytes words[] = {BYTES("TYPE"), t->at.key};

	task_command(t, words, 2, typed);
}

const struct file_ops key_ops = {
	.stat = key_load,
	.load = key_load,
	.remove = kinds_remove_key,
};
