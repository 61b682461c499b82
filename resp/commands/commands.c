#include "resp/commands/commands.h"

#include <stddef.h>

const struct command *const command_families[] = {
	string_commands,
	key_commands,
	server_commands,
	NULL,
};
