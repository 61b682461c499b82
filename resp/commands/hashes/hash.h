/* resp/commands/hashes/hash.h - inside the hash commands: what their files share. */
#ifndef RESP_COMMANDS_HASH_H
#define RESP_COMMANDS_HASH_H

#include "resp/command.h"
#include "resp/server.h"
#include "store/types/hash.h"

static inline const struct type_limits *hash_limits(const struct call *c)
{
	return &c->server->config.limits;
}

/* The hash of @slot, which call_write found for argv[1], or a new one there. The caller puts a field into it. */
struct hash *hash_for_write(struct call *c, uint64_t *slot);

/* argv[1] as call_read and call_write find it. Those of the fields argv[@first], argv[@first + @every], ... up to argv[@last] that
 * are past their time are removed first, and the key with its last one: @word or @slot is 0 then. */
bool hash_read(struct call *c, int first, int last, int every, uint64_t *word);
bool hash_write(struct call *c, int first, int last, int every, uint64_t **slot);

/* What these two do with the fields; false when the key is gone. */
bool hash_shed(struct call *c, uint64_t word, int first, int last, int every);

static inline int64_t hash_now(const struct call *c)
{
	return keyspace_fields_now(c->db->ks);
}

/* Whether a field is past its time, but may not be removed now. */
static inline bool hash_hides(const struct call *c, struct hash *h, struct bytes field)
{
	if (__builtin_expect(!c->db->ndue || !c->db->ks->expiry_frozen, 1))
		return false;
	int64_t at = hash_expiry(h, field);
	return at >= 0 && at < hash_now(c);
}

/* The hash at @slot was changed in a way that may have set, dropped or removed an expiry. */
static inline void hash_touched(struct call *c, const uint64_t *slot)
{
	if (__builtin_expect(hash_has_times(entry_container(*slot)), 0))
		keyspace_fields_changed(c->db, *slot);
}

/* The hash at @slot lost fields: let an empty one's key go, with its event; call_changed came before. */
void hash_shrunk(struct call *c, uint64_t *slot);

/* hash_incr.c */
void hash_cmd_hincrby(struct call *c);
void hash_cmd_hincrbyfloat(struct call *c);
/* hash_random.c */
void hash_cmd_hrandfield(struct call *c);

#endif
