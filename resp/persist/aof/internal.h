/* resp/persist/aof/internal.h - the state of the append-only log, for the files of resp/persist/ alone. */
#ifndef RESP_PERSIST_AOF_INTERNAL_H
#define RESP_PERSIST_AOF_INTERNAL_H

#include <pthread.h>
#include <stddef.h>

#include "resp/journal.h"
#include "resp/persist/aof/aof.h"
#include "resp/persist/internal.h"
#include "store/persist/aof_manifest.h"

/* A thread that waits for the disk, so that the engine does not; one piece of work at a time. */
struct aof_worker {
	struct loop *loop;
	void (*done)(void *arg); /* called on the loop's thread some time after each piece */
	void *arg;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake, ended;
	int (*work)(void *with);
	void *with;
	bool busy, quit;
	int error; /* what the last piece answered */
};

/* True when it runs already. */
bool aof_worker_start(struct aof_worker *w, struct loop *loop, void (*done)(void *arg), void *arg);
/* Ends what is under way, and the thread. */
void aof_worker_stop(struct aof_worker *w);
/* Have @work(@with) called there; never while something is under way. */
void aof_worker_begin(struct aof_worker *w, int (*work)(void *with), void *with);
bool aof_worker_busy(const struct aof_worker *w);
/* Wait for the end of what is under way, if anything is; what the last piece answered. */
int aof_worker_wait(struct aof_worker *w);

/* With appendfsync always: whether the open batch waits until those have written again who were let go last. One client that is a moment
 * ahead of forty-nine would have a sync for itself alone, each time, and they all would wait for it. Times are in nanoseconds. */
struct aof_company {
	struct loop_fd *watch;
	int timer; /* timerfd, wakes the loop when nobody comes any more; -1: none, and no waiting */
	unsigned open, sent; /* sessions that wrote to the open batch, to the one that was sent */
	uint64_t took;       /* a sync, lately */
	uint64_t back;       /* those who were let go, until they had written again, lately */

	bool waiting, hurried;
	unsigned wanted;       /* for so many in the open batch */
	uint64_t since, until; /* and no longer */

	bool watched; /* how long they take is being measured */
	uint64_t let_go;
	unsigned missing; /* so many are not back yet */
};

void aof_company_init(struct aof *a);
void aof_company_fini(struct aof *a);
/* A session wrote for the first time to the open batch. */
void aof_company_wrote(struct aof *a);
/* A sync that began at @began has let the sent batch go. */
void aof_company_synced(struct aof *a, uint64_t began);
/* Whether the open batch is to wait for more. */
bool aof_company_awaited(struct aof *a);

struct aof_bytes {
	char *p;
	size_t n, cap;
};

struct aof_waiter {
	struct aof_waiter *prev, *next;
	uint64_t batch;
	bool disk; /* waits for the disk, not for what the policy asks */
	void (*fn)(void *arg, int error);
	void *arg;
};

/* What is done to the files of the log beside the engine: everything about it is the worker's until it is done. */
struct aof_chore {
	struct server *server;
	bool running;
	void (*end)(struct aof *a, bool ok); /* on the engine thread, when it is done */
	struct aof_manifest manifest;        /* as it is to be */
	char *increment;                     /* the name of a new one, or NULL */
	char *base;
	char temp[SAVE_TEMP]; /* what the child wrote */
	bool waiting, collect;
	int fd;       /* rotation: of the increment so far, then of the new one */
	uint64_t cut; /* rotation: where the one so far ends */
};

/* How far the way from one increment to the next is. What changes meanwhile is gathered, and goes into the new one, or, when anything on
 * the way fails, into the old one behind all. Whatever appendfsync says, who changes something then has the answer when it is
 * written: nothing that was acknowledged is in memory alone. */
enum aof_rotation {
	AOF_STAYS,
	AOF_ENDS_OLD,   /* until all of the old one is on the disk */
	AOF_BEGINS_NEW, /* until there is a new one, and a manifest that names it, on the disk */
};

