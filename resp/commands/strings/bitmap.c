/* The bitmap commands: strings seen as bits. */
#include "resp/commands/strings/bitmap.h"

#include "resp/commands/commands.h"
#include "resp/server.h"
#include "store/base/bits.h"
#include "store/base/mem.h"
#include "store/base/num.h"

bool bitmap_offset(struct call *c, int i, unsigned field, uint64_t *out)
{
	struct bytes w = c->argv[i];
	int64_t v, scale = 1;
	if (field && w.n && w.p[0] == '#') {
		w = bytes_of(w.p + 1, w.n - 1);
		scale = field;
	}
	if (!num_parse_int(w, &v) || __builtin_mul_overflow(v, scale, &v) || v < 0 ||
	    v >> 3 >= c->server->config.proto_max_bulk_len) {
		reply_error(c->reply, "ERR bit offset is not an integer or out of range");
		return false;
	}
	*out = (uint64_t)v;
	return true;
}

bool bitmap_reach(struct call *c, uint64_t last, char **data, size_t *len, bool *grown)
{
	uint64_t *slot;
	if (!call_write(c, 1, VALUE_STRING, &slot))
		return false;
	size_t before = slot ? entry_string_len(*slot) : 0, wanted = (size_t)(last / 8) + 1;
	*grown = wanted > before;
	*len = *grown ? wanted : before;
	enum store_err err = keyspace_string_resize(c->db, c->argv[1], *len, data);
	if (!err)
		return true;
	call_error(c, err);
	return false;
}

/* --- one bit --- */

static void cmd_setbit(struct call *c)
{
	static const char bad_bit[] = "ERR bit is not an integer or out of range";
	uint64_t at;
	int64_t bit;
	char *data;
	size_t len;
	bool grown;
	if (!bitmap_offset(c, 2, 0, &at) || !call_int_range(c, 3, 0, 1, &bit, bad_bit) ||
	    !bitmap_reach(c, at, &data, &len, &grown))
		return;
	uint64_t old = bits_field(data, len, at, 1);
	if (grown || old != (uint64_t)bit) {
		bits_field_put(data, at, 1, (uint64_t)bit);
		call_changed(c, c->argv[1], NOTIFY_STRING, "setbit");
	}
	reply_int(c->reply, (int64_t)old);
}

static void cmd_getbit(struct call *c)
{
	uint64_t at, w;
	char buf[NUM_BUF];
	if (!bitmap_offset(c, 2, 0, &at) || !call_read(c, 1, VALUE_STRING, &w))
		return;
	struct bytes s = w ? entry_string(w, buf) : bytes_of("", 0);
	reply_int(c->reply, (int64_t)bits_field(s.p, s.n, at, 1));
}

/* --- ranges --- */

struct range {
	int64_t start, end; /* inclusive, as the client gave them, then in bits */
	bool in_bits;
};

static bool parse_unit(struct call *c, int i, struct range *r)
{
	if (i >= c->argc)
		return true;
	r->in_bits = bytes_is(c->argv[i], "bit");
	if (r->in_bits || bytes_is(c->argv[i], "byte"))
		return true;
	call_syntax_error(c);
	return false;
}

/* Count negative ends from the end of @bytes bytes, clamp, and go over to bits; what is empty has start > end. */
static void resolve(struct range *r, size_t bytes)
{
	int64_t total = (int64_t)(r->in_bits ? bytes * 8 : bytes);
	if (r->start < 0)
		r->start = r->start + total < 0 ? 0 : r->start + total;
	if (r->end < 0)
		r->end = r->end + total < 0 ? 0 : r->end + total;
	if (r->end >= total)
		r->end = total - 1;
	if (!r->in_bits && r->start <= r->end) {
		r->start *= 8;
		r->end = r->end * 8 + 7;
	}
}

