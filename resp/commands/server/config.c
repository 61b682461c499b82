/* CONFIG: the configuration at run time. */
#include "resp/config.h"

#include "resp/commands/commands.h"
#include "resp/server.h"

static void config_get(struct call *c)
{
	config_reply_get(c->server, c->reply, c->argv + 2, (size_t)c->argc - 2);
}

static void config_set(struct call *c)
{
	config_reply_set(c->server, c->reply, c->argv + 2, (size_t)c->argc - 2);
}

static void config_rewrite(struct call *c)
{
	config_reply_rewrite(c->server, c->reply, false);
}

static void config_resetstat(struct call *c)
{
	server_reset_stats(c->server);
	reply_ok(c->reply);
}

static void config_help(struct call *c)
{
	static const char *const lines[] = {
		"GET <pattern>",
		"    Return parameters matching the glob-like <pattern> and their values.",
		"SET <directive> <value>",
		"    Set the configuration <directive> to <value>.",
		"RESETSTAT",
		"    Reset statistics reported by the INFO command.",
		"REWRITE",
		"    Rewrite the configuration file.",
		NULL,
	};
	call_help(c, lines);
}

#define SUB(word, fn, args, flag_bits, when, says)                                                 \
	.name = word, .run = fn, .arity = args, .flags = flag_bits, .summary = says,               \
	.since = when, .group = "server"
#define ADMIN (CMD_ADMIN | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE)

static const char *const all_nodes[] = {"request_policy:all_nodes", "response_policy:all_succeeded",
					NULL};

static const struct command config_subcommands[] = {
	{SUB("get", config_get, -3, ADMIN, "2.0.0", "Answer the values of directives"),
	 .complexity = "O(N), N directives asked for", .syntax = "parameter [parameter ...]"},
	{SUB("set", config_set, -4, ADMIN, "2.0.0", "Change directives, all or none"),
	 .complexity = "O(N), N directives given",
	 .syntax = "parameter value [parameter value ...]", .tips = all_nodes},
	{SUB("rewrite", config_rewrite, 2, ADMIN, "2.8.0",
	     "Write the values of now into the configuration file"),
	 .complexity = "O(1)", .tips = all_nodes},
	{SUB("resetstat", config_resetstat, 2, ADMIN, "2.0.0", "Set INFO's counters to zero"),
	 .complexity = "O(1)", .tips = all_nodes},
	{SUB("help", config_help, 2, CMD_LOADING | CMD_STALE, "5.0.0", "List the subcommands"),
	 .complexity = "O(1)"},
	{0},
};

const struct command config_commands[] = {
	{.name = "config",
	 .arity = -2,
	 .subcommands = config_subcommands,
	 .summary = "What has to do with the configuration",
	 .since = "2.0.0",
	 .group = "server",
	 .complexity = "Depends on subcommand."},
	{0},
};
