/* store/base/err.h - what an engine call can answer.
 *
 * One list of code and text. The engine's words are neutral: each front end translates a code
 * to its own error (a RESP error line, an errno) once, in a switch without default.
 */
#ifndef STORE_BASE_ERR_H
#define STORE_BASE_ERR_H

#define STORE_ERRORS(X)                                                                            \
	X(STORE_OK, "no error")                                                                    \
	X(STORE_ENOENT, "no such key or element")                                                  \
	X(STORE_ETYPE, "the key holds another type")                                               \
	X(STORE_ENOTINT, "not an integer or out of range")                                         \
	X(STORE_ENOTFLOAT, "not a valid float")                                                    \
	X(STORE_ENAN, "the result is not a number")                                                \
	X(STORE_EOVERFLOW, "increment or decrement would overflow")                                \
	X(STORE_ERANGE, "index out of range")                                                      \
	X(STORE_ETOOBIG, "the value would exceed the size limit")                                  \
	X(STORE_ENOMEM, "out of memory")                                                           \
	X(STORE_ECORRUPT, "malformed data")

enum store_err {
#define X(code, text) code,
	STORE_ERRORS(X)
#undef X
};

/* The text of @err, for logs. A static string. */
const char *store_strerror(enum store_err err);

#endif
