/* resp/times.h - times that files were given: utimes(2), and so cp -p, tar and rsync. They hold until the key changes.
 *
 * A table of key ids (changes_id) in the server's memory: nothing of it is saved. There are at most TIMES_MAX; who comes then
 * is not remembered.
 */
#ifndef RESP_TIMES_H
#define RESP_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMES_MAX 262144

struct times {
	struct time_slot {
		uint64_t id; /* 0 is free */
		int64_t ns;
	} * slots;
	size_t size, n; /* a power of 2, at most three quarters of it used */
};

/* False when there is no room. */
bool times_put(struct times *t, uint64_t id, int64_t ns);
bool times_get(const struct times *t, uint64_t id, int64_t *ns);
void times_drop(struct times *t, uint64_t id);
void times_clear(struct times *t);

#endif
