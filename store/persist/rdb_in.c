/* store/persist/rdb_in.c - see rdb_in.h. */
#include "store/persist/rdb_in.h"

#include <errno.h>
#include <liblzf/lzf.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "store/persist/crc64.h"
#include "store/persist/rdb_format.h"

#define WINDOW ((size_t)256 * 1024)

/* Three bytes of LZF stand for 264 at the most. */
#define LZF_RATIO 264

void rdb_in_file(struct rdb_in *in, int fd, uint64_t size, bool checksum)
{
	*in = (struct rdb_in){.fd = fd, .left = size, .checksum = checksum};
	in->buf = mem_alloc(WINDOW);
	in->at = in->end = in->crc_from = in->buf;
}

void rdb_in_memory(struct rdb_in *in, const void *p, size_t n)
{
	*in = (struct rdb_in){.fd = -1, .end_offset = n};
	in->at = in->crc_from = p;
	in->end = in->at + n;
}

void rdb_in_fini(struct rdb_in *in)
{
	mem_free(in->buf);
	mem_free(in->scratch[0].p);
	mem_free(in->scratch[1].p);
	in->buf = NULL;
}

bool rdb_in_fail(struct rdb_in *in, const char *fmt, ...)
{
	va_list ap;

	if (in->failed)
		return false;
	in->failed = true;
	in->error_offset = rdb_in_offset(in);
	va_start(ap, fmt);
	vsnprintf(in->error, sizeof(in->error), fmt, ap);
	va_end(ap);
	return false;
}

static bool cut_short(struct rdb_in *in)
{
	return rdb_in_fail(in, "Unexpected EOF reading RDB file");
}

/* --- bytes --- */

uint64_t rdb_in_crc(struct rdb_in *in)
{
	in->crc = crc64(in->crc, in->crc_from, (size_t)(in->at - in->crc_from));
	in->crc_from = in->at;
	return in->crc;
}

/* Up to @n bytes from the file into @dst; 0 with the failure noted. */
static size_t read_some(struct rdb_in *in, unsigned char *dst, size_t n)
{
	ssize_t r;

	if (n > in->left)
		n = (size_t)in->left;
	do
		r = read(in->fd, dst, n);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		rdb_in_fail(in, "read error: %s", strerror(errno));
	else if (r == 0)
		rdb_in_fail(in, "the file is shorter than it was");
	if (r <= 0)
		return 0;
	in->left -= (uint64_t)r;
	in->end_offset += (uint64_t)r;
	return (size_t)r;
}

/* Have at least @n bytes in the window; what is left there moves to its start. */
static bool refill(struct rdb_in *in, size_t n)
{
	size_t have = (size_t)(in->end - in->at);

	if (in->failed)
		return false;
	if (rdb_in_left(in) < n)
		return cut_short(in);
	if (in->checksum)
		rdb_in_crc(in);
	memmove(in->buf, in->at, have);
	in->at = in->crc_from = in->buf;
	in->end = in->buf + have;
	while (have < n) {
		size_t got = read_some(in, in->buf + have, WINDOW - have);
		if (got == 0)
			return false;
		have += got;
		in->end += got;
	}
	return true;
}

const unsigned char *rdb_in_take_slow(struct rdb_in *in, size_t n)
{
	if (in->failed || n > RDB_IN_TAKE || !refill(in, n))
		return NULL;
	const unsigned char *p = in->at;
	in->at += n;
	return p;
}

bool rdb_in_read(struct rdb_in *in, void *dst, size_t n)
{
	size_t have = (size_t)(in->end - in->at);
	unsigned char *to = dst;

	if (in->failed)
		return false;
	if (n > rdb_in_left(in))
		return cut_short(in);
	if (n > have && n - have < WINDOW) {
		memcpy(to, in->at, have);
		in->at += have;
		to += have;
		n -= have;
		if (!refill(in, n))
			return false;
		have = (size_t)(in->end - in->at);
	}
	if (n <= have) {
		if (n)
			memcpy(to, in->at, n);
		in->at += n;
		return true;
	}
	/* Much: what the window has, the rest straight from the file. */
	memcpy(to, in->at, have);
	in->at += have;
	if (in->checksum)
		rdb_in_crc(in);
	to += have;
	n -= have;
	in->at = in->end = in->crc_from = in->buf;
	while (n > 0) {
		size_t got = read_some(in, to, n);
		if (got == 0)
			return false;
		if (in->checksum)
			in->crc = crc64(in->crc, to, got);
		to += got;
		n -= got;
	}
	return true;
}

