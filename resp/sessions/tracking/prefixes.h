/* resp/sessions/tracking/prefixes.h - BCAST: prefixes of keys, who asked for them, and what changed under each.
 *
 * Changes are gathered until they are told of, once a turn of the loop. Who asked stands here as a pointer that means nothing to
 * this file, who changed a key as a number.
 */
#ifndef RESP_TRACKING_PREFIXES_H
#define RESP_TRACKING_PREFIXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/bytes.h"

struct prefixes;
struct prefix_member; /* one who asked for one prefix */

struct prefixes *prefixes_new(void);
/* Nobody is a member any more. */
void prefixes_free(struct prefixes *p);

/* @who wants to know of keys that begin with @name, which is copied. NULL when there is no memory. */
struct prefix_member *prefixes_join(struct prefixes *p, struct bytes name, void *who);
void prefixes_leave(struct prefixes *p, struct prefix_member *m);
struct bytes prefix_name(const struct prefix_member *m);

/* @by changed @key (0: nobody). Of several changes the last one counts. True when it is the first change to be told of. */
bool prefixes_changed(struct prefixes *p, struct bytes key, uint64_t by);

/* What changed under one prefix. */
struct prefix_news;
/* Call @tell for each member of each prefix under which keys changed, in the order of the prefixes' bytes; then forget the changes. @tell
 * must leave the prefixes alone. */
void prefixes_tell(struct prefixes *p, void (*tell)(void *arg, void *who, struct prefix_news *news),
		   void *arg);
/* How many keys there are without those that @except changed last (0: all), and they as a RESP array; a null, which counts as one, when
 * there was no memory to remember them. Only while @tell runs. */
struct reply;
size_t prefix_news_count(const struct prefix_news *news, uint64_t except);
void prefix_news_append(struct prefix_news *news, uint64_t except, struct reply *out);

size_t prefixes_count(const struct prefixes *p);

/* Of @names the first @old are a set of which none begins another. Whether that holds for all; if not, the first new one and the one that it
 * clashes with, as Redis finds them. */
bool prefixes_clash(const struct bytes *names, size_t old, size_t n, size_t *one, size_t *other);

#endif
