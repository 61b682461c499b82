#include "fs/backend/local.h"

#include <stdio.h>
#include <string.h>

#include "fs/kernel/held.h"
#include "resp/acl/acl.h"
#include "resp/changes.h"
#include "resp/net/loop.h"
#include "resp/persist/aof/aof.h"
#include "resp/sessions/pubsub.h"
#include "resp/sessions/transaction.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/types/hash.h"
#include "store/types/list.h"
#include "store/types/set.h"
#include "store/types/stream.h"
#include "store/types/zset.h"

#define PARCELS_POOLED 8
#define UNIT_INLINE    8

static void home_free(struct backend_local *l)
{
	while (l->pool) {
		struct parcel *p = l->pool;
		l->pool = p->next;
		reply_fini(&p->reply);
		mem_free(p);
	}
	mem_free(l);
}

static void parcel_release(struct answers_owner *o)
{
	struct parcel *p = (struct parcel *)o;
	struct backend_local *l = p->home;

	l->out--;
	if (l->pooled < PARCELS_POOLED && !l->orphaned) {
		reply_consume(&p->reply, reply_pending(&p->reply));
		if (reply_mem(&p->reply) > 64 * 1024)
			reply_shrink(&p->reply);
		p->next = l->pool;
		l->pool = p;
		l->pooled++;
	} else {
		reply_fini(&p->reply);
		mem_free(p);
	}
	if (l->orphaned && l->out == 0)
		home_free(l);
}

static struct parcel *parcel_take(struct backend_local *l)
{
	struct parcel *p = l->pool;

	l->out++;
	if (p) {
		l->pool = p->next;
		l->pooled--;
		return p;
	}
	p = mem_calloc(sizeof(*p));
	p->owner.release = parcel_release;
	p->home = l;
	reply_init(&p->reply, 2);
	return p;
}

bool backend_deliver(struct reply *r, struct answers_owner *owner, backend_done done, void *arg)
{
	struct iovec few[16], *iov = few;
	int max = r->nodes + 1 <= 16 ? 16 : (int)r->nodes + 1;
	struct answers a;
	size_t bytes;

	if (max > 16)
		iov = mem_alloc(sizeof(*iov) * (size_t)max);
	int n = reply_iov(r, iov, max, &bytes);
	answers_init(&a, iov, n, owner);
	done(arg, &a);
	answers_fini(&a);
	if (iov != few)
		mem_free(iov);
	return a.kept;
}

/* Remember the first error line of @r. */
static void note_error_answers(void *arg, struct answers *a)
{
	struct backend_local *l = arg;
	struct answer piece;

	while (answers_next(a, &piece)) {
		if (piece.kind != ANSWER_ERROR)
			continue;
		snprintf(l->last_error, sizeof(l->last_error), "%.*s", (int)piece.text.n,
			 piece.text.p);
		return;
	}
}

static void note_error(struct backend_local *l, struct reply *r)
{
	backend_deliver(r, NULL, note_error_answers, l);
}

static void fill_item(struct dispatch_item *item, struct session *s,
		      const struct backend_command *cmd)
{
	*item = (struct dispatch_item){
		.session = s,
		.argc = cmd->argc,
		.argv = cmd->argv,
		.blob = cmd->blob,
		.blob_arg = cmd->blob_arg,
		.big = true,
		.file_flags = cmd->newline ? CALL_FILE_NEWLINE : 0,
	};
}

/* With appendfsync always the answer to a change waits for the disk, as a client's does. */
static void hand_over(void *arg, int error)
{
	struct parcel *p = arg;
	const char *refusal = p->home->server->refuse_writes;

	if (error) {
		reply_consume(&p->reply, reply_pending(&p->reply));
		reply_error(&p->reply, refusal ? refusal : "MISCONF the change may be lost");
		note_error(p->home, &p->reply);
	}
	if (!backend_deliver(&p->reply, &p->owner, p->done, p->arg))
		parcel_release(&p->owner);
}

