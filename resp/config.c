/* resp/config.c - the values' life, CONFIG GET and CONFIG SET. */
#include "resp/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "resp/config/directive.h"
#include "resp/server.h"
#include "resp/session.h"
#include "store/base/glob.h"
#include "store/base/mem.h"

/* --- the table --- */

size_t directive_index(const struct directive *d)
{
	return (size_t)(d - directive_table);
}

static bool name_is(struct bytes s, const char *name)
{
	return name && strlen(name) == s.n && strncasecmp(name, s.p, s.n) == 0;
}

const struct directive *directive_find(struct bytes name, bool *alias)
{
	for (const struct directive *d = directive_table; d->name; d++) {
		bool other = name_is(name, d->alias);
		if (!other && !name_is(name, d->name))
			continue;
		if (alias)
			*alias = other;
		return d;
	}
	return NULL;
}

/* --- life --- */

static void set_default(struct config *cfg, const struct directive *d)
{
	struct config_error err;
	struct bytes def = bytes_str(d->def);

	/* A check may refuse the empty string that stands for "not set"; the default needs no check. */
	if (d->kind == DIRECTIVE_STRING)
		directive_store_string(directive_slot(cfg, d), d->def);
	else if (d->special == &special_replicaof)
		directive_store_string(directive_slot(cfg, d), "");
	else if (d->special != &special_dir)
		directive_set_text(cfg, d, def, &err);
}

void config_init(struct config *cfg)
{
	char *cwd = getcwd(NULL, 0);

	memset(cfg, 0, sizeof(*cfg));
	cfg->rest = mem_calloc(sizeof(*cfg->rest));
	cfg->limits = (struct type_limits)TYPE_LIMITS_DEFAULT;
	cfg->log.role = 'C';
	directive_store_string(&cfg->config_file, "");
	directive_store_string(&cfg->dir, cwd ? cwd : "");
	free(cwd);
	for (const struct directive *d = directive_table; d->name; d++)
		set_default(cfg, d);
}

/* Strings, and the words that specials keep as one. */
static bool owns_string(const struct directive *d)
{
	if (d->kind == DIRECTIVE_STRING)
		return true;
	return d->special == &special_save || d->special == &special_oom_values ||
	       d->special == &special_percentiles || d->special == &special_replicaof;
}

void config_fini(struct config *cfg)
{
	for (const struct directive *d = directive_table; d->name; d++)
		if (owns_string(d))
			mem_free(*(char **)directive_slot(cfg, d));
	for (size_t i = 0; i < cfg->bind.n; i++)
		mem_free(cfg->bind.v[i]);
	mem_free(cfg->bind.v);
	config_drop_mounts(cfg);
	for (size_t i = 0; i < cfg->users.n; i++)
		mem_free(cfg->users.v[i]);
	mem_free(cfg->users.v);
	for (size_t i = 0; i < cfg->renames.n; i++)
		mem_free(cfg->renames.v[i]);
	mem_free(cfg->renames.v);
	mem_free(cfg->dir);
	mem_free(cfg->config_file);
	mem_free(cfg->rest);
	memset(cfg, 0, sizeof(*cfg));
}

bool config_get_text(struct server *s, const char *name, char **out)
{
	const struct directive *d = directive_find(bytes_str(name), NULL);
	struct text t = {0};

	if (!d)
		return false;
	directive_get(&s->config, d, &t);
	*out = text_take(&t);
	return true;
}

bool config_look_only(struct config *cfg)
{
	static const struct {
		const char *name, *value;
	} fixed[] = {
		{"port", "0"},
		{"tls-port", "0"},
		{"unixsocket", ""},
		{"save", ""},
		{"appendonly", "no"},
		{"shutdown-on-sigint", "nosave"},
		{"shutdown-on-sigterm", "nosave"},
		{"maxmemory-policy", "noeviction"},
	};
	struct config_error err;

	if (!cfg->rdb[0])
		return true;
	if (!cfg->mounts.n) {
		fprintf(stderr,
			"inodis: --rdb shows a file in a mount, so --mount DIR must say where\n");
		return false;
	}
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		directive_set_text(cfg, directive_find(bytes_str(fixed[i].name), NULL),
				   bytes_str(fixed[i].value), &err);
	return true;
}

