/* resp/sessions/push.c - see push.h. */
#include "resp/sessions/push.h"

#include "resp/server.h"
#include "store/base/mem.h"

static bool is_running(const struct session *s)
{
	return s->server->running && (s == s->server->current || s == s->server->caller);
}

static struct reply *later(struct session *s)
{
	if (!s->later) {
		s->later = mem_alloc(sizeof(*s->later));
		reply_init(s->later, 2);
	}
	int class = s->flags & SESSION_PUBSUB ? OBUF_PUBSUB : OBUF_NORMAL;
	s->later->proto = s->reply->proto;
	s->later->limit = s->server->config.obuf[class].hard;
	return s->later;
}

bool push_begin(struct push *p, struct session *s)
{
	if (s->flags & (SESSION_CLOSE_ASAP | SESSION_CLOSE_AFTER_REPLY))
		return false;
	p->session = s;
	p->out = is_running(s) ? later(s) : s->reply;
	p->muted = p->out->muted;
	p->out->muted = false;
	return true;
}

void push_end(struct push *p)
{
	struct session *s = p->session;
	p->out->muted = p->muted;
	if (p->out == s->later)
		s->flags |= SESSION_PUSHED;
	else if (s->ops->wake)
		s->ops->wake(s);
}

void push_flush(struct session *s)
{
	struct reply *from = s->later, *r = s->reply;
	bool muted = r->muted;
	struct iovec iov[16];
	size_t covered;
	s->flags &= ~(uint32_t)SESSION_PUSHED;
	if (from->overflow) {
		s->flags |= SESSION_CLOSE_ASAP;
		if (s->ops->close)
			s->ops->close(s, true);
		return;
	}
	r->muted = false;
	while (reply_pending(from)) {
		int n = reply_iov(from, iov, 16, &covered);
		for (int i = 0; i < n; i++)
			reply_raw(r, iov[i].iov_base, iov[i].iov_len);
		reply_consume(from, covered);
	}
	reply_shrink(from);
	r->muted = muted;
}

void push_drop(struct session *s)
{
	if (!s->later)
		return;
	reply_fini(s->later);
	mem_free(s->later);
	s->later = NULL;
	s->flags &= ~(uint32_t)SESSION_PUSHED;
}

size_t push_mem(const struct session *s)
{
	return s->later ? sizeof(*s->later) + reply_mem(s->later) : 0;
}
