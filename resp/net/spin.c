/* resp/net/spin.c - see spin.h. */
#define _GNU_SOURCE
#include "resp/net/spin.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define FEW_FDS       3
#define WINDOW        64
#define PAUSE_FIRST   5000
#define PAUSE_MAX     500000
#define CHECK_US      20000
#define PREEMPTED_MAX 10 /* in CHECK_US; a core of our own sees one or two */

void spin_init(struct spin *s)
{
	memset(s, 0, sizeof(*s));
	s->few = true;
	s->pause_us = PAUSE_FIRST;
	s->cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
	s->loadavg = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
}

void spin_fini(struct spin *s)
{
	if (s->loadavg >= 0)
		close(s->loadavg);
}

static bool are_few(const struct spin *s)
{
	const void *seen[FEW_FDS];
	unsigned n = 0;
	for (unsigned i = 0; i < SPIN_RECENT; i++) {
		unsigned k = 0;
		while (k < n && seen[k] != s->recent[i])
			k++;
		if (s->recent[i] == NULL || k < n)
			continue;
		if (n == FEW_FDS)
			return false;
		seen[n++] = s->recent[i];
	}
	return true;
}

void spin_note(struct spin *s, const void *fd)
{
	s->recent[s->at++] = fd;
	if (s->at == SPIN_RECENT) {
		s->at = 0;
		s->few = are_few(s);
	}
}

void spin_forget(struct spin *s, const void *fd)
{
	for (unsigned i = 0; i < SPIN_RECENT; i++)
		if (s->recent[i] == fd)
			s->recent[i] = NULL;
}

static void pause_for(struct spin *s, int64_t now_us)
{
	s->resume_us = now_us + s->pause_us;
	if (s->pause_us < PAUSE_MAX)
		s->pause_us *= 2;
}

/* Tasks that could run now, ourselves counted; 0 when that cannot be read. */
static int runnable(const struct spin *s)
{
	char buf[64];
	ssize_t n = s->loadavg < 0 ? -1 : pread(s->loadavg, buf, sizeof(buf) - 1, 0);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	int running = 0;
	if (sscanf(buf, "%*s %*s %*s %d/", &running) != 1)
		return 0;
	return running;
}

static bool contended(struct spin *s)
{
	struct rusage ru;
	if (getrusage(RUSAGE_THREAD, &ru) < 0)
		return false;
	long since = ru.ru_nivcsw - s->preempted;
	s->preempted = ru.ru_nivcsw;
	return since > PREEMPTED_MAX || runnable(s) > s->cores;
}

void spin_count(struct spin *s, bool hit, int64_t now_us)
{
	s->spins++;
	s->hits += hit;
	s->window_hits += hit;
	if (++s->window == WINDOW) {
		if (s->window_hits < WINDOW / 2)
			pause_for(s, now_us);
		else
			s->pause_us = PAUSE_FIRST;
		s->window = s->window_hits = 0;
	}
	if (now_us - s->checked_us > CHECK_US) {
		bool fresh = now_us - s->checked_us < 10 * CHECK_US;
		s->checked_us = now_us;
		if (contended(s) && fresh)
			pause_for(s, now_us);
	}
}
