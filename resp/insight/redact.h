/* resp/insight/redact.h - passwords stay out of what people watch: MONITOR and the slow log. */
#ifndef RESP_REDACT_H
#define RESP_REDACT_H

#include "store/base/bytes.h"

/* argv[@i], or "(redacted)" where it is a secret: the arguments of AUTH, HELLO's AUTH part, passwords in CONFIG SET and the rules of
 * ACL SETUSER. */
struct bytes redact_argument(const struct bytes *argv, int i);

#endif
