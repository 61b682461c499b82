/* resp/acl/users.h - the users of a server, changed: what the ACL command, the file and the configuration do.
 *
 * Every change keeps the promises of acl.h: sessions of a user that goes are put out, listeners of channels that their user may hear no
 * longer too.
 */
#ifndef RESP_ACL_USERS_H
#define RESP_ACL_USERS_H

#include <stddef.h>

#include "resp/acl/user.h"

struct server;

/* What rules refer to on this server. */
struct acl_rules acl_rules_of(const struct server *s);

/* What the default user is where nobody says otherwise. */
struct acl_user *acl_default_user(struct registry *registry);

/* All, by name; the array is the caller's. Returns how many. */
size_t acl_sorted(struct acl *a, struct acl_user ***out);
int acl_by_name(const struct acl_user *a, const struct acl_user *b);

/* Put @u, whose name is new, among the users; it is owned from here on. */
void acl_add(struct acl *a, struct acl_user *u);
/* @u is now what @now is but for the name; @now is freed. Afterwards: acl_refresh. */
void acl_become(struct server *s, struct acl_user *u, struct acl_user *now);
/* False when there is none of this name, and for the default user. */
bool acl_remove(struct server *s, struct bytes name);

/* A copy of the user of this name (or a new one) after @n rules, settled; words that make one selector are joined first. NULL with
 * the refusal in @error, as ACL SETUSER replies it behind "ERR ". */
struct acl_user *acl_user_with(struct server *s, struct bytes name, const struct bytes *rules,
			       size_t n, struct text *error);

/* The users as lines, "user <name> <description>", each with its newline: for the file and CONFIG REWRITE. */
void acl_lines(struct acl *a, struct text *out);

/* ACL LOG's part. */
struct acl_log *acl_log_of(struct acl *a);

#endif
