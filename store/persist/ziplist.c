/* store/persist/ziplist.c - see ziplist.h.
 *
 * Ziplist: u32 bytes, u32 offset of the last element, u16 count (0xffff: unknown), elements, 0xff. An element: the length of the
 * one before it (one byte, or 0xfe and four), an encoding, data. Zipmap: count, then length, field, length, a byte of
 * slack, value, slack; 0xff. Lengths from 254 on stand in four bytes behind a 254.
 */
#include "store/persist/ziplist.h"

#include <stdint.h>

#define HEADER 10
#define END    0xff
#define LONG   0xfe

static uint32_t get_u32(const unsigned char *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static uint16_t get_u16(const unsigned char *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

/* --- ziplist --- */

struct element {
	size_t head; /* bytes before the data */
	size_t n;    /* of data */
	bool is_int;
	int64_t v;
	size_t before; /* what it says of its neighbour's length */
};

/* An integer of @n bytes behind the encoding, low bytes first. */
static int64_t load_int(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	memcpy((unsigned char *)&v + sizeof(v) - n, p, n);
	return (int64_t)v >> (8 * (sizeof(v) - n));
}

/* The encoding of an integer at @p: bytes that follow it; 0 for one that holds the value itself; -1 for none. */
static int int_bytes(unsigned char c)
{
	switch (c) {
	case 0xc0:
		return 2;
	case 0xd0:
		return 4;
	case 0xe0:
		return 8;
	case 0xf0:
		return 3;
	case 0xfe:
		return 1;
	default:
		return c >= 0xf1 && c <= 0xfd ? 0 : -1;
	}
}

/* The element at @p, all of it before @end. */
static bool parse(const unsigned char *p, const unsigned char *end, struct element *e)
{
	size_t room = (size_t)(end - p), at = p[0] == LONG ? 5 : 1;

	if (room <= at || p[0] == END)
		return false;
	e->before = p[0] == LONG ? get_u32(p + 1) : p[0];
	const unsigned char *c = p + at;
	size_t size = *c >> 6 == 1 ? 2 : *c >> 6 == 2 ? 5 : 1;
	if (room - at < size)
		return false;
	e->is_int = *c >> 6 == 3;
	e->head = at + size;
	if (*c >> 6 == 0)
		e->n = *c & 63;
	else if (*c >> 6 == 1)
		e->n = (size_t)(*c & 63) << 8 | c[1];
	else if (*c >> 6 == 2)
		e->n = __builtin_bswap32(get_u32(c + 1));
	if (!e->is_int)
		return e->n <= room - e->head;
	int n = int_bytes(*c);
	if (n < 0 || (size_t)n > room - e->head)
		return false;
	e->n = (size_t)n;
	e->v = n ? load_int(c + 1, e->n) : (*c & 15) - 1;
	return true;
}

bool ziplist_valid(const unsigned char *zl, size_t n)
{
	if (n < HEADER + 1 || get_u32(zl) != n || zl[n - 1] != END)
		return false;
	const unsigned char *p = zl + HEADER, *end = zl + n - 1, *last = p;
	size_t count = 0, before = 0, claimed = get_u16(zl + 8);
	struct element e;
	for (; p < end; count++) {
		if (!parse(p, end, &e) || e.before != before)
			return false;
		before = e.head + e.n;
		last = p;
		p += before;
	}
	if (zl + get_u32(zl + 4) != last)
		return false;
	return claimed == UINT16_MAX || claimed == count;
}

void ziplist_begin(struct ziplist_iter *it, const unsigned char *zl, size_t n)
{
	it->p = zl + HEADER;
	it->end = zl + n - 1;
}

bool ziplist_next(struct ziplist_iter *it, struct bytes *out)
{
	struct element e;

	if (it->p >= it->end || !parse(it->p, it->end, &e))
		return false;
	*out = e.is_int ? bytes_of(it->buf, num_format_int(it->buf, e.v))
			: bytes_of(it->p + e.head, e.n);
	it->p += e.head + e.n;
	return true;
}

/* --- zipmap --- */

/* A length at @p: how many bytes it takes, 0 when it is none. */
static size_t map_len(const unsigned char *p, const unsigned char *end, size_t *n)
{
	if (p >= end || *p == END)
		return 0;
	if (*p < LONG) {
		*n = *p;
		return 1;
	}
	if (end - p < 5)
		return 0;
	*n = get_u32(p + 1);
	return 5;
}

/* A field, or a value with its slack; the place behind it, NULL when it is malformed. */
static const unsigned char *map_item(const unsigned char *p, const unsigned char *end, bool value,
				     struct bytes *out)
{
	size_t n, size = map_len(p, end, &n), slack = 0;

	if (size == 0)
		return NULL;
	p += size;
	if (value) {
		if (p >= end)
			return NULL;
		slack = *p++;
	}
	if (n > (size_t)(end - p) || slack > (size_t)(end - p) - n)
		return NULL;
	*out = bytes_of(p, n);
	return p + n + slack;
}

bool zipmap_valid(const unsigned char *zm, size_t n)
{
	if (n < 2 || zm[n - 1] != END)
		return false;
	const unsigned char *p = zm + 1, *end = zm + n - 1;
	size_t pairs = 0;
	struct bytes item;
	for (; p < end; pairs++) {
		p = map_item(p, end, false, &item);
		if (p)
			p = map_item(p, end, true, &item);
		if (!p)
			return false;
	}
	return zm[0] >= LONG || zm[0] == pairs;
}

void zipmap_begin(struct ziplist_iter *it, const unsigned char *zm, size_t n)
{
	it->p = zm + 1;
	it->end = zm + n - 1;
	it->value = false;
}

bool zipmap_next(struct ziplist_iter *it, struct bytes *out)
{
	if (it->p >= it->end)
		return false;
	it->p = map_item(it->p, it->end, it->value, out);
	it->value = !it->value;
	return it->p != NULL;
}
