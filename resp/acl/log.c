#include "resp/acl/log.h"

#include "resp/config/text.h"
#include "resp/server.h"
#include "store/base/mem.h"

#define ALIKE_AMONG 10
#define ALIKE_MS    60000

struct acl_entry {
	struct acl_entry *next; /* older */
	enum acl_verdict why;
	enum acl_context context;
	struct text object, user, client;
	uint64_t id, count;
	int64_t created_ms, updated_ms;
};

struct acl_log {
	struct acl_entry *newest;
	size_t n;
	uint64_t next_id;
};

struct acl_log *acl_log_new(void)
{
	return mem_calloc(sizeof(struct acl_log));
}

static void entry_free(struct acl_entry *e)
{
	text_fini(&e->object);
	text_fini(&e->user);
	text_fini(&e->client);
	mem_free(e);
}

void acl_log_free(struct acl_log *l)
{
	if (!l)
		return;
	acl_log_limit(l, 0);
	mem_free(l);
}

void acl_log_limit(struct acl_log *l, size_t max)
{
	struct acl_entry **at = &l->newest;
	for (size_t i = 0; i < max && *at; i++)
		at = &(*at)->next;
	while (*at) {
		struct acl_entry *e = *at;
		*at = e->next;
		entry_free(e);
		l->n--;
	}
}

static struct bytes text_bytes(const struct text *t)
{
	return bytes_of(t->p ? t->p : "", t->n);
}

/* Take the one out that is like this, or NULL. */
static struct acl_entry *take_alike(struct acl_log *l, enum acl_verdict why,
				    enum acl_context context, struct bytes object,
				    struct bytes user, int64_t now_ms)
{
	struct acl_entry **at = &l->newest;
	for (int i = 0; i < ALIKE_AMONG && *at; i++, at = &(*at)->next) {
		struct acl_entry *e = *at;
		int64_t apart = now_ms - e->updated_ms;
		if (e->why != why || e->context != context || apart > ALIKE_MS ||
		    apart < -ALIKE_MS || !bytes_eq(text_bytes(&e->object), object) ||
		    !bytes_eq(text_bytes(&e->user), user))
			continue;
		*at = e->next;
		l->n--;
		return e;
	}
	return NULL;
}

static void describe(struct session *who, struct text *out)
{
	struct reply line;
	struct iovec iov[16];
	size_t covered;
	reply_init(&line, 2);
	session_describe(who, &line);
	while (reply_pending(&line)) {
		int n = reply_iov(&line, iov, 16, &covered);
		for (int i = 0; i < n; i++)
			text_add(out, iov[i].iov_base, iov[i].iov_len);
		reply_consume(&line, covered);
	}
	reply_fini(&line);
}

void acl_log_add(struct acl_log *l, enum acl_verdict why, enum acl_context context,
		 struct bytes object, struct bytes user, struct session *who, size_t max)
{
	int64_t now = who->server->keyspace->now_ms;
	struct acl_entry *e = take_alike(l, why, context, object, user, now);
	if (!e) {
		e = mem_calloc(sizeof(*e));
		e->why = why;
		e->context = context;
		text_add(&e->object, object.p, object.n);
		text_add(&e->user, user.p, user.n);
		e->id = l->next_id++;
		e->created_ms = now;
	}
	text_fini(&e->client);
	describe(who, &e->client);
	e->updated_ms = now;
	e->count++;
	e->next = l->newest;
	l->newest = e;
	l->n++;
	acl_log_limit(l, max);
}

/* --- ACL LOG --- */

static void entry_reply(const struct acl_entry *e, struct reply *r, int64_t now_ms)
{
	static const char *const reasons[] = {[ACL_DENIED_CMD] = "command",
					      [ACL_DENIED_KEY] = "key",
					      [ACL_DENIED_AUTH] = "auth",
					      [ACL_DENIED_CHANNEL] = "channel"};
	static const char *const contexts[] = {[ACL_TOPLEVEL] = "toplevel",
					       [ACL_MULTI] = "multi",
					       [ACL_LUA] = "lua",
					       [ACL_MODULE] = "module"};
	reply_map(r, 10);
	reply_bulk_str(r, "count");
	reply_int(r, (int64_t)e->count);
	reply_bulk_str(r, "reason");
	reply_bulk_str(r, reasons[e->why]);
	reply_bulk_str(r, "context");
	reply_bulk_str(r, contexts[e->context]);
	reply_bulk_str(r, "object");
	reply_bulk(r, text_bytes(&e->object));
	reply_bulk_str(r, "username");
	reply_bulk(r, text_bytes(&e->user));
	reply_bulk_str(r, "age-seconds");
	reply_double(r, (double)(now_ms - e->updated_ms) / 1000);
	reply_bulk_str(r, "client-info");
	reply_bulk(r, text_bytes(&e->client));
	reply_bulk_str(r, "entry-id");
	reply_int(r, (int64_t)e->id);
	reply_bulk_str(r, "timestamp-created");
	reply_int(r, e->created_ms);
	reply_bulk_str(r, "timestamp-last-updated");
	reply_int(r, e->updated_ms);
}

void acl_log_reply(const struct acl_log *l, struct reply *r, size_t count, int64_t now_ms)
{
	if (count > l->n)
		count = l->n;
	reply_array(r, count);
	const struct acl_entry *e = l->newest;
	for (; count; count--, e = e->next)
		entry_reply(e, r, now_ms);
}
