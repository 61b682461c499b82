/* resp/persist/aof/switch.c - the log at start, on and off at run time, and read again. See aof.h. */
#include "resp/persist/aof/internal.h"
#include "resp/sessions/watch.h"
#include "store/base/mem.h"

static bool start_thread(struct aof *a)
{
	if (aof_worker_start(&a->sync, a->server->loop, aof_on_synced, a))
		return true;
	log_line(&a->server->config.log, LOG_LEVEL_WARNING,
		 "Fatal: can't create the thread that syncs the append only file");
	return false;
}

/* Load, then log into the last increment, or a first one. */
bool aof_start(struct server *s)
{
	struct aof *a = s->aof;
	struct aof_tail tail = {0};

	if (!start_thread(a))
		return false;
	if (!aof_files_find(s, &a->manifest) || !aof_load(s, &a->manifest, &tail))
		return false;
	if (s->stopping)
		return true;
	int fd = aof_files_open(s, &a->manifest, &tail);
	if (fd < 0)
		return false;
	aof_add_up(a);
	aof_begin(a, fd, &tail);
	s->stats.dirty = 0;
	return true;
}

static bool switch_on(struct aof *a)
{
	struct server *s = a->server;
	struct log *log = &s->config.log;

	if (!start_thread(a))
		return false;
	a->waiting = true;
	if (snapshot_running(s)) {
		aof_rewrite_schedule(s);
		log_line(log, LOG_LEVEL_NOTICE,
			 "AOF was enabled but there is already another background operation. An "
			 "AOF background was scheduled to start when possible.");
		return true;
	}
	if (aof_rewrite_running(s)) {
		log_line(log, LOG_LEVEL_NOTICE,
			 "AOF was enabled but there is already an AOF rewriting in background. "
			 "Stopping background AOF and starting a rewrite now.");
		aof_rewrite_kill(a);
	}
	if (aof_rewrite_start(s))
		return true;
	aof_end(a);
	aof_leave(s);
	a->waiting = false;
	log_line(log, LOG_LEVEL_WARNING,
		 "Redis needs to enable the AOF but can't trigger a background AOF rewrite "
		 "operation. Check the above logs for more info about the error.");
	return false;
}

/* The rest of a transaction that switches the log off is not logged; what of it was, is one. */
static void switch_off(struct aof *a)
{
	struct server *s = a->server;

	aof_rewrite_kill(a);
	a->rewrite.scheduled = false;
	if (a->in_unit)
		a->consumer.end(a);
	if (!aof_close(s))
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "The append only file was switched off with changes that could not be "
			 "written to it");
	aof_end(a);
	if (a->waiting) {
		char *name = aof_waiting_name(s);
		aof_remove(s, name);
		mem_free(name);
	}
	a->waiting = false;
	aof_leave(s);
	snapshot_check_writes(s);
}

bool aof_switch(struct server *s, bool on)
{
	struct aof *a = s->aof;

	if (on == (a->on || a->waiting))
		return true;
	if (on)
		return switch_on(a);
	switch_off(a);
	return true;
}

bool aof_reload(struct server *s)
{
	struct aof *a = s->aof;
	struct aof_tail tail = {0};

	if (!a->on || !aof_flush(s))
		return false;
	aof_chore_wait(a); /* it may be about to remove what is read here */
	for (unsigned i = 0; i < s->keyspace->ndbs; i++) {
		watch_touch_all(s, &s->keyspace->dbs[i], NULL);
		keyspace_flush(&s->keyspace->dbs[i], KEYSPACE_FREE_NOW);
	}
	journal_remove_consumer(s->journal, &a->consumer);
	bool ok = aof_load(s, &a->manifest, &tail);
	journal_add_consumer(s->journal, &a->consumer);
	s->stats.dirty = 0;
	if (ok)
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Append Only File loaded by DEBUG LOADAOF");
	return ok;
}
