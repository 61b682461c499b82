/* resp/persist/aof/aof.c - batches of the append-only log: gathered, written, synced. See aof.h. */
#include "resp/persist/aof/aof.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resp/insight/latency.h"
#include "resp/net/loop.h"
#include "resp/persist/aof/internal.h"
#include "resp/sessions/blocking.h"
#include "resp/ticks.h"
#include "store/base/mem.h"
#include "store/base/num.h"
#include "store/persist/aof_in.h"
#include "store/persist/crc64.h"

#define RETRY_MS    1000
#define LOG_MS      30000 /* the same error is logged so often */
#define POSTPONE_MS 2000  /* writing waits so long for a sync, which it would only slow down */
#define BUFFER_KEPT ((size_t)1 << 20)
#define DIRECT_FROM ((size_t)4 << 20) /* a value of this size is not gathered */

/* --- gathering --- */

static char *extend(struct aof_bytes *b, size_t n)
{
	if (b->cap - b->n < n) {
		b->cap = b->n + n + (n < BUFFER_KEPT ? b->n + n : BUFFER_KEPT) + 4096;
		b->p = mem_realloc(b->p, b->cap);
	}
	char *at = b->p + b->n;
	b->n += n;
	return at;
}

static void put(struct aof_bytes *b, const void *p, size_t n)
{
	char *at = extend(b, n);

	if (n)
		memcpy(at, p, n);
}

/* "*3" and its line end at @at; where it ends. */
static inline char *write_count(char *at, char sign, uint64_t n)
{
	*at++ = sign;
	if (n > 99) {
		at += num_format_int(at, (int64_t)n);
	} else {
		if (n > 9)
			*at++ = (char)('0' + n / 10);
		*at++ = (char)('0' + n % 10);
	}
	*at++ = '\r';
	*at++ = '\n';
	return at;
}

static void put_count(struct aof_bytes *b, char sign, uint64_t n)
{
	char text[NUM_BUF + 3];

	put(b, text, (size_t)(write_count(text, sign, n) - text));
}

static bool write_direct(struct aof *a, struct bytes value);

static void put_big_command(struct aof *a, int argc, const struct bytes *argv)
{
	struct aof_bytes *b = &a->open;

	put_count(b, '*', (uint64_t)argc);
	for (int i = 0; i < argc; i++) {
		put_count(b, '$', argv[i].n);
		if (argv[i].n < DIRECT_FROM || !write_direct(a, argv[i]))
			put(b, argv[i].p, argv[i].n);
		put(b, "\r\n", 2);
	}
}

static void put_command(struct aof *a, int argc, const struct bytes *argv)
{
	enum { COUNT = NUM_BUF + 3 };
	struct aof_bytes *b = &a->open;
	size_t most = COUNT;

	for (int i = 0; i < argc; i++)
		most += COUNT + argv[i].n + 2;
	if (most >= DIRECT_FROM) {
		put_big_command(a, argc, argv);
		return;
	}
	char *at = write_count(extend(b, most), '*', (uint64_t)argc);
	for (int i = 0; i < argc; i++) {
		at = write_count(at, '$', argv[i].n);
		if (argv[i].n)
			memcpy(at, argv[i].p, argv[i].n);
		at += argv[i].n;
		*at++ = '\r';
		*at++ = '\n';
	}
	b->n = (size_t)(at - b->p);
}

/* A line that says what time it is, where that is asked for. */
static void put_stamp(struct aof *a)
{
	struct server *s = a->server;
	int64_t now = s->keyspace->now_ms / 1000;
	char text[40];

	if (!s->config.aof_timestamp_enabled || now <= a->stamp)
		return;
	a->stamp = now;
	put(&a->open, text, (size_t)snprintf(text, sizeof(text), "#TS:%lld\r\n", (long long)now));
}

static void on_append(void *arg, unsigned db, int argc, const struct bytes *argv)
{
	struct aof *a = arg;
	struct server *s = a->server;
	char text[NUM_BUF];

	if (!a->in_unit)
		put_stamp(a);
	if (!a->has_db || a->db != db) {
		/* In lower case: aof_in.h says what for. */
		struct bytes select[] = {BYTES("select"), bytes_of(text, num_format_int(text, db))};
		put_command(a, 2, select);
		a->db = db;
		a->has_db = true;
	}
	put_command(a, argc, argv);
	if (!s->current)
		return;
	if (s->current->written != a->batch)
		aof_company_wrote(a);
	s->current->written = a->batch;
	if (s->config.appendfsync == AOF_FSYNC_ALWAYS || a->rotation)
		s->current->hold = a->batch;
}

