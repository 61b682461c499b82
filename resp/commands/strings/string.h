/* resp/commands/strings/string.h - what the files of string commands share. */
#ifndef RESP_COMMANDS_STRING_H
#define RESP_COMMANDS_STRING_H

#include "resp/command.h"
#include "store/base/keyhash.h"

/* argv[1]'s hash, from the batch where it was computed there. */
static inline uint64_t string_key_hash(const struct call *c)
{
	return c->has_hash1 ? c->hash1 : keyhash(c->argv[1]);
}

/* The string of @word as a bulk reply, big ones by reference. */
void string_reply(struct call *c, uint64_t word);

/* Whether a string of @len bytes and @more may be; else the error is replied. */
bool string_size_fits(struct call *c, size_t len, size_t more);

void string_append(struct call *c);      /* APPEND */
void string_setrange(struct call *c);    /* SETRANGE */
void string_getrange(struct call *c);    /* GETRANGE, SUBSTR */
void string_strlen(struct call *c);      /* STRLEN */
void string_incr(struct call *c);        /* INCR */
void string_decr(struct call *c);        /* DECR */
void string_incrby(struct call *c);      /* INCRBY */
void string_decrby(struct call *c);      /* DECRBY */
void string_incrbyfloat(struct call *c); /* INCRBYFLOAT */
void string_lcs(struct call *c);         /* LCS, in string_lcs.c */

#endif
