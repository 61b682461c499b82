/* resp/pressure.h - keeping to maxmemory.
 *
 * Big values are freed by another thread (store/base/bgfree.h), so what a removed key held may still count for a moment: that is waited
 * for, briefly, before another key has to go or a command is refused.
 */
#ifndef RESP_PRESSURE_H
#define RESP_PRESSURE_H

#include <stdbool.h>

#include "resp/server.h"
#include "store/base/mem.h"

/* Memory is within its limit, and was. */
static inline bool pressure_is_none(const struct server *s)
{
	if (s->config.maxmemory == 0)
		return true;
	return !s->out_of_memory && !s->stats.exceeded_since_us && mem_fits(s->config.maxmemory);
}

/* Evict until the limit holds, for as long as maxmemory-eviction-tenacity allows; what is left to do then goes on between commands.
 * False when the limit cannot be reached: nothing (more) may be evicted. */
bool pressure_relieve(struct server *s);
/* The limit or what may go changed: begin with it in the next turn of the loop, without waiting for a command. */
void pressure_begin(struct server *s);

#endif
