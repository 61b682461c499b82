/* store/persist/aof_in.h - the commands of an append-only file, one after the other.
 *
 * A file is a sequence of commands as clients send them and of annotations, lines that begin with '#'. One annotation is our own:
 * "#CRC64:SUM:N:S" says that the N bytes before it, back to the last such line or to the start, and ":N:S" behind them have this
 * checksum, and that the disk was known to have the first S bytes of the file when it was written. It is verified as it is passed.
 *
 * What fails before the greatest S is damage. What fails behind it was never synced, so that nobody was promised it: a disk that lost its
 * power may have kept any pages of it. Servers that write no such lines may have gone on behind them; their part begins with
 * SELECT, where ours has it in lower case.
 *
 * Whatever the bytes claim, nothing is allocated that the rest of the file could not fill.
 */
#ifndef STORE_PERSIST_AOF_IN_H
#define STORE_PERSIST_AOF_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/bytes.h"

enum aof_item {
	AOF_COMMAND, /* argc, argv: borrowed until the next call */
	AOF_CHECKED, /* a checksum line was passed, which held */
	AOF_END,
	AOF_TORN,  /* the file ends within something that begins at item_offset */
	AOF_BAD,   /* damage at error_offset, see error */
	AOF_ERROR, /* reading failed: errno in error_code */
	AOF_LATER, /* a time annotation says that what follows is of after @until; it is not consumed */
};

struct aof_in {
	int fd;
	uint64_t size;   /* of the file */
	uint64_t offset; /* where buf[at] stands in the file */
	char *buf;
	size_t at, len, cap;
	struct bytes *argv;
	size_t *starts; /* of the arguments, from the command's first byte */
	int argc, argv_cap;
	uint64_t crc, covered; /* over the bytes since the last checksum, and how many */
	bool checked;          /* there was a checksum line before */
	bool begun, foreign;   /* commands since the last one, the first of them another server's */
	uint64_t solid;        /* behind the last command or checksum: annotations alone follow */
	uint64_t lines;        /* passed so far, those within values aside */
	int64_t until;         /* seconds since the epoch, 0 for no end: the caller's to set */
	uint64_t item_offset, error_offset;
	const char *error;
	int error_code;
};

/* From @offset of a file of @size bytes; the descriptor stays the caller's. */
void aof_in_init(struct aof_in *in, int fd, uint64_t size, uint64_t offset);
void aof_in_fini(struct aof_in *in);

enum aof_item aof_in_next(struct aof_in *in);

/* Whether the command read last is this one word, in any case: MULTI, EXEC. */
static inline bool aof_in_is_word(const struct aof_in *in, const char *word)
{
	return in->argc == 1 && bytes_is(in->argv[0], word);
}

/* To come back to a place. */
struct aof_place {
	uint64_t offset, crc, covered, lines;
	bool checked, begun, foreign;
};
struct aof_place aof_in_place(const struct aof_in *in);
void aof_in_return(struct aof_in *in, struct aof_place place);

/* Lines of nothing, AOF_FILL bytes each: a place that batches are written into. A sync of bytes that replace others need not wait until the
 * file system has noted down a new length, which takes it several times as long. A checksum line in front of one that is cut
 * in half would begin a line that means something: batches are made longer by what aof_fill_up adds to their last line. */
#define AOF_FILL ((size_t)16)
void aof_fill(char *p, size_t lines);

/* How much of the file its last valid checksum line says was synced; 0 where there is none. */
uint64_t aof_in_synced(const struct aof_in *in);

/* The line for @n bytes whose own checksum is @crc, @synced bytes of the file being on the disk, into @out; its length. */
#define AOF_CHECKSUM_MAX 104
size_t aof_checksum_line(char out[AOF_CHECKSUM_MAX], uint64_t crc, uint64_t n, uint64_t synced);
/* Make the checksum line of @n bytes longer by @more, less than AOF_FILL. */
size_t aof_fill_up(char line[AOF_CHECKSUM_MAX], size_t n, size_t more);

#endif
