/* LMOVE, RPOPLPUSH and LMPOP. */
#include "resp/commands/lists/list.h"
#include "store/base/mem.h"
#include "store/base/num.h"

/* Push what stands at the @from_tail end of @source to @key (argv[2]); its slot may be there already. */
static void push_to(struct call *c, struct list *source, bool from_tail, uint64_t *slot,
		    bool to_tail)
{
	struct bytes value, key = c->argv[2];
	char buf[NUM_BUF];
	void *copy = NULL;

	list_get(source, from_tail ? -1 : 0, buf, &value);
	struct list *dest = slot ? entry_container(*slot) : list_new();
	if (dest == source) /* a push may move what it is to push */
		value = bytes_of(copy = mem_dup(value.p, value.n), value.n);
	list_push(dest, to_tail, value, list_limits(c));
	reply_bulk(c->reply, value);
	mem_free(copy);
	if (!slot)
		keyspace_add(c->db, key, VALUE_LIST, dest);
	call_changed(c, key, NOTIFY_LIST, to_tail ? "rpush" : "lpush");
}

enum list_moved list_move(struct call *c, bool from_tail, bool to_tail, int effect_argc,
			  const struct bytes *effect)
{
	uint64_t *slot, *dest_slot;

	if (!call_write(c, 1, VALUE_LIST, &slot))
		return LIST_REFUSED;
	if (!slot)
		return LIST_ABSENT;
	struct list *source = entry_container(*slot);
	if (!call_write(c, 2, VALUE_LIST, &dest_slot))
		return LIST_REFUSED;
	bool same = dest_slot && entry_container(*dest_slot) == source;
	push_to(c, source, from_tail, dest_slot, to_tail);
	/* With one list the new element stands at the end that is popped, when both ends are the same: take the old one. */
	if (same && from_tail == to_tail)
		list_delete_range(source, from_tail ? list_count(source) - 2 : 1, 1,
				  list_limits(c));
	else
		list_pop(source, from_tail, list_limits(c), NULL, NULL);
	/* A key may have been added or removed meanwhile: the slot is looked up again. */
	slot = keyspace_write(c->db, c->argv[1]);
	list_shortened(c, c->argv[1], slot, from_tail ? "rpop" : "lpop");
	if (effect)
		call_effect(c, effect_argc, effect);
	return LIST_MOVED;
}

void list_cmd_lmove(struct call *c)
{
	bool from_tail, to_tail;

	if (list_end_read(c, 3, &from_tail) && list_end_read(c, 4, &to_tail) &&
	    list_move(c, from_tail, to_tail, 0, NULL) == LIST_ABSENT)
		reply_null(c->reply);
}

void list_cmd_rpoplpush(struct call *c)
{
	if (list_move(c, true, false, 0, NULL) == LIST_ABSENT)
		reply_null(c->reply);
}

/* What LMPOP did, in words that do not depend on which keys were empty. */
static void journal_pop(struct call *c, struct bytes key, bool tail, size_t count)
{
	char buf[NUM_BUF];
	struct bytes words[3] = {tail ? BYTES("RPOP") : BYTES("LPOP"), key,
				 bytes_of(buf, num_format_int(buf, (int64_t)count))};
	call_effect(c, 3, words);
}

bool list_mpop_take(struct call *c, int i, const struct list_mpop *m, bool *failed)
{
	uint64_t *slot;

	*failed = !call_write(c, i, VALUE_LIST, &slot);
	if (*failed || !slot)
		return false;
	struct list *l = entry_container(*slot);
	size_t count = m->count < list_count(l) ? m->count : list_count(l);
	reply_array(c->reply, 2);
	reply_bulk(c->reply, c->argv[i]);
	list_reply_popped(c, l, m->tail, count);
	journal_pop(c, c->argv[i], m->tail, count);
	list_shortened(c, c->argv[i], slot, m->tail ? "rpop" : "lpop");
	return true;
}

bool list_mpop_read(struct call *c, int at, struct list_mpop *out)
{
	int64_t keys, count = 1;

	if (!call_int_range(c, at, 1, INT64_MAX, &keys, "ERR numkeys should be greater than 0"))
		return false;
	if (keys >= c->argc - at - 1) {
		call_syntax_error(c);
		return false;
	}
	int i = at + 1 + (int)keys;
	if (!list_end_read(c, i++, &out->tail))
		return false;
	if (i + 1 < c->argc && bytes_is(c->argv[i], "count")) {
		if (!call_int_range(c, i + 1, 1, INT64_MAX, &count,
				    "ERR count should be greater than 0"))
			return false;
		i += 2;
	}
	if (i < c->argc) {
		call_syntax_error(c);
		return false;
	}
	out->first_key = at + 1;
	out->nkeys = (int)keys;
	out->count = (size_t)count;
	return true;
}

void list_cmd_lmpop(struct call *c)
{
	struct list_mpop m;
	bool failed;

	if (!list_mpop_read(c, 1, &m))
		return;
	for (int i = m.first_key; i < m.first_key + m.nkeys; i++)
		if (list_mpop_take(c, i, &m, &failed) || failed)
			return;
	reply_null_array(c->reply);
}
