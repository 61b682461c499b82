/* resp/acl/rules.c - the words by which a user is changed. Part of user.h. */
#define _GNU_SOURCE
#include <ctype.h>
#include <string.h>

#include "resp/acl/internal.h"
#include "resp/commands/server/catalog.h"
#include "resp/dispatch.h"
#include "store/base/mem.h"

const char *acl_error_text(enum acl_error err)
{
	switch (err) {
	case ACL_OK:
		return "";
	case ACL_EUNKNOWN:
		return "Unknown command or category name in ACL";
	case ACL_ESYNTAX:
		return "Syntax error";
	case ACL_EALLKEYS:
		return "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid "
		       "and does not have any effect. Try 'resetkeys' to start with an empty list "
		       "of patterns";
	case ACL_EALLCHANNELS:
		return "Adding a pattern after the * pattern (or the 'allchannels' flag) is not "
		       "valid and does not have any effect. Try 'resetchannels' to start with an "
		       "empty list of channels";
	case ACL_EPASSWORD:
		return "The password you are trying to remove from the user does not exist";
	case ACL_EHASH:
		return "The password hash must be exactly 64 characters and contain only lowercase "
		       "hexadecimal characters";
	case ACL_EDUPLICATE:
		return "Duplicate user found. A user can only be defined once in config files";
	case ACL_EFIRSTARG:
		return "Allowing first-arg of a subcommand is not supported";
	}
	return "";
}

bool acl_word_valid(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\0' || isspace((unsigned char)s.p[i]))
			return false;
	return true;
}

static struct bytes behind(struct bytes s, size_t n)
{
	return bytes_of(s.p + n, s.n - n);
}

/* --- commands --- */

static void set_bit(struct acl_selector *s, unsigned command, bool allow)
{
	uint64_t bit = UINT64_C(1) << (command % 64);
	if (allow)
		s->commands[command / 64] |= bit;
	else
		s->commands[command / 64] &= ~bit;
}

static void drop_first_args(struct acl_selector *s, unsigned command)
{
	size_t kept = 0;
	for (size_t i = 0; i < s->nfirst_args; i++) {
		if (s->first_args[i].command == command)
			mem_free(s->first_args[i].word);
		else
			s->first_args[kept++] = s->first_args[i];
	}
	s->nfirst_args = kept;
}

/* A command with all its subcommands. */
static void set_command(struct acl_selector *s, const struct registered *reg, bool allow)
{
	set_bit(s, reg->id, allow);
	drop_first_args(s, reg->id);
	for (const struct registered *sub = reg->subs; sub; sub = sub->hh.next)
		set_command(s, sub, allow);
}

static void set_category(struct acl_selector *s, const struct registered *reg, uint32_t category,
			 bool allow)
{
	for (; reg; reg = reg->hh.next) {
		if (catalog_of(reg->cmd) & category)
			set_command(s, reg, allow);
		set_category(s, reg->subs, category, allow);
	}
}

/* Keep the rule for the description, at the end; what it makes meaningless goes: the same with either sign, and those of its
 * subcommands. */
static void note_rule(struct acl_selector *s, struct bytes name, bool allow)
{
	char *rule = mem_alloc(name.n + 2);
	rule[0] = allow ? '+' : '-';
	for (size_t i = 0; i < name.n; i++)
		rule[i + 1] = (char)tolower((unsigned char)name.p[i]);
	rule[name.n + 1] = '\0';
	size_t kept = 0;
	for (size_t i = 0; i < s->nrules; i++) {
		const char *old = s->rules[i] + 1;
		if (strncmp(old, rule + 1, name.n) == 0 && (!old[name.n] || old[name.n] == '|'))
			mem_free(s->rules[i]);
		else
			s->rules[kept++] = s->rules[i];
	}
	s->rules = mem_realloc(s->rules, (kept + 1) * sizeof(*s->rules));
	s->rules[kept] = rule;
	s->nrules = kept + 1;
}

static void all_commands(struct acl_selector *s, bool allow)
{
	memset(s->commands, allow ? 0xff : 0, sizeof(s->commands));
	acl_first_args_clear(s);
	acl_rules_clear(s);
}

