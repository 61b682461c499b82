/* fs/kernel/held.h - operations of the mount that wait for the end of CLIENT PAUSE.
 *
 * A file operation whose commands a pause stops is answered when the pause is over: the process that asked for it sleeps until
 * then, as it would in front of a slow disk. Those that the pause does not stop go on. They run again through the backend, in
 * the order in which they came.
 */
#ifndef FS_KERNEL_HELD_H
#define FS_KERNEL_HELD_H

#include "fs/backend/backend.h"

/* While server->pause: keep copies of what was submitted, if the pause stops it. False when it is to run now. */
bool held_keep(struct server *server, struct backend *b, unsigned db,
	       const struct backend_command *cmds, size_t n, backend_done done, void *arg);

/* Answer all that wait with an error: the mount goes. */
void held_cancel(struct backend *b);

#endif
