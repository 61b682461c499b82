/* MEMORY. */
#include <limits.h>

#include "resp/commands/server/debug.h"

static void memory_usage(struct call *c)
{
	int64_t samples = 5;
	for (int i = 3; i < c->argc; i += 2) {
		if (!bytes_is(c->argv[i], "samples") || i + 1 == c->argc) {
			call_syntax_error(c);
			return;
		}
		if (!call_int(c, i + 1, &samples))
			return;
		if (samples < 0) {
			call_syntax_error(c);
			return;
		}
	}
	uint64_t word = keyspace_read(c->db, c->argv[2], KEYSPACE_NOTOUCH);
	if (!word) {
		reply_null(c->reply);
		return;
	}
	unsigned n = samples > UINT_MAX ? UINT_MAX : (unsigned)samples;
	reply_int(c->reply, (int64_t)keyspace_entry_mem(word, n));
}

static void memory_help(struct call *c)
{
	static const char *const lines[] = {
		"USAGE <key> [SAMPLES <count>]",
		"    Return the bytes that <key> and its value take. Of a container <count> "
		"elements",
		"    are measured (5 by default, 0 for all).",
		NULL,
	};
	call_help(c, lines);
}

const struct command memory_subcommands[] = {
	{.name = "help",
	 .run = memory_help,
	 .arity = 2,
	 .flags = CMD_LOADING | CMD_STALE,
	 .summary = "List the subcommands",
	 .since = "4.0.0",
	 .group = "server",
	 .complexity = "O(1)"},
	{.name = "usage",
	 .run = memory_usage,
	 .arity = -3,
	 .flags = CMD_READONLY,
	 .keys = {KEYS_AT(KEY_RO, 2, 0, 1)},
	 .summary = "Answer how much memory a key takes",
	 .since = "4.0.0",
	 .group = "server",
	 .complexity = "O(N), N the samples",
	 .syntax = "key [SAMPLES count]"},
	{.name = NULL},
};
