/* CLIENT: who is connected, and what they may have. */
#include <limits.h>
#include <string.h>

#include "resp/acl/acl.h"
#include "resp/commands/commands.h"
#include "resp/commands/sessions/client.h"
#include "resp/commands/sessions/connection.h"
#include "resp/config/text.h"
#include "resp/server.h"
#include "resp/session.h"
#include "resp/sessions/blocking.h"
#include "store/base/num.h"

static int shown(struct bytes b)
{
	return b.n < 128 ? (int)b.n : 128;
}

/* --- identity --- */

static void client_id(struct call *c)
{
	reply_int(c->reply, (int64_t)c->session->id);
}

static void client_getname(struct call *c)
{
	if (c->session->name)
		reply_bulk_str(c->reply, c->session->name);
	else
		reply_null(c->reply);
}

static void client_setname(struct call *c)
{
	if (!connection_name_valid(c->argv[2])) {
		reply_error(c->reply, CONNECTION_BAD_NAME);
		return;
	}
	connection_set_string(&c->session->name, c->argv[2]);
	reply_ok(c->reply);
}

static void client_setinfo(struct call *c)
{
	struct bytes option = c->argv[2];
	char **at = bytes_is(option, "lib-name")  ? &c->session->lib_name
		    : bytes_is(option, "lib-ver") ? &c->session->lib_ver
						  : NULL;

	if (!at) {
		reply_errorf(c->reply, "ERR Unrecognized option '%.*s'", shown(option), option.p);
		return;
	}
	if (!connection_name_valid(c->argv[3])) {
		reply_errorf(c->reply,
			     "ERR %.*s cannot contain spaces, newlines or special characters.",
			     shown(option), option.p);
		return;
	}
	connection_set_string(at, c->argv[3]);
	reply_ok(c->reply);
}

/* --- types --- */

enum client_type { CLIENT_NORMAL, CLIENT_REPLICA, CLIENT_MASTER, CLIENT_PUBSUB };

static bool parse_type(struct call *c, struct bytes word, enum client_type *out)
{
	static const struct {
		const char *name;
		enum client_type type;
	} types[] = {{"normal", CLIENT_NORMAL},
		     {"slave", CLIENT_REPLICA},
		     {"replica", CLIENT_REPLICA},
		     {"pubsub", CLIENT_PUBSUB},
		     {"master", CLIENT_MASTER}};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (bytes_is(word, types[i].name)) {
			*out = types[i].type;
			return true;
		}
	}
	reply_errorf(c->reply, "ERR Unknown client type '%.*s'", shown(word), word.p);
	return false;
}

/* Replicas come with their commands; a monitor counts as normal. */
static enum client_type type_of(const struct session *s)
{
	return s->flags & SESSION_PUBSUB ? CLIENT_PUBSUB : CLIENT_NORMAL;
}

/* --- LIST and INFO --- */

static void describe(struct call *c, struct session *s, struct reply *lines)
{
	if (s == c->session)
		session_describe_running(s, c->argc, c->argv, lines);
	else
		session_describe(s, lines);
	reply_raw(lines, "\n", 1);
}

/* Hand the lines gathered in a reply of their own over as one string. */
static void reply_lines(struct call *c, struct reply *lines)
{
	struct text text = {0};
	struct iovec iov[64];
	size_t covered;

	while (reply_pending(lines)) {
		int n = reply_iov(lines, iov, 64, &covered);
		for (int i = 0; i < n; i++)
			text_add(&text, iov[i].iov_base, iov[i].iov_len);
		reply_consume(lines, covered);
	}
	reply_verbatim(c->reply, bytes_of(text.p ? text.p : "", text.n), "txt");
	text_fini(&text);
}

static void client_info(struct call *c)
{
	struct reply lines;

	reply_init(&lines, 2);
	describe(c, c->session, &lines);
	reply_lines(c, &lines);
	reply_fini(&lines);
}

