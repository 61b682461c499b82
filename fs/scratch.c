#include "fs/scratch.h"

#include <errno.h>
#include <utlist.h>

#include "store/base/mem.h"

int scratch_new(struct scratches *s, struct inode *i, int64_t now_ms)
{
	if (s->files >= SCRATCH_FILES)
		return ENOSPC;
	struct scratch *f = mem_calloc(sizeof(*f));
	f->inode = i;
	f->time_ms = now_ms;
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

int scratch_write(struct scratches *s, struct scratch *f, uint64_t off, struct bytes data,
		  int64_t now_ms)
{
	uint64_t end = off + data.n;
	int err = end < off ? ENOSPC : end > f->data.n ? resize(s, f, end) : 0;

	if (err)
		return err;
	if (data.n)
		memcpy(f->data.p + off, data.p, data.n);
	f->time_ms = now_ms;
	return 0;
}

int scratch_truncate(struct scratches *s, struct scratch *f, uint64_t size, int64_t now_ms)
{
	f->time_ms = now_ms;
	return size == f->data.n ? 0 : resize(s, f, size);
}

bool scratch_in(const struct scratches *s, const struct place *dir)
{
	for (const struct scratch *f = s->list; f; f = f->next) {
		const struct place *p = &f->inode->place;
		if (p->has_member && p->kind == dir->kind && p->db == dir->db &&
		    p->raw == dir->raw && p->numbered == dir->numbered &&
		    bytes_eq(p->key, dir->key))
			return true;
	}
	return false;
}
