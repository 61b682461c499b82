/* resp/proto/parser.c - see parser.h.
 *
 * Two ways through an array. parser_whole() takes a command that is there from end to end and is ordinary, without
 * touching the parser's state. Whatever it does not take, resume() parses with its progress kept, and it alone
 * decides what is an error.
 */
#include "resp/proto/parser.h"

#include <limits.h>
#include <stdio.h>

#include "store/base/mem.h"

void parser_init(struct parser *p, int64_t max_bulk)
{
	memset(p, 0, sizeof(*p));
	p->bulk = -1;
	p->max_bulk = max_bulk;
}

static void drop(struct parser *p)
{
	mem_free(p->spans);
	p->spans = NULL;
	p->cap = 0;
}

static void drop_argv(struct parser *p)
{
	mem_free(p->argv);
	p->argv = NULL;
}

void parser_fini(struct parser *p)
{
	drop(p);
	drop_argv(p);
}

static void between_commands(struct parser *p)
{
	if (p->spans)
		drop(p);
	p->multibulk = 0;
	p->bulk = -1;
	p->pos = p->scanned = 0;
	p->argc = 0;
	p->outside = NULL;
}

static enum parser_state fail(struct parser *p, const char *error)
{
	p->error = error;
	return PARSER_ERROR;
}

size_t parser_missing(const struct parser *p, size_t have)
{
	if (p->bulk < 0)
		return 0;
	size_t want = p->pos + (size_t)p->bulk + 2;
	return want > have ? want - have : 0;
}

/* --- the ordinary command, all there --- */

/* Digits up to CR LF, no leading zero, at most 9 of them. NULL when it is anything else. */
static __attribute__((noinline)) const char *take_number(const char *p, const char *end,
							 int64_t *out)
{
	uint64_t v = 0; /* may wrap: then there are too many digits anyway */
	const char *start = p;
	while (p < end && (unsigned char)(*p - '0') < 10) {
		v = v * 10 + (uint64_t)(*p - '0');
		p++;
	}
	if (p == start || p - start > 9 || (*start == '0' && p - start > 1))
		return NULL;
	if (end - p < 2 || p[0] != '\r')
		return NULL;
	*out = (int64_t)v;
	return p + 2;
}

/* The same, quicker for the one or two digits that there mostly are. */
static inline const char *take_length(const char *p, const char *end, int64_t *out)
{
	if (__builtin_expect(end - p >= 4, 1)) {
		unsigned v = (unsigned char)p[0] - '0', second = (unsigned char)p[1] - '0';
		if (p[1] == '\r' && v < 10) {
			*out = v;
			return p + 3;
		}
		if (p[2] == '\r' && v - 1 < 9 && second < 10) {
			*out = v * 10 + second;
			return p + 4;
		}
	}
	return take_number(p, end, out);
}

size_t parser_whole(const struct parser *p, const char *buf, size_t n, struct bytes *room, int cap,
		    int *argc)
{
	const char *end = buf + n;
	int64_t args, len;
	const char *at = take_length(buf + 1, end, &args);
	if (at == NULL || args == 0 || args > cap)
		return 0;
	int64_t max = p->max_bulk;
	if (__builtin_expect(!p->authenticated, 0)) {
		if (args > PARSER_UNAUTH_ARGS)
			return 0;
		if (max > PARSER_UNAUTH_BULK)
			max = PARSER_UNAUTH_BULK;
	}
	for (int i = 0; i < (int)args; i++) {
		if (at == end || *at != '$')
			return 0;
		at = take_length(at + 1, end, &len);
		if (at == NULL || len > max || end - at < len + 2)
			return 0;
		room[i] = bytes_of(at, (size_t)len);
		at += len + 2;
	}
	*argc = (int)args;
	return (size_t)(at - buf);
}

/* --- any array, with progress kept --- */

/* A decimal int64 with Redis's strictness. */
static bool parse_length(const char *s, size_t n, int64_t *out)
{
	bool negative = n > 0 && s[0] == '-';
	if (negative) {
		s++;
		n--;
	}
	if (n == 0 || n > 18 || (s[0] == '0' && (n > 1 || negative)))
		return false;
	int64_t v = 0;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (s[i] - '0');
	}
	*out = negative ? -v : v;
	return true;
}

/* The end (its CR) of the line that begins at p->pos, NULL when it is not there with one byte behind it. */
static const char *line_end(struct parser *p, const char *buf, size_t n)
{
	const char *from = buf + p->pos + p->scanned;
	const char *cr = memchr(from, '\r', (size_t)(buf + n - from));
	p->scanned = (size_t)((cr ? cr : buf + n) - (buf + p->pos));
	return cr && cr + 1 < buf + n ? cr : NULL;
}

static bool span_add(struct parser *p, size_t at, size_t len)
{
	if (p->argc == p->cap) {
		int cap = p->cap ? p->cap * 2 : 8;
		size_t *grown = mem_retry(p->spans, (size_t)cap * 2 * sizeof(*grown));
		if (grown == NULL)
			return false;
		p->spans = grown;
		p->cap = cap;
	}
	p->spans[2 * p->argc] = at;
	p->spans[2 * p->argc + 1] = len;
	p->argc++;
	return true;
}

static enum parser_state begin_array(struct parser *p, const char *buf, size_t n, size_t *used)
{
	const char *cr = line_end(p, buf, n);
	if (cr == NULL) {
		if (p->scanned > PARSER_INLINE_MAX)
			return fail(p, "Protocol error: too big mbulk count string");
		return PARSER_MORE;
	}
	int64_t args;
	if (!parse_length(buf + 1, (size_t)(cr - buf - 1), &args) || args > INT_MAX)
		return fail(p, "Protocol error: invalid multibulk length");
	if (args > PARSER_UNAUTH_ARGS && !p->authenticated)
		return fail(p, "Protocol error: unauthenticated multibulk length");
	size_t taken = (size_t)(cr + 2 - buf);
	p->scanned = 0;
	if (args <= 0) {
		*used = taken;
		return PARSER_EMPTY;
	}
	p->pos = taken;
	p->multibulk = args;
	return PARSER_READY;
}

