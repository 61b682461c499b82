/* store/persist/rdb_out.c - see rdb_out.h. */
#define _GNU_SOURCE /* sync_file_range */
#include "store/persist/rdb_out.h"

#include <errno.h>
#include <fcntl.h>
#include <liblzf/lzf.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "store/base/num.h"
#include "store/persist/crc64.h"
#include "store/persist/rdb_format.h"

#define FILE_BUFFER   ((size_t)256 * 1024)
#define MEMORY_BUFFER ((size_t)128)
#define SYNC_BYTES    ((uint64_t)4 << 20)

/* Shorter strings do not shrink; longer ones are not worth a second copy of them. */
#define COMPRESS_MIN 21
#define COMPRESS_MAX ((size_t)1 << 30)

void rdb_out_init(struct rdb_out *o, int fd)
{
	*o = (struct rdb_out){.fd = fd, .cap = fd < 0 ? MEMORY_BUFFER : FILE_BUFFER};
	o->buf = mem_alloc(o->cap);
}

void rdb_out_fini(struct rdb_out *o)
{
	mem_free(o->buf);
	mem_free(o->lzf);
	*o = (struct rdb_out){.fd = -1};
}

static void sync_along(struct rdb_out *o)
{
	if (!o->sync_often || o->written - o->synced < SYNC_BYTES)
		return;
	/* Only a hint: the fsync at the end tells whether it is on the disk. */
	sync_file_range(o->fd, (off_t)o->synced, (off_t)(o->written - o->synced),
			SYNC_FILE_RANGE_WRITE);
	o->synced = o->written;
}

static void send_on(struct rdb_out *o, const unsigned char *p, size_t n)
{
	if (o->checksum && !o->error)
		o->crc = crc64(o->crc, p, n);
	while (n > 0 && !o->error) {
		ssize_t w = write(o->fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0) {
			o->error = w < 0 ? errno : ENOSPC;
			return;
		}
		p += w;
		n -= (size_t)w;
		o->written += (uint64_t)w;
	}
	sync_along(o);
}

int rdb_out_flush(struct rdb_out *o)
{
	if (o->fd >= 0) {
		send_on(o, o->buf, o->len);
		o->len = 0;
	}
	return o->error;
}

/* Memory that has no room: the rest of the payload is dropped. */
static void memory_grow(struct rdb_out *o, size_t n)
{
	size_t cap = o->cap * 2 > o->len + n ? o->cap * 2 : o->len + n;
	unsigned char *more = o->error ? NULL : mem_retry(o->buf, cap);

	if (!more) {
		o->error = ENOMEM;
		o->len = 0;
		return;
	}
	o->buf = more;
	o->cap = cap;
}

void rdb_out_room(struct rdb_out *o, size_t n)
{
	if (o->cap - o->len >= n)
		return;
	if (o->fd >= 0)
		rdb_out_flush(o);
	else
		memory_grow(o, n);
}

void rdb_out_bytes_slow(struct rdb_out *o, const void *p, size_t n)
{
	rdb_out_room(o, n);
	if (o->cap - o->len >= n) {
		memcpy(o->buf + o->len, p, n);
		o->len += n;
	} else if (o->fd >= 0) {
		send_on(o, p, n);
	}
}

void rdb_out_len(struct rdb_out *o, uint64_t n)
{
	unsigned char b[9];
	size_t size;

	if (n < 64) {
		b[0] = (unsigned char)n;
		size = 1;
	} else if (n < 16384) {
		b[0] = (unsigned char)(RDB_LEN_14 << 6 | n >> 8);
		b[1] = (unsigned char)n;
		size = 2;
	} else if (n <= UINT32_MAX) {
		uint32_t be = __builtin_bswap32((uint32_t)n);
		b[0] = RDB_LEN_32;
		memcpy(b + 1, &be, 4);
		size = 5;
	} else {
		uint64_t be = __builtin_bswap64(n);
		b[0] = RDB_LEN_64;
		memcpy(b + 1, &be, 8);
		size = 9;
	}
	rdb_out_bytes(o, b, size);
}

