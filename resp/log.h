/* resp/log.h - the log, in Redis's line format: "PID:ROLE DD Mon YYYY HH:MM:SS.mmm LEVEL message".
 *
 * Levels print as . - * #. To a file (opened for each line, so that it may be rotated), to standard output when there is no file,
 * and to syslog where asked.
 */
#ifndef RESP_LOG_H
#define RESP_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_VERBOSE,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTHING
};

struct log {
	enum log_level level;
	char *path; /* NULL or "" for standard output */
	bool syslog;
	char role; /* 'M', 'C' in a saving child */
};

/* @fmt as it is, with a newline behind it, whatever the level: the report of a crash. */
void log_raw(struct log *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void log_line(struct log *log, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
