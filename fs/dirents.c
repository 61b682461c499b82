#include "fs/dirents.h"

#include <linux/fuse.h>
#include <stddef.h>
#include <sys/stat.h>

#include "fs/name.h"

#define HEAD offsetof(struct fuse_dirent, name)

/* Gone names are moved out of the way when there are more bytes of them. */
#define GONE_MAX ((size_t)256 << 10)

void dirents_fini(struct dirents *d)
{
	buf_free(&d->buf);
	*d = (struct dirents){0};
}

/* The record's head is put when its name stands. */
static char *begin(struct dirents *d, size_t n)
{
	return buf_room(&d->buf, FUSE_DIRENT_ALIGN(HEAD + n));
}

static void end(struct dirents *d, char *at, size_t n, mode_t mode, uint64_t ino)
{
	struct fuse_dirent head = {
		.ino = ino,
		.off = ++d->count,
		.namelen = (uint32_t)n,
		.type = (mode & S_IFMT) >> 12,
	};
	size_t size = FUSE_DIRENT_ALIGN(HEAD + n);

	memcpy(at, &head, HEAD);
	memset(at + HEAD + n, 0, size - HEAD - n);
	d->buf.n += size;
}

void dirents_add(struct dirents *d, struct bytes name, mode_t mode, uint64_t ino)
{
	char *at = begin(d, name.n);

	if (!at)
		return;
	memcpy(at + HEAD, name.p, name.n);
	end(d, at, name.n, mode, ino);
}

void dirents_add_key(struct dirents *d, struct bytes key, mode_t mode, uint64_t ino)
{
	size_t n = name_length(key);
	char *at = begin(d, n);

	if (!at)
		return;
	name_write(at + HEAD, n, key);
	end(d, at, n, mode, ino);
}

static size_t size_at(const struct dirents *d, size_t at)
{
	uint32_t n;

	memcpy(&n, d->buf.p + at + offsetof(struct fuse_dirent, namelen), sizeof(n));
	return FUSE_DIRENT_ALIGN(HEAD + n);
}

bool dirents_forget(struct dirents *d, uint64_t off)
{
	if (off < d->first)
		return false;
	while (d->first < off && d->at < d->buf.n) {
		d->at += size_at(d, d->at);
		d->first++;
	}
	if (d->at == d->buf.n) {
		d->at = d->buf.n = 0;
	} else if (d->at > GONE_MAX && d->at * 2 > d->buf.n) {
		memmove(d->buf.p, d->buf.p + d->at, d->buf.n - d->at);
		d->buf.n -= d->at;
		d->at = 0;
	}
	return true;
}

struct bytes dirents_take(const struct dirents *d, size_t size)
{
	size_t from = d->at;

	while (from < d->buf.n && size_at(d, from) > size)
		from += size_at(d, from);
	size_t to = from;
	while (to < d->buf.n && to + size_at(d, to) - from <= size)
		to += size_at(d, to);
	return bytes_of(d->buf.p + from, to - from);
}
