/* ACL: the users and what they may do. */
#include "resp/acl/acl.h"

#include <limits.h>
#include <string.h>
#include <sys/random.h>

#include "resp/acl/file.h"
#include "resp/acl/log.h"
#include "resp/acl/users.h"
#include "resp/commands/commands.h"
#include "resp/commands/server/catalog.h"
#include "resp/dispatch.h"
#include "resp/server.h"
#include "store/base/mem.h"

#define GENPASS_BITS 256
#define GENPASS_MAX  4096

static int shown(struct bytes b)
{
	return b.n < 128 ? (int)b.n : 128;
}

static struct bytes text_bytes(const struct text *t)
{
	return bytes_of(t->p ? t->p : "", t->n);
}

static void reply_error_text(struct call *c, const struct text *error)
{
	struct text line = {0};
	text_str(&line, "ERR ");
	text_add(&line, error->p, error->n);
	reply_error(c->reply, line.p);
	text_fini(&line);
}

/* --- users --- */

static void acl_setuser(struct call *c)
{
	struct server *s = c->server;
	struct bytes name = c->argv[2];
	struct text error = {0};
	if (!acl_word_valid(name)) {
		reply_error(c->reply, "ERR Usernames can't contain spaces or null characters");
		return;
	}
	struct acl_user *u = acl_find(s->acl, name);
	struct acl_user *now = acl_user_with(s, name, c->argv + 3, (size_t)c->argc - 3, &error);
	if (!now) {
		reply_error_text(c, &error);
		text_fini(&error);
		return;
	}
	if (u)
		acl_become(s, u, now);
	else
		acl_add(s->acl, now);
	acl_refresh(s);
	reply_ok(c->reply);
}

static void acl_deluser(struct call *c)
{
	int64_t n = 0;
	for (int i = 2; i < c->argc; i++) {
		if (!bytes_eq(c->argv[i], BYTES("default")))
			continue;
		reply_error(c->reply, "ERR The 'default' user cannot be removed");
		return;
	}
	for (int i = 2; i < c->argc; i++)
		n += acl_remove(c->server, c->argv[i]);
	reply_int(c->reply, n);
}

static void reply_shown(struct reply *r, const char *name, const struct acl_selector *s,
			void (*show)(const struct acl_selector *s, struct text *out))
{
	struct text t = {0};
	show(s, &t);
	reply_bulk_str(r, name);
	reply_bulk(r, text_bytes(&t));
	text_fini(&t);
}

static void reply_selector(struct reply *r, const struct acl_selector *s)
{
	reply_shown(r, "commands", s, acl_selector_commands);
	reply_shown(r, "keys", s, acl_selector_keys);
	reply_shown(r, "channels", s, acl_selector_channels);
}

static void acl_getuser(struct call *c)
{
	const struct acl_user *u = acl_find(c->server->acl, c->argv[2]);
	struct reply *r = c->reply;
	const char *flags[4];
	size_t n = 0;
	if (!u) {
		reply_null(r);
		return;
	}
	reply_map(r, 6);
	reply_bulk_str(r, "flags");
	acl_user_flags(u, flags);
	while (flags[n])
		n++;
	reply_set(r, n);
	for (size_t i = 0; i < n; i++)
		reply_bulk_str(r, flags[i]);
	reply_bulk_str(r, "passwords");
	reply_array(r, u->nhashes);
	for (size_t i = 0; i < u->nhashes; i++)
		reply_bulk_str(r, u->hashes[i]);
	reply_selector(r, u->selectors[0]);
	reply_bulk_str(r, "selectors");
	reply_array(r, u->nselectors - 1);
	for (size_t i = 1; i < u->nselectors; i++) {
		reply_map(r, 3);
		reply_selector(r, u->selectors[i]);
	}
}

static void reply_user_line(struct reply *r, const struct acl_user *u)
{
	struct text t = {0};
	text_fmt(&t, "user %s ", u->name);
	acl_user_describe(u, &t);
	reply_bulk(r, text_bytes(&t));
	text_fini(&t);
}

static void reply_users(struct call *c, bool whole)
{
	struct acl_user **all;
	size_t n = acl_sorted(c->server->acl, &all);
	reply_array(c->reply, n);
	for (size_t i = 0; i < n; i++) {
		if (whole)
			reply_user_line(c->reply, all[i]);
		else
			reply_bulk_str(c->reply, all[i]->name);
	}
	mem_free(all);
}

static void acl_list(struct call *c)
{
	reply_users(c, true);
}

static void acl_users(struct call *c)
{
	reply_users(c, false);
}

static void acl_whoami(struct call *c)
{
	if (c->session->user)
		reply_bulk_str(c->reply, acl_name(c->session->user));
	else
		reply_null(c->reply);
}

