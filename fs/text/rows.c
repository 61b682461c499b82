#include "fs/text/rows.h"

#include <stdint.h>

/* Letters of $'...' for bytes that have one. */
static char escape_letter(unsigned char c)
{
	switch (c) {
	case '\a':
		return 'a';
	case '\b':
		return 'b';
	case '\t':
		return 't';
	case '\n':
		return 'n';
	case '\v':
		return 'v';
	case '\f':
		return 'f';
	case '\r':
		return 'r';
	case 0x1b:
		return 'E';
	case '\\':
	case '\'':
		return (char)c;
	}
	return 0;
}

static bool is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

static bool must_quote(struct bytes s, bool tabs_too)
{
	if (s.n >= 2 && s.p[0] == '$' && s.p[1] == '\'')
		return true;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (is_control(c) && (c != '\t' || tabs_too))
			return true;
	}
	return false;
}

static size_t quoted_size(struct bytes s)
{
	size_t n = 3;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		n += escape_letter(c) ? 2 : is_control(c) ? 4 : 1;
	}
	return n;
}

static void put_quoted(struct buf *out, struct bytes s)
{
	char *at = buf_room(out, quoted_size(s));

	if (!at)
		return;
	char *start = at;
	*at++ = '$';
	*at++ = '\'';
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		char letter = escape_letter(c);
		if (letter) {
			*at++ = '\\';
			*at++ = letter;
		} else if (is_control(c)) {
			*at++ = '\\';
			*at++ = (char)('0' + (c >> 6));
			*at++ = (char)('0' + (c >> 3 & 7));
			*at++ = (char)('0' + (c & 7));
		} else {
			*at++ = (char)c;
		}
	}
	*at++ = '\'';
	out->n += (size_t)(at - start);
}

size_t rows_size(const struct bytes *columns, int ncolumns)
{
	size_t n = 0;

	for (int i = 0; i < ncolumns; i++)
		n += 1 + (must_quote(columns[i], ncolumns > 1) ? quoted_size(columns[i])
							       : columns[i].n);
	return n;
}

void rows_put(struct buf *out, const struct bytes *columns, int ncolumns)
{
	for (int i = 0; i < ncolumns; i++) {
		if (must_quote(columns[i], ncolumns > 1))
			put_quoted(out, columns[i]);
		else
			buf_bytes(out, columns[i]);
		buf_char(out, i == ncolumns - 1 ? '\n' : '\t');
	}
}

size_t rows_column_size(struct bytes column)
{
	return 1 + (must_quote(column, true) ? quoted_size(column) : column.n);
}

void rows_put_column(struct buf *out, struct bytes column, char behind)
{
	if (must_quote(column, true))
		put_quoted(out, column);
	else
		buf_bytes(out, column);
	buf_char(out, behind);
}

static int digit(char c, int base)
{
	int v = c >= '0' && c <= '9'   ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : 99;
	return v < base ? v : -1;
}

/* At most @max digits from s.p[*at], as a number; -1 when there is none. */
static int64_t take_digits(struct bytes s, size_t *at, int base, int max)
{
	int64_t v = -1;

	while (max-- > 0 && *at < s.n) {
		int d = digit(s.p[*at], base);
		if (d < 0)
			break;
		v = (v < 0 ? 0 : v) * base + d;
		++*at;
	}
	return v;
}

