/* KEYS and SCAN. */
#include "resp/commands/keys.h"
#include "store/base/glob.h"
#include "store/base/mem.h"
#include "store/base/num.h"

static const enum value_type value_types[] = {VALUE_STRING, VALUE_LIST, VALUE_SET,
					      VALUE_ZSET,   VALUE_HASH, VALUE_STREAM};

/* --- KEYS --- */

struct keys_walk {
	struct call *c;
	struct bytes pattern;
	bool all;
	size_t n;
};

static void keys_visit(void *arg, uint64_t word)
{
	struct keys_walk *w = arg;
	struct bytes key = entry_key(word);
	if ((!w->all && !glob_match(w->pattern, key, false)) ||
	    keyspace_is_expired(w->c->db->ks, word))
		return;
	reply_bulk(w->c->reply, key);
	w->n++;
}

void keys_keys(struct call *c)
{
	struct keys_walk w = {c, c->argv[1], glob_is_all(c->argv[1]), 0};
	struct reply_later later = reply_later_begin(c->reply);
	uint64_t cursor = 0;
	do
		cursor = keyspace_scan(c->db, cursor, KEYSPACE_ALL_TYPES, keys_visit, &w);
	while (cursor);
	reply_later_end(c->reply, later, '*', w.n);
}

/* --- SCAN --- */

struct scan {
	struct call *c;
	struct bytes pattern;
	bool all;
	unsigned types; /* bit 1 << type */
	int64_t count;
	int64_t seen; /* keys looked at */
	uint64_t *words;
	size_t n, cap;
	bool full; /* no memory for more: stop, and let the client go on from the cursor */
};

static void scan_visit(void *arg, uint64_t word)
{
	struct scan *s = arg;
	s->seen++;
	if (keyspace_is_expired(s->c->db->ks, word) ||
	    (!s->all && !glob_match(s->pattern, entry_key(word), false)))
		return;
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 64;
		uint64_t *words = mem_retry(s->words, cap * sizeof(*words));
		if (!words) {
			s->full = true;
			return;
		}
		s->words = words;
		s->cap = cap;
	}
	s->words[s->n++] = word;
}

static unsigned types_named(struct bytes name)
{
	for (size_t i = 0; i < sizeof(value_types) / sizeof(*value_types); i++)
		if (bytes_is(name, value_type_name(value_types[i])))
			return 1u << value_types[i];
	return 0;
}

static bool scan_options_read(struct call *c, struct scan *s)
{
	for (int i = 2; i < c->argc; i += 2) {
		struct bytes w = c->argv[i];
		if (i + 1 == c->argc) {
			call_syntax_error(c);
			return false;
		}
		if (bytes_is(w, "count")) {
			if (!call_int(c, i + 1, &s->count))
				return false;
			if (s->count < 1) {
				call_syntax_error(c);
				return false;
			}
		} else if (bytes_is(w, "match")) {
			s->pattern = c->argv[i + 1];
			s->all = glob_is_all(s->pattern);
		} else if (bytes_is(w, "type")) {
			s->types = types_named(c->argv[i + 1]);
		} else {
			call_syntax_error(c);
			return false;
		}
	}
	return true;
}

/* A cursor as strtoull reads it, a leading blank refused: "-1" is one too. */
static bool cursor_read(struct bytes b, uint64_t *out)
{
	bool minus = b.n && b.p[0] == '-';
	struct bytes digits = minus || (b.n && b.p[0] == '+') ? bytes_of(b.p + 1, b.n - 1) : b;
	while (digits.n > 1 && digits.p[0] == '0')
		digits = bytes_of(digits.p + 1, digits.n - 1);
	if (!num_parse_uint(digits, out))
		return false;
	if (minus)
		*out = -*out;
	return true;
}

void keys_scan(struct call *c)
{
	struct scan s = {.c = c, .all = true, .types = KEYSPACE_ALL_TYPES, .count = 10};
	uint64_t cursor;
	if (!cursor_read(c->argv[1], &cursor)) {
		reply_error(c->reply, "ERR invalid cursor");
		return;
	}
	if (!scan_options_read(c, &s))
		return;
	/* Buckets may be empty, or hold no key of the type: ten times the count is as long as a call may look. */
	int64_t steps = s.count > INT64_MAX / 10 ? INT64_MAX : s.count * 10;
	do
		cursor = keyspace_scan(c->db, cursor, s.types, scan_visit, &s);
	while (cursor && --steps > 0 && s.seen < s.count && !s.full);
	reply_array(c->reply, 2);
	reply_bulkf(c->reply, "%llu", (unsigned long long)cursor);
	reply_array(c->reply, s.n);
	for (size_t i = 0; i < s.n; i++)
		reply_bulk(c->reply, entry_key(s.words[i]));
	mem_free(s.words);
}
