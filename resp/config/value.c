/* resp/config/value.c - setting and showing a directive's value by its kind. Part of directive.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resp/config/directive.h"
#include "store/base/mem.h"
#include "store/base/num.h"

bool config_refuse(struct config_error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return false;
}

/* --- places --- */

void *directive_slot(const struct config *cfg, const struct directive *d)
{
	if (d->width)
		return (char *)(uintptr_t)cfg + d->offset;
	return &cfg->rest->value[directive_index(d)];
}

void directive_store_string(char **at, const char *value)
{
	mem_free(*at);
	*at = mem_dup(value, strlen(value) + 1);
}

int64_t directive_number(const struct config *cfg, const struct directive *d)
{
	const void *at = directive_slot(cfg, d);
	uint32_t narrow;
	int64_t wide;

	if (d->width != sizeof(narrow)) {
		memcpy(&wide, at, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, at, sizeof(narrow));
	return d->flags & D_UNSIGNED ? (int64_t)narrow : (int64_t)(int32_t)narrow;
}

static void store_number(struct config *cfg, const struct directive *d, int64_t v)
{
	void *at = directive_slot(cfg, d);
	uint32_t narrow = (uint32_t)v;

	if (d->width == sizeof(narrow))
		memcpy(at, &narrow, sizeof(narrow));
	else
		memcpy(at, &v, sizeof(v));
}

static bool *bool_slot(const struct config *cfg, const struct directive *d)
{
	return directive_slot(cfg, d);
}

static char **string_slot(const struct config *cfg, const struct directive *d)
{
	return directive_slot(cfg, d);
}

/* --- numbers --- */

static bool memory_unit(const char *unit, uint64_t *factor)
{
	static const struct {
		const char *name;
		uint64_t factor;
	} units[] = {{"", 1},        {"b", 1},        {"k", 1000},       {"kb", 1024},
		     {"m", 1000000}, {"mb", 1 << 20}, {"g", 1000000000}, {"gb", 1 << 30}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcasecmp(unit, units[i].name) == 0) {
			*factor = units[i].factor;
			return true;
		}
	}
	return false;
}

bool config_memory(const char *s, uint64_t *out)
{
	size_t digits = strspn(s, "0123456789");
	uint64_t v, factor;

	if (!memory_unit(s + digits, &factor))
		return false;
	v = strtoull(s, NULL, 10); /* saturates */
	if (!digits)
		v = 0;
	if (__builtin_mul_overflow(v, factor, out))
		*out = UINT64_MAX;
	return true;
}

void config_memory_text(uint64_t v, struct text *out)
{
	static const struct {
		unsigned shift;
		const char *unit;
	} units[] = {{30, "gb"}, {20, "mb"}, {10, "kb"}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (v && (v & ((UINT64_C(1) << units[i].shift) - 1)) == 0) {
			text_fmt(out, "%llu%s", (unsigned long long)(v >> units[i].shift),
				 units[i].unit);
			return;
		}
	}
	text_fmt(out, "%llu", (unsigned long long)v);
}

static bool parse_percent(const char *s, int64_t *out)
{
	size_t n = strlen(s);

	if (n < 2 || s[n - 1] != '%' || !num_parse_int(bytes_of(s, n - 1), out) || *out < 0)
		return false;
	*out = -*out;
	return true;
}

static bool parse_octal(const char *s, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(s, &end, 8);
	return errno == 0 && *end == '\0';
}

/* A number by the directive's notation. @huge: it is above INT64_MAX, and @out holds its 64 bits. */
static bool parse_number(const struct directive *d, const char *s, int64_t *out, bool *huge,
			 struct config_error *err)
{
	uint64_t u;

	*huge = false;
	if ((d->flags & D_MEMORY) && config_memory(s, &u)) {
		*out = (int64_t)u;
		*huge = u > INT64_MAX;
		return true;
	}
	if ((d->flags & D_PERCENT) && parse_percent(s, out))
		return true;
	if ((d->flags & D_OCTAL) && parse_octal(s, out))
		return true;
	if (!(d->flags & (D_MEMORY | D_PERCENT | D_OCTAL)) && num_parse_int(bytes_str(s), out))
		return true;
	if (d->flags & D_MEMORY)
		return config_refuse(err, "argument must be a memory %svalue",
				     d->flags & D_PERCENT ? "or percent " : "");
	if (d->flags & D_OCTAL)
		return config_refuse(err, "argument couldn't be parsed as an octal number");
	return config_refuse(err, "argument couldn't be parsed into an integer");
}

static bool in_bounds(const struct directive *d, int64_t v, bool huge, struct config_error *err)
{
	if ((d->flags & D_PERCENT) && v < 0 && !huge) {
		if (v >= -100)
			return true;
		return config_refuse(err, "percentage argument must be less or equal to 100");
	}
	if (huge ? d->max == UINT64_MAX : v >= d->min && (v < 0 || (uint64_t)v <= d->max))
		return true;
	if (d->flags & D_OCTAL)
		return config_refuse(err, "argument must be between %llo and %llo inclusive",
				     (unsigned long long)d->min, (unsigned long long)d->max);
	return config_refuse(err, "argument must be between %lld and %llu inclusive",
			     (long long)d->min, (unsigned long long)d->max);
}

static bool set_number(struct config *cfg, const struct directive *d, const char *s,
		       struct config_error *err)
{
	int64_t v;
	bool huge;

