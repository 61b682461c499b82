/* tests/unit/test_slices.c - turns of long work, through its header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fs/slices.h"
#include "resp/net/loop.h"

#define JOBS 4

struct job {
	struct slice slice; /* first */
	struct world *world;
	char name;
	int left;          /* slices */
	int64_t takes;     /* each */
	struct job *stops; /* another one, when it goes on */
};

struct world {
	struct slices q;
	struct job jobs[JOBS];
	char trace[64];
	int turns;
};

static void trace(struct world *w, char c)
{
	size_t n = strlen(w->trace);

	assert_true(n + 1 < sizeof(w->trace));
	w->trace[n] = c;
}

static void go_on(struct slice *s)
{
	struct job *j = (struct job *)s;

	trace(j->world, j->name);
	j->world->q.spent_usec += j->takes;
	if (j->stops)
		slices_remove(&j->world->q, &j->stops->slice);
	if (--j->left)
		slices_add(&j->world->q, s);
}

/* The first takes the others with it. */
static void give_up(struct slice *s)
{
	struct world *w = ((struct job *)s)->world;

	trace(w, '!');
	for (int i = 0; i < JOBS; i++)
		slices_remove(&w->q, &w->jobs[i].slice);
}

static void turn_ends(void *arg)
{
	struct world *w = arg;

	trace(w, '.');
	if (++w->turns > 20 || !w->q.first)
		loop_stop(w->q.loop);
}

static int setup(void **state)
{
	static struct world w;

	w = (struct world){.q.loop = loop_new()};
	for (int i = 0; i < JOBS; i++)
		w.jobs[i] = (struct job){
			{.go_on = go_on, .give_up = give_up}, &w, (char)('a' + i), 2, 1, NULL};
	loop_before_wait(w.q.loop, turn_ends, &w);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	loop_free(((struct world *)*state)->q.loop);
	return 0;
}

static void add_all(struct world *w)
{
	for (int i = 0; i < JOBS; i++)
		slices_add(&w->q, &w->jobs[i].slice);
}

static void each_that_waits_has_one_slice_in_a_turn(void **state)
{
	struct world *w = *state;

	add_all(w);
	add_all(w);
	loop_run(w->q.loop);
	assert_non_null(strstr(w->trace, "abcd.abcd."));
}

static void who_was_left_out_is_the_first_in_the_next_turn(void **state)
{
	struct world *w = *state;

	w->jobs[0].takes = w->jobs[1].takes = SLICES_TURN_USEC / 2;
	add_all(w);
	loop_run(w->q.loop);
	assert_non_null(strstr(w->trace, "ab.cdab."));
}

static void a_slice_longer_than_a_turn_holds_nobody_up_for_good(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < JOBS; i++)
		w->jobs[i].takes = 2 * SLICES_TURN_USEC;
	add_all(w);
	loop_run(w->q.loop);
	assert_non_null(strstr(w->trace, "a.b.c.d.a.b.c.d."));
}

static void what_was_removed_in_the_middle_of_a_turn_does_not_go_on(void **state)
{
	struct world *w = *state;

	w->jobs[0].stops = &w->jobs[JOBS - 1];
	add_all(w);
	loop_run(w->q.loop);
	assert_non_null(strstr(w->trace, "abc.abc."));
	assert_null(strchr(w->trace, 'd'));
}

static void at_the_end_all_that_wait_are_given_up(void **state)
{
	struct world *w = *state;

	add_all(w);
	slices_end(&w->q);
	assert_string_equal(w->trace, "!");
	loop_run(w->q.loop); /* the turn that was asked for finds nobody */
	assert_null(strpbrk(w->trace, "abcd"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_that_waits_has_one_slice_in_a_turn),
		TEST(who_was_left_out_is_the_first_in_the_next_turn),
		TEST(a_slice_longer_than_a_turn_holds_nobody_up_for_good),
		TEST(what_was_removed_in_the_middle_of_a_turn_does_not_go_on),
		TEST(at_the_end_all_that_wait_are_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
