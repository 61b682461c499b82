/* fs/kernel/held.c - see held.h. */
#include "fs/kernel/held.h"

#include <utlist.h>

#include "resp/dispatch.h"
#include "resp/item.h"
#include "resp/net/loop.h"
#include "resp/server.h"
#include "resp/sessions/pause.h"
#include "store/base/mem.h"

struct held {
	struct pause_waiter waiter;
	struct loop_timer *timer; /* the pause is over, it runs at once */
	struct server *server;
	struct backend *backend;
	unsigned db;
	backend_done done;
	void *arg;
	struct held *prev, *next; /* the backend's, in order of arrival */
	size_t n;
	struct dispatch_item items[];
};

static bool is_stopped(struct server *server, const struct backend_command *cmds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct registered *reg =
			registry_resolve_own(server->registry, cmds[i].argc, cmds[i].argv);
		if (reg && pause_stops(server, reg->cmd->flags))
			return true;
	}
	return false;
}

static void drop(struct held *h)
{
	for (size_t i = 0; i < h->n; i++)
		item_drop(&h->items[i]);
	mem_free(h);
}

static int64_t run(void *arg)
{
	struct held *h = arg;
	struct backend_command *cmds = mem_alloc(h->n * sizeof(*cmds));
	DL_DELETE(h->backend->held, h);
	for (size_t i = 0; i < h->n; i++) {
		const struct dispatch_item *item = &h->items[i];
		cmds[i] = (struct backend_command){.argc = item->argc,
						   .argv = item->argv,
						   .blob = item->blob,
						   .blob_arg = item->blob_arg,
						   .newline = item->file_flags};
	}
	backend_submit(h->backend, h->db, cmds, h->n, h->done, h->arg);
	mem_free(cmds);
	drop(h);
	return -1;
}

/* Not from here, where another session's command may be running. */
static void go_on(void *arg)
{
	struct held *h = arg;
	h->timer = loop_timer_add(h->server->loop, 0, run, h);
}

static bool copy(struct held *h, const struct backend_command *cmds, size_t n)
{
	for (h->n = 0; h->n < n; h->n++) {
		const struct backend_command *cmd = &cmds[h->n];
		struct dispatch_item item = {.argc = cmd->argc,
					     .argv = cmd->argv,
					     .blob = cmd->blob,
					     .blob_arg = cmd->blob_arg,
					     .file_flags = cmd->newline};
		if (!item_copy(&h->items[h->n], &item))
			return false;
	}
	return true;
}

static void answer_error(struct held *h, const char *error)
{
	struct reply r;
	struct iovec iov[2];
	struct answers a;
	size_t bytes;
	reply_init(&r, 2);
	reply_error(&r, error);
	answers_init(&a, iov, reply_iov(&r, iov, 2, &bytes), NULL);
	h->done(h->arg, &a);
	answers_fini(&a);
	reply_fini(&r);
}

bool held_keep(struct server *server, struct backend *b, unsigned db,
	       const struct backend_command *cmds, size_t n, backend_done done, void *arg)
{
	if (!is_stopped(server, cmds, n))
		return false;
	struct held *h = mem_alloc(sizeof(*h) + n * sizeof(*h->items));
	*h = (struct held){.server = server, .backend = b, .db = db, .done = done, .arg = arg};
	h->waiter = (struct pause_waiter){.go_on = go_on, .arg = h};
	if (!copy(h, cmds, n)) {
		answer_error(h, "OOM command not allowed when used memory > 'maxmemory'.");
		drop(h);
		return true;
	}
	DL_APPEND(b->held, h);
	pause_wait(server, &h->waiter);
	return true;
}

void held_cancel(struct backend *b)
{
	while (b->held) {
		struct held *h = b->held;
		DL_DELETE(b->held, h);
		if (h->timer)
			loop_timer_remove(h->timer);
		else
			pause_forget(&h->waiter);
		answer_error(h, "ERR The server is going down");
		drop(h);
	}
}
