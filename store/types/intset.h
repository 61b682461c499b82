/* store/types/intset.h - a sorted array of integers in one block, in Redis's byte format:
 * u32 width (2, 4 or 8), u32 count, little-endian integers of that width in order.
 *
 * One allocation from mem.h, owned by the caller; changing calls take and return it.
 */
#ifndef STORE_TYPES_INTSET_H
#define STORE_TYPES_INTSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

unsigned char *intset_new(void);
void intset_free(unsigned char *is);
unsigned char *intset_dup(const unsigned char *is);
unsigned char *intset_add(unsigned char *is, int64_t v, bool *added);
unsigned char *intset_remove(unsigned char *is, int64_t v, bool *removed);
bool intset_has(const unsigned char *is, int64_t v);
int64_t intset_at(const unsigned char *is, size_t i);
size_t intset_count(const unsigned char *is);
size_t intset_bytes(const unsigned char *is);
bool intset_valid(const unsigned char *is, size_t n);

#endif
