/* resp/acl/log.h - what was refused: ACL LOG.
 *
 * The latest refusals, newest first; one that is like one of the ten before it and no minute younger is counted there. Bounded by
 * acllog-max-len.
 */
#ifndef RESP_ACL_LOG_H
#define RESP_ACL_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "resp/acl/acl.h"
#include "resp/proto/reply.h"

struct acl_log;

struct acl_log *acl_log_new(void);
void acl_log_free(struct acl_log *l);

/* @object and @user are copied. @who is described as CLIENT LIST does. */
void acl_log_add(struct acl_log *l, enum acl_verdict why, enum acl_context context,
		 struct bytes object, struct bytes user, struct session *who, size_t max);
/* Drop the oldest beyond @max. */
void acl_log_limit(struct acl_log *l, size_t max);
/* The newest @count, as ACL LOG replies them. */
void acl_log_reply(const struct acl_log *l, struct reply *r, size_t count, int64_t now_ms);

#endif
