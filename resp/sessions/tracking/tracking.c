/* resp/sessions/tracking/tracking.c - see tracking.h. */
#define uthash_malloc(n)  mem_alloc(n)
#define uthash_free(p, n) mem_free(p)
#include "resp/sessions/tracking/tracking.h"

#include <string.h>
#include <uthash.h>

#include "resp/dispatch.h"
#include "resp/net/loop.h"
#include "resp/server.h"
#include "resp/sessions/push.h"
#include "resp/sessions/tracking/keys.h"
#include "resp/sessions/tracking/prefixes.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"

/* How many keys one turn takes off a table that is too large, and one step of the sweep looks for the dead in. */
#define LIMIT_EFFORT 1000
#define SWEEP_STEPS  64
#define SWEEP_MS     10

/* tracking-table-max-keys bounds names; names and readers of an unusual size are bounded by this much for each, on the average. */
#define KEY_MEM  512
#define FREE_MEM ((size_t)64 << 20)

/* One that tracks, under a number that is never used again: what an earlier life of the session read is nobody's. */
struct tracker {
	uint32_t id;
	unsigned options;
	uint64_t redirect;
	struct session *session;
	struct prefix_member **prefixes; /* in order of their bytes */
	size_t nprefixes;
	UT_hash_handle hh;
};

struct tracking {
	struct server *server;
	struct tracker *trackers; /* by id */
	uint32_t last_id;
	struct tracked_keys *keys;
	struct prefixes *prefixes;
	struct rng rng;
	struct loop_timer *sweeper; /* while the table may name the dead */
	uint64_t cursor;
	bool sweep_again; /* one died behind the cursor */
};

static struct tracker *find_tracker(const struct tracking *t, uint32_t id)
{
	struct tracker *x;
	HASH_FIND(hh, t->trackers, &id, sizeof(id), x);
	return x;
}

/* --- coming and going --- */

static struct tracking *tracking_of(struct server *server)
{
	if (server->tracking)
		return server->tracking;
	struct tracking *t = mem_calloc(sizeof(*t));
	t->server = server;
	t->keys = tracked_keys_new();
	t->prefixes = prefixes_new();
	rng_seed(&t->rng, rng_next(&server->keyspace->rng));
	server->tracking = t;
	return t;
}

void tracking_free(struct tracking *t)
{
	if (!t)
		return;
	if (t->sweeper)
		loop_timer_remove(t->sweeper);
	tracked_keys_free(t->keys);
	prefixes_free(t->prefixes);
	t->server->tracking = NULL;
	mem_free(t);
}

static bool is_alive(void *arg, uint32_t id)
{
	return find_tracker(arg, id) != NULL;
}

/* Take what the dead have read off the table, some at a time; the last one to go takes everything. */
static int64_t sweep(void *arg)
{
	struct tracking *t = arg;
	for (unsigned i = 0; i < SWEEP_STEPS; i++) {
		t->cursor = tracked_keys_sweep(t->keys, t->cursor, is_alive, t);
		if (t->cursor)
			continue;
		bool deserted = !t->trackers;
		if (t->sweep_again || (deserted && tracked_keys_count(t->keys))) {
			t->sweep_again = false;
			continue;
		}
		t->sweeper = NULL;
		if (deserted)
			tracking_free(t);
		return -1;
	}
	return SWEEP_MS;
}

static void begin_sweep(struct tracking *t)
{
	if (t->sweeper)
		t->sweep_again = true;
	else
		t->sweeper = loop_timer_add(t->server->loop, 0, sweep, t);
}

static struct tracker *tracker_new(struct tracking *t, struct session *s)
{
	struct tracker *x = mem_calloc(sizeof(*x));
	do
		x->id = ++t->last_id;
	while (find_tracker(t, x->id));
	x->session = s;
	HASH_ADD(hh, t->trackers, id, sizeof(x->id), x);
	s->tracker = x;
	return x;
}

static void leave_prefixes(struct tracking *t, struct tracker *x, size_t from)
{
	for (size_t i = from; i < x->nprefixes; i++)
		prefixes_leave(t->prefixes, x->prefixes[i]);
	x->nprefixes = from;
}

void tracking_disable(struct session *s)
{
	struct tracker *x = s->tracker;
	struct tracking *t = s->server->tracking;
	s->flags &= ~(uint32_t)SESSION_CACHING;
	if (!x)
		return;
	leave_prefixes(t, x, 0);
	mem_free(x->prefixes);
	HASH_DEL(t->trackers, x);
	mem_free(x);
	s->tracker = NULL;
	begin_sweep(t);
}

