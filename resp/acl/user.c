/* resp/acl/user.c - a user's memory, its passwords and its description. See user.h; rules.c changes it. */
#include "resp/acl/user.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

#include "resp/acl/internal.h"
#include "store/base/mem.h"

/* --- memory --- */

char *acl_string(struct bytes s)
{
	char *copy = mem_alloc(s.n + 1);
	if (s.n)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}

struct acl_selector *acl_selector_new(const struct acl_rules *rules)
{
	struct acl_selector *s = mem_calloc(sizeof(*s));
	s->all_channels = rules->all_channels;
	return s;
}

void acl_patterns_clear(struct acl_patterns *list)
{
	for (size_t i = 0; i < list->n; i++)
		mem_free(list->v[i].p);
	mem_free(list->v);
	*list = (struct acl_patterns){0};
}

void acl_rules_clear(struct acl_selector *s)
{
	for (size_t i = 0; i < s->nrules; i++)
		mem_free(s->rules[i]);
	mem_free(s->rules);
	s->rules = NULL;
	s->nrules = 0;
}

void acl_first_args_clear(struct acl_selector *s)
{
	for (size_t i = 0; i < s->nfirst_args; i++)
		mem_free(s->first_args[i].word);
	mem_free(s->first_args);
	s->first_args = NULL;
	s->nfirst_args = 0;
}

void acl_selector_free(struct acl_selector *s)
{
	acl_patterns_clear(&s->keys);
	acl_patterns_clear(&s->channels);
	acl_first_args_clear(s);
	acl_rules_clear(s);
	mem_free(s);
}

/* An array of its own, or none: empty ones may have memory. */
static void *copy_array(const void *from, size_t n, size_t size)
{
	return n ? mem_dup(from, n * size) : NULL;
}

static void copy_patterns(struct acl_patterns *to, const struct acl_patterns *from)
{
	to->v = copy_array(from->v, from->n, sizeof(*from->v));
	to->n = from->n;
	for (size_t i = 0; i < to->n; i++)
		to->v[i].p = acl_string(bytes_of(from->v[i].p, from->v[i].n));
}

static struct acl_selector *copy_selector(const struct acl_selector *from)
{
	struct acl_selector *s = mem_dup(from, sizeof(*from));
	copy_patterns(&s->keys, &from->keys);
	copy_patterns(&s->channels, &from->channels);
	s->first_args = copy_array(from->first_args, s->nfirst_args, sizeof(*s->first_args));
	for (size_t i = 0; i < s->nfirst_args; i++)
		s->first_args[i].word = acl_string(bytes_str(from->first_args[i].word));
	s->rules = copy_array(from->rules, s->nrules, sizeof(*s->rules));
	for (size_t i = 0; i < s->nrules; i++)
		s->rules[i] = acl_string(bytes_str(from->rules[i]));
	return s;
}

struct acl_user *acl_user_new(struct bytes name, const struct acl_rules *rules)
{
	struct acl_user *u = mem_calloc(sizeof(*u));
	u->name = acl_string(name);
	u->selectors = mem_alloc(sizeof(*u->selectors));
	u->selectors[0] = acl_selector_new(rules);
	u->nselectors = 1;
	return u;
}

struct acl_user *acl_user_copy(const struct acl_user *from)
{
	struct acl_user *u = mem_dup(from, sizeof(*from));
	u->name = acl_string(bytes_str(from->name));
	u->hashes = copy_array(from->hashes, u->nhashes, sizeof(*u->hashes));
	u->selectors = mem_dup(from->selectors, u->nselectors * sizeof(*u->selectors));
	for (size_t i = 0; i < u->nselectors; i++)
		u->selectors[i] = copy_selector(from->selectors[i]);
	return u;
}

void acl_user_free(struct acl_user *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->nselectors; i++)
		acl_selector_free(u->selectors[i]);
	mem_free(u->selectors);
	mem_free(u->hashes);
	mem_free(u->name);
	mem_free(u);
}

