#include "resp/commands/picks.h"

#include "resp/server.h"

bool picks_continue(struct call *c, uint64_t mark)
{
	struct reply *r = c->reply;

	if (r->muted || r->overflow)
		return false;
	if (r->total - mark <= (uint64_t)c->server->config.proto_max_bulk_len)
		return true;
	reply_truncate(r, mark);
	reply_error(r, "ERR value is out of range");
	return false;
}
