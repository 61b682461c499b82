#include "resp/commands/server/syntax.h"

static const char *const type_names[] = {
	[SYNTAX_STRING] = "string",         [SYNTAX_INTEGER] = "integer",
	[SYNTAX_DOUBLE] = "double",         [SYNTAX_KEY] = "key",
	[SYNTAX_PATTERN] = "pattern",       [SYNTAX_UNIX_TIME] = "unix-time",
	[SYNTAX_PURE_TOKEN] = "pure-token", [SYNTAX_ONEOF] = "oneof",
	[SYNTAX_BLOCK] = "block",
};

/* What an argument of this name is, where the line does not say. */
static const struct {
	const char *name;
	enum syntax_type type;
} known_names[] = {
	{"newkey", SYNTAX_KEY},        {"source", SYNTAX_KEY},     {"destination", SYNTAX_KEY},
	{"pattern", SYNTAX_PATTERN},   {"score", SYNTAX_DOUBLE},   {"timeout", SYNTAX_DOUBLE},
	{"increment", SYNTAX_INTEGER}, {"count", SYNTAX_INTEGER},  {"decrement", SYNTAX_INTEGER},
	{"offset", SYNTAX_INTEGER},    {"start", SYNTAX_INTEGER},  {"stop", SYNTAX_INTEGER},
	{"end", SYNTAX_INTEGER},       {"index", SYNTAX_INTEGER},  {"numkeys", SYNTAX_INTEGER},
	{"numkey", SYNTAX_INTEGER},    {"maxlen", SYNTAX_INTEGER}, {"rank", SYNTAX_INTEGER},
	{"len", SYNTAX_INTEGER},       {"limit", SYNTAX_INTEGER},  {"milliseconds", SYNTAX_INTEGER},
	{"seconds", SYNTAX_INTEGER},   {"weight", SYNTAX_INTEGER}, {"port", SYNTAX_INTEGER},
	{"db", SYNTAX_INTEGER},        {"cursor", SYNTAX_INTEGER}, {"samples", SYNTAX_INTEGER},
};

struct parse {
	const char *at;
	struct syntax *out;
	bool failed;
};

/* Nodes of one sequence, and the token in front of them all. */
struct sequence {
	int first, last;
	size_t n;
	struct bytes token;
	bool more; /* ended in "..." */
};

static struct bytes parse_alternatives(struct parse *p, char close, struct sequence *out);

const char *syntax_type_name(enum syntax_type t)
{
	return type_names[t];
}

size_t syntax_count(const struct syntax *s, int first)
{
	size_t n = 0;
	for (; first != SYNTAX_NONE; first = s->args[first].next)
		n++;
	return n;
}

/* --- nodes --- */

static struct syntax_arg *arg_of(struct parse *p, int i)
{
	return &p->out->args[i];
}

static int node_new(struct parse *p, enum syntax_type type, struct bytes name)
{
	if (p->out->n == SYNTAX_ARGS_MAX) {
		p->failed = true;
		return 0;
	}
	int i = p->out->n++;
	*arg_of(p, i) = (struct syntax_arg){.name = name,
					    .type = type,
					    .key_spec = SYNTAX_NONE,
					    .next = SYNTAX_NONE,
					    .child = SYNTAX_NONE};
	return i;
}

static void sequence_add(struct parse *p, struct sequence *s, int node)
{
	if (s->first == SYNTAX_NONE)
		s->first = node;
	else
		arg_of(p, s->last)->next = node;
	s->last = node;
	s->n++;
}

static char *names_room(struct parse *p, size_t n)
{
	if (n > sizeof(p->out->names) - p->out->names_len) {
		p->failed = true;
		return p->out->names;
	}
	char *at = p->out->names + p->out->names_len;
	p->out->names_len += n;
	return at;
}