bool rdb_in_skip(struct rdb_in *in, uint64_t n)
{
	if (n > rdb_in_left(in))
		return cut_short(in);
	while (n > 0) {
		size_t part = n < RDB_IN_TAKE ? (size_t)n : RDB_IN_TAKE;
		if (!rdb_in_take(in, part))
			return false;
		n -= part;
	}
	return true;
}

/* --- lengths --- */

bool rdb_in_len(struct rdb_in *in, uint64_t *n, bool *special)
{
	const unsigned char *p = rdb_in_take(in, 1);
	uint32_t v32;
	uint64_t v64;

	*special = false;
	if (!p)
		return false;
	unsigned b = *p;
	switch ((enum rdb_len)(b >> 6)) {
	case RDB_LEN_6:
		*n = b & 63;
		return true;
	case RDB_LEN_14:
		p = rdb_in_take(in, 1);
		if (p)
			*n = (b & 63) << 8 | *p;
		return p != NULL;
	case RDB_LEN_SPECIAL:
		*special = true;
		*n = b & 63;
		return true;
	case RDB_LEN_LONG:
		break;
	}
	p = b == RDB_LEN_32 || b == RDB_LEN_64 ? rdb_in_take(in, b == RDB_LEN_32 ? 4 : 8) : NULL;
	if (!p)
		return rdb_in_fail(in, "unknown length encoding %u", b);
	if (b == RDB_LEN_32) {
		memcpy(&v32, p, 4);
		*n = __builtin_bswap32(v32);
	} else {
		memcpy(&v64, p, 8);
		*n = __builtin_bswap64(v64);
	}
	return true;
}

bool rdb_in_plain_len(struct rdb_in *in, uint64_t *n)
{
	bool special;

	if (!rdb_in_len(in, n, &special))
		return false;
	return !special || rdb_in_fail(in, "a length was expected");
}

bool rdb_in_count(struct rdb_in *in, unsigned each, uint64_t *n)
{
	if (!rdb_in_plain_len(in, n))
		return false;
	if (*n > rdb_in_left(in) / each)
		return rdb_in_fail(in, "%llu elements do not fit what is left",
				   (unsigned long long)*n);
	return true;
}

/* --- strings --- */

static bool int_head(struct rdb_in *in, unsigned size, struct rdb_string *s)
{
	const unsigned char *p = rdb_in_take(in, size);
	uint32_t v = 0;

	if (!p)
		return false;
	memcpy((unsigned char *)&v + sizeof(v) - size, p, size);
	s->how = RDB_IN_INT;
	s->n = num_format_int(s->text, (int32_t)v >> (8 * (sizeof(v) - size)));
	s->packed = 0;
	return true;
}

static bool lzf_head(struct rdb_in *in, struct rdb_string *s)
{
	uint64_t packed, n;

	if (!rdb_in_plain_len(in, &packed) || !rdb_in_plain_len(in, &n))
		return false;
	if (packed > rdb_in_left(in))
		return cut_short(in);
	if (packed > UINT32_MAX || n > UINT32_MAX || n == 0 || n / LZF_RATIO > packed)
		return rdb_in_fail(in, "impossible length of a compressed string");
	s->how = RDB_IN_LZF;
	s->packed = (size_t)packed;
	s->n = (size_t)n;
	return true;
}

bool rdb_in_head(struct rdb_in *in, struct rdb_string *s)
{
	bool special;
	uint64_t n;

	if (!rdb_in_len(in, &n, &special))
		return false;
	if (!special) {
		if (n > rdb_in_left(in))
			return cut_short(in);
		if (n > UINT32_MAX)
			return rdb_in_fail(in, "a string of %llu bytes is too long",
					   (unsigned long long)n);
		s->how = RDB_IN_RAW;
		s->n = s->packed = (size_t)n;
		return true;
	}
	switch (n) {
	case RDB_INT8:
		return int_head(in, 1, s);
	case RDB_INT16:
		return int_head(in, 2, s);
	case RDB_INT32:
		return int_head(in, 4, s);
	case RDB_LZF:
		return lzf_head(in, s);
	default:
		return rdb_in_fail(in, "unknown string encoding %u", (unsigned)n);
	}
}

