/* store/base/geo.h - places on the globe as 52-bit geohashes, and the search for those in a circle or a box.
 *
 * A hash interleaves latitude (even bits) and longitude (odd bits) with 26 bits each, over the square of the web's Mercator maps:
 * places that are near share their high bits, so an area is a few intervals of hashes. Redis keeps them as scores of a sorted set;
 * all figures here come out to the last bit as its do.
 *
 * A leaf: no key, no set, no allocation. Degrees are longitude first; distances are metres.
 */
#ifndef STORE_BASE_GEO_H
#define STORE_BASE_GEO_H

#include <stdbool.h>
#include <stdint.h>

#define GEO_LON_MAX  180.0
#define GEO_LAT_MAX  85.05112878
#define GEO_TEXT_LEN 11

struct geo_point {
	double lon, lat;
};

static inline bool geo_valid(struct geo_point p)
{
	return p.lon >= -GEO_LON_MAX && p.lon <= GEO_LON_MAX && p.lat >= -GEO_LAT_MAX &&
	       p.lat <= GEO_LAT_MAX;
}

/* @p must be valid. */
uint64_t geo_encode(struct geo_point p);

/* The middle of the cell that a sorted set's score names. Any score will do: the answer is always valid. */
struct geo_point geo_decode(double score);

/* The usual geohash text of @p, GEO_TEXT_LEN letters without a terminator. */
void geo_text(struct geo_point p, char *out);

/* Along the great circle. */
double geo_distance(struct geo_point a, struct geo_point b);

/* A circle of radius @height (and @width), or a box of @width and @height whose sides lie along the compass. */
struct geo_shape {
	bool box;
	struct geo_point center;
	double width, height;
	double unit; /* metres in the unit that @width and @height are given in */
};

/* Whether @p lies in @s, and how far it is from its centre. */
bool geo_within(const struct geo_shape *s, struct geo_point p, double *distance);

/* The scores from @min up to but without @max. */
struct geo_range {
	uint64_t min, max;
};
#define GEO_RANGES 9

/* What has to be looked through to find all in @s: its middle cell and those around it, in Redis's order. Returns how many. */
unsigned geo_cover(const struct geo_shape *s, struct geo_range *out);

#endif
