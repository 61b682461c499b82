/* tests/unit/test_base_memory.c - mem, blob, bgfree and keyhash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store/base/bgfree.h"
#include "store/base/blob.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"

#ifdef INODIS_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

/* What is allocated is counted to the byte as the allocator rounds it, and what is freed is taken off. */
static void used_is_exact(void **state)
{
	(void)state;
	void *p[1000];
	size_t before = mem_used(), sum = 0;
	for (size_t i = 0; i < 1000; i++) {
		p[i] = i % 3 ? mem_alloc(i * 7) : mem_calloc(i * 7 + 1);
		sum += mem_size(p[i]);
	}
	assert_int_equal(mem_used() - before, sum);
	for (size_t i = 0; i < 1000; i += 2) {
		sum -= mem_size(p[i]);
		p[i] = mem_realloc(p[i], i * 11 + 5);
		sum += mem_size(p[i]);
	}
	assert_int_equal(mem_used() - before, sum);
	assert_true(mem_peak() >= before + sum);
	for (size_t i = 0; i < 1000; i++)
		mem_free(p[i]);
	assert_int_equal(mem_used(), before);
}

/* Whatever is allocated and freed, and whichever limit is asked for: the answer is that of a full count. */
static void a_limit_is_kept_to_the_byte(void **state)
{
	(void)state;
	void *p[64] = {0}, *first = mem_alloc(100);
	char *pages = NULL;
	size_t base = mem_used(); /* not 0, whatever else there is */
	for (unsigned i = 0, r = 1; i < 20000; i++) {
		r = r * 1103515245 + 12345;
		unsigned at = r >> 16 & 63;
		mem_free(p[at]);
		p[at] = r >> 24 & 3 ? mem_alloc(r >> 8 & 0xffff) : NULL;
		if (i % 500 == 0) {
			mem_pages_free(pages, pages ? (size_t)1 << 20 : 0);
			pages = pages ? NULL : mem_pages_alloc((size_t)1 << 20);
		}
		size_t limit = base + (i % 7 ? 1500000 : i * 100);
		assert_int_equal(mem_fits(limit), mem_used() <= limit);
		assert_int_equal(mem_fits(limit), mem_used() <= limit);
	}
	for (unsigned i = 0; i < 64; i++)
		mem_free(p[i]);
	mem_pages_free(pages, pages ? (size_t)1 << 20 : 0);
	assert_true(mem_fits(base));
	assert_false(mem_fits(base - 1));
	mem_free(first);
}

/* Pages come zeroed, are counted whole, and may be given back in parts. */
static void pages_can_go_in_parts(void **state)
{
	(void)state;
	size_t n = (size_t)6 << 20, half = n / 2, before = mem_used();
	char *p = mem_pages_alloc(n);
	assert_non_null(p);
	assert_int_equal(mem_used() - before, n);
	assert_int_equal(p[0] | p[n - 1] | p[half], 0);
	p[n - 1] = p[half] = 1;
	mem_pages_free(p, half);
	assert_int_equal(mem_used() - before, n - half);
	assert_int_equal(p[half] + p[n - 1], 2);
	mem_pages_free(p + half, n - half);
	assert_int_equal(mem_used(), before);
	assert_null(mem_pages_alloc((size_t)1 << 60));
}

/* Pages that are brought in are zeroed, keep what they hold, and are counted as before. */
static void pages_can_be_brought_in(void **state)
{
	(void)state;
	size_t n = (size_t)4 << 20, before = mem_used();
	char *p = mem_pages_small(n);
	assert_non_null(p);
	p[4096] = 7;
	mem_pages_bring(p, n);
	assert_int_equal(mem_used() - before, n);
	for (size_t i = 0; i < n; i++)
		assert_true(p[i] == (i == 4096 ? 7 : 0));
	mem_pages_free(p, n);
}

/* Pages that were made present beforehand are zeroed too; unwanted ones go back whether they are ready or not. */
static void warm_pages_are_zeroed(void **state)
{
	(void)state;
	size_t n = (size_t)8 << 20, before = mem_used();
	char *p = mem_pages_warm(n);
	assert_non_null(p);
	while (!mem_pages_ready(p))
		nanosleep(&(struct timespec){0, 100000}, NULL);
	for (size_t i = 0; i < n; i++)
		assert_true(p[i] == 0);
	p[0] = p[n - 1] = 1;
	mem_pages_free(p, n);
	for (long wait = 0; wait < 10000000; wait = wait * 4 + 1000) {
		p = mem_pages_warm(n);
		nanosleep(&(struct timespec){0, wait}, NULL);
		mem_pages_drop(p, n);
	}
	for (int i = 0; i < 10000 && mem_used() > before + 4096; i++)
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	assert_in_range(mem_used(), before, before + 4096);
}

