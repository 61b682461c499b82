/* resp/persist/load.c - the file back into memory. See snapshot.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "resp/changes.h"
#include "resp/net/loop.h"
#include "resp/persist/internal.h"
#include "resp/scripts/scripts.h"
#include "resp/sessions/tracking/tracking.h"
#include "resp/sessions/watch.h"
#include "store/base/mem.h"
#include "store/persist/rdb_load.h"

struct load {
	struct server *server;
	bool turns; /* serve the loop meanwhile */
	bool merge; /* what is there is replaced */
	struct rdb_load_options *opt;
};

/* What may be configured while it loads. */
static void configure(const struct load *l)
{
	l->opt->delay_us = l->server->config.key_load_delay;
	l->opt->interval = (uint64_t)l->server->config.loading_interval;
}

static bool on_progress(void *arg, uint64_t bytes)
{
	const struct load *l = arg;
	struct server *s = l->server;

	s->snapshot->figures.load_done = bytes;
	mem_used(); /* remembers the peak */
	if (l->turns)
		loop_turn_nowait(s->loop);
	configure(l);
	return !s->stopping;
}

static void on_note(void *arg, const char *text)
{
	const struct load *l = arg;

	log_line(&l->server->config.log, LOG_LEVEL_WARNING, "Loading RDB: %s", text);
}

static bool on_function(void *arg, struct bytes code, char *why, size_t room)
{
	const struct load *l = arg;

	if (scripts_read_function(l->server->scripts, code, l->merge, why, room))
		return true;
	/* It is for the log, not for a client. */
	if (strncmp(why, "ERR ", 4) == 0)
		memmove(why, why + 4, strlen(why + 4) + 1);
	return false;
}

static long long number(struct bytes value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.*s", value.n < 31 ? (int)value.n : 31, value.p);
	return atoll(text);
}

static void on_aux(void *arg, struct bytes name, struct bytes value)
{
	const struct load *l = arg;
	struct server *s = l->server;
	struct log *log = &s->config.log;

	if (bytes_is(name, "redis-ver")) {
		log_line(log, LOG_LEVEL_NOTICE, "Loading RDB produced by version %.*s",
			 value.n < 64 ? (int)value.n : 64, value.p);
	} else if (bytes_is(name, "ctime")) {
		long long age;
		if (__builtin_sub_overflow(s->keyspace->now_ms / 1000, number(value), &age))
			age = LLONG_MAX;
		log_line(log, LOG_LEVEL_NOTICE, "RDB age %lld seconds", age > 0 ? age : 0);
	} else if (bytes_is(name, "used-mem")) {
		s->snapshot->figures.load_used_mem = (uint64_t)number(value);
		log_line(log, LOG_LEVEL_NOTICE, "RDB memory usage when created %.2f Mb",
			 (double)number(value) / (1024 * 1024));
	} else if (bytes_is(name, "aof-base") && number(value)) {
		log_line(log, LOG_LEVEL_NOTICE, "RDB is base AOF");
	}
}

static void log_done(struct server *s, const struct rdb_load_result *r)
{
	char empty[64] = "";

	if (r->empty)
		snprintf(empty, sizeof(empty), ", empty keys skipped: %llu",
			 (unsigned long long)r->empty);
	log_line(&s->config.log, LOG_LEVEL_NOTICE,
		 "Done loading RDB, keys loaded: %llu, keys expired: %llu%s.",
		 (unsigned long long)r->loaded, (unsigned long long)r->expired, empty);
}

bool load_rdb(struct server *s, int fd, uint64_t size, bool turns, bool merge, bool preamble,
	      uint64_t *end)
{
	struct snapshot *n = s->snapshot;
	struct load l = {.server = s, .turns = turns, .merge = merge};
	struct rdb_load_options opt = {
		.limits = &s->config.limits,
		.overwrite = merge,
		.keep_expired = preamble,
		.arg = &l,
		.progress = on_progress,
		.aux = on_aux,
		.note = on_note,
		.function = on_function,
	};
	struct rdb_load_result result;
	struct rdb_in in;

	l.opt = &opt;
	configure(&l);
	n->figures.load_start = s->keyspace->now_ms / 1000;
	n->figures.load_total = size;
	n->figures.load_done = 0;
	s->loading = s->keyspace->expiry_frozen = true;
	rdb_in_file(&in, fd, size, s->config.rdbchecksum && !s->debug.skip_checksum);
	bool ok = rdb_load(s->keyspace, &in, &opt, &result);
	s->loading = false;
	s->keyspace->expiry_frozen = s->pause != NULL;
	n->figures.loaded = result.loaded;
	n->figures.load_expired = result.expired;
	if (ok && !result.stopped)
		log_done(s, &result);
	else if (!ok)
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Internal error in RDB reading offset %llu, function at rdb_load -> %s",
			 (unsigned long long)in.error_offset, in.error);
	if (end)
		*end = rdb_in_offset(&in);
	rdb_in_fini(&in);
	if (s->changes)
		changes_mark_all(s->changes, s->keyspace->now_ms);
	return ok;
}

/* @found false: there is no file, which is no failure. */
static bool load_file(struct server *s, bool turns, bool merge, bool *found)
{
	bool look = s->config.rdb[0];
	const char *name = look ? s->config.rdb : s->config.dbfilename;
	struct stat st;
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	*found = fd >= 0 || errno != ENOENT || look;
	if (fd < 0 && !*found)
		return true;
	if (fd < 0 || fstat(fd, &st) < 0) {
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Fatal error: can't open the RDB file %s for "
			 "reading: %s",
			 name, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	bool ok = load_rdb(s, fd, (uint64_t)st.st_size, turns, merge, false, NULL);
	close(fd);
	return ok;
}

bool snapshot_load(struct server *s)
{
	struct timespec begin, end;
	bool found;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (!load_file(s, true, false, &found)) {
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Fatal error loading the DB, check server logs. Exiting.");
		return false;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (found && !s->stopping)
		log_line(&s->config.log, LOG_LEVEL_NOTICE, "DB loaded from disk: %.3f seconds",
			 (double)(end.tv_sec - begin.tv_sec) +
				 (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
	s->stats.dirty = 0;
	return true;
}

bool snapshot_reload(struct server *s, bool save, bool flush, bool merge)
{
	bool found;

	if (save) {
		if (s->snapshot->child)
			child_kill(s);
		if (!snapshot_save(s))
			return false;
	}
	if (flush)
		functions_clear(s->scripts);
	for (unsigned i = 0; flush && i < s->keyspace->ndbs; i++) {
		watch_touch_all(s, &s->keyspace->dbs[i], NULL);
		keyspace_flush(&s->keyspace->dbs[i], KEYSPACE_FREE_NOW);
	}
	if (flush && s->tracking)
		tracking_flushed(s);
	if (!load_file(s, false, merge, &found) || !found)
		return false;
	log_line(&s->config.log, LOG_LEVEL_WARNING, "DB reloaded by DEBUG RELOAD");
	return true;
}
