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

/* stream_add.c */
void stream_cmd_xadd(struct call *c);
void stream_cmd_xtrim(struct call *c);
/* stream_read.c */
void stream_cmd_xrange(struct call *c);
void stream_cmd_xrevrange(struct call *c);
void stream_cmd_xread(struct call *c);
/* stream_info.c */
extern const struct command stream_info_subcommands[];

#endif
