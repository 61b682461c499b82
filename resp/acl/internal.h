/* resp/acl/internal.h - what the files of resp/acl/ share and nobody else needs. */
#ifndef RESP_ACL_INTERNAL_H
#define RESP_ACL_INTERNAL_H

#include "resp/acl/user.h"

struct acl_log;

struct acl {
	struct registry *registry;
	struct acl_user *users; /* uthash by name */
	struct acl_user *def;   /* among them; it never moves */
	struct acl_log *log;
	char refusal[512]; /* acl_refusal's last answer */
};

/* --- the parts of a user: user.c --- */

char *acl_string(struct bytes s);
/* SHA-256 of @password in hexadecimal. */
void acl_hash(struct bytes password, char out[65]);
struct acl_selector *acl_selector_new(const struct acl_rules *rules);
void acl_selector_free(struct acl_selector *s);
void acl_patterns_clear(struct acl_patterns *list);
void acl_rules_clear(struct acl_selector *s);
void acl_first_args_clear(struct acl_selector *s);

#endif
