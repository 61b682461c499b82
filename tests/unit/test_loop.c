/* tests/unit/test_loop.c - the event loop through its header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "resp/net/loop.h"
#include "store/base/mem.h"

struct world {
	struct loop *loop;
	char trace[64];
	int pipe[2], other[2];
	struct loop_fd *first, *normal;
	struct loop_timer *timer;
	int count;
};

static void trace(struct world *w, const char *s)
{
	assert_true(strlen(w->trace) + strlen(s) < sizeof(w->trace));
	strcat(w->trace, s);
}

static int setup(void **state)
{
	struct world *w = mem_calloc(sizeof(*w));
	w->loop = loop_new();
	assert_int_equal(pipe(w->pipe), 0);
	assert_int_equal(pipe(w->other), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	loop_free(w->loop);
	for (int i = 0; i < 2; i++) {
		close(w->pipe[i]);
		close(w->other[i]);
	}
	mem_free(w);
	return 0;
}

static void drain(int fd)
{
	char c;
	assert_int_equal(read(fd, &c, 1), 1);
}

static void on_normal(void *arg, unsigned events)
{
	struct world *w = arg;
	assert_int_equal(events, LOOP_READ);
	drain(w->pipe[0]);
	trace(w, "n");
}

static void on_first(void *arg, unsigned events)
{
	struct world *w = arg;
	assert_int_equal(events, LOOP_READ);
	drain(w->other[0]);
	trace(w, "f");
}

static void before(void *arg)
{
	trace(arg, "b");
}

static void after(void *arg)
{
	trace(arg, "a");
}

static int64_t once(void *arg)
{
	trace(arg, "t");
	return -1;
}

static void a_turn_has_its_phases_in_order(void **state)
{
	struct world *w = *state;
	w->normal = loop_fd_add(w->loop, w->pipe[0], LOOP_NORMAL, LOOP_READ, on_normal, w);
	w->first = loop_fd_add(w->loop, w->other[0], LOOP_FIRST, LOOP_READ, on_first, w);
	loop_before_wait(w->loop, before, w);
	loop_after_wait(w->loop, after, w);
	loop_timer_add(w->loop, 0, once, w);
	assert_int_equal(write(w->pipe[1], "x", 1), 1);
	assert_int_equal(write(w->other[1], "x", 1), 1);
	loop_turn_nowait(w->loop);
	assert_string_equal(w->trace, "afntb");
	loop_turn_nowait(w->loop);
	assert_string_equal(w->trace, "afntbab");
	loop_fd_remove(w->first);
	loop_fd_remove(w->normal);
}

static void remove_both(void *arg, unsigned events)
{
	struct world *w = arg;
	(void)events;
	loop_fd_remove(w->first);
	loop_fd_remove(w->normal);
	trace(w, "r");
}

static void a_removed_descriptor_is_not_served_in_the_same_turn(void **state)
{
	struct world *w = *state;
	w->normal = loop_fd_add(w->loop, w->pipe[0], LOOP_NORMAL, LOOP_READ, remove_both, w);
	w->first = loop_fd_add(w->loop, w->other[0], LOOP_FIRST, LOOP_READ, remove_both, w);
	assert_int_equal(write(w->pipe[1], "x", 1), 1);
	assert_int_equal(write(w->other[1], "x", 1), 1);
	loop_turn_nowait(w->loop);
	loop_turn_nowait(w->loop);
	assert_string_equal(w->trace, "r");
}

static int64_t thrice(void *arg)
{
	struct world *w = arg;
	trace(w, "t");
	if (++w->count < 3)
		return 1;
	loop_stop(w->loop);
	return -1;
}

static int64_t removes_itself(void *arg)
{
	struct world *w = arg;
	loop_timer_remove(w->timer);
	trace(w, "s");
	return 1;
}

static void timers_repeat_as_they_ask_and_may_remove_themselves(void **state)
{
	struct world *w = *state;
	loop_timer_add(w->loop, 2, thrice, w);
	w->timer = loop_timer_add(w->loop, 1, removes_itself, w);
	struct loop_timer *never = loop_timer_add(w->loop, 1, once, w);
	loop_timer_remove(never);
	loop_run(w->loop);
	assert_string_equal(w->trace, "sttt");
}

static void posted(void *arg)
{
	struct world *w = arg;
	if (++w->count == 1000)
		loop_stop(w->loop);
}

static void *poster(void *arg)
{
	struct world *w = arg;
	for (int i = 0; i < 1000; i++)
		loop_post(w->loop, posted, w);
	return NULL;
}

static void posts_of_another_thread_arrive(void **state)
{
	struct world *w = *state;
	pthread_t t;
	assert_int_equal(pthread_create(&t, NULL, poster, w), 0);
	loop_run(w->loop);
	pthread_join(t, NULL);
	assert_int_equal(w->count, 1000);
}

#define LOOP_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	mem_thread_register();
	const struct CMUnitTest tests[] = {
		LOOP_TEST(a_turn_has_its_phases_in_order),
		LOOP_TEST(a_removed_descriptor_is_not_served_in_the_same_turn),
		LOOP_TEST(timers_repeat_as_they_ask_and_may_remove_themselves),
		LOOP_TEST(posts_of_another_thread_arrive),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
