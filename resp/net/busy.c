/* resp/net/busy.c - see busy.h. */
#include "resp/net/busy.h"
#include "resp/changes.h"

#include "resp/net/client.h"
#include "resp/net/loop.h"
#include "resp/persist/aof/aof.h"
#include "resp/server.h"
#include "store/base/mem.h"

/* Those behind the script in its batch do not wait for it. The caller's own commands do. */
static void answer_waiting(struct network *n)
{
	struct batch *b = n->batch;
	const struct dispatch_item *at = n->server->item_at;

	if (!b->running || at < b->items || at >= b->items + b->n)
		return;
	for (struct dispatch_item *item = b->items + (at - b->items) + 1; item < b->items + b->n;
	     item++)
		if (item->session != n->busy_caller)
			dispatch_overtaking(item);
}

void busy_begin(struct server *s, struct session *caller, const char *error)
{
	struct network *n = s->network;

	s->busy = error;
	if (!n)
		return;
	n->busy_caller = caller;
	answer_waiting(n);
	/* What was answered before it is to be sent now. */
	aof_flush_whole(s);
	n->outer = n->batch;
	n->batch = mem_alloc(sizeof(*n->batch));
	batch_init(n->batch);
}

/* --- a turn --- */

/* Whether something on the stack below still has to do with @c. */
static bool is_in_use(const struct client *c)
{
	const struct network *n = c->net;

	if (&c->session == n->busy_caller || c == n->reading || c->in_resume_list)
		return true;
	for (size_t i = 0; i < n->outer->n; i++)
		if (n->outer->items[i].session == &c->session &&
		    n->outer->items[i].state != ITEM_SERVED)
			return true;
	return false;
}

static void release_held(struct network *n)
{
	struct client *c = n->held;

	n->held = NULL;
	for (struct client *next; c; c = next) {
		next = c->next_send;
		c->held = false;
		client_mark_send(c);
	}
}

static void send_all(struct network *n)
{
	if (n->server->changes)
		changes_settle(n->server->changes, true);
	release_held(n);
	struct client *c = n->send_list, *caller = NULL;
	n->send_list = NULL;
	n->send_tail = &n->send_list;
	for (struct client *next; c; c = next) {
		next = c->next_send;
		c->in_send_list = false;
		if (&c->session == n->busy_caller) {
			caller = c;
			continue;
		}
		client_send(c);
		client_check_output(c);
	}
	if (caller)
		client_mark_send(caller);
}

static void close_all(struct network *n)
{
	struct client **at = &n->close_list;

	while (*at) {
		struct client *c = *at;
		if (is_in_use(c)) {
			at = &c->next_close;
			continue;
		}
		*at = c->next_close;
		client_free(c);
	}
}

void busy_turn(struct server *s)
{
	struct network *n = s->network;

	if (!n)
		return;
	loop_turn_nested(s->loop);
	batch_run(n->batch, s);
	n->batch->used = 0;
	send_all(n);
	close_all(n);
}

void busy_end(struct server *s)
{
	struct network *n = s->network;

	s->busy = NULL;
	if (!n)
		return;
	batch_fini(n->batch);
	mem_free(n->batch);
	n->batch = n->outer;
	n->outer = NULL;
	n->busy_caller = NULL;
}
