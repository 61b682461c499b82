/* DEBUG: ways to end. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "resp/commands/insight/debug.h"
#include "resp/insight/crash.h"
#include "resp/log.h"
#include "resp/server.h"
#include "store/base/mem.h"

extern char **environ;

void debug_segfault(struct call *c)
{
	(void)c;
	/* No process has anything there. */
	*(volatile char *)(UINTPTR_MAX - 16) = 1;
}

void debug_panic(struct call *c)
{
	crash_panic(c->server, "called by Unittest");
}

void debug_assert(struct call *c)
{
	crash_assertion(c->server, "1 == 2");
}

/* More than any machine has: mem_alloc ends the process. */
void debug_oom(struct call *c)
{
	mem_free(mem_alloc(SIZE_MAX / 2));
	reply_ok(c->reply);
}

/* --- beginning anew --- */

static void close_all_files(void)
{
	long max = sysconf(_SC_OPEN_MAX);
	for (int fd = 3; fd < (max > 0 && max < 100000 ? (int)max : 100000); fd++)
		close(fd);
}

static bool delay(struct call *c, int64_t *ms)
{
	*ms = 0;
	if (c->argc == 3 && !call_int(c, 2, ms))
		return false;
	if (*ms < 0)
		*ms = 0;
	return true;
}

/* The same program with the same arguments takes this process's place. */
static void begin_anew(struct call *c, int64_t ms)
{
	sigset_t none;
	struct server *s = c->server;
	const char *program = s->executable;
	if (!program || access(program, X_OK) < 0) {
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Can't restart: this process has no permissions to execute %s",
			 program ? program : "");
		reply_error(c->reply, "ERR failed to restart the server. Check server logs.");
		return;
	}
	/* The working directory may be another one by now than when the arguments were given. */
	if (s->argc > 1 && s->argv[1][0] != '-' && s->config.config_file[0])
		s->argv[1] = s->config.config_file;
	close_all_files();
	if (ms)
		usleep((useconds_t)(ms < 60000 ? ms : 60000) * 1000);
	/* Signals are read from a descriptor here, and blocked: that would be inherited. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(program, s->argv, environ);
	_exit(1);
}

void debug_crash_and_recover(struct call *c)
{
	int64_t ms;
	if (delay(c, &ms))
		begin_anew(c, ms);
}

void debug_restart(struct call *c)
{
	int64_t ms;
	if (!delay(c, &ms))
		return;
	if (server_save_for_exit(c->server, 0))
		begin_anew(c, ms);
	else
		reply_error(c->reply, "ERR failed to restart the server. Check server logs.");
}
