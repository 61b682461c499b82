#include "resp/journal.h"

#include <assert.h>

#include "store/base/mem.h"

/* A unit's first command is held back, copied, until it is known whether a second one follows: consumers hear of
 * begin and end only when there is something to hold together. */
struct held {
	unsigned db;
	int argc;
	struct bytes *argv; /* one allocation with the bytes behind, NULL when nothing is held */
};

struct journal {
	struct journal_head head;
	const struct journal_consumer **consumers;
	unsigned depth;
	bool open; /* consumers were told of begin */
	bool muted;
	struct held held;
};

struct journal *journal_new(void)
{
	return mem_calloc(sizeof(struct journal));
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	mem_free(j->held.argv);
	mem_free(j->consumers);
	mem_free(j);
}

void journal_add_consumer(struct journal *j, const struct journal_consumer *consumer)
{
	j->consumers = mem_realloc(j->consumers, (j->head.count + 1) * sizeof(*j->consumers));
	j->consumers[j->head.count++] = consumer;
}

void journal_remove_consumer(struct journal *j, const struct journal_consumer *consumer)
{
	for (size_t i = 0; i < j->head.count; i++) {
		if (j->consumers[i] != consumer)
			continue;
		j->consumers[i] = j->consumers[--j->head.count];
		return;
	}
}

static void feed(struct journal *j, unsigned db, int argc, const struct bytes *argv)
{
	for (size_t i = 0; i < j->head.count; i++)
		j->consumers[i]->append(j->consumers[i]->arg, db, argc, argv);
}

static void hold(struct journal *j, unsigned db, int argc, const struct bytes *argv)
{
	size_t bytes = 0;
	for (int i = 0; i < argc; i++)
		bytes += argv[i].n;
	struct bytes *copy = mem_alloc((size_t)argc * sizeof(*copy) + bytes);
	char *at = (char *)(copy + argc);
	for (int i = 0; i < argc; i++) {
		copy[i] = bytes_of(at, argv[i].n);
		if (argv[i].n)
			memcpy(at, argv[i].p, argv[i].n);
		at += argv[i].n;
	}
	j->held = (struct held){db, argc, copy};
}

static void release_held(struct journal *j)
{
	if (!j->held.argv)
		return;
	feed(j, j->held.db, j->held.argc, j->held.argv);
	mem_free(j->held.argv);
	j->held.argv = NULL;
}

void journal_append(struct journal *j, unsigned db, int argc, const struct bytes *argv)
{
	if (!j->head.count || j->muted)
		return;
	if (!j->depth) {
		feed(j, db, argc, argv);
		return;
	}
	if (!j->open && !j->held.argv) {
		hold(j, db, argc, argv);
		return;
	}
	if (!j->open) {
		for (size_t i = 0; i < j->head.count; i++)
			j->consumers[i]->begin(j->consumers[i]->arg);
		j->open = true;
		release_held(j);
	}
	feed(j, db, argc, argv);
}

void journal_mute(struct journal *j, bool muted)
{
	j->muted = muted;
}

void journal_begin(struct journal *j)
{
	j->depth++;
}

void journal_end(struct journal *j)
{
	assert(j->depth > 0);
	if (--j->depth)
		return;
	release_held(j);
	if (!j->open)
		return;
	j->open = false;
	for (size_t i = 0; i < j->head.count; i++)
		j->consumers[i]->end(j->consumers[i]->arg);
}

bool journal_unit_is_empty(const struct journal *j)
{
	return j->depth == 1 && !j->open && !j->held.argv;
}
