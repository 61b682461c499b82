#include "fs/inodes/nodes.h"

#include <stdbool.h>

#include "store/base/mem.h"

#define BLOCK_BITS 10
#define BLOCK      (1u << BLOCK_BITS)
#define BLOCKS_MAX (UINT32_C(1) << (31 - BLOCK_BITS))

struct nodes_block {
	uint32_t used;       /* slots */
	uint32_t free;       /* given back last, BLOCK for none */
	uint32_t times;      /* of a freed one: no slot was taken more often */
	uint32_t prev, next; /* of those with free slots; of a freed one only the next */
};

/* A free slot is odd: the number of times it was taken, the next free slot, 1. */
static uint64_t free_word(uint32_t times, uint32_t next)
{
	return (uint64_t)times << 32 | next << 1 | 1;
}

static bool is_free(uint64_t word)
{
	return word & 1;
}

/* Stands for what was freed: nobody is in it. */
static const uint64_t nobody[BLOCK] = {[0 ... BLOCK - 1] = 1};

static uint64_t *slot_at(const struct nodes *t, uint32_t slot)
{
	return &t->blocks[slot >> BLOCK_BITS][slot & (BLOCK - 1)];
}

/* --- blocks; a list's links are one more than their index --- */

static void open_block(struct nodes *t, uint32_t b)
{
	t->about[b].prev = 0;
	t->about[b].next = t->open;
	if (t->open)
		t->about[t->open - 1].prev = b + 1;
	t->open = b + 1;
}

static void close_block(struct nodes *t, uint32_t b)
{
	const struct nodes_block *k = &t->about[b];

	if (k->prev)
		t->about[k->prev - 1].next = k->next;
	else
		t->open = k->next;
	if (k->next)
		t->about[k->next - 1].prev = k->prev;
}

/* The number of one that has no memory: freed last, or never made. */
static uint32_t next_block(struct nodes *t)
{
	uint32_t b = t->nblocks;

	if (t->freed) {
		b = t->freed - 1;
		t->freed = t->about[b].next;
		return b;
	}
	if (b == BLOCKS_MAX)
		mem_none(BLOCK * sizeof(uint64_t));
	if (b == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 16;
		t->blocks = mem_realloc(t->blocks, t->cap * sizeof(*t->blocks));
		t->about = mem_realloc(t->about, t->cap * sizeof(*t->about));
	}
	t->about[b].times = 0;
	t->nblocks++;
	return b;
}

/* Its slots are free, the first one first; the very first has no owner. */
static void make_block(struct nodes *t)
{
	uint32_t b = next_block(t);
	struct nodes_block *k = &t->about[b];
	uint64_t *slots = mem_alloc(BLOCK * sizeof(*slots));

	for (uint32_t i = 0; i < BLOCK; i++)
		slots[i] = free_word(k->times, i + 1);
	t->blocks[b] = slots;
	t->standing++;
	k->used = 0;
	k->free = b == 0;
	open_block(t, b);
}

static void free_block(struct nodes *t, uint32_t b)
{
	struct nodes_block *k = &t->about[b];

	close_block(t, b);
	k->times = 0;
	for (uint32_t i = 0; i < BLOCK; i++)
		if (t->blocks[b][i] >> 32 > k->times)
			k->times = (uint32_t)(t->blocks[b][i] >> 32);
	mem_free(t->blocks[b]);
	t->blocks[b] = (uint64_t *)(uintptr_t)nobody;
	t->standing--;
	k->next = t->freed;
	t->freed = b + 1;
}

/* One stays, or a name that comes and goes would have it freed and made each time. */
static void emptied(struct nodes *t, uint32_t b)
{
	if (t->spare && t->spare != b + 1 && t->about[t->spare - 1].used == 0)
		free_block(t, b);
	else
		t->spare = b + 1;
}

/* --- numbers --- */

void nodes_add(struct nodes *t, uint64_t *id)
{
	if (!t->open)
		make_block(t);
	uint32_t b = t->open - 1;
	struct nodes_block *k = &t->about[b];
	uint32_t slot = b << BLOCK_BITS | k->free;
	uint64_t word = *slot_at(t, slot);

	k->free = (uint32_t)word >> 1;
	k->used++;
	if (k->free == BLOCK)
		close_block(t, b);
	*id = (word & ~UINT64_C(0xffffffff)) | slot;
	*slot_at(t, slot) = (uint64_t)(uintptr_t)id;
	t->count++;
	t->taken++;
}

void nodes_remove(struct nodes *t, uint64_t *id)
{
	uint32_t slot = (uint32_t)*id, b = slot >> BLOCK_BITS;
	struct nodes_block *k = &t->about[b];

	*slot_at(t, slot) = free_word((uint32_t)(*id >> 32) + 1, k->free);
	if (k->free == BLOCK)
		open_block(t, b);
	k->free = slot & (BLOCK - 1);
	t->count--;
	if (--k->used == 0)
		emptied(t, b);
}

static uint64_t *owner_at(const struct nodes *t, uint32_t slot)
{
	uint64_t word = *slot_at(t, slot);

	return is_free(word) ? NULL : (uint64_t *)(uintptr_t)word;
}

uint64_t *nodes_find(const struct nodes *t, uint64_t id)
{
	uint32_t slot = (uint32_t)id;
	uint64_t *owner = slot >> BLOCK_BITS < t->nblocks ? owner_at(t, slot) : NULL;

	return owner && *owner == id ? owner : NULL;
}

uint64_t *nodes_next(const struct nodes *t, uint32_t *at)
{
	while (*at >> BLOCK_BITS < t->nblocks) {
		if (t->blocks[*at >> BLOCK_BITS] == nobody) {
			*at = (*at | (BLOCK - 1)) + 1;
			continue;
		}
		uint64_t *owner = owner_at(t, (*at)++);
		if (owner)
			return owner;
	}
	return NULL;
}

void nodes_fini(struct nodes *t)
{
	for (size_t i = 0; i < t->nblocks; i++)
		if (t->blocks[i] != nobody)
			mem_free(t->blocks[i]);
	mem_free(t->blocks);
	mem_free(t->about);
	*t = (struct nodes){0};
}
