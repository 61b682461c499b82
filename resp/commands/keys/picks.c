#include "resp/commands/keys/picks.h"

#include "resp/server.h"

/* "$0", an empty line, and nothing between: the shortest bulk string. */
#define PICK_BYTES_MIN 6

static uint64_t bytes_max(const struct call *c)
{
	return (uint64_t)c->server->config.proto_max_bulk_len;
}

bool picks_allowed(struct call *c, uint64_t n)
{
	if (n <= bytes_max(c) / PICK_BYTES_MIN)
		return true;
	reply_error(c->reply, "ERR value is out of range");
	return false;
}

bool picks_continue(struct call *c, uint64_t mark)
{
	struct reply *r = c->reply;

	if (r->muted || r->overflow)
		return false;
	if (r->total - mark <= bytes_max(c))
		return true;
	reply_truncate(r, mark);
	reply_error(r, "ERR value is out of range");
	return false;
}
