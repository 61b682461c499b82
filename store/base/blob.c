/* store/base/blob.c - counted blocks of bytes: see blob.h. */
#include "store/base/blob.h"

#include "store/base/bgfree.h"
#include "store/base/mem.h"

/* From here on giving the pages back takes longer than handing the block to another thread. */
#define BACKGROUND_FROM ((size_t)1 << 20)

static struct blob *blob_init(struct blob *b, size_t cap)
{
	if (b) {
		b->refs = 1;
		b->len = 0;
		b->cap = cap;
	}
	return b;
}

struct blob *blob_new(size_t cap)
{
	return blob_init(mem_alloc(sizeof(struct blob) + cap), cap);
}

struct blob *blob_try(size_t cap)
{
	if (cap > PTRDIFF_MAX - sizeof(struct blob))
		return NULL;
	return blob_init(mem_try(sizeof(struct blob) + cap), cap);
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
		bgfree_submit(mem_free, b, 1);
	else
		mem_free(b);
}

static void put_late(void *b)
{
	blob_put(b);
}

void blob_put_elsewhere(struct blob *b)
{
	if (__atomic_load_n(&b->refs, __ATOMIC_ACQUIRE) == 1)
		mem_free(b);
	else
		bgfree_return(put_late, b);
}

struct blob *blob_own(struct blob *b, size_t cap)
{
	if (b->refs == 1) {
		if (b->cap >= cap)
			return b;
		if (cap > PTRDIFF_MAX - sizeof(struct blob))
			return NULL;
		b = mem_retry(b, sizeof(struct blob) + cap);
		if (b)
			b->cap = cap;
		return b;
	}
	if (cap < b->len)
		cap = b->len;
	struct blob *copy = blob_try(cap);
	if (!copy)
		return NULL;
	memcpy(copy->data, b->data, b->len);
	copy->len = b->len;
	blob_put(b);
	return copy;
}

struct blob *blob_trim(struct blob *b)
{
	if (b->refs > 1 || b->cap - b->len < b->cap / 16)
		return b;
	struct blob *less = mem_retry(b, sizeof(struct blob) + b->len);
	if (!less)
		return b;
	less->cap = less->len;
	return less;
}
