/* store/base/bytes.h - a borrowed run of bytes.
 *
 * Every key, argument, member and value crosses the layers as one of these. The bytes may
 * hold anything, NUL included, and are never NUL-terminated by contract. A struct bytes owns
 * nothing: whoever hands one out says how long it stays valid.
 */
#ifndef STORE_BASE_BYTES_H
#define STORE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct bytes {
	const char *p;
	size_t n;
};

/* A string literal as bytes, without its terminator. */
#define BYTES(literal) ((struct bytes){(literal), sizeof(literal) - 1})

static inline struct bytes bytes_of(const void *p, size_t n)
{
	return (struct bytes){p, n};
}

static inline struct bytes bytes_str(const char *s)
{
	return (struct bytes){s, strlen(s)};
}

static inline bool bytes_eq(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Order by bytes, a prefix before what it begins: <0, 0, >0. */
static inline int bytes_cmp(struct bytes a, struct bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;
	return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* Equality with an ASCII word whatever the case of @a; @word is lower case. */
static inline bool bytes_is(struct bytes a, const char *word)
{
	for (size_t i = 0; i < a.n; i++) {
		unsigned char c = (unsigned char)a.p[i];
		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		if (word[i] == '\0' || c != (unsigned char)word[i])
			return false;
	}
	return word[a.n] == '\0';
}

#endif
