/* resp/persist/aof_files.c - the directory of the append-only log and what stands in it. See aof_internal.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resp/persist/aof_internal.h"
#include "store/base/bgfree.h"
#include "store/base/mem.h"

#define MANIFEST_MAX ((size_t)1 << 24)

/* --- names --- */

static char *join(const char *a, const char *b, const char *c)
{
	size_t n = strlen(a) + strlen(b) + strlen(c) + 1;
	char *s = mem_alloc(n);

	snprintf(s, n, "%s%s%s", a, b, c);
	return s;
}

char *aof_path(const struct server *s, const char *name)
{
	return join(s->config.appenddirname, "/", name);
}

static char *numbered(const struct server *s, int64_t seq, const char *suffix)
{
	char tail[64];

	snprintf(tail, sizeof(tail), ".%lld%s", (long long)seq, suffix);
	return join(s->config.appendfilename, tail, "");
}

char *aof_base_name(const struct server *s, int64_t seq)
{
	return numbered(s, seq, s->config.aof_use_rdb_preamble ? ".base.rdb" : ".base.aof");
}

char *aof_increment_name(const struct server *s, int64_t seq)
{
	return numbered(s, seq, ".incr.aof");
}

char *aof_waiting_name(const struct server *s)
{
	return join("temp-", s->config.appendfilename, ".incr");
}

static char *manifest_path(const struct server *s, bool temp)
{
	char *name = join(temp ? "temp-" : "", s->config.appendfilename, ".manifest");
	char *path = aof_path(s, name);

	mem_free(name);
	return path;
}

uint64_t aof_file_size(const struct server *s, const char *name)
{
	char *path = aof_path(s, name);
	struct stat st;
	bool there = stat(path, &st) == 0;

	mem_free(path);
	return there ? (uint64_t)st.st_size : 0;
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* --- the manifest --- */

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? errno : ENOSPC;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static bool write_manifest(struct server *s, const char *path, const struct aof_manifest *m)
{
	size_t n;
	char *text = aof_manifest_format(m, &n);
	int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0644);
	int error = fd < 0 ? errno : write_all(fd, text, n);

	mem_free(text);
	if (fd >= 0 && !error && fsync(fd) < 0)
		error = errno;
	if (fd >= 0)
		close(fd);
	if (error)
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Error trying to write the temporary AOF manifest file %s: %s", path,
			 strerror(error));
	return !error;
}

bool aof_manifest_store(struct server *s, const struct aof_manifest *m)
{
	char *temp = manifest_path(s, true), *path = manifest_path(s, false);
	bool ok = write_manifest(s, temp, m);

	if (ok && rename(temp, path) < 0) {
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Error trying to rename the temporary AOF manifest file %s into %s: %s",
			 temp, path, strerror(errno));
		ok = false;
	}
	if (ok)
		save_sync_directory(s, s->config.appenddirname);
	else
		unlink(temp);
	mem_free(temp);
	mem_free(path);
	return ok;
}

static bool parse_manifest(struct server *s, struct aof_manifest *m, struct bytes text)
{
	struct aof_manifest_error err;

	if (aof_manifest_parse(m, text, &err))
		return true;
	log_line(&s->config.log, LOG_LEVEL_WARNING,
		 "\n*** FATAL AOF MANIFEST FILE ERROR ***\nReading the manifest file, at line "
		 "%d\n>>> '%s'\n%s",
		 err.line, err.where, err.text);
	return false;
}

static bool read_manifest(struct server *s, struct aof_manifest *m, bool *found)
{
	char *path = manifest_path(s, false), *text = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;
	struct stat st;

	*found = fd >= 0 || errno != ENOENT;
	bool ok = !*found;
	if (fd >= 0 && fstat(fd, &st) == 0 && (uint64_t)st.st_size <= MANIFEST_MAX) {
		text = mem_alloc((size_t)st.st_size + 1);
		n = pread(fd, text, (size_t)st.st_size, 0);
	}
	if (text && n >= 0)
		ok = parse_manifest(s, m, bytes_of(text, (size_t)n));
	else if (*found)
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Fatal error: can't open the AOF manifest file %s for reading: %s", path,
			 strerror(errno));
	if (fd >= 0)
		close(fd);
	mem_free(text);
	mem_free(path);
	return ok;
}

bool aof_make_directory(struct server *s)
{
	const char *dir = s->config.appenddirname;

	if (mkdir(dir, 0755) == 0) {
		save_sync_directory(s, ".");
		return true;
	}
	struct stat st;
	if (errno == EEXIST && stat(dir, &st) == 0 && S_ISDIR(st.st_mode))
		return true;
	log_line(&s->config.log, LOG_LEVEL_WARNING, "Can't open or create append-only dir %s: %s",
		 dir, strerror(errno));
	return false;
}

/* --- a file of the old kind --- */

