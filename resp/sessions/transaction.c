/* resp/sessions/transaction.c - see transaction.h. */
#include "resp/sessions/transaction.h"

#include <string.h>

#include "resp/acl/acl.h"
#include "resp/item.h"
#include "resp/journal.h"
#include "resp/scripts/scripts.h"
#include "resp/server.h"
#include "resp/sessions/watch.h"
#include "store/base/mem.h"

struct transaction {
	struct dispatch_item *items;
	size_t n, cap;
	size_t input, mem;
	uint32_t flags; /* enum command_flag */
};

void transaction_begin(struct session *s)
{
	s->transaction = mem_calloc(sizeof(*s->transaction));
	s->flags |= SESSION_MULTI;
}

/* --- queueing --- */

static bool grow(struct transaction *t)
{
	if (t->n < t->cap)
		return true;
	size_t cap = t->cap ? t->cap * 2 : 4;
	struct dispatch_item *items = mem_retry(t->items, cap * sizeof(*items));
	if (!items)
		return false;
	t->items = items;
	t->cap = cap;
	return true;
}

bool transaction_queue(struct session *s, const struct dispatch_item *item)
{
	struct transaction *t = s->transaction;
	if (!grow(t) || !item_copy(&t->items[t->n], item))
		return false;
	const struct dispatch_item *mine = &t->items[t->n++];
	t->flags |= item->reg->cmd->flags & CMD_SCRIPT
			    ? scripts_command_flags(s->server->scripts, item->reg->cmd, item->argc,
						    item->argv)
			    : item->reg->cmd->flags;
	t->mem += item_mem(mine);
	for (int i = 0; i < item->argc; i++)
		t->input += item->argv[i].n;
	return true;
}

/* --- ending --- */

static void transaction_free(struct transaction *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		item_drop(&t->items[i]);
	mem_free(t->items);
	mem_free(t);
}

void transaction_discard(struct session *s)
{
	transaction_free(s->transaction);
	s->transaction = NULL;
	s->flags &= ~(uint32_t)(SESSION_MULTI | SESSION_DIRTY_CAS | SESSION_DIRTY_EXEC);
	watch_clear(s);
}

void transaction_refuse_exec(struct session *s, const char *error)
{
	transaction_discard(s);
	if (strncmp(error, "ERR ", 4) == 0)
		error += 4;
	reply_errorf(s->reply, "EXECABORT Transaction discarded because of: %s", error);
}

/* --- running --- */

static void run_all(struct session *s)
{
	struct transaction *t = s->transaction;
	struct journal *journal = s->server->journal;
	/* SESSION_MULTI stays set meanwhile, as in Redis; nothing is queued, since nothing comes through the door. */
	s->flags |= SESSION_DENY_BLOCKING;
	journal_begin(journal);
	reply_array(s->reply, t->n);
	for (size_t i = 0; i < t->n; i++) {
		struct dispatch_item *item = &t->items[i];
		const char *refused = NULL;
		/* Rights may have changed since it was queued. */
		if (s->flags & SESSION_RESTRICTED)
			refused = acl_refusal_in_exec(s, item->reg, item->argc, item->argv);
		if (refused)
			reply_error(s->reply, refused);
		else
			dispatch_admitted(item);
	}
	journal_end(journal);
	s->flags &= ~(uint32_t)SESSION_DENY_BLOCKING;
}

void transaction_exec(struct session *s)
{
	if (!(s->flags & SESSION_DIRTY_CAS) && watch_expired(s))
		s->flags |= SESSION_DIRTY_CAS;
	watch_clear(s);
	if (s->flags & SESSION_DIRTY_EXEC)
		reply_error(s->reply,
			    "EXECABORT Transaction discarded because of previous errors.");
	else if (s->flags & SESSION_DIRTY_CAS)
		reply_null_array(s->reply);
	else
		run_all(s);
	transaction_discard(s);
}

/* --- figures --- */

uint32_t transaction_flags(const struct session *s)
{
	return s->transaction ? s->transaction->flags : 0;
}

int transaction_count(const struct session *s)
{
	return s->transaction ? (int)s->transaction->n : -1;
}

size_t transaction_input(const struct session *s)
{
	return s->transaction ? s->transaction->input : 0;
}

size_t transaction_mem(const struct session *s)
{
	const struct transaction *t = s->transaction;
	size_t n = s->watches ? watch_mem(s) : 0;
	return t ? n + t->mem + t->cap * sizeof(*t->items) : n;
}