static bool put_unicode(struct buf *out, int64_t v)
{
	char u[4];
	size_t n;

	if (v < 0 || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return false;
	if (v < 0x80) {
		u[0] = (char)v;
		n = 1;
	} else if (v < 0x800) {
		u[0] = (char)(0xc0 | v >> 6);
		u[1] = (char)(0x80 | (v & 0x3f));
		n = 2;
	} else if (v < 0x10000) {
		u[0] = (char)(0xe0 | v >> 12);
		u[1] = (char)(0x80 | (v >> 6 & 0x3f));
		u[2] = (char)(0x80 | (v & 0x3f));
		n = 3;
	} else {
		u[0] = (char)(0xf0 | v >> 18);
		u[1] = (char)(0x80 | (v >> 12 & 0x3f));
		u[2] = (char)(0x80 | (v >> 6 & 0x3f));
		u[3] = (char)(0x80 | (v & 0x3f));
		n = 4;
	}
	buf_put(out, u, n);
	return true;
}

/* One escape; *@at stands behind the backslash, and after it behind the escape. */
static bool unescape(struct bytes s, size_t *at, struct buf *out)
{
	static const char letters[] = "abtnvfreE\\'\"?";
	static const char values[] = "\a\b\t\n\v\f\r\033\033\\'\"?";

	if (*at >= s.n)
		return false;
	char c = s.p[*at];
	const char *hit = c ? strchr(letters, c) : NULL;
	if (hit) {
		++*at;
		buf_char(out, values[hit - letters]);
		return true;
	}
	if (digit(c, 8) >= 0) {
		int64_t v = take_digits(s, at, 8, 3);
		buf_char(out, (char)v);
		return v <= 255;
	}
	++*at;
	switch (c) {
	case 'x': {
		int64_t v = take_digits(s, at, 16, 2);
		buf_char(out, (char)v);
		return v >= 0;
	}
	case 'u':
		return put_unicode(out, take_digits(s, at, 16, 4));
	case 'U':
		return put_unicode(out, take_digits(s, at, 16, 8));
	case 'c':
		if (*at >= s.n)
			return false;
		buf_char(out, (char)(s.p[(*at)++] & 0x1f));
		return true;
	}
	return false;
}

/* What stands between $' and '. */
static bool unquote(struct bytes s, struct buf *out)
{
	for (size_t i = 0; i < s.n;) {
		char c = s.p[i++];
		if (c == '\'')
			return false;
		if (c != '\\')
			buf_char(out, c);
		else if (!unescape(s, &i, out))
			return false;
	}
	return true;
}

static bool is_quoted(struct bytes s)
{
	return s.n >= 3 && s.p[0] == '$' && s.p[1] == '\'' && s.p[s.n - 1] == '\'';
}

void rows_init(struct rows *r, struct bytes text, int ncolumns, bool partial)
{
	*r = (struct rows){.text = text, .ncolumns = ncolumns, .partial = partial};
}

void rows_fini(struct rows *r)
{
	buf_free(&r->scratch);
	buf_free(&r->words);
}

/* Unquote the columns that need it. The scratch may move while it grows, so views are made last. */
static bool unquote_columns(struct rows *r, struct bytes *columns)
{
	size_t from[ROWS_COLUMNS], to[ROWS_COLUMNS];
	bool quoted[ROWS_COLUMNS];

	r->scratch.n = 0;
	for (int i = 0; i < r->ncolumns; i++) {
		quoted[i] = is_quoted(columns[i]);
		from[i] = r->scratch.n;
		if (quoted[i] &&
		    !unquote(bytes_of(columns[i].p + 2, columns[i].n - 3), &r->scratch))
			return false;
		to[i] = r->scratch.n;
	}
	for (int i = 0; i < r->ncolumns; i++)
		if (quoted[i])
			columns[i] = to[i] == from[i]
					     ? BYTES("")
					     : bytes_of(r->scratch.p + from[i], to[i] - from[i]);
	return !r->scratch.failed;
}

/* The line at r->at, without its newline; *@used counts it. */
static bool next_line(const struct rows *r, struct bytes *line, size_t *used)
{
	*line = bytes_of(r->text.p + r->at, r->text.n - r->at);
	if (line->n == 0)
		return false;
	const char *end = memchr(line->p, '\n', line->n);
	if (!end && !r->partial)
		return false;
	*used = end ? (size_t)(end - line->p) + 1 : line->n;
	line->n = end ? *used - 1 : *used;
	return true;
}

/* A quoted word borrows from the scratch, which may still move: its place there stands in p until all are read. */
static bool add_word(struct rows *r, struct bytes word)
{
	if (is_quoted(word)) {
		size_t from = r->scratch.n;
		if (!unquote(bytes_of(word.p + 2, word.n - 3), &r->scratch))
			return false;
		word = (struct bytes){NULL, r->scratch.n - from};
	}
	buf_put(&r->words, &word, sizeof(word));
	return !r->scratch.failed && !r->words.failed;
}

enum rows_result rows_next_words(struct rows *r, const struct bytes **words, size_t *n)
{
	struct bytes line;
	size_t used;

	if (!next_line(r, &line, &used))
		return ROWS_END;
	r->scratch.n = r->words.n = 0;
	for (const char *at = line.p, *end = line.p + line.n; at <= end;) {
		const char *tab = at < end ? memchr(at, '\t', (size_t)(end - at)) : NULL;
		const char *stop = tab ? tab : end;
		if (!add_word(r, bytes_of(at, (size_t)(stop - at))))
			return ROWS_BAD;
		at = stop + 1;
	}
	struct bytes *w = (struct bytes *)(void *)r->words.p;
	const char *unquoted = r->scratch.p;
	*n = r->words.n / sizeof(*w);
	for (size_t i = 0; i < *n; i++) {
		if (w[i].p)
			continue;
		w[i].p = w[i].n ? unquoted : "";
		unquoted = w[i].n ? unquoted + w[i].n : unquoted;
	}
	*words = w;
	r->at += used;
	return ROWS_ROW;
}

enum rows_result rows_next(struct rows *r, struct bytes *columns)
{
	struct bytes line;
	size_t used;

	if (!next_line(r, &line, &used))
		return ROWS_END;
	columns[0] = line;
	if (r->ncolumns == 2) {
		const char *tab = memchr(line.p, '\t', line.n);
		if (!tab)
			return ROWS_BAD;
		columns[0].n = (size_t)(tab - line.p);
		columns[1] = bytes_of(tab + 1, line.n - columns[0].n - 1);
	}
	if (!unquote_columns(r, columns))
		return ROWS_BAD;
	r->at += used;
	return ROWS_ROW;
}
