#define uthash_malloc(n)  mem_alloc(n)
#define uthash_free(p, n) mem_free(p)
#include "resp/sessions/blocking.h"

#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "resp/item.h"
#include "resp/net/loop.h"
#include "resp/server.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"

/* Longer waits are cut to this, a century and more: the loop counts in microseconds. */
#define WAIT_MAX_MS 4000000000000

/* A session in the queue of one key. */
struct waiter {
	struct parking *parking;
	struct awaited *key;
	struct waiter *prev, *next;
	int arg; /* the key's place in argv */
};

/* A key that somebody waits for, or that is on the ready list. */
struct awaited {
	UT_hash_handle hh;
	unsigned db;
	struct waiter *first, *last; /* in order of arrival */
	size_t waiters, for_gone;
	bool ready, serving; /* either keeps it alive without waiters */
	struct awaited *next_ready;
	uint64_t hash;
	size_t len;
	char name[];
};

/* Freed by finish() or blocking_leave(). */
struct parking {
	struct blocking *blocking;
	struct dispatch_item item; /* a copy of our own */
	struct park how;
	struct loop_timer *timer; /* NULL: for ever */
	uint64_t ticks;
	struct parking *prev, *next; /* among those that wait for the append-only log */
	bool resuming;               /* its handler runs: who leaves must not free it */
	size_t nwaits;
	struct waiter waits[];
};

struct blocking {
	struct server *server;
	struct awaited **keys; /* uthash for each database */
	struct awaited *ready, **ready_tail;
	struct parking *unsynced; /* utlist: wait for the append-only log, in order of arrival */
	bool serving;
	struct blocking_figures figures;
};

struct blocking *blocking_new(struct server *server)
{
	struct blocking *b = mem_calloc(sizeof(*b));
	b->server = server;
	b->keys = mem_calloc(server->keyspace->ndbs * sizeof(struct awaited *));
	b->ready_tail = &b->ready;
	return b;
}

/* --- keys --- */

static struct awaited *find(const struct blocking *b, unsigned db, struct bytes key, uint64_t hash)
{
	struct awaited *k;
	HASH_FIND_BYHASHVALUE(hh, b->keys[db], key.p, key.n, (unsigned)hash, k);
	return k;
}

static struct awaited *find_or_add(struct blocking *b, unsigned db, struct bytes key)
{
	uint64_t hash = keyhash(key);
	struct awaited *k = find(b, db, key, hash);
	if (k)
		return k;
	k = mem_try(sizeof(*k) + key.n);
	if (!k)
		return NULL;
	memset(k, 0, sizeof(*k));
	k->db = db;
	k->hash = hash;
	k->len = key.n;
	if (key.n)
		memcpy(k->name, key.p, key.n);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, b->keys[db], k->name, k->len, (unsigned)hash, k);
	return k;
}

/* Free the key if nothing needs it. */
static void release(struct blocking *b, struct awaited *k)
{
	if (k->first || k->ready || k->serving)
		return;
	HASH_DELETE(hh, b->keys[k->db], k);
	mem_free(k);
}

static void make_ready(struct blocking *b, struct awaited *k)
{
	if (k->ready || !k->first)
		return;
	k->ready = true;
	k->next_ready = NULL;
	*b->ready_tail = k;
	b->ready_tail = &k->next_ready;
}

void blocking_signal(struct blocking *b, const struct db *db, struct bytes key, uint64_t hash)
{
	struct awaited *k = b->keys[db->id] ? find(b, db->id, key, hash) : NULL;
	if (k)
		make_ready(b, k);
}

void blocking_signal_db(struct blocking *b, const struct db *db)
{
	for (struct awaited *k = b->keys[db->id]; k; k = k->hh.next)
		make_ready(b, k);
}

void blocking_free(struct blocking *b)
{
	while (b->ready) {
		struct awaited *k = b->ready;
		b->ready = k->next_ready;
		k->ready = false;
		release(b, k);
	}
	mem_free(b->keys);
	mem_free(b);
}

/* --- queues --- */

static void enqueue(struct parking *p, struct awaited *k, int arg)
{
	struct blocking_figures *f = &p->blocking->figures;
	struct waiter *w = &p->waits[p->nwaits++];
	*w = (struct waiter){.parking = p, .key = k, .prev = k->last, .arg = arg};
	if (k->last)
		k->last->next = w;
	else
		k->first = w;
	k->last = w;
	p->blocking->server->awaited_keys += k->waiters++ == 0;
	if (p->how.gone_too)
		f->keys_for_gone += k->for_gone++ == 0;
}

static void dequeue(struct waiter *w)
{
	struct blocking_figures *f = &w->parking->blocking->figures;
	struct awaited *k = w->key;
	if (w->prev)
		w->prev->next = w->next;
	else
		k->first = w->next;
	if (w->next)
		w->next->prev = w->prev;
	else
		k->last = w->prev;
	w->parking->blocking->server->awaited_keys -= --k->waiters == 0;
	if (w->parking->how.gone_too)
		f->keys_for_gone -= --k->for_gone == 0;
	release(w->parking->blocking, k);
}

/* --- a wait begins and ends --- */

static int64_t timed_out(void *arg)
{
	struct parking *p = arg;
	blocking_end(p->item.session, NULL);
	return -1;
}