static enum parser_state begin_bulk(struct parser *p, const char *buf, size_t n)
{
	const char *cr = line_end(p, buf, n);
	if (cr == NULL) {
		if (p->scanned > PARSER_INLINE_MAX)
			return fail(p, "Protocol error: too big bulk count string");
		return PARSER_MORE;
	}
	const char *start = buf + p->pos;
	if (*start != '$') {
		snprintf(p->errbuf, sizeof(p->errbuf), "Protocol error: expected '$', got '%c'",
			 *start);
		return fail(p, p->errbuf);
	}
	int64_t len;
	if (!parse_length(start + 1, (size_t)(cr - start - 1), &len) || len < 0 ||
	    len > p->max_bulk)
		return fail(p, "Protocol error: invalid bulk length");
	if (len > PARSER_UNAUTH_BULK && !p->authenticated)
		return fail(p, "Protocol error: unauthenticated bulk length");
	if (!span_add(p, (size_t)(cr + 2 - buf), (size_t)len))
		return fail(p, "Protocol error: out of memory");
	p->pos = (size_t)(cr + 2 - buf);
	p->scanned = 0;
	p->bulk = len;
	return PARSER_READY;
}

/* Hand out the spans as arguments. */
static enum parser_state finish(struct parser *p, const char *buf, struct bytes *room, int cap,
				int *argc, struct bytes **argv, size_t *used)
{
	struct bytes *v = room;
	if (p->argc > cap) {
		v = p->argv = mem_try((size_t)p->argc * sizeof(*v));
		if (v == NULL)
			return fail(p, "Protocol error: out of memory");
	}
	for (int i = 0; i < p->argc; i++)
		v[i] = bytes_of(buf + p->spans[2 * i], p->spans[2 * i + 1]);
	if (p->outside)
		v[p->outside_arg].p = p->outside;
	*argc = p->argc;
	*argv = v;
	*used = p->pos;
	between_commands(p);
	return PARSER_READY;
}

static enum parser_state resume(struct parser *p, const char *buf, size_t n, struct bytes *room,
				int cap, int *argc, struct bytes **argv, size_t *used)
{
	if (p->multibulk == 0 && p->argc == 0) {
		enum parser_state st = begin_array(p, buf, n, used);
		if (st != PARSER_READY)
			return st;
	}
	while (p->multibulk > 0) {
		if (p->bulk < 0) {
			enum parser_state st = begin_bulk(p, buf, n);
			if (st != PARSER_READY)
				return st;
		}
		if (n < p->pos || n - p->pos < (size_t)p->bulk + 2)
			return PARSER_MORE;
		p->pos += (size_t)p->bulk + 2;
		p->bulk = -1;
		p->multibulk--;
	}
	return finish(p, buf, room, cap, argc, argv, used);
}

void parser_outside(struct parser *p, const char *body)
{
	p->outside = body;
	p->outside_arg = p->argc - 1;
	p->bulk = -1;
	p->multibulk--;
}

/* --- inline lines --- */

static bool word_end(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Words into @room; false when there are quotes or more words than room. */
static bool plain_words(struct bytes line, struct bytes *room, int cap, int *argc)
{
	const char *s = line.p, *end = line.p + line.n;
	int n = 0;
	for (;;) {
		while (s < end && (*s == ' ' || (*s >= '\t' && *s <= '\r')))
			s++;
		if (s == end)
			break;
		if (n == cap)
			return false;
		const char *start = s;
		for (; s < end && !word_end(*s); s++)
			if (*s == '"' || *s == '\'' || *s == '\0')
				return false;
		room[n++] = bytes_of(start, (size_t)(s - start));
	}
	*argc = n;
	return true;
}

static enum parser_state take_inline(struct parser *p, const char *buf, size_t n,
				     struct bytes *room, int cap, int *argc, struct bytes **argv,
				     size_t *used)
{
	const char *nl = memchr(buf + p->scanned, '\n', n - p->scanned);
	if (nl == NULL) {
		p->scanned = n;
		if (n > PARSER_INLINE_MAX)
			return fail(p, "Protocol error: too big inline request");
		return PARSER_MORE;
	}
	p->scanned = 0;
	*used = (size_t)(nl + 1 - buf);
	struct bytes line = bytes_of(buf, (size_t)(nl - buf));
	*argv = room;
	if (!plain_words(line, room, cap, argc)) {
		*argc = line_split(line, &p->argv);
		*argv = p->argv;
	}
	if (*argc < 0)
		return fail(p, "Protocol error: unbalanced quotes in request");
	return *argc ? PARSER_READY : PARSER_EMPTY;
}

enum parser_state parser_next(struct parser *p, const char *buf, size_t n, struct bytes *room,
			      int cap, int *argc, struct bytes **argv, size_t *used)
{
	if (__builtin_expect(p->argv != NULL, 0))
		drop_argv(p);
	if (p->multibulk == 0 && p->argc == 0) {
		if (n == 0)
			return PARSER_MORE;
		if (buf[0] != '*')
			return take_inline(p, buf, n, room, cap, argc, argv, used);
		size_t taken = parser_whole(p, buf, n, room, cap, argc);
		if (taken) {
			/* Its head may have come before, and have been looked through in vain. */
			p->scanned = 0;
			*argv = room;
			*used = taken;
			return PARSER_READY;
		}
	}
	return resume(p, buf, n, room, cap, argc, argv, used);
}
