#include "store/base/geo.h"

#include <math.h>

#define STEPS        26 /* bits a coordinate */
#define EARTH_RADIUS 6372797.560856
#define MAP_SIZE     20037726.37 /* half the equator on the map */

#define EVEN UINT64_C(0x5555555555555555)
#define ODD  UINT64_C(0xaaaaaaaaaaaaaaaa)

struct span {
	double min, max;
};

static const struct span lon_span = {-GEO_LON_MAX, GEO_LON_MAX};
static const struct span lat_span = {-GEO_LAT_MAX, GEO_LAT_MAX};

static double radians(double degrees)
{
	return degrees * (M_PI / 180.0);
}

static double degrees(double rad)
{
	return rad / (M_PI / 180.0);
}

/* --- bits --- */

/* The bits of @v at the even places. */
static uint64_t spread(uint32_t v)
{
	static const uint64_t masks[] = {UINT64_C(0x0000ffff0000ffff), UINT64_C(0x00ff00ff00ff00ff),
					 UINT64_C(0x0f0f0f0f0f0f0f0f), UINT64_C(0x3333333333333333),
					 EVEN};
	uint64_t x = v;
	for (unsigned i = 0, shift = 16; i < 5; i++, shift /= 2)
		x = (x | x << shift) & masks[i];
	return x;
}

/* The other way; odd places do not count. */
static uint32_t gather(uint64_t x)
{
	static const uint64_t masks[] = {UINT64_C(0x3333333333333333), UINT64_C(0x0f0f0f0f0f0f0f0f),
					 UINT64_C(0x00ff00ff00ff00ff), UINT64_C(0x0000ffff0000ffff),
					 UINT64_C(0x00000000ffffffff)};
	x &= EVEN;
	for (unsigned i = 0, shift = 1; i < 5; i++, shift *= 2)
		x = (x | x >> shift) & masks[i];
	return (uint32_t)x;
}

/* --- cells --- */

static uint32_t offset_in(struct span s, double v, unsigned steps)
{
	return (uint32_t)((v - s.min) / (s.max - s.min) * (double)(UINT64_C(1) << steps));
}

static uint64_t encode(struct geo_point p, struct span lon, struct span lat, unsigned steps)
{
	return spread(offset_in(lat, p.lat, steps)) | spread(offset_in(lon, p.lon, steps)) << 1;
}

/* The interval that the @i-th of 2^@steps parts is. */
static struct span part(struct span s, uint32_t i, unsigned steps)
{
	double scale = s.max - s.min, parts = (double)(UINT64_C(1) << steps);
	/* The next one is counted in 32 bits, so that the last one of scores that are no places ends at 0. */
	return (struct span){s.min + (i * 1.0 / parts) * scale,
			     s.min + ((i + 1) * 1.0 / parts) * scale};
}

struct cell {
	struct span lon, lat;
};

static struct cell decode(uint64_t hash, unsigned steps)
{
	return (struct cell){.lon = part(lon_span, gather(hash >> 1), steps),
			     .lat = part(lat_span, gather(hash), steps)};
}

static double middle(struct span s, double bound)
{
	double v = (s.min + s.max) / 2;
	return v > bound ? bound : v < -bound ? -bound : v;
}

/* A double as the 64 bits that this kind of machine makes of it, also where C leaves it open. */
static uint64_t score_bits(double score)
{
	if (score >= 0x1p64)
		return 0;
	if (score >= 0)
		return (uint64_t)score;
	return score >= -0x1p63 ? (uint64_t)(int64_t)score : UINT64_C(1) << 63;
}

uint64_t geo_encode(struct geo_point p)
{
	return encode(p, lon_span, lat_span, STEPS);
}

struct geo_point geo_decode(double score)
{
	struct cell c = decode(score_bits(score), STEPS);
	return (struct geo_point){middle(c.lon, GEO_LON_MAX), middle(c.lat, GEO_LAT_MAX)};
}

void geo_text(struct geo_point p, char *out)
{
	static const char letters[] = "0123456789bcdefghjkmnpqrstuvwxyz";
	/* The text is of the whole globe, not of the map's square. */
	uint64_t hash = encode(p, (struct span){-180, 180}, (struct span){-90, 90}, STEPS);
	for (unsigned i = 0; i < GEO_TEXT_LEN - 1; i++)
		out[i] = letters[hash >> (52 - (i + 1) * 5) & 31];
	/* Two bits are left over, which Redis does not show. */
	out[GEO_TEXT_LEN - 1] = '0';
}

/* --- distances --- */

static double lat_distance(double a, double b)
{
	return EARTH_RADIUS * fabs(radians(b) - radians(a));
}

double geo_distance(struct geo_point a, struct geo_point b)
{
	double v = sin((radians(b.lon) - radians(a.lon)) / 2);
	if (v == 0)
		return lat_distance(a.lat, b.lat);
	double from = radians(a.lat), to = radians(b.lat);
	double u = sin((to - from) / 2);
	return 2.0 * EARTH_RADIUS * asin(sqrt(u * u + cos(from) * cos(to) * v * v));
}

