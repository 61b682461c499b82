/* store/persist/aof_manifest.h - the list of files that make up an append-only log, as Redis 7 keeps it.
 *
 * One line a file: "file NAME seq N type T", T being b (base, at most one), h (history: no longer needed), i (increment, in
 * the order of their numbers). Names stand in quotes where they need it.
 */
#ifndef STORE_PERSIST_AOF_MANIFEST_H
#define STORE_PERSIST_AOF_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/bytes.h"

enum aof_type { AOF_BASE = 'b', AOF_HISTORY = 'h', AOF_INCREMENT = 'i' };

struct aof_file {
	char *name; /* owned */
	int64_t seq;
	enum aof_type type;
};

/* Zeroed is empty. */
struct aof_manifest {
	struct aof_file *files;
	size_t n;
	int64_t base_seq, increment_seq; /* the highest given out */
};

void aof_manifest_fini(struct aof_manifest *m);
void aof_manifest_copy(struct aof_manifest *to, const struct aof_manifest *from);

/* The file is copied in. */
void aof_manifest_add(struct aof_manifest *m, const char *name, int64_t seq, enum aof_type type);
void aof_manifest_remove(struct aof_manifest *m, size_t i);
/* The base or NULL; the last increment or NULL. */
struct aof_file *aof_manifest_base(const struct aof_manifest *m);
struct aof_file *aof_manifest_last(const struct aof_manifest *m);

/* Fill the zeroed @m from @text. False with *@error in Redis's words, *@line and *@where (a copy of it, up to 128 bytes) filled. */
struct aof_manifest_error {
	const char *text;
	int line;
	char where[128];
};
bool aof_manifest_parse(struct aof_manifest *m, struct bytes text, struct aof_manifest_error *err);

/* The text of it, base first, a string from mem.h of *@n bytes. */
char *aof_manifest_format(const struct aof_manifest *m, size_t *n);

#endif
