/* Expiry: setting, reading, dropping it. */
#include "resp/commands/keys/expiry.h"
#include "resp/commands/keys/keys.h"
#include "resp/server.h"

enum expire_condition {
	EXPIRE_NX = 1 << 0,
	EXPIRE_XX = 1 << 1,
	EXPIRE_GT = 1 << 2,
	EXPIRE_LT = 1 << 3,
};

static bool conditions_read(struct call *c, unsigned *out)
{
	unsigned flags = 0;
	for (int i = 3; i < c->argc; i++) {
		struct bytes w = c->argv[i];
		if (bytes_is(w, "nx")) {
			flags |= EXPIRE_NX;
		} else if (bytes_is(w, "xx")) {
			flags |= EXPIRE_XX;
		} else if (bytes_is(w, "gt")) {
			flags |= EXPIRE_GT;
		} else if (bytes_is(w, "lt")) {
			flags |= EXPIRE_LT;
		} else {
			reply_errorf(c->reply, "ERR Unsupported option %.*s",
				     w.n < 128 ? (int)w.n : 128, w.p);
			return false;
		}
	}
	if ((flags & EXPIRE_NX) && (flags & (EXPIRE_XX | EXPIRE_GT | EXPIRE_LT))) {
		reply_error(c->reply,
			    "ERR NX and XX, GT or LT options at the same time are not compatible");
		return false;
	}
	if ((flags & EXPIRE_GT) && (flags & EXPIRE_LT)) {
		reply_error(c->reply, "ERR GT and LT options at the same time are not compatible");
		return false;
	}
	*out = flags;
	return true;
}

/* Whether a key that expires at @old (-1: never, which counts as later than any time) may expire at @at now. */
static bool conditions_hold(unsigned flags, int64_t old, int64_t at)
{
	if ((flags & EXPIRE_NX) && old >= 0)
		return false;
	if ((flags & EXPIRE_XX) && old < 0)
		return false;
	if ((flags & EXPIRE_GT) && (old < 0 || at <= old))
		return false;
	return !(flags & EXPIRE_LT) || old < 0 || at < old;
}

static void expire(struct call *c, enum expiry_unit unit)
{
	unsigned flags;
	int64_t at;
	if (!conditions_read(c, &flags) || !expiry_read(c, 2, unit, false, &at))
		return;
	uint64_t *slot = keyspace_write(c->db, c->argv[1]);
	if (!slot || !conditions_hold(flags, entry_expiry(*slot), at)) {
		reply_int(c->reply, 0);
		return;
	}
	/* What is read back from a journal may yet be said to live longer, further on. */
	if (at <= c->db->ks->now_ms && (at < 0 || !c->server->loading)) {
		expiry_delete(c);
	} else {
		keyspace_expire(c->db, c->argv[1], at);
		expiry_journal(c, at);
		call_changed(c, c->argv[1], NOTIFY_GENERIC, "expire");
	}
	reply_int(c->reply, 1);
}

void keys_expire(struct call *c)
{
	expire(c, EXPIRY_EX);
}

void keys_pexpire(struct call *c)
{
	expire(c, EXPIRY_PX);
}

void keys_expireat(struct call *c)
{
	expire(c, EXPIRY_EXAT);
}

void keys_pexpireat(struct call *c)
{
	expire(c, EXPIRY_PXAT);
}

/* Reply -2 for an absent key, -1 for one that stays, else its expiry: from @since on, in units of @unit milliseconds, rounded. */
static void reply_expiry(struct call *c, int64_t since, int64_t unit)
{
	uint64_t word = keyspace_read(c->db, c->argv[1], KEYSPACE_COUNT);
	int64_t at = word ? entry_expiry(word) : -2;
	if (at >= 0) {
		at = at > since ? at - since : 0;
		at = at / unit + (unit > 1 && at % unit >= unit / 2);
	}
	reply_int(c->reply, at);
}

void keys_ttl(struct call *c)
{
	reply_expiry(c, c->db->ks->now_ms, 1000);
}

void keys_pttl(struct call *c)
{
	reply_expiry(c, c->db->ks->now_ms, 1);
}

void keys_expiretime(struct call *c)
{
	reply_expiry(c, 0, 1000);
}

void keys_pexpiretime(struct call *c)
{
	reply_expiry(c, 0, 1);
}

void keys_persist(struct call *c)
{
	uint64_t *slot = keyspace_write(c->db, c->argv[1]);
	if (!slot || entry_expiry(*slot) < 0) {
		reply_int(c->reply, 0);
		return;
	}
	keyspace_expire(c->db, c->argv[1], -1);
	call_changed(c, c->argv[1], NOTIFY_GENERIC, "persist");
	reply_int(c->reply, 1);
}
