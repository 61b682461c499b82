/* store/keyspace/string.c - binding keys to strings: integers, bytes in the entry, or a blob. See keyspace.h. */
#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/base/num.h"
#include "store/keyspace/internal.h"

/* A blob that grows by changes in place gets room ahead: twice its length when small, an eighth when large. */
#define GROW_DOUBLE_BELOW ((size_t)1 << 20)

/* What an expiry becomes by a SET. */
static inline int64_t expiry_after(const uint64_t *slot, unsigned flags, int64_t expire_at)
{
	if (slot && flags & KEYSPACE_SET_KEEPTTL)
		return entry_expiry(*slot);
	return expire_at;
}

static inline uint64_t string_bits(enum entry_enc enc, unsigned flags)
{
	uint64_t bits = bits_of(VALUE_STRING, enc);
	if (flags & KEYSPACE_SET_NEWLINE)
		bits |= WORD_NEWLINE;
	if (flags & KEYSPACE_SET_RAW)
		bits |= WORD_RAW;
	return bits;
}

/* Adopts @blob, also on failure. */
static enum store_err bind_blob(struct db *db, struct bytes key, uint64_t hash, uint64_t *slot,
				struct blob *blob, unsigned flags, int64_t expire_at)
{
	slot = keyspace_bind(db, key, hash, slot, string_bits(ENTRY_BLOB, flags), expire_at,
			     sizeof(blob));
	if (!slot) {
		blob_put(blob);
		return STORE_ENOMEM;
	}
	memcpy(entry_value(*slot), &blob, sizeof(blob));
	return STORE_OK;
}

/* Most values do not begin like a number, and are not asked further. */
static inline bool reads_as_int(struct bytes val, int64_t *out)
{
	if (val.n == 0 || val.n > 20 || (unsigned char)val.p[val.n - 1] > '9')
		return false;
	return num_parse_int(val, out);
}

enum store_err keyspace_set_string_expire(struct db *db, struct bytes key, uint64_t hash,
					  struct bytes val, unsigned flags, int64_t expire_at)
{
	int64_t number;
	uint64_t *slot = keyspace_find(db, key, hash, true);
	expire_at = expiry_after(slot, flags, expire_at);
	if (!(flags & (KEYSPACE_SET_RAW | KEYSPACE_SET_TEXT)) && reads_as_int(val, &number)) {
		slot = keyspace_bind(db, key, hash, slot, string_bits(ENTRY_INT, flags), expire_at,
				     sizeof(number));
		if (!slot)
			return STORE_ENOMEM;
		memcpy(entry_value(*slot), &number, sizeof(number));
		return STORE_OK;
	}
	if (val.n <= INLINE_MAX) {
		slot = keyspace_bind(db, key, hash, slot, string_bits(ENTRY_INLINE, flags),
				     expire_at, varkey_size(val.n) + val.n);
		if (!slot)
			return STORE_ENOMEM;
		varkey_put(entry_value(*slot), val);
		return STORE_OK;
	}
	struct blob *blob = blob_try(val.n);
	if (!blob)
		return STORE_ENOMEM;
	memcpy(blob->data, val.p, val.n);
	blob->len = val.n;
	return bind_blob(db, key, hash, slot, blob, flags, expire_at);
}

enum store_err keyspace_set_string_hashed(struct db *db, struct bytes key, uint64_t hash,
					  struct bytes val, unsigned flags)
{
	return keyspace_set_string_expire(db, key, hash, val, flags, -1);
}

enum store_err keyspace_set_string(struct db *db, struct bytes key, struct bytes val,
				   unsigned flags)
{
	return keyspace_set_string_expire(db, key, keyhash(key), val, flags, -1);
}

void keyspace_set_blob(struct db *db, struct bytes key, struct blob *val, unsigned flags)
{
	uint64_t hash = keyhash(key);
	enum store_err err;
	if (val->len <= INLINE_MAX) {
		err = keyspace_set_string_hashed(db, key, hash, blob_bytes(val), flags);
		blob_put(val);
	} else {
		uint64_t *slot = keyspace_find(db, key, hash, true);
		err = bind_blob(db, key, hash, slot, val, flags, expiry_after(slot, flags, -1));
	}
	if (err)
		keyspace_no_memory();
}

void keyspace_set_int(struct db *db, struct bytes key, int64_t v)
{
	uint64_t hash = keyhash(key);
	keyspace_put_int(db, key, hash, keyspace_write_hashed(db, key, hash), v);
}

void keyspace_put_int(struct db *db, struct bytes key, uint64_t hash, uint64_t *slot, int64_t v)
{
	if (slot && word_type(*slot) == VALUE_STRING && word_enc(*slot) == ENTRY_INT) {
		memcpy(entry_value(*slot), &v, sizeof(v));
		return;
	}
	uint64_t bits = bits_of(VALUE_STRING, ENTRY_INT) | (slot ? *slot & WORD_NEWLINE : 0);
	slot = keyspace_bind(db, key, hash, slot, bits,
			     expiry_after(slot, KEYSPACE_SET_KEEPTTL, -1), sizeof(v));
	if (!slot)
		keyspace_no_memory();
	memcpy(entry_value(*slot), &v, sizeof(v));
}

