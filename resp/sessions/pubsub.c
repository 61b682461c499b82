/* resp/sessions/pubsub.c - see pubsub.h. */
#include "store/base/mem.h"
#define uthash_malloc(n)  mem_alloc(n)
#define uthash_free(p, n) mem_free(p)
#include "resp/sessions/pubsub.h"

#include <uthash.h>

#include "resp/server.h"
#include "resp/sessions/push.h"
#include "store/base/blob.h"
#include "store/base/glob.h"
#include "store/base/keyhash.h"
#include "store/base/num.h"

/* A channel, a pattern or a shard channel that somebody listens to. */
struct topic {
	struct subscription *first, *last; /* never empty */
	size_t subscribers;
	UT_hash_handle hh; /* of its kind's registry */
	size_t n;
	char name[];
};

struct subscription {
	struct topic *topic;
	struct session *session;
	struct subscription *prev, *next; /* of the topic */
	UT_hash_handle hh;                /* of the subscriber's, by topic */
};

struct pubsub {
	struct topic *topics[PUBSUB_KINDS];
};

/* A session's side. */
struct subscriber {
	struct subscription *subscriptions[PUBSUB_KINDS];
	size_t mem;
};

struct pubsub *pubsub_new(void)
{
	return mem_calloc(sizeof(struct pubsub));
}

void pubsub_free(struct pubsub *p)
{
	mem_free(p);
}

static struct bytes topic_name(const struct topic *t)
{
	return bytes_of(t->name, t->n);
}

/* --- topics --- */

static struct topic *find_topic(const struct pubsub *p, enum pubsub_kind kind, struct bytes name)
{
	struct topic *t;
	HASH_FIND_BYHASHVALUE(hh, p->topics[kind], name.p, name.n, (unsigned)keyhash(name), t);
	return t;
}

static struct topic *add_topic(struct pubsub *p, enum pubsub_kind kind, struct bytes name)
{
	struct topic *t = mem_try(sizeof(*t) + name.n);
	if (!t)
		return NULL;
	t->first = t->last = NULL;
	t->subscribers = 0;
	t->n = name.n;
	if (name.n)
		memcpy(t->name, name.p, name.n);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, p->topics[kind], t->name, t->n, (unsigned)keyhash(name), t);
	return t;
}

static void topic_append(struct topic *t, struct subscription *sub)
{
	sub->topic = t;
	sub->prev = t->last;
	sub->next = NULL;
	if (t->last)
		t->last->next = sub;
	else
		t->first = sub;
	t->last = sub;
	t->subscribers++;
}

static void topic_remove(struct pubsub *p, enum pubsub_kind kind, struct subscription *sub)
{
	struct topic *t = sub->topic;
	if (sub->next)
		sub->next->prev = sub->prev;
	else
		t->last = sub->prev;
	if (sub->prev)
		sub->prev->next = sub->next;
	else
		t->first = sub->next;
	if (--t->subscribers)
		return;
	HASH_DEL(p->topics[kind], t);
	mem_free(t);
}

/* --- subscriptions --- */

static struct subscription *find_subscription(const struct session *s, enum pubsub_kind kind,
					      struct topic *t)
{
	struct subscription *sub = NULL;
	if (s->subscriber && t)
		HASH_FIND_PTR(s->subscriber->subscriptions[kind], &t, sub);
	return sub;
}

static size_t mem_of(const struct topic *t)
{
	/* Each of the two hashes has a table with, by and large, a bucket an entry. */
	return sizeof(struct subscription) + sizeof(*t) + t->n + 2 * sizeof(UT_hash_bucket);
}

bool pubsub_subscribe(struct session *s, enum pubsub_kind kind, struct bytes name)
{
	struct pubsub *p = s->server->pubsub;
	struct topic *t = find_topic(p, kind, name);
	if (find_subscription(s, kind, t))
		return true;
	if (!t)
		t = add_topic(p, kind, name);
	if (!t)
		return false;
	if (!s->subscriber)
		s->subscriber = mem_calloc(sizeof(*s->subscriber));
	struct subscription *sub = mem_calloc(sizeof(*sub));
	sub->session = s;
	topic_append(t, sub);
	HASH_ADD_PTR(s->subscriber->subscriptions[kind], topic, sub);
	s->subscriber->mem += mem_of(t);
	s->flags |= SESSION_PUBSUB;
	return true;
}

static void end_subscription(struct session *s, enum pubsub_kind kind, struct subscription *sub)
{
	s->subscriber->mem -= mem_of(sub->topic);
	HASH_DEL(s->subscriber->subscriptions[kind], sub);
	topic_remove(s->server->pubsub, kind, sub);
	mem_free(sub);
}

static bool has_any(const struct session *s)
{
	for (int kind = 0; kind < PUBSUB_KINDS; kind++)
		if (s->subscriber->subscriptions[kind])
			return true;
	return false;
}

void pubsub_unsubscribe(struct session *s, enum pubsub_kind kind, struct bytes name)
{
	struct topic *t = find_topic(s->server->pubsub, kind, name);
	struct subscription *sub = find_subscription(s, kind, t);
	if (!sub)
		return;
	end_subscription(s, kind, sub);
	if (!has_any(s))
		s->flags &= ~(uint32_t)SESSION_PUBSUB;
}

void pubsub_leave(struct session *s)
{
	struct subscription *sub, *tmp;
	if (!s->subscriber)
		return;
	for (int kind = 0; kind < PUBSUB_KINDS; kind++) {
		HASH_ITER (hh, s->subscriber->subscriptions[kind], sub, tmp)
			end_subscription(s, (enum pubsub_kind)kind, sub);
	}
	mem_free(s->subscriber);
	s->subscriber = NULL;
	s->flags &= ~(uint32_t)SESSION_PUBSUB;
}

