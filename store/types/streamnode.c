#include "store/types/streamnode.h"

#include "store/base/mem.h"

enum {
	ENTRY_DELETED = 1,
	ENTRY_SAMEFIELDS = 2,
};

/* Elements before the first field of an entry with its own fields, and before the first value of one without. */
#define HEAD_OWN  4
#define HEAD_SAME 3

static int64_t number(const unsigned char *p)
{
	int64_t v = 0;

	listpack_get_int(p, &v);
	return v;
}

/* The master's elements. */
static unsigned char *master_fields(unsigned char *lp)
{
	return listpack_next(lp, listpack_next(lp, listpack_first(lp)));
}

uint64_t streamnode_live(unsigned char *lp)
{
	return (uint64_t)number(listpack_first(lp));
}

uint64_t streamnode_deleted(unsigned char *lp)
{
	return (uint64_t)number(listpack_next(lp, listpack_first(lp)));
}

/* --- appending --- */

size_t streamnode_size(const struct bytes *pairs, size_t nfields)
{
	size_t n = 128;

	for (size_t i = 0; i < 2 * nfields; i++) {
		size_t one = listpack_element_size(pairs[i]);
		if (one > STREAMNODE_MAX - n)
			return SIZE_MAX;
		n += one;
	}
	return n;
}

/* Append to *@lp; false, *@lp as it was, when it cannot be. */
static bool add_int(unsigned char **lp, int64_t v)
{
	unsigned char *p = listpack_append_int(*lp, v);

	if (p)
		*lp = p;
	return p != NULL;
}

static bool add_bytes(unsigned char **lp, struct bytes b)
{
	unsigned char *p = listpack_append(*lp, b);

	if (p)
		*lp = p;
	return p != NULL;
}

unsigned char *streamnode_new(const struct bytes *pairs, size_t nfields)
{
	unsigned char *lp = listpack_new(64);
	bool ok = add_int(&lp, 0) && add_int(&lp, 0) && add_int(&lp, (int64_t)nfields);

	for (size_t i = 0; ok && i < nfields; i++)
		ok = add_bytes(&lp, pairs[2 * i]);
	if (ok && add_int(&lp, 0))
		return lp;
	listpack_free(lp);
	return NULL;
}

static bool has_names(unsigned char *lp, const struct bytes *pairs, size_t nfields)
{
	unsigned char *p = master_fields(lp);

	if ((uint64_t)number(p) != nfields)
		return false;
	for (size_t i = 0; i < nfields; i++) {
		p = listpack_next(lp, p);
		if (!listpack_equal(p, pairs[2 * i]))
			return false;
	}
	return true;
}

static bool add_entry(unsigned char **lp, struct stream_id delta, bool same,
		      const struct bytes *pairs, size_t nfields)
{
	size_t elements = same ? HEAD_SAME + nfields : HEAD_OWN + 2 * nfields;

	if (!add_int(lp, same ? ENTRY_SAMEFIELDS : 0) || !add_int(lp, (int64_t)delta.ms) ||
	    !add_int(lp, (int64_t)delta.seq) || (!same && !add_int(lp, (int64_t)nfields)))
		return false;
	for (size_t i = 0; i < nfields; i++) {
		if ((!same && !add_bytes(lp, pairs[2 * i])) || !add_bytes(lp, pairs[2 * i + 1]))
			return false;
	}
	return add_int(lp, (int64_t)elements);
}

/* Take back what was appended since the node had @bytes. Giving back never fails. */
static unsigned char *cut(unsigned char *lp, size_t bytes)
{
	while (listpack_bytes(lp) > bytes)
		lp = listpack_delete(lp, listpack_last(lp), NULL);
	return lp;
}

bool streamnode_append(unsigned char **lp, struct stream_id master, struct stream_id id,
		       const struct bytes *pairs, size_t nfields)
{
	size_t before = listpack_bytes(*lp);
	struct stream_id delta = {id.ms - master.ms, id.seq - master.seq};

	if (add_entry(lp, delta, has_names(*lp, pairs, nfields), pairs, nfields)) {
		unsigned char *live = listpack_first(*lp);
		unsigned char *counted = listpack_replace_int(*lp, &live, number(live) + 1);
		if (counted) {
			*lp = counted;
			return true;
		}
	}
	*lp = cut(*lp, before);
	return false;
}

/* --- walking --- */

static bool entry_at(unsigned char *lp, struct stream_id master, unsigned char *p,
		     struct streamnode_entry *e)
{
	unsigned char *fields = master_fields(lp);
	int64_t flags = number(p);

	e->at = p;
	e->deleted = flags & ENTRY_DELETED;
	e->same = flags & ENTRY_SAMEFIELDS;
	e->names = listpack_next(lp, fields);
	p = listpack_next(lp, p);
	e->id.ms = master.ms + (uint64_t)number(p);
	p = listpack_next(lp, p);
	e->id.seq = master.seq + (uint64_t)number(p);
	p = listpack_next(lp, p);
	if (e->same) {
		e->nfields = (size_t)number(fields);
	} else {
		e->nfields = (size_t)number(p);
		p = listpack_next(lp, p);
	}
	e->data = p;
	return true;
}

/* The element after the master entry, NULL when nothing follows. */
static unsigned char *after_master(unsigned char *lp)
{
	unsigned char *p = master_fields(lp);
	int64_t n = number(p);

	while (n-- >= 0)
		p = listpack_next(lp, p);
	return listpack_next(lp, p);
}

