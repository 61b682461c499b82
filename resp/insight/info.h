/* resp/insight/info.h - INFO: what the server knows of itself, in sections of "name:value" lines.
 *
 * All figures are taken at one moment into a struct info_figures; a table of fields says which stands where and how it is printed.
 * Commandstats, errorstats and keyspace are lists and print themselves.
 */
#ifndef RESP_INFO_H
#define RESP_INFO_H

#include <stddef.h>
#include <stdio.h>

#include "resp/server.h"
#include "store/base/bytes.h"

/* Write the sections that @names name ("server", "default", "all", "everything", any case; none: default) to @out, in Redis's
 * order, an empty line between two. Unknown names add nothing. */
void info_write(struct server *s, const struct bytes *names, size_t n, FILE *out);

#endif