/* Redis 6 wrote one file, in dir itself. It is still to be taken over while no manifest names anything but it. */
static bool is_old(const struct server *s, const struct aof_manifest *m, bool found)
{
	const char *name = s->config.appendfilename;
	const struct aof_file *base = aof_manifest_base(m);

	if (!exists(name))
		return false;
	if (!found)
		return true;
	if (m->n != 1 || !base || strcmp(base->name, name) != 0)
		return false;
	char *path = aof_path(s, name);
	bool moved = exists(path);
	mem_free(path);
	return !moved;
}

static bool upgrade(struct server *s, struct aof_manifest *m)
{
	const char *name = s->config.appendfilename;
	struct log *log = &s->config.log;

	aof_manifest_fini(m);
	aof_manifest_add(m, name, 1, AOF_BASE);
	if (!aof_make_directory(s) || !aof_manifest_store(s, m))
		return false;
	char *path = aof_path(s, name);
	bool ok = rename(name, path) == 0;
	mem_free(path);
	if (!ok) {
		log_line(log, LOG_LEVEL_WARNING,
			 "Error trying to move the old AOF file %s into dir %s: %s", name,
			 s->config.appenddirname, strerror(errno));
		return false;
	}
	save_sync_directory(s, s->config.appenddirname);
	save_sync_directory(s, ".");
	log_line(log, LOG_LEVEL_NOTICE,
		 "Successfully migrated an old-style AOF file (%s) into the AOF directory (%s).",
		 name, s->config.appenddirname);
	return true;
}

bool aof_files_read(struct server *s, struct aof_manifest *m)
{
	bool found;

	return read_manifest(s, m, &found);
}

bool aof_files_find(struct server *s, struct aof_manifest *m)
{
	bool found;

	if (!read_manifest(s, m, &found))
		return false;
	return !is_old(s, m, found) || upgrade(s, m);
}

/* --- going on --- */

/* A base that holds what is in memory: nothing, but where the log was switched on with data loaded. */
static bool create_base(struct server *s, struct aof_manifest *m)
{
	char *name = aof_base_name(s, m->base_seq + 1), *path = aof_path(s, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	log_line(&s->config.log, LOG_LEVEL_NOTICE, "Creating AOF base file %s on server start",
		 name);
	int error = fd < 0 ? errno : aof_fill_base(s, fd, NULL, NULL);
	if (error)
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Write error writing append only file on disk: %s", strerror(error));
	else
		aof_manifest_add(m, name, m->base_seq + 1, AOF_BASE);
	mem_free(name);
	mem_free(path);
	return !error;
}

int aof_create_increment(struct server *s, const char *name)
{
	char *path = aof_path(s, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Can't open the append-only file %s: %s", name, strerror(errno));
	mem_free(path);
	return fd;
}

static int create_first(struct server *s, struct aof_manifest *m)
{
	if (!aof_make_directory(s))
		return -1;
	if (m->n == 0 && !create_base(s, m))
		return -1;
	char *name = aof_increment_name(s, m->increment_seq + 1);
	log_line(&s->config.log, LOG_LEVEL_NOTICE, "Creating AOF incr file %s on server start",
		 name);
	int fd = aof_create_increment(s, name);
	if (fd >= 0)
		aof_manifest_add(m, name, m->increment_seq + 1, AOF_INCREMENT);
	mem_free(name);
	if (fd >= 0 && !aof_manifest_store(s, m)) {
		close(fd);
		return -1;
	}
	return fd;
}

int aof_files_open(struct server *s, struct aof_manifest *m, struct aof_tail *tail)
{
	const struct aof_file *last = aof_manifest_last(m);

	if (!last) {
		*tail = (struct aof_tail){0};
		return create_first(s, m);
	}
	char *path = aof_path(s, last->name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	log_line(&s->config.log, fd < 0 ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE,
		 fd < 0 ? "Can't open the append-only file %s: %s"
			: "Opening AOF incr file %s on server start",
		 last->name, strerror(errno));
	mem_free(path);
	return fd;
}

static void close_file(void *fd)
{
	close((int)(intptr_t)fd);
}

void aof_drop_history(struct server *s, struct aof_manifest *m)
{
	bool any = false;

	if (s->config.aof_disable_auto_gc)
		return;
	for (size_t i = m->n; i--;) {
		if (m->files[i].type != AOF_HISTORY)
			continue;
		char *path = aof_path(s, m->files[i].name);
		/* Who holds it open lets its blocks go, which may take long: not the engine. */
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		bool gone = unlink(path) == 0 || errno == ENOENT;
		if (fd >= 0)
			bgfree_submit(close_file, (void *)(intptr_t)fd, 0);
		if (gone) {
			aof_manifest_remove(m, i);
			any = true;
		}
		mem_free(path);
	}
	if (any)
		aof_manifest_store(s, m);
}
