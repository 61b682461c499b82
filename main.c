/* main.c - configuration in, store up, doors open, loop runs, doors close. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "fs/mount.h"
#include "resp/acl/file.h"
#include "resp/config.h"
#include "resp/insight/crash.h"
#include "resp/log.h"
#include "resp/net/loop.h"
#include "resp/net/network.h"
#include "resp/persist/aof/aof.h"
#include "resp/persist/snapshot.h"
#include "resp/process.h"
#include "resp/server.h"
#include "resp/supervise.h"
#include "store/base/bgfree.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/persist/check.h"

static void print_version(void)
{
	/* Harnesses look for "v=" and a version number. */
	printf("Redis server v=%s sha=00000000:0 malloc=%s bits=%d build=inodis-%s\n",
	       INODIS_REDIS_VERSION, mem_allocator_name(), (int)sizeof(long) * 8, INODIS_VERSION);
}

static void print_help(FILE *out)
{
	fprintf(out, "Usage: inodis [/path/to/redis.conf] [options] [-]\n"
		     "       inodis - (read the configuration from standard input)\n"
		     "       inodis -v or --version\n"
		     "       inodis -h or --help\n"
		     "       inodis --rdb FILE --mount DIR (look into a dump; nothing is written)\n"
		     "       inodis --check-rdb FILE\n"
		     "       inodis --check-aof [--fix] FILE.manifest\n"
		     "\n"
		     "Each option is a directive of redis.conf: --name value ...\n"
		     "\n"
		     "Examples:\n"
		     "       inodis                             (the default configuration)\n"
		     "       inodis --port 7777 --mount /mnt/keys\n"
		     "       inodis /etc/inodis/inodis.conf --loglevel verbose\n");
}

/* Look over a file, where the first word or the program's name asks for it, as redis-check-rdb's does. */
static bool check_file(int argc, char **argv, int *code)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	bool word = argc > 1, rdb = strstr(name, "check-rdb"), aof = strstr(name, "check-aof");
	int skip = 0;

	if (!rdb && !aof && word) {
		rdb = strcmp(argv[1], "--check-rdb") == 0;
		aof = strcmp(argv[1], "--check-aof") == 0;
		skip = 1;
	}
	if (!rdb && !aof)
		return false;
	mem_thread_register();
	if (skip)
		argv[skip] = (char *)(rdb ? "inodis --check-rdb" : "inodis --check-aof");
	*code = rdb ? check_rdb_main(argc - skip, argv + skip)
		    : check_aof_main(argc - skip, argv + skip);
	return true;
}

/* What is answered without becoming a server. True when it was. */
static bool answer_early(int argc, char **argv)
{
	if (argc != 2)
		return false;
	if (strcmp(argv[1], "-v") == 0 || strcmp(argv[1], "--version") == 0) {
		print_version();
		return true;
	}
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
		return true;
	}
	return false;
}

static void become_daemon(void)
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid < 0) {
		perror("inodis: fork");
		exit(1);
	}
	if (pid > 0)
		_exit(0);
	setsid();
	int null = open("/dev/null", O_RDWR);
	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	if (null > STDERR_FILENO)
		close(null);
}

/* --- the pid file --- */

static const char *pidfile_path(const struct config *cfg)
{
	if (cfg->pidfile[0])
		return cfg->pidfile;
	return cfg->daemonize ? "/var/run/redis.pid" : NULL;
}

static void pidfile_write(struct server *s)
{
	const char *path = pidfile_path(&s->config);
	FILE *f = path ? fopen(path, "w") : NULL;
	if (f == NULL) {
		if (path)
			log_line(&s->config.log, LOG_LEVEL_NOTICE, "Failed to write PID file: %s",
				 strerror(errno));
		return;
	}
	fprintf(f, "%d\n", (int)getpid());
	fclose(f);
}

static void pidfile_remove(struct server *s)
{
	const char *path = pidfile_path(&s->config);
	if (path == NULL)
		return;
	log_line(&s->config.log, LOG_LEVEL_NOTICE, "Removing the pid file.");
	unlink(path);
}

/* --- signals --- */