	if (!parse_number(d, s, &v, &huge, err) || !in_bounds(d, v, huge, err))
		return false;
	if (d->missing && v != 0)
		return config_refuse(err, "%s", d->missing);
	store_number(cfg, d, v);
	return true;
}

static void get_number(const struct config *cfg, const struct directive *d, struct text *out)
{
	int64_t v = directive_number(cfg, d);

	if ((d->flags & D_PERCENT) && v < 0)
		text_fmt(out, "%lld%%", -(long long)v);
	else if (d->flags & D_OCTAL)
		text_fmt(out, "%llo", (unsigned long long)v);
	else if (d->flags & D_UNSIGNED)
		text_fmt(out, "%llu", (unsigned long long)v);
	else
		text_fmt(out, "%lld", (long long)v);
}

/* --- words --- */

static bool set_bool(struct config *cfg, const struct directive *d, const char *s,
		     struct config_error *err)
{
	bool yes = strcasecmp(s, "yes") == 0;

	if (!yes && strcasecmp(s, "no") != 0)
		return config_refuse(err, "argument must be 'yes' or 'no'");
	if (d->missing && yes)
		return config_refuse(err, "%s", d->missing);
	*bool_slot(cfg, d) = yes;
	return true;
}

static const struct directive_word *find_word(const struct directive_word *w, const char *s)
{
	while (w->name && strcasecmp(w->name, s) != 0)
		w++;
	return w->name ? w : NULL;
}

static bool refuse_word(const struct directive *d, struct config_error *err)
{
	struct text t = {0};

	text_str(&t, "argument(s) must be one of the following: ");
	for (const struct directive_word *w = d->words; w->name; w++)
		text_fmt(&t, "%s%s", w == d->words ? "" : ", ", w->name);
	config_refuse(err, "%s", t.p);
	text_fini(&t);
	return false;
}

static bool set_enum(struct config *cfg, const struct directive *d, int argc, char **argv,
		     struct config_error *err)
{
	int v = 0;

	if (argc < 1)
		return refuse_word(d, err);
	for (int i = 0; i < argc; i++) {
		const struct directive_word *w = find_word(d->words, argv[i]);
		if (!w)
			return refuse_word(d, err);
		v = d->flags & D_BITS ? v | w->value : w->value;
	}
	store_number(cfg, d, v);
	return true;
}

static void get_enum(const struct config *cfg, const struct directive *d, struct text *out)
{
	int v = (int)directive_number(cfg, d);
	bool first = true;

	for (const struct directive_word *w = d->words; w->name; w++) {
		bool set = v == w->value || ((d->flags & D_BITS) && (v & w->value));
		if (!set)
			continue;
		text_fmt(out, "%s%s", first ? "" : " ", w->name);
		first = false;
		if (!(d->flags & D_BITS))
			return;
	}
}

static bool set_string(struct config *cfg, const struct directive *d, const char *s,
		       struct config_error *err)
{
	const char *why = d->check ? d->check(s) : NULL;

	if (!why && d->missing && s[0])
		why = d->missing;
	if (why)
		return config_refuse(err, "%s", why);
	directive_store_string(string_slot(cfg, d), s);
	return true;
}

/* --- any --- */

bool directive_set(struct config *cfg, const struct directive *d, int argc, char **argv,
		   struct config_error *err)
{
	if (!(d->flags & D_WORDS) && argc != 1)
		return config_refuse(err, "wrong number of arguments");
	switch (d->kind) {
	case DIRECTIVE_BOOL:
		return set_bool(cfg, d, argv[0], err);
	case DIRECTIVE_NUMBER:
		return set_number(cfg, d, argv[0], err);
	case DIRECTIVE_ENUM:
		return set_enum(cfg, d, argc, argv, err);
	case DIRECTIVE_STRING:
		return set_string(cfg, d, argv[0], err);
	case DIRECTIVE_SPECIAL:
		return d->special->set(cfg, d, argc, argv, err);
	}
	return false;
}

bool directive_set_text(struct config *cfg, const struct directive *d, struct bytes value,
			struct config_error *err)
{
	struct words w;
	bool ok;

	if (value.n && memchr(value.p, '\0', value.n))
		return config_refuse(err, "argument must not hold a NUL byte");
	if (d->flags & D_WORDS) {
		words_split_blanks(value, &w);
		ok = directive_set(cfg, d, w.argc, w.argv, err);
		words_fini(&w);
		return ok;
	}
	char *s = mem_alloc(value.n + 1);
	if (value.n)
		memcpy(s, value.p, value.n);
	s[value.n] = '\0';
	ok = directive_set(cfg, d, 1, &s, err);
	mem_free(s);
	return ok;
}

void directive_get(const struct config *cfg, const struct directive *d, struct text *out)
{
	switch (d->kind) {
	case DIRECTIVE_BOOL:
		text_str(out, *bool_slot(cfg, d) ? "yes" : "no");
		return;
	case DIRECTIVE_NUMBER:
		get_number(cfg, d, out);
		return;
	case DIRECTIVE_ENUM:
		get_enum(cfg, d, out);
		return;
	case DIRECTIVE_STRING:
		text_str(out, *string_slot(cfg, d));
		return;
	case DIRECTIVE_SPECIAL:
		d->special->get(cfg, d, out);
		return;
	}
}
