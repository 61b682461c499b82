/* resp/persist/aof_rewrite.c - a new base in the background. See aof.h.
 *
 * What changes from the fork on goes into a new increment. When the child has written the base, a new manifest names these two,
 * and what they replace becomes history, which is removed. Until then the old manifest with the increment added stands.
 *
 * While the log waits for its first base the increment is a temporary file, which no manifest names; with no log at all there is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resp/net/loop.h"
#include "resp/persist/aof_internal.h"
#include "store/base/mem.h"

/* After a rewrite that failed none begins by itself for so long. */
#define RETRY_MS 60000

static void temp_name(char name[SAVE_TEMP], pid_t pid)
{
	snprintf(name, SAVE_TEMP, "temp-rewriteaof-bg-%d.aof", (int)pid);
}

static _Noreturn void child_run(struct server *s, int pipe)
{
	char temp[SAVE_TEMP];

	temp_name(temp, getpid());
	int fd = aof_open(s, temp, O_WRONLY | O_CREAT | O_TRUNC), error = errno;
	struct child_report report = {.pipe = pipe};
	child_detach(s, pipe, fd);
	if (fd >= 0)
		error = aof_fill_base(s, fd, child_progress, &report);
	log_line(&s->config.log, error ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE,
		 error ? "Write error writing append only file on disk: %s"
		       : "Successfully created the temporary AOF base file %s",
		 error ? strerror(error) : temp);
	_exit(!error && child_report_end(s, &report, "AOF rewrite") ? 0 : 1);
}

/* --- the end --- */

/* @from becomes the file @name of the log; @what it is. */
static bool take_over(struct server *s, const char *from, const char *name, const char *what)
{
	char *path = aof_path(s, name);
	bool ok = aof_rename(s, from, name);

	log_line(&s->config.log, ok ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING,
		 ok ? "Successfully renamed the temporary AOF %s file %s into %s"
		    : "Error trying to rename the temporary AOF %s file %s into %s: %s",
		 what, from, ok ? name : path, strerror(errno));
	mem_free(path);
	return ok;
}

/* The temporary files under their names, then the manifest that names them: on failure no new name is left. */
static bool name_files(struct aof *a, struct aof_manifest *m, const char *temp)
{
	struct server *s = a->server;
	char *base = aof_base_name(s, m->base_seq + 1);
	char *increment = aof_increment_name(s, m->increment_seq + 1);
	char *waiting = aof_waiting_name(s);

	for (size_t i = 0; i < m->n; i++)
		if (m->files[i].type == AOF_BASE ||
		    (m->files[i].type == AOF_INCREMENT && m->files[i].seq < a->rewrite.first))
			m->files[i].type = AOF_HISTORY;
	aof_manifest_add(m, base, m->base_seq + 1, AOF_BASE);
	bool ok = take_over(s, temp, base, "base");
	if (ok && a->waiting) {
		aof_manifest_add(m, increment, m->increment_seq + 1, AOF_INCREMENT);
		ok = take_over(s, waiting, increment, "incr");
	}
	if (ok && !aof_manifest_store(s, m)) {
		ok = false;
		aof_remove(s, base);
		if (a->waiting)
			aof_remove(s, increment);
	}
	mem_free(base);
	mem_free(increment);
	mem_free(waiting);
	return ok;
}

static bool install(struct aof *a, const char *temp)
{
	struct server *s = a->server;
	struct aof_manifest m;

	aof_manifest_copy(&m, &a->manifest);
	if (!name_files(a, &m, temp)) {
		aof_manifest_fini(&m);
		return false;
	}
	aof_manifest_fini(&a->manifest);
	a->manifest = m;
	a->waiting = false;
	aof_drop_history(s, &a->manifest);
	aof_add_up(a);
	return true;
}

static void forget(struct aof *a)
{
	loop_fd_remove(a->rewrite.watch);
	close(a->rewrite.pipe);
	a->rewrite.watch = NULL;
	a->rewrite.pid = 0;
	child_gone(a->server);
}

