/* store/base/bits.h - bits in a run of bytes, counted as Redis counts them: bit 0 is the highest bit of the first byte.
 *
 * Leaf algorithms: they know no key and allocate nothing. Positions are in bits, ends are exclusive.
 */
#ifndef STORE_BASE_BITS_H
#define STORE_BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many bits are set in @n bytes. */
uint64_t bits_count(const void *p, size_t n);

/* How many are set in [@from, @to), which lies in the bytes at @p. */
uint64_t bits_count_range(const void *p, uint64_t from, uint64_t to);

/* Where the first bit equal to @bit is in [@from, @to); @to when there is none. */
uint64_t bits_find(const void *p, uint64_t from, uint64_t to, bool bit);

/* --- whole strings --- */

enum bits_op {
	BITS_AND,
	BITS_OR,
	BITS_XOR,
};

/* dst[i] becomes dst[i] op src[i], for @n bytes. */
void bits_combine(enum bits_op op, void *dst, const void *src, size_t n);

/* dst[i] becomes the complement of src[i]. */
void bits_complement(void *dst, const void *src, size_t n);

/* --- fields: @bits (1 to 64) bits from bit @at on, the first the most significant --- */

/* Bytes from @n on count as 0. */
uint64_t bits_field(const void *p, size_t n, uint64_t at, unsigned bits);

/* The lowest @bits bits of @v; the field must lie in the bytes at @p. */
void bits_field_put(void *p, uint64_t at, unsigned bits, uint64_t v);

/* A field's bits as the signed number that they are in two's complement. */
static inline int64_t bits_sign(uint64_t v, unsigned bits)
{
	return (int64_t)(v << (64 - bits)) >> (64 - bits);
}

enum bits_overflow {
	BITS_WRAP, /* the low bits of the exact result */
	BITS_SAT,  /* the bound that was passed */
	BITS_FAIL, /* as BITS_WRAP: what then happens is the caller's */
};

/* @v + @by in a field of @bits, into @out. True when the exact sum does not fit the field; then @how says what *@out is. */
bool bits_add_signed(int64_t v, int64_t by, unsigned bits, enum bits_overflow how, int64_t *out);
bool bits_add_unsigned(uint64_t v, int64_t by, unsigned bits, enum bits_overflow how,
		       uint64_t *out);

#endif
