/* resp/item.h - a command kept for later: a copy of a dispatch_item that does not stand in the network's memory.
 */
#ifndef RESP_ITEM_H
#define RESP_ITEM_H

#include <stdbool.h>
#include <stddef.h>

#include "resp/dispatch.h"

/* Make @to a copy of @from with arguments of its own; a big one in a blob is kept by reference. False, and nothing is held,
 * when there is no memory. */
bool item_copy(struct dispatch_item *to, const struct dispatch_item *from);

/* Free what item_copy made; not the item itself. */
void item_drop(struct dispatch_item *item);

/* Bytes that the copy holds. */
size_t item_mem(const struct dispatch_item *item);

#endif
