#include "resp/session.h"

#include <stdio.h>
#include <string.h>

#include "resp/acl/acl.h"
#include "resp/dispatch.h"
#include "resp/net/loop.h"
#include "resp/server.h"
#include "resp/sessions/blocking.h"
#include "resp/sessions/pause.h"
#include "resp/sessions/pubsub.h"
#include "resp/sessions/push.h"
#include "resp/sessions/tracking/tracking.h"
#include "resp/sessions/transaction.h"
#include "store/base/mem.h"

void session_open(struct session *s, struct server *server, struct reply *reply,
		  const struct session_ops *ops, uint32_t flags)
{
	s->id = ++server->next_session_id;
	s->server = server;
	s->reply = reply;
	s->ops = ops;
	s->flags = flags;
	s->db = &server->keyspace->dbs[0];
	s->created_ms = s->last_ms = server->keyspace->now_ms;
	acl_session_open(s);
	HASH_ADD(hh, server->sessions, id, sizeof(s->id), s);
}

static void drop_string(char **s)
{
	mem_free(*s);
	*s = NULL;
}

static void leave_monitors(struct session *s)
{
	if (!(s->flags & SESSION_MONITOR))
		return;
	s->flags &= ~(uint32_t)SESSION_MONITOR;
	s->server->monitors--;
}

void session_close(struct session *s)
{
	leave_monitors(s);
	transaction_discard(s);
	pubsub_leave(s);
	tracking_disable(s);
	push_drop(s);
	blocking_leave(s);
	pause_leave(s);
	HASH_DEL(s->server->sessions, s);
	if (s->server->current == s)
		s->server->current = NULL;
	if (s->server->caller == s)
		s->server->caller = NULL;
	drop_string(&s->name);
	drop_string(&s->lib_name);
	drop_string(&s->lib_ver);
}

void session_reset(struct session *s)
{
	leave_monitors(s);
	transaction_discard(s);
	pubsub_leave(s);
	tracking_disable(s);
	push_drop(s);
	s->flags &= ~(uint32_t)(SESSION_REPLY_OFF | SESSION_REPLY_SKIP | SESSION_REPLY_SKIP_NEXT |
				SESSION_NO_EVICT | SESSION_NO_TOUCH | SESSION_AUTHENTICATED);
	acl_session_open(s);
	s->reply->muted = false;
	s->reply->proto = 2;
	s->db = &s->server->keyspace->dbs[0];
	drop_string(&s->name);
}

struct session *session_find(struct server *server, uint64_t id)
{
	struct session *s;
	HASH_FIND(hh, server->sessions, &id, sizeof(id), s);
	return s;
}

/* CLIENT LIST's letters, in the order in which Redis writes them. */
static void flag_letters(const struct session *s, char *out)
{
	bool bcast = tracking_options(s) & TRACKING_BCAST;
	bool broken = tracking_options(s) & TRACKING_BROKEN;
	const struct {
		bool set;
		char letter;
	} letters[] = {
		{s->flags & SESSION_MONITOR, 'O'},
		{s->flags & SESSION_PUBSUB, 'P'},
		{s->flags & SESSION_MULTI, 'x'},
		{s->flags & SESSION_PARKED || s->postponed, 'b'},
		{tracking_is_on(s), 't'},
		{broken, 'R'},
		{bcast, 'B'},
		{s->flags & SESSION_DIRTY_CAS, 'd'},
		{s->flags & SESSION_CLOSE_AFTER_REPLY, 'c'},
		{s->flags & SESSION_CLOSE_ASAP, 'A'},
		{s->flags & SESSION_UNIX, 'U'},
		{s->flags & SESSION_NO_EVICT, 'e'},
		{s->flags & SESSION_NO_TOUCH, 'T'},
	};
	char *at = out;
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (letters[i].set)
			*at++ = letters[i].letter;
	if (at == out)
		*at++ = 'N';
	*at = '\0';
}

static size_t digits(size_t n)
{
	size_t d = 1;
	while (n > 9) {
		n /= 10;
		d++;
	}
	return d;
}

/* A command that runs still counts as input, in the bytes in which it came. */
static void count_words(struct session_figures *f, int argc, const struct bytes *argv)
{
	if (argc)
		f->qbuf += digits((size_t)argc) + 3;
	for (int i = 0; i < argc; i++) {
		f->qbuf += digits(argv[i].n) + argv[i].n + 5;
		f->argv_mem += argv[i].n;
	}
}

void session_describe(struct session *s, struct reply *out)
{
	session_describe_running(s, 0, NULL, out);
}

void session_describe_running(struct session *s, int argc, const struct bytes *argv,
			      struct reply *out)
{
	char addr[160] = "", laddr[160] = "", flags[16], cmd[80] = "NULL", line[1024];
	struct session_figures f = {.fd = -1};
	if (s->ops->peer)
		s->ops->peer(s, addr, sizeof(addr));
	if (s->ops->local)
		s->ops->local(s, laddr, sizeof(laddr));
	if (s->ops->figures)
		s->ops->figures(s, &f);
	count_words(&f, argc, argv);
	flag_letters(s, flags);
	if (s->last_cmd && s->last_parent)
		snprintf(cmd, sizeof(cmd), "%s|%s", s->last_parent->name, s->last_cmd->name);
	else if (s->last_cmd)
		snprintf(cmd, sizeof(cmd), "%s", s->last_cmd->name);
	int64_t now = s->server->keyspace->now_ms;
	int n = snprintf(line, sizeof(line),
			 "id=%llu addr=%s laddr=%s fd=%d name=", (unsigned long long)s->id, addr,
			 laddr, f.fd);
	reply_raw(out, line, (size_t)n);
	if (s->name)
		reply_raw(out, s->name, strlen(s->name));
	n = snprintf(
		line, sizeof(line),
		" age=%lld idle=%lld flags=%s db=%u sub=%zu psub=%zu ssub=%zu multi=%d qbuf=%zu "
		"qbuf-free=%zu argv-mem=%zu multi-mem=%zu rbs=%zu rbp=%zu obl=%zu oll=%zu omem=%zu "
		"tot-mem=%zu events=%s cmd=%s user=",
		(long long)(now - s->created_ms) / 1000, (long long)(now - s->last_ms) / 1000,
		flags, s->db->id, pubsub_count(s, PUBSUB_CHANNEL), pubsub_count(s, PUBSUB_PATTERN),
		pubsub_count(s, PUBSUB_SHARD), transaction_count(s), f.qbuf, f.qbuf_free,
		f.argv_mem, f.multi_mem, f.rbs, f.rbp, f.obl, f.oll, f.omem, f.tot_mem, f.events,
		cmd);
	reply_raw(out, line, (size_t)n);
	reply_raw(out, acl_name(s->user), strlen(acl_name(s->user)));
	n = snprintf(line, sizeof(line),
		     " redir=%lld resp=%d lib-name=", (long long)tracking_redirect(s),
		     s->reply->proto);
	reply_raw(out, line, (size_t)n);
	if (s->lib_name)
		reply_raw(out, s->lib_name, strlen(s->lib_name));
	reply_raw(out, " lib-ver=", 9);
	if (s->lib_ver)
		reply_raw(out, s->lib_ver, strlen(s->lib_ver));
}