static void local_submit(struct backend *b, unsigned db, const struct backend_command *cmds,
			 size_t n, backend_done done, void *arg)
{
	struct backend_local *l = (struct backend_local *)b;
	if (l->server->pause && held_keep(l->server, b, db, cmds, n, done, arg))
		return;
	struct parcel *p = parcel_take(l);
	struct dispatch_item few[UNIT_INLINE], *items = few;

	l->session.reply = &p->reply;
	l->session.db = &l->server->keyspace->dbs[db];
	if (n > UNIT_INLINE)
		items = mem_alloc(n * sizeof(*items));
	for (size_t i = 0; i < n; i++)
		fill_item(&items[i], &l->session, &cmds[i]);
	uint64_t errors = p->reply.errors;
	l->session.hold = 0;
	if (n == 1)
		dispatch_batch(l->server, items, 1);
	else
		dispatch_unit(&l->session, items, n);
	if (p->reply.errors != errors)
		note_error(l, &p->reply);
	l->session.reply = &l->idle;
	if (items != few)
		mem_free(items);
	p->done = done;
	p->arg = arg;
	uint64_t hold = l->session.hold;
	changes_settle(l->server->changes,
		       l->server->running); /* the kernel lets go before it is answered */
	aof_await(l->server, hold, hand_over, p);
}

static void local_settle(struct backend *b, void (*done)(void *arg, int err), void *arg)
{
	aof_settle(((struct backend_local *)b)->server, done, arg);
}

/* Until when what @word is bound to stays as it is if nobody changes it. */
static int64_t ends_ms(uint64_t word)
{
	int64_t ends = entry_expiry(word);
	int64_t field =
		word_type(word) == VALUE_HASH ? hash_next_expiry(entry_container(word)) : -1;

	if (field >= 0 && (ends < 0 || field < ends))
		ends = field;
	return ends < 0 ? BACKEND_NEVER : ends;
}

static void local_facts(struct backend *b, unsigned db, struct bytes key, struct backend_facts *out)
{
	struct server *s = ((struct backend_local *)b)->server;
	struct db *d = &s->keyspace->dbs[db];
	uint64_t hash = keyhash(key);
	uint64_t word = keyspace_read_hashed(d, key, hash, KEYSPACE_NOTOUCH);
	struct change_stamp stamp = changes_get(s->changes, db, hash);

	out->newline = word && (word & WORD_NEWLINE);
	out->stamped = true;
	out->serial = stamp.serial;
	out->time_set = changes_get_time(s->changes, db, hash, &out->time_ns);
	if (!out->time_set)
		out->time_ns = stamp.time_ms * 1000000;
	out->ends_ms = word ? ends_ms(word) : BACKEND_NEVER;
	out->left_ms = out->ends_ms > s->keyspace->now_ms ? out->ends_ms - s->keyspace->now_ms : 0;
}

static void local_set_time(struct backend *b, unsigned db, struct bytes key, int64_t time_ns)
{
	struct server *s = ((struct backend_local *)b)->server;

	changes_set_time(s->changes, db, keyhash(key), time_ns);
	changes_settle(s->changes, s->running);
}

static uint64_t list_mark(struct backend_local *l, unsigned db, struct bytes key)
{
	struct server *s = l->server;
	uint64_t hash = keyhash(key), id = changes_id(db, hash);
	struct followed *f = NULL;

	for (int i = 0; i < FOLLOWED && !f; i++)
		if (l->followed[i].mark && l->followed[i].eye.id == id)
			f = &l->followed[i];
	if (f && !f->eye.changed)
		return f->mark;
	if (!f)
		f = &l->followed[l->followed_next++ % FOLLOWED];
	if (f->mark)
		changes_unlook(s->changes, &f->eye);
	changes_look(s->changes, &f->eye, db, hash);
	f->mark = ++s->marks;
	return f->mark;
}

static uint64_t local_mark(struct backend *b, unsigned db, struct bytes key)
{
	struct server *s = ((struct backend_local *)b)->server;
	uint64_t word = keyspace_read(&s->keyspace->dbs[db], key, KEYSPACE_NOTOUCH);

	if (word && word_type(word) == VALUE_LIST)
		return list_mark((struct backend_local *)b, db, key);
	if (!word || word_type(word) != VALUE_STREAM)
		return 0;
	return stream_mark(entry_container(word), ++s->marks);
}

