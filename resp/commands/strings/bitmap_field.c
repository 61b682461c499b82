/* BITFIELD: integers of any width inside a string. */
#include "resp/commands/strings/bitmap.h"

#include "resp/server.h"
#include "store/base/bits.h"
#include "store/base/mem.h"
#include "store/base/num.h"

enum field_verb { FIELD_GET, FIELD_SET, FIELD_INCRBY };

struct field_op {
	enum field_verb verb;
	enum bits_overflow overflow;
	bool sign;
	unsigned bits;
	uint64_t at;
	int64_t value;
};

struct field_ops {
	struct field_op *v;
	size_t n;
	bool writes;
	uint64_t last; /* the last bit that is written to */
};

/* --- arguments --- */

static bool parse_type(struct call *c, int i, struct field_op *op)
{
	struct bytes w = c->argv[i];
	int64_t bits;
	op->sign = w.n && w.p[0] == 'i';
	if (w.n > 1 && (op->sign || w.p[0] == 'u') &&
	    num_parse_int(bytes_of(w.p + 1, w.n - 1), &bits) && bits >= 1 &&
	    bits <= (op->sign ? 64 : 63)) {
		op->bits = (unsigned)bits;
		return true;
	}
	reply_error(c->reply, "ERR Invalid bitfield type. Use something like i16 u8. Note that "
			      "u64 is not supported but i64 is.");
	return false;
}

static bool parse_overflow(struct call *c, int i, enum bits_overflow *out)
{
	if (bytes_is(c->argv[i], "wrap")) {
		*out = BITS_WRAP;
	} else if (bytes_is(c->argv[i], "sat")) {
		*out = BITS_SAT;
	} else if (bytes_is(c->argv[i], "fail")) {
		*out = BITS_FAIL;
	} else {
		reply_error(c->reply, "ERR Invalid OVERFLOW type specified");
		return false;
	}
	return true;
}

static bool parse_op(struct call *c, int i, struct field_ops *ops, struct field_op *op)
{
	if (!parse_type(c, i + 1, op) || !bitmap_offset(c, i + 2, op->bits, &op->at))
		return false;
	if (op->verb != FIELD_GET) {
		uint64_t last = op->at + op->bits - 1;
		ops->writes = true;
		if (last > ops->last)
			ops->last = last;
		if (!call_int(c, i + 3, &op->value))
			return false;
	}
	ops->v[ops->n++] = *op;
	return true;
}

/* Read argv[2..] into @ops, whose array has room for them; false with the error replied. */
static bool parse(struct call *c, struct field_ops *ops)
{
	enum bits_overflow overflow = BITS_WRAP;
	for (int i = 2; i < c->argc;) {
		struct field_op op = {.overflow = overflow};
		struct bytes w = c->argv[i];
		int left = c->argc - i - 1;
		if (left >= 1 && bytes_is(w, "overflow")) {
			if (!parse_overflow(c, i + 1, &overflow))
				return false;
			i += 2;
			continue;
		}
		if (left >= 2 && bytes_is(w, "get")) {
			op.verb = FIELD_GET;
		} else if (left >= 3 && bytes_is(w, "set")) {
			op.verb = FIELD_SET;
		} else if (left >= 3 && bytes_is(w, "incrby")) {
			op.verb = FIELD_INCRBY;
		} else {
			call_syntax_error(c);
			return false;
		}
		if (!parse_op(c, i, ops, &op))
			return false;
		i += op.verb == FIELD_GET ? 3 : 4;
	}
	return true;
}

/* --- what they do --- */

/* A field's number; the unsigned ones have 63 bits at most. */
static int64_t read_field(const struct field_op *op, const char *data, size_t len)
{
	uint64_t v = bits_field(data, len, op->at, op->bits);
	return op->sign ? bits_sign(v, op->bits) : (int64_t)v;
}

