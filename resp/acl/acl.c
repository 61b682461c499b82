/* resp/acl/acl.c - the users, and the sessions that are bound to them. See acl.h. */
#include "resp/acl/acl.h"

#include "resp/acl/internal.h"
#include "resp/acl/log.h"
#include "resp/acl/users.h"
#include "resp/changes.h"
#include "resp/dispatch.h"
#include "resp/server.h"
#include "resp/sessions/pubsub.h"
#include "store/base/mem.h"

/* --- the registry --- */

struct acl_rules acl_rules_of(const struct server *s)
{
	return (struct acl_rules){s->acl->registry, s->config.acl_pubsub_default != 0};
}

struct acl_user *acl_default_user(struct registry *registry)
{
	static const char *const words[] = {"on", "nopass", "~*", "&*", "+@all"};
	const struct acl_rules rules = {registry, false};
	struct acl_user *u = acl_user_new(BYTES("default"), &rules);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		acl_user_rule(u, &rules, bytes_str(words[i]));
	acl_user_settle(u);
	return u;
}

struct acl *acl_new(struct registry *registry)
{
	struct acl *a = mem_calloc(sizeof(*a));
	a->registry = registry;
	a->log = acl_log_new();
	a->def = acl_default_user(registry);
	HASH_ADD_KEYPTR(hh, a->users, a->def->name, strlen(a->def->name), a->def);
	return a;
}

void acl_free(struct acl *a)
{
	struct acl_user *u, *tmp;
	if (!a)
		return;
	HASH_ITER (hh, a->users, u, tmp) {
		HASH_DEL(a->users, u);
		acl_user_free(u);
	}
	acl_log_free(a->log);
	mem_free(a);
}

struct acl_user *acl_find(struct acl *a, struct bytes name)
{
	struct acl_user *u;
	HASH_FIND(hh, a->users, name.p, name.n, u);
	return u;
}

struct acl_user *acl_default(struct acl *a)
{
	return a->def;
}

const char *acl_name(const struct acl_user *u)
{
	return u ? u->name : "(superuser)";
}

bool acl_needs_no_password(const struct acl *a)
{
	return a->def->flags & ACL_USER_NOPASS;
}

bool acl_is_open(const struct acl *a)
{
	return acl_needs_no_password(a) && a->def->flags & ACL_USER_ON;
}

/* --- sessions --- */

void acl_bind(struct session *s, struct acl_user *user)
{
	s->user = user;
	s->flags &= ~(uint32_t)SESSION_RESTRICTED;
	if (user && !user->unlimited)
		s->flags |= SESSION_RESTRICTED;
}

/* The mount is who its options say, and needs no password. While there is no such user it may do nothing. */
static void open_mount(struct session *s)
{
	struct acl *a = s->server->acl;
	struct acl_user *u = acl_find(a, bytes_str(s->mount->user));
	acl_bind(s, u ? u : a->def);
	s->flags &= ~(uint32_t)(SESSION_AUTHENTICATED | SESSION_PUT_OUT);
	s->flags |= u ? SESSION_AUTHENTICATED : SESSION_PUT_OUT;
}

void acl_session_open(struct session *s)
{
	struct acl *a = s->server->acl;
	if (s->flags & SESSION_MOUNT && s->mount && s->mount->user[0]) {
		open_mount(s);
		return;
	}
	acl_bind(s, s->flags & SESSION_INTERNAL ? NULL : a->def);
	if (!s->user || acl_is_open(a))
		s->flags |= SESSION_AUTHENTICATED;
}

bool acl_must_log_in(const struct session *s)
{
	return !(s->flags & SESSION_AUTHENTICATED) &&
	       (s->flags & SESSION_PUT_OUT || !acl_is_open(s->server->acl));
}