static void list_ids(struct call *c, struct reply *lines)
{
	for (int i = 3; i < c->argc; i++) {
		int64_t id;
		num_parse_int(c->argv[i], &id);
		struct session *s = session_find(c->server, (uint64_t)id);
		if (s && !(s->flags & SESSION_INTERNAL))
			describe(c, s, lines);
	}
}

static void list_all(struct call *c, const enum client_type *type, struct reply *lines)
{
	struct session *s, *tmp;

	HASH_ITER (hh, c->server->sessions, s, tmp)
		if (!(s->flags & SESSION_INTERNAL) && (!type || *type == type_of(s)))
			describe(c, s, lines);
}

static bool ids_valid(struct call *c)
{
	int64_t id;

	for (int i = 3; i < c->argc; i++)
		if (!call_int_or(c, i, &id, "ERR Invalid client ID"))
			return false;
	return true;
}

static void client_list(struct call *c)
{
	enum client_type type;
	bool by_type = c->argc == 4 && bytes_is(c->argv[2], "type");
	bool by_id = c->argc > 3 && bytes_is(c->argv[2], "id");
	struct reply lines;

	if (by_type ? !parse_type(c, c->argv[3], &type) : by_id && !ids_valid(c))
		return;
	if (!by_type && !by_id && c->argc != 2) {
		call_syntax_error(c);
		return;
	}
	reply_init(&lines, 2);
	if (by_id)
		list_ids(c, &lines);
	else
		list_all(c, by_type ? &type : NULL, &lines);
	reply_lines(c, &lines);
	reply_fini(&lines);
}

/* --- KILL --- */

struct kill_filter {
	struct bytes addr, laddr, user;
	bool by_addr, by_laddr, by_user, by_type, skip_me;
	enum client_type type;
	int64_t id, max_age; /* 0: not asked for */
};

static bool kill_option(struct call *c, int i, struct kill_filter *f)
{
	struct bytes option = c->argv[i], value = c->argv[i + 1];

	if (bytes_is(option, "id"))
		return call_int_range(c, i + 1, 1, LONG_MAX, &f->id,
				      "ERR client-id should be greater than 0");
	if (bytes_is(option, "maxage"))
		return call_int_range(c, i + 1, 1, LONG_MAX, &f->max_age,
				      "ERR maxage is not an integer or out of range");
	if (bytes_is(option, "type")) {
		f->by_type = true;
		return parse_type(c, value, &f->type);
	}
	if (bytes_is(option, "addr")) {
		f->by_addr = true;
		f->addr = value;
	} else if (bytes_is(option, "laddr")) {
		f->by_laddr = true;
		f->laddr = value;
	} else if (bytes_is(option, "user")) {
		f->by_user = true;
		f->user = value;
		if (!acl_find(c->server->acl, value)) {
			reply_errorf(c->reply, "ERR No such user '%.*s'", shown(value), value.p);
			return false;
		}
	} else if (bytes_is(option, "skipme") &&
		   (bytes_is(value, "yes") || bytes_is(value, "no"))) {
		f->skip_me = bytes_is(value, "yes");
	} else {
		call_syntax_error(c);
		return false;
	}
	return true;
}

static bool kill_parse(struct call *c, struct kill_filter *f)
{
	f->skip_me = true;
	for (int i = 2; i < c->argc; i += 2) {
		if (i + 1 >= c->argc) {
			call_syntax_error(c);
			return false;
		}
		if (!kill_option(c, i, f))
			return false;
	}
	return true;
}

static bool address_is(const struct session *s, struct bytes want,
		       void (*address)(const struct session *, char *, size_t))
{
	char buf[160] = "";

	if (address)
		address(s, buf, sizeof(buf));
	return bytes_eq(want, bytes_str(buf));
}

