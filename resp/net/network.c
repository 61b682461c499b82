/* resp/net/network.c - see network.h. */
#include "resp/net/network.h"
#include "resp/changes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "resp/log.h"
#include "resp/net/client.h"
#include "resp/net/loop.h"
#include "resp/net/tls_context.h"
#include "resp/server.h"
#include "resp/sessions/tracking/tracking.h"
#include "store/base/mem.h"

/* --- the hooks of a turn --- */

static void run_commands(void *arg)
{
	struct network *n = arg;
	if (n->batch->running)
		return;
	if (n->more_list)
		network_read_more(n);
	batch_run(n->batch, n->server);
	network_resume(n);
	n->batch->used = 0;
}

/* Those whose changes are on the disk by now may be sent to. */
static void release_held(struct network *n)
{
	struct client *c = n->held;
	n->held = NULL;
	for (struct client *next; c; c = next) {
		next = c->next_send;
		c->held = false;
		client_mark_send(c);
	}
}

static void send_replies(void *arg)
{
	struct network *n = arg;
	if (n->batch->running)
		return;
	if (n->server->tracking)
		tracking_turn(n->server);
	if (n->server->changes)
		changes_settle(n->server->changes, false);
	release_held(n);
	struct client *c = n->send_list;
	n->send_list = NULL;
	n->send_tail = &n->send_list;
	for (struct client *next; c; c = next) {
		next = c->next_send;
		c->in_send_list = false;
		client_send(c);
		client_check_output(c);
		if (__builtin_expect(n->shed_limit != 0, 0))
			client_count(c);
	}
	if (n->shed_limit)
		network_shed(n);
	while (n->close_list) {
		c = n->close_list;
		n->close_list = c->next_close;
		client_free(c);
	}
}

/* --- starting --- */

static void warn_backlog(struct server *s)
{
	FILE *f = fopen("/proc/sys/net/core/somaxconn", "r");
	int max;
	if (f == NULL)
		return;
	if (fscanf(f, "%d", &max) == 1 && max > 0 && max < s->config.tcp_backlog)
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "WARNING: The TCP backlog setting of %d cannot be enforced because "
			 "/proc/sys/net/core/somaxconn is set to the lower value of %d.",
			 s->config.tcp_backlog, max);
	fclose(f);
}

/* The addresses of `bind` at port and tls-port. @failed tells which port could not be had. */
static int open_ports(struct config *cfg, struct listener *keep, struct listener **list,
		      enum listener_door *failed)
{
	static const enum listener_door doors[] = {DOOR_TCP, DOOR_TLS};
	for (size_t i = 0; i < sizeof(doors) / sizeof(doors[0]); i++) {
		*failed = doors[i];
		if (listener_open_tcp(cfg, doors[i], keep, list) < 0)
			return -1;
	}
	return 0;
}

static int open_listeners(struct server *s, struct listener **list)
{
	struct config *cfg = &s->config;
	enum listener_door door;
	if (open_ports(cfg, NULL, list, &door) < 0) {
		log_line(&cfg->log, LOG_LEVEL_WARNING,
			 "Failed listening on port %d (%s), aborting.", listener_port(cfg, door),
			 door == DOOR_TLS ? "tls" : "tcp");
		return -1;
	}
	if (cfg->unixsocket[0] && listener_open_unix(cfg, list) < 0)
		return -1;
	/* What is only looked into needs no door but the mount. */
	if (*list == NULL && !cfg->rdb[0]) {
		log_line(&cfg->log, LOG_LEVEL_WARNING,
			 "Configured to not listen anywhere, exiting.");
		return -1;
	}
	return 0;
}

static void close_listeners(struct listener *l)
{
	while (l) {
		struct listener *next = l->next;
		listener_free(l);
		l = next;
	}
}

struct network *network_new(struct server *s)
{
	struct listener *list = NULL;
	struct ssl_ctx_st *tls = NULL;
	warn_backlog(s);
	if (s->config.tls.port && (tls = tls_context_new(&s->config)) == NULL) {
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Failed to configure TLS. Check logs for more info.");
		return NULL;
	}
	if (open_listeners(s, &list) < 0) {
		close_listeners(list);
		tls_context_free(tls);
		return NULL;
	}
	struct network *n = mem_calloc(sizeof(*n));
	n->server = s;
	n->loop = s->loop;
	n->listeners = list;
	n->tls = tls;
	n->send_tail = &n->send_list;
	network_shed_limit(n);
	n->batch = mem_alloc(sizeof(*n->batch));
	batch_init(n->batch);
	loop_before_wait(n->loop, run_commands, n);
	return n;
}

void network_start(struct network *n)
{
	loop_before_wait(n->loop, send_replies, n);
	for (struct listener *l = n->listeners; l; l = l->next)
		listener_start(l, n);
}

void network_run_no_more(struct network *n)
{
	for (struct client *c = n ? n->clients : NULL; c; c = c->next)
		c->session.flags |= SESSION_CLOSE_AFTER_REPLY;
}

void network_free(struct network *n)
{
	/* SHUTDOWN's caller and those that wait get what was said to them so far. */
	for (struct client *c = n->clients; c; c = c->next)
		client_send(c);
	while (n->clients)
		client_free(n->clients);
	close_listeners(n->listeners);
	tls_context_free(n->tls);
	batch_fini(n->batch);
	mem_free(n->batch);
	mem_free(n);
}

