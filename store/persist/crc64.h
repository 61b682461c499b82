/* store/persist/crc64.h - the checksum at the end of RDB files and DUMP payloads: CRC-64 with the polynomial of Jones,
 * reflected, from 0 (https://www0.cs.ucl.ac.uk/staff/d.jones/crcnote.pdf).
 */
#ifndef STORE_PERSIST_CRC64_H
#define STORE_PERSIST_CRC64_H

#include <stddef.h>
#include <stdint.h>

/* Go on with @crc, 0 at the start, over @n more bytes. */
uint64_t crc64(uint64_t crc, const void *p, size_t n);

#endif
