/* KEYS and SCAN. */
#include "resp/commands/keys/keys.h"
#include "resp/commands/keys/scan.h"
#include "store/base/glob.h"

/* --- KEYS --- */

struct keys_walk {
	struct call *c;
	struct bytes pattern;
	bool all;
	size_t n;
};

static void keys_visit(void *arg, uint64_t word)
{
	struct keys_walk *w = arg;
	struct bytes key = entry_key(word);
	if ((!w->all && !glob_match(w->pattern, key, false)) ||
	    keyspace_is_expired(w->c->db->ks, word))
		return;
	reply_bulk(w->c->reply, key);
	w->n++;
}

void keys_keys(struct call *c)
{
	struct keys_walk w = {c, c->argv[1], glob_is_all(c->argv[1]), 0};
	struct reply_later later = reply_later_begin(c->reply);
	uint64_t cursor = 0;
	do
		cursor = keyspace_scan(c->db, cursor, KEYSPACE_ALL_TYPES, keys_visit, &w);
	while (cursor);
	reply_later_end(c->reply, later, '*', w.n);
}

/* --- SCAN --- */

struct scan_walk {
	struct call *c;
	struct scan scan;
};

static void scan_visit(void *arg, uint64_t word)
{
	struct scan_walk *w = arg;
	struct bytes key = entry_key(word);
	if (scan_wants(&w->scan, key) && !keyspace_is_expired(w->c->db->ks, word))
		scan_add(&w->scan, key);
}

void keys_scan(struct call *c)
{
	struct scan_walk w = {.c = c};
	struct scan *s = &w.scan;
	if (!scan_cursor(c, 1, s) || !scan_options(c, 2, SCAN_KEYS, s))
		return;
	do
		s->cursor = keyspace_scan(c->db, s->cursor, s->types, scan_visit, &w);
	while (scan_more(s));
	scan_reply(c, s);
}
