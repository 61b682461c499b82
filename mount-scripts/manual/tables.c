/* mount-scripts/manual/tables.c - what the manual and the shell's completion take from the tables of directives and of file kinds.
 *
 *     tables directives     inodis.conf(5)'s entries
 *     tables kinds          inodis-mount(5)'s entries
 *     tables words          a line a directive: its name and the words that it takes, or what sort of value
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fs/kinds/kinds.h"
#include "resp/config/directive.h"

/* --- roff --- */

/* A backslash and a dash mean something to roff, a dot and a quote do at the front of a line. */
static void roff(const char *s)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", stdout);
	for (; *s; s++) {
		if (*s == '\\')
			fputs("\\e", stdout);
		else if (*s == '-')
			fputs("\\-", stdout);
		else
			putchar(*s);
	}
}

/* --- directives --- */

static const char *sort_of(const struct directive *d)
{
	switch (d->kind) {
	case DIRECTIVE_BOOL:
		return "yes or no";
	case DIRECTIVE_NUMBER:
		return d->flags & D_PERCENT  ? "bytes, or a percentage"
		       : d->flags & D_MEMORY ? "bytes"
		       : d->flags & D_OCTAL  ? "an octal number"
					     : "a number";
	case DIRECTIVE_ENUM:
		return d->flags & D_BITS ? "some of" : "one of";
	case DIRECTIVE_STRING:
		return "text";
	case DIRECTIVE_SPECIAL:
		return d->flags & D_WORDS ? "words" : "text";
	}
	return "";
}

static void print_words(const struct directive *d)
{
	for (const struct directive_word *w = d->words; w->name; w++) {
		printf("%s", w == d->words ? " " : ", ");
		roff(w->name);
	}
}

/* Bounds that are those of the machine's integers say nothing. */
static void print_bounds(const struct directive *d)
{
	bool low = d->min != INT32_MIN && d->min != INT64_MIN;
	bool high = d->max < INT32_MAX;

	if (low && high && d->flags & D_OCTAL)
		printf(", %" PRIo64 " to %" PRIo64, d->min, d->max);
	else if (low && high)
		printf(", %s%" PRId64 " to %" PRIu64, d->min < 0 ? "\\" : "", d->min, d->max);
	else if (low)
		printf(", %s%" PRId64 " or more", d->min < 0 ? "\\" : "", d->min);
}

static const char *when_to_set(const struct directive *d)
{
	if (d->flags & D_IMMUTABLE)
		return "Set at start only.";
	if (d->flags & D_PROTECTED)
		return "CONFIG SET changes it where enable\\-protected\\-configs says so.";
	return "CONFIG SET changes it.";
}

static void print_directive(const struct directive *d)
{
	printf(".TP\n.B ");
	roff(d->name);
	printf("\n");
	roff(d->doc);
	printf("\n.br\nTakes %s", sort_of(d));
	if (d->kind == DIRECTIVE_ENUM)
		print_words(d);
	if (d->kind == DIRECTIVE_NUMBER)
		print_bounds(d);
	printf(".\nDefault: ");
	if (d->def[0])
		roff(d->def);
	else
		printf("%s", d->special == &special_dir ? "where it was started" : "empty");
	printf(".\n%s\n", when_to_set(d));
	if (d->alias) {
		printf("Also called ");
		roff(d->alias);
		printf(".\n");
	}
	if (d->flags & D_OWN)
		printf("Not one of Redis's.\n");
}

static void print_directives(void)
{
	for (const struct directive *d = directive_table; d->name; d++)
		print_directive(d);
}

static void print_completions(void)
{
	for (const struct directive *d = directive_table; d->name; d++) {
		printf("%s", d->name);
		if (d->kind == DIRECTIVE_BOOL)
			printf(" yes no");
		for (const struct directive_word *w = d->words; w && w->name; w++)
			printf(" %s", w->name);
		printf("\n");
	}
}

/* --- kinds --- */

static void row(const char *what, const char *text, const char *none)
{
	if (!text && !none)
		return;
	printf(".br\n\\fB%s\\fP: ", what);
	roff(text ? text : none);
	printf(".\n");
}

static void print_kind(const struct kind *k)
{
	const struct kind_help *h = k->help;

	printf(".TP\n.BI ");
	if (k->below)
		printf("%s/", k->below);
	printf("%s/ ", k->name);
	roff(h->file);
	printf("\n");
	roff(h->is);
	printf(".\n");
	row(">", h->over, "refused");
	row(">>", h->append, "refused");
	row("rm", h->remove, "refused");
	row("mv", h->move, "refused");
	row("poll", h->poll, NULL);
}

static void print_kinds(void)
{
	for (int i = 0; i < kinds_count; i++)
		print_kind(&kinds[i]);
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (strcmp(what, "directives") == 0)
		print_directives();
	else if (strcmp(what, "kinds") == 0)
		print_kinds();
	else if (strcmp(what, "words") == 0)
		print_completions();
	else
		return fprintf(stderr, "usage: tables directives|kinds|words\n"), 2;
	return fflush(stdout) == 0 ? 0 : 1;
}
