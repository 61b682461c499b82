/* resp/supervise.h - telling the process that started us how we are: systemd's notification protocol
 * (sd_notify(3): one datagram to the socket that NOTIFY_SOCKET names) and upstart's SIGSTOP.
 */
#ifndef RESP_SUPERVISE_H
#define RESP_SUPERVISE_H

#include <stdbool.h>

#include "resp/config.h"

/* What `supervised auto` comes to in this environment: systemd, upstart or no; others answer themselves. */
enum config_supervised supervise_mode(enum config_supervised configured);

/* "no", "systemd", ...: the directive's words. */
const char *supervise_name(enum config_supervised mode);

/* Send @state ("READY=1", "STOPPING=1"; several lines are allowed). False, and nothing sent, without a NOTIFY_SOCKET or when
 * the datagram cannot be delivered; errno says why. */
bool supervise_notify(const char *state);

/* The server serves: say so in the way of @mode. */
void supervise_ready(enum config_supervised mode);
/* It is about to end. */
void supervise_stopping(enum config_supervised mode);

#endif
