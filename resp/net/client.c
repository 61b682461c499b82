/* resp/net/client.c - see client.h. */
#include "resp/net/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "resp/log.h"
#include "resp/net/loop.h"
#include "resp/net/tls.h"
#include "resp/server.h"
#include "resp/sessions/blocking.h"
#include "resp/sessions/pubsub.h"
#include "resp/sessions/push.h"
#include "resp/sessions/tracking/tracking.h"
#include "resp/sessions/transaction.h"
#include "store/base/mem.h"

#define SEND_IOV 64
/* One client's share of a turn. */
#define SEND_MAX (1024 * 1024)
/* The largest reply buffer that a client keeps between commands. */
#define KEPT_MAX 1024
/* How far one turn may go beyond maxmemory-clients: who reads a big reply at once is not punished for it. */
#define SHED_SLACK ((size_t)64 << 20)

static void on_ready(void *arg, unsigned events)
{
	struct client *c = arg;
	/* A nested turn (a command that lets others be served) must not touch the batch it runs in. */
	if (c->net->batch->running || c == c->net->reading || &c->session == c->net->busy_caller)
		return;
	if (__builtin_expect(c->tls != NULL, 0))
		events = tls_client_ready(c, events);
	if (events & LOOP_WRITE) {
		c->socket_full = false;
		client_mark_send(c);
	}
	if (!(events & LOOP_READ))
		return;
	if (client_is_closing(c))
		client_mark_send(c);
	else
		client_read(c);
}

/* --- what the session asks for --- */

static void session_wants_close(struct session *s, bool now)
{
	struct client *c = client_of(s);
	if (now) {
		/* It sees its end before whoever asked for it is told: a pool would hand it out again. */
		shutdown(c->fd, SHUT_RDWR);
		client_mark_close(c);
		return;
	}
	s->flags |= SESSION_CLOSE_AFTER_REPLY;
	client_mark_send(c);
	loop_again(c->net->loop);
}

static void session_woken(struct session *s)
{
	struct client *c = client_of(s);
	client_mark_send(c);
	loop_again(c->net->loop);
}

static void format_address(const struct client *c, const struct sockaddr_storage *addr, char *buf,
			   size_t n)
{
	char host[INET6_ADDRSTRLEN];
	if (addr->ss_family == AF_INET) {
		const struct sockaddr_in *a = (const struct sockaddr_in *)addr;
		inet_ntop(AF_INET, &a->sin_addr, host, sizeof(host));
		snprintf(buf, n, "%s:%d", host, ntohs(a->sin_port));
	} else if (addr->ss_family == AF_INET6) {
		const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)addr;
		inet_ntop(AF_INET6, &a->sin6_addr, host, sizeof(host));
		snprintf(buf, n, "[%s]:%d", host, ntohs(a->sin6_port));
	} else {
		snprintf(buf, n, "%s:0", c->session.server->config.unixsocket);
	}
}

static void session_peer(const struct session *s, char *buf, size_t n)
{
	struct client *c = client_of((struct session *)(uintptr_t)s);
	if (c->peer == NULL) {
		struct sockaddr_storage addr = {.ss_family = AF_UNIX};
		socklen_t len = sizeof(addr);
		char text[256];
		if (!(s->flags & SESSION_UNIX) &&
		    getpeername(c->fd, (struct sockaddr *)&addr, &len) < 0)
			snprintf(text, sizeof(text), "?:0");
		else
			format_address(c, &addr, text, sizeof(text));
		c->peer = mem_dup(text, strlen(text) + 1);
	}
	snprintf(buf, n, "%s", c->peer);
}

static void session_local(const struct session *s, char *buf, size_t n)
{
	struct client *c = client_of((struct session *)(uintptr_t)s);
	struct sockaddr_storage addr = {.ss_family = AF_UNIX};
	socklen_t len = sizeof(addr);
	if (!(s->flags & SESSION_UNIX) && getsockname(c->fd, (struct sockaddr *)&addr, &len) < 0)
		snprintf(buf, n, "?:0");
	else
		format_address(c, &addr, buf, n);
}

static size_t argv_mem(const struct client *c)
{
	return (size_t)c->parser.cap * sizeof(struct bytes);
}

size_t client_mem(const struct client *c)
{
	const struct session *s = &c->session;
	return (c->tls ? tls_mem(c->tls) : 0) + sizeof(*c) + c->in_cap +
	       (c->body ? c->body->cap : 0) + argv_mem(c) + reply_mem(&c->reply) +
	       mem_size(c->peer) + c->deferred_mem + transaction_mem(s) + pubsub_mem(s) +
	       blocking_mem(s) + push_mem(s) + tracking_session_mem(s);
}

