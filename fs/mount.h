/* fs/mount.h - the mounts: the second front door, served by the server's own loop.
 *
 * mounts_start reads config.mounts, each with its list of options as mount(8)'s -o takes it (uid=, gid=, umask= in octal, ro, raw,
 * allow_other, db=, user=) behind config.mount_options, which is for all; mounts, and registers the sessions' descriptors with
 * server->loop. It sets server->mount_points and server->changes. Each mount is a client of its own. Engine thread only; nothing of it
 * runs outside the loop's callbacks.
 */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

struct server;
struct mounts;

/* Mount all of config.mounts. Needs the keyspace, the command registry, the users and the loop; to be called after the process
 * became a daemon. A mount that a killed server left behind is taken away first.
 * NULL after logging why: no such directory, a bad option, no such database or user, no right to mount, a mount inside another, or
 * `dir`, the log, the pid file or the unix socket stand inside one (the process would wait for itself). Nothing is mounted then. */
struct mounts *mounts_start(struct server *s);

/* Answer what the kernel has queued, unmount (lazily: an open file does not hold the server), free. Values still being written
 * are dropped whole: the keys keep what they had. @all may be NULL. Before server_fini and loop_free. */
void mounts_stop(struct mounts *all);

#endif
