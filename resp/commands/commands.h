/* resp/commands/commands.h - the families of commands.
 *
 * One table a file; each ends with a NULL name. A new family is a new file and a line here.
 */
#ifndef RESP_COMMANDS_COMMANDS_H
#define RESP_COMMANDS_COMMANDS_H

#include "resp/command.h"

/* clang-format off */
extern const struct command string_commands[]; /* string.c */
extern const struct command key_commands[];    /* keys.c: DEL EXPIRE SCAN RENAME OBJECT ... */
extern const struct command bitmap_commands[]; /* bitmap.c */
extern const struct command geo_commands[];    /* geo.c */
extern const struct command sort_commands[];   /* sort.c */
extern const struct command hyperloglog_commands[]; /* hyperloglog.c */
extern const struct command list_commands[];   /* list.c */
extern const struct command set_commands[];    /* set.c */
extern const struct command hash_commands[];   /* hash.c */
extern const struct command hash_field_commands[]; /* hash_fields.c */
extern const struct command zset_commands[];   /* zset.c */
extern const struct command stream_commands[]; /* stream.c */
extern const struct command blocking_commands[]; /* blocking.c: BLPOP BZPOPMIN ... */
extern const struct command transaction_commands[]; /* transaction.c: MULTI EXEC WATCH ... */
extern const struct command pubsub_commands[]; /* pubsub.c: SUBSCRIBE PUBLISH PUBSUB ... */
extern const struct command function_commands[]; /* function.c: FUNCTION FCALL */
extern const struct command script_commands[]; /* script.c: EVAL EVALSHA SCRIPT */
extern const struct command connection_commands[]; /* connection.c: PING ECHO HELLO AUTH SELECT QUIT RESET */
extern const struct command client_commands[]; /* client.c: CLIENT */
extern const struct command server_commands[]; /* server.c: INFO TIME SHUTDOWN FLUSHALL DBSIZE SLOWLOG MONITOR ... */
extern const struct command config_commands[];  /* config.c: CONFIG */
extern const struct command command_commands[]; /* command.c: COMMAND */
extern const struct command debug_commands[];   /* debug.c: DEBUG MEMORY */
extern const struct command latency_commands[]; /* insight/latency.c */
extern const struct command lolwut_commands[];  /* insight/lolwut.c */
extern const struct command replication_commands[]; /* nodes/replication.c: ROLE WAIT WAITAOF REPLICAOF */
extern const struct command cluster_commands[]; /* nodes/cluster.c: CLUSTER READONLY READWRITE ASKING */
extern const struct command migrate_commands[]; /* nodes/migrate.c */
extern const struct command module_commands[];  /* module.c: MODULE */
/* clang-format on */

extern const struct command persist_commands[]; /* persist.c: SAVE BGSAVE LASTSAVE DUMP RESTORE */
extern const struct command acl_commands[];     /* acl.c: ACL */

/* All of them, NULL-terminated; built into the server's registry at start. */
extern const struct command *const command_families[];

#endif
