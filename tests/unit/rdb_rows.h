/* tests/unit/rdb_rows.h - RDB files made by hand, one to a row of a table: what each holds or why it is refused.
 *
 * check_row also reads each beginning of a file that is one: all of them are errors. Include it once, behind cmocka.h.
 */
#ifndef TESTS_UNIT_RDB_ROWS_H
#define TESTS_UNIT_RDB_ROWS_H

#include <stdio.h>
#include <string.h>

#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/persist/rdb_load.h"
#include "store/types/hash.h"
#include "store/types/list.h"
#include "store/types/set.h"
#include "store/types/stream.h"
#include "store/types/zset.h"
#include "tests/unit/rdb_file.h"

#define NOW INT64_C(1700000000000)

static const struct type_limits limits = TYPE_LIMITS_DEFAULT;

struct row {
	const char *law;
	unsigned version;
	const char *records;
	size_t n;
	const char *want; /* the keys as describe says them; behind a '!': part of the error */
};
#define ROW(law, version, records, want)                                                           \
	{                                                                                          \
		law, version, records, sizeof(records) - 1, want                                   \
	}

/* --- what was loaded, as a line --- */

static char said[8192];

static inline __attribute__((format(printf, 1, 2))) void say(const char *fmt, ...)
{
	size_t n = strlen(said);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said + n, sizeof(said) - n, fmt, ap);
	va_end(ap);
}
#define SHOW(s) (int)(s).n, (s).p

static inline void say_list(struct list *l)
{
	struct list_iter it;
	struct bytes s;

	list_check(l, &limits);
	list_iter_begin(&it, l, 0, false);
	while (list_iter_next(&it, &s))
		say(" '%.*s'", SHOW(s));
}

static inline void say_set(struct set *set)
{
	struct set_iter it;
	struct bytes s;

	set_check(set, &limits);
	set_iter_begin(&it, set);
	while (set_iter_next(&it, &s))
		say(" '%.*s'", SHOW(s));
	set_iter_end(&it);
}

static inline void say_hash(struct hash *h)
{
	struct hash_iter it;
	struct bytes f, v;

	hash_check(h, &limits);
	hash_iter_begin(&it, h);
	while (hash_iter_next(&it, &f, &v)) {
		say(" %.*s=%.*s", SHOW(f), SHOW(v));
		if (it.expiry >= 0)
			say("@%lld", (long long)it.expiry);
	}
	hash_iter_end(&it);
}

static inline void say_zset(struct zset *z)
{
	struct zset_iter it;
	struct bytes m;
	double score;

	zset_check(z, &limits);
	zset_iter_begin(&it, z, 0, false);
	while (zset_iter_next(&it, &m, &score))
		say(" %.*s:%.17g", SHOW(m), score);
}

static inline void say_id(const char *before, struct stream_id id)
{
	say("%s%llu-%llu", before, (unsigned long long)id.ms, (unsigned long long)id.seq);
}

/* A group, its consumers with their times from NOW on, and what is pending at each: times delivered, and when. */
static inline void say_group(const struct streamgroup *g)
{
	struct stream_id id;

	say(" group %.*s", SHOW(g->name));
	say_id(" at ", g->last);
	say(" read %lld", (long long)g->read);
	for (size_t i = 0; i < g->consumers.n; i++) {
		const struct streamconsumer *c = streamgroup_consumer_at(g, i);
		struct idmap_at at = idmap_seek(&c->pending, STREAM_ID_MIN);
		say(" %.*s %+lld", SHOW(c->name), (long long)(c->seen_ms - NOW));
		if (c->active_ms == -1)
			say(" never");
		else
			say(" %+lld", (long long)(c->active_ms - NOW));
		for (; idmap_get(&c->pending, &at, &id); idmap_next(&c->pending, &at)) {
			const struct streampending *p = streamgroup_pending(g, id);
			assert_ptr_equal(p->consumer, c);
			say_id(" (", id);
			say(" %llu %+lld)", (unsigned long long)p->count,
			    (long long)(p->delivered_ms - NOW));
		}
	}
}

