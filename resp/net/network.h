/* resp/net/network.h - listeners and connected clients.
 *
 * Reads are collected for a whole turn: all ready clients are read and parsed, then one dispatch_batch runs what came, then replies
 * are sent. A client that is idle for more than a second or two holds no buffers.
 */
#ifndef RESP_NET_NETWORK_H
#define RESP_NET_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server;
struct network;

/* Open the listeners that the configuration names. On failure logs as Redis does ("Warning: Could not create server TCP
 * listening socket ...", "Failed listening on port ...") and answers NULL. */
struct network *network_new(struct server *s);

/* Begin to accept. The loop's hook that sends replies is added here: what must happen between running commands and sending replies
 * (the mount withdraws names) adds its hook after network_new() and before this. */
void network_start(struct network *n);

/* What clients sent and did not run yet is never run: the end is near. @n may be NULL. */
void network_run_no_more(struct network *n);

/* Close every client and listener; unlinks the unix socket. */
void network_free(struct network *n);

/* Take certificate, key and the like from the configuration for TLS connections from now on; -1 and the old ones stay when they
 * are no good, which is logged. */
int network_load_tls(struct network *n);

/* Apply a changed maxmemory-clients, or maxmemory where that is a share of it. */
void network_shed_limit(struct network *n);

/* Apply a changed bind/port/tls-port/maxclients; -1 and the old listeners stay when the new ones cannot be had. */
int network_rebind(struct network *n);

/* Once a cron turn: timeouts, shrinking buffers, output-buffer soft limits. */
void network_cron(struct network *n, int64_t now_ms);

struct network_figures {
	size_t clients, max_input, max_output, mem_clients_normal;
};
void network_figures(const struct network *n, struct network_figures *out);
#endif
