/* store/keyspace/value.h - what the keyspace must do with a value of any type: one table, one place.
 *
 * A value that is not in its entry is a container or a blob. Adding a type to the server is adding a row to value.c.
 */
#ifndef STORE_KEYSPACE_VALUE_H
#define STORE_KEYSPACE_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "store/keyspace/entry.h"

/* Whether the entry holds a pointer to its value: a container or a blob. */
static inline bool word_is_outside(uint64_t w)
{
	return word_type(w) != VALUE_STRING || word_enc(w) == ENTRY_BLOB;
}

/* Free the container or put the blob @value of a word like @w. @lazy: what takes long goes to the background. */
void value_free(uint64_t w, void *value, bool lazy);

/* The same on the thread of bgfree.h, for values that the engine gave away. */
void value_free_elsewhere(uint64_t w, void *value);

/* A copy of the value, sharing where that cannot be seen. */
void *value_dup(uint64_t w, void *value);

/* Allocations that freeing it takes, and bytes that it occupies (sampling @samples elements, 0: all). */
size_t value_effort(uint64_t w, void *value);
size_t value_mem(uint64_t w, void *value, unsigned samples);

/* OBJECT ENCODING's word for a container. */
const char *value_encoding(uint64_t w, void *value);

#endif
