/* resp/net/shed.c - maxmemory-clients: when clients hold too much together, the biggest have to go.
 *
 * While there is a limit each client that had a part in a turn is counted anew at its end, so the sum is right whenever it is
 * looked at, and nothing is done for those that sleep.
 */
#include "resp/log.h"
#include "resp/net/client.h"
#include "resp/net/loop.h"
#include "resp/net/network.h"
#include "resp/server.h"
#include "store/base/mem.h"

/* A smaller limit would leave nobody who could raise it. */
#define LIMIT_MIN ((size_t)128 * 1024)
/* Clients below are in one bucket: log2 of their size. */
#define SMALL_LOG 14

static size_t limit_of(const struct config *cfg)
{
	int64_t v = cfg->maxmemory_clients;
	double share;
	if (v == 0)
		return 0;
	if (v < 0 && cfg->maxmemory == 0)
		return SIZE_MAX;
	share = v < 0 ? (double)cfg->maxmemory * (double)-v / 100 : (double)v;
	return share < (double)LIMIT_MIN ? LIMIT_MIN : (size_t)share;
}

/* 0 is for those that are in none. */
static unsigned bucket_of(size_t mem)
{
	if (mem >> SMALL_LOG == 0)
		return 1;
	unsigned log = 63 - (unsigned)__builtin_clzll(mem);
	unsigned at = 2 + (log - SMALL_LOG) * 4 + (unsigned)(mem >> (log - 2) & 3);
	return at < SHED_BUCKETS ? at : SHED_BUCKETS - 1;
}

static void leave(struct client *c)
{
	if (c->bucket == 0)
		return;
	if (c->prev_size)
		c->prev_size->next_size = c->next_size;
	else
		c->net->by_size[c->bucket] = c->next_size;
	if (c->next_size)
		c->next_size->prev_size = c->prev_size;
	c->bucket = 0;
}

static void join(struct client *c, unsigned bucket)
{
	struct client **head = &c->net->by_size[bucket];
	c->bucket = bucket;
	c->prev_size = NULL;
	c->next_size = *head;
	if (*head)
		(*head)->prev_size = c;
	*head = c;
}

void client_uncount(struct client *c)
{
	c->net->shed_sum -= c->counted;
	c->counted = 0;
	leave(c);
}

void client_count(struct client *c)
{
	/* What it holds is as good as free. */
	if (c->session.flags & SESSION_CLOSE_ASAP) {
		client_uncount(c);
		return;
	}
	size_t mem = client_mem(c);
	c->net->shed_sum += mem - c->counted;
	c->counted = mem;
	unsigned bucket = c->session.flags & SESSION_NO_EVICT ? 0 : bucket_of(mem);
	if (bucket == c->bucket)
		return;
	leave(c);
	if (bucket)
		join(c, bucket);
}

void network_shed_limit(struct network *n)
{
	size_t limit = limit_of(&n->server->config);
	if (limit == n->shed_limit)
		return;
	n->shed_limit = limit;
	n->shed_in_vain = false;
	for (struct client *c = n->clients; c; c = c->next) {
		client_check_output(c); /* its reply has a bound by this limit too */
		if (limit)
			client_count(c);
		else
			client_uncount(c);
	}
	loop_again(n->loop);
}

void client_evict(struct client *c)
{
	struct server *s = c->net->server;
	char *who = client_describe(c);
	log_line(&s->config.log, LOG_LEVEL_NOTICE, "Evicting client: %s", who);
	mem_free(who);
	s->stats.evicted_clients++;
	client_uncount(c);
	client_mark_close(c);
}

void network_shed(struct network *n)
{
	for (struct client *c = n->close_list; c; c = c->next_close)
		client_uncount(c);
	unsigned bucket = SHED_BUCKETS - 1;
	while (n->shed_sum > n->shed_limit) {
		while (bucket && n->by_size[bucket] == NULL)
			bucket--;
		if (bucket == 0)
			break;
		client_evict(n->by_size[bucket]);
	}
	bool in_vain = n->shed_sum > n->shed_limit;
	if (in_vain && !n->shed_in_vain)
		log_line(&n->server->config.log, LOG_LEVEL_WARNING,
			 "Over client maxmemory after evicting all evictable clients");
	n->shed_in_vain = in_vain;
}
