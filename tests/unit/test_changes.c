/* Stamps of groups of keys, and the notes of changes to keys of which somebody keeps a copy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resp/changes.h"

#define HASH(n) ((n)*UINT64_C(0x9e3779b97f4a7c15))

struct told {
	unsigned times;
	size_t n;
	uint64_t first;
	bool all, any;
};

static void tell(void *arg, const struct change_notes *n)
{
	struct told *t = arg;

	t->times++;
	t->n = n->n;
	t->first = n->n ? n->ids[0] : 0;
	t->all = n->all;
	t->any = n->any;
}

static void only_changes_of_held_keys_are_told(void **state)
{
	struct changes *c = changes_new(1);
	struct told t = {0};

	(void)state;
	changes_watch(c, tell, &t);
	changes_mark(c, 0, HASH(1), 2);
	changes_settle(c, false);
	assert_int_equal(t.times, 0);
	changes_hold(c, changes_id(3, HASH(1)));
	changes_mark(c, 0, HASH(1), 2);
	changes_mark(c, 3, HASH(2), 2);
	changes_settle(c, false);
	assert_int_equal(t.times, 0);
	changes_mark(c, 3, HASH(1), 2);
	changes_settle(c, false);
	changes_settle(c, false);
	assert_int_equal(t.times, 1);
	assert_int_equal(t.n, 1);
	assert_true(t.first == changes_id(3, HASH(1)));
	assert_false(t.all);
	changes_hold_none(c);
	changes_mark(c, 3, HASH(1), 2);
	changes_settle(c, false);
	assert_int_equal(t.times, 1);
	changes_free(c);
}

static void a_change_of_any_key_is_told_once_to_who_asked(void **state)
{
	struct changes *c = changes_new(1);
	struct told t = {0};

	(void)state;
	changes_watch(c, tell, &t);
	changes_hold_any(c);
	changes_mark(c, 0, HASH(1), 2);
	changes_settle(c, false);
	assert_int_equal(t.times, 1);
	assert_true(t.any);
	changes_mark(c, 0, HASH(1), 2);
	changes_settle(c, false);
	assert_int_equal(t.times, 1);
	changes_free(c);
}

static void more_changes_than_can_be_noted_are_all(void **state)
{
	struct changes *c = changes_new(1);
	struct told t = {0};

	(void)state;
	changes_watch(c, tell, &t);
	changes_hold(c, changes_id(0, HASH(7)));
	for (int i = 0; i < 100000; i++)
		changes_mark(c, 0, HASH(7), 2);
	changes_settle(c, false);
	assert_int_equal(t.times, 1);
	assert_true(t.all);
	t.all = false;
	changes_mark_all(c, 3);
	changes_settle(c, false);
	assert_true(t.all);
	changes_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_changes_of_held_keys_are_told),
		cmocka_unit_test(a_change_of_any_key_is_told_once_to_who_asked),
		cmocka_unit_test(more_changes_than_can_be_noted_are_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
