/* store/keyspace/internal.h - what the files of the keyspace share; nobody else includes it.
 */
#ifndef STORE_KEYSPACE_INTERNAL_H
#define STORE_KEYSPACE_INTERNAL_H

#include "store/keyspace/keyspace.h"
#include "store/keyspace/value.h"

/* Strings up to this many bytes stand in their entry; longer ones in a blob. Up to here a copy into a reply costs less
 * than a reference and an iovec, and a changed expiry, which moves the entry, stays cheap. */
#define INLINE_MAX 1024

/* Flags that belong to the key's name and not to its value: they stay when the value is replaced. */
#define WORD_NAME_FLAGS (WORD_HELD | WORD_WATCHED)

/* --- entry.c --- */

/* A new entry with these bits (type, encoding, flags), room for a value of @value_size bytes, and the expiry, -1 for none.
 * The value is the caller's to write. 0 without memory. */
uint64_t entry_new(struct bytes key, uint64_t bits, int64_t expire_at, size_t value_size);

/* The bytes that the value takes in the entry, and all bytes of the entry. */
size_t entry_value_size(uint64_t w);
size_t entry_size(uint64_t w);

/* The same entry with other bits, expiry and room for the value, of which the first @keep bytes stay: in place where
 * the size class is the same, else moved, and the old one is freed. 0 without memory; @w is then as it was. */
uint64_t entry_reshape(uint64_t w, uint64_t bits, int64_t expire_at, size_t value_size,
		       size_t keep);

/* Free the entry alone, or with its value. */
void entry_free(uint64_t w);
void entry_free_whole(uint64_t w, bool lazy);

/* Bits of a word that are the owner's, without pointer and WORD_EXPIRE. */
static inline uint64_t word_bits(uint64_t w)
{
	return w & ~(WORD_PTR_MASK | WORD_EXPIRE);
}

static inline uint64_t bits_of(enum value_type type, enum entry_enc enc)
{
	return (uint64_t)type << WORD_TYPE_SHIFT | (uint64_t)enc << WORD_ENC_SHIFT;
}

/* --- keyspace.c --- */

static inline void keyspace_named(struct db *db, uint64_t hash)
{
	const struct keyspace_hooks *hooks = &db->ks->hooks;

	if (__builtin_expect(hooks->named != NULL, 0))
		hooks->named(hooks->arg, db, hash);
}

/* The slot of @key unless it is past its time; then it is removed first, with hook and statistics. Under expiry_frozen a
 * reader just does not see it, while a writer has it removed in silence. */
uint64_t *keyspace_find(struct db *db, struct bytes key, uint64_t hash, bool write);

/* Take the key at @slot off both tables. The entry is then the caller's. */
uint64_t keyspace_unlink(struct db *db, uint64_t *slot, uint64_t hash);

/* Change the entry at @slot as entry_reshape does, in both tables. False without memory. */
bool keyspace_reshape(struct db *db, uint64_t *slot, uint64_t hash, uint64_t bits,
		      int64_t expire_at, size_t value_size, size_t keep);

/* Bind @key, found at @slot or absent when that is NULL, to a value of @value_size bytes in its entry, which the
 * caller writes at once. What was bound is freed as lazy_server_del says. Returns the slot, NULL without memory. */
uint64_t *keyspace_bind(struct db *db, struct bytes key, uint64_t hash, uint64_t *slot,
			uint64_t bits, int64_t expire_at, size_t value_size);

/* Remove the key at @slot because of time or memory pressure: statistics and hook included. */
void keyspace_remove_gone(struct db *db, uint64_t *slot, uint64_t hash, enum keyspace_gone why);

/* End the process: memory that nobody can do without is not to be had. */
_Noreturn void keyspace_no_memory(void);

/* --- fields.c --- */

/* Have the database's order know the hash of @w (any other value: nothing) as it is now, in the entry it has now. */
void fields_follow(struct db *db, uint64_t w);
/* Take it off that order. */
void fields_forget(struct db *db, uint64_t w);
/* Remove due fields, some at a time, until @late says so: true, then, or there are no more. */
bool fields_expire_cycle(struct keyspace *ks, bool (*late)(void *arg), void *arg);
/* Whether the order's invariants hold; whether the hash of @w stands there if and only if it has to. */
bool fields_ok(struct db *db);
bool fields_indexed(const struct db *db, uint64_t w);

/* --- access.c --- */

/* Access bits of a new entry, and those of one that is used again. */
uint32_t access_fresh(const struct keyspace *ks);
void access_touch(struct keyspace *ks, uint64_t w);

#endif