/* --- changing in place --- */

static size_t room_for(size_t len)
{
	if (len < GROW_DOUBLE_BELOW)
		return len * 2;
	return len + len / 8;
}

/* @b with room for @len bytes, and for more later if that can be had. NULL without memory; @b is as it was. */
static struct blob *blob_with_room(struct blob *b, size_t len)
{
	/* A value that became much shorter gives its room back. */
	bool shrinks = b->refs == 1 && b->cap / 4 > len;
	if (shrinks) {
		size_t old = b->len;
		blob_set_len(b, len < old ? len : old, 0);
		struct blob *small = blob_resize(b, len);
		return small ? small : b;
	}
	if (b->refs == 1 && b->cap >= len)
		return b;
	size_t room = len > b->len ? room_for(len) : len;
	struct blob *own = NULL;
	if (b->refs == 1) {
		own = blob_own(b, room);
		return own || room == len ? own : blob_own(b, len);
	}
	/* Others read it: a copy of what is to stay. */
	own = blob_try(room);
	if (!own && room != len)
		own = blob_try(len);
	if (!own)
		return NULL;
	own->len = b->len < len ? b->len : len;
	memcpy(own->data, b->data, own->len);
	blob_put(b);
	return own;
}

/* From blob to blob. */
static enum store_err resize_blob(struct db *db, uint64_t *slot, size_t len, char **data)
{
	struct blob *b = entry_blob(*slot);
	b = blob_with_room(b, len);
	if (!b)
		return STORE_ENOMEM;
	blob_set_len(b, len, 0);
	memcpy(entry_value(*slot), &b, sizeof(b));
	*slot = (*slot | WORD_RAW) & ~WORD_NEWLINE;
	access_touch(db->ks, *slot);
	*data = b->data;
	return STORE_OK;
}

/* From bytes in the entry (or an integer's text, or nothing) to a blob. */
static enum store_err resize_to_blob(struct db *db, struct bytes key, uint64_t hash, uint64_t *slot,
				     struct bytes old, size_t len, uint64_t bits, char **data)
{
	struct blob *b = blob_try(slot ? room_for(len) : len);
	if (!b && slot)
		b = blob_try(len);
	if (!b)
		return STORE_ENOMEM;
	if (old.n)
		memcpy(b->data, old.p, old.n);
	b->len = old.n;
	blob_set_len(b, len, 0);
	int64_t expire_at = slot ? entry_expiry(*slot) : -1;
	slot = keyspace_bind(db, key, hash, slot, bits | bits_of(VALUE_STRING, ENTRY_BLOB),
			     expire_at, sizeof(b));
	if (!slot) {
		blob_put(b);
		return STORE_ENOMEM;
	}
	memcpy(entry_value(*slot), &b, sizeof(b));
	*data = b->data;
	return STORE_OK;
}

/* From bytes in the entry (or an integer's text, or nothing, or a blob) to bytes in the entry. */
static enum store_err resize_to_inline(struct db *db, struct bytes key, uint64_t hash,
				       uint64_t *slot, struct bytes old, size_t len, uint64_t bits,
				       char **data)
{
	char kept[INLINE_MAX];
	size_t keep = old.n < len ? old.n : len;
	if (keep)
		memcpy(kept, old.p, keep);
	int64_t expire_at = slot ? entry_expiry(*slot) : -1;
	slot = keyspace_bind(db, key, hash, slot, bits | bits_of(VALUE_STRING, ENTRY_INLINE),
			     expire_at, varkey_size(len) + len);
	if (!slot)
		return STORE_ENOMEM;
	memset(kept + keep, 0, len - keep);
	char *end = (char *)varkey_put(entry_value(*slot), bytes_of(kept, len));
	*data = end - len;
	return STORE_OK;
}

enum store_err keyspace_string_resize(struct db *db, struct bytes key, size_t len, char **data)
{
	char buf[NUM_BUF];
	uint64_t hash = keyhash(key), bits = WORD_RAW;
	uint64_t *slot = keyspace_find(db, key, hash, true);
	struct bytes old = {NULL, 0};
	if (slot && word_type(*slot) != VALUE_STRING)
		return STORE_ETYPE;
	if (slot) {
		old = entry_string(*slot, buf);
		if (word_enc(*slot) == ENTRY_BLOB && len > INLINE_MAX)
			return resize_blob(db, slot, len, data);
	}
	if (len > INLINE_MAX)
		return resize_to_blob(db, key, hash, slot, old, len, bits, data);
	return resize_to_inline(db, key, hash, slot, old, len, bits, data);
}
