/* resp/acl/file.h - users from outside: the ACL file, and the "user" lines of the configuration. */
#ifndef RESP_ACL_FILE_H
#define RESP_ACL_FILE_H

#include <stdbool.h>

#include "resp/config/text.h"

struct registry;
struct server;

/* The users that configuration and file name, before anybody connects. What is wrong is logged, and false answered. */
bool acl_start(struct server *s);

/* ACL LOAD: the users become those of the file. False with all that is wrong in @errors, and nothing changed. */
bool acl_file_load(struct server *s, struct text *errors);
/* ACL SAVE; what goes wrong is logged. */
bool acl_file_save(struct server *s);

/* Whether "user name rule ..." can be applied; else what is wrong with it. */
bool acl_declaration_valid(struct registry *registry, int argc, char **argv, struct text *error);

#endif
