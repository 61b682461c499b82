/* resp/persist/internal.h - the state of saving and loading, for the files of resp/persist/ alone. */
#ifndef RESP_PERSIST_INTERNAL_H
#define RESP_PERSIST_INTERNAL_H

#include <sys/types.h>

#include "resp/log.h"
#include "resp/persist/snapshot.h"
#include "resp/process.h"
#include "resp/server.h"

/* What a child tells through its pipe; small enough to arrive whole. */
struct save_report {
	uint64_t keys, cow;
	bool has_cow;
};

/* In a child: what it reports. Zeroed but for the pipe. */
struct child_report {
	int pipe;
	int64_t next_us, next_cow_us;
	uint64_t keys, peak, sum, samples;
};

struct snapshot {
	struct server *server;
	pid_t child;  /* 0: none */
	pid_t parent; /* who forked last: the server */
	int pipe;
	int claim; /* the directory, locked; -1 where it is another server's */
	struct loop_fd *watch;
	uint64_t dirty_before; /* changes that the running save includes */
	int64_t begun_ms, last_try_ms, cow_ms;
	bool scheduled;
	bool due; /* asked for in the middle of a unit: begins behind it */
	uint64_t
		memory; /* in use when the save began; the child must not ask, a lock may be held there for ever */
	struct {
		bool due, calm;
		size_t used; /* when it began */
		int64_t began_ms;
		size_t looked,
			keys; /* in use, and keys, when it was asked last whether they grow */
		int64_t looked_ms;
	} gather;
	struct snapshot_figures figures;
};

/* Write the data set to the file, telling @progress (may be NULL) how many keys are done. False after logging why. */
bool save_file(struct server *s, void (*progress)(void *arg, uint64_t keys), void *arg);
/* Fill @fd with an RDB of everything, @is_base: the base of a log, have the disk hold it and close it. 0 or an errno. */
int save_fill(struct server *s, int fd, bool is_base, void (*progress)(void *arg, uint64_t keys),
	      void *arg);
/* Have the disk hold what the directory says. */
void save_sync_directory(struct server *s, const char *path);
/* The name of the temporary file that process @pid writes. */
#define SAVE_TEMP 64
void save_temp_name(char name[SAVE_TEMP], pid_t pid);
/* A save succeeded: time, state, refused writes. */
void save_done(struct server *s);

/* Load the RDB that @fd has from its start; @preamble: it is the base of a log, whose rest may let expired keys live on.
 * *@end (may be NULL) is where it ended. False when it could not be loaded, which is logged. */
bool load_rdb(struct server *s, int fd, uint64_t size, bool turns, bool merge, bool preamble,
	      uint64_t *end);

/* In a child: keep no descriptor but standard ones, @pipe and @file (-1 for none); signals and log for a process of its own, which ends
 * with the server. */
void child_detach(struct server *s, int pipe, int file);
/* In a child, @arg a child_report: @keys are done; tells the server now and then. */
void child_progress(void *arg, uint64_t keys);
/* In a child: the last report, also into the log; @what was done. False when nobody takes it. */
bool child_report_end(struct server *s, struct child_report *c, const char *what);

/* A child with a pipe to the server, whose own end *@pipe is: 0 in the child, its pid in the server, where reading does not block; -1 with
 * errno. */
pid_t child_fork(struct server *s, enum process_kind kind, int *pipe);
/* A child began: its reports are the current ones, and until it is gone looks at keys leave no mark in them. */
void child_began(struct server *s);
void child_gone(struct server *s);
/* Once a turn of the cron: have the heap made ready for the next one. */
void child_gather(struct server *s, int64_t now_ms);
/* Take what it told; false when it is gone. */
bool child_read_reports(struct server *s, int pipe);

/* End the background save that runs and drop its file. */
void child_kill(struct server *s);

bool has_save_points(struct server *s);

#endif
