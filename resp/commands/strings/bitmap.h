/* resp/commands/strings/bitmap.h - what the files of bitmap commands share. */
#ifndef RESP_COMMANDS_BITMAP_H
#define RESP_COMMANDS_BITMAP_H

#include "resp/command.h"

/* argv[@i] as a place in bits; in front of a field of @field bits "#3" counts in fields, 0 takes no '#'. False with the
 * error replied. */
bool bitmap_offset(struct call *c, int i, unsigned field, uint64_t *out);

/* The string at argv[1] with room for bit @last: *@data and *@len are its bytes, for writing. *@grown tells whether it became
 * longer, or was made. False with the error replied. */
bool bitmap_reach(struct call *c, uint64_t last, char **data, size_t *len, bool *grown);

/* bitmap_field.c */
void bitmap_cmd_bitfield(struct call *c);
uint32_t bitmap_field_keyflags(int argc, const struct bytes *argv);
void bitmap_cmd_bitfield_ro(struct call *c);

#endif
