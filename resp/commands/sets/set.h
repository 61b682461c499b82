/* resp/commands/sets/set.h - inside the set commands: what their files share. */
#ifndef RESP_COMMANDS_SET_H
#define RESP_COMMANDS_SET_H

#include "resp/command.h"
#include "resp/server.h"
#include "store/types/set.h"

static inline const struct type_limits *set_limits(const struct call *c)
{
	return &c->server->config.limits;
}

/* After members were taken from the set of @slot under @key: the event of that, and the key's end when nothing is left. */
void set_shortened(struct call *c, struct bytes key, uint64_t *slot, const char *event);

/* set_algebra.c */
void set_cmd_sinter(struct call *c);
void set_cmd_sinterstore(struct call *c);
void set_cmd_sintercard(struct call *c);
void set_cmd_sunion(struct call *c);
void set_cmd_sunionstore(struct call *c);
void set_cmd_sdiff(struct call *c);
void set_cmd_sdiffstore(struct call *c);
/* set_random.c */
void set_cmd_spop(struct call *c);
void set_cmd_srandmember(struct call *c);

#endif
