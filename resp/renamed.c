/* resp/renamed.c - rename-command: commands that clients call by another name, or not at all. Part of resp/dispatch.h.
 *
 * A command that was renamed stays in the registry under its own name, which rights, figures and errors go by.
 */
#include <string.h>

#include "resp/registry.h"
#include "store/base/mem.h"

#define NAME_MAX_LEN 64

struct registry_alias {
	struct registered *reg;
	UT_hash_handle hh;
	char name[]; /* lower case */
};

static bool fold(char *out, struct bytes name)
{
	if (!name.n || name.n > NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		out[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	return true;
}

static struct registry_alias *find_alias(struct registry *r, struct bytes name)
{
	char lower[NAME_MAX_LEN];
	struct registry_alias *a = NULL;
	if (fold(lower, name))
		HASH_FIND(hh, r->aliases, lower, name.n, a);
	return a;
}

struct registered *registry_find_alias(struct registry *r, struct bytes name)
{
	struct registry_alias *a = find_alias(r, name);
	return a ? a->reg : NULL;
}

static void drop(struct registry *r, struct registry_alias *a)
{
	HASH_DEL(r->aliases, a);
	mem_free(a);
}

void registry_free_aliases(struct registry *r)
{
	struct registry_alias *a, *tmp;
	HASH_ITER (hh, r->aliases, a, tmp)
		drop(r, a);
}

const char *registry_rename(struct registry *r, struct bytes from, struct bytes to)
{
	if (from.n && memchr(from.p, '|', from.n))
		return "No such command in rename-command";
	struct registered *reg = registry_find_called(r, from);
	if (!reg)
		return "No such command in rename-command";
	/* As in Redis the old name is free before the new one is looked for. */
	struct registry_alias *old = find_alias(r, from);
	if (old && old->reg == reg)
		drop(r, old);
	reg->renamed = reg->gone = true;
	memset(r->memo, 0, sizeof(r->memo));
	if (!to.n)
		return NULL;
	if (to.n > NAME_MAX_LEN || registry_find_called(r, to))
		return "Target command name already exists";
	struct registry_alias *a = mem_alloc(sizeof(*a) + to.n);
	a->reg = reg;
	fold(a->name, to);
	HASH_ADD_KEYPTR(hh, r->aliases, a->name, to.n, a);
	reg->gone = false;
	return NULL;
}
