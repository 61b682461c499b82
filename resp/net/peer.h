/* resp/net/peer.h - connections to other servers, used one question after the other: MIGRATE.
 *
 * Each call waits for the other side, at most the time it is given, and everything else waits meanwhile, as in Redis: what
 * is on its way must not change. Connections are kept for ten seconds after their last use, 64 of them at most.
 */
#ifndef RESP_NET_PEER_H
#define RESP_NET_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resp/proto/reply.h"
#include "store/base/bytes.h"

struct peers;
struct server;

struct peer {
	int64_t db; /* which SELECT chose there, -1 when that is not known; the user's to keep */
	bool used; /* before this time: the other side may have closed it since; the user's to set */
	struct peer_link *link;
};

/* A connection to @host and @port, one that is there or a new one. NULL when it cannot be had in @ms. */
struct peer *peer_get(struct server *server, struct bytes host, struct bytes port, int64_t ms);
/* Close it: it failed, or is in a state that nobody knows. */
void peer_drop(struct server *server, struct peer *p);

/* Send all of @out, each part of it within @ms. False with errno, ETIMEDOUT for the time. */
bool peer_send(struct peer *p, struct reply *out, int64_t ms);
/* Read a line without its end into @line, cut to @size with its zero. False with errno, 0 when the other side closed. */
bool peer_line(struct peer *p, char *line, size_t size, int64_t ms);

void peers_free(struct server *server);

#endif