static void on_begin(void *arg)
{
	struct aof *a = arg;
	struct bytes multi[] = {BYTES("MULTI")};

	put_stamp(a);
	a->in_unit = true;
	a->unit_at = a->open.n;
	put_command(a, 1, multi);
}

static void on_end(void *arg)
{
	struct aof *a = arg;
	struct bytes exec[] = {BYTES("EXEC")};

	put_command(a, 1, exec);
	a->in_unit = false;
	/* What was written of it before may belong to an earlier batch: see aof_flush_whole. */
	if (a->server->current && a->server->current->hold)
		a->server->current->hold = a->batch;
}

/* --- trouble --- */

const char *aof_refusal(const struct server *s)
{
	const struct aof *a = s->aof;

	return a->on && (a->write_error || a->sync_error) ? a->refusal : NULL;
}

/* The error that there is now, if any, is what writes are refused with. */
static void refuse(struct aof *a)
{
	int error = a->write_error ? a->write_error : a->sync_error;

	if (error)
		snprintf(a->refusal, sizeof(a->refusal),
			 "MISCONF Errors writing to the AOF file: %s", strerror(error));
	snapshot_check_writes(a->server);
}

static bool may_log(struct aof *a)
{
	int64_t now = loop_now_us(a->server->loop) / 1000;

	if (a->logged_ms && now - a->logged_ms < LOG_MS)
		return false;
	a->logged_ms = now;
	return true;
}

static void trouble(struct aof *a, int *kind, int error)
{
	a->retry_ms = loop_now_us(a->server->loop) / 1000 + RETRY_MS;
	*kind = error;
	refuse(a);
}

static void solved(struct aof *a, int *kind)
{
	if (!*kind)
		return;
	*kind = 0;
	a->logged_ms = 0;
	refuse(a);
	log_line(&a->server->config.log, LOG_LEVEL_WARNING,
		 "AOF write error looks solved, Redis can write again.");
}

/* --- writing --- */

/* What may have kept the disk busy while something was written. */
static const char *write_kind(const struct aof *a)
{
	if (a->syncing)
		return "aof-write-pending-fsync";
	if (snapshot_running(a->server) || a->rewrite.pid)
		return "aof-write-active-child";
	return "aof-write-alone";
}

static bool is_always(const struct aof *a)
{
	return a->server->config.appendfsync == AOF_FSYNC_ALWAYS;
}

/* The file ends at @size. */
static bool drop_beyond(struct aof *a, uint64_t size)
{
	struct stat st;

	if (fstat(a->fd, &st) == 0 && (uint64_t)st.st_size <= size)
		return true;
	return ftruncate(a->fd, (off_t)size) == 0;
}

/* No place is held behind what is written. */
static void give_place_back(struct aof *a)
{
	if (a->filled > a->size && drop_beyond(a, a->size))
		a->filled = a->size;
}

/* All of it to its place, or nothing: what a failed write left behind is cut off, and written over the next time. */
static bool write_at(struct aof *a, const struct aof_bytes *b, uint64_t offset)
{
	struct log *log = &a->server->config.log;
	size_t done = 0;
	int error = 0;
	uint64_t began = ticks_ns();

	while (done < b->n && !error) {
		ssize_t n = pwrite(a->fd, b->p + done, b->n - done, (off_t)(offset + done));
		if (n < 0 && errno != EINTR)
			error = errno;
		else if (n == 0)
			error = ENOSPC;
		else if (n > 0)
			done += (size_t)n;
	}
	uint64_t usec = (ticks_ns() - began) / 1000;
	latency_note(a->server, "aof-write", usec);
	latency_note(a->server, write_kind(a), usec);
	if (!error)
		return true;
	bool say = may_log(a);
	if (say && done)
		log_line(log, LOG_LEVEL_WARNING,
			 "Short write while writing to the AOF file: (nwritten=%lld, "
			 "expected=%lld)",
			 (long long)done, (long long)b->n);
	else if (say)
		log_line(log, LOG_LEVEL_WARNING, "Error writing to the AOF file: %s",
			 strerror(error));
	a->filled = offset;
	if ((done || a->fill_from) && !drop_beyond(a, offset) && say)
		log_line(log, LOG_LEVEL_WARNING,
			 "Could not remove short write from the append-only file.  Redis may "
			 "refuse to load the AOF the next time it starts.  ftruncate: %s",
			 strerror(errno));
	trouble(a, &a->write_error, error);
	return false;
}

