/* fs/waiting/tap.h - an open file of queue/ or pubsub/: what comes is read once, and reading waits for it.
 *
 * queue/KEY: each read takes one element off the list's head with BLPOP, on a session of the file's own, which stands in the same
 * queue as every other client. pubsub/CHANNEL: opening for reading subscribes, messages are kept until they are read, within
 * the output limits of subscribers. Both are shown as lines (fs/text/rows.h); below raw/ a read gets the exact bytes of one.
 *
 * Where a read stands in the file does not matter. What a small read leaves of an element is what the next one gets.
 */
#ifndef FS_WAITING_TAP_H
#define FS_WAITING_TAP_H

#include "fs/task.h"

struct tap;

/* For the open file @h, opened for reading, whose kind says which. NULL with an errno when SUBSCRIBE was refused; EROFS where
 * the mount is read-only and reading would take. */
struct tap *tap_open(struct handle *h, int *err);
/* Who waits gets an error; nothing is taken any more. */
void tap_close(struct tap *p);

/* Answer the read @t (t->size, t->flags with O_NONBLOCK), now or when there is something; frees it.
 * EAGAIN instead of waiting; EINTR for a signal; EIO when the session was killed or cut off as too slow. The end of the file for a reader that
 * CLIENT UNBLOCK sent away. */
void tap_read(struct tap *p, struct task *t);

/* Whether a read would not wait, as far as is known here: t->number of the task becomes 1 or 0, then it ends. */
void tap_poll(struct tap *p, struct task *t);

/* The size of a channel's file: what tail -f takes for growth. It is never that of a usual buffer. */
uint64_t tap_channel_size(const struct inode *i);

#endif