struct aof {
	struct server *server;
	bool on;      /* what changes is logged, into fd */
	bool waiting; /* switched on at run time: counts for nothing before its first base is there */
	struct journal_consumer consumer;
	struct aof_manifest manifest;
	int dir;       /* the directory, locked; -1 while there is nothing to do in it */
	int fd;        /* the last increment */
	uint64_t size; /* how much of it is whole */
	/* Behind that it may hold lines of nothing up to @filled, the first of them at @fill_from or some whole lines behind it. */
	uint64_t filled, fill_from;
	/* Place is made by the worker, with a sync: nothing else is written while it does. */
	struct {
		bool wanted, making;
		int fd;
		uint64_t from, to;
	} place;
	uint64_t older, base_size;
	uint64_t grown_from; /* all of it after loading or the last rewrite */

	/* The open batch, its number, and what stands in it. */
	struct aof_bytes open;
	uint64_t batch;
	bool in_unit, has_db;
	size_t unit_at; /* where the unit began */
	unsigned db;
	int64_t stamp; /* the second of the last time annotation */
	/* Bytes of the file behind its last checksum, which the next one covers too. */
	uint64_t crc, covered;
	uint64_t synced_size, syncing_size; /* how much of it is on the disk, is on its way there */

	/* The batch that was written and is not known to be on the disk; with appendfsync always it is kept, since after a failed
	 * fsync it has to be written again. */
	struct aof_bytes sent;
	uint64_t sent_at, sent_batch, syncing_batch;
	uint64_t sync_began; /* nanoseconds of the monotonic clock */
	uint64_t told;       /* server->synced when those who wait for it were told last */
	struct aof_worker sync, chores;
	struct aof_chore chore;
	struct aof_company company;
	bool syncing, unsynced;
	int64_t synced_ms, postponed_ms;
	uint64_t delayed;

	enum aof_rotation rotation;

	/* Who waits for a batch, in order of arrival. */
	struct aof_waiter *waiters;
	bool hurry; /* one of them for the disk */

	/* A sync of several batches failed: some page of them may be lost, though later syncs succeed. Only a new base makes it good. */
	bool holes;
	int write_error, sync_error;
	int64_t retry_ms, logged_ms;
	char refusal[160];

	struct {
		pid_t pid;   /* 0: none runs */
		pid_t child; /* the last one */
		int pipe;
		int gate; /* the child waits for a byte of it; -1: it does not, or went on */
		struct loop_fd *watch;
		int64_t first; /* the increment that was begun with it */
		int64_t begun_ms, failed_ms, last_seconds;
		uint64_t count, failures; /* in a row */
		bool ended;               /* the child did, in this way: */
		int status;
		bool spoiled; /* whatever it wrote is of no use */
		bool scheduled;
		bool due;     /* asked for in the middle of a unit: begins behind it */
		uint64_t cow; /* what the last child copied */
	} rewrite;
};

/* What loading found of the last increment: its size, and checksum and count of its bytes behind the last checksum line. */
struct aof_tail {
	uint64_t size, crc, covered;
};

/* --- files.c --- */

/* Open the directory, made where there is none, and lock it: all files are found by it, wherever the process's own directory goes. False
 * after logging why; true when it is open already. */
