#include "resp/dispatch.h"

#include <stdio.h>
#include <string.h>

#include "resp/acl/acl.h"
#include "resp/changes.h"
#include "resp/gate.h"
#include "resp/insight/command_latency.h"
#include "resp/insight/latency.h"
#include "resp/insight/monitor.h"
#include "resp/insight/slowlog.h"
#include "resp/journal.h"
#include "resp/pressure.h"
#include "resp/registry.h"
#include "resp/scripts/scripts.h"
#include "resp/server.h"
#include "resp/sessions/blocking.h"
#include "resp/sessions/pause.h"
#include "resp/sessions/push.h"
#include "resp/sessions/tracking/tracking.h"
#include "resp/sessions/transaction.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"

/* Arguments of so many bytes together are big: see copies_fit. */
#define BIG_ARGUMENTS ((size_t)1 << 20)

/* --- refusals --- */

static const char out_of_memory[] = "OOM command not allowed when used memory > 'maxmemory'.";

/* "with args beginning with: 'a' 'b' ", cut as Redis cuts it. */
static void reject_unknown(struct session *s, int argc, const struct bytes *argv)
{
	char args[128 + 160];
	size_t n = 0;
	args[0] = '\0';
	for (int i = 1; i < argc && n < 128; i++) {
		int room = (int)(128 - n);
		int len = argv[i].n < (size_t)room ? (int)argv[i].n : room;
		n += (size_t)snprintf(args + n, sizeof(args) - n, "'%.*s' ", len, argv[i].p);
	}
	int name = argv[0].n < 128 ? (int)argv[0].n : 128;
	reply_errorf(s->reply, "ERR unknown command '%.*s', with args beginning with: %s", name,
		     argv[0].p, args);
}

static void reject_unknown_sub(struct session *s, const struct bytes *argv)
{
	int n = argv[1].n < 128 ? (int)argv[1].n : 128;
	char name[65];
	snprintf(name, sizeof(name), "%.*s", (int)argv[0].n, argv[0].p);
	for (char *p = name; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p & ~0x20);
	reply_errorf(s->reply, "ERR unknown subcommand '%.*s'. Try %s HELP.", n, argv[1].p, name);
}

static inline bool arity_fits(const struct command *cmd, int argc)
{
	return cmd->arity >= 0 ? argc == cmd->arity : argc >= -cmd->arity;
}

/* The flags by which a call is refused: EXEC's are those of what it would run, and what is queued takes memory. */
static uint32_t flags_refused_by(const struct session *s, const struct dispatch_item *item)
{
	const struct command *cmd = item->reg->cmd;
	uint32_t flags = cmd->flags & CMD_SCRIPT ? scripts_command_flags(s->server->scripts, cmd,
									 item->argc, item->argv)
						 : cmd->flags;
	if (!(s->flags & SESSION_MULTI))
		return flags;
	if (flags & CMD_EXEC)
		return flags | transaction_flags(s);
	return flags & CMD_IMMEDIATE ? flags : flags | CMD_DENYOOM;
}

/* Who asks whether the server is well is told as well when its disk is not. */
static bool refuses(const char *why, const struct command *cmd, uint32_t flags)
{
	return flags & CMD_WRITE ||
	       (strcmp(cmd->name, "ping") == 0 && strncmp(why, "MISCONF ", 8) == 0);
}

/* The error line that refuses this call, or NULL when it may run. */
static const char *refusal(struct session *s, const struct dispatch_item *item)
{
	struct server *server = s->server;
	const struct command *cmd = item->reg->cmd;
	if (!(s->flags & SESSION_AUTHENTICATED) && !(cmd->flags & CMD_NO_AUTH) &&
	    acl_must_log_in(s))
		return "NOAUTH Authentication required.";
	if (s->flags & SESSION_RESTRICTED) {
		const char *error = acl_refusal(s, item->reg, item->argc, item->argv);
		if (error)
			return error;
	}
	if (server->busy)
		return cmd->flags & CMD_ALLOW_BUSY ? NULL : server->busy;
	if (server->config.maxmemory) {
		server->out_of_memory = !pressure_relieve(server);
		if (server->out_of_memory && (flags_refused_by(s, item) & CMD_DENYOOM))
			return out_of_memory;
	}
	if (server->refuse_writes && refuses(server->refuse_writes, cmd, flags_refused_by(s, item)))
		return server->refuse_writes;
	if (server->loading && !(cmd->flags & CMD_LOADING))
		return "LOADING Redis is loading the dataset in memory";
	return NULL;
}