static bool kill_matches(struct call *c, const struct session *s, const struct kill_filter *f)
{
	/* A mount, which has no close, is no connection: it ends by umount. Its open files' sessions are. */
	if ((s->flags & SESSION_INTERNAL) || !s->ops->close)
		return false;
	if (s == c->session && f->skip_me)
		return false;
	if (f->id && (uint64_t)f->id != s->id)
		return false;
	if (f->by_type && type_of(s) != f->type)
		return false;
	if (f->by_user && !bytes_eq(f->user, bytes_str(acl_name(s->user))))
		return false;
	if (f->max_age && (c->server->keyspace->now_ms - s->created_ms) / 1000 < f->max_age)
		return false;
	return (!f->by_addr || address_is(s, f->addr, s->ops->peer)) &&
	       (!f->by_laddr || address_is(s, f->laddr, s->ops->local));
}

/* Others go at once; the client itself is told first. */
static void kill_one(struct call *c, struct session *s)
{
	bool self = s == c->session;

	s->flags |= self ? SESSION_CLOSE_AFTER_REPLY : SESSION_CLOSE_ASAP;
	s->ops->close(s, !self);
}

static int64_t kill_all(struct call *c, const struct kill_filter *f)
{
	struct session *s, *tmp;
	int64_t n = 0;

	HASH_ITER (hh, c->server->sessions, s, tmp) {
		if (!kill_matches(c, s, f))
			continue;
		kill_one(c, s);
		n++;
	}
	return n;
}

static void client_kill(struct call *c)
{
	struct kill_filter f = {0};

	if (c->argc == 3) {
		f.by_addr = true;
		f.addr = c->argv[2];
		if (kill_all(c, &f))
			reply_ok(c->reply);
		else
			reply_error(c->reply, "ERR No such client");
		return;
	}
	if (kill_parse(c, &f))
		reply_int(c->reply, kill_all(c, &f));
}

/* --- UNBLOCK --- */

