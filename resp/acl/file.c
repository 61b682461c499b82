#include "resp/acl/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "resp/acl/internal.h"
#include "resp/acl/users.h"
#include "resp/config/path.h"
#include "resp/config/replace.h"
#include "resp/log.h"
#include "resp/server.h"
#include "store/base/mem.h"

/* --- a line of the file --- */

struct loading {
	struct server *server;
	struct acl_rules rules;
	struct acl_user *users; /* uthash by name */
	size_t line;
	struct text *errors;
};

static struct bytes trim(struct bytes s, const char *blanks)
{
	while (s.n && s.p[0] && strchr(blanks, s.p[0]))
		s = bytes_of(s.p + 1, s.n - 1);
	while (s.n && s.p[s.n - 1] && strchr(blanks, s.p[s.n - 1]))
		s.n--;
	return s;
}

/* At every single blank: two of them have an empty word between them. */
static struct bytes *split(struct bytes line, size_t *n)
{
	size_t max = 1;
	for (size_t i = 0; i < line.n; i++)
		max += line.p[i] == ' ';
	struct bytes *words = mem_alloc(max * sizeof(*words));
	*n = 0;
	for (;;) {
		const char *end = memchr(line.p, ' ', line.n);
		size_t len = end ? (size_t)(end - line.p) : line.n;
		words[(*n)++] = bytes_of(line.p, len);
		if (!end)
			return words;
		line = bytes_of(line.p + len + 1, line.n - len - 1);
	}
}

static void complain_at(struct loading *l)
{
	text_fmt(l->errors, "%s:%zu", l->server->config.aclfile, l->line);
}

static void apply_rules(struct loading *l, struct acl_user *u, const struct bytes *words, size_t n)
{
	size_t nrules, bad = 0;
	struct text *rules = acl_merge_selectors(words, n, &nrules, &bad);
	bool told = false;
	if (!rules) {
		complain_at(l);
		text_str(l->errors, ": Unmatched parenthesis in selector definition.");
		return;
	}
	for (size_t i = 0; i < nrules; i++) {
		struct bytes rule = trim(bytes_of(rules[i].p, rules[i].n), "\t\r\n");
		enum acl_error err = acl_user_rule(u, &l->rules, rule);
		/* An unknown command is no secret and shown; other words might hold a password, and one complaint a line will do. */
		if (err == ACL_EUNKNOWN) {
			complain_at(l);
			text_str(l->errors, ": Error in applying operation '");
			text_add(l->errors, rule.p, rule.n);
			text_fmt(l->errors, "': %s. ", acl_error_text(err));
		} else if (err && !told) {
			complain_at(l);
			text_fmt(l->errors, ": %s. ", acl_error_text(err));
			told = true;
		}
	}
	acl_merged_free(rules, nrules);
	acl_user_settle(u);
}

static void load_user(struct loading *l, const struct bytes *words, size_t n)
{
	struct acl_user *u;
	if (!bytes_eq(words[0], BYTES("user")) || n < 2) {
		complain_at(l);
		text_str(l->errors, " should start with user keyword followed by the username. ");
		return;
	}
	if (!acl_word_valid(words[1])) {
		text_str(l->errors, "'"); /* Redis's own slip of the pen */
		complain_at(l);
		text_str(l->errors, ": username '");
		text_add(l->errors, words[1].p, strnlen(words[1].p, words[1].n));
		text_str(l->errors, "' contains invalid characters. ");
		return;
	}
	HASH_FIND(hh, l->users, words[1].p, words[1].n, u);
	if (u) {
		text_fmt(l->errors, "WARNING: Duplicate user '%s' found on line %zu. ", u->name,
			 l->line);
		return;
	}
	u = acl_user_new(words[1], &l->rules);
	HASH_ADD_KEYPTR(hh, l->users, u->name, strlen(u->name), u);
	apply_rules(l, u, words + 2, n - 2);
}

static void load_lines(struct loading *l, struct bytes all)
{
	while (all.n) {
		const char *end = memchr(all.p, '\n', all.n);
		size_t len = end ? (size_t)(end - all.p) : all.n;
		struct bytes line = trim(bytes_of(all.p, len), " \t\r\n");
		l->line++;
		if (line.n) {
			size_t n;
			struct bytes *words = split(line, &n);
			load_user(l, words, n);
			mem_free(words);
		}
		len += end != NULL;
		all = bytes_of(all.p + len, all.n - len);
	}
}

/* --- the file --- */

static bool slurp(const char *path, struct text *out)
{
	char buf[4096];
	size_t n;
	FILE *in = fopen(path, "re");
	if (!in)
		return false;
	while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
		text_add(out, buf, n);
	bool ok = !ferror(in);
	int saved = errno;
	fclose(in);
	errno = saved;
	return ok;
}

/* @fresh leaves @users for the server; who is not among them goes, but for the default user, who is then as at first. */
static void replace_users(struct server *s, struct acl_user **users)
{
	struct acl *a = s->acl;
	struct acl_user *u, *tmp, *fresh;
	HASH_ITER (hh, a->users, u, tmp) {
		HASH_FIND(hh, *users, u->name, strlen(u->name), fresh);
		if (fresh)
			HASH_DEL(*users, fresh);
		else if (u == a->def)
			fresh = acl_default_user(a->registry);
		if (fresh)
			acl_become(s, u, fresh);
		else
			acl_remove(s, bytes_str(u->name));
	}
	HASH_ITER (hh, *users, u, tmp) {
		HASH_DEL(*users, u);
		acl_add(a, u);
	}
	acl_refresh(s);
}

