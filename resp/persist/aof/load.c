/* resp/persist/aof/load.c - the files of the append-only log back into memory. See internal.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "resp/changes.h"
#include "resp/dispatch.h"
#include "resp/net/loop.h"
#include "resp/persist/aof/internal.h"
#include "store/base/mem.h"
#include "store/persist/aof_in.h"

/* The loop is served after so many bytes, or commands. */
#define TURN_BYTES    ((uint64_t)2 << 20)
#define TURN_COMMANDS 1024

struct loading {
	struct server *server;
	const char *name;
	struct session session;
	struct reply reply;
	struct aof_in in;
	bool last;             /* the file whose end may be torn */
	uint64_t synced;       /* how much of it was on the disk */
	bool unsynced;         /* what follows did not reach it whole */
	bool foreign;          /* what follows is another server's */
	struct aof_place good; /* behind what is whole and was run, a transaction only as a whole */
	uint64_t next_turn;    /* when the loop is served again */
	uint64_t before;       /* bytes of the files before */
	uint64_t commands;     /* so far */
};

/* --- commands --- */

/* What a log may hold: what changes data. */
static bool belongs(const struct registered *reg)
{
	const struct command *cmd = reg->cmd;

	return cmd->run && !(cmd->flags & (CMD_ADMIN | CMD_PUBSUB)) &&
	       (cmd->flags & (CMD_WRITE | CMD_READONLY | CMD_MAY_REPLICATE) ||
		strcmp(cmd->name, "select") == 0);
}

/* False after logging. Replies go nowhere; a command that answers an error is no failure here, as in Redis. */
static bool run_command(struct loading *l)
{
	struct server *s = l->server;
	struct aof_in *in = &l->in;
	struct registered *reg = registry_resolve_own(s->registry, in->argc, in->argv);

	if (!reg || !belongs(reg)) {
		int n = in->argv[0].n < 128 ? (int)in->argv[0].n : 128;
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Unknown command '%.*s' reading the append only file %s", n, in->argv[0].p,
			 l->name);
		log_line(&s->config.log, LOG_LEVEL_WARNING, "It stands at offset %llu of %s",
			 (unsigned long long)in->item_offset, l->name);
		return false;
	}
	int arity = reg->cmd->arity;
	if (arity >= 0 ? in->argc != arity : in->argc < -arity) {
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Wrong number of arguments for '%s' at offset %llu of the append only "
			 "file %s",
			 reg->fullname, (unsigned long long)in->item_offset, l->name);
		return false;
	}
	struct call c = {
		.server = s,
		.session = &l->session,
		.db = l->session.db,
		.reply = &l->reply,
		.cmd = reg->cmd,
		.argc = in->argc,
		.argv = in->argv,
		.verbatim = true,
	};
	s->current = &l->session;
	reg->cmd->run(&c);
	s->current = NULL;
	return true;
}

/* A transaction was begun: whether all of it is there. Comes back to its first command when it is. */
static enum aof_item look_for_exec(struct loading *l)
{
	struct aof_place begin = aof_in_place(&l->in);
	enum aof_item got;

	do
		got = aof_in_next(&l->in);
	while (got == AOF_CHECKED || (got == AOF_COMMAND && !aof_in_is_word(&l->in, "exec")));
	if (got == AOF_COMMAND)
		aof_in_return(&l->in, begin);
	else if (got == AOF_END)
		got = AOF_TORN;
	return got;
}

/* Behind what was synced a disk may hold any pages of a batch. Whether this one is whole, or another server's; comes back to where it
 * began. */
static bool is_whole(struct loading *l)
{
	struct aof_in *in = &l->in;
	struct aof_place begin = aof_in_place(in);
	enum aof_item got;

	do
		got = aof_in_next(in);
	while (got == AOF_COMMAND);
	bool whole = got == AOF_CHECKED || (got == AOF_END && !in->begun);
	bool foreign = in->foreign;
	aof_in_return(in, begin);
	if (!whole && foreign)
		l->foreign = true; /* the rest is without checksums */
	l->unsynced = !whole && !foreign;
	return !l->unsynced;
}

static bool go_on(struct loading *l)
{
	struct server *s = l->server;

	if (++l->commands % TURN_COMMANDS && l->in.offset < l->next_turn)
		return true;
	l->next_turn = l->in.offset + TURN_BYTES;
	s->snapshot->figures.load_done = l->before + l->in.offset;
	mem_used(); /* remembers the peak */
	loop_turn_nowait(s->loop);
	return !s->stopping;
}

/* Run everything. AOF_END, or what ended it; *@said when that is logged already. */
static enum aof_item run_all(struct loading *l, bool *said)
{
	bool in_unit = false;

