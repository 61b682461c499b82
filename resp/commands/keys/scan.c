#include "resp/commands/keys/scan.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/glob.h"
#include "store/base/mem.h"
#include "store/base/num.h"

bool scan_cursor(struct call *c, int i, struct scan *s)
{
	struct bytes arg = c->argv[i];
	char text[64], *end;

	*s = (struct scan){.count = 10, .types = KEYSPACE_ALL_TYPES};
	if (arg.n < sizeof(text)) {
		memcpy(text, arg.p, arg.n);
		text[arg.n] = '\0';
		errno = 0;
		/* Redis reads it with strtoul: a sign and leading zeros pass. */
		s->cursor = strtoull(text, &end, 10);
		if (!isspace((unsigned char)text[0]) && *end == '\0' && errno != ERANGE)
			return true;
	}
	reply_error(c->reply, "ERR invalid cursor");
	return false;
}

static unsigned types_named(struct bytes name)
{
	static const enum value_type types[] = {VALUE_STRING, VALUE_LIST, VALUE_SET,
						VALUE_ZSET,   VALUE_HASH, VALUE_STREAM};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (bytes_is(name, value_type_name(types[i])))
			return 1u << types[i];
	return 0;
}

static bool read_count(struct call *c, int i, struct scan *s)
{
	int64_t count;

	if (!call_int(c, i, &count))
		return false;
	if (count < 1) {
		call_syntax_error(c);
		return false;
	}
	s->count = (uint64_t)count;
	return true;
}

bool scan_options(struct call *c, int i, enum scan_of of, struct scan *s)
{
	for (; i < c->argc; i++) {
		bool more = i + 1 < c->argc;
		if (bytes_is(c->argv[i], "count") && more) {
			if (!read_count(c, ++i, s))
				return false;
		} else if (bytes_is(c->argv[i], "match") && more) {
			s->pattern = c->argv[++i];
			s->has_pattern = !glob_is_all(s->pattern);
		} else if (bytes_is(c->argv[i], "type") && more && of == SCAN_KEYS) {
			s->has_type = true;
			s->types = types_named(c->argv[++i]);
		} else if (bytes_is(c->argv[i], "novalues") && of == SCAN_HASH) {
			s->novalues = true;
		} else {
			call_syntax_error(c);
			return false;
		}
	}
	return true;
}

bool scan_wants(const struct scan *s, struct bytes name)
{
	return !s->has_pattern || glob_match(s->pattern, name, false);
}

void scan_add(struct scan *s, struct bytes item)
{
	size_t need = s->len + item.n + NUM_BUF + 5;

	if (need > s->cap) {
		s->cap = need < 256 ? 256 : need * 2;
		s->out = mem_realloc(s->out, s->cap);
	}
	s->out[s->len++] = '$';
	s->len += num_format_int(s->out + s->len, (int64_t)item.n);
	memcpy(s->out + s->len, "\r\n", 2);
	if (item.n)
		memcpy(s->out + s->len + 2, item.p, item.n);
	s->len += 2 + item.n;
	memcpy(s->out + s->len, "\r\n", 2);
	s->len += 2;
	s->items++;
}

bool scan_more(struct scan *s)
{
	s->rounds++;
	return s->cursor != 0 && s->items < s->count && s->rounds / 10 < s->count;
}

void scan_reply(struct call *c, struct scan *s)
{
	char text[24];
	size_t n = sizeof(text);

	/* A cursor uses all 64 bits: no int64. */
	uint64_t v = s->cursor;
	do
		text[--n] = (char)('0' + v % 10);
	while (v /= 10);
	reply_array(c->reply, 2);
	reply_bulk(c->reply, bytes_of(text + n, sizeof(text) - n));
	reply_array(c->reply, s->items);
	if (s->len)
		reply_raw(c->reply, s->out, s->len);
	mem_free(s->out);
}

void scan_reply_empty(struct call *c)
{
	reply_array(c->reply, 2);
	reply_bulk(c->reply, BYTES("0"));
	reply_array(c->reply, 0);
}
