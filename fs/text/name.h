/* fs/text/name.h - keys as file names: %HH for what a name cannot hold.
 *
 * Written as %HH in upper case: '/', NUL, '%', the bytes below 0x20, 0x7F, and a dot in front. The empty key is "%". Every other byte
 * stands for itself. Only that form resolves, so a key has one name and a name at most one key; names that begin with a dot are
 * never keys.
 */
#ifndef FS_TEXT_NAME_H
#define FS_TEXT_NAME_H

#include <stdbool.h>

#include "fs/text/buf.h"
#include "store/base/bytes.h"

/* How many bytes name_encode would write for @key. */
size_t name_length(struct bytes key);

/* Write @key's name of @n bytes, as name_length says, at @at. */
void name_write(char *at, size_t n, struct bytes key);

/* Append @key's name. */
void name_encode(struct buf *out, struct bytes key);

/* The key that @name stands for. It is written to @key_buf, which has room for name.n bytes, and *@key borrows it. False when @name is not a key's one name. */
bool name_decode(struct bytes name, char *key_buf, struct bytes *key);

#endif
