/* resp/commands/server/syntax.h - a command's arguments as a tree, parsed from the line that its table says them in.
 *
 * The notation is described at struct command.syntax. The tables are ours, so a line that does not parse is a mistake in
 * them: the unit test of the tables finds it.
 */
#ifndef RESP_COMMANDS_SYNTAX_H
#define RESP_COMMANDS_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/bytes.h"

enum syntax_type {
	SYNTAX_STRING,
	SYNTAX_INTEGER,
	SYNTAX_DOUBLE,
	SYNTAX_KEY,
	SYNTAX_PATTERN,
	SYNTAX_UNIX_TIME,
	SYNTAX_PURE_TOKEN,
	SYNTAX_ONEOF,
	SYNTAX_BLOCK,
};

#define SYNTAX_NONE (-1)

/* One argument. Bytes point into the line or into the struct syntax. */
struct syntax_arg {
	struct bytes name;
	struct bytes token; /* p is NULL for none; the empty token has a p */
	struct bytes since; /* p is NULL for none */
	enum syntax_type type;
	bool optional, multiple, multiple_token;
	int key_spec; /* which of the command's key specifications a key belongs to, or SYNTAX_NONE */
	int next, child; /* indexes of the next sibling and the first child, or SYNTAX_NONE */
};

#define SYNTAX_ARGS_MAX 96

struct syntax {
	int first; /* or SYNTAX_NONE */
	int n;
	struct syntax_arg args[SYNTAX_ARGS_MAX];
	char names[1024]; /* names that are put together */
	size_t names_len;
};

/* False when @line is malformed or larger than the struct holds. @line must outlive @out. */
bool syntax_parse(const char *line, struct syntax *out);

/* How many siblings there are from @first on. */
size_t syntax_count(const struct syntax *s, int first);

/* "string", "pure-token", ... */
const char *syntax_type_name(enum syntax_type t);

#endif