/* As a special string when it has 32 bits; false when it has more. */
static bool put_int(struct rdb_out *o, int64_t v)
{
	unsigned char b[5];
	size_t size;

	if (v >= INT8_MIN && v <= INT8_MAX) {
		b[0] = RDB_LEN_SPECIAL << 6 | RDB_INT8;
		size = 2;
	} else if (v >= INT16_MIN && v <= INT16_MAX) {
		b[0] = RDB_LEN_SPECIAL << 6 | RDB_INT16;
		size = 3;
	} else if (v >= INT32_MIN && v <= INT32_MAX) {
		b[0] = RDB_LEN_SPECIAL << 6 | RDB_INT32;
		size = 5;
	} else {
		return false;
	}
	memcpy(b + 1, &v, size - 1);
	rdb_out_bytes(o, b, size);
	return true;
}

static void put_plain(struct rdb_out *o, struct bytes s)
{
	rdb_out_len(o, s.n);
	rdb_out_bytes(o, s.p, s.n);
}

/* Up to this length it costs less to look for a repetition than to try. */
#define GLANCE_MAX 128

/* Whether three bytes of a short string come twice, as far as a small table can tell: without that nothing shrinks. */
static bool repeats(struct bytes s)
{
	unsigned char at[256];

	memset(at, 0xff, sizeof(at));
	for (size_t i = 0; i + 4 <= s.n; i++) {
		uint32_t v, w;
		memcpy(&v, s.p + i, 4);
		v &= 0xffffff;
		unsigned h = v * UINT32_C(2654435761) >> 24;
		if (at[h] != 0xff) {
			memcpy(&w, s.p + at[h], 4);
			if ((w & 0xffffff) == v)
				return true;
		}
		at[h] = (unsigned char)i;
	}
	return false;
}

/* False when it would not be shorter. */
static bool put_compressed(struct rdb_out *o, struct bytes s)
{
	size_t room = s.n - 4;

	if (s.n <= GLANCE_MAX && !repeats(s))
		return false;
	if (o->lzf_cap < room) {
		mem_free(o->lzf);
		o->lzf_cap = room < 4096 ? 4096 : room;
		o->lzf = mem_try(o->lzf_cap);
		if (!o->lzf) {
			o->lzf_cap = 0;
			return false;
		}
	}
	unsigned n = lzf_compress(s.p, (unsigned)s.n, o->lzf, (unsigned)room);
	if (n == 0)
		return false;
	rdb_out_byte(o, RDB_LEN_SPECIAL << 6 | RDB_LZF);
	rdb_out_len(o, n);
	rdb_out_len(o, s.n);
	rdb_out_bytes(o, o->lzf, n);
	return true;
}

void rdb_out_string(struct rdb_out *o, struct bytes s)
{
	int64_t v;

	if (s.n <= 11 && s.n > 0 && (unsigned char)s.p[s.n - 1] <= '9' && num_parse_int(s, &v) &&
	    put_int(o, v))
		return;
	if (o->compress && s.n >= COMPRESS_MIN && s.n <= COMPRESS_MAX && put_compressed(o, s))
		return;
	put_plain(o, s);
}

void rdb_out_string_int(struct rdb_out *o, int64_t v)
{
	char buf[NUM_BUF];

	if (!put_int(o, v))
		put_plain(o, bytes_of(buf, num_format_int(buf, v)));
}

void rdb_out_double(struct rdb_out *o, double v)
{
	rdb_out_bytes(o, &v, sizeof(v));
}

void rdb_out_aux(struct rdb_out *o, const char *name, const char *value)
{
	rdb_out_byte(o, RDB_OP_AUX);
	rdb_out_string(o, bytes_str(name));
	rdb_out_string(o, bytes_str(value));
}
