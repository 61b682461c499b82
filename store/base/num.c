#include "store/base/num.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Text of a float that a client may send. */
#define FLOAT_TEXT_MAX 255
/* A long double may have as many digits as INCRBYFLOAT writes. */
#define LDOUBLE_TEXT_MAX (NUM_LDOUBLE_BUF - 1)

/* The powers of ten that a double holds exactly. */
static const double exact_pow10[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
				     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
				     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
#define EXACT_POW10 ((int)(sizeof(exact_pow10) / sizeof(exact_pow10[0])))

/* --- reading --- */

/* At least one digit, no leading zero but "0" itself. */
static bool parse_digits(const char *p, size_t n, uint64_t *out)
{
	uint64_t v = 0;

	if (n == 0 || n > 20 || (p[0] == '0' && n > 1))
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned d = (unsigned)(unsigned char)p[i] - '0';
		if (d > 9)
			return false;
		if (i == 19 && (v > UINT64_MAX / 10 || v * 10 > UINT64_MAX - d))
			return false;
		v = v * 10 + d;
	}
	*out = v;
	return true;
}

bool num_parse_uint(struct bytes s, uint64_t *out)
{
	return parse_digits(s.p, s.n, out);
}

bool num_parse_int(struct bytes s, int64_t *out)
{
	bool neg = s.n > 0 && s.p[0] == '-';
	uint64_t v;

	if (!parse_digits(s.p + neg, s.n - neg, &v) || (neg && v == 0))
		return false;
	if (v > (uint64_t)INT64_MAX + neg)
		return false;
	*out = neg ? (int64_t)-v : (int64_t)v;
	return true;
}

/* Plain decimals of at most 15 digits: the digits and the power of ten are both exact doubles, so that one division
 * rounds correctly and strtod is not needed. */
static bool parse_short_decimal(struct bytes s, double *out)
{
	bool neg = s.n > 0 && s.p[0] == '-', point = false;
	size_t i = neg, digits = 0;
	int fraction = 0;
	int64_t m = 0;

	for (; i < s.n; i++) {
		unsigned d = (unsigned)(unsigned char)s.p[i] - '0';
		if (d <= 9) {
			m = m * 10 + d;
			fraction += point;
			if (++digits > 15)
				return false;
		} else if (s.p[i] == '.' && !point) {
			point = true;
		} else {
			return false;
		}
	}
	if (digits == 0)
		return false;
	double v = (double)m / exact_pow10[fraction];
	*out = neg ? -v : v;
	return true;
}

/* A terminated copy of @s in @buf; false where Redis refuses without looking further. */
static bool float_text(struct bytes s, char *buf, size_t max)
{
	if (s.n == 0 || s.n > max || isspace((unsigned char)s.p[0]))
		return false;
	memcpy(buf, s.p, s.n);
	buf[s.n] = '\0';
	return true;
}

bool num_parse_double(struct bytes s, double *out)
{
	char buf[FLOAT_TEXT_MAX + 1], *end;

	if (parse_short_decimal(s, out))
		return true;
	if (!float_text(s, buf, FLOAT_TEXT_MAX))
		return false;
	errno = 0;
	double v = strtod(buf, &end);
	if (end != buf + s.n || isnan(v) || (errno == ERANGE && (isinf(v) || v == 0)))
		return false;
	*out = v;
	return true;
}

bool num_parse_ldouble(struct bytes s, long double *out)
{
	char buf[LDOUBLE_TEXT_MAX + 1], *end;

	if (!float_text(s, buf, LDOUBLE_TEXT_MAX))
		return false;
	errno = 0;
	long double v = strtold(buf, &end);
	if (end != buf + s.n || isnan(v) || (errno == ERANGE && (isinf(v) || v == 0)))
		return false;
	*out = v;
	return true;
}