/* Queue it on each of its keys once. False when there is no memory for all. */
static bool enqueue_all(struct parking *p)
{
	for (int i = 0; i < p->how.nkeys; i++) {
		int arg = p->how.first_key + i;
		struct awaited *k =
			find_or_add(p->blocking, p->item.session->db->id, p->item.argv[arg]);
		if (!k)
			return false;
		/* We alone are coming now: where we stand already, we stand last. */
		if (!k->last || k->last->parking != p)
			enqueue(p, k, arg);
	}
	return true;
}

static void dequeue_all(struct parking *p)
{
	while (p->nwaits)
		dequeue(&p->waits[--p->nwaits]);
}

static void parking_free(struct parking *p)
{
	item_drop(&p->item);
	mem_free(p);
}

bool blocking_begin(struct blocking *b, const struct dispatch_item *item, const struct park *how)
{
	struct dispatch_item words = *item;
	struct session *s = item->session;
	struct parking *p = mem_try(sizeof(*p) + (size_t)how->nkeys * sizeof(struct waiter));
	if (!p)
		return false;
	*p = (struct parking){.blocking = b, .how = *how};
	p->how.argv = NULL;
	if (how->argv) {
		words.argv = how->argv;
		words.blob = NULL;
		words.has_hash1 = false;
	}
	if (!item_copy(&p->item, &words)) {
		mem_free(p);
		return false;
	}
	if (!enqueue_all(p)) {
		dequeue_all(p);
		parking_free(p);
		return false;
	}
	if (how->timeout_ms) {
		int64_t ms = how->timeout_ms < WAIT_MAX_MS ? how->timeout_ms : WAIT_MAX_MS;
		p->timer = loop_timer_add(b->server->loop, ms, timed_out, p);
		b->figures.with_timeout++;
	}
	if (p->how.until_synced)
		DL_APPEND(b->unsynced, p);
	b->figures.clients++;
	s->parking = p;
	s->flags |= SESSION_PARKED | SESSION_HELD;
	s->ops->park(s);
	return true;
}

void blocking_took(struct session *s, uint64_t ticks)
{
	s->parking->ticks = ticks;
}

/* Off the queues; the parking is the caller's to free. */
static struct parking *detach(struct session *s)
{
	struct parking *p = s->parking;
	dequeue_all(p);
	if (p->how.until_synced)
		DL_DELETE(p->blocking->unsynced, p);
	if (p->timer) {
		loop_timer_remove(p->timer);
		p->blocking->figures.with_timeout--;
	}
	p->blocking->figures.clients--;
	s->parking = NULL;
	s->flags &= ~(uint32_t)SESSION_PARKED;
	return p;
}

bool blocking_end(struct session *s, const char *error)
{
	if (!s->parking)
		return false;
	struct parking *p = detach(s);
	uint64_t errors = s->reply->errors;
	if (error)
		reply_error(s->reply, error);
	else if (p->how.over)
		p->how.over(s);
	else
		reply_null_array(s->reply);
	dispatch_end(&p->item, p->ticks, errors);
	parking_free(p);
	s->ops->unpark(s);
	return true;
}

void blocking_leave(struct session *s)
{
	if (!s->parking)
		return;
	struct parking *p = detach(s);
	if (!p->resuming)
		parking_free(p);
}

/* --- serving --- */

static void resume(struct parking *p, int arg)
{
	struct session *s = p->item.session;
	p->item.ready_key = arg;
	p->resuming = true;
	dispatch_resume(&p->item, &p->ticks);
	p->resuming = false;
	if (s->parking == p) {
		if (p->item.state == ITEM_PARKED)
			return;
		detach(s);
		s->ops->unpark(s);
	}
	parking_free(p);
}

static bool is_going(const struct session *s)
{
	return s->flags & (SESSION_CLOSE_AFTER_REPLY | SESSION_CLOSE_ASAP);
}

/* Let each who waits now try once. A resumed command may take others' places only by replying to itself, so the next in
 * the queue stays the next. */
static void serve_key(struct blocking *b, struct awaited *k)
{
	struct db *db = &b->server->keyspace->dbs[k->db];
	size_t n = k->waiters;
	struct waiter *next;
	for (struct waiter *w = k->first; w && n--; w = next) {
		next = w->next;
		uint64_t word = keyspace_read_hashed(db, bytes_of(k->name, k->len), k->hash,
						     KEYSPACE_NOTOUCH);
		if (!word && !k->for_gone)
			return;
		bool fits = word && word_type(word) == w->parking->how.type;
		if ((fits || w->parking->how.gone_too) && !is_going(w->parking->item.session))
			resume(w->parking, w->arg);
	}
}

bool blocking_ready(const struct blocking *b)
{
	return b->ready && !b->serving;
}

void blocking_serve(struct blocking *b)
{
	if (b->serving)
		return;
	b->serving = true;
	while (b->ready) {
		struct awaited *k = b->ready;
		b->ready = k->next_ready;
		if (!b->ready)
			b->ready_tail = &b->ready;
		k->ready = false;
		k->serving = true;
		serve_key(b, k);
		k->serving = false;
		release(b, k);
	}
	b->serving = false;
}

void blocking_synced(struct blocking *b)
{
	struct parking *p, *next;
	DL_FOREACH_SAFE(b->unsynced, p, next)
	if (!is_going(p->item.session))
		resume(p, 1);
}

/* --- figures --- */

size_t blocking_mem(const struct session *s)
{
	return s->parking ? mem_size(s->parking) + item_mem(&s->parking->item) : 0;
}

struct blocking_figures blocking_figures(const struct blocking *b)
{
	struct blocking_figures f = b->figures;
	f.keys = b->server->awaited_keys;
	return f;
}
