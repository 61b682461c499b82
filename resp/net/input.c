/* resp/net/input.c - reading a client's socket and parsing what came into the batch. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "resp/acl/acl.h"
#include "resp/log.h"
#include "resp/net/client.h"
#include "resp/net/loop.h"
#include "resp/server.h"
#include "resp/sessions/transaction.h"
#include "store/base/mem.h"

/* From this size on an argument is read into a block of its own, which SET can adopt. */
#define BODY_MIN (32 * 1024)
/* What is set aside for a body when nothing of it has come yet. */
#define BODY_FIRST (64 * 1024)

static void log_client(struct client *c, enum log_level level, const char *what, const char *why)
{
	struct log *log = &c->net->server->config.log;
	if (log->level > level)
		return;
	char *who = client_describe(c);
	log_line(log, level, "%s%s%s: %s", what, why ? " " : "", why ? why : "", who);
	mem_free(who);
}

static void log_closed(struct client *c)
{
	struct log *log = &c->net->server->config.log;
	if (log->level > LOG_LEVEL_VERBOSE)
		return;
	char *who = client_describe(c);
	log_line(log, LOG_LEVEL_VERBOSE, "Client closed connection %s", who);
	mem_free(who);
}

void client_protocol_error(struct client *c)
{
	/* What came before it is answered before it. */
	batch_run(c->net->batch, c->net->server);
	if (client_is_closing(c))
		return;
	c->broken = c->session.flags & SESSION_HELD;
	if (c->broken)
		return;
	reply_errorf(c->session.reply, "ERR %s", c->parser.error);
	struct log *log = &c->net->server->config.log;
	if (log->level <= LOG_LEVEL_VERBOSE) {
		char *who = client_describe(c);
		log_line(log, LOG_LEVEL_VERBOSE, "Protocol error (%s) from client: %s.",
			 c->parser.error, who);
		mem_free(who);
	}
	c->session.ops->close(&c->session, false);
}

/* A browser that was led to us sends these as inline lines; its next lines must not run. */
static bool is_http(struct bytes word)
{
	return bytes_is(word, "post") || bytes_is(word, "host:");
}

static void refuse_http(struct client *c)
{
	log_line(&c->net->server->config.log, LOG_LEVEL_WARNING,
		 "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or "
		 "Host: commands to Redis. This is likely due to an attacker attempting to use "
		 "Cross Protocol Scripting to compromise your Redis instance. Connection aborted.");
	batch_run(c->net->batch, c->net->server);
	client_mark_close(c);
}

/* Put a parsed command into the batch. False when the batch must run before the parser goes on. */
static bool add_item(struct client *c, int argc, const struct bytes *argv, bool own_argv, bool big)
{
	struct batch *b = c->net->batch;
	struct dispatch_item *item = &b->items[b->n++];
	item->session = &c->session;
	item->argc = argc;
	item->argv = argv;
	item->blob = NULL;
	item->blob_arg = 0;
	item->big = big;
	item->file_flags = 0;
	item->ready_key = 0;
	item->state = ITEM_DONE;
	if (!own_argv)
		b->nargs += (size_t)argc;
	return !own_argv && b->n < BATCH_ITEMS && b->nargs < BATCH_ARGS / 2 &&
	       (c->session.flags & SESSION_AUTHENTICATED);
}

/* The batch must run before the parser goes on. False when the client is to be heard no further. */
static bool run_full(struct client *c)
{
	batch_run(c->net->batch, c->net->server);
	c->parser.authenticated = !acl_must_log_in(&c->session);
	return !client_is_closing(c);
}

