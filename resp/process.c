#define _GNU_SOURCE
#include "resp/process.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resp/log.h"
#include "resp/server.h"
#include "store/base/mem.h"

extern char **environ;

/* --- the title --- */

/* Where the kernel shows a process's command line from: the arguments and the environment as they were at its start. */
static struct {
	char *p;
	size_t n;
} room;

static char **copy_strings(char **from, int n)
{
	char **to = calloc((size_t)n + 1, sizeof(*to));
	for (int i = 0; to && i < n; i++)
		to[i] = strdup(from[i]);
	return to;
}

char **process_keep_arguments(int argc, char **argv)
{
	int nenv = 0;
	char *end = argv[argc - 1] + strlen(argv[argc - 1]) + 1;
	while (environ[nenv])
		nenv++;
	/* As far as it is in one piece. */
	for (int i = 0; i < nenv && environ[i] == end; i++)
		end += strlen(environ[i]) + 1;
	char **args = copy_strings(argv, argc), **env = copy_strings(environ, nenv);
	if (!args || !env)
		return argv;
	environ = env;
	room.p = argv[0];
	room.n = (size_t)(end - argv[0]);
	return args;
}

static const char *listen_address(const struct server *s, char *buf, size_t n)
{
	const struct config *cfg = &s->config;
	if (!cfg->port)
		return cfg->unixsocket;
	const char *host = cfg->bind.n ? cfg->bind.v[0] : "*";
	snprintf(buf, n, "%s:%d", *host == '-' ? host + 1 : host, cfg->port);
	return buf;
}

static void put_variable(struct server *s, const char *title, struct bytes name, FILE *out)
{
	const struct config *cfg = &s->config;
	char address[512], *text = NULL;
	if (bytes_is(name, "title"))
		fputs(title, out);
	else if (bytes_is(name, "listen-addr"))
		fputs(listen_address(s, address, sizeof(address)), out);
	else if (bytes_is(name, "config-file"))
		fputs(cfg->config_file, out);
	else if (bytes_is(name, "unixsocket"))
		fputs(cfg->unixsocket, out);
	else if (bytes_is(name, "port"))
		fprintf(out, "%d", cfg->port);
	else if (bytes_is(name, "tls-port") && config_get_text(s, "tls-port", &text))
		fputs(text, out);
	mem_free(text);
	/* {server-mode} has a word only for a cluster's node. */
}

static void expand(struct server *s, const char *title, FILE *out)
{
	const char *p = s->config.proc_title_template;
	while (*p) {
		const char *end = *p == '{' ? strchr(p, '}') : NULL;
		if (end) {
			put_variable(s, title, bytes_of(p + 1, (size_t)(end - p - 1)), out);
			p = end + 1;
		} else {
			fputc(*p++, out);
		}
	}
}

void process_title(struct server *s, enum process_kind kind)
{
	static const char *const titles[] = {NULL, "redis-rdb-bgsave", "redis-aof-rewrite"};
	char text[2048] = "";
	if (!room.p || !s->config.set_proc_title)
		return;
	FILE *out = fmemopen(text, sizeof(text) - 1, "w");
	if (!out)
		return;
	expand(s, kind == PROCESS_SERVER ? s->argv[0] : titles[kind], out);
	fclose(out);
	size_t n = strlen(text);
	while (n && text[n - 1] == ' ')
		n--;
	if (n > room.n - 1)
		n = room.n - 1;
	memset(room.p, 0, room.n);
	memcpy(room.p, text, n);
}

/* --- the kernel's victims --- */

#define OOM_FILE "/proc/self/oom_score_adj"

static bool read_score(int *out)
{
	FILE *f = fopen(OOM_FILE, "r");
	bool ok = f && fscanf(f, "%d", out) == 1;
	if (f)
		fclose(f);
	return ok;
}

static bool write_score(struct server *s, int score)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%d\n", score);
	int fd = open(OOM_FILE, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, (size_t)n) == n;
	int error = errno;
	if (fd >= 0)
		close(fd);
	if (!ok)
		log_line(&s->config.log, LOG_LEVEL_WARNING, "Unable to write oom_score_adj: %s",
			 strerror(error));
	return ok;
}

