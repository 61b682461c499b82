/* resp/proto/reply.c - see reply.h.
 *
 * Every byte buffer stands behind a node header, the open tail too, so that closing the tail is
 * linking it. The tail grows by reallocation while it is small, then buffers of one size follow each other.
 */
#include "resp/proto/reply.h"

#include <stdarg.h>
#include <stdio.h>

#include "store/base/mem.h"
#include "store/base/num.h"

struct reply_node {
	struct reply_node *next;
	struct blob *blob; /* or NULL: the bytes are data */
	size_t len, cap;
	char data[];
};

/* Whole allocations. The last is what jemalloc still serves from its thread cache. */
#define TAIL_FIRST   1024
#define TAIL_GROWN   16384
#define TAIL_REGULAR 32768

static struct reply_node *node_of(char *buf)
{
	return (struct reply_node *)(void *)(buf - offsetof(struct reply_node, data));
}

static const char *node_bytes(const struct reply_node *n)
{
	return n->blob ? n->blob->data : n->data;
}

static void node_free(struct reply_node *n)
{
	blob_put(n->blob);
	mem_free(n);
}

/* A node's cap is what it holds, from when it is linked until it goes; a blob's is its length. */
static void count(struct reply *r, const struct reply_node *n)
{
	r->nodes++;
	r->nodes_mem += sizeof(*n) + n->cap;
}

static void uncount(struct reply *r, const struct reply_node *n)
{
	r->nodes--;
	r->nodes_mem -= sizeof(*n) + n->cap;
}

void reply_init(struct reply *r, int proto)
{
	memset(r, 0, sizeof(*r));
	r->proto = (uint8_t)proto;
}

static void drop_all(struct reply *r)
{
	for (struct reply_node *n = r->head, *next; n; n = next) {
		next = n->next;
		node_free(n);
	}
	if (r->buf)
		mem_free(node_of(r->buf));
	r->buf = NULL;
	r->head = r->tail = NULL;
	r->len = r->cap = r->queued = r->offset = r->nodes = r->nodes_mem = 0;
}

void reply_fini(struct reply *r)
{
	drop_all(r);
}

void reply_shrink(struct reply *r)
{
	if (r->buf && reply_pending(r) == 0) {
		mem_free(node_of(r->buf));
		r->buf = NULL;
		r->len = r->cap = r->offset = 0;
	}
}

size_t reply_pending(const struct reply *r)
{
	return r->head ? r->queued + r->len : r->len - r->offset;
}

size_t reply_mem(const struct reply *r)
{
	return r->nodes_mem + (r->buf ? r->cap + sizeof(struct reply_node) : 0);
}

int reply_iov(const struct reply *r, struct iovec *iov, int max, size_t *bytes)
{
	int used = 0;
	size_t skip = r->offset;
	*bytes = 0;
	for (const struct reply_node *n = r->head; n && used < max; n = n->next) {
		iov[used].iov_base = (char *)(uintptr_t)node_bytes(n) + skip;
		iov[used].iov_len = n->len - skip;
		*bytes += iov[used++].iov_len;
		skip = 0;
	}
	if (used < max && r->len > skip) {
		iov[used].iov_base = r->buf + skip;
		iov[used].iov_len = r->len - skip;
		*bytes += iov[used++].iov_len;
	}
	return used;
}

void reply_consume(struct reply *r, size_t n)
{
	while (r->head) {
		struct reply_node *first = r->head;
		size_t left = first->len - r->offset;
		if (n < left) {
			r->offset += n;
			r->queued -= n;
			return;
		}
		n -= left;
		r->queued -= left;
		r->offset = 0;
		r->head = first->next;
		if (r->head == NULL)
			r->tail = NULL;
		uncount(r, first);
		node_free(first);
	}
	r->offset += n;
	if (r->offset == r->len)
		r->offset = r->len = 0;
}

static void link_node(struct reply *r, struct reply_node *n)
{
	n->next = NULL;
	if (r->tail)
		r->tail->next = n;
	else
		r->head = n;
	r->tail = n;
	count(r, n);
}