static uint64_t local_elements(struct backend *b, unsigned db, struct bytes key, const char *type)
{
	struct server *s = ((struct backend_local *)b)->server;
	uint64_t word = keyspace_read(&s->keyspace->dbs[db], key, KEYSPACE_NOTOUCH);

	if (!word || strcmp(value_type_name(word_type(word)), type) != 0)
		return 0;
	switch (word_type(word)) {
	case VALUE_LIST:
		return list_count(entry_container(word));
	case VALUE_SET:
		return set_count(entry_container(word));
	case VALUE_ZSET:
		return zset_count(entry_container(word));
	case VALUE_HASH:
		return hash_count(entry_container(word));
	case VALUE_STREAM:
		return stream_info(entry_container(word))->length;
	default:
		return 0;
	}
}

static void local_look(struct backend *b, unsigned db, struct bytes key, struct changes_eye *e)
{
	changes_look(((struct backend_local *)b)->server->changes, e, db, keyhash(key));
}

static void local_unlook(struct backend *b, struct changes_eye *e)
{
	changes_unlook(((struct backend_local *)b)->server->changes, e);
}

static void local_watch(struct backend *b, const struct changes_watcher *w)
{
	struct backend_local *l = (struct backend_local *)b;

	if (l->watcher.tell)
		changes_unwatch(l->server->changes, &l->watcher);
	l->watcher = w ? *w : (struct changes_watcher){0};
	if (w)
		changes_watch(l->server->changes, &l->watcher);
}

static uint64_t local_key_id(struct backend *b, unsigned db, struct bytes key)
{
	(void)b;
	return changes_id(db, keyhash(key));
}

static void local_hold(struct backend *b, uint32_t group, enum changes_part part)
{
	changes_hold(((struct backend_local *)b)->server->changes, group, part);
}

static void local_release(struct backend *b, uint32_t group, enum changes_part part)
{
	changes_release(((struct backend_local *)b)->server->changes, group, part);
}

static void local_hold_any(struct backend *b)
{
	changes_hold_any(((struct backend_local *)b)->server->changes);
}

static bool has_member(struct keyspace *ks, uint64_t word, struct bytes member)
{
	double score;

	switch (word_type(word)) {
	case VALUE_HASH: {
		int64_t ends = hash_expiry(entry_container(word), member);
		return ends == -1 || ends >= keyspace_fields_now(ks);
	}
	case VALUE_SET:
		return set_has(entry_container(word), member);
	case VALUE_ZSET:
		return zset_score(entry_container(word), member, &score);
	default: /* an index, an id: not worth looking */
		return false;
	}
}

static int64_t local_stands(struct backend *b, const struct backend_name *n)
{
	struct keyspace *ks = ((struct backend_local *)b)->server->keyspace;
	uint64_t word = keyspace_read(&ks->dbs[n->db], n->key, KEYSPACE_NOTOUCH);

	if (!word || (n->type && strcmp(value_type_name(word_type(word)), n->type)))
		return 0;
	return !n->has_member || has_member(ks, word, n->member) ? ends_ms(word) : 0;
}

static bool local_told(struct backend *b, uint64_t cursor, struct bytes member)
{
	(void)b;
	return table_position(keyhash(member)) < table_position(cursor);
}

static int64_t local_latest_ms(struct backend *b)
{
	return changes_latest(((struct backend_local *)b)->server->changes).time_ms;
}

static uint64_t local_latest_serial(struct backend *b)
{
	return changes_latest(((struct backend_local *)b)->server->changes).serial;
}

static const char *local_last_error(struct backend *b)
{
	return ((struct backend_local *)b)->last_error;
}

static const char *refusal(struct server *s, uint64_t bytes)
{
	const struct config *cfg = &s->config;

	if (s->refuse_writes)
		return s->refuse_writes;
	if (s->loading)
		return "LOADING Redis is loading the dataset in memory";
	if (cfg->maxmemory && cfg->maxmemory_policy == EVICT_NOEVICTION &&
	    mem_used() + bytes > cfg->maxmemory)
		return "OOM command not allowed when used memory > 'maxmemory'.";
	return NULL;
}

