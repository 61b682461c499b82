/* GEOSEARCH, GEORADIUS and their kin: one search, five ways to ask for it. */
#include <stdlib.h>

#include "resp/commands/zsets/geo.h"
#include "resp/commands/zsets/zset.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/types/zset_build.h"

enum order { UNSORTED, ASCENDING, DESCENDING };

enum way {
	WAY_SEARCH = 1 << 0, /* GEOSEARCH's words */
	WAY_STORE = 1 << 1,  /* GEOSEARCHSTORE */
	WAY_MEMBER = 1 << 2, /* GEORADIUSBYMEMBER */
	WAY_READ = 1 << 3,   /* no STORE */
};

struct search {
	unsigned way;
	struct zset *z; /* NULL when the key is absent */
	struct geo_shape shape;
	bool from_member, from_place, by_radius, by_box;
	bool with_dist, with_hash, with_coord, any, store_dist;
	enum order order;
	int64_t count; /* 0: all */
	int store;     /* argv index of the destination, 0 for none */
};

/* --- arguments --- */

static bool parse_radius(struct call *c, int i, struct search *s)
{
	if (!call_double(c, i, &s->shape.height, "ERR need numeric radius"))
		return false;
	if (s->shape.height < 0) {
		reply_error(c->reply, "ERR radius cannot be negative");
		return false;
	}
	s->shape.width = s->shape.height;
	s->shape.box = false;
	s->by_radius = true;
	return geo_parse_unit(c, i + 1, &s->shape.unit);
}

static bool parse_box(struct call *c, int i, struct search *s)
{
	if (!call_double(c, i, &s->shape.width, "ERR need numeric width") ||
	    !call_double(c, i + 1, &s->shape.height, "ERR need numeric height"))
		return false;
	if (s->shape.height < 0 || s->shape.width < 0) {
		reply_error(c->reply, "ERR height or width cannot be negative");
		return false;
	}
	s->shape.box = s->by_box = true;
	return geo_parse_unit(c, i + 2, &s->shape.unit);
}

/* The place of argv[@i], a member. Where the key is absent nothing can be found, and the member is not asked for. */
static bool parse_member(struct call *c, int i, struct search *s)
{
	s->from_member = true;
	if (!s->z || geo_place(s->z, c->argv[i], &s->shape.center))
		return true;
	reply_error(c->reply, "ERR could not decode requested zset member");
	return false;
}

static bool parse_count(struct call *c, int i, struct search *s)
{
	return call_int(c, i, &s->count) &&
	       call_int_range(c, i, 1, INT64_MAX, &s->count, "ERR COUNT must be > 0");
}

/* GEOSEARCH's words for the area: how many arguments the one at @i takes, 0 when it is none of them, -1 with the error
 * replied. */
static int parse_area(struct call *c, int i, struct search *s)
{
	struct bytes w = c->argv[i];
	int left = c->argc - i - 1;
	if (!(s->way & WAY_SEARCH))
		return 0;
	if (left >= 1 && !s->from_place && bytes_is(w, "frommember"))
		return parse_member(c, i + 1, s) ? 2 : -1;
	if (left >= 2 && !s->from_member && bytes_is(w, "fromlonlat")) {
		s->from_place = true;
		return geo_parse_point(c, i + 1, &s->shape.center) ? 3 : -1;
	}
	if (left >= 2 && !s->by_box && bytes_is(w, "byradius"))
		return parse_radius(c, i + 1, s) ? 3 : -1;
	if (left >= 3 && !s->by_radius && bytes_is(w, "bybox"))
		return parse_box(c, i + 1, s) ? 4 : -1;
	return 0;
}

/* The words that stand alone. */
static bool parse_flag(struct bytes w, struct search *s)
{
	if (bytes_is(w, "withdist"))
		s->with_dist = true;
	else if (bytes_is(w, "withhash"))
		s->with_hash = true;
	else if (bytes_is(w, "withcoord"))
		s->with_coord = true;
	else if (bytes_is(w, "any"))
		s->any = true;
	else if (bytes_is(w, "asc"))
		s->order = ASCENDING;
	else if (bytes_is(w, "desc"))
		s->order = DESCENDING;
	else if ((s->way & WAY_STORE) && bytes_is(w, "storedist"))
		s->store_dist = true;
	else
		return false;
	return true;
}

