/* fs/backend/local.h - the backend that is this very process: commands go through resp/dispatch.h on sessions of the mount's own.
 * Private to local.c (the mount's own session) and talk.c (one for each open ctl, queue and pubsub file).
 */
#ifndef FS_BACKEND_LOCAL_H
#define FS_BACKEND_LOCAL_H

#include "fs/backend/backend.h"
#include "resp/changes.h"
#include "resp/dispatch.h"
#include "resp/server.h"

struct loop_timer;

/* One reply in memory. While it is parsed another command may be submitted, and an open file may keep it. */
struct parcel {
	struct answers_owner owner; /* first: release gets it */
	struct reply reply;
	struct backend_local *home;
	struct parcel *next; /* in the pool */
	backend_done done;   /* who gets it, and its argument */
	void *arg;
};

/* A list costs each change something as long as it is one of these. */
#define FOLLOWED 16

struct backend_local {
	struct backend base; /* first */
	struct server *server;
	struct session session;
	struct reply idle; /* the session's while none of its commands run */
	struct parcel *pool;
	unsigned pooled;
	unsigned out;                   /* parcels that somebody holds */
	bool orphaned;                  /* freed as soon as the last one comes back */
	struct backend_talk *woken;     /* have something for their owners */
	struct loop_timer *timer;       /* by which they get it */
	struct changes_watcher watcher; /* with a tell */
	struct followed {
		uint64_t mark; /* 0 for none */
		struct changes_eye eye;
	} followed[FOLLOWED]; /* lists that were only appended to */
	unsigned followed_next;
	char last_error[256];
};

/* Parse what stands in @r and hand it over. True when it was kept. */
bool backend_deliver(struct reply *r, struct answers_owner *owner, backend_done done, void *arg);

/* As CLIENT LIST shows the mount's sessions. */
void backend_name_peer(const struct session *s, char *buf, size_t n);
void backend_name_local(const struct session *s, char *buf, size_t n);

/* talk.c: the operations of struct backend_ops. */
struct backend_talk *talk_open(struct backend *b, unsigned db, const char *name, backend_done push,
			       void *arg);
bool talk_run(struct backend_talk *t, int argc, const struct bytes *argv, backend_done done,
	      void *arg);
bool talk_cancel(struct backend_talk *t);
void talk_hear(struct backend_talk *t);
bool talk_listens(const struct backend_talk *t);
bool talk_backlog(struct backend_talk *t, size_t bytes);
void talk_close(struct backend_talk *t);

#endif
