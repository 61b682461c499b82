/* resp/persist/aof/rewrite.c - a new base in the background. See aof.h.
 *
 * What changes from the fork on goes into a new increment. When the child has written the base, a new manifest names these two,
 * and what they replace becomes history, which is removed. Until then the old manifest with the increment added stands.
 *
 * The engine waits for none of it: a worker makes the increment, for which the child waits before it writes, and brings in what the
 * child wrote. A child whose increment cannot be made is ended.
 *
 * While the log waits for its first base the increment is a temporary file, which no manifest names; with no log at all there is none.
 */
#define _GNU_SOURCE /* pipe2 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resp/net/loop.h"
#include "resp/persist/aof/internal.h"
#include "store/base/mem.h"

/* After a rewrite that failed none begins by itself for so long. */
#define RETRY_MS 60000

static void temp_name(char name[SAVE_TEMP], pid_t pid)
{
	snprintf(name, SAVE_TEMP, "temp-rewriteaof-bg-%d.aof", (int)pid);
}

/* In the child: until the server opens the gate. It ends with the server. */
static void wait_at_gate(void)
{
	char byte;
	ssize_t n;

	while ((n = read(STDIN_FILENO, &byte, 1)) < 0 && errno == EINTR)
		;
	if (n <= 0)
		_exit(1);
}

static _Noreturn void child_run(struct server *s, int pipe, const int gate[2])
{
	char temp[SAVE_TEMP];

	temp_name(temp, getpid());
	int fd = aof_open(s, temp, O_WRONLY | O_CREAT | O_TRUNC), error = errno;
	struct child_report report = {.pipe = pipe};
	/* A child keeps the standard descriptors, and has no other use for this one. */
	bool gated = gate[0] >= 0 && dup2(gate[0], STDIN_FILENO) == STDIN_FILENO;
	child_detach(s, pipe, fd);
	if (gated)
		wait_at_gate();
	if (fd >= 0)
		error = aof_fill_base(s, fd, child_progress, &report);
	log_line(&s->config.log, error ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE,
		 error ? "Write error writing append only file on disk: %s"
		       : "Successfully created the temporary AOF base file %s",
		 error ? strerror(error) : temp);
	_exit(!error && child_report_end(s, &report, "AOF rewrite") ? 0 : 1);
}

/* --- the end --- */

static void close_gate(struct aof *a)
{
	if (a->rewrite.gate >= 0)
		close(a->rewrite.gate);
	a->rewrite.gate = -1;
}

static void open_gate(struct aof *a)
{
	if (a->rewrite.gate >= 0 && write(a->rewrite.gate, "", 1) < 0) {
		/* The child is gone, which its pipe tells. */
	}
	close_gate(a);
}

static void forget(struct aof *a)
{
	close_gate(a);
	loop_fd_remove(a->rewrite.watch);
	close(a->rewrite.pipe);
	a->rewrite.watch = NULL;
	a->rewrite.pid = 0;
	child_gone(a->server);
}

/* The last of it: what the child wrote is installed, or removed. */
static void over(struct aof *a, bool ok)
{
	struct server *s = a->server;
	int status = a->rewrite.status;

	a->rewrite.ended = false;
	if (!a->on && !a->waiting)
		aof_leave(s);
	a->rewrite.last_seconds = (s->keyspace->now_ms - a->rewrite.begun_ms) / 1000;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1)
		return; /* Who sends this means the rewrite, and nothing is wrong with the disk. */
	a->rewrite.failures = ok ? 0 : a->rewrite.failures + 1;
	a->rewrite.failed_ms = ok ? 0 : s->keyspace->now_ms;
}

static void on_installed(struct aof *a, bool ok)
{
	if (ok) {
		aof_manifest_fini(&a->manifest);
		a->manifest = a->chore.manifest;
		a->chore.manifest = (struct aof_manifest){0};
		a->waiting = false;
		aof_add_up(a);
		log_line(&a->server->config.log, LOG_LEVEL_NOTICE,
			 "Background AOF rewrite finished successfully");
	}
	over(a, ok);
}

static void on_removed(struct aof *a, bool ok)
{
	(void)ok;
	over(a, false);
}

static void child_ended(struct aof *a)
{
	struct log *log = &a->server->config.log;
	int status = a->rewrite.status;
	char temp[SAVE_TEMP];

	if (WIFSIGNALED(status))
		log_line(log, LOG_LEVEL_WARNING, "Background AOF rewrite terminated by signal %d",
			 WTERMSIG(status));
	else if (WEXITSTATUS(status))
		log_line(log, LOG_LEVEL_WARNING, "Background AOF rewrite terminated with error");
	else
		log_line(log, LOG_LEVEL_NOTICE, "Background AOF rewrite terminated with success");
	temp_name(temp, a->rewrite.child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !a->rewrite.spoiled)
		aof_chore_install(a, temp, on_installed);
	else
		aof_chore_remove(a, temp, on_removed);
}