bool geo_within(const struct geo_shape *s, struct geo_point p, double *distance)
{
	if (s->box) {
		if (lat_distance(p.lat, s->center.lat) > s->height * s->unit / 2)
			return false;
		struct geo_point beside = {s->center.lon, p.lat};
		if (geo_distance(p, beside) > s->width * s->unit / 2)
			return false;
	}
	*distance = geo_distance(s->center, p);
	return s->box || *distance <= s->height * s->unit;
}

/* --- covering a shape --- */

/* How many bits a coordinate leave cells about as large as @range. */
static unsigned steps_for(double range, double lat)
{
	if (range == 0)
		return STEPS;
	int steps = 1;
	for (; range < MAP_SIZE; range *= 2)
		steps++;
	/* Two more, so that the cells around the middle one cover the range; still more near the poles. */
	steps -= 2;
	if (fabs(lat) > 66)
		steps--;
	if (fabs(lat) > 80)
		steps--;
	return steps < 1 ? 1 : steps > STEPS ? STEPS : (unsigned)steps;
}

/* The box of degrees around @s. */
static struct cell bounds_of(const struct geo_shape *s)
{
	double half = s->box ? 2 : 1;
	double height = s->unit * (s->height / half), width = s->unit * (s->width / half);
	double up = degrees(height / EARTH_RADIUS);
	/* The side that is nearer to a pole is the longer one in degrees. */
	double lat = s->center.lat < 0 ? s->center.lat - up : s->center.lat + up;
	double aside = degrees(width / EARTH_RADIUS / cos(radians(lat)));
	return (struct cell){{s->center.lon - aside, s->center.lon + aside},
			     {s->center.lat - up, s->center.lat + up}};
}

/* The cell @dx to the east and @dy to the north (-1, 0 or 1), around the edge of the map. A coordinate that does not move keeps the
 * bit that a place on the very edge has too much. */
static uint64_t neighbour(uint64_t hash, unsigned steps, int dx, int dy)
{
	uint64_t x = hash & ODD, y = hash & EVEN;
	uint64_t xs = ODD >> (64 - steps * 2), ys = EVEN >> (64 - steps * 2);
	if (dx)
		x = (dx > 0 ? x + ys + 1 : (x | ys) - (ys + 1)) & xs;
	if (dy)
		y = (dy > 0 ? y + xs + 1 : (y | xs) - (xs + 1)) & ys;
	return x | y;
}

/* Whether the cells around @hash leave a part of @b uncovered. */
static bool too_small(uint64_t hash, unsigned steps, const struct cell *b)
{
	struct cell north = decode(neighbour(hash, steps, 0, 1), steps);
	struct cell south = decode(neighbour(hash, steps, 0, -1), steps);
	struct cell east = decode(neighbour(hash, steps, 1, 0), steps);
	struct cell west = decode(neighbour(hash, steps, -1, 0), steps);
	return north.lat.max < b->lat.max || south.lat.min > b->lat.min ||
	       east.lon.max < b->lon.max || west.lon.min > b->lon.min;
}

/* Whether a direction is not needed: the middle cell itself reaches past the bounds there. */
static bool not_needed(const struct cell *c, const struct cell *b, int dx, int dy)
{
	return (dy < 0 && c->lat.min < b->lat.min) || (dy > 0 && c->lat.max > b->lat.max) ||
	       (dx < 0 && c->lon.min < b->lon.min) || (dx > 0 && c->lon.max > b->lon.max);
}

unsigned geo_cover(const struct geo_shape *s, struct geo_range *out)
{
	static const struct {
		int dx, dy;
	} around[GEO_RANGES] = {{0, 0}, {0, 1},  {0, -1}, {1, 0},  {-1, 0},
				{1, 1}, {-1, 1}, {1, -1}, {-1, -1}};
	struct cell b = bounds_of(s);
	double w = s->width / 2, h = s->height / 2;
	double range = (s->box ? sqrt(w * w + h * h) : s->height) * s->unit;
	unsigned steps = steps_for(range, s->center.lat), n = 0;
	uint64_t hash = encode(s->center, lon_span, lat_span, steps), last = 0;
	if (steps > 1 && too_small(hash, steps, &b)) {
		steps--;
		hash = encode(s->center, lon_span, lat_span, steps);
	}
	struct cell c = decode(hash, steps);
	for (unsigned i = 0; i < GEO_RANGES; i++) {
		if (steps >= 2 && not_needed(&c, &b, around[i].dx, around[i].dy))
			continue;
		uint64_t cell = neighbour(hash, steps, around[i].dx, around[i].dy);
		/* With very large cells neighbours on both sides are the same. */
		if (n > 1 && cell == last)
			continue;
		unsigned shift = 52 - steps * 2;
		out[n++] = (struct geo_range){cell << shift, (cell + 1) << shift};
		last = cell;
	}
	return n;
}
