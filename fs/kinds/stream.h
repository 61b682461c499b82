/* fs/kinds/stream.h - reading a stream, for stream.c.
 *
 * A stream's entries never change, and what comes, comes at its end. So whoever has read one (an open file, which keeps the text; an
 * inode, which keeps the size) is given what was added only, as long as nothing was removed meanwhile: following a long stream costs
 * what comes, not what is there.
 */
#ifndef FS_KINDS_STREAM_H
#define FS_KINDS_STREAM_H

#include "fs/task.h"

struct row_id {
	uint64_t ms, seq;
};

/* "ms-seq" in its one form: anything else would mean something to XRANGE. */
bool stream_row_id(struct bytes s, struct row_id *out);

/* Load all of the stream, or what came since t->handle (with t->reading) or the inode (with t->sized_only) knew it. */
void stream_load(struct task *t);
void stream_stat(struct task *t);

/* Load the entries of a range of ids: of stream.d/KEY/ID, a row a field. */
void stream_load_range(struct task *t, struct bytes from, struct bytes to);

#endif
