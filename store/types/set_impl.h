/* store/types/set_impl.h - inside a set, for set.c and setops.c alone. */
#ifndef STORE_TYPES_SET_IMPL_H
#define STORE_TYPES_SET_IMPL_H

#include "store/types/set.h"

enum set_enc { SET_INTSET, SET_LISTPACK, SET_TABLE };

/* Small sets are many, so their head is two words; a table is an allocation of its own. Its entries are the member as
 * varkey_put writes it, lead 0. */
struct set {
	enum set_enc enc;
	union {
		unsigned char *is;
		unsigned char *lp;
		struct table *t;
	};
};

/* set_has, with keyhash(@member) known. */
bool set_has_hashed(struct set *s, struct bytes member, uint64_t hash);
/* set_add of a member known to be absent, likewise. */
void set_add_new_hashed(struct set *s, struct bytes member, uint64_t hash,
			const struct type_limits *lim);

#endif
