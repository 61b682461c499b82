/* resp/commands/insight/debug.h - DEBUG's subcommands by file; debug.c has the table. */
#ifndef RESP_COMMANDS_DEBUG_H
#define RESP_COMMANDS_DEBUG_H

#include "resp/command.h"

/* debug_values.c: how a value is kept. */
void debug_object(struct call *c);
void debug_sdslen(struct call *c);
void debug_listpack(struct call *c);
void debug_quicklist(struct call *c);
/* The word of argv[2], or 0 with the error replied. */
uint64_t debug_subject(struct call *c);

/* debug_switch.c */
void debug_set_active_expire(struct call *c);
void debug_set_skip_checksum(struct call *c);
void debug_set_disable_deny_scripts(struct call *c);
void debug_pause_cron(struct call *c);
void debug_dict_resizing(struct call *c);
void debug_aof_flush_sleep(struct call *c);
void debug_replybuffer(struct call *c);
void debug_change_repl_id(struct call *c);
void debug_packed_threshold(struct call *c);
void debug_config_rewrite_all(struct call *c);
void debug_loadaof(struct call *c);
void debug_leak(struct call *c);
void debug_mallctl(struct call *c);
void debug_mallctl_str(struct call *c);
void debug_structsize(struct call *c);
void debug_stringmatch_test(struct call *c);

/* debug_crash.c */
void debug_segfault(struct call *c);
void debug_panic(struct call *c);
void debug_assert(struct call *c);
void debug_oom(struct call *c);
void debug_crash_and_recover(struct call *c);
void debug_restart(struct call *c);

/* debug_data.c: what looks into the data set or fills it. argv[1] is the subcommand, argc is checked. */
void debug_htstats(struct call *c);
void debug_htstats_key(struct call *c);
void debug_populate(struct call *c);
void debug_digest(struct call *c);
void debug_digest_value(struct call *c);

/* memory.c */
extern const struct command memory_subcommands[];

#endif
