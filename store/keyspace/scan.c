/* store/keyspace/scan.c - SCAN's steps, for one type by way of rare.h. */
#include "store/base/keyhash.h"
#include "store/keyspace/internal.h"

/* More keys than that, and a noted position may not tell the bucket. */
#define KEYS_MAX (UINT64_C(1) << 31)

struct step {
	void (*fn)(void *arg, uint64_t word);
	void *arg;
	struct rare *learns;
};

static void found(void *arg, uint64_t *slot)
{
	const struct step *s = arg;
	s->fn(s->arg, *slot);
}

/* Nothing of @learns is left of the position where the step began. */
static void found_first(void *arg, uint64_t *slot)
{
	const struct step *s = arg;
	if (s->learns->known)
		rare_note(s->learns, table_position(keyhash(entry_key(*slot))));
	s->fn(s->arg, *slot);
}

/* The next step's cursor for one type: 0 when there is nothing more. */
static uint64_t skip(const struct rare *r, uint64_t position)
{
	uint64_t at = rare_next(r, position);
	return at == RARE_ALL ? 0 : table_cursor_at(at);
}

static uint64_t scan_type(struct db *db, uint64_t cursor, enum value_type type, struct step *s)
{
	struct rare *r = &db->rare[type];
	uint64_t keys = db->by_type[type], begin;
	if (keys == 0)
		return 0;
	begin = rare_next(r, table_position(cursor));
	if (begin == RARE_ALL)
		return 0;
	cursor = table_cursor_at(begin);
	if (!rare_may_learn(r, begin, keys)) {
		cursor = table_scan(&db->keys, cursor, 1u << type, found, s);
		return cursor ? skip(r, table_position(cursor)) : 0;
	}
	/* Known is first what the step will have seen, so that it is noted. */
	s->learns = r;
	r->known = RARE_ALL;
	cursor = table_scan(&db->keys, cursor, 1u << type, found_first, s);
	if (r->known)
		r->known = cursor ? table_position(cursor) : RARE_ALL;
	return cursor;
}

uint64_t keyspace_scan(struct db *db, uint64_t cursor, unsigned types,
		       void (*fn)(void *arg, uint64_t word), void *arg)
{
	struct step s = {fn, arg, NULL};
	bool one = types && !(types & (types - 1)) && types < 1u << KEYSPACE_TYPES;
	if (one && table_count(&db->keys) < KEYS_MAX)
		return scan_type(db, cursor, (enum value_type)__builtin_ctz(types), &s);
	return table_scan(&db->keys, cursor, types, found, &s);
}
