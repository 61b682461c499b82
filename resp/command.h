/* resp/command.h - a command: what the table says of it, and one call of it.
 *
 * Tables are const, one file a family under resp/commands/. What COMMAND, ACL, dispatch and the documentation know,
 * they read from here.
 */
#ifndef RESP_COMMAND_H
#define RESP_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "resp/session.h"
#include "store/base/bytes.h"
#include "store/base/err.h"
#include "store/keyspace/keyspace.h"

struct call;
struct dispatch_item;

/* COMMAND's flags, in the order and by the names in which Redis lists them. */
enum command_flag {
	CMD_WRITE = 1 << 0,
	CMD_READONLY = 1 << 1,
	CMD_DENYOOM = 1 << 2,
	CMD_MODULE = 1 << 3,
	CMD_ADMIN = 1 << 4,
	CMD_PUBSUB = 1 << 5,
	CMD_NOSCRIPT = 1 << 6,
	CMD_BLOCKING = 1 << 7,
	CMD_LOADING = 1 << 8,
	CMD_STALE = 1 << 9,
	CMD_SKIP_MONITOR = 1 << 10,
	CMD_SKIP_SLOWLOG = 1 << 11,
	CMD_ASKING = 1 << 12,
	CMD_FAST = 1 << 13,
	CMD_NO_AUTH = 1 << 14,
	CMD_MAY_REPLICATE = 1 << 15, /* COMMAND does not list it */
	CMD_NO_ASYNC_LOADING = 1 << 16,
	CMD_NO_MULTI = 1 << 17,
	CMD_ALLOW_BUSY = 1 << 18,
	CMD_MOVABLEKEYS = 1 << 19,
	/* the dispatcher's own, which COMMAND does not list */
	CMD_IMMEDIATE = 1 << 20,         /* runs inside MULTI instead of being queued */
	CMD_SUBSCRIBER = 1 << 21,        /* allowed to a RESP2 client that is subscribed */
	CMD_EXEC = 1 << 22,              /* EXEC: stands for what it would run */
	CMD_NO_MANDATORY_KEYS = 1 << 25, /* COMMAND lists it: keys may be none */
	CMD_SCRIPT = 1 << 24,    /* EVAL, FCALL: stands for what the script says of itself */
	CMD_PROTECTED = 1 << 23, /* resp/gate.h decides who may */
};

/* ACL categories, by Redis's names. */
enum command_category {
	CAT_KEYSPACE = 1 << 0,
	CAT_READ = 1 << 1,
	CAT_WRITE = 1 << 2,
	CAT_SET = 1 << 3,
	CAT_SORTEDSET = 1 << 4,
	CAT_LIST = 1 << 5,
	CAT_HASH = 1 << 6,
	CAT_STRING = 1 << 7,
	CAT_BITMAP = 1 << 8,
	CAT_HYPERLOGLOG = 1 << 9,
	CAT_GEO = 1 << 10,
	CAT_STREAM = 1 << 11,
	CAT_PUBSUB = 1 << 12,
	CAT_ADMIN = 1 << 13,
	CAT_FAST = 1 << 14,
	CAT_SLOW = 1 << 15,
	CAT_BLOCKING = 1 << 16,
	CAT_DANGEROUS = 1 << 17,
	CAT_CONNECTION = 1 << 18,
	CAT_TRANSACTION = 1 << 19,
	CAT_SCRIPTING = 1 << 20,
};

/* What a command does with the keys of a key specification. */
enum key_flag {
	KEY_RO = 1 << 0,
	KEY_RW = 1 << 1,
	KEY_OW = 1 << 2,
	KEY_RM = 1 << 3,
	KEY_ACCESS = 1 << 4,
	KEY_UPDATE = 1 << 5,
	KEY_INSERT = 1 << 6,
	KEY_DELETE = 1 << 7,
	KEY_NOT_KEY = 1 << 8,
	KEY_INCOMPLETE = 1 << 9,
	KEY_VARIABLE_FLAGS = 1 << 10,
};

/* Where keys stand: Redis's key specifications (https://redis.io/docs/latest/develop/reference/key-specs/). */
struct key_spec {
	uint32_t flags; /* 0 ends the list */
	enum { KEYS_BEGIN_INDEX, KEYS_BEGIN_KEYWORD, KEYS_BEGIN_UNKNOWN } begin;
	int index; /* or where to start looking for the keyword */
	const char *keyword;
	enum { KEYS_FIND_RANGE, KEYS_FIND_KEYNUM, KEYS_FIND_UNKNOWN } find;
	int lastkey, step, limit;         /* range */
	int keynumidx, firstkey, keystep; /* keynum */
};

