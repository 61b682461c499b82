#include "store/types/listpack.h"

#include "store/base/mem.h"

/*
 *     u32 total | u16 count | element ... | 0xff
 *     element:  encoding and data | length of those, readable backwards
 *
 * The first byte of an element tells its kind:
 *     0xxxxxxx             integer 0..127
 *     10xxxxxx             string of up to 63 bytes
 *     110xxxxx +1          integer of 13 bits
 *     1110xxxx +1          string of up to 4095 bytes
 *     0xf0 +4              string, 32-bit length
 *     0xf1 0xf2 0xf3 0xf4  integer of 16, 24, 32, 64 bits
 * Numbers of more than one byte are little endian, but for the 12- and 13-bit ones.
 */
#define HEADER        6
#define END           0xff
#define COUNT_UNKNOWN 0xffff
#define BACKLEN_MAX   5

/* --- header --- */

static uint32_t get_u32(const unsigned char *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static uint16_t get_u16(const unsigned char *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static void set_total(unsigned char *lp, size_t n)
{
	uint32_t v = (uint32_t)n;
	memcpy(lp, &v, sizeof(v));
}

static void set_count(unsigned char *lp, size_t n)
{
	uint16_t v = n < COUNT_UNKNOWN ? (uint16_t)n : COUNT_UNKNOWN;
	memcpy(lp + 4, &v, sizeof(v));
}

size_t listpack_bytes(const unsigned char *lp)
{
	return get_u32(lp);
}

/* --- one element's bytes --- */

/* Encoding and data, without the back length; 0 for a first byte that begins no element. */
static inline size_t element_len(const unsigned char *p)
{
	unsigned c = p[0];

	if (c < 0x80)
		return 1;
	if (c < 0xc0)
		return 1 + (c & 0x3f);
	if (c < 0xe0)
		return 2;
	if (c < 0xf0)
		return 2 + (((c & 0x0f) << 8) | p[1]);
	switch (c) {
	case 0xf0:
		return 5 + (size_t)get_u32(p + 1);
	case 0xf1:
		return 3;
	case 0xf2:
		return 4;
	case 0xf3:
		return 5;
	case 0xf4:
		return 9;
	default:
		return 0;
	}
}

/* Redis writes 16383, 2097151 and 268435455 one byte longer than needed; readers count on it. */
static inline size_t backlen_size(size_t n)
{
	return n <= 127 ? 1 : n < 16383 ? 2 : n < 2097151 ? 3 : n < 268435455 ? 4 : 5;
}

static void put_backlen(unsigned char *p, size_t n)
{
	size_t size = backlen_size(n);

	for (size_t i = size; i-- > 0; n >>= 7)
		p[i] = (unsigned char)((n & 127) | (i ? 128 : 0));
}

/* The length that ends just before @p, and its size; false when it is no length or reaches before @floor. */
static bool get_backlen(const unsigned char *p, const unsigned char *floor, size_t *len)
{
	size_t v = 0;

	for (unsigned i = 0; i < BACKLEN_MAX; i++) {
		if (--p < floor)
			return false;
		v |= (size_t)(*p & 127) << (7 * i);
		if (!(*p & 128)) {
			*len = v;
			return true;
		}
	}
	return false;
}

static inline size_t element_total(const unsigned char *p)
{
	size_t n = element_len(p);
	return n + backlen_size(n);
}

static size_t int_len(int64_t v)
{
	if (v >= 0 && v <= 127)
		return 1;
	if (v >= -4096 && v <= 4095)
		return 2;
	if (v >= INT16_MIN && v <= INT16_MAX)
		return 3;
	if (v >= -(1 << 23) && v < (1 << 23))
		return 4;
	return v >= INT32_MIN && v <= INT32_MAX ? 5 : 9;
}

static size_t string_len(size_t n)
{
	return n + (n < 64 ? 1 : n < 4096 ? 2 : 5);
}

/* Something to store: an integer when it reads as one. */
struct element {
	struct bytes s;
	int64_t v;
	bool is_int;
	size_t len; /* encoding and data */
};

static struct element element_of(struct bytes s)
{
	struct element e = {.s = s};

	e.is_int = num_parse_int(s, &e.v);
	e.len = e.is_int ? int_len(e.v) : string_len(s.n);
	return e;
}

static struct element element_of_int(int64_t v)
{
	return (struct element){.v = v, .is_int = true, .len = int_len(v)};
}

static void put_int(unsigned char *p, int64_t v, size_t len)
{
	static const unsigned char lead[] = {[3] = 0xf1, [4] = 0xf2, [5] = 0xf3, [9] = 0xf4};

	if (len == 1) {
		p[0] = (unsigned char)v;
	} else if (len == 2) {
		p[0] = (unsigned char)(0xc0 | ((v >> 8) & 0x1f));
		p[1] = (unsigned char)v;
	} else {
		p[0] = lead[len];
		memcpy(p + 1, &v, len - 1);
	}
}

static void put_string(unsigned char *p, struct bytes s)
{
	if (s.n < 64) {
		*p++ = (unsigned char)(0x80 | s.n);
	} else if (s.n < 4096) {
		*p++ = (unsigned char)(0xe0 | (s.n >> 8));
		*p++ = (unsigned char)s.n;
	} else {
		uint32_t n = (uint32_t)s.n;
		*p++ = 0xf0;
		memcpy(p, &n, sizeof(n));
		p += sizeof(n);
	}
	if (s.n)
		memcpy(p, s.p, s.n);
}

static void put_element(unsigned char *p, const struct element *e)
{
	if (e->is_int)
		put_int(p, e->v, e->len);
	else
		put_string(p, e->s);
	put_backlen(p + e->len, e->len);
}

size_t listpack_element_size(struct bytes s)
{
	struct element e = element_of(s);
	return e.len + backlen_size(e.len);
}

/* The string of a string element. */
static inline struct bytes string_of(const unsigned char *p)
{
	if (p[0] < 0xc0)
		return bytes_of(p + 1, p[0] & 0x3f);
	if (p[0] < 0xf0)
		return bytes_of(p + 2, ((size_t)(p[0] & 0x0f) << 8) | p[1]);
	return bytes_of(p + 5, get_u32(p + 1));
}

static inline bool is_string(const unsigned char *p)
{
	return (p[0] & 0xc0) == 0x80 || (p[0] & 0xf0) == 0xe0 || p[0] == 0xf0;
}

bool listpack_get_int(const unsigned char *p, int64_t *out)
{
	unsigned c = p[0];

	if (c < 0x80) {
		*out = c;
		return true;
	}
	if (is_string(p))
		return false;
	if (c < 0xe0) {
		unsigned v = ((c & 0x1f) << 8) | p[1];
		*out = v < 4096 ? (int64_t)v : (int64_t)v - 8192;
		return true;
	}
	/* Load the low bytes at the top of a word, and let the shift bring the sign down. */
	size_t n = element_len(p) - 1;
	uint64_t v = 0;
	memcpy((unsigned char *)&v + sizeof(v) - n, p + 1, n);
	*out = (int64_t)v >> (8 * (sizeof(v) - n));
	return true;
}

struct bytes listpack_get(const unsigned char *p, char *buf)
{
	int64_t v;

	if (!listpack_get_int(p, &v))
		return string_of(p);
	return bytes_of(buf, num_format_int(buf, v));
}

/* --- making and freeing --- */

unsigned char *listpack_new(size_t capacity)
{
	unsigned char *lp = mem_alloc(capacity > HEADER + 1 ? capacity : HEADER + 1);

	set_total(lp, HEADER + 1);
	set_count(lp, 0);
	lp[HEADER] = END;
	return lp;
}

void listpack_free(unsigned char *lp)
{
	mem_free(lp);
}

unsigned char *listpack_dup(const unsigned char *lp)
{
	return mem_dup(lp, listpack_bytes(lp));
}

/* --- places --- */

size_t listpack_count(const unsigned char *lp)
{
	size_t n = get_u16(lp + 4);

	if (n != COUNT_UNKNOWN)
		return n;
	n = 0;
	for (const unsigned char *p = lp + HEADER; *p != END; p += element_total(p))
		n++;
	return n;
}

unsigned char *listpack_first(unsigned char *lp)
{
	return lp[HEADER] == END ? NULL : lp + HEADER;
}

unsigned char *listpack_next(unsigned char *lp, unsigned char *p)
{
	(void)lp;
	p += element_total(p);
	return *p == END ? NULL : p;
}

unsigned char *listpack_prev(unsigned char *lp, unsigned char *p)
{
	size_t len;

	if (!get_backlen(p, lp + HEADER, &len))
		return NULL;
	return p - backlen_size(len) - len;
}

unsigned char *listpack_last(unsigned char *lp)
{
	return listpack_prev(lp, lp + listpack_bytes(lp) - 1);
}

unsigned char *listpack_seek(unsigned char *lp, long index)
{
	size_t count = get_u16(lp + 4);
	unsigned char *p;

	if (count != COUNT_UNKNOWN) {
		if (index < 0)
			index += (long)count;
		if (index < 0 || (size_t)index >= count)
			return NULL;
		if ((size_t)index > count / 2)
			index -= (long)count;
	}
	if (index < 0) {
		for (p = listpack_last(lp); p && index < -1; index++)
			p = listpack_prev(lp, p);
	} else {
		for (p = listpack_first(lp); p && index > 0; index--)
			p = listpack_next(lp, p);
	}
	return p;
}

bool listpack_equal(const unsigned char *p, struct bytes s)
{
	int64_t v, w;

	if (!listpack_get_int(p, &v))
		return bytes_eq(string_of(p), s);
	return num_parse_int(s, &w) && v == w;
}

unsigned char *listpack_find(unsigned char *lp, unsigned char *p, struct bytes s, unsigned skip)
{
	int64_t want, v;
	bool is_int = num_parse_int(s, &want);

	(void)lp;
	while (p && *p != END) {
		if (is_string(p)) {
			if (bytes_eq(string_of(p), s))
				return p;
		} else if (is_int && listpack_get_int(p, &v) && v == want) {
			return p;
		}
		p += element_total(p);
		for (unsigned i = 0; i < skip && *p != END; i++)
			p += element_total(p);
	}
	return NULL;
}

/* --- changing --- */

/* Make the @old bytes at @at into a hole of @new bytes, and count @delta elements more. NULL when there is no room. */
static unsigned char *splice(unsigned char *lp, size_t at, size_t old, size_t new, long delta)
{
	size_t total = listpack_bytes(lp), size = total - old + new, have;

	if (size > LISTPACK_MAX)
		return NULL;
	if (new > old) {
		if (size > mem_size(lp)) {
			lp = mem_retry(lp, size);
			if (!lp)
				return NULL;
		}
		memmove(lp + at + new, lp + at + old, total - at - old);
	} else if (new < old) {
		memmove(lp + at + new, lp + at + old, total - at - old);
		have = mem_size(lp);
		if (size < have / 2) {
			unsigned char *smaller = mem_retry(lp, size);
			if (smaller)
				lp = smaller;
		}
	}
	set_total(lp, size);
	size_t count = get_u16(lp + 4);
	if (count != COUNT_UNKNOWN)
		set_count(lp, (size_t)((long)count + delta));
	return lp;
}

static unsigned char *put_at(unsigned char *lp, size_t at, const struct element *e)
{
	lp = splice(lp, at, 0, e->len + backlen_size(e->len), 1);
	if (lp)
		put_element(lp + at, e);
	return lp;
}

static unsigned char *insert_at(unsigned char *lp, size_t at, struct bytes s)
{
	if (s.n > LISTPACK_MAX)
		return NULL;
	struct element e = element_of(s);
	return put_at(lp, at, &e);
}

unsigned char *listpack_append_int(unsigned char *lp, int64_t v)
{
	struct element e = element_of_int(v);
	return put_at(lp, listpack_bytes(lp) - 1, &e);
}

unsigned char *listpack_append(unsigned char *lp, struct bytes s)
{
	return insert_at(lp, listpack_bytes(lp) - 1, s);
}

unsigned char *listpack_prepend(unsigned char *lp, struct bytes s)
{
	return insert_at(lp, HEADER, s);
}

unsigned char *listpack_insert(unsigned char *lp, unsigned char *p, bool after, struct bytes s,
			       unsigned char **newp)
{
	size_t at = (size_t)(p - lp) + (after ? element_total(p) : 0);

	lp = insert_at(lp, at, s);
	if (lp && newp)
		*newp = lp + at;
	return lp;
}

static unsigned char *replace_with(unsigned char *lp, unsigned char **p, const struct element *e)
{
	size_t at = (size_t)(*p - lp);

	lp = splice(lp, at, element_total(*p), e->len + backlen_size(e->len), 0);
	if (lp) {
		put_element(lp + at, e);
		*p = lp + at;
	}
	return lp;
}

unsigned char *listpack_replace(unsigned char *lp, unsigned char **p, struct bytes s)
{
	if (s.n > LISTPACK_MAX)
		return NULL;
	struct element e = element_of(s);
	return replace_with(lp, p, &e);
}

unsigned char *listpack_replace_int(unsigned char *lp, unsigned char **p, int64_t v)
{
	struct element e = element_of_int(v);
	return replace_with(lp, p, &e);
}

unsigned char *listpack_delete(unsigned char *lp, unsigned char *p, unsigned char **newp)
{
	size_t at = (size_t)(p - lp);

	lp = splice(lp, at, element_total(p), 0, -1);
	if (newp)
		*newp = lp[at] == END ? NULL : lp + at;
	return lp;
}

unsigned char *listpack_delete_range(unsigned char *lp, long index, size_t count)
{
	unsigned char *first = listpack_seek(lp, index), *p = first;
	size_t n = 0;

	if (!first || count == 0)
		return lp;
	for (; n < count && *p != END; n++)
		p += element_total(p);
	return splice(lp, (size_t)(first - lp), (size_t)(p - first), 0, -(long)n);
}

unsigned char *listpack_split(unsigned char *lp, unsigned char *p, unsigned char **tail)
{
	size_t at = (size_t)(p - lp), bytes = listpack_bytes(lp) - at; /* with the end mark */
	size_t count = 0;
	unsigned char *t = mem_try(HEADER + bytes);

	if (!t)
		return NULL;
	for (const unsigned char *q = p; *q != END; q += element_total(q))
		count++;
	memcpy(t + HEADER, p, bytes);
	set_total(t, HEADER + bytes);
	set_count(t, count);
	*tail = t;
	return splice(lp, at, bytes - 1, 0, -(long)count);
}

unsigned char *listpack_merge(unsigned char *lp, const unsigned char *other)
{
	size_t at = listpack_bytes(lp) - 1, bytes = listpack_bytes(other) - HEADER - 1;

	lp = splice(lp, at, 0, bytes, (long)listpack_count(other));
	if (lp)
		memcpy(lp + at, other + HEADER, bytes);
	return lp;
}

/* --- bytes from elsewhere --- */

/* Whether @n bytes at @p begin with the whole head of an element: what element_len reads. */
static bool head_fits(const unsigned char *p, size_t n)
{
	if (n == 0)
		return false;
	if (p[0] < 0xc0)
		return true;
	return p[0] < 0xf0 ? n >= 2 : p[0] == 0xf0 ? n >= 5 : p[0] <= 0xf4;
}

bool listpack_valid(const unsigned char *lp, size_t n)
{
	if (n < HEADER + 1 || n > LISTPACK_MAX || get_u32(lp) != n || lp[n - 1] != END)
		return false;
	const unsigned char *p = lp + HEADER, *end = lp + n - 1;
	size_t count = 0, claimed = get_u16(lp + 4), back;
	for (; p < end; count++) {
		if (!head_fits(p, (size_t)(end - p)))
			return false;
		size_t len = element_len(p), room = (size_t)(end - p);
		if (len > room || backlen_size(len) > room - len)
			return false;
		p += len + backlen_size(len);
		if (!get_backlen(p, p - backlen_size(len), &back) || back != len)
			return false;
	}
	/* A length that stops short of its own size would be read back from the wrong place. */
	return claimed == COUNT_UNKNOWN || claimed == count;
}