static void refuse(struct session *s, struct registered *reg, const char *error)
{
	reg->stats.rejected++;
	if (reg->cmd->flags & CMD_EXEC)
		transaction_refuse_exec(s, error);
	else
		reply_error(s->reply, error);
}

/* Many handlers copy arguments into memory that they cannot do without: for a megabyte and more that is tried here first. Strings ask for
 * theirs themselves, and may adopt what came in a blob. */
static bool copies_fit(const struct dispatch_item *item)
{
	bool string = strcmp(item->reg->cmd->group, "string") == 0;
	size_t total = 0;
	for (int i = 0; i < item->argc; i++)
		if (!string || !item->blob || i != item->blob_arg || i == 1)
			total += item->argv[i].n;
	if (total < BIG_ARGUMENTS)
		return true;
	void *probe = mem_try(total + total / 4);
	mem_free(probe);
	return probe != NULL;
}

/* The registered command for these words, or NULL with the refusal replied. */
static struct registered *admit(const struct dispatch_item *item)
{
	struct session *s = item->session;
	struct registered *reg = item->reg;
	const struct bytes *argv = item->argv;
	int argc = item->argc;
	if (!reg) {
		if (argc > 1 && registry_find_called(s->server->registry, argv[0]))
			reject_unknown_sub(s, argv);
		else
			reject_unknown(s, argc, argv);
		return NULL;
	}
	if (!arity_fits(reg->cmd, argc) || (reg->cmd->subcommands && !reg->cmd->run)) {
		char error[128];
		snprintf(error, sizeof(error), "ERR wrong number of arguments for '%s' command",
			 reg->fullname);
		refuse(s, reg, error);
		return NULL;
	}
	char closed[GATE_REFUSAL];
	const char *error = NULL;
	if (reg->cmd->flags & CMD_PROTECTED)
		error = gate_refusal(s, reg->cmd, reg->parent ? reg->parent->cmd : NULL, closed);
	if (!error)
		error = refusal(s, item);
	if (!error && item->big && !copies_fit(item))
		error = out_of_memory;
	if (error) {
		refuse(s, reg, error);
		return NULL;
	}
	return reg;
}

/* RESP2 has no pushes: who is subscribed may only do what cannot be mistaken for a message. */
static void refuse_subscriber(struct session *s, struct registered *reg)
{
	char error[192];
	snprintf(error, sizeof(error),
		 "ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / "
		 "RESET are allowed in this context",
		 reg->fullname);
	refuse(s, reg, error);
}

/* The session is subscribed or in a transaction: the command to run now, or NULL when it was queued or refused. */
static struct registered *hold_back(struct dispatch_item *item, struct registered *reg)
{
	struct session *s = item->session;
	if (s->flags & SESSION_MULTI && reg->cmd->flags & CMD_NO_MULTI) {
		refuse(s, reg, "ERR Command not allowed inside a transaction");
		return NULL;
	}
	if (s->flags & SESSION_PUBSUB && s->reply->proto < 3 &&
	    !(reg->cmd->flags & CMD_SUBSCRIBER)) {
		refuse_subscriber(s, reg);
		return NULL;
	}
	if (!(s->flags & SESSION_MULTI) || reg->cmd->flags & CMD_IMMEDIATE)
		return reg;
	if (transaction_queue(s, item))
		reply_status(s->reply, "QUEUED");
	else
		refuse(s, reg, out_of_memory);
	return NULL;
}

/* --- one call --- */

static void count_errors(struct session *s, struct registered *reg, uint64_t before)
{
	struct reply *r = s->reply;
	struct registry *registry = s->server->registry;
	uint64_t fresh = r->errors - before - registry->inner_errors;
	uint64_t told = registry->told_errors;
	registry->inner_errors = registry->told_errors = 0;
	if (!fresh)
		return;
	if (fresh > told) {
		s->server->stats.total_error_replies += fresh - told;
		registry_count_error(registry, r->error_code);
	}
	if (reg)
		reg->stats.failed++;
}

/* The log knows commands by their own names only. */
static void append_words(struct call *c)
{
	const struct registered *reg = c->item->reg;
	const struct registered *top = reg->parent ? reg->parent : reg;
	struct bytes *first = (struct bytes *)(uintptr_t)c->argv, typed = *first;
	bool other = top->renamed && !bytes_is(typed, top->cmd->name);
	if (other)
		*first = bytes_str(top->cmd->name);
	journal_append(c->server->journal, c->db->id, c->argc, c->argv);
	if (other)
		*first = typed;
}

