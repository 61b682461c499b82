/* tests/fuzz/fuzz_parser.c - the parser sees the same commands however the bytes arrive.
 *
 * The first two bytes choose how: the cut, and a few flags. The rest is the stream, parsed whole, byte by byte, and
 * in pieces; with big bulks read outside the buffer in the last. All must tell the same story.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "resp/proto/parser.h"
#include "store/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct story {
	char *p;
	size_t n, cap;
};

static void tell(struct story *s, const void *p, size_t n)
{
	if (s->n + n > s->cap) {
		s->cap = 2 * (s->n + n) + 64;
		s->p = realloc(s->p, s->cap);
	}
	if (n)
		memcpy(s->p + s->n, p, n);
	s->n += n;
}

static void tell_call(struct story *s, int argc, const struct bytes *argv)
{
	tell(s, "C", 1);
	tell(s, &argc, sizeof(argc));
	for (int i = 0; i < argc; i++) {
		tell(s, &argv[i].n, sizeof(argv[i].n));
		tell(s, argv[i].p, argv[i].n);
	}
}

/* The buffer that is parsed: what arrived and was not used, in memory of exactly its size. */
struct input {
	char *p;
	size_t n;
};

static void input_add(struct input *in, const uint8_t *p, size_t n)
{
	char *moved = malloc(in->n + n ? in->n + n : 1);
	memcpy(moved, in->p ? in->p : "", in->n);
	memcpy(moved + in->n, p, n);
	free(in->p);
	in->p = moved;
	in->n += n;
}

/* Drop @skip bytes from the front. */
static void input_drop(struct input *in, size_t skip)
{
	struct input rest = {NULL, 0};
	input_add(&rest, (uint8_t *)in->p + skip, in->n - skip);
	free(in->p);
	*in = rest;
}

/* False after an error. */
static bool parse(struct parser *p, struct input *in, int cap, struct story *s)
{
	struct bytes room[32], *argv = NULL;
	size_t off = 0, used = 0;
	int argc = 0;
	for (;;) {
		enum parser_state st =
			parser_next(p, in->p + off, in->n - off, room, cap, &argc, &argv, &used);
		if (st == PARSER_MORE)
			break;
		if (st == PARSER_ERROR) {
			tell(s, "E", 1);
			tell(s, p->error, strlen(p->error));
			return false;
		}
		if (used == 0 || used > in->n - off)
			abort();
		if (st == PARSER_READY)
			tell_call(s, argc, argv);
		off += used;
	}
	input_drop(in, off);
	return true;
}

static void run(const uint8_t *data, size_t size, size_t step, int cap, bool authenticated,
		bool outside, struct story *s)
{
	struct parser p;
	struct input in = {NULL, 0};
	char *body = NULL;
	parser_init(&p, 1 << 20);
	p.authenticated = authenticated;
	size_t at = 0;
	bool open = true;
	input_add(&in, data, 0);
	while (open && at < size) {
		size_t n = size - at < step ? size - at : step;
		input_add(&in, data + at, n);
		at += n;
		open = parse(&p, &in, cap, s);
		size_t missing = parser_missing(&p, in.n);
		if (!open || !outside || p.outside || missing == 0 || missing > size - at)
			continue;
		/* Read the rest of the body elsewhere. */
		free(body);
		size_t have = in.n - p.pos;
		body = malloc((size_t)p.bulk + 2);
		memcpy(body, in.p + p.pos, have);
		memcpy(body + have, data + at, missing);
		at += missing;
		in.n = p.pos;
		input_add(&in, data, 0);
		parser_outside(&p, body);
		open = parse(&p, &in, cap, s);
	}
	parser_fini(&p);
	free(in.p);
	free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	size_t step = data[0] % 61 + 1;
	int cap = data[1] % 32 + 1;
	bool authenticated = data[1] & 64;
	data += 2;
	size -= 2;
	struct story whole = {0}, bytewise = {0}, pieces = {0};
	run(data, size, size ? size : 1, 32, authenticated, false, &whole);
	run(data, size, 1, cap, authenticated, false, &bytewise);
	run(data, size, step, cap, authenticated, true, &pieces);
	if (whole.n != bytewise.n || (whole.n && memcmp(whole.p, bytewise.p, whole.n) != 0))
		abort();
	if (whole.n != pieces.n || (whole.n && memcmp(whole.p, pieces.p, whole.n) != 0))
		abort();
	free(whole.p);
	free(bytewise.p);
	free(pieces.p);
	return 0;
}