void acl_refresh(struct server *server)
{
	struct session *s, *tmp;
	HASH_ITER (hh, server->sessions, s, tmp) {
		if (s->flags & SESSION_MOUNT && s->flags & SESSION_PUT_OUT)
			acl_session_open(s);
		else
			acl_bind(s, s->user);
	}
	changes_withdraw(server->changes); /* the mount's user may know less than its kernel does */
}

/* --- logging in --- */

bool acl_log_in(struct session *s, struct bytes name, struct bytes password, struct bytes command)
{
	struct server *server = s->server;
	struct acl_user *u = acl_find(server->acl, name);
	if (u && u->flags & ACL_USER_ON && acl_user_password(u, password)) {
		acl_bind(s, u);
		s->flags &= ~(uint32_t)SESSION_PUT_OUT;
		s->flags |= SESSION_AUTHENTICATED;
		return true;
	}
	server->stats.acl_access_denied_auth++;
	struct session *who = server->current ? server->current : s;
	acl_log_add(server->acl->log, ACL_DENIED_AUTH,
		    s->flags & SESSION_MULTI ? ACL_MULTI : ACL_TOPLEVEL, command, name, who,
		    (size_t)server->config.acllog_max_len);
	return false;
}

/* requirepass is the default user's one password. */
void acl_set_requirepass(struct server *server)
{
	struct acl_user *u = server->acl->def;
	const struct acl_rules rules = acl_rules_of(server);
	struct text rule = {0};
	acl_user_rule(u, &rules, BYTES("resetpass"));
	if (server->config.requirepass[0])
		text_fmt(&rule, ">%s", server->config.requirepass);
	else
		text_str(&rule, "nopass");
	acl_user_rule(u, &rules, bytes_of(rule.p, rule.n));
	text_fini(&rule);
}

/* --- refusals --- */

void acl_denied(struct session *s, enum acl_verdict why, enum acl_context context,
		const struct registered *reg, const struct bytes *argv, int arg)
{
	struct server *server = s->server;
	struct bytes object = argv[arg];
	if (why == ACL_DENIED_CMD) {
		server->stats.acl_access_denied_cmd++;
		object = bytes_str(reg->fullname);
	} else if (why == ACL_DENIED_KEY) {
		server->stats.acl_access_denied_key++;
	} else if (why == ACL_DENIED_CHANNEL) {
		server->stats.acl_access_denied_channel++;
	}
	struct session *who = server->current ? server->current : s;
	if (!server->current) {
		s->last_cmd = reg->cmd;
		s->last_parent = reg->parent ? reg->parent->cmd : NULL;
	}
	acl_log_add(server->acl->log, why, context, object, bytes_str(acl_name(s->user)), who,
		    (size_t)server->config.acllog_max_len);
}

void acl_log_trim(struct server *s)
{
	acl_log_limit(s->acl->log, (size_t)s->config.acllog_max_len);
}

/* --- users that change and go --- */

/* It may do nothing from now on, whenever the connection really ends. */
static void put_out(struct session *s)
{
	acl_bind(s, s->server->acl->def);
	s->flags &= ~(uint32_t)SESSION_AUTHENTICATED;
	s->flags |= SESSION_PUT_OUT;
	if (s->ops->close)
		s->ops->close(s, s != s->server->current);
}

static void put_out_all(struct server *server, const struct acl_user *u)
{
	struct session *s, *tmp;
	HASH_ITER (hh, server->sessions, s, tmp)
		if (s->user == u)
			put_out(s);
}

void acl_add(struct acl *a, struct acl_user *u)
{
	HASH_ADD_KEYPTR(hh, a->users, u->name, strlen(u->name), u);
}

bool acl_remove(struct server *server, struct bytes name)
{
	struct acl *a = server->acl;
	struct acl_user *u = acl_find(a, name);
	if (!u || u == a->def)
		return false;
	HASH_DEL(a->users, u);
	put_out_all(server, u);
	changes_withdraw(server->changes);
	acl_user_free(u);
	return true;
}

/* --- listeners --- */

struct listening {
	const struct acl_user *user;
	bool is_pattern, lost;
};