/* Put the open tail behind the closed nodes. An empty one is given back. */
static void close_tail(struct reply *r)
{
	if (r->buf == NULL)
		return;
	struct reply_node *n = node_of(r->buf);
	size_t consumed = r->head ? 0 : r->offset;
	if (r->len == consumed) {
		mem_free(n);
		if (r->head == NULL)
			r->offset = 0;
	} else {
		n->blob = NULL;
		n->len = r->len;
		n->cap = r->cap;
		link_node(r, n);
		r->queued += r->len - consumed;
	}
	r->buf = NULL;
	r->len = r->cap = 0;
}

/* True when @n more bytes may wait; else everything is dropped. */
static bool admit(struct reply *r, size_t n)
{
	if (r->muted || r->overflow)
		return false;
	if (r->limit && reply_pending(r) + n > r->limit) {
		drop_all(r);
		r->overflow = true;
		return false;
	}
	return true;
}

static bool open_tail(struct reply *r, size_t total)
{
	struct reply_node *n = mem_try(total);
	if (n == NULL) {
		drop_all(r);
		r->overflow = true;
		return false;
	}
	r->buf = n->data;
	r->cap = total - sizeof(*n);
	r->len = 0;
	return true;
}

char *reply_reserve_slow(struct reply *r, size_t n)
{
	if (!admit(r, n))
		return NULL;
	if (r->cap - r->len >= n)
		return r->buf + r->len;
	size_t need = r->len + n + sizeof(struct reply_node);
	size_t held = r->buf ? r->cap + sizeof(struct reply_node) : 0;
	if (need <= TAIL_GROWN && held < TAIL_GROWN) {
		size_t total = held ? held : TAIL_FIRST;
		while (total < need)
			total *= 4;
		struct reply_node *old = r->buf ? node_of(r->buf) : NULL;
		struct reply_node *grown = mem_realloc(old, total);
		r->buf = grown->data;
		r->cap = total - sizeof(*grown);
		return r->buf + r->len;
	}
	bool first = r->buf == NULL && r->head == NULL;
	close_tail(r);
	size_t total = n + sizeof(struct reply_node);
	if (!first && total < TAIL_REGULAR)
		total = TAIL_REGULAR;
	return open_tail(r, total) ? r->buf : NULL;
}

void reply_raw_slow(struct reply *r, const void *p, size_t n)
{
	char *at = n ? reply_reserve_slow(r, n) : NULL;
	if (at) {
		memcpy(at, p, n);
		reply_advance(r, n);
	}
}

/* --- scalars --- */

/* @lead, a number, CR LF; at most 24 bytes. */
static size_t format_header(char *p, char lead, int64_t v)
{
	p[0] = lead;
	size_t n = 1 + num_format_int(p + 1, v);
	p[n++] = '\r';
	p[n++] = '\n';
	return n;
}

static void header(struct reply *r, char lead, int64_t v)
{
	char *p = reply_reserve(r, NUM_BUF + 4);
	if (p)
		reply_advance(r, format_header(p, lead, v));
}

/* @lead, @text, CR LF. */
static void line(struct reply *r, char lead, struct bytes text)
{
	char *p = reply_reserve(r, text.n + 3);
	if (p == NULL)
		return;
	p[0] = lead;
	if (text.n)
		memcpy(p + 1, text.p, text.n);
	memcpy(p + 1 + text.n, "\r\n", 2);
	reply_advance(r, text.n + 3);
}

void reply_status_bytes(struct reply *r, struct bytes text)
{
	line(r, '+', text);
}

static void note_error(struct reply *r, struct bytes text)
{
	size_t n = 0;
	while (n < text.n && n < sizeof(r->error_code) - 1 && text.p[n] != ' ')
		n++;
	memcpy(r->error_code, text.p, n);
	r->error_code[n] = '\0';
	r->errors++;
}

/* As Redis has it: line ends behind the text are dropped, those inside become spaces. */
static void error_line(struct reply *r, struct bytes text)
{
	while (text.n && (text.p[text.n - 1] == '\r' || text.p[text.n - 1] == '\n'))
		text.n--;
	note_error(r, text);
	char *p = reply_reserve(r, text.n + 3);
	if (p == NULL)
		return;
	p[0] = '-';
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		p[1 + i] = c == '\r' || c == '\n' ? ' ' : c;
	}
	memcpy(p + 1 + text.n, "\r\n", 2);
	reply_advance(r, text.n + 3);
}

void reply_error(struct reply *r, const char *text)
{
	error_line(r, bytes_str(text));
}

