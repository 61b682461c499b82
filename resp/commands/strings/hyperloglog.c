/* The HyperLogLog commands: strings that count different elements. */
#include <stdio.h>

#include "resp/commands/commands.h"
#include "resp/server.h"
#include "store/base/mem.h"
#include "store/base/num.h"
#include "store/base/rng.h"
#include "store/types/hll.h"

/* --- looking up --- */

static bool reply_corrupt(struct call *c)
{
	reply_error(c->reply, "INVALIDOBJ Corrupted HLL object detected");
	return false;
}

static bool check_header(struct call *c, uint64_t word)
{
	/* An integer's text is no HyperLogLog. */
	char buf[NUM_BUF];
	if (hll_is(entry_string(word, buf)))
		return true;
	reply_error(c->reply, "WRONGTYPE Key is not a valid HyperLogLog string value.");
	return false;
}

/* argv[@i] for reading: @s is empty when it is absent. False with the error replied. */
static bool read_hll(struct call *c, int i, struct bytes *s)
{
	uint64_t w;
	*s = bytes_of("", 0);
	if (!call_read(c, i, VALUE_STRING, &w))
		return false;
	if (!w)
		return true;
	/* It is too long to be an integer: no buffer is needed. */
	if (!check_header(c, w))
		return false;
	*s = entry_string(w, NULL);
	return true;
}

/* --- changing --- */

/* The HyperLogLog of a key being changed: in the key's own bytes while it is dense, in a copy while it is sparse. */
struct edit {
	struct hll hll;
	struct bytes key;
	char *data; /* the key's bytes, NULL for one that is to be made */
	size_t len;
	unsigned char copy[HLL_SPARSE_MAX + 8];
};

/* Begin to change argv[@i], which is made when it is absent and @make says so; *@found tells. False with the error replied. */
static bool edit_begin(struct call *c, int i, struct edit *e, bool make, bool *found)
{
	uint64_t *slot;
	if (!call_write(c, i, VALUE_STRING, &slot))
		return false;
	*found = slot != NULL;
	e->key = c->argv[i];
	e->data = NULL;
	e->len = 0;
	e->hll = (struct hll){.p = e->copy,
			      .room = sizeof(e->copy),
			      .sparse_max = c->server->config.limits.hll_sparse_max_bytes};
	if (!slot) {
		if (make)
			hll_init(&e->hll);
		return true;
	}
	if (!check_header(c, *slot))
		return false;
	e->len = entry_string_len(*slot);
	enum store_err err = keyspace_string_resize(c->db, e->key, e->len, &e->data);
	if (err) {
		call_error(c, err);
		return false;
	}
	e->hll.n = e->len;
	if (hll_is_dense(bytes_of(e->data, e->len))) {
		e->hll.p = (unsigned char *)e->data;
		e->hll.room = e->len;
	} else if (e->len > HLL_SPARSE_MAX) {
		return reply_corrupt(c);
	} else {
		memcpy(e->copy, e->data, e->len);
	}
	return true;
}

/* Write what was changed to the key. False with the error replied, and the key as it was. */
static bool edit_end(struct call *c, struct edit *e)
{
	if (e->hll.p != e->copy)
		return true;
	if (e->hll.n != e->len || !e->data) {
		enum store_err err = keyspace_string_resize(c->db, e->key, e->hll.n, &e->data);
		if (err) {
			call_error(c, err);
			return false;
		}
	}
	memcpy(e->data, e->copy, e->hll.n);
	return true;
}

static void cmd_pfadd(struct call *c)
{
	struct edit e;
	bool found;
	if (!edit_begin(c, 1, &e, true, &found))
		return;
	bool changed = !found;
	for (int i = 2; i < c->argc; i++) {
		enum hll_change did = hll_add(&e.hll, c->argv[i]);
		if (did == HLL_CORRUPT) {
			reply_corrupt(c);
			return;
		}
		changed |= did == HLL_CHANGED;
	}
	if (changed) {
		hll_cache_drop(e.hll.p);
		if (!edit_end(c, &e))
			return;
		call_changed(c, c->argv[1], NOTIFY_STRING, "pfadd");
	}
	reply_int(c->reply, changed);
}

