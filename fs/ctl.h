/* fs/ctl.h - the ctl file: a transcript of command lines and their replies, one session for each open file.
 *
 * A written line runs as a command when its newline comes; its reply stands right behind it, as redis-cli prints it into a pipe. At the
 * end of the reply a read gets EOF. A write where an unread reply stands takes that reply's place.
 */
#ifndef FS_CTL_H
#define FS_CTL_H

#include <stddef.h>
#include <stdint.h>

#include "store/base/bytes.h"

struct mount;
struct ctl;

/* A session in database @db. */
struct ctl *ctl_open(struct mount *m, unsigned db);
/* A last line without newline runs first. */
void ctl_close(struct ctl *c);

/* Take @data, written at @off. EIO when the session was closed from the other side, EFBIG for a line past 512 MiB. Calls
 * @done(@arg, err) when the last command was answered. */
void ctl_write(struct ctl *c, uint64_t off, struct bytes data, void (*done)(void *arg, int err),
	       void *arg);

/* What stands at @off, at most @n bytes; empty at the end. Borrowed. */
struct bytes ctl_read(const struct ctl *c, uint64_t off, size_t n);

#endif
