#include "resp/insight/slowlog.h"

#include <stdio.h>
#include <utlist.h>

#include "resp/insight/redact.h"
#include "store/base/mem.h"

#define SLOWLOG_ARGS_MAX  32
#define SLOWLOG_BYTES_MAX 128

struct slowlog {
	struct slowlog_entry *entries; /* newest first */
	size_t len;
	uint64_t next_id;
};

struct slowlog *slowlog_new(void)
{
	return mem_calloc(sizeof(struct slowlog));
}

static void entry_free(struct slowlog_entry *e)
{
	for (int i = 0; i < e->argc; i++)
		mem_free((void *)(uintptr_t)e->argv[i].p);
	mem_free(e->peer);
	mem_free(e->name);
	mem_free(e);
}

void slowlog_reset(struct slowlog *log)
{
	struct slowlog_entry *e, *next;
	DL_FOREACH_SAFE(log->entries, e, next)
	{
		DL_DELETE(log->entries, e);
		entry_free(e);
	}
	log->len = 0;
}

void slowlog_free(struct slowlog *log)
{
	if (!log)
		return;
	slowlog_reset(log);
	mem_free(log);
}

/* A copy of @arg, cut to SLOWLOG_BYTES_MAX bytes and a word about the rest. */
static struct bytes shorten(struct bytes arg)
{
	if (arg.n <= SLOWLOG_BYTES_MAX)
		return bytes_of(mem_dup(arg.p, arg.n), arg.n);
	char buf[SLOWLOG_BYTES_MAX + 48];
	memcpy(buf, arg.p, SLOWLOG_BYTES_MAX);
	int n = snprintf(buf + SLOWLOG_BYTES_MAX, 48, "... (%zu more bytes)",
			 arg.n - SLOWLOG_BYTES_MAX);
	size_t len = SLOWLOG_BYTES_MAX + (size_t)n;
	return bytes_of(mem_dup(buf, len), len);
}

static struct bytes more_arguments(int n)
{
	char buf[48];
	int len = snprintf(buf, sizeof(buf), "... (%d more arguments)", n);
	return bytes_of(mem_dup(buf, (size_t)len), (size_t)len);
}

void slowlog_add(struct slowlog *log, const struct session *s, int argc, const struct bytes *argv,
		 uint64_t usec, int64_t now_ms, size_t max_len)
{
	int kept = argc > SLOWLOG_ARGS_MAX ? SLOWLOG_ARGS_MAX : argc;
	struct slowlog_entry *e = mem_calloc(sizeof(*e) + (size_t)kept * sizeof(*e->argv));
	char peer[128] = "";
	if (s->ops->peer)
		s->ops->peer(s, peer, sizeof(peer));
	e->id = log->next_id++;
	e->time_ms = now_ms;
	e->usec = usec;
	e->peer = mem_dup(peer, strlen(peer) + 1);
	const char *name = s->name ? s->name : "";
	e->name = mem_dup(name, strlen(name) + 1);
	e->argc = kept;
	for (int i = 0; i < kept; i++) {
		if (i == kept - 1 && argc > kept)
			e->argv[i] = more_arguments(argc - kept + 1);
		else
			e->argv[i] = shorten(redact_argument(argv, i));
	}
	DL_PREPEND(log->entries, e);
	log->len++;
	while (log->len > max_len) {
		struct slowlog_entry *oldest = log->entries->prev;
		DL_DELETE(log->entries, oldest);
		entry_free(oldest);
		log->len--;
	}
}

size_t slowlog_len(const struct slowlog *log)
{
	return log->len;
}

const struct slowlog_entry *slowlog_newest(const struct slowlog *log)
{
	return log->entries;
}
