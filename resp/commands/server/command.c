/* COMMAND: what this server can do, read off the tables. */
#include "resp/commands/server/command.h"

#include "resp/commands/commands.h"
#include "resp/commands/server/catalog.h"
#include "resp/dispatch.h"
#include "resp/server.h"
#include "store/base/glob.h"
#include "store/base/mem.h"

/* --- INFO --- */

/* The words of @bits as a set of statuses, each behind @prefix. */
static void reply_words(struct reply *r, const struct catalog_word *words, uint32_t bits,
			const char *prefix)
{
	size_t n = 0;
	for (const struct catalog_word *w = words; w->name; w++)
		n += (bits & w->bit) != 0;
	reply_set(r, n);
	for (const struct catalog_word *w = words; w->name; w++) {
		if (!(bits & w->bit))
			continue;
		reply_raw(r, "+", 1);
		reply_raw(r, prefix, strlen(prefix));
		reply_raw(r, w->name, strlen(w->name));
		reply_raw(r, "\r\n", 2);
	}
}

static void reply_word_int(struct reply *r, const char *word, int v)
{
	reply_bulk_str(r, word);
	reply_int(r, v);
}

static void reply_begin_search(struct reply *r, const struct key_spec *k)
{
	reply_bulk_str(r, "begin_search");
	reply_map(r, 2);
	reply_bulk_str(r, "type");
	switch (k->begin) {
	case KEYS_BEGIN_INDEX:
		reply_bulk_str(r, "index");
		reply_bulk_str(r, "spec");
		reply_map(r, 1);
		reply_word_int(r, "index", k->index);
		return;
	case KEYS_BEGIN_KEYWORD:
		reply_bulk_str(r, "keyword");
		reply_bulk_str(r, "spec");
		reply_map(r, 2);
		reply_bulk_str(r, "keyword");
		reply_bulk_str(r, k->keyword);
		reply_word_int(r, "startfrom", k->index);
		return;
	case KEYS_BEGIN_UNKNOWN:
		reply_bulk_str(r, "unknown");
		reply_bulk_str(r, "spec");
		reply_map(r, 0);
		return;
	}
}

static void reply_find_keys(struct reply *r, const struct key_spec *k)
{
	reply_bulk_str(r, "find_keys");
	reply_map(r, 2);
	reply_bulk_str(r, "type");
	switch (k->find) {
	case KEYS_FIND_RANGE:
		reply_bulk_str(r, "range");
		reply_bulk_str(r, "spec");
		reply_map(r, 3);
		reply_word_int(r, "lastkey", k->lastkey);
		reply_word_int(r, "keystep", k->step);
		reply_word_int(r, "limit", k->limit);
		return;
	case KEYS_FIND_KEYNUM:
		reply_bulk_str(r, "keynum");
		reply_bulk_str(r, "spec");
		reply_map(r, 3);
		reply_word_int(r, "keynumidx", k->keynumidx);
		reply_word_int(r, "firstkey", k->firstkey);
		reply_word_int(r, "keystep", k->keystep);
		return;
	case KEYS_FIND_UNKNOWN:
		reply_bulk_str(r, "unknown");
		reply_bulk_str(r, "spec");
		reply_map(r, 0);
		return;
	}
}

static void reply_key_specs(struct reply *r, const struct command *cmd)
{
	size_t n = 0;
	while (n < COMMAND_KEY_SPECS && cmd->keys[n].flags)
		n++;
	reply_set(r, n);
	for (size_t i = 0; i < n; i++) {
		reply_map(r, 3);
		reply_bulk_str(r, "flags");
		reply_words(r, catalog_key_flags, cmd->keys[i].flags, "");
		reply_begin_search(r, &cmd->keys[i]);
		reply_find_keys(r, &cmd->keys[i]);
	}
}

static void reply_info(struct reply *r, const struct registered *reg)
{
	const struct command *cmd = reg->cmd;
	struct catalog_range range = catalog_range_of(cmd);
	size_t tips = 0;
	while (cmd->tips && cmd->tips[tips])
		tips++;
	reply_array(r, 10);
	reply_bulk_str(r, reg->fullname);
	reply_int(r, cmd->arity);
	reply_words(r, catalog_flags, cmd->flags, "");
	reply_int(r, range.first);
	reply_int(r, range.last);
	reply_int(r, range.step);
	reply_words(r, catalog_categories, catalog_of(cmd), "@");
	reply_set(r, tips);
	for (size_t i = 0; i < tips; i++)
		reply_bulk_str(r, cmd->tips[i]);
	reply_key_specs(r, cmd);
	if (!reg->subs) {
		reply_set(r, 0);
		return;
	}
	reply_array(r, HASH_COUNT(reg->subs));
	for (const struct registered *sub = reg->subs; sub; sub = sub->hh.next)
		reply_info(r, sub);
}

