/* LPOS. */
#include "resp/commands/lists/list.h"
#include "store/base/num.h"

struct lpos {
	int64_t rank;  /* which match is the first to be told; negative: from the tail */
	int64_t count; /* -1: one match, as an integer */
	int64_t maxlen;
};

static bool lpos_options(struct call *c, struct lpos *o)
{
	for (int i = 3; i < c->argc; i += 2) {
		bool more = i + 1 < c->argc;
		if (more && bytes_is(c->argv[i], "rank")) {
			if (!call_int_range(c, i + 1, -INT64_MAX, INT64_MAX, &o->rank, NULL))
				return false;
			if (o->rank == 0) {
				reply_error(c->reply, "ERR RANK can't be zero: use 1 to start from "
						      "the first match, 2 "
						      "from the second ... or use negative to "
						      "start from the end of "
						      "the list");
				return false;
			}
		} else if (more && bytes_is(c->argv[i], "count")) {
			if (!call_int_range(c, i + 1, 0, INT64_MAX, &o->count,
					    "ERR COUNT can't be negative"))
				return false;
		} else if (more && bytes_is(c->argv[i], "maxlen")) {
			if (!call_int_range(c, i + 1, 0, INT64_MAX, &o->maxlen,
					    "ERR MAXLEN can't be negative"))
				return false;
		} else {
			call_syntax_error(c);
			return false;
		}
	}
	return true;
}

/* Reply the matching indexes of @l, or the one. */
static void lpos_search(struct call *c, struct list *l, const struct lpos *o)
{
	bool backwards = o->rank < 0;
	size_t skip = (size_t)(backwards ? -o->rank : o->rank) - 1, len = list_count(l), found = 0;
	size_t max = o->count == -1 ? 1 : o->count ? (size_t)o->count : SIZE_MAX;
	size_t steps = o->maxlen && (size_t)o->maxlen < len ? (size_t)o->maxlen : len;
	struct reply_later later;
	struct list_iter it;
	struct bytes value;

	if (o->count >= 0)
		later = reply_later_begin(c->reply);
	list_iter_begin(&it, l, backwards ? len - 1 : 0, backwards);
	for (size_t i = 0; i < steps && found < max && list_iter_next(&it, &value); i++) {
		if (!bytes_eq(value, c->argv[2]))
			continue;
		if (skip) {
			skip--;
			continue;
		}
		reply_int(c->reply, (int64_t)(backwards ? len - 1 - i : i));
		found++;
	}
	if (o->count >= 0)
		reply_later_end(c->reply, later, '*', found);
	else if (!found)
		reply_null(c->reply);
}

void list_cmd_lpos(struct call *c)
{
	struct lpos o = {.rank = 1, .count = -1};
	uint64_t word;

	if (!lpos_options(c, &o) || !call_read(c, 1, VALUE_LIST, &word))
		return;
	if (word)
		lpos_search(c, entry_container(word), &o);
	else if (o.count >= 0)
		reply_array(c->reply, 0);
	else
		reply_null(c->reply);
}