/* --- the file --- */

static bool has_file(struct call *c)
{
	if (c->server->config.aclfile[0])
		return true;
	reply_error(c->reply,
		    "ERR This Redis instance is not configured to use an ACL file. You may want "
		    "to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE "
		    "(assuming you have a Redis configuration file set) in order to store users "
		    "in the Redis configuration.");
	return false;
}

static void acl_load(struct call *c)
{
	struct text errors = {0};
	if (!has_file(c))
		return;
	if (acl_file_load(c->server, &errors))
		reply_ok(c->reply);
	else
		reply_error_text(c, &errors);
	text_fini(&errors);
}

static void acl_save(struct call *c)
{
	if (!has_file(c))
		return;
	if (acl_file_save(c->server))
		reply_ok(c->reply);
	else
		reply_error(c->reply,
			    "ERR There was an error trying to save the ACLs. Please check the "
			    "server logs for more information");
}

/* --- what there is --- */

static size_t list_category(struct reply *r, const struct registered *reg, uint32_t category)
{
	size_t n = 0;
	for (; reg; reg = reg->hh.next) {
		if (catalog_of(reg->cmd) & category) {
			reply_bulk_str(r, reg->fullname);
			n++;
		}
		n += list_category(r, reg->subs, category);
	}
	return n;
}

static void list_categories(struct reply *r)
{
	size_t n = 0;
	while (catalog_categories[n].name)
		n++;
	reply_array(r, n);
	for (size_t i = 0; i < n; i++)
		reply_bulk_str(r, catalog_categories[i].name);
}

static void acl_cat(struct call *c)
{
	if (c->argc > 3) {
		call_subcommand_error(c);
		return;
	}
	if (c->argc == 2) {
		list_categories(c->reply);
		return;
	}
	uint32_t category = catalog_category(c->argv[2]);
	if (!category) {
		reply_errorf(c->reply, "ERR Unknown category '%.*s'", shown(c->argv[2]),
			     c->argv[2].p);
		return;
	}
	struct reply_later later = reply_later_begin(c->reply);
	size_t n = list_category(c->reply, registry_commands(c->server->registry), category);
	reply_later_end(c->reply, later, '*', n);
}

static void acl_genpass(struct call *c)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[GENPASS_MAX / 8];
	char word[GENPASS_MAX / 4];
	int64_t bits = GENPASS_BITS;
	if (c->argc > 3) {
		call_subcommand_error(c);
		return;
	}
	if (c->argc == 3 && !call_int(c, 2, &bits))
		return;
	if (bits < 1 || bits > GENPASS_MAX) {
		reply_errorf(c->reply,
			     "ERR ACL GENPASS argument must be the number of bits for the output "
			     "password, a positive number up to %d",
			     GENPASS_MAX);
		return;
	}
	size_t n = (size_t)(bits + 3) / 4, bytes = (n + 1) / 2;
	for (size_t got = 0; got < bytes;) {
		ssize_t more = getrandom(raw + got, bytes - got, 0);
		if (more > 0)
			got += (size_t)more;
	}
	for (size_t i = 0; i < n; i++)
		word[i] = digits[raw[i / 2] >> (i % 2 ? 4 : 0) & 15];
	reply_bulk(c->reply, bytes_of(word, n));
}

/* --- what was and what would be refused --- */

static void acl_log(struct call *c)
{
	struct acl_log *log = acl_log_of(c->server->acl);
	int64_t count = 10;
	if (c->argc > 3) {
		call_subcommand_error(c);
		return;
	}
	if (c->argc == 3 && bytes_is(c->argv[2], "reset")) {
		acl_log_limit(log, 0);
		reply_ok(c->reply);
		return;
	}
	if (c->argc == 3 && !call_int(c, 2, &count))
		return;
	acl_log_reply(log, c->reply, count < 0 ? 0 : (size_t)count, c->server->keyspace->now_ms);
}

static void acl_dryrun(struct call *c)
{
	const struct acl_user *u = acl_find(c->server->acl, c->argv[2]);
	int argc = c->argc - 3, at = 0;
	const struct bytes *argv = c->argv + 3;
	if (!u) {
		reply_errorf(c->reply, "ERR User '%.*s' not found", (int)c->argv[2].n,
			     c->argv[2].p);
		return;
	}
	const struct registered *reg = registry_resolve(c->server->registry, argc, argv);
	if (!reg) {
		reply_errorf(c->reply, "ERR Command '%.*s' not found", (int)argv[0].n, argv[0].p);
		return;
	}
	if (reg->cmd->arity >= 0 ? argc != reg->cmd->arity : argc < -reg->cmd->arity) {
		reply_errorf(c->reply, "ERR wrong number of arguments for '%s' command",
			     reg->fullname);
		return;
	}
	enum acl_verdict verdict = acl_check(u, reg, argc, argv, &at);
	if (!verdict) {
		reply_ok(c->reply);
		return;
	}
	size_t room = strlen(u->name) + strlen(reg->fullname) + argv[at].n + 128;
	char *text = mem_alloc(room);
	acl_sentence(verdict, u, reg, argv[at], true, text, room);
	reply_bulk_str(c->reply, text);
	mem_free(text);
}

