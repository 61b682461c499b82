#include "resp/commands/keys/expiry.h"

#include "store/base/num.h"

bool expiry_unit_parse(struct bytes word, enum expiry_unit *out)
{
	if (word.n == 2 && bytes_is(word, "ex"))
		*out = EXPIRY_EX;
	else if (word.n == 2 && bytes_is(word, "px"))
		*out = EXPIRY_PX;
	else if (word.n == 4 && bytes_is(word, "exat"))
		*out = EXPIRY_EXAT;
	else if (word.n == 4 && bytes_is(word, "pxat"))
		*out = EXPIRY_PXAT;
	else
		return false;
	return true;
}

bool expiry_read(struct call *c, int i, enum expiry_unit unit, bool positive, int64_t *at_ms)
{
	int64_t v;
	if (!call_int(c, i, &v))
		return false;
	bool seconds = unit == EXPIRY_EX || unit == EXPIRY_EXAT;
	bool relative = unit == EXPIRY_EX || unit == EXPIRY_PX;
	bool bad = positive && v <= 0;
	if (seconds && __builtin_mul_overflow(v, INT64_C(1000), &v))
		bad = true;
	if (!bad && relative && __builtin_add_overflow(v, c->db->ks->now_ms, &v))
		bad = true;
	if (bad) {
		reply_errorf(c->reply, "ERR invalid expire time in '%s' command", c->cmd->name);
		return false;
	}
	*at_ms = v;
	return true;
}

void expiry_journal(struct call *c, int64_t at_ms)
{
	char buf[NUM_BUF];
	struct bytes words[3] = {BYTES("PEXPIREAT"), c->argv[1],
				 bytes_of(buf, num_format_int(buf, at_ms))};
	call_effect(c, 3, words);
}

void expiry_delete(struct call *c)
{
	bool lazy = c->db->ks->policy.lazy_expire;
	keyspace_delete(c->db, c->argv[1], lazy ? KEYSPACE_FREE_LAZY : KEYSPACE_FREE_NOW);
	struct bytes words[2] = {lazy ? BYTES("UNLINK") : BYTES("DEL"), c->argv[1]};
	call_effect(c, 2, words);
	call_changed(c, c->argv[1], NOTIFY_GENERIC, "del");
}