	*said = false;
	for (;;) {
		if (!in_unit)
			l->good = aof_in_place(&l->in);
		if (!l->in.begun && l->in.checked && l->in.offset >= l->synced && !l->foreign &&
		    !is_whole(l))
			return AOF_TORN;
		enum aof_item got = aof_in_next(&l->in);
		if (got == AOF_END)
			l->good = aof_in_place(&l->in);
		if (got == AOF_CHECKED)
			continue;
		if (got != AOF_COMMAND)
			return got;
		if (aof_in_is_word(&l->in, "multi")) {
			got = in_unit ? AOF_BAD : look_for_exec(l);
			if (in_unit)
				l->in.error = "a transaction inside another";
			if (got != AOF_COMMAND)
				return got;
			in_unit = true;
			continue;
		}
		if (aof_in_is_word(&l->in, "exec")) {
			in_unit = false;
		} else if (!run_command(l)) {
			*said = true;
			return AOF_BAD;
		} else if (l->server->config.key_load_delay > 0) {
			usleep((useconds_t)l->server->config.key_load_delay);
		}
		if (!in_unit && !go_on(l))
			return AOF_END;
	}
}

/* --- what may be wrong --- */

static bool cut(struct loading *l, int fd)
{
	struct log *log = &l->server->config.log;

	log_line(log, LOG_LEVEL_WARNING, "!!! Warning: short read while loading the AOF file %s!!!",
		 l->name);
	log_line(log, LOG_LEVEL_WARNING, "!!! Truncating the AOF %s at offset %llu !!!", l->name,
		 (unsigned long long)l->good.offset);
	if (ftruncate(fd, (off_t)l->good.offset) < 0) {
		log_line(log, LOG_LEVEL_WARNING, "Error truncating the AOF file %s: %s", l->name,
			 strerror(errno));
		return false;
	}
	log_line(log, LOG_LEVEL_WARNING,
		 "AOF %s loaded anyway because aof-load-truncated is enabled", l->name);
	return true;
}

static bool report_damage(struct loading *l, uint64_t offset, const char *why)
{
	struct log *log = &l->server->config.log;

	log_line(log, LOG_LEVEL_WARNING,
		 "Bad file format reading the append only file %s: make a backup of your AOF file, "
		 "then use ./redis-check-aof --fix <filename.manifest>",
		 l->name);
	log_line(log, LOG_LEVEL_WARNING, "The damage is at offset %llu of %s: %s",
		 (unsigned long long)offset, l->name, why);
	return false;
}

static bool report_torn(struct loading *l)
{
	log_line(&l->server->config.log, LOG_LEVEL_WARNING,
		 "Unexpected end of file reading the append only file %s. You can: 1) Make a "
		 "backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>. "
		 "2) Alternatively you can set the 'aof-load-truncated' configuration option to "
		 "yes and restart the server.",
		 l->name);
	log_line(&l->server->config.log, LOG_LEVEL_WARNING,
		 "The last whole command of %s ends at offset %llu", l->name,
		 (unsigned long long)l->good.offset);
	return false;
}

/* The file's first pages never reached the disk: no server writes what they hold now. */
static bool is_blank(const struct loading *l, int fd)
{
	char first;

	return l->last && !l->in.checked && pread(fd, &first, 1, 0) == 1 && first == '\0';
}

static bool judge(struct loading *l, enum aof_item got, int fd)
{
	if (got == AOF_BAD && is_blank(l, fd))
		got = AOF_TORN;
	switch (got) {
	case AOF_COMMAND:
	case AOF_CHECKED:
	case AOF_END:
	case AOF_LATER:
		return true;
	case AOF_TORN:
		if (l->in.checked && !l->unsynced && !l->foreign && l->in.item_offset < l->synced)
			return report_damage(l, l->in.item_offset,
					     "something here claims more bytes than there are");
		if (!l->last || !l->server->config.aof_load_truncated)
			return report_torn(l);
		return cut(l, fd);
	case AOF_BAD:
		return report_damage(l, l->in.error_offset, l->in.error);
	case AOF_ERROR:
		log_line(&l->server->config.log, LOG_LEVEL_WARNING,
			 "Unrecoverable error reading the append only file %s: %s", l->name,
			 strerror(l->in.error_code));
		return false;
	}
	return false;
}

/* --- files --- */

/* The RDB at the file's start, if there is one; *@end is where the commands begin. */
static bool load_preamble(struct loading *l, int fd, uint64_t size, bool is_base, uint64_t *end)
{
	struct server *s = l->server;
	char magic[5];

	*end = 0;
	if (pread(fd, magic, 5, 0) != 5 || memcmp(magic, "REDIS", 5) != 0)
		return true;
	bool old = is_base && strcmp(l->name, s->config.appendfilename) == 0;
	log_line(&s->config.log, LOG_LEVEL_NOTICE,
		 old ? "Reading RDB preamble from AOF file..."
		     : "Reading RDB base file on AOF loading...");
	bool ok = load_rdb(s, fd, size, true, false, true, end);
	s->loading = s->keyspace->expiry_frozen = true;
	if (!ok)
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 old ? "Error reading the RDB preamble of the AOF file %s, AOF loading "
			       "aborted"
			     : "Error reading the RDB base file %s, AOF loading aborted",
			 l->name);
	else if (*end < size && !s->stopping)
		log_line(&s->config.log, LOG_LEVEL_NOTICE, "Reading the remaining AOF tail...");
	return ok;
}

