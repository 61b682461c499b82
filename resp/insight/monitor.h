/* resp/insight/monitor.h - MONITOR: every command, as text, to the sessions that asked. */
#ifndef RESP_MONITOR_H
#define RESP_MONITOR_H

#include "resp/session.h"
#include "store/base/bytes.h"

/* Send the command that @s just ran to every monitor. The dispatcher calls it while server->monitors > 0, but not for commands
 * flagged CMD_SKIP_MONITOR or CMD_ADMIN. */
void monitor_feed(const struct session *s, unsigned db, int argc, const struct bytes *argv);

#endif
