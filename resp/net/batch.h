/* resp/net/batch.h - the commands that were parsed in this turn and wait to be run together.
 *
 * The arena holds the bytes that clients sent; arguments point into it. It is rewound when everything in it has run, so
 * what was read stays in place until then. Private to resp/net/.
 */
#ifndef RESP_NET_BATCH_H
#define RESP_NET_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "resp/dispatch.h"

struct server;

#define BATCH_ARENA (256 * 1024)
#define BATCH_ITEMS 128
#define BATCH_ARGS  2048
/* At most this much is read from one client in a turn; a kept tail of up to BATCH_TAIL goes in front of it. */
#define BATCH_READ (64 * 1024)
#define BATCH_TAIL (32 * 1024)

struct batch {
	char *arena;
	size_t used;
	size_t n, nargs;
	bool running;
	struct dispatch_item items[BATCH_ITEMS];
	struct bytes args[BATCH_ARGS];
};

void batch_init(struct batch *b);
void batch_fini(struct batch *b);

/* Run what is in it. Safe to call when it is empty. */
void batch_run(struct batch *b, struct server *server);

/* Room for a tail and a read, running what is there if need be. The memory counts as used after batch_keep(). */
char *batch_room(struct batch *b, struct server *server);
static inline void batch_keep(struct batch *b, size_t n)
{
	b->used += n;
}

#endif
