/* resp/persist/child.c - the background save: a child process with the data as it was, and the pipe it talks through. What children
 * report is here for a rewrite of the log too. */
#define _GNU_SOURCE /* pipe2, close_range, syscall, SCHED_BATCH */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resp/insight/latency.h"
#include "resp/net/loop.h"
#include "resp/persist/internal.h"
#include "store/base/bgfree.h"
#include "store/base/clock.h"
#include "store/base/gather.h"
#include "store/base/mem.h"

/* How often a child tells of its keys; what it copied is asked for at most so large a part of the time, since the kernel walks
 * all pages to answer. */
#define REPORT_US 200000
#define COW_PART  100

/* The heap is gone over when it grew by so much, and no sooner than so long after the last time; not while more than that comes in
 * a second, when each new page would wait for the one that is moved. */
#define GATHER_GROWTH ((size_t)8 << 20)
#define GATHER_MS     1000
#define GATHER_CALM   ((size_t)2 << 20)
#define GATHER_KEYS   ((size_t)20000)
#define GATHER_LOOK   100 /* milliseconds */

/* --- in the child --- */

/* Bytes that this process has for itself alone: what was copied since the fork. */
static uint64_t private_bytes(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	char line[256];
	unsigned long long kb = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Private_Dirty: %llu", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return (uint64_t)kb * 1024;
}

static uint64_t measure(struct child_report *c)
{
	int64_t begin = clock_us();
	uint64_t cow = private_bytes();
	int64_t end = clock_us();

	c->next_cow_us = end + (end - begin) * COW_PART;
	c->peak = cow > c->peak ? cow : c->peak;
	c->sum += cow;
	c->samples++;
	return cow;
}

static void tell(struct child_report *c, bool with_cow)
{
	struct save_report r = {.keys = c->keys, .has_cow = with_cow};

	if (with_cow)
		r.cow = measure(c);
	if (write(c->pipe, &r, sizeof(r)) < 0) {
		/* Nobody has to know. */
	}
}

void child_progress(void *arg, uint64_t keys)
{
	struct child_report *c = arg;
	int64_t now = clock_us();

	c->keys = keys;
	if (now < c->next_us)
		return;
	c->next_us = now + REPORT_US;
	tell(c, now >= c->next_cow_us);
}

bool child_report_end(struct server *s, struct child_report *c, const char *what)
{
	struct save_report r = {.keys = c->keys, .cow = measure(c), .has_cow = true};

	log_line(&s->config.log, LOG_LEVEL_NOTICE,
		 "Fork CoW for %s: current %zu MB, peak %zu MB, average %llu MB", what,
		 (size_t)(r.cow >> 20), (size_t)(c->peak >> 20),
		 (unsigned long long)(c->sum / c->samples >> 20));
	return write(c->pipe, &r, sizeof(r)) == (ssize_t)sizeof(r);
}

/* Sockets, epoll and the mount belong to the parent: a descriptor kept here would hold a dead mount open. */
static void close_all_but(int a, int b)
{
	unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a);
	unsigned ranges[][2] = {{3, low - 1}, {low + 1, high - 1}, {high + 1, ~0U}};

	for (size_t i = 0; i < 3; i++)
		if (ranges[i][0] <= ranges[i][1] && close_range(ranges[i][0], ranges[i][1], 0) < 0)
			for (unsigned fd = ranges[i][0]; fd <= ranges[i][1] && fd < 65536; fd++)
				close((int)fd);
}

/* A child may take every moment that nobody else wants, and makes nobody wait: who wakes up where it runs gets the core at once, not
 * at the end of its time slice. Niceness 10 still leaves it a tenth of a core whose others never sleep, so that it ends. */
#define CHILD_NICE     10
#define CHILD_SLICE_NS 100000

static void give_way(void)
{
	/* The C library has no name for it. Kernels before 6.12 pass over the slice, some the whole of it. */
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t slice, deadline, period;
	} attr = {.size = sizeof(attr),
		  .policy = SCHED_BATCH,
		  .nice = CHILD_NICE,
		  .slice = CHILD_SLICE_NS};
	int now = getpriority(PRIO_PROCESS, 0);

	if (now >= CHILD_NICE)
		return; /* as the whole server was started */
	if (syscall(SYS_sched_setattr, 0, &attr, 0) < 0)
		setpriority(PRIO_PROCESS, 0, CHILD_NICE);
}

