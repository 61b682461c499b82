/* The list commands on one key: both ends, indexes, ranges. */
#include "resp/commands/lists/list.h"

#include "resp/commands/commands.h"
#include "store/base/num.h"

/* --- shared --- */

void list_shortened(struct call *c, struct bytes key, uint64_t *slot, const char *event)
{
	call_changed(c, key, NOTIFY_LIST, event);
	if (slot && list_count(entry_container(*slot)) == 0) {
		keyspace_delete_slot(c->db, slot, KEYSPACE_FREE_NOW);
		call_event(c, c->db, key, NOTIFY_GENERIC, "del");
	}
}

bool list_end_read(struct call *c, int i, bool *tail)
{
	*tail = bytes_is(c->argv[i], "right");
	if (*tail || bytes_is(c->argv[i], "left"))
		return true;
	call_syntax_error(c);
	return false;
}

static void reply_taken(void *arg, struct bytes value)
{
	reply_bulk(arg, value);
}

void list_reply_popped(struct call *c, struct list *l, bool tail, size_t count)
{
	reply_array(c->reply, count);
	while (count--)
		list_pop(l, tail, list_limits(c), reply_taken, c->reply);
}

/* Turn a range of signed, inclusive indexes into the first and how many; 0 when it is empty. */
static size_t range_of(const struct list *l, int64_t start, int64_t end, size_t *first)
{
	int64_t len = (int64_t)list_count(l);

	if (start < 0)
		start = start + len < 0 ? 0 : start + len;
	if (end < 0)
		end += len;
	if (end >= len)
		end = len - 1;
	*first = (size_t)start;
	return start > end || start >= len ? 0 : (size_t)(end - start + 1);
}

/* --- pushing and popping --- */

static void push(struct call *c, bool tail, bool create)
{
	uint64_t *slot;

	if (!call_write(c, 1, VALUE_LIST, &slot))
		return;
	if (!slot && !create) {
		reply_int(c->reply, 0);
		return;
	}
	struct list *l = slot ? entry_container(*slot) : list_new();
	for (int i = 2; i < c->argc; i++)
		list_push(l, tail, c->argv[i], list_limits(c));
	if (!slot)
		keyspace_add(c->db, c->argv[1], VALUE_LIST, l);
	reply_int(c->reply, (int64_t)list_count(l));
	if (tail)
		call_appended(c, c->argv[1], NOTIFY_LIST, "rpush");
	else
		call_changed(c, c->argv[1], NOTIFY_LIST, "lpush");
}

static void cmd_lpush(struct call *c)
{
	push(c, false, true);
}

static void cmd_rpush(struct call *c)
{
	push(c, true, true);
}

static void cmd_lpushx(struct call *c)
{
	push(c, false, false);
}

static void cmd_rpushx(struct call *c)
{
	push(c, true, false);
}

static void pop(struct call *c, bool tail)
{
	bool counted = c->argc == 3;
	int64_t count = 1;
	uint64_t *slot;

	if (c->argc > 3) {
		reply_errorf(c->reply, "ERR wrong number of arguments for '%s' command",
			     c->cmd->name);
		return;
	}
	if (counted && !call_int_range(c, 2, 0, INT64_MAX, &count,
				       "ERR value is out of range, must be positive"))
		return;
	if (!call_write(c, 1, VALUE_LIST, &slot))
		return;
	if (!slot) {
		if (counted)
			reply_null_array(c->reply);
		else
			reply_null(c->reply);
		return;
	}
	struct list *l = entry_container(*slot);
	if (!counted)
		list_pop(l, tail, list_limits(c), reply_taken, c->reply);
	else
		list_reply_popped(c, l, tail,
				  (size_t)count < list_count(l) ? (size_t)count : list_count(l));
	if (count > 0)
		list_shortened(c, c->argv[1], slot, tail ? "rpop" : "lpop");
}

static void cmd_lpop(struct call *c)
{
	pop(c, false);
}

