/* resp/net/tls_client.c - clients that speak TLS: handshake, input that waits behind it, and which events they need. */
#include "resp/log.h"
#include "resp/net/client.h"
#include "resp/net/loop.h"
#include "resp/net/tls.h"
#include "resp/server.h"
#include "store/base/mem.h"

/* Who has not greeted by then takes a place that others could use. */
#define HANDSHAKE_MS 10000

/* --- the handshake --- */

static void log_failure(struct client *c, const char *why)
{
	char addr[160], laddr[160];
	c->session.ops->peer(&c->session, addr, sizeof(addr));
	c->session.ops->local(&c->session, laddr, sizeof(laddr));
	log_line(&c->net->server->config.log, LOG_LEVEL_WARNING,
		 "Error accepting a client connection: %s (addr=%s laddr=%s)", why, addr, laddr);
}

static unsigned greet(struct client *c)
{
	if (client_is_closing(c)) {
		client_mark_close(c);
		return 0;
	}
	switch (tls_handshake(c->tls)) {
	case TLS_GREETING:
		client_watch(c);
		return 0;
	case TLS_FAILED:
		log_failure(c, tls_error(c->tls));
		client_mark_close(c);
		return 0;
	case TLS_OPEN:
		break;
	}
	client_watch(c);
	if (client_refused(c))
		return 0;
	/* The first command may have come with the last of the handshake. */
	return tls_has_more(c->tls) ? LOOP_READ : 0;
}

void tls_client_check(struct client *c, int64_t now_ms)
{
	if (tls_state(c->tls) != TLS_GREETING || now_ms - c->session.created_ms < HANDSHAKE_MS ||
	    c->session.flags & SESSION_CLOSE_ASAP)
		return;
	log_failure(c, "TLS handshake timed out");
	client_mark_close(c);
}

/* --- events --- */

unsigned tls_client_ready(struct client *c, unsigned events)
{
	if (tls_state(c->tls) == TLS_GREETING)
		return greet(c);
	unsigned out = events;
	if (events & LOOP_WRITE && tls_blocked(c->tls, TLS_READING))
		out |= LOOP_READ;
	if (events & LOOP_READ && tls_blocked(c->tls, TLS_WRITING))
		out |= LOOP_WRITE;
	return out;
}

void client_watch(struct client *c)
{
	unsigned events = 0;
	/* Nothing more is read from a client that is to be closed: its input must not keep us awake. */
	if (!c->socket_full || !(c->session.flags & SESSION_CLOSE_AFTER_REPLY))
		events |= LOOP_READ;
	if (c->socket_full && !(c->tls && tls_blocked(c->tls, TLS_WRITING)))
		events |= LOOP_WRITE;
	if (c->tls && tls_blocked(c->tls, TLS_READING))
		events |= LOOP_WRITE;
	if (c->tls && tls_blocked(c->tls, TLS_WRITING))
		events |= LOOP_READ;
	loop_fd_events(c->watch, events);
}

/* --- input that waits in here --- */

void tls_client_read(struct client *c)
{
	client_watch(c);
	if (!tls_has_more(c->tls) || c->in_more_list || client_is_closing(c))
		return;
	c->in_more_list = true;
	c->next_more = c->net->more_list;
	c->net->more_list = c;
	loop_again(c->net->loop);
}

void tls_client_forget(struct client *c)
{
	if (!c->in_more_list)
		return;
	struct client **at = &c->net->more_list;
	while (*at != c)
		at = &(*at)->next_more;
	*at = c->next_more;
	c->in_more_list = false;
}

void network_read_more(struct network *n)
{
	struct client *c = n->more_list, *next;
	n->more_list = NULL;
	for (; c; c = next) {
		next = c->next_more;
		c->in_more_list = false;
		if (!client_is_closing(c) && tls_has_more(c->tls))
			client_read(c);
	}
}

/* --- bytes --- */

ssize_t client_recv_tls(struct client *c, void *p, size_t n)
{
	struct iovec iov = {p, n};
	return tls_recv(c->tls, &iov, 1);
}

ssize_t client_recvmsg(struct client *c, struct msghdr *msg)
{
	if (c->tls)
		return tls_recv(c->tls, msg->msg_iov, (int)msg->msg_iovlen);
	return recvmsg(c->fd, msg, MSG_DONTWAIT);
}

ssize_t client_sendmsg(struct client *c, const struct msghdr *msg)
{
	if (c->tls)
		return tls_send(c->tls, msg->msg_iov, (int)msg->msg_iovlen);
	return sendmsg(c->fd, msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}
