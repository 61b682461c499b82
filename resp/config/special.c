/* resp/config/special.c - directives that are no single word or number. Part of directive.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "resp/config/directive.h"
#include "resp/config/path.h"
#include "store/base/mem.h"
#include "store/base/num.h"

#define BIND_MAX 16

/* Directives whose feature is still to come keep their checked words as one string. */
static char **kept(const struct config *cfg, const struct directive *d)
{
	return directive_slot(cfg, d);
}

static void keep_words(struct config *cfg, const struct directive *d, int argc, char **argv)
{
	struct text t = {0};

	for (int i = 0; i < argc; i++)
		text_fmt(&t, "%s%s", i ? " " : "", argv[i]);
	mem_free(*kept(cfg, d));
	*kept(cfg, d) = text_take(&t);
}

static void get_kept(const struct config *cfg, const struct directive *d, struct text *out)
{
	text_str(out, *kept(cfg, d));
}

static bool read_long(const char *s, long *out)
{
	char *end;

	errno = 0;
	*out = strtol(s, &end, 10);
	return *end == '\0' && errno == 0;
}

/* --- bind --- */

static bool set_bind(struct config *cfg, const struct directive *d, int argc, char **argv,
		     struct config_error *err)
{
	struct config_strings bind = {0};

	(void)d;
	if (argc > BIND_MAX)
		return config_refuse(err, "Too many bind addresses specified.");
	if (argc == 1 && !argv[0][0])
		argc = 0;
	bind.v = mem_calloc(((size_t)argc + 1) * sizeof(*bind.v));
	for (int i = 0; i < argc; i++)
		bind.v[bind.n++] = mem_dup(argv[i], strlen(argv[i]) + 1);
	for (size_t i = 0; i < cfg->bind.n; i++)
		mem_free(cfg->bind.v[i]);
	mem_free(cfg->bind.v);
	cfg->bind = bind;
	return true;
}

static void get_bind(const struct config *cfg, const struct directive *d, struct text *out)
{
	(void)d;
	for (size_t i = 0; i < cfg->bind.n; i++)
		text_fmt(out, "%s%s", i ? " " : "", cfg->bind.v[i]);
}

static void bind_lines(const struct config *cfg, const struct directive *d, struct text *out)
{
	text_fmt(out, "%s", d->name);
	for (size_t i = 0; i < cfg->bind.n; i++)
		text_fmt(out, " %s", cfg->bind.v[i]);
	text_str(out, cfg->bind.n ? "\n" : " \"\"\n");
}

const struct directive_special special_bind = {
	.set = set_bind, .get = get_bind, .lines = bind_lines};

/* --- save --- */

static bool save_point(const char *seconds, const char *changes)
{
	long s, c;

	return read_long(seconds, &s) && read_long(changes, &c) && s >= 1 && c >= 0;
}

/* In a file the first line replaces the defaults and later ones add to it; "" takes back all that came before. */
static bool set_save(struct config *cfg, const struct directive *d, int argc, char **argv,
		     struct config_error *err)
{
	struct text t = {0};

	if (argc == 1 && !argv[0][0]) {
		directive_store_string(kept(cfg, d), "");
		argc = 0;
	}
	if (argc % 2)
		return config_refuse(err, "Invalid save parameters");
	for (int i = 0; i < argc; i += 2)
		if (!save_point(argv[i], argv[i + 1]))
			return config_refuse(err, "Invalid save parameters");
	if (cfg->rest->loading && cfg->rest->save_seen)
		text_str(&t, *kept(cfg, d));
	cfg->rest->save_seen = cfg->rest->loading;
	for (int i = 0; i < argc; i += 2)
		text_fmt(&t, "%s%ld %ld", t.n ? " " : "", atol(argv[i]), atol(argv[i + 1]));
	mem_free(*kept(cfg, d));
	*kept(cfg, d) = text_take(&t);
	return true;
}

