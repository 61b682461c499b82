/* store/persist/rdb_load.c - see rdb_load.h.
 *
 * Keys are bound in batches: each is read, hashed and its bucket asked for, and bound when the batch is full, so that the
 * waits for memory overlap.
 */
#include "store/persist/rdb_load.h"

#include <stdio.h>
#include <unistd.h>

#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/persist/crc64.h"
#include "store/persist/rdb_format.h"
#include "store/types/hash.h"

#define BATCH          32
#define ARENA          ((size_t)16 * 1024)
#define PROGRESS_KEYS  1024
#define PROGRESS_BYTES ((uint64_t)2 << 20)

/* A table is made for no more keys than this before they are seen. */
#define RESERVE_MAX ((uint64_t)1 << 28)

struct pending {
	struct db *db;
	struct bytes key; /* in the arena */
	uint64_t hash;
	int64_t expire_at, idle;
	int freq;
	struct rdb_value value; /* a text is in the arena, too */
};

/* What opcodes said of the key that follows. */
struct hints {
	int64_t expire_at, idle; /* -1 for none */
	int freq;
};
#define NO_HINTS ((struct hints){-1, -1, -1})

struct loading {
	struct keyspace *ks;
	struct rdb_in *in;
	const struct rdb_load_options *opt;
	struct rdb_load_result *out;
	struct db *db;
	struct hints hints;
	int64_t now_ms; /* when loading began */
	uint64_t told;  /* offset of the last progress */
	unsigned version, n;
	size_t used; /* of the arena */
	struct pending batch[BATCH];
	char arena[ARENA];
};

/* --- binding --- */

static bool bind_one(struct loading *l, struct pending *p)
{
	uint64_t *slot = table_find(&p->db->keys, p->key, p->hash);

	if (slot && !l->opt->overwrite) {
		int n = p->key.n < 64 ? (int)p->key.n : 64;
		rdb_value_drop(&p->value);
		return rdb_in_fail(l->in, "RDB has duplicated key '%.*s' in DB %u", n, p->key.p,
				   p->db->id);
	}
	if (slot)
		keyspace_delete_slot(p->db, slot, KEYSPACE_FREE_NOW);
	if (rdb_value_bind(p->db, p->key, p->hash, &p->value, p->expire_at))
		return rdb_in_fail(l->in, "no memory for a key");
	l->out->loaded++;
	if (p->idle < 0 && p->freq < 0)
		return true;
	uint64_t w = *table_find(&p->db->keys, p->key, p->hash);
	if (p->idle >= 0)
		keyspace_set_idle(l->ks, w, (uint64_t)p->idle);
	if (p->freq >= 0)
		keyspace_set_freq(l->ks, w, (uint8_t)p->freq);
	return true;
}

/* Bind what waits. After a failure it is dropped. */
static bool flush(struct loading *l)
{
	bool ok = true;

	for (unsigned i = 0; i < l->n; i++) {
		if (ok)
			ok = bind_one(l, &l->batch[i]);
		else
			rdb_value_drop(&l->batch[i].value);
	}
	l->n = 0;
	l->used = 0;
	return ok;
}

static struct bytes keep(struct loading *l, struct bytes s)
{
	char *at = l->arena + l->used;

	if (s.n)
		memcpy(at, s.p, s.n);
	l->used += s.n;
	return bytes_of(at, s.n);
}

/* Bind at once what is too long to wait, behind what waits. */
static bool bind_long(struct loading *l, struct pending *p)
{
	if (!flush(l)) {
		rdb_value_drop(&p->value);
		return false;
	}
	return bind_one(l, p);
}

static bool add(struct loading *l, struct bytes key, struct rdb_value *v)
{
	struct pending p = {.db = l->db,
			    .key = key,
			    .hash = keyhash(key),
			    .expire_at = l->hints.expire_at,
			    .idle = l->hints.idle,
			    .freq = l->hints.freq,
			    .value = *v};
	size_t size = key.n + v->text.n;

	if (size > ARENA / 4)
		return bind_long(l, &p);
	if ((l->n == BATCH || l->used + size > ARENA) && !flush(l)) {
		rdb_value_drop(v);
		return false;
	}
	p.key = keep(l, key);
	p.value.text = keep(l, v->text);
	table_prefetch_bucket(&l->db->keys, p.hash);
	if (p.expire_at >= 0)
		table_prefetch_bucket(&l->db->volatiles, p.hash);
	l->batch[l->n++] = p;
	return true;
}

/* --- records --- */

static void doing(struct loading *l, const char *what)
{
	if (l->opt->visitor)
		l->opt->visitor->doing(l->opt->visitor->arg, what);
}