/* +select|0: for a command without subcommands. */
static void add_first_arg(struct acl_selector *s, unsigned command, struct bytes word)
{
	for (size_t i = 0; i < s->nfirst_args; i++)
		if (s->first_args[i].command == command &&
		    bytes_eq(word, bytes_str(s->first_args[i].word)))
			return;
	s->first_args = mem_realloc(s->first_args, (s->nfirst_args + 1) * sizeof(*s->first_args));
	s->first_args[s->nfirst_args++] = (struct acl_first_arg){command, acl_string(word)};
}

static enum acl_error allow_with_bar(struct acl_selector *s, struct registry *registry,
				     struct bytes name, const char *bar)
{
	struct bytes sub = behind(name, (size_t)(bar + 1 - name.p));
	struct registered *reg = registry_find(registry, bytes_of(name.p, (size_t)(bar - name.p)));
	if (!reg)
		return ACL_EUNKNOWN;
	if (reg->parent)
		return ACL_EFIRSTARG;
	if (!sub.n || memchr(sub.p, '\0', sub.n))
		return ACL_ESYNTAX;
	if (reg->subs) {
		reg = registry_find(registry, name);
		if (!reg)
			return ACL_EUNKNOWN;
		set_command(s, reg, true);
	} else {
		add_first_arg(s, reg->id, sub);
	}
	note_rule(s, name, true);
	return ACL_OK;
}

static enum acl_error command_rule(struct acl_selector *s, const struct acl_rules *rules,
				   struct bytes name, bool allow)
{
	const char *bar = allow && name.n ? memrchr(name.p, '|', name.n) : NULL;
	if (bar)
		return allow_with_bar(s, rules->registry, name, bar);
	struct registered *reg = registry_find(rules->registry, name);
	if (!reg)
		return ACL_EUNKNOWN;
	set_command(s, reg, allow);
	note_rule(s, bytes_str(reg->fullname), allow);
	return ACL_OK;
}

static enum acl_error category_rule(struct acl_selector *s, const struct acl_rules *rules,
				    struct bytes name, bool allow)
{
	uint32_t category = catalog_category(behind(name, 1));
	if (!category)
		return ACL_EUNKNOWN;
	set_category(s, registry_commands(rules->registry), category, allow);
	note_rule(s, name, allow);
	return ACL_OK;
}

/* --- keys and channels --- */

static void add_pattern(struct acl_patterns *list, struct bytes p, unsigned access)
{
	for (size_t i = 0; i < list->n; i++) {
		if (!bytes_eq(p, bytes_of(list->v[i].p, list->v[i].n)))
			continue;
		list->v[i].access |= access;
		return;
	}
	list->v = mem_realloc(list->v, (list->n + 1) * sizeof(*list->v));
	list->v[list->n++] = (struct acl_pattern){acl_string(p), p.n, access};
}

/* "%RW~" and its like: how many bytes, 0 when it is none. */
static size_t access_prefix(struct bytes rule, unsigned *access)
{
	*access = 0;
	for (size_t i = 1; i < rule.n; i++) {
		unsigned bit = rule.p[i] == 'R' || rule.p[i] == 'r'   ? ACL_READ
			       : rule.p[i] == 'W' || rule.p[i] == 'w' ? ACL_WRITE
								      : 0;
		if (rule.p[i] == '~')
			return *access ? i + 1 : 0;
		if (!bit || *access & bit)
			return 0;
		*access |= bit;
	}
	return 0;
}

static enum acl_error key_rule(struct acl_selector *s, struct bytes rule)
{
	unsigned access = ACL_READ | ACL_WRITE;
	size_t prefix = 1;
	if (s->all_keys)
		return ACL_EALLKEYS;
	if (rule.p[0] == '%')
		prefix = access_prefix(rule, &access);
	if (!prefix || !acl_word_valid(behind(rule, prefix)))
		return ACL_ESYNTAX;
	add_pattern(&s->keys, behind(rule, prefix), access);
	return ACL_OK;
}