static void cmd_rpop(struct call *c)
{
	pop(c, true);
}

/* --- reading --- */

static void cmd_llen(struct call *c)
{
	uint64_t word;

	if (call_read(c, 1, VALUE_LIST, &word))
		reply_int(c->reply, word ? (int64_t)list_count(entry_container(word)) : 0);
}

static void cmd_lindex(struct call *c)
{
	struct bytes value;
	char buf[NUM_BUF];
	uint64_t word;
	int64_t index;

	if (!call_read(c, 1, VALUE_LIST, &word))
		return;
	if (!word) {
		reply_null(c->reply);
		return;
	}
	if (!call_int(c, 2, &index))
		return;
	if (list_get(entry_container(word), index, buf, &value))
		reply_bulk(c->reply, value);
	else
		reply_null(c->reply);
}

static void cmd_lrange(struct call *c)
{
	int64_t start, end;
	size_t first, n = 0;
	struct list_iter it;
	struct bytes value;
	uint64_t word;

	if (!call_int(c, 2, &start) || !call_int(c, 3, &end) || !call_read(c, 1, VALUE_LIST, &word))
		return;
	struct list *l = word ? entry_container(word) : NULL;
	if (l)
		n = range_of(l, start, end, &first);
	reply_array(c->reply, n);
	if (n == 0)
		return;
	list_iter_begin(&it, l, first, false);
	while (n-- && list_iter_next(&it, &value))
		reply_bulk(c->reply, value);
}

/* --- changing --- */

static void cmd_lset(struct call *c)
{
	uint64_t *slot;
	int64_t index;

	if (!call_write(c, 1, VALUE_LIST, &slot))
		return;
	if (!slot) {
		call_error(c, STORE_ENOENT);
		return;
	}
	if (!call_int(c, 2, &index))
		return;
	enum store_err err = list_set(entry_container(*slot), index, c->argv[3], list_limits(c));
	call_error(c, err);
	if (!err)
		call_changed(c, c->argv[1], NOTIFY_LIST, "lset");
}

static void cmd_ltrim(struct call *c)
{
	int64_t start, end;
	uint64_t *slot;
	size_t first;

	if (!call_int(c, 2, &start) || !call_int(c, 3, &end) ||
	    !call_write(c, 1, VALUE_LIST, &slot))
		return;
	reply_ok(c->reply);
	if (!slot)
		return;
	struct list *l = entry_container(*slot);
	size_t len = list_count(l), n = range_of(l, start, end, &first);
	if (n == len) {
		call_event(c, c->db, c->argv[1], NOTIFY_LIST, "ltrim");
		return;
	}
	if (n == 0)
		first = 0;
	list_delete_range(l, first + n, len - first - n, list_limits(c));
	list_delete_range(l, 0, first, list_limits(c));
	list_shortened(c, c->argv[1], slot, "ltrim");
}

static void cmd_lrem(struct call *c)
{
	uint64_t *slot;
	int64_t count;

	if (!call_int(c, 2, &count) || !call_write(c, 1, VALUE_LIST, &slot))
		return;
	size_t removed = 0;
	if (slot)
		removed = list_remove(entry_container(*slot), count, c->argv[3], list_limits(c));
	reply_int(c->reply, (int64_t)removed);
	if (removed)
		list_shortened(c, c->argv[1], slot, "lrem");
}

static void cmd_linsert(struct call *c)
{
	bool after = bytes_is(c->argv[2], "after");
	uint64_t *slot;

	if (!after && !bytes_is(c->argv[2], "before")) {
		call_syntax_error(c);
		return;
	}
	if (!call_write(c, 1, VALUE_LIST, &slot))
		return;
	if (!slot) {
		reply_int(c->reply, 0);
		return;
	}
	struct list *l = entry_container(*slot);
	if (!list_insert(l, c->argv[3], after, c->argv[4], list_limits(c))) {
		reply_int(c->reply, -1);
		return;
	}
	reply_int(c->reply, (int64_t)list_count(l));
	call_changed(c, c->argv[1], NOTIFY_LIST, "linsert");
}

