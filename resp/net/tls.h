/* resp/net/tls.h - one TLS connection over a non-blocking socket: recv, send and the handshake. Private to resp/net/.
 *
 * It knows OpenSSL and a descriptor, no client. Two things differ from a socket, and the caller has to see to them: bytes may wait
 * in here that no epoll tells of (tls_has_more), and either direction may have to wait for the other one's readiness (tls_blocked).
 * The descriptor stays the caller's.
 */
#ifndef RESP_NET_TLS_H
#define RESP_NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct ssl_ctx_st;
struct tls;

/* Our side of a handshake on @fd. NULL when there is no memory. */
struct tls *tls_new(struct ssl_ctx_st *ctx, int fd);
/* Tells the peer good-bye, where there was a handshake and no error. */
void tls_free(struct tls *t);

enum tls_state { TLS_GREETING, TLS_OPEN, TLS_FAILED };
enum tls_state tls_state(const struct tls *t);
/* Go on with the handshake. TLS_GREETING: call again when tls_blocked's event is there. */
enum tls_state tls_handshake(struct tls *t);
/* What went wrong, after TLS_FAILED. */
const char *tls_error(const struct tls *t);

/* As recvmsg and sendmsg on a non-blocking socket: 0 is the peer's end, -1 with EAGAIN, or another errno when the connection
 * is over. tls_send sends all of it, a megabyte or what the socket takes; what was not sent must come first in the next call. */
ssize_t tls_recv(struct tls *t, const struct iovec *iov, int n);
ssize_t tls_send(struct tls *t, const struct iovec *iov, int n);

/* The last tls_recv stopped before it had seen that there is nothing more: call it again without waiting for the socket. */
bool tls_has_more(const struct tls *t);

enum tls_direction { TLS_READING, TLS_WRITING };
/* Reading waits until the socket can be written, or writing until it can be read. */
bool tls_blocked(const struct tls *t, enum tls_direction which);

/* Bytes that the connection holds, about. */
size_t tls_mem(const struct tls *t);

#endif