static enum acl_error channel_rule(struct acl_selector *s, struct bytes rule)
{
	if (s->all_channels)
		return ACL_EALLCHANNELS;
	if (!acl_word_valid(behind(rule, 1)))
		return ACL_ESYNTAX;
	add_pattern(&s->channels, behind(rule, 1), 0);
	return ACL_OK;
}

static void set_all_keys(struct acl_selector *s, bool all)
{
	acl_patterns_clear(&s->keys);
	s->all_keys = all;
}

static void set_all_channels(struct acl_selector *s, bool all)
{
	acl_patterns_clear(&s->channels);
	s->all_channels = all;
}

/* --- a selector --- */

static enum acl_error selector_rule(struct acl_selector *s, const struct acl_rules *rules,
				    struct bytes rule)
{
	if (bytes_is(rule, "allkeys") || bytes_is(rule, "~*"))
		set_all_keys(s, true);
	else if (bytes_is(rule, "resetkeys"))
		set_all_keys(s, false);
	else if (bytes_is(rule, "allchannels") || bytes_is(rule, "&*"))
		set_all_channels(s, true);
	else if (bytes_is(rule, "resetchannels"))
		set_all_channels(s, false);
	else if (bytes_is(rule, "allcommands") || bytes_is(rule, "+@all"))
		all_commands(s, true);
	else if (bytes_is(rule, "nocommands") || bytes_is(rule, "-@all"))
		all_commands(s, false);
	else if (rule.p[0] == '~' || rule.p[0] == '%')
		return key_rule(s, rule);
	else if (rule.p[0] == '&')
		return channel_rule(s, rule);
	else if ((rule.p[0] == '+' || rule.p[0] == '-') && rule.n > 1 && rule.p[1] == '@')
		return category_rule(s, rules, behind(rule, 1), rule.p[0] == '+');
	else if (rule.p[0] == '+' || rule.p[0] == '-')
		return command_rule(s, rules, behind(rule, 1), rule.p[0] == '+');
	else
		return ACL_ESYNTAX;
	return ACL_OK;
}

/* "(+get ~a)": a selector of its own. */
static enum acl_error add_selector(struct acl_user *u, const struct acl_rules *rules,
				   struct bytes rule)
{
	struct words w;
	enum acl_error err = ACL_OK;
	if (!words_split(bytes_of(rule.p + 1, rule.n - 2), &w))
		return ACL_ESYNTAX;
	struct acl_selector *s = acl_selector_new(rules);
	for (int i = 0; i < w.argc && !err; i++)
		if (w.argv[i][0])
			err = selector_rule(s, rules, bytes_str(w.argv[i]));
	words_fini(&w);
	if (err) {
		acl_selector_free(s);
		return err;
	}
	u->selectors = mem_realloc(u->selectors, (u->nselectors + 1) * sizeof(*u->selectors));
	u->selectors[u->nselectors++] = s;
	return ACL_OK;
}

static void clear_selectors(struct acl_user *u)
{
	while (u->nselectors > 1)
		acl_selector_free(u->selectors[--u->nselectors]);
}

/* --- passwords --- */

static bool is_hash(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(s.p[i] >= 'a' && s.p[i] <= 'f'))
			return false;
	return s.n == 64;
}

static size_t find_hash(const struct acl_user *u, const char *hash)
{
	size_t i = 0;
	while (i < u->nhashes && memcmp(u->hashes[i], hash, 64) != 0)
		i++;
	return i;
}

static void add_hash(struct acl_user *u, const char hash[65])
{
	if (find_hash(u, hash) == u->nhashes) {
		u->hashes = mem_realloc(u->hashes, (u->nhashes + 1) * sizeof(*u->hashes));
		memcpy(u->hashes[u->nhashes++], hash, 65);
	}
	u->flags &= ~(unsigned)ACL_USER_NOPASS;
}

static enum acl_error remove_hash(struct acl_user *u, const char *hash)
{
	size_t i = find_hash(u, hash);
	if (i == u->nhashes)
		return ACL_EPASSWORD;
	u->nhashes--;
	memmove(u->hashes + i, u->hashes + i + 1, (u->nhashes - i) * sizeof(*u->hashes));
	return ACL_OK;
}

