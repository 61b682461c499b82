/* resp/commands/hashes/hash_expire.h - what the commands on expiries of fields share.
 */
#ifndef RESP_COMMANDS_HASH_EXPIRE_H
#define RESP_COMMANDS_HASH_EXPIRE_H

#include "resp/commands/hashes/hash.h"
#include "resp/commands/keys/expiry.h"

/* argv[@i] as milliseconds since the epoch; what is no number, below 0 or too late is replied. */
bool hash_time_read(struct call *c, int i, enum expiry_unit unit, int64_t *at);

/* Whether a field that is to expire at @at is to go at once. Not while loading: what follows may let it live longer. */
bool hash_time_is_past(const struct call *c, int64_t at);

/* "FIELDS numfields field ...", from argv[@i] on to the end: true with *@first and *@n, else what is wrong is replied, @bad_count for a
 * count that is none. */
bool hash_fields_read(struct call *c, int i, const char *bad_count, int *first, int *n);

/* Words in front of the fields, at most. */
#define FIELD_EFFECT_HEAD 6

/* Words of a command to journal: a few at the start, and then fields as they turn out to be affected. */
struct field_effect {
	struct bytes *words; /* the fields stand from FIELD_EFFECT_HEAD on */
	int argc;
	char at[NUM_BUF], count[NUM_BUF];
};
/* Room for @n fields. False, with the error replied, without memory. */
bool field_effect_begin(struct call *c, struct field_effect *e, int n);
static inline void field_effect_add(struct field_effect *e, struct bytes field)
{
	e->words[e->argc++] = field;
}
static inline int field_effect_count(const struct field_effect *e)
{
	return e->argc - FIELD_EFFECT_HEAD;
}
/* "HPEXPIREAT key @at FIELDS n field ..."; "HPERSIST key FIELDS n field ..."; "HDEL key field ...". Nothing, for no fields. */
void field_effect_expire(struct call *c, struct field_effect *e, int64_t at);
void field_effect_persist(struct call *c, struct field_effect *e);
void field_effect_delete(struct call *c, struct field_effect *e);
void field_effect_end(struct field_effect *e);

void hash_cmd_hexpire(struct call *c);
void hash_cmd_hpexpire(struct call *c);
void hash_cmd_hexpireat(struct call *c);
void hash_cmd_hpexpireat(struct call *c);
void hash_cmd_httl(struct call *c);
void hash_cmd_hpttl(struct call *c);
void hash_cmd_hexpiretime(struct call *c);
void hash_cmd_hpexpiretime(struct call *c);
void hash_cmd_hpersist(struct call *c);

/* hash_getset.c */
void hash_cmd_hgetdel(struct call *c);
void hash_cmd_hgetex(struct call *c);
void hash_cmd_hsetex(struct call *c);

#endif