void child_detach(struct server *s, int pipe, int file)
{
	sigset_t none;

	/* A server that was killed has no more use for it, and one that is started in its place must not find its file replaced. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != s->snapshot->parent)
		_exit(1);
	give_way();
	close_all_but(pipe, file < 3 ? pipe : file);
	signal(SIGINT, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	s->config.log.role = 'C';
}

static _Noreturn void child_run(struct server *s, int pipe)
{
	struct child_report c = {.pipe = pipe};

	child_detach(s, pipe, -1);
	_exit(save_file(s, child_progress, &c) && child_report_end(s, &c, "RDB") ? 0 : 1);
}

/* --- in the server --- */

static void forget(struct snapshot *n)
{
	loop_fd_remove(n->watch);
	close(n->pipe);
	n->watch = NULL;
	n->pipe = -1;
	n->child = 0;
	child_gone(n->server);
}

static void close_file(void *fd)
{
	close((int)(intptr_t)fd);
}

static void drop_temp(struct server *s, pid_t pid)
{
	char temp[SAVE_TEMP];

	save_temp_name(temp, pid);
	int64_t began = clock_us();
	/* Who holds it open last lets its blocks go, which may take long: not the engine. */
	int fd = open(temp, O_RDONLY | O_CLOEXEC);
	unlink(temp);
	if (fd >= 0)
		bgfree_submit(close_file, (void *)(intptr_t)fd, 0);
	latency_note(s, "rdb-unlink-temp-file", (uint64_t)(clock_us() - began));
}

/* The pipe's other end is closed: the child is gone, or about to be. */
static void ended(struct snapshot *n)
{
	struct server *s = n->server;
	struct log *log = &s->config.log;
	pid_t pid = n->child;
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	forget(n);
	bool ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (ok) {
		log_line(log, LOG_LEVEL_NOTICE, "Background saving terminated with success");
		s->stats.dirty -=
			n->dirty_before < s->stats.dirty ? n->dirty_before : s->stats.dirty;
	} else if (WIFSIGNALED(status)) {
		log_line(log, LOG_LEVEL_WARNING, "Background saving terminated by signal %d",
			 WTERMSIG(status));
		drop_temp(n->server, pid);
	} else {
		log_line(log, LOG_LEVEL_WARNING, "Background saving error");
	}
	n->figures.last_seconds = (s->keyspace->now_ms - n->begun_ms) / 1000;
	n->figures.last_cow = n->figures.cow;
	/* Who sends this means the save, and nothing is wrong with the disk. */
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGUSR1)
		n->figures.last_ok = ok;
	if (ok)
		save_done(s);
	else
		snapshot_check_writes(s);
}

static void take_report(struct snapshot *n, const struct save_report *r)
{
	n->figures.keys_done = r->keys;
	if (!r->has_cow)
		return;
	n->figures.cow = r->cow;
	if (r->cow > n->figures.cow_peak)
		n->figures.cow_peak = r->cow;
	n->cow_ms = n->server->keyspace->now_ms;
}

bool child_read_reports(struct server *s, int pipe)
{
	struct save_report r;
	ssize_t got;

	while ((got = read(pipe, &r, sizeof(r))) == (ssize_t)sizeof(r))
		take_report(s->snapshot, &r);
	return got < 0 && (errno == EAGAIN || errno == EINTR);
}

static void on_pipe(void *arg, unsigned events)
{
	struct snapshot *n = arg;

	(void)events;
	if (!child_read_reports(n->server, n->pipe))
		ended(n);
}

void child_kill(struct server *s)
{
	struct snapshot *n = s->snapshot;
	pid_t pid = n->child;

	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	log_line(&s->config.log, LOG_LEVEL_WARNING, "Background saving terminated by signal %d",
		 SIGKILL);
	forget(n);
	drop_temp(n->server, pid);
}

static uint64_t count_keys(const struct keyspace *ks)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < ks->ndbs; i++)
		n += table_count(&ks->dbs[i].keys);
	return n;
}

void child_began(struct server *s)
{
	struct snapshot *n = s->snapshot;

	n->cow_ms = 0;
	n->figures.cow = n->figures.cow_peak = 0;
	n->figures.keys_done = 0;
	n->figures.keys_total = count_keys(s->keyspace);
	s->keyspace->access_frozen = true;
}

