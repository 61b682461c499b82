/* store/base/glob.h - Redis's glob: ? * [a-z] [^...] and backslash, over bytes. */
#ifndef STORE_BASE_GLOB_H
#define STORE_BASE_GLOB_H

#include <stdbool.h>

#include "store/base/bytes.h"

/* Whether @s matches @pattern; @nocase folds ASCII. Linear in memory, and bounded in time:
 * a pattern of many stars costs at most |pattern| * |s| steps. As in Redis the empty string matches the empty pattern only:
 * where "*" stands for everything, ask glob_is_all first. */
bool glob_match(struct bytes pattern, struct bytes s, bool nocase);

/* Whether @pattern is "*", which KEYS and SCAN need not test. */
bool glob_is_all(struct bytes pattern);

#endif
