/* resp/commands/keys/scan.h - what SCAN, SSCAN, HSCAN and ZSCAN share: cursor, options and reply.
 *
 *     struct scan s;
 *     if (!scan_cursor(c, 2, &s))
 *             return;
 *     (look the key up; scan_reply_empty() when it is absent)
 *     if (!scan_options(c, 3, SCAN_SET, &s))
 *             return;
 *     do
 *             s.cursor = set_scan(set, s.cursor, found, &s);   (found: scan_wants, scan_add)
 *     while (scan_more(&s));
 *     scan_reply(c, &s);
 *
 * Found items are copied, so that they may stand in buffers.
 */
#ifndef RESP_COMMANDS_SCAN_H
#define RESP_COMMANDS_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "resp/command.h"

enum scan_of { SCAN_KEYS, SCAN_SET, SCAN_HASH, SCAN_ZSET };

struct scan {
	uint64_t
		cursor; /* as asked for; the caller moves it on; the next one to be told at the end */
	uint64_t count; /* COUNT, 10 by default */
	bool has_pattern;
	struct bytes pattern;
	bool has_type;
	unsigned types; /* 1 << value_type each; none for a TYPE that does not exist */
	bool novalues;  /* HSCAN ... NOVALUES */
	/* scan.c's own */
	uint64_t rounds;
	size_t items;
	char *out;
	size_t len, cap;
};

/* Begin @s with the cursor in argv[i]. "ERR invalid cursor" */
bool scan_cursor(struct call *c, int i, struct scan *s);

/* Read MATCH, COUNT, TYPE (keys), NOVALUES (hashes) from argv[i] on; replies the error itself. Nothing is to be freed when false. */
bool scan_options(struct call *c, int i, enum scan_of of, struct scan *s);

/* Whether MATCH lets @name through. */
bool scan_wants(const struct scan *s, struct bytes name);

/* One more bulk string for the reply. */
void scan_add(struct scan *s, struct bytes item);

/* After each step: whether to take another one. Ends at cursor 0, when COUNT items are there, or after ten times COUNT
 * steps: sparse tables are not walked whole in one command. */
bool scan_more(struct scan *s);

/* Write the cursor and the items; frees what @s holds. */
void scan_reply(struct call *c, struct scan *s);

/* The reply for a key that is absent. */
void scan_reply_empty(struct call *c);

#endif
