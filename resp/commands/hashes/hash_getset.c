/* HGETDEL, HGETEX and HSETEX. */
#include "resp/commands/hashes/hash_expire.h"
#include "store/base/num.h"

static void reply_value(struct call *c, struct hash *h, struct bytes field)
{
	char buf[NUM_BUF];
	struct bytes value;

	if (hash_get(h, field, buf, &value))
		reply_bulk(c->reply, value);
	else
		reply_null(c->reply);
}

static void reply_nulls(struct call *c, int n)
{
	reply_array(c->reply, (size_t)n);
	while (n--)
		reply_null(c->reply);
}

/* --- HGETDEL --- */

void hash_cmd_hgetdel(struct call *c)
{
	struct field_effect e;
	uint64_t *slot;
	int first, n;

	if (!call_write(c, 1, VALUE_HASH, &slot) ||
	    !hash_fields_read(c, 2, "ERR Number of fields must be a positive integer", &first, &n))
		return;
	if (!slot || !hash_shed(c, *slot, first, c->argc - 1, 1)) {
		reply_nulls(c, n);
		return;
	}
	if (!field_effect_begin(c, &e, n))
		return;
	struct hash *h = entry_container(*slot);
	reply_array(c->reply, (size_t)n);
	for (int i = first; i < first + n; i++) {
		reply_value(c, h, c->argv[i]);
		if (hash_remove(h, c->argv[i]))
			field_effect_add(&e, c->argv[i]);
	}
	if (field_effect_count(&e)) {
		field_effect_delete(c, &e);
		call_changed(c, c->argv[1], NOTIFY_HASH, "hdel");
		hash_shrunk(c, slot);
	}
	field_effect_end(&e);
}

/* --- options --- */

/* What HGETEX and HSETEX are told in front of and with FIELDS. */
struct options {
	bool expires; /* @at is the new expiry */
	bool persist, keep_ttl;
	bool if_none, if_all;
	int64_t at;
	int first, n; /* fields, or pairs */
};

/* @each: words that a field comes with. */
static bool fields_option(struct call *c, int i, int each, struct options *o)
{
	int64_t n;

	if (i + 2 < c->argc &&
	    !call_int_range(c, i + 1, 1, INT32_MAX, &n, "ERR invalid number of fields"))
		return false;
	if (i + 2 >= c->argc || n * each != c->argc - i - 2) {
		reply_errorf(c->reply, "ERR wrong number of arguments for '%s' command",
			     c->cmd->name);
		return false;
	}
	o->first = i + 2;
	o->n = (int)n;
	return true;
}

static bool time_option(struct call *c, int i, enum expiry_unit unit, struct options *o)
{
	if (i + 1 >= c->argc) {
		reply_error(c->reply, "ERR missing expire time");
		return false;
	}
	o->expires = true;
	return hash_time_read(c, i + 1, unit, &o->at);
}

static bool refuse(struct call *c, const char *error)
{
	reply_error(c->reply, error);
	return false;
}

/* One option at argv[*i], which is moved on behind it. */
static bool read_option(struct call *c, int *i, bool set, struct options *o)
{
	struct bytes w = c->argv[*i];
	enum expiry_unit unit;
	bool time = expiry_unit_parse(w, &unit), keep = set && bytes_is(w, "keepttl");
	bool persist = !set && bytes_is(w, "persist");
	bool none = set && bytes_is(w, "fnx"), all = set && bytes_is(w, "fxx");

	if (!time && !keep && !persist && !none && !all) {
		reply_errorf(c->reply, "ERR unknown argument: %.*s", w.n < 128 ? (int)w.n : 128,
			     w.p);
		return false;
	}
	if ((none || all) && (o->if_none || o->if_all))
		return refuse(c, "ERR Only one of FXX or FNX arguments can be specified");
	if (!none && !all && (o->expires || o->keep_ttl || o->persist))
		return refuse(c, set ? "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments "
				       "can be specified"
				     : "ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments "
				       "can be specified");
	o->keep_ttl |= keep;
	o->persist |= persist;
	o->if_none |= none;
	o->if_all |= all;
	if (time && !time_option(c, *i, unit, o))
		return false;
	*i += time ? 2 : 1;
	return true;
}

static bool read_options(struct call *c, bool set, struct options *o)
{
	*o = (struct options){0};
	for (int i = 2; i < c->argc;) {
		if (bytes_is(c->argv[i], "fields"))
			return fields_option(c, i, set ? 2 : 1, o);
		if (!read_option(c, &i, set, o))
			return false;
	}
	return refuse(c, "ERR Mandatory argument FIELDS is missing or not at the right position");
}

/* --- HGETEX --- */

/* True when the field was changed: its expiry, or it is gone. */
static bool getex_field(const struct options *o, bool past, struct hash *h, struct bytes field)
{
	int64_t old = hash_expiry(h, field);

	if (old == -2 || (!o->expires && !o->persist) || (o->persist && old < 0))
		return false;
	if (past)
		return hash_remove(h, field);
	hash_expire(h, field, o->persist ? -1 : o->at ? o->at : 1);
	return true;
}

