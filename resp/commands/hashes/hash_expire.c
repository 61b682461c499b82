/* Expiries of fields: setting, reading, dropping them. */
#include "resp/commands/hashes/hash_expire.h"

#include "store/base/mem.h"
#include "store/base/num.h"

/* --- arguments --- */

bool hash_time_read(struct call *c, int i, enum expiry_unit unit, int64_t *at)
{
	bool seconds = unit == EXPIRY_EX || unit == EXPIRY_EXAT;
	bool relative = unit == EXPIRY_EX || unit == EXPIRY_PX;
	int64_t v, since = relative ? c->db->ks->now_ms : 0, scale = seconds ? 1000 : 1;

	if (!call_int(c, i, &v))
		return false;
	if (v < 0) {
		reply_error(c->reply, "ERR invalid expire time, must be >= 0");
		return false;
	}
	if (v > HASH_EXPIRY_MAX / scale || v * scale > HASH_EXPIRY_MAX - since) {
		reply_errorf(c->reply, "ERR invalid expire time in '%s' command", c->cmd->name);
		return false;
	}
	*at = v * scale + since;
	return true;
}

bool hash_time_is_past(const struct call *c, int64_t at)
{
	return !c->server->loading && at <= c->db->ks->now_ms;
}

bool hash_fields_read(struct call *c, int i, const char *bad_count, int *first, int *n)
{
	int64_t count;

	if (!bytes_is(c->argv[i], "fields")) {
		reply_error(c->reply, "ERR Mandatory argument FIELDS is missing or not at the "
				      "right position");
		return false;
	}
	if (!call_int_range(c, i + 1, 1, INT64_MAX, &count, bad_count))
		return false;
	if (count != c->argc - i - 2) {
		reply_error(c->reply, "ERR The `numfields` parameter must match the number of "
				      "arguments");
		return false;
	}
	*first = i + 2;
	*n = (int)count;
	return true;
}

/* --- what is journalled --- */

bool field_effect_begin(struct call *c, struct field_effect *e, int n)
{
	e->words = mem_try(((size_t)n + FIELD_EFFECT_HEAD) * sizeof(*e->words));
	e->argc = FIELD_EFFECT_HEAD;
	if (!e->words)
		call_error(c, STORE_ENOMEM);
	return e->words != NULL;
}

void field_effect_end(struct field_effect *e)
{
	mem_free(e->words);
}

/* @head in front of the fields. */
static void say(struct call *c, struct field_effect *e, int n, const struct bytes *head)
{
	if (field_effect_count(e) == 0)
		return;
	memcpy(e->words + FIELD_EFFECT_HEAD - n, head, (size_t)n * sizeof(*head));
	call_effect(c, e->argc - FIELD_EFFECT_HEAD + n, e->words + FIELD_EFFECT_HEAD - n);
}

static struct bytes count_text(struct field_effect *e)
{
	return bytes_of(e->count, num_format_int(e->count, field_effect_count(e)));
}

void field_effect_expire(struct call *c, struct field_effect *e, int64_t at)
{
	struct bytes head[5] = {BYTES("HPEXPIREAT"), c->argv[1],
				bytes_of(e->at, num_format_int(e->at, at)), BYTES("FIELDS"),
				count_text(e)};
	say(c, e, 5, head);
}

void field_effect_persist(struct call *c, struct field_effect *e)
{
	struct bytes head[4] = {BYTES("HPERSIST"), c->argv[1], BYTES("FIELDS"), count_text(e)};
	say(c, e, 4, head);
}

void field_effect_delete(struct call *c, struct field_effect *e)
{
	struct bytes head[2] = {BYTES("HDEL"), c->argv[1]};
	say(c, e, 2, head);
}

/* --- setting --- */

enum condition { ALWAYS, IF_NONE, IF_ANY, IF_LATER, IF_EARLIER };

static enum condition condition_of(struct bytes word)
{
	return bytes_is(word, "nx")   ? IF_NONE
	       : bytes_is(word, "xx") ? IF_ANY
	       : bytes_is(word, "gt") ? IF_LATER
	       : bytes_is(word, "lt") ? IF_EARLIER
				      : ALWAYS;
}

/* Whether a field with expiry @old (-1: never, which counts as later than any time) may expire at @at now. */
static bool holds(enum condition condition, int64_t old, int64_t at)
{
	switch (condition) {
	case ALWAYS:
		break;
	case IF_NONE:
		return old < 0;
	case IF_ANY:
		return old >= 0;
	case IF_LATER:
		return old >= 0 && at > old;
	case IF_EARLIER:
		return old < 0 || at < old;
	}
	return true;
}

struct expiring {
	enum condition condition;
	int64_t at;
	bool past;
	struct field_effect effect;
};

enum { NO_FIELD = -2, NOT_NOW = 0, WILL_EXPIRE = 1, HAS_GONE = 2 };