static inline void say_stream(struct stream *s)
{
	const struct stream_info *info = stream_info(s);
	const struct streamnames *groups = stream_groups(s);
	struct stream_iter it;
	struct bytes f, v;

	stream_check(s, &limits);
	stream_iter_begin(&it, s, STREAM_ID_MIN, STREAM_ID_MAX, false);
	while (stream_iter_next(&it)) {
		say_id(" ", it.e.id);
		for (size_t i = 0; i < it.e.nfields; i++) {
			stream_iter_pair(&it, &f, &v);
			say(" %.*s=%.*s", SHOW(f), SHOW(v));
		}
	}
	say(" | %llu of %llu", (unsigned long long)info->length, (unsigned long long)info->added);
	say_id(" ", info->first);
	say_id(" ", info->last);
	say_id(" ", info->max_deleted);
	for (size_t i = 0; i < groups->n; i++)
		say_group(streamgroup_at(groups, i));
}

static inline void say_value(uint64_t w)
{
	char buf[NUM_BUF];
	struct bytes s;

	switch (word_type(w)) {
	case VALUE_STRING:
		s = entry_string(w, buf);
		say(" %.*s", SHOW(s));
		break;
	case VALUE_LIST:
		say_list(entry_container(w));
		break;
	case VALUE_SET:
		say_set(entry_container(w));
		break;
	case VALUE_ZSET:
		say_zset(entry_container(w));
		break;
	case VALUE_HASH:
		say_hash(entry_container(w));
		break;
	case VALUE_STREAM:
		say_stream(entry_container(w));
		break;
	}
}

/* Keys a to z of each database: "a embstr hello; 3 b int 5 @expiry ~idle;" */
static inline const char *describe(struct keyspace *ks)
{
	said[0] = '\0';
	for (unsigned i = 0; i < ks->ndbs; i++) {
		for (char name = 'a'; name <= 'z'; name++) {
			uint64_t w =
				keyspace_read(&ks->dbs[i], bytes_of(&name, 1), KEYSPACE_NOTOUCH);
			if (!w)
				continue;
			if (i)
				say("%u ", i);
			say("%c %s", name, entry_encoding(w));
			say_value(w);
			if (entry_expiry(w) >= 0)
				say(" @%lld", (long long)entry_expiry(w));
			if (ks->policy.lfu)
				say(" ~%u", keyspace_freq(ks, w));
			else if (keyspace_idle_seconds(ks, w))
				say(" ~%u", keyspace_idle_seconds(ks, w));
			say(";");
		}
	}
	return said;
}

/* --- loading --- */

static inline struct keyspace *fresh(bool lfu)
{
	struct keyspace *ks = keyspace_new(16);

	ks->policy.lfu = lfu;
	keyspace_set_now(ks, NOW);
	return ks;
}

static char noted[512];

static inline void on_note(void *arg, const char *text)
{
	(void)arg;
	snprintf(noted + strlen(noted), sizeof(noted) - strlen(noted), "%s;", text);
}

static inline bool load(struct keyspace *ks, struct rdb_in *in)
{
	struct rdb_load_options opt = {.limits = &limits, .note = on_note};
	struct rdb_load_result result;

	noted[0] = '\0';
	bool ok = rdb_load(ks, in, &opt, &result);
	rdb_in_fini(in);
	keyspace_check(ks);
	return ok;
}

static inline void check_row(const struct row *r, bool lfu)
{
	unsigned char file[4096];
	size_t size = file_of(file, r->version, r->records, r->n);
	struct keyspace *ks = fresh(lfu);
	struct rdb_in in;

	rdb_in_memory(&in, file, size);
	bool ok = load(ks, &in);
	if (r->want[0] == '!') {
		if (ok || !strstr(in.error, r->want + 1))
			fail_msg("%s: \"%s\"", r->law, ok ? "it was loaded" : in.error);
		assert_true(in.error_offset <= size);
	} else if (!ok) {
		fail_msg("%s: offset %llu: %s", r->law, (unsigned long long)in.error_offset,
			 in.error);
	} else if (strcmp(describe(ks), r->want) != 0) {
		fail_msg("%s:\n%s\nis not\n%s", r->law, said, r->want);
	}
	keyspace_free(ks);
	for (size_t cut = 0; ok && cut < size; cut++) {
		ks = fresh(lfu);
		/* Of its own, so that a sanitizer sees a look beyond the end. */
		unsigned char *part = mem_alloc(cut ? cut : 1);
		memcpy(part, file, cut);
		rdb_in_memory(&in, part, cut);
		if (load(ks, &in))
			fail_msg("%s: %zu of %zu bytes were loaded", r->law, cut, size);
		mem_free(part);
		keyspace_free(ks);
	}
}

static inline void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_row(&rows[i], false);
}
#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof(*(rows)))

#endif