static void drop_hashes(struct acl_user *u)
{
	mem_free(u->hashes);
	u->hashes = NULL;
	u->nhashes = 0;
}

/* > and # add, < and ! remove; the first of each pair has the password itself, the second its hash. */
static enum acl_error password_rule(struct acl_user *u, struct bytes rule)
{
	struct bytes word = behind(rule, 1);
	char hash[65];
	if (rule.p[0] == '>' || rule.p[0] == '<') {
		acl_hash(word, hash);
	} else {
		if (!is_hash(word))
			return ACL_EHASH;
		memcpy(hash, word.p, 64);
		hash[64] = '\0';
	}
	if (rule.p[0] == '<' || rule.p[0] == '!')
		return remove_hash(u, hash);
	add_hash(u, hash);
	return ACL_OK;
}

/* --- a user --- */

static void reset(struct acl_user *u, const struct acl_rules *rules)
{
	struct acl_selector *s = u->selectors[0];
	u->flags = 0;
	drop_hashes(u);
	clear_selectors(u);
	set_all_keys(s, false);
	set_all_channels(s, rules->all_channels);
	all_commands(s, false);
}

static void resetpass(struct acl_user *u)
{
	u->flags &= ~(unsigned)ACL_USER_NOPASS;
	drop_hashes(u);
}

enum acl_error acl_user_rule(struct acl_user *u, const struct acl_rules *rules, struct bytes rule)
{
	if (!rule.n)
		return ACL_OK;
	if (bytes_is(rule, "on")) {
		u->flags |= ACL_USER_ON;
	} else if (bytes_is(rule, "off")) {
		u->flags &= ~(unsigned)ACL_USER_ON;
	} else if (bytes_is(rule, "nopass")) {
		drop_hashes(u);
		u->flags |= ACL_USER_NOPASS;
	} else if (bytes_is(rule, "skip-sanitize-payload")) {
		u->flags |= ACL_USER_SKIP_SANITIZE;
	} else if (bytes_is(rule, "sanitize-payload")) {
		u->flags &= ~(unsigned)ACL_USER_SKIP_SANITIZE;
	} else if (bytes_is(rule, "resetpass")) {
		resetpass(u);
	} else if (strchr("><#!", rule.p[0]) && rule.p[0]) {
		return password_rule(u, rule);
	} else if (rule.n > 1 && rule.p[0] == '(' && rule.p[rule.n - 1] == ')') {
		return add_selector(u, rules, rule);
	} else if (bytes_is(rule, "clearselectors")) {
		clear_selectors(u);
	} else if (bytes_is(rule, "reset")) {
		reset(u, rules);
	} else {
		return selector_rule(u->selectors[0], rules, rule);
	}
	return ACL_OK;
}

void acl_user_settle(struct acl_user *u)
{
	u->unlimited = false;
	for (size_t i = 0; i < u->nselectors && !u->unlimited; i++) {
		const struct acl_selector *s = u->selectors[i];
		bool all = s->all_keys && s->all_channels;
		for (size_t w = 0; w < ACL_COMMANDS / 64 && all; w++)
			all = s->commands[w] == UINT64_MAX;
		u->unlimited = all;
	}
}

/* --- words that belong together --- */

struct text *acl_merge_selectors(const struct bytes *words, size_t nwords, size_t *n, size_t *bad)
{
	struct text *merged = mem_calloc((nwords + 1) * sizeof(*merged));
	bool open = false;
	*n = 0;
	for (size_t i = 0; i < nwords; i++) {
		struct text *t = &merged[*n];
		bool closes = words[i].n && words[i].p[words[i].n - 1] == ')';
		if (open)
			text_str(t, " ");
		else if (words[i].n && words[i].p[0] == '(' && !closes)
			*bad = i;
		text_add(t, words[i].p, words[i].n);
		open = !closes && (open || (words[i].n && words[i].p[0] == '('));
		*n += !open;
	}
	if (!open)
		return merged;
	acl_merged_free(merged, *n + 1);
	return NULL;
}

void acl_merged_free(struct text *merged, size_t n)
{
	for (size_t i = 0; i < n; i++)
		text_fini(&merged[i]);
	mem_free(merged);
}
