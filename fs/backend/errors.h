/* fs/backend/errors.h - the one place where a reply's error becomes an errno. */
#ifndef FS_BACKEND_ERRORS_H
#define FS_BACKEND_ERRORS_H

#include <errno.h>

#include "store/base/bytes.h"

/* Inside the mount: the key is there and holds another type. A lookup answers ENOENT for it, a creation EEXIST, the rest EINVAL. */
#define ERROR_TYPE EMEDIUMTYPE
/* What a task that may be sliced was reading changed meanwhile: whoever asked asks again. */
#define ERROR_CHANGED ESTRPIPE

/* The errno for an error line, by its first word; 0 is never answered. */
int error_of_line(struct bytes line);

#endif
