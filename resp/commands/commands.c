#include "resp/commands/commands.h"

#include <stddef.h>

/* clang-format off */
const struct command *const command_families[] = {
	string_commands,
	key_commands,
	bitmap_commands,
	hyperloglog_commands,
	geo_commands,
	sort_commands,
	list_commands,
	set_commands,
	hash_commands,
	hash_field_commands,
	zset_commands,
	stream_commands,
	blocking_commands,
	transaction_commands,
	pubsub_commands,
	script_commands,
	function_commands,
	connection_commands,
	client_commands,
	server_commands,
	config_commands,
	command_commands,
	debug_commands,
	latency_commands,
	lolwut_commands,
	persist_commands,
	replication_commands,
	cluster_commands,
	migrate_commands,
	module_commands,
	acl_commands,
	NULL,
};
/* clang-format on */
