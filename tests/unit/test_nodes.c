/* The kernel's numbers for inodes, and inodes by their places: against naive models. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <time.h>

#include "fs/inodes/inode.h"
#include "fs/inodes/nodes.h"
#include "fs/kinds/kinds.h"
#include "store/base/mem.h"
#include "store/base/rng.h"

#define MANY 5000

static void a_number_finds_its_owner_until_it_is_given_back(void **state)
{
	struct nodes t = {0};
	struct rng rng;
	static uint64_t id[MANY], gone[MANY];
	size_t in = 0;
	(void)state;
	uint64_t seed = (uint64_t)time(NULL);
	print_message("seed %lu\n", (unsigned long)seed);
	rng_seed(&rng, seed);
	for (int k = 0; k < 200000; k++) {
		size_t i = rng_below(&rng, MANY);
		if (id[i]) {
			gone[i] = id[i];
			nodes_remove(&t, &id[i]);
			id[i] = 0;
			in--;
		} else {
			nodes_add(&t, &id[i]);
			assert_int_not_equal(id[i], gone[i]);
			in++;
		}
		i = rng_below(&rng, MANY);
		assert_ptr_equal(nodes_find(&t, id[i]), id[i] ? &id[i] : NULL);
		assert_null(gone[i] ? nodes_find(&t, gone[i]) : NULL);
		assert_int_equal(t.count, in);
	}
	uint32_t at = 0;
	for (const uint64_t *p; (p = nodes_next(&t, &at)); in--)
		assert_in_range((uintptr_t)p, (uintptr_t)id, (uintptr_t)&id[MANY - 1]);
	assert_int_equal(in, 0);
	nodes_fini(&t);
}

enum { MOST = 40000, ROUNDS = 8, STAY = 20 };

static void numbers_are_of_now(const struct nodes *t, uint64_t (*was)[MOST], int rounds,
			       const uint64_t *id)
{
	for (int o = 0; o < rounds; o++)
		for (size_t i = 0; i < MOST; i++)
			assert_ptr_equal(nodes_find(t, was[o][i]),
					 was[o][i] == id[i] ? &id[i] : NULL);
}

/* Many come, all but a few go, and as many come again. */
static void what_nobody_is_in_is_freed_and_its_numbers_do_not_come_again(void **state)
{
	struct nodes t = {0};
	struct rng rng;
	static uint64_t id[MOST], was[ROUNDS][MOST];
	uint64_t first;
	(void)state;
	uint64_t seed = (uint64_t)time(NULL);
	print_message("seed %lu\n", (unsigned long)seed);
	rng_seed(&rng, seed);
	nodes_add(&t, &first);
	for (int r = 0; r < ROUNDS; r++) {
		for (size_t i = 0; i < MOST; i++) {
			if (!id[i])
				nodes_add(&t, &id[i]);
			was[r][i] = id[i];
		}
		numbers_are_of_now(&t, was, r + 1, id);
		assert_in_range(t.standing, MOST / 1024, MOST / 1024 + STAY + 2);
		size_t from = rng_below(&rng, MOST); /* where it begins does not matter */
		for (size_t k = 0; k < MOST; k++) {
			size_t i = (from + k) % MOST;
			if (i % (MOST / STAY) == 7)
				continue;
			nodes_remove(&t, &id[i]);
			id[i] = 0;
		}
		assert_int_equal(t.count, STAY + 1);
		assert_in_range(t.standing, 1, STAY + 2);
		uint32_t at = 0;
		size_t n = 0;
		while (nodes_next(&t, &at))
			n++;
		assert_int_equal(n, STAY + 1);
		numbers_are_of_now(&t, was, r + 1, id);
	}
	nodes_remove(&t, &first);
	for (size_t i = 7; i < MOST; i += MOST / STAY)
		nodes_remove(&t, &id[i]);
	assert_int_equal(t.standing, 1);
	nodes_fini(&t);
}

static void the_first_number_is_one(void **state)
{
	struct nodes t = {0};
	uint64_t id;
	(void)state;
	assert_null(nodes_find(&t, 1));
	nodes_add(&t, &id);
	assert_int_equal(id, 1);
	nodes_fini(&t);
}

static void numbers_that_were_never_given_out_are_not_found(void **state)
{
	struct nodes t = {0};
	struct rng rng;
	uint64_t id[3];
	(void)state;
	rng_seed(&rng, 1);
	for (int i = 0; i < 3; i++)
		nodes_add(&t, &id[i]);
	nodes_remove(&t, &id[1]);
	const uint64_t bad[] = {0,
				4,
				id[1],
				UINT64_MAX,
				UINT32_MAX,
				UINT64_C(1) << 31,
				(UINT64_C(1) << 32) | 2,
				(UINT64_C(1) << 32) | 1,
				(UINT64_C(1) << 32),
				1024,
				1023};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(nodes_find(&t, bad[i]));
	for (int k = 0; k < 100000; k++) {
		uint64_t any = rng_next(&rng) & rng_next(&rng);
		if (any != id[0] && any != id[2])
			assert_null(nodes_find(&t, any));
	}
	nodes_fini(&t);
}

/* --- places --- */

static const struct place root = {.node = NODE_TOP};

static struct place entry(const char *key)
{
	return (struct place){.node = NODE_ENTRY, .kind = &kinds[0], .key = bytes_str(key)};
}