/* --- counting --- */

/* Raise @max to all of argv[1..]; *@dense tells whether one was dense. False with the error replied. */
static bool merge_all(struct call *c, unsigned char *max, bool *dense)
{
	memset(max, 0, HLL_REGISTERS);
	*dense = false;
	for (int i = 1; i < c->argc; i++) {
		struct bytes s;
		if (!read_hll(c, i, &s))
			return false;
		if (!s.n)
			continue;
		*dense |= hll_is_dense(s);
		if (!hll_merge(max, s))
			return reply_corrupt(c);
	}
	return true;
}

/* One key: its cached cardinality, or it is counted and cached. */
static void count_one(struct call *c)
{
	struct bytes s;
	uint64_t n;
	char *data;
	if (!read_hll(c, 1, &s))
		return;
	if (!s.n) {
		reply_int(c->reply, 0);
		return;
	}
	/* Redis makes the string one that can be changed here, whether or not it will be: OBJECT ENCODING shows it. */
	enum store_err err = keyspace_string_resize(c->db, c->argv[1], s.n, &data);
	if (err) {
		call_error(c, err);
		return;
	}
	s.p = data;
	bool cached = hll_cached(s, &n);
	if (!cached && !hll_count(s, &n)) {
		reply_corrupt(c);
		return;
	}
	if (!cached) {
		hll_cache((unsigned char *)data, n);
		/* The bytes of the key are others now: a change without an event. */
		call_changed(c, c->argv[1], NOTIFY_STRING, NULL);
	}
	reply_int(c->reply, (int64_t)n);
}

static void cmd_pfcount(struct call *c)
{
	unsigned char max[HLL_REGISTERS];
	bool dense;
	if (c->argc == 2)
		count_one(c);
	else if (merge_all(c, max, &dense))
		reply_int(c->reply, (int64_t)hll_count_registers(max));
}

static void cmd_pfmerge(struct call *c)
{
	unsigned char max[HLL_REGISTERS];
	struct edit e;
	bool dense, found;
	if (!merge_all(c, max, &dense) || !edit_begin(c, 1, &e, true, &found))
		return;
	bool ok = !dense || hll_densify(&e.hll);
	for (unsigned i = 0; ok && i < HLL_REGISTERS; i++)
		if (max[i])
			ok = hll_raise(&e.hll, i, max[i]) != HLL_CORRUPT;
	if (!ok) {
		reply_corrupt(c);
		return;
	}
	hll_cache_drop(e.hll.p);
	if (!edit_end(c, &e))
		return;
	call_changed(c, c->argv[1], NOTIFY_STRING, "pfadd");
	reply_ok(c->reply);
}

/* --- looking inside --- */

/* Have the key dense; false with the error replied. */
static bool densify(struct call *c, struct edit *e)
{
	if (e->hll.p != e->copy)
		return true;
	if (!hll_densify(&e->hll))
		return reply_corrupt(c);
	if (!edit_end(c, e))
		return false;
	call_changed(c, e->key, NOTIFY_STRING, NULL);
	return true;
}

static void debug_getreg(struct call *c, struct edit *e)
{
	unsigned char max[HLL_REGISTERS] = {0};
	if (!densify(c, e))
		return;
	hll_merge(max, bytes_of(e->data, HLL_DENSE_SIZE));
	reply_array(c->reply, HLL_REGISTERS);
	for (unsigned i = 0; i < HLL_REGISTERS; i++)
		reply_int(c->reply, max[i]);
}

