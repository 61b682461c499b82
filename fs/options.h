/* fs/options.h - a list of options as mount(8)'s -o takes it. */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct mount_options;

/* Fill @out from @list ("uid=1000,umask=027,ro"), over defaults: this process's ids and umask, database 0, the
 * default user; of an option that comes twice the later one holds. False with a
 * sentence in @why. */
bool options_parse(const char *list, struct mount_options *out, char *why, size_t why_n);

#endif
