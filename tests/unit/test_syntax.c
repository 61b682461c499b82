#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "resp/commands/server/syntax.h"

static void dump(const struct syntax *s, int first, FILE *out)
{
	for (; first != SYNTAX_NONE; first = s->args[first].next) {
		const struct syntax_arg *a = &s->args[first];
		fprintf(out, "{%.*s %s", (int)a->name.n, a->name.p, syntax_type_name(a->type));
		if (a->token.p)
			fprintf(out, " '%.*s'", (int)a->token.n, a->token.p);
		if (a->since.p)
			fprintf(out, " @%.*s", (int)a->since.n, a->since.p);
		if (a->key_spec != SYNTAX_NONE)
			fprintf(out, " #%d", a->key_spec);
		fprintf(out, "%s%s%s", a->optional ? " optional" : "",
			a->multiple ? " multiple" : "", a->multiple_token ? " multiple_token" : "");
		if (a->child != SYNTAX_NONE) {
			fputc(' ', out);
			dump(s, a->child, out);
		}
		fputc('}', out);
	}
}

static void check(const char *line, const char *tree)
{
	static struct syntax s;
	char text[2048] = "";
	assert_true(syntax_parse(line, &s));
	FILE *out = fmemopen(text, sizeof(text), "w");
	dump(&s, s.first, out);
	fclose(out);
	assert_string_equal(text, tree);
}

/* A type follows from the name unless it is said. */
static void types_follow_from_names(void **state)
{
	(void)state;
	check("key", "{key key #0}");
	check("key newkey", "{key key #0}{newkey key #1}");
	check("key increment:double", "{key key #0}{increment double}");
	check("key unix-time-seconds pattern ip:port",
	      "{key key #0}{unix-time-seconds unix-time}{pattern pattern}{ip:port string}");
	check("", "");
}

/* Brackets make optional, bars make a choice, and a token in front of an argument is the argument's. */
static void options_and_choices(void **state)
{
	(void)state;
	check("[GET@6.2.0]", "{get pure-token 'GET' @6.2.0 optional}");
	check("[condition@7.0.0: NX|XX]",
	      "{condition oneof @7.0.0 optional {nx pure-token 'NX'}{xx pure-token 'XX'}}");
	check("[expiration: EX seconds@2.6.12|KEEPTTL]",
	      "{expiration oneof optional {seconds integer 'EX' @2.6.12}{keepttl pure-token "
	      "'KEEPTTL'}}");
	check("<where: LEFT|RIGHT> [COUNT count]",
	      "{where oneof {left pure-token 'LEFT'}{right pure-token 'RIGHT'}}{count integer "
	      "'COUNT' optional}");
	check("[LIMIT offset count] [change=CH]",
	      "{offset_count block 'LIMIT' optional {offset integer}{count integer}}{change "
	      "pure-token 'CH' optional}");
	check("[count: (COUNT count) [ANY]]",
	      "{count block optional {count integer 'COUNT'}{any pure-token 'ANY' optional}}");
	check("[aggregate: AGGREGATE <SUM|MIN>]", "{aggregate oneof 'AGGREGATE' optional {sum "
						  "pure-token 'SUM'}{min pure-token 'MIN'}}");
	check("<id_or_auto: auto_id=*|id> [operator: equal==|approximately=~]",
	      "{id_or_auto oneof {auto_id pure-token '*'}{id string}}{operator oneof optional "
	      "{equal pure-token '='}{approximately pure-token '~'}}");
	check("<key|none=''>", "{key_none oneof {key key #0}{none pure-token ''}}");
}

/* What is repeated in brackets makes what stands before it multiple, as a block where it is several. */
static void repetition(void **state)
{
	(void)state;
	check("key [key ...]", "{key key #0 multiple}");
	check("[section [section ...]]", "{section string optional multiple}");
	check("key value [key value ...]", "{key_value block multiple {key key #0}{value string}}");
	check("key score member [score member ...]",
	      "{key key #0}{score_member block multiple {score double}{member string}}");
	check("[GET pattern [GET pattern ...]]",
	      "{pattern pattern 'GET' optional multiple multiple_token}");
	check("[ID client-id:integer [client-id ...]]",
	      "{client-id integer 'ID' optional multiple}");
	check("(streams: STREAMS key [key ...] id [id ...])",
	      "{streams block 'STREAMS' {key key #0 multiple}{id string multiple}}");
	check("(data: field value) [field value ...]",
	      "{data block multiple {field string}{value string}}");
}

/* A line that is not well formed is refused. */
static void malformed_lines_are_refused(void **state)
{
	static const char *const lines[] = {"[",     "]",         "[a",      "a]",
					    "<a|",   "<a|>",      "[a ...]", "(a|b",
					    "a ...", "[a b ...]", "()",      "a (b]"};
	static struct syntax s;
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_false(syntax_parse(lines[i], &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_follow_from_names),
		cmocka_unit_test(options_and_choices),
		cmocka_unit_test(repetition),
		cmocka_unit_test(malformed_lines_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
