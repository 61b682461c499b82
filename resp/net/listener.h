/* resp/net/listener.h - listening sockets. Private to resp/net/. */
#ifndef RESP_NET_LISTENER_H
#define RESP_NET_LISTENER_H

#include <stdbool.h>

struct config;
struct log;
struct loop_fd;
struct loop_timer;
struct network;

struct listener {
	struct network *net;
	int fd;
	char *address; /* as `bind` names it without the dash; the path of a unix socket */
	int port;      /* 0 for a unix socket */
	struct loop_fd *watch;
	struct loop_timer *pause; /* set while no descriptors are left to accept with */
	struct listener *next;
};

/* Open what @cfg names, each in front of *@list: the addresses of `bind` at `port`, not those that @keep has already. Failures are
 * logged; -1 when one that matters failed (what was opened stays in the list), with errno. */
int listener_open_tcp(const struct config *cfg, struct log *log, struct listener *keep,
		      struct listener **list);
int listener_open_unix(const struct config *cfg, struct log *log, struct listener **list);

/* Begin to accept for @n. */
void listener_start(struct listener *l, struct network *n);
/* Close the socket and stop accepting; address and port stay known. */
void listener_close(struct listener *l);
/* Closes too, and unlinks the unix socket. */
void listener_free(struct listener *l);

#endif
