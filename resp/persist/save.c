/* resp/persist/save.c - writing the file, save points, and what follows from a save. See snapshot.h. */
#define _GNU_SOURCE /* O_DIRECTORY */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "resp/persist/aof/aof.h"
#include "resp/persist/internal.h"
#include "resp/scripts/scripts.h"
#include "store/base/mem.h"
#include "store/persist/rdb_save.h"

/* A save point waits so long after a save that failed. */
#define RETRY_MS 5000

static const char misconf[] =
	"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist "
	"to "
	"disk. Commands that may modify the data set are disabled, because this instance is "
	"configured to report errors during writes if RDB snapshotting fails "
	"(stop-writes-on-bgsave-error option). Please check the Redis logs for details about the "
	"RDB "
	"error.";

/* A server without replication has none. */
static const char no_replicas[] = "NOREPLICAS Not enough good replicas to write.";

struct snapshot *snapshot_new(struct server *s)
{
	struct snapshot *n = mem_calloc(sizeof(*n));

	n->server = s;
	n->pipe = n->claim = -1;
	n->figures.last_ok = true;
	n->figures.last_save = s->keyspace->now_ms / 1000;
	n->figures.last_seconds = -1;
	return n;
}

void snapshot_free(struct snapshot *n)
{
	if (n->child)
		child_kill(n->server);
	if (n->claim >= 0)
		close(n->claim);
	mem_free(n);
}

/* Whether @name is a temporary file of a process that is gone. One in another container is not seen from here: without the directory's lock only
 * what nobody wrote to for a minute counts. */
