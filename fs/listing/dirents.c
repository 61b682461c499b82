#include "fs/listing/dirents.h"

#include <linux/fuse.h>
#include <stddef.h>
#include <sys/stat.h>

#include "fs/text/name.h"

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
	d->nfresh++;
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

void dirents_forget(struct dirents *d, uint64_t off)
{
	while (d->first < off && d->at < d->fresh) {
		d->at += size_at(d, d->at);
		d->first++;
	}
	if (d->at > GONE_MAX && d->at * 2 > d->buf.n) {
		memmove(d->buf.p, d->buf.p + d->at, d->buf.n - d->at);
		d->buf.n -= d->at;
		d->fresh -= d->at;
		d->at = 0;
	}
}

struct bytes dirents_take(const struct dirents *d, size_t size)
{
	size_t from = d->at;

	while (from < d->fresh && size_at(d, from) > size)
		from += size_at(d, from);
	size_t to = from;
	while (to < d->fresh && to + size_at(d, to) - from <= size)
		to += size_at(d, to);
	return bytes_of(d->buf.p + from, to - from);
}

/* --- order --- */

/* A name by eight bytes of it, behind what all have in common. */
struct sorted {
	uint64_t key;
	size_t at;
};

static struct bytes name_at(const struct dirents *d, size_t at)
{
	uint32_t n;

	memcpy(&n, d->buf.p + at + offsetof(struct fuse_dirent, namelen), sizeof(n));
	return bytes_of(d->buf.p + at + HEAD, n);
}

static size_t common(struct bytes a, struct bytes b, size_t most)
{
	size_t n = 0;

	while (n < most && n < a.n && n < b.n && a.p[n] == b.p[n])
		n++;
	return n;
}

static uint64_t key_of(struct bytes name, size_t from)
{
	unsigned char eight[8] = {0};
	uint64_t v;

	if (from < name.n)
		memcpy(eight, name.p + from, name.n - from < 8 ? name.n - from : 8);
	memcpy(&v, eight, sizeof(v));
	return __builtin_bswap64(v);
}

static void fill_keys(const struct dirents *d, struct sorted *v)
{
	struct bytes one = name_at(d, d->fresh);
	size_t same = one.n, i = 0;

	for (size_t at = d->fresh; at < d->buf.n; at += size_at(d, at))
		same = common(one, name_at(d, at), same);
	for (size_t at = d->fresh; at < d->buf.n; at += size_at(d, at))
		v[i++] = (struct sorted){key_of(name_at(d, at), same), at};
}

/* By each byte of the keys in turn, the last first, but for those that are the same everywhere. The result is in @v or in @w. */
static struct sorted *sort_keys(struct sorted *v, struct sorted *w, size_t n)
{
	uint32_t counts[8][256] = {{0}};

	for (size_t i = 0; i < n; i++)
		for (unsigned b = 0; b < 8; b++)
			counts[b][v[i].key >> 8 * b & 255]++;
	for (unsigned b = 0; b < 8; b++) {
		uint32_t *c = counts[b], sum = 0;
		if (c[v[0].key >> 8 * b & 255] == n)
			continue;
		for (unsigned k = 0; k < 256; k++) {
			uint32_t here = c[k];
			c[k] = sum;
			sum += here;
		}
		for (size_t i = 0; i < n; i++)
			w[c[v[i].key >> 8 * b & 255]++] = v[i];
		struct sorted *swap = v;
		v = w;
		w = swap;
	}
	return v;
}

/* The records as @v says, with their offsets. */
static void reorder(struct dirents *d, const struct sorted *v, size_t n, char *room)
{
	size_t size = d->buf.n - d->fresh, to = 0;
	uint64_t off = d->count - n;

	for (size_t i = 0; i < n; i++) {
		size_t one = size_at(d, v[i].at);
		off++;
		memcpy(room + to, d->buf.p + v[i].at, one);
		memcpy(room + to + offsetof(struct fuse_dirent, off), &off, sizeof(off));
		to += one;
	}
	memcpy(d->buf.p + d->fresh, room, size);
}

void dirents_sort(struct dirents *d)
{
	size_t n = d->nfresh;
	struct sorted *v = n > 1 ? mem_try(2 * n * sizeof(*v)) : NULL;
	char *room = v ? mem_try(d->buf.n - d->fresh) : NULL;

	if (room) {
		fill_keys(d, v);
		reorder(d, sort_keys(v, v + n, n), n, room);
	}
	mem_free(room);
	mem_free(v);
	dirents_settle(d);
}
