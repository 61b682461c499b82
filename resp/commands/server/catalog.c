#include "resp/commands/server/catalog.h"

const struct catalog_word catalog_flags[] = {
	{CMD_WRITE, "write"},
	{CMD_READONLY, "readonly"},
	{CMD_DENYOOM, "denyoom"},
	{CMD_MODULE, "module"},
	{CMD_ADMIN, "admin"},
	{CMD_PUBSUB, "pubsub"},
	{CMD_NOSCRIPT, "noscript"},
	{CMD_BLOCKING, "blocking"},
	{CMD_LOADING, "loading"},
	{CMD_STALE, "stale"},
	{CMD_SKIP_MONITOR, "skip_monitor"},
	{CMD_SKIP_SLOWLOG, "skip_slowlog"},
	{CMD_ASKING, "asking"},
	{CMD_FAST, "fast"},
	{CMD_NO_AUTH, "no_auth"},
	{CMD_NO_MANDATORY_KEYS, "no_mandatory_keys"},
	{CMD_NO_ASYNC_LOADING, "no_async_loading"},
	{CMD_NO_MULTI, "no_multi"},
	{CMD_MOVABLEKEYS, "movablekeys"},
	{CMD_ALLOW_BUSY, "allow_busy"},
	{0, NULL},
};

const struct catalog_word catalog_categories[] = {
	{CAT_KEYSPACE, "keyspace"},
	{CAT_READ, "read"},
	{CAT_WRITE, "write"},
	{CAT_SET, "set"},
	{CAT_SORTEDSET, "sortedset"},
	{CAT_LIST, "list"},
	{CAT_HASH, "hash"},
	{CAT_STRING, "string"},
	{CAT_BITMAP, "bitmap"},
	{CAT_HYPERLOGLOG, "hyperloglog"},
	{CAT_GEO, "geo"},
	{CAT_STREAM, "stream"},
	{CAT_PUBSUB, "pubsub"},
	{CAT_ADMIN, "admin"},
	{CAT_FAST, "fast"},
	{CAT_SLOW, "slow"},
	{CAT_BLOCKING, "blocking"},
	{CAT_DANGEROUS, "dangerous"},
	{CAT_CONNECTION, "connection"},
	{CAT_TRANSACTION, "transaction"},
	{CAT_SCRIPTING, "scripting"},
	{0, NULL},
};

const struct catalog_word catalog_key_flags[] = {
	{KEY_RO, "RO"},
	{KEY_RW, "RW"},
	{KEY_OW, "OW"},
	{KEY_RM, "RM"},
	{KEY_ACCESS, "access"},
	{KEY_UPDATE, "update"},
	{KEY_INSERT, "insert"},
	{KEY_DELETE, "delete"},
	{KEY_NOT_KEY, "not_key"},
	{KEY_INCOMPLETE, "incomplete"},
	{KEY_VARIABLE_FLAGS, "variable_flags"},
	{0, NULL},
};

uint32_t catalog_of(const struct command *cmd)
{
	uint32_t cats = cmd->categories;
	if (cmd->flags & CMD_WRITE)
		cats |= CAT_WRITE;
	if ((cmd->flags & CMD_READONLY) && !(cats & CAT_SCRIPTING))
		cats |= CAT_READ;
	if (cmd->flags & CMD_ADMIN)
		cats |= CAT_ADMIN | CAT_DANGEROUS;
	if (cmd->flags & CMD_PUBSUB)
		cats |= CAT_PUBSUB;
	if (cmd->flags & CMD_BLOCKING)
		cats |= CAT_BLOCKING;
	return cats | (cmd->flags & CMD_FAST ? CAT_FAST : CAT_SLOW);
}

uint32_t catalog_category(struct bytes name)
{
	for (const struct catalog_word *w = catalog_categories; w->name; w++)
		if (bytes_is(name, w->name))
			return w->bit;
	return 0;
}

struct catalog_range catalog_range_of(const struct command *cmd)
{
	struct catalog_range r = {0, 0, 0};
	bool several = cmd->keys[1].flags != 0;
	for (int i = 0; i < COMMAND_KEY_SPECS && cmd->keys[i].flags; i++) {
		const struct key_spec *k = &cmd->keys[i];
		/* Only a plain range can be said in the old way, and of several only those without gaps. */
		if (k->begin != KEYS_BEGIN_INDEX || k->find != KEYS_FIND_RANGE ||
		    (several && k->step != 1) || (r.last && r.last != k->index - 1))
			continue;
		int last = k->lastkey >= 0 ? k->index + k->lastkey : k->lastkey;
		if (!r.first || k->index < r.first)
			r.first = k->index;
		if ((unsigned)last > (unsigned)r.last)
			r.last = last;
		r.step = k->step;
	}
	return r;
}