bool num_parse_memory(struct bytes s, int64_t *out)
{
	static const struct {
		const char *word;
		int64_t bytes;
	} units[] = {
		{"", 1},           {"b", 1},
		{"k", 1000},       {"kb", 1024},
		{"m", 1000000},    {"mb", 1024 * 1024},
		{"g", 1000000000}, {"gb", 1024 * 1024 * 1024},
	};
	size_t digits = 0;
	int64_t v = 0;

	for (; digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9'; digits++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, s.p[digits] - '0', &v))
			return false;
	}
	if (digits == 0)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (bytes_is(bytes_of(s.p + digits, s.n - digits), units[i].word))
			return !__builtin_mul_overflow(v, units[i].bytes, out);
	return false;
}

/* --- writing --- */

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
			    "25262728293031323334353637383940414243444546474849"
			    "50515253545556575859606162636465666768697071727374"
			    "75767778798081828384858687888990919293949596979899";

static size_t format_uint(char *buf, uint64_t v)
{
	char tmp[20];
	size_t at = sizeof(tmp);

	while (v >= 100) {
		at -= 2;
		memcpy(tmp + at, pairs + v % 100 * 2, 2);
		v /= 100;
	}
	if (v >= 10) {
		at -= 2;
		memcpy(tmp + at, pairs + v * 2, 2);
	} else {
		tmp[--at] = (char)('0' + v);
	}
	memcpy(buf, tmp + at, sizeof(tmp) - at);
	return sizeof(tmp) - at;
}

size_t num_format_int(char *buf, int64_t v)
{
	if (v >= 0)
		return format_uint(buf, (uint64_t)v);
	buf[0] = '-';
	return 1 + format_uint(buf + 1, -(uint64_t)v);
}

/* digits * 10^exp */
struct decimal {
	char digits[20];
	int n, exp;
};

static void trim_zeros(struct decimal *d)
{
	while (d->n > 1 && d->digits[d->n - 1] == '0') {
		d->n--;
		d->exp++;
	}
}

/* 5^27 is the last that fits 63 bits. */
#define POW5_MAX 27

static uint64_t pow5(int k)
{
	static const uint64_t powers[] = {1,         5,          25,          125,
					  625,       3125,       15625,       78125,
					  390625,    1953125,    9765625,     48828125,
					  244140625, 1220703125, 6103515625u, 30517578125u};
	return k < 16 ? powers[k] : powers[15] * powers[k - 15];
}

/* The integer nearest to @twice / 2 / 10^@drop, where @more tells that @twice was cut. */
static uint64_t round_off(uint64_t twice, bool more, int drop)
{
	uint64_t unit = 1;

	for (int i = 0; i < drop; i++)
		unit *= 10;
	uint64_t q = twice / (unit * 2), rest = twice % (unit * 2);
	return q + (rest > unit || (rest == unit && (more || (q & 1))));
}

/* Exactly, in 128 bits: @v and the ends of the interval that reads back as @v are scaled by a power of ten to
 * integers of 17 or 18 digits, and digits are dropped as long as a number stays between the ends. For what lies
 * between about 1e-11 and 2^53 and is no integer; false for the rest. */
static bool decimal_exact(double v, struct decimal *d)
{
	int e;
	uint64_t m = (uint64_t)(frexp(v, &e) * 0x1p53); /* v == m * 2^(e - 53), m has 53 bits */
	int k = 16 - (((e - 1) * 1233) >> 12);          /* 10^k * v is at least 10^16 */
	int shift = 55 - e - k; /* of numbers in units of 2^(e - 55) * 10^-k */

	if (k < 1 || k > POW5_MAX || shift < 2 || shift > 120)
		return false;
	uint64_t p5 = pow5(k);
	unsigned __int128 mid = (unsigned __int128)(m * 4) * p5,
			  one = (unsigned __int128)1 << shift;
	unsigned __int128 below = mid - (m == UINT64_C(1) << 52 ? p5 : (unsigned __int128)p5 * 2);
	unsigned __int128 above = mid + (unsigned __int128)p5 * 2;
	bool open = m & 1; /* the ends themselves read back as an even neighbour */
	uint64_t lo = (uint64_t)((below + one - 1 + (open && !(below & (one - 1)))) >> shift);
	uint64_t hi = (uint64_t)((above - (open && !(above & (one - 1)))) >> shift);
	int drop = 0;
	for (; hi / 10 >= (lo + 9) / 10; drop++) {
		lo = (lo + 9) / 10;
		hi /= 10;
	}
	uint64_t best = round_off((uint64_t)(mid >> (shift - 1)), (mid & (one / 2 - 1)) != 0, drop);
	best = best < lo ? lo : best > hi ? hi : best;
	d->n = (int)format_uint(d->digits, best);
	d->exp = drop - k;
	return true;
}

