#include "fs/backend/answer.h"

#include "store/base/num.h"

void answers_init(struct answers *a, const struct iovec *iov, int niov, struct answers_owner *owner)
{
	*a = (struct answers){.iov = iov, .niov = niov, .owner = owner};
}

void answers_fini(struct answers *a)
{
	buf_free(&a->join);
}

struct answers_owner *answers_keep(struct answers *a)
{
	a->kept = true;
	return a->owner;
}

/* Step over segments that are used up; false when none is left. */
static bool settle(struct answers *a)
{
	while (a->i < a->niov && a->at == a->iov[a->i].iov_len) {
		a->i++;
		a->at = 0;
	}
	return a->i < a->niov;
}

/* @n bytes, from one segment where they stand in one, else joined. */
static bool take(struct answers *a, size_t n, struct bytes *out, bool *joined)
{
	*joined = false;
	if (n == 0) {
		*out = BYTES("");
		return true;
	}
	if (!settle(a))
		return false;
	size_t left = a->iov[a->i].iov_len - a->at;
	if (n <= left) {
		*out = bytes_of((const char *)a->iov[a->i].iov_base + a->at, n);
		a->at += n;
		return true;
	}
	*joined = true;
	a->join.n = 0;
	while (n) {
		if (!settle(a))
			return false;
		left = a->iov[a->i].iov_len - a->at;
		size_t step = n < left ? n : left;
		buf_put(&a->join, (const char *)a->iov[a->i].iov_base + a->at, step);
		a->at += step;
		n -= step;
	}
	*out = buf_view(&a->join);
	return !a->join.failed;
}

/* A line without its CR LF. */
static bool take_line(struct answers *a, struct bytes *out, bool *joined)
{
	struct answers probe = *a;
	size_t n = 0;
	const char *nl = NULL;

	while (!nl && settle(&probe)) {
		const char *p = (const char *)probe.iov[probe.i].iov_base + probe.at;
		size_t left = probe.iov[probe.i].iov_len - probe.at;
		nl = memchr(p, '\n', left);
		size_t step = nl ? (size_t)(nl - p) + 1 : left;
		n += step;
		probe.at += step;
	}
	if (!nl || n < 2 || !take(a, n, out, joined))
		return false;
	out->n -= 2;
	return true;
}

/* The body of a bulk string of @n bytes with its CR LF. */
static bool take_bulk(struct answers *a, int64_t n, struct answer *out)
{
	struct bytes end;
	bool joined;
	struct buf text = {0};

	if (!take(a, (size_t)n, &out->text, &out->joined))
		return false;
	if (out->joined) { /* the line end must not overwrite it */
		text = a->join;
		a->join = (struct buf){0};
	}
	bool ok = take(a, 2, &end, &joined);
	if (out->joined) {
		buf_free(&a->join);
		a->join = text;
	}
	return ok;
}

static bool next_bulk(struct answers *a, int64_t n, enum answer_kind kind, struct answer *out)
{
	if (n < 0) {
		out->kind = ANSWER_NULL;
		return n == -1;
	}
	out->kind = kind;
	if (!take_bulk(a, n, out))
		return false;
	if (kind == ANSWER_VERBATIM) {
		if (out->text.n < 4)
			return false;
		out->text.p += 4;
		out->text.n -= 4;
	}
	return true;
}

static bool next_head(int64_t n, enum answer_kind kind, struct answer *out)
{
	out->kind = n == -1 ? ANSWER_NULL : kind;
	out->n = n;
	return n >= -1;
}

bool answers_next(struct answers *a, struct answer *out)
{
	struct bytes line;
	bool joined;
	int64_t n = 0;

	*out = (struct answer){0};
	if (!take_line(a, &line, &joined) || line.n < 1)
		return false;
	char type = line.p[0];
	struct bytes rest = bytes_of(line.p + 1, line.n - 1);
	out->text = rest;
	out->joined = joined;
	if (strchr(":$*%~>=", type) && !num_parse_int(rest, &n))
		return false;
	switch (type) {
	case '+':
		out->kind = ANSWER_STATUS;
		return true;
	case '-':
		out->kind = ANSWER_ERROR;
		return true;
	case ':':
		out->kind = ANSWER_INT;
		out->n = n;
		return true;
	case '$':
		return next_bulk(a, n, ANSWER_BULK, out);
	case '=':
		return next_bulk(a, n, ANSWER_VERBATIM, out);
	case '*':
		return next_head(n, ANSWER_ARRAY, out);
	case '%':
		return next_head(n, ANSWER_MAP, out);
	case '~':
		return next_head(n, ANSWER_SET, out);
	case '>':
		return next_head(n, ANSWER_PUSH, out);
	case '_':
		out->kind = ANSWER_NULL;
		return true;
	case ',':
		out->kind = ANSWER_DOUBLE;
		return true;
	case '(':
		out->kind = ANSWER_BIGNUM;
		return true;
	case '#':
		out->kind = ANSWER_BOOL;
		out->n = bytes_eq(rest, BYTES("t"));
		return true;
	}
	return false;
}

int64_t answer_elements(const struct answer *a)
{
	switch (a->kind) {
	case ANSWER_ARRAY:
	case ANSWER_SET:
	case ANSWER_PUSH:
		return a->n;
	case ANSWER_MAP:
		return a->n * 2;
	case ANSWER_STATUS:
	case ANSWER_ERROR:
	case ANSWER_INT:
	case ANSWER_BULK:
	case ANSWER_NULL:
	case ANSWER_DOUBLE:
	case ANSWER_BOOL:
	case ANSWER_BIGNUM:
	case ANSWER_VERBATIM:
		break;
	}
	return 0;
}

bool answers_skip(struct answers *a, const struct answer *head)
{
	struct answer piece;

	for (int64_t left = answer_elements(head); left > 0; left--) {
		if (!answers_next(a, &piece))
			return false;
		left += answer_elements(&piece);
	}
	return true;
}