static void reply_all(struct call *c)
{
	const struct registered *reg = registry_commands(c->server->registry);
	reply_array(c->reply, registry_count(c->server->registry));
	for (; reg; reg = reg->hh.next)
		if (!reg->gone)
			reply_info(c->reply, reg);
}

static void command_info(struct call *c)
{
	if (c->argc == 2) {
		reply_all(c);
		return;
	}
	reply_array(c->reply, (size_t)c->argc - 2);
	for (int i = 2; i < c->argc; i++) {
		const struct registered *reg =
			registry_find_called(c->server->registry, c->argv[i]);
		if (reg)
			reply_info(c->reply, reg);
		else
			reply_null(c->reply);
	}
}

static void command_count(struct call *c)
{
	reply_int(c->reply, registry_count(c->server->registry));
}

/* --- LIST --- */

struct filter {
	enum { FILTER_NONE, FILTER_NOTHING, FILTER_CATEGORY, FILTER_PATTERN } by;
	uint32_t category;
	struct bytes pattern;
};

static bool filter_lets(const struct filter *f, const struct registered *reg)
{
	switch (f->by) {
	case FILTER_NONE:
		return true;
	case FILTER_NOTHING:
		return false;
	case FILTER_CATEGORY:
		return catalog_of(reg->cmd) & f->category;
	case FILTER_PATTERN:
		return glob_match(f->pattern, bytes_str(reg->fullname), true);
	}
	return false;
}

static size_t list_names(struct reply *r, const struct registered *reg, const struct filter *f)
{
	size_t n = 0;
	for (; reg; reg = reg->hh.next) {
		if (reg->gone)
			continue;
		if (filter_lets(f, reg)) {
			reply_bulk_str(r, reg->fullname);
			n++;
		}
		n += list_names(r, reg->subs, f);
	}
	return n;
}

static bool filter_read(struct call *c, struct filter *f)
{
	if (c->argc == 2)
		return true;
	if (c->argc != 5 || !bytes_is(c->argv[2], "filterby")) {
		call_syntax_error(c);
		return false;
	}
	if (bytes_is(c->argv[3], "module")) {
		/* No command comes from a module. */
		f->by = FILTER_NOTHING;
	} else if (bytes_is(c->argv[3], "aclcat")) {
		f->category = catalog_category(c->argv[4]);
		f->by = f->category ? FILTER_CATEGORY : FILTER_NOTHING;
	} else if (bytes_is(c->argv[3], "pattern")) {
		f->by = FILTER_PATTERN;
		f->pattern = c->argv[4];
	} else {
		call_syntax_error(c);
		return false;
	}
	return true;
}

static void command_list(struct call *c)
{
	struct filter f = {.by = FILTER_NONE};
	if (!filter_read(c, &f))
		return;
	struct reply_later later = reply_later_begin(c->reply);
	size_t n = list_names(c->reply, registry_commands(c->server->registry), &f);
	reply_later_end(c->reply, later, '*', n);
}

/* --- GETKEYS --- */

static bool has_keys(const struct command *cmd)
{
	return cmd->getkeys || cmd->keys[0].flags;
}

/* The command that argv[2..] calls, if it is one and may have keys; else the error is replied. */
static const struct command *keyed_command(struct call *c)
{
	const struct registered *reg =
		registry_resolve(c->server->registry, c->argc - 2, c->argv + 2);
	int argc = c->argc - 2;
	if (!reg)
		reply_error(c->reply, "ERR Invalid command specified");
	else if (!has_keys(reg->cmd))
		reply_error(c->reply, "ERR The command has no key arguments");
	else if (reg->cmd->arity >= 0 ? argc != reg->cmd->arity : argc < -reg->cmd->arity)
		reply_error(c->reply, "ERR Invalid number of arguments specified for command");
	else
		return reg->cmd;
	return NULL;
}

static void reply_keys(struct call *c, bool with_flags)
{
	const struct command *cmd = keyed_command(c);
	if (!cmd)
		return;
	int argc = c->argc - 2;
	const struct bytes *argv = c->argv + 2;
	int *positions = mem_calloc((size_t)argc * sizeof(*positions));
	uint32_t *flags = mem_calloc((size_t)argc * sizeof(*flags));
	int n = command_keys(cmd, argc, argv, positions, flags, argc);
	if (n < 0)
		reply_error(c->reply, "ERR Invalid arguments specified for command");
	else
		reply_array(c->reply, (size_t)n);
	for (int i = 0; i < n; i++) {
		if (with_flags)
			reply_array(c->reply, 2);
		reply_bulk(c->reply, argv[positions[i]]);
		if (with_flags)
			reply_words(c->reply, catalog_key_flags,
				    flags[i] & ~(uint32_t)KEY_VARIABLE_FLAGS, "");
	}
	mem_free(positions);
	mem_free(flags);
}