/* By trial: the least precision at which printf's text reads back as @v. A number of up to 15 digits always comes
 * back through a double, so fewer need not be tried where the exponent is in the normal range. */
static void decimal_trial(double v, struct decimal *d)
{
	char text[40];

	for (int digits = v < DBL_MIN ? 1 : DBL_DIG; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*e", digits - 1, v);
		if (digits < 17 && strtod(text, NULL) != v)
			continue;
		const char *e = strchr(text, 'e');
		d->digits[0] = text[0];
		memcpy(d->digits + 1, text + 2, (size_t)digits - 1);
		d->n = digits;
		d->exp = atoi(e + 1) - (digits - 1);
		trim_zeros(d);
		return;
	}
}

static size_t write_scientific(char *buf, const struct decimal *d)
{
	size_t n = 0;
	int e = d->exp + d->n - 1;

	buf[n++] = d->digits[0];
	if (d->n > 1) {
		buf[n++] = '.';
		memcpy(buf + n, d->digits + 1, (size_t)d->n - 1);
		n += (size_t)d->n - 1;
	}
	buf[n++] = 'e';
	buf[n++] = e < 0 ? '-' : '+';
	return n + format_uint(buf + n, (uint64_t)abs(e));
}

/* Redis 7.2 prints with fpconv (https://github.com/night-shift/fpconv); where it changes from plain digits to an exponent is
 * its own taste: 0.00001 and 1e-7, but 1.2345678901234e+4. */
static size_t write_decimal(char *buf, const struct decimal *d)
{
	int magnitude = abs(d->exp + d->n - 1), point = d->n + d->exp;
	size_t n = (size_t)d->n;

	if (d->exp >= 0 && magnitude < d->n + 7) {
		memcpy(buf, d->digits, n);
		memset(buf + n, '0', (size_t)d->exp);
		return n + (size_t)d->exp;
	}
	if (d->exp >= 0 || (d->exp <= -7 && magnitude >= 4))
		return write_scientific(buf, d);
	if (point <= 0) {
		memcpy(buf, "0.", 2);
		memset(buf + 2, '0', (size_t)-point);
		memcpy(buf + 2 - point, d->digits, n);
		return n + 2 + (size_t)-point;
	}
	memcpy(buf, d->digits, (size_t)point);
	buf[point] = '.';
	memcpy(buf + point + 1, d->digits + point, n - (size_t)point);
	return n + 1;
}

static size_t put_text(char *buf, const char *text)
{
	size_t n = strlen(text);
	memcpy(buf, text, n);
	return n;
}

size_t num_format_double(char *buf, double v)
{
	if (isnan(v))
		return put_text(buf, "nan");
	if (isinf(v))
		return put_text(buf, v < 0 ? "-inf" : "inf");
	if (v == 0)
		return put_text(buf, signbit(v) ? "-0" : "0");
	if (fabs(v) <= (double)(INT64_MAX / 2) && v == (double)(int64_t)v)
		return num_format_int(buf, (int64_t)v);

	struct decimal d;
	size_t sign = v < 0;
	buf[0] = '-';
	v = fabs(v);
	if (!decimal_exact(v, &d))
		decimal_trial(v, &d);
	return sign + write_decimal(buf + sign, &d);
}

size_t num_format_ldouble(char *buf, long double v)
{
	if (isinf(v))
		return put_text(buf, v < 0 ? "-inf" : "inf");
	if (isnan(v))
		return put_text(buf, "nan");
	size_t n = (size_t)snprintf(buf, NUM_LDOUBLE_BUF, "%.17Lf", v);
	while (buf[n - 1] == '0')
		n--;
	if (buf[n - 1] == '.')
		n--;
	return n == 2 && buf[0] == '-' && buf[1] == '0' ? put_text(buf, "0") : n;
}
