/* resp/session.h - who is talking: the state of one client that commands may see or change.
 *
 * The network's clients, the mount and every open ctl file have one each. A front end embeds or owns the session, points
 * reply at its own output, and is called back through ops for what only it can do.
 */
#ifndef RESP_SESSION_H
#define RESP_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "resp/proto/reply.h"
#include "store/base/bytes.h"
#include "store/keyspace/keyspace.h"

struct server;
struct acl_user;
struct session;
struct command;
struct subscriber;
struct transaction;
struct watch;
struct parking;
struct tracker;
struct postponed;

enum session_flag {
	SESSION_AUTHENTICATED = 1 << 0,
	SESSION_MONITOR = 1 << 1,
	SESSION_CLOSE_AFTER_REPLY = 1 << 2, /* send what waits, then close */
	SESSION_CLOSE_ASAP = 1 << 3,        /* close without sending */
	SESSION_NO_EVICT = 1 << 4,
	SESSION_NO_TOUCH = 1 << 5,
	SESSION_REPLY_OFF = 1 << 6,
	SESSION_REPLY_SKIP_NEXT = 1 << 7,
	SESSION_REPLY_SKIP = 1 << 8,
	SESSION_UNIX = 1 << 9,
	SESSION_MOUNT = 1 << 10,         /* the mount or a ctl file */
	SESSION_INTERNAL = 1 << 11,      /* never listed */
	SESSION_MULTI = 1 << 12,         /* in a transaction: commands are queued */
	SESSION_DIRTY_CAS = 1 << 13,     /* a watched key changed */
	SESSION_DIRTY_EXEC = 1 << 14,    /* a command was refused while queueing */
	SESSION_DENY_BLOCKING = 1 << 15, /* must not wait: runs inside EXEC */
	SESSION_PUBSUB = 1 << 16,        /* has subscriptions */
	SESSION_PUSHED = 1 << 17,        /* its own command brought it messages: push_flush */
	SESSION_PARKED = 1 << 18,        /* its command waits: resp/sessions/blocking.h */
	SESSION_HELD = 1 << 19,          /* its further commands must not run yet */
	SESSION_CACHING = 1 << 20,       /* CLIENT CACHING, for the next command */
	SESSION_RESTRICTED = 1 << 21,    /* its user may not do everything: resp/acl/acl.h */
	SESSION_PUT_OUT = 1 << 22,       /* its user is gone: it has to log in again */
	SESSION_SCRIPT = 1 << 30,        /* what a script runs its calls as */
};

struct session_figures {
	int fd;
	size_t qbuf, qbuf_free, argv_mem, multi_mem, rbs, rbp, obl, oll, omem, tot_mem;
	char events[4]; /* "r", "rw" */
};

struct session_ops {
	/* Close soon, from inside or outside its own command. @now: without sending what waits. */
	void (*close)(struct session *s, bool now);
	/* Bytes were appended to s->reply from outside its own command (MONITOR, pushes): have them sent. */
	void (*wake)(struct session *s);
	/* "127.0.0.1:50000", "/path:0", "mount": into @buf. The peer's and our own side's. */
	void (*peer)(const struct session *s, char *buf, size_t n);
	void (*local)(const struct session *s, char *buf, size_t n);
	/* The session's command waits for data: its further commands are to be kept (SESSION_HELD is set). NULL for a front
	 * end that cannot wait. */
	void (*park)(struct session *s);
	/* It was answered. Have the reply sent and what was kept run, but not from inside this call: SESSION_HELD is the front end's
	 * to clear when it does. */
	void (*unpark)(struct session *s);
	/* qbuf, qbuf-free, argv-mem, fd, ... for CLIENT LIST. */
	void (*figures)(const struct session *s, struct session_figures *out);
};

/* What the sessions of one mount have in common. */
struct session_mount {
	const char *point; /* CLIENT LIST's laddr */
	const char *user;  /* the ACL user that it is, "" for the default user */
};

struct session {
	uint64_t id;
	struct server *server;
	struct db *db;
	struct reply *reply;
	const struct session_ops *ops;
	uint32_t flags; /* enum session_flag */
	int64_t created_ms, last_ms;
	const struct command *last_cmd;
	const struct command *last_parent; /* its container command, or NULL */
	char *name, *lib_name, *lib_ver;   /* CLIENT SETNAME, SETINFO; owned, may be NULL */
	const struct session_mount
		*mount;        /* with SESSION_MOUNT, set before session_open; borrowed */
	struct acl_user *user; /* NULL: may do anything; changed by acl_bind only */
	uint64_t commands;
	uint64_t written; /* the last batch of the append-only log that it wrote to */
	uint64_t hold; /* replies go out when server->durable is so far: resp/persist/aof/aof.h */
	struct transaction *transaction; /* between MULTI and EXEC, else NULL */
	struct watch *watches;           /* uthash: resp/sessions/watch.c */
	size_t watched;                  /* bytes of the names of those keys */
	struct subscriber
		*subscriber;     /* resp/sessions/pubsub.c; NULL until the first subscription */
	struct reply *later;     /* pushes that wait for its reply, or NULL: resp/sessions/push.c */
	struct parking *parking; /* its wait, or NULL: resp/sessions/blocking.c */
	struct postponed *postponed; /* its command waits for the end of a pause, or NULL */
	struct tracker *tracker;     /* CLIENT TRACKING, or NULL: resp/sessions/tracking/ */
	UT_hash_handle hh;           /* server's registry, by id */
};

/* Fill a zeroed session, give it an id and list it in the server. */
void session_open(struct session *s, struct server *server, struct reply *reply,
		  const struct session_ops *ops, uint32_t flags);
/* Take it off the lists and free what it owns; the memory itself is the front end's. */
void session_close(struct session *s);
/* RESET's work: database 0, RESP2, not authenticated if a password is asked for, no name, no MONITOR. */
void session_reset(struct session *s);

struct session *session_find(struct server *server, uint64_t id);

/* As CLIENT LIST prints it, one line without its end, appended to @out as raw bytes. */
void session_describe(struct session *s, struct reply *out);
/* The same from inside its own command, of these words. */
void session_describe_running(struct session *s, int argc, const struct bytes *argv,
			      struct reply *out);

#endif
