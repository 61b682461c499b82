#include "fs/name.h"

static const char HEX[] = "0123456789ABCDEF";

static bool must_escape(unsigned char c, bool first)
{
	return c < 0x20 || c == 0x7f || c == '/' || c == '%' || (c == '.' && first);
}

size_t name_length(struct bytes key)
{
	size_t n = key.n ? key.n : 1;

	for (size_t i = 0; i < key.n; i++)
		if (must_escape((unsigned char)key.p[i], i == 0))
			n += 2;
	return n;
}

void name_encode(struct buf *out, struct bytes key)
{
	char *at = buf_room(out, name_length(key));

	if (!at)
		return;
	char *start = at;
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
	out->n += (size_t)(at - start);
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
