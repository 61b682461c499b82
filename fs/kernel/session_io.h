/* fs/kernel/session_io.h - what libfuse has no words for: in the answer to INIT, and where requests are received.
 *
 * Requests are received as landing.h has it.
 *
 * Files here are direct_io, and the kernel maps such a file shared (MAP_SHARED, from Linux 6.6 on) only where the server allows it when
 * the connection begins. libfuse 3.14 cannot say so; the session's writes go through here, and the first one, which is the
 * answer to INIT, gets the flag. Older kernels ignore it.
 */
#ifndef FS_KERNEL_SESSION_IO_H
#define FS_KERNEL_SESSION_IO_H

struct fuse_session;

/* To be called after fuse_session_mount, before the first request is received. */
void session_io_install(struct fuse_session *se);

#endif