/* Parse commands out of @n bytes at @buf into the batch, running it whenever it is full. Returns how many bytes were used. */
static size_t parse(struct client *c, const char *buf, size_t n)
{
	struct network *net = c->net;
	struct batch *b = net->batch;
	size_t off = 0, used;
	int argc;
	struct bytes *argv;
	while (off < n || c->parser.outside) {
		const char *outside = c->parser.outside;
		int outside_arg = c->parser.outside_arg;
		struct bytes *room = b->args + b->nargs;
		if (off < n && buf[off] == '*' && parser_is_between(&c->parser) &&
		    (used = parser_whole(&c->parser, buf + off, n - off, room,
					 (int)(BATCH_ARGS - b->nargs), &argc))) {
			/* Its head may have come before, and have been looked through in vain. */
			c->parser.scanned = 0;
			off += used;
			if (!add_item(c, argc, room, false, buf == c->in) && !run_full(c))
				return n;
			continue;
		}
		switch (parser_next(&c->parser, buf + off, n - off, room,
				    (int)(BATCH_ARGS - b->nargs), &argc, &argv, &used)) {
		case PARSER_MORE:
			return off;
		case PARSER_ERROR:
			client_protocol_error(c);
			return n;
		case PARSER_EMPTY:
			off += used;
			continue;
		case PARSER_READY:
			break;
		}
		if (__builtin_expect(buf[off] != '*', 0) && is_http(argv[0])) {
			refuse_http(c);
			return n;
		}
		off += used;
		bool go_on = add_item(c, argc, argv, argv != room, outside || buf == c->in);
		if (__builtin_expect(outside != NULL, 0)) {
			b->items[b->n - 1].blob = c->body;
			b->items[b->n - 1].blob_arg = outside_arg;
			c->body = NULL;
			go_on = false;
		}
		if (!go_on && !run_full(c))
			return n;
	}
	return off;
}

static void drop_input(struct client *c)
{
	mem_free(c->in);
	c->in = NULL;
	c->in_len = c->in_cap = 0;
}

/* --- an argument in a block of its own --- */

static void out_of_memory(struct client *c)
{
	log_client(c, LOG_LEVEL_WARNING, "Closing client for whose input there is no memory", NULL);
	batch_run(c->net->batch, c->net->server);
	client_mark_close(c);
}

static size_t body_room(size_t want, size_t have)
{
	size_t cap = have < BODY_FIRST / 4 ? BODY_FIRST : have * 4;
	return cap < want ? cap : want;
}

/* The rest of the input, @n bytes at @tail, ends in the body of a big argument: move that to a block. Returns what stays of the
 * tail. */
static size_t begin_body(struct client *c, const char *tail, size_t n)
{
	struct parser *p = &c->parser;
	size_t have = n - p->pos, want = (size_t)p->bulk;
	size_t body = have < want ? have : want;
	c->body = blob_try(body_room(want, body));
	if (c->body == NULL) {
		out_of_memory(c);
		return 0;
	}
	memcpy(c->body->data, tail + p->pos, body);
	c->body->len = body;
	c->body_want = want;
	c->body_end = 2 - (unsigned)(have - body);
	return p->pos;
}

/* Keep what is left of the input, in exactly its size. */
static void keep_tail(struct client *c, const char *tail, size_t n)
{
	struct parser *p = &c->parser;
	if (p->bulk >= BODY_MIN && p->outside == NULL && c->body == NULL && p->pos <= BATCH_TAIL &&
	    n >= p->pos)
		n = begin_body(c, tail, n);
	if (n == 0)
		return;
	if (n > c->in_cap) {
		mem_free(c->in);
		c->in = mem_alloc(n);
		c->in_cap = mem_size(c->in);
	}
	memcpy(c->in, tail, n);
	c->in_len = n;
}

/* --- reading --- */

bool client_received(struct client *c, ssize_t n)
{
	struct server *server = c->net->server;
	if (n > 0) {
		server->stats.net_input_bytes += (uint64_t)n;
		server->stats.reads_processed++;
		c->session.last_ms = server->keyspace->now_ms;
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n < 0)
		log_line(&c->net->server->config.log, LOG_LEVEL_VERBOSE, "Reading from client: %s",
			 strerror(errno));
	else
		log_closed(c);
	client_mark_close(c);
	return false;
}

/* Parse @n bytes at the arena's room and keep the rest. */
static void take(struct client *c, char *base, size_t n)
{
	struct batch *b = c->net->batch;
	batch_keep(b, n);
	size_t used = parse(c, base, n);
	if (c->session.flags & SESSION_CLOSE_ASAP)
		return;
	if (used < n)
		keep_tail(c, base + used, n - used);
}

