#include "resp/item.h"

#include <string.h>

#include "store/base/blob.h"
#include "store/base/mem.h"

static bool in_blob(const struct dispatch_item *item, int i)
{
	return item->blob && i == item->blob_arg;
}

bool item_copy(struct dispatch_item *to, const struct dispatch_item *from)
{
	size_t total = (size_t)from->argc * sizeof(struct bytes);
	for (int i = 0; i < from->argc; i++)
		total += in_blob(from, i) ? 0 : from->argv[i].n;
	struct bytes *argv = mem_try(total);
	if (!argv)
		return false;
	char *at = (char *)(argv + from->argc);
	for (int i = 0; i < from->argc; i++) {
		argv[i] = from->argv[i];
		if (in_blob(from, i))
			continue;
		argv[i].p = at;
		if (argv[i].n)
			memcpy(at, from->argv[i].p, argv[i].n);
		at += argv[i].n;
	}
	*to = *from;
	to->argv = argv;
	if (to->blob)
		blob_get(to->blob);
	return true;
}

void item_drop(struct dispatch_item *item)
{
	mem_free((void *)(uintptr_t)item->argv);
	blob_put(item->blob);
	item->argv = NULL;
	item->blob = NULL;
}

size_t item_mem(const struct dispatch_item *item)
{
	return mem_size(item->argv) + (item->blob ? item->blob->cap : 0);
}
