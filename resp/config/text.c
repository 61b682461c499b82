#include "resp/config/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "resp/proto/parser.h"
#include "store/base/mem.h"

/* --- strings --- */

static void reserve(struct text *t, size_t more)
{
	size_t need = t->n + more + 1;

	if (need <= t->cap)
		return;
	t->cap = need < 64 ? 64 : need * 2;
	t->p = mem_realloc(t->p, t->cap);
}

void text_add(struct text *t, const void *p, size_t n)
{
	reserve(t, n);
	if (n)
		memcpy(t->p + t->n, p, n);
	t->n += n;
	t->p[t->n] = '\0';
}

void text_str(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void text_fmt(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	reserve(t, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(t->p + t->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	t->n += (size_t)n;
}

static void quote_char(struct text *t, unsigned char c)
{
	static const char escapes[] = "\nn\rr\tt\aa\bb\"\"\\\\";

	for (const char *e = escapes; *e; e += 2) {
		if (c == (unsigned char)*e) {
			text_fmt(t, "\\%c", e[1]);
			return;
		}
	}
	if (c >= 0x20 && c < 0x7f)
		text_add(t, &c, 1);
	else
		text_fmt(t, "\\x%02x", c);
}

void text_quote(struct text *t, const char *s, size_t n)
{
	text_add(t, "\"", 1);
	for (size_t i = 0; i < n; i++)
		quote_char(t, (unsigned char)s[i]);
	text_add(t, "\"", 1);
}

char *text_take(struct text *t)
{
	if (!t->p)
		text_add(t, "", 0);
	char *p = t->p;
	*t = (struct text){0};
	return p;
}

void text_fini(struct text *t)
{
	mem_free(t->p);
	*t = (struct text){0};
}

/* --- words --- */

static char *word_of(struct bytes b)
{
	char *s = mem_alloc(b.n + 1);

	if (b.n)
		memcpy(s, b.p, b.n);
	s[b.n] = '\0';
	return s;
}

static void words_add(struct words *w, struct bytes b)
{
	w->argv = mem_realloc(w->argv, ((size_t)w->argc + 1) * sizeof(*w->argv));
	w->argv[w->argc++] = word_of(b);
}

bool words_split(struct bytes line, struct words *out)
{
	struct bytes *argv = NULL;
	int argc = line_split(line, &argv);
	bool clean = true;

	*out = (struct words){0};
	if (argc < 0)
		return false;
	for (int i = 0; i < argc; i++) {
		clean = clean && !memchr(argv[i].p, '\0', argv[i].n);
		words_add(out, argv[i]);
	}
	mem_free(argv);
	if (!clean)
		words_fini(out);
	return clean;
}

void words_split_blanks(struct bytes s, struct words *out)
{
	*out = (struct words){0};
	while (s.n) {
		const char *blank = memchr(s.p, ' ', s.n);
		size_t n = blank ? (size_t)(blank - s.p) : s.n;

		words_add(out, bytes_of(s.p, n));
		if (!blank)
			return;
		s = bytes_of(blank + 1, s.n - n - 1);
		if (!s.n)
			words_add(out, s);
	}
}

void words_fini(struct words *w)
{
	for (int i = 0; i < w->argc; i++)
		mem_free(w->argv[i]);
	mem_free(w->argv);
	*w = (struct words){0};
}
