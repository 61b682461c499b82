/* fs/waiting/parked.h - reads of one open file that wait until there is something to read, and who polls it.
 *
 * A request that is never answered cannot even be killed, so each ends: answered by whoever takes it, EINTR when its process is
 * signalled, with an error when the file or the mount goes.
 */
#ifndef FS_WAITING_PARKED_H
#define FS_WAITING_PARKED_H

#include <stdbool.h>

#include "fs/task.h"

struct fuse_pollhandle;

struct parked {
	struct task *first; /* in order of arrival */
	struct fuse_pollhandle *poll;
	/* A read was given up, and is off the list. May be NULL. */
	void (*gave_up)(void *arg);
	void *arg;
};

/* Have @t wait; answered EINTR at once when its process was signalled before. */
void parked_add(struct parked *p, struct task *t);
/* The first one, for the caller to answer; NULL. */
struct task *parked_take(struct parked *p);
/* End all with @err; nobody polls any more. */
void parked_end(struct parked *p, int err);

/* Keep @ph (may be NULL, what was kept goes); tell whoever polls to look again. */
void parked_set_poll(struct parked *p, struct fuse_pollhandle *ph);
void parked_notify(struct parked *p);

#endif
