/* resp/insight/digest.h - a fingerprint of keys and values, equal to the one that redis-server's DEBUG DIGEST prints for the same data.
 *
 * SHA-1 throughout, not for secrecy: two data sets with equal digests are taken to be equal. What has an order is mixed in
 * order, what has none is xored together.
 */
#ifndef RESP_DIGEST_H
#define RESP_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "store/keyspace/keyspace.h"

#define DIGEST_BYTES 20

struct digest {
	unsigned char sum[DIGEST_BYTES];
};

struct digester;

/* NULL when the library has no SHA-1 to give (a FIPS provider). */
struct digester *digester_new(void);
void digester_free(struct digester *g);

/* The value and expiry of @word, without its key: DEBUG DIGEST-VALUE. */
void digest_value(struct digester *g, uint64_t word, struct digest *out);

/* All databases: DEBUG DIGEST. */
void digest_keyspace(struct digester *g, struct keyspace *ks, struct digest *out);

/* 40 hexadecimal digits and a NUL. */
void digest_hex(const struct digest *d, char out[2 * DIGEST_BYTES + 1]);

#endif