static int by_name(const void *a, const void *b)
{
	struct bytes x = prefix_name(*(struct prefix_member *const *)a);
	struct bytes y = prefix_name(*(struct prefix_member *const *)b);
	size_t n = x.n < y.n ? x.n : y.n;
	int order = n ? memcmp(x.p, y.p, n) : 0;
	return order ? order : (x.n > y.n) - (x.n < y.n);
}

static bool has_everything(const struct tracker *x)
{
	return x->nprefixes && !prefix_name(x->prefixes[0]).n;
}

static bool join_prefixes(struct tracking *t, struct tracker *x, const struct bytes *names,
			  size_t n)
{
	size_t before = x->nprefixes;
	struct prefix_member **more = mem_retry(x->prefixes, (before + n) * sizeof(*more));
	if (!more)
		return false;
	x->prefixes = more;
	for (size_t i = 0; i < n; i++) {
		struct prefix_member *m = prefixes_join(t->prefixes, names[i], x);
		if (!m) {
			leave_prefixes(t, x, before);
			return false;
		}
		x->prefixes[x->nprefixes++] = m;
	}
	qsort(x->prefixes, x->nprefixes, sizeof(*x->prefixes), by_name);
	return true;
}

bool tracking_enable(struct session *s, uint64_t redirect, unsigned options,
		     const struct bytes *prefixes, size_t n)
{
	static const struct bytes everything = {"", 0};
	struct tracking *t = tracking_of(s->server);
	bool fresh = !s->tracker;
	struct tracker *x = fresh ? tracker_new(t, s) : s->tracker;
	if (!n && options & TRACKING_BCAST && !has_everything(x)) {
		prefixes = &everything;
		n = 1;
	}
	if (n && !join_prefixes(t, x, prefixes, n)) {
		if (fresh)
			tracking_disable(s);
		return false;
	}
	x->options = options;
	x->redirect = redirect;
	return true;
}

/* --- telling --- */

/* What a tracker is told: one key, what changed under a prefix, or, with neither, that nothing it has is good any more. */
struct told {
	const struct bytes *key;
	struct prefix_news *news;
};

static void say_broken(struct tracker *x)
{
	struct push p;
	x->options |= TRACKING_BROKEN;
	if (x->session->reply->proto < 3 || !push_begin(&p, x->session))
		return;
	reply_push(p.out, 2);
	reply_bulk(p.out, BYTES("tracking-redir-broken"));
	reply_int(p.out, (int64_t)x->redirect);
	push_end(&p);
}

/* Whom to tell. NULL when it cannot be told: RESP2 has no pushes, but one who subscribes to something takes messages. */
static struct session *receiver(struct tracker *x)
{
	if (!x->redirect)
		return x->session->reply->proto < 3 ? NULL : x->session;
	struct session *to = session_find(x->session->server, x->redirect);
	if (!to)
		say_broken(x);
	else if (to->reply->proto < 3 && !(to->flags & SESSION_PUBSUB))
		return NULL;
	return to;
}

static void say(struct tracker *x, const struct told *what)
{
	uint64_t except = x->options & TRACKING_NOLOOP ? x->session->id : 0;
	if (what->news && !prefix_news_count(what->news, except))
		return;
	struct session *to = receiver(x);
	struct push p;
	if (!to || !push_begin(&p, to))
		return;
	if (to->reply->proto < 3) {
		reply_array(p.out, 3);
		reply_bulk(p.out, BYTES("message"));
		reply_bulk(p.out, BYTES("__redis__:invalidate"));
	} else {
		reply_push(p.out, 2);
		reply_bulk(p.out, BYTES("invalidate"));
	}
	if (what->key) {
		reply_array(p.out, 1);
		reply_bulk(p.out, *what->key);
	} else if (what->news) {
		prefix_news_append(what->news, except, p.out);
	} else {
		reply_null(p.out);
	}
	push_end(&p);
}

/* --- keys --- */

/* The session for which the running command runs, whatever script it stands in. */
static struct session *caller(const struct server *server)
{
	return server->running ? server->caller : NULL;
}

static void invalidate(struct tracking *t, struct tracked *k, const struct session *by)
{
	size_t n;
	const uint32_t *ids = tracked_ids(k, &n);
	struct bytes key = tracked_key(k);
	struct told what = {.key = &key};
	for (size_t i = 0; i < n; i++) {
		struct tracker *x = find_tracker(t, ids[i]);
		if (x && !(x->options & TRACKING_NOLOOP && x->session == by))
			say(x, &what);
	}
	tracked_free(k);
}

void tracking_changed(struct server *server, struct bytes key, uint64_t hash, bool gone)
{
	struct tracking *t = server->tracking;
	const struct session *by = gone ? NULL : caller(server);
	if (prefixes_changed(t->prefixes, key, by ? by->id : 0))
		loop_again(server->loop);
	struct tracked *k = tracked_keys_take(t->keys, key, hash);
	if (k)
		invalidate(t, k, by);
}