/* --- CONFIG GET --- */

static void reply_value(struct server *s, struct reply *r, struct bytes name,
			const struct directive *d)
{
	struct text t = {0};

	directive_get(&s->config, d, &t);
	reply_bulk(r, name);
	reply_bulk(r, bytes_of(t.p ? t.p : "", t.n));
	text_fini(&t);
}

static bool is_glob(struct bytes pattern)
{
	for (size_t i = 0; i < pattern.n; i++)
		if (strchr("[*?", pattern.p[i]) && pattern.p[i])
			return true;
	return false;
}

/* Whether one of the patterns asks for @name; an exact one is answered in the client's own spelling. */
static bool wanted(const char *name, bool hidden, const struct bytes *patterns, size_t n,
		   struct bytes *as)
{
	for (size_t i = 0; i < n; i++) {
		if (name_is(patterns[i], name)) {
			*as = patterns[i];
			return true;
		}
		/* The pattern, which may be long, is looked at as a whole only when it matches. */
		if (hidden || !glob_match(patterns[i], bytes_str(name), true) ||
		    !is_glob(patterns[i]))
			continue;
		*as = bytes_str(name);
		return true;
	}
	return false;
}

void config_reply_get(struct server *s, struct reply *r, const struct bytes *patterns, size_t n)
{
	struct reply_later later = reply_later_begin(r);
	size_t found = 0;
	struct bytes as;

	for (const struct directive *d = directive_table; d->name; d++) {
		bool hidden = d->flags & D_HIDDEN;
		if (wanted(d->name, hidden, patterns, n, &as)) {
			reply_value(s, r, as, d);
			found++;
		}
		if (d->alias && wanted(d->alias, hidden, patterns, n, &as)) {
			reply_value(s, r, as, d);
			found++;
		}
	}
	reply_later_end(r, later, '%', found);
}

/* --- CONFIG SET --- */

/* One name and value of a CONFIG SET. */
struct assignment {
	const struct directive *d;
	const char *name; /* as the table spells what the client named */
	struct bytes value;
	char *old;
	bool changed;
};

/* Protected directives may be set by local clients alone, where so configured. */
static bool is_local(const struct session *s)
{
	char peer[160] = "";

	if (!s)
		return false;
	if (s->flags & (SESSION_UNIX | SESSION_MOUNT))
		return true;
	if (s->ops->peer)
		s->ops->peer(s, peer, sizeof(peer));
	return strncmp(peer, "127.", 4) == 0 || strncmp(peer, "[::1]", 5) == 0 ||
	       strncmp(peer, "::1:", 4) == 0;
}

static bool protected_allowed(struct server *s)
{
	const struct config *cfg = &s->config;

	return cfg->enable_protected_configs ||
	       (cfg->enable_protected_configs_local && is_local(s->current));
}

static void refuse_set(struct reply *r, struct bytes name, const char *why)
{
	reply_errorf(r, "ERR CONFIG SET failed (possibly related to argument '%.*s') - %s",
		     name.n < 128 ? (int)name.n : 128, name.p, why);
}

static bool is_current(struct server *s, const struct assignment *a)
{
	struct text now = {0};

	directive_get(&s->config, a->d, &now);
	bool same = now.n == a->value.n && memcmp(now.n ? now.p : "", a->value.p, now.n) == 0;
	text_fini(&now);
	return same;
}

/* Why this directive cannot be set now, before its value is looked at; NULL when it can. */
static const char *unsettable(struct server *s, const struct assignment *list, size_t i)
{
	const struct directive *d = list[i].d;

	/* Who sets all that CONFIG GET showed gets no error for a directive that Redis does not have. */
	if (d->flags & D_OWN && is_current(s, &list[i]))
		return NULL;
	if (d->flags & D_IMMUTABLE)
		return "can't set immutable config";
	if ((d->flags & D_PROTECTED) && !protected_allowed(s))
		return "can't set protected config";
	for (size_t j = 0; j < i; j++)
		if (list[j].d == d && list[j].name == list[i].name)
			return "duplicate parameter";
	return NULL;
}

