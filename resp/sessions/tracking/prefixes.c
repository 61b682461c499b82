/* resp/sessions/tracking/prefixes.c - see prefixes.h. */
#define uthash_malloc(n)  mem_alloc(n)
#define uthash_free(p, n) mem_free(p)
#include "resp/sessions/tracking/prefixes.h"

#include <stdlib.h>
#include <uthash.h>
#include <utlist.h>

#include "resp/proto/reply.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"

struct changed_key {
	uint64_t by;
	UT_hash_handle hh;
	size_t n;
	char name[];
};

struct prefix {
	struct prefix_member *first; /* never empty */
	struct changed_key *changed;
	bool lost; /* something changed for which there was no memory */
	bool has_news;
	struct prefix *prev, *next; /* of those with news */
	UT_hash_handle hh;
	size_t n;
	char name[];
};

struct prefix_member {
	struct prefix *prefix;
	void *who;
	struct prefix_member *prev, *next;
};

/* So that a change asks the table once for each length there is, whatever the number of prefixes. */
struct prefix_length {
	size_t n, prefixes;
};

struct prefixes {
	struct prefix *all;
	struct prefix_length *lengths; /* ascending */
	size_t nlengths;
	struct prefix *news; /* of which something is to be told */
};

struct prefixes *prefixes_new(void)
{
	return mem_calloc(sizeof(struct prefixes));
}

void prefixes_free(struct prefixes *p)
{
	mem_free(p->lengths);
	mem_free(p);
}

/* --- members --- */

static size_t length_place(const struct prefixes *p, size_t n)
{
	size_t at = 0;
	while (at < p->nlengths && p->lengths[at].n < n)
		at++;
	return at;
}

static void count_length(struct prefixes *p, size_t n)
{
	size_t at = length_place(p, n);
	if (at == p->nlengths || p->lengths[at].n != n) {
		p->lengths = mem_realloc(p->lengths, (p->nlengths + 1) * sizeof(*p->lengths));
		memmove(p->lengths + at + 1, p->lengths + at,
			(p->nlengths - at) * sizeof(*p->lengths));
		p->lengths[at] = (struct prefix_length){.n = n};
		p->nlengths++;
	}
	p->lengths[at].prefixes++;
}

static void discount_length(struct prefixes *p, size_t n)
{
	size_t at = length_place(p, n);
	if (--p->lengths[at].prefixes)
		return;
	p->nlengths--;
	memmove(p->lengths + at, p->lengths + at + 1, (p->nlengths - at) * sizeof(*p->lengths));
}

static struct prefix *find(const struct prefixes *p, struct bytes name)
{
	struct prefix *x;
	HASH_FIND_BYHASHVALUE(hh, p->all, name.p, name.n, (unsigned)keyhash(name), x);
	return x;
}

static struct prefix *add(struct prefixes *p, struct bytes name)
{
	struct prefix *x = mem_try(sizeof(*x) + name.n);
	if (!x)
		return NULL;
	*x = (struct prefix){.n = name.n};
	if (name.n)
		memcpy(x->name, name.p, name.n);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, p->all, x->name, x->n, (unsigned)keyhash(name), x);
	count_length(p, name.n);
	return x;
}

struct prefix_member *prefixes_join(struct prefixes *p, struct bytes name, void *who)
{
	struct prefix *x = find(p, name);
	if (!x)
		x = add(p, name);
	if (!x)
		return NULL;
	struct prefix_member *m = mem_alloc(sizeof(*m));
	*m = (struct prefix_member){.prefix = x, .who = who, .next = x->first};
	if (x->first)
		x->first->prev = m;
	x->first = m;
	return m;
}

static void forget_changes(struct prefixes *p, struct prefix *x)
{
	struct changed_key *k, *tmp;
	if (x->has_news)
		DL_DELETE(p->news, x);
	x->has_news = x->lost = false;
	HASH_ITER (hh, x->changed, k, tmp) {
		HASH_DEL(x->changed, k);
		mem_free(k);
	}
}

void prefixes_leave(struct prefixes *p, struct prefix_member *m)
{
	struct prefix *x = m->prefix;
	if (m->next)
		m->next->prev = m->prev;
	if (m->prev)
		m->prev->next = m->next;
	else
		x->first = m->next;
	mem_free(m);
	if (x->first)
		return;
	forget_changes(p, x);
	discount_length(p, x->n);
	HASH_DEL(p->all, x);
	mem_free(x);
}

struct bytes prefix_name(const struct prefix_member *m)
{
	return bytes_of(m->prefix->name, m->prefix->n);
}

size_t prefixes_count(const struct prefixes *p)
{
	return HASH_COUNT(p->all);
}

/* --- changes --- */

static void note(struct prefix *x, struct bytes key, uint64_t hash, uint64_t by)
{
	struct changed_key *k;
	HASH_FIND_BYHASHVALUE(hh, x->changed, key.p, key.n, (unsigned)hash, k);
	if (!k) {
		k = mem_try(sizeof(*k) + key.n);
		if (!k) {
			x->lost = true;
			return;
		}
		k->n = key.n;
		if (key.n)
			memcpy(k->name, key.p, key.n);
		HASH_ADD_KEYPTR_BYHASHVALUE(hh, x->changed, k->name, k->n, (unsigned)hash, k);
	}
	k->by = by;
}