static void cmd_bitcount(struct call *c)
{
	struct range r = {0, -1, false};
	uint64_t w;
	char buf[NUM_BUF];
	if (!call_read(c, 1, VALUE_STRING, &w))
		return;
	/* Redis 7 looks at the rest only when there is something to count. */
	if (!w) {
		reply_int(c->reply, 0);
		return;
	}
	if (c->argc == 4 || c->argc == 5) {
		if (!call_int(c, 2, &r.start) || !call_int(c, 3, &r.end))
			return;
		if (r.start < 0 && r.end < 0 && r.start > r.end) {
			reply_int(c->reply, 0);
			return;
		}
		if (!parse_unit(c, 4, &r))
			return;
	} else if (c->argc != 2) {
		call_syntax_error(c);
		return;
	}
	struct bytes s = entry_string(w, buf);
	resolve(&r, s.n);
	uint64_t count =
		r.start > r.end ? 0 : bits_count_range(s.p, (uint64_t)r.start, (uint64_t)r.end + 1);
	reply_int(c->reply, (int64_t)count);
}

/* Read [start [end [BYTE|BIT]]]; false with the error replied. */
static bool parse_bitpos_range(struct call *c, struct range *r)
{
	if (c->argc == 3)
		return true;
	if (c->argc > 6) {
		call_syntax_error(c);
		return false;
	}
	return call_int(c, 3, &r->start) && parse_unit(c, 5, r) &&
	       (c->argc < 5 || call_int(c, 4, &r->end));
}

static void cmd_bitpos(struct call *c)
{
	struct range r = {0, -1, false};
	int64_t bit;
	uint64_t w;
	char buf[NUM_BUF];
	if (!call_int(c, 2, &bit))
		return;
	if (bit != 0 && bit != 1) {
		reply_error(c->reply, "ERR The bit argument must be 1 or 0.");
		return;
	}
	if (!call_read(c, 1, VALUE_STRING, &w))
		return;
	if (!w) {
		reply_int(c->reply, bit ? -1 : 0);
		return;
	}
	if (!parse_bitpos_range(c, &r))
		return;
	struct bytes s = entry_string(w, buf);
	resolve(&r, s.n);
	if (r.start > r.end) {
		reply_int(c->reply, -1);
		return;
	}
	uint64_t to = (uint64_t)r.end + 1;
	uint64_t found = bits_find(s.p, (uint64_t)r.start, to, bit);
	/* With no end given, zeros are thought to follow the string. */
	bool none = found == to && (bit || c->argc >= 5);
	reply_int(c->reply, none ? -1 : (int64_t)found);
}

/* --- BITOP --- */

enum operation { OP_AND, OP_OR, OP_XOR, OP_NOT };

struct operand {
	struct bytes s;
	char buf[NUM_BUF];
};

static bool parse_operation(struct call *c, enum operation *out)
{
	static const char *const words[] = {
		[OP_AND] = "and", [OP_OR] = "or", [OP_XOR] = "xor", [OP_NOT] = "not"};
	for (int op = OP_AND; op <= OP_NOT; op++) {
		if (bytes_is(c->argv[1], words[op])) {
			*out = (enum operation)op;
			return true;
		}
	}
	call_syntax_error(c);
	return false;
}

/* The strings of argv[3..] into @in, and the length of the longest; false with the error replied. */
static bool find_operands(struct call *c, struct operand *in, size_t n, size_t *longest)
{
	*longest = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t w;
		if (!call_read(c, 3 + (int)i, VALUE_STRING, &w))
			return false;
		in[i].s = w ? entry_string(w, in[i].buf) : bytes_of("", 0);
		if (in[i].s.n > *longest)
			*longest = in[i].s.n;
	}
	return true;
}

/* Short operands go on with zeros. */
static void compute(enum operation op, char *out, size_t len, const struct operand *in, size_t n)
{
	static const enum bits_op ops[] = {
		[OP_AND] = BITS_AND, [OP_OR] = BITS_OR, [OP_XOR] = BITS_XOR};
	size_t first = in[0].s.n;
	if (op == OP_NOT) {
		bits_complement(out, in[0].s.p, len);
		return;
	}
	memcpy(out, in[0].s.p, first);
	memset(out + first, 0, len - first);
	for (size_t i = 1; i < n; i++) {
		bits_combine(ops[op], out, in[i].s.p, in[i].s.n);
		if (op == OP_AND)
			memset(out + in[i].s.n, 0, len - in[i].s.n);
	}
}

