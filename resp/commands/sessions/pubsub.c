/* SUBSCRIBE and its kin, PUBLISH, PUBSUB. */
#include "resp/sessions/pubsub.h"

#include "resp/commands/commands.h"
#include "resp/server.h"
#include "store/base/blob.h"
#include "store/base/glob.h"

/* The words of a kind's commands. */
static const struct {
	const char *subscribe, *unsubscribe, *denied;
} words[PUBSUB_KINDS] = {
	[PUBSUB_CHANNEL] = {"subscribe", "unsubscribe",
			    "ERR SUBSCRIBE isn't allowed for a DENY BLOCKING client"},
	[PUBSUB_PATTERN] = {"psubscribe", "punsubscribe",
			    "ERR PSUBSCRIBE isn't allowed for a DENY BLOCKING client"},
	[PUBSUB_SHARD] = {"ssubscribe", "sunsubscribe",
			  "ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client"},
};

/* Channels and patterns are counted together. */
static int64_t count_of(const struct session *s, enum pubsub_kind kind)
{
	if (kind == PUBSUB_SHARD)
		return (int64_t)pubsub_count(s, kind);
	return (int64_t)(pubsub_count(s, PUBSUB_CHANNEL) + pubsub_count(s, PUBSUB_PATTERN));
}

/* What was done is told as a push, which CLIENT REPLY OFF does not mute. @name NULL: there was nothing to do. */
static void tell(struct call *c, const char *what, const struct bytes *name, int64_t left)
{
	struct reply *r = c->reply;
	bool muted = r->muted;

	r->muted = false;
	reply_push(r, 3);
	reply_bulk_str(r, what);
	if (name)
		reply_bulk(r, *name);
	else
		reply_null(r);
	reply_int(r, left);
	r->muted = muted;
}

static void subscribe(struct call *c, enum pubsub_kind kind)
{
	struct session *s = c->session;

	/* In a transaction Redis allows it for channels and patterns, not for shard channels. */
	if ((s->flags & SESSION_DENY_BLOCKING) &&
	    (kind == PUBSUB_SHARD || !(s->flags & SESSION_MULTI))) {
		reply_error(c->reply, words[kind].denied);
		return;
	}
	for (int i = 1; i < c->argc; i++) {
		if (pubsub_subscribe(s, kind, c->argv[i]))
			tell(c, words[kind].subscribe, &c->argv[i], count_of(s, kind));
		else
			call_error(c, STORE_ENOMEM);
	}
}

static void unsubscribe_all(struct call *c, enum pubsub_kind kind)
{
	struct session *s = c->session;

	if (!pubsub_count(s, kind))
		tell(c, words[kind].unsubscribe, NULL, count_of(s, kind));
	while (pubsub_count(s, kind)) {
		/* The name goes with its last subscription: it is told first. */
		struct bytes name = pubsub_oldest(s, kind);
		tell(c, words[kind].unsubscribe, &name, count_of(s, kind) - 1);
		pubsub_unsubscribe(s, kind, name);
	}
}

static void unsubscribe(struct call *c, enum pubsub_kind kind)
{
	if (c->argc == 1) {
		unsubscribe_all(c, kind);
		return;
	}
	for (int i = 1; i < c->argc; i++) {
		pubsub_unsubscribe(c->session, kind, c->argv[i]);
		tell(c, words[kind].unsubscribe, &c->argv[i], count_of(c->session, kind));
	}
}

static void cmd_subscribe(struct call *c)
{
	subscribe(c, PUBSUB_CHANNEL);
}

static void cmd_psubscribe(struct call *c)
{
	subscribe(c, PUBSUB_PATTERN);
}

static void cmd_ssubscribe(struct call *c)
{
	subscribe(c, PUBSUB_SHARD);
}

static void cmd_unsubscribe(struct call *c)
{
	unsubscribe(c, PUBSUB_CHANNEL);
}

static void cmd_punsubscribe(struct call *c)
{
	unsubscribe(c, PUBSUB_PATTERN);
}

