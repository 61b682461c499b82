/* Stamps of groups of keys, and the notes of changes to keys of which somebody keeps a copy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resp/changes.h"

#define HASH(n) ((n)*UINT64_C(0x9e3779b97f4a7c15))

struct told {
	struct changes_watcher watcher;
	unsigned times;
	size_t values, names;
	uint32_t first;
	bool all, any;
};

static void tell(void *arg, const struct change_notes *n)
{
	struct told *t = arg;

	t->times++;
	t->values = n->part[CHANGES_VALUE].n;
	t->names = n->part[CHANGES_NAME].n;
	t->first = t->values ? n->part[CHANGES_VALUE].groups[0] : 0;
	t->all = n->all;
	t->any = n->any;
}

static bool holds_none(void *arg, uint32_t g, enum changes_part part)
{
	(void)arg, (void)g, (void)part;
	return false;
}

static bool holds_all(void *arg, uint32_t g, enum changes_part part)
{
	(void)arg, (void)g, (void)part;
	return true;
}

static void begin(struct changes *c, struct told *t)
{
	*t = (struct told){.watcher = {.tell = tell, .holds = holds_none, .arg = t}};
	changes_watch(c, &t->watcher);
}

static uint32_t group(unsigned db, uint64_t hash)
{
	return changes_group(changes_id(db, hash));
}

static void only_changes_of_held_keys_are_told(void **state)
{
	struct changes *c = changes_new(1);
	struct told t;

	(void)state;
	begin(c, &t);
	changes_mark(c, 0, HASH(1), 2);
	changes_settle(c, false);
	assert_int_equal(t.times, 0);
	changes_hold(c, group(3, HASH(1)), CHANGES_VALUE);
	changes_mark(c, 0, HASH(1), 2);
	changes_mark(c, 3, HASH(2), 2);
	changes_named(c, 3, HASH(1));
	changes_settle(c, false);
	assert_int_equal(t.times, 0);
	changes_mark(c, 3, HASH(1), 2);
	changes_settle(c, false);
	changes_settle(c, false);
	assert_int_equal(t.times, 1);
	assert_int_equal(t.values, 1);
	assert_true(t.first == group(3, HASH(1)));
	assert_false(t.all);
	changes_free(c);
}

static void a_change_is_told_once_until_it_is_asked_for_again(void **state)
{
	struct changes *c = changes_new(1);
	struct told t;

	(void)state;
	begin(c, &t);
	changes_hold(c, group(0, HASH(7)), CHANGES_VALUE);
	for (int i = 0; i < 100000; i++)
		changes_mark(c, 0, HASH(7), 2);
	changes_settle(c, false);
	assert_int_equal(t.times, 1);
	assert_int_equal(t.values, 1);
	changes_mark(c, 0, HASH(7), 2);
	changes_settle(c, false);
	assert_int_equal(t.times, 1);
	changes_hold(c, group(0, HASH(7)), CHANGES_VALUE);
	changes_mark(c, 0, HASH(7), 2);
	changes_settle(c, false);
	assert_int_equal(t.times, 2);
	changes_free(c);
}

static void what_no_watcher_waits_for_is_not_told(void **state)
{
	struct changes *c = changes_new(1);
	struct told t, u;

	(void)state;
	begin(c, &t);
	begin(c, &u);
	u.watcher.holds = holds_all;
	changes_hold(c, group(0, HASH(7)), CHANGES_VALUE);
	changes_release(c, group(0, HASH(7)), CHANGES_VALUE);
	changes_mark(c, 0, HASH(7), 2);
	changes_settle(c, false);
	assert_int_equal(t.times, 1);
	changes_hold(c, group(0, HASH(7)), CHANGES_VALUE);
	u.watcher.holds = holds_none;
	changes_release(c, group(0, HASH(7)), CHANGES_VALUE);
	changes_mark(c, 0, HASH(7), 2);
	changes_settle(c, false);
	assert_int_equal(t.times, 1);
	changes_free(c);
}

static void names_are_told_apart_from_values(void **state)
{
	struct changes *c = changes_new(1);
	struct told t;

	(void)state;
	begin(c, &t);
	changes_hold(c, group(0, HASH(7)), CHANGES_NAME);
	changes_mark(c, 0, HASH(7), 2);
	changes_settle(c, false);
	assert_int_equal(t.times, 0);
	changes_named(c, 0, HASH(7));
	changes_settle(c, false);
	assert_int_equal(t.times, 1);
	assert_int_equal(t.values, 0);
	assert_int_equal(t.names, 1);
	changes_free(c);
}

static void all_watchers_are_told(void **state)
{
	struct changes *c = changes_new(1);
	struct told t, u;

	(void)state;
	begin(c, &t);
	begin(c, &u);
	changes_hold(c, group(0, HASH(7)), CHANGES_VALUE);
	changes_mark(c, 0, HASH(7), 2);
	changes_settle(c, false);
	assert_int_equal(t.times, 1);
	assert_int_equal(u.times, 1);
	changes_unwatch(c, &t.watcher);
	changes_hold(c, group(0, HASH(8)), CHANGES_VALUE);
	changes_mark(c, 0, HASH(8), 2);
	changes_settle(c, false);
	assert_int_equal(t.times, 1);
	assert_int_equal(u.times, 2);
	changes_unwatch(c, &u.watcher);
	changes_mark(c, 0, HASH(8), 2);
	changes_mark_all(c, 2);
	changes_settle(c, false);
	assert_int_equal(u.times, 2);
	changes_free(c);
}

static void a_change_of_any_key_is_told_once_to_who_asked(void **state)
{
	struct changes *c = changes_new(1);
	struct told t;

	(void)state;
	begin(c, &t);
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
	struct told t;

	(void)state;
	begin(c, &t);
	for (int i = 0; i < 100000; i++)
		changes_hold(c, group(0, HASH(i)), CHANGES_VALUE);
	for (int i = 0; i < 100000; i++)
		changes_mark(c, 0, HASH(i), 2);
	changes_settle(c, false);
	assert_int_equal(t.times, 1);
	assert_true(t.all);
	t.all = false;
	changes_mark_all(c, 3);
	changes_settle(c, false);
	assert_true(t.all);
	changes_free(c);
}

static void an_eye_sees_changes_of_its_key_alone(void **state)
{
	struct changes *c = changes_new(1);
	struct changes_eye one, other;
	struct told t;

	(void)state;
	changes_look(c, &one, 3, HASH(1));
	changes_look(c, &other, 0, HASH(1));
	changes_mark(c, 3, HASH(2), 2);
	assert_false(one.changed || other.changed);
	changes_mark(c, 3, HASH(1), 2);
	assert_true(one.changed);
	assert_false(other.changed);
	changes_unlook(c, &one);
	changes_look(c, &one, 3, HASH(1));
	begin(c, &t); /* watchers come and go */
	changes_unwatch(c, &t.watcher);
	changes_mark(c, 0, HASH(1), 2);
	assert_true(other.changed);
	assert_false(one.changed);
	changes_mark_all(c, 3);
	assert_true(one.changed);
	changes_unlook(c, &one);
	changes_unlook(c, &other);
	changes_mark(c, 3, HASH(1), 2);
	changes_free(c);
}

