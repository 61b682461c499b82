/* The GEO commands: sorted sets whose scores are places. */
#include <math.h>

#include "resp/commands/zsets/geo.h"

#include "resp/commands/commands.h"
#include "resp/commands/zsets/zset.h"
#include "store/base/mem.h"

/* --- places and distances --- */

bool geo_parse_point(struct call *c, int i, struct geo_point *out)
{
	if (!call_double(c, i, &out->lon, NULL) || !call_double(c, i + 1, &out->lat, NULL))
		return false;
	if (geo_valid(*out))
		return true;
	reply_errorf(c->reply, "ERR invalid longitude,latitude pair %f,%f", out->lon, out->lat);
	return false;
}

bool geo_parse_unit(struct call *c, int i, double *metres)
{
	static const struct {
		const char *name;
		double metres;
	} units[] = {{"m", 1}, {"km", 1000}, {"ft", 0.3048}, {"mi", 1609.34}};
	for (size_t u = 0; u < sizeof(units) / sizeof(*units); u++) {
		if (bytes_is(c->argv[i], units[u].name)) {
			*metres = units[u].metres;
			return true;
		}
	}
	reply_error(c->reply, "ERR unsupported unit provided. please use M, KM, FT, MI");
	return false;
}

bool geo_place(struct zset *z, struct bytes member, struct geo_point *out)
{
	double score;
	if (!z || !zset_score(z, member, &score))
		return false;
	*out = geo_decode(score);
	return true;
}

static void reply_degrees(struct call *c, double v)
{
	char buf[NUM_LDOUBLE_BUF];
	struct bytes text = bytes_of(buf, num_format_ldouble(buf, v));
	if (c->reply->proto == 2) {
		reply_bulk(c->reply, text);
		return;
	}
	reply_raw(c->reply, ",", 1);
	reply_raw(c->reply, text.p, text.n);
	reply_raw(c->reply, "\r\n", 2);
}

void geo_reply_point(struct call *c, struct geo_point p)
{
	reply_array(c->reply, 2);
	reply_degrees(c, p.lon);
	reply_degrees(c, p.lat);
}

/* "%.4f", by integers where the last digit is not in doubt: a search may answer thousands. */
void geo_reply_distance(struct call *c, double d)
{
	double scaled = d * 10000, whole = floor(scaled), rest = scaled - whole;
	if (!(scaled >= 0 && scaled < 1e12) || (rest > 0.499 && rest < 0.501)) {
		reply_bulkf(c->reply, "%.4f", d);
		return;
	}
	int64_t v = (int64_t)whole + (rest > 0.5), fraction = v % 10000;
	char buf[NUM_BUF];
	size_t n = num_format_int(buf, v / 10000);
	buf[n] = '.';
	for (size_t i = 4; i; i--, fraction /= 10)
		buf[n + i] = (char)('0' + fraction % 10);
	reply_bulk(c->reply, bytes_of(buf, n + 5));
}

/* --- GEOADD --- */

static bool is_option(struct bytes w, bool *nx, bool *xx)
{
	if (bytes_is(w, "nx"))
		*nx = true;
	else if (bytes_is(w, "xx"))
		*xx = true;
	else
		return bytes_is(w, "ch");
	return true;
}

/* argv[@first..] as "score member" pairs into @out; the scores' text goes to @text. False with the error replied. */
static bool make_pairs(struct call *c, int first, struct bytes *out, char *text)
{
	for (int i = first; i < c->argc; i += 3, text += NUM_BUF) {
		struct geo_point p;
		if (!geo_parse_point(c, i, &p))
			return false;
		*out++ = bytes_of(text, num_format_int(text, (int64_t)geo_encode(p)));
		*out++ = c->argv[i + 2];
	}
	return true;
}