/* The value of a key that is only looked at. */
static bool visit_key(struct loading *l, unsigned type)
{
	const struct rdb_visitor *by = l->opt->visitor;
	struct rdb_value v;
	struct bytes key;

	by->type(by->arg, type);
	by->doing(by->arg, "read-key");
	if (!rdb_in_string(l->in, 0, &key))
		return false;
	by->key(by->arg, key, l->hints.expire_at);
	by->doing(by->arg, "read-object-value");
	l->hints = NO_HINTS;
	if (!rdb_value_read(l->in, type, l->opt->limits, &v))
		return false;
	rdb_value_drop(&v);
	return true;
}

/* Fields past their time go as keys do. */
static void drop_stale(struct loading *l, struct rdb_value *v)
{
	struct hash *h = v->outside;

	if (v->type != VALUE_HASH || l->opt->keep_expired || !hash_remove_stale(h, l->now_ms) ||
	    hash_count(h))
		return;
	rdb_value_drop(v);
	l->out->expired++;
}

static bool read_key(struct loading *l, unsigned type)
{
	struct rdb_value v;
	struct bytes key;

	if (!rdb_in_string(l->in, 0, &key))
		return false;
	/* Its place in scratch is the value's as well. */
	char few[256], *own = key.n <= sizeof(few) ? few : mem_try(key.n);
	if (!own)
		return rdb_in_fail(l->in, "no memory for a key");
	if (key.n)
		memcpy(own, key.p, key.n);
	key.p = own;
	bool ok = rdb_value_read(l->in, type, l->opt->limits, &v);
	bool gone =
		l->hints.expire_at >= 0 && l->hints.expire_at < l->now_ms && !l->opt->keep_expired;
	if (ok && !v.empty && !gone)
		drop_stale(l, &v);
	if (ok && v.type == VALUE_HASH && !v.outside && !v.empty) {
		/* nothing is left of it */
	} else if (ok && v.empty) {
		l->out->empty++;
	} else if (ok && gone) {
		rdb_value_drop(&v);
		l->out->expired++;
	} else if (ok) {
		ok = add(l, key, &v);
	}
	if (own != few)
		mem_free(own);
	l->hints = NO_HINTS;
	return ok;
}

static bool read_expiry(struct loading *l, bool ms)
{
	const unsigned char *p = rdb_in_take(l->in, ms ? 8 : 4);
	int64_t at;
	int32_t seconds;

	if (!p)
		return false;
	if (ms) {
		memcpy(&at, p, sizeof(at));
	} else {
		memcpy(&seconds, p, sizeof(seconds));
		at = (int64_t)seconds * 1000;
	}
	/* Below zero is long ago, and would mean "none" to the keyspace. */
	l->hints.expire_at = at < 0 ? 0 : at;
	return true;
}

static bool read_idle(struct loading *l)
{
	uint64_t seconds;

	if (!rdb_in_plain_len(l->in, &seconds))
		return false;
	l->hints.idle = seconds < INT64_MAX ? (int64_t)seconds : INT64_MAX;
	return true;
}

static bool read_freq(struct loading *l)
{
	const unsigned char *p = rdb_in_take(l->in, 1);

	if (p)
		l->hints.freq = *p;
	return p != NULL;
}

static bool read_select(struct loading *l)
{
	uint64_t id;

	if (!flush(l) || !rdb_in_plain_len(l->in, &id))
		return false;
	if (l->opt->visitor) {
		l->opt->visitor->select(l->opt->visitor->arg, id);
		return true;
	}
	if (id >= l->ks->ndbs)
		return rdb_in_fail(l->in,
				   "FATAL: Data file was created with a Redis server configured "
				   "to handle more than %u databases. Exiting",
				   l->ks->ndbs);
	l->db = &l->ks->dbs[id];
	return true;
}

static bool read_resize(struct loading *l)
{
	uint64_t keys, volatiles, fit = rdb_in_left(l->in) / 3;

	if (!rdb_in_plain_len(l->in, &keys) || !rdb_in_plain_len(l->in, &volatiles))
		return false;
	if (l->opt->visitor)
		return true;
	/* A hint, which may be wrong. */
	fit = fit < RESERVE_MAX ? fit : RESERVE_MAX;
	table_reserve(&l->db->keys, keys < fit ? keys : fit);
	if (volatiles)
		table_reserve(&l->db->volatiles, volatiles < fit ? volatiles : fit);
	return true;
}

static bool read_aux(struct loading *l)
{
	struct bytes name, value;

	if (!rdb_in_string(l->in, 0, &name) || !rdb_in_string(l->in, 1, &value))
		return false;
	if (l->opt->aux)
		l->opt->aux(l->opt->arg, name, value);
	return true;
}

static void note(struct loading *l, const char *text)
{
	if (l->opt->note)
		l->opt->note(l->opt->arg, text);
}