static struct place member(const char *key, const char *name)
{
	return (struct place){.node = NODE_MEMBER,
			      .kind = &kinds[0],
			      .has_member = true,
			      .key = bytes_str(key),
			      .member = bytes_str(name)};
}

static void places_that_differ_in_anything_are_others(void **state)
{
	struct inodes t;
	char long_key[70000];
	(void)state;
	memset(long_key, 'k', sizeof(long_key) - 1);
	long_key[sizeof(long_key) - 1] = '\0';
	struct place p[] = {entry("a"),        entry("ab"),       entry(""),
			    entry(long_key),   member("a", "bc"), member("ab", "c"),
			    member("abc", ""), member("", "abc"), entry("a"),
			    entry("a"),        entry("a"),        entry("a"),
			    entry("a")};
	const size_t n = sizeof(p) / sizeof(p[0]);
	struct inode *i[sizeof(p) / sizeof(p[0])];
	p[8].db = 1;
	p[9].raw = true;
	p[10].numbered = true;
	p[11].kind = &kinds[1];
	p[12].node = NODE_SCRATCH;
	inodes_init(&t, &root);
	assert_int_equal(inode_find(&t, &root)->id, INODE_ROOT);
	assert_int_equal(inode_ino(inode_find(&t, &root)), INODE_ROOT);
	for (size_t k = 0; k < n; k++) {
		assert_null(inode_find(&t, &p[k]));
		i[k] = inode_get(&t, &p[k]);
		assert_true(bytes_eq(i[k]->place.key, p[k].key));
		assert_true(bytes_eq(i[k]->place.member, p[k].member));
		assert_int_equal(inode_ino(i[k]), place_ino(&p[k]));
	}
	for (size_t k = 0; k < n; k++) {
		assert_ptr_equal(inode_find(&t, &p[k]), i[k]);
		assert_ptr_equal(inode_by_id(&t, i[k]->id), i[k]);
		for (size_t o = 0; o < k; o++)
			assert_int_not_equal(place_ino(&p[k]), place_ino(&p[o]));
		uint64_t id = i[k]->id;
		inode_unref(&t, i[k]);
		assert_null(inode_by_id(&t, id));
		assert_null(inode_find(&t, &p[k]));
	}
	inodes_fini(&t);
}

static void what_moves_is_found_where_it_is(void **state)
{
	struct inodes t;
	struct place a = entry("a"), b = entry("a longer name than it was made with"),
		     c = entry("c");
	(void)state;
	inodes_init(&t, &root);
	struct inode *i = inode_get(&t, &a), *there = inode_get(&t, &b);
	inode_move(&t, i, &b);
	assert_false(there->listed);
	assert_null(inode_find(&t, &a));
	assert_ptr_equal(inode_find(&t, &b), i);
	assert_true(bytes_eq(there->place.key, b.key));
	struct inode *again = inode_get(&t, &a);
	assert_ptr_not_equal(again, i);
	struct place own = i->place; /* its own bytes, in another directory */
	own.raw = true;
	inode_move(&t, i, &own);
	assert_null(inode_find(&t, &b));
	assert_ptr_equal(inode_find(&t, &i->place), i);
	inode_move(&t, i, &c);
	assert_ptr_equal(inode_find(&t, &c), i);
	inode_unlink(&t, i);
	assert_null(inode_find(&t, &c));
	assert_true(bytes_eq(i->place.key, c.key));
	inode_unref(&t, i);
	inode_unref(&t, again);
	inode_unref(&t, there);
	assert_int_equal(t.by_id.count, 1);
	inodes_fini(&t);
}

static void members_move_with_their_key(void **state)
{
	struct inodes t;
	char name[16];
	struct place from = entry("from"), to = entry("to"), other = member("other", "1");
	struct inode *i[100];
	(void)state;
	inodes_init(&t, &root);
	for (int k = 0; k < 100; k++) {
		snprintf(name, sizeof(name), "%d", k);
		struct place p = member("from", name);
		i[k] = inode_get(&t, &p);
	}
	struct inode *stays = inode_get(&t, &other);
	inode_move_below(&t, &from, &to);
	for (int k = 0; k < 100; k++) {
		snprintf(name, sizeof(name), "%d", k);
		struct place p = member("from", name), q = member("to", name);
		assert_null(inode_find(&t, &p));
		assert_ptr_equal(inode_find(&t, &q), i[k]);
		inode_unref(&t, i[k]);
	}
	assert_ptr_equal(inode_find(&t, &other), stays);
	inodes_fini(&t);
}

static void a_name_with_its_key_takes_few_bytes(void **state)
{
	(void)state;
	assert_true(sizeof(struct inode) <= 136);
	assert_true(mem_class(sizeof(struct inode) + 1 + 6 + strlen("key:000000000001")) <= 160);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_finds_its_owner_until_it_is_given_back),
		cmocka_unit_test(what_nobody_is_in_is_freed_and_its_numbers_do_not_come_again),
		cmocka_unit_test(the_first_number_is_one),
		cmocka_unit_test(numbers_that_were_never_given_out_are_not_found),
		cmocka_unit_test(places_that_differ_in_anything_are_others),
		cmocka_unit_test(what_moves_is_found_where_it_is),
		cmocka_unit_test(members_move_with_their_key),
		cmocka_unit_test(a_name_with_its_key_takes_few_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
