#include "fs/text/name.h"

static const char HEX[] = "0123456789ABCDEF";

static bool must_escape(unsigned char c, bool first)
{
	return c < 0x20 || c == 0x7f || c == '/' || c == '%' || (c == '.' && first);
}

/* How many of the eight bytes of @v come before the first that may have to be escaped; the exact question is asked of that one. */
static size_t plain_bytes(uint64_t v)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	uint64_t low = (v - ones * 0x20) & ~v & high; /* below 0x20, and perhaps one behind such */
	uint64_t slash = v ^ ones * '/', percent = v ^ ones * '%', del = v ^ ones * 0x7f;

	slash = (slash - ones) & ~slash & high;
	percent = (percent - ones) & ~percent & high;
	del = (del - ones) & ~del & high;
	uint64_t all = low | slash | percent | del;
	return all ? (size_t)__builtin_ctzll(all) / 8 : 8;
}

/* Where the first byte stands that must be escaped. */
static size_t plain_length(struct bytes key)
{
	size_t i = 0;

	if (key.n && must_escape((unsigned char)key.p[0], true))
		return 0;
	for (uint64_t v; i + 8 <= key.n; i += 8) {
		memcpy(&v, key.p + i, 8);
		size_t n = plain_bytes(v);
		if (n < 8)
			return i + n;
	}
	while (i < key.n && !must_escape((unsigned char)key.p[i], false))
		i++;
	return i;
}

size_t name_length(struct bytes key)
{
	size_t n = key.n ? key.n : 1;

	for (size_t i = plain_length(key); i < key.n; i++)
		if (must_escape((unsigned char)key.p[i], i == 0))
			n += 2;
	return n;
}

void name_write(char *at, size_t n, struct bytes key)
{
	if (n == key.n) {
		memcpy(at, key.p, n);
		return;
	}
	if (key.n == 0)
		*at++ = '%';
	for (size_t i = 0; i < key.n; i++) {
		unsigned char c = (unsigned char)key.p[i];
		if (must_escape(c, i == 0)) {
			*at++ = '%';
			*at++ = HEX[c >> 4];
			*at++ = HEX[c & 15];
		} else {
			*at++ = (char)c;
		}
	}
}

void name_encode(struct buf *out, struct bytes key)
{
	size_t n = name_length(key);
	char *at = buf_room(out, n);

	if (!at)
		return;
	name_write(at, n, key);
	out->n += n;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool name_decode(struct bytes name, char *key_buf, struct bytes *key)
{
	size_t n = 0;

	if (name.n == 0)
		return false;
	if (name.n == 1 && name.p[0] == '%') {
		*key = bytes_of(key_buf, 0);
		return true;
	}
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];
		if (c == '%') {
			if (name.n - i < 3)
				return false;
			int hi = hex_digit(name.p[i + 1]);
			int lo = hex_digit(name.p[i + 2]);
			if (hi < 0 || lo < 0)
				return false;
			c = (unsigned char)(hi << 4 | lo);
			if (!must_escape(c, n == 0))
				return false;
			i += 2;
		} else if (must_escape(c, n == 0)) {
			return false;
		}
		key_buf[n++] = (char)c;
	}
	*key = bytes_of(key_buf, n);
	return true;
}
