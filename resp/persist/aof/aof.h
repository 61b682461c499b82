/* resp/persist/aof/aof.h - the append-only log: what changed the data set, in files from which it is built again.
 *
 * It is a consumer of the journal. What a turn changed is one batch: it is written before the replies of that turn are sent,
 * with a checksum line behind it (store/persist/aof_in.h). With appendfsync always the sessions that changed something get
 * their replies when the batch is on the disk, which a thread sees to while the engine goes on; what changes meanwhile
 * is the next batch. The files are those of Redis 7: a manifest, a base and increments in dir/appenddirname.
 *
 * While writing or syncing fails server->refuse_writes is set; it is tried again each second, and nothing of what was not written is
 * dropped.
 */
#ifndef RESP_PERSIST_AOF_AOF_H
#define RESP_PERSIST_AOF_AOF_H

#include <stdbool.h>
#include <stdint.h>

struct server;
struct aof;

enum aof_fsync { AOF_FSYNC_NO = 0, AOF_FSYNC_ALWAYS = 1, AOF_FSYNC_EVERYSEC = 2 };

struct aof *aof_new(struct server *s);
void aof_free(struct aof *a);

/* Add the hook that writes a turn's batch and lets those go whose batch is on the disk: after all hooks that change data and
 * before that which sends replies. */
void aof_attach(struct server *s);
/* Add the hook that goes behind that one. */
void aof_attach_last(struct server *s);

/* At start, with appendonly yes: build the data set from the files (serving the loop now and then), then begin to log.
 * False after logging why. */
bool aof_start(struct server *s);

/* DEBUG LOADAOF: write what there is, empty the databases and build them again from the files. False when the log is off or that
 * failed, which is logged. */
bool aof_reload(struct server *s);

/* Once a turn of the cron. */
void aof_cron(struct server *s, int64_t now_ms);

/* Write and sync what there is and wait for it. False when that failed. */
bool aof_flush(struct server *s);
/* The same, without what a unit that goes on has written so far. */
bool aof_flush_whole(struct server *s);

/* appendonly as CONFIG SET has it. On: what changes from the next base on is logged, which is begun at once, or as soon as no other
 * child runs; false after logging why that failed. Off: what was logged is brought to the disk; true. */
bool aof_switch(struct server *s, bool on);

/* Begin to write a new base in the background; false after logging why. Never while one is being written. In the middle of a
 * transaction it begins behind it. Without a log only the files change. */
bool aof_rewrite_start(struct server *s);
bool aof_rewrite_running(const struct server *s);
/* Begin as soon as no child runs. */
void aof_rewrite_schedule(struct server *s);

/* SHUTDOWN begins: end a rewrite. False, which is logged, while the log has no base yet, unless @flags say SHUTDOWN_FORCE. */
bool aof_before_exit(struct server *s, unsigned flags);

/* The end comes in the middle of a unit: what it did is not logged, nor what follows. */
void aof_drop_unit(struct server *s);

/* At the end: as aof_flush, and the file says that it is whole. */
bool aof_close(struct server *s);

/* Have @fn(@arg, 0) called by the loop when server->durable is as far as @batch: a session's hold for a front end that answers one by one;
 * with an errno when writing or syncing fails meanwhile. */
void aof_await(struct server *s, uint64_t batch, void (*fn)(void *arg, int error), void *arg);

/* Have everything that was logged so far brought to the disk, whatever appendfsync says, and @fn called with 0 when it is there, or with the
 * errno of what failed; at once where there is nothing to wait for. */
void aof_settle(struct server *s, void (*fn)(void *arg, int error), void *arg);

/* The error line with which writes are refused, or NULL. */
const char *aof_refusal(const struct server *s);

struct aof_figures {
	bool on, write_ok, rewriting, scheduled, rewrite_ok;
	int64_t last_seconds, current_seconds; /* -1: none */
	uint64_t rewrites, failures;
	uint64_t size, base_size, buffer, pending_fsync, delayed_fsync;
	uint64_t last_cow; /* bytes */
};
void aof_figures(const struct server *s, struct aof_figures *out);

#endif
