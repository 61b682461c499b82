/* resp/commands/sessions/client.h - CLIENT's subcommands that stand in files of their own, for its table in client.c. */
#ifndef RESP_COMMANDS_CLIENT_H
#define RESP_COMMANDS_CLIENT_H

struct call;

/* client_pause.c */
void client_pause(struct call *c);
void client_unpause(struct call *c);

/* client_tracking.c */
void client_tracking(struct call *c);
void client_caching(struct call *c);
void client_getredir(struct call *c);
void client_trackinginfo(struct call *c);

#endif
