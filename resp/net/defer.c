/* resp/net/defer.c - clients whose command waits: what they sent behind it is kept, and run when it was answered. */
#include "resp/item.h"
#include "resp/net/client.h"
#include "resp/net/loop.h"
#include "resp/server.h"
#include "store/base/mem.h"

#define RESUME_ITEMS 16

struct deferred {
	struct deferred *next;
	struct dispatch_item item; /* with a copy of its arguments */
};

bool client_defer(struct client *c, const struct dispatch_item *item)
{
	struct deferred *d = mem_alloc(sizeof(*d));
	if (!item_copy(&d->item, item)) {
		mem_free(d);
		return false;
	}
	d->item.state = ITEM_DONE;
	d->next = NULL;
	if (c->deferred)
		c->deferred_last->next = d;
	else
		c->deferred = d;
	c->deferred_last = d;
	c->deferred_mem += sizeof(*d) + item_mem(&d->item);
	return true;
}

static void drop_first(struct client *c)
{
	struct deferred *d = c->deferred;
	c->deferred = d->next;
	c->deferred_mem -= sizeof(*d) + item_mem(&d->item);
	item_drop(&d->item);
	mem_free(d);
}

void client_drop_deferred(struct client *c)
{
	while (c->deferred)
		drop_first(c);
	if (!c->in_resume_list)
		return;
	struct client **at = &c->net->resume_list, *before = NULL;
	while (*at != c) {
		before = *at;
		at = &before->next_resume;
	}
	*at = c->next_resume;
	if (c->net->resume_last == c)
		c->net->resume_last = before;
	c->in_resume_list = false;
}

/* Input behind a broken command means nothing, but its end does. */
void client_read_nothing(struct client *c)
{
	char *room = batch_room(c->net->batch, c->net->server);
	ssize_t n = client_recv(c, room, BATCH_READ);
	client_received(c, n);
}

/* --- the session's side --- */

void client_park(struct session *s)
{
	/* Nothing to do: the batch leaves out what is held, and batch_run brings it here. */
	(void)s;
}

void client_unpark(struct session *s)
{
	struct client *c = client_of(s);
	client_mark_send(c);
	if (c->in_resume_list)
		return;
	/* In the order in which they were answered. */
	struct client **at = &c->net->resume_list;
	if (*at)
		at = &c->net->resume_last->next_resume;
	*at = c->net->resume_last = c;
	c->next_resume = NULL;
	c->in_resume_list = true;
}

/* --- going on --- */

/* Run up to RESUME_ITEMS of what was kept. */
static void run_some(struct client *c)
{
	struct batch *b = c->net->batch;
	struct dispatch_item items[RESUME_ITEMS];
	size_t n = 0;
	for (struct deferred *d = c->deferred; d && n < RESUME_ITEMS; d = d->next)
		items[n++] = d->item;
	b->running = true;
	dispatch_batch(c->net->server, items, n);
	b->running = false;
	for (size_t i = 0; i < n && items[i].state != ITEM_HELD; i++)
		drop_first(c);
}

static void go_on(struct client *c)
{
	c->session.flags &= ~(uint32_t)SESSION_HELD;
	while (c->deferred && !(c->session.flags & SESSION_HELD) && !client_is_closing(c))
		run_some(c);
	if (c->broken && !(c->session.flags & SESSION_HELD))
		client_protocol_error(c);
}

void network_resume(struct network *n)
{
	struct client *c = n->resume_list, *next;
	n->resume_list = NULL;
	for (; c; c = next) {
		next = c->next_resume;
		c->in_resume_list = false;
		go_on(c);
	}
	/* Those that the ones before have woken have the next turn, behind who came meanwhile. */
	if (n->resume_list)
		loop_again(n->loop);
}
