/* The life of the mounts: checks, mounting, serving the kernel's requests inside the loop, unmounting. */
#define _GNU_SOURCE /* statx */
#include "fs/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/fs.h"
#include "fs/handle.h"
#include "fs/kernel/held.h"
#include "fs/kernel/session_io.h"
#include "fs/ops/ops.h"
#include "fs/options.h"
#include "resp/acl/acl.h"
#include "resp/changes.h"
#include "resp/config/text.h"
#include "resp/log.h"
#include "resp/net/loop.h"
#include "resp/persist/aof/aof.h"
#include "resp/server.h"
#include "store/base/mem.h"

/* Requests served before the sockets get their turn. */
#define REQUESTS_A_TURN 1024

#define WARN(s, ...) log_line(&(s)->config.log, LOG_LEVEL_WARNING, __VA_ARGS__)

struct mounts {
	struct server *server;
	struct mount *first;
	char **points; /* theirs, borrowed, NULL behind the last */
};

/* --- before mounting --- */

/* Whether a server that is no more is mounted at @point. What the kernel remembers of it it still tells, so it is to ask. */
static bool is_dead(const char *point)
{
	struct statx st;

	return statx(AT_FDCWD, point, AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &st) < 0 &&
	       (errno == ENOTCONN || errno == ECONNABORTED);
}

/* Take away what a killed server left. Lazily, since somebody may stand in it. */
static void clear_stale(struct server *s, const char *point)
{
	for (int i = 0; i < 16 && is_dead(point); i++) {
		WARN(s, "Taking away the mount that a server left behind at %s", point);
		if (umount2(point, MNT_DETACH) == 0)
			continue;
		pid_t pid = fork();
		if (pid == 0) {
			execlp("fusermount3", "fusermount3", "-u", "-z", "-q", "--", point,
			       (char *)NULL);
			_exit(127);
		}
		int status;
		if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
			return;
	}
}

/* Where @path is or would be made, absolute, into @out (PATH_MAX). */
static bool resolve(const char *path, char *out)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (realpath(path, out))
		return true;
	if (snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		     slash ? path : ".") >= (int)sizeof(dir))
		return false;
	char parent[PATH_MAX];
	if (!realpath(dir, parent))
		return false;
	return snprintf(out, PATH_MAX, "%s/%s", strcmp(parent, "/") ? parent : "",
			slash ? slash + 1 : path) < PATH_MAX;
}

static bool inside(const char *point, const char *path)
{
	char full[PATH_MAX];
	size_t n = strlen(point);

	if (!path || !*path || !resolve(path, full))
		return false;
	return strncmp(full, point, n) == 0 && (full[n] == '/' || full[n] == '\0');
}

/* The process must never open a path of its own mount: it would wait for itself. */
static bool paths_are_outside(struct server *s, const char *point)
{
	const struct config *c = &s->config;
	const struct {
		const char *what, *path;
	} paths[] = {
		{"dir", c->dir},
		{"working directory", "."},
		{"logfile", c->log.path},
		{"pidfile", c->pidfile},
		{"unixsocket", c->unixsocket},
		{"configuration file", c->config_file},
		{"ACL file", c->aclfile},
		{"RDB file", c->rdb},
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!inside(point, paths[i].path))
			continue;
		WARN(s, "Can't mount at %s: the %s (%s) is inside it", point, paths[i].what,
		     paths[i].path);
		return false;
	}
	return true;
}

/* A second server on one mount point would hide the first. */
static bool is_taken(const char *point)
{
	FILE *f = setmntent("/proc/self/mounts", "r");
	struct mntent *e;
	bool taken = false;

	while (f && (e = getmntent(f)))
		if (!strcmp(e->mnt_dir, point))
			taken = !strcmp(e->mnt_type, "fuse.inodis");
	if (f)
		endmntent(f);
	return taken;
}

/* @dir as the kernel would have it, for mem_free; NULL when it is no place for a mount. */
static char *find_point(struct server *s, const char *dir)
{
	char full[PATH_MAX];
	struct stat st;

	clear_stale(s, dir);
	if (!realpath(dir, full) || stat(full, &st) < 0) {
		WARN(s, "Can't mount at %s: %s", dir, strerror(errno));
		return NULL;
	}
	if (!S_ISDIR(st.st_mode)) {
		WARN(s, "Can't mount at %s: %s", full, strerror(ENOTDIR));
		return NULL;
	}
	if (is_taken(full)) {
		WARN(s, "Can't mount at %s: another server is mounted there", full);
		return NULL;
	}
	return paths_are_outside(s, full) ? mem_dup(full, strlen(full) + 1) : NULL;
}

