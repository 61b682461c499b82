#include "fs/kernel/landing.h"

#include <linux/fuse.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fs/fs.h"
#include "fs/handle.h"
#include "store/base/mem.h"

#define HEAD (sizeof(struct fuse_in_header) + sizeof(struct fuse_write_in))

/* A stage has to be as big, and its writes, before room is made for what may come. */
#define STAGE_LEAST ((size_t)1 << 20)
#define WRITE_LEAST ((size_t)16 << 10)
#define PAGE        ((size_t)4096)

/* The mount's own room for @n bytes, NULL without memory. */
static char *spare(struct landing *l, size_t n)
{
	if (l->spare_size >= n)
		return l->spare;
	char *p = mem_pages_alloc(n);
	if (!p)
		return NULL;
	mem_pages_free(l->spare, l->spare_size);
	l->spare = p;
	l->spare_size = n;
	return p;
}

static char *page_end(const char *p)
{
	return (char *)(((uintptr_t)p + PAGE - 1) & ~(uintptr_t)(PAGE - 1));
}

/* The pages for the next piece, where the stage has pages of its own. The kernel brings in one at a time while it copies, and takes twice as
 * long for each. */
static void bring(struct landing *l, struct blob *b)
{
	char *from = b->data + b->len, *to = from + l->piece, *end = b->data + b->cap;

	if (b->cap < BLOB_MAPPED || l->brought == to)
		return;
	l->brought = to;
	from = page_end(from);
	to = page_end(to < end ? to : end);
	if (from < to)
		mem_pages_bring(from, (size_t)(to - from));
}

/* The stage that the next piece belongs behind, with room for @n bytes; NULL. */
static struct blob *stage_ahead(struct landing *l, size_t n)
{
	if (!l->flows)
		return NULL;
	struct blob *b = handle_stage_ahead(l->flows, n);
	if (b)
		bring(l, b);
	else
		l->flows = NULL;
	return b;
}

/* Whether a request is the piece that was waited for. */
static bool is_next(const struct landing *l, const void *request, size_t size)
{
	const struct fuse_in_header *in = request;
	const struct fuse_write_in *arg = (const void *)(in + 1);
	const struct handle *h = l->flows;

	return arg->fh == (uintptr_t)h && in->nodeid == h->inode->id &&
	       arg->offset == h->stage->len && arg->size == size;
}

ssize_t landing_read(struct mount *m, int fd, char *buf, size_t n)
{
	struct landing *l = &m->landing;
	struct blob *stage = stage_ahead(l, n - HEAD);
	char *at = stage ? stage->data + stage->len : spare(l, n - HEAD);
	const struct fuse_in_header *in = (const void *)buf;

	l->data = NULL;
	if (!at)
		return read(fd, buf, n);
	struct iovec iov[2] = {{buf, HEAD}, {at, n - HEAD}};
	ssize_t got = readv(fd, iov, 2);
	if (got <= (ssize_t)HEAD)
		return got;
	size_t rest = (size_t)got - HEAD;
	if (in->opcode == FUSE_WRITE && (!stage || is_next(l, buf, rest))) {
		l->data = at;
		return got;
	}
	memcpy(buf + HEAD, at, rest);
	if (stage)
		blob_set_len(stage, stage->len, rest);
	return got;
}

void landing_staged(struct mount *m, struct handle *h, uint64_t end, struct bytes data)
{
	struct landing *l = &m->landing;
	bool flows = l->last == h && data.n >= WRITE_LEAST && end >= STAGE_LEAST &&
		     end == handle_staged(h).n;

	l->flows = flows ? h : NULL;
	l->last = h;
	l->piece = data.n;
}

void landing_other(struct mount *m)
{
	m->landing.flows = m->landing.last = NULL;
}

void landing_forget(struct mount *m, const struct handle *h)
{
	if (m->landing.flows == h || m->landing.last == h)
		landing_other(m);
}

void landing_fini(struct landing *l)
{
	mem_pages_free(l->spare, l->spare_size);
	*l = (struct landing){0};
}
