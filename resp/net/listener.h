/* resp/net/listener.h - listening sockets. Private to resp/net/. */
#ifndef RESP_NET_LISTENER_H
#define RESP_NET_LISTENER_H

#include <stdbool.h>

struct config;
struct loop_fd;
struct loop_timer;
struct network;

enum listener_door { DOOR_TCP, DOOR_UNIX, DOOR_TLS };

struct listener {
	struct network *net;
	int fd;
	enum listener_door door;
	char *address; /* as `bind` names it without the dash; the path of a unix socket */
	int port;      /* 0 for a unix socket */
	struct loop_fd *watch;
	struct loop_timer *pause; /* set while no descriptors are left to accept with */
	struct listener *next;
};

/* Open what @cfg names, each in front of *@list: the addresses of `bind` at @door's port (nothing when that is 0), not those that
 * @keep has already. Failures are logged; -1 when one that matters failed (what was opened stays in the list), with errno. */
int listener_open_tcp(struct config *cfg, enum listener_door door, struct listener *keep,
		      struct listener **list);
int listener_open_unix(struct config *cfg, struct listener **list);
/* Open @old's address and port again, after listener_close(). */
int listener_open_again(struct config *cfg, const struct listener *old, struct listener **list);

/* Whether @cfg names it (a unix socket is there for good). */
bool listener_wanted(const struct config *cfg, const struct listener *l);
/* The port of TCP or TLS. */
int listener_port(const struct config *cfg, enum listener_door door);

/* Begin to accept for @n. */
void listener_start(struct listener *l, struct network *n);
/* Close the socket and stop accepting; address and port stay known. */
void listener_close(struct listener *l);
/* Closes too, and unlinks the unix socket. */
void listener_free(struct listener *l);

#endif
