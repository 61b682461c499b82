/* tests/unit/rdb_file.h - the frame of an RDB file around records made by hand. */
#ifndef TESTS_UNIT_RDB_FILE_H
#define TESTS_UNIT_RDB_FILE_H

#include <stdio.h>
#include <string.h>

/* A file of version @version with these records and no checksum into @out, which has room for 18 bytes more than they take; its size. */
static inline size_t file_of(unsigned char *out, unsigned version, const void *records, size_t n)
{
	char head[16];

	snprintf(head, sizeof(head), "REDIS%04u", version);
	memcpy(out, head, 9);
	memcpy(out + 9, records, n);
	out[9 + n] = 255;
	memset(out + 10 + n, 0, 8);
	return n + (version < 5 ? 10 : 18);
}

#endif
