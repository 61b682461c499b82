/* resp/config/file.c - redis.conf and the command line, read line by line. Part of resp/config.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "resp/acl/file.h"
#include "resp/config/directive.h"
#include "resp/dispatch.h"
#include "resp/server.h"
#include "store/base/mem.h"

/* A file that includes itself ends here, not in a crash. */
#define INCLUDE_DEPTH_MAX 16

struct reader {
	struct config *cfg;
	int depth;
	struct registry *registry; /* what lines may name; NULL before the first that does */
};

static bool read_text(struct reader *rd, const char *text, size_t n);
static bool read_file(struct reader *rd, const char *path);

/* --- one line --- */

static bool is_declared(const struct config *cfg, const char *name)
{
	for (size_t i = 0; i < cfg->users.n; i++) {
		struct words w;
		bool same =
			words_split(bytes_str(cfg->users.v[i]), &w) && strcmp(w.argv[0], name) == 0;
		words_fini(&w);
		if (same)
			return true;
	}
	return false;
}

/* "user name rules": kept until there is a server to have the user. */
static bool declare_user(struct reader *rd, int argc, char **argv, struct config_error *err)
{
	struct config *cfg = rd->cfg;
	struct text line = {0}, error = {0};

	if (!rd->registry)
		rd->registry = registry_new();
	if (is_declared(cfg, argv[1]))
		return config_refuse(err,
				     "Error in user declaration '%s': Duplicate user found. A user "
				     "can only be defined once in config files",
				     argv[1]);
	if (!acl_declaration_valid(rd->registry, argc, argv, &error)) {
		config_refuse(err, "%s", error.p);
		text_fini(&error);
		return false;
	}
	for (int i = 1; i < argc; i++) {
		text_quote(&line, argv[i], strlen(argv[i]));
		text_str(&line, " ");
	}
	cfg->users.v = mem_realloc(cfg->users.v, (cfg->users.n + 1) * sizeof(*cfg->users.v));
	cfg->users.v[cfg->users.n++] = text_take(&line);
	return true;
}

/* "rename-command old new": kept until there is a server to do it. */
static bool rename_command(struct reader *rd, char **names, struct config_error *err)
{
	struct config_strings *list = &rd->cfg->renames;

	if (!rd->registry)
		rd->registry = registry_new();
	const char *why = registry_rename(rd->registry, bytes_str(names[0]), bytes_str(names[1]));
	if (why)
		return config_refuse(err, "%s", why);
	list->v = mem_realloc(list->v, (list->n + 2) * sizeof(*list->v));
	for (int i = 0; i < 2; i++)
		list->v[list->n++] = mem_dup(names[i], strlen(names[i]) + 1);
	return true;
}

/* Lines that were once directives and mean nothing today. */
static bool is_obsolete(const char *name, int argc)
{
	static const char *const names[] = {"list-max-ziplist-entries", "list-max-ziplist-value",
					    "lua-replicate-commands"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(name, names[i]) == 0 && argc == 2)
			return true;
	return false;
}

static bool include(struct reader *rd, const char *pattern, struct config_error *err)
{
	glob_t found;
	bool ok = true;

	if (rd->depth >= INCLUDE_DEPTH_MAX)
		return config_refuse(err, "Too many nested includes");
	if (!strpbrk(pattern, "*?["))
		return read_file(rd, pattern);
	if (glob(pattern, 0, NULL, &found) != 0)
		return true;
	for (size_t i = 0; i < found.gl_pathc && ok; i++)
		ok = read_file(rd, found.gl_pathv[i]);
	globfree(&found);
	return ok;
}

