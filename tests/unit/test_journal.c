/* The journal: consumers hear every change once, and units only where there is more than one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "resp/journal.h"

struct heard {
	char text[512];
};

static void note(struct heard *h, const char *s, size_t n)
{
	size_t used = strlen(h->text), room = sizeof(h->text) - used - 1;
	memcpy(h->text + used, s, n < room ? n : room);
}

static void on_append(void *arg, unsigned db, int argc, const struct bytes *argv)
{
	char head[16];
	note(arg, head, (size_t)snprintf(head, sizeof(head), "%u:", db));
	for (int i = 0; i < argc; i++) {
		note(arg, argv[i].p, argv[i].n);
		note(arg, i + 1 < argc ? "," : ";", 1);
	}
}

static void on_begin(void *arg)
{
	note(arg, "(", 1);
}

static void on_end(void *arg)
{
	note(arg, ")", 1);
}

static void append(struct journal *j, unsigned db, const char *verb, const char *key)
{
	struct bytes argv[] = {bytes_str(verb), bytes_str(key)};
	journal_append(j, db, 2, argv);
}

struct fixture {
	struct journal *j;
	struct heard heard;
	struct journal_consumer consumer;
};

static int setup(void **state)
{
	static struct fixture f;
	f = (struct fixture){.j = journal_new()};
	f.consumer = (struct journal_consumer){&f.heard, on_append, on_begin, on_end};
	journal_add_consumer(f.j, &f.consumer);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	journal_free(f->j);
	return 0;
}

static void a_single_append_is_heard_bare(void **state)
{
	struct fixture *f = *state;
	append(f->j, 3, "del", "a");
	assert_string_equal(f->heard.text, "3:del,a;");
}

static void a_unit_of_one_has_no_brackets(void **state)
{
	struct fixture *f = *state;
	journal_begin(f->j);
	append(f->j, 0, "del", "a");
	journal_end(f->j);
	assert_string_equal(f->heard.text, "0:del,a;");
}

static void a_unit_of_more_is_bracketed_once(void **state)
{
	struct fixture *f = *state;
	journal_begin(f->j);
	journal_begin(f->j);
	append(f->j, 0, "del", "a");
	journal_end(f->j);
	append(f->j, 1, "set", "b");
	append(f->j, 1, "set", "c");
	journal_end(f->j);
	assert_string_equal(f->heard.text, "(0:del,a;1:set,b;1:set,c;)");
}

static void the_held_command_is_a_copy(void **state)
{
	struct fixture *f = *state;
	char key[] = "first";
	journal_begin(f->j);
	append(f->j, 0, "del", key);
	memset(key, 'x', 5);
	append(f->j, 0, "del", "second");
	journal_end(f->j);
	assert_string_equal(f->heard.text, "(0:del,first;0:del,second;)");
}

static void an_empty_unit_is_silent_and_known_to_be_empty(void **state)
{
	struct fixture *f = *state;
	journal_begin(f->j);
	assert_true(journal_unit_is_empty(f->j));
	journal_end(f->j);
	assert_string_equal(f->heard.text, "");
}

static void a_removed_consumer_hears_nothing_more(void **state)
{
	struct fixture *f = *state;
	journal_remove_consumer(f->j, &f->consumer);
	assert_false(journal_active(f->j));
	append(f->j, 0, "del", "a");
	assert_string_equal(f->heard.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_single_append_is_heard_bare, setup, teardown),
		cmocka_unit_test_setup_teardown(a_unit_of_one_has_no_brackets, setup, teardown),
		cmocka_unit_test_setup_teardown(a_unit_of_more_is_bracketed_once, setup, teardown),
		cmocka_unit_test_setup_teardown(the_held_command_is_a_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_unit_is_silent_and_known_to_be_empty,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_removed_consumer_hears_nothing_more, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
