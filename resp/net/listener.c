/* resp/net/listener.c - see listener.h. */
#define _GNU_SOURCE
#include "resp/net/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "resp/config.h"
#include "resp/net/accept.h"
#include "resp/net/client.h"
#include "resp/net/loop.h"
#include "resp/server.h"
#include "store/base/mem.h"

static void add(struct listener **list, int fd, enum listener_door door, const char *address,
		int port)
{
	struct listener *l = mem_calloc(sizeof(*l));
	l->fd = fd;
	l->door = door;
	l->address = mem_dup(address, strlen(address) + 1);
	l->port = port;
	l->next = *list;
	*list = l;
}

static int refused(int fd, const char *call, char *why, size_t n)
{
	int saved = errno;
	snprintf(why, n, "%s: %s", call, strerror(saved));
	close(fd);
	errno = saved;
	return -1;
}

static int bind_and_listen(int fd, const struct sockaddr *sa, socklen_t len, int backlog, char *why,
			   size_t n)
{
	if (bind(fd, sa, len) < 0)
		return refused(fd, "bind", why, n);
	if (listen(fd, backlog) < 0)
		return refused(fd, "listen", why, n);
	return fd;
}

/* A listening socket at @address, of @family. -1 with errno and @why. */
static int open_tcp(const struct config *cfg, const char *address, int port, int family, char *why,
		    size_t n)
{
	struct addrinfo hints = {.ai_family = family,
				 .ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE},
			*found;
	char service[16];
	snprintf(service, sizeof(service), "%d", port);
	int rc = getaddrinfo(address, service, &hints, &found);
	if (rc != 0) {
		snprintf(why, n, "%s", gai_strerror(rc));
		errno = ENOENT;
		return -1;
	}
	int yes = 1;
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		snprintf(why, n, "socket: %s", strerror(errno));
	} else {
		if (found->ai_family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
		/* Needs CAP_NET_ADMIN; Redis goes on without the mark too. */
		if (cfg->socket_mark_id)
			setsockopt(fd, SOL_SOCKET, SO_MARK, &cfg->socket_mark_id,
				   sizeof(cfg->socket_mark_id));
		fd = bind_and_listen(fd, found->ai_addr, found->ai_addrlen, cfg->tcp_backlog, why,
				     n);
	}
	int saved = errno;
	freeaddrinfo(found);
	errno = saved;
	return fd;
}

/* The machine has no such family or, for an address with a dash, no such address. */
static bool may_be_missing(int err, bool optional)
{
	switch (err) {
	case EADDRNOTAVAIL:
		return optional;
	case ENOPROTOOPT:
	case EPROTONOSUPPORT:
	case ESOCKTNOSUPPORT:
	case EPFNOSUPPORT:
	case EAFNOSUPPORT:
		return true;
	default:
		return false;
	}
}

int listener_port(const struct config *cfg, enum listener_door door)
{
	return door == DOOR_TLS ? cfg->tls.port : cfg->port;
}

bool listener_wanted(const struct config *cfg, const struct listener *l)
{
	if (l->door == DOOR_UNIX)
		return true;
	if (l->port != listener_port(cfg, l->door))
		return false;
	for (size_t i = 0; i < cfg->bind.n; i++) {
		const char *address = cfg->bind.v[i];
		if (strcmp(address + (address[0] == '-'), l->address) == 0)
			return true;
	}
	return false;
}

static bool listed(const struct listener *l, enum listener_door door, const char *address, int port)
{
	for (; l; l = l->next)
		if (l->door == door && l->port == port && strcmp(l->address, address) == 0)
			return true;
	return false;
}

static int open_one(struct config *cfg, enum listener_door door, const char *address, int port,
		    bool optional, struct listener **list)
{
	int family = strchr(address, ':') ? AF_INET6 : AF_INET;
	bool any = strcmp(address, "*") == 0 || strcmp(address, "::*") == 0;
	char why[256];
	int fd = open_tcp(cfg, any ? NULL : address, port, family, why, sizeof(why));
	if (fd >= 0) {
		add(list, fd, door, address, port);
		return 0;
	}
	int saved = errno;
	log_line(&cfg->log, LOG_LEVEL_WARNING,
		 "Warning: Could not create server TCP listening socket %s:%d: %s", address, port,
		 why);
	errno = saved;
	return may_be_missing(saved, optional) ? 0 : -1;
}

int listener_open_tcp(struct config *cfg, enum listener_door door, struct listener *keep,
		      struct listener **list)
{
	int port = listener_port(cfg, door);
	for (size_t i = 0; port && i < cfg->bind.n; i++) {
		const char *address = cfg->bind.v[i];
		bool optional = address[0] == '-';
		address += optional;
		if (listed(keep, door, address, port))
			continue;
		if (open_one(cfg, door, address, port, optional, list) < 0)
			return -1;
	}
	return 0;
}

int listener_open_again(struct config *cfg, const struct listener *old, struct listener **list)
{
	return open_one(cfg, old->door, old->address, old->port, false, list);
}

/* A socket that a server which is gone left behind; a file that is something else stays, and bind refuses. */
static void remove_stale(const char *path)
{
	struct stat st;
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
}

int listener_open_unix(struct config *cfg, struct listener **list)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char why[256];
	int fd = -1;
	if (strlen(cfg->unixsocket) >= sizeof(sa.sun_path)) {
		snprintf(why, sizeof(why), "unix socket path too long (%zu), must be under %zu",
			 strlen(cfg->unixsocket), sizeof(sa.sun_path));
	} else {
		strcpy(sa.sun_path, cfg->unixsocket);
		remove_stale(cfg->unixsocket);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (fd < 0)
			snprintf(why, sizeof(why), "socket: %s", strerror(errno));
		else
			fd = bind_and_listen(fd, (struct sockaddr *)&sa, sizeof(sa),
					     cfg->tcp_backlog, why, sizeof(why));
	}
	if (fd < 0) {
		log_line(&cfg->log, LOG_LEVEL_WARNING, "Failed opening Unix socket: %s", why);
		return -1;
	}
	if (cfg->unixsocketperm)
		chmod(cfg->unixsocket, (mode_t)cfg->unixsocketperm);
	add(list, fd, DOOR_UNIX, cfg->unixsocket, 0);
	return 0;
}

void listener_start(struct listener *l, struct network *n)
{
	l->net = n;
	l->watch = loop_fd_add(n->loop, l->fd, LOOP_NORMAL, LOOP_READ, accept_ready, l);
	if (l->watch == NULL) {
		perror("inodis: cannot watch a listening socket");
		exit(1);
	}
	loop_fd_nested(l->watch);
}

void listener_close(struct listener *l)
{
	if (l->pause)
		loop_timer_remove(l->pause);
	if (l->watch)
		loop_fd_remove(l->watch);
	l->pause = NULL;
	l->watch = NULL;
	close(l->fd);
}

void listener_free(struct listener *l)
{
	listener_close(l);
	if (l->door == DOOR_UNIX) {
		if (l->net)
			log_line(&l->net->server->config.log, LOG_LEVEL_NOTICE,
				 "Removing the unix socket file.");
		unlink(l->address);
	}
	mem_free(l->address);
	mem_free(l);
}
