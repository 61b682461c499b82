#include "fs/scratch.h"

#include <errno.h>
#include <time.h>
#include <utlist.h>

#include "store/base/mem.h"

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int scratch_new(struct scratches *s, struct inode *i, bool dir)
{
	if (s->files >= SCRATCH_FILES)
		return ENOSPC;
	struct scratch *f = mem_calloc(sizeof(*f));
	f->inode = i;
	f->dir = dir;
	f->time_ns = now_ns();
	inode_ref(i);
	i->scratch = f;
	DL_APPEND(s->list, f);
	s->files++;
	return 0;
}

void scratch_free(struct scratches *s, struct scratch *f)
{
	DL_DELETE(s->list, f);
	s->files--;
	s->bytes -= f->data.cap;
	f->inode->scratch = NULL;
	buf_free(&f->data);
	mem_free(f);
}

void scratches_fini(struct scratches *s)
{
	while (s->list)
		scratch_free(s, s->list);
}

/* Exactly @n bytes, zeroed where they are new. */
static int resize(struct scratches *s, struct scratch *f, uint64_t n)
{
	size_t before = f->data.cap;

	if (n > SCRATCH_BYTES || s->bytes - before + n > SCRATCH_BYTES)
		return ENOSPC;
	if (n > f->data.n) {
		char *at = buf_room(&f->data, (size_t)n - f->data.n);
		if (!at) {
			f->data.failed = false;
			return ENOSPC;
		}
		memset(at, 0, (size_t)n - f->data.n);
	} else if (n == 0) {
		buf_free(&f->data);
	}
	f->data.n = (size_t)n;
	s->bytes += f->data.cap - before;
	return 0;
}

int scratch_write(struct scratches *s, struct scratch *f, uint64_t off, struct bytes data)
{
	uint64_t end = off + data.n;
	int err = end < off ? ENOSPC : end > f->data.n ? resize(s, f, end) : 0;

	if (err)
		return err;
	if (data.n)
		memcpy(f->data.p + off, data.p, data.n);
	f->time_ns = now_ns();
	return 0;
}

int scratch_truncate(struct scratches *s, struct scratch *f, uint64_t size)
{
	f->time_ns = now_ns();
	return size == f->data.n ? 0 : resize(s, f, size);
}

bool scratch_touch(struct inodes *inodes, const struct place *place)
{
	struct place dir = *place;
	struct bytes path = scratch_path(place);
	size_t n = place->node == NODE_SCRATCH ? path.n : 0;

	while (n && path.p[n - 1] != '/')
		n--;
	if (!n)
		return false;
	*(dir.has_member ? &dir.member : &dir.key) = bytes_of(path.p, n - 1);
	struct inode *i = inode_find(inodes, &dir);
	if (i && i->scratch)
		i->scratch->time_ns = now_ns();
	return true;
}

static bool same_tree(const struct place *a, const struct place *b)
{
	return a->kind == b->kind && a->db == b->db && a->raw == b->raw &&
	       a->numbered == b->numbered;
}

bool scratch_is_in(const struct place *p, const struct place *dir, struct bytes *name)
{
	struct bytes path = scratch_path(p);

	if (!same_tree(p, dir))
		return false;
	if (dir->node == NODE_SCRATCH) {
		struct bytes above = scratch_path(dir);
		if (p->has_member != dir->has_member ||
		    (p->has_member && !bytes_eq(p->key, dir->key)) || path.n <= above.n ||
		    memcmp(path.p, above.p, above.n) != 0 || path.p[above.n] != '/')
			return false;
		path = bytes_of(path.p + above.n + 1, path.n - above.n - 1);
	} else if (p->has_member != (dir->node == NODE_ENTRY) ||
		   (p->has_member && !bytes_eq(p->key, dir->key))) {
		return false;
	}
	*name = path;
	return !memchr(path.p, '/', path.n);
}

bool scratch_any_in(const struct scratches *s, const struct place *dir)
{
	struct bytes name;

	for (const struct scratch *f = s->list; f; f = f->next)
		if (f->inode->listed && scratch_is_in(&f->inode->place, dir, &name))
			return true;
	return false;
}

void scratch_move_below(struct scratches *s, struct inodes *inodes, const struct place *from,
			const struct place *to)
{
	struct bytes old = scratch_path(from), new = scratch_path(to);

	for (struct scratch *f = s->list; f; f = f->next) {
		struct place p = f->inode->place;
		struct bytes path = scratch_path(&p);
		struct buf moved = {0};
		if (!f->inode->listed || !same_tree(&p, from) || p.has_member != from->has_member ||
		    (p.has_member && !bytes_eq(p.key, from->key)) || path.n <= old.n ||
		    memcmp(path.p, old.p, old.n) != 0 || path.p[old.n] != '/')
			continue;
		buf_bytes(&moved, new);
		buf_put(&moved, path.p + old.n, path.n - old.n);
		p = *to;
		*(p.has_member ? &p.member : &p.key) = buf_view(&moved);
		inode_move(inodes, f->inode, &p);
		buf_free(&moved);
	}
}