/* It is a ZADD of the places' hashes, and is handed on as one. */
static void cmd_geoadd(struct call *c)
{
	bool nx = false, xx = false;
	int first = 2;
	while (first < c->argc && is_option(c->argv[first], &nx, &xx))
		first++;
	int places = (c->argc - first) / 3;
	if ((c->argc - first) % 3 || (nx && xx)) {
		call_syntax_error(c);
		return;
	}
	struct bytes *argv = mem_alloc((size_t)c->argc * sizeof(*argv));
	char *text = mem_alloc((size_t)places * NUM_BUF + 1);
	memcpy(argv, c->argv, (size_t)first * sizeof(*argv));
	if (make_pairs(c, first, argv + first, text)) {
		const struct bytes *own = c->argv;
		int argc = c->argc;
		c->argv = argv;
		c->argc = first + places * 2;
		zset_cmd_zadd(c);
		c->argv = own;
		c->argc = argc;
	}
	mem_free(text);
	mem_free(argv);
}

/* --- reading --- */

static void cmd_geodist(struct call *c)
{
	double unit = 1;
	struct zset *z;
	struct geo_point a, b;
	if (c->argc == 5 && !geo_parse_unit(c, 4, &unit))
		return;
	if (c->argc > 5) {
		call_syntax_error(c);
		return;
	}
	if (!zset_read(c, 1, &z))
		return;
	if (geo_place(z, c->argv[2], &a) && geo_place(z, c->argv[3], &b))
		geo_reply_distance(c, geo_distance(a, b) / unit);
	else
		reply_null(c->reply);
}

static void cmd_geohash(struct call *c)
{
	struct zset *z;
	if (!zset_read(c, 1, &z))
		return;
	reply_array(c->reply, (size_t)c->argc - 2);
	for (int i = 2; i < c->argc; i++) {
		struct geo_point p;
		char text[GEO_TEXT_LEN];
		if (geo_place(z, c->argv[i], &p)) {
			geo_text(p, text);
			reply_bulk(c->reply, bytes_of(text, sizeof(text)));
		} else {
			reply_null(c->reply);
		}
	}
}

static void cmd_geopos(struct call *c)
{
	struct zset *z;
	if (!zset_read(c, 1, &z))
		return;
	reply_array(c->reply, (size_t)c->argc - 2);
	for (int i = 2; i < c->argc; i++) {
		struct geo_point p;
		if (geo_place(z, c->argv[i], &p))
			geo_reply_point(c, p);
		else
			reply_null_array(c->reply);
	}
}

#define COST                                                                                       \
	"O(N+log(M)), N members in the cells around the area, M in the set; with COUNT and no "    \
	"ANY the nearest are picked from all that were found"
#define STORED_KEY(word, from)                                                                     \
	{                                                                                          \
		.flags = KEY_OW | KEY_UPDATE, .begin = KEYS_BEGIN_KEYWORD, .index = (from),        \
		.keyword = (word), .find = KEYS_FIND_RANGE, .step = 1                              \
	}
#define RADIUS_OPTIONS(any)                                                                        \
	"radius:double <unit: M|KM|FT|MI> [WITHCOORD] [WITHDIST] [WITHHASH] [count: (COUNT "       \
	"count) "                                                                                  \
	"[" any "]] [order: ASC|DESC]"
#define SHAPE                                                                                      \
	"<from: FROMMEMBER member|FROMLONLAT longitude:double latitude:double> <by: (circle: "     \
	"(BYRADIUS radius:double) <unit: M|KM|FT|MI>)|(box: (BYBOX width:double) height:double "   \
	"<unit: M|KM|FT|MI>)> [order: ASC|DESC] [count: (COUNT count) [ANY]]"