size_t pubsub_count(const struct session *s, enum pubsub_kind kind)
{
	return s->subscriber ? HASH_COUNT(s->subscriber->subscriptions[kind]) : 0;
}

struct bytes pubsub_oldest(const struct session *s, enum pubsub_kind kind)
{
	return topic_name(s->subscriber->subscriptions[kind]->topic);
}

void pubsub_session_each(const struct session *s, enum pubsub_kind kind,
			 void (*fn)(void *arg, struct bytes name), void *arg)
{
	const struct subscription *sub = s->subscriber ? s->subscriber->subscriptions[kind] : NULL;
	for (; sub; sub = sub->hh.next)
		fn(arg, topic_name(sub->topic));
}

size_t pubsub_mem(const struct session *s)
{
	return s->subscriber ? sizeof(*s->subscriber) + s->subscriber->mem : 0;
}

/* --- messages --- */

/* A message on its way: the bytes of an array of bulk strings, whose first byte is '*' or '>' as the receiver's protocol wants. A big
 * payload follows as a blob. */
struct message {
	char *p; /* small, or memory of its own */
	size_t n;
	struct blob *blob; /* a reference, or NULL */
	char small[1024];
};

#define BULK_OVERHEAD (NUM_BUF + 5)

static char *put_bulk(char *at, struct bytes b)
{
	*at++ = '$';
	at += num_format_int(at, (int64_t)b.n);
	memcpy(at, "\r\n", 2);
	at += 2;
	if (b.n)
		memcpy(at, b.p, b.n);
	memcpy(at + b.n, "\r\n", 2);
	return at + b.n + 2;
}

/* Of @parts, the last is the payload. False when there is no memory. */
static bool compose(struct message *m, const struct bytes *parts, size_t n, struct blob *blob)
{
	struct bytes payload = parts[n - 1];
	bool by_reference = payload.n >= REPLY_BLOB_MIN;
	size_t copied = by_reference ? n - 1 : n, room = 8;
	for (size_t i = 0; i < copied; i++)
		room += parts[i].n + BULK_OVERHEAD;
	m->blob = NULL;
	m->p = room <= sizeof(m->small) ? m->small : mem_try(room);
	if (!m->p)
		return false;
	char *at = m->p;
	*at++ = '*';
	*at++ = (char)('0' + n);
	*at++ = '\r';
	*at++ = '\n';
	for (size_t i = 0; i < copied; i++)
		at = put_bulk(at, parts[i]);
	m->n = (size_t)(at - m->p);
	if (!by_reference)
		return true;
	if (blob && blob->len == payload.n) {
		m->blob = blob_get(blob);
		return true;
	}
	m->blob = blob_try(payload.n);
	if (m->blob) {
		memcpy(m->blob->data, payload.p, payload.n);
		m->blob->len = payload.n;
		return true;
	}
	if (m->p != m->small)
		mem_free(m->p);
	return false;
}

static void message_fini(struct message *m)
{
	blob_put(m->blob);
	if (m->p != m->small)
		mem_free(m->p);
}

static void deliver(struct session *s, struct message *m)
{
	struct push p;
	if (!push_begin(&p, s))
		return;
	m->p[0] = p.out->proto >= 3 ? '>' : '*';
	reply_raw(p.out, m->p, m->n);
	if (m->blob)
		reply_blob(p.out, m->blob);
	push_end(&p);
}

static size_t deliver_to(struct topic *t, struct message *m)
{
	/* Waking may end a subscription of the one that is woken, not of others. */
	for (struct subscription *sub = t->first, *next; sub; sub = next) {
		next = sub->next;
		deliver(sub->session, m);
	}
	return t->subscribers;
}

size_t pubsub_publish(struct server *server, enum pubsub_kind kind, struct bytes channel,
		      struct bytes message, struct blob *blob)
{
	struct pubsub *p = server->pubsub;
	struct topic *t = find_topic(p, kind, channel);
	struct message m;
	size_t receivers = 0;
	if (t) {
		struct bytes parts[] = {kind == PUBSUB_SHARD ? BYTES("smessage") : BYTES("message"),
					channel, message};
		if (compose(&m, parts, 3, blob)) {
			receivers += deliver_to(t, &m);
			message_fini(&m);
		}
	}
	if (kind != PUBSUB_CHANNEL)
		return receivers;
	for (t = p->topics[PUBSUB_PATTERN]; t; t = t->hh.next) {
		struct bytes parts[] = {BYTES("pmessage"), topic_name(t), channel, message};
		if (!glob_match(topic_name(t), channel, false) || !compose(&m, parts, 4, blob))
			continue;
		receivers += deliver_to(t, &m);
		message_fini(&m);
	}
	return receivers;
}

/* --- telling --- */

size_t pubsub_names(const struct pubsub *p, enum pubsub_kind kind)
{
	return HASH_COUNT(p->topics[kind]);
}

size_t pubsub_subscribers(const struct pubsub *p, enum pubsub_kind kind, struct bytes name)
{
	const struct topic *t = find_topic(p, kind, name);
	return t ? t->subscribers : 0;
}

void pubsub_each(const struct pubsub *p, enum pubsub_kind kind,
		 void (*fn)(void *arg, struct bytes name), void *arg)
{
	for (const struct topic *t = p->topics[kind]; t; t = t->hh.next)
		fn(arg, topic_name(t));
}