bool streamnode_first(unsigned char *lp, struct stream_id master, struct streamnode_entry *e)
{
	unsigned char *p = after_master(lp);
	return p && entry_at(lp, master, p, e);
}

/* The entry whose last element is @p; the master entry ends with a zero. */
static bool entry_ending_at(unsigned char *lp, struct stream_id master, unsigned char *p,
			    struct streamnode_entry *e)
{
	int64_t n = number(p);

	if (n == 0)
		return false;
	while (n--)
		p = listpack_prev(lp, p);
	return entry_at(lp, master, p, e);
}

bool streamnode_last(unsigned char *lp, struct stream_id master, struct streamnode_entry *e)
{
	return entry_ending_at(lp, master, listpack_last(lp), e);
}

bool streamnode_next(unsigned char *lp, struct stream_id master, struct streamnode_entry *e)
{
	unsigned char *p = e->data;

	for (size_t n = e->same ? e->nfields : 2 * e->nfields; n; n--)
		p = listpack_next(lp, p);
	p = listpack_next(lp, p);
	return p && entry_at(lp, master, p, e);
}

bool streamnode_prev(unsigned char *lp, struct stream_id master, struct streamnode_entry *e)
{
	return entry_ending_at(lp, master, listpack_prev(lp, e->at), e);
}

/* --- deleting --- */

void streamnode_mark(struct streamnode_entry *e)
{
	/* A number below 128 is its own encoding. */
	*e->at |= ENTRY_DELETED;
	e->deleted = true;
}

/* Replace a counter; where that makes it longer there must be room. */
static unsigned char *set_counter(unsigned char *lp, unsigned char **p, int64_t v)
{
	size_t at = (size_t)(*p - lp);
	unsigned char *changed = listpack_replace_int(lp, p, v);

	if (changed)
		return changed;
	lp = mem_realloc(lp, listpack_bytes(lp) + 16);
	*p = lp + at;
	return listpack_replace_int(lp, p, v);
}

unsigned char *streamnode_count(unsigned char *lp, uint64_t deleted)
{
	unsigned char *p = listpack_first(lp);

	lp = set_counter(lp, &p, number(p) - (int64_t)deleted);
	p = listpack_next(lp, p);
	return set_counter(lp, &p, number(p) + (int64_t)deleted);
}

/* --- bytes from elsewhere --- */

/* A number that counts elements, at *@p, of which no more than @left follow; steps over it. */
static bool take_count(unsigned char *lp, unsigned char **p, size_t left, size_t *n)
{
	int64_t v;

	if (!*p || !listpack_get_int(*p, &v) || v < 0 || (uint64_t)v > left)
		return false;
	*n = (size_t)v;
	*p = listpack_next(lp, *p);
	return true;
}

static bool take_int(unsigned char *lp, unsigned char **p, int64_t *v)
{
	if (!*p || !listpack_get_int(*p, v))
		return false;
	*p = listpack_next(lp, *p);
	return true;
}

/* Step over @n elements. */
static bool take_any(unsigned char *lp, unsigned char **p, size_t n)
{
	for (; n && *p; n--)
		*p = listpack_next(lp, *p);
	return n == 0;
}

/* One entry at *@p; *@id is the one before and becomes its own. */
static bool take_entry(unsigned char *lp, unsigned char **p, struct stream_id master, size_t names,
		       size_t left, struct stream_id *id, bool *deleted)
{
	unsigned flags = **p;
	int64_t ms, seq, before;
	size_t n = names, head = HEAD_SAME;

	if (flags > (ENTRY_DELETED | ENTRY_SAMEFIELDS) || !take_any(lp, p, 1) ||
	    !take_int(lp, p, &ms) || !take_int(lp, p, &seq))
		return false;
	if (!(flags & ENTRY_SAMEFIELDS)) {
		if (!take_count(lp, p, left / 2, &n))
			return false;
		n *= 2;
		head = HEAD_OWN;
	}
	struct stream_id mine = {master.ms + (uint64_t)ms, master.seq + (uint64_t)seq};
	if (stream_id_cmp(mine, *id) <= 0 || !take_any(lp, p, n) || !take_int(lp, p, &before) ||
	    before < 0 || (uint64_t)before != head + n)
		return false;
	*id = mine;
	*deleted = flags & ENTRY_DELETED;
	return true;
}

bool streamnode_valid(unsigned char *lp, struct stream_id master)
{
	size_t left = listpack_count(lp), live, dead, names, zero;
	unsigned char *p = listpack_first(lp);
	struct stream_id id = master;
	bool deleted;

	if (listpack_bytes(lp) > STREAMNODE_MAX || !take_count(lp, &p, left, &live) ||
	    !take_count(lp, &p, left, &dead) || !take_count(lp, &p, left, &names) ||
	    !take_any(lp, &p, names) || !take_count(lp, &p, 0, &zero))
		return false;
	/* The first entry has the node's own id: begin one before it, which may be before all of them. */
	bool at_zero = !id.ms && !id.seq;
	if (!at_zero && id.seq-- == 0)
		id.ms--;
	while (p) {
		if (!take_entry(lp, &p, master, names, left, &id, &deleted))
			return false;
		if (deleted ? dead-- == 0 : live-- == 0)
			return false;
	}
	return !at_zero && live == 0 && dead == 0;
}