static void an_eye_tells_appending_from_other_changes(void **state)
{
	struct changes *c = changes_new(1);
	struct changes_eye one, other;

	(void)state;
	changes_look(c, &one, 0, HASH(1));
	changes_look(c, &other, 0, HASH(2));
	changes_appends(c, true);
	changes_mark(c, 0, HASH(1), 2);
	changes_mark(c, 0, HASH(3), 2);
	changes_appends(c, false);
	assert_true(one.appended && !one.changed);
	assert_false(other.appended || other.changed);
	changes_mark(c, 0, HASH(1), 2);
	assert_true(one.changed);
	changes_unlook(c, &one);
	changes_mark(c, 0, HASH(2), 2);
	assert_true(other.changed && !other.appended);
	changes_unlook(c, &other);
	changes_appends(NULL, true);
	changes_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_changes_of_held_keys_are_told),
		cmocka_unit_test(a_change_is_told_once_until_it_is_asked_for_again),
		cmocka_unit_test(what_no_watcher_waits_for_is_not_told),
		cmocka_unit_test(names_are_told_apart_from_values),
		cmocka_unit_test(all_watchers_are_told),
		cmocka_unit_test(a_change_of_any_key_is_told_once_to_who_asked),
		cmocka_unit_test(more_changes_than_can_be_noted_are_all),
		cmocka_unit_test(an_eye_sees_changes_of_its_key_alone),
		cmocka_unit_test(an_eye_tells_appending_from_other_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
