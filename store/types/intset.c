#include "store/types/intset.h"

#include <string.h>

#include "store/base/mem.h"

/* u32 width | u32 count | integers. Little endian, as the machines this runs on are. */
#define HEADER 8

static uint32_t get_u32(const unsigned char *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static void set_u32(unsigned char *p, size_t n)
{
	uint32_t v = (uint32_t)n;
	memcpy(p, &v, sizeof(v));
}

static uint32_t width_of(int64_t v)
{
	if (v >= INT16_MIN && v <= INT16_MAX)
		return 2;
	return v >= INT32_MIN && v <= INT32_MAX ? 4 : 8;
}

static int64_t load(const unsigned char *is, uint32_t width, size_t i)
{
	const unsigned char *p = is + HEADER + i * width;
	int16_t v16;
	int32_t v32;
	int64_t v64;

	switch (width) {
	case 2:
		memcpy(&v16, p, sizeof(v16));
		return v16;
	case 4:
		memcpy(&v32, p, sizeof(v32));
		return v32;
	default:
		memcpy(&v64, p, sizeof(v64));
		return v64;
	}
}

/* The low @width bytes of @v are the narrower integer. */
static void save(unsigned char *is, uint32_t width, size_t i, int64_t v)
{
	memcpy(is + HEADER + i * width, &v, width);
}

size_t intset_count(const unsigned char *is)
{
	return get_u32(is + 4);
}

size_t intset_bytes(const unsigned char *is)
{
	return HEADER + (size_t)get_u32(is) * intset_count(is);
}

int64_t intset_at(const unsigned char *is, size_t i)
{
	return load(is, get_u32(is), i);
}

unsigned char *intset_new(void)
{
	unsigned char *is = mem_alloc(HEADER);

	set_u32(is, 2);
	set_u32(is + 4, 0);
	return is;
}

void intset_free(unsigned char *is)
{
	mem_free(is);
}

unsigned char *intset_dup(const unsigned char *is)
{
	return mem_dup(is, intset_bytes(is));
}

/* Where @v stands, or else where it would go. */
static bool search(const unsigned char *is, int64_t v, size_t *pos)
{
	uint32_t width = get_u32(is);
	size_t lo = 0, hi = intset_count(is);

	if (hi > 0 && v > load(is, width, hi - 1)) {
		*pos = hi;
		return false;
	}
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int64_t at = load(is, width, mid);
		if (at == v) {
			*pos = mid;
			return true;
		}
		if (at < v)
			lo = mid + 1;
		else
			hi = mid;
	}
	*pos = lo;
	return false;
}

bool intset_has(const unsigned char *is, int64_t v)
{
	size_t pos;
	return width_of(v) <= get_u32(is) && search(is, v, &pos);
}

static unsigned char *resize(unsigned char *is, size_t bytes)
{
	size_t have = mem_size(is);
	return bytes > have || bytes < have / 2 ? mem_realloc(is, bytes) : is;
}

/* Widen for @v, which is then before or after all others. */
static unsigned char *widen_add(unsigned char *is, int64_t v)
{
	uint32_t old = get_u32(is), width = width_of(v);
	size_t count = intset_count(is), shift = v < 0;

	is = resize(is, HEADER + (count + 1) * width);
	for (size_t i = count; i-- > 0;)
		save(is, width, i + shift, load(is, old, i));
	save(is, width, shift ? 0 : count, v);
	set_u32(is, width);
	set_u32(is + 4, count + 1);
	return is;
}

unsigned char *intset_add(unsigned char *is, int64_t v, bool *added)
{
	uint32_t width = get_u32(is);
	size_t count = intset_count(is), pos;

	*added = true;
	if (width_of(v) > width)
		return widen_add(is, v);
	if (search(is, v, &pos)) {
		*added = false;
		return is;
	}
	is = resize(is, HEADER + (count + 1) * width);
	unsigned char *at = is + HEADER + pos * width;
	memmove(at + width, at, (count - pos) * width);
	save(is, width, pos, v);
	set_u32(is + 4, count + 1);
	return is;
}

unsigned char *intset_remove(unsigned char *is, int64_t v, bool *removed)
{
	uint32_t width = get_u32(is);
	size_t count = intset_count(is), pos;

	*removed = width_of(v) <= width && search(is, v, &pos);
	if (!*removed)
		return is;
	unsigned char *at = is + HEADER + pos * width;
	memmove(at, at + width, (count - pos - 1) * width);
	set_u32(is + 4, count - 1);
	return resize(is, HEADER + (count - 1) * width);
}

bool intset_valid(const unsigned char *is, size_t n)
{
	if (n < HEADER)
		return false;
	uint32_t width = get_u32(is);
	size_t count = intset_count(is);
	if ((width != 2 && width != 4 && width != 8) || count == 0)
		return false;
	if ((n - HEADER) % width != 0 || (n - HEADER) / width != count)
		return false;
	for (size_t i = 1; i < count; i++)
		if (load(is, width, i - 1) >= load(is, width, i))
			return false;
	return true;
}
