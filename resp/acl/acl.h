/* resp/acl/acl.h - who may do what: the users, and the questions that the command layer asks of them.
 *
 * A user has a name, passwords, and selectors; a call is allowed when one selector allows all of it: the command, every key, every
 * channel. Users are changed by rules ("+get", "~app:*", ...; resp/acl/user.h), and always whole: all rules of a command or file apply, or
 * none does.
 *
 * A session refers to its user (session->user); without one (NULL: loading, internal work) it may do anything. SESSION_RESTRICTED says
 * that its user may not do everything: who finds it clear need not ask. A user that is removed takes its sessions along.
 */
#ifndef RESP_ACL_H
#define RESP_ACL_H

#include <stdbool.h>
#include <stddef.h>

#include "resp/session.h"
#include "store/base/bytes.h"

struct acl;
struct acl_user;
struct dispatch_item;
struct registered;
struct registry;

/* The order is that in which a refusal outweighs another. */
enum acl_verdict {
	ACL_ALLOWED,
	ACL_DENIED_CMD,
	ACL_DENIED_KEY,
	ACL_DENIED_AUTH,
	ACL_DENIED_CHANNEL
};

enum acl_context { ACL_TOPLEVEL, ACL_MULTI, ACL_LUA, ACL_MODULE };

/* With the default user, who may do everything and needs no password. @registry outlives it. */
struct acl *acl_new(struct registry *registry);
void acl_free(struct acl *a);

/* --- may it --- */

/* Whether @user (NULL: yes) may make this call. @reg is what argv resolved to, and its arity was checked. Where a key or a channel is
 * refused @arg is its position in argv, else 0; it may be NULL. */
enum acl_verdict acl_check(const struct acl_user *user, const struct registered *reg, int argc,
			   const struct bytes *argv, int *arg);

/* The same for the session's user, for the dispatcher: NULL, or the error line ("NOPERM ...") that refuses the call, valid until the
 * next one; the refusal is counted and logged. */
const char *acl_refusal(struct session *s, const struct registered *reg, int argc,
			const struct bytes *argv);
/* Once more, when EXEC comes to a command that was queued. */
const char *acl_refusal_in_exec(struct session *s, const struct registered *reg, int argc,
				const struct bytes *argv);

/* Count and log a refusal of @s by its user; @arg as acl_check said. What is not toplevel says so (ACL_LUA). */
void acl_denied(struct session *s, enum acl_verdict why, enum acl_context context,
		const struct registered *reg, const struct bytes *argv, int arg);

/* The sentence for a refusal, without a code: "User x has no permissions to run the 'get' command". @verbose names the key or
 * channel as ACL DRYRUN does. Cut to @n. */
void acl_sentence(enum acl_verdict why, const struct acl_user *user, const struct registered *reg,
		  struct bytes arg, bool verbose, char *buf, size_t n);

/* Whether @user may make this call and, by the selector that says so, read any key whatever its name: for what names keys in
 * ways that cannot be foreseen (SORT's BY and GET). */
bool acl_reads_everything(const struct acl_user *user, const struct registered *reg, int argc,
			  const struct bytes *argv);

/* --- who is it --- */

/* A new session's user and what it may do before it logs in: the default user's rights, at once if no password is needed. */
void acl_session_open(struct session *s);
/* Whether @s has to log in before anything else. */
bool acl_must_log_in(const struct session *s);
/* False when there is no such user, it is off, or the password is wrong (counted and logged as @command's). */
bool acl_log_in(struct session *s, struct bytes name, struct bytes password, struct bytes command);
/* Bind @s to @user without a password (the mount); NULL for none. */
void acl_bind(struct session *s, struct acl_user *user);

struct acl_user *acl_find(struct acl *a, struct bytes name);
struct acl_user *acl_default(struct acl *a);
const char *acl_name(const struct acl_user *u); /* "(superuser)" for NULL */
/* Whether the default user lets anybody in: it is on and needs no password. */
bool acl_is_open(const struct acl *a);
bool acl_needs_no_password(const struct acl *a);

/* --- from the configuration --- */

/* The default user has this password now, or needs none ("" ). */
void acl_set_requirepass(struct server *s);
/* Sessions follow what the rights of the users are now. */
void acl_refresh(struct server *s);
/* Bring the log down to acllog-max-len. */
void acl_log_trim(struct server *s);

#endif