static void save_lines(const struct config *cfg, const struct directive *d, struct text *out)
{
	struct words w;

	words_split_blanks(bytes_str(*kept(cfg, d)), &w);
	for (int i = 0; i + 1 < w.argc; i += 2)
		text_fmt(out, "save %s %s\n", w.argv[i], w.argv[i + 1]);
	if (!w.argc)
		text_str(out, "save \"\"\n");
	words_fini(&w);
}

const struct directive_special special_save = {
	.set = set_save, .get = get_kept, .lines = save_lines, .always = true};

/* --- client-output-buffer-limit --- */

static const struct {
	const char *name, *shown;
	int cls;
} client_classes[] = {
	{"normal", "normal", OBUF_NORMAL},
	{"slave", "slave", OBUF_REPLICA},
	{"replica", NULL, OBUF_REPLICA},
	{"pubsub", "pubsub", OBUF_PUBSUB},
};

static int client_class(const char *name)
{
	for (size_t i = 0; i < sizeof(client_classes) / sizeof(client_classes[0]); i++)
		if (strcasecmp(client_classes[i].name, name) == 0)
			return client_classes[i].cls;
	return -1;
}

static bool obuf_limit(char **words, struct config_obuf_limit *out)
{
	uint64_t hard, soft;
	long seconds;

	if (!config_memory(words[0], &hard) || !config_memory(words[1], &soft) ||
	    !read_long(words[2], &seconds) || seconds < 0)
		return false;
	*out = (struct config_obuf_limit){hard, soft, seconds};
	return true;
}

static bool set_obuf(struct config *cfg, const struct directive *d, int argc, char **argv,
		     struct config_error *err)
{
	struct config_obuf_limit limits[OBUF_CLASSES];

	(void)d;
	if (argc % 4)
		return config_refuse(err,
				     "Wrong number of arguments in buffer limit configuration.");
	memcpy(limits, cfg->obuf, sizeof(limits));
	for (int i = 0; i < argc; i += 4) {
		int cls = client_class(argv[i]);
		if (cls < 0)
			return config_refuse(
				err,
				"Invalid client class specified in buffer limit configuration.");
		if (!obuf_limit(argv + i + 1, &limits[cls]))
			return config_refuse(err, "Error in hard, soft or soft_seconds setting in "
						  "buffer limit configuration.");
	}
	memcpy(cfg->obuf, limits, sizeof(limits));
	return true;
}

static void get_obuf(const struct config *cfg, const struct directive *d, struct text *out)
{
	static const char *const names[OBUF_CLASSES] = {"normal", "slave", "pubsub"};

	(void)d;
	for (int i = 0; i < OBUF_CLASSES; i++)
		text_fmt(out, "%s%s %zu %zu %lld", i ? " " : "", names[i], cfg->obuf[i].hard,
			 cfg->obuf[i].soft, (long long)cfg->obuf[i].soft_seconds);
}

static void obuf_lines(const struct config *cfg, const struct directive *d, struct text *out)
{
	static const char *const names[OBUF_CLASSES] = {"normal", "replica", "pubsub"};

	for (int i = 0; i < OBUF_CLASSES; i++) {
		text_fmt(out, "%s %s ", d->name, names[i]);
		config_memory_text(cfg->obuf[i].hard, out);
		text_str(out, " ");
		config_memory_text(cfg->obuf[i].soft, out);
		text_fmt(out, " %lld\n", (long long)cfg->obuf[i].soft_seconds);
	}
}

const struct directive_special special_obuf = {
	.set = set_obuf, .get = get_obuf, .lines = obuf_lines};

/* --- notify-keyspace-events --- */

static bool set_notify(struct config *cfg, const struct directive *d, int argc, char **argv,
		       struct config_error *err)
{
	unsigned events;

