/* resp/config/path.h - whether a path leads into a directory, without touching that directory.
 */
#ifndef RESP_CONFIG_PATH_H
#define RESP_CONFIG_PATH_H

#include <stdbool.h>

/* Whether @path (relative to the working directory) is @dir or lies below it, symbolic links followed. @dir is absolute and clean.
 * Nothing at or below @dir is looked at: a server that asks its own mount waits for itself. */
bool path_enters(const char *path, const char *dir);

/* The same for several, NULL behind the last; @dirs may be NULL: none. */
bool path_enters_any(const char *path, char *const *dirs);

#endif
