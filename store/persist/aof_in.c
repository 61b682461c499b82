/* store/persist/aof_in.c - see aof_in.h. */
#define _GNU_SOURCE /* memmem */
#include "store/persist/aof_in.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "store/persist/crc64.h"

#define CHUNK ((size_t)65536)
/* The longest line of a header or an annotation; Redis reads as far. */
#define LINE_LIMIT ((size_t)128)

static const char mark[] = "#CRC64:";

void aof_in_init(struct aof_in *in, int fd, uint64_t size, uint64_t offset)
{
	*in = (struct aof_in){.fd = fd, .size = size, .offset = offset};
}

void aof_in_fini(struct aof_in *in)
{
	mem_free(in->buf);
	mem_free(in->argv);
	mem_free(in->starts);
	*in = (struct aof_in){.fd = -1};
}

struct aof_place aof_in_place(const struct aof_in *in)
{
	return (struct aof_place){in->offset, in->crc, in->covered, in->lines};
}

void aof_in_return(struct aof_in *in, struct aof_place place)
{
	in->offset = place.offset;
	in->crc = place.crc;
	in->covered = place.covered;
	in->lines = place.lines;
	in->at = in->len = 0;
}

size_t aof_checksum_line(char out[AOF_CHECKSUM_MAX], uint64_t crc, uint64_t n)
{
	return (size_t)snprintf(out, AOF_CHECKSUM_MAX, "%s%016llx:%llu\r\n", mark,
				(unsigned long long)crc, (unsigned long long)n);
}

/* --- bytes --- */

static bool make_room(struct aof_in *in, size_t want)
{
	if (in->at) {
		memmove(in->buf, in->buf + in->at, in->len - in->at);
		in->len -= in->at;
		in->at = 0;
	}
	if (in->cap >= want)
		return true;
	size_t cap = in->cap * 2 > want ? in->cap * 2 : want;
	char *p = mem_retry(in->buf, cap);
	if (!p)
		return false;
	in->buf = p;
	in->cap = cap;
	return true;
}

enum have { HAVE, HAVE_END, HAVE_ERROR };

/* Have @n bytes from the item's start in the buffer. */
static enum have have(struct aof_in *in, size_t n)
{
	if (in->len - in->at >= n)
		return HAVE;
	if (in->offset + n > in->size)
		return HAVE_END;
	if (!make_room(in, n + CHUNK)) {
		in->error_code = ENOMEM;
		return HAVE_ERROR;
	}
	while (in->len < n) {
		ssize_t got = pread(in->fd, in->buf + in->len, in->cap - in->len,
				    (off_t)(in->offset + in->len));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			in->error_code = errno;
		if (got <= 0)
			return got < 0 ? HAVE_ERROR : HAVE_END;
		in->len += (size_t)got;
	}
	return HAVE;
}

static enum aof_item lacking(enum have h)
{
	return h == HAVE_END ? AOF_TORN : AOF_ERROR;
}

static enum aof_item bad(struct aof_in *in, size_t pos, const char *error)
{
	in->error_offset = in->offset + pos;
	in->error = error;
	return AOF_BAD;
}

static void consume(struct aof_in *in, size_t n)
{
	in->crc = crc64(in->crc, in->buf + in->at, n);
	in->covered += n;
	in->at += n;
	in->offset += n;
}

/* --- items --- */

/* The length of the line at @pos of the item, its newline with it, into *@n. AOF_COMMAND when there is one. */
static enum aof_item find_line(struct aof_in *in, size_t pos, size_t *n)
{
	for (size_t i = 0; i < LINE_LIMIT; i++) {
		enum have h = have(in, pos + i + 1);
		if (h != HAVE)
			return lacking(h);
		if (in->buf[in->at + pos + i] == '\n') {
			*n = i + 1;
			return AOF_COMMAND;
		}
	}
	return bad(in, pos, "a line is too long");
}

/* "*3\r\n" and "$5\r\n": the number at *@pos, which moves behind it. */
static enum aof_item read_count(struct aof_in *in, size_t *pos, char sign, uint64_t max,
				uint64_t *out)
{
	size_t n;
	enum have h = have(in, *pos + 1);

	if (h != HAVE)
		return lacking(h);
	if (in->buf[in->at + *pos] != sign)
		return bad(in, *pos, "a length is malformed"); /* no torn end looks like this */
	enum aof_item got = find_line(in, *pos, &n);
	if (got != AOF_COMMAND)
		return got;
	const char *line = in->buf + in->at + *pos;
	if (n < 4 || n > 22 || line[n - 2] != '\r')
		return bad(in, *pos, "a length is malformed");
	*out = 0;
	for (size_t i = 1; i < n - 2; i++) {
		if (line[i] < '0' || line[i] > '9')
			return bad(in, *pos, "a length is malformed");
		*out = *out * 10 + (uint64_t)(line[i] - '0');
	}
	if (*out > max)
		return bad(in, *pos, "a length is out of range");
	*pos += n;
	return AOF_COMMAND;
}

static bool room_for_argument(struct aof_in *in)
{
	if (in->argc < in->argv_cap)
		return true;
	int cap = in->argv_cap ? in->argv_cap * 2 : 16;
	struct bytes *argv = mem_retry(in->argv, (size_t)cap * sizeof(*argv));
	if (argv)
		in->argv = argv;
	size_t *starts = argv ? mem_retry(in->starts, (size_t)cap * sizeof(*starts)) : NULL;
	if (!starts) {
		in->error_code = ENOMEM;
		return false;
	}
	in->starts = starts;
	in->argv_cap = cap;
	return true;
}

