/* fs/kernel/landing.h - where the bytes of a WRITE go when the kernel hands them over.
 *
 * The head of a request and what follows it are received into two places. What a sequential writer writes next goes behind what it has
 * staged at once, where it stays: nothing is copied after the kernel, and the pages for it are brought in all at once before, while the
 * writer gets it ready. Every other write goes to a buffer of the mount's own that begins
 * with a page, which the kernel fills three times as fast as one behind the head. Whoever answers WRITE takes the bytes from
 * landing.data.
 */
#ifndef FS_KERNEL_LANDING_H
#define FS_KERNEL_LANDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/base/bytes.h"

struct handle;
struct mount;

struct landing {
	const char *data;     /* of the WRITE at hand, NULL: behind its head */
	struct handle *last;  /* wrote last, only to be compared with */
	struct handle *flows; /* writes one piece behind the other */
	size_t piece;         /* of so many bytes */
	const char *brought;  /* memory is there up to here */
	char *spare;
	size_t spare_size;
};

/* read(2) of a request into @buf; what is no WRITE is there whole. */
ssize_t landing_read(struct mount *m, int fd, char *buf, size_t n);

/* @h staged @data, which ends at @end of its stage. */
void landing_staged(struct mount *m, struct handle *h, uint64_t end, struct bytes data);
/* Some other write came. */
void landing_other(struct mount *m);
/* @h stages no more, or goes. */
void landing_forget(struct mount *m, const struct handle *h);

void landing_fini(struct landing *l);

#endif
