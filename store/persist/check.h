/* store/persist/check.h - looking over files without a server: what redis-check-rdb and redis-check-aof do, in their words.
 *
 * Every value is read as loading would read it, and let go. Findings go to standard output.
 */
#ifndef STORE_PERSIST_CHECK_H
#define STORE_PERSIST_CHECK_H

#include <stdbool.h>
#include <stdint.h>

/* Look over the RDB at the start of @fd, which is of @size bytes and called @name; *@end (may be NULL) is where it ended. */
bool check_rdb_fd(int fd, uint64_t size, const char *name, uint64_t *end);

/* The programs: @argv[0] is the name in their usage. The exit code. */
int check_rdb_main(int argc, char **argv);
int check_aof_main(int argc, char **argv);

#endif
