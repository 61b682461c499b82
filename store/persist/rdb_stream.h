/* store/persist/rdb_stream.h - streams and their consumer groups as RDB bytes. Part of rdb_value.h. */
#ifndef STORE_PERSIST_RDB_STREAM_H
#define STORE_PERSIST_RDB_STREAM_H

#include "store/persist/rdb_in.h"
#include "store/persist/rdb_out.h"
#include "store/types/stream.h"

/* The lowest of the stream encodings that holds all of @s: the third knows when consumers last got something. */
unsigned rdb_stream_type(struct stream *s);
void rdb_stream_write(struct rdb_out *o, struct stream *s);

/* NULL when @in has failed. */
struct stream *rdb_stream_read(struct rdb_in *in, unsigned type);

#endif