static void cmd_sunsubscribe(struct call *c)
{
	unsubscribe(c, PUBSUB_SHARD);
}

/* --- PUBLISH --- */

/* Replicas would hear of it, the AOF does not: the journal is told nothing. */
static void publish(struct call *c, enum pubsub_kind kind)
{
	struct blob *blob = c->blob && c->blob_arg == 2 ? c->blob : NULL;

	reply_int(c->reply, (int64_t)pubsub_publish(c->server, kind, c->argv[1], c->argv[2], blob));
}

static void cmd_publish(struct call *c)
{
	publish(c, PUBSUB_CHANNEL);
}

static void cmd_spublish(struct call *c)
{
	publish(c, PUBSUB_SHARD);
}

/* --- PUBSUB --- */

struct listing {
	struct reply *reply;
	const struct bytes *pattern; /* NULL for all */
	size_t n;
};

static void list_one(void *arg, struct bytes name)
{
	struct listing *l = arg;

	if (l->pattern && !glob_match(*l->pattern, name, false))
		return;
	reply_bulk(l->reply, name);
	l->n++;
}

static void list_names(struct call *c, enum pubsub_kind kind)
{
	struct listing l = {c->reply, c->argc > 2 ? &c->argv[2] : NULL, 0};

	if (c->argc > 3) {
		call_subcommand_error(c);
		return;
	}
	struct reply_later later = reply_later_begin(c->reply);
	pubsub_each(c->server->pubsub, kind, list_one, &l);
	reply_later_end(c->reply, later, '*', l.n);
}

static void pubsub_channels(struct call *c)
{
	list_names(c, PUBSUB_CHANNEL);
}

static void pubsub_shardchannels(struct call *c)
{
	list_names(c, PUBSUB_SHARD);
}

static void count_subscribers(struct call *c, enum pubsub_kind kind)
{
	reply_array(c->reply, (size_t)(c->argc - 2) * 2);
	for (int i = 2; i < c->argc; i++) {
		reply_bulk(c->reply, c->argv[i]);
		reply_int(c->reply,
			  (int64_t)pubsub_subscribers(c->server->pubsub, kind, c->argv[i]));
	}
}

static void pubsub_numsub(struct call *c)
{
	count_subscribers(c, PUBSUB_CHANNEL);
}

static void pubsub_shardnumsub(struct call *c)
{
	count_subscribers(c, PUBSUB_SHARD);
}

static void pubsub_numpat(struct call *c)
{
	reply_int(c->reply, (int64_t)pubsub_names(c->server->pubsub, PUBSUB_PATTERN));
}

static void pubsub_help(struct call *c)
{
	static const char *const lines[] = {
		"CHANNELS [<pattern>]",
		"    Return the currently active channels matching a <pattern> (default: '*').",
		"NUMPAT",
		"    Return number of subscriptions to patterns.",
		"NUMSUB [<channel> ...]",
		"    Return the number of subscribers for the specified channels, excluding",
		"    pattern subscriptions(default: no channels).",
		"SHARDCHANNELS [<pattern>]",
		"    Return the currently active shard level channels matching a <pattern> "
		"(default: '*').",
		"SHARDNUMSUB [<shardchannel> ...]",
		"    Return the number of subscribers for the specified shard level channel(s)",
		NULL,
	};
	call_help(c, lines);
}

/* --- the table --- */

#define ANYTIME   (CMD_PUBSUB | CMD_LOADING | CMD_STALE)
#define LISTENING (ANYTIME | CMD_NOSCRIPT | CMD_SUBSCRIBER)

#define SUB(word, fn, args, flag_bits, when, says)                                                 \
	.name = word, .run = fn, .arity = args, .flags = flag_bits, .summary = says,               \
	.since = when, .group = "pubsub"

