/* store/keyspace/fields.c - hashes whose fields expire, in the order of their next expiry; removing those fields. See keyspace.h.
 *
 * A database keeps them in a heap. The hash itself remembers its place there (from 1 on, 0: in none), so that following a
 * change takes a few steps up or down, and the expiry cycle looks at nothing that is not due.
 */
#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/keyspace/internal.h"
#include "store/types/hash.h"

/* Fields that are removed in one step, and about the bytes that are copied for it. */
#define STEP_FIELDS KEYSPACE_FIELDS_MAX
#define STEP_BYTES  16384

/* --- the heap --- */

static void put(struct db *db, size_t i, struct field_due due)
{
	db->due[i] = due;
	hash_set_place(entry_container(due.word), i + 1);
}

static void sift_up(struct db *db, size_t i, struct field_due due)
{
	for (size_t up; i > 0 && db->due[up = (i - 1) / 2].at > due.at; i = up)
		put(db, i, db->due[up]);
	put(db, i, due);
}

static void sift_down(struct db *db, size_t i, struct field_due due)
{
	for (size_t down; (down = 2 * i + 1) < db->ndue; i = down) {
		if (down + 1 < db->ndue && db->due[down + 1].at < db->due[down].at)
			down++;
		if (db->due[down].at >= due.at)
			break;
		put(db, i, db->due[down]);
	}
	put(db, i, due);
}

static void settle(struct db *db, size_t i, struct field_due due)
{
	if (i > 0 && db->due[(i - 1) / 2].at > due.at)
		sift_up(db, i, due);
	else
		sift_down(db, i, due);
}

static void add(struct db *db, struct field_due due)
{
	if (db->ndue == db->due_room) {
		db->due_room = db->due_room ? db->due_room * 2 : 8;
		db->due = mem_realloc(db->due, db->due_room * sizeof(*db->due));
	}
	db->ndue++;
	sift_up(db, db->ndue - 1, due);
}

static void drop(struct db *db, size_t i)
{
	struct field_due last = db->due[--db->ndue];

	if (i < db->ndue)
		settle(db, i, last);
	if (db->due_room > 64 && db->ndue < db->due_room / 4) {
		db->due_room /= 2;
		db->due = mem_realloc(db->due, db->due_room * sizeof(*db->due));
	}
}

void fields_follow(struct db *db, uint64_t w)
{
	struct hash *h = entry_container(w);

	if (word_type(w) != VALUE_HASH || !hash_has_times(h))
		return;
	struct field_due due = {hash_next_expiry(h), w};
	size_t place = hash_place(h);
	if (place && due.at >= 0) {
		settle(db, place - 1, due);
	} else if (place) {
		drop(db, place - 1);
		hash_set_place(h, 0);
	} else if (due.at >= 0) {
		add(db, due);
	}
}

void fields_forget(struct db *db, uint64_t w)
{
	struct hash *h = entry_container(w);

	if (word_type(w) != VALUE_HASH || !hash_has_times(h) || !hash_place(h))
		return;
	drop(db, hash_place(h) - 1);
	hash_set_place(h, 0);
}

void keyspace_fields_changed(struct db *db, uint64_t w)
{
	fields_follow(db, w);
}

int64_t keyspace_fields_now(const struct keyspace *ks)
{
	return ks->replaying ? HASH_ANY_TIME : ks->now_ms;
}

/* --- removing fields whose time has come --- */

struct step {
	struct db *db;
	struct hash *h;
	uint64_t w;
	unsigned n;
	struct bytes fields[STEP_FIELDS];
	int64_t now;
	size_t len, cap; /* of the copies */
	char *copies;
};

/* The fields of the step are gone: tell, and let the key go if it has no more. False then. */
static bool finish(struct step *s)
{
	struct keyspace *ks = s->db->ks;
	bool last = hash_count(s->h) == 0;
	uint64_t w = s->w;

	ks->stats.expired_fields += s->n;
	if (last) {
		uint64_t hash = keyhash(entry_key(w));
		w = keyspace_unlink(s->db, table_find(&s->db->keys, entry_key(w), hash), hash);
	} else {
		fields_follow(s->db, w);
	}
	if (ks->hooks.fields_gone)
		ks->hooks.fields_gone(ks->hooks.arg, s->db, entry_key(w), s->n, s->fields, last);
	if (last)
		entry_free_whole(w, false);
	s->n = 0;
	return !last;
}

bool keyspace_shed_fields(struct db *db, uint64_t w, int n, const struct bytes *fields, int every)
{
	struct step s = {.db = db, .w = w, .h = entry_container(w)};
	int64_t now = keyspace_fields_now(db->ks);

	if (db->ks->expiry_frozen)
		return true;
	for (int i = 0; i < n; i += every) {
		int64_t at = hash_expiry(s.h, fields[i]);
		if (at < 0 || at >= now)
			continue;
		hash_remove(s.h, fields[i]);
		s.fields[s.n++] = fields[i];
		if ((s.n == STEP_FIELDS || hash_count(s.h) == 0) && !finish(&s))
			return false;
	}
	return !s.n || finish(&s);
}

static bool gather(void *arg, struct bytes field, int64_t expiry)
{
	struct step *s = arg;

	if (expiry >= s->now || s->n == STEP_FIELDS || (s->n && s->len + field.n > s->cap))
		return false;
	if (!s->copies || s->len + field.n > s->cap) {
		s->cap = field.n > STEP_BYTES ? field.n : STEP_BYTES;
		s->copies = mem_alloc(s->cap);
	}
	if (field.n)
		memcpy(s->copies + s->len, field.p, field.n);
	s->fields[s->n++] = bytes_of(s->copies + s->len, field.n);
	s->len += field.n;
	return true;
}

/* Some of the due fields of the hash that is due first. */
static void expire_step(struct db *db, int64_t now)
{
	uint64_t w = db->due[0].word;
	struct step s = {.db = db, .w = w, .h = entry_container(w), .now = now};

	hash_by_expiry(s.h, gather, &s);
	for (unsigned i = 0; i < s.n; i++)
		hash_remove(s.h, s.fields[i]);
	finish(&s);
	mem_free(s.copies);
}

bool fields_expire_cycle(struct keyspace *ks, bool (*late)(void *arg), void *arg)
{
	for (unsigned n = 0; n < ks->ndbs; n++) {
		struct db *db = &ks->dbs[(ks->expire_fields_db + n) % ks->ndbs];
		while (db->ndue && db->due[0].at < ks->now_ms) {
			expire_step(db, ks->now_ms);
			if (late(arg)) {
				ks->expire_fields_db = (db->id + 1) % ks->ndbs;
				return true;
			}
		}
	}
	return false;
}

/* --- invariants --- */

bool fields_ok(struct db *db)
{
	for (size_t i = 0; i < db->ndue; i++) {
		const struct field_due *due = &db->due[i];
		struct hash *h = entry_container(due->word);
		uint64_t *slot =
			table_find(&db->keys, entry_key(due->word), keyhash(entry_key(due->word)));
		if (!slot || word_ptr(*slot) != word_ptr(due->word) || hash_place(h) != i + 1 ||
		    due->at != hash_next_expiry(h) || (i && db->due[(i - 1) / 2].at > due->at))
			return false;
	}
	return true;
}

bool fields_indexed(const struct db *db, uint64_t w)
{
	struct hash *h = entry_container(w);
	bool due = hash_next_expiry(h) >= 0;

	if (!hash_has_times(h))
		return !due;
	return due ? hash_place(h) > 0 && hash_place(h) <= db->ndue : hash_place(h) == 0;
}
