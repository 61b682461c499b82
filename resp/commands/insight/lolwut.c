/* LOLWUT: a drawing, and the version. */
#include <stdio.h>

#include "resp/commands/commands.h"
#include "resp/commands/insight/text.h"
#include "resp/server.h"
#include "store/base/rng.h"

#define COLUMNS     66
#define ROWS        12
#define COLUMNS_MAX 1000
#define ROWS_MAX    1000

struct size {
	int64_t columns, rows;
};

static int64_t fitted(int64_t v, int64_t max)
{
	return v < 1 ? 1 : v > max ? max : v;
}

/* LOLWUT [VERSION version] [columns [rows]]. Of what is behind those Redis reads nothing either. */
static bool read_size(struct call *c, struct size *out)
{
	int64_t version = 0;
	int first = 1;
	*out = (struct size){COLUMNS, ROWS};
	if (c->argc >= 3 && bytes_is(c->argv[1], "version")) {
		if (!call_int(c, 2, &version))
			return false;
		first = 3;
	}
	if ((c->argc > first && !call_int(c, first, &out->columns)) ||
	    (c->argc > first + 1 && !call_int(c, first + 1, &out->rows)))
		return false;
	out->columns = fitted(out->columns, COLUMNS_MAX);
	out->rows = fitted(out->rows, ROWS_MAX);
	return true;
}

/* A landscape of three ranges of hills, the nearer the darker: each a random walk that is held in its band. */
static void draw(struct rng *rng, struct size size, FILE *out)
{
	static const char *const shade[] = {" ", "\u2591", "\u2592", "\u2593"};
	int height[3][COLUMNS_MAX];
	int rows = (int)size.rows, columns = (int)size.columns;
	for (int hill = 0; hill < 3; hill++) {
		int top = rows * (3 - hill) / 4, low = top - rows / 4;
		int at = (top + low) / 2;
		for (int x = 0; x < columns; x++) {
			at += (int)(rng_next(rng) % 3) - 1;
			at = at > top ? top : at < low ? low : at;
			height[hill][x] = at;
		}
	}
	for (int y = rows; y > 0; y--) {
		for (int x = 0; x < columns; x++) {
			int hill = 2;
			while (hill >= 0 && height[hill][x] < y)
				hill--;
			fputs(shade[hill + 1], out);
		}
		fputc('\n', out);
	}
}

static void write_drawing(struct call *c, FILE *out)
{
	struct size size;
	if (!read_size(c, &size))
		return;
	draw(&c->server->keyspace->rng, size, out);
	fprintf(out, "\nHills that nobody has seen before. Redis ver. %s\n", INODIS_REDIS_VERSION);
}

static void cmd_lolwut(struct call *c)
{
	struct size size;
	if (read_size(c, &size))
		text_reply(c, write_drawing);
}

const struct command lolwut_commands[] = {
	{.name = "lolwut",
	 .run = cmd_lolwut,
	 .arity = -1,
	 .flags = CMD_READONLY | CMD_FAST,
	 .summary = "Answer a drawing and the version",
	 .since = "5.0.0",
	 .group = "server",
	 .syntax = "[VERSION version:integer]"},
	{.name = NULL},
};