/* The usual: behind the kept tail, if any, into the arena. */
static void read_arena(struct client *c)
{
	char *base = batch_room(c->net->batch, c->net->server);
	size_t kept = c->in_len;
	ssize_t n = client_recv(c, base + kept, BATCH_READ);
	if (!client_received(c, n))
		return;
	if (kept) {
		memcpy(base, c->in, kept);
		drop_input(c);
	}
	take(c, base, kept + (size_t)n);
}

/* A long command of small arguments: in the client's own buffer, which grows with what comes. */
static void read_own(struct client *c)
{
	if (c->in_cap - c->in_len < BATCH_READ) {
		char *grown = mem_retry(c->in, c->in_len * 2 + BATCH_READ);
		if (grown == NULL) {
			out_of_memory(c);
			return;
		}
		c->in = grown;
		c->in_cap = mem_size(grown);
	}
	ssize_t n = client_recv(c, c->in + c->in_len, BATCH_READ);
	if (!client_received(c, n))
		return;
	c->in_len += (size_t)n;
	size_t used = parse(c, c->in, c->in_len);
	if (used == 0)
		return;
	/* The arguments stand in this buffer. */
	batch_run(c->net->batch, c->net->server);
	char *whole = c->in;
	size_t left = c->in_len - used;
	c->in = NULL;
	c->in_len = c->in_cap = 0;
	if (left && !(c->session.flags & SESSION_CLOSE_ASAP))
		keep_tail(c, whole + used, left);
	mem_free(whole);
}

/* The line end behind a body and what follows, @n bytes at @base + c->in_len. */
static void end_body(struct client *c, char *base, size_t n)
{
	char *rest = base + c->in_len;
	size_t skip = n < c->body_end ? n : c->body_end;
	c->body_end -= (unsigned)skip;
	if (c->body_end)
		return;
	n -= skip;
	memmove(rest, rest + skip, n);
	n += c->in_len;
	memcpy(base, c->in, c->in_len);
	drop_input(c);
	parser_outside(&c->parser, c->body->data);
	take(c, base, n);
}

static void read_body(struct client *c)
{
	struct blob *body = c->body;
	if (body->len == body->cap && body->cap < c->body_want) {
		struct blob *grown = blob_own(body, body_room(c->body_want, body->cap));
		if (grown == NULL) {
			out_of_memory(c);
			return;
		}
		c->body = body = grown;
	}
	char *base = batch_room(c->net->batch, c->net->server);
	size_t room = (body->cap < c->body_want ? body->cap : c->body_want) - body->len;
	struct iovec iov[2] = {
		{body->data + body->len, room},
		{base + c->in_len, BATCH_READ},
	};
	struct msghdr msg = {.msg_iov = iov,
			     .msg_iovlen = body->len + room == c->body_want ? 2 : 1};
	ssize_t n = client_recvmsg(c, &msg);
	if (!client_received(c, n))
		return;
	size_t mine = (size_t)n < room ? (size_t)n : room;
	body->len += mine;
	if (body->len == c->body_want && (size_t)n > mine)
		end_body(c, base, (size_t)n - mine);
}

static bool within_query_limit(struct client *c)
{
	struct server *server = c->net->server;
	size_t held = c->in_len + (c->body ? c->body->len : 0) + c->deferred_mem +
		      transaction_input(&c->session);
	if (held > c->net->max_input)
		c->net->max_input = held;
	if (held <= (size_t)server->config.client_query_buffer_limit)
		return true;
	log_client(c, LOG_LEVEL_WARNING, "Closing client that reached max query buffer length",
		   NULL);
	server->stats.client_query_buffer_limit_disconnections++;
	client_mark_close(c);
	return false;
}

void client_read(struct client *c)
{
	struct client *outer = c->net->reading;
	c->net->reading = c;
	c->parser.authenticated = !acl_must_log_in(&c->session);
	c->parser.max_bulk = c->net->server->config.proto_max_bulk_len;
	if (c->broken)
		client_read_nothing(c);
	else if (c->body && c->parser.outside == NULL)
		read_body(c);
	else if (c->in_len > BATCH_TAIL)
		read_own(c);
	else
		read_arena(c);
	c->net->reading = outer;
	if (c->in_len || c->body || c->deferred || c->session.flags & SESSION_MULTI)
		within_query_limit(c);
	if (__builtin_expect(c->tls != NULL, 0))
		tls_client_read(c);
	client_mark_send(c);
}
