/* resp/commands/hashes/hash.h - inside the hash commands: what their files share. */
#ifndef RESP_COMMANDS_HASH_H
#define RESP_COMMANDS_HASH_H

#include "resp/command.h"
#include "resp/server.h"
#include "store/types/hash.h"

static inline const struct type_limits *hash_limits(const struct call *c)
{
	return &c->server->config.limits;
}

/* The hash of @slot, which call_write found for argv[1], or a new one there. The caller puts a field into it. */
struct hash *hash_for_write(struct call *c, uint64_t *slot);

/* hash_incr.c */
void hash_cmd_hincrby(struct call *c);
void hash_cmd_hincrbyfloat(struct call *c);
/* hash_random.c */
void hash_cmd_hrandfield(struct call *c);

#endif
