/* fs/inodes/numbers.h - st_ino of the few files whose place does not say it.
 *
 * The number of a file is a hash of its place, until it is renamed or, while it is open, removed: then it keeps the number that it had, by
 * which programs know the file again (tail -F, rename's tests), and a new file at the place that it left gets another one. So no two
 * files that somebody has open have one number. Those that were renamed last keep theirs when the kernel forgets them (inode_keep), the
 * others are numbered by their place then.
 */
#ifndef FS_INODES_NUMBERS_H
#define FS_INODES_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

struct number;

/* @ino, kept among @all for one file; to be dropped with number_drop. */
struct number *number_keep(struct number **all, uint64_t ino);
void number_drop(struct number **all, struct number *n);
uint64_t number_ino(const struct number *n);

bool number_is_kept(struct number *all, uint64_t ino);
/* What a file is to have whose own @ino is kept for another: the same each time, and above 1. */
uint64_t number_instead(struct number *all, uint64_t ino);

#endif
