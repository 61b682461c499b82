/* resp/log.c - see log.h. */
#define _GNU_SOURCE
#include "resp/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

/* A longer message is cut, as Redis cuts it. */
#define LOG_MESSAGE_MAX 1024

/* Where @log writes now; -1 with errno when its file cannot be opened. */
static int log_open(const struct log *log)
{
	if (!log->path || !log->path[0])
		return STDOUT_FILENO;
	return open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

/* One write a line: lines of several threads or processes do not mix. A log that cannot be written is not worth
 * a failure of the server. */
static void log_write(const struct log *log, const char *line, size_t n)
{
	int fd = log_open(log);

	if (fd < 0)
		return;
	while (n > 0) {
		ssize_t w = write(fd, line, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			break;
		line += w;
		n -= (size_t)w;
	}
	if (fd != STDOUT_FILENO)
		close(fd);
}

static size_t log_format(const struct log *log, enum log_level level, const char *message,
			 char *line, size_t size)
{
	char when[64];
	struct timeval tv;
	struct tm tm;

	gettimeofday(&tv, NULL);
	localtime_r(&tv.tv_sec, &tm);
	size_t n = strftime(when, sizeof(when), "%d %b %Y %H:%M:%S", &tm);
	snprintf(when + n, sizeof(when) - n, ".%03d", (int)(tv.tv_usec / 1000));
	int len = snprintf(line, size, "%d:%c %s %c %s\n", (int)getpid(),
			   log->role ? log->role : 'M', when, ".-*#"[level], message);
	if (len < 0)
		return 0;
	return (size_t)len < size ? (size_t)len : size - 1;
}

void log_line(struct log *log, enum log_level level, const char *fmt, ...)
{
	static const int priority[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING};
	char message[LOG_MESSAGE_MAX], line[LOG_MESSAGE_MAX + 128];
	va_list ap;

	if (level < log->level || level >= LOG_LEVEL_NOTHING)
		return;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	log_write(log, line, log_format(log, level, message, line, sizeof(line)));
	if (log->syslog)
		syslog(priority[level], "%s", message);
}

void log_raw(struct log *log, const char *fmt, ...)
{
	char message[LOG_MESSAGE_MAX + 1];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(message, LOG_MESSAGE_MAX, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	size_t len = n < LOG_MESSAGE_MAX ? (size_t)n : LOG_MESSAGE_MAX - 1;
	message[len++] = '\n';
	log_write(log, message, len);
}