static bool read_function(struct loading *l)
{
	struct bytes code;
	char why[256];

	if (!rdb_in_string(l->in, 0, &code))
		return false;
	if (l->opt->function) {
		if (l->opt->function(l->opt->arg, code, why, sizeof(why)))
			return true;
		return rdb_in_fail(l->in, "Failed loading library, %s", why);
	}
	if (!l->opt->visitor)
		note(l, "a function library was left out: nobody takes it");
	return true;
}

/* A slot's number and how many keys it has: a hint for a cluster. */
static bool skip_slot_info(struct loading *l)
{
	uint64_t n;

	for (int i = 0; i < 3; i++)
		if (!rdb_in_plain_len(l->in, &n))
			return false;
	return true;
}

static bool skip_module_item(struct loading *l, uint64_t op)
{
	struct bytes s;
	uint64_t n;

	switch (op) {
	case RDB_MODULE_SINT:
	case RDB_MODULE_UINT:
		return rdb_in_plain_len(l->in, &n);
	case RDB_MODULE_FLOAT:
		return rdb_in_skip(l->in, 4);
	case RDB_MODULE_DOUBLE:
		return rdb_in_skip(l->in, 8);
	case RDB_MODULE_STRING:
		return rdb_in_string(l->in, 0, &s);
	default:
		return rdb_in_fail(l->in, "unknown item %llu in a module's data",
				   (unsigned long long)op);
	}
}

static bool skip_module_aux(struct loading *l)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char name[10] = "", text[96];
	uint64_t id, op;

	if (!rdb_in_plain_len(l->in, &id))
		return false;
	for (int i = 0; i < 9; i++)
		name[i] = letters[id >> (58 - 6 * i) & 63];
	for (;;) {
		if (!rdb_in_plain_len(l->in, &op))
			return false;
		if (op == RDB_MODULE_EOF)
			break;
		if (!skip_module_item(l, op))
			return false;
	}
	snprintf(text, sizeof(text), "data of module '%s' was left out: it is not loaded", name);
	note(l, text);
	return true;
}

/* --- the file --- */

/* Four digits behind "REDIS". */
static bool read_header(struct loading *l)
{
	const unsigned char *p = rdb_in_take(l->in, RDB_HEADER);
	unsigned version = 0;

	if (!p || memcmp(p, "REDIS", 5) != 0)
		return rdb_in_fail(l->in, "Wrong signature trying to load DB from file");
	for (int i = 5; i < RDB_HEADER; i++) {
		if (p[i] < '0' || p[i] > '9')
			return rdb_in_fail(l->in, "Can't handle RDB format version");
		version = version * 10 + (p[i] - '0');
	}
	if (version < 1 || version > RDB_VERSION_READ)
		return rdb_in_fail(l->in, "Can't handle RDB format version %u", version);
	l->version = version;
	return true;
}

static bool read_footer(struct loading *l)
{
	uint64_t said, crc;

	if (l->version < 5)
		return true;
	crc = l->in->checksum ? rdb_in_crc(l->in) : 0;
	if (!rdb_in_read(l->in, &said, sizeof(said)))
		return false;
	if (!l->in->checksum || said == 0 || said == crc)
		return true;
	return rdb_in_fail(l->in,
			   "RDB CRC error. Wrong RDB checksum expected: (%llx) but got (%llx). "
			   "Aborting now.",
			   (unsigned long long)said, (unsigned long long)crc);
}

/* What a visitor is told that an operation does. */
static const char *const op_names[] = {
	[RDB_OP_SLOT_INFO - RDB_OP_SLOT_INFO] = "read-len",
	[RDB_OP_FUNCTION2 - RDB_OP_SLOT_INFO] = "read-function",
	[RDB_OP_FUNCTION_PRE_GA - RDB_OP_SLOT_INFO] = "read-function",
	[RDB_OP_MODULE_AUX - RDB_OP_SLOT_INFO] = "read-module-aux",
	[RDB_OP_IDLE - RDB_OP_SLOT_INFO] = "read-type",
	[RDB_OP_FREQ - RDB_OP_SLOT_INFO] = "read-type",
	[RDB_OP_AUX - RDB_OP_SLOT_INFO] = "read-aux",
	[RDB_OP_RESIZEDB - RDB_OP_SLOT_INFO] = "read-len",
	[RDB_OP_EXPIRE_MS - RDB_OP_SLOT_INFO] = "read-expire",
	[RDB_OP_EXPIRE - RDB_OP_SLOT_INFO] = "read-expire",
	[RDB_OP_SELECTDB - RDB_OP_SLOT_INFO] = "read-len",
	[RDB_OP_EOF - RDB_OP_SLOT_INFO] = "check-sum",
};

