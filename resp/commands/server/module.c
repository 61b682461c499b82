/* MODULE: this server has no modules, so there is none to list, and none is loaded. */
#include "resp/commands/commands.h"
#include "resp/log.h"
#include "resp/server.h"

static void module_list(struct call *c)
{
	reply_array(c->reply, 0);
}

static void module_load(struct call *c)
{
	struct bytes path = c->argv[2];
	log_line(&c->server->config.log, LOG_LEVEL_WARNING,
		 "Module %.*s failed to load: this server has no modules",
		 path.n < 512 ? (int)path.n : 512, path.p);
	reply_error(c->reply, "ERR Error loading the extension. Please check the server logs.");
}

static void module_unload(struct call *c)
{
	reply_error(c->reply, "ERR Error unloading module: no such module with that name");
}

static void module_help(struct call *c)
{
	static const char *const lines[] = {
		"LIST",
		"    Return the loaded modules: none, as this server cannot load any.",
		"LOAD <path> [<arg> ...]",
		"    Refused.",
		"LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
		"    Refused.",
		"UNLOAD <name>",
		"    Refused.",
		NULL,
	};
	call_help(c, lines);
}

static const struct command module_subcommands[] = {
	{.name = "list",
	 .run = module_list,
	 .arity = 2,
	 .flags = CMD_ADMIN | CMD_NOSCRIPT,
	 .summary = "List the loaded modules",
	 .since = "4.0.0",
	 .group = "server",
	 .complexity = "O(N), N the modules",
	 .tips = (const char *const[]){"nondeterministic_output_order", NULL}},
	{.name = "load",
	 .run = module_load,
	 .arity = -3,
	 .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_NO_ASYNC_LOADING | CMD_PROTECTED,
	 .summary = "Load a module",
	 .since = "4.0.0",
	 .group = "server",
	 .complexity = "O(1)",
	 .syntax = "path [arg [arg ...]]"},
	{.name = "help",
	 .run = module_help,
	 .arity = 2,
	 .flags = CMD_LOADING | CMD_STALE,
	 .summary = "List the subcommands",
	 .since = "5.0.0",
	 .group = "server",
	 .complexity = "O(1)"},
	{.name = "loadex",
	 .run = module_load,
	 .arity = -3,
	 .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_NO_ASYNC_LOADING | CMD_PROTECTED,
	 .summary = "Load a module with settings",
	 .since = "7.0.0",
	 .group = "server",
	 .complexity = "O(1)",
	 .syntax = "path [(configs: CONFIG name value) [CONFIG name value ...]] "
		   "[(args: ARGS arg) [args ...]]"},
	{.name = "unload",
	 .run = module_unload,
	 .arity = 3,
	 .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_NO_ASYNC_LOADING | CMD_PROTECTED,
	 .summary = "Unload a module",
	 .since = "4.0.0",
	 .group = "server",
	 .complexity = "O(1)",
	 .syntax = "name"},
	{.name = NULL},
};

const struct command module_commands[] = {
	{.name = "module",
	 .arity = -2,
	 .subcommands = module_subcommands,
	 .summary = "Container of the commands on modules",
	 .since = "4.0.0",
	 .group = "server",
	 .complexity = "Depends on the subcommand"},
	{.name = NULL},
};
