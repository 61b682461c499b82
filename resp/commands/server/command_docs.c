/* COMMAND DOCS. */
#include "resp/commands/server/catalog.h"
#include "resp/commands/server/command.h"

#include "resp/commands/server/syntax.h"
#include "resp/dispatch.h"
#include "resp/server.h"

static void pair(struct reply *r, const char *name, const char *value)
{
	reply_bulk_str(r, name);
	reply_bulk_str(r, value);
}

static void pair_bytes(struct reply *r, const char *name, struct bytes value)
{
	reply_bulk_str(r, name);
	reply_bulk(r, value);
}

/* --- arguments --- */

static size_t key_specs(const struct command *cmd)
{
	size_t n = 0;
	while (n < COMMAND_KEY_SPECS && cmd->keys[n].flags)
		n++;
	return n;
}

static void reply_argument_flags(struct reply *r, const struct syntax_arg *a)
{
	reply_bulk_str(r, "flags");
	reply_set(r, (size_t)a->optional + a->multiple + a->multiple_token);
	if (a->optional)
		reply_status(r, "optional");
	if (a->multiple)
		reply_status(r, "multiple");
	if (a->multiple_token)
		reply_status(r, "multiple_token");
}

static void reply_arguments(struct reply *r, const struct command *cmd, const struct syntax *s,
			    int first)
{
	reply_array(r, syntax_count(s, first));
	for (; first != SYNTAX_NONE; first = s->args[first].next) {
		const struct syntax_arg *a = &s->args[first];
		bool group = a->type == SYNTAX_ONEOF || a->type == SYNTAX_BLOCK;
		/* More keys than specifications: the last one finds them all (LCS key1 key2). */
		int specs = (int)key_specs(cmd);
		int nth = a->key_spec;
		/* SORT's patterns make keys: they belong to a specification of their own, in front of STORE's. */
		if (specs > 1 && cmd->keys[1].begin == KEYS_BEGIN_UNKNOWN)
			nth = a->type == SYNTAX_PATTERN ? 1 : nth > 0 ? nth + 1 : nth;
		int spec = nth == SYNTAX_NONE || !specs ? SYNTAX_NONE
			   : nth < specs                ? nth
							: specs - 1;
		bool flags = a->optional || a->multiple || a->multiple_token;
		reply_map(r, 2 + (size_t)!group + (spec != SYNTAX_NONE) + (a->token.p != NULL) +
				     (a->since.p != NULL) + flags + (a->child != SYNTAX_NONE));
		pair_bytes(r, "name", a->name);
		pair(r, "type", syntax_type_name(a->type));
		if (!group)
			pair_bytes(r, "display_text", a->name);
		if (spec != SYNTAX_NONE) {
			reply_bulk_str(r, "key_spec_index");
			reply_int(r, spec);
		}
		if (a->token.p)
			pair_bytes(r, "token", a->token);
		if (a->since.p)
			pair_bytes(r, "since", a->since);
		if (flags)
			reply_argument_flags(r, a);
		if (a->child != SYNTAX_NONE) {
			reply_bulk_str(r, "arguments");
			reply_arguments(r, cmd, s, a->child);
		}
	}
}

/* --- commands --- */

static void reply_docs(struct reply *r, const struct registered *reg)
{
	const struct command *cmd = reg->cmd;
	struct syntax syntax;
	bool arguments =
		cmd->syntax && syntax_parse(cmd->syntax, &syntax) && syntax.first != SYNTAX_NONE;
	size_t subs = reg->subs ? HASH_COUNT(reg->subs) : 0;
	size_t first = 0, changes = history_find(reg->fullname, &first);
	reply_map(r, (cmd->summary != NULL) + (cmd->since != NULL) + 1 + (cmd->complexity != NULL) +
			     (cmd->syscmd || cmd->deprecated_since) +
			     2 * (size_t)(cmd->deprecated_since != NULL) + (changes > 0) +
			     arguments + (subs > 0));
	if (cmd->summary)
		pair(r, "summary", cmd->summary);
	if (cmd->since)
		pair(r, "since", cmd->since);
	pair(r, "group", cmd->group ? cmd->group : "generic");
	if (cmd->complexity)
		pair(r, "complexity", cmd->complexity);
	if (cmd->syscmd || cmd->deprecated_since) {
		reply_bulk_str(r, "doc_flags");
		reply_set(r, 1);
		reply_status(r, cmd->syscmd ? "syscmd" : "deprecated");
	}
	if (cmd->deprecated_since) {
		pair(r, "deprecated_since", cmd->deprecated_since);
		pair(r, "replaced_by", cmd->replaced_by ? cmd->replaced_by : "");
	}
	if (changes) {
		reply_bulk_str(r, "history");
		reply_set(r, changes);
		for (size_t i = first; i < first + changes; i++) {
			reply_array(r, 2);
			reply_bulk_str(r, history_since(i));
			reply_bulk_str(r, history_change(i));
		}
	}
	if (arguments) {
		reply_bulk_str(r, "arguments");
		reply_arguments(r, cmd, &syntax, syntax.first);
	}
	if (subs) {
		reply_bulk_str(r, "subcommands");
		reply_map(r, subs);
		for (const struct registered *sub = reg->subs; sub; sub = sub->hh.next) {
			reply_bulk_str(r, sub->fullname);
			reply_docs(r, sub);
		}
	}
}

void command_docs(struct call *c)
{
	struct registry *registry = c->server->registry;
	struct registered *all = registry_commands(registry);
	size_t n = 0;
	struct reply_later later = reply_later_begin(c->reply);
	if (c->argc == 2) {
		for (const struct registered *reg = all; reg; reg = reg->hh.next) {
			if (reg->gone)
				continue;
			n++;
			reply_bulk_str(c->reply, reg->fullname);
			reply_docs(c->reply, reg);
		}
	}
	for (int i = 2; i < c->argc; i++) {
		const struct registered *reg = registry_find_called(registry, c->argv[i]);
		if (!reg)
			continue;
		reply_bulk_str(c->reply, reg->fullname);
		reply_docs(c->reply, reg);
		n++;
	}
	reply_later_end(c->reply, later, '%', n);
}
