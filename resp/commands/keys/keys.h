/* resp/commands/keys/keys.h - the handlers of the generic commands, by file; keys.c has the table. */
#ifndef RESP_COMMANDS_KEYS_H
#define RESP_COMMANDS_KEYS_H

#include "resp/command.h"

/* keys_expire.c */
void keys_expire(struct call *c);
void keys_pexpire(struct call *c);
void keys_expireat(struct call *c);
void keys_pexpireat(struct call *c);
void keys_ttl(struct call *c);
void keys_pttl(struct call *c);
void keys_expiretime(struct call *c);
void keys_pexpiretime(struct call *c);
void keys_persist(struct call *c);

/* keys_scan.c */
void keys_keys(struct call *c);
void keys_scan(struct call *c);

/* keys_space.c: whole databases */
void keys_randomkey(struct call *c);
void keys_dbsize(struct call *c);
void keys_flushdb(struct call *c);
void keys_flushall(struct call *c);
void keys_swapdb(struct call *c);

/* keys_object.c */
extern const struct command object_subcommands[];

#endif
