#include "store/base/glob.h"

/* A position in the pattern or in the string. */
struct cursor {
	const unsigned char *p, *end;
};

static unsigned fold(unsigned c, bool nocase)
{
	return nocase && c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* Match one character against the class whose '[' stands at pat->p, and step over the class. A class that is not
 * closed ends with the pattern, as in Redis. */
static bool match_class(struct cursor *pat, unsigned c, bool nocase)
{
	const unsigned char *p = pat->p + 1;
	bool negate = p < pat->end && *p == '^', hit = false;

	p += negate;
	for (; p < pat->end && *p != ']'; p++) {
		if (*p == '\\' && pat->end - p >= 2) {
			p++;
			hit |= *p == c; /* an escaped letter is never folded: Redis's habit */
		} else if (pat->end - p >= 3 && p[1] == '-') {
			unsigned lo = fold(p[0], nocase), hi = fold(p[2], nocase);
			unsigned x = fold(c, nocase);
			if (lo > hi)
				hit |= x >= hi && x <= lo;
			else
				hit |= x >= lo && x <= hi;
			p += 2;
		} else {
			hit |= fold(*p, nocase) == fold(c, nocase);
		}
	}
	pat->p = p < pat->end ? p + 1 : p;
	return hit != negate;
}

/* Match one character against the one-character item at pat->p (anything but a star), and step over it. */
static bool match_one(struct cursor *pat, unsigned c, bool nocase)
{
	if (*pat->p == '?') {
		pat->p++;
		return true;
	}
	if (*pat->p == '[')
		return match_class(pat, c, nocase);
	if (*pat->p == '\\' && pat->end - pat->p >= 2)
		pat->p++;
	return fold(*pat->p++, nocase) == fold(c, nocase);
}

bool glob_match(struct bytes pattern, struct bytes s, bool nocase)
{
	struct cursor pat = {(const unsigned char *)pattern.p,
			     (const unsigned char *)pattern.p + pattern.n};
	const unsigned char *at = (const unsigned char *)s.p, *end = at + s.n;
	const unsigned char *star = NULL, *retry = NULL;

	/* Redis's habit: stars alone do not match the empty string (its callers ask glob_is_all first). */
	if (s.n == 0)
		return pattern.n == 0;
	/* Every item but the star takes exactly one character, so when the part after the last star fails, only that
	 * star need take more: earlier ones cannot help. This is what bounds the time. */
	while (at < end) {
		if (pat.p < pat.end && *pat.p == '*') {
			star = ++pat.p;
			retry = at;
			if (pat.p == pat.end)
				return true;
		} else if (pat.p < pat.end && match_one(&pat, *at, nocase)) {
			at++;
		} else if (star) {
			pat.p = star;
			at = ++retry;
		} else {
			return false;
		}
	}
	while (pat.p < pat.end && *pat.p == '*')
		pat.p++;
	return pat.p == pat.end;
}

bool glob_is_all(struct bytes pattern)
{
	return pattern.n == 1 && pattern.p[0] == '*';
}