static void command_getkeys(struct call *c)
{
	reply_keys(c, false);
}

static void command_getkeysandflags(struct call *c)
{
	reply_keys(c, true);
}

static void command_help(struct call *c)
{
	static const char *const lines[] = {
		"(no subcommand)",
		"    Return what is known of every command.",
		"COUNT",
		"    Return how many commands there are.",
		"LIST [FILTERBY (MODULE <name>|ACLCAT <category>|PATTERN <pattern>)]",
		"    Return the names of all commands, or of those that the filter lets through.",
		"INFO [<command-name> ...]",
		"    Return arity, flags, categories and key positions of commands.",
		"DOCS [<command-name> ...]",
		"    Return summary, history and arguments of commands.",
		"GETKEYS <full-command>",
		"    Return the keys of a whole command line.",
		"GETKEYSANDFLAGS <full-command>",
		"    Return the keys of a whole command line and what it does with them.",
		NULL,
	};
	call_help(c, lines);
}

static const struct command command_subcommands[] = {
	{.name = "count",
	 .run = command_count,
	 .arity = 2,
	 .flags = CMD_LOADING | CMD_STALE,
	 .categories = CAT_CONNECTION,
	 .summary = "Answer how many commands there are",
	 .since = "2.8.13",
	 .group = "server",
	 .complexity = "O(1)"},
	{.name = "docs",
	 .run = command_docs,
	 .arity = -2,
	 .flags = CMD_LOADING | CMD_STALE,
	 .categories = CAT_CONNECTION,
	 .summary = "Answer the documentation of commands",
	 .since = "7.0.0",
	 .group = "server",
	 .complexity = "O(N), N the commands asked for",
	 .syntax = "[command-name [command-name ...]]",
	 .tips = (const char *const[]){"nondeterministic_output_order", NULL}},
	{.name = "getkeys",
	 .run = command_getkeys,
	 .arity = -3,
	 .flags = CMD_LOADING | CMD_STALE,
	 .categories = CAT_CONNECTION,
	 .summary = "Answer the keys of a command line",
	 .since = "2.8.13",
	 .group = "server",
	 .syntax = "command [arg [arg ...]]",
	 .complexity = "O(N), N the arguments"},
	{.name = "getkeysandflags",
	 .run = command_getkeysandflags,
	 .arity = -3,
	 .flags = CMD_LOADING | CMD_STALE,
	 .categories = CAT_CONNECTION,
	 .summary = "Answer the keys of a command line and how it uses them",
	 .since = "7.0.0",
	 .group = "server",
	 .syntax = "command [arg [arg ...]]",
	 .complexity = "O(N), N the arguments"},
	{.name = "help",
	 .run = command_help,
	 .arity = 2,
	 .flags = CMD_LOADING | CMD_STALE,
	 .categories = CAT_CONNECTION,
	 .summary = "List the subcommands",
	 .since = "5.0.0",
	 .group = "server",
	 .complexity = "O(1)"},
	{.name = "info",
	 .run = command_info,
	 .arity = -2,
	 .flags = CMD_LOADING | CMD_STALE,
	 .categories = CAT_CONNECTION,
	 .summary = "Answer the properties of commands",
	 .since = "2.8.13",
	 .group = "server",
	 .complexity = "O(N), N the commands asked for",
	 .syntax = "[command-name [command-name ...]]",
	 .tips = (const char *const[]){"nondeterministic_output_order", NULL}},
	{.name = "list",
	 .run = command_list,
	 .arity = -2,
	 .flags = CMD_LOADING | CMD_STALE,
	 .categories = CAT_CONNECTION,
	 .summary = "Answer the names of the commands",
	 .since = "7.0.0",
	 .group = "server",
	 .complexity = "O(N), N the number of commands",
	 .syntax = "[filterby: FILTERBY <MODULE module-name|ACLCAT category|PATTERN pattern>]",
	 .tips = (const char *const[]){"nondeterministic_output_order", NULL}},
	{.name = NULL},
};

const struct command command_commands[] = {
	{.name = "command",
	 .run = reply_all,
	 .arity = -1,
	 .flags = CMD_LOADING | CMD_STALE,
	 .categories = CAT_CONNECTION,
	 .subcommands = command_subcommands,
	 .summary = "Answer the properties of all commands",
	 .since = "2.8.13",
	 .group = "server",
	 .complexity = "O(N), N the number of commands",
	 .tips = (const char *const[]){"nondeterministic_output_order", NULL}},
	{.name = NULL},
};