static bool unpack(struct rdb_in *in, const struct rdb_string *s, void *dst)
{
	unsigned char *own = NULL;
	const unsigned char *p;

	if (s->packed <= RDB_IN_TAKE) {
		p = rdb_in_take(in, s->packed);
	} else {
		p = own = mem_try(s->packed);
		if (!own)
			return rdb_in_fail(in, "no memory for a compressed string");
		if (!rdb_in_read(in, own, s->packed))
			p = NULL;
	}
	bool ok = p && lzf_decompress(p, (unsigned)s->packed, dst, (unsigned)s->n) == s->n;
	mem_free(own);
	return ok || rdb_in_fail(in, "a compressed string is damaged");
}

bool rdb_in_body(struct rdb_in *in, const struct rdb_string *s, void *dst)
{
	switch (s->how) {
	case RDB_IN_RAW:
		if (__builtin_expect((size_t)(in->end - in->at) < s->n, 0))
			return rdb_in_read(in, dst, s->n);
		if (s->n)
			memcpy(dst, in->at, s->n);
		in->at += s->n;
		return true;
	case RDB_IN_INT:
		memcpy(dst, s->text, s->n);
		return true;
	case RDB_IN_LZF:
		break;
	}
	return unpack(in, s, dst);
}

bool rdb_in_string(struct rdb_in *in, unsigned slot, struct bytes *out)
{
	struct rdb_string s;

	if (!rdb_in_head(in, &s))
		return false;
	if (in->scratch[slot].cap < s.n || !in->scratch[slot].p) {
		mem_free(in->scratch[slot].p);
		in->scratch[slot].cap = s.n < 512 ? 512 : s.n;
		in->scratch[slot].p = mem_try(in->scratch[slot].cap);
		if (!in->scratch[slot].p) {
			in->scratch[slot].cap = 0;
			return rdb_in_fail(in, "no memory for a string of %zu bytes", s.n);
		}
	}
	*out = bytes_of(in->scratch[slot].p, s.n);
	return rdb_in_body(in, &s, in->scratch[slot].p);
}

unsigned char *rdb_in_block(struct rdb_in *in, size_t *n)
{
	struct rdb_string s;

	if (!rdb_in_head(in, &s))
		return NULL;
	unsigned char *p = mem_try(s.n ? s.n : 1);
	if (!p) {
		rdb_in_fail(in, "no memory for a value of %zu bytes", s.n);
		return NULL;
	}
	*n = s.n;
	if (rdb_in_body(in, &s, p))
		return p;
	mem_free(p);
	return NULL;
}

struct blob *rdb_in_blob(struct rdb_in *in, const struct rdb_string *s)
{
	struct blob *b = blob_try(s->n);

	if (!b) {
		rdb_in_fail(in, "no memory for a string of %zu bytes", s->n);
		return NULL;
	}
	b->len = s->n;
	if (rdb_in_body(in, s, b->data))
		return b;
	blob_put(b);
	return NULL;
}

/* --- scores --- */

bool rdb_in_double(struct rdb_in *in, double *v)
{
	const unsigned char *p = rdb_in_take(in, sizeof(*v));

	if (!p)
		return false;
	memcpy(v, p, sizeof(*v));
	return !isnan(*v) || rdb_in_fail(in, "a score is not a number");
}

bool rdb_in_text_double(struct rdb_in *in, double *v)
{
	const unsigned char *p = rdb_in_take(in, 1);

	if (!p)
		return false;
	unsigned n = *p;
	if (n == 254 || n == 255) {
		*v = n == 254 ? (double)INFINITY : -(double)INFINITY;
		return true;
	}
	p = n < 253 ? rdb_in_take(in, n) : NULL;
	if (p && num_parse_double(bytes_of(p, n), v) && !isnan(*v))
		return true;
	return rdb_in_fail(in, "a score is not a number");
}
