/* resp/persist/aof/chores.c - what is done to the files of the log beside the engine. See internal.h.
 *
 * Making, naming, syncing and removing files waits for the disk, up to tenths of a second where it is busy or a file is big; clients must
 * not. The order of the steps is what a crash at any of them is safe by: whatever a manifest names is there, and is named on the
 * disk, before the manifest is, and nothing is removed before no manifest on the disk needs it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "resp/persist/aof/internal.h"
#include "store/base/mem.h"

/* --- on the worker's thread --- */

static int rotate(void *arg)
{
	struct aof_chore *c = arg;
	struct server *s = c->server;
	int fd = aof_create_increment(s, c->increment);

	if (fd < 0)
		return 1;
	if (!aof_manifest_store(s, &c->manifest)) {
		aof_remove(s, c->increment);
		close(fd);
		return 1;
	}
	/* The place that was held behind its end goes. With it, it says the same. */
	if (ftruncate(c->fd, (off_t)c->cut) < 0)
		log_line(&s->config.log, LOG_LEVEL_NOTICE,
			 "The end of an AOF incr file could not be cut off: %s", strerror(errno));
	close(c->fd);
	c->fd = fd;
	return 0;
}

/* @from becomes the file @name of the log; @what it is. */
static bool take_over(struct server *s, const char *from, const char *name, const char *what)
{
	char *path = aof_path(s, name);
	bool ok = aof_rename(s, from, name);

	log_line(&s->config.log, ok ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING,
		 ok ? "Successfully renamed the temporary AOF %s file %s into %s"
		    : "Error trying to rename the temporary AOF %s file %s into %s: %s",
		 what, from, ok ? name : path, strerror(errno));
	mem_free(path);
	return ok;
}

/* The temporary files under their names, then the manifest that names them: on failure no new name is left. */
static bool name_files(struct aof_chore *c)
{
	struct server *s = c->server;
	char *waiting = aof_waiting_name(s);
	bool ok = take_over(s, c->temp, c->base, "base");

	if (ok && c->waiting)
		ok = take_over(s, waiting, c->increment, "incr");
	if (ok && !aof_manifest_store(s, &c->manifest)) {
		ok = false;
		aof_remove(s, c->base);
		if (c->waiting)
			aof_remove(s, c->increment);
	}
	if (!ok)
		aof_remove(s, c->temp);
	mem_free(waiting);
	return ok;
}

static int install(void *arg)
{
	struct aof_chore *c = arg;

	if (!name_files(c))
		return 1;
	if (c->collect)
		aof_drop_history(c->server, &c->manifest);
	return 0;
}

static int drop_temp(void *arg)
{
	struct aof_chore *c = arg;

	return !aof_remove(c->server, c->temp);
}

/* --- on the engine's --- */

static struct aof_chore *prepare(struct aof *a, void (*end)(struct aof *a, bool ok))
{
	struct aof_chore *c = &a->chore;

	*c = (struct aof_chore){.server = a->server, .running = true, .end = end};
	aof_manifest_copy(&c->manifest, &a->manifest);
	return c;
}

void aof_chore_rotate(struct aof *a, int64_t seq, void (*end)(struct aof *a, bool ok))
{
	struct aof_chore *c = prepare(a, end);

	c->increment = aof_increment_name(a->server, seq);
	aof_manifest_add(&c->manifest, c->increment, seq, AOF_INCREMENT);
	c->fd = a->fd;
	c->cut = a->size;
	aof_worker_begin(&a->chores, rotate, c);
}

void aof_chore_install(struct aof *a, const char *temp, void (*end)(struct aof *a, bool ok))
{
	struct server *s = a->server;
	struct aof_chore *c = prepare(a, end);
	struct aof_manifest *m = &c->manifest;

	memcpy(c->temp, temp, SAVE_TEMP);
	for (size_t i = 0; i < m->n; i++)
		if (m->files[i].type == AOF_BASE ||
		    (m->files[i].type == AOF_INCREMENT && m->files[i].seq < a->rewrite.first))
			m->files[i].type = AOF_HISTORY;
	c->base = aof_base_name(s, m->base_seq + 1);
	aof_manifest_add(m, c->base, m->base_seq + 1, AOF_BASE);
	c->waiting = a->waiting;
	if (c->waiting) {
		c->increment = aof_increment_name(s, m->increment_seq + 1);
		aof_manifest_add(m, c->increment, m->increment_seq + 1, AOF_INCREMENT);
	}
	c->collect = !s->config.aof_disable_auto_gc;
	aof_worker_begin(&a->chores, install, c);
}

void aof_chore_remove(struct aof *a, const char *temp, void (*end)(struct aof *a, bool ok))
{
	struct aof_chore *c = prepare(a, end);

	memcpy(c->temp, temp, SAVE_TEMP);
	aof_worker_begin(&a->chores, drop_temp, c);
}

bool aof_chore_take(struct aof *a)
{
	struct aof_chore *c = &a->chore;

	if (aof_worker_busy(&a->chores))
		return false;
	if (!c->running)
		return true;
	bool ok = aof_worker_wait(&a->chores) == 0;
	c->running = false;
	c->end(a, ok);
	/* What the end wanted of it, it took. */
	aof_manifest_fini(&c->manifest);
	mem_free(c->increment);
	mem_free(c->base);
	c->increment = c->base = NULL;
	return true;
}

void aof_chore_wait(struct aof *a)
{
	aof_worker_wait(&a->chores);
	aof_chore_take(a);
}
