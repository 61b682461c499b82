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
	*in = (struct aof_in){.fd = fd, .size = size, .offset = offset, .solid = offset};
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
	return (struct aof_place){in->offset,  in->crc,   in->covered, in->lines,
				  in->checked, in->begun, in->foreign};
}

void aof_in_return(struct aof_in *in, struct aof_place place)
{
	in->offset = place.offset;
	in->crc = place.crc;
	in->covered = place.covered;
	in->lines = place.lines;
	in->checked = place.checked;
	in->begun = place.begun;
	in->foreign = place.foreign;
	in->at = in->len = 0;
}

void aof_fill(char *p, size_t lines)
{
	static const char line[] = "#..............\n";

	_Static_assert(sizeof(line) - 1 == AOF_FILL, "a line of nothing");
	for (size_t i = 0; i < lines; i++)
		memcpy(p + i * AOF_FILL, line, AOF_FILL);
}

size_t aof_fill_up(char line[AOF_CHECKSUM_MAX], size_t n, size_t more)
{
	memset(line + n - 2, ' ', more);
	memcpy(line + n - 2 + more, "\r\n", 2);
	return n + more;
}

struct sum_line {
	uint64_t sum, count, synced;
};

/* The sum over bytes with checksum @crc and what the line says of them. */
static uint64_t sum_of(uint64_t crc, uint64_t count, uint64_t synced, char text[48], int *n)
{
	*n = snprintf(text, 48, ":%llu:%llu", (unsigned long long)count,
		      (unsigned long long)synced);
	return crc64(crc, text, (size_t)*n);
}

static bool sum_fits(const struct sum_line *line, uint64_t crc, uint64_t count)
{
	char text[48];
	int n;

	return line->count == count && line->sum == sum_of(crc, count, line->synced, text, &n);
}

size_t aof_checksum_line(char out[AOF_CHECKSUM_MAX], uint64_t crc, uint64_t n, uint64_t synced)
{
	char text[48];
	int len;
	uint64_t sum = sum_of(crc, n, synced, text, &len);

	return (size_t)snprintf(out, AOF_CHECKSUM_MAX, "%s%016llx%s\r\n", mark,
				(unsigned long long)sum, text);
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
	if (!in->begun) {
		in->foreign = in->argv[0].n == 6 && memcmp(in->argv[0].p, "SELECT", 6) == 0;
		in->begun = true;
	}
	in->lines += 1 + 2 * (uint64_t)in->argc;
	consume(in, pos);
	in->solid = in->offset;
	return AOF_COMMAND;
}

static bool is_checksum(const char *line, size_t n)
{
	return n >= sizeof(mark) && memcmp(line, mark, sizeof(mark) - 1) == 0;
}

/* A checksum line of @n bytes, to the letter as we write them; false when it is none. */
static bool parse_checksum(const char *line, size_t n, struct sum_line *out)
{
	char text[LINE_LIMIT + 1], again[AOF_CHECKSUM_MAX];
	unsigned long long sum, count, synced;

	if (n > LINE_LIMIT || !is_checksum(line, n))
		return false;
	memcpy(text, line, n);
	text[n] = '\0';
	if (sscanf(text + sizeof(mark) - 1, "%16llx:%20llu:%20llu", &sum, &count, &synced) != 3)
		return false;
	size_t len = (size_t)snprintf(again, sizeof(again), "%s%016llx:%llu:%llu", mark, sum, count,
				      synced);
	if (n < len + 2 || memcmp(text, again, len) != 0 ||
	    len + strspn(text + len, " ") + 2 != n || memcmp(text + n - 2, "\r\n", 2) != 0)
		return false;
	*out = (struct sum_line){sum, count, synced};
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

/* Pass an annotation: AOF_CHECKED for a checksum that holds, AOF_COMMAND for any other. */
static enum aof_item read_note(struct aof_in *in)
{
	size_t n;
	struct sum_line sum;
	enum aof_item got = find_line(in, 0, &n);

	if (got != AOF_COMMAND)
		return got;
	if (in->until && is_later(in->buf + in->at, n, in->until))
		return AOF_LATER;
	in->lines++;
	if (!is_checksum(in->buf + in->at, n)) {
		consume(in, n);
		return AOF_COMMAND;
	}
	if (!parse_checksum(in->buf + in->at, n, &sum))
		return bad(in, 0, "a checksum line is malformed");
	if (!sum_fits(&sum, in->crc, in->covered)) {
		in->error_offset = in->offset - in->covered;
		in->error = "the checksum does not match what was written here";
		return AOF_BAD;
	}
	consume(in, n);
	in->crc = in->covered = 0;
	in->solid = in->offset;
	in->checked = true;
	in->begun = in->foreign = false;
	return AOF_CHECKED;
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

/* Lines that only look like checksums stand in values: so many are tried before it is left to a person. */
#define TRIES 64
/* A file that has no such line in its last part is another server's. */
#define LOOK_BACK ((uint64_t)256 << 20)

/* Whether @sum stands at @at with right. */
static bool holds(const struct aof_in *in, uint64_t at, const struct sum_line *sum, char *buf)
{
	uint64_t from = at - sum->count, crc = 0;

	while (from < at) {
		size_t want = at - from < CHUNK ? (size_t)(at - from) : CHUNK;
		ssize_t n = pread(in->fd, buf, want, (off_t)from);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		crc = crc64(crc, buf, (size_t)n);
		from += (uint64_t)n;
	}
	return sum_fits(sum, crc, sum->count);
}

/* The last valid line that begins in the @n bytes at @base; @spare is a chunk to work with. */
static bool find_last(const struct aof_in *in, const char *buf, size_t n, uint64_t base,
		      unsigned *tries, char *spare, struct sum_line *sum)
{
	for (size_t i = n; i-- && *tries;) {
		const char *eol;
		if (buf[i] != '#' || !(eol = memchr(buf + i, '\n', n - i)) ||
		    !parse_checksum(buf + i, (size_t)(eol - buf) - i + 1, sum))
			continue;
		if (sum->count > base + i || sum->synced > base + i)
			continue;
		if (holds(in, base + i, sum, spare))
			return true;
		(*tries)--;
	}
	return false;
}

uint64_t aof_in_synced(const struct aof_in *in)
{
	char *buf = mem_alloc(2 * CHUNK);
	struct sum_line sum = {0};
	unsigned tries = TRIES;
	uint64_t end = in->size, synced = 0;

	for (;;) {
		uint64_t begin = end > CHUNK ? end - CHUNK : 0;
		ssize_t n = pread(in->fd, buf, (size_t)(end - begin), (off_t)begin);
		if (n > 0 && find_last(in, buf, (size_t)n, begin, &tries, buf + CHUNK, &sum)) {
			synced = sum.synced;
			break;
		}
		if (!tries)
			synced = in->size; /* what fails is damage then */
		if (n <= 0 || !tries || begin == 0 || in->size - begin > LOOK_BACK)
			break;
		end = begin + LINE_LIMIT; /* a line may stand across two pieces */
	}
	mem_free(buf);
	return synced;
}
