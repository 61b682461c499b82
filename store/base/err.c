#include <stddef.h>

#include "store/base/err.h"

static const char *const texts[] = {
#define X(code, text) [code] = text,
	STORE_ERRORS(X)
#undef X
};

const char *store_strerror(enum store_err err)
{
	return (size_t)err < sizeof(texts) / sizeof(texts[0]) ? texts[err] : "unknown error";
}