/* The place that the worker made, or is about to have made: it writes where the next batch goes. */
static void take_place(struct aof *a)
{
	if (!a->place.making)
		return;
	aof_worker_wait(&a->sync);
	a->place.making = false;
	a->fill_from = a->place.from;
	a->filled = a->place.to;
}

/* How much longer a batch that would end at @end has to be. */
static size_t fitting(const struct aof *a, uint64_t end)
{
	return end < a->filled ? (size_t)(a->fill_from - end) % AOF_FILL : 0;
}

static void drop(struct aof_bytes *b)
{
	b->n = 0;
	if (b->cap <= BUFFER_KEPT)
		return;
	mem_free(b->p);
	*b = (struct aof_bytes){NULL, 0, 0};
}

/* What a checksum line at @offset may say: that fsync answered so, or, where there is none, what was written. */
static uint64_t synced_before(const struct aof *a, uint64_t offset)
{
	return a->server->config.appendfsync == AOF_FSYNC_NO ? offset : a->synced_size;
}

/* A new file begins with a line over nothing: what follows is known as ours from its first batch on. */
static bool write_opening(struct aof *a)
{
	char line[AOF_CHECKSUM_MAX];
	struct aof_bytes b = {line, aof_checksum_line(line, 0, 0, 0), sizeof(line)};

	if (!write_at(a, &b, 0))
		return false;
	a->size = b.n;
	return true;
}

/* The open batch was written, up to the file's end: it is the sent one. What is on its way to the disk, and may have to be written again, stays
 * part of it. */
static void keep_sent(struct aof *a)
{
	uint64_t at = a->size - a->open.n;

	if (a->syncing && is_always(a) && a->sent_at + a->sent.n == at) {
		put(&a->sent, a->open.p, a->open.n);
		drop(&a->open);
		return;
	}
	drop(&a->sent);
	struct aof_bytes swap = a->sent;
	a->sent = a->open;
	a->open = swap;
	a->sent_at = at;
}

/* Write the open batch with its checksum; it is the sent one then, and the next is open. */
static bool send_batch(struct aof *a)
{
	char line[AOF_CHECKSUM_MAX];
	size_t n = a->open.n;
	uint64_t crc = crc64(a->crc, a->open.p, n);

	take_place(a);
	if (a->size == 0 && !write_opening(a))
		return false;
	size_t len = aof_checksum_line(line, crc, a->covered + n, synced_before(a, a->size + n));
	put(&a->open, line, aof_fill_up(line, len, fitting(a, a->size + n + len)));
	if (!write_at(a, &a->open, a->size)) {
		a->open.n = n;
		return false;
	}
	a->crc = a->covered = 0;
	a->size += a->open.n;
	a->place.wanted = a->size >= a->filled && is_always(a);
	a->sent_batch = a->batch++;
	a->company.sent = a->company.open;
	a->company.open = 0;
	keep_sent(a);
	a->unsynced = true;
	solved(a, &a->write_error);
	return true;
}

static bool must_wait(struct aof *a, int64_t now);

/* Write what the open batch has so far, and @value behind it, from where it is: it is never in memory twice. The rest of the batch, and
 * the checksum over all of it, follow. False when it has to be gathered as anything else: what belongs to a unit may not be
 * written before its end, and with appendfsync always all of it may have to be written again. */
static bool write_direct(struct aof *a, struct bytes value)
{
	struct aof_bytes direct = {(char *)(uintptr_t)value.p, value.n, value.n};
	size_t n = a->open.n;

	if (a->in_unit || is_always(a) || must_wait(a, loop_now_us(a->server->loop) / 1000) ||
	    (a->size == 0 && !write_opening(a)))
		return false;
	take_place(a);
	if (!write_at(a, &a->open, a->size) || !write_at(a, &direct, a->size + n))
		return false;
	a->crc = crc64(crc64(a->crc, a->open.p, n), value.p, value.n);
	a->covered += n + value.n;
	a->size += n + value.n;
	drop(&a->open);
	return true;
}

/* --- syncing --- */