static void check_listener(void *arg, struct bytes name)
{
	struct listening *l = arg;
	for (size_t i = 0; i < l->user->nselectors; i++) {
		const struct acl_selector *s = l->user->selectors[i];
		if (s->all_channels || acl_channel_listed(&s->channels, name, l->is_pattern))
			return;
	}
	l->lost = true;
}

static bool listens_to_forbidden(struct session *s, const struct acl_user *u)
{
	struct listening l = {.user = u};
	for (int kind = 0; kind < PUBSUB_KINDS; kind++) {
		l.is_pattern = kind == PUBSUB_PATTERN;
		pubsub_session_each(s, (enum pubsub_kind)kind, check_listener, &l);
	}
	return l.lost;
}

static void put_out_listeners(struct server *server, const struct acl_user *was,
			      const struct acl_user *now)
{
	struct session *s, *tmp;
	HASH_ITER (hh, server->sessions, s, tmp)
		if (s->user == was && s->flags & SESSION_PUBSUB && listens_to_forbidden(s, now))
			put_out(s);
}

void acl_become(struct server *server, struct acl_user *u, struct acl_user *now)
{
	acl_user_settle(now);
	put_out_listeners(server, u, now);
	acl_user_swap(u, now);
	acl_user_free(now);
}

int acl_by_name(const struct acl_user *a, const struct acl_user *b)
{
	return bytes_cmp(bytes_str(a->name), bytes_str(b->name));
}

size_t acl_sorted(struct acl *a, struct acl_user ***out)
{
	size_t n = 0;
	HASH_SORT(a->users, acl_by_name);
	*out = mem_alloc((HASH_COUNT(a->users) + 1) * sizeof(**out));
	for (struct acl_user *u = a->users; u; u = u->hh.next)
		(*out)[n++] = u;
	return n;
}

void acl_lines(struct acl *a, struct text *out)
{
	struct acl_user **all;
	size_t n = acl_sorted(a, &all);
	for (size_t i = 0; i < n; i++) {
		text_fmt(out, "user %s ", all[i]->name);
		acl_user_describe(all[i], out);
		text_str(out, "\n");
	}
	mem_free(all);
}

struct acl_log *acl_log_of(struct acl *a)
{
	return a->log;
}

/* --- rules --- */

static enum acl_error apply_all(struct acl_user *u, const struct acl_rules *rules,
				const struct text *words, size_t n, size_t *bad)
{
	enum acl_error err = ACL_OK;
	for (*bad = 0; *bad < n; ++*bad) {
		const struct text *t = &words[*bad];
		err = acl_user_rule(u, rules, bytes_of(t->p ? t->p : "", t->n));
		if (err)
			return err;
	}
	acl_user_settle(u);
	return ACL_OK;
}

static struct bytes as_c_string(struct bytes s)
{
	return bytes_of(s.p, strnlen(s.p, s.n));
}

struct acl_user *acl_user_with(struct server *s, struct bytes name, const struct bytes *rules,
			       size_t n, struct text *error)
{
	const struct acl_rules ctx = acl_rules_of(s);
	struct acl_user *was = acl_find(s->acl, name);
	size_t nwords, bad = 0;
	struct text *words = acl_merge_selectors(rules, n, &nwords, &bad);
	if (!words) {
		struct bytes opener = as_c_string(rules[bad]);
		text_str(error, "Unmatched parenthesis in acl selector starting at '");
		text_add(error, opener.p, opener.n);
		text_str(error, "'.");
		return NULL;
	}
	struct acl_user *u = was ? acl_user_copy(was) : acl_user_new(name, &ctx);
	enum acl_error err = apply_all(u, &ctx, words, nwords, &bad);
	if (err) {
		text_fmt(error, "Error in ACL SETUSER modifier '%s': %s", words[bad].p,
			 acl_error_text(err));
		acl_user_free(u);
		u = NULL;
	}
	acl_merged_free(words, nwords);
	return u;
}