static void journal_call(struct call *c)
{
	struct journal *j = c->server->journal;
	bool write_it = c->dirty && c->verbatim;
	if (write_it && journal_unit_is_empty(j)) {
		journal_end(j);
		append_words(c);
		return;
	}
	if (write_it)
		append_words(c);
	journal_end(j);
}

/* CLIENT REPLY SKIP mutes exactly the command after it. */
static void next_reply_mode(struct session *s)
{
	s->flags &= ~(uint32_t)SESSION_REPLY_SKIP;
	if (s->flags & SESSION_REPLY_SKIP_NEXT) {
		s->flags &= ~(uint32_t)SESSION_REPLY_SKIP_NEXT;
		s->flags |= SESSION_REPLY_SKIP;
	}
	s->reply->muted = s->flags & (SESSION_REPLY_OFF | SESSION_REPLY_SKIP);
}

/* What more there is to do after some replies. */
#define SESSION_AFTERWARDS                                                                         \
	(SESSION_PUSHED | SESSION_CACHING | SESSION_REPLY_OFF | SESSION_REPLY_SKIP |               \
	 SESSION_REPLY_SKIP_NEXT)

/* CLIENT CACHING is for the next command or transaction that is not CLIENT's. */
static void end_caching(struct session *s)
{
	bool client = s->last_parent && strcmp(s->last_parent->name, "client") == 0;
	if (!client && !(s->flags & SESSION_MULTI))
		s->flags &= ~(uint32_t)SESSION_CACHING;
}

static void after_reply(struct session *s)
{
	if (s->flags & SESSION_PUSHED)
		push_flush(s);
	if (s->flags & SESSION_CACHING)
		end_caching(s);
	next_reply_mode(s);
}

/* The clock that commands see is read once a turn; after a long one it is read again, for those behind it. */
static void refresh_clock(struct server *server)
{
	keyspace_set_now(server->keyspace, ticks_wall_ms());
}

static void after_slow(struct session *s, struct registered *reg, const struct dispatch_item *item,
		       uint64_t ticks)
{
	struct server *server = s->server;
	uint64_t usec = ticks_usec(&server->registry->rate, ticks);
	/* Inside a transaction or a script time stands still. */
	if (usec >= 1000 && server->running <= 1)
		refresh_clock(server);
	if (!(reg->cmd->flags & CMD_EXEC))
		latency_note(server, reg->cmd->flags & CMD_FAST ? "fast-command" : "command", usec);
	int64_t limit = server->config.slowlog_log_slower_than;
	if (limit >= 0 && usec >= (uint64_t)limit && !(reg->cmd->flags & CMD_SKIP_SLOWLOG))
		slowlog_add(server->slowlog, s, item->argc, item->argv, usec,
			    server->keyspace->now_ms, (size_t)server->config.slowlog_max_len);
}

/* A command came to its end: its figures. */
static inline void count_call(struct dispatch_item *item, uint64_t ticks, uint64_t errors)
{
	struct session *s = item->session;
	struct registered *reg = item->reg;
	reg->stats.calls++;
	reg->ticks += ticks;
	if (s->server->config.latency_tracking) {
		if (__builtin_expect(!reg->latency, 0))
			command_latency_begin(reg);
		histogram_record(reg->latency, ticks);
	}
	if (__builtin_expect(s->reply->errors != errors, 0))
		count_errors(s, reg, errors);
	if (__builtin_expect(ticks >= s->server->slow_ticks, 0))
		after_slow(s, reg, item, ticks);
}

/* The end of what could be divided no further: those who waited for what it did have their turn. */
static void leave(struct server *server)
{
	if (--server->running == 0 && server->awaited_keys && blocking_ready(server->blocking))
		blocking_serve(server->blocking);
}

/* Run an admitted item. @ticks is when it began; answers when it ended. */
static uint64_t run(struct dispatch_item *item, struct registered *reg, uint64_t ticks)
{
	struct session *s = item->session;
	struct server *server = s->server;
	struct call c = {
		.server = server,
		.session = s,
		.db = s->db,
		.reply = s->reply,
		.cmd = reg->cmd,
		.argc = item->argc,
		.argv = item->argv,
		.hash1 = item->hash1,
		.has_hash1 = item->has_hash1,
		.file_flags = item->file_flags,
		.verbatim = true,
		.blob = item->blob,
		.blob_arg = item->blob_arg,
		.may_park = server->running == 0 && s->ops->park,
		.ready_key = item->ready_key,
		.item = item,
	};
	uint64_t errors = s->reply->errors;
	bool journal = journal_active(server->journal);
	if (journal)
		journal_begin(server->journal);
	struct session *outer = server->current;
	server->current = s;
	if (!outer)
		server->caller = s;
	server->running++;
	s->last_cmd = reg->cmd;
	s->last_parent = reg->parent_cmd;
	reg->cmd->run(&c);
	if (__builtin_expect(server->tracking != NULL, 0))
		tracking_ran(&c);
	if (journal)
		journal_call(&c);
	server->current = outer;
	uint64_t end = ticks_now();
	if (__builtin_expect(c.parks, 0)) {
		item->state = ITEM_PARKED;
		blocking_took(s, end - ticks);
	} else {
		count_call(item, end - ticks, errors);
	}
	if (!item->ready_key) {
		server->stats.commands_processed++;
		s->commands++;
		if (server->monitors && !(reg->cmd->flags & (CMD_SKIP_MONITOR | CMD_ADMIN)))
			monitor_feed(s, s->db->id, item->argc, item->argv);
	}
	leave(server);
	return end;
}