static void on_pipe(void *arg, unsigned events)
{
	struct aof *a = arg;
	struct server *s = a->server;
	int status = 0;

	(void)events;
	if (child_read_reports(s, a->rewrite.pipe))
		return;
	while (waitpid(a->rewrite.pid, &status, 0) < 0 && errno == EINTR)
		;
	forget(a);
	a->rewrite.cow = s->snapshot->figures.cow;
	a->rewrite.status = status;
	a->rewrite.ended = true;
	aof_rewrite_go_on(a);
}

/* --- the rotation --- */

/* The child's memory is of the moment when the rotation began: without one there is no use for it. */
static void spoil(struct aof *a)
{
	a->rewrite.spoiled = true;
	if (a->rewrite.pid)
		kill(a->rewrite.pid, SIGKILL); /* its pipe tells when it is gone */
	log_line(&a->server->config.log, LOG_LEVEL_WARNING,
		 "Can't rewrite append only file in background: no new incr file could be begun, "
		 "the log goes on in the old one");
}

static void on_rotated(struct aof *a, bool ok)
{
	if (ok) {
		aof_manifest_fini(&a->manifest);
		a->manifest = a->chore.manifest;
		a->chore.manifest = (struct aof_manifest){0};
		open_gate(a);
	} else {
		spoil(a);
	}
	aof_rotation_end(a, ok ? a->chore.fd : -1);
}

/* Once all of the old increment is on the disk. */
static void begin_new(struct aof *a)
{
	if (a->syncing)
		return;
	if (a->write_error || a->sync_error) {
		spoil(a);
		aof_rotation_end(a, -1);
	} else if (!a->unsynced) {
		a->rotation = AOF_BEGINS_NEW;
		aof_chore_rotate(a, a->rewrite.first, on_rotated);
	}
}

void aof_rewrite_go_on(struct aof *a)
{
	if (!aof_chore_take(a))
		return;
	if (a->rotation == AOF_ENDS_OLD)
		begin_new(a);
	/* Not while DEBUG LOADAOF reads what would be replaced. */
	if (a->rotation == AOF_STAYS && a->rewrite.ended && !a->chore.running &&
	    !a->server->loading)
		child_ended(a);
}

void aof_rewrite_wait(struct aof *a)
{
	aof_chore_wait(a);
	aof_rewrite_go_on(a);
}

static void on_chore(void *arg)
{
	aof_rewrite_go_on(arg);
}

/* --- before its time --- */

static void kill_child(struct aof *a)
{
	char temp[SAVE_TEMP];

	log_line(&a->server->config.log, LOG_LEVEL_NOTICE, "Killing running AOF rewrite child: %ld",
		 (long)a->rewrite.pid);
	kill(a->rewrite.pid, SIGKILL);
	while (waitpid(a->rewrite.pid, NULL, 0) < 0 && errno == EINTR)
		;
	temp_name(temp, a->rewrite.pid);
	aof_remove(a->server, temp);
	forget(a);
}

void aof_rewrite_kill(struct aof *a)
{
	a->rewrite.due = false;
	if (a->rewrite.pid)
		kill_child(a);
	aof_rotation_finish(a);
	while (a->chore.running)
		aof_rewrite_wait(a);
}

bool aof_before_exit(struct server *s, unsigned flags)
{
	struct aof *a = s->aof;
	struct log *log = &s->config.log;

	if (!a->rewrite.pid) {
		aof_rewrite_kill(a);
		return true;
	}
	if (a->waiting && !(flags & SHUTDOWN_FORCE)) {
		log_line(log, LOG_LEVEL_WARNING, "Writing initial AOF, can't exit.");
		return false;
	}
	if (a->waiting)
		log_line(log, LOG_LEVEL_WARNING, "Writing initial AOF. Exit anyway.");
	log_line(log, LOG_LEVEL_WARNING, "There is a child rewriting the AOF. Killing it!");
	aof_rewrite_kill(a);
	return true;
}

/* --- the start --- */

/* A log that waits for its base begins again with each try for one. */
static bool begin_waiting(struct aof *a)
{
	struct server *s = a->server;
	char *name = aof_waiting_name(s);

	aof_end(a);
	snapshot_check_writes(s);
	log_line(&s->config.log, LOG_LEVEL_NOTICE,
		 "Creating AOF incr file %s on background rewrite", name);
	int fd = aof_create_increment(s, name);
	mem_free(name);
	if (fd >= 0)
		aof_begin(a, fd, &(struct aof_tail){0});
	return fd >= 0;
}

