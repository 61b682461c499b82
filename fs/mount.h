/* fs/mount.h - the mount: the second front door, served by the server's own loop.
 *
 * mount_start reads config.mount and config.mount_options (a list as mount(8)'s -o takes it: uid=, gid=, umask= in octal, ro, raw,
 * allow_other, db=), mounts, and registers the session's descriptor with server->loop. It sets server->mount_point and
 * server->changes. Engine thread only; nothing of it runs outside the loop's callbacks.
 */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

struct server;
struct mount;

/* Mount at config.mount, which must not be "". Needs the keyspace, the command registry and the loop; to be called after the process
 * became a daemon. A mount that a killed server left behind is taken away first.
 * NULL after logging why: no such directory, a bad option, no right to mount, or `dir`, the log, the pid file or the unix
 * socket stand inside the mount point (the process would wait for itself). Nothing is mounted then. */
struct mount *mount_start(struct server *s);

/* Answer what the kernel has queued, unmount (lazily: an open file does not hold the server), free. Values still being written
 * are dropped whole: the keys keep what they had. @m may be NULL. Before server_fini and loop_free. */
void mount_stop(struct mount *m);

#endif