bool process_oom_score(struct server *s, enum process_kind kind)
{
	/* What it was before we first changed it. */
	static int before;
	static bool changed;
	int values[3] = {0};
	char *text = NULL;
	enum config_oom mode = (enum config_oom)s->config.oom_score_adj;
	if (mode == OOM_NO && !changed)
		return true;
	if (!changed && !read_score(&before)) {
		log_line(&s->config.log, LOG_LEVEL_WARNING, "Unable to read oom_score_adj: %s",
			 strerror(errno));
		return false;
	}
	if (mode == OOM_NO) {
		changed = false;
		return write_score(s, before);
	}
	if (config_get_text(s, "oom-score-adj-values", &text))
		sscanf(text, "%d %d %d", &values[0], &values[1], &values[2]);
	mem_free(text);
	int score = values[kind == PROCESS_SERVER ? 0 : 2] + (mode == OOM_RELATIVE ? before : 0);
	score = score < -1000 ? -1000 : score > 1000 ? 1000 : score;
	changed = true;
	return write_score(s, score);
}

/* --- processors --- */

static const char *read_number(const char *p, int *out)
{
	char *end;
	long v = strtol(p, &end, 10);
	*out = (int)v;
	return end == p || v < 0 || v >= CPU_SETSIZE ? NULL : end;
}

/* "0,2-5,8-15:2" as taskset has it. */
static bool read_processors(const char *p, cpu_set_t *set)
{
	CPU_ZERO(set);
	while (*p) {
		int from, to, step = 1;
		if (!(p = read_number(p, &from)))
			return false;
		to = from;
		if (*p == '-' && !(p = read_number(p + 1, &to)))
			return false;
		if (*p == ':' && (!(p = read_number(p + 1, &step)) || step < 1))
			return false;
		for (int i = from; i <= to; i += step)
			CPU_SET(i, set);
		if (*p == ',')
			p++;
		else if (*p)
			return false;
	}
	return CPU_COUNT(set) > 0;
}

static void bind_processors(struct server *s, enum process_kind kind)
{
	static const char *const names[] = {"server_cpulist", "bgsave_cpulist",
					    "aof_rewrite_cpulist"};
	char *list = NULL;
	cpu_set_t set;
	if (!config_get_text(s, names[kind], &list))
		return;
	if (list[0] && (!read_processors(list, &set) || sched_setaffinity(0, sizeof(set), &set)))
		log_line(&s->config.log, LOG_LEVEL_WARNING, "%s: cannot run on processors %s",
			 names[kind], list);
	mem_free(list);
}

/* --- all of it --- */

bool process_locale(struct server *s)
{
	return setlocale(LC_COLLATE, s->config.locale_collate) != NULL;
}

void process_apply(struct server *s, enum process_kind kind)
{
	process_title(s, kind);
	process_oom_score(s, kind);
	bind_processors(s, kind);
	if (kind == PROCESS_SERVER && !process_locale(s))
		log_line(&s->config.log, LOG_LEVEL_WARNING, "Failed to set locale-collate: %s",
			 s->config.locale_collate);
}

void process_greet(struct server *s)
{
	struct log *log = &s->config.log;
	if (!s->config.always_show_logo) {
		log_line(log, LOG_LEVEL_NOTICE, "Running mode=standalone, port=%d.",
			 s->config.port);
		return;
	}
	if (log->level > LOG_LEVEL_NOTICE)
		return;
	log_raw(log,
		"\n"
		"    _________________\n"
		"   /  SET   \\   cat  \\\n"
		"  |   GET    |   ls   |      Inodis %s, as Redis %s, %d bit\n"
		"  |   ___    |   ___  |      Running in standalone mode\n"
		"  |  |   |   |  |   | |      Port: %d\n"
		"  |  |  o|   |  |o  | |      PID: %ld\n"
		"  |  |___|___|__|___| |\n"
		"  |    one   store    |      two doors\n"
		"   \\_________________/\n",
		INODIS_VERSION, INODIS_REDIS_VERSION, (int)sizeof(long) * 8, s->config.port,
		(long)getpid());
}