static void client_unblock(struct call *c)
{
	const char *error = NULL;
	int64_t id;

	if (c->argc > 4) {
		call_subcommand_error(c);
		return;
	}
	if (c->argc == 4 && bytes_is(c->argv[3], "error")) {
		error = "UNBLOCKED client unblocked via CLIENT UNBLOCK";
	} else if (c->argc == 4 && !bytes_is(c->argv[3], "timeout")) {
		reply_error(c->reply, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
		return;
	}
	if (!call_int(c, 2, &id))
		return;
	struct session *s = session_find(c->server, (uint64_t)id);
	reply_int(c->reply, s && blocking_end(s, error));
}

/* --- switches --- */

static void set_switch(struct call *c, enum session_flag flag)
{
	if (bytes_is(c->argv[2], "on")) {
		c->session->flags |= flag;
	} else if (bytes_is(c->argv[2], "off")) {
		c->session->flags &= ~(uint32_t)flag;
	} else {
		call_syntax_error(c);
		return;
	}
	reply_ok(c->reply);
}

static void client_no_evict(struct call *c)
{
	set_switch(c, SESSION_NO_EVICT);
}

static void client_no_touch(struct call *c)
{
	set_switch(c, SESSION_NO_TOUCH);
}

static void client_reply(struct call *c)
{
	struct session *s = c->session;

	if (bytes_is(c->argv[2], "on")) {
		s->flags &= ~(uint32_t)(SESSION_REPLY_OFF | SESSION_REPLY_SKIP |
					SESSION_REPLY_SKIP_NEXT);
		c->reply->muted = false;
		reply_ok(c->reply);
	} else if (bytes_is(c->argv[2], "off")) {
		s->flags |= SESSION_REPLY_OFF;
	} else if (bytes_is(c->argv[2], "skip")) {
		if (!(s->flags & SESSION_REPLY_OFF))
			s->flags |= SESSION_REPLY_SKIP_NEXT;
	} else {
		call_syntax_error(c);
	}
}

static void client_help(struct call *c)
{
	static const char *const lines[] = {
		"CACHING (YES|NO)",
		"    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.",
		"GETREDIR",
		"    Return the client ID we are redirecting to when tracking is enabled.",
		"GETNAME",
		"    Return the name of the current connection.",
		"ID",
		"    Return the ID of the current connection.",
		"INFO",
		"    Return information about the current client connection.",
		"KILL <ip:port>",
		"    Kill connection made from <ip:port>.",
		"KILL <option> <value> [<option> <value> [...]]",
		"    Kill connections. Options are:",
		"    * ADDR (<ip:port>|<unixsocket>:0)",
		"      Kill connections made from the specified address",
		"    * LADDR (<ip:port>|<unixsocket>:0)",
		"      Kill connections made to specified local address",
		"    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
		"      Kill connections by type.",
		"    * USER <username>",
		"      Kill connections authenticated by <username>.",
		"    * SKIPME (YES|NO)",
		"      Skip killing current connection (default: yes).",
		"    * ID <client-id>",
		"      Kill connections by client id.",
		"    * MAXAGE <maxage>",
		"      Kill connections older than the specified age.",
		"LIST [options ...]",
		"    Return information about client connections. Options:",
		"    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
		"      Return clients of specified type.",
		"UNPAUSE",
		"    Stop the current client pause, resuming traffic.",
		"PAUSE <timeout> [WRITE|ALL]",
		"    Suspend all, or just write, clients for <timeout> milliseconds.",
		"REPLY (ON|OFF|SKIP)",
		"    Control the replies sent to the current connection.",
		"SETNAME <name>",
		"    Assign the name <name> to the current connection.",
		"SETINFO <option> <value>",
		"    Set client meta attr. Options are:",
		"    * LIB-NAME: the client lib name.",
		"    * LIB-VER: the client lib version.",
		"UNBLOCK <clientid> [TIMEOUT|ERROR]",
		"    Unblock the specified blocked client.",
		"TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
		"         [OPTIN] [OPTOUT] [NOLOOP]",
		"    Control server assisted client side caching.",
		"TRACKINGINFO",
		"    Report tracking status for the current connection.",
		"NO-EVICT (ON|OFF)",
		"    Protect current client connection from eviction.",
		"NO-TOUCH (ON|OFF)",
		"    Will not touch LRU/LFU stats when this mode is on.",
		NULL,
	};
	call_help(c, lines);
}

/* --- the table --- */

#define ANYTIME (CMD_LOADING | CMD_STALE)

#define SUB(word, fn, args, flag_bits, when, says)                                                 \
	.name = word, .run = fn, .arity = args, .flags = flag_bits, .categories = CAT_CONNECTION,  \
	.summary = says, .since = when, .group = "connection"

static const char *const all_nodes[] = {"request_policy:all_nodes", "response_policy:all_succeeded",
					NULL};
static const char *const nondeterministic[] = {"nondeterministic_output", NULL};

/* One of these, repeated; @name is said the first time. */
#define KILL_OPTIONS(name)                                                                         \
	"<" name "[ID client-id:integer@2.8.12]|[client-type@2.8.12: TYPE "                        \
	"<NORMAL|MASTER@3.2.0|SLAVE|REPLICA@5.0.0|PUBSUB>]|[USER username]|[ADDR ip:port]|"        \
	"[LADDR ip:port@6.2.0]|[SKIPME yes/no]|[MAXAGE maxage:integer]>"

static const struct command client_subcommands[] = {
	{SUB("id", client_id, 2, CMD_NOSCRIPT | ANYTIME, "5.0.0", "Answer the connection's id"),
	 .complexity = "O(1)"},
	{SUB("list", client_list, -2, CMD_ADMIN | CMD_NOSCRIPT | ANYTIME, "2.4.0",
	     "List the connections"),
	 .complexity = "O(N), N connections",
	 .syntax = "[client-type@5.0.0: TYPE <NORMAL|MASTER|REPLICA|PUBSUB>] "
		   "[ID client-id:integer@6.2.0 [client-id:integer@6.2.0 ...]]",
	 .tips = nondeterministic},
	{SUB("info", client_info, 2, CMD_NOSCRIPT | ANYTIME, "6.2.0", "Describe this connection"),
	 .complexity = "O(1)", .tips = nondeterministic},
	{SUB("kill", client_kill, -3, CMD_ADMIN | CMD_NOSCRIPT | ANYTIME, "2.4.0",
	     "Close connections"),
	 .complexity = "O(N), N connections",
	 .syntax = "<filter: ip:port|" KILL_OPTIONS("new-format: ") " [" KILL_OPTIONS("") " ...]>"},
	{SUB("unblock", client_unblock, -3, CMD_ADMIN | CMD_NOSCRIPT | ANYTIME, "5.0.0",
	     "End the wait of a connection's blocking command"),
	 .complexity = "O(1)", .syntax = "client-id:integer [timeout_error: TIMEOUT|ERROR]"},
	{SUB("setname", client_setname, 3, CMD_NOSCRIPT | ANYTIME, "2.6.9", "Name this connection"),
	 .complexity = "O(1)", .syntax = "connection-name"},
	{SUB("getname", client_getname, 2, CMD_NOSCRIPT | ANYTIME, "2.6.9",
	     "Answer this connection's name"),
	 .complexity = "O(1)"},
	{SUB("setinfo", client_setinfo, 4, CMD_NOSCRIPT | ANYTIME, "7.2.0",
	     "Say which client library this connection uses"),
	 .complexity = "O(1)", .syntax = "<attr: LIB-NAME libname|LIB-VER libver>",
	 .tips = all_nodes},
	{SUB("no-evict", client_no_evict, 3, CMD_ADMIN | CMD_NOSCRIPT | ANYTIME, "7.0.0",
	     "Keep this connection when memory for clients is short"),
	 .complexity = "O(1)", .syntax = "<enabled: ON|OFF>"},
	{SUB("no-touch", client_no_touch, 3, CMD_NOSCRIPT | ANYTIME, "7.2.0",
	     "Have this connection's reads leave access times alone"),
	 .complexity = "O(1)", .syntax = "<enabled: ON|OFF>"},
	{SUB("reply", client_reply, 3, CMD_NOSCRIPT | ANYTIME, "3.2.0",
	     "Send replies to this connection, or not"),
	 .complexity = "O(1)", .syntax = "<ON|OFF|SKIP>"},
	{SUB("pause", client_pause, -3, CMD_ADMIN | CMD_NOSCRIPT | ANYTIME, "2.9.50",
	     "Have commands wait for a time, all or those that may change data"),
	 .complexity = "O(1)", .syntax = "timeout:integer [mode@6.2.0: WRITE|ALL]"},
	{SUB("unpause", client_unpause, 2, CMD_ADMIN | CMD_NOSCRIPT | ANYTIME, "6.2.0",
	     "Let commands that wait for the end of a pause go on"),
	 .complexity = "O(N), N connections that wait"},
	{SUB("tracking", client_tracking, -3, CMD_NOSCRIPT | ANYTIME, "6.0.0",
	     "Be told when keys that this connection read change"),
	 .complexity = "O(1), and the prefixes given",
	 .syntax = "<status: ON|OFF> [REDIRECT client-id:integer] [PREFIX prefix "
		   "[PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]"},
	{SUB("caching", client_caching, 3, CMD_NOSCRIPT | ANYTIME, "6.0.0",
	     "Say whether the next command's keys are tracked"),
	 .complexity = "O(1)", .syntax = "<mode: YES|NO>"},
	{SUB("getredir", client_getredir, 2, CMD_NOSCRIPT | ANYTIME, "6.0.0",
	     "Answer the id of the connection that is told in place of this one"),
	 .complexity = "O(1)"},
	{SUB("trackinginfo", client_trackinginfo, 2, CMD_NOSCRIPT | ANYTIME, "6.2.0",
	     "Describe how this connection tracks keys"),
	 .complexity = "O(1)"},
	{SUB("help", client_help, 2, ANYTIME, "5.0.0", "List the subcommands"),
	 .complexity = "O(1)"},
	{0},
};

const struct command client_commands[] = {
	{.name = "client",
	 .arity = -2,
	 .subcommands = client_subcommands,
	 .summary = "What has to do with connections",
	 .since = "2.4.0",
	 .group = "connection",
	 .complexity = "Depends on subcommand."},
	{0},
};
