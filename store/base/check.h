/* store/base/check.h - for the foo_check() of containers: end the process where an invariant does not hold. */
#ifndef STORE_BASE_CHECK_H
#define STORE_BASE_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define STORE_CHECK(condition)                                                                     \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#endif