const struct command geo_commands[] = {
	{.name = "geoadd",
	 .run = cmd_geoadd,
	 .arity = -5,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_GEO,
	 .keys = {KEYS_AT(KEY_RW | KEY_UPDATE, 1, 0, 1)},
	 .summary = "Add members with their places, or move those that are there",
	 .since = "3.2.0",
	 .group = "geo",
	 .complexity = "O(log(N)) a member, N members in the set",
	 .syntax =
		 "key [condition@6.2.0: NX|XX] [change=CH@6.2.0] longitude:double latitude:double "
		 "member [longitude latitude member ...]"},
	{.name = "geodist",
	 .run = cmd_geodist,
	 .arity = -4,
	 .flags = CMD_READONLY,
	 .categories = CAT_GEO,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Answer how far two members are from each other",
	 .since = "3.2.0",
	 .group = "geo",
	 .complexity = "O(1)",
	 .syntax = "key member1 member2 [unit: M|KM|FT|MI]"},
	{.name = "geohash",
	 .run = cmd_geohash,
	 .arity = -2,
	 .flags = CMD_READONLY,
	 .categories = CAT_GEO,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Answer the geohash texts of members",
	 .since = "3.2.0",
	 .group = "geo",
	 .complexity = "O(1) a member",
	 .syntax = "key member [member ...]"},
	{.name = "geopos",
	 .run = cmd_geopos,
	 .arity = -2,
	 .flags = CMD_READONLY,
	 .categories = CAT_GEO,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Answer the longitudes and latitudes of members",
	 .since = "3.2.0",
	 .group = "geo",
	 .complexity = "O(1) a member",
	 .syntax = "key member [member ...]"},
	{.name = "geosearch",
	 .run = geo_cmd_geosearch,
	 .arity = -7,
	 .flags = CMD_READONLY,
	 .categories = CAT_GEO,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Answer the members in a circle or a box",
	 .since = "6.2.0",
	 .group = "geo",
	 .complexity = COST,
	 .syntax = "key " SHAPE " [WITHCOORD] [WITHDIST] [WITHHASH]"},
	{.name = "geosearchstore",
	 .run = geo_cmd_geosearchstore,
	 .arity = -8,
	 .flags = CMD_WRITE | CMD_DENYOOM,
	 .categories = CAT_GEO,
	 .keys = {KEYS_AT(KEY_OW | KEY_UPDATE, 1, 0, 1), KEYS_AT(KEY_RO | KEY_ACCESS, 2, 0, 1)},
	 .summary = "Store the members in a circle or a box under another key",
	 .since = "6.2.0",
	 .group = "geo",
	 .complexity = COST,
	 .syntax = "destination source " SHAPE " [STOREDIST]"},
	{.name = "georadius",
	 .run = geo_cmd_georadius,
	 .arity = -6,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_MOVABLEKEYS,
	 .categories = CAT_GEO,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1), STORED_KEY("STORE", 6),
		  STORED_KEY("STOREDIST", 6)},
	 .summary = "Answer, or store, the members in a circle around a place",
	 .since = "3.2.0",
	 .group = "geo",
	 .deprecated_since = "6.2.0",
	 .replaced_by = "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
	 .complexity = COST,
	 .syntax = "key longitude:double latitude:double " RADIUS_OPTIONS(
		 "ANY@6.2.0") " [STORE key] [STOREDIST key]"},
	{.name = "georadius_ro",
	 .run = geo_cmd_georadius_ro,
	 .arity = -6,
	 .flags = CMD_READONLY,
	 .categories = CAT_GEO,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Answer the members in a circle around a place",
	 .since = "3.2.10",
	 .group = "geo",
	 .deprecated_since = "6.2.0",
	 .replaced_by = "`GEOSEARCH` with the `BYRADIUS` argument",
	 .complexity = COST,
	 .syntax = "key longitude:double latitude:double " RADIUS_OPTIONS("ANY@6.2.0")},
	{.name = "georadiusbymember",
	 .run = geo_cmd_georadiusbymember,
	 .arity = -5,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_MOVABLEKEYS,
	 .categories = CAT_GEO,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1), STORED_KEY("STORE", 5),
		  STORED_KEY("STOREDIST", 5)},
	 .summary = "Answer, or store, the members in a circle around a member",
	 .since = "3.2.0",
	 .group = "geo",
	 .deprecated_since = "6.2.0",
	 .replaced_by = "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` "
			"arguments",
	 .complexity = COST,
	 .syntax = "key member " RADIUS_OPTIONS("ANY") " [STORE key] [STOREDIST key]"},
	{.name = "georadiusbymember_ro",
	 .run = geo_cmd_georadiusbymember_ro,
	 .arity = -5,
	 .flags = CMD_READONLY,
	 .categories = CAT_GEO,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1)},
	 .summary = "Answer the members in a circle around a member",
	 .since = "3.2.10",
	 .group = "geo",
	 .deprecated_since = "6.2.0",
	 .replaced_by = "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
	 .complexity = COST,
	 .syntax = "key member " RADIUS_OPTIONS("ANY")},
	{0},
};
