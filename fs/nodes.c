#include "fs/nodes.h"

#include <stdbool.h>

#include "store/base/mem.h"

#define BLOCK_BITS 10
#define BLOCK      (1u << BLOCK_BITS)

/* A free slot is odd: the number of times it was taken, the next free slot, 1. */
#define SLOTS_MAX (UINT32_C(1) << 31)

static uint64_t free_word(uint32_t times, uint32_t next)
{
	return (uint64_t)times << 32 | next << 1 | 1;
}

static bool is_free(uint64_t word)
{
	return word & 1;
}

static uint64_t *slot_at(const struct nodes *t, uint32_t slot)
{
	return &t->blocks[slot >> BLOCK_BITS][slot & (BLOCK - 1)];
}

/* One that was never taken. */
static uint32_t new_slot(struct nodes *t)
{
	if (t->slots == 0)
		t->slots = 1;
	if (t->slots == SLOTS_MAX)
		mem_none(sizeof(uint64_t));
	uint32_t slot = t->slots++;
	if (slot >> BLOCK_BITS == t->nblocks) {
		if (t->nblocks == t->cap) {
			t->cap = t->cap ? 2 * t->cap : 16;
			t->blocks = mem_realloc(t->blocks, t->cap * sizeof(*t->blocks));
		}
		t->blocks[t->nblocks++] = mem_alloc(BLOCK * sizeof(**t->blocks));
		if (slot == 1)
			*slot_at(t, 0) = free_word(0, 0); /* no owner has it */
	}
	*slot_at(t, slot) = free_word(0, 0);
	return slot;
}

void nodes_add(struct nodes *t, uint64_t *id)
{
	uint32_t slot = t->free;

	if (slot)
		t->free = (uint32_t)*slot_at(t, slot) >> 1;
	else
		slot = new_slot(t);
	*id = (*slot_at(t, slot) & ~UINT64_C(0xffffffff)) | slot;
	*slot_at(t, slot) = (uint64_t)(uintptr_t)id;
	t->count++;
	t->taken++;
}

void nodes_remove(struct nodes *t, uint64_t *id)
{
	uint32_t slot = (uint32_t)*id;

	*slot_at(t, slot) = free_word((uint32_t)(*id >> 32) + 1, t->free);
	t->free = slot;
	t->count--;
}

static uint64_t *owner_at(const struct nodes *t, uint32_t slot)
{
	uint64_t word = *slot_at(t, slot);

	return is_free(word) ? NULL : (uint64_t *)(uintptr_t)word;
}

uint64_t *nodes_find(const struct nodes *t, uint64_t id)
{
	uint32_t slot = (uint32_t)id;
	uint64_t *owner = slot < t->slots ? owner_at(t, slot) : NULL;

	return owner && *owner == id ? owner : NULL;
}

uint64_t *nodes_next(const struct nodes *t, uint32_t *at)
{
	while (*at < t->slots) {
		uint64_t *owner = owner_at(t, (*at)++);
		if (owner)
			return owner;
	}
	return NULL;
}

void nodes_fini(struct nodes *t)
{
	for (size_t i = 0; i < t->nblocks; i++)
		mem_free(t->blocks[i]);
	mem_free(t->blocks);
	*t = (struct nodes){0};
}
