/* Who is talking and how: PING ECHO HELLO AUTH SELECT QUIT RESET. */
#include "resp/commands/sessions/connection.h"

#include "resp/acl/acl.h"
#include "resp/commands/commands.h"
#include "resp/server.h"
#include "resp/session.h"
#include "store/base/mem.h"
#include "store/base/num.h"

#define WRONG_PASSWORD "WRONGPASS invalid username-password pair or user is disabled."

/* A RESP2 client that is subscribed expects arrays. */
static void ping_subscriber(struct call *c)
{
	reply_array(c->reply, 2);
	reply_bulk_str(c->reply, "pong");
	reply_bulk(c->reply, c->argc == 2 ? c->argv[1] : BYTES(""));
}

static void cmd_ping(struct call *c)
{
	struct session *s = c->session;

	if (c->argc > 2)
		reply_errorf(c->reply, "ERR wrong number of arguments for 'ping' command");
	else if ((s->flags & SESSION_PUBSUB) && c->reply->proto < 3)
		ping_subscriber(c);
	else if (c->argc == 2)
		reply_bulk(c->reply, c->argv[1]);
	else
		reply_status(c->reply, "PONG");
}

static void cmd_echo(struct call *c)
{
	reply_bulk(c->reply, c->argv[1]);
}

static void cmd_select(struct call *c)
{
	int64_t id;

	if (!call_int_range(c, 1, INT32_MIN, INT32_MAX, &id, NULL))
		return;
	if (id < 0 || id >= (int64_t)c->server->keyspace->ndbs) {
		reply_error(c->reply, "ERR DB index is out of range");
		return;
	}
	c->session->db = &c->server->keyspace->dbs[id];
	reply_ok(c->reply);
}

static void cmd_quit(struct call *c)
{
	struct session *s = c->session;

	reply_ok(c->reply);
	s->flags |= SESSION_CLOSE_AFTER_REPLY;
	if (s->ops->close)
		s->ops->close(s, false);
}

static void cmd_reset(struct call *c)
{
	session_reset(c->session);
	reply_status(c->reply, "RESET");
}

/* --- who --- */

static bool log_in(struct call *c, struct bytes user, struct bytes password)
{
	if (acl_log_in(c->session, user, password, c->argv[0]))
		return true;
	reply_error(c->reply, WRONG_PASSWORD);
	return false;
}

static void cmd_auth(struct call *c)
{
	struct bytes user = BYTES("default");

	if (c->argc > 3) {
		call_syntax_error(c);
		return;
	}
	if (c->argc == 3) {
		user = c->argv[1];
	} else if (acl_needs_no_password(c->server->acl)) {
		reply_error(c->reply,
			    "ERR AUTH <password> called without any password configured for the "
			    "default user. Are you sure your configuration is correct?");
		return;
	}
	if (log_in(c, user, c->argv[c->argc - 1]))
		reply_ok(c->reply);
}

/* --- HELLO --- */

bool connection_name_valid(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] < '!' || name.p[i] > '~')
			return false;
	return true;
}

void connection_set_string(char **at, struct bytes value)
{
	mem_free(*at);
	*at = NULL;
	if (!value.n)
		return;
	*at = mem_alloc(value.n + 1);
	memcpy(*at, value.p, value.n);
	(*at)[value.n] = '\0';
}

/* What a HELLO asks for: positions in argv, 0 for not asked. */
struct hello {
	int64_t proto;
	int auth, name;
};

static bool hello_parse(struct call *c, struct hello *h)
{
	if (c->argc >= 2) {
		if (!call_int_or(c, 1, &h->proto,
				 "ERR Protocol version is not an integer or out of range"))
			return false;
		if (h->proto < 2 || h->proto > 3) {
			reply_error(c->reply, "NOPROTO unsupported protocol version");
			return false;
		}
	}
	for (int i = 2; i < c->argc; i++) {
		int more = c->argc - 1 - i;
		if (bytes_is(c->argv[i], "auth") && more >= 2) {
			h->auth = i + 1;
			i += 2;
		} else if (bytes_is(c->argv[i], "setname") && more >= 1) {
			h->name = ++i;
			if (connection_name_valid(c->argv[i]))
				continue;
			reply_error(c->reply, CONNECTION_BAD_NAME);
			return false;
		} else {
			int n = c->argv[i].n < 128 ? (int)c->argv[i].n : 128;
			reply_errorf(c->reply, "ERR Syntax error in HELLO option '%.*s'", n,
				     c->argv[i].p);
			return false;
		}
	}
	return true;
}