bool prefixes_changed(struct prefixes *p, struct bytes key, uint64_t by)
{
	bool first = !p->news;
	uint64_t hash = keyhash(key);
	for (size_t i = 0; i < p->nlengths && p->lengths[i].n <= key.n; i++) {
		struct prefix *x = find(p, bytes_of(key.p, p->lengths[i].n));
		if (!x)
			continue;
		note(x, key, hash, by);
		if (!x->has_news)
			DL_APPEND(p->news, x);
		x->has_news = true;
	}
	return first && p->news;
}

/* --- telling --- */

/* The array for those who want all of it is made once. */
struct prefix_news {
	struct prefix *prefix;
	struct reply all;
	bool made;
};

static int by_bytes(struct bytes a, struct bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;
	return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int by_key(const struct changed_key *a, const struct changed_key *b)
{
	return by_bytes(bytes_of(a->name, a->n), bytes_of(b->name, b->n));
}

static int by_prefix(const struct prefix *a, const struct prefix *b)
{
	return by_bytes(bytes_of(a->name, a->n), bytes_of(b->name, b->n));
}

static void append_keys(const struct prefix *x, uint64_t except, size_t n, struct reply *out)
{
	reply_array(out, n);
	for (const struct changed_key *k = x->changed; k; k = k->hh.next)
		if (!except || k->by != except)
			reply_bulk(out, bytes_of(k->name, k->n));
}

static void append_copy(const struct reply *from, struct reply *out)
{
	struct iovec few[8], *iov = few;
	size_t covered;
	int max = (int)from->nodes + 1;
	if (max > 8)
		iov = mem_alloc((size_t)max * sizeof(*iov));
	int n = reply_iov(from, iov, max, &covered);
	for (int i = 0; i < n; i++)
		reply_raw(out, iov[i].iov_base, iov[i].iov_len);
	if (iov != few)
		mem_free(iov);
}

size_t prefix_news_count(const struct prefix_news *news, uint64_t except)
{
	const struct prefix *x = news->prefix;
	size_t n = HASH_COUNT(x->changed);
	if (x->lost)
		return 1;
	for (const struct changed_key *k = x->changed; except && k; k = k->hh.next)
		n -= k->by == except;
	return n;
}

void prefix_news_append(struct prefix_news *news, uint64_t except, struct reply *out)
{
	const struct prefix *x = news->prefix;
	size_t all = HASH_COUNT(x->changed), n = prefix_news_count(news, except);
	if (x->lost) {
		reply_null(out);
		return;
	}
	if (n < all) {
		append_keys(x, except, n, out);
		return;
	}
	if (!news->made)
		append_keys(x, 0, n, &news->all);
	news->made = true;
	append_copy(&news->all, out);
}

void prefixes_tell(struct prefixes *p, void (*tell)(void *arg, void *who, struct prefix_news *news),
		   void *arg)
{
	DL_SORT(p->news, by_prefix);
	while (p->news) {
		struct prefix *x = p->news;
		HASH_SORT(x->changed, by_key);
		struct prefix_news news = {.prefix = x};
		reply_init(&news.all, 2);
		for (struct prefix_member *m = x->first; m; m = m->next)
			tell(arg, m->who, &news);
		reply_fini(&news.all);
		forget_changes(p, x);
	}
}

/* --- overlaps --- */

static bool begins(struct bytes longer, struct bytes shorter)
{
	return longer.n >= shorter.n && (!shorter.n || !memcmp(longer.p, shorter.p, shorter.n));
}

static bool overlap(struct bytes a, struct bytes b)
{
	return begins(a, b) || begins(b, a);
}

struct named {
	struct bytes name;
	size_t at;
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = by_bytes(x->name, y->name);
	return order ? order : (x->at > y->at) - (x->at < y->at);
}

/* In sorted order what begins with a name stands right behind it. So one pass finds all that clash with some other; answers the first
 * new one of them, or @n. */
static size_t first_clashing(struct named *sorted, size_t old, size_t n)
{
	size_t first = n, top = 0; /* the innermost name that goes on is sorted[top] */
	size_t *under = mem_alloc((n ? n : 1) * sizeof(*under));
	size_t depth = 0;
	for (size_t i = 0; i < n; i++) {
		while (depth && !begins(sorted[i].name, sorted[under[depth - 1]].name))
			depth--;
		if (depth) {
			top = sorted[under[depth - 1]].at;
			if (top >= old && top < first)
				first = top;
			if (sorted[i].at >= old && sorted[i].at < first)
				first = sorted[i].at;
		}
		under[depth++] = i;
	}
	mem_free(under);
	return first;
}

bool prefixes_clash(const struct bytes *names, size_t old, size_t n, size_t *one, size_t *other)
{
	struct named *sorted = mem_alloc((n ? n : 1) * sizeof(*sorted));
	for (size_t i = 0; i < n; i++)
		sorted[i] = (struct named){names[i], i};
	qsort(sorted, n, sizeof(*sorted), by_name);
	*one = first_clashing(sorted, old, n);
	mem_free(sorted);
	if (*one == n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (i == old)
			i = *one + 1;
		if (i < n && overlap(names[*one], names[i])) {
			*other = i;
			return true;
		}
	}
	return false;
}