/* Blocked in every thread and read from a descriptor: nothing is ever interrupted. */
static int signals_open(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a write past the limit of file sizes fails instead */
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

struct signals {
	struct server *server;
	int fd;
};

static void on_signal(void *arg, unsigned events)
{
	struct signals *sig = arg;
	struct server *s = sig->server;
	struct signalfd_siginfo info;
	(void)events;
	while (read(sig->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		bool interrupt = info.ssi_signo == SIGINT;
		const char *name = interrupt ? "SIGINT" : "SIGTERM";
		if (s->stopping && interrupt) {
			log_line(&s->config.log, LOG_LEVEL_WARNING, "You insist... exiting now.");
			exit(1);
		}
		log_line(&s->config.log, LOG_LEVEL_WARNING, "Received %s scheduling shutdown...",
			 name);
		int flags =
			interrupt ? s->config.shutdown_on_sigint : s->config.shutdown_on_sigterm;
		if (!server_shutdown(s, (unsigned)flags))
			log_line(&s->config.log, LOG_LEVEL_WARNING,
				 "%s received but errors trying to shut down the server, check "
				 "the logs for more information",
				 name);
	}
}

/* --- the server --- */

static void log_start(struct server *s)
{
	struct log *log = &s->config.log;
	log_line(log, LOG_LEVEL_NOTICE, "oO0OoO0OoO0Oo Inodis is starting oO0OoO0OoO0Oo");
	log_line(log, LOG_LEVEL_NOTICE,
		 "Redis version=%s, Inodis version=%s, bits=%d, pid=%d, just started",
		 INODIS_REDIS_VERSION, INODIS_VERSION, (int)sizeof(long) * 8, (int)getpid());
	if (s->config.config_file[0] == '\0' && s->argc == 1)
		log_line(log, LOG_LEVEL_WARNING,
			 "Warning: no config file specified, using the default config. In order to "
			 "specify a config file use inodis /path/to/redis.conf");
	else
		log_line(log, LOG_LEVEL_NOTICE, "Configuration loaded");
}

static void log_ready(struct server *s)
{
	struct log *log = &s->config.log;
	if (s->config.port)
		log_line(log, LOG_LEVEL_NOTICE, "Ready to accept connections tcp");
	if (s->config.unixsocket[0])
		log_line(log, LOG_LEVEL_NOTICE, "Ready to accept connections unix");
	if (s->config.tls.port)
		log_line(log, LOG_LEVEL_NOTICE, "Ready to accept connections tls");
	if (s->config.rdb[0])
		log_line(log, LOG_LEVEL_NOTICE, "Ready to look into %s", s->config.rdb);
	if (s->config.maxmemory > 0 && s->config.maxmemory < 1024 * 1024)
		log_line(log, LOG_LEVEL_WARNING,
			 "WARNING: You specified a maxmemory value that is less than 1MB (current "
			 "value is %llu bytes). Are you sure this is what you really want?",
			 (unsigned long long)s->config.maxmemory);
}

/* Open the doors, serve until told to stop, close them. The exit code. */
static int serve(struct server *s)
{
	s->network = network_new(s);
	if (s->network == NULL)
		return 1;
	process_greet(s);
	log_line(&s->config.log, LOG_LEVEL_NOTICE, "Server initialized");
	snapshot_claim(s);
	if (!acl_start(s)) {
		network_free(s->network);
		s->network = NULL;
		return 1;
	}
	struct mounts *mounts = s->config.mounts.n ? mounts_start(s) : NULL;
	bool failed = s->config.mounts.n && mounts == NULL;
	if (!failed) {
		aof_attach(s);
		network_start(s->network);
		aof_attach_last(s);
		server_start(s);
		failed = s->config.appendonly ? !aof_start(s) : !snapshot_load(s);
	}
	if (!failed) {
		snapshot_check_writes(s);
		enum config_supervised supervisor = supervise_mode(s->config.supervised);
		if (!s->stopping) {
			log_ready(s);
			supervise_ready(supervisor);
		}
		loop_run(s->loop);
		supervise_stopping(supervisor);
	}
	mounts_stop(mounts);
	aof_close(s);
	network_free(s->network);
	s->network = NULL;
	return failed ? 1 : s->exit_code;
}

static char *own_path(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	return mem_dup(path, strlen(path) + 1);
}

int main(int argc, char **argv)
{
	static struct server server;
	int code = 0;
	if (answer_early(argc, argv) || check_file(argc, argv, &code))
		return code;
	mem_thread_register();
	tzset();
	keyhash_seed_random();
	server.argc = argc;
	server.argv = argv = process_keep_arguments(argc, argv);
	server.executable = own_path();
	config_init(&server.config);
	if (config_load(&server.config, argc, argv) < 0 || !config_look_only(&server.config))
		return 1;
	if (server.config.daemonize)
		become_daemon();

	struct signals sig = {&server, signals_open()};
	server_init(&server);
	crash_install(&server);
	process_apply(&server, PROCESS_SERVER);
	mem_background(server.config.jemalloc_bg_thread);
	if (bgfree_start() < 0 || sig.fd < 0) {
		perror("inodis: cannot start");
		return 1;
	}
	log_start(&server);
	if (server.config.daemonize || server.config.pidfile[0])
		pidfile_write(&server);
	struct loop_fd *watch =
		loop_fd_add(server.loop, sig.fd, LOOP_NORMAL, LOOP_READ, on_signal, &sig);
	loop_fd_nested(watch); /* and in the middle of a long script */

	code = serve(&server);

	loop_fd_remove(watch);
	close(sig.fd);
	pidfile_remove(&server);
	server_fini(&server);
	bgfree_stop();
	config_fini(&server.config);
	mem_free(server.executable);
	return code;
}