/* A request that cannot be met is refused, and a refused growth leaves the block. */
static void impossible_is_refused(void **state)
{
	(void)state;
	size_t before = mem_used();
	volatile size_t much = (size_t)1 << 60;
	assert_null(mem_try(much));
	char *p = mem_alloc(10);
	p[9] = 7;
	assert_null(mem_retry(p, much));
	assert_int_equal(p[9], 7);
	mem_free(p);
	assert_null(blob_try(SIZE_MAX - 3));
	assert_int_equal(mem_used(), before);
}

/* mem_class says what jemalloc sets aside. */
static void class_is_the_allocators(void **state)
{
	(void)state;
	for (size_t n = 1; n < 200000; n += n < 20000 ? 1 : 777) {
		assert_true(mem_class(n) >= n);
		assert_int_equal(mem_class(mem_class(n)), mem_class(n));
#ifdef INODIS_JEMALLOC
		assert_int_equal(mem_class(n), nallocx(n, 0));
#endif
	}
}

static void *allocate_and_end(void *arg)
{
	mem_thread_register();
	mem_free(*(void **)arg);
	*(void **)arg = mem_alloc(5000);
	return NULL;
}

/* Memory that changes threads is counted once, also when a thread has ended. */
static void threads_are_counted(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		size_t before = mem_used();
		void *p = mem_alloc(100000);
		pthread_t t;
		pthread_create(&t, NULL, allocate_and_end, &p);
		pthread_join(t, NULL);
		/* libc itself may keep something for a thread. */
		assert_in_range(mem_used() - before, 5000, 12000);
		mem_free(p);
	}
}

/* A blob with one reference is changed in place, one with more is copied. */
static void blob_is_copied_when_shared(void **state)
{
	(void)state;
	size_t before = mem_used();
	struct blob *b = blob_from(BYTES("hello"));
	assert_ptr_equal(blob_own(b, 3), b);
	struct blob *reader = blob_get(b);
	struct blob *mine = blob_own(b, 100);
	assert_ptr_not_equal(mine, reader);
	assert_int_equal(mine->cap, 100);
	mine->data[0] = 'j';
	assert_true(bytes_eq(blob_bytes(reader), BYTES("hello")));
	assert_true(bytes_eq(blob_bytes(mine), BYTES("jello")));
	assert_null(blob_own(reader, (size_t)1 << 60));
	assert_int_equal(reader->refs, 1);
	blob_put(mine);
	blob_put(reader);
	blob_put(NULL);
	assert_int_equal(mem_used(), before);
}

static bool zero_behind(const struct blob *b, size_t from)
{
	for (size_t i = from; i < b->cap; i++)
		if (b->data[i])
			return false;
	return true;
}

/* Blobs of any size keep their bytes when they grow and shrink, also over the border of those that are pages. */
static void blob_keeps_its_bytes(void **state)
{
	(void)state;
	static const size_t sizes[] = {100,
				       16 << 10,
				       (16 << 10) - 1,
				       BLOB_MAPPED - 1,
				       BLOB_MAPPED,
				       40u << 20,
				       50u << 20,
				       41u << 20,
				       BLOB_MAPPED + 1,
				       5000,
				       BLOB_MAPPED,
				       300u << 20,
				       200};
	size_t before = mem_used();
	struct blob *b = blob_try(100);
	memset(b->data, 'a', 100);
	b->len = 100;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		b = blob_resize(b, sizes[i]);
		assert_non_null(b);
		assert_int_equal(b->cap, sizes[i]);
		assert_int_equal(mem_used() - before, blob_mem(b));
		assert_true(blob_mem(b) >= sizes[i]);
		assert_int_equal((uintptr_t)b->data % (sizes[i] < (16 << 10) ? 8 : 32), 0);
		for (int k = 0; k < 100; k++)
			assert_int_equal(b->data[k], 'a');
		if (sizes[i] == 50u << 20) { /* what is written at its end goes along, too */
			b->data[b->cap - 1] = 'z';
			b->len = b->cap;
			blob_set_len(b, 100, 0);
		}
	}
	assert_null(blob_resize(b, (size_t)1 << 60));
	assert_int_equal(b->data[99], 'a');
	blob_put(b);
	assert_int_equal(mem_used(), before);
}

/* What a length takes in is zero, whatever stood there before. */
static void blob_grows_by_zeros(void **state)
{
	(void)state;
	static const size_t caps[] = {10000, BLOB_MAPPED, 20u << 20};
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		size_t cap = caps[i];
		struct blob *b = blob_try(cap);
		b->len = 0;
		blob_set_len(b, cap, 0);
		assert_true(zero_behind(b, 0));
		for (size_t len = cap; len > 1; len = len * 2 / 3 - 1) {
			memset(b->data, 'x', b->len);
			blob_set_len(b, len, 0);
			assert_int_equal(b->data[len - 1], 'x');
			blob_set_len(b, cap, 0);
			assert_true(zero_behind(b, len));
		}
		blob_set_len(b, 50, 0);
		memset(b->data + 50, 'y', 1000); /* room that was used and is not wanted */
		blob_set_len(b, 50, 1000);
		blob_set_len(b, cap, 0);
		assert_true(zero_behind(b, 50));
		blob_put(b);
	}
}