/* One record that is no key. */
static bool read_op(struct loading *l, unsigned op)
{
	doing(l, op_names[op - RDB_OP_SLOT_INFO]);
	switch ((enum rdb_op)op) {
	case RDB_OP_EXPIRE:
	case RDB_OP_EXPIRE_MS:
		return read_expiry(l, op == RDB_OP_EXPIRE_MS);
	case RDB_OP_IDLE:
		return read_idle(l);
	case RDB_OP_FREQ:
		return read_freq(l);
	case RDB_OP_SELECTDB:
		return read_select(l);
	case RDB_OP_RESIZEDB:
		return read_resize(l);
	case RDB_OP_AUX:
		return read_aux(l);
	case RDB_OP_MODULE_AUX:
		return skip_module_aux(l);
	case RDB_OP_FUNCTION2:
		return read_function(l);
	case RDB_OP_SLOT_INFO:
		return skip_slot_info(l);
	case RDB_OP_FUNCTION_PRE_GA:
		return rdb_in_fail(l->in, "Pre-release function format not supported.");
	case RDB_OP_EOF:
		break;
	}
	return false;
}

/* Tell how far it is. False when it is to end. */
static bool progress(struct loading *l)
{
	if (!l->opt->progress)
		return true;
	if (!flush(l))
		return false;
	l->told = rdb_in_offset(l->in);
	l->out->stopped = !l->opt->progress(l->opt->arg, rdb_in_offset(l->in));
	return !l->out->stopped;
}

static bool read_records(struct loading *l)
{
	for (uint64_t keys = 1;;) {
		doing(l, "read-type");
		const unsigned char *p = rdb_in_take(l->in, 1);
		if (!p)
			return false;
		unsigned op = *p;
		if (op == RDB_OP_EOF) {
			doing(l, op_names[op - RDB_OP_SLOT_INFO]);
			return flush(l) && read_footer(l);
		}
		if (op >= RDB_OP_SLOT_INFO) {
			if (!read_op(l, op))
				return false;
			continue;
		}
		if (!(l->opt->visitor ? visit_key(l, op) : read_key(l, op)))
			return false;
		if (l->opt->delay_us > 0)
			usleep((useconds_t)l->opt->delay_us);
		uint64_t interval = l->opt->interval ? l->opt->interval : PROGRESS_BYTES;
		bool far = rdb_in_offset(l->in) - l->told >= interval;
		if ((keys++ % PROGRESS_KEYS == 0 || far) && !progress(l))
			return l->out->stopped;
	}
}

bool rdb_load(struct keyspace *ks, struct rdb_in *in, const struct rdb_load_options *opt,
	      struct rdb_load_result *out)
{
	struct loading *l = mem_alloc(sizeof(*l));

	*out = (struct rdb_load_result){0};
	l->ks = ks;
	l->in = in;
	l->opt = opt;
	l->out = out;
	l->db = ks ? &ks->dbs[0] : NULL;
	l->hints = NO_HINTS;
	l->now_ms = ks ? ks->now_ms : 0;
	l->told = 0;
	l->n = 0;
	l->used = 0;
	bool ok = read_header(l) && read_records(l);
	/* Bound before the failure, as everything else was. */
	for (unsigned i = 0; i < l->n; i++)
		rdb_value_drop(&l->batch[i].value);
	mem_free(l);
	return ok && !in->failed;
}

/* --- payloads --- */

#define PAYLOAD_TAIL 10 /* u16 version, u64 checksum */

bool rdb_payload_verify(struct bytes payload, bool checksum)
{
	uint16_t version;
	uint64_t crc;

	if (payload.n < PAYLOAD_TAIL)
		return false;
	const char *tail = payload.p + payload.n - PAYLOAD_TAIL;
	memcpy(&version, tail, sizeof(version));
	memcpy(&crc, tail + sizeof(version), sizeof(crc));
	return version <= RDB_VERSION_READ &&
	       (!checksum || crc == crc64(0, payload.p, payload.n - sizeof(crc)));
}

bool rdb_payload_read(struct rdb_in *in, struct bytes payload, const struct type_limits *lim,
		      struct rdb_value *v)
{
	rdb_in_memory(in, payload.p, payload.n > PAYLOAD_TAIL ? payload.n - PAYLOAD_TAIL : 0);
	*v = (struct rdb_value){0};
	const unsigned char *type = rdb_in_take(in, 1);
	if (!type)
		return rdb_in_fail(in, "no value");
	if (!rdb_value_read(in, *type, lim, v))
		return false;
	if (!v->empty && rdb_in_left(in) == 0)
		return true;
	rdb_value_drop(v);
	return rdb_in_fail(in, "an empty value, or more than one");
}
