/* resp/commands/server/catalog.h - the words for what a command's table says: flags, categories, key flags. */
#ifndef RESP_COMMANDS_CATALOG_H
#define RESP_COMMANDS_CATALOG_H

#include <stddef.h>

#include "resp/command.h"

/* A bit and its word; lists end with a NULL name and stand in the order in which COMMAND prints them. */
struct catalog_word {
	uint32_t bit;
	const char *name;
};

extern const struct catalog_word catalog_flags[];
extern const struct catalog_word catalog_categories[]; /* without the @ */
extern const struct catalog_word catalog_key_flags[];

/* The categories of @cmd: those of its table and those that its flags imply. */
uint32_t catalog_of(const struct command *cmd);

/* The category of this name, in any case; 0 when there is none. */
uint32_t catalog_category(struct bytes name);

/* The older way to say where keys are, for COMMAND INFO: the first and the last key and the step, all 0 without keys. */
struct catalog_range {
	int first, last, step;
};
struct catalog_range catalog_range_of(const struct command *cmd);

/* history.c: how many changes of a command there are to tell, the first of them at *@first. */
size_t history_find(const char *fullname, size_t *first);
const char *history_since(size_t i);
const char *history_change(size_t i);

#endif
