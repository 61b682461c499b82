/* fs/waiting/ctl.h - the ctl file: a transcript of command lines and their replies, one session for each open file.
 *
 * A written line runs as a command when its newline comes; its reply stands right behind it, as redis-cli prints it into a pipe. At the
 * end of the reply a read gets EOF, unless there is more to come: while a command waits (BLPOP), and once the session is
 * subscribed or monitors, the read waits. A write where an unread reply stands takes that reply's place; lines behind a command that
 * waits run when it was answered.
 */
#ifndef FS_WAITING_CTL_H
#define FS_WAITING_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/bytes.h"

struct mount;
struct ctl;
struct parked;
struct task;

/* A session in database @db. Reads that wait are put into @parked, which outlives it. */
struct ctl *ctl_open(struct mount *m, unsigned db, struct parked *parked);
/* A last line without newline runs first. */
void ctl_close(struct ctl *c);

/* Take @data, written at @off. EIO when the session was closed from the other side, EFBIG for a line past 512 MiB. Calls
 * @done(@arg, err) when the commands were run, or one of them waits. */
void ctl_write(struct ctl *c, uint64_t off, struct bytes data, void (*done)(void *arg, int err),
	       void *arg);

/* Answer the read @t (t->off, t->size, t->flags with O_NONBLOCK), now or when there is something; frees it. EAGAIN instead of waiting; EIO
 * when the session was killed, or cut off because what came to it was not read. */
void ctl_read(struct ctl *c, struct task *t);

/* Whether a read that goes on where the last one ended would not wait. */
bool ctl_ready(struct ctl *c);

#endif