static void acl_help(struct call *c)
{
	static const char *const lines[] = {
		"CAT [<category>]",
		"    List the categories, or the commands of one.",
		"DELUSER <username> [<username> ...]",
		"    Remove users, and close their connections.",
		"DRYRUN <username> <command> [<arg> ...]",
		"    Say whether the user may run the command, without running it.",
		"GETUSER <username>",
		"    Return the rules of a user.",
		"GENPASS [<bits>]",
		"    Return a random password, of 256 bits where nothing is said.",
		"LIST",
		"    Return all users as lines of a configuration file.",
		"LOAD",
		"    Have the users be those of the ACL file.",
		"LOG [<count> | RESET]",
		"    Return what was refused lately, or forget it.",
		"SAVE",
		"    Write the users to the ACL file.",
		"SETUSER <username> <attribute> [<attribute> ...]",
		"    Create a user, or change one.",
		"USERS",
		"    Return the names of the users.",
		"WHOAMI",
		"    Return the name of the user of this connection.",
		NULL,
	};
	call_help(c, lines);
}

/* --- the table --- */

#define ANYBODY (CMD_NOSCRIPT | CMD_LOADING | CMD_STALE)
#define ADMIN   (CMD_ADMIN | ANYBODY)

#define SUB(word, fn, args, flag_bits, says)                                                       \
	.name = word, .run = fn, .arity = args, .flags = flag_bits, .summary = says,               \
	.since = "6.0.0", .group = "server"

static const struct command acl_subcommands[] = {
	{SUB("help", acl_help, 2, CMD_LOADING | CMD_STALE, "List the subcommands"),
	 .complexity = "O(1)"},
	{SUB("list", acl_list, 2, ADMIN, "Answer all users as lines of a configuration file"),
	 .complexity = "O(N), N users"},
	{SUB("getuser", acl_getuser, 3, ADMIN, "Answer the rules of a user"),
	 .complexity = "O(N), N passwords, patterns and rules", .syntax = "username"},
	{SUB("genpass", acl_genpass, -2, ANYBODY, "Answer a random password"), .complexity = "O(1)",
	 .syntax = "[bits:integer]"},
	{SUB("log", acl_log, -2, ADMIN, "Answer what was refused lately"),
	 .complexity = "O(N), N entries shown", .syntax = "[operation: count|RESET]"},
	{SUB("deluser", acl_deluser, -3, ADMIN, "Remove users, and close their connections"),
	 .complexity = "O(N), N connections", .syntax = "username [username ...]"},
	{SUB("whoami", acl_whoami, 2, ANYBODY, "Answer the name of the connection's user"),
	 .complexity = "O(1)"},
	{SUB("setuser", acl_setuser, -3, ADMIN, "Create or change a user by rules"),
	 .complexity = "O(N), N rules", .syntax = "username [rule [rule ...]]"},
	{.name = "dryrun",
	 .run = acl_dryrun,
	 .arity = -4,
	 .flags = ADMIN,
	 .summary = "Say whether a user may run a command, without running it",
	 .since = "7.0.0",
	 .group = "server",
	 .complexity = "O(1)",
	 .syntax = "username command [arg [arg ...]]"},
	{SUB("users", acl_users, 2, ADMIN, "Answer the names of the users"),
	 .complexity = "O(N), N users"},
	{SUB("cat", acl_cat, -2, ANYBODY, "Answer the categories, or the commands of one"),
	 .complexity = "O(N), N commands", .syntax = "[categoryname]"},
	{SUB("load", acl_load, 2, ADMIN, "Have the users be those of the ACL file"),
	 .complexity = "O(N), N users"},
	{SUB("save", acl_save, 2, ADMIN, "Write the users to the ACL file"),
	 .complexity = "O(N), N users"},
	{0},
};

const struct command acl_commands[] = {
	{.name = "acl",
	 .arity = -2,
	 .subcommands = acl_subcommands,
	 .summary = "Users and what they may do",
	 .since = "6.0.0",
	 .group = "server",
	 .complexity = "Depends on subcommand."},
	{0},
};
