/* store/persist/rdb_save.c - see rdb_save.h. */
#include "store/persist/rdb_save.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "store/persist/crc64.h"
#include "store/persist/rdb_format.h"
#include "store/persist/rdb_value.h"

/* Entries whose memory is asked for ahead. */
#define AHEAD 32

#define PROGRESS_KEYS 1024

struct saving {
	struct keyspace *ks;
	struct rdb_out out;
	const struct rdb_save_options *opt;
	uint64_t keys;
};

/* The lowest version that knows encoding @type. */
static int version_for(unsigned type)
{
	if (type >= RDB_HASH_METADATA)
		return RDB_VERSION_TIMES;
	return type == RDB_STREAM_3 ? RDB_VERSION_STREAMS : RDB_VERSION_WRITE;
}

static void raise_version(void *arg, uint64_t w)
{
	int *version = arg, needed = version_for(rdb_value_type(w));

	if (needed > *version)
		*version = needed;
}

static int version_of(struct keyspace *ks)
{
	int version = RDB_VERSION_WRITE;

	for (unsigned i = 0; i < ks->ndbs; i++)
		if (ks->dbs[i].ndue)
			return RDB_VERSION_TIMES;
	for (unsigned i = 0; i < ks->ndbs; i++) {
		uint64_t cursor = 0;
		if (!ks->dbs[i].by_type[VALUE_STREAM])
			continue;
		do
			cursor = keyspace_scan(&ks->dbs[i], cursor, 1u << VALUE_STREAM,
					       raise_version, &version);
		while (cursor);
	}
	return version;
}

static void write_header(struct saving *s)
{
	char text[32];

	snprintf(text, sizeof(text), "REDIS%04d", version_of(s->ks));
	rdb_out_bytes(&s->out, text, RDB_HEADER);
	rdb_out_aux(&s->out, "redis-ver", s->opt->version);
	rdb_out_aux(&s->out, "redis-bits", sizeof(void *) == 8 ? "64" : "32");
	snprintf(text, sizeof(text), "%lld", (long long)(s->ks->now_ms / 1000));
	rdb_out_aux(&s->out, "ctime", text);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)s->opt->memory);
	rdb_out_aux(&s->out, "used-mem", text);
	rdb_out_aux(&s->out, "aof-base", s->opt->is_base ? "1" : "0");
}

static void write_access(struct saving *s, uint64_t w)
{
	if (s->ks->policy.lfu) {
		rdb_out_byte(&s->out, RDB_OP_FREQ);
		rdb_out_byte(&s->out, keyspace_freq(s->ks, w));
	} else {
		rdb_out_byte(&s->out, RDB_OP_IDLE);
		rdb_out_len(&s->out, keyspace_idle_seconds(s->ks, w));
	}
}

static void delay(const struct saving *s)
{
	int us = s->opt->delay_us;

	if (us > 0)
		usleep((useconds_t)us);
	else if (s->keys % (uint64_t) - (int64_t)us == 0)
		usleep(1);
}

static void write_key(struct saving *s, uint64_t w)
{
	struct rdb_out *o = &s->out;
	int64_t expire_at = entry_expiry(w);

	if (expire_at >= 0) {
		rdb_out_byte(o, RDB_OP_EXPIRE_MS);
		rdb_out_bytes(o, &expire_at, sizeof(expire_at));
	}
	if (s->opt->access)
		write_access(s, w);
	rdb_out_byte(o, (unsigned char)rdb_value_type(w));
	rdb_out_string(o, entry_key(w));
	rdb_value_write(o, w);
	s->keys++;
	if (s->opt->delay_us)
		delay(s);
	if (s->opt->progress && s->keys % PROGRESS_KEYS == 0)
		s->opt->progress(s->opt->arg, s->keys);
}

static unsigned gather(struct table_iter *it, uint64_t *words)
{
	unsigned n = 0;

	for (uint64_t *slot; n < AHEAD && (slot = table_iter_next(it)); n++) {
		const char *p = word_ptr(*slot);
		words[n] = *slot;
		__builtin_prefetch(p);
		__builtin_prefetch(p + 47);
	}
	return n;
}

static void write_db(struct saving *s, struct db *db)
{
	uint64_t words[2][AHEAD];
	unsigned n[2], now = 0;
	struct table_iter it;

	if (table_count(&db->keys) == 0)
		return;
	rdb_out_byte(&s->out, RDB_OP_SELECTDB);
	rdb_out_len(&s->out, db->id);
	rdb_out_byte(&s->out, RDB_OP_RESIZEDB);
	rdb_out_len(&s->out, table_count(&db->keys));
	rdb_out_len(&s->out, table_count(&db->volatiles));
	table_iter_begin(&it, &db->keys);
	for (n[now] = gather(&it, words[now]); n[now] && !s->out.error; now = !now) {
		n[!now] = gather(&it, words[!now]);
		for (unsigned i = 0; i < n[now]; i++)
			write_key(s, words[now][i]);
	}
	table_iter_end(&it);
}

int rdb_save(struct keyspace *ks, int fd, const struct rdb_save_options *opt)
{
	struct saving s = {.ks = ks, .opt = opt};

	rdb_out_init(&s.out, fd);
	s.out.compress = opt->compress;
	s.out.checksum = opt->checksum;
	s.out.sync_often = opt->sync_often;
	write_header(&s);
	if (opt->head)
		opt->head(opt->head_arg, &s.out);
	for (unsigned i = 0; i < ks->ndbs; i++)
		write_db(&s, &ks->dbs[i]);
	rdb_out_byte(&s.out, RDB_OP_EOF);
	rdb_out_flush(&s.out);
	uint64_t crc = s.out.crc;
	rdb_out_bytes(&s.out, &crc, sizeof(crc));
	int error = rdb_out_flush(&s.out);
	if (opt->progress)
		opt->progress(opt->arg, s.keys);
	rdb_out_fini(&s.out);
	return error;
}

void rdb_dump(struct rdb_out *o, uint64_t w)
{
	unsigned type = rdb_value_type(w);
	uint16_t version = (uint16_t)version_for(type);

	rdb_out_byte(o, (unsigned char)type);
	rdb_value_write(o, w);
	rdb_out_bytes(o, &version, sizeof(version));
	uint64_t crc = o->error ? 0 : crc64(0, o->buf, o->len);
	rdb_out_bytes(o, &crc, sizeof(crc));
}