void acl_user_swap(struct acl_user *a, struct acl_user *b)
{
	struct acl_user was = *a;
	*a = *b;
	*b = was;
	b->name = a->name;
	b->hh = a->hh;
	a->name = was.name;
	a->hh = was.hh;
}

/* --- passwords --- */

void acl_hash(struct bytes password, char out[65])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char md[SHA256_DIGEST_LENGTH];
	SHA256((const unsigned char *)password.p, password.n, md);
	for (size_t i = 0; i < sizeof(md); i++) {
		out[2 * i] = digits[md[i] >> 4];
		out[2 * i + 1] = digits[md[i] & 15];
	}
	out[64] = '\0';
	OPENSSL_cleanse(md, sizeof(md));
}

bool acl_user_password(const struct acl_user *u, struct bytes password)
{
	char hash[65];
	bool found = false;
	if (u->flags & ACL_USER_NOPASS)
		return true;
	acl_hash(password, hash);
	/* All are looked at, the right one too, so that the time says nothing of which it was. */
	for (size_t i = 0; i < u->nhashes; i++)
		found |= CRYPTO_memcmp(u->hashes[i], hash, 64) == 0;
	OPENSSL_cleanse(hash, sizeof(hash));
	return found;
}

/* --- description --- */

void acl_user_flags(const struct acl_user *u, const char *out[4])
{
	size_t n = 0;
	out[n++] = u->flags & ACL_USER_ON ? "on" : "off";
	if (u->flags & ACL_USER_NOPASS)
		out[n++] = "nopass";
	out[n++] = u->flags & ACL_USER_SKIP_SANITIZE ? "skip-sanitize-payload" : "sanitize-payload";
	out[n] = NULL;
}

void acl_selector_commands(const struct acl_selector *s, struct text *out)
{
	text_str(out, acl_bit(s, ACL_FUTURE) ? "+@all" : "-@all");
	for (size_t i = 0; i < s->nrules; i++)
		text_fmt(out, " %s", s->rules[i]);
}

void acl_selector_keys(const struct acl_selector *s, struct text *out)
{
	static const char *const prefixes[] = {
		[ACL_READ] = "%R~", [ACL_WRITE] = "%W~", [ACL_READ | ACL_WRITE] = "~"};
	if (s->all_keys)
		text_str(out, "~*");
	for (size_t i = 0; i < s->keys.n; i++) {
		const struct acl_pattern *k = &s->keys.v[i];
		const char *prefix = prefixes[k->access];
		/* A "~*" beside others would be read back as allkeys, after which no other may stand. */
		if (s->keys.n > 1 && strcmp(k->p, "*") == 0 && prefix[0] == '~')
			prefix = "%RW~";
		text_fmt(out, "%s%s", i ? " " : "", prefix);
		text_add(out, k->p, k->n);
	}
}

void acl_selector_channels(const struct acl_selector *s, struct text *out)
{
	if (s->all_channels)
		text_str(out, "&*");
	for (size_t i = 0; i < s->channels.n; i++) {
		text_str(out, i ? " &" : "&");
		text_add(out, s->channels.v[i].p, s->channels.v[i].n);
	}
}

static void describe_selector(const struct acl_selector *s, struct text *out)
{
	if (s->all_keys || s->keys.n) {
		acl_selector_keys(s, out);
		text_str(out, " ");
	}
	if (!s->all_channels)
		text_str(out, "resetchannels ");
	if (s->all_channels || s->channels.n) {
		acl_selector_channels(s, out);
		text_str(out, " ");
	}
	acl_selector_commands(s, out);
}

void acl_user_describe(const struct acl_user *u, struct text *out)
{
	const char *flags[4];
	acl_user_flags(u, flags);
	for (size_t i = 0; flags[i]; i++)
		text_fmt(out, "%s ", flags[i]);
	for (size_t i = 0; i < u->nhashes; i++)
		text_fmt(out, "#%s ", u->hashes[i]);
	describe_selector(u->selectors[0], out);
	for (size_t i = 1; i < u->nselectors; i++) {
		text_str(out, " (");
		describe_selector(u->selectors[i], out);
		text_str(out, ")");
	}
}
