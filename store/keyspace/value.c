/* store/keyspace/value.c - one row for each type of value: see value.h. */
#include "store/keyspace/value.h"

#include "store/base/bgfree.h"
#include "store/base/mem.h"
#include "store/types/hash.h"
#include "store/types/list.h"
#include "store/types/set.h"
#include "store/types/stream.h"
#include "store/types/zset.h"

/* Freeing more allocations than this takes longer than handing the value to another thread. */
#define BACKGROUND_EFFORT 64

struct value_ops {
	void (*free)(void *value);
	void *(*dup)(void *value);
	size_t (*effort)(void *value);
	size_t (*mem)(void *value, unsigned samples);
	const char *(*encoding)(void *value);
};

/* The containers' functions, seen through void *. */
#define CONTAINER(type)                                                                            \
	static void free_##type(void *value)                                                       \
	{                                                                                          \
		type##_free(value);                                                                \
	}                                                                                          \
	static void *dup_##type(void *value)                                                       \
	{                                                                                          \
		return type##_dup(value);                                                          \
	}                                                                                          \
	static size_t effort_##type(void *value)                                                   \
	{                                                                                          \
		return type##_effort(value);                                                       \
	}                                                                                          \
	static size_t mem_##type(void *value, unsigned samples)                                    \
	{                                                                                          \
		return type##_mem(value, samples);                                                 \
	}                                                                                          \
	static const char *encoding_##type(void *value)                                            \
	{                                                                                          \
		return type##_encoding(value);                                                     \
	}

CONTAINER(list)
CONTAINER(set)
CONTAINER(zset)
CONTAINER(hash)
CONTAINER(stream)

/* A string that is not in its entry is a blob; a reader and a copy share it until one of them changes. */
static void free_blob(void *value)
{
	blob_put(value);
}

static void *dup_blob(void *value)
{
	return blob_get(value);
}

static size_t effort_blob(void *value)
{
	(void)value;
	return 1;
}

static size_t mem_blob(void *value, unsigned samples)
{
	(void)samples;
	return blob_mem(value);
}

static const char *encoding_blob(void *value)
{
	(void)value;
	return "raw";
}

#define ROW(type)                                                                                  \
	{                                                                                          \
		free_##type, dup_##type, effort_##type, mem_##type, encoding_##type                \
	}

static const struct value_ops ops[16] = {
	[VALUE_STRING] = ROW(blob), [VALUE_LIST] = ROW(list), [VALUE_SET] = ROW(set),
	[VALUE_ZSET] = ROW(zset),   [VALUE_HASH] = ROW(hash), [VALUE_STREAM] = ROW(stream),
};

static const char *const type_names[16] = {
	[VALUE_STRING] = "string", [VALUE_LIST] = "list", [VALUE_SET] = "set",
	[VALUE_ZSET] = "zset",     [VALUE_HASH] = "hash", [VALUE_STREAM] = "stream",
};

const char *value_type_name(enum value_type t)
{
	const char *name = type_names[t & 15];
	return name ? name : "unknown";
}

void value_free(uint64_t w, void *value, bool lazy)
{
	const struct value_ops *op = &ops[word_type(w)];
	if (lazy && op->effort(value) > BACKGROUND_EFFORT)
		bgfree_submit(op->free, value, 1);
	else
		op->free(value);
}

void value_free_elsewhere(uint64_t w, void *value)
{
	if (word_type(w) == VALUE_STRING)
		blob_put_elsewhere(value);
	else
		ops[word_type(w)].free(value);
}

void *value_dup(uint64_t w, void *value)
{
	return ops[word_type(w)].dup(value);
}

size_t value_effort(uint64_t w, void *value)
{
	return ops[word_type(w)].effort(value);
}

size_t value_mem(uint64_t w, void *value, unsigned samples)
{
	return ops[word_type(w)].mem(value, samples);
}

const char *value_encoding(uint64_t w, void *value)
{
	return ops[word_type(w)].encoding(value);
}
