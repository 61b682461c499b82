/* resp/slowlog.h - the last commands that took long.
 *
 * A ring of slowlog-max-len entries with copies of their (truncated) arguments.
 */
#ifndef RESP_SLOWLOG_H
#define RESP_SLOWLOG_H

#include <stdint.h>

#include "resp/session.h"
#include "store/base/bytes.h"

struct slowlog;

struct slowlog *slowlog_new(void);
void slowlog_free(struct slowlog *log);

/* Note a call that took @usec, which the dispatcher found to be at or above slowlog-log-slower-than. */
void slowlog_add(struct slowlog *log, const struct session *s, int argc, const struct bytes *argv,
		 uint64_t usec, int64_t now_ms, size_t max_len);

#endif
