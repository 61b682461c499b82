/* What a server without replicas says of itself, and of how far its writes have come. */
#include <strings.h>

#include "resp/commands/commands.h"
#include "resp/persist/aof/aof.h"
#include "resp/server.h"
#include "resp/sessions/blocking.h"
#include "store/base/num.h"

static void cmd_role(struct call *c)
{
	reply_array(c->reply, 3);
	reply_bulk_str(c->reply, "master");
	reply_int(c->reply, 0);
	reply_array(c->reply, 0);
}

/* A master is what this server always is; to be another's replica it cannot do yet, and does not pretend to. */
static void cmd_replicaof(struct call *c)
{
	int64_t port;

	if (bytes_is(c->argv[1], "no") && bytes_is(c->argv[2], "one")) {
		reply_ok(c->reply);
		return;
	}
	if (!call_int_or(c, 2, &port, "ERR Invalid master port"))
		return;
	if (port < 0 || port > 65535)
		reply_error(c->reply, "ERR Invalid master port");
	else
		reply_error(c->reply, "ERR Following a master is not available in this version, "
				      "only REPLICAOF NO ONE is");
}

/* There is no replica to hand over to, whatever is asked for. */
static void cmd_failover(struct call *c)
{
	bool force = false, to = false;
	int64_t timeout = 0, port;

	if (c->argc == 2 && bytes_is(c->argv[1], "abort")) {
		reply_error(c->reply, "ERR No failover in progress.");
		return;
	}
	for (int i = 1; i < c->argc; i++) {
		int more = c->argc - i - 1;
		if (bytes_is(c->argv[i], "timeout") && more >= 1 && !timeout) {
			if (!call_int(c, ++i, &timeout))
				return;
			if (timeout <= 0) {
				reply_error(c->reply,
					    "ERR FAILOVER timeout must be greater than 0");
				return;
			}
		} else if (bytes_is(c->argv[i], "to") && more >= 2 && !to) {
			if (!call_int(c, i + 2, &port))
				return;
			to = true;
			i += 2;
		} else if (bytes_is(c->argv[i], "force") && !force) {
			force = true;
		} else {
			call_syntax_error(c);
			return;
		}
	}
	reply_error(c->reply, "ERR FAILOVER requires connected replicas.");
}

/* --- WAIT, WAITAOF --- */

/* argv[@i] as milliseconds to wait; 0 is for ever. */
static bool wait_timeout(struct call *c, int i, int64_t *ms)
{
	if (!call_int_or(c, i, ms, "ERR timeout is not an integer or out of range"))
		return false;
	if (*ms < 0) {
		reply_error(c->reply, "ERR timeout is negative");
		return false;
	}
	return true;
}

static void wait_over(struct session *s)
{
	reply_int(s->reply, 0);
}

/* Nobody acknowledges: who asks for none has them, everybody else waits until the time is over. */
static void cmd_wait(struct call *c)
{
	int64_t replicas, ms;

	if (!call_int(c, 1, &replicas) || !wait_timeout(c, 2, &ms))
		return;
	if (replicas > 0 && c->may_park)
		call_park(c, &(struct park){.timeout_ms = ms, .over = wait_over});
	else
		wait_over(c->session);
}

static bool is_on_disk(const struct session *s)
{
	return s->server->config.appendonly && s->server->synced >= s->written;
}

static void waitaof_over(struct session *s)
{
	reply_array(s->reply, 2);
	reply_int(s->reply, is_on_disk(s));
	reply_int(s->reply, 0);
}

static void cmd_waitaof(struct call *c)
{
	int64_t local, replicas, ms;

	if (!call_int_range(c, 1, 0, 1, &local, NULL) ||
	    !call_int_range(c, 2, 0, INT64_MAX, &replicas,
			    "ERR value is out of range, must be positive") ||
	    !wait_timeout(c, 3, &ms))
		return;
	if (local && !c->server->config.appendonly) {
		reply_error(c->reply, "ERR WAITAOF cannot be used when numlocal is set but "
				      "appendonly is disabled.");
		return;
	}
	bool done = replicas == 0 && (!local || is_on_disk(c->session));
	if (done || (!c->may_park && !c->ready_key))
		waitaof_over(c->session);
	else
		call_park(c, &(struct park){
				     .timeout_ms = ms, .until_synced = true, .over = waitaof_over});
}

/* --- the table --- */

#define REPLICAOF_SYNTAX "<args: (host-port: host port)|(no-one: NO ONE)>"

const struct command replication_commands[] = {
	{.name = "role",
	 .run = cmd_role,
	 .arity = 1,
	 .flags = CMD_NOSCRIPT | CMD_LOADING | CMD_STALE | CMD_FAST,
	 .categories = CAT_ADMIN | CAT_DANGEROUS,
	 .summary = "Answer whether this is a master or a replica",
	 .since = "2.8.12",
	 .group = "server",
	 .complexity = "O(1)"},
	{.name = "wait",
	 .run = cmd_wait,
	 .arity = 3,
	 .flags = CMD_BLOCKING,
	 .categories = CAT_CONNECTION,
	 .summary = "Wait until replicas have what this connection wrote",
	 .since = "3.0.0",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "numreplicas:integer timeout:integer",
	 .tips = (const char *const[]){"request_policy:all_shards", "response_policy:agg_min",
				       NULL}},
	{.name = "waitaof",
	 .run = cmd_waitaof,
	 .arity = 4,
	 .flags = CMD_BLOCKING,
	 .categories = CAT_CONNECTION,
	 .summary = "Wait until what this connection wrote is on disk, here or at replicas",
	 .since = "7.2.0",
	 .group = "generic",
	 .complexity = "O(1)",
	 .syntax = "numlocal:integer numreplicas:integer timeout:integer",
	 .tips = (const char *const[]){"request_policy:all_shards", "response_policy:agg_min",
				       NULL}},
	{.name = "failover",
	 .run = cmd_failover,
	 .arity = -1,
	 .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_STALE,
	 .summary = "Change places with a replica",
	 .since = "6.2.0",
	 .group = "server",
	 .complexity = "O(1)",
	 .syntax = "[target: TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]"},
	{.name = "replicaof",
	 .run = cmd_replicaof,
	 .arity = 3,
	 .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_STALE | CMD_NO_ASYNC_LOADING,
	 .summary = "Follow a master, or be one",
	 .since = "5.0.0",
	 .group = "server",
	 .complexity = "O(1)",
	 .syntax = REPLICAOF_SYNTAX},
	{.name = "slaveof",
	 .run = cmd_replicaof,
	 .arity = 3,
	 .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_STALE | CMD_NO_ASYNC_LOADING,
	 .summary = "Follow a master, or be one",
	 .since = "1.0.0",
	 .group = "server",
	 .deprecated_since = "5.0.0",
	 .replaced_by = "`REPLICAOF`",
	 .complexity = "O(1)",
	 .syntax = REPLICAOF_SYNTAX},
	{.name = NULL},
};
