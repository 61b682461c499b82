/* resp/net/batch.c - see batch.h. */
#include "resp/net/batch.h"

#include "resp/net/client.h"
#include "store/base/blob.h"
#include "store/base/mem.h"

void batch_init(struct batch *b)
{
	b->arena = mem_alloc(BATCH_ARENA);
	b->used = b->n = b->nargs = 0;
	b->running = false;
}

void batch_fini(struct batch *b)
{
	mem_free(b->arena);
}

/* Its session waits. */
static void defer(struct dispatch_item *item)
{
	struct client *c = client_of(item->session);
	if (!client_is_closing(c) && !client_defer(c, item))
		client_mark_close(c);
}

void batch_run(struct batch *b, struct server *server)
{
	if (b->n == 0)
		return;
	b->running = true;
	dispatch_batch(server, b->items, b->n);
	b->running = false;
	for (size_t i = 0; i < b->n; i++) {
		if (__builtin_expect(b->items[i].state == ITEM_HELD, 0))
			defer(&b->items[i]);
		blob_put(b->items[i].blob);
	}
	b->n = b->nargs = 0;
}

char *batch_room(struct batch *b, struct server *server)
{
	/* Half a batch is enough to have hidden the memory's latency; then the arena starts over while it is in the cache. */
	if (b->n >= BATCH_ITEMS / 2 || BATCH_ARENA - b->used < BATCH_TAIL + BATCH_READ)
		batch_run(b, server);
	if (b->n == 0)
		b->used = 0;
	return b->arena + b->used;
}