/* Look all names up. False with the error of the first that cannot be set replied. */
static bool resolve(struct server *s, struct reply *r, const struct bytes *pairs,
		    struct assignment *list, size_t n)
{
	const char *why = NULL;
	size_t bad = 0;

	for (size_t i = 0; i < n && !why; i++) {
		bool alias;
		struct bytes name = pairs[2 * i];
		list[i].d = directive_find(name, &alias);
		list[i].value = pairs[2 * i + 1];
		if (!list[i].d) {
			reply_errorf(r,
				     "ERR Unknown option or number of arguments for CONFIG SET - "
				     "'%.*s'",
				     name.n < 128 ? (int)name.n : 128, name.p);
			return false;
		}
		list[i].name = alias ? list[i].d->alias : list[i].d->name;
		why = unsettable(s, list, i);
		bad = i;
	}
	if (why)
		refuse_set(r, pairs[2 * bad], why);
	return !why;
}

static char *value_text(struct server *s, const struct directive *d)
{
	struct text t = {0};

	directive_get(&s->config, d, &t);
	return text_take(&t);
}

/* Put the first @n old values back, the last one first. */
static void restore(struct server *s, struct assignment *list, size_t n)
{
	struct config_error err;

	while (n-- > 0)
		directive_set_text(&s->config, list[n].d, bytes_str(list[n].old), &err);
}

/* Set all values. Returns how many could be set; all were when it is @n. */
static size_t set_values(struct server *s, struct assignment *list, size_t n,
			 struct config_error *err)
{
	for (size_t i = 0; i < n; i++) {
		list[i].old = value_text(s, list[i].d);
		if (!directive_set_text(&s->config, list[i].d, list[i].value, err))
			return i;
		char *now = value_text(s, list[i].d);
		list[i].changed = strcmp(now, list[i].old) != 0;
		mem_free(now);
	}
	return n;
}

static bool applied_before(const struct assignment *list, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (list[j].changed && list[j].d->apply == list[i].d->apply)
			return true;
	return false;
}

/* Have the server follow, each function once. Returns the index that could not be followed, @n when all was. */
static size_t apply_values(struct server *s, struct assignment *list, size_t n,
			   struct config_error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (!list[i].changed || !list[i].d->apply || applied_before(list, i))
			continue;
		if (!list[i].d->apply(s, err))
			return i;
	}
	return n;
}

/* Apply what did not fail again, now with the old values. */
static void apply_again(struct server *s, struct assignment *list, size_t upto)
{
	struct config_error ignored;

	for (size_t i = 0; i <= upto; i++)
		if (list[i].changed && list[i].d->apply && !applied_before(list, i))
			list[i].d->apply(s, &ignored);
}

static void set_all(struct server *s, struct reply *r, struct assignment *list, size_t n)
{
	struct config_error err = {""};
	size_t done = set_values(s, list, n, &err);

	if (done < n) {
		restore(s, list, done);
		refuse_set(r, bytes_str(list[done].name), err.text);
		return;
	}
	done = apply_values(s, list, n, &err);
	if (done < n) {
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Failed applying new configuration. Possibly related to new %s setting. "
			 "Restoring previous settings.",
			 list[done].name);
		restore(s, list, n);
		apply_again(s, list, done);
		refuse_set(r, bytes_str(list[done].name), err.text);
		return;
	}
	reply_ok(r);
}

void config_reply_set(struct server *s, struct reply *r, const struct bytes *pairs, size_t n)
{
	if (n % 2) {
		reply_error(r, "ERR syntax error");
		return;
	}
	n /= 2;
	struct assignment *list = mem_try(n * sizeof(*list));
	if (!list) {
		reply_error(r, "ERR out of memory");
		return;
	}
	memset(list, 0, n * sizeof(*list));
	s->config.rest->mount_points = s->mount_points;
	if (resolve(s, r, pairs, list, n))
		set_all(s, r, list, n);
	for (size_t i = 0; i < n; i++)
		mem_free(list[i].old);
	mem_free(list);
}