static void session_figures(const struct session *s, struct session_figures *out)
{
	const struct client *c = client_of((struct session *)(uintptr_t)s);
	const struct reply *r = &c->reply;
	memset(out, 0, sizeof(*out));
	out->fd = c->fd;
	/* Of a big argument on its way Redis's query buffer holds nothing else: what came before it is taken for parsed. */
	out->qbuf = (c->body ? c->body->len : c->in_len) + c->deferred_mem;
	out->qbuf_free = c->body ? c->body->cap - c->body->len : c->in_cap - c->in_len;
	out->argv_mem = argv_mem(c) + (c->body ? c->in_len : 0) + blocking_mem(s);
	out->multi_mem = transaction_input(s);
	out->rbs = out->rbp = r->cap;
	out->obl = r->len;
	out->oll = r->nodes;
	out->omem = r->head ? reply_mem(r) - r->cap : 0;
	out->tot_mem = client_mem(c);
	snprintf(out->events, sizeof(out->events), "%s", c->socket_full ? "rw" : "r");
}

static const struct session_ops client_ops = {
	.close = session_wants_close,
	.wake = session_woken,
	.peer = session_peer,
	.local = session_local,
	.figures = session_figures,
	.park = client_park,
	.unpark = client_unpark,
};

/* --- life --- */

/* Redis counts what goes beyond a first buffer of this size: a limit of a few bytes still lets small replies through. */
#define OUTPUT_UNCOUNTED 16384

static size_t with_uncounted(size_t limit)
{
	return limit < SIZE_MAX - OUTPUT_UNCOUNTED ? limit + OUTPUT_UNCOUNTED : SIZE_MAX;
}

static size_t hard_limit(const struct config_obuf_limit *limit)
{
	return limit->hard ? with_uncounted(limit->hard) : 0;
}

static struct client *cannot_be(struct client *c)
{
	log_line(&c->net->server->config.log, LOG_LEVEL_WARNING,
		 "Error registering fd event for the new client: %s", strerror(errno));
	tls_free(c->tls);
	close(c->fd);
	mem_free(c);
	return NULL;
}

static void log_accepted(struct client *c)
{
	struct log *log = &c->net->server->config.log;
	char peer[160];
	if (log->level > LOG_LEVEL_VERBOSE)
		return;
	session_peer(&c->session, peer, sizeof(peer));
	log_line(log, LOG_LEVEL_VERBOSE, "Accepted %s", peer);
}

struct client *client_new(struct network *n, int fd, enum listener_door door)
{
	struct client *c = mem_calloc(sizeof(*c));
	c->net = n;
	c->fd = fd;
	if (door == DOOR_TLS && (c->tls = tls_new(n->tls, fd)) == NULL) {
		errno = ENOMEM;
		return cannot_be(c);
	}
	c->watch = loop_fd_add(n->loop, fd, LOOP_NORMAL, LOOP_READ, on_ready, c);
	if (c->watch == NULL)
		return cannot_be(c);
	loop_fd_nested(c->watch);
	reply_init(&c->reply, 2);
	c->reply.limit = hard_limit(&n->server->config.obuf[OBUF_NORMAL]);
	parser_init(&c->parser, n->server->config.proto_max_bulk_len);
	session_open(&c->session, n->server, &c->reply, &client_ops,
		     door == DOOR_UNIX ? SESSION_UNIX : 0);
	/* Who fails to greet may be gone when the log is to say who it was. */
	if (door == DOOR_TLS) {
		char peer[160];
		session_peer(&c->session, peer, sizeof(peer));
	}
	log_accepted(c);
	c->prev = n->clients_tail;
	if (n->clients_tail)
		n->clients_tail->next = c;
	else
		n->clients = c;
	n->clients_tail = c;
	n->nclients++;
	return c;
}

static void forget_held(struct client *c)
{
	struct client **at = &c->net->held;
	while (*at && *at != c)
		at = &(*at)->next_send;
	if (*at)
		*at = c->next_send;
}

void client_free(struct client *c)
{
	struct network *n = c->net;
	if (c->prev)
		c->prev->next = c->next;
	else
		n->clients = c->next;
	if (c->next)
		c->next->prev = c->prev;
	else
		n->clients_tail = c->prev;
	n->nclients--;
	client_uncount(c);
	if (c->held)
		forget_held(c);
	session_close(&c->session);
	client_drop_deferred(c);
	loop_fd_remove(c->watch);
	if (__builtin_expect(c->tls != NULL, 0)) {
		tls_client_forget(c);
		tls_free(c->tls);
	}
	close(c->fd);
	reply_fini(&c->reply);
	parser_fini(&c->parser);
	blob_put(c->body);
	mem_free(c->in);
	mem_free(c->peer);
	mem_free(c);
}

void client_mark_send(struct client *c)
{
	if (c->in_send_list || c->held)
		return;
	c->in_send_list = true;
	c->next_send = NULL;
	*c->net->send_tail = c;
	c->net->send_tail = &c->next_send;
}

void client_mark_close(struct client *c)
{
	c->session.flags |= SESSION_CLOSE_ASAP;
	if (c->in_close_list)
		return;
	c->in_close_list = true;
	c->next_close = c->net->close_list;
	c->net->close_list = c;
	loop_again(c->net->loop);
}