static bool load_fd(struct loading *l, int fd, uint64_t size, bool is_base, struct aof_tail *tail)
{
	struct server *s = l->server;
	uint64_t start;
	bool said;

	if (!load_preamble(l, fd, size, is_base, &start))
		return false;
	if (s->stopping)
		return true;
	l->session.db = &s->keyspace->dbs[0];
	l->next_turn = start + TURN_BYTES;
	aof_in_init(&l->in, fd, size, start);
	l->synced = l->last ? aof_in_synced(&l->in) : UINT64_MAX;
	l->unsynced = l->foreign = false;
	enum aof_item got = run_all(l, &said);
	bool ok = !said && judge(l, got, fd);
	*tail = (struct aof_tail){l->good.offset, l->good.crc, l->good.covered};
	/* Place that was made for more goes: it is made again where it is wanted. */
	bool place = l->last && got == AOF_END && l->in.checked && !l->in.begun &&
		     l->in.solid < l->in.offset;
	if (ok && place && ftruncate(fd, (off_t)l->in.solid) == 0)
		*tail = (struct aof_tail){.size = l->in.solid};
	aof_in_fini(&l->in);
	return ok;
}

static double seconds_since(const struct timespec *begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - begin->tv_sec) + (double)(now.tv_nsec - begin->tv_nsec) / 1e9;
}

static bool load_file(struct loading *l, const struct aof_file *f, bool last, struct aof_tail *tail)
{
	struct server *s = l->server;
	bool is_base = f->type == AOF_BASE;
	struct timespec begin;
	struct stat st;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	l->name = f->name;
	l->last = last;
	int fd = aof_open(s, f->name, O_RDWR); /* a torn end is cut off */
	if (fd < 0 && (errno == EACCES || errno == EROFS))
		fd = aof_open(s, f->name, O_RDONLY);
	bool ok = fd >= 0 && fstat(fd, &st) == 0;
	if (!ok)
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 errno == ENOENT
				 ? "Unable to obtain the AOF file %s length. stat: %s"
				 : "Fatal error: can't open the append log file %s for reading: %s",
			 f->name, strerror(errno));
	else
		ok = load_fd(l, fd, (uint64_t)st.st_size, is_base, tail);
	if (fd >= 0)
		close(fd);
	if (ok && !s->stopping) {
		l->before += (uint64_t)st.st_size;
		log_line(&s->config.log, LOG_LEVEL_NOTICE,
			 is_base ? "DB loaded from base file %s: %.3f seconds"
				 : "DB loaded from incr file %s: %.3f seconds",
			 f->name, seconds_since(&begin));
	}
	return ok;
}

void aof_add_up(struct aof *a)
{
	struct server *s = a->server;
	const struct aof_manifest *m = &a->manifest;
	const struct aof_file *last = aof_manifest_last(m);

	a->older = a->base_size = 0;
	for (size_t i = 0; i < m->n; i++) {
		uint64_t size = aof_file_size(s, m->files[i].name);
		if (m->files[i].type == AOF_BASE)
			a->base_size = size;
		if (m->files[i].type != AOF_HISTORY && &m->files[i] != last)
			a->older += size;
	}
	a->grown_from = a->older + (last ? aof_file_size(s, last->name) : 0);
}

static bool load_all(struct loading *l, const struct aof_manifest *m, struct aof_tail *tail)
{
	const struct aof_file *base = aof_manifest_base(m), *last = aof_manifest_last(m);

	if (base && !load_file(l, base, !last, tail))
		return false;
	for (size_t i = 0; i < m->n && !l->server->stopping; i++)
		if (m->files[i].type == AOF_INCREMENT &&
		    !load_file(l, &m->files[i], &m->files[i] == last, tail))
			return false;
	return true;
}

bool aof_load(struct server *s, const struct aof_manifest *m, struct aof_tail *tail)
{
	struct loading l = {.server = s};
	struct snapshot_figures *f = &s->snapshot->figures;
	struct timespec begin;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	reply_init(&l.reply, 2);
	l.reply.muted = true;
	session_open(&l.session, s, &l.reply, NULL,
		     SESSION_INTERNAL | SESSION_AUTHENTICATED | SESSION_DENY_BLOCKING);
	aof_add_up(s->aof);
	f->load_start = s->keyspace->now_ms / 1000;
	f->load_total = s->aof->older;
	f->load_done = 0;
	s->loading = s->keyspace->expiry_frozen = true;
	s->keyspace->replaying = true;
	bool ok = load_all(&l, m, tail);
	s->loading = s->keyspace->replaying = false;
	s->keyspace->expiry_frozen = s->pause != NULL;
	session_close(&l.session);
	reply_fini(&l.reply);
	if (s->changes)
		changes_mark_all(s->changes, s->keyspace->now_ms);
	if (ok && m->n && !s->stopping)
		log_line(&s->config.log, LOG_LEVEL_NOTICE,
			 "DB loaded from append only file: %.3f seconds", seconds_since(&begin));
	return ok;
}
