/* store/base/blob.c - counted blocks of bytes: see blob.h. */
#include "store/base/blob.h"

#include "store/base/bgfree.h"
#include "store/base/mem.h"

/* From here on giving the pages back takes longer than handing the block to another thread. */
#define BACKGROUND_FROM ((size_t)1 << 20)

/* What the kernel copies to or from a place that is not a multiple of 32 takes it three times as long. */
#define ALIGN_FROM ((size_t)16 << 10)
#define ALIGN      64

#define HUGE_PAGE ((size_t)2 << 20)
#define PAGE      ((size_t)4096)

/* Its bytes in front of the blob: none, or so many that the data begins at a multiple of ALIGN of the heap's block, or
 * with a page. */
static size_t lead(size_t cap)
{
	if (cap < ALIGN_FROM)
		return 0;
	return (cap < BLOB_MAPPED ? ALIGN : PAGE) - sizeof(struct blob);
}

static size_t total(size_t cap)
{
	return lead(cap) + sizeof(struct blob) + cap;
}

static void *base(const struct blob *b)
{
	return (char *)(uintptr_t)b - lead(b->cap);
}

static bool is_mapped(size_t cap)
{
	return cap >= BLOB_MAPPED;
}

static struct blob *at_base(void *p, size_t cap)
{
	if (!p)
		return NULL;
	struct blob *b = (struct blob *)((char *)p + lead(cap));
	b->cap = cap;
	return b;
}

struct blob *blob_try(size_t cap)
{
	if (cap > PTRDIFF_MAX - PAGE)
		return NULL;
	void *p = is_mapped(cap) ? mem_pages_small(total(cap)) : mem_try(total(cap));
	struct blob *b = at_base(p, cap);
	if (b) {
		b->refs = 1;
		b->len = 0;
	}
	return b;
}

struct blob *blob_new(size_t cap)
{
	struct blob *b = blob_try(cap);
	if (!b)
		mem_none(cap);
	return b;
}

static void blob_free(void *p)
{
	struct blob *b = p;
	if (is_mapped(b->cap))
		mem_pages_free(base(b), total(b->cap));
	else
		mem_free(base(b));
}

size_t blob_mem(const struct blob *b)
{
	if (is_mapped(b->cap))
		return (total(b->cap) + PAGE - 1) & ~(PAGE - 1);
	return mem_size(base(b));
}

struct blob *blob_from(struct bytes b)
{
	struct blob *blob = blob_new(b.n);
	if (b.n)
		memcpy(blob->data, b.p, b.n);
	blob->len = b.n;
	return blob;
}

/* The engine thread alone changes a count, but the thread that frees a flushed database reads it. */
static void set_refs(struct blob *b, uint32_t refs)
{
	__atomic_store_n(&b->refs, refs, __ATOMIC_RELEASE);
}

struct blob *blob_get(struct blob *b)
{
	set_refs(b, b->refs + 1);
	return b;
}

void blob_put(struct blob *b)
{
	if (!b)
		return;
	if (b->refs > 1) {
		set_refs(b, b->refs - 1);
		return;
	}
	if (b->cap >= BACKGROUND_FROM)
		bgfree_submit(blob_free, b, 1);
	else
		blob_free(b);
}

static void put_late(void *b)
{
	blob_put(b);
}

void blob_put_elsewhere(struct blob *b)
{
	if (__atomic_load_n(&b->refs, __ATOMIC_ACQUIRE) == 1)
		blob_free(b);
	else
		bgfree_return(put_late, b);
}

/* The same bytes in a block of their own. */
static struct blob *copy_of(const struct blob *b, size_t cap)
{
	struct blob *copy = blob_try(cap);
	if (copy) {
		memcpy(copy->data, b->data, b->len);
		copy->len = b->len;
	}
	return copy;
}

struct blob *blob_resize(struct blob *b, size_t cap)
{
	void *p;
	if (cap > PTRDIFF_MAX - PAGE)
		return NULL;
	if (lead(cap) != lead(b->cap)) {
		struct blob *copy = copy_of(b, cap);
		if (copy)
			blob_put(b);
		return copy;
	}
	if (is_mapped(cap))
		p = mem_pages_resize(base(b), total(b->cap), total(cap));
	else
		p = mem_retry(base(b), total(cap));
	return at_base(p, cap);
}

struct blob *blob_own(struct blob *b, size_t cap)
{
	if (b->refs == 1)
		return b->cap >= cap ? b : blob_resize(b, cap);
	struct blob *copy = copy_of(b, cap < b->len ? b->len : cap);
	if (copy)
		blob_put(b);
	return copy;
}

/* The room from @from on, so many bytes of it at most not zero, is zero again. */
static void clean(struct blob *b, size_t from, size_t n)
{
	size_t end = from + n, page = (from + PAGE - 1) & ~(PAGE - 1);
	if (end > b->cap)
		end = b->cap;
	if (end <= page || end - page < HUGE_PAGE) {
		memset(b->data + from, 0, end - from);
		return;
	}
	memset(b->data + from, 0, page - from);
	mem_pages_clear(b->data + page, end - page);
}

void blob_set_len(struct blob *b, size_t len, size_t dirty)
{
	size_t old = b->len;
	b->len = len;
	if (is_mapped(b->cap)) {
		size_t first = len < old ? len : old;
		if (old + dirty > first)
			clean(b, first, old + dirty - first);
	} else if (len > old) {
		memset(b->data + old, 0, len - old);
	}
}

size_t blob_room(size_t cap, size_t need)
{
	if (cap < PAGE)
		cap = PAGE;
	while (cap < need)
		cap += cap < BLOB_MAPPED ? cap : cap / 4;
	/* To whole huge pages, where the system has them. */
	if (is_mapped(cap) && cap < PTRDIFF_MAX / 2)
		cap = ((total(cap) + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1)) - PAGE;
	return cap;
}

struct blob *blob_trim(struct blob *b)
{
	size_t most = is_mapped(b->cap) ? PAGE : b->cap / 16;
	if (b->refs > 1 || b->cap - b->len < most)
		return b;
	struct blob *less = blob_resize(b, b->len);
	return less ? less : b;
}
