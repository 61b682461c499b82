/* store/base/num.h - numbers to text and back, with Redis's strictness.
 */
#ifndef STORE_BASE_NUM_H
#define STORE_BASE_NUM_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/bytes.h"

/* Enough for any int64 or any double as num_format_* writes it. */
#define NUM_BUF 32

/* A decimal int64 exactly as num_format_int writes it: no blanks, no plus, no leading zero, no "-0".
 * False leaves *@out alone. */
bool num_parse_int(struct bytes s, int64_t *out);
bool num_parse_uint(struct bytes s, uint64_t *out);

/* A float as Redis takes from a client: strtod's forms, "inf", "+inf", "-inf", "infinity" in any case, hex floats;
 * refused: the empty string, blanks before or after, NaN, out of range, and more than 255 bytes. */
bool num_parse_double(struct bytes s, double *out);
bool num_parse_ldouble(struct bytes s, long double *out);

/* Write without terminator into @buf (at least NUM_BUF bytes), return the length. */
size_t num_format_int(char *buf, int64_t v);

/* The shortest text that reads back as @v: what ZSCORE prints in Redis 7.2 (7.0 printed "%.17g"). Integers up to 2^62 have
 * neither point nor exponent; then "inf", "-inf", "nan", "-0". */
size_t num_format_double(char *buf, double v);

/* As INCRBYFLOAT and HINCRBYFLOAT print: "%.17Lf" with trailing zeros cut. @buf has room for 5 KiB. */
#define NUM_LDOUBLE_BUF 5120
size_t num_format_ldouble(char *buf, long double v);

/* A size with an optional unit as redis.conf has it: "1k" 1000, "1kb" 1024, m mb g gb b. False when malformed. */
bool num_parse_memory(struct bytes s, int64_t *out);

#endif
