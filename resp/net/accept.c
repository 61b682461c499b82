/* resp/net/accept.c - see accept.h. */
#define _GNU_SOURCE
#include "resp/net/accept.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "resp/acl/acl.h"
#include "resp/log.h"
#include "resp/net/client.h"
#include "resp/net/loop.h"
#include "resp/server.h"

#define ACCEPT_MAX 1000
/* Without descriptors a listener stays readable; it is left alone for so long. */
#define PAUSE_MS 100

static const char max_clients_error[] = "-ERR max number of clients reached\r\n";

static const char protected_error[] =
	"-DENIED Redis is running in protected mode because protected mode is enabled and no "
	"password is set for the default user. In this mode connections are only accepted from the "
	"loopback interface. If you want to connect from external computers to Redis you may adopt "
	"one of the following solutions: 1) Just disable protected mode sending the command "
	"'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from "
	"the same host the server is running, however MAKE SURE Redis is not publicly accessible "
	"from internet if you do so. Use CONFIG REWRITE to make this change permanent. 2) "
	"Alternatively you can just disable the protected mode by editing the Redis configuration "
	"file, and setting the protected mode option to 'no', and then restarting the server. 3) "
	"If you started the server manually just for testing, restart it with the "
	"'--protected-mode no' option. 4) Setup a an authentication password for the default user. "
	"NOTE: You only need to do one of the above things in order for the server to start "
	"accepting connections from the outside.\r\n";

static bool is_loopback(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET) {
		const struct sockaddr_in *a = (const struct sockaddr_in *)addr;
		return ntohl(a->sin_addr.s_addr) >> 24 == 127;
	}
	if (addr->ss_family != AF_INET6)
		return true;
	const struct in6_addr *a = &((const struct sockaddr_in6 *)addr)->sin6_addr;
	return IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
}

static void tune(const struct config *cfg, int fd, bool loopback)
{
	int yes = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	/* No path to be fair on: spare the work of a default such as bbr, which paces each reply. */
	if (loopback)
		setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
	if (cfg->tcp_keepalive <= 0)
		return;
	int idle = cfg->tcp_keepalive, count = 3;
	int interval = idle / count ? idle / count : 1;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}

static void refuse(struct server *s, int fd, const char *text, size_t n)
{
	/* A fresh socket takes this much; if it does not, the close says enough. */
	if (n && send(fd, text, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
	}
	close(fd);
	s->stats.rejected_connections++;
}

/* Whether protected mode keeps out who comes from beyond the loopback interface. */
static bool is_protected(const struct server *s)
{
	return s->config.protected_mode && acl_needs_no_password(s->acl);
}

bool client_refused(struct client *c)
{
	struct server *s = c->net->server;
	struct sockaddr_storage addr = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(addr);
	if (!is_protected(s) || getpeername(c->fd, (struct sockaddr *)&addr, &len) < 0 ||
	    is_loopback(&addr))
		return false;
	reply_raw(&c->reply, protected_error, sizeof(protected_error) - 1);
	s->stats.rejected_connections++;
	c->session.ops->close(&c->session, false);
	return true;
}

static void admit(struct listener *l, int fd, const struct sockaddr_storage *addr)
{
	struct server *s = l->net->server;
	const struct config *cfg = &s->config;
	bool loopback = is_loopback(addr);
	if (l->net->nclients >= (size_t)cfg->maxclients) {
		/* Nobody could read it before a handshake. */
		size_t n = l->door == DOOR_TLS ? 0 : sizeof(max_clients_error) - 1;
		refuse(s, fd, max_clients_error, n);
		return;
	}
	/* Over TLS it is told when it can be heard: client_refused(). */
	if (l->door == DOOR_TCP && !loopback && is_protected(s)) {
		refuse(s, fd, protected_error, sizeof(protected_error) - 1);
		return;
	}
	if (l->door != DOOR_UNIX)
		tune(cfg, fd, loopback);
	if (client_new(l->net, fd, l->door))
		s->stats.connections_received++;
}

static int64_t resume(void *arg)
{
	struct listener *l = arg;
	l->pause = NULL;
	loop_fd_events(l->watch, LOOP_READ);
	return -1;
}

void accept_ready(void *arg, unsigned events)
{
	struct listener *l = arg;
	(void)events;
	for (int i = 0; i < ACCEPT_MAX; i++) {
		struct sockaddr_storage addr = {.ss_family = AF_UNSPEC};
		socklen_t len = sizeof(addr);
		int fd = accept4(l->fd, (struct sockaddr *)&addr, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			admit(l, fd, &addr);
			continue;
		}
		if (errno == EAGAIN)
			return;
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		log_line(&l->net->server->config.log, LOG_LEVEL_WARNING,
			 "Accepting client connection: %s", strerror(errno));
		loop_fd_events(l->watch, 0);
		l->pause = loop_timer_add(l->net->loop, PAUSE_MS, resume, l);
		return;
	}
}
