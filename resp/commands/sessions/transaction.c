/* MULTI EXEC DISCARD WATCH UNWATCH. */
#include "resp/sessions/transaction.h"

#include "resp/commands/commands.h"
#include "resp/sessions/watch.h"

static void cmd_multi(struct call *c)
{
	if (c->session->flags & SESSION_MULTI) {
		reply_error(c->reply, "ERR MULTI calls can not be nested");
		return;
	}
	transaction_begin(c->session);
	reply_ok(c->reply);
}

static void cmd_exec(struct call *c)
{
	if (c->session->flags & SESSION_MULTI)
		transaction_exec(c->session);
	else
		reply_error(c->reply, "ERR EXEC without MULTI");
}

static void cmd_discard(struct call *c)
{
	if (!(c->session->flags & SESSION_MULTI)) {
		reply_error(c->reply, "ERR DISCARD without MULTI");
		return;
	}
	transaction_discard(c->session);
	reply_ok(c->reply);
}

static void cmd_watch(struct call *c)
{
	struct session *s = c->session;

	if (s->flags & SESSION_MULTI) {
		reply_error(c->reply, "ERR WATCH inside MULTI is not allowed");
		return;
	}
	/* What fails anyway needs no more watches. */
	for (int i = 1; i < c->argc && !(s->flags & SESSION_DIRTY_CAS); i++) {
		if (watch_add(s, c->argv[i]))
			continue;
		watch_clear(s);
		s->flags |= SESSION_DIRTY_CAS;
		call_error(c, STORE_ENOMEM);
		return;
	}
	reply_ok(c->reply);
}

static void cmd_unwatch(struct call *c)
{
	watch_clear(c->session);
	c->session->flags &= ~(uint32_t)SESSION_DIRTY_CAS;
	reply_ok(c->reply);
}

/* --- the table --- */

#define ANYTIME (CMD_NOSCRIPT | CMD_LOADING | CMD_STALE)

const struct command transaction_commands[] = {
	{.name = "multi",
	 .run = cmd_multi,
	 .arity = 1,
	 .flags = ANYTIME | CMD_FAST | CMD_ALLOW_BUSY | CMD_IMMEDIATE,
	 .categories = CAT_TRANSACTION,
	 .summary = "Begin to queue commands that EXEC will run as one",
	 .since = "1.2.0",
	 .group = "transactions",
	 .complexity = "O(1)"},
	{.name = "exec",
	 .run = cmd_exec,
	 .arity = 1,
	 .flags = ANYTIME | CMD_SKIP_SLOWLOG | CMD_IMMEDIATE | CMD_EXEC,
	 .categories = CAT_TRANSACTION,
	 .summary = "Run the queued commands with nothing in between",
	 .since = "1.2.0",
	 .group = "transactions",
	 .complexity = "That of the commands"},
	{.name = "discard",
	 .run = cmd_discard,
	 .arity = 1,
	 .flags = ANYTIME | CMD_FAST | CMD_ALLOW_BUSY | CMD_IMMEDIATE,
	 .categories = CAT_TRANSACTION,
	 .summary = "Forget the queued commands and the watched keys",
	 .since = "2.0.0",
	 .group = "transactions",
	 .complexity = "O(N), N queued commands"},
	{.name = "watch",
	 .run = cmd_watch,
	 .arity = -2,
	 .flags = ANYTIME | CMD_FAST | CMD_ALLOW_BUSY | CMD_IMMEDIATE,
	 .categories = CAT_TRANSACTION,
	 .keys = {KEYS_AT(KEY_RO, 1, -1, 1)},
	 .summary = "Have the next EXEC run nothing if one of these keys changes before it",
	 .since = "2.2.0",
	 .group = "transactions",
	 .complexity = "O(1) a key",
	 .syntax = "key [key ...]"},
	{.name = "unwatch",
	 .run = cmd_unwatch,
	 .arity = 1,
	 .flags = ANYTIME | CMD_FAST | CMD_ALLOW_BUSY,
	 .categories = CAT_TRANSACTION,
	 .summary = "Forget the watched keys",
	 .since = "2.2.0",
	 .group = "transactions",
	 .complexity = "O(N), N watched keys"},
	{0},
};