static const struct command pubsub_subcommands[] = {
	{SUB("channels", pubsub_channels, -2, ANYTIME, "2.8.0",
	     "List the channels with subscribers"),
	 .complexity = "O(N), N channels", .syntax = "[pattern]"},
	{SUB("numsub", pubsub_numsub, -2, ANYTIME, "2.8.0", "Count the subscribers of channels"),
	 .complexity = "O(N), N channels asked for",
	 .syntax = "[channel:string [channel:string ...]]"},
	{SUB("numpat", pubsub_numpat, 2, ANYTIME, "2.8.0", "Count the patterns subscribed to"),
	 .complexity = "O(1)"},
	{SUB("shardchannels", pubsub_shardchannels, -2, ANYTIME, "7.0.0",
	     "List the shard channels with subscribers"),
	 .complexity = "O(N), N shard channels", .syntax = "[pattern]"},
	{SUB("shardnumsub", pubsub_shardnumsub, -2, ANYTIME, "7.0.0",
	     "Count the subscribers of shard channels"),
	 .complexity = "O(N), N shard channels asked for",
	 .syntax = "[shardchannel:string [shardchannel:string ...]]"},
	{SUB("help", pubsub_help, 2, CMD_LOADING | CMD_STALE, "6.2.0", "List the subcommands"),
	 .complexity = "O(1)"},
	{0},
};

const struct command pubsub_commands[] = {
	{SUB("subscribe", cmd_subscribe, -2, LISTENING, "2.0.0", "Listen to channels"),
	 .channels = CHANNELS_ALL, .complexity = "O(N), N channels",
	 .syntax = "channel:string [channel:string ...]"},
	{SUB("unsubscribe", cmd_unsubscribe, -1, LISTENING, "2.0.0", "Stop listening to channels"),
	 .complexity = "O(N), N channels", .syntax = "[channel:string [channel:string ...]]"},
	{SUB("psubscribe", cmd_psubscribe, -2, LISTENING, "2.0.0",
	     "Listen to all channels that match patterns"),
	 .channels = CHANNELS_PATTERNS, .complexity = "O(N), N patterns",
	 .syntax = "pattern [pattern ...]"},
	{SUB("punsubscribe", cmd_punsubscribe, -1, LISTENING, "2.0.0",
	     "Stop listening to channels by patterns"),
	 .complexity = "O(N), N patterns", .syntax = "[pattern [pattern ...]]"},
	{SUB("ssubscribe", cmd_ssubscribe, -2, LISTENING, "7.0.0", "Listen to shard channels"),
	 .keys = {KEYS_AT(KEY_NOT_KEY, 1, -1, 1)}, .channels = CHANNELS_ALL,
	 .complexity = "O(N), N shard channels",
	 .syntax = "shardchannel:string [shardchannel:string ...]"},
	{SUB("sunsubscribe", cmd_sunsubscribe, -1, LISTENING, "7.0.0",
	     "Stop listening to shard channels"),
	 .keys = {KEYS_AT(KEY_NOT_KEY, 1, -1, 1)}, .complexity = "O(N), N shard channels",
	 .syntax = "[shardchannel:string [shardchannel:string ...]]"},
	{SUB("publish", cmd_publish, 3, ANYTIME | CMD_FAST | CMD_MAY_REPLICATE, "2.0.0",
	     "Send a message to the subscribers of a channel"),
	 .channels = CHANNELS_FIRST, .complexity = "O(N+M), N subscribers, M patterns",
	 .syntax = "channel:string message:string"},
	{SUB("spublish", cmd_spublish, 3, ANYTIME | CMD_FAST | CMD_MAY_REPLICATE, "7.0.0",
	     "Send a message to the subscribers of a shard channel"),
	 .keys = {KEYS_AT(KEY_NOT_KEY, 1, 0, 1)}, .channels = CHANNELS_FIRST,
	 .complexity = "O(N), N subscribers", .syntax = "shardchannel:string message:string"},
	{.name = "pubsub",
	 .arity = -2,
	 .subcommands = pubsub_subcommands,
	 .summary = "What is listened to",
	 .since = "2.8.0",
	 .group = "pubsub",
	 .complexity = "Depends on subcommand."},
	{0},
};