static const char *local_refusal(struct backend *b, uint64_t bytes)
{
	struct backend_local *l = (struct backend_local *)b;
	const char *line = refusal(l->server, bytes);

	if (line)
		snprintf(l->last_error, sizeof(l->last_error), "%s", line);
	return line;
}

static bool local_may(struct backend *b, int argc, const struct bytes *argv)
{
	const struct session *s = &((struct backend_local *)b)->session;

	if (acl_must_log_in(s))
		return false;
	const struct registered *reg = registry_resolve_own(s->server->registry, argc, argv);
	return !reg || acl_check(s->user, reg, argc, argv, NULL) == ACL_ALLOWED;
}

static uint64_t local_max_value(struct backend *b)
{
	return (uint64_t)((struct backend_local *)b)->server->config.proto_max_bulk_len;
}

static unsigned local_databases(struct backend *b)
{
	return ((struct backend_local *)b)->server->keyspace->ndbs;
}

/* --- sessions --- */

void backend_name_peer(const struct session *s, char *buf, size_t n)
{
	(void)s;
	snprintf(buf, n, "mount");
}

void backend_name_local(const struct session *s, char *buf, size_t n)
{
	snprintf(buf, n, "%s", s->mount ? s->mount->point : "");
}

static void figures(const struct session *s, struct session_figures *out)
{
	out->fd = -1;
	out->multi_mem = transaction_input(s);
	out->tot_mem = transaction_mem(s) + pubsub_mem(s);
	snprintf(out->events, sizeof(out->events), "r");
}

/* Without close: CLIENT KILL does not take the mount away, unmounting does. Without wake: nobody would read what comes between its commands. */
static const struct session_ops mount_session_ops = {
	.peer = backend_name_peer,
	.local = backend_name_local,
	.figures = figures,
};

static void local_free(struct backend *b)
{
	struct backend_local *l = (struct backend_local *)b;

	if (l->watcher.tell)
		changes_unwatch(l->server->changes, &l->watcher);
	for (int i = 0; i < FOLLOWED; i++)
		if (l->followed[i].mark)
			changes_unlook(l->server->changes, &l->followed[i].eye);
	if (l->timer)
		loop_timer_remove(l->timer);
	session_close(&l->session);
	reply_fini(&l->idle);
	l->orphaned = true;
	if (l->out == 0)
		home_free(l);
}

static const struct backend_ops local_ops = {
	.submit = local_submit,
	.facts = local_facts,
	.mark = local_mark,
	.elements = local_elements,
	.look = local_look,
	.unlook = local_unlook,
	.set_time = local_set_time,
	.latest_ms = local_latest_ms,
	.latest_serial = local_latest_serial,
	.watch = local_watch,
	.key_id = local_key_id,
	.hold = local_hold,
	.release = local_release,
	.hold_any = local_hold_any,
	.stands = local_stands,
	.told = local_told,
	.refusal = local_refusal,
	.may = local_may,
	.settle = local_settle,
	.max_value = local_max_value,
	.databases = local_databases,
	.last_error = local_last_error,
	.talk_open = talk_open,
	.talk = talk_run,
	.talk_cancel = talk_cancel,
	.talk_hear = talk_hear,
	.talk_listens = talk_listens,
	.talk_backlog = talk_backlog,
	.talk_close = talk_close,
	.free = local_free,
};

static void key_named(void *arg, struct db *db, uint64_t hash)
{
	const struct server *s = arg;

	changes_named(s->changes, db->id, hash);
}

struct backend *backend_local_new(struct server *s, const struct session_mount *who)
{
	struct backend_local *l = mem_calloc(sizeof(*l));

	l->base.ops = &local_ops;
	l->server = s;
	if (!s->changes)
		s->changes = changes_new(s->keyspace->now_ms);
	s->keyspace->hooks.named = key_named;
	reply_init(&l->idle, 2);
	l->session.mount = who;
	session_open(&l->session, s, &l->idle, &mount_session_ops,
		     SESSION_AUTHENTICATED | SESSION_MOUNT);
	l->session.name = mem_dup("mount", sizeof("mount"));
	return &l->base;
}
