#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/base/geo.h"
#include "store/base/rng.h"

static struct rng seeded(void)
{
	uint64_t seed = (uint64_t)time(NULL);
	struct rng rng;
	printf("seed %llu\n", (unsigned long long)seed);
	rng_seed(&rng, seed);
	return rng;
}

static double between(struct rng *rng, double min, double max)
{
	return min + rng_unit(rng) * (max - min);
}

/* A place comes back within the width of its cell, and encodes to the same cell again. */
static void places_survive(void **state)
{
	(void)state;
	struct rng rng = seeded();
	for (int i = 0; i < 20000; i++) {
		struct geo_point p = {between(&rng, -180, 180),
				      between(&rng, -GEO_LAT_MAX, GEO_LAT_MAX)};
		uint64_t hash = geo_encode(p);
		struct geo_point q = geo_decode((double)hash);
		assert_true(fabs(p.lon - q.lon) < 360 / 0x1p26);
		assert_true(fabs(p.lat - q.lat) < 180 / 0x1p26);
		assert_true(geo_encode(q) == hash);
	}
}

/* Known places, as maps and Redis's manual have them. */
static void known_places_are_where_they_are(void **state)
{
	(void)state;
	struct geo_point palermo = {13.361389, 38.115556}, catania = {15.087269, 37.502669};
	char text[GEO_TEXT_LEN];
	assert_true(geo_encode(palermo) == UINT64_C(3479099956230698));
	assert_true(geo_encode(catania) == UINT64_C(3479447370796909));
	palermo = geo_decode(3479099956230698);
	catania = geo_decode(3479447370796909);
	assert_true(fabs(geo_distance(palermo, catania) - 166274.1516) < 0.0001);
	assert_true(geo_distance(palermo, palermo) == 0);
	geo_text(palermo, text);
	assert_memory_equal(text, "sqc8b49rny0", GEO_TEXT_LEN);
	geo_text(catania, text);
	assert_memory_equal(text, "sqdtr74hyu0", GEO_TEXT_LEN);
}

/* A score that nobody made of a place is one all the same. */
static void any_score_is_a_valid_place(void **state)
{
	(void)state;
	static const double scores[] = {0,      -1,     0.5,    -INFINITY, INFINITY, 1e300,
					-1e300, 0x1p52, 0x1p53, 0x1p63,    0x1p64,   -0x1p63};
	struct rng rng = seeded();
	for (size_t i = 0; i < sizeof(scores) / sizeof(*scores); i++)
		assert_true(geo_valid(geo_decode(scores[i])));
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = rng_next(&rng);
		double score;
		memcpy(&score, &bits, sizeof(score));
		if (!isnan(score))
			assert_true(geo_valid(geo_decode(score)));
	}
}

/* What lies in a shape away from the poles lies in exactly one of the ranges that cover it. */
static void covers_are_whole(void **state)
{
	(void)state;
	struct rng rng = seeded();
	int inside = 0;
	for (int round = 0; round < 3000; round++) {
		struct geo_shape s = {.box = round % 2,
				      .center = {between(&rng, -120, 120), between(&rng, -60, 60)},
				      .unit = 1000};
		s.height = pow(10, between(&rng, -3, 3));
		s.width = s.box ? pow(10, between(&rng, -3, 3)) : s.height;
		struct geo_range ranges[GEO_RANGES];
		unsigned n = geo_cover(&s, ranges);
		assert_in_range(n, 1, GEO_RANGES);
		double lat = s.height / 111, lon = s.width / 111 / cos(s.center.lat * M_PI / 180);
		for (int i = 0; i < 20; i++) {
			struct geo_point p = {s.center.lon + between(&rng, -lon, lon),
					      s.center.lat + between(&rng, -lat, lat)};
			double distance;
			uint64_t hash = geo_encode(p);
			if (!geo_within(&s, geo_decode((double)hash), &distance))
				continue;
			unsigned found = 0;
			for (unsigned k = 0; k < n; k++)
				found += hash >= ranges[k].min && hash < ranges[k].max;
			assert_int_equal(found, 1);
			inside++;
		}
	}
	assert_true(inside > 5000);
}

/* No range, however odd, makes more than nine. */
static void odd_shapes_do_no_harm(void **state)
{
	(void)state;
	static const double odd[] = {0, 1e-320, 1, 6e6, 2e7, 1e18, 1e308, INFINITY};
	struct geo_range ranges[GEO_RANGES];
	for (size_t w = 0; w < sizeof(odd) / sizeof(*odd); w++) {
		for (size_t h = 0; h < sizeof(odd) / sizeof(*odd); h++) {
			for (int corner = 0; corner < 9; corner++) {
				struct geo_shape s = {.box = w != h,
						      .center = {(corner % 3 - 1) * GEO_LON_MAX,
								 (corner / 3 - 1) * GEO_LAT_MAX},
						      .width = odd[w],
						      .height = odd[h],
						      .unit = 1609.34};
				assert_in_range(geo_cover(&s, ranges), 1, GEO_RANGES);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_survive),
		cmocka_unit_test(known_places_are_where_they_are),
		cmocka_unit_test(any_score_is_a_valid_place),
		cmocka_unit_test(covers_are_whole),
		cmocka_unit_test(odd_shapes_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
