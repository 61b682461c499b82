/* HINCRBY and HINCRBYFLOAT. */
#include <math.h>

#include "resp/commands/hashes/hash.h"
#include "store/base/num.h"

/* The value of @field of the hash of @slot, which may be NULL; false when there is none. */
static bool value_now(uint64_t *slot, struct bytes field, char *buf, struct bytes *value)
{
	return slot && hash_get(entry_container(*slot), field, buf, value);
}

static void bind(struct call *c, uint64_t *slot, struct bytes value, const char *event)
{
	hash_set_keep(hash_for_write(c, slot), c->argv[2], value, hash_limits(c));
	call_changed(c, c->argv[1], NOTIFY_HASH, event);
}

void hash_cmd_hincrby(struct call *c)
{
	char buf[NUM_BUF];
	int64_t by, now = 0;
	struct bytes value;
	uint64_t *slot;

	if (!call_int(c, 3, &by) || !hash_write(c, 2, 2, 1, &slot))
		return;
	if (value_now(slot, c->argv[2], buf, &value) && !num_parse_int(value, &now)) {
		reply_error(c->reply, "ERR hash value is not an integer");
		return;
	}
	if (__builtin_add_overflow(now, by, &now)) {
		call_error(c, STORE_EOVERFLOW);
		return;
	}
	bind(c, slot, bytes_of(buf, num_format_int(buf, now)), "hincrby");
	reply_int(c->reply, now);
}

/* The sum, not the summand: floats need not add up the same elsewhere. HSET drops the expiry that the field kept here. */
static void journal_sum(struct call *c, uint64_t *slot, struct bytes sum)
{
	char buf[NUM_BUF];
	struct bytes words[4] = {BYTES("HSET"), c->argv[1], c->argv[2], sum};
	int64_t at = slot ? hash_expiry(entry_container(*slot), c->argv[2]) : -1;

	call_effect(c, 4, words);
	if (at < 0)
		return;
	struct bytes expire[6] = {
		BYTES("HPEXPIREAT"), c->argv[1], bytes_of(buf, num_format_int(buf, at)),
		BYTES("FIELDS"),     BYTES("1"), c->argv[2]};
	call_effect(c, 6, expire);
}

void hash_cmd_hincrbyfloat(struct call *c)
{
	char buf[NUM_BUF], text[NUM_LDOUBLE_BUF];
	long double by, now = 0;
	struct bytes value;
	uint64_t *slot;

	if (!num_parse_ldouble(c->argv[3], &by)) {
		call_error(c, STORE_ENOTFLOAT);
		return;
	}
	if (isinf(by)) {
		reply_error(c->reply, "ERR value is NaN or Infinity");
		return;
	}
	if (!hash_write(c, 2, 2, 1, &slot))
		return;
	if (value_now(slot, c->argv[2], buf, &value) && !num_parse_ldouble(value, &now)) {
		reply_error(c->reply, "ERR hash value is not a float");
		return;
	}
	now += by;
	if (isnan(now) || isinf(now)) {
		reply_error(c->reply, "ERR increment would produce NaN or Infinity");
		return;
	}
	value = bytes_of(text, num_format_ldouble(text, now));
	bind(c, slot, value, "hincrbyfloat");
	journal_sum(c, slot, value);
	reply_bulk(c->reply, value);
}