#define COMMAND_KEY_SPECS 4

/* The usual specification: every @every-th argument from argv[@first] to @last, which counts from the first key, or, below 0,
 * from the end of the arguments. */
#define KEYS_AT(key_flags, first, last, every)                                                     \
	{                                                                                          \
		.flags = (key_flags), .begin = KEYS_BEGIN_INDEX, .index = (first),                 \
		.find = KEYS_FIND_RANGE, .lastkey = (last), .step = (every)                        \
	}

/* Which arguments are channels. */
enum command_channels {
	CHANNELS_NONE,
	CHANNELS_FIRST,    /* argv[1], to publish */
	CHANNELS_ALL,      /* from argv[1] on, to listen */
	CHANNELS_PATTERNS, /* the same, patterns */
};

struct command {
	const char *name; /* lower case; a subcommand's own word ("list" of "client|list") */
	void (*run)(struct call *c);
	int16_t arity;       /* counts the name (and the subcommand); negative: at least */
	uint32_t flags;      /* enum command_flag */
	uint32_t categories; /* enum command_category, beyond those that the flags imply */
	struct key_spec keys[COMMAND_KEY_SPECS];
	const struct command *subcommands; /* ends with a NULL name; then run is NULL */

	/* for COMMAND DOCS and the reference */
	const char *summary; /* our own sentence, no full stop */
	const char *since;   /* as Redis gives it */
	const char *group;   /* "string", "list", "generic", ... */
	const char *complexity;
	const char *deprecated_since, *replaced_by; /* NULL for what is not deprecated */
	bool syscmd;                                /* for the server's own use, or a test's */
	/* The arguments after the name, in Redis's notation, from which COMMAND DOCS builds its tree. Lower case is an argument, upper case
	 * or a sign a token; an argument's type follows from its name (resp/commands/server/syntax.c) or is said.
	 *
	 *   key value [key value ...]   arguments, here a block that may repeat
	 *   increment:double            type said: string integer double key pattern unix-time
	 *   [GET]  [EX seconds]         optional: a token, an argument with a token
	 *   <LEFT|RIGHT>                one of; in brackets without < > too: [NX|XX]
	 *   (COUNT count) [ANY]         parentheses group; a token in front of two or more parts is the group's: [LIMIT offset count]
	 *   key [key ...]               repeated; [GET pattern [GET pattern ...]] with its token each time
	 *   [condition: NX|XX]          the group's name; a token's, where it is not just its lower case: auto_id=*
	 *   GET@6.2.0                   since when, [condition@6.2.0: NX|XX] for a group
	 *   ''                          the empty token
	 */
	const char *syntax;
	const char *const *tips; /* NULL-terminated, or NULL: "nondeterministic_output", ... */
	/* Finds keys where the specifications cannot (movablekeys); NULL otherwise. The first key has the flags of the first
	 * specification, any other those of the last one. */
	int (*getkeys)(int argc, const struct bytes *argv, int *positions, int max);
	/* What this call does with keys whose specification says KEY_VARIABLE_FLAGS: enum key_flag; NULL for what has none. */
	uint32_t (*keyflags)(int argc, const struct bytes *argv);
	enum command_channels channels;
};

/* How a command waits: see call_park. */
struct park {
	int first_key, nkeys; /* argv positions, one after the other; a key may be said twice */
	enum value_type type; /* runs again when a key holds one of these */
	bool gone_too;        /* and when a key was removed or holds something else */
	bool plain_null;      /* the answer without waiting is a null; else a null array */
	bool until_synced;    /* runs again when more of the append-only log is on the disk */
	/* Replies when the time is over; NULL: a null array. */
	void (*over)(struct session *s);
	int64_t timeout_ms; /* 0: for ever */
	/* As many words as the call has, to run with again where they must differ (XREAD's $), else NULL; copied. */
	const struct bytes *argv;
};

/* Figures a server keeps for each command (INFO commandstats, errorstats); indexed by command_id. */
struct command_stats {
	uint64_t calls, usec, rejected, failed;
};

/* One call. Everything a handler needs; borrowed for the time of the call. */
struct call {
	struct server *server;
	struct session *session;
	struct db *db;       /* session->db */
	struct reply *reply; /* session->reply */
	const struct command *cmd;
	int argc;
	const struct bytes *argv;
	uint64_t hash1; /* keyhash(argv[1]) when the batch computed it */
	bool has_hash1;
	uint32_t file_flags; /* the mount's: CALL_FILE_NEWLINE */
	uint64_t
		dirty; /* changes made; set by call_changed, or by the handler for changes without a key */
	struct blob *blob; /* argv[blob_arg] stands in it, or NULL: see call_take_blob */
	int blob_arg;
	bool verbatim; /* journal argv as it is (true at start; call_effect clears it) */
	bool may_park; /* false in a transaction, a unit, a script, a file */
	bool parks;    /* call_park was called */
	int ready_key; /* the argv position of the key for which a parked call runs again, else 0 */
	const struct dispatch_item *item;
};

