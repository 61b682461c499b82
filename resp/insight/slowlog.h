/* resp/insight/slowlog.h - the last commands that took long.
 *
 * A ring of slowlog-max-len entries with copies of their (truncated) arguments.
 */
#ifndef RESP_SLOWLOG_H
#define RESP_SLOWLOG_H

#include <stddef.h>
#include <stdint.h>

#include "resp/session.h"
#include "store/base/bytes.h"

struct slowlog;

/* Everything an entry points to is the entry's own. */
struct slowlog_entry {
	struct slowlog_entry *next, *prev; /* from the newest on */
	uint64_t id;
	int64_t time_ms;
	uint64_t usec;
	char *peer, *name;
	int argc;
	struct bytes argv[];
};

struct slowlog *slowlog_new(void);
void slowlog_free(struct slowlog *log);

/* Note a call that took @usec, which the dispatcher found to be at or above slowlog-log-slower-than. */
void slowlog_add(struct slowlog *log, const struct session *s, int argc, const struct bytes *argv,
		 uint64_t usec, int64_t now_ms, size_t max_len);

size_t slowlog_len(const struct slowlog *log);
/* The newest entry, or NULL; borrowed until the next add or reset. */
const struct slowlog_entry *slowlog_newest(const struct slowlog *log);
/* Drop all entries; ids go on. */
void slowlog_reset(struct slowlog *log);

#endif