/* Format into @small or, when it does not fit, into memory that the caller frees where it differs from @small. */
static char *format(char *small, size_t cap, size_t *n, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int len = vsnprintf(small, cap, fmt, ap);
	char *text = small;
	*n = len < 0 ? 0 : (size_t)len;
	if (*n >= cap) {
		text = mem_alloc(*n + 1);
		vsnprintf(text, *n + 1, fmt, again);
	}
	va_end(again);
	return text;
}

void reply_errorf(struct reply *r, const char *fmt, ...)
{
	char small[512];
	size_t n;
	va_list ap;
	va_start(ap, fmt);
	char *text = format(small, sizeof(small), &n, fmt, ap);
	va_end(ap);
	error_line(r, bytes_of(text, n));
	if (text != small)
		mem_free(text);
}

void reply_int_slow(struct reply *r, int64_t v)
{
	header(r, ':', v);
}

void reply_bulk_slow(struct reply *r, struct bytes b)
{
	header(r, '$', (int64_t)b.n);
	/* Body and end in one piece, so that a big body opens a buffer of its own size. */
	char *p = reply_reserve(r, b.n + 2);
	if (p == NULL)
		return;
	if (b.n)
		memcpy(p, b.p, b.n);
	memcpy(p + b.n, "\r\n", 2);
	reply_advance(r, b.n + 2);
}

void reply_bulk_str(struct reply *r, const char *s)
{
	reply_bulk(r, bytes_str(s));
}

void reply_bulk_int(struct reply *r, int64_t v)
{
	char buf[NUM_BUF];
	reply_bulk(r, bytes_of(buf, num_format_int(buf, v)));
}

void reply_bulkf(struct reply *r, const char *fmt, ...)
{
	char small[512];
	size_t n;
	va_list ap;
	va_start(ap, fmt);
	char *text = format(small, sizeof(small), &n, fmt, ap);
	va_end(ap);
	reply_bulk(r, bytes_of(text, n));
	if (text != small)
		mem_free(text);
}

void reply_blob(struct reply *r, struct blob *b)
{
	if (b->len < REPLY_BLOB_MIN) {
		reply_bulk(r, blob_bytes(b));
		return;
	}
	header(r, '$', (int64_t)b->len);
	if (!admit(r, b->len))
		return;
	close_tail(r);
	struct reply_node *n = mem_alloc(sizeof(*n));
	n->blob = blob_get(b);
	n->len = n->cap = b->len;
	link_node(r, n);
	r->queued += b->len;
	r->total += b->len;
	reply_raw(r, "\r\n", 2);
}

void reply_null(struct reply *r)
{
	if (r->proto >= 3)
		reply_raw(r, "_\r\n", 3);
	else
		reply_raw(r, "$-1\r\n", 5);
}

void reply_null_array(struct reply *r)
{
	if (r->proto >= 3)
		reply_raw(r, "_\r\n", 3);
	else
		reply_raw(r, "*-1\r\n", 5);
}

/* --- aggregates --- */

static size_t format_aggregate(const struct reply *r, char *p, char kind, size_t n)
{
	if (r->proto < 3) {
		if (kind == '%')
			n *= 2;
		kind = '*';
	}
	return format_header(p, kind, (int64_t)n);
}

static void aggregate(struct reply *r, char kind, size_t n)
{
	char *p = reply_reserve(r, NUM_BUF + 4);
	if (p)
		reply_advance(r, format_aggregate(r, p, kind, n));
}

void reply_array(struct reply *r, size_t n)
{
	aggregate(r, '*', n);
}

void reply_map(struct reply *r, size_t pairs)
{
	aggregate(r, '%', pairs);
}

void reply_set(struct reply *r, size_t n)
{
	aggregate(r, '~', n);
}

void reply_push(struct reply *r, size_t n)
{
	aggregate(r, '>', n);
}

void reply_attribute(struct reply *r, size_t pairs)
{
	header(r, '|', (int64_t)pairs);
}

void reply_double(struct reply *r, double v)
{
	char buf[NUM_BUF];
	struct bytes text = bytes_of(buf, num_format_double(buf, v));
	if (r->proto >= 3)
		line(r, ',', text);
	else
		reply_bulk(r, text);
}