	(void)d;
	if (argc != 1)
		return config_refuse(err, "wrong number of arguments");
	if (!notify_parse(bytes_str(argv[0]), &events))
		return config_refuse(err, "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
	cfg->notify_events = events;
	return true;
}

static void get_notify(const struct config *cfg, const struct directive *d, struct text *out)
{
	char buf[20];

	(void)d;
	notify_format(cfg->notify_events, buf);
	text_str(out, buf);
}

static void notify_lines(const struct config *cfg, const struct directive *d, struct text *out)
{
	char buf[20];

	notify_format(cfg->notify_events, buf);
	text_fmt(out, "%s \"%s\"\n", d->name, buf);
}

const struct directive_special special_notify = {
	.set = set_notify, .get = get_notify, .lines = notify_lines};

/* --- dir --- */

/* The directory is the process's own: changed here, so that a relative include after it means the new place. */
static bool set_dir(struct config *cfg, const struct directive *d, int argc, char **argv,
		    struct config_error *err)
{
	char *cwd;

	(void)d;
	(void)argc;
	if (path_enters_any(argv[0], cfg->rest->mount_points))
		return config_refuse(err, "the directory is inside the mount");
	if (chdir(argv[0]) < 0 || !(cwd = getcwd(NULL, 0)))
		return config_refuse(err, "%s", strerror(errno));
	directive_store_string(&cfg->dir, cwd);
	free(cwd);
	return true;
}

static void get_dir(const struct config *cfg, const struct directive *d, struct text *out)
{
	(void)d;
	text_str(out, cfg->dir);
}

static void dir_lines(const struct config *cfg, const struct directive *d, struct text *out)
{
	text_fmt(out, "%s ", d->name);
	text_quote(out, cfg->dir, strlen(cfg->dir));
	text_str(out, "\n");
}

const struct directive_special special_dir = {
	.set = set_dir, .get = get_dir, .lines = dir_lines, .always = true};

/* --- mount --- */

static void put_mount(struct config_mounts *m, const char *dir, const char *options)
{
	size_t i = 0;

	while (i < m->n && strcmp(m->v[i].dir, dir) != 0)
		i++;
	if (i == m->n) {
		m->v = mem_realloc(m->v, (m->n + 1) * sizeof(*m->v));
		m->v[m->n++] = (struct config_mount){mem_dup(dir, strlen(dir) + 1), NULL};
	}
	directive_store_string(&m->v[i].options, options);
}

void config_drop_mounts(struct config *cfg)
{
	for (size_t i = 0; i < cfg->mounts.n; i++) {
		mem_free(cfg->mounts.v[i].dir);
		mem_free(cfg->mounts.v[i].options);
	}
	mem_free(cfg->mounts.v);
	cfg->mounts = (struct config_mounts){0};
}

/* "DIR [-o OPTIONS]", any number of times, also in one line. Lines add up; a directory that is named again gets the later options; ""
 * takes back all that came before. */
static bool set_mount(struct config *cfg, const struct directive *d, int argc, char **argv,
		      struct config_error *err)
{
	(void)d;
	if (argc == 0 || (argc == 1 && !argv[0][0])) {
		config_drop_mounts(cfg);
		return true;
	}
	for (int i = 0; i < argc; i++) {
		const char *dir = argv[i];
		bool more = i + 1 < argc && strcmp(argv[i + 1], "-o") == 0;
		if (!dir[0] || strcmp(dir, "-o") == 0 || (more && i + 2 == argc))
			return config_refuse(err, "mount takes a directory, and its options behind "
						  "-o: DIR [-o OPTIONS]");
		put_mount(&cfg->mounts, dir, more ? argv[i + 2] : "");
		i += more ? 2 : 0;
	}
	return true;
}

static void get_mount(const struct config *cfg, const struct directive *d, struct text *out)
{
	(void)d;
	for (size_t i = 0; i < cfg->mounts.n; i++) {
		const struct config_mount *m = &cfg->mounts.v[i];
		text_fmt(out, "%s%s%s%s", i ? " " : "", m->dir, m->options[0] ? " -o " : "",
			 m->options);
	}
}

static void mount_lines(const struct config *cfg, const struct directive *d, struct text *out)
{
	for (size_t i = 0; i < cfg->mounts.n; i++) {
		const struct config_mount *m = &cfg->mounts.v[i];
		text_fmt(out, "%s ", d->name);
		text_quote(out, m->dir, strlen(m->dir));
		if (m->options[0]) {
			text_str(out, " -o ");
			text_quote(out, m->options, strlen(m->options));
		}
		text_str(out, "\n");
	}
	if (!cfg->mounts.n)
		text_fmt(out, "%s \"\"\n", d->name);
}

const struct directive_special special_mount = {
	.set = set_mount, .get = get_mount, .lines = mount_lines};

/* --- kept for later --- */

static bool set_oom_values(struct config *cfg, const struct directive *d, int argc, char **argv,
			   struct config_error *err)
{
	char numbers[3][24], *words[3] = {numbers[0], numbers[1], numbers[2]};

