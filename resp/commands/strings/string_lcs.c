/* LCS: the longest common subsequence of two strings. */
#include "resp/commands/strings/string.h"
#include "resp/server.h"
#include "store/base/mem.h"
#include "store/base/num.h"

struct lcs {
	struct bytes a, b;
	bool len_only, ranges, with_len;
	int64_t min_len;
	uint32_t *table; /* (a.n + 1) rows of b.n + 1: the length for each pair of prefixes */
};

static uint32_t *cell(const struct lcs *l, size_t i, size_t j)
{
	return &l->table[i * (l->b.n + 1) + j];
}

static bool options_read(struct call *c, struct lcs *l)
{
	for (int i = 3; i < c->argc; i++) {
		struct bytes w = c->argv[i];
		if (bytes_is(w, "len")) {
			l->len_only = true;
		} else if (bytes_is(w, "idx")) {
			l->ranges = true;
		} else if (bytes_is(w, "withmatchlen")) {
			l->with_len = true;
		} else if (bytes_is(w, "minmatchlen") && i + 1 < c->argc) {
			if (!call_int(c, ++i, &l->min_len))
				return false;
		} else {
			call_syntax_error(c);
			return false;
		}
	}
	if (l->len_only && l->ranges) {
		reply_error(c->reply,
			    "ERR If you want both the length and indexes, please just use IDX.");
		return false;
	}
	return true;
}

static bool table_make(struct call *c, struct lcs *l)
{
	size_t size;
	if (l->a.n >= UINT32_MAX - 1 || l->b.n >= UINT32_MAX - 1) {
		reply_error(c->reply, "ERR String too long for LCS");
		return false;
	}
	/* Lengths below 2^32 each: the product fits, four times it may not. */
	if (__builtin_mul_overflow((l->a.n + 1) * (l->b.n + 1), sizeof(*l->table), &size) ||
	    size > (uint64_t)c->server->config.proto_max_bulk_len) {
		reply_error(c->reply, "ERR Insufficient memory, transient memory for LCS exceeds "
				      "proto-max-bulk-len");
		return false;
	}
	l->table = mem_try(size);
	if (l->table)
		return true;
	reply_error(c->reply,
		    "ERR Insufficient memory, failed allocating transient memory for LCS");
	return false;
}

static void table_fill(struct lcs *l)
{
	for (size_t j = 0; j <= l->b.n; j++)
		*cell(l, 0, j) = 0;
	for (size_t i = 1; i <= l->a.n; i++) {
		uint32_t *row = cell(l, i, 0);
		const uint32_t *above = cell(l, i - 1, 0);
		row[0] = 0;
		for (size_t j = 1; j <= l->b.n; j++) {
			if (l->a.p[i - 1] == l->b.p[j - 1])
				row[j] = above[j - 1] + 1;
			else
				row[j] = above[j] > row[j - 1] ? above[j] : row[j - 1];
		}
	}
}

/* A run of equal bytes that ends before a[@i] and b[@j] is @n long. */
static size_t run_length(const struct lcs *l, size_t i, size_t j)
{
	size_t n = 0;
	while (n < i && n < j && l->a.p[i - 1 - n] == l->b.p[j - 1 - n])
		n++;
	return n;
}

/* One step back from (@i, @j), which do not match: to where the longer subsequence is. */
static void step_back(const struct lcs *l, size_t *i, size_t *j)
{
	if (*cell(l, *i - 1, *j) > *cell(l, *i, *j - 1))
		--*i;
	else
		--*j;
}

static void reply_pair(struct reply *r, size_t first, size_t n)
{
	reply_array(r, 2);
	reply_int(r, (int64_t)first);
	reply_int(r, (int64_t)(first + n - 1));
}

/* The runs that make up the subsequence, from the end of the strings on. */
static void reply_ranges(struct call *c, const struct lcs *l)
{
	reply_map(c->reply, 2);
	reply_bulk_str(c->reply, "matches");
	struct reply_later later = reply_later_begin(c->reply);
	size_t count = 0;
	for (size_t i = l->a.n, j = l->b.n; i && j;) {
		size_t n = run_length(l, i, j);
		if (!n) {
			step_back(l, &i, &j);
			continue;
		}
		i -= n;
		j -= n;
		if (l->min_len > 0 && n < (uint64_t)l->min_len)
			continue;
		reply_array(c->reply, 2 + (size_t)l->with_len);
		reply_pair(c->reply, i, n);
		reply_pair(c->reply, j, n);
		if (l->with_len)
			reply_int(c->reply, (int64_t)n);
		count++;
	}
	reply_later_end(c->reply, later, '*', count);
	reply_bulk_str(c->reply, "len");
	reply_int(c->reply, *cell(l, l->a.n, l->b.n));
}

static void reply_sequence(struct call *c, const struct lcs *l)
{
	uint32_t left = *cell(l, l->a.n, l->b.n);
	struct blob *out = blob_try(left);
	if (!out) {
		call_error(c, STORE_ENOMEM);
		return;
	}
	out->len = left;
	for (size_t i = l->a.n, j = l->b.n; i && j;) {
		if (l->a.p[i - 1] == l->b.p[j - 1]) {
			out->data[--left] = l->a.p[i - 1];
			i--;
			j--;
		} else {
			step_back(l, &i, &j);
		}
	}
	reply_blob(c->reply, out);
	blob_put(out);
}

void string_lcs(struct call *c)
{
	struct lcs l = {0};
	char abuf[NUM_BUF], bbuf[NUM_BUF];
	enum keyspace_lookup how =
		c->session->flags & SESSION_NO_TOUCH ? KEYSPACE_COUNT : KEYSPACE_TOUCH;
	/* The second lookup may remove its key, past its time; the first one's entry stays where it is. */
	uint64_t a = keyspace_read(c->db, c->argv[1], how);
	uint64_t b = keyspace_read(c->db, c->argv[2], how);
	if ((a && word_type(a) != VALUE_STRING) || (b && word_type(b) != VALUE_STRING)) {
		reply_error(c->reply, "ERR The specified keys must contain string values");
		return;
	}
	if (!options_read(c, &l))
		return;
	l.a = a ? entry_string(a, abuf) : bytes_of("", 0);
	l.b = b ? entry_string(b, bbuf) : bytes_of("", 0);
	if (!table_make(c, &l))
		return;
	table_fill(&l);
	if (l.len_only)
		reply_int(c->reply, *cell(&l, l.a.n, l.b.n));
	else if (l.ranges)
		reply_ranges(c, &l);
	else
		reply_sequence(c, &l);
	mem_free(l.table);
}
