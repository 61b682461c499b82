/* resp/net/accept.h - new connections: who may stay. Private to resp/net/. */
#ifndef RESP_NET_ACCEPT_H
#define RESP_NET_ACCEPT_H

/* A listener (@arg) is readable. */
void accept_ready(void *arg, unsigned events);

#endif
