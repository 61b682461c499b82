#include "fs/text/line.h"

#include <stdint.h>

/* A UTF-8 decoder that can stop between any two bytes: what is still to come of the character begun. */
struct utf8 {
	unsigned left; /* continuation bytes missing */
	uint8_t lo,
		hi; /* bounds of the next one: no overlong forms, no surrogates, nothing past U+10FFFF, no C1 controls */
};

/* False when @c cannot stand here or is a control character. */
static bool utf8_feed(struct utf8 *u, uint8_t c)
{
	if (u->left) {
		if (c < u->lo || c > u->hi)
			return false;
		u->left--;
		u->lo = 0x80;
		u->hi = 0xbf;
		return true;
	}
	if (c < 0x80)
		return c >= 0x20 && c != 0x7f;
	u->lo = 0x80;
	u->hi = 0xbf;
	if (c >= 0xc2 && c <= 0xdf) {
		u->left = 1;
		if (c == 0xc2) /* U+0080 to U+009F are controls */
			u->lo = 0xa0;
	} else if (c >= 0xe0 && c <= 0xef) {
		u->left = 2;
		if (c == 0xe0)
			u->lo = 0xa0;
		else if (c == 0xed)
			u->hi = 0x9f;
	} else if (c >= 0xf0 && c <= 0xf4) {
		u->left = 3;
		if (c == 0xf0)
			u->lo = 0x90;
		else if (c == 0xf4)
			u->hi = 0x8f;
	} else {
		return false;
	}
	return true;
}

bool line_is_text(const struct bytes *v, int n)
{
	struct utf8 u = {0};

	while (n > 0 && v[n - 1].n == 0)
		n--;
	if (n == 0 || v[n - 1].p[v[n - 1].n - 1] != '\n')
		return false;
	for (int i = 0; i < n; i++) {
		size_t end = v[i].n - (i == n - 1);
		for (size_t k = 0; k < end; k++)
			if (!utf8_feed(&u, (uint8_t)v[i].p[k]))
				return false;
	}
	return u.left == 0;
}