char *client_describe(struct client *c)
{
	struct reply text;
	reply_init(&text, 2);
	session_describe(&c->session, &text);
	struct iovec iov[4];
	size_t bytes, n = 0;
	int used = reply_iov(&text, iov, 4, &bytes);
	char *s = mem_alloc(bytes + 1);
	for (int i = 0; i < used; i++) {
		memcpy(s + n, iov[i].iov_base, iov[i].iov_len);
		n += iov[i].iov_len;
	}
	while (n && s[n - 1] == '\n')
		n--;
	s[n] = '\0';
	reply_fini(&text);
	return s;
}

/* --- sending --- */

static void close_for_output(struct client *c)
{
	struct server *server = c->net->server;
	char *who = client_describe(c);
	log_line(&server->config.log, LOG_LEVEL_WARNING,
		 "Client %s scheduled to be closed ASAP for overcoming of output buffer limits.",
		 who);
	mem_free(who);
	server->stats.client_output_buffer_limit_disconnections++;
	client_mark_close(c);
}

/* What one client's replies of one turn may come to, under maxmemory-clients, before the end of the turn is seen to. */
static size_t shed_bound(const struct client *c)
{
	size_t limit = c->net->shed_limit;
	if (limit == 0 || limit > SIZE_MAX / 2 || c->session.flags & SESSION_NO_EVICT)
		return 0;
	return limit + SHED_SLACK;
}

void client_check_output(struct client *c)
{
	int class = c->session.flags & SESSION_PUBSUB ? OBUF_PUBSUB : OBUF_NORMAL;
	const struct config_obuf_limit *limit = &c->net->server->config.obuf[class];
	if (c->session.flags & SESSION_CLOSE_ASAP)
		return;
	size_t hard = hard_limit(limit), shed = shed_bound(c);
	size_t pending = reply_pending(&c->reply);
	if (pending > c->net->max_output)
		c->net->max_output = pending;
	if (c->reply.overflow && shed && c->reply.limit == shed) {
		client_evict(c);
		return;
	}
	c->reply.limit = shed && (!hard || shed < hard) ? shed : hard;
	if (c->reply.overflow || (hard && pending > hard)) {
		close_for_output(c);
		return;
	}
	if (limit->soft == 0 || pending <= with_uncounted(limit->soft)) {
		c->soft_since_ms = 0;
		return;
	}
	int64_t now = loop_clock_ms(c->net->loop);
	if (c->soft_since_ms == 0)
		c->soft_since_ms = now;
	else if (config_obuf_too_long(limit, now - c->soft_since_ms))
		close_for_output(c);
}

static ssize_t send_some(struct client *c, size_t *want)
{
	struct reply *r = &c->reply;
	if (r->head == NULL && c->tls == NULL) {
		*want = r->len - r->offset;
		return send(c->fd, r->buf + r->offset, *want, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	struct iovec iov[SEND_IOV];
	struct msghdr msg = {.msg_iov = iov};
	msg.msg_iovlen = (size_t)reply_iov(r, iov, SEND_IOV, want);
	return client_sendmsg(c, &msg);
}

/* True when all is sent; else the socket is full, the client had its share, or it is gone. */
static bool send_pending(struct client *c)
{
	size_t want, total = 0;
	for (;;) {
		ssize_t n = send_some(c, &want);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			if (errno != EAGAIN)
				client_mark_close(c);
			return false;
		}
		reply_consume(&c->reply, (size_t)n);
		total += (size_t)n;
		c->net->server->stats.net_output_bytes += (uint64_t)n;
		if (reply_pending(&c->reply) == 0)
			return true;
		if ((size_t)n < want || total >= SEND_MAX)
			return false;
	}
}

/* What it was told is not on the disk yet: send_replies() comes back to it. */
static void hold(struct client *c)
{
	c->held = true;
	c->next_send = c->net->held;
	c->net->held = c;
}

void client_send(struct client *c)
{
	uint32_t *flags = &c->session.flags;
	if (*flags & SESSION_CLOSE_ASAP || c->socket_full)
		return;
	if (c->session.hold > c->net->server->durable) {
		hold(c);
		return;
	}
	if (reply_pending(&c->reply) == 0) {
		if (*flags & SESSION_CLOSE_AFTER_REPLY)
			client_mark_close(c);
		return;
	}
	c->net->server->stats.writes_processed++;
	if (send_pending(c)) {
		/* A small buffer stays for the next reply; the cron takes it from those who fell idle. */
		if (c->reply.cap > KEPT_MAX)
			reply_shrink(&c->reply);
		if (__builtin_expect(c->tls == NULL, 1))
			loop_fd_events(c->watch, LOOP_READ);
		else
			client_watch(c);
		if (*flags & SESSION_CLOSE_AFTER_REPLY)
			client_mark_close(c);
	} else if (!(*flags & SESSION_CLOSE_ASAP)) {
		c->socket_full = true;
		client_watch(c);
	}
}