static bool is_stale(const struct server *s, const char *name)
{
	char again[SAVE_TEMP];
	struct stat st;
	int pid;

	if (sscanf(name, "temp-%d.rdb", &pid) != 1 || pid <= 0)
		return false;
	save_temp_name(again, pid);
	if (strcmp(name, again) != 0 || lstat(name, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	if (pid != getpid() && (kill(pid, 0) == 0 || errno != ESRCH))
		return false;
	return s->snapshot->claim >= 0 || time(NULL) - st.st_mtime > 60;
}

static void drop_stale(struct server *s)
{
	DIR *d = opendir(".");

	for (struct dirent *e; d && (e = readdir(d));) {
		if (!is_stale(s, e->d_name) || unlink(e->d_name) < 0)
			continue;
		log_line(&s->config.log, LOG_LEVEL_NOTICE,
			 "Removed the temporary file %s, which a killed process left", e->d_name);
	}
	if (d)
		closedir(d);
}

static void claim(struct server *s)
{
	int fd = has_save_points(s) ? open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
		s->snapshot->claim = fd;
		return;
	}
	close(fd);
	log_line(&s->config.log, LOG_LEVEL_WARNING,
		 "Another server saves into %s: where both have the same dbfilename (%s here), "
		 "each replaces what the other saved",
		 s->config.dir, s->config.dbfilename);
}

void snapshot_claim(struct server *s)
{
	claim(s);
	drop_stale(s);
}

/* --- the file --- */

void save_temp_name(char name[SAVE_TEMP], pid_t pid)
{
	snprintf(name, SAVE_TEMP, "temp-%d.rdb", (int)pid);
}

static bool keeps_access(const struct config *cfg)
{
	switch (cfg->maxmemory_policy) {
	case EVICT_ALLKEYS_LRU:
	case EVICT_VOLATILE_LRU:
	case EVICT_ALLKEYS_LFU:
	case EVICT_VOLATILE_LFU:
		return true;
	case EVICT_NOEVICTION:
	case EVICT_ALLKEYS_RANDOM:
	case EVICT_VOLATILE_RANDOM:
	case EVICT_VOLATILE_TTL:
		break;
	}
	return false;
}

static void write_functions(void *arg, struct rdb_out *o)
{
	scripts_write_functions(arg, o);
}

int save_fill(struct server *s, int fd, bool is_base, void (*progress)(void *arg, uint64_t keys),
	      void *arg)
{
	const struct config *cfg = &s->config;
	struct rdb_save_options opt = {
		.version = INODIS_REDIS_VERSION,
		.memory = s->snapshot->memory,
		.compress = cfg->rdbcompression,
		.checksum = cfg->rdbchecksum,
		.sync_often = cfg->rdb_save_incremental_fsync,
		.is_base = is_base,
		.access = keeps_access(cfg),
		.delay_us = cfg->rdb_key_save_delay,
		.progress = progress,
		.arg = arg,
		.head = write_functions,
		.head_arg = s->scripts,
	};
	int error = rdb_save(s->keyspace, fd, &opt);

	if (!error && fsync(fd) < 0)
		error = errno;
	if (close(fd) < 0 && !error)
		error = errno;
	return error;
}

/* The rename is on the disk only when the directory is. */
void save_sync_directory(struct server *s, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Failed to fsync directory while saving DB: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

bool save_file(struct server *s, void (*progress)(void *arg, uint64_t keys), void *arg)
{
	struct config *cfg = &s->config;
	char temp[SAVE_TEMP];

	save_temp_name(temp, getpid());
	int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0) {
		log_line(&cfg->log, LOG_LEVEL_WARNING,
			 "Failed opening the temp RDB file %s (in server root dir %s) for saving: "
			 "%s",
			 temp, cfg->dir, strerror(errno));
		return false;
	}
	int error = save_fill(s, fd, false, progress, arg);
	if (error) {
		log_line(&cfg->log, LOG_LEVEL_WARNING,
			 "Write error while saving DB to the disk(%s): %s", "write",
			 strerror(error));
		unlink(temp);
		return false;
	}
	if (rename(temp, cfg->dbfilename) < 0) {
		log_line(&cfg->log, LOG_LEVEL_WARNING,
			 "Error moving temp DB file %s on the final destination %s (in server root "
			 "dir %s): %s",
			 temp, cfg->dbfilename, cfg->dir, strerror(errno));
		unlink(temp);
		return false;
	}
	save_sync_directory(s, ".");
	log_line(&cfg->log, LOG_LEVEL_NOTICE, "DB saved on disk");
	return true;
}

void save_done(struct server *s)
{
	struct snapshot *n = s->snapshot;

	n->figures.last_save = s->keyspace->now_ms / 1000;
	n->figures.last_ok = true;
	snapshot_check_writes(s);
}

bool snapshot_save(struct server *s)
{
	s->snapshot->figures.saves++;
	s->snapshot->memory = mem_used();
	if (!save_file(s, NULL, NULL))
		return false;
	s->stats.dirty = 0;
	save_done(s);
	return true;
}

/* --- save points --- */

/* The next pair of @text; NULL when there is none. */
static const char *next_point(const char *text, long *seconds, long *changes)
{
	char *end;

	*seconds = strtol(text, &end, 10);
	if (end == text)
		return NULL;
	*changes = strtol(end, &end, 10);
	return end;
}

bool has_save_points(struct server *s)
{
	char *text = NULL;
	bool has = config_get_text(s, "save", &text) && text && text[0];

	mem_free(text);
	return has;
}

static bool point_reached(struct server *s, int64_t now_ms, long *seconds, long *changes)
{
	int64_t past = now_ms / 1000 - s->snapshot->figures.last_save;
	char *text = NULL;
	bool reached = false;

	if (s->stats.dirty == 0 || !config_get_text(s, "save", &text))
		return false;
	for (const char *at = text; at && !reached && (at = next_point(at, seconds, changes));)
		reached = s->stats.dirty >= (uint64_t)*changes && past > *seconds;
	mem_free(text);
	return reached;
}

/* Only a save that succeeds lets writes in again, and with few changes no save point would begin one. */
static bool owes_one(const struct server *s)
{
	return s->refuse_writes == misconf;
}

void snapshot_cron(struct server *s, int64_t now_ms)
{
	struct snapshot *n = s->snapshot;
	long seconds, changes;

	if (snapshot_running(s) || aof_rewrite_running(s) || s->loading || s->stopping)
		return;
	child_gather(s, now_ms);
	if (!n->figures.last_ok && now_ms - n->last_try_ms <= RETRY_MS)
		return;
	if (point_reached(s, now_ms, &seconds, &changes)) {
		log_line(&s->config.log, LOG_LEVEL_NOTICE, "%ld changes in %ld seconds. Saving...",
			 changes, seconds);
		snapshot_start(s);
	} else if (n->scheduled || owes_one(s)) {
		snapshot_start(s);
	}
}

void snapshot_begin_due(struct server *s)
{
	if (!s->snapshot->due || s->running)
		return;
	s->snapshot->due = false;
	snapshot_start(s);
}

/* --- around it --- */

void snapshot_check_writes(struct server *s)
{
	if (!s->snapshot || !s->aof)
		return; /* not up yet */
	bool refuse = s->config.stop_writes_on_bgsave_error && !s->snapshot->figures.last_ok &&
		      has_save_points(s);

	s->refuse_writes = refuse ? misconf : aof_refusal(s);
	if (!s->refuse_writes && s->config.min_replicas_to_write && s->config.min_replicas_max_lag)
		s->refuse_writes = no_replicas;
}

void snapshot_flushed(struct server *s)
{
	uint64_t dirty = s->stats.dirty;

	s->snapshot->due = false;
	if (s->snapshot->child)
		child_kill(s);
	if (!has_save_points(s))
		return;
	snapshot_save(s);
	/* The changes still count for the save points, as in Redis. */
	s->stats.dirty = dirty;
}

bool snapshot_before_exit(struct server *s, unsigned flags)
{
	struct log *log = &s->config.log;
	bool save = flags & SHUTDOWN_SAVE || (!(flags & SHUTDOWN_NOSAVE) && has_save_points(s));

	s->snapshot->due = false;
	if (s->snapshot->child) {
		log_line(log, LOG_LEVEL_WARNING, "There is a child saving an .rdb. Killing it!");
		child_kill(s);
	}
	if (!save || s->loading)
		return true;
	log_line(log, LOG_LEVEL_NOTICE, "Saving the final RDB snapshot before exiting.");
	if (snapshot_save(s))
		return true;
	if (flags & SHUTDOWN_FORCE) {
		log_line(log, LOG_LEVEL_WARNING, "Error trying to save the DB. Exit anyway.");
		return true;
	}
	log_line(log, LOG_LEVEL_WARNING, "Error trying to save the DB, can't exit.");
	return false;
}

int64_t snapshot_last_save(const struct server *s)
{
	return s->snapshot->figures.last_save;
}

void snapshot_figures(const struct server *s, struct snapshot_figures *out)
{
	const struct snapshot *n = s->snapshot;
	int64_t now = s->keyspace->now_ms;

	*out = n->figures;
	out->running = snapshot_running(s);
	out->current_seconds = n->child ? (now - n->begun_ms) / 1000 : -1;
	bool reports = n->child || aof_rewrite_running(s);
	out->cow_age = reports && n->cow_ms ? (uint64_t)(now - n->cow_ms) / 1000 : 0;
	if (!reports)
		out->keys_done = out->keys_total = out->cow = out->cow_peak = 0;
	int64_t past = now / 1000 - out->load_start;
	out->load_eta =
		out->load_done && past > 0
			? (uint64_t)((double)past * (double)(out->load_total - out->load_done) /
				     (double)out->load_done)
			: 1;
}
