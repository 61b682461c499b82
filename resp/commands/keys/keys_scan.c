/* KEYS and SCAN. */
#include <string.h>

#include "resp/commands/keys/keys.h"
#include "resp/commands/keys/scan.h"
#include "store/base/glob.h"
#include "store/base/mem.h"

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

/* Names of expired keys that a step came upon: each with its length in front. They go when the step is over, as a walk does not delete. */
struct expired_names {
	char *bytes;
	size_t len, cap;
};

struct scan_walk {
	struct call *c;
	struct scan scan;
	struct expired_names expired;
};

static void expired_add(struct expired_names *e, struct bytes key)
{
	size_t need = e->len + sizeof(key.n) + key.n;

	if (need > e->cap) {
		e->cap = need < 256 ? 256 : need * 2;
		e->bytes = mem_realloc(e->bytes, e->cap);
	}
	memcpy(e->bytes + e->len, &key.n, sizeof(key.n));
	if (key.n)
		memcpy(e->bytes + e->len + sizeof(key.n), key.p, key.n);
	e->len = need;
}

/* Looking a key up is what removes it, tells of it and journals it. */
static void expired_remove(struct call *c, struct expired_names *e)
{
	struct bytes key;

	for (size_t at = 0; at < e->len; at += sizeof(key.n) + key.n) {
		memcpy(&key.n, e->bytes + at, sizeof(key.n));
		key.p = (void *)(e->bytes + at + sizeof(key.n));
		keyspace_read(c->db, key, KEYSPACE_NOTOUCH);
	}
	e->len = 0;
}

static void scan_visit(void *arg, uint64_t word)
{
	struct scan_walk *w = arg;
	bool wanted = w->scan.types >> word_type(word) & 1;

	if (!wanted && !(word & WORD_EXPIRE))
		return;
	struct bytes key = entry_key(word);
	if (!scan_wants(&w->scan, key))
		return;
	if (keyspace_is_expired(w->c->db->ks, word))
		expired_add(&w->expired, key);
	else if (wanted)
		scan_add(&w->scan, key);
}

void keys_scan(struct call *c)
{
	struct scan_walk w = {.c = c};
	struct scan *s = &w.scan;
	unsigned types;

	if (!scan_cursor(c, 1, s) || !scan_options(c, 2, SCAN_KEYS, s))
		return;
	/* Expired keys go whatever their type, as in Redis 7: they have to be looked at where there may be any. A directory's listing
	 * leaves that to the expiry cycle, and is done at once where the type has few keys. */
	bool sweeps = table_count(&c->db->volatiles) && !(c->session->flags & SESSION_MOUNT);
	types = sweeps ? KEYSPACE_ALL_TYPES : s->types;
	do {
		s->cursor = keyspace_scan(c->db, s->cursor, types, scan_visit, &w);
		expired_remove(c, &w.expired);
	} while (scan_more(s));
	mem_free(w.expired.bytes);
	scan_reply(c, s);
}
