/* resp/proto/parser.h - commands out of a byte stream: RESP arrays of bulk strings, and inline lines.
 *
 * Pure: bytes in, argument vectors out, no socket. Arguments point into the buffer that was parsed and are good while it stands.
 * Between commands a parser holds no memory but what the last parser_next() handed out.
 */
#ifndef RESP_PROTO_PARSER_H
#define RESP_PROTO_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/bytes.h"

#define PARSER_INLINE_MAX (64 * 1024)

/* What a client that has not authenticated may announce. */
#define PARSER_UNAUTH_ARGS 10
#define PARSER_UNAUTH_BULK 16384

struct parser {
	int64_t max_bulk;  /* proto-max-bulk-len */
	int64_t multibulk; /* arguments still to come of the command begun, 0 between commands */
	int64_t bulk;      /* length of the bulk begun, -1 when its header is still to come */
	size_t pos;        /* bytes of the command begun that are parsed */
	size_t scanned;    /* bytes behind @pos already searched for the end of their line */
	int argc, cap;
	/* Offset and length of each argument whose header was seen, from the start of the command: survives a move of the buffer. */
	size_t *spans;
	struct bytes *argv; /* the array handed out last, where the caller's was too small */
	const char
		*outside; /* body of argument @outside_arg, which is not in the buffer; or NULL */
	int outside_arg;
	bool authenticated; /* else PARSER_UNAUTH_* bind */
	char errbuf[40];
	const char *error; /* "Protocol error: ..." after PARSER_ERROR, static or in errbuf */
};

enum parser_state {
	PARSER_MORE,  /* the buffer holds no whole command yet */
	PARSER_READY, /* one command: argc, argv, and how many bytes it took */
	PARSER_EMPTY, /* an empty line or array: skip @used bytes, no command */
	PARSER_ERROR, /* see error; the connection is to be closed after the reply */
};

void parser_init(struct parser *p, int64_t max_bulk);
void parser_fini(struct parser *p);

/* Look for the next command in @n bytes at @buf. On PARSER_READY *@argc, *@argv and *@used are set: *@argv is @room, filled, when the
 * arguments fit its @cap; else an array of the parser's own, good until the next call.
 * On PARSER_MORE progress is remembered: call again with the same bytes and more behind them, at any address. */
enum parser_state parser_next(struct parser *p, const char *buf, size_t n, struct bytes *room,
			      int cap, int *argc, struct bytes **argv, size_t *used);

/* The quick way, when parser_is_between() and with '*' at @buf: an ordinary command that is all there. Returns how many bytes it took and fills
 * @room and @argc, or 0: then parser_next() is to be asked. */
size_t parser_whole(const struct parser *p, const char *buf, size_t n, struct bytes *room, int cap,
		    int *argc);
static inline bool parser_is_between(const struct parser *p)
{
	return p->multibulk == 0 && p->argc == 0 && p->argv == NULL;
}

/* After PARSER_MORE: how many bytes of the bulk begun and its line end are missing when the buffer holds @have; 0 when unknown. */
size_t parser_missing(const struct parser *p, size_t have);

/* After PARSER_MORE with a bulk begun: its body, p->bulk bytes at @body, was read elsewhere, line end and all. The buffer is to be cut
 * at p->pos (what stood behind it belongs to the body) and what follows the bulk comes there. Good until the command
 * is ready; one argument a command. */
void parser_outside(struct parser *p, const char *body);

/* Split a line by redis-cli's quoting rules ("\x41\n", 'it\'s', bare words) into new bytes; how many, -1 for unbalanced quotes.
 * *@argv and its strings are one allocation, freed with mem_free(*@argv); NULL for -1 or 0. */
int line_split(struct bytes line, struct bytes **argv);

#endif
