/* fs/text/line.h - the newline rule: is this content what `echo` writes? */
#ifndef FS_TEXT_LINE_H
#define FS_TEXT_LINE_H

#include <stdbool.h>

#include "store/base/bytes.h"

/* Whether the @n pieces at @v, one behind the other, are one line of text: UTF-8 without control characters, and exactly one newline,
 * at the very end. Such content is stored without the newline. Cheap when it is not: the last byte is looked at first. */
bool line_is_text(const struct bytes *v, int n);

#endif
