/* resp/net/tls_context.h - what tls-* of the configuration says, as OpenSSL wants it. Private to resp/net/. */
#ifndef RESP_NET_TLS_CONTEXT_H
#define RESP_NET_TLS_CONTEXT_H

#include <stddef.h>

struct config;
struct ssl_ctx_st; /* SSL_CTX */

/* The context of our side of a connection, with certificate, key and whom we trust loaded. NULL when something is missing or
 * wrong, which is logged as Redis does. The files of tls-client-* are looked at too, though nothing connects with
 * them yet: a wrong one is found when it is set. Connections hold a reference of their own. */
struct ssl_ctx_st *tls_context_new(struct config *cfg);
void tls_context_free(struct ssl_ctx_st *ctx);

/* The oldest error of OpenSSL's queue as text ("error:0A00010B:SSL routines::wrong version number"), and the queue is empty after it. */
void tls_error_text(char *buf, size_t n);

#endif