void reply_bool(struct reply *r, bool v)
{
	if (r->proto >= 3)
		reply_raw(r, v ? "#t\r\n" : "#f\r\n", 4);
	else
		reply_raw(r, v ? ":1\r\n" : ":0\r\n", 4);
}

void reply_bignum(struct reply *r, struct bytes digits)
{
	if (r->proto >= 3)
		line(r, '(', digits);
	else
		reply_bulk(r, digits);
}

void reply_verbatim(struct reply *r, struct bytes text, const char ext[3])
{
	if (r->proto < 3) {
		reply_bulk(r, text);
		return;
	}
	header(r, '=', (int64_t)text.n + 4);
	char *p = reply_reserve(r, text.n + 6);
	if (p == NULL)
		return;
	memcpy(p, ext, 3);
	p[3] = ':';
	if (text.n)
		memcpy(p + 4, text.p, text.n);
	memcpy(p + 4 + text.n, "\r\n", 2);
	reply_advance(r, text.n + 6);
}

/* --- places in what was written --- */

/* The node that holds byte @mark of the stream and where in it; NULL for the open tail. A byte at the seam belongs to what
 * stands behind it. */
static struct reply_node *locate(const struct reply *r, uint64_t mark, size_t *at,
				 struct reply_node **before)
{
	uint64_t pos = r->total - reply_pending(r) - (r->head ? r->offset : 0);
	*before = NULL;
	for (struct reply_node *n = r->head; n; n = n->next) {
		if (mark < pos + n->len) {
			*at = (size_t)(mark - pos);
			return n;
		}
		pos += n->len;
		*before = n;
	}
	*at = r->len - (size_t)(r->total - mark);
	return NULL;
}

struct reply_later reply_later_begin(struct reply *r)
{
	return (struct reply_later){r->total};
}

/* Put @n bytes in front of byte @at of @node, a byte buffer or a blob (then @at is 0). */
static void insert_in_node(struct reply *r, struct reply_node *node, struct reply_node *before,
			   size_t at, const char *p, size_t n)
{
	if (node->blob == NULL && node->cap - node->len >= n) {
		memmove(node->data + at + n, node->data + at, node->len - at);
		memcpy(node->data + at, p, n);
		node->len += n;
		return;
	}
	/* What follows the place moves to a node of its own, behind the inserted bytes. */
	size_t rest = node->blob ? 0 : node->len - at;
	struct reply_node *add = mem_alloc(sizeof(*add) + n + rest);
	add->blob = NULL;
	add->len = add->cap = n + rest;
	memcpy(add->data, p, n);
	memcpy(add->data + n, node->data + at, rest);
	count(r, add);
	if (rest == 0) { /* in front of a blob */
		add->next = node;
		if (before)
			before->next = add;
		else
			r->head = add;
		return;
	}
	node->len = at;
	add->next = node->next;
	node->next = add;
	if (r->tail == node)
		r->tail = add;
}

void reply_later_end(struct reply *r, struct reply_later l, char kind, size_t n)
{
	if (r->muted || r->overflow)
		return;
	char text[NUM_BUF + 4];
	size_t len = format_aggregate(r, text, kind, n);
	size_t at;
	/* Room first: taking it may turn the tail into a node. */
	if (r->cap - r->len < len && reply_reserve_slow(r, len) == NULL)
		return;
	struct reply_node *before, *node = locate(r, l.mark, &at, &before);
	if (node) {
		insert_in_node(r, node, before, at, text, len);
		r->queued += len;
	} else {
		memmove(r->buf + at + len, r->buf + at, r->len - at);
		memcpy(r->buf + at, text, len);
		r->len += len;
	}
	r->total += len;
}

void reply_truncate(struct reply *r, uint64_t mark)
{
	if (mark >= r->total || r->overflow)
		return;
	size_t at;
	struct reply_node *before, *node = locate(r, mark, &at, &before);
	if (node == NULL) {
		r->len = at;
		r->total = mark;
		return;
	}
	if (at > 0) {
		r->queued -= node->len - at;
		node->len = at;
		before = node;
		node = node->next;
	}
	if (before)
		before->next = NULL;
	else
		r->head = NULL;
	r->tail = before;
	for (struct reply_node *next; node; node = next) {
		next = node->next;
		r->queued -= node->len;
		uncount(r, node);
		node_free(node);
	}
	r->len = 0;
	r->total = mark;
}
