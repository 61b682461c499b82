/* resp/persist/snapshot.h - RDB files of the whole data set: SAVE, BGSAVE, save points, loading.
 *
 * The file is dir/dbfilename. It is replaced whole or not at all: a temporary file in the same directory, fsync, rename, fsync of
 * the directory. A background save is a child process that keeps no socket and no mount; its pipe tells the loop how far it
 * is, and that it ended. While saving fails (and stop-writes-on-bgsave-error says so) server->refuse_writes is set; the next
 * good save clears it.
 */
#ifndef RESP_PERSIST_SNAPSHOT_H
#define RESP_PERSIST_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server;
struct snapshot;

struct snapshot *snapshot_new(struct server *s);
/* Ends a child that still runs, and drops what it wrote. */
void snapshot_free(struct snapshot *n);

/* At start, with save points: lock the directory, or warn that another server did. Both may well have their reasons, with file names of their
 * own; the append-only log is stricter. */
void snapshot_claim(struct server *s);

/* Write the file now; false after logging why. Never while a background save runs. */
bool snapshot_save(struct server *s);

/* Begin a background save; false after logging why. Never while one runs. In the middle of a transaction it begins behind it: half of one
 * is no state to save. */
bool snapshot_start(struct server *s);
/* Between commands: begin what waited for the end of a transaction. */
void snapshot_begin_due(struct server *s);
bool snapshot_running(const struct server *s);
/* Begin one as soon as the running one ended. */
void snapshot_schedule(struct server *s);

/* Once a turn of the cron: save points, what was scheduled. */
void snapshot_cron(struct server *s, int64_t now_ms);

/* After FLUSHALL: a save of what is gone is ended, and with save points the file is replaced by an empty one. */
void snapshot_flushed(struct server *s);

/* Before the process ends, enum shutdown_flag (server.h): ends a background save, and saves where save points or @flags ask for
 * it. False when that failed and the server should go on. */
bool snapshot_before_exit(struct server *s, unsigned flags);

/* Refuse writes or take them again, as state and configuration are now. */
void snapshot_check_writes(struct server *s);

/* Load the file, if there is one, serving the loop now and then (clients are answered LOADING). False when it could not be
 * loaded, which is logged. */
bool snapshot_load(struct server *s);

/* DEBUG RELOAD: save, empty the databases, load again, each if asked for. False when a step failed, which is logged. */
bool snapshot_reload(struct server *s, bool save, bool flush, bool merge);

/* LASTSAVE: seconds since the epoch. */
int64_t snapshot_last_save(const struct server *s);

struct snapshot_figures {
	bool running, last_ok;
	int64_t last_save, last_seconds, current_seconds; /* -1: none */
	uint64_t saves, keys_done, keys_total;
	uint64_t cow, cow_peak, cow_age, last_cow;
	uint64_t forks, fork_usec;
	uint64_t loaded, load_expired;
	/* while loading */
	int64_t load_start;
	uint64_t load_total, load_done, load_eta, load_used_mem;
};
void snapshot_figures(const struct server *s, struct snapshot_figures *out);

#endif