/* --- serving --- */

static bool any_is_there(const struct mounts *all)
{
	const struct mount *m = all->first;

	while (m && !m->fd)
		m = m->next;
	return m;
}

static void taken_away(struct mount *m)
{
	const struct config *cfg = &m->server->config;

	loop_fd_remove(m->fd);
	m->fd = NULL;
	cache_stop(m);
	held_cancel(m->backend);
	slices_end(&m->slices);
	handles_free(m);
	clear_stale(m->server,
		    m->point); /* umount -f of a mount in use ends it, and leaves it there */
	if ((cfg->end_with_mount || cfg->rdb[0]) && !any_is_there(m->all)) {
		WARN(m->server, "The mount at %s was taken away; it was the last, so this ends",
		     m->point);
		if (server_shutdown(m->server, (unsigned)cfg->shutdown_on_sigterm))
			return;
	}
	WARN(m->server, "The mount at %s was taken away; clients are served as before", m->point);
}

/* Everything the kernel has queued, but for what takes too long for one turn; false when the session is over. */
static bool serve(struct mount *m)
{
	const int64_t *spent = &m->slices.spent_usec, before = *spent;

	for (int n = 0; n < REQUESTS_A_TURN && *spent - before < SLICES_TURN_USEC; n++) {
		int got = fuse_session_receive_buf(m->session, &m->buf);
		if (got == -EINTR)
			continue;
		if (got == -EAGAIN)
			return true;
		if (got <= 0)
			return false;
		m->requests++;
		fuse_session_process_buf(m->session, &m->buf);
		if (fuse_session_exited(m->session))
			return false;
	}
	return true;
}

static void ready(void *arg, unsigned events)
{
	struct mount *m = arg;

	(void)events;
	if (!serve(m))
		taken_away(m);
}

/* --- life --- */

static struct fuse_session *new_session(struct mount *m)
{
	const struct mount_options *o = &m->options;
	char list[384];
	char *argv[] = {"inodis", "-o", list, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);

	/* As root the kernel's record of the mount is ours alone; auto_unmount would need a helper process that outlives us. */
	snprintf(list, sizeof(list), "fsname=inodis,subtype=inodis%s%s%s%s", o->ro ? ",ro" : "",
		 o->allow_other ? ",allow_other,default_permissions" : "",
		 geteuid() == 0 ? "" : ",auto_unmount", o->flags);
	struct fuse_session *session = fuse_session_new(&args, &mount_ops, sizeof(mount_ops), m);
	fuse_opt_free_args(&args);
	return session;
}

static bool attach(struct mount *m)
{
	struct server *s = m->server;

	m->session = new_session(m);
	if (!m->session) {
		WARN(s, "Can't mount at %s: the FUSE session could not be made", m->point);
		return false;
	}
	if (fuse_session_mount(m->session, m->point) != 0) {
		WARN(s,
		     "Can't mount at %s: FUSE refused it (is /dev/fuse there, and may this user "
		     "mount?)",
		     m->point);
		return false;
	}
	session_io_install(m->session);
	int fd = fuse_session_fd(m->session);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	m->fd = loop_fd_add(s->loop, fd, LOOP_FIRST, LOOP_READ, ready, m);
	if (!m->fd) {
		WARN(s, "Can't watch the mount at %s: %s", m->point, strerror(errno));
		fuse_session_unmount(m->session);
		return false;
	}
	return true;
}

static void free_mount(struct mount *m)
{
	if (m->session)
		fuse_session_destroy(m->session);
	free(m->buf.mem); /* libfuse's malloc */
	handles_free(m);
	landing_fini(&m->landing);
	scratches_fini(&m->scratches);
	if (m->backend) {
		inodes_fini(&m->inodes);
		backend_free(m->backend);
	}
	mem_free(m->point);
	mem_free(m);
}

/* What is for all mounts, then what is for this one; the user as mount-user says where neither does. */
static bool read_options(struct server *s, const struct config_mount *c, struct mount_options *out)
{
	const struct config *cfg = &s->config;
	struct text list = {0};
	char why[256];

	text_fmt(&list, "%s,%s", cfg->mount_options, c->options);
	bool ok = options_parse(list.p, out, why, sizeof(why));
	text_fini(&list);
	if (!ok)
		WARN(s, "Can't mount at %s: %s", c->dir, why);
	else if (!out->user[0])
		snprintf(out->user, sizeof(out->user), "%s", cfg->mount_user);
	out->ro = out->ro || cfg->rdb[0];
	return ok;
}

