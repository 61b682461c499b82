/* store/keyspace/entry.h - one key with its value, in one allocation.
 *
 *     lru 3 | expiry 8 (when WORD_EXPIRE) | key length 1-5 | key | value
 *
 * The word that points to the entry says what the value is:
 *   VALUE_STRING, ENTRY_INT      8 bytes, an int64
 *   VALUE_STRING, ENTRY_INLINE   length (as a key's) and bytes
 *   VALUE_STRING, ENTRY_BLOB     8 bytes, a struct blob *
 *   other types                  8 bytes, the container
 * Fields are unaligned. A key of 11 bytes with a value of 32 is 48 bytes, a size class of the allocator.
 *
 * Words are passed by value; one is good until the key is next changed. Only keyspace.c makes and frees entries.
 */
#ifndef STORE_KEYSPACE_ENTRY_H
#define STORE_KEYSPACE_ENTRY_H

#include <stdint.h>

#include "store/base/blob.h"
#include "store/base/bytes.h"
#include "store/types/table.h"

#define ENTRY_LEAD 3

/* The numbers are those that RDB and TYPE use. */
enum value_type {
	VALUE_STRING = 0,
	VALUE_LIST = 1,
	VALUE_SET = 2,
	VALUE_ZSET = 3,
	VALUE_HASH = 4,
	VALUE_STREAM = 6,
};

enum entry_enc {
	ENTRY_INLINE = 0,
	ENTRY_INT = 1,
	ENTRY_BLOB = 2,
};

/* word bits 48-51 type, 52-53 encoding, 54-58 flags, 59-63 free */
#define WORD_TYPE_SHIFT WORD_KIND_SHIFT
#define WORD_ENC_SHIFT  52
#define WORD_RAW                                                                                   \
	(UINT64_C(1) << 54) /* a string that was changed in place: OBJECT ENCODING says raw */
/* WORD_EXPIRE is bit 55, in table.h */
#define WORD_NEWLINE (UINT64_C(1) << 56) /* the file that wrote this string ended in a newline */
#define WORD_HELD    (UINT64_C(1) << 57) /* the kernel may know the key by name */
#define WORD_WATCHED (UINT64_C(1) << 58) /* somebody must be told before it changes */

static inline enum value_type word_type(uint64_t w)
{
	return (enum value_type)((w >> WORD_TYPE_SHIFT) & 15);
}

static inline enum entry_enc word_enc(uint64_t w)
{
	return (enum entry_enc)((w >> WORD_ENC_SHIFT) & 3);
}

static inline struct bytes entry_key(uint64_t w)
{
	return word_key(w, ENTRY_LEAD);
}

/* Expiry in milliseconds since the epoch, -1 for none. */
static inline int64_t entry_expiry(uint64_t w)
{
	int64_t at = -1;
	if (w & WORD_EXPIRE)
		memcpy(&at, (const char *)word_ptr(w) + ENTRY_LEAD, sizeof(at));
	return at;
}

/* Where the value begins. */
static inline unsigned char *entry_value(uint64_t w)
{
	struct bytes key = entry_key(w);
	return (unsigned char *)(uintptr_t)key.p + key.n;
}

/* The container of a word that is no string: struct list *, set *, zset *, hash *. */
static inline void *entry_container(uint64_t w)
{
	void *p;
	memcpy(&p, entry_value(w), sizeof(p));
	return p;
}

static inline int64_t entry_int(uint64_t w)
{
	int64_t v;
	memcpy(&v, entry_value(w), sizeof(v));
	return v;
}

/* The blob of an ENTRY_BLOB string, borrowed. */
static inline struct blob *entry_blob(uint64_t w)
{
	return entry_container(w);
}

/* A string's bytes, borrowed; an integer is written to @buf (NUM_BUF bytes). */
struct bytes entry_string(uint64_t w, char *buf);
size_t entry_string_len(uint64_t w);

/* The 24 bits of LRU clock or LFU counter. */
static inline uint32_t entry_lru(uint64_t w)
{
	const unsigned char *p = word_ptr(w);
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

static inline void entry_set_lru(uint64_t w, uint32_t lru)
{
	unsigned char *p = word_ptr(w);
	p[0] = (unsigned char)lru;
	p[1] = (unsigned char)(lru >> 8);
	p[2] = (unsigned char)(lru >> 16);
}

/* "string", "list", ...: TYPE's words. */
const char *value_type_name(enum value_type t);

/* OBJECT ENCODING's word for the value: int, embstr, raw, listpack, intset, hashtable, skiplist, quicklist, stream. */
const char *entry_encoding(uint64_t w);

#endif
