/* resp/acl/user.h - one user: flags, passwords, selectors, and the rules by which they are changed and shown.
 *
 * The inside of resp/acl/, pure of sessions: what a rule means, what a user's description is, what a selector allows.
 * All strings are copied.
 */
#ifndef RESP_ACL_USER_H
#define RESP_ACL_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "resp/acl/acl.h"
#include "resp/config/text.h"
#include "store/base/bytes.h"

/* Commands have numbers from 0 (struct registered); the last bit stands for commands that do not exist yet. */
#define ACL_COMMANDS 1024
#define ACL_FUTURE   (ACL_COMMANDS - 1)

enum acl_user_flag {
	ACL_USER_ON = 1 << 0,
	ACL_USER_NOPASS = 1 << 1,
	ACL_USER_SKIP_SANITIZE = 1 << 2, /* RESTORE is believed; else checked */
};

enum acl_access { ACL_READ = 1, ACL_WRITE = 2 };

struct acl_pattern {
	char *p;
	size_t n;
	unsigned access; /* enum acl_access; 0 for channels */
};

struct acl_patterns {
	struct acl_pattern *v;
	size_t n;
};

/* "+select|0": a first argument with which a command is allowed that is not otherwise. */
struct acl_first_arg {
	unsigned command;
	char *word;
};

struct acl_selector {
	bool all_keys, all_channels;
	uint64_t commands[ACL_COMMANDS / 64];
	struct acl_first_arg *first_args;
	size_t nfirst_args;
	struct acl_patterns keys, channels;
	char **rules; /* the command rules in force, in their order, each with its sign: "+get", "-@admin" */
	size_t nrules;
};

struct acl_user {
	char *name;
	unsigned flags;     /* enum acl_user_flag */
	char (*hashes)[65]; /* SHA-256 of the passwords, in hexadecimal */
	size_t nhashes;
	struct acl_selector **selectors; /* the first is the user's own, and always there */
	size_t nselectors;
	bool unlimited; /* may do everything: acl_user_settle */
	UT_hash_handle hh;
};

/* What rules may refer to. */
struct acl_rules {
	struct registry *registry;
	bool all_channels; /* acl-pubsub-default */
};

enum acl_error {
	ACL_OK,
	ACL_EUNKNOWN, /* no such command or category */
	ACL_ESYNTAX,
	ACL_EALLKEYS, /* a pattern after ~* */
	ACL_EALLCHANNELS,
	ACL_EPASSWORD, /* no such password to remove */
	ACL_EHASH,
	ACL_EDUPLICATE,
	ACL_EFIRSTARG, /* of a subcommand */
};
const char *acl_error_text(enum acl_error err);

/* Off, without passwords or rights (but for channels as @rules says). */
struct acl_user *acl_user_new(struct bytes name, const struct acl_rules *rules);
struct acl_user *acl_user_copy(const struct acl_user *u);
void acl_user_free(struct acl_user *u);
/* All but the name and the place in the registry changes sides. */
void acl_user_swap(struct acl_user *a, struct acl_user *b);

/* Apply one rule; @u is as it was when it is refused. An empty one does nothing. */
enum acl_error acl_user_rule(struct acl_user *u, const struct acl_rules *rules, struct bytes rule);
/* After rules: find out what u->unlimited is. */
void acl_user_settle(struct acl_user *u);

/* Whether it holds no blank and no NUL: names and patterns may not. */
bool acl_word_valid(struct bytes s);

/* Rules of a selector that came as several words ("(+get" "~a)") become one each. NULL, and @bad the word that opened, when it is never
 * closed; otherwise the caller's: each of the @n texts and the array. */
struct text *acl_merge_selectors(const struct bytes *words, size_t nwords, size_t *n, size_t *bad);
void acl_merged_free(struct text *merged, size_t n);

/* Whether @password is one of the user's, in a time that tells nothing; true for nopass. */
bool acl_user_password(const struct acl_user *u, struct bytes password);

/* What GETUSER and LIST show, appended. */
void acl_selector_commands(const struct acl_selector *s, struct text *out); /* "-@all +get" */
void acl_selector_keys(const struct acl_selector *s, struct text *out);     /* "~a %R~b" */
void acl_selector_channels(const struct acl_selector *s, struct text *out); /* "&a &b" */
/* "on #<hash> ~* resetchannels -@all (...)" */
void acl_user_describe(const struct acl_user *u, struct text *out);
/* The words for the flags in their order, NULL-terminated: at most three. */
void acl_user_flags(const struct acl_user *u, const char *out[4]);

/* Whether @channel is among @patterns; as a pattern itself (PSUBSCRIBE) it must be one of them literally. */
bool acl_channel_listed(const struct acl_patterns *patterns, struct bytes channel, bool is_pattern);

static inline bool acl_bit(const struct acl_selector *s, unsigned command)
{
	return s->commands[command / 64] >> (command % 64) & 1;
}

#endif