static void on_pipe(void *arg, unsigned events)
{
	struct aof *a = arg;
	struct server *s = a->server;
	struct log *log = &s->config.log;
	pid_t pid = a->rewrite.pid;
	char temp[SAVE_TEMP];
	int status = 0;

	(void)events;
	if (child_read_reports(s, a->rewrite.pipe))
		return;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	forget(a);
	a->rewrite.cow = s->snapshot->figures.cow;
	temp_name(temp, pid);
	bool ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (ok)
		log_line(log, LOG_LEVEL_NOTICE, "Background AOF rewrite terminated with success");
	else if (WIFSIGNALED(status))
		log_line(log, LOG_LEVEL_WARNING, "Background AOF rewrite terminated by signal %d",
			 WTERMSIG(status));
	else
		log_line(log, LOG_LEVEL_WARNING, "Background AOF rewrite terminated with error");
	ok = ok && install(a, temp);
	if (ok)
		log_line(log, LOG_LEVEL_NOTICE, "Background AOF rewrite finished successfully");
	else
		aof_remove(s, temp);
	if (!a->on && !a->waiting)
		aof_leave(s);
	a->rewrite.last_seconds = (s->keyspace->now_ms - a->rewrite.begun_ms) / 1000;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1)
		return; /* Who sends this means the rewrite, and nothing is wrong with the disk. */
	a->rewrite.failures = ok ? 0 : a->rewrite.failures + 1;
	a->rewrite.failed_ms = ok ? 0 : s->keyspace->now_ms;
}

void aof_rewrite_kill(struct aof *a)
{
	char temp[SAVE_TEMP];

	a->rewrite.due = false;
	if (!a->rewrite.pid)
		return;
	log_line(&a->server->config.log, LOG_LEVEL_NOTICE, "Killing running AOF rewrite child: %ld",
		 (long)a->rewrite.pid);
	kill(a->rewrite.pid, SIGKILL);
	while (waitpid(a->rewrite.pid, NULL, 0) < 0 && errno == EINTR)
		;
	temp_name(temp, a->rewrite.pid);
	aof_remove(a->server, temp);
	forget(a);
}

bool aof_before_exit(struct server *s, unsigned flags)
{
	struct aof *a = s->aof;
	struct log *log = &s->config.log;

	if (!a->rewrite.pid)
		return true;
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

/* Everything so far is on the disk in the old increment; go on in a new one. */
static bool rotate(struct aof *a)
{
	struct server *s = a->server;
	struct aof_manifest m;

	aof_manifest_copy(&m, &a->manifest);
	int64_t seq = m.increment_seq + 1;
	char *name = aof_increment_name(s, seq);
	log_line(&s->config.log, LOG_LEVEL_NOTICE,
		 "Creating AOF incr file %s on background rewrite", name);
	int fd = aof_create_increment(s, name);
	if (fd >= 0)
		aof_manifest_add(&m, name, seq, AOF_INCREMENT);
	if (fd < 0 || !aof_manifest_store(s, &m)) {
		if (fd >= 0) {
			aof_remove(s, name);
			close(fd);
		}
		mem_free(name);
		aof_manifest_fini(&m);
		return false;
	}
	mem_free(name);
	aof_manifest_fini(&a->manifest);
	a->manifest = m;
	a->rewrite.first = seq;
	aof_give_place_back(a);
	close(a->fd);
	a->fd = fd;
	a->older += a->size;
	a->size = a->synced_size = a->crc = a->covered = a->filled = a->fill_from = 0;
	a->sent.n = 0;
	a->sent_at = 0;
	a->holes = false;
	a->has_db = false;
	return true;
}

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

/* Where what changes from here on goes. */
static bool prepare(struct aof *a)
{
	struct server *s = a->server;

	if (a->on && !a->waiting)
		return aof_flush(s) && rotate(a);
	aof_manifest_fini(&a->manifest);
	a->manifest = (struct aof_manifest){0};
	a->rewrite.first = INT64_MAX;
	return aof_files_read(s, &a->manifest) && (!a->waiting || begin_waiting(a));
}

static bool fork_child(struct aof *a)
{
	struct server *s = a->server;
	int pipe;
	pid_t pid = child_fork(s, PROCESS_REWRITE, &pipe);

	if (pid == 0)
		child_run(s, pipe);
	if (pid < 0)
		return false;
	a->rewrite.pid = pid;
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
	if (prepare(a)) {
		if (fork_child(a)) {
			log_line(log, LOG_LEVEL_NOTICE,
				 "Background append only file rewriting started by pid %ld",
				 (long)a->rewrite.pid);
			return true;
		}
		log_line(log, LOG_LEVEL_WARNING,
			 "Can't rewrite append only file in background: fork: %s", strerror(errno));
	}
	a->rewrite.failures++;
	a->rewrite.failed_ms = s->keyspace->now_ms;
	return false;
}

bool aof_rewrite_running(const struct server *s)
{
	return s->aof->rewrite.pid != 0 || s->aof->rewrite.due;
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
