/* resp/commands/sessions/connection.h - what HELLO and CLIENT share: names that clients give themselves.
 */
#ifndef RESP_COMMANDS_CONNECTION_H
#define RESP_COMMANDS_CONNECTION_H

#include <stdbool.h>

#include "store/base/bytes.h"

#define CONNECTION_BAD_NAME                                                                        \
	"ERR Client names cannot contain spaces, newlines or special characters."

/* Printable ASCII without blanks; the empty name too. */
bool connection_name_valid(struct bytes name);

/* Replace the owned string at @at by a copy of @value, by NULL when it is empty. */
void connection_set_string(char **at, struct bytes value);

#endif