/* --- table --- */

const struct command list_commands[] = {
	{.name = "lpush",
	 .run = cmd_lpush,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_LIST,
	 .keys = {KEYS_AT(KEY_RW | KEY_INSERT, 1, 0, 1)},
	 .summary = "Put elements in front of a list",
	 .since = "1.0.0",
	 .group = "list",
	 .complexity = "O(N), N elements given",
	 .syntax = "key element [element ...]"},
	{.name = "rpush",
	 .run = cmd_rpush,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_LIST,
	 .keys = {KEYS_AT(KEY_RW | KEY_INSERT, 1, 0, 1)},
	 .summary = "Put elements at the end of a list",
	 .since = "1.0.0",
	 .group = "list",
	 .complexity = "O(N), N elements given",
	 .syntax = "key element [element ...]"},
	{.name = "lpushx",
	 .run = cmd_lpushx,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_LIST,
	 .keys = {KEYS_AT(KEY_RW | KEY_INSERT, 1, 0, 1)},
	 .summary = "Put elements in front of a list that exists",
	 .since = "2.2.0",
	 .group = "list",
	 .complexity = "O(N), N elements given",
	 .syntax = "key element [element ...]"},
	{.name = "rpushx",
	 .run = cmd_rpushx,
	 .arity = -3,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	 .categories = CAT_LIST,
	 .keys = {KEYS_AT(KEY_RW | KEY_INSERT, 1, 0, 1)},
	 .summary = "Put elements at the end of a list that exists",
	 .since = "2.2.0",
	 .group = "list",
	 .complexity = "O(N), N elements given",
	 .syntax = "key element [element ...]"},
	{.name = "lpop",
	 .run = cmd_lpop,
	 .arity = -2,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_LIST,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_DELETE, 1, 0, 1)},
	 .summary = "Take elements from the front of a list",
	 .since = "1.0.0",
	 .group = "list",
	 .complexity = "O(N), N elements taken",
	 .syntax = "key [count@6.2.0]"},
	{.name = "rpop",
	 .run = cmd_rpop,
	 .arity = -2,
	 .flags = CMD_WRITE | CMD_FAST,
	 .categories = CAT_LIST,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_DELETE, 1, 0, 1)},
	 .summary = "Take elements from the end of a list",
	 .since = "1.0.0",
	 .group = "list",
	 .complexity = "O(N), N elements taken",
	 .syntax = "key [count@6.2.0]"},
	{.name = "llen",
	 .run = cmd_llen,
	 .arity = 2,
	 .flags = CMD_READONLY | CMD_FAST,
	 .categories = CAT_LIST,
	 .keys = {KEYS_AT(KEY_RO, 1, 0, 1)},
	 .summary = "Tell how many elements a list has",
	 .since = "1.0.0",
	 .group = "list",
	 .complexity = "O(1)",
	 .syntax = "key"},
	{.name = "lindex",
	 .run = cmd_lindex,
	 .arity = 3,
	 .flags = CMD_READONLY,
	 .categories = CAT_LIST,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Read the element at an index",
	 .since = "1.0.0",
	 .group = "list",
	 .complexity = "O(N), N elements between it and the nearer end",
	 .syntax = "key index"},
	{.name = "lset",
	 .run = cmd_lset,
	 .arity = 4,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_LIST,
	 .keys = {KEYS_AT(KEY_RW | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Replace the element at an index",
	 .since = "1.0.0",
	 .group = "list",
	 .complexity = "O(N), N elements between it and the nearer end",
	 .syntax = "key index element"},
	{.name = "lrange",
	 .run = cmd_lrange,
	 .arity = 4,
	 .flags = CMD_READONLY,
	 .categories = CAT_LIST,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Read the elements between two indexes",
	 .since = "1.0.0",
	 .group = "list",
	 .complexity = "O(S+N), S to get to the first and N elements read",
	 .syntax = "key start stop"},
	{.name = "ltrim",
	 .run = cmd_ltrim,
	 .arity = 4,
	 .flags = CMD_WRITE,
	 .categories = CAT_LIST,
	 .keys = {KEYS_AT(KEY_RW | KEY_DELETE, 1, 0, 1)},
	 .summary = "Keep only the elements between two indexes",
	 .since = "1.0.0",
	 .group = "list",
	 .complexity = "O(N), N elements removed",
	 .syntax = "key start stop"},
	{.name = "lrem",
	 .run = cmd_lrem,
	 .arity = 4,
	 .flags = CMD_WRITE,
	 .categories = CAT_LIST,
	 .keys = {KEYS_AT(KEY_RW | KEY_DELETE, 1, 0, 1)},
	 .summary = "Remove elements equal to a value",
	 .since = "1.0.0",
	 .group = "list",
	 .complexity = "O(N+M), N the length and M elements removed",
	 .syntax = "key count element"},
	{.name = "linsert",
	 .run = cmd_linsert,
	 .arity = 5,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_LIST,
	 .keys = {KEYS_AT(KEY_RW | KEY_INSERT, 1, 0, 1)},
	 .summary = "Put an element next to the first one equal to a pivot",
	 .since = "2.2.0",
	 .group = "list",
	 .complexity = "O(N), N elements looked at before the pivot",
	 .syntax = "key <where: BEFORE|AFTER> pivot element"},
	{.name = "lpos",
	 .run = list_cmd_lpos,
	 .arity = -3,
	 .flags = CMD_READONLY,
	 .categories = CAT_LIST,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Find where a list holds a value",
	 .since = "6.0.6",
	 .group = "list",
	 .complexity = "O(N), N the length, or MAXLEN",
	 .syntax = "key element [RANK rank] [COUNT num-matches:integer] [MAXLEN len]"},
	{.name = "lmove",
	 .run = list_cmd_lmove,
	 .arity = 5,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_LIST,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_DELETE, 1, 0, 1),
		  KEYS_AT(KEY_RW | KEY_INSERT, 2, 0, 1)},
	 .summary = "Take an element from one end of a list and put it at an end of another",
	 .since = "6.2.0",
	 .group = "list",
	 .complexity = "O(1)",
	 .syntax = "source destination <wherefrom: LEFT|RIGHT> <whereto: LEFT|RIGHT>"},
	{.name = "rpoplpush",
	 .run = list_cmd_rpoplpush,
	 .arity = 3,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_LIST,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_DELETE, 1, 0, 1),
		  KEYS_AT(KEY_RW | KEY_INSERT, 2, 0, 1)},
	 .summary = "Take the last element of a list and put it in front of another",
	 .since = "1.2.0",
	 .group = "list",
	 .deprecated_since = "6.2.0",
	 .replaced_by = "`LMOVE` with the `RIGHT` and `LEFT` arguments",
	 .complexity = "O(1)",
	 .syntax = "source destination"},
	{.name = "lmpop",
	 .run = list_cmd_lmpop,
	 .arity = -4,
	 .flags = CMD_WRITE | CMD_MOVABLEKEYS,
	 .categories = CAT_LIST,
	 .keys = {{.flags = KEY_RW | KEY_ACCESS | KEY_DELETE,
		   .begin = KEYS_BEGIN_INDEX,
		   .index = 1,
		   .find = KEYS_FIND_KEYNUM,
		   .keynumidx = 0,
		   .firstkey = 1,
		   .keystep = 1}},
	 .summary = "Take elements from the first of several lists that has some",
	 .since = "7.0.0",
	 .group = "list",
	 .complexity = "O(N+M), N keys and M elements taken",
	 .syntax = "numkeys key [key ...] <where: LEFT|RIGHT> [COUNT count]"},
	{.name = NULL},
};