/* What is a line of the file and no directive of the table. */
static bool read_other(struct reader *rd, int argc, char **argv, struct config_error *err)
{
	const char *name = argv[0];

	if (strcasecmp(name, "include") == 0 && argc == 2)
		return include(rd, argv[1], err);
	if (is_obsolete(name, argc))
		return true;
	if (strcasecmp(name, "user") == 0 && argc >= 2)
		return declare_user(rd, argc, argv, err);
	if (strcasecmp(name, "loadmodule") == 0 && argc >= 2)
		return config_refuse(err, "loadmodule: modules are not available in this version");
	if (strcasecmp(name, "rename-command") == 0 && argc == 3)
		return rename_command(rd, argv + 1, err);
	if (strcasecmp(name, "sentinel") == 0)
		return config_refuse(err, "sentinel directive while not in sentinel mode");
	return config_refuse(err, "Bad directive or wrong number of arguments");
}

static bool read_directive(struct reader *rd, const struct directive *d, struct words *w,
			   struct config_error *err)
{
	struct words inner;
	bool ok;

	rd->cfg->rest->included[directive_index(d)] = rd->depth > 1;
	/* All words in one pair of quotes are as good as the words. */
	if ((d->flags & D_WORDS) && !(d->flags & D_VERBATIM) && w->argc == 2 && w->argv[1][0]) {
		if (!words_split(bytes_str(w->argv[1]), &inner))
			return config_refuse(err, "Unbalanced quotes in configuration line");
		ok = directive_set(rd->cfg, d, inner.argc, inner.argv, err);
		words_fini(&inner);
		return ok;
	}
	return directive_set(rd->cfg, d, w->argc - 1, w->argv + 1, err);
}

static bool read_line(struct reader *rd, struct bytes line, struct config_error *err)
{
	const struct directive *d;
	struct words w;
	bool ok;

	if (line.n == 0 || line.p[0] == '#')
		return true;
	if (!words_split(line, &w))
		return config_refuse(err, "Unbalanced quotes in configuration line");
	if (w.argc == 0)
		return true;
	d = directive_find(bytes_str(w.argv[0]), NULL);
	ok = d ? read_directive(rd, d, &w, err) : read_other(rd, w.argc, w.argv, err);
	words_fini(&w);
	return ok;
}

/* --- a text of lines --- */

static struct bytes trim(struct bytes s)
{
	while (s.n && memchr(" \t\r\n", s.p[0], 4))
		s = bytes_of(s.p + 1, s.n - 1);
	while (s.n && memchr(" \t\r\n", s.p[s.n - 1], 4))
		s.n--;
	return s;
}

/* @line 0: the complaint is about no line in particular. An empty reason: whoever failed has said it already. */
static void complain(size_t number, struct bytes line, const char *why)
{
	if (!why[0])
		return;
	fprintf(stderr, "\n*** FATAL CONFIG FILE ERROR (Redis %s) ***\n", INODIS_REDIS_VERSION);
	if (number) {
		fprintf(stderr, "Reading the configuration file, at line %zu\n", number);
		fprintf(stderr, ">>> '%.*s'\n", (int)line.n, line.p);
	}
	fprintf(stderr, "%s\n", why);
}

static bool read_text(struct reader *rd, const char *text, size_t n)
{
	size_t number = 0;

	rd->depth++;
	while (n) {
		const char *end = memchr(text, '\n', n);
		size_t len = end ? (size_t)(end - text) : n;
		struct bytes line = trim(bytes_of(text, len));
		struct config_error err = {""};
		number++;
		if (!read_line(rd, line, &err)) {
			complain(number, line, err.text);
			return false;
		}
		len += end != NULL;
		text += len;
		n -= len;
	}
	rd->depth--;
	return true;
}

/* Append all of @in; false with errno. */
static bool slurp(FILE *in, struct text *out)
{
	char buf[4096];
	size_t n;

	while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
		text_add(out, buf, n);
	return !ferror(in);
}

static bool slurp_file(struct config *cfg, const char *path, struct text *out)
{
	FILE *in = fopen(path, "re");
	bool ok = in && slurp(in, out);

	if (!ok)
		log_line(&cfg->log, LOG_LEVEL_WARNING,
			 "Fatal error, can't open config file '%s': %s", path, strerror(errno));
	if (in)
		fclose(in);
	return ok;
}