void child_gone(struct server *s)
{
	s->keyspace->access_frozen = false;
	s->snapshot->gather.due = true;
}

/* Whether it grew by less than @a_second since it was @before. */
static bool grew_little(size_t now, size_t before, size_t a_second, int64_t ms)
{
	return now <= before || (double)(now - before) * 1000 < (double)a_second * (double)ms;
}

/* Whether little came since it was looked at last. Not by memory alone: while a table is moved into a larger one, memory goes as keys come. */
static bool heap_is_calm(struct server *s, size_t used, int64_t now_ms)
{
	struct snapshot *n = s->snapshot;
	int64_t ms = now_ms - n->gather.looked_ms;

	if (ms >= GATHER_LOOK || ms < 0) {
		size_t keys = count_keys(s->keyspace);
		n->gather.calm = grew_little(used, n->gather.looked, GATHER_CALM, ms) &&
				 grew_little(keys, n->gather.keys, GATHER_KEYS, ms);
		n->gather.looked = used;
		n->gather.keys = keys;
		n->gather.looked_ms = now_ms;
	}
	return n->gather.calm;
}

/* Let the heap be in huge pages when the next child is made: after a child, of which every page that was written to since is a
 * copy of its own, and where it grew. */
void child_gather(struct server *s, int64_t now_ms)
{
	struct snapshot *n = s->snapshot;
	size_t used = mem_used();

	if (used < n->gather.used)
		n->gather.used = used;
	if (!heap_is_calm(s, used, now_ms)) {
		n->gather.due |= gather_running();
		gather_stop();
		return;
	}
	if (s->keyspace->access_frozen || gather_running() ||
	    now_ms - n->gather.began_ms < GATHER_MS ||
	    (!n->gather.due && used - n->gather.used < GATHER_GROWTH))
		return;
	gather_start();
	n->gather.due = false;
	n->gather.used = used;
	n->gather.began_ms = now_ms;
}

pid_t child_fork(struct server *s, enum process_kind kind, int *pipe)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	int64_t begin = clock_us();
	s->snapshot->parent = getpid();
	gather_stop();
	pid_t pid = fork();
	if (pid == 0) {
		*pipe = ends[1];
		process_apply(s, kind);
		return 0;
	}
	int error = errno;
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		errno = error;
		return -1;
	}
	s->snapshot->figures.forks++;
	s->snapshot->figures.fork_usec = (uint64_t)(clock_us() - begin);
	latency_note(s, "fork", s->snapshot->figures.fork_usec);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	*pipe = ends[0];
	return pid;
}

static void began(struct snapshot *n, pid_t pid, int fd)
{
	struct server *s = n->server;

	n->child = pid;
	n->pipe = fd;
	n->watch = loop_fd_add(s->loop, fd, LOOP_NORMAL, LOOP_READ, on_pipe, n);
	n->begun_ms = s->keyspace->now_ms;
	n->dirty_before = s->stats.dirty;
	n->scheduled = false;
	n->figures.saves++;
	child_began(s);
	log_line(&s->config.log, LOG_LEVEL_NOTICE, "Background saving started by pid %ld",
		 (long)pid);
}

bool snapshot_running(const struct server *s)
{
	return s->snapshot->child != 0 || s->snapshot->due;
}

void snapshot_schedule(struct server *s)
{
	s->snapshot->scheduled = true;
}

/* A child could not be made. */
static bool start_failed(struct server *s)
{
	log_line(&s->config.log, LOG_LEVEL_WARNING, "Can't save in background: fork: %s",
		 strerror(errno));
	s->snapshot->figures.last_ok = false;
	snapshot_check_writes(s);
	return false;
}

bool snapshot_start(struct server *s)
{
	struct snapshot *n = s->snapshot;
	int pipe;

	n->last_try_ms = s->keyspace->now_ms;
	n->due = server_in_unit(s);
	if (n->due)
		return true;
	n->memory = mem_used();
	pid_t pid = child_fork(s, PROCESS_SAVE, &pipe);
	if (pid == 0)
		child_run(s, pipe);
	if (pid < 0)
		return start_failed(s);
	began(n, pid, pipe);
	return true;
}