static struct bytes lower_name(struct parse *p, struct bytes token)
{
	char *at = names_room(p, token.n);
	if (p->failed)
		return token;
	for (size_t i = 0; i < token.n; i++) {
		char c = token.p[i];
		at[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	return bytes_of(at, token.n);
}

/* The names of the nodes from @first on, with underscores between. */
static struct bytes joined_name(struct parse *p, int first)
{
	size_t n = 0;
	for (int i = first; i != SYNTAX_NONE; i = arg_of(p, i)->next)
		n += arg_of(p, i)->name.n + 1;
	char *start = names_room(p, n ? n - 1 : 0), *at = start;
	for (int i = first; i != SYNTAX_NONE && !p->failed; i = arg_of(p, i)->next) {
		struct bytes name = arg_of(p, i)->name;
		if (at != start)
			*at++ = '_';
		memcpy(at, name.p, name.n);
		at += name.n;
	}
	return bytes_of(start, (size_t)(at - start));
}

static int group_new(struct parse *p, enum syntax_type type, int first)
{
	int g = node_new(p, type, joined_name(p, first));
	arg_of(p, g)->child = first;
	return g;
}

/* One node for a whole sequence: itself, or a block of its nodes. */
static int sequence_node(struct parse *p, struct sequence *s)
{
	if (s->first == SYNTAX_NONE) {
		p->failed = true;
		return 0;
	}
	int node = s->n == 1 ? s->first : group_new(p, SYNTAX_BLOCK, s->first);
	if (s->token.p)
		arg_of(p, node)->token = s->token;
	return node;
}

/* --- words --- */

static void skip_blanks(struct parse *p)
{
	while (*p->at == ' ')
		p->at++;
}

static bool ends_word(char c)
{
	return c == '\0' || strchr(" []<>()|", c) != NULL;
}

/* What has no lower-case letter is a token. */
static bool has_lower(struct bytes w)
{
	for (size_t i = 0; i < w.n; i++)
		if (w.p[i] >= 'a' && w.p[i] <= 'z')
			return true;
	return false;
}

static struct bytes read_word(struct parse *p)
{
	const char *start = p->at;
	while (!ends_word(*p->at))
		p->at++;
	return bytes_of(start, (size_t)(p->at - start));
}

/* Cut "@since" off the end of @w. */
static struct bytes cut_since(struct bytes *w)
{
	const char *at = memchr(w->p, '@', w->n);
	if (!at)
		return bytes_of(NULL, 0);
	struct bytes since = bytes_of(at + 1, w->n - (size_t)(at + 1 - w->p));
	w->n = (size_t)(at - w->p);
	return since;
}

static enum syntax_type type_of_name(struct bytes name)
{
	static const char key[] = "key", unix_time[] = "unix-time";
	for (size_t i = 0; i < sizeof(known_names) / sizeof(*known_names); i++)
		if (bytes_is(name, known_names[i].name))
			return known_names[i].type;
	if (name.n >= 3 && memcmp(name.p + name.n - 3, key, 3) == 0)
		return SYNTAX_KEY;
	if (name.n >= 9 && memcmp(name.p, unix_time, 9) == 0)
		return SYNTAX_UNIX_TIME;
	return SYNTAX_STRING;
}

/* Cut ":type" off the end of @w; what stands behind a colon and is no type belongs to the name ("ip:port"). */
static enum syntax_type cut_type(struct bytes *w)
{
	const char *colon = memchr(w->p, ':', w->n);
	if (colon) {
		struct bytes said = bytes_of(colon + 1, w->n - (size_t)(colon + 1 - w->p));
		for (int t = SYNTAX_STRING; t <= SYNTAX_UNIX_TIME; t++) {
			if (bytes_is(said, type_names[t])) {
				w->n = (size_t)(colon - w->p);
				return (enum syntax_type)t;
			}
		}
	}
	return type_of_name(*w);
}

static struct bytes unquote(struct bytes token)
{
	return token.n == 2 && memcmp(token.p, "''", 2) == 0 ? bytes_of(token.p, 0) : token;
}

static int token_node(struct parse *p, struct bytes name, struct bytes token, struct bytes since)
{
	token = unquote(token);
	int node = node_new(p, SYNTAX_PURE_TOKEN, name.p ? name : lower_name(p, token));
	arg_of(p, node)->token = token;
	arg_of(p, node)->since = since;
	return node;
}

/* --- sequences --- */

/* A word that is a token in front of an argument or of a group that is not optional belongs to that. */
static bool token_binds(const struct parse *p)
{
	const char *at = p->at;
	while (*at == ' ')
		at++;
	if (*at == '<' || *at == '(')
		return true;
	const char *end = at;
	while (!ends_word(*end))
		end++;
	struct bytes next = bytes_of(at, (size_t)(end - at));
	const char *equals = memchr(next.p, '=', next.n);
	return has_lower(next) && (!equals || equals == next.p);
}

/* A word; *@token is what waits for the next node, the sequence's own when it opens one. */
static void parse_word(struct parse *p, bool top, struct sequence *s, struct bytes *token)
{
	struct bytes w = read_word(p);
	struct bytes since = cut_since(&w);
	const char *equals = w.n > 1 ? memchr(w.p + 1, '=', w.n - 1) : NULL;
	if (w.n == 0) {
		p->failed = true;
	} else if (!has_lower(w)) {
		if (!token_binds(p))
			sequence_add(p, s, token_node(p, bytes_of(NULL, 0), w, since));
		else if (!top && s->n == 0)
			s->token = unquote(w);
		else
			*token = unquote(w);
	} else if (equals && equals + 1 < w.p + w.n) {
		size_t n = (size_t)(equals - w.p);
		sequence_add(
			p, s,
			token_node(p, bytes_of(w.p, n), bytes_of(equals + 1, w.n - n - 1), since));
	} else {
		enum syntax_type type = cut_type(&w);
		int node = node_new(p, type, w);
		arg_of(p, node)->since = since;
		arg_of(p, node)->token = *token;
		*token = bytes_of(NULL, 0);
		sequence_add(p, s, node);
	}
}

/* "key value [key value ...]": what the brackets repeat stands at the end of @s already. */
static void repeat(struct parse *p, struct sequence *s, const struct sequence *again)
{
	size_t n = again->token.p ? 1 : again->n;
	if (s->n == 0 || n == 0) {
		p->failed = true;
		return;
	}
	struct syntax_arg *last = arg_of(p, s->last);
	if (n > 1 && !(last->type == SYNTAX_BLOCK && syntax_count(p->out, last->child) == n)) {
		if (s->n < n) {
			p->failed = true;
			return;
		}
		size_t skip = s->n - n;
		int before = SYNTAX_NONE, first = s->first;
		for (; skip; skip--) {
			before = first;
			first = arg_of(p, first)->next;
		}
		int block = group_new(p, SYNTAX_BLOCK, first);
		if (before == SYNTAX_NONE)
			s->first = block;
		else
			arg_of(p, before)->next = block;
		s->last = block;
		s->n -= n - 1;
		last = arg_of(p, block);
	}
	last->multiple = true;
	last->multiple_token = again->token.p != NULL;
}

static void parse_group(struct parse *p, struct sequence *s, struct bytes *token)
{
	char open = *p->at++;
	char close = open == '[' ? ']' : open == '<' ? '>' : ')';
	struct sequence inner;
	struct bytes since = parse_alternatives(p, close, &inner);
	if (p->failed)
		return;
	if (inner.more) {
		repeat(p, s, &inner);
		return;
	}
	int node = sequence_node(p, &inner);
	if (p->failed)
		return;
	if (since.p)
		arg_of(p, node)->since = since;
	if (open == '[')
		arg_of(p, node)->optional = true;
	if (token->p) {
		arg_of(p, node)->token = *token;
		*token = bytes_of(NULL, 0);
	}
	sequence_add(p, s, node);
}

static void parse_sequence(struct parse *p, char close, struct sequence *s)
{
	struct bytes token = {NULL, 0};
	*s = (struct sequence){.first = SYNTAX_NONE, .last = SYNTAX_NONE};
	for (;;) {
		skip_blanks(p);
		char c = *p->at;
		if (p->failed || c == '|' || c == close) {
			return;
		} else if (c == '[' || c == '<' || c == '(') {
			parse_group(p, s, &token);
		} else if (strncmp(p->at, "...", 3) == 0) {
			p->at += 3;
			s->more = true;
		} else {
			parse_word(p, close == '\0', s, &token);
		}
	}
}

/* "name: " or "name@1.2.3: " in front of a group's parts. */
static bool parse_label(struct parse *p, struct bytes *name, struct bytes *since)
{
	const char *back = p->at;
	skip_blanks(p);
	struct bytes w = read_word(p);
	if (w.n < 2 || w.p[w.n - 1] != ':' || *p->at != ' ') {
		p->at = back;
		return false;
	}
	w.n--;
	*since = cut_since(&w);
	*name = w;
	return true;
}

/* What stands between a bracket and its @close, and that. A choice or a named group comes back as a sequence of one
 * node. Returns since when. */
static struct bytes parse_alternatives(struct parse *p, char close, struct sequence *out)
{
	struct bytes name = {NULL, 0}, since = {NULL, 0};
	bool labelled = parse_label(p, &name, &since);
	parse_sequence(p, close, out);
	if (!p->failed && *p->at == '|') {
		struct sequence choice = {.first = SYNTAX_NONE, .last = SYNTAX_NONE};
		sequence_add(p, &choice, sequence_node(p, out));
		while (!p->failed && *p->at == '|') {
			struct sequence s;
			p->at++;
			parse_sequence(p, close, &s);
			if (!p->failed)
				sequence_add(p, &choice, sequence_node(p, &s));
		}
		if (p->failed)
			return since;
		int node = group_new(p, SYNTAX_ONEOF, choice.first);
		*out = (struct sequence){.first = node, .last = node, .n = 1};
	}
	if (p->failed || *p->at != close) {
		p->failed = true;
		return since;
	}
	p->at++;
	if (labelled) {
		int node = sequence_node(p, out);
		if (!p->failed)
			arg_of(p, node)->name = name;
		*out = (struct sequence){.first = node, .last = node, .n = 1};
	}
	return since;
}

/* Keys belong to the specifications in the order in which they stand. */
static void number_keys(struct syntax *s, int first, int *next)
{
	for (; first != SYNTAX_NONE; first = s->args[first].next) {
		if (s->args[first].type == SYNTAX_KEY)
			s->args[first].key_spec = (*next)++;
		number_keys(s, s->args[first].child, next);
	}
}

bool syntax_parse(const char *line, struct syntax *out)
{
	struct parse p = {.at = line, .out = out};
	struct sequence s;
	int keys = 0;
	out->n = 0;
	out->names_len = 0;
	parse_sequence(&p, '\0', &s);
	if (p.failed || *p.at || s.more)
		return false;
	out->first = s.first;
	number_keys(out, out->first, &keys);
	return true;
}