enum {
	CALL_FILE_NEWLINE =
		1, /* SET of a file whose one line ended in a newline: the entry remembers it */
};

/* Classes of keyspace events (notify-keyspace-events). */
enum notify_class {
	NOTIFY_GENERIC = 1 << 0,  /* g */
	NOTIFY_STRING = 1 << 1,   /* $ */
	NOTIFY_LIST = 1 << 2,     /* l */
	NOTIFY_SET = 1 << 3,      /* s */
	NOTIFY_HASH = 1 << 4,     /* h */
	NOTIFY_ZSET = 1 << 5,     /* z */
	NOTIFY_EXPIRED = 1 << 6,  /* x */
	NOTIFY_EVICTED = 1 << 7,  /* e */
	NOTIFY_STREAM = 1 << 8,   /* t */
	NOTIFY_KEY_MISS = 1 << 9, /* m */
	NOTIFY_NEW = 1 << 10,     /* n */
};

/* @key of @db was changed by this call, which Redis names @event. Every handler calls this once for each key it changed, after
 * the change: it counts dirty, tells watchers, the mount and (later) subscribers. @event NULL: a change that Redis tells
 * no subscriber of. */
void call_changed_db(struct call *c, struct db *db, struct bytes key, enum notify_class cls,
		     const char *event);
static inline void call_changed(struct call *c, struct bytes key, enum notify_class cls,
				const char *event)
{
	call_changed_db(c, c->db, key, cls, event);
}
/* The same where the change was nothing but something new behind what the key held, a list or stream. */
void call_appended(struct call *c, struct bytes key, enum notify_class cls, const char *event);
/* A change that no reader of @key's value sees (what a stream's groups remember): it is counted and journalled and the mount hears of it,
 * but no watcher does, nor who waits for the key. */
void call_noted(struct call *c, struct bytes key);
/* Only the event (a key deleted because it became empty: call_changed for the removal, call_event for "del"). */
void call_event(struct call *c, struct db *db, struct bytes key, enum notify_class cls,
		const char *event);

/* Journal this in place of the call's own words; may be called several times (then they are one unit). Bytes are borrowed
 * for the call. A handler that changed data but has nothing to say to the journal calls call_no_journal. */
void call_effect(struct call *c, int argc, const struct bytes *argv);
void call_no_journal(struct call *c);

/* If argv[@i] came in as a block of its own (a big value read straight from the socket), hand it over: one reference, else NULL. */
struct blob *call_take_blob(struct call *c, int i);

/* Nothing there yet: have the session wait for one of its keys (resp/sessions/blocking.h); the handler returns without a reply. When one is
 * ready the handler runs again, from the start, with c->ready_key set, and replies or parks again. Where the session may not
 * wait it is answered at once, as if its time were over. */
void call_park(struct call *c, const struct park *how);

/* argv[@i] as a time to wait: seconds, with a fraction, in whole milliseconds; 0 is for ever. */
bool call_timeout(struct call *c, int i, int64_t *ms);

/* --- small help for handlers; each replies the error itself and answers false --- */

bool call_int(struct call *c, int i,
	      int64_t *out); /* "ERR value is not an integer or out of range" */
bool call_int_or(struct call *c, int i, int64_t *out, const char *error);
bool call_int_range(struct call *c, int i, int64_t min, int64_t max, int64_t *out,
		    const char *error); /* error NULL: Redis's own text */
bool call_double(struct call *c, int i, double *out,
		 const char *error); /* error NULL: "ERR value is not a valid float" */
void call_syntax_error(struct call *c);
void call_wrong_type(struct call *c);
void call_subcommand_error(struct call *c); /* "ERR unknown subcommand 'x'. Try Y HELP." */
/* Translate an engine code. */
void call_error(struct call *c, enum store_err err);
/* Reply a HELP text: lines, NULL-terminated, between Redis's header and its own HELP lines. */
void call_help(struct call *c, const char *const *lines);

/* argv[1] for reading: *@word 0 when absent. False, with WRONGTYPE replied, when it is not a @type. */
bool call_read(struct call *c, int i, enum value_type type, uint64_t *word);
/* argv[i] for writing: *@slot NULL when absent. */
bool call_write(struct call *c, int i, enum value_type type, uint64_t **slot);

#endif
