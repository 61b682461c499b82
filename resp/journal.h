/* resp/journal.h - what changed, in order: the one source of the AOF and of replicas.
 *
 * The dispatcher appends each command that changed data, verbatim or as the effect its handler named; commands that
 * belong together (a transaction, a file's rows) stand between journal_begin and journal_end and reach consumers as one unit.
 * With no consumer an append costs one test.
 */
#ifndef RESP_JOURNAL_H
#define RESP_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/bytes.h"

struct journal;

struct journal_consumer {
	void *arg;
	/* One command that changed database @db. Bytes are borrowed. */
	void (*append)(void *arg, unsigned db, int argc, const struct bytes *argv);
	/* A unit of more than one command begins and ends; not called for units of one. */
	void (*begin)(void *arg);
	void (*end)(void *arg);
};

struct journal *journal_new(void);
void journal_free(struct journal *j);

/* @consumer is borrowed until it is removed. */
void journal_add_consumer(struct journal *j, const struct journal_consumer *consumer);
void journal_remove_consumer(struct journal *j, const struct journal_consumer *consumer);
/* What struct journal begins with. */
struct journal_head {
	size_t count; /* of consumers */
};
static inline bool journal_active(const struct journal *j)
{
	return ((const struct journal_head *)(const void *)j)->count > 0;
}

void journal_append(struct journal *j, unsigned db, int argc, const struct bytes *argv);
void journal_begin(struct journal *j);
void journal_end(struct journal *j);
/* What is appended meanwhile goes nowhere (redis.set_repl). */
void journal_mute(struct journal *j, bool muted);
/* Whether the outermost unit is open and nothing was appended in it: its only command needs no copy after journal_end. */
bool journal_unit_is_empty(const struct journal *j);

#endif
