/* resp/config/text.h - a string being built, and a line taken apart: what configuration files are made of.
 */
#ifndef RESP_CONFIG_TEXT_H
#define RESP_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/bytes.h"

/* Zeroed at first; p is NUL-terminated once something was added, and may be NULL before. */
struct text {
	char *p;
	size_t n, cap;
};

void text_add(struct text *t, const void *p, size_t n);
void text_str(struct text *t, const char *s);
void text_fmt(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* In double quotes, escaped so that line_split reads it back. */
void text_quote(struct text *t, const char *s, size_t n);
/* The string, never NULL; the caller's, for mem_free. @t is empty then. */
char *text_take(struct text *t);
void text_fini(struct text *t);

/* Words as C strings, owned. */
struct words {
	int argc;
	char **argv;
};

/* Take a line apart by redis-cli's quoting rules. False when the quotes are unbalanced or a word holds a NUL byte. */
bool words_split(struct bytes line, struct words *out);
/* At every single blank, as CONFIG SET does: "a  b" is three words, "" none. */
void words_split_blanks(struct bytes s, struct words *out);
void words_fini(struct words *w);

#endif