static enum aof_item read_argument(struct aof_in *in, size_t *pos)
{
	uint64_t n;
	enum aof_item got = read_count(in, pos, '$', (uint64_t)1 << 40, &n);

	if (got != AOF_COMMAND)
		return got;
	enum have h = have(in, *pos + n + 2);
	if (h != HAVE)
		return lacking(h);
	if (memcmp(in->buf + in->at + *pos + n, "\r\n", 2) != 0)
		return bad(in, *pos + n, "an argument has no end");
	if (!room_for_argument(in))
		return AOF_ERROR;
	in->starts[in->argc] = *pos;
	in->argv[in->argc++].n = n;
	*pos += n + 2;
	return AOF_COMMAND;
}

static enum aof_item read_command(struct aof_in *in)
{
	uint64_t count;
	size_t pos = 0;
	enum aof_item got = read_count(in, &pos, '*', 1024 * 1024 * 1024, &count);

	in->argc = 0;
	if (got == AOF_COMMAND && count == 0)
		return bad(in, 0, "a command has no words");
	for (uint64_t i = 0; got == AOF_COMMAND && i < count; i++)
		got = read_argument(in, &pos);
	if (got != AOF_COMMAND)
		return got;
	const char *base = in->buf + in->at;
	for (int i = 0; i < in->argc; i++)
		in->argv[i].p = base + in->starts[i];
	in->lines += 1 + 2 * (uint64_t)in->argc;
	consume(in, pos);
	return AOF_COMMAND;
}

/* Sum and count of a checksum line of @n bytes; false when it is none. */
static bool parse_checksum(const char *line, size_t n, uint64_t *crc, uint64_t *count)
{
	char text[LINE_LIMIT + 1];
	unsigned long long sum, many;
	int end = 0;

	if (n > LINE_LIMIT || n < sizeof(mark) || memcmp(line, mark, sizeof(mark) - 1) != 0)
		return false;
	memcpy(text, line, n);
	text[n] = '\0';
	if (sscanf(text + sizeof(mark) - 1, "%16llx:%20llu\r\n%n", &sum, &many, &end) != 2)
		return false;
	*crc = sum;
	*count = many;
	return true;
}

/* "#TS:SECONDS" */
static bool is_later(const char *line, size_t n, int64_t than)
{
	char text[LINE_LIMIT + 1];
	long long at;

	if (n > LINE_LIMIT)
		return false;
	memcpy(text, line, n);
	text[n] = '\0';
	return sscanf(text, "#TS:%20lld", &at) == 1 && at > than;
}

/* Pass an annotation: AOF_COMMAND when it is well. */
static enum aof_item read_note(struct aof_in *in)
{
	size_t n;
	uint64_t crc, count;
	enum aof_item got = find_line(in, 0, &n);

	if (got != AOF_COMMAND)
		return got;
	if (in->until && is_later(in->buf + in->at, n, in->until))
		return AOF_LATER;
	in->lines++;
	if (!parse_checksum(in->buf + in->at, n, &crc, &count)) {
		consume(in, n);
		return AOF_COMMAND;
	}
	if (count != in->covered || crc != in->crc) {
		in->error_offset = in->offset - in->covered;
		in->error = "the checksum does not match what was written here";
		return AOF_BAD;
	}
	consume(in, n);
	in->crc = in->covered = 0;
	return AOF_COMMAND;
}

enum aof_item aof_in_next(struct aof_in *in)
{
	for (;;) {
		in->item_offset = in->offset;
		if (in->offset >= in->size)
			return AOF_END;
		enum have h = have(in, 1);
		if (h != HAVE)
			return lacking(h);
		if (in->buf[in->at] != '#')
			return read_command(in);
		enum aof_item got = read_note(in);
		if (got != AOF_COMMAND)
			return got;
	}
}

/* --- torn or damaged --- */

/* A checksum line in the buffer (@base is its offset) that closes the region begun at @start. */
static bool closes(const char *buf, size_t n, uint64_t base, uint64_t start)
{
	uint64_t crc, count;

	for (const char *at = buf;
	     (at = memmem(at, n - (size_t)(at - buf), mark, sizeof(mark) - 1)); at++) {
		const char *eol = memchr(at, '\n', n - (size_t)(at - buf));
		size_t len = eol ? (size_t)(eol - at) + 1 : 0;
		if (eol && parse_checksum(at, len, &crc, &count) &&
		    base + (uint64_t)(at - buf) - start == count)
			return true;
	}
	return false;
}

bool aof_in_is_damage(struct aof_in *in)
{
	uint64_t start = in->offset - in->covered, at = in->offset;
	char *buf = mem_try(CHUNK);
	bool found = false;

	while (buf && !found) {
		ssize_t n = pread(in->fd, buf, CHUNK, (off_t)at);
		if (n <= 0)
			break;
		found = closes(buf, (size_t)n, at, start);
		if ((size_t)n < CHUNK)
			break;
		at += CHUNK - LINE_LIMIT; /* a line may stand across two pieces */
	}
	mem_free(buf);
	return found;
}
