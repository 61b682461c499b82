/* store/keyspace/entry.c - making, reading and reshaping entries: see entry.h and internal.h. */
#include "store/keyspace/entry.h"

#include "store/base/mem.h"
#include "store/base/num.h"
#include "store/keyspace/internal.h"

/* Redis keeps strings up to this length in one allocation, and says so. */
#define EMBSTR_MAX 44

struct bytes entry_string(uint64_t w, char *buf)
{
	switch (word_enc(w)) {
	case ENTRY_INT:
		return bytes_of(buf, num_format_int(buf, entry_int(w)));
	case ENTRY_BLOB:
		return blob_bytes(entry_blob(w));
	case ENTRY_INLINE:
		break;
	}
	return varkey_get(entry_value(w));
}

size_t entry_string_len(uint64_t w)
{
	char buf[NUM_BUF];
	return entry_string(w, buf).n;
}

const char *entry_encoding(uint64_t w)
{
	if (word_type(w) != VALUE_STRING)
		return value_encoding(w, entry_container(w));
	if (word_enc(w) == ENTRY_INT)
		return "int";
	if (w & WORD_RAW || entry_string_len(w) > EMBSTR_MAX)
		return "raw";
	return "embstr";
}

size_t entry_value_size(uint64_t w)
{
	if (word_type(w) != VALUE_STRING || word_enc(w) != ENTRY_INLINE)
		return 8;
	size_t n = varkey_get(entry_value(w)).n;
	return varkey_size(n) + n;
}

size_t entry_size(uint64_t w)
{
	return (size_t)(entry_value(w) - (unsigned char *)word_ptr(w)) + entry_value_size(w);
}

/* Bytes in front of the key. */
static inline size_t lead_of(bool expires)
{
	return ENTRY_LEAD + (expires ? 8 : 0);
}

uint64_t entry_new(struct bytes key, uint64_t bits, int64_t expire_at, size_t value_size)
{
	bool expires = expire_at >= 0;
	size_t lead = lead_of(expires);
	unsigned char *p = mem_try(mem_class(lead + varkey_size(key.n) + key.n + value_size));
	if (!p)
		return 0;
	if (expires)
		memcpy(p + ENTRY_LEAD, &expire_at, 8);
	varkey_put(p + lead, key);
	return word_make(p, bits | (expires ? WORD_EXPIRE : 0));
}

uint64_t entry_reshape(uint64_t w, uint64_t bits, int64_t expire_at, size_t value_size, size_t keep)
{
	unsigned char *p = word_ptr(w), *q = p;
	bool expires = expire_at >= 0;
	size_t old_lead = lead_of(w & WORD_EXPIRE), lead = lead_of(expires);
	struct bytes key = entry_key(w);
	size_t middle = varkey_size(key.n) + key.n;
	size_t old_class = mem_class(old_lead + middle + entry_value_size(w));
	size_t new_class = mem_class(lead + middle + value_size);
	if (old_class == new_class) {
		if (lead != old_lead)
			memmove(p + lead, p + old_lead, middle + keep);
	} else {
		q = mem_try(new_class);
		if (!q)
			return 0;
		memcpy(q, p, ENTRY_LEAD);
		memcpy(q + lead, p + old_lead, middle + keep);
		mem_free_sized(p, old_class);
	}
	if (expires)
		memcpy(q + ENTRY_LEAD, &expire_at, 8);
	return word_make(q, bits | (expires ? WORD_EXPIRE : 0));
}

void entry_free(uint64_t w)
{
	mem_free_sized(word_ptr(w), mem_class(entry_size(w)));
}

void entry_free_whole(uint64_t w, bool lazy)
{
	if (word_is_outside(w))
		value_free(w, entry_container(w), lazy);
	entry_free(w);
}

size_t entry_free_effort(uint64_t w)
{
	return word_is_outside(w) ? value_effort(w, entry_container(w)) : 1;
}

size_t keyspace_entry_mem(uint64_t w, unsigned samples)
{
	/* The entry, its word and tag in the table, and what stands outside. */
	size_t n = mem_class(entry_size(w)) + sizeof(w) + 1;
	return word_is_outside(w) ? n + value_mem(w, entry_container(w), samples) : n;
}