static void sync_ended(struct aof *a, int error)
{
	a->syncing = false;
	take_place(a);
	if (is_always(a))
		latency_note(a->server, "aof-fsync-always", (ticks_ns() - a->sync_began) / 1000);
	if (error) {
		a->holes |= !is_always(a);
		if (may_log(a))
			log_line(&a->server->config.log, LOG_LEVEL_WARNING,
				 "Fail to fsync the AOF file: %s", strerror(error));
		a->unsynced = true;
		trouble(a, &a->sync_error, error);
		return;
	}
	if (!a->holes)
		a->synced_size = a->syncing_size;
	if (a->server->durable < a->syncing_batch)
		a->server->durable = a->syncing_batch;
	if (a->server->synced < a->syncing_batch)
		a->server->synced = a->syncing_batch;
	if (is_always(a))
		aof_company_synced(a, a->sync_began);
	if (a->sync_error && a->holes)
		aof_rewrite_schedule(a->server);
	solved(a, &a->sync_error);
}

static void look_after_sync(struct aof *a)
{
	if (a->syncing && !aof_worker_busy(&a->sync))
		sync_ended(a, aof_worker_wait(&a->sync));
}

void aof_on_synced(void *arg)
{
	look_after_sync(arg);
}

static int sync_file(void *fd)
{
	while (fdatasync((int)(intptr_t)fd) < 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

/* Bytes of place that are made at once: what a busy log writes in some dozens of batches, a part of what there is for a small one. */
#define FILL_LEAST ((uint64_t)64 << 10)
#define FILL_MOST  ((uint64_t)4 << 20)

/* On the worker's thread: place behind the last batch, then all of it to the disk. Without room there is none, and the next batch finds out
 * by itself. */
static int make_place(void *arg)
{
	struct aof *a = arg;
	uint64_t from = a->place.from, at = from, n = from / 4;
	char *p = mem_try(FILL_LEAST);
	struct stat st;

	n = n < FILL_LEAST ? FILL_LEAST : n > FILL_MOST ? FILL_MOST : n;
	if (p)
		aof_fill(p, FILL_LEAST / AOF_FILL);
	while (p && at < from + n &&
	       pwrite(a->place.fd, p, FILL_LEAST, (off_t)at) == (ssize_t)FILL_LEAST)
		at += FILL_LEAST;
	mem_free(p);
	if (fstat(a->place.fd, &st) == 0 && (uint64_t)st.st_size > at &&
	    ftruncate(a->place.fd, (off_t)at) < 0) {
		/* Part of a piece stays behind it: lines of nothing, too. */
	}
	a->place.to = at;
	return sync_file((void *)(intptr_t)a->place.fd);
}

static void begin_sync(struct aof *a)
{
	a->syncing = true;
	a->unsynced = false;
	a->syncing_batch = a->sent_batch;
	a->syncing_size = a->size;
	a->synced_ms = loop_now_us(a->server->loop) / 1000;
	a->sync_began = ticks_ns();
	a->place.making = a->place.wanted && is_always(a) && !a->rotation;
	a->place.wanted = false;
	if (!a->place.making) {
		aof_worker_begin(&a->sync, sync_file, (void *)(intptr_t)a->fd);
		return;
	}
	a->place.fd = a->fd;
	a->place.from = a->size;
	aof_worker_begin(&a->sync, make_place, a);
}

/* The kernel may have forgotten what it could not write: it is given it again before the next sync. */
static bool write_again(struct aof *a)
{
	if (!write_at(a, &a->sent, a->sent_at))
		return false;
	solved(a, &a->write_error);
	return true;
}

static bool sync_is_due(const struct aof *a, int64_t now)
{
	const struct config *cfg = &a->server->config;

	if (a->syncing || !a->unsynced)
		return false;
	if (a->sync_error)
		return now >= a->retry_ms;
	if (a->hurry || a->rotation)
		return true;
	if (cfg->no_appendfsync_on_rewrite && (snapshot_running(a->server) || a->rewrite.pid))
		return false;
	switch ((enum aof_fsync)cfg->appendfsync) {
	case AOF_FSYNC_ALWAYS:
		return true;
	case AOF_FSYNC_EVERYSEC:
		return now - a->synced_ms >= 1000;
	case AOF_FSYNC_NO:
		break;
	}
	return false;
}

/* Whether the open batch has to wait: for a sync under way, or for the time to try again. */
static bool must_wait(struct aof *a, int64_t now)
{
	if (a->rotation || (a->write_error && now < a->retry_ms))
		return true;
	if (a->sync_error || (is_always(a) && a->syncing)) /* groups what comes meanwhile */
		return true;
	if (is_always(a) && !a->hurry && aof_company_awaited(a))
		return true;
	if (!a->syncing || a->server->config.appendfsync != AOF_FSYNC_EVERYSEC) {
		a->postponed_ms = 0;
		return false;
	}
	if (!a->postponed_ms)
		a->postponed_ms = now;
	if (now - a->postponed_ms < POSTPONE_MS)
		return true;
	a->postponed_ms = 0;
	a->delayed++;
	log_line(&a->server->config.log, LOG_LEVEL_NOTICE,
		 "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF "
		 "buffer without waiting for fsync to complete, this may slow down Redis.");
	return false;
}

/* --- from one increment to the next --- */

bool aof_rotation_begin(struct aof *a)
{
	if (a->sync_error || (a->open.n && !send_batch(a))) {
		log_line(&a->server->config.log, LOG_LEVEL_WARNING,
			 "Can't rewrite append only file in background: the log: %s",
			 strerror(a->write_error ? a->write_error : a->sync_error));
		return false;
	}
	a->rotation = AOF_ENDS_OLD;
	a->has_db = false;
	a->batch++; /* the number that it had may count as written */
	return true;
}

void aof_rotation_end(struct aof *a, int fd)
{
	a->rotation = AOF_STAYS;
	if (fd < 0)
		return;
	a->fd = fd;
	a->older += a->size;
	a->size = a->synced_size = a->crc = a->covered = a->filled = a->fill_from = 0;
	a->sent.n = 0;
	a->sent_at = 0;
	a->holes = false;
}

void aof_rotation_finish(struct aof *a)
{
	while (a->rotation) {
		if (a->syncing)
			sync_ended(a, aof_worker_wait(&a->sync));
		else if (a->rotation == AOF_ENDS_OLD && a->unsynced && !a->sync_error)
			begin_sync(a);
		else
			aof_rewrite_wait(a);
	}
}

static void write_and_sync(void *arg)
{
	struct server *s = arg;
	struct aof *a = s->aof;
	int64_t now = loop_now_us(s->loop) / 1000;

	snapshot_begin_due(s);
	aof_rewrite_begin_due(a);
	/* Not when its message is read: the next one would begin so much later. */
	look_after_sync(a);
	aof_rewrite_go_on(a);
	if (!a->on || a->in_unit)
		return;
	if (a->told != s->synced) {
		a->told = s->synced;
		blocking_synced(s->blocking);
	}
	if (a->open.n && s->debug.aof_flush_sleep_us)
		usleep(s->debug.aof_flush_sleep_us);
	if (a->open.n && !must_wait(a, now))
		send_batch(a);
	if (sync_is_due(a, now) && (!a->sync_error || write_again(a)))
		begin_sync(a);
	/* With the other policies, and where syncing is put off, nobody waits. */
	if (!is_always(a))
		s->durable = a->rotation ? a->batch - 1 : a->batch;
	else if (a->unsynced && !a->syncing && !a->sync_error)
		s->durable = a->sent_batch;
	aof_serve_waiters(a);
}

/* Replies take the better part of a busy turn: a sync that ended meanwhile is followed by the next at once. */
static void sync_on(void *arg)
{
	struct server *s = arg;
	struct aof *a = s->aof;

	if (!a->syncing || !a->open.n || !is_always(a) || aof_worker_busy(&a->sync))
		return;
	write_and_sync(s);
	loop_again(s->loop); /* for those who wait for the one that ended */
}

void aof_cron(struct server *s, int64_t now_ms)
{
	(void)now_ms;
	write_and_sync(s);
	aof_rewrite_cron(s->aof);
}

static bool flush(struct aof *a)
{
	aof_rotation_finish(a);
	if (a->syncing)
		sync_ended(a, aof_worker_wait(&a->sync));
	if (a->sync_error && !write_again(a))
		return false;
	if (a->open.n && !send_batch(a))
		return false;
	if (a->unsynced) {
		begin_sync(a);
		sync_ended(a, aof_worker_wait(&a->sync));
	}
	return !a->sync_error;
}

bool aof_flush(struct server *s)
{
	struct aof *a = s->aof;

	if (!a->on)
		return true;
	bool ok = flush(a);
	aof_serve_waiters(a);
	return ok;
}

/* Everything before the end of the file is on the disk: a line that says so turns whatever fails from now on into damage. */
static void seal(struct aof *a)
{
	char line[AOF_CHECKSUM_MAX];
	struct aof_bytes b = {line, 0, sizeof(line)};

	if (a->size == 0)
		return;
	give_place_back(a);
	b.n = aof_checksum_line(line, a->crc, a->covered, a->size);
	if (!write_at(a, &b, a->size))
		return;
	a->size += b.n;
	a->crc = a->covered = 0;
	a->unsynced = true;
	begin_sync(a);
	sync_ended(a, aof_worker_wait(&a->sync));
}

bool aof_close(struct server *s)
{
	if (!aof_flush(s))
		return false;
	if (s->aof->on)
		seal(s->aof);
	return true;
}

bool aof_flush_whole(struct server *s)
{
	struct aof *a = s->aof;

	if (!a->on || !a->in_unit)
		return aof_flush(s);
	size_t n = a->open.n - a->unit_at;
	char *begun = mem_dup(a->open.p + a->unit_at, n);
	a->open.n = a->unit_at;
	bool ok = aof_flush(s);
	a->unit_at = a->open.n;
	put(&a->open, begun, n);
	mem_free(begun);
	return ok;
}

void aof_drop_unit(struct server *s)
{
	struct aof *a = s->aof;

	if (!a->on)
		return;
	if (a->in_unit)
		a->open.n = a->unit_at;
	a->in_unit = false;
	journal_remove_consumer(s->journal, &a->consumer);
}

/* --- life --- */

struct aof *aof_new(struct server *s)
{
	struct aof *a = mem_calloc(sizeof(*a));

	a->server = s;
	a->fd = a->dir = -1;
	a->rewrite.gate = -1;
	a->rewrite.last_seconds = -1;
	a->batch = 1;
	aof_company_init(a);
	a->consumer = (struct journal_consumer){
		.arg = a, .append = on_append, .begin = on_begin, .end = on_end};
	return a;
}

void aof_attach(struct server *s)
{
	loop_before_wait(s->loop, write_and_sync, s);
}

void aof_attach_last(struct server *s)
{
	loop_before_wait(s->loop, sync_on, s);
}

void aof_begin(struct aof *a, int fd, const struct aof_tail *tail)
{
	a->fd = fd;
	a->sent_at = 0;
	a->size = a->synced_size = a->filled = tail->size;
	a->fill_from = 0;
	a->crc = tail->crc;
	a->covered = tail->covered;
	a->has_db = false;
	a->company.open = a->company.sent = 0;
	a->on = true;
	journal_add_consumer(a->server->journal, &a->consumer);
}

void aof_end(struct aof *a)
{
	if (!a->on)
		return;
	journal_remove_consumer(a->server->journal, &a->consumer);
	if (a->syncing)
		aof_worker_wait(&a->sync);
	take_place(a);
	give_place_back(a);
	close(a->fd);
	a->fd = -1;
	a->on = a->in_unit = a->syncing = a->unsynced = false;
	a->holes = a->hurry = false;
	a->open.n = a->sent.n = 0;
	a->server->durable = a->batch++;
	a->write_error = a->sync_error = 0;
	a->logged_ms = 0;
	aof_release_waiters(a);
}

void aof_free(struct aof *a)
{
	aof_rewrite_kill(a);
	aof_end(a);
	aof_worker_stop(&a->sync);
	aof_worker_stop(&a->chores);
	aof_company_fini(a);
	aof_leave(a->server);
	aof_manifest_fini(&a->manifest);
	mem_free(a->open.p);
	mem_free(a->sent.p);
	mem_free(a);
}

void aof_figures(const struct server *s, struct aof_figures *out)
{
	const struct aof *a = s->aof;

	*out = (struct aof_figures){
		.on = a->on || a->waiting,
		.write_ok = !a->write_error && !a->sync_error,
		.size = a->older + a->size,
		.base_size = a->base_size,
		.rewriting = aof_rewrite_running(s),
		.scheduled = a->rewrite.scheduled,
		.rewrite_ok = !a->rewrite.failures,
		.last_seconds = a->rewrite.last_seconds,
		.current_seconds = aof_rewrite_running(s)
					   ? (s->keyspace->now_ms - a->rewrite.begun_ms) / 1000
					   : -1,
		.rewrites = a->rewrite.count,
		.failures = a->rewrite.failures,
		.buffer = a->open.n,
		.pending_fsync = a->syncing,
		.delayed_fsync = a->delayed,
		.last_cow = a->rewrite.cow,
	};
}