/* The runs as text: "z:1 Z:9000 v:3,2". */
static void debug_decode(struct call *c, struct edit *e)
{
	if (e->hll.p != e->copy) {
		reply_error(c->reply, "ERR HLL encoding is not sparse");
		return;
	}
	struct bytes s = bytes_of(e->copy, e->hll.n);
	struct hll_run run;
	size_t len = 0;
	char *text = mem_alloc(
		s.n * 8); /* a run of one byte prints as "v:32,4 " at most, of two as "Z:16384 " */
	for (size_t at = 0; hll_run_next(s, &at, &run);)
		len += (size_t)(run.value ? sprintf(text + len, "v:%u,%u ", run.value, run.length)
					  : sprintf(text + len, "%c:%u ", run.wide ? 'Z' : 'z',
						    run.length));
	reply_bulk(c->reply, bytes_of(text, len ? len - 1 : 0));
	mem_free(text);
}

static void cmd_pfdebug(struct call *c)
{
	struct bytes what = c->argv[1];
	struct edit e;
	bool found;
	if (!edit_begin(c, 2, &e, false, &found))
		return;
	bool sparse = e.hll.p == e.copy;
	if (!found)
		reply_error(c->reply, "ERR The specified key does not exist");
	else if (bytes_is(what, "getreg"))
		debug_getreg(c, &e);
	else if (bytes_is(what, "decode"))
		debug_decode(c, &e);
	else if (bytes_is(what, "encoding"))
		reply_status(c->reply, sparse ? "sparse" : "dense");
	else if (!bytes_is(what, "todense"))
		reply_errorf(c->reply, "ERR Unknown PFDEBUG subcommand '%.*s'",
			     what.n < 1024 ? (int)what.n : 1024, what.p);
	else if (densify(c, &e))
		reply_int(c->reply, sparse);
}

static void cmd_pfselftest(struct call *c)
{
	const char *wrong = hll_self_test(rng_next(&c->server->keyspace->rng));
	if (wrong)
		reply_error(c->reply, wrong);
	else
		reply_ok(c->reply);
}

const struct command hyperloglog_commands[] = {
	{.name = "pfadd",
	 .run = cmd_pfadd,
	 .arity = -2,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_HYPERLOGLOG,
	 .keys = {KEYS_AT(KEY_RW | KEY_INSERT, 1, 0, 1)},
	 .summary = "Have a HyperLogLog see elements; it is made where there is none",
	 .since = "2.8.9",
	 .group = "hyperloglog",
	 .complexity = "O(1) an element",
	 .syntax = "key [element [element ...]]"},
	{.name = "pfcount",
	 .run = cmd_pfcount,
	 .arity = -2,
	 .flags = CMD_READONLY | CMD_MAY_REPLICATE,
	 .categories = CAT_HYPERLOGLOG,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS, 1, -1, 1)},
	 .summary = "Estimate how many different elements HyperLogLogs have seen together",
	 .since = "2.8.9",
	 .group = "hyperloglog",
	 .complexity = "O(1) for one key, most often from its cache; O(N), N keys, for several",
	 .syntax = "key [key ...]"},
	{.name = "pfmerge",
	 .run = cmd_pfmerge,
	 .arity = -2,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_HYPERLOGLOG,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_INSERT, 1, 0, 1),
		  KEYS_AT(KEY_RO | KEY_ACCESS, 2, -1, 1)},
	 .summary = "Have a HyperLogLog see all that others have seen",
	 .since = "2.8.9",
	 .group = "hyperloglog",
	 .complexity = "O(N), N keys",
	 .syntax = "destkey [sourcekey [sourcekey ...]]"},
	{.name = "pfdebug",
	 .syscmd = true,
	 .run = cmd_pfdebug,
	 .arity = 3,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_ADMIN,
	 .categories = CAT_HYPERLOGLOG,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS, 2, 0, 1)},
	 .summary = "Show the inside of a HyperLogLog, for tests",
	 .since = "2.8.9",
	 .group = "hyperloglog",
	 .complexity = "N/A",
	 .syntax = "subcommand key"},
	{.name = "pfselftest",
	 .syscmd = true,
	 .run = cmd_pfselftest,
	 .arity = 1,
	 .flags = CMD_ADMIN,
	 .categories = CAT_HYPERLOGLOG,
	 .summary = "Test how HyperLogLogs count",
	 .since = "2.8.9",
	 .group = "hyperloglog",
	 .complexity = "N/A"},
	{0},
};
