/* resp/persist/aof/base.c - the base of the append-only log: everything there is, as an RDB or as commands. */
#include <errno.h>
#include <unistd.h>

#include "resp/persist/aof/internal.h"
#include "resp/scripts/scripts.h"
#include "store/base/num.h"
#include "store/persist/rdb_save.h"

#define PROGRESS_KEYS 1024

struct base {
	struct rdb_out out, payload;
	void (*progress)(void *arg, uint64_t keys);
	void *arg;
	uint64_t keys;
};

static void put_word(struct base *b, struct bytes word)
{
	char text[NUM_BUF + 3];
	size_t n = 1 + (size_t)num_format_int(text + 1, (int64_t)word.n);

	text[0] = '$';
	rdb_out_bytes(&b->out, text, n);
	rdb_out_bytes(&b->out, "\r\n", 2);
	rdb_out_bytes(&b->out, word.p, word.n);
	rdb_out_bytes(&b->out, "\r\n", 2);
}

/* RESTORE takes every type back as it was, encoding and all. */
static void put_key(struct base *b, uint64_t word)
{
	char at[NUM_BUF];
	int64_t expire_at = entry_expiry(word);

	b->payload.len = 0;
	rdb_dump(&b->payload, word);
	if (b->payload.error) {
		b->out.error = b->payload.error;
		return;
	}
	rdb_out_bytes(&b->out, expire_at < 0 ? "*4\r\n" : "*5\r\n", 4);
	put_word(b, BYTES("RESTORE"));
	put_word(b, entry_key(word));
	put_word(b, bytes_of(at, num_format_int(at, expire_at < 0 ? 0 : expire_at)));
	put_word(b, bytes_of(b->payload.buf, b->payload.len));
	if (expire_at >= 0)
		put_word(b, BYTES("ABSTTL"));
	if (++b->keys % PROGRESS_KEYS == 0 && b->progress)
		b->progress(b->arg, b->keys);
}

static void put_db(struct base *b, struct db *db)
{
	struct table_iter it;
	char text[NUM_BUF];

	if (table_count(&db->keys) == 0)
		return;
	rdb_out_bytes(&b->out, "*2\r\n", 4);
	put_word(b, BYTES("SELECT"));
	put_word(b, bytes_of(text, num_format_int(text, db->id)));
	table_iter_begin(&it, &db->keys);
	for (uint64_t *slot; !b->out.error && (slot = table_iter_next(&it));)
		put_key(b, *slot);
	table_iter_end(&it);
}

static void put_library(void *arg, struct bytes code)
{
	struct base *b = arg;

	rdb_out_bytes(&b->out, "*3\r\n", 4);
	put_word(b, BYTES("FUNCTION"));
	put_word(b, BYTES("LOAD"));
	put_word(b, code);
}

static int fill_commands(struct server *s, int fd, void (*progress)(void *arg, uint64_t keys),
			 void *arg)
{
	struct base b = {.progress = progress, .arg = arg};

	rdb_out_init(&b.out, fd);
	rdb_out_init(&b.payload, -1);
	b.out.sync_often = s->config.rdb_save_incremental_fsync;
	b.payload.compress = s->config.rdbcompression;
	scripts_each_library(s->scripts, put_library, &b);
	for (unsigned i = 0; i < s->keyspace->ndbs; i++)
		put_db(&b, &s->keyspace->dbs[i]);
	int error = rdb_out_flush(&b.out);
	rdb_out_fini(&b.out);
	rdb_out_fini(&b.payload);
	if (!error && fsync(fd) < 0)
		error = errno;
	if (close(fd) < 0 && !error)
		error = errno;
	return error;
}

int aof_fill_base(struct server *s, int fd, void (*progress)(void *arg, uint64_t keys), void *arg)
{
	return s->config.aof_use_rdb_preamble ? save_fill(s, fd, true, progress, arg)
					      : fill_commands(s, fd, progress, arg);
}
