/* resp/proto/parser.h - commands out of a byte stream: RESP arrays of bulk strings, and inline lines.
 *
 * Pure: bytes in, argument vectors out, no socket. Arguments point into the buffer that was parsed and are good while it stands.
 */
#ifndef RESP_PROTO_PARSER_H
#define RESP_PROTO_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/bytes.h"

#define PARSER_INLINE_MAX (64 * 1024)

struct parser {
	int64_t multibulk; /* arguments still to come of the command begun, 0 between commands */
	int64_t bulk;      /* length of the bulk begun, -1 when its header is still to come */
	size_t scanned;    /* bytes of the current line already searched for its end */
	int argc, cap;
	size_t *spans; /* offsets and lengths relative to the start of the unparsed bytes: survive a move of the buffer */
	int64_t max_bulk;   /* proto-max-bulk-len */
	bool authenticated; /* else: at most 10 arguments and 16384 bytes each, as Redis has it */
	const char *error;  /* "Protocol error: ..." text after PARSER_ERROR, static or in errbuf */
	char errbuf[64];
};

enum parser_state {
	PARSER_MORE,  /* the buffer holds no whole command yet */
	PARSER_READY, /* one command: argc, argv, and how many bytes it took */
	PARSER_EMPTY, /* an empty line or array: skip @used bytes, no command */
	PARSER_ERROR, /* see error; the connection is to be closed after the reply */
};

void parser_init(struct parser *p);
void parser_fini(struct parser *p);

/* Look for the next command in @n bytes at @buf. On PARSER_READY, *@argc and @argv (filled up to @argv_cap; the rest when more are
 * needed: *@argv is replaced by an array of the parser's own, valid until the next call) and *@used are set. On PARSER_MORE progress is
 * remembered: call again with the same bytes and more behind them. */
enum parser_state parser_next(struct parser *p, const char *buf, size_t n, int *argc,
			      struct bytes **argv, size_t *used);

/* How many bytes are missing for the bulk begun (to read them in one go), 0 when unknown. */
size_t parser_missing(const struct parser *p, size_t have);

/* Split a line by redis-cli's quoting rules ("\x41\n", 'it\'s', bare words) into new bytes. -1 for unbalanced quotes.
 * *@argv and its strings are one allocation, freed with mem_free(*@argv). */
int line_split(struct bytes line, struct bytes **argv);

#endif
