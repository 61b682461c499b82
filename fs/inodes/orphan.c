#include "fs/inodes/orphan.h"

#include "fs/fs.h"
#include "fs/handle.h"
#include "fs/kinds/kinds.h"

bool orphan_wanted(const struct inode *i)
{
	bool data = i->place.node == NODE_ENTRY || i->place.node == NODE_MEMBER;

	return data && i->opens && !i->scratch && !i->place.kind->at_once &&
	       !i->place.kind->keyless && place_ops(&i->place)->load;
}

static void take(struct task *t, struct bytes b)
{
	buf_bytes(&t->left_bytes, b);
	if (t->left_bytes.failed)
		buf_free(&t->left_bytes);
	else
		t->left_there = true;
}

static void loaded(struct task *t, int err)
{
	struct iovec iov[2];
	size_t size = content_size(&t->content);

	if (!err && size <= SCRATCH_BYTES) {
		int n = content_range(&t->content, 0, size, iov);
		for (int i = 0; i < n; i++)
			take(t, bytes_of(iov[i].iov_base, iov[i].iov_len));
		t->left_there = !t->left_bytes.failed;
	}
	content_free(&t->content);
	t->at = t->left_from;
	task_end(t, 0);
}

void orphan_load(struct task *t, struct inode *i, task_step step)
{
	const struct handle *last = NULL;

	inode_ref(i);
	t->left = i;
	t->left_from = t->at;
	task_then(t, step);
	for (const struct handle *h = i->writers; h; h = h->next)
		if (h->unsaved)
			last = h;
	if (last) {
		if (handle_staged(last).n <= SCRATCH_BYTES)
			take(t, handle_staged(last));
		task_end(t, 0);
		return;
	}
	t->at = i->place;
	task_then(t, loaded);
	place_ops(&t->at)->load(t);
}

void orphan_settle(struct task *t)
{
	struct scratches *s = &t->m->scratches;
	struct inode *i = t->left;

	if (!i || !t->left_there || i->listed || i->scratch || !i->opens ||
	    scratch_new(s, i, false))
		return;
	if (scratch_write(s, i->scratch, 0, buf_view(&t->left_bytes))) { /* no room */
		scratch_free(s, i->scratch);
		inode_unref(&t->m->inodes, i);
		return;
	}
	while (i->writers)
		handle_unstage(i->writers);
}