static int expire_field(struct expiring *e, struct hash *h, struct bytes field)
{
	int64_t old = hash_expiry(h, field);

	if (old == -2)
		return NO_FIELD;
	if (!holds(e->condition, old, e->at))
		return NOT_NOW;
	if (e->past)
		hash_remove(h, field);
	else
		hash_expire(h, field, e->at ? e->at : 1);
	field_effect_add(&e->effect, field);
	return e->past ? HAS_GONE : WILL_EXPIRE;
}

static void tell(struct call *c, struct expiring *e, uint64_t *slot)
{
	int n = field_effect_count(&e->effect);

	if (!n)
		return;
	if (e->past) {
		c->db->ks->stats.expired_fields += (uint64_t)n;
		field_effect_delete(c, &e->effect);
		call_changed(c, c->argv[1], NOTIFY_HASH, "hdel");
		hash_shrunk(c, slot);
	} else {
		hash_touched(c, slot);
		field_effect_expire(c, &e->effect, e->at);
		call_changed(c, c->argv[1], NOTIFY_HASH, "hexpire");
	}
}

static void reply_all(struct call *c, int n, int64_t v)
{
	reply_array(c->reply, (size_t)n);
	while (n--)
		reply_int(c->reply, v);
}

static void hexpire(struct call *c, enum expiry_unit unit)
{
	struct expiring e;
	uint64_t *slot;
	int first, n;

	if (!call_write(c, 1, VALUE_HASH, &slot) || !hash_time_read(c, 2, unit, &e.at))
		return;
	e.condition = condition_of(c->argv[3]);
	if (!hash_fields_read(c, e.condition ? 4 : 3,
			      "ERR Parameter `numFields` should be greater than 0", &first, &n))
		return;
	if (!slot || !hash_shed(c, *slot, first, c->argc - 1, 1)) {
		reply_all(c, n, NO_FIELD);
		return;
	}
	if (!field_effect_begin(c, &e.effect, n))
		return;
	e.past = hash_time_is_past(c, e.at);
	reply_array(c->reply, (size_t)n);
	for (int i = 0; i < n; i++)
		reply_int(c->reply, expire_field(&e, entry_container(*slot), c->argv[first + i]));
	tell(c, &e, slot);
	field_effect_end(&e.effect);
}

void hash_cmd_hexpire(struct call *c)
{
	hexpire(c, EXPIRY_EX);
}

void hash_cmd_hpexpire(struct call *c)
{
	hexpire(c, EXPIRY_PX);
}

void hash_cmd_hexpireat(struct call *c)
{
	hexpire(c, EXPIRY_EXAT);
}

void hash_cmd_hpexpireat(struct call *c)
{
	hexpire(c, EXPIRY_PXAT);
}

/* --- reading --- */

static const char bad_count[] = "ERR Number of fields must be a positive integer";

/* From @since on, in units of @unit milliseconds, rounded up. */
static void httl(struct call *c, int64_t since, int64_t unit)
{
	int64_t now = hash_now(c);
	uint64_t word;
	int first, n;

	if (!call_read(c, 1, VALUE_HASH, &word) || !hash_fields_read(c, 2, bad_count, &first, &n))
		return;
	reply_array(c->reply, (size_t)n);
	for (int i = first; i < first + n; i++) {
		int64_t at = word ? hash_expiry(entry_container(word), c->argv[i]) : -2;
		if (at >= 0)
			at = at < now ? -2 : (at - since + unit - 1) / unit;
		reply_int(c->reply, at);
	}
}

void hash_cmd_httl(struct call *c)
{
	httl(c, c->db->ks->now_ms, 1000);
}

void hash_cmd_hpttl(struct call *c)
{
	httl(c, c->db->ks->now_ms, 1);
}

void hash_cmd_hexpiretime(struct call *c)
{
	httl(c, 0, 1000);
}

void hash_cmd_hpexpiretime(struct call *c)
{
	httl(c, 0, 1);
}

/* --- dropping --- */

static int persist_field(struct call *c, struct field_effect *e, struct hash *h, struct bytes field)
{
	int64_t old = hash_expiry(h, field);

	if (old < 0)
		return (int)old;
	if (old < hash_now(c))
		return NO_FIELD;
	hash_expire(h, field, -1);
	field_effect_add(e, field);
	return 1;
}

void hash_cmd_hpersist(struct call *c)
{
	struct field_effect e;
	uint64_t *slot;
	int first, n;

	if (!call_write(c, 1, VALUE_HASH, &slot) || !hash_fields_read(c, 2, bad_count, &first, &n))
		return;
	if (!slot) {
		reply_all(c, n, NO_FIELD);
		return;
	}
	if (!field_effect_begin(c, &e, n))
		return;
	reply_array(c->reply, (size_t)n);
	for (int i = first; i < first + n; i++)
		reply_int(c->reply, persist_field(c, &e, entry_container(*slot), c->argv[i]));
	if (field_effect_count(&e)) {
		hash_touched(c, slot);
		field_effect_persist(c, &e);
		call_changed(c, c->argv[1], NOTIFY_HASH, "hpersist");
	}
	field_effect_end(&e);
}