static bool read_file(struct reader *rd, const char *path)
{
	struct text text = {0};
	bool ok = slurp_file(rd->cfg, path, &text) && read_text(rd, text.p, text.n);

	text_fini(&text);
	return ok;
}

/* --- the command line --- */

static bool is_option(const char *arg)
{
	return arg[0] == '-' && arg[1] == '-';
}

/* "--save" has no value of its own when the next option follows: it then means no save points. */
static bool is_bare_save(int argc, char **argv, int i)
{
	if (strcasecmp(argv[i], "--save") != 0)
		return false;
	return i == argc - 1 || is_option(argv[i + 1]);
}

static bool is_one_word(const char *arg)
{
	struct words w;
	bool one;

	if (!words_split(bytes_str(arg), &w))
		return false;
	one = w.argc == 1;
	words_fini(&w);
	return one;
}

/* Turn "--port 7000 --save 3 1" into lines of a file. A word that looks like an option is a value when the option before it has none
 * yet, as Redis 7 has it. */
static void options_text(int argc, char **argv, int first, struct text *out, bool *from_stdin)
{
	bool complete = true; /* the option before has a value */

	for (int i = first; i < argc; i++) {
		const char *arg = argv[i];
		if (strcmp(arg, "-") == 0 && (i == 1 || i == argc - 1)) {
			*from_stdin = true;
			continue;
		}
		if (complete && is_option(arg)) {
			text_fmt(out, "%s%s ", out->n ? "\n" : "", arg + 2);
			complete = !is_one_word(arg);
			if (is_bare_save(argc, argv, i)) {
				text_str(out, "\"\"");
				complete = true;
			}
			continue;
		}
		text_quote(out, arg, strlen(arg));
		text_str(out, " ");
		complete = true;
	}
}

static char *absolute_path(const char *path)
{
	struct text t = {0};
	char *cwd;

	if (path[0] != '/' && (cwd = getcwd(NULL, 0))) {
		text_fmt(&t, "%s/", cwd);
		free(cwd);
	}
	while (path[0] == '.' && path[1] == '/')
		path += 2;
	text_str(&t, path);
	return text_take(&t);
}

/* What cannot be seen on one line. */
static bool check_whole(const struct config *cfg)
{
	struct text why = {0};

	if (!cfg->log.path[0])
		return true;
	int fd = open(cfg->log.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0) {
		close(fd);
		return true;
	}
	text_fmt(&why, "Can't open the log file: %s", strerror(errno));
	complain(0, BYTES(""), why.p);
	text_fini(&why);
	return false;
}

/* File, standard input and command line make one text: its line numbers are those that an error names. */
static bool gather(struct config *cfg, int argc, char **argv, struct text *all)
{
	struct text options = {0};
	bool from_stdin = false, ok = true;
	int first = 1;

	if (argc > 1 && argv[1][0] != '-') {
		mem_free(cfg->config_file);
		cfg->config_file = absolute_path(argv[1]);
		ok = slurp_file(cfg, cfg->config_file, all);
		first = 2;
	}
	options_text(argc, argv, first, &options, &from_stdin);
	if (ok && from_stdin) {
		log_line(&cfg->log, LOG_LEVEL_NOTICE, "Reading config from stdin");
		ok = slurp(stdin, all);
	}
	if (options.n)
		text_fmt(all, "\n%s", options.p);
	text_fini(&options);
	return ok;
}

int config_load(struct config *cfg, int argc, char **argv)
{
	struct reader rd = {.cfg = cfg};
	struct text all = {0};
	bool ok;

	cfg->rest->loading = true;
	ok = gather(cfg, argc, argv, &all) && read_text(&rd, all.p, all.n) && check_whole(cfg);
	cfg->rest->loading = false;
	registry_free(rd.registry);
	text_fini(&all);
	if (cfg->hz < 1)
		cfg->hz = 1;
	if (cfg->hz > 500)
		cfg->hz = 500;
	return ok ? 0 : -1;
}
