/* The string commands that change a value in place or read a part of it. */
#include <math.h>

#include "resp/commands/strings/string.h"
#include "resp/server.h"
#include "store/base/num.h"

bool string_size_fits(struct call *c, size_t len, size_t more)
{
	size_t total;
	if (!__builtin_add_overflow(len, more, &total) &&
	    total <= (uint64_t)c->server->config.proto_max_bulk_len)
		return true;
	call_error(c, STORE_ETOOBIG);
	return false;
}

/* --- parts --- */

void string_append(struct call *c)
{
	struct bytes key = c->argv[1], tail = c->argv[2];
	uint64_t *slot;
	if (!call_write(c, 1, VALUE_STRING, &slot))
		return;
	size_t len = slot ? entry_string_len(*slot) : 0;
	enum store_err err;
	if (slot) {
		char *data;
		if (!string_size_fits(c, len, tail.n))
			return;
		err = keyspace_string_resize(c->db, key, len + tail.n, &data);
		if (!err && tail.n)
			memcpy(data + len, tail.p, tail.n);
	} else {
		err = keyspace_set_string_hashed(c->db, key, string_key_hash(c), tail, 0);
	}
	if (err) {
		call_error(c, err);
		return;
	}
	call_changed(c, key, NOTIFY_STRING, "append");
	reply_int(c->reply, (int64_t)(len + tail.n));
}

void string_setrange(struct call *c)
{
	struct bytes key = c->argv[1], part = c->argv[3];
	int64_t offset;
	if (!call_int(c, 2, &offset))
		return;
	if (offset < 0) {
		reply_error(c->reply, "ERR offset is out of range");
		return;
	}
	uint64_t *slot;
	if (!call_write(c, 1, VALUE_STRING, &slot))
		return;
	size_t len = slot ? entry_string_len(*slot) : 0;
	if (part.n == 0) {
		reply_int(c->reply, (int64_t)len);
		return;
	}
	if (!string_size_fits(c, (size_t)offset, part.n))
		return;
	size_t end = (size_t)offset + part.n;
	char *data;
	enum store_err err = keyspace_string_resize(c->db, key, end > len ? end : len, &data);
	if (err) {
		call_error(c, err);
		return;
	}
	memcpy(data + offset, part.p, part.n);
	call_changed(c, key, NOTIFY_STRING, "setrange");
	reply_int(c->reply, (int64_t)(end > len ? end : len));
}

void string_getrange(struct call *c)
{
	int64_t start, end;
	uint64_t w;
	if (!call_int(c, 2, &start) || !call_int(c, 3, &end) || !call_read(c, 1, VALUE_STRING, &w))
		return;
	char buf[NUM_BUF];
	struct bytes s = w ? entry_string(w, buf) : bytes_of("", 0);
	int64_t len = (int64_t)s.n;
	/* Two negative ends the wrong way round stay empty, also where clamping would make them meet at 0. */
	if (!w || (start < 0 && end < 0 && start > end)) {
		reply_bulk(c->reply, bytes_of("", 0));
		return;
	}
	if (start < 0)
		start = start + len < 0 ? 0 : start + len;
	if (end < 0)
		end = end + len < 0 ? 0 : end + len;
	if (end >= len)
		end = len - 1;
	if (start > end)
		reply_bulk(c->reply, bytes_of("", 0));
	else if (start == 0 && end == len - 1)
		string_reply(c, w);
	else
		reply_bulk(c->reply, bytes_of(s.p + start, (size_t)(end - start) + 1));
}

void string_strlen(struct call *c)
{
	uint64_t w;
	if (call_read(c, 1, VALUE_STRING, &w))
		reply_int(c->reply, w ? (int64_t)entry_string_len(w) : 0);
}

/* --- numbers --- */

static void incr(struct call *c, int64_t by)
{
	uint64_t *slot;
	if (!call_write(c, 1, VALUE_STRING, &slot))
		return;
	int64_t v = 0;
	if (slot) {
		char buf[NUM_BUF];
		if (word_enc(*slot) == ENTRY_INT) {
			v = entry_int(*slot);
		} else if (!num_parse_int(entry_string(*slot, buf), &v)) {
			call_error(c, STORE_ENOTINT);
			return;
		}
	}
	if (__builtin_add_overflow(v, by, &v)) {
		call_error(c, STORE_EOVERFLOW);
		return;
	}
	keyspace_put_int(c->db, c->argv[1], string_key_hash(c), slot, v);
	call_changed(c, c->argv[1], NOTIFY_STRING, "incrby");
	reply_int(c->reply, v);
}

void string_incr(struct call *c)
{
	incr(c, 1);
}

void string_decr(struct call *c)
{
	incr(c, -1);
}

void string_incrby(struct call *c)
{
	int64_t by;
	if (call_int(c, 2, &by))
		incr(c, by);
}

void string_decrby(struct call *c)
{
	int64_t by;
	if (!call_int(c, 2, &by))
		return;
	if (by == INT64_MIN)
		reply_error(c->reply, "ERR decrement would overflow");
	else
		incr(c, -by);
}

void string_incrbyfloat(struct call *c)
{
	struct bytes key = c->argv[1];
	uint64_t *slot;
	if (!call_write(c, 1, VALUE_STRING, &slot))
		return;
	long double v = 0, by;
	char old[NUM_BUF];
	if ((slot && !num_parse_ldouble(entry_string(*slot, old), &v)) ||
	    !num_parse_ldouble(c->argv[2], &by)) {
		call_error(c, STORE_ENOTFLOAT);
		return;
	}
	v += by;
	if (isnan(v) || isinf(v)) {
		reply_error(c->reply, "ERR increment would produce NaN or Infinity");
		return;
	}
	char text[NUM_LDOUBLE_BUF];
	struct bytes now = bytes_of(text, num_format_ldouble(text, v));
	/* Redis keeps the sum as text, also where it is whole: OBJECT ENCODING shows it. */
	unsigned flags = KEYSPACE_SET_KEEPTTL | KEYSPACE_SET_TEXT |
			 (slot && *slot & WORD_NEWLINE ? KEYSPACE_SET_NEWLINE : 0);
	enum store_err err = keyspace_set_string_hashed(c->db, key, string_key_hash(c), now, flags);
	if (err) {
		call_error(c, err);
		return;
	}
	/* The sum itself is journalled: another machine's long double may add differently. */
	struct bytes words[4] = {BYTES("SET"), key, now, BYTES("KEEPTTL")};
	call_effect(c, 4, words);
	call_changed(c, key, NOTIFY_STRING, "incrbyfloat");
	reply_bulk(c->reply, now);
}
