/* resp/net/client.h - one connected client, and what listeners, clients and network.c share. Private to resp/net/.
 *
 * Input arrives in the network's batch (batch.h) where it is parsed in place; only the tail of a command that is not all there is kept by
 * the client. Output waits in its struct reply. Both are empty while the client is idle; a small
 * reply buffer that it kept goes after a second or two.
 *
 * Clients are freed at one point only, network_send() at the end of a turn, when nothing refers to them; everything else marks.
 */
#ifndef RESP_NET_CLIENT_H
#define RESP_NET_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "resp/net/batch.h"
#include "resp/net/listener.h"
#include "resp/proto/parser.h"
#include "resp/session.h"

struct loop;
struct loop_fd;
struct server;
struct ssl_ctx_st;
struct tls;

struct client {
	struct session session;
	struct network *net;
	struct loop_fd *watch;
	struct tls *tls; /* NULL on a plain connection */
	int fd;
	bool in_more_list; /* its TLS holds input that no event tells of */
	bool in_send_list, in_close_list;
	bool held; /* its replies wait for the disk: in the network's held list, linked by next_send */
	bool shrunk;      /* its reply buffer was given back */
	bool socket_full; /* waits for LOOP_WRITE */
	struct reply reply;
	struct parser parser;

	char *in; /* bytes of a command begun, in_len of in_cap */
	size_t in_len, in_cap;
	/* A big argument on its way into memory of its own: body->len of body_want bytes so far, then body_end bytes of line end. Done
	 * when parser.outside is set. */
	struct blob *body;
	size_t body_want;
	unsigned body_end;

	/* Commands that came while another of the session waits (defer.c), and whether what follows them is no protocol. */
	struct deferred *deferred, *deferred_last;
	size_t deferred_mem;
	bool broken, in_resume_list;
	struct client *next_resume;

	/* Its part of what maxmemory-clients counts, and its place among those of its size; no bucket when it is not to be evicted:
	 * shed.c. */
	size_t counted;
	unsigned bucket;
	struct client *prev_size, *next_size;

	int64_t soft_since_ms; /* over the soft output limit since, 0 when not */
	char *peer;            /* as text, once somebody asked */
	struct client *prev, *next;
	struct client *next_send, *next_close, *next_more;
};

/* Four for each doubling: the biggest are found as well as matters. */
#define SHED_BUCKETS 128

struct network {
	struct server *server;
	struct loop *loop;
	struct listener *listeners;
	struct ssl_ctx_st
		*tls; /* what new TLS connections begin with; NULL until tls-port is set */
	struct client *more_list;
	struct client *clients, *clients_tail; /* the cron takes from the front and puts behind */
	size_t nclients;
	struct client *send_list, **send_tail;
	struct client *close_list;
	/* answered: what they sent meanwhile may run */
	struct client *resume_list, *resume_last;
	struct client *held;
	struct batch *batch;
	/* While a script is busy (busy.c): the batch that it runs in, who called it, and whose input was being read when it began. */
	struct batch *outer;
	struct session *busy_caller;
	struct client *reading;
	size_t max_input, max_output; /* seen lately */
	/* maxmemory-clients: the limit (0: none), what clients hold together, and the clients by size. */
	size_t shed_limit, shed_sum;
	bool shed_in_vain; /* has said that evicting all did not suffice */
	struct client *by_size[SHED_BUCKETS];
	int64_t figures_ms;
};

static inline struct client *client_of(struct session *s)
{
	return (struct client *)(void *)((char *)s - offsetof(struct client, session));
}

/* A client on the connected @fd, which it owns from now on. NULL (and @fd closed) when it cannot be watched. */
struct client *client_new(struct network *n, int fd, enum listener_door door);
/* Only when no batch item names it. */
void client_free(struct client *c);

/* Have it looked at when replies are sent. */
void client_mark_send(struct client *c);
/* Have it freed at the end of the turn, without sending. */
void client_mark_close(struct client *c);

static inline bool client_is_closing(const struct client *c)
{
	return c->session.flags & (SESSION_CLOSE_AFTER_REPLY | SESSION_CLOSE_ASAP);
}

/* Send what waits, as much as the socket takes, and see to the output limits. */
void client_send(struct client *c);
/* Close it if its output passed a limit. */
void client_check_output(struct client *c);

/* The socket is readable: take what is there (input.c). */
void client_read(struct client *c);

/* What recv answered: true when there are bytes. Otherwise the client may be marked to be closed. */
bool client_received(struct client *c, ssize_t n);
/* Answer parser.error and close; not before what the session holds back. */
void client_protocol_error(struct client *c);

/* What the socket is to be watched for now. */
void client_watch(struct client *c);

/* Bytes that it holds, in constant time. */
size_t client_mem(const struct client *c);

/* --- shed.c: maxmemory-clients --- */

/* Something of the client changed; only while there is a limit. */
void client_count(struct client *c);
void client_uncount(struct client *c);
/* Close the biggest clients until the others fit. */
void network_shed(struct network *n);
/* Close it for what it holds. */
void client_evict(struct client *c);

/* --- accept.c --- */

/* Whether protected mode keeps this client out; then it is told so and closed. */
bool client_refused(struct client *c);

/* --- tls_client.c --- */

/* On a socket of TLS: the events that are there for reading and writing, after the handshake had its part. */
unsigned tls_client_ready(struct client *c, unsigned events);
/* After a read: have it read again in the next turn where TLS holds more. */
void tls_client_read(struct client *c);
void tls_client_forget(struct client *c);
/* Log a handshake that takes too long, and close. */
void tls_client_check(struct client *c, int64_t now_ms);
/* Read those that hold more. */
void network_read_more(struct network *n);

/* recv, recvmsg and sendmsg, through TLS where there is one. */
ssize_t client_recvmsg(struct client *c, struct msghdr *msg);
ssize_t client_sendmsg(struct client *c, const struct msghdr *msg);
ssize_t client_recv_tls(struct client *c, void *p, size_t n);
static inline ssize_t client_recv(struct client *c, void *p, size_t n)
{
	if (__builtin_expect(c->tls != NULL, 0))
		return client_recv_tls(c, p, n);
	return recv(c->fd, p, n, MSG_DONTWAIT);
}

/* --- defer.c --- */

/* Keep a copy of @item until the session goes on. False when there is no memory. */
bool client_defer(struct client *c, const struct dispatch_item *item);
void client_drop_deferred(struct client *c);
/* Take and forget input behind a protocol error. */
void client_read_nothing(struct client *c);
void client_park(struct session *s);
void client_unpark(struct session *s);
/* Run what was kept by clients that were answered. */
void network_resume(struct network *n);

/* "id=... addr=..." for the log; a string from mem_alloc. */
char *client_describe(struct client *c);

#endif