/* As parse_area, for what is left. */
static int parse_option(struct call *c, int i, struct search *s)
{
	struct bytes w = c->argv[i];
	int left = c->argc - i - 1;
	if (parse_flag(w, s))
		return 1;
	if (left >= 1 && bytes_is(w, "count"))
		return parse_count(c, i + 1, s) ? 2 : -1;
	if (left >= 1 && !(s->way & (WAY_READ | WAY_SEARCH)) &&
	    (bytes_is(w, "store") || bytes_is(w, "storedist"))) {
		s->store_dist = bytes_is(w, "storedist");
		s->store = i + 1;
		return 2;
	}
	return parse_area(c, i, s);
}

/* Whether what was read goes together; else the error is replied. */
static bool consistent(struct call *c, const struct search *s)
{
	const struct bytes name = c->argv[0];
	if (s->store && (s->with_dist || s->with_hash || s->with_coord))
		reply_errorf(
			c->reply,
			"ERR %s is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
			s->way & WAY_STORE ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS");
	else if ((s->way & WAY_SEARCH) && !s->from_member && !s->from_place)
		reply_errorf(
			c->reply,
			"ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for %.*s",
			(int)name.n, name.p);
	else if ((s->way & WAY_SEARCH) && !s->by_radius && !s->by_box)
		reply_errorf(c->reply,
			     "ERR exactly one of BYRADIUS and BYBOX can be specified for %.*s",
			     (int)name.n, name.p);
	else if (s->any && !s->count)
		reply_error(c->reply, "ERR the ANY argument requires COUNT argument");
	else
		return true;
	return false;
}

/* What stands in front of the options; returns where those begin, 0 with the error replied. */
static int parse_front(struct call *c, struct search *s)
{
	if (s->way & WAY_STORE) {
		s->store = 1;
		return 3;
	}
	if (s->way & WAY_SEARCH)
		return 2;
	if (!(s->way & WAY_MEMBER))
		return geo_parse_point(c, 2, &s->shape.center) && parse_radius(c, 4, s) ? 6 : 0;
	if (!s->z)
		return 5;
	return parse_member(c, 2, s) && parse_radius(c, 3, s) ? 5 : 0;
}

static bool parse(struct call *c, struct search *s)
{
	int i = parse_front(c, s);
	if (!i)
		return false;
	while (i < c->argc) {
		int took = parse_option(c, i, s);
		if (took < 0)
			return false;
		if (took == 0) {
			call_syntax_error(c);
			return false;
		}
		i += took;
	}
	return consistent(c, s);
}

/* --- what was found --- */

struct found {
	double dist, score;
	struct geo_point at;
	size_t name, len; /* in found_all.names */
	size_t turn;      /* equal distances stay in the order of the search */
};

struct found_all {
	struct found *v;
	size_t n, room;
	char *names;
	size_t names_len, names_room;
};

/* The member is borrowed from a walk: its bytes are copied. */
static void keep(struct found_all *all, struct found f, struct bytes member)
{
	if (all->n == all->room) {
		all->room = all->room ? all->room * 2 : 64;
		all->v = mem_realloc(all->v, all->room * sizeof(*all->v));
	}
	if (all->names_room - all->names_len < member.n) {
		all->names_room = (all->names_len + member.n) * 2;
		all->names = mem_realloc(all->names, all->names_room);
	}
	if (member.n)
		memcpy(all->names + all->names_len, member.p, member.n);
	f.name = all->names_len;
	f.len = member.n;
	f.turn = all->n;
	all->names_len += member.n;
	all->v[all->n++] = f;
}

static struct bytes name_of(const struct found_all *all, const struct found *f)
{
	return bytes_of(all->names ? all->names + f->name : "", f->len);
}

static void look_through(const struct search *s, struct geo_range r, struct found_all *all)
{
	const struct zset_score_range scores = {(double)r.min, (double)r.max, false, true};
	struct zset_iter it;
	struct bytes member;
	struct found f;
	size_t first, count, enough = s->any ? (size_t)s->count : SIZE_MAX;
	zset_range_by_score(s->z, &scores, &first, &count);
	zset_iter_begin(&it, s->z, first, false);
	while (count-- && all->n < enough && zset_iter_next(&it, &member, &f.score)) {
		f.at = geo_decode(f.score);
		if (geo_within(&s->shape, f.at, &f.dist))
			keep(all, f, member);
	}
}

/* --- order --- */

static int compare(const struct found *a, const struct found *b, enum order order)
{
	if (a->dist != b->dist)
		return (a->dist < b->dist) == (order == ASCENDING) ? -1 : 1;
	return a->turn < b->turn ? -1 : a->turn > b->turn;
}

static int compare_ascending(const void *a, const void *b)
{
	return compare(a, b, ASCENDING);
}

static int compare_descending(const void *a, const void *b)
{
	return compare(a, b, DESCENDING);
}

static void swap(struct found *a, struct found *b)
{
	struct found t = *a;
	*a = *b;
	*b = t;
}

/* Let @v[i] sink in a heap of @n whose root comes last in @order. */
static void sink(struct found *v, size_t n, size_t i, enum order order)
{
	for (size_t child; (child = i * 2 + 1) < n; i = child) {
		if (child + 1 < n && compare(&v[child + 1], &v[child], order) > 0)
			child++;
		if (compare(&v[i], &v[child], order) >= 0)
			return;
		swap(&v[i], &v[child]);
	}
}

/* The first @k in @order come to the front; the order of all others is lost. */
static void sort_first(struct found_all *all, size_t k, enum order order)
{
	struct found *v = all->v;
	if (k < all->n) {
		for (size_t i = k / 2; i-- > 0;)
			sink(v, k, i, order);
		for (size_t i = k; i < all->n; i++) {
			if (compare(&v[i], &v[0], order) < 0) {
				swap(&v[i], &v[0]);
				sink(v, k, 0, order);
			}
		}
	}
	qsort(v, k, sizeof(*v), order == ASCENDING ? compare_ascending : compare_descending);
}

/* --- answers --- */

static void answer(struct call *c, const struct search *s, const struct found_all *all, size_t n)
{
	size_t extras = (size_t)s->with_dist + s->with_hash + s->with_coord;
	reply_array(c->reply, n);
	for (size_t i = 0; i < n; i++) {
		const struct found *f = &all->v[i];
		if (extras)
			reply_array(c->reply, extras + 1);
		reply_bulk(c->reply, name_of(all, f));
		if (s->with_dist)
			geo_reply_distance(c, f->dist / s->shape.unit);
		if (s->with_hash)
			/* A score that is no place may be any double. */
			reply_int(c->reply, f->score >= -0x1p63 && f->score < 0x1p63
						    ? (int64_t)f->score
						    : INT64_MIN);
		if (s->with_coord)
			geo_reply_point(c, f->at);
	}
}

static void store(struct call *c, const struct search *s, const struct found_all *all, size_t n)
{
	struct zset_build *b = zset_build_begin(n);
	struct zset *z = NULL;
	bool added, full = true;
	for (size_t i = 0; i < n && full; i++) {
		const struct found *f = &all->v[i];
		struct bytes name = name_of(all, f);
		double *score = zset_build_at(b, name, keyhash(name), &added);
		full = score != NULL;
		if (full)
			*score = s->store_dist ? f->dist / s->shape.unit : f->score;
	}
	if (full)
		z = zset_build_end(b, zset_limits(c));
	else
		zset_build_drop(b);
	if (!z) {
		call_error(c, STORE_ENOMEM);
		return;
	}
	zset_store(c, c->argv[s->store], z,
		   s->way & WAY_STORE ? "geosearchstore" : "georadiusstore");
}

static void run(struct call *c, struct search *s)
{
	struct found_all all = {0};
	struct geo_range ranges[GEO_RANGES];
	unsigned n = s->z ? geo_cover(&s->shape, ranges) : 0;
	if (s->count && s->order == UNSORTED && !s->any)
		s->order = ASCENDING;
	for (unsigned i = 0; i < n; i++)
		look_through(s, ranges[i], &all);
	size_t wanted = s->count && (uint64_t)s->count < all.n ? (size_t)s->count : all.n;
	if (s->order != UNSORTED && wanted)
		sort_first(&all, wanted, s->order);
	if (s->store)
		store(c, s, &all, wanted);
	else
		answer(c, s, &all, wanted);
	mem_free(all.v);
	mem_free(all.names);
}

static void search(struct call *c, unsigned way)
{
	struct search s = {.way = way};
	if (zset_read(c, way & WAY_STORE ? 2 : 1, &s.z) && parse(c, &s))
		run(c, &s);
}

void geo_cmd_geosearch(struct call *c)
{
	search(c, WAY_SEARCH | WAY_READ);
}

void geo_cmd_geosearchstore(struct call *c)
{
	search(c, WAY_SEARCH | WAY_STORE);
}

void geo_cmd_georadius(struct call *c)
{
	search(c, 0);
}

void geo_cmd_georadius_ro(struct call *c)
{
	search(c, WAY_READ);
}

void geo_cmd_georadiusbymember(struct call *c)
{
	search(c, WAY_MEMBER);
}

void geo_cmd_georadiusbymember_ro(struct call *c)
{
	search(c, WAY_MEMBER | WAY_READ);
}