static bool begin_rotation(struct aof *a)
{
	int64_t seq = a->manifest.increment_seq + 1;

	if (!aof_rotation_begin(a))
		return false;
	char *name = aof_increment_name(a->server, seq);
	log_line(&a->server->config.log, LOG_LEVEL_NOTICE,
		 "Creating AOF incr file %s on background rewrite", name);
	mem_free(name);
	a->rewrite.first = seq;
	return true;
}

/* Where what changes from here on goes. */
static bool prepare(struct aof *a)
{
	struct server *s = a->server;

	if (!aof_worker_start(&a->chores, s->loop, on_chore, a)) {
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Can't rewrite append only file in background: no thread for its files");
		return false;
	}
	if (a->on && !a->waiting)
		return begin_rotation(a);
	aof_manifest_fini(&a->manifest);
	a->manifest = (struct aof_manifest){0};
	a->rewrite.first = INT64_MAX;
	return aof_files_read(s, &a->manifest) && (!a->waiting || begin_waiting(a));
}

/* Its writes would be in the way of those that a rotation waits for: there is a gate then. */
static bool fork_child(struct aof *a)
{
	struct server *s = a->server;
	int pipe, gate[2] = {-1, -1};

	if (a->rotation && pipe2(gate, O_CLOEXEC) < 0)
		return false;
	pid_t pid = child_fork(s, PROCESS_REWRITE, &pipe);
	if (pid == 0)
		child_run(s, pipe, gate);
	int error = errno;
	if (gate[0] >= 0)
		close(gate[0]);
	a->rewrite.gate = gate[1];
	if (pid < 0) {
		close_gate(a);
		errno = error;
		return false;
	}
	a->rewrite.pid = a->rewrite.child = pid;
	a->rewrite.pipe = pipe;
	a->rewrite.watch = loop_fd_add(s->loop, pipe, LOOP_NORMAL, LOOP_READ, on_pipe, a);
	a->rewrite.begun_ms = s->keyspace->now_ms;
	a->rewrite.count++;
	child_began(s);
	return true;
}

bool aof_rewrite_start(struct server *s)
{
	struct aof *a = s->aof;
	struct log *log = &s->config.log;

	a->rewrite.scheduled = false;
	a->rewrite.due = server_in_unit(s);
	if (a->rewrite.due)
		return true;
	a->rewrite.spoiled = false;
	if (prepare(a)) {
		if (fork_child(a)) {
			log_line(log, LOG_LEVEL_NOTICE,
				 "Background append only file rewriting started by pid %ld",
				 (long)a->rewrite.pid);
			return true;
		}
		log_line(log, LOG_LEVEL_WARNING,
			 "Can't rewrite append only file in background: fork: %s", strerror(errno));
		if (a->rotation == AOF_ENDS_OLD)
			aof_rotation_end(a, -1);
	}
	a->rewrite.failures++;
	a->rewrite.failed_ms = s->keyspace->now_ms;
	return false;
}

bool aof_rewrite_running(const struct server *s)
{
	const struct aof *a = s->aof;

	return a->rewrite.pid || a->rewrite.due || a->rewrite.ended || a->rotation ||
	       a->chore.running;
}

void aof_rewrite_begin_due(struct aof *a)
{
	if (!a->rewrite.due || a->server->running)
		return;
	a->rewrite.due = false;
	aof_rewrite_start(a->server);
}

void aof_rewrite_schedule(struct server *s)
{
	s->aof->rewrite.scheduled = true;
}

void aof_rewrite_cron(struct aof *a)
{
	struct server *s = a->server;
	const struct config *cfg = &s->config;
	uint64_t size = a->older + a->size, base = a->grown_from ? a->grown_from : 1;

	if (aof_rewrite_running(s) || snapshot_running(s) || s->stopping || s->loading)
		return;
	bool failed = a->rewrite.failed_ms && s->keyspace->now_ms - a->rewrite.failed_ms < RETRY_MS;
	if (a->rewrite.scheduled || (a->waiting && !failed)) {
		aof_rewrite_start(s);
		return;
	}
	if (!a->on || a->waiting || failed || !cfg->auto_aof_rewrite_percentage ||
	    size <= (uint64_t)cfg->auto_aof_rewrite_min_size || a->write_error || a->sync_error)
		return;
	int64_t growth = (int64_t)(size * 100 / base) - 100;
	if (growth < cfg->auto_aof_rewrite_percentage)
		return;
	log_line(&s->config.log, LOG_LEVEL_NOTICE,
		 "Starting automatic rewriting of AOF on %lld%% growth", (long long)growth);
	aof_rewrite_start(s);
}