bool aof_enter(struct server *s);
void aof_leave(struct server *s);
/* As open(2), unlink(2) and rename(2), of names in it. A file that is not there is removed. */
int aof_open(const struct server *s, const char *name, int flags);
bool aof_remove(const struct server *s, const char *name);
bool aof_rename(const struct server *s, const char *from, const char *to);
/* "appendonlydir/NAME" from mem.h, to be read by people. */
char *aof_path(const struct server *s, const char *name);
/* At start: the manifest, after taking over a file of the old kind. False after logging why. */
bool aof_files_find(struct server *s, struct aof_manifest *m);
/* The manifest alone, at run time; @m is empty where there is none. False after logging why. */
bool aof_files_read(struct server *s, struct aof_manifest *m);
/* Replace the manifest by @m, whole or not at all, logging why not. */
bool aof_manifest_store(struct server *s, const struct aof_manifest *m);
/* After loading: the descriptor to go on writing with, a base and an increment made where there is none. -1 after logging. */
int aof_files_open(struct server *s, struct aof_manifest *m, struct aof_tail *tail);
/* An empty increment of this name; its descriptor, -1 after logging. */
int aof_create_increment(struct server *s, const char *name);
/* "appendonly.aof.3.base.rdb", "appendonly.aof.5.incr.aof", from mem.h. */
char *aof_base_name(const struct server *s, int64_t seq);
char *aof_increment_name(const struct server *s, int64_t seq);
/* "temp-appendonly.aof.incr": what is logged before there is a base. */
char *aof_waiting_name(const struct server *s);
/* Remove what the manifest calls history. */
void aof_drop_history(struct server *s, struct aof_manifest *m);
/* The size of a file there, 0 when it is not. */
uint64_t aof_file_size(const struct server *s, const char *name);

/* --- base.c --- */

/* Fill @fd with everything, as an RDB or as commands, have the disk hold it and close it. 0 or an errno. */
int aof_fill_base(struct server *s, int fd, void (*progress)(void *arg, uint64_t keys), void *arg);

/* --- load.c --- */

/* Into the empty databases. False after logging why. */
bool aof_load(struct server *s, const struct aof_manifest *m, struct aof_tail *tail);

/* Sizes as the files have them now. */
void aof_add_up(struct aof *a);

/* --- rewrite.c --- */

void aof_rewrite_kill(struct aof *a);
/* What was scheduled, or grew enough. */
void aof_rewrite_cron(struct aof *a);
/* Between commands: begin what waited for the end of a transaction. */
void aof_rewrite_begin_due(struct aof *a);
/* What the worker and the child have done meanwhile is taken note of, and what follows from it begun. */
void aof_rewrite_go_on(struct aof *a);
/* The same, when the worker has done what it is at. */
void aof_rewrite_wait(struct aof *a);

/* --- chores.c --- */

/* Each has the worker do something, and @end(a, whether it was done) called then; never while something is being done. */

/* An increment of this number behind all others. All of the one so far is on the disk, and nothing is written to it meanwhile. On success
 * a->chore.manifest and .fd are the new ones, the old descriptor is closed; on failure nothing changed, which is logged. */
void aof_chore_rotate(struct aof *a, int64_t seq, void (*end)(struct aof *a, bool ok));
/* What the child wrote becomes the base in place of everything before the increment a->rewrite.first. On success a->chore.manifest is what
 * there is now; on failure nothing changed, which is logged. */
void aof_chore_install(struct aof *a, const char *temp, void (*end)(struct aof *a, bool ok));
/* What the child wrote is removed. */
void aof_chore_remove(struct aof *a, const char *temp, void (*end)(struct aof *a, bool ok));

/* Call the end of what was done. False while the worker is at it. */
bool aof_chore_take(struct aof *a);
/* Wait for it first. */
void aof_chore_wait(struct aof *a);

/* --- aof.c --- */

/* Log what changes into @fd, of which so much is there. */
void aof_begin(struct aof *a, int fd, const struct aof_tail *tail);
/* Write what the open batch has: what follows belongs into the next increment. False when it cannot be written, or what was written before
 * cannot be brought to the disk. */
bool aof_rotation_begin(struct aof *a);
/* It is over: go on in @fd, or, with -1, where we were. */
void aof_rotation_end(struct aof *a, int fd);
/* Wait for its end. */
void aof_rotation_finish(struct aof *a);
/* The thread that syncs has done so: @arg is the log. */
void aof_on_synced(void *arg);

/* --- waiters.c --- */

/* Call those whose batch is there, or whose wait is in vain. */
void aof_serve_waiters(struct aof *a);
/* Call them all: there is nothing to wait for any more. */
void aof_release_waiters(struct aof *a);
/* Log no more; what is gathered is dropped, and who waited for it waits no longer. */
void aof_end(struct aof *a);

#endif
