#include "store/base/mem.h"
#define uthash_malloc(n)  mem_alloc(n)
#define uthash_free(p, n) mem_free(p)
#include <uthash.h>

#include "fs/inodes/numbers.h"

struct number {
	uint64_t ino;
	UT_hash_handle hh;
};

struct number *number_keep(struct number **all, uint64_t ino)
{
	struct number *n = mem_calloc(sizeof(*n));

	n->ino = ino;
	HASH_ADD(hh, *all, ino, sizeof(n->ino), n);
	return n;
}

void number_drop(struct number **all, struct number *n)
{
	HASH_DEL(*all, n);
	mem_free(n);
}

uint64_t number_ino(const struct number *n)
{
	return n->ino;
}

bool number_is_kept(struct number *all, uint64_t ino)
{
	struct number *n;

	HASH_FIND(hh, all, &ino, sizeof(ino), n);
	return n;
}

uint64_t number_instead(struct number *all, uint64_t ino)
{
	do
		ino = ino * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	while (ino <= 1 || number_is_kept(all, ino));
	return ino;
}
