/* fs/backend/backend.h - where the data is: submit a command, get its reply by callback, ask what changed.
 *
 * The mount's only way to the keys. local.c calls the dispatcher of this process and answers before backend_submit
 * returns; a backend that talks to a server over a socket answers later. Callers must be right for both.
 *
 * Besides commands there are small questions that no command answers, and that a backend may leave open: they are marked
 * (extra). Engine thread only.
 */
#ifndef FS_BACKEND_BACKEND_H
#define FS_BACKEND_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/backend/answer.h"
#include "resp/changes.h"
#include "store/base/blob.h"
#include "store/base/bytes.h"

struct server;
struct session_mount;

struct backend_command {
	int argc;
	const struct bytes *argv; /* borrowed until backend_submit returns, as all of this */
	struct blob *
		blob; /* argv[blob_arg] is the whole of it, or NULL: it may be shared instead of copied */
	int blob_arg;
	bool newline; /* SET: the file's one line ended in a newline, to be remembered with the value (extra) */
};

/* @a holds one reply for each command, or a single error when the unit was refused whole. Borrowed, see answers_keep. */
typedef void (*backend_done)(void *arg, struct answers *a);

#define BACKEND_NEVER INT64_MAX

/* What is known of a key besides its value (extra). */
struct backend_facts {
	bool newline;    /* the file that wrote the string ended in a newline */
	bool stamped;    /* the rest is known */
	uint64_t serial; /* the same as before: the key did not change; the converse may fail */
	int64_t time_ns; /* when it last changed, or what its file was told */
	bool time_set;   /* the latter */
	int64_t ends_ms; /* when it, or the first of its fields, goes by itself, since the epoch; BACKEND_NEVER. With stamped */
	int64_t left_ms; /* until then */
};

/* A name as the kernel may remember it: a key of @type (NULL: any), or a member of it. */
struct backend_name {
	unsigned db;
	bool has_member;
	const char *type;
	struct bytes key, member;
};

/* A session of its own for one open ctl file. */
struct backend_talk;

struct backend;

struct backend_ops {
	void (*submit)(struct backend *b, unsigned db, const struct backend_command *cmds, size_t n,
		       backend_done done, void *arg);
	void (*facts)(struct backend *b, unsigned db, struct bytes key, struct backend_facts *out);
	/* Which stream stands there (extra, or NULL): never the same for two; 0 for none. The same for a list, of one that was only appended to
	 * since: of a few that were asked for last, a new number may mean nothing. */
	uint64_t (*mark)(struct backend *b, unsigned db, struct bytes key);
	/* How many elements a key of @type holds (extra, with look and unlook, or NULL); 0 when there is none. Nothing is counted or touched. */
	uint64_t (*elements)(struct backend *b, unsigned db, struct bytes key, const char *type);
	/* Have @e (the caller's) hear of changes of a key, until unlook. */
	void (*look)(struct backend *b, unsigned db, struct bytes key, struct changes_eye *e);
	void (*unlook)(struct backend *b, struct changes_eye *e);
	/* Its file is given a time (extra, or NULL), which holds until it changes. Told to who keeps something of it. */
	void (*set_time)(struct backend *b, unsigned db, struct bytes key, int64_t time_ns);
	/* When anything last changed, for directories (extra): milliseconds, 0 when unknown. */
	int64_t (*latest_ms)(struct backend *b);
	/* Of the last change of any key (extra): the same as before, nothing changed. */
	uint64_t (*latest_serial)(struct backend *b);
	/* Copies kept elsewhere (extra, all or none of these; resp/changes.h): @w (copied; NULL to end it) is told of the next change of what was
	 * held, before any reply leaves, to clients as to the mount's own commands. key_id is a key's in the notes. */
	void (*watch)(struct backend *b, const struct changes_watcher *w);
	uint64_t (*key_id)(struct backend *b, unsigned db, struct bytes key);
	void (*hold)(struct backend *b, uint32_t group, enum changes_part part);
	void (*release)(struct backend *b, uint32_t group, enum changes_part part);
	void (*hold_any)(struct backend *b);
	/* Until when the name surely stands, if nobody changes it: as backend_facts.ends_ms, 0 for not. Nothing is counted or touched. */
	int64_t (*stands)(struct backend *b, const struct backend_name *n);
	/* Whether a scan of a container that answered @cursor has told of @member before (extra). */
	bool (*told)(struct backend *b, uint64_t cursor, struct bytes member);
	/* The error line with which a command that takes @bytes more memory would be refused now, or NULL (extra): shells
	 * drop errors from close, so they must come at open and write. */
	const char *(*refusal)(struct backend *b, uint64_t bytes);
	/* Whether the mount's user may make this call (extra): asked before something is written, for the same reason. */
	bool (*may)(struct backend *b, int argc, const struct bytes *argv);
	/* Have what was changed so far brought to the disk, where there is a log; @done gets an errno, or 0. */
	void (*settle)(struct backend *b, void (*done)(void *arg, int err), void *arg);
	uint64_t (*max_value)(struct backend *b); /* proto-max-bulk-len */
	unsigned (*databases)(struct backend *b);
	/* The last error line that a command of the mount was answered with, "" for none yet (extra). Borrowed. */
	const char *(*last_error)(struct backend *b);

	/* Sessions. CLIENT LIST shows one as @name. @push gets what comes outside a command's reply (messages, MONITOR), and NULL when the
	 * other side has closed the session while no command of it waited. */
	struct backend_talk *(*talk_open)(struct backend *b, unsigned db, const char *name,
					  backend_done push, void *arg);
	/* Run a command; one at a time. @done may come later, if the command waits (BLPOP), and gets NULL when the session
	 * was closed before there was an answer. False when the other side has closed it already (QUIT, CLIENT
	 * KILL): nothing was run, and @done does not come. */
	bool (*talk)(struct backend_talk *t, int argc, const struct bytes *argv, backend_done done,
		     void *arg);
	/* Give up the command that waits: it takes nothing and its @done does not come. False when there is none, or its answer is
	 * on the way. */
	bool (*talk_cancel)(struct backend_talk *t);
	/* What has come and waits for the next turn is handed over now. */
	void (*talk_hear)(struct backend_talk *t);
	/* Whether pushes may come: it is subscribed or monitors. */
	bool (*talk_listens)(const struct backend_talk *t);
	/* So many pushed bytes wait to be read. False when that is more than the output limits allow: the session is closed then,
	 * and nothing more comes. */
	bool (*talk_backlog)(struct backend_talk *t, size_t bytes);
	void (*talk_close)(struct backend_talk *t);
	void (*free)(struct backend *b);
};

struct backend {
	const struct backend_ops *ops;
	struct held *held; /* fs/kernel/held.h */
};

/* The server of this process. Listed in CLIENT LIST as "mount"; keeps change stamps from now on, which go with the server. @who is borrowed
 * as long as it lives. */
struct backend *backend_local_new(struct server *s, const struct session_mount *who);

/* Run @n commands in database @db with nothing in between, as one unit of the journal. */
static inline void backend_submit(struct backend *b, unsigned db,
				  const struct backend_command *cmds, size_t n, backend_done done,
				  void *arg)
{
	b->ops->submit(b, db, cmds, n, done, arg);
}

static inline void backend_free(struct backend *b)
{
	if (b)
		b->ops->free(b);
}

#endif