/* A blob of pages that grows is not copied, and takes no memory where nothing was written. */
static void big_blob_takes_what_was_written(void **state)
{
	(void)state;
	size_t resident = mem_rss();
	struct blob *b = blob_try((size_t)64 << 20);
	for (size_t room = b->cap; room < (size_t)400 << 20;) {
		b->data[room - 1] = 1;
		room = blob_room(room, room + 1);
		b = blob_resize(b, room);
	}
	assert_in_range(mem_rss() - resident, 0, (size_t)80 << 20);
	b->len = b->cap;
	blob_set_len(b, 10, 0);
	b = blob_trim(b);
	assert_int_equal(b->cap, 10);
	blob_put(b);
}

static void put_elsewhere(void *b)
{
	blob_put_elsewhere(b);
}

/* What is submitted is freed on the other thread; a blob that the engine still uses comes back to it. */
static void background_frees(void **state)
{
	(void)state;
	size_t before = mem_used();
	bgfree_reset_stats();
	assert_int_equal(bgfree_start(), 0);
	for (int i = 0; i < 1000; i++)
		bgfree_submit(mem_free, mem_alloc(1000), 1);
	struct blob *kept = blob_from(BYTES("kept"));
	blob_get(kept);
	bgfree_submit(put_elsewhere, kept, 1);
	bgfree_submit(put_elsewhere, blob_from(BYTES("gone")), 2);
	blob_put(blob_new((size_t)2 << 20));
	bgfree_drain();
	assert_int_equal(bgfree_pending(), 0);
	assert_int_equal(bgfree_freed(), 1004);
	assert_int_equal(kept->refs, 1);
	blob_put(kept);
	bgfree_submit(mem_free, mem_alloc(10), 1);
	bgfree_stop();
	assert_int_equal(bgfree_freed(), 1005);
	assert_in_range(mem_used() - before, 0, 8192);
	bgfree_submit(mem_free, mem_alloc(10), 1);
	assert_int_equal(bgfree_freed(), 1006);
}

/* SipHash-1-3 of the bytes 0..n-1 under the key 0..15, from the reference implementation's sums. */
static void hash_is_siphash13(void **state)
{
	(void)state;
	static const uint64_t sums[] = {
		UINT64_C(0xabac0158050fc4dc), UINT64_C(0xc9f49bf37d57ca93),
		UINT64_C(0x82cb9b024dc7d44d), UINT64_C(0x8bf80ab8e7ddf7fb),
		UINT64_C(0xcf75576088d38328), UINT64_C(0xdef9d52f49533b67),
		UINT64_C(0xc50d2b50c59f22a7), UINT64_C(0xd3927d989bb11140),
		UINT64_C(0x369095118d299a8e), UINT64_C(0x25a48eb36c063de4),
		UINT64_C(0x79de85ee92ff097f), UINT64_C(0x70c118c1f94dc352),
		UINT64_C(0x78a384b157b4d9a2), UINT64_C(0x306f760c1229ffa7),
		UINT64_C(0x605aa111c0f95d34), UINT64_C(0xd320d86d2a519956),
	};
	uint8_t key[16];
	char data[64];
	for (int i = 0; i < 16; i++)
		key[i] = (uint8_t)i;
	for (int i = 0; i < 64; i++)
		data[i] = (char)i;
	keyhash_seed(key);
	for (size_t n = 0; n < 16; n++) {
		char *exact = mem_dup(data, n);
		assert_int_equal(keyhash(bytes_of(exact, n)), sums[n]);
		mem_free(exact);
	}
}

/* Without case the hash is that of the folded name. */
static void hash_folds_case(void **state)
{
	(void)state;
	assert_int_equal(keyhash_nocase(BYTES("CoNfIg|GET0@[`{\xff")),
			 keyhash(BYTES("config|get0@[`{\xff")));
	assert_int_equal(keyhash_nocase(BYTES("")), keyhash(BYTES("")));
	assert_int_equal(keyhash_nocase(BYTES("ABCDEFGH")), keyhash(BYTES("abcdefgh")));
	keyhash_seed_random();
	assert_int_equal(keyhash_nocase(BYTES("Get")), keyhash(BYTES("get")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(used_is_exact),
		cmocka_unit_test(a_limit_is_kept_to_the_byte),
		cmocka_unit_test(pages_can_go_in_parts),
		cmocka_unit_test(pages_can_be_brought_in),
		cmocka_unit_test(warm_pages_are_zeroed),
		cmocka_unit_test(impossible_is_refused),
		cmocka_unit_test(class_is_the_allocators),
		cmocka_unit_test(threads_are_counted),
		cmocka_unit_test(blob_is_copied_when_shared),
		cmocka_unit_test(blob_keeps_its_bytes),
		cmocka_unit_test(blob_grows_by_zeros),
		cmocka_unit_test(big_blob_takes_what_was_written),
		cmocka_unit_test(background_frees),
		cmocka_unit_test(hash_is_siphash13),
		cmocka_unit_test(hash_folds_case),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
