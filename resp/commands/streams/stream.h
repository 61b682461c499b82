/* resp/commands/streams/stream.h - inside the stream commands: what their files share. */
#ifndef RESP_COMMANDS_STREAM_H
#define RESP_COMMANDS_STREAM_H

#include "resp/command.h"
#include "resp/server.h"
#include "store/types/stream.h"

/* An id as clients write it: "ms-seq", or "ms" with @seq for the rest; "-" and "+" unless @strict. @open, where not NULL, tells
 * whether it was "ms-*", which is malformed otherwise. False when malformed. */
bool stream_id_parse(struct bytes b, uint64_t seq, bool strict, struct stream_id *id, bool *open);

/* The same of argv[@i], strict, a missing sequence number 0; the error is replied. */
bool stream_id_arg(struct call *c, int i, struct stream_id *id);
void stream_id_error(struct call *c);

/* "ms-seq" into @buf. */
#define STREAM_ID_BUF 44
struct bytes stream_id_text(struct stream_id id, char *buf);
void stream_reply_id(struct call *c, struct stream_id id);

/* Up to @count (0: all) entries of a range as an array; returns how many. */
size_t stream_reply_range(struct call *c, const struct stream *s, struct stream_id start,
			  struct stream_id end, uint64_t count, bool backwards);
/* The next entry of @it as an array of id and pairs. */
void stream_reply_entry(struct call *c, struct stream_iter *it);

/* One end of an interval, "(" in front of an id that is left out; the error is replied when false. */
bool stream_interval_arg(struct call *c, struct bytes b, bool is_end, struct stream_id *id);

/* argv[@i] as a stream for a change that only its groups see: *@s NULL when absent. The lookup counts as a read, as in Redis. */
bool stream_for_groups(struct call *c, int i, struct stream **s);

/* XREAD's and XREADGROUP's words. */
struct stream_reading {
	int64_t count; /* 0: all */
	bool waits, noack;
	int first, n; /* the keys; their ids follow */
	struct park how;
	const struct bytes *group; /* and the consumer behind it; NULL for XREAD */
};
/* The error is replied when false. */
bool stream_read_words(struct call *c, bool grouped, struct stream_reading *r);

/* stream_add.c */
void stream_cmd_xadd(struct call *c);
void stream_cmd_xtrim(struct call *c);
/* stream_read.c */
void stream_cmd_xrange(struct call *c);
void stream_cmd_xrevrange(struct call *c);
void stream_cmd_xread(struct call *c);
/* stream_info.c */
extern const struct command stream_info_subcommands[];

/* --- consumer groups --- */

/* "NOGROUP ...": of a key or a group, and of a key that is there. */
void stream_no_group(struct call *c, struct bytes key, struct bytes group);
void stream_no_group_for(struct call *c, struct bytes key, struct bytes group);
/* The stream at argv[1] and its group of argv[2], or the error replied. */
bool stream_group_args(struct call *c, struct stream **s, struct streamgroup **g);
/* The consumer, made when it is not there. */
struct streamconsumer *stream_consumer(struct call *c, struct bytes key, struct streamgroup *g,
				       struct bytes name, bool *made);
/* Milliseconds since @ms, none when that is to come. */
int64_t stream_idle(const struct call *c, int64_t ms);

/* What a group's change is for the journal: an entry that is pending, how far it has read, a consumer. */
void stream_journal_claim(struct call *c, struct bytes key, const struct streamgroup *g,
			  struct stream_id id, const struct streampending *p);
void stream_journal_group(struct call *c, struct bytes key, const struct streamgroup *g);
void stream_journal_consumer(struct call *c, struct bytes key, const struct streamgroup *g,
			     const struct streamconsumer *consumer);

/* group.c */
extern const struct command stream_group_subcommands[];
/* group_read.c */
void stream_cmd_xreadgroup(struct call *c);
/* group_pending.c */
void stream_cmd_xpending(struct call *c);
/* group_claim.c */
void stream_cmd_xack(struct call *c);
void stream_cmd_xclaim(struct call *c);
void stream_cmd_xautoclaim(struct call *c);

#endif