static bool options_can_be(struct server *s, const char *dir, const struct mount_options *o)
{
	if (o->db >= s->keyspace->ndbs) {
		WARN(s, "Can't mount at %s: there is no database %u", dir, o->db);
		return false;
	}
	if (o->user[0] && !acl_find(s->acl, bytes_str(o->user))) {
		WARN(s, "Can't mount at %s: there is no user '%s'", dir, o->user);
		return false;
	}
	return true;
}

/* Everything but the mounting: no file is looked at after the first one is mounted, since that might be inside it. */
static struct mount *prepare(struct server *s, const struct config_mount *c)
{
	struct mount_options options;

	if (!read_options(s, c, &options) || !options_can_be(s, c->dir, &options))
		return NULL;
	char *point = find_point(s, c->dir);
	if (!point)
		return NULL;
	struct mount *m = mem_calloc(sizeof(*m));
	m->server = s;
	m->options = options;
	m->slices.loop = s->loop;
	m->point = point;
	m->who = (struct session_mount){m->point, m->options.user};
	m->backend = backend_local_new(s, &m->who);
	inodes_init(&m->inodes, &(struct place){.node = NODE_TOP, .db = options.db});
	return m;
}

/* A mount in another one of ours would have the process wait for itself, too. */
static bool is_apart(const struct mounts *all, const struct mount *m)
{
	for (const struct mount *o = all->first; o; o = o->next) {
		size_t n = strlen(o->point), k = strlen(m->point), least = n < k ? n : k;
		const char *longer = n < k ? m->point : o->point;
		if (strncmp(o->point, m->point, least) != 0 ||
		    (longer[least] && longer[least] != '/'))
			continue;
		WARN(m->server, "Can't mount at %s: it overlaps the mount at %s", m->point,
		     o->point);
		return false;
	}
	return true;
}

static bool prepare_all(struct mounts *all)
{
	const struct config_mounts *c = &all->server->config.mounts;
	struct mount **last = &all->first;

	all->points = mem_calloc((c->n + 1) * sizeof(*all->points));
	for (size_t i = 0; i < c->n; i++) {
		struct mount *m = prepare(all->server, &c->v[i]);
		if (!m)
			return false;
		bool apart = is_apart(all, m);
		m->all = all;
		*last = m;
		last = &m->next;
		all->points[i] = m->point;
		if (!apart)
			return false;
	}
	return true;
}

static void turn_ends(void *arg)
{
	struct mounts *all = arg;

	for (struct mount *m = all->first; m; m = m->next) {
		polls_tell(m);
		cache_turn(m);
		editions_turn(&m->inodes);
	}
}

struct mounts *mounts_start(struct server *s)
{
	struct mounts *all = mem_calloc(sizeof(*all));

	all->server = s;
	bool ok = prepare_all(all);
	s->mount_points = all->points;
	for (struct mount *m = all->first; m && ok; m = m->next) {
		ok = attach(m);
		if (ok)
			log_line(&s->config.log, LOG_LEVEL_NOTICE, "Mounted at %s", m->point);
	}
	if (!ok) {
		mounts_stop(all);
		return NULL;
	}
	loop_before_wait(s->loop, turn_ends, all);
	return all;
}

static void answer_rest(struct mount *m)
{
	serve(m);
	loop_fd_remove(m->fd);
	cache_stop(m);
	held_cancel(m->backend);
	slices_end(&m->slices);
	handles_free(m); /* what is parked is answered while there is somebody to hear it */
	aof_flush(m->server);
}

static void stop(struct mount *m)
{
	bool mounted = m->session && fuse_session_fd(m->session) >= 0;

	if (m->fd)
		answer_rest(m);
	/* Closes the descriptor first: who waits for an answer gets an error, and nothing waits for this process. */
	if (mounted) {
		fuse_session_unmount(m->session);
		log_line(&m->server->config.log, LOG_LEVEL_NOTICE, "Unmounted %s", m->point);
	}
	free_mount(m);
}

void mounts_stop(struct mounts *all)
{
	if (!all)
		return;
	struct server *s = all->server;
	while (all->first) {
		struct mount *m = all->first;
		all->first = m->next;
		stop(m);
	}
	s->keyspace->hooks.named = NULL;
	changes_free(s->changes);
	s->changes = NULL;
	s->mount_points = NULL;
	mem_free(all->points);
	mem_free(all);
}