	if (argc != 3)
		return config_refuse(err, "wrong number of arguments");
	for (int i = 0; i < 3; i++) {
		long v;
		if (!read_long(argv[i], &v) || v < -2000 || v > 2000)
			return config_refuse(err, "Invalid oom-score-adj-values, elements must be "
						  "between -2000 and 2000.");
		snprintf(numbers[i], sizeof(numbers[i]), "%ld", v);
	}
	keep_words(cfg, d, 3, words);
	return true;
}

const struct directive_special special_oom_values = {.set = set_oom_values, .get = get_kept};

/* A percentile as CONFIG GET prints it: without zeros at its end. */
static void add_percentile(struct text *t, double v)
{
	char buf[64];
	int n = snprintf(buf, sizeof(buf), "%f", v);

	while (n > 1 && buf[n - 1] == '0')
		n--;
	if (n > 1 && buf[n - 1] == '.')
		n--;
	text_fmt(t, "%s%.*s", t->n ? " " : "", n, buf);
}

static bool set_percentiles(struct config *cfg, const struct directive *d, int argc, char **argv,
			    struct config_error *err)
{
	struct text t = {0};

	if (argc == 1 && !argv[0][0])
		argc = 0;
	for (int i = 0; i < argc; i++) {
		double v;
		const char *why = NULL;
		if (!num_parse_double(bytes_str(argv[i]), &v))
			why = "Invalid latency-tracking-info-percentiles parameters";
		else if (v < 0 || v > 100)
			why = "latency-tracking-info-percentiles parameters should sit between "
			      "[0.0,100.0]";
		if (why) {
			text_fini(&t);
			return config_refuse(err, "%s", why);
		}
		add_percentile(&t, v);
	}
	mem_free(*kept(cfg, d));
	*kept(cfg, d) = text_take(&t);
	return true;
}

const struct directive_special special_percentiles = {.set = set_percentiles, .get = get_kept};

/* "no one" is all that can be had until there is replication. */
static bool set_replicaof(struct config *cfg, const struct directive *d, int argc, char **argv,
			  struct config_error *err)
{
	long port;

	(void)cfg;
	if (argc == 0 || (argc == 1 && !argv[0][0]))
		return true;
	if (argc != 2)
		return config_refuse(err, "wrong number of arguments");
	if (strcasecmp(argv[0], "no") == 0 && strcasecmp(argv[1], "one") == 0)
		return true;
	if (!read_long(argv[1], &port) || port < 0 || port > 65535)
		return config_refuse(err, "Invalid master port");
	return config_refuse(err, "%s", d->missing);
}

const struct directive_special special_replicaof = {.set = set_replicaof, .get = get_kept};

/* --- yes, no, or only for local clients: a pair of bools --- */

static bool set_allow(struct config *cfg, const struct directive *d, int argc, char **argv,
		      struct config_error *err)
{
	bool *pair = directive_slot(cfg, d);
	bool yes = strcasecmp(argv[0], "yes") == 0, local = strcasecmp(argv[0], "local") == 0;

	(void)argc;
	if (!yes && !local && strcasecmp(argv[0], "no") != 0)
		return config_refuse(err,
				     "argument(s) must be one of the following: no, yes, local");
	pair[0] = yes;
	pair[1] = yes || local;
	return true;
}

static void get_allow(const struct config *cfg, const struct directive *d, struct text *out)
{
	const bool *pair = directive_slot(cfg, d);

	text_str(out, pair[0] ? "yes" : pair[1] ? "local" : "no");
}

const struct directive_special special_allow = {.set = set_allow, .get = get_allow};
