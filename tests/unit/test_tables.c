#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "resp/commands/commands.h"
#include "resp/commands/server/catalog.h"
#include "resp/commands/server/syntax.h"

static void for_each(const struct command *c, const char *parent,
		     void (*check)(const struct command *c, const char *parent))
{
	for (; c->name; c++) {
		check(c, parent);
		if (c->subcommands)
			for_each(c->subcommands, c->name, check);
	}
}

static void for_all(void (*check)(const struct command *c, const char *parent))
{
	for (size_t f = 0; command_families[f]; f++)
		for_each(command_families[f], NULL, check);
}

static void describes_itself(const struct command *c, const char *parent)
{
	if (!c->summary || !c->summary[0] || !c->since || !c->group || !c->arity)
		fail_msg("%s %s: summary, since, group and arity are wanted", parent ? parent : "",
			 c->name);
	if (c->summary[strlen(c->summary) - 1] == '.')
		fail_msg("%s: a full stop ends the summary", c->name);
	if (!c->run && !c->subcommands)
		fail_msg("%s can neither run nor has subcommands", c->name);
	for (const char *p = c->name; *p; p++)
		assert_false(*p >= 'A' && *p <= 'Z');
}

/* Every command says what it is. */
static void every_command_is_described(void **state)
{
	(void)state;
	for_all(describes_itself);
}

static void syntax_is_sound(const struct command *c, const char *parent)
{
	static struct syntax s;
	if (!c->syntax)
		return;
	if (!syntax_parse(c->syntax, &s))
		fail_msg("%s %s: syntax does not parse: %s", parent ? parent : "", c->name,
			 c->syntax);
}

/* Every syntax line parses. */
static void every_syntax_parses(void **state)
{
	(void)state;
	for_all(syntax_is_sound);
}

static void flags_fit(const struct command *c, const char *parent)
{
	(void)parent;
	assert_false((c->flags & CMD_WRITE) && (c->flags & CMD_READONLY));
	for (int i = 0; i < COMMAND_KEY_SPECS && c->keys[i].flags; i++) {
		uint32_t how = c->keys[i].flags & (KEY_RO | KEY_RW | KEY_OW | KEY_RM | KEY_NOT_KEY);
		if (__builtin_popcount(how) != 1)
			fail_msg("%s: key specification %d is not one of RO, RW, OW, RM", c->name,
				 i);
		/* PFCOUNT caches what it counted in the key. */
		if ((c->flags & CMD_READONLY) && how != KEY_RO && strcmp(c->name, "pfcount") != 0)
			fail_msg("%s reads only, but its keys are not RO", c->name);
	}
	uint32_t cats = catalog_of(c);
	assert_true(!!(cats & CAT_FAST) != !!(cats & CAT_SLOW));
}

/* What a command does with its keys agrees with what it is flagged as. */
static void flags_agree_with_keys(void **state)
{
	(void)state;
	for_all(flags_fit);
}

static void name_is_unique(const struct command *c, const char *parent)
{
	int seen = 0;
	if (parent)
		return;
	for (size_t f = 0; command_families[f]; f++)
		for (const struct command *o = command_families[f]; o->name; o++)
			seen += strcmp(o->name, c->name) == 0;
	if (seen != 1)
		fail_msg("%s stands in the tables %d times", c->name, seen);
}

/* No name stands twice. */
static void names_are_unique(void **state)
{
	(void)state;
	for_all(name_is_unique);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_is_described),
		cmocka_unit_test(every_syntax_parses),
		cmocka_unit_test(flags_agree_with_keys),
		cmocka_unit_test(names_are_unique),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