static bool add(const struct field_op *op, int64_t v, int64_t by, int64_t *out)
{
	uint64_t sum;
	if (op->sign)
		return bits_add_signed(v, by, op->bits, op->overflow, out);
	bool over = bits_add_unsigned((uint64_t)v, by, op->bits, op->overflow, &sum);
	*out = (int64_t)sum;
	return over;
}

/* What SET puts into the field. Redis finds out whether a number fits by how far it is from the largest; where that distance
 * passes 63 bits, its SAT takes the largest for the nearest, far below the smallest as it is. */
static bool fit(const struct field_op *op, int64_t *out)
{
	int64_t max = (int64_t)(UINT64_MAX >> 1 >> (64 - op->bits)), distance;
	bool over = add(op, op->value, 0, out);
	if (over && op->sign && op->overflow == BITS_SAT &&
	    __builtin_sub_overflow(max, op->value, &distance))
		*out = max;
	return over;
}

/* Answer one part that writes. True when the field has another value now. */
static bool write_field(struct call *c, const struct field_op *op, char *data, size_t len,
			bool *written)
{
	int64_t old = read_field(op, data, len), now;
	bool set = op->verb == FIELD_SET;
	bool over = set ? fit(op, &now) : add(op, old, op->value, &now);
	*written = !(over && op->overflow == BITS_FAIL);
	if (!*written) {
		reply_null(c->reply);
		return false;
	}
	reply_int(c->reply, set ? old : now);
	bits_field_put(data, op->at, op->bits, (uint64_t)now);
	return old != now;
}

static void run_reading(struct call *c, const struct field_ops *ops)
{
	uint64_t w;
	char buf[NUM_BUF];
	if (!call_read(c, 1, VALUE_STRING, &w))
		return;
	struct bytes s = w ? entry_string(w, buf) : bytes_of("", 0);
	reply_array(c->reply, ops->n);
	for (size_t i = 0; i < ops->n; i++)
		reply_int(c->reply, read_field(&ops->v[i], s.p, s.n));
}

static void run_writing(struct call *c, const struct field_ops *ops)
{
	char *data;
	size_t len;
	bool grown, changed = false, written;
	if (!bitmap_reach(c, ops->last, &data, &len, &grown))
		return;
	reply_array(c->reply, ops->n);
	for (size_t i = 0; i < ops->n; i++) {
		if (ops->v[i].verb == FIELD_GET) {
			reply_int(c->reply, read_field(&ops->v[i], data, len));
			continue;
		}
		bool differs = write_field(c, &ops->v[i], data, len, &written);
		changed |= differs || (grown && written);
	}
	/* Where every part failed and the string became longer all the same, Redis has no event. */
	if (changed || grown)
		call_changed(c, c->argv[1], NOTIFY_STRING, changed ? "setbit" : NULL);
}

static void bitfield(struct call *c, bool reading_only)
{
	struct field_ops ops = {.v = mem_alloc(((size_t)c->argc / 3 + 1) * sizeof(*ops.v))};
	if (!parse(c, &ops))
		;
	else if (!ops.writes)
		run_reading(c, &ops);
	else if (reading_only)
		reply_error(c->reply, "ERR BITFIELD_RO only supports the GET subcommand");
	else
		run_writing(c, &ops);
	mem_free(ops.v);
}

void bitmap_cmd_bitfield(struct call *c)
{
	bitfield(c, false);
}

void bitmap_cmd_bitfield_ro(struct call *c)
{
	bitfield(c, true);
}

/* Only GETs: the key is read; what makes no sense is taken for a write. */
uint32_t bitmap_field_keyflags(int argc, const struct bytes *argv)
{
	for (int i = 2; i < argc;) {
		if (i + 2 < argc && bytes_is(argv[i], "get"))
			i += 3;
		else if (i + 1 < argc && bytes_is(argv[i], "overflow"))
			i += 2;
		else
			return KEY_RW | KEY_ACCESS | KEY_UPDATE;
	}
	return KEY_RO | KEY_ACCESS;
}
