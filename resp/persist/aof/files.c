/* resp/persist/aof/files.c - the directory of the append-only log and what stands in it. See internal.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resp/persist/aof/internal.h"
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

/* --- the directory --- */

bool aof_enter(struct server *s)
{
	const char *dir = s->config.appenddirname;
	struct log *log = &s->config.log;

	if (s->aof->dir >= 0)
		return true;
	if (mkdir(dir, 0755) == 0)
		save_sync_directory(s, ".");
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		log_line(log, LOG_LEVEL_WARNING, "Can't open or create append-only dir %s: %s", dir,
			 strerror(errno));
		return false;
	}
	/* Where locks are not to be had there is none; where another server has it, it would be both servers' end. */
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		log_line(log, LOG_LEVEL_WARNING,
			 "The append-only dir %s is in use by another server", dir);
		close(fd);
		return false;
	}
	s->aof->dir = fd;
	return true;
}

void aof_leave(struct server *s)
{
	if (s->aof->dir >= 0)
		close(s->aof->dir);
	s->aof->dir = -1;
}

int aof_open(const struct server *s, const char *name, int flags)
{
	return openat(s->aof->dir, name, flags | O_CLOEXEC, 0644);
}

bool aof_remove(const struct server *s, const char *name)
{
	return unlinkat(s->aof->dir, name, 0) == 0 || errno == ENOENT;
}

bool aof_rename(const struct server *s, const char *from, const char *to)
{
	return renameat(s->aof->dir, from, s->aof->dir, to) == 0;
}

static bool exists(const struct server *s, const char *name)
{
	return faccessat(s->aof->dir, name, F_OK, 0) == 0;
}

static void sync_directory(struct server *s)
{
	if (fsync(s->aof->dir) < 0)
		log_line(&s->config.log, LOG_LEVEL_WARNING, "Fail to fsync AOF directory %s: %s.",
			 s->config.appenddirname, strerror(errno));
}

/* What a server that was killed left half written: the lock says that it writes no more. */
static void drop_temporary(struct server *s)
{
	int fd = aof_open(s, ".", O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	for (struct dirent *e; d && (e = readdir(d));)
		if (strncmp(e->d_name, "temp-", 5) == 0)
			aof_remove(s, e->d_name);
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
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

static char *manifest_name(const struct server *s, bool temp)
{
	return join(temp ? "temp-" : "", s->config.appendfilename, ".manifest");
}

uint64_t aof_file_size(const struct server *s, const char *name)
{
	struct stat st;

	return fstatat(s->aof->dir, name, &st, 0) == 0 ? (uint64_t)st.st_size : 0;
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

static bool write_manifest(struct server *s, const char *name, const struct aof_manifest *m)
{
	size_t n;
	char *text = aof_manifest_format(m, &n);
	int fd = aof_open(s, name, O_WRONLY | O_TRUNC | O_CREAT);
	int error = fd < 0 ? errno : write_all(fd, text, n);

	mem_free(text);
	if (fd >= 0 && !error && fsync(fd) < 0)
		error = errno;
	if (fd >= 0)
		close(fd);
	if (error)
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Error trying to write the temporary AOF manifest file %s: %s", name,
			 strerror(error));
	return !error;
}

bool aof_manifest_store(struct server *s, const struct aof_manifest *m)
{
	char *temp = manifest_name(s, true), *name = manifest_name(s, false);

	sync_directory(s); /* the files that it names */
	bool ok = write_manifest(s, temp, m);

	if (ok && !aof_rename(s, temp, name)) {
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Error trying to rename the temporary AOF manifest file %s into %s: %s",
			 temp, name, strerror(errno));
		ok = false;
	}
	if (ok)
		sync_directory(s);
	else
		aof_remove(s, temp);
	mem_free(temp);
	mem_free(name);
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
	char *name = manifest_name(s, false), *text = NULL;
	int fd = aof_open(s, name, O_RDONLY);
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
			 "Fatal error: can't open the AOF manifest file %s for reading: %s", name,
			 strerror(errno));
	if (fd >= 0)
		close(fd);
	mem_free(text);
	mem_free(name);
	return ok;
}