void dispatch_admitted(struct dispatch_item *item)
{
	struct session *s = item->session;
	struct registry *registry = s->server->registry;
	const struct command *cmd = s->last_cmd, *parent = s->last_parent;
	uint64_t errors = s->reply->errors, inner = registry->inner_errors;
	registry->inner_errors = 0;
	if (item->big && !copies_fit(item))
		refuse(s, item->reg, out_of_memory);
	else
		run(item, item->reg, ticks_now());
	registry->inner_errors = inner + s->reply->errors - errors;
	s->reply->muted = s->flags & (SESSION_REPLY_OFF | SESSION_REPLY_SKIP);
	s->last_cmd = cmd;
	s->last_parent = parent;
}

void dispatch_inner(struct dispatch_item *item)
{
	struct registry *registry = item->session->server->registry;
	uint64_t inner = registry->inner_errors;
	registry->inner_errors = 0;
	if (item->big && !copies_fit(item))
		refuse(item->session, item->reg, out_of_memory);
	else
		run(item, item->reg, ticks_now());
	registry->inner_errors = inner;
}

/* Nothing about the command, its session and the server just now could refuse the call or hold it back. */
static inline bool is_ordinary(const struct dispatch_item *item)
{
	const struct registered *reg = item->reg;
	const struct session *s = item->session;
	const struct server *server = s->server;
	if (!reg || !reg->plain || !arity_fits(reg->cmd, item->argc) || item->big)
		return false;
	if ((s->flags & (SESSION_AUTHENTICATED | SESSION_RESTRICTED | SESSION_MULTI |
			 SESSION_PUBSUB)) != SESSION_AUTHENTICATED)
		return false;
	return !((uintptr_t)server->busy | (uintptr_t)server->refuse_writes |
		 (uintptr_t)server->pause | (uintptr_t)server->loading) &&
	       pressure_is_none(server);
}

/* An item that something may refuse or hold back. */
static __attribute__((noinline)) uint64_t serve_with_care(struct dispatch_item *item,
							  uint64_t ticks)
{
	struct session *s = item->session;
	uint64_t errors = s->reply->errors;
	struct registered *reg = admit(item);
	if (__builtin_expect(reg && s->server->pause, 0) &&
	    pause_stops(s->server, flags_refused_by(s, item)) && pause_hold(s)) {
		item->state = ITEM_HELD;
		return ticks;
	}
	if (reg && s->flags & (SESSION_MULTI | SESSION_PUBSUB))
		reg = hold_back(item, reg);
	if (reg) {
		ticks = run(item, reg, ticks);
	} else {
		if (s->reply->errors != errors) {
			count_errors(s, NULL, errors);
			if (s->flags & SESSION_MULTI)
				s->flags |= SESSION_DIRTY_EXEC;
		}
		s->last_cmd = item->reg ? item->reg->cmd : NULL;
		s->last_parent = item->reg ? item->reg->parent_cmd : NULL;
	}
	return ticks;
}

/* The whole way of one item whose command was looked up. */
static uint64_t serve(struct dispatch_item *item, uint64_t ticks)
{
	struct session *s = item->session;
	if (__builtin_expect(is_ordinary(item), 1)) {
		ticks = run(item, item->reg, ticks);
	} else {
		ticks = serve_with_care(item, ticks);
		if (item->state == ITEM_HELD)
			return ticks;
	}
	s->last_ms = s->server->keyspace->now_ms;
	if ((s->flags & SESSION_AFTERWARDS || s->reply->muted) && item->state != ITEM_PARKED)
		after_reply(s);
	return ticks;
}

