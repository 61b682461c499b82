/* resp/commands/zsets/zset.h - inside the sorted-set commands: what their files share. */
#ifndef RESP_COMMANDS_ZSET_H
#define RESP_COMMANDS_ZSET_H

#include "resp/command.h"
#include "resp/server.h"
#include "store/types/zset.h"

static inline const struct type_limits *zset_limits(const struct call *c)
{
	return &c->server->config.limits;
}

/* argv[@i] for reading: *@z NULL when absent. False, with WRONGTYPE replied, when it is no sorted set. */
bool zset_read(struct call *c, int i, struct zset **z);

/* After members were taken from the set of @slot under @key: the event of that, and the key's end when nothing is left. */
void zset_shortened(struct call *c, struct bytes key, uint64_t *slot, const char *event);

/* Bind the result @z of @event, adopted, to @key and reply its size; when it is empty the key is deleted. */
void zset_store(struct call *c, struct bytes key, struct zset *z, const char *event);

/* The head of an array of @n members, with their scores or without, and one element of it: in RESP3 a member with its score is
 * an array of its own. */
void zset_reply_begin(struct call *c, size_t n, bool scores);
void zset_reply_member(struct call *c, struct bytes member, double score, bool scores);

/* @count members from rank @first on, or backwards from it, as such an array. */
void zset_reply_ranks(struct call *c, struct zset *z, size_t first, size_t count, bool backwards,
		      bool scores);

/* zset_members.c */
void zset_cmd_zadd(struct call *c);
void zset_cmd_zincrby(struct call *c);
void zset_cmd_zrem(struct call *c);
void zset_cmd_zscore(struct call *c);
void zset_cmd_zmscore(struct call *c);
void zset_cmd_zcard(struct call *c);
void zset_cmd_zrank(struct call *c);
void zset_cmd_zrevrank(struct call *c);
void zset_cmd_zscan(struct call *c);
/* zset_pop.c */

/* Take the members of the ends of sets: ZMPOP's arguments from argv[@at] on ("numkeys key [key ...] MIN|MAX [COUNT n]"); an error is
 * replied. */
struct zset_mpop {
	int first_key, nkeys;
	bool max;
	int64_t count;
};
bool zset_mpop_read(struct call *c, int at, struct zset_mpop *out);
/* Reply the key and members of the set in argv[@i]. False when there is none, or, with @failed set and WRONGTYPE replied, when it
 * is no sorted set. */
bool zset_mpop_take(struct call *c, int i, const struct zset_mpop *m, bool *failed);
/* Reply key, member and score of one, for BZPOPMIN and BZPOPMAX. */
bool zset_pop_one(struct call *c, int i, bool max, bool *failed);

void zset_cmd_zpopmin(struct call *c);
void zset_cmd_zpopmax(struct call *c);
void zset_cmd_zmpop(struct call *c);
void zset_cmd_zrandmember(struct call *c);
/* zset_range.c */
void zset_cmd_zrange(struct call *c);
void zset_cmd_zrangestore(struct call *c);
void zset_cmd_zrevrange(struct call *c);
void zset_cmd_zrangebyscore(struct call *c);
void zset_cmd_zrevrangebyscore(struct call *c);
void zset_cmd_zrangebylex(struct call *c);
void zset_cmd_zrevrangebylex(struct call *c);
void zset_cmd_zcount(struct call *c);
void zset_cmd_zlexcount(struct call *c);
void zset_cmd_zremrangebyrank(struct call *c);
void zset_cmd_zremrangebyscore(struct call *c);
void zset_cmd_zremrangebylex(struct call *c);
/* zset_algebra.c */
void zset_cmd_zunion(struct call *c);
void zset_cmd_zinter(struct call *c);
void zset_cmd_zdiff(struct call *c);
void zset_cmd_zintercard(struct call *c);
void zset_cmd_zunionstore(struct call *c);
void zset_cmd_zinterstore(struct call *c);
void zset_cmd_zdiffstore(struct call *c);

#endif
