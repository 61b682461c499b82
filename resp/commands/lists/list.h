/* resp/commands/lists/list.h - inside the list commands: what their files share. */
#ifndef RESP_COMMANDS_LIST_H
#define RESP_COMMANDS_LIST_H

#include "resp/command.h"
#include "resp/server.h"
#include "store/types/list.h"

static inline const struct type_limits *list_limits(const struct call *c)
{
	return &c->server->config.limits;
}

/* After elements were taken from the list of @slot under @key: the event of that, and the key's end when nothing is left. */
void list_shortened(struct call *c, struct bytes key, uint64_t *slot, const char *event);

/* Read LEFT or RIGHT; a syntax error is replied. */
bool list_end_read(struct call *c, int i, bool *tail);

/* Take @count elements (no more than there are) from one end of @l, and reply them as an array. */
void list_reply_popped(struct call *c, struct list *l, bool tail, size_t count);

/* list_move.c */

/* One element from argv[1] to argv[2]. @effect, when not NULL, is what the journal gets in place of the call's words. */
enum list_moved { LIST_MOVED, LIST_ABSENT /* nothing replied yet */, LIST_REFUSED };
enum list_moved list_move(struct call *c, bool from_tail, bool to_tail, int effect_argc,
			  const struct bytes *effect);

/* "numkeys key [key ...] LEFT|RIGHT [COUNT n]" from argv[@at] on; an error is replied. */
struct list_mpop {
	int first_key, nkeys;
	bool tail;
	size_t count;
};
bool list_mpop_read(struct call *c, int at, struct list_mpop *out);
/* Reply @key and up to @count elements of the list in argv[@i]. False when there is none, or, with @failed set and WRONGTYPE
 * replied, when it is no list. */
bool list_mpop_take(struct call *c, int i, const struct list_mpop *m, bool *failed);

void list_cmd_lmove(struct call *c);
void list_cmd_rpoplpush(struct call *c);
void list_cmd_lmpop(struct call *c);
/* list_pos.c */
void list_cmd_lpos(struct call *c);

#endif