/* --- CONFIG SET bind, port --- */

/* Move the listeners that the configuration no longer names out of the network's list. */
static struct listener *take_unwanted(struct network *n)
{
	struct listener *out = NULL, **at = &n->listeners;
	while (*at) {
		struct listener *l = *at;
		if (listener_wanted(&n->server->config, l)) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		l->next = out;
		out = l;
	}
	return out;
}

static void append(struct network *n, struct listener *list)
{
	struct listener **at = &n->listeners;
	while (*at)
		at = &(*at)->next;
	*at = list;
}

/* Free listeners whose socket is closed. */
static void forget(struct listener *l)
{
	while (l) {
		struct listener *next = l->next;
		mem_free(l->address);
		mem_free(l);
		l = next;
	}
}

/* Open again what was closed to make room. */
static void restore(struct network *n, struct listener *old)
{
	for (struct listener *l = old; l; l = l->next) {
		struct listener *again = NULL;
		listener_open_again(&n->server->config, l, &again);
		if (again) {
			listener_start(again, n);
			append(n, again);
		}
	}
	forget(old);
}

static void start(struct network *n, struct listener *added)
{
	for (struct listener *l = added; l; l = l->next)
		listener_start(l, n);
	append(n, added);
}

/* Whether one of @old holds a port that is wanted still: "*" and one address of it exclude each other. */
static bool in_the_way(const struct config *cfg, const struct listener *old)
{
	for (; old; old = old->next)
		if (old->port == cfg->port || old->port == cfg->tls.port)
			return true;
	return false;
}

int network_rebind(struct network *n)
{
	struct config *cfg = &n->server->config;
	struct listener *added = NULL;
	struct listener *old = take_unwanted(n);
	enum listener_door door;
	if (open_ports(cfg, n->listeners, &added, &door) == 0) {
		close_listeners(old);
		start(n, added);
		return 0;
	}
	int why = errno;
	close_listeners(added);
	added = NULL;
	if (why != EADDRINUSE || !in_the_way(cfg, old)) {
		append(n, old);
		return -1;
	}
	/* The old ones must go before the new can come. */
	for (struct listener *l = old; l; l = l->next)
		listener_close(l);
	if (open_ports(cfg, n->listeners, &added, &door) < 0) {
		close_listeners(added);
		restore(n, old);
		return -1;
	}
	forget(old);
	start(n, added);
	return 0;
}

int network_load_tls(struct network *n)
{
	struct ssl_ctx_st *tls = tls_context_new(&n->server->config);
	if (tls == NULL)
		return -1;
	tls_context_free(n->tls);
	n->tls = tls;
	return 0;
}

/* --- now and then --- */

static bool is_idle_too_long(const struct client *c, int64_t now_ms)
{
	int timeout = c->net->server->config.timeout;
	if (timeout <= 0 || c->session.flags & (SESSION_MONITOR | SESSION_PUBSUB | SESSION_HELD))
		return false;
	return now_ms - c->session.last_ms > (int64_t)timeout * 1000;
}

static void check_client(struct client *c, int64_t now_ms)
{
	client_check_output(c);
	if (c->tls)
		tls_client_check(c, now_ms);
	if (c->shrunk && c->reply.cap) {
		c->net->server->stats.reply_expands++;
		c->shrunk = false;
	}
	const struct server_debug *debug = &c->net->server->debug;
	int64_t idle_ms = debug->reply_peak_ms ? debug->reply_peak_ms : 1000;
	if (!debug->reply_keep && idle_ms > 0 && now_ms - c->session.last_ms > idle_ms &&
	    c->reply.cap) {
		reply_shrink(&c->reply);
		if (!c->reply.cap) {
			c->net->server->stats.reply_shrinks++;
			c->shrunk = true;
		}
	}
	if (c->net->shed_limit)
		client_count(c);
	if (c->session.flags & SESSION_CLOSE_ASAP || !is_idle_too_long(c, now_ms))
		return;
	log_line(&c->net->server->config.log, LOG_LEVEL_VERBOSE, "Closing idle client");
	client_mark_close(c);
}

/* The front client goes to the back, so that each call sees others. */
static struct client *rotate(struct network *n)
{
	struct client *c = n->clients;
	if (c == NULL || c->next == NULL)
		return c;
	n->clients = c->next;
	n->clients->prev = NULL;
	c->next = NULL;
	c->prev = n->clients_tail;
	n->clients_tail->next = c;
	n->clients_tail = c;
	return c;
}

void network_cron(struct network *n, int64_t now_ms)
{
	/* All of them about once a second. */
	size_t hz = (size_t)server_hz(n->server);
	size_t share = n->nclients / (hz ? hz : 1) + 5;
	if (share > n->nclients)
		share = n->nclients;
	for (size_t i = 0; i < share; i++)
		check_client(rotate(n), now_ms);
	if (now_ms - n->figures_ms > 8000) {
		n->figures_ms = now_ms;
		n->max_input = n->max_output = 0;
	}
}

void network_figures(const struct network *n, struct network_figures *out)
{
	*out = (struct network_figures){
		.clients = n->nclients, .max_input = n->max_input, .max_output = n->max_output};
	for (const struct client *c = n->clients; c; c = c->next) {
		struct session_figures f;
		c->session.ops->figures(&c->session, &f);
		out->mem_clients_normal += f.tot_mem;
	}
}