static void getex_tell(struct call *c, const struct options *o, bool past, struct field_effect *e,
		       uint64_t *slot)
{
	if (past) {
		c->db->ks->stats.expired_fields += (uint64_t)field_effect_count(e);
		field_effect_delete(c, e);
		call_changed(c, c->argv[1], NOTIFY_HASH, "hdel");
		hash_shrunk(c, slot);
		return;
	}
	hash_touched(c, slot);
	if (o->persist)
		field_effect_persist(c, e);
	else
		field_effect_expire(c, e, o->at);
	call_changed(c, c->argv[1], NOTIFY_HASH, o->persist ? "hpersist" : "hexpire");
}

void hash_cmd_hgetex(struct call *c)
{
	struct field_effect e;
	struct options o;
	uint64_t *slot;

	if (!read_options(c, false, &o) || !hash_write(c, o.first, c->argc - 1, 1, &slot))
		return;
	if (!slot) {
		reply_nulls(c, o.n);
		return;
	}
	if (!field_effect_begin(c, &e, o.n))
		return;
	struct hash *h = entry_container(*slot);
	bool past = o.expires && hash_time_is_past(c, o.at);
	reply_array(c->reply, (size_t)o.n);
	for (int i = o.first; i < c->argc; i++) {
		reply_value(c, h, c->argv[i]);
		if (getex_field(&o, past, h, c->argv[i]))
			field_effect_add(&e, c->argv[i]);
	}
	if (field_effect_count(&e))
		getex_tell(c, &o, past, &e, slot);
	field_effect_end(&e);
}

/* --- HSETEX --- */

/* Whether FNX and FXX let it happen. */
static bool setex_allowed(struct call *c, const struct options *o, struct hash *h)
{
	if (!o->if_none && !o->if_all)
		return true;
	for (int i = o->first; i < c->argc; i += 2)
		if ((h && hash_has(h, c->argv[i])) != o->if_all)
			return false;
	return true;
}

static void setex_bind(struct call *c, const struct options *o, struct hash *h)
{
	const struct type_limits *lim = hash_limits(c);
	size_t longest = 0;

	for (int i = o->first; i < c->argc; i++)
		longest = c->argv[i].n > longest ? c->argv[i].n : longest;
	hash_prepare(h, (size_t)o->n, longest, lim);
	for (int i = o->first; i < c->argc; i += 2) {
		if (o->expires || o->keep_ttl)
			hash_set_keep(h, c->argv[i], c->argv[i + 1], lim);
		else
			hash_set(h, c->argv[i], c->argv[i + 1], lim);
		if (o->expires)
			hash_expire(h, c->argv[i], o->at ? o->at : 1);
	}
}

/* Without conditions, and with the time that it means: "HSETEX key [PXAT at|KEEPTTL] FIELDS n field value ...", or HSET. */
static void setex_journal(struct call *c, const struct options *o, struct field_effect *e)
{
	int n = c->argc - o->first, from = FIELD_EFFECT_HEAD;
	struct bytes *w = e->words + from;

	memcpy(w, c->argv + o->first, (size_t)n * sizeof(*w));
	if (o->expires || o->keep_ttl) {
		*--w = bytes_of(e->count, num_format_int(e->count, o->n));
		*--w = BYTES("FIELDS");
	}
	if (o->expires) {
		*--w = bytes_of(e->at, num_format_int(e->at, o->at));
		*--w = BYTES("PXAT");
	} else if (o->keep_ttl) {
		*--w = BYTES("KEEPTTL");
	}
	*--w = c->argv[1];
	*--w = o->expires || o->keep_ttl ? BYTES("HSETEX") : BYTES("HSET");
	call_effect(c, (int)(e->words + from + n - w), w);
}

/* A time in the past: set, and gone. */
static void setex_past(struct call *c, const struct options *o, uint64_t *slot,
		       struct field_effect *e)
{
	struct hash *h = hash_for_write(c, slot);

	setex_bind(c, o, h);
	for (int i = o->first; i < c->argc; i += 2) {
		hash_remove(h, c->argv[i]);
		field_effect_add(e, c->argv[i]);
	}
	c->db->ks->stats.expired_fields += (uint64_t)o->n;
	field_effect_delete(c, e);
	call_changed(c, c->argv[1], NOTIFY_HASH, "hset");
	call_event(c, c->db, c->argv[1], NOTIFY_HASH, "hdel");
	hash_shrunk(c, keyspace_write(c->db, c->argv[1]));
}

void hash_cmd_hsetex(struct call *c)
{
	struct field_effect e;
	struct options o;
	uint64_t *slot;

	if (!read_options(c, true, &o) || !hash_write(c, o.first, c->argc - 1, 2, &slot))
		return;
	if (!setex_allowed(c, &o, slot ? entry_container(*slot) : NULL)) {
		reply_int(c->reply, 0);
		return;
	}
	if (!field_effect_begin(c, &e, c->argc))
		return;
	if (o.expires && hash_time_is_past(c, o.at)) {
		setex_past(c, &o, slot, &e);
	} else {
		setex_bind(c, &o, hash_for_write(c, slot));
		hash_touched(c, keyspace_write(c->db, c->argv[1]));
		setex_journal(c, &o, &e);
		call_changed(c, c->argv[1], NOTIFY_HASH, "hset");
		if (o.expires)
			call_event(c, c->db, c->argv[1], NOTIFY_HASH, "hexpire");
	}
	reply_int(c->reply, 1);
	field_effect_end(&e);
}
