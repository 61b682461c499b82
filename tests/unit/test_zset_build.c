/* A sorted set that is filled in any order is the one that is filled in its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/types/ranktree_impl.h"
#include "store/types/zset.h"
#include "store/types/zset_build.h"
#include "tests/unit/model.h"

static double some_score(struct rng *rng, int kind)
{
	static const double odd[] = {0, -0.0, 1, -1, INFINITY, -INFINITY, 5e-324, -5e-324, 1e300};

	switch (kind) {
	case 0:
		return 0;
	case 1:
		return (double)rng_below(rng, 7) - 3;
	case 2:
		return (double)(int64_t)rng_next(rng) / 3;
	default:
		return odd[rng_below(rng, sizeof(odd) / sizeof(*odd))];
	}
}

static void same(struct zset *a, struct zset *b)
{
	struct zset_iter ia, ib;
	struct bytes ma, mb;
	double sa, sb;
	size_t rank, at = 0;

	assert_int_equal(zset_count(a), zset_count(b));
	zset_iter_begin(&ia, a, 0, false);
	zset_iter_begin(&ib, b, 0, false);
	for (; zset_iter_next(&ia, &ma, &sa); at++) {
		assert_true(zset_iter_next(&ib, &mb, &sb));
		assert_true(bytes_eq(ma, mb) && sa == sb);
		if (at % 97 == 0)
			assert_true(zset_rank(a, ma, &rank) && rank == at);
	}
	assert_false(zset_iter_next(&ib, &mb, &sb));
}

static void put(struct zset_build *b, struct zset *naive, struct bytes member, double score)
{
	struct type_limits lim = {.zset_max_listpack_entries = 0};
	bool added, new, changed;
	double *to = zset_build_at(b, member, keyhash(member), &added);

	*to = score;
	zset_add(naive, member, score, &lim, &new, &changed);
	assert_true(added == new);
}

static void fill(struct rng *rng, size_t n, int kind, const struct type_limits *lim)
{
	static const struct type_limits big = {.zset_max_listpack_entries = 0};
	struct zset_build *b = zset_build_begin(rng_below(rng, 2) ? n : 0);
	struct zset *naive = zset_new(0, 1, &big);
	char buf[40];
	bool added, changed;

	for (size_t i = 0; i < n; i++)
		put(b, naive, bytes_of(buf, (size_t)sprintf(buf, "m%zu", rng_below(rng, n * 2))),
		    some_score(rng, kind));
	assert_int_equal(zset_build_count(b), zset_count(naive));
	struct zset *z = zset_build_end(b, lim);
	zset_check(z, lim);
	same(z, naive);
	/* What was built may be changed like any other. */
	for (size_t i = 0; i < 300; i++) {
		struct bytes m =
			bytes_of(buf, (size_t)sprintf(buf, "m%zu", rng_below(rng, n * 2 + 1)));
		if (rng_below(rng, 2)) {
			double score = some_score(rng, kind);
			zset_add(z, m, score, lim, &added, &changed);
			zset_add(naive, m, score, &big, &added, &changed);
		} else {
			assert_true(zset_remove(z, m) == zset_remove(naive, m));
		}
		zset_check(z, lim);
	}
	same(z, naive);
	zset_free(z);
	zset_free(naive);
}

static void what_is_built_is_what_is_inserted(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, 2, 60, 128, 129, 500, 3000, 9000};
	struct rng rng;
	struct type_limits lim = TYPE_LIMITS_DEFAULT;

	seed_run(&rng);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (int kind = 0; kind < 4; kind++)
			fill(&rng, sizes[i], kind, &lim);
	lim.zset_max_listpack_entries = 0;
	fill(&rng, 5, 1, &lim);
	lim.zset_max_listpack_entries = 100;
	lim.zset_max_listpack_value = 2;
	fill(&rng, 50, 1, &lim);
}

/* All tree shapes up to some depth: small nodes. */
static void trees_of_any_size_hold(void **state)
{
	(void)state;
	enum { MOST = 400 };
	static struct keysort_item items[MOST];

	for (size_t i = 0; i < MOST; i++) {
		unsigned char *m = mem_alloc(64);
		char name[16];
		double score = (double)(i / 3);
		memcpy(m, &score, sizeof(score));
		varkey_put(m + RANKTREE_LEAD, bytes_of(name, (size_t)sprintf(name, "%04zu", i)));
		items[i] = (struct keysort_item){keysort_double(score), m};
	}
	for (size_t n = 0; n <= MOST; n += n < 40 ? 1 : 37) {
		struct ranktree t;
		ranktree_init(&t, 5, 4);
		ranktree_build(&t, items, n);
		ranktree_check(&t);
		assert_int_equal(t.count, n);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(ranktree_rank(&t, items[i].p), i);
			assert_ptr_equal(ranktree_member(ranktree_seek(&t, i)), items[i].p);
		}
		ranktree_fini(&t);
	}
	for (size_t i = 0; i < MOST; i++)
		mem_free(items[i].p);
}

static void what_is_dropped_is_freed(void **state)
{
	(void)state;
	size_t before = mem_used();
	struct zset_build *b = zset_build_begin(10);
	bool added;

	for (int i = 0; i < 1000; i++)
		zset_build_at(b, bytes_of(&i, sizeof(i)), keyhash(bytes_of(&i, sizeof(i))), &added);
	zset_build_drop(b);
	assert_int_equal(mem_used(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_built_is_what_is_inserted),
		cmocka_unit_test(trees_of_any_size_hold),
		cmocka_unit_test(what_is_dropped_is_freed),
	};
	mem_thread_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