static void cmd_bitop(struct call *c)
{
	enum operation op;
	size_t n = (size_t)c->argc - 3, len;
	if (!parse_operation(c, &op))
		return;
	if (op == OP_NOT && n != 1) {
		reply_error(c->reply, "ERR BITOP NOT must be called with a single source key.");
		return;
	}
	struct operand *in = mem_alloc(n * sizeof(*in));
	if (!find_operands(c, in, n, &len)) {
		mem_free(in);
		return;
	}
	if (len) {
		struct blob *out = blob_try(len);
		if (!out) {
			mem_free(in);
			call_error(c, STORE_ENOMEM);
			return;
		}
		compute(op, out->data, len, in, n);
		out->len = len;
		keyspace_set_blob(c->db, c->argv[2], out, KEYSPACE_SET_RAW);
		call_changed(c, c->argv[2], NOTIFY_STRING, "set");
	} else if (keyspace_delete(c->db, c->argv[2], KEYSPACE_FREE_LAZY)) {
		call_changed(c, c->argv[2], NOTIFY_GENERIC, "del");
	}
	mem_free(in);
	reply_int(c->reply, (int64_t)len);
}

const struct command bitmap_commands[] = {
	{.name = "setbit",
	 .run = cmd_setbit,
	 .arity = 4,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_BITMAP,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Set or clear one bit of a string, which grows where it is short, and answer "
		    "what the bit was",
	 .since = "2.2.0",
	 .group = "bitmap",
	 .complexity = "O(1)",
	 .syntax = "key offset value:integer"},
	{.name = "getbit",
	 .run = cmd_getbit,
	 .arity = 3,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_BITMAP,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Answer one bit of a string",
	 .since = "2.2.0",
	 .group = "bitmap",
	 .complexity = "O(1)",
	 .syntax = "key offset"},
	{.name = "bitcount",
	 .run = cmd_bitcount,
	 .arity = -2,
	 .flags = CMD_READONLY,
	 .categories = CAT_BITMAP,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Count the bits that are set in a string or in a range of it",
	 .since = "2.6.0",
	 .group = "bitmap",
	 .complexity = "O(N), N bytes looked at",
	 .syntax = "key [index: start end [index_unit@7.0.0: BYTE|BIT]]"},
	{.name = "bitpos",
	 .run = cmd_bitpos,
	 .arity = -3,
	 .flags = CMD_READONLY,
	 .categories = CAT_BITMAP,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Find the first bit that is set, or that is clear, in a string or in a range "
		    "of it",
	 .since = "2.8.7",
	 .group = "bitmap",
	 .complexity = "O(N), N bytes looked at",
	 .syntax = "key bit:integer [index: start [end_index: end [index_unit@7.0.0: BYTE|BIT]]]"},
	{.name = "bitop",
	 .run = cmd_bitop,
	 .arity = -4,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_BITMAP,
	 .keys = {KEYS_AT(KEY_OW | KEY_UPDATE, 2, 0, 1), KEYS_AT(KEY_RO | KEY_ACCESS, 3, -1, 1)},
	 .summary = "Combine strings bit by bit and store what comes out",
	 .since = "2.6.0",
	 .group = "bitmap",
	 .complexity = "O(N), N bytes of all strings",
	 .syntax = "<operation: AND|OR|XOR|NOT> destkey key [key ...]"},
	{.name = "bitfield",
	 .run = bitmap_cmd_bitfield,
	 .keyflags = bitmap_field_keyflags,
	 .arity = -2,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_BITMAP,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE_FLAGS, 1, 0, 1)},
	 .summary = "Read, set and add to integers of any width inside a string",
	 .since = "3.2.0",
	 .group = "bitmap",
	 .complexity = "O(1) for each part",
	 .syntax = "key [operation: <GET encoding offset|(write: [OVERFLOW <WRAP|SAT|FAIL>] "
		   "<write_operation: SET encoding offset value:integer|INCRBY encoding offset "
		   "increment>)> [operation ...]]"},
	{.name = "bitfield_ro",
	 .run = bitmap_cmd_bitfield_ro,
	 .arity = -2,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_BITMAP,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Read integers of any width inside a string",
	 .since = "6.0.0",
	 .group = "bitmap",
	 .complexity = "O(1) for each part",
	 .syntax = "key [GET (encoding offset) [GET encoding offset ...]]"},
	{0},
};