static void hello_reply(struct call *c)
{
	struct reply *r = c->reply;

	reply_map(r, 7);
	reply_bulk_str(r, "server");
	reply_bulk_str(r, "redis");
	reply_bulk_str(r, "version");
	reply_bulk_str(r, INODIS_REDIS_VERSION);
	reply_bulk_str(r, "proto");
	reply_int(r, r->proto);
	reply_bulk_str(r, "id");
	reply_int(r, (int64_t)c->session->id);
	reply_bulk_str(r, "mode");
	reply_bulk_str(r, "standalone");
	reply_bulk_str(r, "role");
	reply_bulk_str(r, "master");
	reply_bulk_str(r, "modules");
	reply_array(r, 0);
}

static void cmd_hello(struct call *c)
{
	struct hello h = {0};

	if (!hello_parse(c, &h))
		return;
	if (h.auth && !log_in(c, c->argv[h.auth], c->argv[h.auth + 1]))
		return;
	if (acl_must_log_in(c->session)) {
		reply_error(c->reply,
			    "NOAUTH HELLO must be called with the client already authenticated, "
			    "otherwise the HELLO <proto> AUTH <user> <pass> option can be used to "
			    "authenticate the client and select the RESP protocol version at the "
			    "same time");
		return;
	}
	if (h.name)
		connection_set_string(&c->session->name, c->argv[h.name]);
	if (h.proto)
		c->reply->proto = (uint8_t)h.proto;
	hello_reply(c);
}

/* --- the table --- */

#define ANYTIME     (CMD_LOADING | CMD_STALE | CMD_FAST)
#define BEFORE_AUTH (CMD_NOSCRIPT | ANYTIME | CMD_NO_AUTH | CMD_ALLOW_BUSY)

const struct command connection_commands[] = {
	{.name = "ping",
	 .run = cmd_ping,
	 .arity = -1,
	 .flags = CMD_FAST | CMD_SUBSCRIBER,
	 .categories = CAT_CONNECTION,
	 .summary = "Answer PONG, or the message given",
	 .since = "1.0.0",
	 .group = "connection",
	 .complexity = "O(1)",
	 .syntax = "[message]",
	 .tips = (const char *const[]){"request_policy:all_shards", "response_policy:all_succeeded",
				       NULL}},
	{.name = "echo",
	 .run = cmd_echo,
	 .arity = 2,
	 .flags = ANYTIME,
	 .categories = CAT_CONNECTION,
	 .summary = "Answer the message",
	 .since = "1.0.0",
	 .group = "connection",
	 .complexity = "O(1)",
	 .syntax = "message"},
	{.name = "hello",
	 .run = cmd_hello,
	 .arity = -1,
	 .flags = BEFORE_AUTH,
	 .categories = CAT_CONNECTION,
	 .summary = "Agree on the protocol, and log in",
	 .since = "6.0.0",
	 .group = "connection",
	 .complexity = "O(1)",
	 .syntax = "[arguments: (protover:integer [AUTH username password] [SETNAME clientname])]"},
	{.name = "auth",
	 .run = cmd_auth,
	 .arity = -2,
	 .flags = BEFORE_AUTH,
	 .categories = CAT_CONNECTION,
	 .summary = "Log in",
	 .since = "1.0.0",
	 .group = "connection",
	 .complexity = "O(N), N passwords of the user",
	 .syntax = "[username@6.0.0] password"},
	{.name = "select",
	 .run = cmd_select,
	 .arity = 2,
	 .flags = ANYTIME,
	 .categories = CAT_CONNECTION,
	 .summary = "Choose the database for the commands that follow",
	 .since = "1.0.0",
	 .group = "connection",
	 .complexity = "O(1)",
	 .syntax = "index:integer"},
	{.name = "quit",
	 .run = cmd_quit,
	 .arity = -1,
	 .flags = BEFORE_AUTH | CMD_IMMEDIATE | CMD_SUBSCRIBER,
	 .categories = CAT_CONNECTION,
	 .summary = "Close the connection",
	 .since = "1.0.0",
	 .group = "connection",
	 .complexity = "O(1)",
	 .deprecated_since = "7.2.0",
	 .replaced_by = "just closing the connection"},
	{.name = "reset",
	 .run = cmd_reset,
	 .arity = 1,
	 .flags = BEFORE_AUTH | CMD_IMMEDIATE | CMD_SUBSCRIBER,
	 .categories = CAT_CONNECTION,
	 .summary = "Make the connection as good as new",
	 .since = "6.2.0",
	 .group = "connection",
	 .complexity = "O(1)"},
	{0},
};