bool acl_file_load(struct server *s, struct text *errors)
{
	struct loading l = {.server = s, .rules = acl_rules_of(s), .errors = errors};
	const char *path = s->config.aclfile;
	struct acl_user *u, *tmp;
	struct text all = {0};
	if (!slurp(path, &all)) {
		text_fmt(errors, "Error loading ACLs, opening file '%s': %s", path,
			 strerror(errno));
		text_fini(&all);
		return false;
	}
	load_lines(&l, bytes_of(all.p ? all.p : "", all.n));
	text_fini(&all);
	if (!errors->n) {
		replace_users(s, &l.users);
		return true;
	}
	HASH_ITER (hh, l.users, u, tmp) {
		HASH_DEL(l.users, u);
		acl_user_free(u);
	}
	text_str(errors, "WARNING: ACL errors detected, no change to the previously active ACL "
			 "rules was performed");
	return false;
}

bool acl_file_save(struct server *s)
{
	const char *path = s->config.aclfile;
	struct text lines = {0};
	if (path_enters_any(path, s->mount_points)) {
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Opening temp ACL file for ACL SAVE: it is inside the mount");
		return false;
	}
	acl_lines(s->acl, &lines);
	bool ok = file_replace(path, &lines);
	if (!ok)
		log_line(&s->config.log, LOG_LEVEL_WARNING, "Writing ACL file for ACL SAVE: %s",
			 strerror(errno));
	text_fini(&lines);
	return ok;
}

/* --- the configuration --- */

/* Rules of a configuration line, in order; the first that is wrong is told. */
static bool apply_words(struct acl_user *u, const struct acl_rules *ctx, int argc, char **argv,
			struct text *error)
{
	struct bytes *words = mem_alloc(((size_t)argc + 1) * sizeof(*words));
	size_t n, bad = 0;
	enum acl_error err = ACL_OK;
	for (int i = 0; i < argc; i++)
		words[i] = bytes_str(argv[i]);
	struct text *rules = acl_merge_selectors(words, (size_t)argc, &n, &bad);
	if (!rules)
		text_fmt(error, "Error in user declaration '%s': %s", argv[bad],
			 "Unmatched parenthesis in selector definition.");
	for (size_t i = 0; rules && i < n && !err; i++) {
		err = acl_user_rule(u, ctx, bytes_of(rules[i].p, rules[i].n));
		if (err)
			text_fmt(error, "Error in user declaration '%s': %s", rules[i].p,
				 acl_error_text(err));
	}
	if (rules)
		acl_merged_free(rules, n);
	mem_free(words);
	acl_user_settle(u);
	return rules && !err;
}

bool acl_declaration_valid(struct registry *registry, int argc, char **argv, struct text *error)
{
	const struct acl_rules rules = {.registry = registry};
	struct acl_user *u = acl_user_new(bytes_str(argv[1]), &rules);
	bool ok = apply_words(u, &rules, argc - 2, argv + 2, error);
	acl_user_free(u);
	return ok;
}

/* One "user" line, which begins with the name. */
static bool start_user(struct server *s, int argc, char **argv)
{
	struct acl_rules rules = acl_rules_of(s);
	struct log *log = &s->config.log;
	struct text error = {0};
	struct bytes name = bytes_str(argv[0]);
	if (!acl_word_valid(name)) {
		log_line(log, LOG_LEVEL_WARNING, "Spaces not allowed in ACL usernames");
		return false;
	}
	struct acl_user *u = acl_user_new(name, &rules), *was = acl_find(s->acl, name);
	if (!apply_words(u, &rules, argc - 1, argv + 1, &error)) {
		log_line(log, LOG_LEVEL_WARNING, "%s", error.p);
		text_fini(&error);
		acl_user_free(u);
		return false;
	}
	if (!(u->flags & ACL_USER_ON))
		log_line(log, LOG_LEVEL_NOTICE,
			 "The user '%s' is disabled (there is no 'on' modifier in the user "
			 "description). Make sure this is not a configuration error.",
			 u->name);
	if (was)
		acl_become(s, was, u);
	else
		acl_add(s->acl, u);
	return true;
}

static bool start_configured(struct server *s)
{
	bool ok = true;
	for (size_t i = 0; i < s->config.users.n && ok; i++) {
		struct words w;
		ok = words_split(bytes_str(s->config.users.v[i]), &w);
		if (!ok)
			break;
		ok = start_user(s, w.argc, w.argv);
		words_fini(&w);
	}
	return ok;
}

bool acl_start(struct server *s)
{
	struct config *cfg = &s->config;
	struct text errors = {0};
	if (cfg->users.n && cfg->aclfile[0]) {
		log_line(&cfg->log, LOG_LEVEL_WARNING,
			 "Configuring Redis with users defined in redis.conf and at the same "
			 "setting an ACL file path is invalid. This setup is very likely to lead "
			 "to configuration errors and security holes, please define either an ACL "
			 "file or declare users directly in your redis.conf, but not both.");
		return false;
	}
	if (!start_configured(s)) {
		log_line(&cfg->log, LOG_LEVEL_WARNING,
			 "Critical error while loading ACLs. Exiting.");
		return false;
	}
	bool ok = !cfg->aclfile[0] || acl_file_load(s, &errors);
	if (!ok)
		log_line(&cfg->log, LOG_LEVEL_WARNING,
			 "Aborting Redis startup because of ACL errors: %s", errors.p);
	text_fini(&errors);
	return ok;
}
