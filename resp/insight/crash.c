#define _GNU_SOURCE
#include "resp/insight/crash.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include "resp/insight/info.h"
#include "resp/log.h"
#include "resp/server.h"
#include "resp/session.h"

#define FRAMES_MAX 100

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* A signal handler gets no argument: the one server that crash_install was told of. */
static struct server *reported;
static volatile sig_atomic_t reporting;

/* --- pieces of the report --- */

#define RAW(...) log_raw(&reported->config.log, __VA_ARGS__)
#define LOG(...) log_line(&reported->config.log, LOG_LEVEL_WARNING, __VA_ARGS__)

static void log_text(const char *text)
{
	/* A line of the log has its limit: long texts go out in pieces that end at line ends. */
	while (*text) {
		size_t n = strlen(text);
		if (n > 900) {
			n = 900;
			while (n > 1 && text[n - 1] != '\n')
				n--;
		}
		RAW("%.*s", (int)n, text);
		text += n;
	}
}

static void log_stack(void *where)
{
	void *frames[FRAMES_MAX];
	const char *path = reported->config.log.path;
	int n = backtrace(frames, FRAMES_MAX);
	int fd = path && path[0] ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644)
				 : STDOUT_FILENO;
	RAW("\n------ STACK TRACE ------");
	if (fd < 0)
		return;
	if (where) {
		dprintf(fd, "EIP:\n");
		backtrace_symbols_fd(&where, 1, fd);
	}
	dprintf(fd, "\nBacktrace:\n");
	backtrace_symbols_fd(frames, n, fd);
	if (fd != STDOUT_FILENO)
		close(fd);
}

static void log_stream(const char *title, void (*write)(FILE *out))
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	RAW("\n------ %s ------", title);
	if (!out)
		return;
	write(out);
	fclose(out);
	log_text(text);
	free(text);
}

static void write_info(FILE *out)
{
	struct bytes all = BYTES("everything");
	info_write(reported, &all, 1, out);
}

static void write_session(struct session *s, FILE *out)
{
	struct reply r;
	reply_init(&r, 2);
	session_describe(s, &r);
	while (reply_pending(&r)) {
		struct iovec iov[8];
		size_t n;
		int k = reply_iov(&r, iov, 8, &n);
		for (int i = 0; i < k; i++)
			fwrite(iov[i].iov_base, 1, iov[i].iov_len, out);
		reply_consume(&r, n);
	}
	fputc('\n', out);
	reply_fini(&r);
}

static void write_clients(FILE *out)
{
	for (struct session *s = reported->sessions; s; s = s->hh.next)
		if (!(s->flags & SESSION_INTERNAL))
			write_session(s, out);
}

static void write_current(FILE *out)
{
	write_session(reported->current, out);
}

static void begin_report(void)
{
	if (reporting++)
		return;
	RAW("\n\n=== REDIS BUG REPORT START: Cut & paste starting from here ===");
}

static void report_server(void)
{
	log_stream("INFO OUTPUT", write_info);
	log_stream("CLIENT LIST OUTPUT", write_clients);
	if (reported->current && !(reported->current->flags & SESSION_INTERNAL))
		log_stream("CURRENT CLIENT INFO", write_current);
	RAW("\n=== REDIS BUG REPORT END. Make sure to include from START to END. ===\n\n"
	    "       This is Inodis %s, please report the crash to its makers, with all of the "
	    "above.\n",
	    INODIS_VERSION);
}

/* --- signals --- */

static void *instruction(void *context)
{
#if defined(__x86_64__)
	return (void *)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return (void *)((ucontext_t *)context)->uc_mcontext.pc;
#else
	(void)context;
	return NULL;
#endif
}

static void end_by(int sig)
{
	struct sigaction act = {.sa_handler = SIG_DFL};
	sigset_t set;
	sigemptyset(&act.sa_mask);
	sigaction(sig, &act, NULL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
}

static void on_fatal(int sig, siginfo_t *info, void *context)
{
	/* What fails while it reports only ends. */
	if (reported->config.crash_log_enabled && reporting < 2) {
		begin_report();
		reporting = 2;
		LOG("Redis %s crashed by signal: %d, si_code: %d", INODIS_REDIS_VERSION, sig,
		    info->si_code);
		if (info->si_code <= 0)
			LOG("Killed by PID: %ld, UID: %d", (long)info->si_pid, (int)info->si_uid);
		else if (sig == SIGSEGV || sig == SIGBUS)
			LOG("Accessing address: %p", info->si_addr);
		LOG("Crashed running the instruction at: %p", instruction(context));
		log_stack(instruction(context));
		report_server();
	}
	end_by(sig);
}

static void on_alarm(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	LOG("%s", info->si_pid == 0 ? "\n--- WATCHDOG TIMER EXPIRED ---" : "\nReceived SIGALRM");
	log_stack(instruction(context));
	LOG("--------\n");
}

static void handle(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction act = {.sa_flags = SA_SIGINFO | flags};
	sigemptyset(&act.sa_mask);
	act.sa_sigaction = fn;
	sigaction(sig, &act, NULL);
}

void crash_install(struct server *s)
{
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	void *frame;
	reported = s;
	/* The first backtrace loads a library, which a handler must not. */
	backtrace(&frame, 1);
	for (size_t i = 0; !SANITIZED && i < sizeof(fatal) / sizeof(*fatal); i++)
		handle(fatal[i], on_fatal, SA_NODEFER);
	handle(SIGALRM, on_alarm, SA_RESTART);
}

/* --- failures that the server finds itself --- */

void crash_panic(struct server *s, const char *what)
{
	reported = s;
	if (s->config.crash_log_enabled)
		begin_report();
	LOG("------------------------------------------------");
	LOG("!!! Software Failure. Press left mouse button to continue");
	LOG("Guru Meditation: %s #%s", what, "inodis");
	LOG("------------------------------------------------");
	if (s->config.use_exit_on_panic)
		exit(1);
	abort();
}

void crash_assertion(struct server *s, const char *what)
{
	reported = s;
	if (s->config.crash_log_enabled)
		begin_report();
	LOG("=== ASSERTION FAILED ===");
	LOG("==> '%s' is not true", what);
	abort();
}

/* --- the watchdog --- */

static void set_timer(int64_t ms)
{
	struct itimerval t = {.it_value = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000}};
	setitimer(ITIMER_REAL, &t, NULL);
}

void watchdog_apply(struct server *s)
{
	int64_t least = 2 * 1000 / (s->config.hz > 0 ? s->config.hz : 1);
	/* The cron must have had its chance to feed it. */
	if (s->config.watchdog_period > 0 && s->config.watchdog_period < least)
		s->config.watchdog_period = (int)least;
	set_timer(s->config.watchdog_period > 0 ? s->config.watchdog_period : 0);
}

void watchdog_feed(struct server *s)
{
	if (s->config.watchdog_period > 0)
		set_timer(s->config.watchdog_period);
}
