/* resp/proto/line.c - line_split(): words of a line, quoted as in redis-cli and redis.conf. */
#include "resp/proto/parser.h"
#include "store/base/mem.h"

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct cursor {
	const char *p, *end;
	char *out; /* NULL while measuring */
	size_t n;  /* bytes put out */
};

static void put(struct cursor *c, char ch)
{
	if (c->out)
		c->out[c->n] = ch;
	c->n++;
}

/* A closing quote ends its word: only a blank or the end of the line may follow. */
static bool closes(struct cursor *c)
{
	c->p++;
	return c->p == c->end || is_blank(*c->p);
}

static void escape(struct cursor *c)
{
	if (c->end - c->p >= 4 && c->p[1] == 'x' && hex_value(c->p[2]) >= 0 &&
	    hex_value(c->p[3]) >= 0) {
		put(c, (char)(hex_value(c->p[2]) * 16 + hex_value(c->p[3])));
		c->p += 4;
		return;
	}
	static const char names[] = "nrtba", values[] = "\n\r\t\b\a";
	const char *at = memchr(names, c->p[1], sizeof(names) - 1);
	put(c, at ? values[at - names] : c->p[1]);
	c->p += 2;
}

static bool double_quoted(struct cursor *c)
{
	while (c->p < c->end) {
		if (*c->p == '\\' && c->p + 1 < c->end)
			escape(c);
		else if (*c->p == '"')
			return closes(c);
		else
			put(c, *c->p++);
	}
	return false;
}

static bool single_quoted(struct cursor *c)
{
	while (c->p < c->end) {
		if (*c->p == '\\' && c->p + 1 < c->end && c->p[1] == '\'') {
			put(c, '\'');
			c->p += 2;
		} else if (*c->p == '\'') {
			return closes(c);
		} else {
			put(c, *c->p++);
		}
	}
	return false;
}

/* One word; a quote may open in its middle. */
static bool word(struct cursor *c)
{
	while (c->p < c->end) {
		char ch = *c->p;
		if (ch == ' ' || ch == '\n' || ch == '\r' || ch == '\t')
			return true;
		c->p++;
		if (ch == '"')
			return double_quoted(c);
		if (ch == '\'')
			return single_quoted(c);
		put(c, ch);
	}
	return true;
}

/* All words; measures while @argv is NULL. Returns how many, -1 for unbalanced quotes. */
static int split(struct bytes line, struct bytes *argv, char *out, size_t *total)
{
	const char *nul = line.n ? memchr(line.p, '\0', line.n) : NULL;
	struct cursor c = {line.p, nul ? nul : line.p + line.n, out, 0};
	int argc = 0;
	for (;;) {
		while (c.p < c.end && is_blank(*c.p))
			c.p++;
		if (c.p == c.end)
			break;
		size_t start = c.n;
		if (!word(&c))
			return -1;
		if (argv)
			argv[argc] = bytes_of(out + start, c.n - start);
		argc++;
	}
	*total = c.n;
	return argc;
}

int line_split(struct bytes line, struct bytes **argv)
{
	size_t total;
	*argv = NULL;
	int argc = split(line, NULL, NULL, &total);
	if (argc <= 0)
		return argc;
	struct bytes *v = mem_alloc((size_t)argc * sizeof(*v) + total);
	split(line, v, (char *)(v + argc), &total);
	*argv = v;
	return argc;
}
