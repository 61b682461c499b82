/* resp/net/peer.c - see peer.h. */
#define uthash_malloc(n)  mem_alloc(n)
#define uthash_free(p, n) mem_free(p)
#include "resp/net/peer.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

#include "resp/net/loop.h"
#include "resp/server.h"
#include "store/base/mem.h"

#define PEERS_MAX    64
#define PEER_KEPT_US 10000000
#define SEND_IOV     64

/* A socket, what came from it and was not read, and its place among the others. */
struct peer_link {
	struct peer peer;
	int fd;
	int64_t used_us;
	size_t at, have;
	char in[4096];
	UT_hash_handle hh;
	size_t len;
	char name[]; /* "host port" */
};

struct peers {
	struct server *server;
	struct peer_link *all; /* the one that was used least lately first */
	struct loop_timer *timer;
};

/* --- keeping --- */

static void link_close(struct peers *ps, struct peer_link *k)
{
	HASH_DEL(ps->all, k);
	close(k->fd);
	mem_free(k);
}

static int64_t close_old(void *arg)
{
	struct peers *ps = arg;
	int64_t now = loop_now_us(ps->server->loop);
	while (ps->all && now - ps->all->used_us > PEER_KEPT_US)
		link_close(ps, ps->all);
	if (ps->all)
		return 1000;
	ps->timer = NULL;
	return -1;
}

static struct peers *peers_of(struct server *server)
{
	if (!server->peers) {
		server->peers = mem_calloc(sizeof(struct peers));
		server->peers->server = server;
	}
	return server->peers;
}

void peers_free(struct server *server)
{
	struct peers *ps = server->peers;
	if (!ps)
		return;
	while (ps->all)
		link_close(ps, ps->all);
	if (ps->timer)
		loop_timer_remove(ps->timer);
	mem_free(ps);
	server->peers = NULL;
}

void peer_drop(struct server *server, struct peer *p)
{
	link_close(server->peers, p->link);
}

/* --- waiting --- */

static int64_t clock_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool await(int fd, short events, int64_t ms)
{
	int64_t end = ms < INT64_MAX - clock_ms() ? clock_ms() + ms : INT64_MAX;
	for (;;) {
		int64_t left = end - clock_ms();
		struct pollfd p = {.fd = fd, .events = events};
		int n = left <= 0 ? 0 : poll(&p, 1, left < INT32_MAX ? (int)left : INT32_MAX);
		if (n > 0)
			return true;
		if (left <= 0)
			errno = ETIMEDOUT;
		if (left <= 0 || (n < 0 && errno != EINTR))
			return false;
	}
}

/* --- connecting --- */

/* Refused by the last address there is, it is the first write that fails, as in Redis. */
static int connect_one(const struct addrinfo *a, int64_t ms)
{
	int fd =
		socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
	int one = 1, error = 0;
	socklen_t n = sizeof(error);
	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
		return fd;
	if (errno == EINPROGRESS && await(fd, POLLOUT, ms) &&
	    (!a->ai_next || (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 && error == 0)))
		return fd;
	close(fd);
	return -1;
}

static int connect_to(struct bytes host, struct bytes port, int64_t ms)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list;
	char h[256], p[16];
	int fd = -1;
	if (host.n >= sizeof(h) || port.n >= sizeof(p))
		return -1;
	snprintf(h, sizeof(h), "%.*s", (int)host.n, host.p);
	snprintf(p, sizeof(p), "%.*s", (int)port.n, port.p);
	/* What is no number is port 0, which nobody listens to. */
	snprintf(p, sizeof(p), "%d", atoi(p) & 0xffff);
	if (getaddrinfo(h, p, &hints, &list) != 0)
		return -1;
	for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
		fd = connect_one(a, ms);
	freeaddrinfo(list);
	return fd;
}

static struct peer_link *link_new(struct peers *ps, struct bytes name, int fd)
{
	struct peer_link *k = mem_calloc(sizeof(*k) + name.n);
	k->peer = (struct peer){.db = -1, .link = k};
	k->fd = fd;
	k->len = name.n;
	memcpy(k->name, name.p, name.n);
	while (HASH_COUNT(ps->all) >= PEERS_MAX)
		link_close(ps, ps->all);
	HASH_ADD_KEYPTR(hh, ps->all, k->name, k->len, k);
	if (!ps->timer)
		ps->timer = loop_timer_add(ps->server->loop, 1000, close_old, ps);
	return k;
}

struct peer *peer_get(struct server *server, struct bytes host, struct bytes port, int64_t ms)
{
	struct peers *ps = peers_of(server);
	struct peer_link *k;
	char name[300];
	int n = snprintf(name, sizeof(name), "%.*s %.*s", (int)host.n, host.p, (int)port.n, port.p);
	if (n < 0 || (size_t)n >= sizeof(name))
		return NULL;
	HASH_FIND(hh, ps->all, name, (size_t)n, k);
	if (k) {
		/* To the end of the order of use. */
		HASH_DEL(ps->all, k);
		HASH_ADD_KEYPTR(hh, ps->all, k->name, k->len, k);
		k->peer.used = true;
	} else {
		int fd = connect_to(host, port, ms);
		if (fd < 0)
			return NULL;
		k = link_new(ps, bytes_of(name, (size_t)n), fd);
	}
	k->used_us = loop_now_us(server->loop);
	return &k->peer;
}

/* --- talking --- */

bool peer_send(struct peer *p, struct reply *out, int64_t ms)
{
	while (reply_pending(out)) {
		struct iovec iov[SEND_IOV];
		struct msghdr msg = {.msg_iov = iov};
		size_t want;
		msg.msg_iovlen = (size_t)reply_iov(out, iov, SEND_IOV, &want);
		ssize_t n = sendmsg(p->link->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0)
			reply_consume(out, (size_t)n);
		else if (errno != EINTR && (errno != EAGAIN || !await(p->link->fd, POLLOUT, ms)))
			return false;
	}
	return true;
}

static bool fill(struct peer_link *k, int64_t ms)
{
	for (;;) {
		ssize_t n = recv(k->fd, k->in, sizeof(k->in), MSG_DONTWAIT);
		if (n > 0) {
			k->at = 0;
			k->have = (size_t)n;
			return true;
		}
		if (n == 0)
			errno = 0;
		if (n == 0 || (errno != EINTR && (errno != EAGAIN || !await(k->fd, POLLIN, ms))))
			return false;
	}
}

bool peer_line(struct peer *p, char *line, size_t size, int64_t ms)
{
	struct peer_link *k = p->link;
	size_t n = 0;
	for (;;) {
		if (k->at == k->have && !fill(k, ms))
			return false;
		char c = k->in[k->at++];
		if (c == '\n')
			break;
		if (n + 1 < size)
			line[n++] = c;
	}
	if (n && line[n - 1] == '\r')
		n--;
	line[n] = '\0';
	return true;
}