/* --- a file of the old kind --- */

/* Redis 6 wrote one file, in dir itself. It is still to be taken over while no manifest names anything but it. */
static bool is_old(const struct server *s, const struct aof_manifest *m, bool found)
{
	const char *name = s->config.appendfilename;
	const struct aof_file *base = aof_manifest_base(m);

	if (access(name, F_OK) < 0)
		return false;
	if (!found)
		return true;
	if (m->n != 1 || !base || strcmp(base->name, name) != 0)
		return false;
	return !exists(s, name);
}

static bool upgrade(struct server *s, struct aof_manifest *m)
{
	const char *name = s->config.appendfilename;
	struct log *log = &s->config.log;

	aof_manifest_fini(m);
	aof_manifest_add(m, name, 1, AOF_BASE);
	if (!aof_manifest_store(s, m))
		return false;
	if (renameat(AT_FDCWD, name, s->aof->dir, name) < 0) {
		log_line(log, LOG_LEVEL_WARNING,
			 "Error trying to move the old AOF file %s into dir %s: %s", name,
			 s->config.appenddirname, strerror(errno));
		return false;
	}
	sync_directory(s);
	save_sync_directory(s, ".");
	log_line(log, LOG_LEVEL_NOTICE,
		 "Successfully migrated an old-style AOF file (%s) into the AOF directory (%s).",
		 name, s->config.appenddirname);
	return true;
}

bool aof_files_read(struct server *s, struct aof_manifest *m)
{
	bool found;

	return aof_enter(s) && read_manifest(s, m, &found);
}

bool aof_files_find(struct server *s, struct aof_manifest *m)
{
	bool found;

	if (!aof_enter(s) || !read_manifest(s, m, &found))
		return false;
	drop_temporary(s);
	return !is_old(s, m, found) || upgrade(s, m);
}

/* --- going on --- */

/* A base that holds what is in memory: nothing, but where the log was switched on with data loaded. */
static bool create_base(struct server *s, struct aof_manifest *m)
{
	char *name = aof_base_name(s, m->base_seq + 1);
	int fd = aof_open(s, name, O_WRONLY | O_CREAT | O_TRUNC);

	log_line(&s->config.log, LOG_LEVEL_NOTICE, "Creating AOF base file %s on server start",
		 name);
	int error = fd < 0 ? errno : aof_fill_base(s, fd, NULL, NULL);
	if (error)
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Write error writing append only file on disk: %s", strerror(error));
	else
		aof_manifest_add(m, name, m->base_seq + 1, AOF_BASE);
	mem_free(name);
	return !error;
}

int aof_create_increment(struct server *s, const char *name)
{
	int fd = aof_open(s, name, O_WRONLY | O_CREAT | O_TRUNC);

	if (fd < 0)
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "Can't open the append-only file %s: %s", name, strerror(errno));
	return fd;
}

static int create_first(struct server *s, struct aof_manifest *m)
{
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
	int fd = aof_open(s, last->name, O_WRONLY | O_CREAT);
	log_line(&s->config.log, fd < 0 ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE,
		 fd < 0 ? "Can't open the append-only file %s: %s"
			: "Opening AOF incr file %s on server start",
		 last->name, strerror(errno));
	/* What a killed server left to the kernel, and where it was cut off. */
	if (fd >= 0 && fdatasync(fd) < 0) {
		log_line(&s->config.log, LOG_LEVEL_WARNING, "Fail to fsync the AOF file: %s",
			 strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

void aof_drop_history(struct server *s, struct aof_manifest *m)
{
	bool any = false;

	for (size_t i = m->n; i--;) {
		if (m->files[i].type != AOF_HISTORY)
			continue;
		log_line(&s->config.log, LOG_LEVEL_NOTICE,
			 "Removing the history file %s in the background", m->files[i].name);
		if (aof_remove(s, m->files[i].name)) {
			aof_manifest_remove(m, i);
			any = true;
		}
	}
	if (any)
		aof_manifest_store(s, m);
}
