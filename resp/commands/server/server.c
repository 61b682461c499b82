/* Commands on the server itself. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#include "resp/commands/commands.h"
#include "resp/insight/info.h"
#include "resp/insight/slowlog.h"
#include "resp/log.h"
#include "resp/server.h"
#include "store/base/mem.h"

static void cmd_info(struct call *c)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	if (!out) {
		call_error(c, STORE_ENOMEM);
		return;
	}
	info_write(c->server, c->argv + 1, (size_t)c->argc - 1, out);
	fclose(out);
	reply_verbatim(c->reply, bytes_of(text, n), "txt");
	free(text);
}

static void cmd_time(struct call *c)
{
	struct timeval tv;
	gettimeofday(&tv, NULL);
	/* In a transaction or a script it stands still. */
	if (c->server->running > 1) {
		tv.tv_sec = c->server->keyspace->now_ms / 1000;
		tv.tv_usec = c->server->keyspace->now_ms % 1000 * 1000;
	}
	reply_array(c->reply, 2);
	reply_bulk_int(c->reply, tv.tv_sec);
	reply_bulk_int(c->reply, tv.tv_usec);
}

/* --- SHUTDOWN --- */

static bool shutdown_options_read(struct call *c, unsigned *out)
{
	static const struct {
		const char *word;
		unsigned bit;
	} words[] = {
		{"nosave", SHUTDOWN_NOSAVE}, {"save", SHUTDOWN_SAVE},   {"now", SHUTDOWN_NOW},
		{"force", SHUTDOWN_FORCE},   {"abort", SHUTDOWN_ABORT},
	};
	unsigned flags = 0;
	for (int i = 1; i < c->argc; i++) {
		unsigned bit = 0;
		for (size_t w = 0; w < sizeof(words) / sizeof(*words); w++)
			if (bytes_is(c->argv[i], words[w].word))
				bit = words[w].bit;
		if (!bit) {
			call_syntax_error(c);
			return false;
		}
		flags |= bit;
	}
	if (((flags & SHUTDOWN_ABORT) && flags != SHUTDOWN_ABORT) ||
	    ((flags & SHUTDOWN_NOSAVE) && (flags & SHUTDOWN_SAVE))) {
		call_syntax_error(c);
		return false;
	}
	*out = flags;
	return true;
}

static void cmd_shutdown(struct call *c)
{
	struct server *s = c->server;
	unsigned flags;
	if (!shutdown_options_read(c, &flags))
		return;
	if (flags & SHUTDOWN_ABORT) {
		/* A shutdown waits for nothing yet, so there is never one to stop. */
		reply_error(c->reply, "ERR No shutdown in progress.");
		return;
	}
	if (s->busy && !(flags & SHUTDOWN_NOSAVE)) {
		reply_error(c->reply, s->busy);
		return;
	}
	if (!server_shutdown(s, flags))
		reply_error(c->reply, "ERR Errors trying to SHUTDOWN. Check logs.");
}

/* --- MONITOR --- */

static void cmd_monitor(struct call *c)
{
	struct session *s = c->session;
	/* The mount's own session is told nothing between its commands. */
	if (s->flags & SESSION_DENY_BLOCKING || !s->ops->wake) {
		reply_error(c->reply, "ERR MONITOR isn't allowed for DENY BLOCKING client");
		return;
	}
	if (!(s->flags & SESSION_MONITOR)) {
		s->flags |= SESSION_MONITOR;
		c->server->monitors++;
	}
	reply_ok(c->reply);
}

/* --- SLOWLOG --- */

static void slowlog_cmd_get(struct call *c)
{
	int64_t count = 10;
	if (c->argc > 3) {
		call_subcommand_error(c);
		return;
	}
	if (c->argc == 3 && !call_int_range(c, 2, -1, INT64_MAX, &count,
					    "ERR count should be greater than or equal to -1"))
		return;
	size_t len = slowlog_len(c->server->slowlog);
	size_t n = count < 0 || (uint64_t)count > len ? len : (size_t)count;
	const struct slowlog_entry *e = slowlog_newest(c->server->slowlog);
	reply_array(c->reply, n);
	for (; n; n--, e = e->next) {
		reply_array(c->reply, 6);
		reply_int(c->reply, (int64_t)e->id);
		reply_int(c->reply, e->time_ms / 1000);
		reply_int(c->reply, (int64_t)e->usec);
		reply_array(c->reply, (size_t)e->argc);
		for (int i = 0; i < e->argc; i++)
			reply_bulk(c->reply, e->argv[i]);
		reply_bulk_str(c->reply, e->peer);
		reply_bulk_str(c->reply, e->name);
	}
}