static void refresh_slow_ticks(struct server *server)
{
	int64_t limit = server->config.slowlog_log_slower_than;
	int64_t threshold = server->config.latency_monitor_threshold;
	if (threshold > 0 && (limit < 0 || threshold < limit / 1000))
		limit = threshold < INT64_MAX / 1000 ? threshold * 1000 : INT64_MAX;
	/* The latest limits are more ticks than a number holds: never. */
	double ticks = (double)limit * server->registry->rate.per_usec;
	server->slow_ticks = limit < 0 || ticks >= 0x1p64 ? UINT64_MAX : (uint64_t)ticks;
}

static void look_up(struct server *server, struct dispatch_item *item)
{
	item->reg = registry_resolve(server->registry, item->argc, item->argv);
	if (__builtin_expect(!item->reg, 0) &&
	    item->session->flags & (SESSION_MOUNT | SESSION_INTERNAL))
		item->reg = registry_resolve_own(server->registry, item->argc, item->argv);
	item->has_hash1 = item->reg && item->reg->first_key == 1 && item->argc > 1;
	if (item->has_hash1)
		item->hash1 = keyhash(item->argv[1]);
}

void dispatch(struct session *s, int argc, const struct bytes *argv, uint32_t file_flags)
{
	struct dispatch_item item = {
		.session = s, .argc = argc, .argv = argv, .file_flags = file_flags};
	refresh_slow_ticks(s->server);
	look_up(s->server, &item);
	serve(&item, ticks_now());
}

void dispatch_batch(struct server *server, struct dispatch_item *items, size_t n)
{
	refresh_slow_ticks(server);
	for (size_t i = 0; i < n; i++) {
		look_up(server, &items[i]);
		if (items[i].has_hash1 && n > 1)
			table_prefetch_bucket(&items[i].session->db->keys, items[i].hash1);
	}
	for (size_t i = 0; i < n && n > 1; i++)
		if (items[i].has_hash1)
			table_prefetch_entry(&items[i].session->db->keys, items[i].hash1);
	uint64_t ticks = ticks_now();
	for (size_t i = 0; i < n; i++) {
		/* Its session may be gone. */
		if (__builtin_expect(items[i].state == ITEM_SERVED, 0))
			continue;
		if (items[i].session->flags &
		    (SESSION_CLOSE_AFTER_REPLY | SESSION_CLOSE_ASAP | SESSION_HELD)) {
			if (items[i].session->flags & SESSION_HELD)
				items[i].state = ITEM_HELD;
			continue;
		}
		server->item_at = &items[i];
		ticks = serve(&items[i], ticks);
	}
}

void dispatch_overtaking(struct dispatch_item *item)
{
	if (item->session->flags & (SESSION_CLOSE_AFTER_REPLY | SESSION_CLOSE_ASAP | SESSION_HELD))
		return;
	serve(item, ticks_now());
	item->state = ITEM_SERVED;
}

void dispatch_resume(struct dispatch_item *item, uint64_t *ticks)
{
	uint64_t begin = ticks_now() - *ticks;
	struct session *s = item->session;
	item->state = ITEM_DONE;
	if (s->flags & SESSION_RESTRICTED) {
		/* Its rights may have changed while it waited. */
		const char *error = acl_refusal(s, item->reg, item->argc, item->argv);
		if (error) {
			uint64_t errors = s->reply->errors;
			refuse(s, item->reg, error);
			count_errors(s, NULL, errors);
			after_reply(s);
			return;
		}
	}
	*ticks = run(item, item->reg, begin) - begin;
	if (item->state == ITEM_PARKED)
		return;
	item->session->last_ms = item->session->server->keyspace->now_ms;
	after_reply(item->session);
}

void dispatch_end(struct dispatch_item *item, uint64_t ticks, uint64_t errors)
{
	count_call(item, ticks, errors);
	item->session->last_ms = item->session->server->keyspace->now_ms;
	after_reply(item->session);
}

bool dispatch_unit(struct session *s, struct dispatch_item *items, size_t n)
{
	struct server *server = s->server;
	refresh_slow_ticks(server);
	for (size_t i = 0; i < n; i++) {
		uint64_t errors = s->reply->errors;
		look_up(server, &items[i]);
		if (admit(&items[i]))
			continue;
		count_errors(s, NULL, errors);
		return false;
	}
	server->running++;
	journal_begin(server->journal);
	uint64_t ticks = ticks_now();
	for (size_t i = 0; i < n; i++)
		ticks = run(&items[i], items[i].reg, ticks);
	journal_end(server->journal);
	s->last_ms = server->keyspace->now_ms;
	leave(server);
	return true;
}
