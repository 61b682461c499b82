/* store/persist/aof_manifest.c - see aof_manifest.h. */
#include "store/persist/aof_manifest.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/base/mem.h"

#define LINE_MAX_BYTES 1024
#define WORDS_MAX      16

void aof_manifest_fini(struct aof_manifest *m)
{
	for (size_t i = 0; i < m->n; i++)
		mem_free(m->files[i].name);
	mem_free(m->files);
	*m = (struct aof_manifest){0};
}

void aof_manifest_add(struct aof_manifest *m, const char *name, int64_t seq, enum aof_type type)
{
	m->files = mem_realloc(m->files, (m->n + 1) * sizeof(*m->files));
	m->files[m->n++] = (struct aof_file){mem_dup(name, strlen(name) + 1), seq, type};
	if (type == AOF_BASE && seq > m->base_seq)
		m->base_seq = seq;
	if (type == AOF_INCREMENT && seq > m->increment_seq)
		m->increment_seq = seq;
}

void aof_manifest_copy(struct aof_manifest *to, const struct aof_manifest *from)
{
	*to = (struct aof_manifest){0};
	for (size_t i = 0; i < from->n; i++)
		aof_manifest_add(to, from->files[i].name, from->files[i].seq, from->files[i].type);
	to->base_seq = from->base_seq;
	to->increment_seq = from->increment_seq;
}

void aof_manifest_remove(struct aof_manifest *m, size_t i)
{
	mem_free(m->files[i].name);
	memmove(m->files + i, m->files + i + 1, (m->n - i - 1) * sizeof(*m->files));
	m->n--;
}

struct aof_file *aof_manifest_base(const struct aof_manifest *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->files[i].type == AOF_BASE)
			return &m->files[i];
	return NULL;
}

struct aof_file *aof_manifest_last(const struct aof_manifest *m)
{
	for (size_t i = m->n; i--;)
		if (m->files[i].type == AOF_INCREMENT)
			return &m->files[i];
	return NULL;
}

/* --- reading --- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What stands behind a backslash at @at: its byte into *@out. Where to go on. */
static const char *unescape(const char *at, const char *end, char *out)
{
	static const char from[] = "nrtba", to[] = "\n\r\t\b\a";
	const char *known = *at ? strchr(from, *at) : NULL;

	if (*at == 'x' && end - at > 2 && hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0) {
		*out = (char)(hex_digit(at[1]) * 16 + hex_digit(at[2]));
		return at + 3;
	}
	*out = known ? to[known - from] : *at;
	return at + 1;
}

/* One word from @at into @out, which has room for the line. Where it ended; NULL when its quote is not closed. */
static const char *next_word(const char *at, const char *end, char *out)
{
	if (at == end || *at != '"') {
		while (at < end && !isspace((unsigned char)*at))
			*out++ = *at++;
		*out = '\0';
		return at;
	}
	for (at++; at < end && *at != '"';) {
		if (*at == '\\' && at + 1 < end)
			at = unescape(at + 1, end, out++);
		else
			*out++ = *at++;
	}
	*out = '\0';
	if (at == end || (at + 1 < end && !isspace((unsigned char)at[1])))
		return NULL;
	return at + 1;
}

struct entry {
	char name[LINE_MAX_BYTES + 1];
	long long seq;
	char type;
};

/* The pairs of one line. An error or NULL. */
static const char *read_line(const char *at, const char *end, struct entry *e)
{
	static const char malformed[] = "Invalid AOF manifest file format";
	char key[LINE_MAX_BYTES + 1], value[LINE_MAX_BYTES + 1];
	int words = 0;

	*e = (struct entry){.seq = 0};
	for (;;) {
		while (at < end && isspace((unsigned char)*at))
			at++;
		if (at == end)
			break;
		at = next_word(at, end, key);
		while (at && at < end && isspace((unsigned char)*at))
			at++;
		if (!at || at == end || (words += 2) > WORDS_MAX)
			return malformed;
		at = next_word(at, end, value);
		if (!at)
			return malformed;
		if (strcasecmp(key, "file") == 0) {
			memcpy(e->name, value, sizeof(value));
			if (strchr(value, '/'))
				return "File can't be a path, just a filename";
		} else if (strcasecmp(key, "seq") == 0) {
			e->seq = atoll(value);
		} else if (strcasecmp(key, "type") == 0) {
			e->type = value[0];
		}
	}
	return words < 6 || !e->name[0] || !e->seq || !e->type ? malformed : NULL;
}

static const char *take(struct aof_manifest *m, const struct entry *e)
{
	const struct aof_file *last = aof_manifest_last(m);

	switch (e->type) {
	case AOF_BASE:
		if (aof_manifest_base(m))
			return "Found duplicate base file information";
		break;
	case AOF_INCREMENT:
		if (last && e->seq <= last->seq)
			return "Found a non-monotonic sequence number";
		break;
	case AOF_HISTORY:
		break;
	default:
		return "Unknown AOF file type";
	}
	aof_manifest_add(m, e->name, e->seq, (enum aof_type)e->type);
	return NULL;
}

static const char *read_and_take(struct aof_manifest *m, const char *at, size_t n)
{
	struct entry e;

	if (n == 0)
		return "Invalid AOF manifest file format";
	if (n >= LINE_MAX_BYTES || memchr(at, '\0', n))
		return "The AOF manifest file contains too long line";
	const char *why = read_line(at, at + n, &e);
	return why ? why : take(m, &e);
}

bool aof_manifest_parse(struct aof_manifest *m, struct bytes text, struct aof_manifest_error *err)
{
	const char *at = text.p, *end = text.p + text.n;
	const char *why = text.n ? NULL : "Found an empty AOF manifest";

	*err = (struct aof_manifest_error){.line = 0};
	while (at < end && !why) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((eol ? eol : end) - at);
		err->line++;
		snprintf(err->where, sizeof(err->where), "%.*s", n < 127 ? (int)n : 127, at);
		if (!eol && n >= LINE_MAX_BYTES)
			why = "The AOF manifest file contains too long line";
		else if (*at != '#')
			why = read_and_take(m, at, n && at[n - 1] == '\r' ? n - 1 : n);
		at = eol ? eol + 1 : end;
	}
	err->text = why;
	if (why)
		aof_manifest_fini(m);
	return !why;
}

/* --- writing --- */

static bool is_plain(const char *name)
{
	for (const char *p = name; *p; p++)
		if (isspace((unsigned char)*p) || !isprint((unsigned char)*p) || *p == '"' ||
		    *p == '\\' || *p == '\'')
			return false;
	return true;
}

static void write_name(FILE *f, const char *name)
{
	if (is_plain(name)) {
		fputs(name, f);
		return;
	}
	fputc('"', f);
	for (const char *p = name; *p; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(f, "\\%c", *p);
		else if (isprint((unsigned char)*p))
			fputc(*p, f);
		else
			fprintf(f, "\\x%02x", (unsigned char)*p);
	}
	fputc('"', f);
}

char *aof_manifest_format(const struct aof_manifest *m, size_t *n)
{
	static const enum aof_type order[] = {AOF_BASE, AOF_HISTORY, AOF_INCREMENT};
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort();
	for (unsigned t = 0; t < 3; t++) {
		for (size_t i = 0; i < m->n; i++) {
			if (m->files[i].type != order[t])
				continue;
			fputs("file ", f);
			write_name(f, m->files[i].name);
			fprintf(f, " seq %lld type %c\n", (long long)m->files[i].seq, order[t]);
		}
	}
	if (fclose(f))
		abort();
	char *out = mem_dup(text ? text : "", len + 1);
	free(text);
	*n = len;
	return out;
}