/* The sessions are told one by one; the table goes as a whole, its freeing is a matter of the allocator's. */
void tracking_flushed(struct server *server)
{
	struct tracking *t = server->tracking;
	struct told everything = {0};
	for (struct tracker *x = t->trackers; x; x = x->hh.next)
		say(x, &everything);
	tracked_keys_free(t->keys);
	t->keys = tracked_keys_new();
	t->cursor = 0;
}

/* --- reading --- */

/* Scripts do not read: the commands in them do. */
static bool reads(const struct command *cmd)
{
	return (cmd->flags & (CMD_READONLY | CMD_PUBSUB)) == CMD_READONLY &&
	       strcmp(cmd->group, "scripting") != 0;
}

static bool wants(const struct session *s)
{
	const struct tracker *x = s->tracker;
	bool asked = s->flags & SESSION_CACHING;
	if (!x || x->options & TRACKING_BCAST)
		return false;
	return x->options & TRACKING_OPTIN ? asked : !(x->options & TRACKING_OPTOUT && asked);
}

static void remember(struct tracking *t, struct tracker *x, struct bytes key, uint64_t hash)
{
	struct told what = {.key = &key};
	/* What cannot be remembered must not be cached. */
	if (!tracked_keys_add(t->keys, key, hash, x->id))
		say(x, &what);
}

static bool too_large(const struct tracking *t)
{
	size_t max = (size_t)t->server->config.tracking_table_max_keys;
	size_t n = tracked_keys_count(t->keys);
	if (!max || n <= 1)
		return max && n > max;
	return n > max || (tracked_keys_mem(t->keys) > FREE_MEM &&
			   (tracked_keys_mem(t->keys) - FREE_MEM) / KEY_MEM > max);
}

/* Take some off at random, as many as @effort, whoever is told of it. */
static void limit(struct tracking *t, size_t effort)
{
	while (effort-- && too_large(t)) {
		struct tracked *k = tracked_keys_take_random(t->keys, &t->rng);
		if (k)
			invalidate(t, k, NULL);
	}
}

void tracking_ran(struct call *c)
{
	struct session *s = caller(c->server);
	int few[64], *positions = few;
	if (!s || !wants(s) || !reads(c->cmd))
		return;
	struct tracking *t = c->server->tracking;
	if (c->argc > 64)
		positions = mem_alloc((size_t)c->argc * sizeof(*positions));
	int n = command_keys(c->cmd, c->argc, c->argv, positions, NULL, c->argc);
	for (int i = 0; i < n; i++) {
		struct bytes key = c->argv[positions[i]];
		uint64_t hash = positions[i] == 1 && c->has_hash1 ? c->hash1 : keyhash(key);
		remember(t, s->tracker, key, hash);
	}
	if (positions != few)
		mem_free(positions);
	if (n > 0)
		limit(t, (size_t)n + 1);
}

/* --- once a turn --- */

static void tell(void *arg, void *who, struct prefix_news *news)
{
	(void)arg;
	say(who, &(struct told){.news = news});
}

void tracking_turn(struct server *server)
{
	struct tracking *t = server->tracking;
	prefixes_tell(t->prefixes, tell, t);
	if (!too_large(t))
		return;
	limit(t, LIMIT_EFFORT);
	if (too_large(t))
		loop_again(server->loop);
}

/* --- figures --- */

unsigned tracking_options(const struct session *s)
{
	return s->tracker ? s->tracker->options : 0;
}

int64_t tracking_redirect(const struct session *s)
{
	return s->tracker ? (int64_t)s->tracker->redirect : -1;
}

size_t tracking_prefixes(const struct session *s)
{
	return s->tracker ? s->tracker->nprefixes : 0;
}

struct bytes tracking_prefix(const struct session *s, size_t i)
{
	return prefix_name(s->tracker->prefixes[i]);
}

size_t tracking_session_mem(const struct session *s)
{
	const struct tracker *x = s->tracker;
	size_t n = x ? sizeof(*x) + mem_size(x->prefixes) : 0;
	for (size_t i = 0; x && i < x->nprefixes; i++)
		n += mem_size(x->prefixes[i]) + prefix_name(x->prefixes[i]).n;
	return n;
}

struct tracking_figures tracking_figures(const struct server *server)
{
	const struct tracking *t = server->tracking;
	if (!t)
		return (struct tracking_figures){0};
	return (struct tracking_figures){
		.clients = HASH_COUNT(t->trackers),
		.keys = tracked_keys_count(t->keys),
		.items = tracked_keys_items(t->keys),
		.prefixes = prefixes_count(t->prefixes),
		.mem = tracked_keys_mem(t->keys),
	};
}
