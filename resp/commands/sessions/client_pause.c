/* CLIENT PAUSE, UNPAUSE. */
#include "resp/command.h"
#include "resp/commands/sessions/client.h"
#include "resp/server.h"
#include "resp/sessions/pause.h"

void client_pause(struct call *c)
{
	bool all = c->argc == 3 || bytes_is(c->argv[3], "all");
	int64_t ms;
	if (c->argc > 4) {
		call_subcommand_error(c);
	} else if (!all && !bytes_is(c->argv[3], "write")) {
		reply_error(c->reply, "ERR CLIENT PAUSE mode must be WRITE or ALL");
	} else if (!call_int_or(c, 2, &ms, "ERR timeout is not an integer or out of range")) {
		return;
	} else if (ms < 0) {
		reply_error(c->reply, "ERR timeout is negative");
	} else if (ms > INT64_MAX - c->server->keyspace->now_ms) {
		reply_error(c->reply, "ERR timeout is out of range");
	} else {
		pause_begin(c->server, ms, all);
		reply_ok(c->reply);
	}
}

void client_unpause(struct call *c)
{
	pause_end(c->server);
	reply_ok(c->reply);
}