static void slowlog_cmd_len(struct call *c)
{
	reply_int(c->reply, (int64_t)slowlog_len(c->server->slowlog));
}

static void slowlog_cmd_reset(struct call *c)
{
	slowlog_reset(c->server->slowlog);
	reply_ok(c->reply);
}

static void slowlog_cmd_help(struct call *c)
{
	static const char *const lines[] = {
		"GET [<count>]",
		"    Return the newest <count> entries (10 by default, -1 for all), each with its",
		"    id, Unix time, microseconds, arguments, client address and client name.",
		"LEN",
		"    Return how many entries there are.",
		"RESET",
		"    Drop all entries.",
		NULL,
	};
	call_help(c, lines);
}

static const struct command slowlog_subcommands[] = {
	{.name = "get",
	 .run = slowlog_cmd_get,
	 .arity = -2,
	 .flags = CMD_ADMIN | CMD_LOADING | CMD_STALE,
	 .summary = "Answer the newest entries of the slow log",
	 .since = "2.2.12",
	 .group = "server",
	 .complexity = "O(N), N the entries answered",
	 .syntax = "[count]",
	 .tips = (const char *const[]){"request_policy:all_nodes", "nondeterministic_output",
				       NULL}},
	{.name = "help",
	 .run = slowlog_cmd_help,
	 .arity = 2,
	 .flags = CMD_LOADING | CMD_STALE,
	 .summary = "List the subcommands",
	 .since = "6.2.0",
	 .group = "server",
	 .complexity = "O(1)"},
	{.name = "len",
	 .run = slowlog_cmd_len,
	 .arity = 2,
	 .flags = CMD_ADMIN | CMD_LOADING | CMD_STALE,
	 .summary = "Answer how many entries the slow log has",
	 .since = "2.2.12",
	 .group = "server",
	 .complexity = "O(1)",
	 .tips = (const char *const[]){"request_policy:all_nodes", "response_policy:agg_sum",
				       "nondeterministic_output", NULL}},
	{.name = "reset",
	 .run = slowlog_cmd_reset,
	 .arity = 2,
	 .flags = CMD_ADMIN | CMD_LOADING | CMD_STALE,
	 .summary = "Empty the slow log",
	 .since = "2.2.12",
	 .group = "server",
	 .complexity = "O(N), N entries",
	 .tips = (const char *const[]){"request_policy:all_nodes", "response_policy:all_succeeded",
				       NULL}},
	{.name = NULL},
};

const struct command server_commands[] = {
	{.name = "info",
	 .run = cmd_info,
	 .arity = -1,
	 .flags = CMD_LOADING | CMD_STALE,
	 .categories = CAT_DANGEROUS,
	 .summary = "Answer facts and figures of the server",
	 .since = "1.0.0",
	 .group = "server",
	 .complexity = "O(1)",
	 .syntax = "[section [section ...]]",
	 .tips = (const char *const[]){"nondeterministic_output", "request_policy:all_shards",
				       "response_policy:special", NULL}},
	{.name = "time",
	 .run = cmd_time,
	 .arity = 1,
	 .flags = CMD_LOADING | CMD_STALE | CMD_FAST,
	 .summary = "Answer the server's time",
	 .since = "2.6.0",
	 .group = "server",
	 .complexity = "O(1)",
	 .tips = (const char *const[]){"nondeterministic_output", NULL}},
	{.name = "shutdown",
	 .run = cmd_shutdown,
	 .arity = -1,
	 .flags =
		 CMD_ADMIN | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE | CMD_NO_MULTI | CMD_ALLOW_BUSY,
	 .summary = "End the server",
	 .since = "1.0.0",
	 .group = "server",
	 .complexity = "O(1)",
	 .syntax = "[nosave_save: NOSAVE|SAVE] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]"},
	{.name = "slowlog",
	 .arity = -2,
	 .subcommands = slowlog_subcommands,
	 .summary = "Container of the slow log's commands",
	 .since = "2.2.12",
	 .group = "server",
	 .complexity = "Depends on the subcommand"},
	{.name = "monitor",
	 .run = cmd_monitor,
	 .arity = 1,
	 .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE,
	 .summary = "Show every command that runs from now on",
	 .since = "1.0.0",
	 .group = "server",
	 .complexity = NULL},
	{.name = NULL},
};
