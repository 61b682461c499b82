#include "resp/gate.h"

#include <stdio.h>
#include <string.h>

#include "resp/server.h"

static bool is_local(const struct session *s)
{
	char peer[128] = "";
	if (s->flags & (SESSION_UNIX | SESSION_MOUNT))
		return true;
	s->ops->peer(s, peer, sizeof(peer));
	return strncmp(peer, "127.0.0.1:", 10) == 0 || strncmp(peer, "[::1]:", 6) == 0;
}

const char *gate_refusal(const struct session *s, const struct command *cmd,
			 const struct command *parent, char *buf)
{
	const struct config *cfg = &s->server->config;
	bool debug = strcmp((parent ? parent : cmd)->name, "debug") == 0;
	bool all = debug ? cfg->enable_debug_command : cfg->enable_module_command;
	bool local = debug ? cfg->enable_debug_command_local : cfg->enable_module_command_local;
	if (all || (local && is_local(s)))
		return NULL;
	snprintf(buf, GATE_REFUSAL,
		 "ERR %s command not allowed. If the %s option is set to \"local\", you can run it "
		 "from a local connection, otherwise you need to set this option in the "
		 "configuration file, and then restart the server.",
		 debug ? "DEBUG" : "MODULE",
		 debug ? "enable-debug-command" : "enable-module-command");
	return buf;
}
